"""Running a kernel over blocks: the same bits on any number of threads, and Ctrl-C at any time.

A kernel is an ordinary compiled function ``kernel(block, ...)`` that works on one block and writes only what belongs to that
block. How many blocks there are depends on the data alone, never on the threads; what must be added up across blocks goes to
one slot per block and is merged in block order by the caller. Worker threads take the next block until none is left. Kernels
hold no GIL, so Python threads run them side by side; the main thread only waits, so that a signal reaches it at once.
"""

import itertools
import os
import threading
from collections.abc import Callable
from typing import Any

from ..engine import get_num_threads

__all__ = ["block_count", "free_blocks", "run_blocks", "run_kernel"]

_POLL_SECONDS = 0.05
_LEAVE_SECONDS = 0.3


def block_count(n: int, rows_per_block: int = 4096, most: int = 256) -> int:
    """Return into how many blocks ``n`` rows are divided: a function of the data alone."""
    return max(1, min(most, -(-n // rows_per_block)))


def free_blocks(n: int, most: int = 256) -> int:
    """Return into how many blocks to divide ``n`` rows where the result is the same for any number.

    A thread that has no other to share the rows with takes them in larger blocks: each call of a kernel costs some 20 microseconds.
    """
    return block_count(n, 4096 if get_num_threads() > 1 else 65_536, most)


def run_kernel(kernel: Callable, *arguments: Any) -> Any:
    """Run one sequential kernel in a worker thread and return what it returns; Ctrl-C is heard meanwhile.

    The kernel must itself return soon (well under half a second) or poll: use `run_blocks` for long work.
    """
    results: list[Any] = []
    _run(lambda: results.append(kernel(*arguments)), 1)
    return results[0]


def run_blocks(kernel: Callable, n_blocks: int, *arguments: Any) -> None:
    """Call ``kernel(block, *arguments)`` for each block, on as many threads as allowed.

    Parameters
    ----------
    kernel : compiled function
        Its first argument is the block's number; blocks must be independent of each other.
    n_blocks : int
        How many there are; see `block_count`.
    *arguments
        Passed on unchanged.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, within about 0.3 s or the time of one block, whichever is less; no further block is begun.
    """
    if n_blocks <= 1:
        # One block is soon done: handing it to another thread would cost more.
        if n_blocks == 1:
            kernel(0, *arguments)
        return
    counter = itertools.count()
    stop = threading.Event()

    def work() -> None:
        # next() on a count is atomic under the GIL: each block is taken once.
        while not stop.is_set():
            block = next(counter)
            if block >= n_blocks:
                return
            kernel(block, *arguments)

    _run(work, min(get_num_threads(), n_blocks), stop)


def _run(work: Callable[[], None], n_workers: int, stop: threading.Event | None = None) -> None:
    if n_workers == 1 and threading.current_thread() is not threading.main_thread():
        work()  # no signal comes here, and to hand it over costs a switch of threads each way
        return
    failures: list[BaseException] = []
    finished = threading.Semaphore(0)

    def guarded() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)
            if stop is not None:
                stop.set()
        finally:
            finished.release()

    _pool().run(guarded, n_workers)
    waiting = n_workers
    try:
        while waiting:
            if finished.acquire(timeout=_POLL_SECONDS):
                waiting -= 1
    except BaseException:
        if stop is not None:
            stop.set()
        # A kernel that is being compiled cannot be interrupted: it is left behind and begins no further block.
        while waiting and finished.acquire(timeout=_LEAVE_SECONDS):
            waiting -= 1
        raise
    if failures:
        raise failures[0]


class _Pool:
    """Daemon threads that live as long as the process: starting one costs more than a small kernel."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()

    def run(self, work: Callable[[], None], n_workers: int) -> None:
        for _ in range(n_workers):
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                worker = _Worker(self)
            worker.give(work)

    def back(self, worker: "_Worker") -> None:
        with self._lock:
            self._idle.append(worker)

    def belongs_here(self) -> bool:
        return self._process == os.getpid()


class _Worker:
    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self._work: Callable[[], None] | None = None
        self._wake = threading.Semaphore(0)
        threading.Thread(target=self._loop, name="coterie-worker", daemon=True).start()

    def give(self, work: Callable[[], None]) -> None:
        self._work = work
        self._wake.release()

    def _loop(self) -> None:
        while True:
            self._wake.acquire()
            work, self._work = self._work, None
            if work is not None:
                work()
            self._pool.back(self)


_current: _Pool | None = None


def _pool() -> _Pool:
    # Threads do not survive a fork: the child makes its own.
    global _current
    if _current is None or not _current.belongs_here():
        _current = _Pool()
    return _current
