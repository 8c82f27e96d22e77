"""One record, one page and one folder for every application: what it found as sections of a few kinds.

An application says what it found in its own words: an answer, groups, sections that are bars, lines, histograms, heat maps, tables,
pictures or levels, and metrics with their definitions. `sheet_record` makes a record of that, and a `Sheet` writes it with the
application's own files into a folder of results.
"""

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import folder as folders
from .record import SHEET, dumps, finished
from .sheet_check import check_sheet
from .sheet_page import sheet_html, sheet_summary
from .sheet_text import sheet_text

__all__ = ["METRICS", "Sheet", "metrics_of", "sheet_record"]

METRICS = "coterie.metrics/1"
_OWN = {"metrics": "metrics.json", "record": "run.json", "report": "report.html"}


def sheet_record(
    *,
    kind: str,
    source: Mapping[str, Any],
    headline: str,
    answer: Sequence[str],
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    groups: Sequence[Mapping[str, Any]] = (),
    noun: str = "group",
    members: str = "rows",
    sections: Sequence[Mapping[str, Any]] = (),
    metrics: Sequence[Mapping[str, Any]] = (),
    warnings: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
    steps: Sequence[Any] = (),
    words: Sequence[Sequence[str]] = (),
) -> dict[str, Any]:
    """Make the record of an application from what it found.

    Parameters
    ----------
    kind : str
        The application: "segments", "recommend", "images", "anomaly".
    source : mapping
        What was read: ``name``, and where known ``rows``, ``bytes``, ``fingerprint``.
    headline : str
        The answer in one line: "6 segments of 2,357 customers".
    answer : sequence of str
        Sentences in the words of whoever asked, the most important first.
    options : mapping, optional
        As they were given; those that are None are left out.
    seed : int, default=0
    groups : sequence of mapping
        ``id`` (0, 1, 2 and so on; -1 for members that have none), ``name``, ``size``, ``share`` (0 to 1), and optionally ``facts``
        (pairs of words and a value in words), ``phrases``, ``rule``, ``picture`` (as in a section), ``tint`` (a colour of its own).
    noun, members : str
        What a group is called, one of it, and its members, several.
    sections : sequence of mapping
        Each with ``kind``, ``title``, ``text`` and what its kind needs; documented in ``coterie/report/schema/sheet-1.json``.
    metrics : sequence of mapping
        ``name``, ``label``, ``value``, ``format``, ``definition``; optionally ``unit``, ``low`` and ``high``; ``key`` is True where it
        belongs among the figures at the top.
    warnings : sequence of mapping
        ``text``, and what to do about it: ``remedy``.
    notes : sequence of str
        What was decided about the file.
    steps : sequence of mapping or of steps
        ``name``, ``text``, ``seconds``.
    words : sequence of pairs
        Words that the page explains, and what they mean.

    Returns
    -------
    dict
        The content of ``run.json``.

    Raises
    ------
    InputError
        If a part cannot be shown.

    Examples
    --------
    >>> bars = {"kind": "bars", "title": "Sizes", "labels": ["a", "b"], "series": [{"name": "rows", "values": [3, 1]}]}
    >>> record = sheet_record(
    ...     kind="segments", source={"name": "made.csv"}, headline="2 segments", answer=["There are two."], sections=[bars]
    ... )
    >>> record["schema"], record["sections"][0]["title"]
    ('coterie.sheet/1', 'Sizes')
    """
    body = {
        "kind": kind, "noun": noun, "members": members, "headline": headline, "answer": list(answer), "groups": list(groups),
        "sections": list(sections), "metrics": list(metrics), "warnings": list(warnings), "notes": list(notes),
        "steps": [_step(one) for one in steps], "words": [list(pair) for pair in words],
    }  # fmt: skip
    record = finished(body, source, options or {}, schema=SHEET, seed=int(seed))
    check_sheet(record)
    return record


