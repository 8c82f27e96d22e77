"""A short queue of tasks, of which one runs at a time."""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ResourceError
from .child import Child

__all__ = ["Job", "Queue"]


@dataclass
class Job:
    """One task: what became of it, and how far it is.

    Attributes
    ----------
    task : mapping
        Plain JSON values; its ``folder`` is made when the job begins, and removed unless the job is done.
    state : {"waiting", "running", "done", "failed", "cancelled"}
    steps : list of dict
        Those that have ended: ``step``, ``text``, ``seconds``.
    progress : dict
        Of the step at work: ``done``, ``total``, ``text``; empty where it tells none.
    sentence : str
        Why it failed.
    result : object
        What it left behind, once it is done.
    """

    task: Mapping[str, Any]
    state: str = "waiting"
    steps: list[dict[str, Any]] = field(default_factory=list)
    progress: dict[str, Any] = field(default_factory=dict)
    sentence: str = ""
    result: Any = None
    began: float = 0.0
    ended: float = 0.0
    child: Child | None = None

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return (self.ended or time.monotonic()) - self.began if self.began else 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "failed", "cancelled")


class Queue:
    """Runs one job at a time, in the order in which they came.

    Parameters
    ----------
    most_waiting : int
        How many may wait beside the one at work.
    changed : callable
        Told of each job after something has happened to it, from whichever thread it happened in.
    """

    def __init__(self, most_waiting: int, changed: Callable[[Job], None]):
        self._most_waiting = most_waiting
        self._changed = changed
        self._lock = threading.RLock()
        self._waiting: list[Job] = []
        self._at_work: Job | None = None
        self._closed = False

    def add(self, job: Job) -> None:
        """Begin the job, or let it wait.

        Raises
        ------
        ResourceError
            If as many as may wait are waiting.
        """
        with self._lock:
            if len(self._waiting) >= self._most_waiting:
                raise ResourceError(
                    f"{len(self._waiting)} others are waiting already; wait until one has ended, or cancel it"
                )
            self._waiting.append(job)
            self._next()

    def cancel(self, job: Job) -> None:
        """End the job, whether it waits or runs; its process is gone when this returns."""
        with self._lock:
            if job.is_over:
                return
            if job.child is not None:
                job.child.kill()
            self._end(job, "cancelled")

    def close(self) -> None:
        """Cancel everything and take nothing more."""
        with self._lock:
            self._closed = True
            for job in [*self._waiting, self._at_work]:
                if job is not None:
                    self.cancel(job)

    def _next(self) -> None:
        if self._at_work is not None or not self._waiting or self._closed:
            return
        job = self._at_work = self._waiting.pop(0)
        job.state, job.began = "running", time.monotonic()
        try:
            Path(job.task["folder"]).mkdir()
            job.child = Child(job.task, lambda event: self._heard(job, event))
        except OSError as error:  # no room on the disk, no process to be had
            job.sentence = f"the run could not be started: {error.strerror or error}"
            self._end(job, "failed")

    def _heard(self, job: Job, event: dict[str, Any]) -> None:
        with self._lock:
            if job.is_over:  # it was cancelled while this event was on its way
                return
            if "step" in event:
                job.steps.append(event)
                job.progress = {}
            elif "ended" not in event:
                job.progress = event
            elif event["ended"] == "done" and job.child is not None:
                job.result = job.child.result()
                self._end(job, "done")
            else:
                job.sentence = event["sentence"]
                self._end(job, "failed")
        self._changed(job)

    def _end(self, job: Job, state: str) -> None:
        job.state, job.ended, job.progress, job.child = state, time.monotonic(), {}, None
        if state != "done":
            with contextlib.suppress(OSError):
                shutil.rmtree(job.task["folder"])
        if self._at_work is job:
            self._at_work = None
        else:
            with contextlib.suppress(ValueError):
                self._waiting.remove(job)
        self._next()
