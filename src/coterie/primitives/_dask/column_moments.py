"""Means and deviations of columns of rows in blocks: sums over the blocks are rounded once, so that their order cannot matter."""

from typing import NamedTuple

import numpy as np

from ..blocks import says
from ..column_moments import Moments
from .exact import added
from .passes import Block, each
from .rows import rows_as_they_are

__all__ = ["column_moments"]

_CHUNK = 65_536


class _Sums(NamedTuple):
    n: int
    mean: np.ndarray  # (d,)
    squares: np.ndarray  # (d,): of the differences from the mean
    low: np.ndarray
    high: np.ndarray


def column_moments(X, drawn: np.ndarray) -> Moments:
    """See `coterie.primitives.column_moments.column_moments`."""
    rows = rows_as_they_are(X)
    starts = np.cumsum([0, *(piece.n_rows for piece in X.pieces)])
    found = each(rows, _block_moments, starts, drawn)
    blocks = [seen for seen, _ in found if seen.n]
    n = sum(seen.n for seen in blocks)
    low, high = np.min([seen.low for seen in blocks], axis=0), np.max([seen.high for seen in blocks], axis=0)
    middle = low / 2 + high / 2  # means are added as differences from it, so that a far offset costs no figures
    mean = middle + added([(seen.mean - middle) * (seen.n / n) for seen in blocks])
    squares = added([seen.squares + (seen.mean - mean) ** 2 * seen.n for seen in blocks])
    sample = np.concatenate([values for _, values in found])
    return Moments(n, mean, np.sqrt(squares / n), low, high, sample)


@says("mean and spread of the columns")
def _block_moments(block: Block, starts: np.ndarray, drawn: np.ndarray) -> tuple[_Sums, np.ndarray]:
    rows = block.rows
    total = _sums(rows[:_CHUNK])
    for start in range(_CHUNK, len(rows), _CHUNK):
        total = _merged(total, _sums(rows[start : start + _CHUNK]))
    first, last = np.searchsorted(drawn, starts[block.number : block.number + 2])
    return total, rows[drawn[first:last] - starts[block.number]].astype(np.float64)


def _sums(rows: np.ndarray) -> _Sums:
    # From the first row: a column of one value then has no spread at all, and a far offset costs no figures.
    moved = rows - rows[0].astype(np.float64)
    mean = moved.mean(axis=0)
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    return _Sums(len(rows), mean + rows[0], ((moved - mean) ** 2).sum(axis=0), low, high)


def _merged(a: _Sums, b: _Sums) -> _Sums:
    """Merge two stretches of rows (Chan, Golub & LeVeque 1983)."""
    n = a.n + b.n
    apart = b.mean - a.mean
    return _Sums(
        n,
        a.mean + apart * (b.n / n),
        a.squares + b.squares + apart**2 * (a.n * (b.n / n)),
        np.minimum(a.low, b.low),
        np.maximum(a.high, b.high),
    )
