"""Distances to medoids on the CPU, and what exchanging one would bring: no distance is stored that can be computed as fast.

Rows lie in the order of a k-d tree, 32 to a panel, and each panel has a box. A candidate for a medoid matters only to rows
nearer to it than to their second medoid; panels whose box is too far are passed over, and in the others one comparison of
vectors finds the few rows that count. Each candidate is computed alone, in one order of rows, so neither the threads nor the other
candidates change a bit of its result.
"""

from dataclasses import dataclass, field

import numpy as np

from . import medoids_steps as steps
from .blocks import block_count, run_blocks
from .tile import GROUP

__all__ = [
    "MedoidSearch",
    "add_medoid",
    "clear_medoids",
    "distance_sums",
    "distances_between",
    "gains",
    "matrix_search",
    "medoid_search",
    "nearest_of",
    "replace_medoid",
    "swap_changes",
]

_BLOCK_PAIRS = 1 << 22  # distances in a block: a few milliseconds
_CANDIDATES = 1 << 16  # summed up together
_FEW = 1 << 20  # differences that are soon taken without a kernel
_ORDERED_FEATURES = 8
_BLOCK_BYTES = 1 << 25


@dataclass
class MedoidSearch:
    """Rows or a matrix of distances, and the two nearest medoids of every row; places are rows in the engine's own order."""

    n: int
    rows: np.ndarray  # (n, d) in the engine's order
    panels: np.ndarray  # (p, d, 32)
    low: np.ndarray  # (s, d, 32) lower corners of the panels' boxes
    high: np.ndarray  # (s, d, 32)
    matrix: np.ndarray  # (n, n), or next to nothing where distances are computed from the rows
    stored: bool  # whether they are taken from the matrix
    order: np.ndarray  # (n,) row at each place
    places: np.ndarray  # (n,) place of each row
    weight: np.ndarray  # (32 p,) float64; 0 where there is no row
    absolute: bool
    rooted: bool
    medoids: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))  # (k,) places
    labels: np.ndarray = field(init=False)  # (2, 32 p) int32: slot of the nearest medoid and of the second
    shared: np.ndarray = field(init=False)  # (p,) int32: nearest medoid of all rows of a panel, -1 where they differ
    compared: np.ndarray = field(init=False)  # (2, 32 p) distances to them, as compared; -1 where there is no row
    lengths: np.ndarray = field(init=False)  # (2, 32 p) float64 distances to them
    reach: np.ndarray = field(init=False)  # (2, s, 32) largest compared distance in each panel
    removal: np.ndarray = field(init=False)  # (k,) what losing each medoid would cost
    loss: float = field(init=False)  # weighted sum of the distances to the nearest medoid

    def __post_init__(self):
        clear_medoids(self)

    @property
    def kind(self):
        """Return what the kernels need to compute distances."""
        return self.rows, self.panels, self.matrix, self.stored, self.absolute, self.rooted

    @property
    def medoid_rows(self):
        """Return the (k,) rows that are the medoids."""
        return self.order[self.medoids]


