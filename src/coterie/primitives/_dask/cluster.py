"""The workers that tasks go to, and what happens when some of them, or the scheduler, are lost.

A task is a function of what it is given: run again elsewhere it returns the same bits. So a lost worker is the scheduler's
business, which gives its tasks to others; what remains for us is to notice when nothing will ever come back.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any

from dask.core import flatten
from distributed import Client, Future, default_client, futures_of, wait
from distributed import TimeoutError as DaskTimeout
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from ...errors import ClusterError
from .calls import Calls, stop_here
from .here import Here
from .hope import PATIENCE, Hope
from .tasks import Errand, Lost, Place, Plan, Task, carry_out, carry_out_here

__all__ = ["Crew", "crew_at_work"]

_MOST_TASKS = 4  # of one worker in one pass
_POLL_SECONDS = 0.5
_UNDER_WAY = 0.005  # seconds until calls have been sent
_FETCH_SECONDS = 5.0  # until it is asked whether what is fetched is still there
_UNPAUSED = 0.75  # of a worker's limit: at 0.8 it is paused
_BARE_WORKER = 200 * 2**20  # bytes of a worker that has done nothing yet: what it imports


class Crew:
    """The workers of one client, as they are now.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Client):
        self.client = client
        self._last: list[Future] = []  # let go of when the next pass has been sent: saying so earlier would hold it up

    def places(self) -> list[Place]:
        """Return where the tasks of a pass may run: at most four on each worker, which share its threads.

        Raises
        ------
        ClusterError
            If no worker comes.
        """
        workers = self._some_workers()
        found = []
        for address in sorted(workers):
            n_threads = max(1, int(workers[address]["nthreads"]))
            n_tasks = min(_MOST_TASKS, n_threads)
            found += [Place(address, -(-n_threads // n_tasks))] * n_tasks
        return found

    def memory(self) -> float:
        """Return how many bytes all workers together have left; infinity where one of them is not limited.

        Raises
        ------
        ClusterError
            If no worker comes.
        """
        return float(sum(map(_left, self._some_workers().values())))

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

    def run(
        self,
        tasks: Sequence[Task],
        done: Callable[[list[int]], None] | None = None,
        *,
        quick: bool = False,
        meanwhile: Callable[[], None] | None = None,
    ) -> list[tuple[Any, str]]:
        """Run tasks and return what each returned, and the address of the worker that it ran on.

        Parameters
        ----------
        tasks : sequence of Task
        done : callable, optional
            Told the numbers of the tasks that have ended so far.
        quick : bool, default=False
            Whether what tasks need is at home as a rule, and they may take little time: workers are called first.
        meanwhile : callable, optional
            What to do once, while workers are busy.

        Raises
        ------
        ClusterError
            If the scheduler is lost, no worker is left, or the same task ends one worker after another.
        """
        found: list[Any] = self._called(tasks, done, meanwhile) if quick else [None] * len(tasks)
        left = [i for i, answer in enumerate(found) if answer is None]
        if not left:
            return found
        futures = self._last = self._submit([tasks[i] for i in left])
        if meanwhile is not None and not quick:
            meanwhile()
        ended = [i for i in range(len(tasks)) if found[i] is not None]
        self.wait(futures, None if done is None else lambda numbers: done(ended + [left[i] for i in numbers]))
        with self._losses():
            for i, answer in zip(left, self._gather(futures), strict=True):
                found[i] = answer
        return found

    def _called(self, tasks: Sequence[Task], done: Callable | None, meanwhile: Callable[[], None] | None) -> list:
        """Run tasks as calls; return None for those that remain unanswered."""
        calls, hope = Calls(self.client, tasks), self._hope()
        try:
            with self._losses():
                if meanwhile is not None:
                    self.client.sync(calls.wait, _UNDER_WAY)
                    meanwhile()
                while not self.client.sync(calls.wait, _POLL_SECONDS):
                    ended = calls.ended()
                    if done is not None:
                        done(ended)
                    hope.check()
                    calls.keep_to(self._workers())
                ended = calls.ended()
        except BaseException:
            self.tell(stop_here, calls.tokens)
            raise
        if done is not None:
            done(ended)
        return calls.results()

    def stream(self, plans: Sequence[Plan], done: Callable[[int], None] | None = None) -> list:
        """Run many calls, one at each place at a time, and return what each returned.

        Parameters
        ----------
        plans : sequence of callable
            Each tells what to call at the place that is free. What ``reads`` return follows the arguments.
        done : callable, optional
            Told how many are done.

        Raises
        ------
        Lost
            If all workers are gone that could read something.
        ClusterError
            As `run`.
        """
        found: list[Any] = [None] * len(plans)
        running: dict[Future, tuple[int, Place, list[tuple[Future, list[str]]]]] = {}
        waiting = list(range(len(plans)))[::-1]
        hope = self._hope()
        try:
            with self._losses():
                while waiting or running:
                    for place in self._free(running) if waiting else ():
                        number = waiting.pop()
                        future, reads = self._send(plans[number](place), place)
                        running[future] = number, place, reads
                        if not waiting:
                            break
                    _sleep_until_done(list(running), 0)
                    for future in [future for future in running if future.done()]:
                        found[running.pop(future)[0]] = self._gather([future])[0][0]
                        if done is not None:
                            done(len(plans) - len(waiting) - len(running))
                    hope.check()
                    self._miss(read for _, _, reads in running.values() for read in reads)
        except BaseException:
            self._cancel([f for future, (_, _, reads) in running.items() for f in (future, *(r for r, _ in reads))])
            raise
        return found

    def hold(self, calls: Sequence[tuple[Callable, Any, list[str]]]) -> list[Future]:
        """Run each ``function(argument)`` on one of its workers and leave the results there.

        Raises
        ------
        Lost
            If all workers of a call are gone.
        """
        futures = [
            self.client.submit(function, argument, workers=where, allow_other_workers=False, pure=False)
            for function, argument, where in calls
        ]
        try:
            with self._losses():
                while any(not future.done() for future in futures):
                    _sleep_until_done(futures, sum(future.done() for future in futures))
                    self._miss((future, where) for future, (_, _, where) in zip(futures, calls, strict=True))
        except BaseException:
            self._cancel(futures)
            raise
        return futures

    def _free(self, running: dict) -> list[Place]:
        free = self.places()
        for _, place, _ in running.values():
            if place in free:
                free.remove(place)
        return free

    def _send(self, errand: Errand, place: Place) -> tuple[Future, list[tuple[Future, list[str]]]]:
        reads = [
            (self.client.submit(function, argument, workers=where, allow_other_workers=False, pure=False), where)
            for function, argument, where in errand.reads
        ]
        future = self.client.submit(
            carry_out_here, place.threads, errand.function, *errand.arguments, *(read for read, _ in reads),
            workers=[place.address], allow_other_workers=True, pure=False,
        )  # fmt: skip
        return future, reads

    def _miss(self, reads: Iterable[tuple[Future, list[str]]]) -> None:
        """Raise if a read can never end: the scheduler would wait for its workers for ever."""
        present = self._workers()
        for read, where in reads:
            if present and not read.done() and not any(address in present for address in where):
                raise Lost(where)

    def leave(self, tasks: Sequence[Task], keys: Sequence[tuple]) -> list[Future]:
        """Have the results of tasks left on the workers, by given names."""
        return self._submit(tasks, keys)

    def _submit(self, tasks: Sequence[Task], keys: Sequence | None = None) -> list[Future]:
        """Send all tasks in one message: Dask's client sends the first at once, and the next not before 10 ms have passed."""
        function = carry_out_here if keys is None else carry_out

        async def send() -> list[Future]:
            return [
                self.client.submit(
                    function, task.home.threads, task.function, *task.arguments, key=key,
                    workers=[task.home.address], allow_other_workers=True, pure=False,
                )
                for task, key in zip(tasks, keys or [None] * len(tasks), strict=True)
            ]  # fmt: skip

        with self._losses():
            return self.client.sync(send)

    def wait(self, futures: list[Future], done: Callable[[list[int]], None] | None = None) -> None:
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

    def _wait(self, futures: list[Future], done: Callable[[list[int]], None] | None) -> None:
        hope = self._hope()
        finished = 0
        while len(ended := [i for i, future in enumerate(futures) if future.done()]) < len(futures):
            if done is not None and len(ended) > finished:
                done(ended)
            finished = len(ended)
            failed = next((future for future in futures if future.status == "error"), None)
            if failed is not None:
                failed.result()
            _sleep_until_done(futures, finished, "ALL_COMPLETED")
            hope.check()
        if done is not None:
            done(ended)

    def _gather(self, futures: list[Future]) -> list:
        """Fetch results; where a worker dies with one that was there, it is computed again, if there are workers."""
        hope, patience = self._hope(), _FETCH_SECONDS
        while True:
            self._wait(futures, None)
            try:
                return self.client.sync(self.client._gather, futures, callback_timeout=patience)
            except (TimeoutError, UnboundLocalError):
                if any(future.status == "error" for future in futures):
                    raise  # a task's own
                # A fetch that is given up before it has begun is left to the next, which then has no result either.
                self.client._gather_future = None
                hope.check()
                patience *= 2

    def _workers(self) -> dict[str, Any]:
        """Return what the scheduler says of its workers; nothing where it cannot be asked."""
        if self.client.status != "running":
            return {}
        scheduler: Any = self.client.scheduler
        try:
            # Not `client.scheduler_info`: it hands over what was last told to anybody, and the client itself asks every
            # other second for a summary in which no worker is named.
            return dict(self.client.sync(scheduler.identity, n_workers=-1)["workers"])
        except (OSError, CancelledError, RuntimeError, KeyError, AttributeError):  # no attributes: no scheduler now
            return {}

    def _hope(self) -> Hope:
        return Hope(lambda: bool(self._workers()), lambda: self._lost(None))

    def _some_workers(self) -> dict[str, Any]:
        """Return what the scheduler says of its workers, as soon as it has one."""
        began = time.monotonic()
        while not (workers := self._workers()):
            if time.monotonic() - began > PATIENCE:
                raise ClusterError(
                    f"no worker has come to {self._name()} in {PATIENCE:.0f} seconds; start workers, then fit again"
                )
            time.sleep(_POLL_SECONDS)
        return workers

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


def _left(worker: dict[str, Any]) -> float:
    """Return how many bytes a worker has left before it is paused: near its limit Dask begins no further task on it."""
    limit = worker.get("memory_limit") or float("inf")
    used = _BARE_WORKER + worker.get("metrics", {}).get("managed_bytes", 0)
    return max(0.0, _UNPAUSED * limit - used)


def _sleep_until_done(futures: list[Future], finished: int, return_when: str = "FIRST_COMPLETED") -> None:
    """Wait until another task has ended, or all have, for a moment at most; Ctrl-C is heard meanwhile."""
    pending = [future for future in futures if not future.done()]
    if pending and len(futures) - len(pending) == finished:
        with contextlib.suppress(DaskTimeout):
            wait(pending, timeout=_POLL_SECONDS, return_when=return_when)
