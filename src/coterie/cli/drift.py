"""``coterie drift OLD NEW``: are new rows like those of an earlier run, and which group is which after a refit."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from . import _interrupt
from ._config import ClusteringCommand
from ._errors import DOUBTFUL
from ._options import Bytes, Share, usable_input, usable_source
from ._terminal import Talk

__all__ = ["command"]


def _usable_batch(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """Take the folder of a run as it is; else as `usable_source`."""
    path = os.path.expanduser(value)
    if os.path.isfile(os.path.join(path, "run.json")):
        return path
    return str(usable_source(ctx, parameter, value))


@click.command("drift", cls=ClusteringCommand, short_help="Compare new rows, or a newer run, with an earlier run.")
@click.argument("old", type=click.Path())
@click.argument("new", callback=_usable_batch)
@click.option("--data", metavar="FILE", callback=usable_input, help="The rows of OLD (default: looked for beside it).")
@click.option("--refit", is_flag=True, help="Also make the groups anew from NEW, keeping their numbers.")
@click.option("-o", "--output", metavar="FOLDER", help="Where the refit goes (default: OLD-refit.coterie here).")
@click.option(
    "--level", type=Share(), default="1%", show_default=True, help="False alarms that are allowed, of all batches."
)
@click.option("--fail-on-drift", is_flag=True, help="Exit with 5 where there is an alarm.")
@click.option("--query", metavar="SQL", help="Rows to take from a database.")
@click.option("--table", metavar="NAME", help="Table to take from a database file.")
@click.option("--memory-limit", type=Bytes(), help="Refuse a file that needs more, e.g. 2GB.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of all random numbers.")
@click.option("--force", is_flag=True, help="Write the refit into a folder that holds other things too.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of text.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors besides the answer.")
def command(old: str, new: str, as_json: bool, quiet: bool, **options: Any) -> int:
    """Say whether NEW rows are like those that an earlier run was made from.

    OLD is a folder that coterie run wrote. NEW is a file of rows (or - for CSV on stdin), or the folder of a newer run; then it is
    also said which group of the newer run is which of the older.

    Three questions are asked: have the shares of the groups moved, has a column changed within a group, have rows come that are far
    from all old ones. With --refit the groups are made anew from NEW: a group that is an old one keeps its number, a new one gets a
    fresh number, and the number of a group that is gone is never given again.
    """
    _refuse(new, options)
    with Talk(quiet) as talk:
        record = _compared(old, new, options, talk)
        if as_json:
            from ..report.record import clean

            sys.stdout.write(json.dumps(clean(record), ensure_ascii=False, allow_nan=False) + "\n")
        else:
            from ..report.drift_text import drift_text

            sys.stdout.write(drift_text(record, width=talk.width()))
        sys.stdout.flush()
    return DOUBTFUL if options["fail_on_drift"] and record["drift"] else 0


def _refuse(new: str, options: dict[str, Any]) -> None:
    if not 0.001 <= options["level"] < 1:
        raise click.UsageError(f"--level must be at least 0.1% and below 100%, got {options['level']:.3g}")
    if os.path.isdir(new) and os.path.isfile(os.path.join(new, "run.json")):
        for name in ("refit", "query", "table"):
            if options[name]:
                raise click.UsageError(f"--{name} is for a file of rows, and NEW is the folder of a run; leave it out")
    for name in ("output", "force"):
        if options[name] and not options["refit"]:
            raise click.UsageError(f"--{name} is where a refit goes; add --refit, or leave it out")


def _compared(old: str, new: str, options: dict[str, Any], talk: Talk) -> dict[str, Any]:
    from .. import report, tables
    from ..report import drifted
    from ..report.past_rows import past_rows
    from ..report.stored import open_run
    from ..report.words import counted

    earlier = open_run(old)
    newer = open_run(new) if os.path.isfile(os.path.join(new, "run.json")) else None
    target = Path(options["output"] or drifted.default_refit_folder(earlier)).expanduser()
    if options["refit"]:
        report.check_target(target, force=options["force"])
    limit = options["memory_limit"]
    then = past_rows(earlier, options["data"], memory_limit=limit)
    labels: Any = None
    if newer is None:
        rows = tables.read(new, query=options["query"], table=options["table"], memory_limit=limit)
    else:
        rows, labels = drifted.rows_of_newer(newer, memory_limit=limit)
    size = f"{counted(rows.n_rows, 'row')} and {counted(len(rows.columns), 'column')}"
    talk.say("read", f"{size} from {rows.name}   seed {options['seed']}")
    record = drifted.drift_record(earlier, rows, then, level=options["level"], seed=options["seed"], newer=newer)
    if newer is not None:
        record |= drifted.identity_of(earlier, earlier.model.predict(rows), labels, newer.names)[1]
    if options["refit"]:
        analysis, told = drifted.refit(earlier, rows, seed=options["seed"], memory_limit=limit)
        with _interrupt.leave_no_part_of(target):
            analysis.write(target, force=options["force"], input_path=new if "://" not in new and new != "-" else None)
        talk.say("wrote", f"{target}{os.sep}")
        record |= {**told, "refit": str(target)}
    return record
