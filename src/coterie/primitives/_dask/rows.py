"""Rows in blocks on workers, as the functions of the primitives see them.

Blocks are divided into *parts*, one for each task of a pass, by where they lie. A block has a *rank*: its place when blocks are
ordered by what is in them. What is drawn at random, and what is added up with rounding, goes by rank, so that results do not
depend on the order of blocks, on the number of workers, or on which of them does what.
"""

import uuid
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from distributed import futures_of

from ...errors import InputError, ResourceError
from .cluster import Crew, Here, Place, crew_at_work
from .sources import chunks_of, given

__all__ = ["BlockRows", "Part", "Survey", "block_rows"]

_COPIES = 3  # of the rows at most, where workers keep them: as they came, as they are computed on, and the work
_SHARE = 0.6  # of the workers' memory that may be kept


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

    def __init__(
        self, crew: Crew | Here, sources: list, weights: list | None, dtype: np.dtype, d: int, device: str = "cpu"
    ):
        self.crew, self.sources, self.weights = crew, sources, weights
        self.dtype, self.device, self.names = dtype, device, None
        self.token = f"coterie-{uuid.uuid4().hex}"
        self.view, self.prepare = 0, None
        self.keep = False
        self.shape = (0, d)
        self.parts: list[Part] = []
        self._surveyed: list[Survey] = []
        self.starts = self.ranks = np.zeros(len(sources), np.int64)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def surveys(self) -> list[Survey]:
        """Return what the first look found of each block."""
        return self._surveyed

    @property
    def lengths(self) -> np.ndarray:
        """Return the number of rows of each block."""
        return np.array([survey.n_rows for survey in self._surveyed], np.int64)

    def by_rank(self) -> np.ndarray:
        """Return the numbers of the blocks in the order of their ranks."""
        return np.argsort(self.ranks, kind="stable")

    def prepared(self, prepare: Callable[[Any], Any]) -> "BlockRows":
        """Return the same rows after ``prepare(rows)``, which is applied to a block on its worker."""
        new = BlockRows.__new__(BlockRows)
        vars(new).update(vars(self))
        new.view, new.prepare = self.view + 1, prepare if self.prepare is None else _Both(self.prepare, prepare)
        return new

    def taken(self, surveys: list[Survey]) -> None:
        """Take over what the first look has found."""
        self._surveyed = surveys
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
        places = {}
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

    def settle(self, n_bytes: float) -> None:
        """Decide whether workers keep rows from pass to pass, or read them anew in each."""
        self.keep = bool(_COPIES * n_bytes <= _SHARE * self.crew.memory())


class _Both(NamedTuple):
    first: Callable
    then: Callable

    def __call__(self, rows: Any) -> Any:
        return self.then(self.first(rows))


def block_rows(X: Any, sample_weight: Any = None, device: str = "cpu") -> BlockRows:
    """See `coterie.primitives.blocks.block_rows`."""
    from .passes import forget_here, survey

    crew = crew_at_work()
    table = given(X)
    rows = BlockRows(crew, [], None, table.dtype, table.n_features, device)
    rows.names = table.names
    known = np.isfinite(table.n_bytes)
    if known:
        rows.settle(table.n_bytes)
    is_dask = not hasattr(table.table, "pieces")
    rows.sources = (
        crew.persist(table.table) if is_dask and (rows.keep or futures_of(table.table)) else None
    ) or chunks_of(table.table)
    rows.weights = None if sample_weight is None else _weights(sample_weight, len(rows.sources))
    rows.starts = rows.ranks = np.zeros(len(rows.sources), np.int64)
    rows.divide()
    weakref.finalize(rows, crew.tell, forget_here, rows.token)
    rows.taken(survey(rows))
    if len(rows) == 0:
        raise InputError("the blocks hold no rows; expected at least one")
    if not known:
        rows.settle(float(len(rows)) * rows.shape[1] * rows.dtype.itemsize)
    largest = int(rows.lengths.max()) * rows.shape[1] * rows.dtype.itemsize
    limit = crew.memory() / max(1, len(rows.parts))
    if _COPIES * largest > limit:
        raise ResourceError(
            f"a block of {largest / 2**20:,.0f} MiB needs {_COPIES} times that of a worker's memory, and {limit / 2**20:,.0f} MiB are there "
            "for each task; use smaller blocks (rechunk) or workers with more memory"
        )
    return rows


def _weights(sample_weight: Any, n_blocks: int) -> list:
    chunks = chunks_of(sample_weight) if hasattr(sample_weight, "__dask_graph__") else [sample_weight]
    if len(chunks) != n_blocks:
        raise InputError(
            f"sample_weight has {len(chunks)} blocks and the rows have {n_blocks}; give a Dask array in the same blocks (rechunk it)"
        )
    return chunks


def _even(items: list[int], n: int) -> Iterator[list[int]]:
    for i in range(n):
        yield items[len(items) * i // n : len(items) * (i + 1) // n]
