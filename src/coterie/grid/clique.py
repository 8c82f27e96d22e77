"""CLIQUE: clusters in any of the subspaces of the features, each described in words.

Every feature is cut into ``n_intervals`` equal intervals. A *unit* is a cell of some of the features; it is *dense* when it
holds at least the share ``density_threshold`` of the rows. A part of a dense unit's features makes a unit that is dense too, so
dense units are found level by level: only units all of whose faces are dense are counted (apriori). A cluster is a set of dense
units of one subspace that are connected by common faces; one row may lie in many. After one pass that turns rows into numbers of
intervals, counting costs one AND for 64 rows and unit; the number of units can grow exponentially with the features of the
largest cluster, and is bounded.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from ..arrays import like_input, to_numpy
from ..base import Clusterer, Interval, lazily
from ..errors import InputError
from ..primitives.blocks import is_block_rows
from ..primitives.components import number_sets
from ..primitives.grid_cells import column_range
from ..primitives.intervals import interval_edges
from ._clique_cells import CellCounts, codes_of, finalize, merge, partial, varying
from ._clique_clusters import SubspaceCluster, UnitIndex, check_clusters, cluster_units, everything
from ._clique_rows import Blocks, first_cluster, numbered_clusters, passes_over
from ._clique_search import clique

__all__ = ["CLIQUE", "SubspaceCluster", "clique", "finalize", "merge", "partial"]

_FEW_ROWS = 100  # with fewer, one row may well be a hundredth of them


class CLIQUE(Clusterer):
    """Clusters in subspaces, described as intervals of the features.

    Parameters
    ----------
    n_intervals : int, default=10
        Into how many intervals of equal width each feature is cut (the paper's xi).
    density_threshold : float, default=0.01
        A unit is dense when it holds at least this share of the rows (the paper's tau).
    prune : bool, default=True
        At each level, drop the subspaces that cover few rows, by minimum description length. Faster and shorter, but a
        cluster that few other units accompany may be lost; ``False`` finds all. Without effect for ``full_space``.
    full_space : bool, default=False
        Find clusters of all features together only; any number of features.
    max_dim : int, optional
        Most features of a cluster; None: no limit.
    max_candidates : int, default=1_000_000
        Most units that one level may count; more are refused before memory is taken.
    box : (2, d) array, optional
        Lowest and highest value of the grid in each feature. By default those of the rows. Rows outside lie in no unit.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where rows are coded and counted. Tensors are computed on where they are.

    Attributes
    ----------
    clusters_ : tuple of SubspaceCluster
        Most features first, then most rows: ``dimensions`` (k,) numbers of the features; ``units`` (u, k) place of each unit;
        ``rows`` how many rows; ``description`` in the units of ``X``; ``boxes`` (b, k, 2) the
        same in numbers; ``label`` in ``labels_``, -1 where all its rows belong to clusters before it.
    labels_ : (n,) int64 array
        Each row's first cluster in ``clusters_``, that is the one of most features and, among these, of most rows; numbered by
        first appearance; -1 for rows in none. After `partial_fit`, of the rows of the last call.
    edges_ : (d, n_intervals + 1) float64 array
        Edges of the intervals of each feature; a feature that does not vary takes no part.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    DBSCAN : Dense groups of any shape in all features together.

    Notes
    -----
    ``predict`` looks the row's unit up: the first cluster with a label that holds it, else -1; on the rows of the fit that is
    ``labels_``. The order of rows and of features does not matter. Intervals are half open, the last closed. Time grows with
    the number of rows and with that of candidate units, which is exponential in the features of the largest cluster.

    References
    ----------
    Agrawal, R., Gehrke, J., Gunopulos, D., Raghavan, P. (1998). Automatic subspace clustering of high dimensional data for data
    mining applications. SIGMOD, 94-105. https://doi.org/10.1145/276304.276314

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import CLIQUE
    >>> X = np.array([[31.0, 5.0], [35.0, 2.0], [42.0, 9.0], [44.0, 0.0], [20.0, 3.0], [70.0, 10.0]])
    >>> model = CLIQUE(n_intervals=5, density_threshold=0.3, max_dim=1).fit(X)
    >>> model.clusters_[0].description, model.clusters_[0].rows
    ('30 <= x0 < 50', 4)
    >>> model.labels_
    array([0, 0, 0, 0, 1, 2])
    """

    _cells: CellCounts
    _kept: list | None

    _takes_blocks: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict] = {
        "n_intervals": [Interval(Integral, 1, 65534, closed="both")],
        "density_threshold": [Interval(Real, 0, 1, closed="right")],
        "prune": ["boolean"],
        "full_space": ["boolean"],
        "max_dim": [Interval(Integral, 1, None, closed="left"), None],
        "max_candidates": [Interval(Integral, 1, None, closed="left")],
        "box": ["array-like", None],
        "device": [str],
    }

    def __init__(
        self,
        n_intervals: int = 10,
        *,
        density_threshold: float = 0.01,
        prune: bool = True,
        full_space: bool = False,
        max_dim: int | None = None,
        max_candidates: int = 1_000_000,
        box: Any = None,
        device: str = "cpu",
    ) -> None:
        self.n_intervals = n_intervals
        self.density_threshold = density_threshold
        self.prune = prune
        self.full_space = full_space
        self.max_dim = max_dim
        self.max_candidates = max_candidates
        self.box = box
        self.device = device

    def fit(self, X: Any, y: Any = None) -> "CLIQUE":
        """Find the clusters.

        Parameters
        ----------
        X : (n, d) array, frame or tensor, Dask array or frame, or RowFiles, or a function
            Rows; not modified. Dask arrays and files are counted block by block where they lie, with the same result; ``labels_`` is
            then a Dask array that is computed when it is asked for. A function is called without arguments, once for the range, once for each level and once for the
            labels, and returns an iterator over blocks of rows: for files larger than memory. The result does not depend on the
            size of the blocks.
        y : ignored
            Present by convention.

        Returns
        -------
        CLIQUE
            This one.

        Raises
        ------
        ResourceError
            If a level has more than ``max_candidates`` units to count.
        """
        self._validate_params()
        if callable(X):
            return self._fit_blocks(X)
        rows = self._gate_in(X, reset=True)
        self._begin(*column_range(rows))
        codes = self._codes(rows)
        index = self._mine(passes_over(codes, self.n_intervals), len(rows))
        if is_block_rows(rows):
            self._name_clusters(*numbered_clusters(codes, index, self.n_intervals, len(self.clusters_)))
            self.labels_ = self._by_block(X, "predict", np.int64, lengths=rows.lengths)
            return self
        first = first_cluster(codes, index, self.n_intervals)
        labels = number_sets(first)
        self._name_clusters(to_numpy(first), to_numpy(labels))
        self.labels_ = like_input(labels, X)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> "CLIQUE":
        """Add rows; the result is that of ``fit`` on all rows so far, up to ``labels_``, which are those of this call.

        With ``box`` only the occupied cells and their rows are counted: rows outside it count, but lie in no unit. Without it, a
        copy of the rows is kept, because the grid depends on all of them.

        Parameters
        ----------
        X : (n, d) array, frame or tensor
            A chunk of any size.
        y : ignored

        Returns
        -------
        CLIQUE
            This one.
        """
        self._validate_params()
        self._refuse_blocks(X, "partial_fit")
        begun = getattr(self, "_cells", None)
        rows = self._gate_in(X, reset=begun is None)
        kept = [*(getattr(self, "_kept", None) or []), to_numpy(rows).copy()] if self.box is None else None
        low, high = column_range(rows)
        if begun is None or (kept is not None and not self._holds(low, high)):
            extent = (low, high) if kept is None else column_range(np.concatenate(kept))
            self._begin(*extent)
            parts = [rows] if kept is None else kept
            cells = reduce(merge, (partial(part, self.edges_) for part in parts))
        else:
            cells = merge(begun, partial(rows, self.edges_))
        index = self._mine(lambda: [(cells.codes, cells.counts.astype(np.float64))], cells.n)
        self._name_clusters(*finalize(cells, index))
        self._cells, self._kept = cells, kept
        self.labels_ = self.predict(X)
        return self

    @lazily(np.int64)
    def predict(self, X: Any) -> Any:
        """Return the label of the first cluster that holds each row, or -1.

        Parameters
        ----------
        X : (n, d) array, frame or tensor, Dask array or frame, or RowFiles

        Returns
        -------
        (n,) int64 array
        """
        codes = self._codes(self._gate_in(X, reset=False))
        labelled = [cluster for cluster in self.clusters_ if cluster.label >= 0]
        first = first_cluster(codes, UnitIndex.of(labelled, varying(self.edges_)), self.n_intervals)
        label = np.array([*(cluster.label for cluster in labelled), -1], np.int64)
        return like_input(like_input(label, codes)[first], X)

    def membership(self, X: Any) -> csr_array:
        """Say for each row in which clusters it lies.

        Parameters
        ----------
        X : (n, d) array, frame or tensor

        Returns
        -------
        (n, n_clusters) sparse bool array
            One column for each of ``clusters_``.
        """
        codes = self._codes(self._gate_in(X, reset=False))
        rows, columns = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        by_subspace: dict[tuple, list[int]] = {}
        for number, cluster in enumerate(self.clusters_):
            by_subspace.setdefault(tuple(cluster.dimensions.tolist()), []).append(number)
        for numbers in by_subspace.values():
            # Clusters of one subspace have no row in common.
            index = UnitIndex.of([self.clusters_[number] for number in numbers], varying(self.edges_))
            first = to_numpy(first_cluster(codes, index, self.n_intervals))
            rows.append(np.flatnonzero(first >= 0))
            columns.append(np.array(numbers)[first[rows[-1]]])
        place = (np.concatenate(rows), np.concatenate(columns))
        return csr_array((np.ones(len(place[0]), bool), place), shape=(codes.shape[1], len(self.clusters_)))

    def _fit_blocks(self, source: Callable[[], Iterable[Any]]) -> "CLIQUE":
        low, high, total = np.array(np.inf), np.array(-np.inf), 0
        for block in source():
            rows = self._gate_in(block, reset=total == 0)
            block_low, block_high = column_range(rows)
            low, high, total = np.minimum(low, block_low), np.maximum(high, block_high), total + len(rows)
        if total == 0:
            raise InputError("the function given as X returned no rows; it must return a new iterator each time")
        self._begin(low, high)

        def coded() -> Iterator[tuple[Any, Any]]:
            seen = 0
            for block in source():
                rows = self._gate_in(block, reset=False)
                seen += len(rows)
                yield self._codes(rows), None
            if seen != total:
                raise InputError(
                    f"the function given as X returned {total:,} rows first and {seen:,} later; it must return a new iterator each "
                    "time"
                )

        index = self._mine(coded, total)
        first = np.concatenate([to_numpy(first_cluster(codes, index, self.n_intervals)) for codes, _ in coded()])
        self.labels_ = number_sets(first)
        self._name_clusters(first, self.labels_)
        return self

    def _begin(self, low: np.ndarray, high: np.ndarray) -> None:
        """Forget the last fit and lay the grid: over ``box``, else from ``low`` to ``high``."""
        self._forget()
        if self.box is not None:
            box = np.array(to_numpy(self.box), np.float64)
            if box.shape == (2,):
                box = np.repeat(box[:, None], self.n_features_in_, axis=1)
            good = box.shape == (2, self.n_features_in_) and np.isfinite(box).all()
            if not good or (box[0] > box[1]).any():
                raise InputError(
                    f"box must be (low, high) with {self.n_features_in_} finite numbers each, low <= high; got {self.box!r}"
                )
            low, high = box
        self.edges_ = interval_edges(low, high, self.n_intervals)

    def _light(self) -> Any:
        light = super()._light()
        for name in ("_cells", "_kept"):
            light.__dict__.pop(name, None)
        return light

    def _forget(self, *more: str) -> None:
        for name in ("labels_", "clusters_", "edges_", "_cells", "_kept", *more):
            if hasattr(self, name):
                delattr(self, name)

    def _holds(self, low: np.ndarray, high: np.ndarray) -> bool:
        return bool((low >= self.edges_[:, 0]).all() and (high <= self.edges_[:, -1]).all())

    def _codes(self, rows: Any) -> Any:
        return codes_of(rows, self.edges_)

    def _mine(self, blocks: Blocks, total: int) -> UnitIndex:
        """Find the clusters, not yet labelled, and index them."""
        columns = varying(self.edges_)
        names = getattr(self, "feature_names_in_", [f"x{j}" for j in range(self.n_features_in_)])
        clusters = [everything(total)]
        if len(columns):
            try:
                found = clique(
                    blocks, self.n_intervals, total, self.density_threshold, prune=self.prune, full_space=self.full_space,
                    max_dim=self.max_dim, max_candidates=self.max_candidates,
                )  # fmt: skip
            except BaseException:  # Ctrl-C too leaves the estimator unfitted
                self._forget("n_features_in_", "feature_names_in_")
                raise
            clusters = cluster_units(found.items, found.levels, columns, self.edges_, names)
        self.clusters_ = tuple(clusters)
        self._warn(total)
        return UnitIndex.of(clusters, columns)

    def _name_clusters(self, which: np.ndarray, labels: np.ndarray) -> None:
        """Give clusters their labels; ``which`` may repeat, and be -1 with the label -1."""
        label = np.full(len(self.clusters_) + 1, -1)
        label[which] = labels
        self.clusters_ = tuple(c._replace(label=int(name)) for c, name in zip(self.clusters_, label[:-1], strict=True))

    def _warn(self, total: int) -> None:
        if total >= _FEW_ROWS and self.density_threshold * total < 1:
            warnings.warn(
                f"density_threshold={self.density_threshold:g} of {total:,} rows is less than one row, so that every occupied unit is "
                "dense; raise it",
                stacklevel=4,
            )
        if not self.clusters_:
            warnings.warn(
                f"no unit holds density_threshold={self.density_threshold:g} of the rows, so that all are noise; lower it, or "
                "n_intervals",
                stacklevel=4,
            )

    def _restore(self, state: dict[str, Any]) -> "CLIQUE":
        check_clusters(state["clusters_"], state["edges_"], self.n_intervals, int(state["n_features_in_"]))
        super()._restore(state)
        return self
