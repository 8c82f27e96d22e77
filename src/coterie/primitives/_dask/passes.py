"""A pass: a function of a block, run over every block on the workers, and its small results.

`each` returns the result of every block; `fold` merges them on the worker first, for states whose merging is exact, so that its
order cannot matter. A block keeps a *memo* on its worker from pass to pass. It may be lost with the worker: a memo holds nothing
that a function cannot make again from its arguments, to the same bits.
"""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ...arrays import to_device
from ...errors import InputError
from ..blocks import says
from ..memory import free_bytes
from .calls import stop_if_cancelled
from .rows import BlockRows, Part, Survey, weighed
from .sources import loaded
from .tasks import Task
from .watch import block_is_done, told

__all__ = ["Block", "each", "each_held", "fold", "forget_here", "room_for", "survey"]

_WORKING_COPIES = 8  # of a state, while two of them are merged: keys, an order of them, and the parts side by side


class _Kept:
    """What a worker keeps of a block from pass to pass."""

    def __init__(self) -> None:
        self.memo: dict = {}
        self.notes: dict = {}
        self.lock = threading.Lock()


_kept: dict[str, dict[int, _Kept]] = {}  # of this process, by the token of the rows and the number of the block


class Block:
    """A block on its worker, for the time of one task: what is read is read once.

    Attributes
    ----------
    number : int
        Among the blocks, in the order in which they were given.
    start : int
        Number of its first row.
    rank : int
        Its place in the order of contents.
    memo : dict
        Kept on the worker from pass to pass, if the worker lives; empty where rows are not kept either.
    notes : dict
        The same for little, which is kept in any case.
    lock : lock
        For what no two threads may do on a block at a time.
    """

    def __init__(self, how: "_How", number: int, start: int, rank: int, sources: tuple, kept: _Kept):
        self.number, self.start, self.rank = number, start, rank
        self.memo, self.notes, self.lock = kept.memo if how.keep else {}, kept.notes, kept.lock
        self.view = how.view  # which change of coordinates the rows have gone through
        self._how = how
        self._source, self._weight, self._label = sources

    @cached_property
    def rows(self) -> Any:
        """Return the rows as they are to be computed on: an array, or a tensor where the worker has a GPU for it."""
        name = ("rows", self._how.view)
        if name in self.memo:
            return self.memo[name]
        found = loaded(self._source, self._how.dtype)
        if self._how.prepare is not None:
            found = self._how.prepare(found)
        found = to_device(found, self._how.device) if self._how.device != "cpu" else found
        if self._how.keep and (self._how.prepare is not None or hasattr(self._source, "load")):
            self.memo.pop(("rows", 0), None)
            self.memo[name] = found
        return found

    @property
    def source(self) -> Any:
        """Return what the block is made from, whose ``load`` may give other things than rows."""
        return self._source

    @cached_property
    def weight(self) -> np.ndarray | None:
        """Return the weight of each row as (m,) float64, or None where each counts once."""
        return None if self._weight is None else loaded(self._weight, np.float64, 1)

    @cached_property
    def labels(self) -> np.ndarray:
        """Return the label of each row, which came with the rows."""
        return loaded(self._label, None, 1)


class _How(NamedTuple):
    token: str
    view: int
    prepare: Callable | None
    dtype: np.dtype
    device: str
    keep: bool


def each(rows: BlockRows, function: Callable, *arguments: Any, **how: Any) -> list:
    """Return ``function(block, *arguments)`` for every block, in the order in which the blocks were given."""
    found: list[Any] = [None] * len(rows.sources)
    for part, results in zip(rows.parts, _pass(rows, function, None, arguments, **how), strict=True):
        for number, result in zip(part.blocks, results, strict=True):
            found[number] = result
    return found


def fold(rows: BlockRows, function: Callable, merge: Callable, *arguments: Any) -> Any:
    """Return what ``merge(a, b)`` makes of ``function(block, *arguments)`` of all blocks; merging must be exact and in any order."""
    states = _pass(rows, function, merge, arguments)
    while len(states) > 1:
        pairs = [merge(*states[i : i + 2]) if i + 1 < len(states) else states[i] for i in range(0, len(states), 2)]
        states = pairs
    return states[0]