def clear_medoids(search):
    """See `coterie.primitives.medoids.clear_medoids`."""
    wide, dtype = len(search.weight), search.rows.dtype
    search.medoids = np.empty(0, np.int64)
    search.labels = np.full((2, wide), -1, np.int32)
    search.shared = np.full(wide // GROUP, -1, np.int32)
    search.compared = np.full((2, wide), np.inf, dtype)
    search.compared[:, search.n :] = -1
    search.lengths = np.zeros((2, wide))
    search.lengths[:, : search.n] = np.inf
    search.reach = np.full((2, -(-wide // GROUP**2), GROUP), -1, dtype)
    search.reach.reshape(2, -1)[:, : wide // GROUP] = np.inf
    search.removal, search.loss = np.empty(0), np.inf


def medoid_search(X, measure, weight, stored):
    """See `coterie.primitives.medoids.medoid_search`."""
    n, d = X.shape
    order = _tree_order(X)
    places = np.empty(n, np.int64)
    places[order] = np.arange(n)
    rows = X[order]
    panels = _panels(rows)
    n_groups = -(-len(panels) // GROUP)
    low, high = np.full((n_groups * GROUP, d), np.inf, X.dtype), np.full((n_groups * GROUP, d), -np.inf, X.dtype)
    low[: len(panels)], high[: len(panels)] = panels.min(2), panels.max(2)
    low, high = (np.ascontiguousarray(side.reshape(n_groups, GROUP, d).transpose(0, 2, 1)) for side in (low, high))
    heavy = np.zeros(len(panels) * GROUP)
    heavy[:n] = 1.0 if weight is None else weight[order]
    # The matrix is in the same order, so that sums have the same bits whether or not it is stored.
    matrix = distances_between(rows, rows, measure) if stored else np.empty((1, GROUP), X.dtype)
    absolute, rooted = measure == "manhattan", measure == "euclidean" and not stored
    return MedoidSearch(n, rows, panels, low, high, matrix, stored, order, places, heavy, absolute, rooted)


def matrix_search(matrix, weight):
    """See `coterie.primitives.medoids.matrix_search`."""
    n = len(matrix)
    heavy = np.zeros(-(-n // GROUP) * GROUP)
    heavy[:n] = 1.0 if weight is None else weight
    rows, side = np.empty((1, 1), matrix.dtype), np.empty((1, 1, GROUP), matrix.dtype)
    same = np.arange(n)
    return MedoidSearch(n, rows, side, side, side, matrix, True, same, same, heavy, False, False)


def distance_sums(search, candidates):
    """See `coterie.primitives.medoids.distance_sums`."""
    return _gains(search, search.places[candidates], True)


def gains(search, candidates):
    """See `coterie.primitives.medoids.gains`."""
    return _gains(search, search.places[candidates], False)


def add_medoid(search, row):
    """See `coterie.primitives.medoids.add_medoid`."""
    search.medoids = np.append(search.medoids, search.places[row])
    _settle(search, len(search.medoids) - 1)


def replace_medoid(search, slot, row):
    """See `coterie.primitives.medoids.replace_medoid`."""
    search.medoids[slot] = search.places[row]
    _settle(search, slot)


def swap_changes(search, candidates):
    """See `coterie.primitives.medoids.swap_changes`."""
    m = len(candidates)
    changes = np.empty((m, len(search.medoids) + 1))
    per_block = _candidates_per_block(search)
    run_blocks(
        steps.swap_changes, -(-m // per_block), per_block, search.places[candidates], *search.kind, search.low, search.high,
        search.reach[1], search.compared[1], search.labels[0], search.shared, search.lengths, search.weight,
        search.removal, changes,
    )  # fmt: skip
    return changes[:, :-1]


def distances_between(X, Y, measure):
    """See `coterie.primitives.medoids.distances_between`."""
    Y = np.asarray(Y, X.dtype)
    if X.size * len(Y) <= _FEW:
        return _few_distances(X, Y, measure)
    out = np.empty((len(X), len(Y)), X.dtype)
    n_blocks = block_count(len(X) * max(1, len(Y)), 1 << 20, 1024)
    panels = _panels(Y)
    run_blocks(steps.distances, n_blocks, n_blocks, X, panels, measure == "manhattan", measure == "euclidean", out)
    return out


def nearest_of(X, centers, measure):
    """See `coterie.primitives.medoids.nearest_of`."""
    labels, nearest = np.empty(len(X), np.int64), np.empty(len(X), X.dtype)
    step = max(1, _BLOCK_BYTES // (X.itemsize * len(centers)))
    for start in range(0, len(X), step):
        # Compared before the root is taken, which makes some of them equal.
        part_of = slice(start, start + step)
        tile = distances_between(X[part_of], centers, "sqeuclidean" if measure == "euclidean" else measure)
        labels[part_of] = tile.argmin(1)
        nearest[part_of] = tile[np.arange(len(tile)), labels[part_of]]
    return labels, np.sqrt(nearest) if measure == "euclidean" else nearest


def _few_distances(X, Y, measure):
    """Return the distances with the bits of the kernel, without compiling it."""
    total = np.zeros((len(X), len(Y)), X.dtype)
    for mine, theirs in zip(X.T, Y.T, strict=True):
        gap = mine[:, None] - theirs
        total += np.abs(gap) if measure == "manhattan" else gap * gap
    return np.sqrt(total) if measure == "euclidean" else total


def _gains(search, candidates, whole):
    out = np.empty(len(candidates))
    per_block = _candidates_per_block(search)
    for start in range(0, len(candidates), _CANDIDATES):
        some = candidates[start : start + _CANDIDATES]
        totals = np.zeros((len(some), GROUP))
        run_blocks(
            steps.sum_gains, -(-len(some) // per_block), per_block, some, *search.kind, search.low, search.high,
            search.reach[0], search.compared[0], search.lengths[0], search.weight, whole, totals,
        )  # fmt: skip
        out[start : start + len(some)] = totals.sum(1)
    return out


def _settle(search, slot):
    n_blocks = block_count(len(search.weight), 16384)
    sums = np.zeros((n_blocks, len(search.medoids) + 1))
    run_blocks(
        steps.replace, n_blocks, n_blocks, search.n, slot, search.medoids, *search.kind, search.weight, search.labels,
        search.shared, search.compared, search.lengths, search.reach.reshape(2, -1), sums,
    )  # fmt: skip
    total = sums.sum(0)
    search.removal, search.loss = total[:-1], float(total[-1])


def _candidates_per_block(search):
    return max(1, _BLOCK_PAIRS // (search.n * (1 + search.rows.shape[1] // 16)))


def _panels(rows):
    """Lay rows out in panels of 32; the last row fills what is left."""
    n, d = rows.shape
    n_panels = -(-n // GROUP)
    filled = np.concatenate([rows, np.repeat(rows[-1:], n_panels * GROUP - n, axis=0)])
    return np.ascontiguousarray(filled.reshape(n_panels, GROUP, d).transpose(0, 2, 1))


def _tree_order(X):
    """Return an order in which every 32 rows lie close together: halves of halves at the median of the widest side."""
    n = len(X)
    depth = max(0, int(n / GROUP - 1)).bit_length()
    width = -(-n // (1 << depth))
    spread = X.max(0).astype(np.float64) - X.min(0)
    # The widest features of all are enough to bring neighbours together.
    some = np.argsort(-spread, kind="stable")[:_ORDERED_FEATURES]
    padded = np.full((n + 1, len(some)), np.inf, X.dtype)
    padded[:n] = X[:, some]
    rows = np.full((1, width << depth), n)
    rows[0, :n] = np.arange(n)
    for _ in range(depth):
        values = padded[rows]
        high = np.where(np.isinf(values), -np.inf, values).max(1)
        widest = (high - values.min(1)).argmax(1)
        values = np.take_along_axis(values, widest[:, None, None], 2)[:, :, 0]
        half = rows.shape[1] // 2
        rows = np.take_along_axis(rows, np.argpartition(values, half, axis=1), 1).reshape(-1, half)
    rows = rows.ravel()
    return rows[rows < n]
