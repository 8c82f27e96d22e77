"""What workers are told to do: tasks of a pass, and errands that others must read something for first."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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
