"""One task in a process of its own: look at the data, run an analysis, or compare two runs.

The task comes as one line of JSON on stdin, what happens goes out as lines of JSON on stdout, and results lie in the folder of the
task. Nothing is pickled. When stdin closes, whoever started the process is gone, and it ends.
"""

import contextlib
import json
import os
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import CoterieError, InputError, ResourceError

__all__ = ["PAGE", "RESULT", "main", "unsaved_page"]

PAGE = "page.html"
RESULT = "result.json"
MOST_COLUMNS = 10_000
_POLITENESS = 5  # of Unix: below what answers the page

Tell = Callable[[dict[str, Any]], None]


def main() -> None:
    """Do the task on stdin and end the process."""
    task = json.loads(sys.stdin.buffer.readline())
    tell = _teller()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_POLITENESS)
    warnings.simplefilter("ignore")  # what people must know is among the warnings of the record
    try:
        _TASKS[task["kind"]](task, tell)
        tell({"ended": "done"})
    except Exception as error:
        tell({"ended": "failed", **_explained(error)})
    os._exit(0)  # without waiting for threads, which hold nothing that is worth it


def _teller() -> Tell:
    """Return what writes events, where nothing that a library prints can come between them."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(event: dict[str, Any]) -> None:
        channel.write(f"{json.dumps(event)}\n")
        channel.flush()

    return tell


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _explained(error: Exception) -> dict[str, str]:
    from ..report.record import without_credentials

    if isinstance(error, CoterieError):
        return {"error": type(error).__name__, "sentence": str(error)}
    if isinstance(error, MemoryError):
        return {
            "error": ResourceError.__name__,
            "sentence": str(error) or "the memory of this machine was not enough; use fewer columns or rows",
        }
    reason = without_credentials((str(error).splitlines() or [""])[0][:200])
    sentence = f"something unexpected went wrong ({type(error).__name__}{': ' if reason else ''}{reason})"
    return {"error": CoterieError.__name__, "sentence": sentence}


# ---- the tasks


def _look(task: Mapping[str, Any], tell: Tell) -> None:
    """Leave behind what the table is called, its size, and each of its columns."""
    from .. import tables
    from ..report.record import without_credentials

    _refuse_what_is_no_table(task["source"])
    table = _read(task["source"])
    if len(table.columns) > MOST_COLUMNS:
        raise InputError(
            f"{table.name} has {len(table.columns):,} columns, and the studio shows at most {MOST_COLUMNS:,}; leave some out, or use "
            "coterie run"
        )
    roles = tables.find_roles(table)
    columns = [
        {"name": column.name, "kind": column.kind, "role": role.role, "used": role.used, "why": role.why, "missing": column.n_missing}
        for column, role in zip(table.columns, roles, strict=True)
    ]  # fmt: skip
    found = {
        "name": without_credentials(table.name),
        "rows": table.n_rows,
        "columns": columns,
        "notes": list(table.notes),
    }
    _leave(task, found)


def _refuse_what_is_no_table(source: Mapping[str, Any]) -> None:
    from .. import tables
    from ..report.blocks import block_source

    place = source["place"]
    if tables.holds_pictures(place):
        raise InputError(f"{place} holds pictures, and the studio takes tables; use coterie run {place}")
    if place.lower().removesuffix(".gz").endswith((".gml", ".graphml", ".graph", ".metis", ".mtx")):
        raise InputError(f"{place} holds a network, and the studio takes tables; use coterie network {place}")
    if block_source(place, "auto", None, source["memory_limit"], None) is not None:
        raise InputError(
            f"{place} does not fit into memory, where the studio works; use coterie run {place}, which works block by block"
        )


def _read(source: Mapping[str, Any]) -> Any:
    from .. import tables

    return tables.read(
        source["place"], query=source["query"], table=source["table"], memory_limit=source["memory_limit"]
    )


def _run(task: Mapping[str, Any], tell: Tell) -> None:
    """Run an analysis as `coterie run` does, and write its results into the folder of the task."""
    from .. import report
    from ..report.record import without_credentials
    from ..report.words import count, headline

    source = task["source"]
    data = source["place"] if source["table"] is None else _read(source)
    found = report.run(
        data,
        query=source["query"],
        memory_limit=source["memory_limit"],
        on_step=lambda step: tell({"step": step.name, "text": step.text, "seconds": step.seconds}),
        on_progress=lambda done, total, text: tell({"done": done, "total": total, "text": text}),
        **task["options"],
    )
    # By its plain name, so that the commands that the record suggests hold no folder of ours.
    os.chdir(task["folder"])
    is_file = "://" not in source["place"]
    found.write(task["name"], excel_safe=task["excel_safe"], input_path=source["place"] if is_file else None)
    record = found.record
    Path(PAGE).write_text(unsaved_page(record), encoding="utf-8")
    name, rows = without_credentials(record["input"]["name"]), count(record["input"]["rows"])
    _leave(task, {
        "headline": headline(record).removeprefix(f"{name}: ").removesuffix(f" in {rows} rows"),
        "method": record["chosen"]["method"],
        "groups": [cluster["id"] for cluster in record["clusters"]],
    })  # fmt: skip


def unsaved_page(record: Mapping[str, Any]) -> str:
    """Return the report of a run that is not saved: without files and commands, which come with the folder."""
    from ..report.pages import page_of

    return page_of({**record, "files": {}, "next": []})


def _compare(task: Mapping[str, Any], tell: Tell) -> None:
    """Leave behind how two runs of the studio differ, as `coterie compare` tells it."""
    from ..report.naming import rename
    from ..report.side_by_side import compare_runs
    from ..report.stored import open_run

    runs = [open_run(folder) for folder in task["runs"]]
    if runs[0].fingerprint != runs[1].fingerprint:
        raise InputError(f"the data have changed between {' and '.join(task['names'])}; run the earlier one again")
    for run, given in zip(runs, task["given"], strict=True):
        run.record.update(rename(run.record, {int(group): name for group, name in given.items()}))
    table = _read(task["source"])
    unchanged = table.fingerprint() == runs[0].fingerprint
    X = runs[0].model.transform(table) if unchanged else None
    _leave(task, compare_runs(runs, X, names=task["names"]))


def _leave(task: Mapping[str, Any], result: Any) -> None:
    Path(task["folder"], RESULT).write_text(json.dumps(result), encoding="utf-8")


_TASKS: dict[str, Callable[[Mapping[str, Any], Tell], None]] = {"look": _look, "run": _run, "compare": _compare}


if __name__ == "__main__":
    main()
