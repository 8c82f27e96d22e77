"""What the views share: short numbers, and which group most of some rows are in."""

from collections.abc import Iterable

import numpy as np

__all__ = ["main_groups", "own_count", "short"]


def short(values: Iterable[float]) -> list[float | None]:
    """Return numbers with four significant figures, infinities as None."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def main_groups(part: np.ndarray, n_parts: int, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Say which group most rows of each part are in.

    Parameters
    ----------
    part : (n,) int array
        Part of each row, below ``n_parts``.
    labels : (n,) int array
        Group of each row, -1 for none.

    Returns
    -------
    group : (n_parts,) int64 array
        The most frequent one, ties to the lowest; -1 where that is none, or the part has no rows.
    rows : (n_parts,) int64 array
        How many of the part's rows are in it.
    """
    width = int(labels.max(initial=-1)) + 2
    keys, counts = np.unique(part * width + labels + 1, return_counts=True)
    owner, name = keys // width, keys % width - 1
    order = np.lexsort((name, -counts, owner))
    first = order[np.unique(owner[order], return_index=True)[1]]
    group, rows = np.full(n_parts, -1, dtype=np.int64), np.zeros(n_parts, dtype=np.int64)
    group[owner[first]], rows[owner[first]] = name[first], counts[first]
    return group, rows


def own_count(labels: np.ndarray) -> int:
    """Return how many groups labels name."""
    return int(labels.max(initial=-1)) + 1
