"""``coterie anomaly fit HISTORY`` and ``coterie anomaly score FILE``: what is normal, and which new rows are not."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from ._config import ClusteringCommand
from ._deliver import deliver, spent
from ._options import Bytes, Role, Share, default_folder, excel_safe, limits_and_seed, output_and_talk, usable_input
from ._terminal import Talk

__all__ = ["command"]


class _Contamination(Share):
    """A share of history, or "auto"."""

    name = "share"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return "auto" or a share of at most a half."""
        if value == "auto":
            return value
        share = super().convert(value, param, ctx)
        if share > 0.5:
            self.fail(
                f"expected auto, or a share of at most 0.5 (more than half of history must be normal), got {value!r}",
                param,
                ctx,
            )
        return share


_HELP = """Learn what is normal from a history, and say which new rows are not, how sure that is, and why.

\b
  coterie anomaly fit history.csv -o model
  coterie anomaly score today.csv --model model --fpr 0.01 -o alerts.csv"""


@click.group("anomaly", help=_HELP, short_help="Learn what is normal, and find the rows that are not.")
def command() -> None:
    """Hold the two commands."""


@command.command("fit", cls=ClusteringCommand, short_help="Learn what is normal from a history.")
@click.argument("history", required=False, callback=usable_input)
@click.option("-o", "--output", metavar="FOLDER", help="Where the model goes (default: NAME.coterie here).")
@click.option(
    "--contamination", type=_Contamination(), default="auto", show_default=True,
    help="Share of history that is not normal: auto (unknown), 0 (known to be clean), or e.g. 5%.",
)  # fmt: skip
@click.option(
    "--fpr", type=Share(), default="1%", show_default=True, help="False alarms that are allowed, of all normal rows."
)
@click.option(
    "--metric", type=click.Choice(("euclidean", "mahalanobis", "gower")), default="euclidean", show_default=True,
    help="How the distance from history is measured.",
)  # fmt: skip
@click.option(
    "-k", "--clusters", type=click.IntRange(1), help="Representatives that sum up history (default: up to 200)."
)
@click.option("--min-share", type=Share(0.5), help="Least share of history that makes a place normal, e.g. 1%.")
@click.option(
    "--time",
    "time_column",
    metavar="COLUMN",
    help="When each row was: later rows then check what earlier ones promise.",
)
@click.option("--label", metavar="COLUMN", help="Known anomalies; never used to learn.")
@click.option(
    "--roles", type=Role(), multiple=True, help="What a column is, e.g. zip=category or note=ignored; repeatable."
)
@limits_and_seed("files that need")
@output_and_talk
@click.pass_context
def fit(ctx: click.Context, /, **options: Any) -> int:
    """Learn from HISTORY, a table of mostly normal rows, what is normal.

    Results go to NAME.coterie/: model.coterie, normal_profile.csv (what is usual in each kind of normal rows), metrics.json, run.json
    and report.html.
    """
    if options["history"] is None:
        raise click.UsageError("give the file of HISTORY", ctx)
    if options["output"] == "-":
        raise click.UsageError("give a folder with -o; --json writes the record to stdout", ctx)
    folder = options["output"] or default_folder(options["history"])
    with Talk(options["quiet"], options["verbose"]) as talk:
        from .. import report
        from ..applications.anomaly import learn_history
        from ..report.anomaly import history_sheet

        report.check_target(folder, force=options["force"])
        given = {
            name: options[name]
            for name in ("metric", "contamination", "fpr", "time_column", "label", "memory_limit", "seed")
        }
        given |= {
            "n_clusters": options["clusters"] or "auto",
            "roles": dict(pair.rpartition("=")[::2] for pair in options["roles"]),
        }
        given["min_share"] = "auto" if options["min_share"] is None else options["min_share"]
        learnt = learn_history(
            options["history"], on_step=lambda step: talk.say(step.name, step.text + spent(step, talk)), **given
        )
        told = {name: value for name, value in given.items() if value not in ("auto", {}, None)}
        return deliver(history_sheet(learnt, told), folder, options, talk)


