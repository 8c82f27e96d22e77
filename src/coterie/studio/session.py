"""The state of one studio: its runs, the one that is shown, the names that people gave, and what can be undone."""

import secrets
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InputError, ResourceError
from ..report.naming import rename
from ..report.record import loads, now
from .jobs import Job, Queue
from .saving import Target, earlier_analysis, save
from .settings import CHOICES, Settings, settings_from
from .source import Source
from .work import PAGE, unsaved_page

__all__ = ["MOST_RUNS", "MOST_WAITING", "NoSuchRun", "Session"]

MOST_RUNS = 50
MOST_WAITING = 3
_MOST_SCENES = 200
_STORED = "run.coterie"  # in the folder of the task, wherever the run will be saved

Names = Mapping[int, str]


class NoSuchRun(InputError):
    """It was never there, or was removed."""


@dataclass
class Run:
    """One run of the studio; ``names`` are those that people gave, by the number of the group."""

    id: str
    number: int
    settings: Settings
    job: Job
    created: str
    names: Names = field(default_factory=dict)
    saved: str | None = None
    saved_names: Names = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"Run {self.number}"

    @property
    def is_saved(self) -> bool:
        """Whether it is saved with the names that it has now."""
        return self.saved is not None and self.names == self.saved_names


class Scene(NamedTuple):
    """What undo goes back to, and what it then undoes."""

    shown: str | None
    names: Mapping[str, Names]
    undoes: str


