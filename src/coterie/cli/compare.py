"""``coterie compare``: runs, or methods on the same data, side by side."""

import json
from pathlib import Path
from typing import Any

import click

from ._config import ConfiguredCommand
from ._options import Bytes, Method, Seconds, usable_input, usable_source
from ._terminal import Talk

__all__ = ["command"]

USUAL = "KMeans,HDBSCAN,Genie"


class _Methods(click.ParamType):
    """Names of methods, with commas between."""

    name = "methods"
    separator = ","

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        """Return the names as the catalog has them, each once."""
        if isinstance(value, list):
            return value
        one = Method()
        return list(
            dict.fromkeys(one.convert(part.strip(), param, ctx) for part in str(value).split(",") if part.strip())
        )


@click.command("compare", cls=ConfiguredCommand, short_help="Set runs, or methods on the same data, side by side.")
@click.argument("sources", nargs=-1, metavar="RUN RUN... | FILE")
@click.option("--methods", type=_Methods(), help=f"FILE: what to try, e.g. kmeans,hdbscan,genie (default: {USUAL}).")
@click.option("-k", "--clusters", type=click.IntRange(1), help="FILE: number of clusters, of methods that take one.")
@click.option(
    "--data", metavar="FILE", callback=usable_input, help="Runs: their data, where they no longer lie beside them."
)
@click.option("--query", metavar="SQL", help="Rows to take from a database.")
@click.option("--table", metavar="NAME", help="Table to take from a database file.")
@click.option("--memory-limit", type=Bytes(), help="Refuse what needs more, e.g. 2GB.")
@click.option("--time-limit", type=Seconds(), help="Refuse a method that takes longer, e.g. 5m.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of all random numbers.")
@click.option("-o", "--output", metavar="FILE", default="-", help="Where the comparison goes (default: stdout).")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of text.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def command(sources: tuple[str, ...], output: str, quiet: bool, **options: Any) -> int:
    """Set groupings of the same rows side by side: sizes, scores, agreement, and which group became which.

    Give two or more folders that coterie run wrote from the same data; or one FILE of rows, on which several methods are tried.
    Scores are measured on the same prepared rows for all. The data of runs are looked for beside their folders.
    """
    from ..report import compared

    if not sources:
        raise click.UsageError("give two or more folders of results, or one file of rows")
    with Talk(quiet) as talk:
        of_runs = len(sources) > 1 or _is_run(sources[0])
        _refuse(sources, of_runs, options)
        found = (_compared_runs if of_runs else _compared_methods)(sources, options, talk)
        text = (
            f"{json.dumps(found, ensure_ascii=False)}\n"
            if options["as_json"]
            else compared.compared_text(found, width=talk.width())
        )
        talk.deliver(text, output)
    return 0


def _is_run(source: str) -> bool:
    place = Path(source)
    return (place / "run.json").is_file() or place.name in ("run.json", "model.coterie")


def _refuse(sources: tuple[str, ...], of_runs: bool, options: dict[str, Any]) -> None:
    if of_runs:
        given = [name for name in ("methods", "clusters", "query", "table", "time_limit") if options[name] is not None]
        if given:
            option = given[0].replace("_", "-")
            raise click.UsageError(
                f"--{option} is for one FILE of rows, and these are folders of results; leave it out"
            )
        if len(sources) < 2:
            raise click.UsageError(f"{sources[0]} is one run; give another one to compare it with")
    elif options["data"] is not None:
        raise click.UsageError("--data is for folders of results, and this is a file of rows; leave it out")


def _compared_runs(sources: tuple[str, ...], options: dict[str, Any], talk: Talk) -> dict[str, Any]:
    """Compare several runs of the same rows, on these rows, prepared as for the first, where they are found."""
    from ..report.side_by_side import compare_runs, refuse_other_rows
    from ..report.stored import open_run

    runs = [open_run(source) for source in sources]
    refuse_other_rows(runs)
    return compare_runs(runs, _rows_of(runs[0], options, talk), seed=options["seed"])


def _rows_of(run: Any, options: dict[str, Any], talk: Talk) -> Any:
    from .. import tables
    from ..errors import InputError
    from ..report.words import counted

    if options["data"] is None:
        table = run.data()
    else:
        table = tables.read(options["data"], memory_limit=options["memory_limit"])
        if table.fingerprint() != run.fingerprint:
            raise InputError(
                f"{options['data']} does not hold the rows of {run.folder}; give the file that was analysed, unchanged"
            )
    if table is None or not run.has_model or run.model.prepared is None:
        talk.say(
            "data",
            f"{run.record['input']['name']} does not lie beside the runs as it was; give it by --data to score them alike",
        )
        return None
    talk.say("read", f"{counted(table.n_rows, 'row')} from {table.name}, prepared as for {run.name}")
    return run.model.transform(table)


def _compared_methods(sources: tuple[str, ...], options: dict[str, Any], talk: Talk) -> dict[str, Any]:
    """Run each method on the same rows and compare what they found."""
    from .. import tables
    from ..report.side_by_side import COMPARISON
    from ..report.words import counted
    from ..study import compare_labels, study
    from ..study.comparing import Grouping
    from ..study.estimators import parameters

    methods = options["methods"] or USUAL.split(",")
    if "auto" in methods or len(methods) < 2:
        raise click.UsageError(f"--methods takes two names or more, such as {USUAL}")
    ctx = click.get_current_context()
    source = str(usable_source(ctx, ctx.command.params[0], sources[0]))
    table = tables.read(source, query=options["query"], table=options["table"], memory_limit=options["memory_limit"])
    talk.say(
        "read",
        f"{counted(table.n_rows, 'row')} and {counted(len(table.columns), 'column')} from {table.name}   seed {options['seed']}",
    )
    groupings, X = [], None
    for method in methods:
        given = {"n_clusters": options["clusters"]} if "n_clusters" in parameters(method) else {}
        found = study(
            table,
            method=method,
            seed=options["seed"],
            memory_limit=options["memory_limit"],
            time_limit=options["time_limit"],
            **given,
        )
        X = found.prepared.X if X is None else X
        record = found.record
        names = [cluster["name"] for cluster in record["clusters"]]
        talk.say("tried", f"{method}: {'1 group' if len(names) == 1 else f'{len(names)} groups'}")
        verdict, stability = record["structure"]["verdict"], record["judge"]["stability"]
        groupings.append(Grouping(method, found.labels, method, names, stability, structure=verdict))
    head = {"schema": COMPARISON, "data": table.name, "seed": options["seed"]}
    return head | compare_labels(groupings, X, seed=options["seed"])
