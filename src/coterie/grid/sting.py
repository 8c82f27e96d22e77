"""STING: statistics of the cells of a grid, of cells twice as wide, and so on up to one cell, the root.

Each cell keeps, for each attribute, the number of its rows, mean, standard deviation, least and greatest value, and the kind of
distribution. One pass over n rows builds the bottom level; parents follow from children. Questions are then answered from the
top down in time that depends on the number K of cells only, and clusters are bottom cells of enough rows that touch. Cost O(n)
to build, O(K) for everything after.
"""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..arrays import like_input, to_numpy
from ..base import Interval, StrOptions
from ..errors import InputError, ResourceError
from ..primitives.grid_cells import CellCounts, Grid, cell_counts, group_cells, merge_counts
from ..primitives.grid_components import cell_components
from ..primitives.grid_sums import BINS, CellSums, cell_sums, merge_sums, sum_groups
from ._choose import SHARES, most_agreed, typical_value
from ._grid import Blocks, GridClusterer, labels_by_first_row
from ._sting_cells import DISTRIBUTIONS, Cell, Level, fitted_kinds, level_of, merged_kinds
from ._sting_query import QueryMixin

__all__ = ["STING", "StingState", "finalize", "merge", "partial"]

_MOST_BYTES = 4 * 2**30


class StingState(NamedTuple):
    """What is kept of rows: whole numbers, so that chunks and the order of merging change no bit."""

    counts: CellCounts
    sums: CellSums


def partial(block: Any, grid: Grid, attributes: np.ndarray) -> StingState:
    """Return the state of a block of rows.

    Parameters
    ----------
    block : (n, d) float array
        Any engine.
    grid : Grid
        The same for all blocks.
    attributes : (m,) int array
        Columns of which statistics are kept.

    Returns
    -------
    StingState
    """
    counts = cell_counts(block, grid)
    return StingState(counts, cell_sums(block, grid, counts.coords, attributes))


def merge(a: StingState, b: StingState) -> StingState:
    """Return the state of the rows of ``a`` followed by those of ``b``."""
    coords, member = group_cells(np.concatenate([a.counts.coords, b.counts.coords]))
    return StingState(merge_counts(a.counts, b.counts), merge_sums(a.sums, b.sums, member, len(coords)))


def finalize(state: StingState, grid: Grid, attributes: np.ndarray, distribution: str = "auto") -> tuple[Level, ...]:
    """Derive the statistics of all levels.

    Parameters
    ----------
    state : StingState
        Of at least one row inside the box.
    grid : Grid
    attributes : (m,) int array
    distribution : str
        See `STING`.

    Returns
    -------
    tuple of Level
        From the root to the bottom.
    """
    counts, sums = state
    levels = [level_of(counts.coords, counts.counts, sums, grid, attributes)]
    levels[0] = levels[0]._replace(kind=_bottom_kinds(levels[0], sums.bins, grid, attributes, distribution))
    no_bins = np.zeros((len(counts.counts), len(attributes), 0), np.int64)
    sums = sums._replace(bins=no_bins)
    for _ in range(int(grid.n_cells.max() - 1).bit_length()):
        below = levels[-1]
        coords, member = group_cells(below.coords >> 1)
        sums = sum_groups(sums, member, len(coords))
        n = np.zeros(len(coords), np.int64)
        np.add.at(n, member, below.n)
        parents = level_of(coords, n, sums, grid, attributes)
        levels[-1] = below._replace(parent=member)
        levels.append(parents._replace(kind=merged_kinds(below, parents, member)))
    return tuple(levels[::-1])