class Session:
    """Everything that the page shows and does.

    Parameters
    ----------
    source : Source
        The table.
    about : mapping
        What is known of it (`source.look`).
    room : Path
        A private folder, empty; each run has a folder in it.
    target : Target
        Where runs are saved.
    """

    def __init__(self, source: Source, about: Mapping[str, Any], room: Path, target: Target):
        self._source, self._about, self._room, self._target = source, about, room, target
        self._columns = {column["name"] for column in about["columns"]}
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._numbers = 0
        self._told_states = 0
        self._shown: str | None = None
        self._past: list[Scene] = []
        self._comparison: tuple[str, tuple[str, str], Job] | None = None
        self._queue = Queue(MOST_WAITING, self._heard)
        self._comparisons = Queue(1, lambda job: None)

    # ---- what the page shows

    def about(self) -> dict[str, Any]:
        """Return what does not change: the table, its columns, and the choices of the controls."""
        standard = Settings().plain()
        return {**self._about, "choices": CHOICES, "standard": standard, "save_as": self._target.name}

    def state(self) -> dict[str, Any]:
        """Return what changes: the runs, which one is shown, the comparison, and what undo would undo; later ones have higher numbers."""
        with self._lock:
            self._told_states += 1
            runs = [self._told(run) for run in self._runs.values()]
            undoes = self._past[-1].undoes if self._past else None
            shown, comparison = self._shown, self._told_comparison()
            return {
                "number": self._told_states,
                "runs": runs,
                "shown": shown,
                "undoes": undoes,
                "comparison": comparison,
            }

    def page(self, run_id: str) -> str:
        """Return the report of a run, with the names that people gave."""
        with self._lock:
            run = self._done(run_id)
            names, folder = run.names, self._folder(run)
        try:
            if not names:  # as the run itself has written it, so that the server is free for others
                return (folder.parent / PAGE).read_text(encoding="utf-8")
            record = (folder / "run.json").read_text(encoding="utf-8")
        except FileNotFoundError:  # it was removed meanwhile
            raise _no_such_run() from None
        return unsaved_page(rename(loads(record), names))

    def _told(self, run: Run) -> dict[str, Any]:
        job = run.job
        result = {key: value for key, value in (job.result or {}).items() if key != "groups"}
        return {
            "id": run.id, "name": run.name, "created": run.created, "settings": run.settings.plain(), "state": job.state,
            "steps": job.steps, "progress": job.progress, "seconds": job.seconds, "sentence": job.sentence, **result,
            "names": {str(group): name for group, name in run.names.items()},
            "saved": run.saved, "is_saved": run.is_saved,
        }  # fmt: skip

    # ---- what the page does

    def start(self, given: Any) -> str:
        """Begin a run, or let it wait for the one at work; return its id.

        Raises
        ------
        InputError
            If the settings cannot be.
        ResourceError
            If too many wait, or there are too many runs.
        """
        settings = settings_from(given, self._columns)
        with self._lock:
            if len(self._runs) >= MOST_RUNS:
                raise ResourceError(f"the studio keeps {MOST_RUNS} runs; remove some that you no longer need")
            run_id = secrets.token_urlsafe(12)
            options = settings.options()
            if self._source.time_limit is not None:
                options["time_limit"] = self._source.time_limit
            task = {
                "kind": "run", "folder": str(self._room / run_id), "source": self._source.for_child(), "options": options,
                "name": _STORED, "excel_safe": self._source.excel_safe,
            }  # fmt: skip
            job = Job(task)
            self._queue.add(job)
            self._numbers += 1
            self._runs[run_id] = Run(run_id, self._numbers, settings, job, now())
            return run_id

    def cancel(self, run_id: str) -> None:
        """End a run that waits or is at work; its process is gone when this returns."""
        run = self._known(run_id)
        self._queue.cancel(run.job)

    def remove(self, run_id: str) -> None:
        """Forget a run; what was saved of it stays."""
        self.cancel(run_id)
        with self._lock:
            run = self._known(run_id)
            del self._runs[run_id]
            self._past = [scene for scene in self._past if scene.shown != run_id]
            if self._shown == run_id:
                self._shown = None
            if self._comparison is not None and run_id in self._comparison[1]:
                self._end_comparison()
            shutil.rmtree(run.job.task["folder"], ignore_errors=True)

    def show(self, run_id: str) -> None:
        """Show the report of a run that is done."""
        with self._lock:
            run = self._done(run_id)
            if self._shown != run_id:
                self._remember(f"the change to {run.name}")
                self._shown = run_id

    def rename(self, run_id: str, group: Any, name: Any) -> None:
        """Call a group of a run otherwise; an empty name takes an earlier one back.

        Raises
        ------
        InputError
            If there is no such group, or the name cannot be given.
        """
        if not isinstance(group, int):
            raise InputError("a group to rename is given by its number; load the page anew")
        with self._lock:
            run = self._done(run_id)
            groups = {"clusters": [{"id": number, "name": ""} for number in run.job.result["groups"]]}
            named = rename(groups, {group: name})["clusters"]
            given = {cluster["id"]: cluster["given_name"] for cluster in named if "given_name" in cluster}
            names = {number: told for number, told in run.names.items() if number != group} | given
            if names != run.names:
                self._remember(f"the name of group {group} in {run.name}")
                run.names = names

    def undo(self) -> None:
        """Go back to what was shown, and what groups were called, before the last change."""
        with self._lock:
            if not self._past:
                raise InputError("there is nothing to undo")
            scene = self._past.pop()
            self._shown = scene.shown
            for run_id, names in scene.names.items():
                if run_id in self._runs:
                    self._runs[run_id].names = names

    def save(self, run_id: str, name: Any, *, replace: bool) -> dict[str, str]:
        """Write a run into its folder; where an earlier analysis stands there, only to ``replace`` it.

        Returns
        -------
        dict
            ``saved``: the folder; or ``earlier``: what stands there.
        """
        with self._lock:
            run = self._done(run_id)
            target = self._target.called(name)
            earlier = earlier_analysis(target)
            if earlier is not None and not replace and run.saved != target.said:
                return {"folder": target.said, "earlier": earlier}
            names = run.names
            save(self._folder(run), target, names)
            for other in self._runs.values():
                if other.saved == target.said:
                    other.saved = None
            run.saved, run.saved_names = target.said, names
            return {"saved": target.said}

    def compare(self, first: str, second: str) -> str:
        """Begin a comparison of two runs that are done, in place of an earlier one; return its id."""
        with self._lock:
            runs = [self._done(first), self._done(second)]
            if first == second:
                raise InputError("a comparison takes two different runs; choose another one")
            self._end_comparison()
            comparison_id = secrets.token_urlsafe(12)
            task = {
                "kind": "compare", "folder": str(self._room / comparison_id), "source": self._source.for_child(),
                "runs": [str(self._folder(run)) for run in runs], "names": [run.name for run in runs],
                "given": [{str(group): name for group, name in run.names.items()} for run in runs],
            }  # fmt: skip
            job = Job(task)
            self._comparisons.add(job)
            self._comparison = comparison_id, (first, second), job
            return comparison_id

    def compared(self, comparison_id: str) -> Any:
        """Return what a comparison has found.

        Raises
        ------
        InputError
            If it is not the last one, or not done.
        """
        with self._lock:
            if self._comparison is None or self._comparison[0] != comparison_id or self._comparison[2].state != "done":
                raise InputError("there is no such comparison; compare the runs again")
            return self._comparison[2].result

    def close(self) -> list[str]:
        """End every process; return the names of the runs that were not saved."""
        self._queue.close()
        self._comparisons.close()
        with self._lock:
            return [run.name for run in self._runs.values() if run.job.state == "done" and not run.is_saved]

    # ---- within

    def _known(self, run_id: str) -> Run:
        with self._lock:
            if run_id not in self._runs:
                raise _no_such_run()
            return self._runs[run_id]

    def _done(self, run_id: str) -> Run:
        run = self._known(run_id)
        if run.job.state != "done":
            raise InputError(f"{run.name} has no results; choose one that is done")
        return run

    def _folder(self, run: Run) -> Path:
        return Path(run.job.task["folder"]) / run.job.task["name"]

    def _remember(self, undoes: str) -> None:
        names = {run.id: run.names for run in self._runs.values()}
        self._past = [*self._past[1 - _MOST_SCENES :], Scene(self._shown, names, undoes)]

    def _heard(self, job: Job) -> None:
        """Show a run as soon as it is done."""
        if job.state != "done":
            return
        with self._lock:
            for run in self._runs.values():
                if run.job is job:
                    self.show(run.id)

    def _end_comparison(self) -> None:
        if self._comparison is not None:
            job = self._comparison[2]
            self._comparisons.cancel(job)
            shutil.rmtree(job.task["folder"], ignore_errors=True)
            self._comparison = None

    def _told_comparison(self) -> dict[str, Any] | None:
        if self._comparison is None:
            return None
        comparison_id, runs, job = self._comparison
        return {"id": comparison_id, "runs": runs, "state": job.state, "sentence": job.sentence}


def _no_such_run() -> NoSuchRun:
    return NoSuchRun("there is no such run any more; load the page anew")
