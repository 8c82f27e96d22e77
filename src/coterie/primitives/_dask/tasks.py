"""What workers are told to do: tasks of a pass, and errands that others must read something for first."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from distributed import get_worker

from ..engine import task_threads

__all__ = ["Errand", "Lost", "Place", "Plan", "Task"]


class Place(NamedTuple):
    """Where one task of a pass runs: a worker, and how many of its threads the kernels of the task may use."""

    address: str
    threads: int


class Task(NamedTuple):
    """What one worker does in a pass: ``function(*arguments)`` at home, or elsewhere if home is gone."""

    function: Callable
    arguments: Sequence
    home: Place


class Errand(NamedTuple):
    """One call that is run when a place is free, and what others must read for it first."""

    function: Callable
    arguments: Sequence
    reads: Sequence[tuple[Callable, Any, list[str]]]  # function, its argument, the only workers where it can be called


class Lost(Exception):
    """What a task needs was on a worker that is gone."""


Plan = Callable[[Place], Errand]


def carry_out(n_threads: int, function: Callable, *arguments: Any) -> Any:
    """Run a task on a worker; its kernels use the task's share of the worker's threads."""
    with task_threads(n_threads):
        return function(*arguments)


def carry_out_here(n_threads: int, function: Callable, *arguments: Any) -> tuple[Any, str]:
    """Run a task on a worker, and say on which."""
    return carry_out(n_threads, function, *arguments), get_worker().address
