"""Which cells of a grid touch, directly or by others: components of cells with a common face, or with a common corner."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ..arrays import like_input, to_numpy
from ..errors import ResourceError
from .components import number_sets
from .engine import engine_of

__all__ = ["Offsets", "cell_components", "nearest_neighbor"]

_MOST_KEY = 2**62
_MOST_CORNERS = 3**8  # more neighbours: cells are compared with each other
_MOST_PAIRED = 50_000


class Offsets(NamedTuple):
    """Cells by ascending key, and the steps to their neighbours: a neighbour's key differs by a fixed number."""

    keys: np.ndarray  # (c,) int64 ascending, below 2^62
    order: np.ndarray  # (c,) int64: cell of each key
    vectors: np.ndarray  # (s, a) int64: steps, one of each pair of opposite ones
    deltas: np.ndarray  # (s,) int64, above 0: what each step adds to the key


def cell_components(coords: Any, *, full: bool = False) -> Any:
    """Name the component of each cell.

    Parameters
    ----------
    coords : (c, a) int array
        Distinct cells by their coordinates, of any engine.
    full : bool, default=False
        Cells that share a corner touch; by default only those that share a face.

    Returns
    -------
    (c,) int64 array
        Numbered from 0 by the first cell of each component.

    Raises
    ------
    ResourceError
        If more than 50,000 cells of more than 8 axes shall touch by corners.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.grid_components import cell_components
    >>> cells = np.array([[0, 0], [1, 1], [1, 2], [7, 7]])
    >>> cell_components(cells), cell_components(cells, full=True)
    (array([0, 1, 1, 2]), array([0, 0, 0, 1]))
    """
    host = to_numpy(coords)
    if len(host) == 0:
        return like_input(np.empty(0, np.int64), coords)
    engine = engine_of(coords, "grid_components")
    if full and 3 ** host.shape[1] > _MOST_CORNERS:
        if len(host) > _MOST_PAIRED:
            raise ResourceError(
                f"{len(host)} cells of {host.shape[1]} axes would be compared in pairs to find common corners; "
                "use connectivity='face', fewer axes or fewer cells"
            )
        sets = engine.join_pairs(coords)
    else:
        sets = engine.join_offsets(coords, _offsets(host.astype(np.int64), full))
    return number_sets(sets)


def nearest_neighbor(queries: np.ndarray, coords: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each query cell the heaviest of the given cells that touch it by a corner.

    Parameters
    ----------
    queries : (q, a) int array
    coords : (c, a) int array
        Distinct cells in row-major order.
    weights : (c,) float array

    Returns
    -------
    (q,) int64 array
        Place in ``coords``; the lowest of equal weight, -1 where none touches. With more than 8 axes, common faces count only.
    """
    n_axes = coords.shape[1]
    best = np.full(len(queries), -1)
    if not len(queries) or not len(coords):
        return best
    both = _offsets(np.concatenate([coords, queries]).astype(np.int64), 3**n_axes <= _MOST_CORNERS)
    keys = np.empty(len(both.keys), np.int64)
    keys[both.order] = both.keys
    order = np.argsort(keys[: len(coords)], kind="stable")
    known, asked = keys[order], keys[len(coords) :]
    for vector, delta in zip(both.vectors, both.deltas, strict=True):
        for sign in (-1, 1):
            at = np.minimum(np.searchsorted(known, asked + sign * delta), len(known) - 1)
            found = order[at]
            touch = (known[at] == asked + sign * delta) & (coords[found] - queries == sign * vector).all(axis=1)
            heavier = weights[found] > np.where(best >= 0, weights[best], -np.inf)
            equal = (weights[found] == weights[best]) & (found < best)
            best = np.where(touch & (heavier | equal), found, best)
    return best


def _offsets(coords: np.ndarray, full: bool) -> Offsets:
    """Number cells so that a step adds the same number everywhere; the row-major number where it is small enough."""
    n_axes = coords.shape[1]
    extents = [int(extent) + 3 for extent in coords.max(axis=0)]  # a step never leads into another line of cells
    strides = np.array([int(np.prod(extents[axis + 1 :], dtype=object)) for axis in range(n_axes)], dtype=object)
    if strides[0] * extents[0] >= _MOST_KEY:
        # Numbers at random: that two cells share one is unlikely, seen, and then others are drawn.
        most = _MOST_KEY // (n_axes * max(extents))
        for seed in range(64):
            strides = np.random.default_rng(seed).integers(1, most, n_axes)
            keys = np.unique((coords * strides).sum(axis=1))
            if len(keys) == len(coords):
                break
    strides = strides.astype(np.int64)
    keys = coords @ strides
    order = np.argsort(keys, kind="stable")
    if full:
        vectors = np.array(list(product((-1, 0, 1), repeat=n_axes)), np.int64)
    else:
        vectors = np.concatenate([np.eye(n_axes, dtype=np.int64), -np.eye(n_axes, dtype=np.int64)])
    deltas = (vectors * strides).sum(axis=1)
    return Offsets(keys[order], order, vectors[deltas > 0], deltas[deltas > 0])
