"""Dividing a cluster that is too large: cuts across its long axis, each a question that a new row can be asked too."""

from typing import NamedTuple

import numpy as np

__all__ = ["Cuts", "divide", "part_of"]

_STEPS = 40


class Cuts(NamedTuple):
    """A binary tree of cuts; node 0 is the root, a part is a negative child: ~part."""

    directions: np.ndarray  # (m, d) float64
    ends: np.ndarray  # (m,) float64: rows whose projection is at most this go to the first child
    children: np.ndarray  # (m, 2) int64


def divide(X: np.ndarray, least: int, most: int) -> tuple[Cuts, np.ndarray]:
    """Divide rows into as few parts of ``least`` to ``most`` rows as possible, narrow ones by preference.

    Parameters
    ----------
    X : (n, d) float64 array
        More than ``most`` rows.
    least, most : int
        ``most`` is at least ``2 least - 1``, so that rows that all differ can be divided.

    Returns
    -------
    cuts : Cuts
    parts : (n,) int64 array
        Part of each row. Equal rows are never divided, so a part may remain too large.
    """
    directions: list[np.ndarray] = []
    ends: list[float] = []
    children: list[list[int]] = []
    parts = np.zeros(len(X), np.int64)
    waiting: list[tuple[np.ndarray, tuple[int, int] | None]] = [(np.arange(len(X)), None)]
    n_parts = 0
    while waiting:
        rows, parent = waiting.pop(0)
        cut = _cut(X[rows], least, most) if len(rows) > most else None
        here = ~n_parts if cut is None else len(ends)
        if parent is not None:
            children[parent[0]][parent[1]] = here
        if cut is None:
            parts[rows] = n_parts
            n_parts += 1
            continue
        direction, end = cut
        first = projection(X[rows], direction) <= end
        directions.append(direction)
        ends.append(end)
        children.append([0, 0])
        waiting += [(rows[first], (here, 0)), (rows[~first], (here, 1))]
    shape = (len(ends), X.shape[1])
    cuts = Cuts(np.array(directions).reshape(shape), np.array(ends), np.array(children, np.int64).reshape(-1, 2))
    return cuts, parts


def part_of(X: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Return the part of each row."""
    node = np.zeros(len(X), np.int64) if len(cuts.ends) else np.full(len(X), -1)
    for m in range(len(cuts.ends)):  # parents come before their children
        rows = np.flatnonzero(node == m)
        beyond = projection(X[rows], cuts.directions[m]) > cuts.ends[m]
        node[rows] = cuts.children[m, beyond.astype(np.int64)]
    return ~node


def projection(X: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Project rows feature by feature: the same bits for a row alone and among others."""
    total = np.zeros(len(X))
    for column, weight in zip(X.T, direction, strict=True):
        total += weight * column
    return total


def _cut(X: np.ndarray, least: int, most: int) -> tuple[np.ndarray, float] | None:
    """Return the cut across the long axis, of those that leave as few parts as possible, that leaves the narrowest two."""
    direction = _long_axis(X)
    values = np.sort(projection(X, direction))
    n = len(values)
    left = np.arange(1, n)
    between = values[1:] > values[:-1]
    for allowed in (
        between & (-(-left // most) - (left - n) // most == -(-n // most)) & (left >= least) & (n - left >= least),
        between & (left >= least) & (n - left >= least),
    ):
        if allowed.any():
            break
    else:
        return None
    centred = values - values.mean()
    sums, squares = np.cumsum(centred)[:-1], np.cumsum(centred**2)
    # Sum of squares within both sides; the total is the same for all.
    within = squares[-1] - sums**2 / left - sums**2 / (n - left)
    best = int(np.argmin(np.where(allowed, within, np.inf)))
    return direction, float(values[best])


def _long_axis(X: np.ndarray) -> np.ndarray:
    """Return the direction in which the rows spread most, nearly: forty steps of the power method."""
    centred = X - X.mean(axis=0)
    direction = centred[int(np.argmax((centred**2).sum(axis=1)))]
    for _ in range(_STEPS):
        direction = centred.T @ (centred @ direction)
        length = np.sqrt(direction @ direction)
        if not length > 0:
            return np.eye(X.shape[1])[0]
        direction = direction / length
    return direction
