"""A tree of divisions: the group that is worth most is divided in two again and again, until there are enough groups.

The estimators differ in how they divide a group (`bisecting_kmeans`, `pddp`); this file grows the tree, keeps it, and follows new
rows down it. Groups that will probably be divided are divided together, before it is their turn: that changes nothing, since a
division depends on its group alone, and saves passes where groups are many and small.
"""

import heapq
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning

from ..arrays import like_input, to_numpy
from ..base import Clusterer
from ..errors import InputError
from ..primitives.conditioning import condition
from ..primitives.divide import descend, divide_apply, divide_labels, divide_start, divide_step
from ..primitives.row_keys import row_order

__all__ = ["Dividing", "Division", "DivisionTree", "Groups"]


class DivisionTree(NamedTuple):
    """A tree of divisions as flat arrays, one item for each node; node 0 holds all rows.

    Nodes are numbered in the order in which they came about, so the children of a node have greater numbers than it has.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import BisectingKMeans
    >>> tree = BisectingKMeans(3, random_state=0).fit(np.array([[0.0], [1.0], [9.0], [30.0]])).tree_
    >>> tree.size.tolist()[0], sorted(tree.label.tolist())
    (4, [-1, -1, 0, 1, 2])
    """

    left: Any  # (nodes,) int64: child on the left, -1 at a leaf
    right: Any  # (nodes,) int64: child on the right, -1 at a leaf
    label: Any  # (nodes,) int64: cluster of a leaf, -1 at a division
    size: Any  # (nodes,) int64: number of rows
    inertia: Any  # (nodes,) float64: weighted sum of squared distances to the mean

    def linkage(self) -> np.ndarray:
        """Return the divisions, the last first, as merges of clusters in SciPy's layout.

        Returns
        -------
        (n_clusters - 1, 4) float64 array
            Two clusters, the inertia of their union, and of how many clusters it is made: ``scipy.cluster.hierarchy.dendrogram``
            draws it. The original observations are the clusters 0 ... n_clusters - 1, not the rows.
        """
        divisions = np.flatnonzero(self.left >= 0)[np.argsort(-self.left[self.left >= 0])]
        name = self.label.copy()
        name[divisions] = len(divisions) + 1 + np.arange(len(divisions))
        height = np.maximum.accumulate(self.inertia[divisions])
        made_of = np.ones(len(self.left), np.int64)
        for node in divisions:
            made_of[node] = made_of[self.left[node]] + made_of[self.right[node]]
        pairs = np.sort(np.column_stack([name[self.left[divisions]], name[self.right[divisions]]]), axis=1)
        return np.column_stack([pairs, height, made_of[divisions]]).astype(np.float64)


class Groups(NamedTuple):
    """What is known of g groups that are to be divided."""

    numbers: np.ndarray  # (g,) int64: nodes of the tree
    spans: np.ndarray  # (g, 3) int64: see coterie.primitives.divide
    means: np.ndarray  # (g, d) float64
    farthest: np.ndarray  # (g, d) float64: the row farthest from the mean


class Division(NamedTuple):
    """How g groups are divided; the state of `coterie.primitives.divide` remembers the sides of these very hyperplanes."""

    normals: np.ndarray  # (g, d) float64
    offsets: np.ndarray  # (g,) float64
    centers: np.ndarray  # (g, 2, d) float64: means of the parts
    weights: np.ndarray  # (g, 2) float64
    counts: np.ndarray  # (g, 2) int64
    n_iter: int = 1


@dataclass
class _Node:
    span: tuple[int, int, int]
    mean: np.ndarray
    inertia: float
    farthest: np.ndarray
    left: int = -1
    right: int = -1
    # Filled when the group is divided, which may be before its turn; empty where it cannot be.
    parts: tuple["_Node", ...] | None = None
    normal: np.ndarray | None = None
    offset: float = 0.0

    @property
    def size(self) -> int:
        return self.span[1] - self.span[0]


