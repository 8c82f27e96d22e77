"""``coterie run FILE``: from a table or from pictures to clusters, a model and a report."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from ..study.purpose import PURPOSES
from . import _interrupt
from ._config import ClusteringCommand
from ._errors import DOUBTFUL
from ._options import (
    FOR_PICTURES,
    Address,
    Method,
    Role,
    Seconds,
    Share,
    default_folder,
    limits_and_seed,
    output_and_talk,
    usable_input,
    usable_source,
)
from ._terminal import Talk, is_terminal

__all__ = ["analyse", "command"]

_FOR_TABLES = ("query", "table", "roles", "purpose", "text_model")
_FOR_PICTURES = ("array", "size", "encoder")


class _Planned(Exception):
    """Ends a dry run after the plan."""


@click.command("run", cls=ClusteringCommand, short_help="Find and explain the clusters in a file.")
@click.argument("file", required=False, callback=usable_source)
@click.option(
    "-o", "--output", metavar="FOLDER", help="Where results go (default: NAME.coterie here); - writes labels to stdout."
)
@click.option(
    "--purpose",
    type=click.Choice([purpose.name for purpose in PURPOSES]),
    metavar="PURPOSE",
    help="What the groups are for: natural (types that are there; default), reduce (rows that stand for all), useful (a few groups to "
    "act on) or outliers (unusual rows).",
)
@click.option(
    "--method", type=Method(), default="auto", show_default=True, help="auto, or an algorithm by its name, e.g. genie."
)
@click.option("-k", "--clusters", type=click.IntRange(1), help="Number of clusters (default: chosen).")
@click.option("--min-share", type=Share(), help="Clusters below this share of the rows are too small, e.g. 1%.")
@click.option(
    "--roles", type=Role(), multiple=True, help="What a column is, e.g. zip=category or customer=ignored; repeatable."
)
@click.option(
    "--text-model",
    metavar="FOLDER|NAME",
    help="Compare free text by this embedding model, of model2vec or sentence-transformers; none is fetched.",
)
@click.option("--query", metavar="SQL", help="Rows to take from a database.")
@click.option("--table", metavar="NAME", help="Table to take from a database file.")
@click.option("--truth", metavar="COLUMN", help="Known groups to compare with; never used to cluster.")
@click.option("--array", metavar="NAME", help="Pictures: the array to take from an .npz file.")
@click.option("--size", type=click.IntRange(4, 512), help="Pictures: pixels of the longer side at most (default: 32).")
@click.option(
    "--encoder", metavar="FILE", callback=usable_input, help="Pictures: a model whose network is applied, none trained."
)
@click.option(
    "--cluster", type=Address(), help="Work block by block on a Dask cluster: tcp://host:8786, tls://…, or local."
)
@click.option("--time-limit", type=Seconds(), help="Refuse what takes longer, e.g. 5m.")
@limits_and_seed("what needs")
@click.option(
    "--labels-to-stdout", is_flag=True, help="Write labels to stdout, as CSV, and no folder; the same as -o -."
)
@output_and_talk
@click.option("--dry-run", is_flag=True, help="Stop after the plan: nothing is clustered, nothing written.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Find the clusters in FILE and explain them in its own units.

    FILE is a table: .csv .tsv .txt .parquet .json .jsonl .npy .npz .sqlite (also .gz), a database URL with --query, or - for
    CSV on stdin; a folder of .parquet files or a quoted pattern such as "data/*.parquet"; or pictures: a folder of .png .jpg .bmp
    .gif .tif .webp files, or an .npy or .npz stack. Nothing needs configuring: columns, scaling, method and number of clusters are
    chosen, and every choice is shown and can be overridden. Parquet and .npy files that do not fit into memory are worked on block
    by block.
    """
    if options["file"] is None:
        raise click.UsageError("give the FILE to cluster", ctx)
    if options["output"] == "-":
        options["labels_to_stdout"] = True
    if options["labels_to_stdout"] and options["as_json"]:
        raise click.UsageError("stdout can carry the labels or the record; drop --json or the labels", ctx)
    return analyse(options["file"], options)


def analyse(source: Any, options: dict[str, Any]) -> int:
    """Run the analysis, write what was asked for, and return the exit code.

    Parameters
    ----------
    source : str or Table
        What to read.
    options : dict
        The options of ``coterie run`` by name.
    """
    name = source if isinstance(source, str) else source.name
    folder = None if options["labels_to_stdout"] else options["output"] or default_folder(name)
    with Talk(options["quiet"], options["verbose"]) as talk:
        try:
            analysis = _analysis(source, folder, options, talk)
        except _Planned:
            talk.say("dry run", "nothing was clustered and nothing written")
            return 0
        _tell(analysis, talk)
        if folder is None:
            _labels_to_stdout(analysis)
        else:
            _write(analysis, folder, name, options, talk)
        return DOUBTFUL if options["strict"] and _is_doubtful(analysis.record) else 0


