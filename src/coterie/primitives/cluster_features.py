"""A tree of cluster features: many rows summed up as few small groups, in one pass and bounded memory.

The *feature* of a group is its weight, its mean and the sum of squared deviations from the mean. Two features add up exactly, and
nothing cancels wherever the data lie, as it does with the sums of squares of the original paper. Inserting is sequential by
nature: it runs on the host for every engine.
"""

import itertools
from typing import NamedTuple

import numpy as np

from ..errors import ResourceError
from ._numba.blocks import run_kernel
from ._numba.cftree import insert, least_radii
from ._numba.tile import lanes_of
from .memory import free_bytes

__all__ = ["CFTree", "ClusterFeatures"]

_NUMBERS_A_CALL = 1 << 17  # rows times features: about 0.1 s at most, so that Ctrl-C is heard
_SPARE_NODES = 64  # insert wants so many free
_WANTED = 0.7  # of the most groups: what a rebuild leaves at most
_LEAST_STEP = 1.1  # by which the threshold rises at least
_LEAST, _ATTEMPTS = (
    0.2,
    10,
)  # below this share a lower threshold is tried, so many times: in many dimensions groups merge all at once


class ClusterFeatures(NamedTuple):
    """Groups of rows; ``first`` is the number of the first row of each, by which they are ordered."""

    weights: np.ndarray  # (m,) float64
    means: np.ndarray  # (m, d) float64
    spreads: np.ndarray  # (m,) float64: weighted sums of squared deviations
    firsts: np.ndarray  # (m,) int64