@dataclass(frozen=True, repr=False)
class Sheet:
    """What an application found, ready to be shown and written.

    Parameters
    ----------
    record : dict
        See `sheet_record`.
    writers : mapping of str to callable
        Name of a file to a function that writes it at the path it is given. ``metrics.json``, ``run.json`` and ``report.html`` are
        added.
    next : sequence of str
        Commands that make sense from here; ``{folder}`` stands for the folder of results.
    """

    record: dict[str, Any]
    writers: Mapping[str, Callable[[Path], object]] = field(default_factory=dict)
    next: Sequence[str] = ()

    def __post_init__(self) -> None:
        taken = sorted(set(self.writers) & {*_OWN.values()})
        if taken:
            raise AssertionError(f"{taken[0]} is written by the sheet itself")

    def to_text(self, width: int = 100) -> str:
        """Return the summary that the terminal shows."""
        return sheet_text(self.record, width=width)

    def to_html(self) -> str:
        """Return the report: one page that needs nothing but a browser."""
        return sheet_html(self.record)

    def write(self, folder: str | os.PathLike, *, force: bool = False, report: bool = True) -> dict[str, Path]:
        """Write the application's files, metrics, record and report into ``folder``: all of them, or nothing.

        Parameters
        ----------
        folder : str or path-like
            Created, or, where it holds an earlier analysis, replaced in one step. Other files in it are kept.
        force : bool, default=False
            Write even into a folder that holds other things but no earlier analysis.
        report : bool, default=True
            Write the page; it can be made later from the record by `coterie.report.render`.

        Returns
        -------
        dict of str to Path
            What was written, by file name without its ending; the record is ``"record"``, the page ``"report"``.

        Raises
        ------
        OutputError
            If the folder cannot be written; what stood there before still stands, whole.
        """
        target = folders.check_target(folder, force=force)
        files = self._files(report)
        record = {**self.record, "files": files, "next": self.steps_from(folder, report=report)}
        texts: dict[str, Callable[[], str]] = {
            "metrics": lambda: dumps(metrics_of(record)),
            "record": lambda: dumps(record),
            "report": lambda: sheet_html(record),
        }
        writers = dict(self.writers) | {
            name: _text_writer(texts[role]) for role, name in files.items() if name in _OWN.values()
        }
        folders.write_folder(target, writers, force=force)
        return {role: target / name for role, name in files.items()}

    def _files(self, report: bool) -> dict[str, str]:
        stems = [Path(name).stem for name in self.writers]
        own = {role: name for role, name in _OWN.items() if report or role != "report"}
        roles = [
            stem if stems.count(stem) == 1 and stem not in _OWN else name
            for stem, name in zip(stems, self.writers, strict=True)
        ]
        return {**dict(zip(roles, self.writers, strict=True)), **own}

    def steps_from(self, folder: str | os.PathLike, *, report: bool = True) -> list[str]:
        """Return the commands that make sense once the results are in ``folder``."""
        place = os.fspath(folder)
        page = [f"open {shlex.quote(os.path.join(place, _OWN['report']))}"] if report else []
        return page + [line.replace("{folder}", shlex.quote(place)) for line in self.next]

    def __repr__(self) -> str:
        return f"<Sheet of {self.record['input'].get('name') or 'data'}: {self.record['headline']}>"

    def _repr_html_(self) -> str:
        return sheet_summary(self.record)


def metrics_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``metrics.json`` holds: each metric by its name, with what it means.

    Parameters
    ----------
    record : mapping
        See `sheet_record`.

    Returns
    -------
    dict
    """
    kept = ("value", "low", "high", "unit", "definition")
    found = {
        one["name"]: {key: one.get(key) for key in kept if key in ("value", "definition") or one.get(key) is not None}
        for one in record["metrics"]
    }
    return {"schema": METRICS, "kind": record["kind"], "seed": record["seed"], "metrics": found}


def _step(step: Any) -> dict[str, Any]:
    if isinstance(step, Mapping):
        return dict(step)
    return {"name": step.name, "text": step.text, "seconds": step.seconds}


def _text_writer(make: Callable[[], str]) -> Callable[[Path], object]:
    return lambda path: path.write_text(make(), encoding="utf-8", newline="\n")