def _analysis(source: Any, folder: str | None, options: dict[str, Any], talk: Talk) -> Any:
    from .. import report, tables

    pictures = tables.holds_pictures(source)
    _refuse_what_is_for_others(options, pictures)
    if folder is not None and not options["dry_run"]:
        report.check_target(folder, force=options["force"])
    if pictures and options["cluster"]:
        raise click.UsageError("--cluster is for tables, and these are pictures; leave it out")
    if options["table"] is not None:
        source = tables.read(source, table=options["table"], memory_limit=options["memory_limit"])

    def on_step(step: Any) -> None:
        if step.name == "read":
            talk.say("read", f"{step.text}   seed {options['seed']}")
        elif step.name not in ("judge", "describe"):  # the summary below says it better
            talk.step(step)
        if options["dry_run"] and step.name == "plan":
            if not talk.verbose:
                talk.details(step)
            raise _Planned

    given = {
        "query": options["query"],
        "purpose": options["purpose"],
        "method": options["method"],
        "n_clusters": options["clusters"],
        "min_share": options["min_share"],
        "roles": dict(pair.rpartition("=")[::2] for pair in options["roles"]) or None,
        "truth": options["truth"],
        "text_model": options["text_model"],
        "memory_limit": options["memory_limit"],
        "time_limit": options["time_limit"],
        "cluster": options["cluster"],
        **{name: options[name] for name in _FOR_PICTURES},
    }
    if pictures and is_terminal() and not talk.quiet:
        given["show"] = True
    given = {key: value for key, value in given.items() if value is not None}
    with talk.warnings_told():
        return report.run(source, seed=options["seed"], on_step=on_step, on_progress=talk.progress, **given)


def _refuse_what_is_for_others(options: dict[str, Any], pictures: bool) -> None:
    """Refuse options of tables where there are pictures, and the other way round."""
    for name in _FOR_TABLES if pictures else _FOR_PICTURES:
        if options[name]:
            what = "for tables, and these are pictures" if pictures else "for pictures, and this is a table"
            raise click.UsageError(f"--{name.replace('_', '-')} is {what}; leave it out")
    if not pictures and options["method"] in FOR_PICTURES:
        raise click.UsageError(
            f"{options['method']} trains a network on pictures, and this is a table; take another --method"
        )


def _tell(analysis: Any, talk: Talk) -> None:
    if talk.verbose:
        for note in analysis.record["input"]["notes"]:
            talk.say("note", note)
    if talk.quiet:
        for warning in analysis.record.get("warnings") or ():
            talk.warn(" ".join(filter(None, (warning["text"], warning.get("remedy")))))
    talk.block("\n" + analysis.to_text(talk.width()) + "\n")
    truth = (analysis.record.get("judge") or {}).get("truth")
    if truth:
        share = (
            f"{truth['accuracy']:.0%} of the {_unit(analysis)}" if truth.get("accuracy") is not None else "the groups"
        )
        talk.say("truth", f"{share} agree with {truth['column']} (adjusted Rand index {truth['ari']:.2f})")


def _write(analysis: Any, folder: str, source: str, options: dict[str, Any], talk: Talk) -> None:
    target = Path(folder).expanduser()
    input_path = source if "://" not in source and source != "-" else None
    with _interrupt.leave_no_part_of(target):
        written = analysis.write(target, force=options["force"], report=not options["no_report"], input_path=input_path)
    kept = [written.labels, *([] if written.listing is None else [written.listing]), written.model, written.record]
    kept += [] if options["no_report"] else [written.report]
    talk.say("wrote", f"{target}{os.sep}" + "  ".join(["", *(path.name for path in kept)]))
    steps = [] if options["no_report"] else [f"open {_quoted(target / written.report.name)}"]
    new = (
        "new-pictures" if _unit(analysis) == "pictures" else "new.parquet" if "blocks" in analysis.record else "new.csv"
    )
    if getattr(analysis, "labels_new_rows", True):
        steps.append(f"coterie predict {_quoted(target / written.model.name)} {new}")
    if steps:
        talk.say("next", "   |   ".join(steps))
    if options["as_json"]:
        click.echo(written.record.read_text(encoding="utf-8").rstrip("\n"))


def _labels_to_stdout(analysis: Any) -> None:
    from .. import report

    with tempfile.TemporaryDirectory(prefix="coterie-") as place:
        path = Path(place) / "labels.csv"
        if _unit(analysis) == "pictures":
            analysis.write_members(path)
        elif "blocks" in analysis.record:
            report.write_label_blocks(path, analysis.labels, "csv")
        else:
            report.write_labels(path, analysis.labels, analysis.strengths, analysis.outlier_scores)
        with open(path, "rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.flush()


def _unit(analysis: Any) -> str:
    """Return what is grouped."""
    return "pictures" if "pictures" in analysis.record else "rows"


def _is_doubtful(record: dict[str, Any]) -> bool:
    stability = (record.get("judge") or {}).get("stability")
    purpose = (record.get("purpose") or {}).get("name", "natural")
    return (
        (purpose == "natural" and record["structure"]["verdict"] != "clusters")
        or bool(record.get("warnings"))
        or (purpose in ("natural", "useful") and stability is not None and stability < 0.75)
    )


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
