"""The workers that tasks go to, and what happens when some of them, or the scheduler, are lost.

A task is a function of what it is given: run again elsewhere it returns the same bits. So a lost worker is the scheduler's
business, which gives its tasks to others; what remains for us is to notice when nothing will ever come back.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

from dask.core import flatten
from distributed import Client, Future, default_client, futures_of, get_worker
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from ...errors import ClusterError
from ..engine import get_num_threads, task_threads
from ..memory import free_bytes

__all__ = ["Crew", "Here", "Place", "Task", "crew_at_work"]

_MOST_TASKS = 4  # of one worker in one pass
_PATIENCE = 15.0  # seconds without a scheduler, or without any worker, until there is no hope
_POLL_SECONDS = 0.5


class Place(NamedTuple):
    """Where one task of a pass runs: a worker, and how many of its threads the kernels of the task may use."""

    address: str
    threads: int


class Task(NamedTuple):
    """What one worker does in a pass: ``function(*arguments)`` at home, or elsewhere if home is gone."""

    function: Callable
    arguments: Sequence
    home: Place


class Crew:
    """The workers of one client, as they are now.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Client):
        self.client = client

    def places(self) -> list[Place]:
        """Return where the tasks of a pass may run: at most four on each worker, which share its threads.

        Raises
        ------
        ClusterError
            If no worker comes.
        """
        began = time.monotonic()
        while not (workers := self._workers()):
            if time.monotonic() - began > _PATIENCE:
                raise ClusterError(
                    f"no worker has come to {self._name()} in {_PATIENCE:.0f} seconds; start workers, then fit again"
                )
            time.sleep(_POLL_SECONDS)
        found = []
        for address in sorted(workers):
            n_threads = max(1, int(workers[address]["nthreads"]))
            n_tasks = min(_MOST_TASKS, n_threads)
            found += [Place(address, -(-n_threads // n_tasks))] * n_tasks
        return found

    def memory(self) -> float:
        """Return how many bytes all workers together may use; infinity where one of them is not limited."""
        limits = [worker.get("memory_limit") or float("inf") for worker in self._workers().values()]
        return float(sum(limits))

    def persist(self, table: Any) -> list[Future]:
        """Compute the blocks of a Dask collection and leave them on the workers."""
        persisted = self.client.persist(table)
        futures = {future.key: future for future in futures_of(persisted)}
        self.wait(list(futures.values()))
        return [futures[key] for key in flatten(persisted.__dask_keys__())]

    def holders(self, sources: Sequence) -> list[str | None]:
        """Return the address of a worker that holds each block; None for what lies nowhere."""
        futures = [source for source in sources if isinstance(source, Future)]
        found = self.client.who_has(futures) if futures else {}
        return [
            min(found.get(source.key, ()), default=None) if isinstance(source, Future) else None for source in sources
        ]

    def tell(self, function: Callable, *arguments: Any) -> None:
        """Call a function on every worker, some time soon; what is lost meanwhile need not hear it."""

        async def send() -> None:
            with contextlib.suppress(Exception):
                await self.client._run(function, *arguments, on_error="return")

        if self.client.status == "running" and self.client.loop is not None:
            self.client.loop.add_callback(send)

    def run(self, tasks: Sequence[Task], done: Callable[[int], None] | None = None) -> list[tuple[Any, str]]:
        """Run tasks and return what each returned, and the address of the worker that it ran on.

        Raises
        ------
        ClusterError
            If the scheduler is lost, no worker is left, or the same task ends one worker after another.
        """
        futures = [
            self.client.submit(
                _run, task.home.threads, task.function, *task.arguments,
                workers=[task.home.address], allow_other_workers=True, pure=False,
            )
            for task in tasks
        ]  # fmt: skip
        self.wait(futures, done)
        with self._losses():
            return self.client.gather(futures)

    def wait(self, futures: list[Future], done: Callable[[int], None] | None = None) -> None:
        """Wait until all are done; Ctrl-C, or an error of one of them, cancels the others.

        Raises
        ------
        ClusterError
            As `run`.
        """
        try:
            with self._losses():
                self._wait(futures, done)
        except BaseException:
            self._cancel(futures)
            raise

    @contextlib.contextmanager
    def _losses(self) -> Iterator[None]:
        """Say in one sentence what is lost when Dask says it in its own words."""
        try:
            yield
        except (FutureCancelledError, CancelledError, CommClosedError) as error:
            raise self._lost(error) from error
        except KilledWorker as error:
            raise ClusterError(
                f"a task ended one worker after another on {self._name()} ({error}); give workers more memory or smaller blocks"
            ) from error

    def _wait(self, futures: list[Future], done: Callable[[int], None] | None) -> None:
        hopeless: float | None = None
        finished = 0
        while (n := sum(future.done() for future in futures)) < len(futures):
            if done is not None and n > finished:
                done(n)
            finished = n
            failed = next((future for future in futures if future.status == "error"), None)
            if failed is not None:
                failed.result()
            _sleep_until_done(futures, finished)
            if self.client.status == "running" and self._workers():
                hopeless = None
            elif hopeless is None:
                hopeless = time.monotonic()
            elif time.monotonic() - hopeless > _PATIENCE:
                raise self._lost(None)
        if done is not None:
            done(len(futures))

    def _workers(self) -> dict[str, Any]:
        """Return what the scheduler has told of its workers: from what the client heard last, without asking."""
        if self.client.status != "running":
            return {}
        try:
            return dict(self.client.scheduler_info(n_workers=-1)["workers"])
        except (OSError, CancelledError, RuntimeError, KeyError):
            return {}

    def _name(self) -> str:
        scheduler = getattr(self.client, "scheduler", None)
        return f"the scheduler at {scheduler.address}" if scheduler is not None else "the scheduler"

    def _lost(self, error: BaseException | None) -> ClusterError:
        what = "was lost" if self.client.status != "running" or error is not None else "has no worker left"
        return ClusterError(
            f"{self._name()} {what} while rows were being worked on; nothing was fitted: start it and fit again"
        )

    def _cancel(self, futures: list[Future]) -> None:
        try:
            if self.client.status == "running":
                self.client.cancel(futures, force=True)
        except Exception:
            pass


def crew_at_work() -> "Crew | Here":
    """Return the workers of the client that is open in this process, else the threads of the process itself."""
    try:
        return Crew(default_client())
    except ValueError:
        return Here()


class Here:
    """The process itself in the place of workers: blocks one after another, each by all threads; no socket is opened."""

    def places(self) -> list[Place]:
        """Return the one place there is."""
        return [Place("here", get_num_threads())]

    def memory(self) -> float:
        """Return how many bytes are free."""
        return free_bytes()

    def run(self, tasks: Sequence[Task], done: Callable[[int], None] | None = None) -> list[tuple[Any, str]]:
        """Run tasks one after another; see `Crew.run`."""
        found = []
        for task in tasks:
            found.append((task.function(*task.arguments), task.home.address))
            if done is not None:
                done(len(found))
        return found

    def persist(self, table: Any) -> None:
        """Return that nothing is held by workers."""

    def holders(self, sources: Sequence) -> list[str | None]:
        """Return that blocks lie nowhere until they are read."""
        return [None] * len(sources)

    def tell(self, function: Callable, *arguments: Any) -> None:
        """Call a function on every worker: here."""
        function(*arguments)


def _run(n_threads: int, function: Callable, *arguments: Any) -> tuple[Any, str]:
    """Run a task on a worker; its kernels use the task's share of the worker's threads."""
    with task_threads(n_threads):
        return function(*arguments), get_worker().address


def _sleep_until_done(futures: list[Future], finished: int) -> None:
    """Wait until another task has ended, for a moment at most; Ctrl-C is heard meanwhile."""
    end = time.monotonic() + _POLL_SECONDS
    while time.monotonic() < end and sum(future.done() for future in futures) == finished:
        time.sleep(0.002)