def room_for(rows: BlockRows, n_bytes: int) -> int:
    """Return how many items of so many bytes a task may hand over: a worker merges two states at a time, we hold all of them."""
    of_a_task = rows.crew.memory() / (len(rows.parts) * _WORKING_COPIES)
    here = free_bytes() / (len(rows.parts) + _WORKING_COPIES)
    return int(min(of_a_task, here, 2.0**62) // max(1, n_bytes))


def each_held(rows: BlockRows, function: Callable, *arguments: Any) -> tuple[list, list]:
    """Run a function that returns a small result and an array of values of a block's rows, which stays where it was found.

    Returns
    -------
    small : list
        Of every block, in the order in which the blocks were given.
    held : list
        For each block the array, or a `Future` of it on the workers, whose key is that of a chunk of one Dask array.
    """
    name = f"coterie-{uuid.uuid4().hex}"
    parts = [Part(part.home, [number]) for part in rows.parts for number in part.blocks]
    tasks = _tasks(rows, _large, None, (function, name, *arguments), parts, _work_on_one)
    held: dict[int, Any] = {}

    def leave() -> None:
        numbers = [part.blocks[0] for part in parts]
        held.update(zip(numbers, rows.crew.leave(tasks, [(name, number) for number in numbers]), strict=True))

    small = each(rows, _small, function, name, *arguments, meanwhile=leave)
    found = [held[number] for number in range(len(small))]
    rows.crew.wait(found)
    return small, found


def survey(rows: BlockRows) -> list[Survey]:
    """Look at every block once: how many rows, their range, whether all of it is finite.

    Raises
    ------
    InputError
        If a value is missing or infinite, or a weight is unfit; the message says where.
    """
    found = each(rows, _look)
    start = 0
    for seen in found:
        if isinstance(seen, _Bad):
            where = f"column {seen.column}" if rows.names is None else f"column {rows.names[seen.column]!r}"
            raise InputError(
                f"Input X contains {seen.what} at row {start + seen.row:,}, {where}; fill or drop such rows first"
            )
        start += seen.n_rows
    return found


def forget_here(token: str) -> None:
    """Forget the memos of one set of rows in this process."""
    _kept.pop(token, None)


class _Bad(NamedTuple):
    row: int
    column: int
    what: str
    n_rows: int


@says("looking at the rows")
def _look(block: Block) -> Survey | _Bad:
    from .._numba.conditioning import summarize

    rows = loaded(block._source, block._how.dtype) if block._how.device != "cpu" else block.rows
    weight = block.weight
    if weight is not None and len(weight) != len(rows):
        raise InputError(f"a block of sample_weight has {len(weight)} values for {len(rows)} rows")
    heaviest, total = (1.0, float(len(rows))) if weight is None else weighed(weight)
    if len(rows) == 0:
        nothing = np.zeros(rows.shape[1])
        return Survey(0, nothing + np.inf, nothing - np.inf, nothing, 0.0, 0.0)
    added, low, high = summarize(rows)
    if not (np.isfinite(low).all() and np.isfinite(high).all() and np.isfinite(added).all()):
        bad = np.argwhere(~np.isfinite(rows))
        if len(bad):
            row, column = (int(place) for place in bad[0])
            return _Bad(row, column, "NaN" if np.isnan(rows[row, column]) else "infinity", len(rows))
    return Survey(len(rows), low, high, added, heaviest, total)


def _small(block: Block, function: Callable, name: str, *arguments: Any) -> Any:
    return _both(block, function, name, arguments)[0]


def _large(block: Block, function: Callable, name: str, *arguments: Any) -> Any:
    return _both(block, function, name, arguments)[1]


def _both(block: Block, function: Callable, name: str, arguments: tuple) -> tuple:
    """Return both results of a function; who comes first leaves them for the other."""
    with block.lock:
        known = block.notes.pop(name, None)
        if known is None:
            known = block.notes[name] = function(block, *arguments)
    return known


def _pass(rows: BlockRows, function: Callable, merge: Callable | None, arguments: tuple, **how: Any) -> list:
    with told(rows, arguments[0] if function is _small else function) as done:
        tasks = _tasks(rows, function, merge, arguments, rows.parts, _work)
        results = rows.crew.run(tasks, done, quick=rows.keep, **how)
    rows.moved([address for _, address in results])
    return [result for result, _ in results]


def _tasks(
    rows: BlockRows, function: Callable, merge: Callable | None, arguments: tuple, parts: list[Part], work: Callable
) -> list[Task]:
    how = _How(rows.token, rows.view, rows.prepare, rows.dtype, rows.device, rows.keep)
    tasks = []
    for part in parts:
        numbers = part.blocks
        starts, ranks = (
            [int(values[i]) for i in numbers] if rows.surveys else [0] * len(numbers)
            for values in (rows.starts, rows.ranks)
        )  # fmt: skip
        sources = [
            None if values is None else values[i]
            for values in (rows.sources, rows.weights, rows.labels)
            for i in numbers
        ]  # fmt: skip
        tasks.append(Task(work, [how, function, merge, arguments, numbers, starts, ranks, *sources], part.home))
    return tasks


def _work(
    how: _How,
    function: Callable,
    merge: Callable | None,
    arguments: tuple,
    numbers: list,
    starts: list,
    ranks: list,
    *sources: Any,
) -> Any:
    """Run a task: block after block, so that one at a time is in memory where blocks are not kept."""
    found: Any = []
    n = len(numbers)
    sources_of_each = zip(*(sources[first : first + n] for first in (0, n, 2 * n)), strict=True)
    for i, block in enumerate(_blocks(how, numbers, starts, ranks, sources_of_each)):
        result = function(block, *arguments)
        if merge is None:
            found.append(result)
        else:
            found = result if i == 0 else merge(found, result)
        block_is_done()
        stop_if_cancelled()
    return found


def _work_on_one(*arguments: Any) -> Any:
    return _work(*arguments)[0]


def _blocks(how: _How, numbers: list, starts: list, ranks: list, sources: Iterable) -> Iterator[Block]:
    kept = _kept.setdefault(how.token, {})
    for number, start, rank, values in zip(numbers, starts, ranks, sources, strict=True):
        yield Block(how, number, start, rank, values, kept.setdefault(number, _Kept()))
