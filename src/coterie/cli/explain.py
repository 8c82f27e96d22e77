"""``coterie explain RUN``: why rows are in their groups; and the groups as SQL or JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ._config import ClusteringCommand
from ._options import Bytes, default_folder, usable_source
from ._terminal import Talk

__all__ = ["command"]

# Without --row, --id or --all, of a file of rows only so many are explained.
FIRST = 10
UNUSUAL = 3


@click.command("explain", cls=ClusteringCommand, short_help="Say why rows are in their groups.")
@click.argument("run", type=click.Path())
@click.argument("file", required=False, callback=usable_source)
@click.option("--row", "rows", type=click.IntRange(0), multiple=True, help="A row to explain, from 0; repeatable.")
@click.option("--id", "ids", metavar="VALUE", multiple=True, help="The same by the column of ids; repeatable.")
@click.option("--all", "every", is_flag=True, help="Every row of FILE.")
@click.option("--query", metavar="SQL", help="Rows to take from a database.")
@click.option("--table", metavar="NAME", help="Table to take from a database file.")
@click.option("--memory-limit", type=Bytes(), help="Refuse a file that needs more, e.g. 2GB.")
@click.option("--export", type=click.Choice(["sql", "json"]), help="Write the groups instead, to label rows elsewhere.")
@click.option(
    "--by", type=click.Choice(["auto", "centers", "rules"]), default="auto", show_default=True,
    help="SQL: give rows to the nearest center, or to the first rule that holds.",
)  # fmt: skip
@click.option(
    "--dialect", type=click.Choice(["ansi", "duckdb", "postgres", "sqlite"]), default="ansi", show_default=True,
    help="SQL: of which database.",
)  # fmt: skip
@click.option("--from", "from_table", metavar="TABLE", help="SQL: the table to label (default: named as the data).")
@click.option("-o", "--output", metavar="FILE", default="-", help="Where the answer goes (default: stdout).")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of text.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def command(run: str, file: str | None, output: str, quiet: bool, **options: Any) -> int:
    """Say why rows are in their groups: what speaks for it, which group comes second, how sure, and whether they are outliers.

    RUN is a folder that coterie run wrote, or the model.coterie in it. Without FILE the rows are those of the run: choose them by
    --row or --id, or see a typical and an unsure row of each group and the most unusual ones. FILE holds new rows, or the data of
    the run.

    With --export sql, an expression that labels the rows of a table in a database; with --export json, centers and rules for
    other programs.
    """
    _refuse(file, options)
    with Talk(quiet) as talk:
        text = _export(run, options, talk) if options["export"] else _explain(run, file, options, talk)
        talk.deliver(text, output)
    return 0


def _refuse(file: str | None, options: dict[str, Any]) -> None:
    for name in ("query", "table", "every"):
        if file is None and options[name]:
            raise click.UsageError(
                f"--{'all' if name == 'every' else name} is for a FILE of rows; give one, or leave it out"
            )
    if options["every"] and (options["rows"] or options["ids"]):
        raise click.UsageError("--all explains every row; leave out --row and --id, or --all")
    if options["export"]:
        if file or options["rows"] or options["ids"] or options["as_json"]:
            raise click.UsageError("--export writes the groups, not rows; leave out FILE, --row, --id and --json")
    elif options["by"] != "auto" or options["from_table"]:
        raise click.UsageError("--by and --from are for --export sql; add it, or leave them out")


def _explain(run: str, file: str | None, options: dict[str, Any], talk: Talk) -> str:
    from ..report import explained

    stored = _stored(run, needed=file is None)
    model = stored.model if stored is not None else _model(run)
    chosen, data, of_run = _chosen(stored, file, options, talk)
    given = _given(stored) if of_run else {}
    rows = _explained(model, data, chosen, given)
    ids = stored.ids[1] if stored is not None and of_run and stored.ids else None
    for line in rows:
        if ids is not None:
            line["id"] = ids[line["row"]]
        if chosen.get(line["row"]):
            line["shown"] = chosen[line["row"]]
    if options["as_json"]:
        method = type(model.estimator).__name__
        content = {"schema": "coterie.explain/1", "run": Path(run).name, "method": method, "rows": rows}
        return json.dumps(content, ensure_ascii=False) + "\n"
    return explained.explained_text(rows, width=talk.width())


def _export(run: str, options: dict[str, Any], talk: Talk) -> str:
    stored = _stored(run, needed=True)
    model = stored.model
    clusters = [cluster | {"name": stored.names[cluster["id"]]} for cluster in stored.record["clusters"]]
    source = str(stored.record["input"].get("name") or "")
    if options["export"] == "json":
        from ..study.export_json import groups_json

        return json.dumps(groups_json(model, clusters, source=source), ensure_ascii=False) + "\n"
    from ..study.export_sql import centers_sql, rules_sql
    from ..study.reaches import by_centers

    table = options["from_table"] or default_folder(source or "data").removesuffix(".coterie")
    dialect = options["dialect"]
    has_centers = by_centers(model.estimator) is not None
    if options["by"] == "centers" or (options["by"] == "auto" and has_centers):
        return centers_sql(model, table=table, dialect=dialect, names=[*stored.names.values()], source=source)
    if options["by"] == "auto":
        talk.say("rules", f"{type(model.estimator).__name__} has no centers to go by; rules label most rows, not all")
    return rules_sql(clusters, model.prepared.codings, table=table, dialect=dialect, source=source)


def _stored(run: str, *, needed: bool) -> Any:
    """Return the run whose folder, or model in its folder, was given; None for a model that lies alone where that is enough."""
    from ..report.stored import open_run

    place = Path(run)
    if not needed and place.is_file() and not (place.parent / "run.json").is_file():
        return None
    return open_run(run)


def _model(run: str) -> Any:
    from .. import models

    return models.load(run)


def _chosen(stored: Any, file: str | None, options: dict[str, Any], talk: Talk) -> tuple[dict[int, str], Any, bool]:
    """Return the rows to explain with why they are shown, where their values are, and whether they are rows of the run."""
    from .. import tables
    from ..report.words import counted

    if file is None:
        return (*_of_run(stored, options), True)
    table = tables.read(file, query=options["query"], table=options["table"], memory_limit=options["memory_limit"])
    talk.say("read", f"{counted(table.n_rows, 'row')} and {counted(len(table.columns), 'column')} from {table.name}")
    of_run = stored is not None and table.fingerprint() == stored.fingerprint
    if options["ids"] and not of_run:
        raise click.UsageError("--id is for rows of the run; choose those of another file by --row")
    rows = [*options["rows"], *(stored.rows_of(options["ids"]) if options["ids"] else [])]
    if not rows:
        rows = list(range(table.n_rows if options["every"] else min(table.n_rows, FIRST)))
        if len(rows) < table.n_rows:
            talk.say("shown", f"the first {FIRST} of {table.n_rows:,} rows; choose others by --row, or take --all")
    return dict.fromkeys(rows, ""), table, of_run


def _of_run(stored: Any, options: dict[str, Any]) -> tuple[dict[int, str], Any]:
    from ..errors import InputError

    chosen = dict.fromkeys(
        [*options["rows"], *stored.rows_of(options["ids"])] if options["ids"] else options["rows"], ""
    )
    chosen = chosen or _telling(stored)
    n = stored.record["input"]["rows"]
    for row in chosen:
        if row >= n:
            raise InputError(f"row {row} is not there: the {n:,} rows are numbered 0 to {n - 1:,}; give one of these")
    sample = stored.sampled(list(chosen))
    data = sample if sample is not None else stored.data()
    if data is None:
        name = stored.record["input"]["name"]
        raise InputError(
            f"the results do not hold the values of row {next(iter(chosen))}, and {name} does not lie beside {stored.folder} as it was; "
            f"give the data as well: coterie explain {stored.folder} {name} --row {next(iter(chosen))}"
        )
    return chosen, data


def _telling(stored: Any) -> dict[int, str]:
    """Choose a typical and an unsure row of each group, the most unusual rows, and some that fit no group."""
    record = stored.record
    told: dict[int, list[str]] = {}
    for cluster in record["clusters"]:
        for kind, what in (("exemplars", "typical of its group"), ("border", "among the least sure of its group")):
            for row in (cluster.get(kind) or [])[:1]:
                told.setdefault(int(row), []).append(what)
    for line in ((record.get("outliers") or {}).get("top") or [])[:UNUSUAL]:
        told.setdefault(int(line["row"]), []).append("among the most unusual")
    chosen = {row: "; ".join(what) for row, what in told.items()}
    held = (record.get("rows") or {}).get("sample") or {}
    alone = [row for row in map(int, held) if stored.labels[row] < 0 and row not in chosen]
    return chosen | dict.fromkeys(alone[:UNUSUAL], "")


def _given(stored: Any) -> dict[str, Any]:
    return {"labels": stored.labels, "strengths": stored.strengths, "outlier_scores": stored.outlier_scores}


def _explained(model: Any, data: Any, chosen: dict[int, str], given: dict[str, Any]) -> list[dict[str, Any]]:
    from ..study import explain_rows

    rows: Sequence[int] = list(chosen)
    if not isinstance(data, list):
        return explain_rows(model, data, rows=rows, **given)
    # The record holds the values of these rows alone.
    some = {name: None if values is None else values[rows] for name, values in given.items()}
    return [line | {"row": rows[line["row"]]} for line in explain_rows(model, data, **some)]
