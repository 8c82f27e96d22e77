"""The process itself in the place of workers, where no client of Dask is open."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..engine import get_num_threads
from ..memory import free_bytes
from .tasks import Place, Plan, Task

__all__ = ["Here", "limited"]

_most_bytes = float("inf")  # that `Here` may take


@contextlib.contextmanager
def limited(n_bytes: float) -> Iterator[None]:
    """Let this process, where it stands in the place of workers, take no more than so many bytes for rows."""
    global _most_bytes
    before, _most_bytes = _most_bytes, float(n_bytes)
    try:
        yield
    finally:
        _most_bytes = before


class Here:
    """The process itself in the place of workers: blocks one after another, each by all threads; no socket is opened."""

    def places(self) -> list[Place]:
        """Return the one place there is."""
        return [Place("here", get_num_threads())]

    def memory(self) -> float:
        """Return how many bytes are free, or fewer where no more shall be taken."""
        return min(free_bytes(), _most_bytes)

    def run(
        self,
        tasks: Sequence[Task],
        done: Callable[[list[int]], None] | None = None,
        *,
        quick: bool = False,
        meanwhile: Callable[[], None] | None = None,
    ) -> list[tuple[Any, str]]:
        """Run tasks one after another; see `Crew.run`."""
        found = []
        for task in tasks:
            found.append((task.function(*task.arguments), task.home.address))
            if done is not None:
                done(list(range(len(found))))
        if meanwhile is not None:
            meanwhile()
        return found

    def stream(self, plans: Sequence[Plan], done: Callable[[int], None] | None = None) -> list:
        """Run calls one after another; see `Crew.stream`."""
        (place,) = self.places()
        found = []
        for plan in plans:
            errand = plan(place)
            found.append(errand.function(*errand.arguments))
            if done is not None:
                done(len(found))
        return found

    def leave(self, tasks: Sequence[Task], keys: Sequence[tuple]) -> list:
        """Return the results of tasks; see `Crew.leave`."""
        return [task.function(*task.arguments) for task in tasks]

    def wait(self, results: list) -> None:
        """Return at once: what this process leaves is there."""

    def persist(self, table: Any) -> None:
        """Return that nothing is held by workers."""

    def holders(self, sources: Sequence) -> list[str | None]:
        """Return that blocks lie nowhere until they are read."""
        return [None] * len(sources)

    def tell(self, function: Callable, *arguments: Any) -> None:
        """Call a function on every worker: here."""
        function(*arguments)
