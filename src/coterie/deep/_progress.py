"""How far a training has come, for people who watch: to the error stream, and only where asked for."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["progress"]


@contextlib.contextmanager
def progress(verbose: int, title: str) -> Iterator[Callable[[dict[str, Any], int], None] | None]:
    """Yield what shows an epoch, given its record and how many there will be; None where nothing is to be shown.

    Parameters
    ----------
    verbose : int
        0 shows nothing, 1 a bar for each phase, more also a line for each epoch.
    title : str
        Name of the estimator.
    """
    if not verbose:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=sys.stderr)) as bars:
        tasks: dict[str, Any] = {}

        def show(record: dict[str, Any], epochs: int) -> None:
            phase = str(record["phase"])
            if phase not in tasks:
                tasks[phase] = bars.add_task(f"{title}: {phase}", total=epochs)
            bars.update(tasks[phase], completed=record["epoch"] + 1)
            if verbose > 1:
                facts = (f"{name} {value:.4g}" for name, value in record.items() if isinstance(value, float))
                bars.console.print(f"{phase} {record['epoch']}: {', '.join(facts)}")

        yield show
