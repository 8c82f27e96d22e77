"""Calls of workers, for what takes no longer than the scheduler's own work on a task.

A task costs some 10 to 20 ms until its result is here, however little there is to do; a call costs 2 or 3. But nobody repeats a
call whose worker is lost, and it can be given only what its worker holds. So a call may remain unanswered, and then is a task.
"""

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from distributed import Client, Future, Worker, get_worker
from distributed.core import Status

from ..engine import task_threads
from .tasks import Task

__all__ = ["Calls", "current_worker", "stop_here", "stop_if_cancelled"]


class _Held(NamedTuple):
    key: Any  # of what the worker holds


class _Failed(NamedTuple):
    error: Exception


class _Answer(NamedTuple):
    value: Any


class _Call(NamedTuple):
    worker: Worker
    stopped: threading.Event


_call: ContextVar[_Call] = ContextVar("call")  # that this thread is at
_at_work: dict[str, threading.Event] = {}  # calls of this process


class Calls:
    """Some tasks as calls of the workers where they are at home, all at once.

    Parameters
    ----------
    client : distributed.Client
    tasks : sequence of Task
    """

    def __init__(self, client: Client, tasks: Sequence[Task]):
        self.tokens = [uuid.uuid4().hex for _ in tasks]
        self._client, self._tasks = client, tasks
        self._answers: list[asyncio.Task] = []

    async def wait(self, seconds: float) -> bool:
        """Wait a moment, sending the calls first if that has not been done; say whether all have ended."""
        if not self._answers:
            self._answers = [
                asyncio.ensure_future(self._ask(token, task))
                for token, task in zip(self.tokens, self._tasks, strict=True)
            ]
        await asyncio.wait(self._answers, timeout=seconds)
        return all(answer.done() for answer in self._answers)

    def ended(self) -> list[int]:
        """Return the numbers of the tasks that have been answered so far.

        Raises
        ------
        Exception
            What a task has raised.
        """
        found = [i for i in range(len(self._answers)) if self._answer(i) is not None]
        failed = next((f for f in map(self._answer, found) if isinstance(f, _Failed)), None)
        if failed is not None:
            raise failed.error
        return found

    def results(self) -> list[tuple[Any, str] | None]:
        """Return what each task returned and where, as `Crew.run`; None for those that remain unanswered."""
        answers = [self._answer(i) for i in range(len(self._tasks))]
        return [
            (answer.value, task.home.address) if isinstance(answer, _Answer) else None
            for answer, task in zip(answers, self._tasks, strict=True)
        ]

    def keep_to(self, workers: Any) -> None:
        """Expect no answer from others than these any more."""
        for answer, task in zip(self._answers, self._tasks, strict=True):
            if task.home.address not in workers and self._client.loop is not None:
                self._client.loop.add_callback(answer.cancel)

    def _answer(self, i: int) -> Any:
        task = self._answers[i]
        return task.result() if task.done() and not task.cancelled() else None

    async def _ask(self, token: str, task: Task) -> Any:
        address = task.home.address
        arguments = _each(Future, lambda future: _Held(future.key), list(task.arguments))
        with contextlib.suppress(Exception):  # whatever it is that keeps a worker from answering, the task is run again
            return (
                await self._client._run(
                    _answered, token, task.home.threads, task.function, arguments, workers=[address]
                )
            )[address]


def current_worker() -> Worker | None:
    """Return the worker that this thread works for, by a task or a call; None where it works for none."""
    call = _call.get(None)
    if call is not None:
        return call.worker
    try:
        return get_worker()
    except ValueError:
        return None


def stop_here(tokens: Sequence[str]) -> None:
    """Stop calls of this process, at the ends of the blocks that they are at."""
    for token in tokens:
        if token in _at_work:
            _at_work[token].set()


def stop_if_cancelled() -> None:
    """Stop if nobody waits for the result of this thread's task or call any more.

    Raises
    ------
    InterruptedError
    """
    call, worker = _call.get(None), current_worker()
    if call is not None:
        cancelled = call.stopped.is_set()
    else:
        task = None if worker is None else worker.state.tasks.get(worker.get_current_task())
        cancelled = task is not None and task.state == "cancelled"
    if cancelled:
        raise InterruptedError("the task was cancelled")


async def _answered(
    token: str, n_threads: int, function: Callable, arguments: list, dask_worker: Worker
) -> _Answer | _Failed | None:
    """Run a function by the threads that this worker has for tasks; not where it lacks an argument, or rests for lack of memory."""
    if dask_worker.status != Status.running:
        return None
    try:
        values = _each(_Held, lambda held: dask_worker.data[held.key], arguments)
    except KeyError:
        return None
    call = _Call(dask_worker, threading.Event())
    _at_work[token] = call.stopped
    work = partial(_run, call, n_threads, function, values)
    try:
        return await asyncio.get_running_loop().run_in_executor(dask_worker.executors["default"], work)
    finally:
        del _at_work[token]


def _each(kind: type, function: Callable, values: Any) -> Any:
    """Replace what is of a kind among values, and in the lists and tuples among them, where Dask would find it too."""
    if isinstance(values, kind):
        return function(values)
    if type(values) in (list, tuple):
        return type(values)(_each(kind, function, value) for value in values)
    return values


def _run(call: _Call, n_threads: int, function: Callable, arguments: list) -> _Answer | _Failed:
    at = _call.set(call)
    try:
        with task_threads(n_threads):
            return _Answer(function(*arguments))
    except Exception as error:
        return _Failed(error)
    finally:
        _call.reset(at)
