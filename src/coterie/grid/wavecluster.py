"""WaveCluster: rows counted in cells, counts smoothed by a wavelet's low-pass filter, clusters of cells that stand out.

The filter halves the grid at each level, so that a coarser level joins what lies near each other and drowns what is rare. Cells
of the smoothed grid above a threshold that touch, by corners too, are a cluster; a row belongs to the cluster of its cell. Cost
O(n) for the counts, then O(m^a) for m cells along each of a axes, whatever n. With more than three axes only occupied cells are
kept.
"""

from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..arrays import like_input, to_numpy
from ..base import Interval, StrOptions, lazily
from ..errors import InputError, ResourceError
from ..primitives.grid_cells import CellCounts, Grid, cell_lookup, coarser, group_cells
from ..primitives.grid_components import cell_components, nearest_neighbor
from ..primitives.grid_filter import halve, halve_occupied
from ._choose import SHARES, most_agreed, typical_value
from ._grid import GridClusterer, labels_by_first_row
from ._wavelets import WAVELETS

__all__ = ["Subband", "WaveCluster", "smooth", "wave_components"]

_DENSE_AXES = 3
_MOST_CELLS = 2**27
_MOST_LEVELS = 30
_LATEST = np.iinfo(np.int64).max


class Subband(NamedTuple):
    """The smoothed counts of cells; with up to three axes of all cells, else of those above occupied ones."""

    shape: tuple[int, ...]
    coords: np.ndarray  # (s, a) int64: cells that are not 0, in row-major order
    values: np.ndarray  # (s,) float64


def smooth(cells: CellCounts, n_cells: np.ndarray, level: int, wavelet: str, like: Any = None) -> Subband:
    """Filter counts ``level`` times.

    Parameters
    ----------
    cells : CellCounts
    n_cells : (a,) int array
        Size of the grid.
    level : int
        Each halves the grid, rounded up.
    wavelet : str
        Name of a filter.
    like : array, optional
        Computed on the engine and device of this array; by default on the CPU.

    Returns
    -------
    Subband
    """
    taps, first = WAVELETS[wavelet]
    shape = tuple(int(m) for m in n_cells)
    after = tuple((m - 1 >> level) + 1 for m in shape)
    if not _is_dense(shape):
        coords, values = cells.coords, cells.counts.astype(np.float64)
        for _ in range(level):
            coords, values = halve_occupied(coords, values, shape, taps, first)
            shape = tuple((m - 1 >> 1) + 1 for m in shape)
        return Subband(after, coords.astype(np.int64), values)
    grid = np.zeros(shape)
    grid[tuple(cells.coords.T)] = cells.counts
    for _ in range(level):
        grid = halve(like_input(grid, like) if like is not None else grid, taps, first)
    grid = to_numpy(grid)
    coords = np.argwhere(grid)
    return Subband(after, coords, grid[tuple(coords.T)])