@command.command("score", cls=ClusteringCommand, short_help="Say which new rows are not normal.")
@click.argument("file", required=False, callback=usable_input)
@click.option("--model", metavar="FOLDER", type=click.Path(), help="Where coterie anomaly fit wrote what is normal.")
@click.option(
    "-o", "--output", metavar="PATH",
    help="A .csv file for the alarms alone, - for stdout, or a folder for everything (default: NAME.coterie here).",
)  # fmt: skip
@click.option("--fpr", type=Share(), help="False alarms that are allowed, of all normal rows (default: as at the fit).")
@click.option(
    "--time", "time_column", metavar="COLUMN", help="When each row was (default: as at the fit, where it is there)."
)
@click.option("--label", metavar="COLUMN", help="Known anomalies, to check the alarms by.")
@click.option(
    "--batch", type=click.IntRange(1), metavar="ROWS",
    help="Judge so many rows at a time as they come, and write alarms at once; for CSV that does not end.",
)  # fmt: skip
@excel_safe
@click.option("--memory-limit", type=Bytes(), help="Refuse files that need more, e.g. 2GB.")
@click.option("--json", "as_json", is_flag=True, help="Write the record of the run (as in run.json) to stdout.")
@output_and_talk
@click.pass_context
def score(ctx: click.Context, /, **options: Any) -> int:
    """Say which rows of FILE (or - for CSV on stdin) are not normal, how sure that is, and why.

    Columns are matched by name, in any order; further columns are ignored. A folder of results holds alerts.csv, scores.csv (every
    row), metrics.json, run.json and report.html.
    """
    for name, what in (("file", "the FILE of new rows"), ("model", "the folder of the model with --model")):
        if options[name] is None:
            raise click.UsageError(f"give {what}", ctx)
    output = options["output"] or default_folder(options["file"])
    alone = output == "-" or output.lower().endswith(".csv")
    if options["batch"] and not alone:
        raise click.UsageError("--batch writes alarms as they come: give -o alerts.csv, or -o - for stdout", ctx)
    for name, what in (("label", "--label checks all alarms at once"), ("time_column", "--time orders all rows")):
        if options["batch"] and options[name] is not None:
            raise click.UsageError(f"{what}, and --batch never has all; leave one of them out", ctx)
    if alone and options["as_json"]:
        raise click.UsageError(
            "--json writes the record of a folder of results; give a folder with -o, or leave it out", ctx
        )
    with Talk(options["quiet"], options["verbose"]) as talk:
        from ..applications.anomaly.judging import model_of
        from ..models import load

        loaded = load(options["model"])
        model_of(loaded)
        if options["batch"]:
            return _as_they_come(loaded, output, options, talk)
        return _at_once(loaded, output, alone, options, talk)


def _at_once(loaded: Any, output: str, alone: bool, options: dict[str, Any], talk: Talk) -> int:
    from .. import report
    from ..applications.anomaly import judge_rows
    from ..report.anomaly_judged import alert_lines, judged_sheet

    if not alone:
        report.check_target(output, force=options["force"])
    given = {name: options[name] for name in ("fpr", "time_column", "label", "memory_limit")}
    judged = judge_rows(loaded, options["file"], **given)
    talk.say("read", f"{judged.table.n_rows:,} rows and {len(judged.table.columns):,} columns from {judged.table.name}")
    sheet = judged_sheet(judged, {"model": Path(options["model"]).name, **given}, excel_safe=options["excel_safe"])
    if not alone:
        return deliver(sheet, output, options, talk)
    from ._deliver import tell
    from ._errors import DOUBTFUL

    tell(sheet, talk)
    talk.deliver("".join(alert_lines(judged, excel_safe=options["excel_safe"])), output)
    return DOUBTFUL if options["strict"] and judged.warnings else 0


def _as_they_come(loaded: Any, output: str, options: dict[str, Any], talk: Talk) -> int:
    """Write alarms batch by batch; what was written stays, whatever comes later, and nothing is before the first batch is judged."""
    from ..applications.anomaly.stream import batches, judge_batches, opened
    from ..report.anomaly_judged import alert_lines
    from ._errors import DOUBTFUL

    n_rows = n_alarms = n_warnings = 0
    given = {name: options[name] for name in ("fpr", "memory_limit")}
    with contextlib.ExitStack() as held:
        source, name = held.enter_context(opened(options["file"]))
        target: Any = None
        for first, judged in judge_batches(loaded, batches(source, options["batch"], name), name, **given):
            if target is None:
                target = sys.stdout if output == "-" else held.enter_context(_writable(output))
            target.writelines(alert_lines(judged, first, excel_safe=options["excel_safe"]))
            target.flush()
            n_rows, n_alarms = first + judged.table.n_rows, n_alarms + len(judged.alarms)
            n_warnings += len(judged.warnings)
            for warning in judged.warnings:
                talk.warn(f"up to row {n_rows - 1:,}: {warning['text']} {warning['remedy']}")
            talk.progress(n_rows, 0, f"{n_alarms:,} alarms")
    talk.say("judged", f"{n_rows:,} rows, {n_alarms:,} alarms")
    return DOUBTFUL if options["strict"] and n_warnings else 0


def _writable(output: str) -> Any:
    from ..errors import OutputError

    try:
        return open(output, "w", encoding="utf-8", newline="")
    except OSError as error:
        raise OutputError(f"could not write {output}: {error.strerror or error}") from error
