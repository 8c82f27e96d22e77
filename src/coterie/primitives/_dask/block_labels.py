"""Labels beside rows in blocks; both are numbered in the order in which the blocks were given."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...arrays import NOISE, to_numpy
from ...errors import InputError
from ...tables.known_classes import MOST_CLASSES
from ..blocks import in_blocks, says
from .passes import Block, each, fold
from .rows import BlockRows, chunks_beside

__all__ = ["class_counts", "codes_of", "in_range", "label_counts", "labelled", "labelled_rows_at", "rows_by_number"]

_LEAST, _MOST = 1e-100, 1e100  # of the greatest magnitude, so that squares and their sums are in the range of float64


class _Found(NamedTuple):
    names: np.ndarray
    sizes: np.ndarray
    firsts: np.ndarray
    noise: tuple[tuple[int, int], ...]  # of (number of the block, rows without a cluster)

    def merge(self, other: "_Found") -> "_Found":
        names, place = np.unique(np.concatenate([self.names, other.names]), return_inverse=True)
        firsts = np.full(len(names), np.iinfo(np.int64).max)
        np.minimum.at(firsts, place, np.concatenate([self.firsts, other.firsts]))
        sizes = np.zeros(len(names), np.int64)
        np.add.at(sizes, place, np.concatenate([self.sizes, other.sizes]))
        return _Found(names, sizes, firsts, self.noise + other.noise)


def labelled(rows: BlockRows, labels: Any) -> BlockRows:
    """See `coterie.primitives.block_labels.labelled`."""
    if in_blocks(labels):
        return rows.labelled(chunks_beside(rows, labels, "labels"))
    values = np.asarray(to_numpy(labels))
    if values.ndim != 1:
        raise InputError(f"labels must be 1-D, got shape {values.shape}")
    lengths = rows.lengths if rows.surveys else np.array([source.n_rows for source in rows.sources])
    if len(values) != lengths.sum():
        raise InputError(f"X must have one label a row, got {lengths.sum()} rows and {len(values)} labels")
    return rows.labelled(np.split(values, np.cumsum(lengths)[:-1]))


def label_counts(rows: BlockRows) -> tuple[np.ndarray, ...]:
    """See `coterie.primitives.block_labels.label_counts`."""
    found = fold(rows, _counted, _Found.merge, rows.lengths)
    noise = np.array([n for _, n in sorted(found.noise)])
    clusters = np.flatnonzero(found.names != NOISE)
    return found.names[clusters], found.sizes[clusters], found.firsts[clusters], noise


def labelled_rows_at(
    rows: BlockRows, names: np.ndarray, at: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """See `coterie.primitives.block_labels.labelled_rows_at`."""
    edges = np.concatenate([[0], np.cumsum(rows.lengths - noise)])
    found = [part for part in each(rows, _picked, names, at, edges) if part is not None]
    values, codes = zip(*found, strict=True)
    return np.concatenate(values), np.concatenate(codes)


def class_counts(rows: BlockRows, n_groups: int) -> dict[str, np.ndarray]:
    """See `coterie.primitives.block_labels.class_counts`."""
    found: dict[str, np.ndarray] = fold(rows, _block_classes, _more_classes, n_groups)
    return found


def rows_by_number(rows: BlockRows, numbers: np.ndarray) -> np.ndarray:
    """See `coterie.primitives.block_labels.rows_by_number`."""
    order = np.argsort(numbers, kind="stable")
    found = [part for part in each(rows, _rows_there, numbers[order], rows.lengths) if part is not None]
    values = np.concatenate(found)
    back = np.empty_like(values)
    back[order] = values
    return back


def in_range(rows: BlockRows) -> BlockRows:
    """See `coterie.primitives.block_labels.in_range`."""
    from .._numba.conditioning import power_of_two

    greatest = max(float(max(seen.high.max(), -seen.low.min())) for seen in rows.surveys if seen.n_rows)
    if greatest == 0 or _LEAST < greatest < _MOST:
        return rows
    # In two steps, since one factor may be out of range.
    exponent = int(np.frexp(power_of_two(greatest))[1])
    factors = 2.0 ** -(exponent // 2), 2.0 ** -(exponent - exponent // 2)
    scaled = rows.prepared(partial(_times, factors))
    scaled.surveys = [
        seen._replace(low=_times(factors, seen.low), high=_times(factors, seen.high)) for seen in rows.surveys
    ]
    return scaled


def codes_of(block: Block, names: np.ndarray) -> np.ndarray:
    """Return the cluster of each row of a block, -1 for what is none of the names."""
    labels = block.labels
    at = np.minimum(np.searchsorted(names, labels), len(names) - 1)
    return np.where(names[at] == labels, at, NOISE)


def _times(factors: tuple[float, float], rows: Any) -> Any:
    return rows * factors[0] * factors[1]


@says("counting labels")
def _counted(block: Block, lengths: np.ndarray) -> _Found:
    labels = block.labels
    if len(labels) != lengths[block.number]:
        raise InputError(
            f"block {block.number} has {lengths[block.number]} rows and {len(labels)} labels; give labels in the same blocks"
        )
    names, firsts, sizes = np.unique(labels, return_index=True, return_counts=True)
    noise = sizes[names == NOISE].sum() if len(names) else 0
    return _Found(names, sizes.astype(np.int64), firsts + block.start, ((block.number, int(noise)),))


@says("known classes")
def _block_classes(block: Block, n_groups: int) -> dict[str, np.ndarray]:
    names, codes = block.source.load()
    labels = block.labels
    if len(labels) != len(codes):
        raise InputError(
            f"block {block.number} has {len(codes)} rows and {len(labels)} labels; give labels in the same blocks"
        )
    known = codes >= 0
    groups = np.where(labels < 0, n_groups - 1, labels)
    counts = np.bincount(codes[known] * n_groups + groups[known], minlength=len(names) * n_groups)
    return dict(zip(names, counts.reshape(-1, n_groups).astype(np.int64), strict=True))


def _more_classes(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    both: dict[str, Any] = {name: a.get(name, 0) + b.get(name, 0) for name in {**a, **b}}
    return dict(list(both.items())[: MOST_CLASSES + 1])  # more are refused, whichever they are


@says("drawing rows")
def _picked(block: Block, names: np.ndarray, at: np.ndarray, edges: np.ndarray) -> tuple | None:
    first, end = np.searchsorted(at, edges[block.number : block.number + 2])
    if first == end:
        return None
    codes = codes_of(block, names)
    local = np.flatnonzero(codes >= 0)[at[first:end] - edges[block.number]]
    return to_numpy(block.rows[local]), codes[local]


@says("fetching rows")
def _rows_there(block: Block, numbers: np.ndarray, lengths: np.ndarray) -> np.ndarray | None:
    first, end = np.searchsorted(numbers, [block.start, block.start + lengths[block.number]])
    return None if first == end else to_numpy(block.rows[numbers[first:end] - block.start])