class Dividing(Clusterer):
    """Base of the estimators that divide groups in two; each says how in ``_divide``."""

    _state_attributes: ClassVar = ("_shift", "_scale", "_normals", "_offsets")

    n_clusters: int
    bisecting_strategy: str
    labels_: Any

    def fit(self, X, y=None, sample_weight=None):
        """Find the clusters and their tree.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor
        y : ignored
        sample_weight : (n,) array, optional
            Weight of each row, not negative; a whole weight counts as that many equal rows, but in samples of large groups.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there are fewer rows than clusters, a value is not finite, or a weight is negative.
        """
        self._validate_params()
        rows = self._gate_in(X, reset=True, accept_sparse=True)
        n = rows.shape[0]
        if n < self.n_clusters:
            raise InputError(f"n_samples={n} should be >= n_clusters={self.n_clusters}; lower n_clusters or add rows")
        weight = self._check_weights(sample_weight, n)
        if weight is not None and (weight.min() < 0 or not weight.any()):
            raise InputError("sample_weight must not be negative, nor zero for every row")
        single = "float32" in str(rows.dtype)
        rows = self._prepare(rows, fitting=True)
        # Of rows with equal keys it does not matter which comes first: they are equal, but for rounding.
        state = divide_start(rows, row_order(rows), weight)
        root, total_weight = _root(state, n, rows.shape[1])
        divide = self._divide(state, root.inertia / (total_weight * rows.shape[1]))
        nodes = _grow(state, root, self.n_clusters, self.bisecting_strategy == "biggest_inertia", divide)
        self._keep(state, nodes, np.float32 if single else np.float64, X)
        return self

    def predict(self, X):
        """Follow each row down the tree, at each division to the side where it lies; on the border, left.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor

        Returns
        -------
        (n,) int64 array
        """
        rows = self._prepare(self._gate_in(X, reset=False, accept_sparse=True))
        leaves = descend(rows, self.tree_.left, self.tree_.right, self._normals, self._offsets)
        return like_input(self.tree_.label[to_numpy(leaves)], X)

    def _divide(self, state: Any, variance: float) -> Callable[[Groups], Division]:
        """Return the function that divides groups; ``variance`` is the mean over the features."""
        raise NotImplementedError

    def _prepare(self, rows, fitting=False):
        """Return the rows in the coordinates of the computation, remembering them where ``fitting``."""
        if scipy.sparse.issparse(rows):
            if fitting:
                scale = condition(rows.data[:, None], np.zeros(1), None).scale if rows.nnz else 1.0
                self._shift, self._scale = np.zeros(rows.shape[1]), scale
            return rows / rows.dtype.type(self._scale)
        known = (None, None) if fitting else (self._shift, self._scale)
        conditioned, self._shift, self._scale = condition(rows, *known)
        return conditioned

    def _keep(self, state, nodes, dtype, X):
        leaves = _from_left_to_right(nodes)
        labels = divide_labels(state, np.array([nodes[number].span for number in leaves]), np.arange(len(leaves)))
        means = np.array([nodes[number].mean for number in leaves])
        label = np.full(len(nodes), -1)
        label[leaves] = np.arange(len(leaves))
        children = np.array([(node.left, node.right) for node in nodes])
        inertia = np.array([node.inertia for node in nodes])
        self._normals = np.array([np.zeros_like(node.mean) if node.left < 0 else node.normal for node in nodes])
        self._offsets = np.array([node.offset for node in nodes])
        self.inertia_ = float(inertia[leaves].sum()) * self._scale * self._scale
        with np.errstate(over="ignore"):
            inertia = inertia * self._scale * self._scale
        sizes = np.array([node.size for node in nodes])
        self.tree_ = DivisionTree(children[:, 0].copy(), children[:, 1].copy(), label, sizes, inertia)
        self.cluster_centers_ = like_input((means * self._scale + self._shift).astype(dtype), X)
        self.labels_ = like_input(labels, X)
        if len(leaves) < self.n_clusters:
            warnings.warn(
                f"{len(leaves)} of n_clusters={self.n_clusters} clusters were found: the rows of each are equal; lower n_clusters",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _restore(self, state):
        tree = state["tree_"]
        nodes = np.arange(len(tree.left))
        divided = tree.left >= 0
        good = (
            len(nodes) > 0
            and ((tree.left > nodes) & (tree.right > nodes))[divided].all()
            and (tree.right[~divided] < 0).all()
            and max(tree.left.max(), tree.right.max()) < len(nodes)
            and (tree.label[~divided] >= 0).all()
            and tree.label.max() < len(state["cluster_centers_"])
        )
        if not good:
            raise ValueError("its tree is not a tree")
        return super()._restore(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _root(state, n, d):
    """Return the node of all rows and their weight."""
    span = np.array([[0, n, 0]])
    all_rows = divide_step(state, span, np.zeros((1, d)), np.zeros(1))
    mean = all_rows.sums[0, 0] / all_rows.weights[0, 0]
    parts = divide_apply(state, span, np.stack([mean, mean])[None], move=False)
    return _Node((0, n, 0), mean, float(parts.inertia[0, 0]), parts.farthest[0, 0]), float(all_rows.weights[0, 0])


def _grow(state, root, n_clusters, by_inertia, divide):
    """Divide the group of most inertia, or of most rows, until there are enough; ties: the older group."""

    def entry(number):
        return (-nodes[number].inertia if by_inertia else -nodes[number].size, number)

    nodes, n_leaves = [root], 1
    waiting = [entry(0)]
    while waiting and n_leaves < n_clusters:
        node = nodes[waiting[0][1]]
        if node.inertia > 0 and node.parts is None:
            likely = heapq.nsmallest((n_clusters - n_leaves + 1) // 2, waiting)
            numbers = [number for _, number in likely if nodes[number].parts is None and nodes[number].inertia > 0]
            _divide_all(state, nodes, numbers, divide)
        heapq.heappop(waiting)
        if node.inertia > 0 and node.parts:
            node.left, node.right = len(nodes), len(nodes) + 1
            nodes += node.parts
            n_leaves += 1
            for number in (node.left, node.right):
                heapq.heappush(waiting, entry(number))
    return nodes


def _from_left_to_right(nodes):
    """Return the numbers of the leaves as they lie in the tree."""
    leaves, waiting = [], [0]
    while waiting:
        number = waiting.pop()
        if nodes[number].left < 0:
            leaves.append(number)
        else:
            waiting += [nodes[number].right, nodes[number].left]
    return leaves


def _divide_all(state, nodes, numbers, divide):
    """Divide some groups, and reorder their rows."""
    chosen = [nodes[number] for number in numbers]
    spans = np.array([node.span for node in chosen])
    found = divide(
        Groups(
            np.array(numbers),
            spans,
            np.array([node.mean for node in chosen]),
            np.array([node.farthest for node in chosen]),
        )
    )
    divided = np.flatnonzero((found.weights > 0).all(axis=1))
    for node in chosen:
        node.parts = ()
    if len(divided) == 0:
        return
    parts = divide_apply(state, spans[divided], found.centers[divided])
    for j, inertia, farthest in zip(divided, *parts, strict=True):
        node, (start, end, side) = chosen[j], spans[j].tolist()
        middle = start + int(found.counts[j, 0])
        node.span = (start, end, 1 - side)
        node.normal, node.offset = found.normals[j], float(found.offsets[j])
        node.parts = tuple(
            _Node(span, found.centers[j, c], float(inertia[c]), farthest[c])
            for c, span in enumerate([(start, middle, 1 - side), (middle, end, 1 - side)])
        )
