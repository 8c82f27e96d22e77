"""A process that does one task, seen from the side of the server: start it, hear of it, end it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .work import RESULT

__all__ = ["Child"]

Hear = Callable[[dict[str, Any]], None]


class Child:
    """One task in a process of its own.

    Parameters
    ----------
    task : mapping
        Plain JSON values, among them ``kind`` and ``folder``; goes over a pipe, so that no secret in it shows in a list of processes.
    hear : callable
        Told of each event, in a thread of this object; the last one has ``ended``: "done", or "failed" with a ``sentence``. After
        `kill` nothing more is told.
    """

    def __init__(self, task: Mapping[str, Any], hear: Hear):
        self._folder = Path(task["folder"])
        self._hear: Hear | None = hear
        # Not the current folder: a file in it that is called like a module would be run (-P). A session of its own: Ctrl-C is
        # for the server, which ends its children itself. What a killed process leaves behind goes with the folder of its task.
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), task["folder"])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "coterie.studio.work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | temporary,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died at once, which the thread will tell
            self._process.stdin.write(f"{json.dumps(task)}\n".encode())
            self._process.stdin.flush()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def result(self) -> Any:
        """Return what the task has left behind."""
        return json.loads((self._folder / RESULT).read_text(encoding="utf-8"))

    def wait(self) -> None:
        """Wait until the process has ended and its last event has been told."""
        self._thread.join()

    def kill(self) -> None:
        """End the process, whatever it is doing, and wait until it is gone."""
        self._hear = None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        last: dict[str, Any] = {}
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):  # half a line, of a process that was ended meanwhile
                last = json.loads(line)
                if "ended" not in last:
                    self._tell(last)
        code = self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._tell(last if "ended" in last else {"ended": "failed", "error": "CoterieError", "sentence": _how(code)})

    def _tell(self, event: dict[str, Any]) -> None:
        if (hear := self._hear) is not None:
            hear(event)


def _how(code: int) -> str:
    """Say how a process came to an end that it did not announce."""
    if code == -getattr(signal, "SIGKILL", 9):
        return (
            "the system ended this run, most often because memory ran out; use fewer columns or rows, or another method"
        )
    how = f"by signal {-code}" if code < 0 else f"with code {code}"
    return f"the process of this run ended unexpectedly {how}; the other runs are untouched, and it can be run again"
