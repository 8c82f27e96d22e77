"""Rows in blocks on workers, as the functions of the primitives see them.

Blocks are divided into *parts*, one for each task of a pass, by where they lie. A block has a *rank*: its place when blocks are
ordered by what is in them. What is drawn at random, and what is added up with rounding, goes by rank, so that results do not
depend on the order of blocks, on the number of workers, or on which of them does what.
"""

import itertools
import uuid
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
from distributed import futures_of

from ...errors import InputError, ResourceError
from .cluster import Crew, crew_at_work
from .here import Here
from .sources import Given, chunks_of, given
from .tasks import Place

__all__ = ["BlockRows", "Part", "Survey", "block_rows", "chunks_beside", "rows_as_they_are", "weighed"]

_views = itertools.count(1)  # of this process: memos tell them apart
_COPIES = 3  # of a block while it is worked on
_BESIDE = 48  # bytes a row that workers keep beside two copies of it, as it came and as it is computed on: labels and distances
_SHARE = 0.75  # of the memory that workers have left


class Part(NamedTuple):
    """The blocks of one task of a pass."""

    home: Place
    blocks: list[int]


class Survey(NamedTuple):
    """What one look at a block finds."""

    n_rows: int
    low: np.ndarray  # (d,) float64
    high: np.ndarray  # (d,) float64
    total: np.ndarray  # (d,) float64: sum of the rows, infinite where that overflows
    heaviest: float  # greatest weight
    weight: float  # their sum


