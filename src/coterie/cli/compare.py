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
    from ..study import compare_labels

    if not sources:
        raise click.UsageError("give two or more folders of results, or one file of rows")
    with Talk(quiet) as talk:
        of_runs = len(sources) > 1 or _is_run(sources[0])
        _refuse(sources, of_runs, options)
        groupings, X, name = _runs(sources, options, talk) if of_runs else _methods(sources[0], options, talk)
        found = {"schema": "coterie.compare/1", "data": name, "seed": options["seed"]}
        found |= compare_labels(groupings, X, seed=options["seed"])
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


def _runs(sources: tuple[str, ...], options: dict[str, Any], talk: Talk) -> tuple[list[Any], Any, str]:
    """Return the groupings of several runs of the same rows, and these rows, prepared as for the first, where they are found."""
    from ..errors import InputError
    from ..report.stored import open_run
    from ..study.comparing import Grouping

    runs = [open_run(source) for source in sources]
    first = runs[0]
    for run in runs[1:]:
        if run.fingerprint != first.fingerprint:
            a, b = (
                f"{r.folder} ({r.record['input']['name']}, {r.record['input']['rows']:,} rows)" for r in (first, run)
            )
            raise InputError(f"{a} and {b} are of different rows; compare runs of the same data")
    groupings = [
        Grouping(
            name,
            run.labels,
            method=(run.record.get("chosen") or {}).get("method"),
            groups=[*run.names.values()],
            stability=(run.record.get("judge") or {}).get("stability"),
            silhouette=(run.record.get("judge") or {}).get("silhouette"),
            structure=run.record["structure"].get("verdict"),
        )
        for name, run in zip(_different([run.name for run in runs]), runs, strict=True)
    ]
    return groupings, _rows_of(first, options, talk), str(first.record["input"]["name"])


def _rows_of(run: Any, options: dict[str, Any], talk: Talk) -> Any:
    from .. import tables
    from ..errors import InputError

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
    talk.say("read", f"{table.n_rows:,} rows from {table.name}, prepared as for {run.name}")
    return run.model.transform(table)


def _methods(source: str, options: dict[str, Any], talk: Talk) -> tuple[list[Any], Any, str]:
    """Run each method on the same rows, and return their groupings and the prepared rows."""
    from .. import tables
    from ..study import study
    from ..study.comparing import Grouping
    from ..study.estimators import parameters

    methods = options["methods"] or USUAL.split(",")
    if "auto" in methods or len(methods) < 2:
        raise click.UsageError(f"--methods takes two names or more, such as {USUAL}")
    ctx = click.get_current_context()
    source = str(usable_source(ctx, ctx.command.params[0], source))
    table = tables.read(source, query=options["query"], table=options["table"], memory_limit=options["memory_limit"])
    talk.say(
        "read", f"{table.n_rows:,} rows and {len(table.columns)} columns from {table.name}   seed {options['seed']}"
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
    return groupings, X, table.name


def _different(names: list[str]) -> list[str]:
    """Number names that come twice."""
    return [f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name for i, name in enumerate(names)]
