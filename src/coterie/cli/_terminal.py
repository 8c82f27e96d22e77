"""Talk on stderr: one line a step, colour and a progress bar only where somebody is looking."""

import contextlib
import os
import re
import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["Talk", "error", "is_terminal", "line", "printable"]

_STYLES = {"error": "31", "warning": "33", "dim": "2", "bold": "1"}
# Control characters in a file or column name must not reach the terminal as commands, nor marks that reverse what follows.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
BAR_AFTER_SECONDS = 1.0


def is_terminal() -> bool:
    """Tell whether a person is looking at stderr."""
    try:
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):
        return False


def printable(text: str) -> str:
    """Return ``text`` with control characters shown, not obeyed."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def line(name: str, text: str, *, style: str = "bold", error: bool = False) -> None:
    """Write ``name`` and ``text`` as one line to stderr."""
    label = _styled(f"{name:<10}", "error" if error else style)
    _write(f"{label} {printable(text)}\n")


def error(sentence: str) -> None:
    """Write one sentence about what went wrong to stderr."""
    _write(f"{_styled('error:', 'error')} {printable(' '.join(sentence.split()))}\n")


def _styled(text: str, style: str) -> str:
    if not is_terminal() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except UnicodeEncodeError:
        encoding = sys.stderr.encoding or "ascii"
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding))
    except (OSError, ValueError):
        pass  # nobody listens any more; the result still counts


class Talk:
    """What a running command says.

    Parameters
    ----------
    quiet : bool
        Say nothing but errors and warnings.
    verbose : bool
        Add the seconds of each step, and the library's log.
    """

    def __init__(self, quiet: bool = False, verbose: bool = False):
        self.quiet = quiet
        self.verbose = verbose
        self._bar: Any = None
        self._task: Any = None
        self._step_began = time.monotonic()
        if verbose:
            import logging

            logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop_bar()

    def deliver(self, text: str, output: str) -> None:
        """Write the answer to a file, whole or not at all, or to stdout for "-"."""
        if output == "-":
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        from ..files import write_text
        from ._interrupt import leave_no_part_of

        with leave_no_part_of(output):
            write_text(Path(output), text)
        self.say("wrote", output)

    def say(self, name: str, text: str) -> None:
        """Write a line, unless quiet."""
        self.stop_bar()
        self._step_began = time.monotonic()
        if not self.quiet:
            line(name, text)

    def warn(self, text: str) -> None:
        """Write a warning, quiet or not."""
        self.stop_bar()
        line("warning", text, style="warning")

    @contextlib.contextmanager
    def warnings_told(self) -> Iterator[None]:
        """Write what the block warns of a cluster that others can reach."""
        from ..errors import ClusterWarning

        with warnings.catch_warnings():
            warnings.simplefilter("always", ClusterWarning)
            warnings.showwarning = lambda message, *_, **__: self.warn(str(message))
            yield

    def block(self, text: str) -> None:
        """Write lines as they are, unless quiet."""
        self.stop_bar()
        if not self.quiet:
            _write("\n".join(printable(row) for row in text.split("\n")))

    def step(self, step: Any) -> None:
        """Say that a step of the study has ended; given to ``coterie.run`` as ``on_step``."""
        spent = f"  ({step.seconds:.2f} s)" if self.verbose else ""
        self.say(_SHOWN.get(step.name, step.name), f"{step.text}{spent}")
        if self.verbose:
            self.details(step)

    def details(self, step: Any) -> None:
        """Say more of a step, line by line."""
        for line in getattr(step, "details", ()):
            self.say("", line)

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Show how far a long step is; given to ``coterie.run`` as ``on_progress``."""
        if self.quiet or not is_terminal():
            return
        if self._bar is None:
            if time.monotonic() - self._step_began < BAR_AFTER_SECONDS:
                return
            self._make_bar(timed=not text.endswith(" blocks"))
        self._bar.update(self._task, completed=done, total=total or None, description=printable(text) or "working")
        self._bar.start()

    def width(self) -> int:
        """Return the columns to fill: those of the terminal, 100 where there is none."""
        return shutil.get_terminal_size((100, 24)).columns if is_terminal() else 100

    def _make_bar(self, *, timed: bool) -> None:
        # Of passes nobody knows how many will follow: time left in one of them would look like that of the whole.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        shown = (TextColumn("{task.description:<10}", markup=False), BarColumn())
        columns = (*shown, TimeRemainingColumn()) if timed else shown
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("working", total=None)

    def stop_bar(self) -> None:
        """Take the progress bar away, if there is one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


_SHOWN = {"choose": "chosen", "cluster": "clusters"}
