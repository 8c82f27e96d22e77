"""Who looks on while passes run is told what a pass does and how many of its blocks are done: counted, never guessed.

Where this process works itself, each block counts as it is done; on workers, the blocks of a task count when the task has ended. Of rows
that travel through files, what counts are the receivers.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .here import Here

__all__ = ["Tally", "block_is_done", "told", "told_of_receivers", "watching"]

Callback = Callable[[int, str, int, int], None]


class Tally:
    """What the passes have done so far.

    Attributes
    ----------
    passes : int
        Passes begun.
    readings : int
        How many times all rows were read: in each pass, or once where rows are kept.
    """

    def __init__(self, callback: Callback | None):
        self.passes = self.readings = 0
        self._callback = callback
        self._counts: Counter[str] = Counter()
        self._kept: set[str] = set()
        self._what, self._done, self._total = "", 0, 0

    def read(self, rows: Any) -> None:
        """Take down that rows are read, unless workers have kept them."""
        self.readings += rows.token not in self._kept
        if rows.keep:
            self._kept.add(rows.token)

    def begin(self, function: Callable, total: int) -> None:
        """Take down that a pass begins, over so many blocks or receivers."""
        words = getattr(getattr(function, "func", function), "words", None)
        self.passes += 1
        if words is not None:
            self._counts[words] += 1
        self._what = f"pass {self.passes}" if words is None else words.format(self._counts[words])
        self._total = total
        self.tell(0)

    def tell(self, done: int) -> None:
        """Tell how many blocks of this pass are done."""
        self._done = done
        if self._callback is not None:
            self._callback(self.passes, self._what, done, self._total)

    def one_more(self) -> None:
        """Tell that one more block is done."""
        self.tell(min(self._done + 1, self._total))


_tally: Tally | None = None
_here = False  # whether blocks are worked on by this process


@contextmanager
def watching(callback: Callback | None = None) -> Iterator[Tally]:
    """See `coterie.primitives.blocks.watching`."""
    global _tally
    before, _tally = _tally, Tally(callback)
    try:
        yield _tally
    finally:
        _tally = before


@contextmanager
def told(rows: Any, function: Callable) -> Iterator[Callable[[list[int]], None] | None]:
    """Begin a pass; what this yields is to be told the numbers of the tasks that have ended."""
    global _here
    tally = _tally
    if tally is None:
        yield None
        return
    tally.read(rows)
    tally.begin(function, len(rows.sources))
    sizes = [len(part.blocks) for part in rows.parts]
    _here = isinstance(rows.crew, Here)
    try:
        yield lambda ended: tally.tell(sum(sizes[i] for i in ended))
    finally:
        _here = False


def told_of_receivers(function: Callable, n: int) -> Callable[[int], None] | None:
    """Begin a pass over what was left in files; what this returns is to be told how many receivers are done."""
    if _tally is None:
        return None
    _tally.begin(function, n)
    return _tally.tell


def block_is_done() -> None:
    """Count a block, where this process itself works on blocks."""
    if _here and _tally is not None:
        _tally.one_more()