class BlockRows:
    """A view of rows in blocks; `prepared` gives the view after a change of coordinates.

    Attributes
    ----------
    shape : tuple of int
        (n, d).
    dtype : dtype
        Of the rows.
    names : list or None
        Names of the columns.
    """

    engine = "dask"
    ndim = 2

    def __init__(self, crew: Crew | Here, table: Given, device: str = "cpu"):
        self.crew, self.device = crew, device
        self.dtype, self.names = table.dtype, table.names
        self.shape = (0, table.n_features)
        self.token = f"coterie-{uuid.uuid4().hex}"
        self.sources: list[Any] = []
        self.weights: list[Any] | None = None
        self.labels: list[Any] | None = None
        self.surveys: list[Survey] = []
        self.parts: list[Part] = []
        self.starts = self.ranks = np.zeros(0, np.int64)
        self.on_workers = False  # whether they lay there before
        self.view = 0
        self.prepare: Callable | None = None
        self.keep = self._may_keep(table.n_bytes)
        self._lease = _Lease(crew, self.token)  # shared by all views: workers forget the rows with the last of them

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def lengths(self) -> np.ndarray:
        """Return the number of rows of each block."""
        return np.array([survey.n_rows for survey in self.surveys], np.int64)

    def by_rank(self) -> np.ndarray:
        """Return the numbers of the blocks in the order of their ranks."""
        return np.argsort(self.ranks, kind="stable")

    def prepared(self, prepare: Callable[[Any], Any]) -> "BlockRows":
        """Return the same rows after ``prepare(rows)``, which is applied to a block on its worker."""
        new = BlockRows.__new__(BlockRows)
        vars(new).update(vars(self))
        new.view = next(_views)
        new.prepare = _Both(self.prepare, prepare) if self.prepare is not None else prepare  # type: ignore[assignment]
        return new

    def labelled(self, labels: list) -> "BlockRows":
        """Return the same rows with a label of each beside them."""
        new = BlockRows.__new__(BlockRows)
        vars(new).update(vars(self), labels=labels)
        return new

    def taken(self, surveys: list[Survey]) -> None:
        """Take over what the first look has found."""
        self.surveys = surveys
        lengths = self.lengths
        self.starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        self.shape = (int(lengths.sum()), self.shape[1])
        marks = [np.concatenate([[s.n_rows, s.weight], s.low, s.high, s.total]).tobytes() for s in surveys]
        self.ranks = np.empty(len(marks), np.int64)
        self.ranks[sorted(range(len(marks)), key=marks.__getitem__)] = np.arange(len(marks))

    def divide(self) -> None:
        """Divide the blocks into parts: where they lie, or evenly where they lie nowhere."""
        places = self.crew.places()
        addresses = {place.address for place in places}
        held = [address if address in addresses else None for address in self.crew.holders(self.sources)]
        loose = [i for i, address in enumerate(held) if address is None]
        parts = [Part(place, []) for place in places]
        for place_number, share in enumerate(_even(loose, len(places))):
            parts[place_number].blocks.extend(share)
        for address in sorted({a for a in held if a is not None}):
            here = [part for part in parts if part.home.address == address]
            mine = [i for i, a in enumerate(held) if a == address]
            for part, share in zip(here, _even(mine, len(here)), strict=True):
                part.blocks.extend(share)
        self.parts = [Part(part.home, sorted(part.blocks)) for part in parts if part.blocks]

    def moved(self, addresses: list[str]) -> None:
        """Remember where the parts have run; where a worker was lost or has come, share the parts out again."""
        if all(part.home.address == address for part, address in zip(self.parts, addresses, strict=True)):
            return
        places: dict[str, list[Place]] = {}
        for place in self.crew.places():
            places.setdefault(place.address, []).append(place)
        load = dict.fromkeys(places, 0)
        for address in addresses:
            if address in load:
                load[address] += 1
        fair = -(-len(self.parts) // len(places))
        for i, (part, address) in enumerate(zip(self.parts, addresses, strict=True)):
            if address not in load or load[address] > fair:
                if address in load:
                    load[address] -= 1
                address = min(load, key=lambda a: (load[a], a))
                load[address] += 1
            self.parts[i] = Part(places[address][0], part.blocks)

    def settle(self) -> None:
        """Decide whether workers keep rows from pass to pass, or read them anew in each; their number is known now."""
        self.keep = self._may_keep(self._n_bytes(len(self)))

    def refuse_large_blocks(self) -> None:
        """Refuse blocks that do not fit on a worker, before anything is computed.

        Raises
        ------
        ResourceError
        """
        largest = self._n_bytes(int(self.lengths.max()))
        limit = self.crew.memory() / len(self.parts)
        if _COPIES * largest > limit:
            raise ResourceError(
                f"a block of {largest / 2**20:,.0f} MiB takes {_COPIES * largest / 2**20:,.0f} MiB to work on, and a task has "
                f"{limit / 2**20:,.0f} MiB; use smaller blocks (rechunk), or workers with more memory"
            )

    def weigh(self, weight: np.ndarray) -> None:
        """Give each block its share of the weights of all rows.

        Raises
        ------
        InputError
            If there is not one weight for each row, or one is unfit.
        """
        if weight.shape != (len(self),):
            raise InputError(
                f"sample_weight must hold one weight for each of the {len(self)} rows, got shape {weight.shape}"
            )
        self.weights = np.split(np.asarray(weight, np.float64), self.starts[1:])
        self.taken(
            [
                seen._replace(heaviest=heaviest, weight=total)
                for seen, (heaviest, total) in zip(self.surveys, map(weighed, self.weights), strict=True)
            ]
        )

    def _may_keep(self, n_bytes: float) -> bool:
        n = n_bytes / (self.shape[1] * self.dtype.itemsize)
        return bool(2 * n_bytes + _BESIDE * n <= _SHARE * self.crew.memory())

    def _n_bytes(self, n: int) -> float:
        return float(n) * self.shape[1] * self.dtype.itemsize


def weighed(weight: np.ndarray) -> tuple[float, float]:
    """Return the greatest and the sum of some weights.

    Raises
    ------
    InputError
        If one is negative or not finite.
    """
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise InputError("sample_weight must hold finite numbers that are not negative")
    return float(weight.max(initial=0.0)), float(weight.sum())


class _Lease:
    """As long as it lives, workers keep what they have of the rows."""

    def __init__(self, crew: Crew | Here, token: str):
        from .passes import forget_here

        weakref.finalize(self, crew.tell, forget_here, token)


class _Both(NamedTuple):
    first: Callable
    then: Callable

    def __call__(self, rows: Any) -> Any:
        return self.then(self.first(rows))


def block_rows(X: Any, sample_weight: Any = None, device: str = "cpu") -> BlockRows:
    """See `coterie.primitives.blocks.block_rows`."""
    from .passes import survey

    crew, table = crew_at_work(), given(X)
    rows = BlockRows(crew, table, device)
    rows.on_workers = _on_workers(table.table)
    held = (
        _persisted(crew, table.table) if rows.on_workers or (rows.keep and not hasattr(table.table, "pieces")) else None
    )
    rows.sources = held or chunks_of(table.table)
    in_one_piece = isinstance(sample_weight, np.ndarray)
    if sample_weight is not None and not in_one_piece:
        rows.weights = chunks_beside(rows, sample_weight, "sample_weight")
    rows.divide()
    rows.taken(survey(rows))
    if len(rows) == 0:
        raise InputError("the blocks hold no rows; expected at least one")
    if in_one_piece:
        rows.weigh(sample_weight)
    rows.settle()
    rows.refuse_large_blocks()
    return rows


def rows_as_they_are(X: Any) -> BlockRows:
    """See `coterie.primitives.blocks.rows_as_they_are`."""
    table = given(X)
    rows = BlockRows(crew_at_work(), table)
    rows.keep = False
    rows.sources = chunks_of(table.table)
    rows.divide()
    return rows


def _on_workers(table: Any) -> bool:
    return not hasattr(table, "pieces") and bool(futures_of(table))


def _persisted(crew: Crew | Here, table: Any) -> Any:
    """Leave the blocks on the workers; those of a frame, whose names change when it is optimized, as blocks of an array."""
    if hasattr(table, "columns"):
        tail = (table.shape[1],) if table.ndim == 2 else ()
        table = da.concatenate(
            [da.from_delayed(part, (np.nan, *tail), object) for part in table.to_delayed()],
            allow_unknown_chunksizes=True,
        )
    return crew.persist(table)


def chunks_beside(rows: BlockRows, values: Any, what: str) -> list:
    """Return the blocks of a Dask array or series with one value for each row.

    Raises
    ------
    InputError
        If there are not as many as of the rows.
    """
    lasting = rows.keep or rows.on_workers or futures_of(values)  # computed once; else in each pass, like the rows
    chunks = (_persisted(rows.crew, values) if lasting else None) or chunks_of(values)
    if len(chunks) != len(rows.sources):
        raise InputError(
            f"{what} has {len(chunks)} blocks and the rows have {len(rows.sources)}; give a Dask array in the same blocks (rechunk it)"
        )
    return chunks


def _even(items: list[int], n: int) -> Iterator[list[int]]:
    for i in range(n):
        yield items[len(items) * i // n : len(items) * (i + 1) // n]