class STING(QueryMixin, GridClusterer):
    """Statistical information grid: a hierarchy of cells that answers questions, and clusters of dense cells.

    Parameters
    ----------
    n_cells : int, (a,) array of int, or "auto", default="auto"
        Cells along each axis at the bottom. "auto" takes the power of two whose clusters the next finer and coarser grids agree
        with most.
    min_points : float or "auto", default="auto"
        Least number of rows of a relevant bottom cell. "auto" chooses a share of the rows of the cell of the median row, again
        by what the neighbouring choices agree with.
    confidence : float, default=0.95
        Of the interval by which `query` decides whether a cell may matter.
    axes : sequence of int or str, optional
        Columns that place a row, by number or name; all by default. More than four leave most cells empty.
    attributes : sequence of int or str, optional
        Columns of which statistics are kept; all by default.
    box : (2, d) array, optional
        Least and greatest value of each column. By default that of the rows. Rows outside belong to no cell.
    connectivity : {"face", "full", "auto"}, default="auto"
        Whether cells touch by a common face or also by a common corner. "auto" is "face", as in the paper, for a given
        ``n_cells``, and "full" for one that is chosen.
    distribution : {"auto", "normal", "uniform", "exponential", "none"}, default="auto"
        Kind of distribution in bottom cells. "auto" tests each cell of at least 50 rows.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where rows are counted. Tensors are counted where they lie.

    Attributes
    ----------
    labels_ : (n,) int64 array
        Number of the cluster of each row's cell, in order of first appearance; -1 in cells of too few rows.
    root_ : Cell
        Statistics of all rows in the box.
    levels_ : tuple of Level
        Statistics of the occupied cells of each level, from the root to the bottom.
    n_cells_ : (a,) int64 array
        Cells along each axis; 1 where all rows are equal.
    min_points_ : float
        Threshold used.
    box_ : (2, d) float64 array
    n_outside_ : int
        Rows outside the box.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    WaveCluster : smooths the counts before it joins cells.
    DBSCAN : the same idea by distances; the clusters of small enough cells lie within its clusters.

    Notes
    -----
    Cost O(n) time and O(K) memory for K occupied cells; rows are not copied. State are whole numbers: the same bits on any
    number of threads, and whatever the chunks of `partial_fit`. Each level pads to an even number of cells at its high end.
    ``predict`` gives the label of a row's cell. Borders of clusters are those of cells, so they are parallel to the axes, and
    clusters nearer to each other than a cell are one.

    References
    ----------
    Wang, W., Yang, J., Muntz, R. (1997). STING: a statistical information grid approach to spatial data mining. VLDB, 186-195.
    Wang, W., Yang, J., Muntz, R. (1999). STING+: an approach to active spatial data mining. ICDE, 116-125.
    doi:10.1109/ICDE.1999.754914

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import STING
    >>> X = np.array([[0.0, 0.0], [0.1, 0.2], [0.2, 0.1], [9.0, 9.0], [9.1, 9.2], [9.2, 9.1], [5.0, 0.0]])
    >>> model = STING(n_cells=8, min_points=2).fit(X)
    >>> model.labels_
    array([ 0,  0,  0,  1,  1,  1, -1])
    >>> model.root_.n, model.root_.max
    (7, array([9.2, 9.2]))
    >>> model.region([8, 8], [10, 10]).n
    3
    """

    _parameter_constraints: ClassVar[dict] = {
        **GridClusterer._parameter_constraints,
        "min_points": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "axes": ["array-like", Integral, str, None],
        "attributes": ["array-like", Integral, str, None],
        "connectivity": [StrOptions({"auto", "face", "full"})],
        "distribution": [StrOptions({"auto", *DISTRIBUTIONS})],
    }
    _state_attributes: ClassVar[tuple[str, ...]] = (
        *GridClusterer._state_attributes,
        "_attributes",
        "_sums",
        "_extremes",
        "_bins",
    )

    def __init__(
        self,
        n_cells: Any = "auto",
        min_points: Any = "auto",
        confidence: float = 0.95,
        *,
        axes: Sequence | None = None,
        attributes: Sequence | None = None,
        box: Any = None,
        connectivity: str = "auto",
        distribution: str = "auto",
        device: str = "cpu",
    ) -> None:
        self.n_cells = n_cells
        self.min_points = min_points
        self.confidence = confidence
        self.axes = axes
        self.attributes = attributes
        self.box = box
        self.connectivity = connectivity
        self.distribution = distribution
        self.device = device

    @property
    def levels_(self) -> tuple[Level, ...]:
        """Statistics of the occupied cells of each level, from the root to the bottom; derived when first asked for."""
        found: tuple[Level, ...] | None = getattr(self, "_levels", None)
        if found is None:
            check_is_fitted(self)
            found = finalize(self._state(), self._grid(), self._attributes, self.distribution)
            self._levels = found
        return found

    @property
    def root_(self) -> Cell:
        """Statistics of all rows in the box."""
        return self.levels_[0].only()

    def _axes_among(self, d: int) -> np.ndarray:
        self._attributes = self._columns(self.attributes, "attributes", d)
        axes = self._columns(self.axes, "axes", d)
        if len(axes) == 0:
            raise InputError("axes must name at least one column: rows are placed by them")
        return axes

    def _columns(self, chosen: Any, parameter: str, d: int) -> np.ndarray:
        """Return the numbers of the chosen columns."""
        if chosen is None:
            return np.arange(d)
        names = list(getattr(self, "feature_names_in_", []))
        found = []
        for column in np.atleast_1d(np.asarray(chosen)).tolist():
            place = names.index(column) if column in names else column
            if isinstance(place, bool) or not isinstance(place, int) or not -d <= place < d or place % d in found:
                raise InputError(f"{parameter} must be different columns of the {d} there are, got {chosen!r}")
            found.append(place % d)
        return np.array(found, np.int64)

    def _touching(self) -> bool:
        """Say whether cells touch by corners."""
        return self.connectivity == "full" or (self.connectivity == "auto" and self._is_auto())

    def _choose(self, grid: Grid, counts: CellCounts, *, widths: bool) -> int:
        given = None if isinstance(self.min_points, str) else float(self.min_points)
        if len(counts.counts) == 0 or (given is not None and not widths):
            self.min_points_ = given or 1.0
            return 0
        widest = int(grid.n_cells.max()).bit_length() - 1
        shifts = range(max(1, widest)) if widths else range(min(3, widest + 1))

        def label(cells: CellCounts, shift: int) -> list[tuple[float, np.ndarray]]:
            typical = typical_value(cells.counts, cells.counts)
            limits = [given] if given is not None else [max(1.0, np.ceil(share * typical)) for share in SHARES]
            return [(limit, self._components(cells, cells.counts >= limit)) for limit in limits]

        choice = most_agreed(counts, shifts, label, None if widths else 0)
        self.min_points_ = choice.threshold
        return choice.shift

    def _components(self, cells: CellCounts, relevant: np.ndarray, like: Any = None) -> np.ndarray:
        sets = np.full(len(relevant), -1, np.int64)
        relevant = np.flatnonzero(relevant)
        coords = cells.coords[relevant]
        sets[relevant] = to_numpy(
            cell_components(coords if like is None else like_input(coords, like), full=self._touching())
        )
        return sets

    def _measure(self, blocks: Blocks, keys: list) -> None:
        needed = len(self._coords) * len(self._attributes) * 8 * (6 + BINS)
        if needed > _MOST_BYTES:
            raise ResourceError(
                f"statistics of {len(self._attributes)} attributes in {len(self._coords)} cells would take "
                f"{needed / 2**30:.1f} GB; name fewer attributes, or lower n_cells"
            )
        grid = self._grid()
        sums: CellSums | None = None
        for rows, numbers in zip(blocks(), keys, strict=True):
            found = cell_sums(rows, grid, self._coords, self._attributes, keys=numbers)
            places = np.arange(len(self._coords))
            sums = found if sums is None else merge_sums(sums, found, np.concatenate([places, places]), len(places))
        assert sums is not None
        self._keep_sums(sums)

    def _insert(self, rows: Any) -> None:
        merged = merge(self._state(), partial(rows, self._grid(), self._attributes))
        self._keep(merged.counts)
        self._keep_sums(merged.sums)
        self._choose(self._grid(), merged.counts, widths=False)

    def _join(self, like: Any) -> None:
        sets = self._components(self._cell_counts(), self._counts >= self.min_points_, like)
        labels = labels_by_first_row(sets, self._cell_counts(), self._least_rows())
        labelled = np.flatnonzero(labels >= 0)
        self._cells, self._cell_labels, self._halvings = self._coords[labelled], labels[labelled], 0

    def _keep_sums(self, sums: CellSums) -> None:
        self._sums, self._extremes, self._bins = sums
        self.__dict__.pop("_levels", None)  # derived when asked for

    def _light(self) -> Any:
        light = super()._light()
        for name in ("_sums", "_extremes", "_bins", "_levels"):  # labels follow from the counts
            light.__dict__.pop(name, None)
        return light

    def _state(self) -> StingState:
        return StingState(self._cell_counts(), CellSums(self._sums, self._extremes, self._bins))


def _bottom_kinds(level: Level, bins: np.ndarray, grid: Grid, attributes: np.ndarray, distribution: str) -> np.ndarray:
    """Return the kinds of distribution of the bottom cells, given or tested."""
    if distribution != "auto":
        return np.full(level.mean.shape, DISTRIBUTIONS.index(distribution), np.int8)
    extent = (grid.high / BINS - grid.low / BINS)[attributes]
    low, width = np.tile(grid.low[attributes], (len(level.n), 1)), np.tile(extent, (len(level.n), 1))
    for a, axis in enumerate(grid.axes):
        for j in np.flatnonzero(attributes == axis):
            width[:, j] = extent[j] / grid.n_cells[a]
            low[:, j] += level.coords[:, a] * (BINS * width[:, j])
    return fitted_kinds(level, bins, low, width)
