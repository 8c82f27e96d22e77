"""What the grid methods share: a box, blocks of rows from anywhere, the state that grows by chunks, labels by cell."""

import warnings
from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from ..arrays import is_tensor, like_input, to_numpy
from ..base import Clusterer, Interval, StrOptions, lazily
from ..errors import InputError, ModelFileError
from ..primitives.blocks import is_block_rows
from ..primitives.grid_cells import (
    CellCounts,
    Grid,
    cell_counts,
    cell_lookup,
    coarser,
    column_range,
    merge_counts,
    new_keys,
)
from ._choose import finest_cells

__all__ = ["GridClusterer", "labels_by_first_row"]

Blocks = Callable[[], Iterator[Any]]
Range = tuple[np.ndarray, np.ndarray]
_MOST_CELLS = 2**30
_BLOCK_ROWS = 2**18


class GridClusterer(Clusterer):
    """Base of STING and WaveCluster; what a method makes of the cells is in ``_choose``, ``_measure`` and ``_join``."""

    _takes_blocks: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict] = {
        "n_cells": [StrOptions({"auto"}), Interval(Integral, 1, _MOST_CELLS, closed="both"), "array-like"],
        "box": ["array-like", None],
        "device": [str],
    }
    _state_attributes: ClassVar[tuple[str, ...]] = (
        "_axes",
        "_coords",
        "_counts",
        "_first",
        "_n_rows",
        "_cells",
        "_cell_labels",
        "_halvings",
    )

    n_cells: Any
    box: Any
    device: str
    labels_: Any
    _kept: list | None

    def fit(self, X: Any, y: Any = None) -> Any:
        """Count the rows by cell, and join cells.

        Parameters
        ----------
        X : (n, d) array, frame or tensor, Dask array or frame, or RowFiles, or a function
            Rows; not copied. Dask arrays and files are counted block by block where they lie, with the same result; ``labels_`` is
            then a Dask array that is computed when it is asked for. A function is called without arguments, up to four times, and returns an iterator over blocks of
            rows: for files larger than memory.
        y : ignored
            Present by convention.

        Returns
        -------
        self
            With ``labels_`` of all rows.
        """
        self._validate_params()
        self._kept = None
        if callable(X):
            self._fit_blocks(self._blocks_of(X))
            return self
        rows, known = self._gate_with_range(X, reset=True)
        if is_block_rows(rows):
            self._fit_block_rows(rows, X)
            return self
        self._fit_blocks(lambda: iter([rows]), known)
        self.labels_ = like_input(self.labels_, X)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Any:
        """Add rows; the result is that of ``fit`` on all rows so far, to the last bit.

        With ``box`` and a number for ``n_cells``, or after ``fit``, the cells stay as they are and only their state is kept:
        rows outside the box count in ``n_outside_``. Otherwise a copy of the rows is kept, because the cells depend on all of
        them.

        Parameters
        ----------
        X : (n, d) array, frame or tensor
            A chunk of any size.
        y : ignored
            Present by convention.

        Returns
        -------
        self
            With ``labels_`` of the rows of this call.
        """
        self._refuse_blocks(X, "partial_fit")
        first = not hasattr(self, "_counts")
        if first:
            self._validate_params()
        rows, known = self._gate_with_range(X, reset=first)
        if first:
            self._kept = [] if self.box is None or self._is_auto() else None
        kept = getattr(self, "_kept", None)
        if kept is not None:
            kept.append(rows.clone() if is_tensor(rows) else rows.copy())
        if first or (kept is not None and (self._is_auto() or not self._inside(rows, known))):
            self._fit_blocks(lambda: iter(kept or [rows]), warn=False)
        else:
            self._insert(rows)
            self._join(rows)
        self.labels_ = like_input(self._lookup(rows), X)
        self._say_outside()
        return self

    @lazily(np.int64)
    def predict(self, X: Any) -> Any:
        """Give each row the label of its cell; -1 in cells of no cluster and outside the box.

        Parameters
        ----------
        X : (m, d) array, frame or tensor, Dask array or frame, or RowFiles

        Returns
        -------
        (m,) int64 array
        """
        return like_input(self._lookup(self._gate_in(X, reset=False)), X)

    # ---- what a method does with the cells

    def _choose(self, grid: Grid, counts: CellCounts, *, widths: bool) -> int:
        """Set the threshold and return by how many powers of two the cells shall be wider: 0 unless ``widths`` are to choose."""
        raise NotImplementedError

    def _measure(self, blocks: Blocks, keys: list) -> None:
        """Take from the rows what is needed beside their counts; ``keys`` are those of each block, or None."""

    def _insert(self, rows: Any) -> None:
        """Add rows to the state."""
        self._keep(merge_counts(self._cell_counts(), cell_counts(rows, self._grid())))
        self._choose(self._grid(), self._cell_counts(), widths=False)

    def _join(self, like: Any) -> None:
        """Make clusters of cells: set ``_cells``, ``_cell_labels`` and ``_shift``, on the engine of ``like``."""
        raise NotImplementedError

    # ---- the common way

    def _gate_with_range(self, X: Any, *, reset: bool) -> tuple[Any, Range | None]:
        """Return the checked rows, and their range where the check has found it."""
        self._range: Range | None = None
        try:
            return self._gate_in(X, reset=reset), self._range
        finally:
            del self._range

    def _refuse_bad_values(self, rows: Any) -> None:
        """Raise if there are NaN or infinity: the range shows any, in one pass on all cores."""
        low, high = column_range(rows)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            super()._refuse_bad_values(rows)
        if "_range" in vars(self):
            self._range = low, high

    def _fit_blocks(self, blocks: Blocks, known: Range | None = None, *, warn: bool = True) -> None:
        keys = self._fit_cells(blocks, known)
        labels: list[Any] = []
        for rows, numbers in zip(blocks(), keys, strict=True):
            if not labels:
                self._join(rows)
            labels.append(self._lookup(rows, numbers))
        self.labels_ = labels[0] if len(labels) == 1 else np.concatenate([to_numpy(part) for part in labels])
        if warn:
            self._say_outside()

    def _fit_block_rows(self, rows: Any, X: Any) -> None:
        self._fit_cells(lambda: iter([rows]), None)
        self._join(rows)
        self.labels_ = self._by_block(X, "predict", np.int64, lengths=rows.lengths)
        self._say_outside()

    def _fit_cells(self, blocks: Blocks, known: Range | None) -> list:
        """Lay the grid, count and measure; return the keys of each block as far as they hold."""
        n, low, high = self._extent(blocks, known)
        axes = self._axes_among(len(low))
        n_cells = self._cells_along(axes, n)
        grid = Grid(low, high, axes, np.where(high[axes] > low[axes], n_cells, 1))
        counts: CellCounts | None = None
        keys: list[Any] = []
        for rows in blocks():
            keys.append(new_keys(rows, grid))
            found = cell_counts(rows, grid, keys=keys[-1])
            counts = found if counts is None else merge_counts(counts, found)
        assert counts is not None
        shift = self._choose(grid, counts, widths=self._is_auto())
        self.box_ = np.stack([low, high])
        self._axes, self.n_cells_ = axes, (grid.n_cells - 1 >> shift) + 1
        self._keep(coarser(counts, shift) if shift else counts)
        if shift:
            keys = [None] * len(keys)  # they are of the finer grid
        self._measure(blocks, keys)
        return keys

    def _light(self) -> Any:
        light = super()._light()
        light.__dict__.pop("_kept", None)
        return light

    def _extent(self, blocks: Blocks, known: Range | None) -> tuple[int, np.ndarray, np.ndarray]:
        """Return how many rows there are and the box; ``known`` is the range of the only block, where it was looked at."""
        n, ranges = 0, []
        for rows in blocks():
            n += rows.shape[0]
            d = rows.shape[1]
            if self.box is None:
                ranges.append(known or column_range(rows))
            elif not self._is_auto():
                break
        if self.box is None:
            return n, np.min([low for low, _ in ranges], axis=0), np.max([high for _, high in ranges], axis=0)
        box = np.array(to_numpy(self.box), np.float64)
        if box.ndim == 1 and len(box) == 2:
            box = np.repeat(box[:, None], d, axis=1)
        if box.shape != (2, d) or not np.isfinite(box).all() or (box[0] > box[1]).any():
            raise InputError(f"box must be (low, high) with {d} finite numbers each, low <= high; got {self.box!r}")
        return n, box[0] + 0.0, box[1] + 0.0

    def _axes_among(self, d: int) -> np.ndarray:
        return np.arange(d)

    def _cells_along(self, axes: np.ndarray, n: int) -> np.ndarray:
        if self._is_auto():
            return np.full(len(axes), finest_cells(n, len(axes)))
        given = np.asarray(self.n_cells)
        good = given.dtype.kind in "iu" and given.shape in ((), (len(axes),)) and (given >= 1).all()
        if not good or (given > _MOST_CELLS).any():
            raise InputError(
                f"n_cells must be a whole number above 0, or one for each of {len(axes)} axes; got {self.n_cells!r}"
            )
        return np.broadcast_to(given, len(axes)).astype(np.int64)

    def _is_auto(self) -> bool:
        return isinstance(self.n_cells, str)

    def _blocks_of(self, source: Callable[[], Any]) -> Blocks:
        """Return the blocks that a function gives, checked, small ones together: merging costs as much as there are cells."""

        def blocks() -> Iterator[Any]:
            small: list[np.ndarray] = []
            width = None
            for block in source():
                rows = self._gate_in(block, reset=True)
                if width not in (None, rows.shape[1]):
                    raise InputError(f"blocks must have equally many columns, got {width} and then {rows.shape[1]}")
                width = rows.shape[1]
                if is_tensor(rows):
                    yield rows
                    continue
                small.append(rows)
                if sum(map(len, small)) >= _BLOCK_ROWS:
                    yield small[0] if len(small) == 1 else np.concatenate(small)
                    small = []
            if small:
                yield np.concatenate(small)
            if width is None:
                raise InputError(
                    "the function given as X returned no blocks of rows; it must return a new iterator each time"
                )

        return blocks

    def _least_rows(self) -> int:
        """Return how many rows a cluster must have: crumbs of cells chosen by us are noise, of cells asked for they are not."""
        return max(2, min(5, self._n_rows // 50)) if self._is_auto() else 1

    def _grid(self) -> Grid:
        return Grid(self.box_[0], self.box_[1], self._axes, self.n_cells_)

    def _cell_counts(self) -> CellCounts:
        return CellCounts(self._coords, self._counts, self._first, self._n_rows, self.n_outside_)

    def _keep(self, counts: CellCounts) -> None:
        self._coords, self._counts, self._first, self._n_rows, self.n_outside_ = counts

    def _inside(self, rows: Any, known: Range | None) -> bool:
        low, high = known or column_range(rows)
        return bool((low >= self.box_[0]).all() and (high <= self.box_[1]).all())

    def _lookup(self, rows: Any, keys: Any = None) -> Any:
        return cell_lookup(rows, self._grid(), self._cells, self._cell_labels, shift=self._halvings, keys=keys)

    def _say_outside(self) -> None:
        if self.n_outside_:
            warnings.warn(
                f"{self.n_outside_} of {self._n_rows} rows lie outside the box and belong to no cell; give a wider box, "
                "or fit all rows again",
                stacklevel=3,
            )

    def _restore(self, state: dict[str, Any]) -> Any:
        super()._restore(state)
        grid = self._grid()
        known = (
            len(grid.axes) == len(grid.n_cells)
            and bool(((grid.axes >= 0) & (grid.axes < self.n_features_in_)).all())
            and bool((grid.n_cells >= 1).all() and (grid.n_cells <= _MOST_CELLS).all())
            and bool((grid.low <= grid.high).all())
        )
        for coords, shift in ((self._coords, 0), (self._cells, self._halvings)):
            known = (
                known and 0 <= shift < 63 and bool((coords >= 0).all() and (coords <= grid.n_cells - 1 >> shift).all())
            )
        if not known:
            raise ModelFileError("the model is damaged: its cells do not fit its grid")
        return self


def labels_by_first_row(sets: np.ndarray, cells: CellCounts, least_rows: int = 1) -> np.ndarray:
    """Number sets of cells by the first row in each.

    Parameters
    ----------
    sets : (c,) int64 array
        Set of each cell, -1 for none.
    cells : CellCounts
        The cells; a count may be 0.
    least_rows : int, default=1
        Sets of fewer rows get no number.

    Returns
    -------
    (c,) int64 array
        -1 for cells in no set that counts.
    """
    n_sets = int(sets.max(initial=-1)) + 1
    rows, earliest = np.zeros(n_sets + 1, np.int64), np.full(n_sets + 1, np.iinfo(np.int64).max)
    some = np.flatnonzero(sets >= 0)
    np.add.at(rows, sets[some], cells.counts[some])
    np.minimum.at(earliest, sets[some], cells.first[some])
    counted = rows[:n_sets] >= least_rows
    order = np.argsort(np.where(counted, earliest[:n_sets], np.iinfo(np.int64).max), kind="stable")
    number = np.full(n_sets + 1, -1)
    number[order[: counted.sum()]] = np.arange(counted.sum())
    return number[sets]