class CFTree:
    """A height-balanced tree whose leaves hold the features of small groups.

    Parameters
    ----------
    n_features : int
    threshold : float
        The largest radius of a group, the root of its mean squared deviation.
    branching_factor : int
        Most entries of a node, at least 2.
    max_groups : int
        Whenever there are more groups than this the threshold is raised, and the tree built anew from its groups.

    Raises
    ------
    ResourceError
        If so many groups would not fit into memory.

    Notes
    -----
    A row goes down the tree to the nearest mean of each node. There it joins the group if its radius stays within the threshold, or
    else begins a new one. A node that is too full is split around the two entries that are farthest apart. The new threshold is the
    median over the groups of the least radius of a union with another one of the same leaf, so that about half of them find a
    partner. Memory: 8 (d + 4) bytes for each place of a node; places are half used or better, as a rule.

    References
    ----------
    Zhang, Ramakrishnan, Livny (1996). BIRCH: an efficient data clustering method for very large databases. SIGMOD.
    doi:10.1145/233269.233324
    Lang, Schubert (2022). BETULA: Fast clustering of large data with improved BIRCH CF-trees. Information Systems 108.
    doi:10.1016/j.is.2021.101918

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.cluster_features import CFTree
    >>> tree = CFTree(1, threshold=1.0, branching_factor=4, max_groups=100)
    >>> tree.insert(np.array([[0.0], [1.0], [9.0]]))
    >>> tree.features().weights, tree.features().means.ravel()
    (array([2., 1.]), array([0.5, 9. ]))
    """

    def __init__(self, n_features: int, threshold: float, branching_factor: int, max_groups: int) -> None:
        self.threshold = float(threshold)
        self.n_rows = 0
        self._n_features, self._branching, self._most = n_features, int(branching_factor), int(max_groups)
        self._nodes: tuple[np.ndarray, ...]
        self._state: np.ndarray  # root, number of nodes, number of leaf entries
        self._require_memory()
        self._clear()

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return int(self._state[2])

    def insert(self, rows: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Add rows, one after another.

        Parameters
        ----------
        rows : (n, d) float64 array
            Differences of any two must be finite.
        sample_weight : (n,) float64 array, optional
            Rows of weight 0 are left out.
        """
        weights = np.ones(len(rows)) if sample_weight is None else sample_weight
        self._insert(rows, weights, np.zeros(1), np.array([self.n_rows]))
        self.n_rows += len(rows)

    def insert_features(self, features: ClusterFeatures) -> None:
        """Add groups, such as those of another tree; their rows count as coming after those that are here."""
        self._insert_groups(features, features.firsts + self.n_rows)
        self.n_rows += int(features.firsts.max(initial=-1)) + 1

    def features(self) -> ClusterFeatures:
        """Return the groups in the order of their first rows."""
        found = self._gathered()
        order = np.argsort(found.firsts, kind="stable")
        return ClusterFeatures(*(values[order] for values in found))

    def _insert(self, points, weights, spreads, firsts):
        at = 0
        while at < len(points):
            end = min(len(points), at + max(64, _NUMBERS_A_CALL // self._n_features))
            at = run_kernel(
                insert, at, end, points, weights, spreads, firsts, self.threshold * self.threshold, self._branching, self._most,
                *self._nodes, self._state,
            )  # fmt: skip
            self._make_room()
            if self.n_groups > self._most:
                self._rebuild()

    def _make_room(self):
        """Double the space for nodes where there is not enough for the next split."""
        capacity = len(self._nodes[0])
        if self._state[1] + _SPARE_NODES <= capacity:
            return
        empty = self._empty(capacity)
        self._nodes = tuple(np.concatenate([old, new]) for old, new in zip(self._nodes, empty, strict=True))

    def _rebuild(self):
        """Raise the threshold until there are few enough groups again, but no further than needed."""
        groups, most = self._gathered(), self._most
        self._most = len(groups.weights)  # not again while this goes on
        low, high = self.threshold, np.inf
        for attempt in itertools.count():
            if np.isinf(high):
                self.threshold = min(max(self._median_radius(), low * _LEAST_STEP), np.finfo(np.float64).max)
            elif attempt < _ATTEMPTS:
                self.threshold = low + (high - low) / 2
            else:
                self.threshold = high
            self._clear()
            self._insert_groups(groups, groups.firsts)
            if self.n_groups > _WANTED * most:
                low = self.threshold
            elif self.n_groups < _LEAST * most and attempt < _ATTEMPTS:
                high = self.threshold
            else:
                break
        self._most = most

    def _median_radius(self):
        """Return the radius within which half of the groups would have a partner."""
        means, weights, spreads, _, _, size, is_leaf = self._nodes
        radii2 = np.empty(self.n_groups)
        run_kernel(least_radii, means, weights, spreads, size, is_leaf, self._state, radii2)
        finite = radii2[np.isfinite(radii2)]
        return float(np.sqrt(np.median(finite))) if len(finite) else 0.0

    def _insert_groups(self, groups, firsts):
        # One group more of no weight, so that a single one is not taken for a row.
        self._insert(
            np.concatenate([groups.means, groups.means[:1]]), np.append(groups.weights, 0.0), np.append(groups.spreads, 0.0),
            np.append(firsts, 0),
        )  # fmt: skip

    def _gathered(self):
        """Return the groups leaf by leaf, neighbouring leaves one after another."""
        means, weights, spreads, firsts, child, size, is_leaf = self._nodes
        leaves, waiting = [], [int(self._state[0])]
        while waiting:
            node = waiting.pop()
            if is_leaf[node]:
                leaves.append(node)
            else:
                waiting.extend(child[node, : size[node]].tolist())
        at = np.repeat(leaves, size[leaves]), np.concatenate([np.arange(size[leaf]) for leaf in leaves])
        return ClusterFeatures(weights[at], means[at[0], :, at[1]], spreads[at], firsts[at])

    def _require_memory(self):
        """Refuse a tree whose places, half of them used, would not fit when it is full, and once more while it is rebuilt."""
        needed = 4.0 * min(self._most, 2**40) * 8 * (self._n_features + 4)
        free = free_bytes()
        if needed > free:
            raise ResourceError(
                f"a tree of {self._most} groups of {self._n_features} features may need {needed / 2**30:.1f} GB and"
                f" {free / 2**30:.1f} GB are free; lower max_subclusters, or reduce the number of columns"
            )

    def _clear(self):
        self._nodes = self._empty(2 * _SPARE_NODES)
        self._nodes[6][0] = True
        self._state = np.array([0, 1, 0])

    def _empty(self, n_nodes):
        lanes = lanes_of(np.dtype(np.float64))
        width = -(-(self._branching + 1) // lanes) * lanes
        return (
            np.full((n_nodes, self._n_features, width), np.inf), np.zeros((n_nodes, width)), np.zeros((n_nodes, width)),
            np.zeros((n_nodes, width), np.int64), np.full((n_nodes, width), -1, np.int32), np.zeros(n_nodes, np.int32),
            np.zeros(n_nodes, bool),
        )  # fmt: skip