def wave_components(
    band: Subband, cells: CellCounts, threshold: float, *, absorb: bool, least_rows: int = 1, like: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Join the cells of a subband that exceed a threshold.

    Parameters
    ----------
    band : Subband
    cells : CellCounts
        Occupied cells of the same width.
    threshold : float
        Cells of greater value are kept.
    absorb : bool
        Whether occupied cells beside a cluster join it: that of the neighbour of greatest value.
    least_rows : int, default=1
        Clusters of fewer rows are none.
    like : array, optional
        Where to compute, as in `smooth`.

    Returns
    -------
    coords : (k, a) int array
        Cells that belong to a cluster, in row-major order.
    labels : (k,) int64 array
        Clusters numbered by their first row.
    """
    kept = band.values > threshold
    coords = band.coords[kept]
    sets = to_numpy(cell_components(coords if like is None else like_input(coords, like), full=True))
    if absorb:
        place = _places(coords, cells.coords)
        rim = cells.coords[place < 0]
        near = nearest_neighbor(rim.astype(np.int64), coords, band.values[kept])
        coords = np.concatenate([coords, rim[near >= 0]])
        sets = np.concatenate([sets, sets[near[near >= 0]]])
        order = group_cells(coords)[1]
        coords[order], sets[order] = coords.copy(), sets.copy()
    place = _places(cells.coords, coords)
    rows = np.append(cells.counts, 0)[place]
    labels = labels_by_first_row(
        sets, cells._replace(counts=rows, first=np.append(cells.first, _LATEST)[place]), least_rows
    )
    return coords[labels >= 0], labels[labels >= 0]


class WaveCluster(GridClusterer):
    """Clusters of any shape: cells whose smoothed count exceeds a threshold and that touch.

    Parameters
    ----------
    n_cells : int, (d,) array of int, or "auto", default="auto"
        Cells along each column before the transform. "auto" takes the power of two whose clusters the next finer and coarser
        grids agree with most.
    level : int, default=1
        How often the filter halves the grid. 0 leaves the counts as they are.
    wavelet : {"bior2.2", "haar", "bior1.3", "bior2.4", "bior4.4"}, default="bior2.2"
        Low-pass filter. "bior2.2" sharpens the rims of clusters, "haar" averages.
    threshold : float or "auto", default="auto"
        Cells of greater value are kept. Below 1 it is a share of the greatest value, from 1 on the value itself, in rows a cell
        of the original grid. "auto" chooses a share of the value of the cell of the median row, by what the neighbouring
        choices agree with.
    border : {"noise", "absorb", "auto"}, default="auto"
        What becomes of rows in cells beside a cluster that do not exceed the threshold themselves: noise, or part of it. "auto" is
        "noise", as in the paper, where cells and threshold are given, and "absorb" where one of them is chosen.
    box : (2, d) array, optional
        Least and greatest value of each column. By default that of the rows. Rows outside belong to no cell.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where to compute. Tensors are computed on where they lie.

    Attributes
    ----------
    labels_ : (n,) int64 array
        Number of the cluster of each row's cell, in order of first appearance; noise -1.
    subband_ : float64 array, or Subband
        Smoothed counts, an array of as many axes as there are columns, or with more than three the cells that have a value.
    threshold_ : float
        Threshold used, a value of the subband.
    n_cells_ : (d,) int64 array
        Cells along each column before the transform; 1 where all rows are equal.
    box_ : (2, d) float64 array
    n_outside_ : int
        Rows outside the box.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    STING : joins cells of enough rows, without smoothing, and answers questions.
    HDBSCAN : clusters of different densities, without a grid.

    Notes
    -----
    Cost O(n + m^d) time; rows are not copied. State are the counts of cells, whole numbers: the same bits on any number of
    threads, and whatever the chunks of `partial_fit`. Coefficients are aligned with cells: value i stands for cells 2i and 2i + 1.
    ``predict`` gives the label of a row's cell; at another ``level`` it answers without another fit. Clusters depend on where
    cells begin: moving the box by half a cell may change their rims.

    References
    ----------
    Sheikholeslami, G., Chatterjee, S., Zhang, A. (2000). WaveCluster: a wavelet-based clustering approach for spatial data in very
    large databases. The VLDB Journal 8, 289-304. doi:10.1007/s007780050009

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import WaveCluster
    >>> X = np.array([[0.0, 0.0], [0.1, 0.2], [0.2, 0.1], [9.0, 9.0], [9.1, 9.2], [9.2, 9.1], [5.0, 0.0]])
    >>> model = WaveCluster(n_cells=16, wavelet="haar", threshold=0.5).fit(X)
    >>> model.labels_
    array([ 0,  0,  0,  1,  1,  1, -1])
    >>> model.subband_.shape, float(model.subband_.max())
    ((8, 8), 0.75)
    """

    _state_attributes: ClassVar[tuple[str, ...]] = (*GridClusterer._state_attributes, "_share")
    _parameter_constraints: ClassVar[dict] = {
        **GridClusterer._parameter_constraints,
        "level": [Interval(Integral, 0, _MOST_LEVELS, closed="both")],
        "wavelet": [StrOptions(set(WAVELETS))],
        "threshold": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "border": [StrOptions({"auto", "noise", "absorb"})],
    }

    def __init__(
        self,
        n_cells: Any = "auto",
        level: int = 1,
        wavelet: str = "bior2.2",
        threshold: Any = "auto",
        *,
        border: str = "auto",
        box: Any = None,
        device: str = "cpu",
    ) -> None:
        self.n_cells = n_cells
        self.level = level
        self.wavelet = wavelet
        self.threshold = threshold
        self.border = border
        self.box = box
        self.device = device

    @lazily(np.int64)
    def predict(self, X: Any, *, level: int | None = None) -> Any:
        """Give each row the label of its cell; -1 in cells of no cluster and outside the box.

        Parameters
        ----------
        X : (m, d) array, frame or tensor, Dask array or frame, or RowFiles
        level : int, optional
            Of the transform, with the counts of the fit: each further one joins more. By default that of the fit.

        Returns
        -------
        (m,) int64 array
        """
        rows = self._gate_in(X, reset=False)
        if level is None:
            return like_input(self._lookup(rows), X)
        if isinstance(level, bool) or not isinstance(level, Integral) or not 0 <= level <= _MOST_LEVELS:
            raise InputError(f"level must be a whole number from 0 to {_MOST_LEVELS}, got {level!r}")
        coords, labels = self._clusters(self._cell_counts(), self.n_cells_, int(level), None, rows)[1:]
        return like_input(cell_lookup(rows, self._grid(), coords, labels, shift=int(level)), X)

    @property
    def subband_(self) -> Any:
        """Smoothed counts of the fit."""
        band = smooth(self._cell_counts(), self.n_cells_, self.level, self.wavelet)
        if not _is_dense(band.shape):
            return band
        values = np.zeros(band.shape)
        values[tuple(band.coords.T)] = band.values
        return values

    def _clusters(
        self, counts: CellCounts, n_cells: np.ndarray, level: int, threshold: float | None, like: Any
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Return threshold, cells and labels at a level; ``threshold`` None: as the parameter says."""
        band = smooth(counts, n_cells, level, self.wavelet, like)
        cells = coarser(counts, level)
        if threshold is None:
            share = self._share if isinstance(self.threshold, str) else self.threshold
            threshold = self._value(band, cells, share)
        return threshold, *wave_components(
            band, cells, threshold, absorb=self._absorbs(), least_rows=self._least_rows(), like=like
        )

    def _absorbs(self) -> bool:
        chosen = self._is_auto() or isinstance(self.threshold, str)
        return self.border == "absorb" or (self.border == "auto" and chosen)

    def _value(self, band: Subband, cells: CellCounts, threshold: float) -> float:
        """Return the threshold as a value of the subband."""
        if isinstance(self.threshold, str):
            return threshold * _typical(band, cells)
        return float(threshold) if threshold >= 1 else threshold * float(band.values.max(initial=0.0))

    def _choose(self, grid: Grid, counts: CellCounts, *, widths: bool) -> int:
        size = int(np.prod([int(m) for m in grid.n_cells], dtype=object))
        if _is_dense(grid.n_cells) and size > _MOST_CELLS:
            raise ResourceError(f"{size} cells would take {size * 8 / 2**30:.1f} GB; lower n_cells")
        given = not isinstance(self.threshold, str)
        self._share = 0.0
        if len(counts.counts) == 0 or (given and not widths):
            return 0
        widest = int(grid.n_cells.max()).bit_length() - 1
        shifts = range(max(1, widest)) if widths else range(min(3, widest + 1))

        def label(cells: CellCounts, shift: int) -> list[tuple[float, np.ndarray]]:
            n_cells = (grid.n_cells - 1 >> shift) + 1
            band, above = smooth(cells, n_cells, self.level, self.wavelet), coarser(cells, self.level)
            found = []
            for share in [self.threshold] if given else SHARES:
                coords, labels = wave_components(band, above, self._value(band, above, share), absorb=self._absorbs())
                place = _places(coords, cells.coords >> self.level)
                found.append((share, np.where(place >= 0, np.append(labels, -1)[place], -1)))
            return found

        choice = most_agreed(counts, shifts, label, None if widths else 0)
        self._share = choice.threshold
        return choice.shift

    def _join(self, like: Any) -> None:
        found = self._clusters(self._cell_counts(), self.n_cells_, self.level, None, like)
        self.threshold_, self._cells, self._cell_labels = found
        self._halvings = self.level


def _is_dense(shape: Any) -> bool:
    """Say whether all cells are looked at; axes of one cell count for nothing."""
    return sum(m > 1 for m in shape) <= _DENSE_AXES


def _typical(band: Subband, cells: CellCounts) -> float:
    """Return the value of the cell in which the median row lies."""
    if len(cells.counts) == 0:
        return 0.0
    place = _places(band.coords, cells.coords)
    return max(0.0, typical_value(np.append(band.values, 0.0)[place], cells.counts))


def _places(coords: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return the place of each query among distinct cells, or -1."""
    distinct, member = group_cells(np.concatenate([coords, queries]))
    place = np.full(len(distinct), -1)
    place[member[: len(coords)]] = np.arange(len(coords))
    return place[member[len(coords) :]]
