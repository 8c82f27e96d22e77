"""``coterie network EDGES``: from a file of links to classes, their relations and a report."""

from typing import Any

import click

from ._config import ClusteringCommand
from ._deliver import spent, tell, write
from ._errors import DOUBTFUL
from ._options import (
    NetworkMethod,
    Role,
    Share,
    Windows,
    default_folder,
    limits_and_seed,
    output_and_talk,
    usable_input,
)
from ._terminal import Talk

__all__ = ["command"]

_OBJECTIVES = ("modularity", "cpm", "edge_cut", "ratio_cut", "normalized_cut", "min_max_cut")


@click.command("network", cls=ClusteringCommand, short_help="Find the classes of a network and how they relate.")
@click.argument("edges", required=False, callback=usable_input)
@click.option(
    "--nodes", metavar="FILE", callback=usable_input, help="What is known of the nodes: a table, a line each."
)
@click.option("-o", "--output", metavar="FOLDER", help="Where results go (default: NAME.coterie here).")
@click.option(
    "--method", type=NetworkMethod(), default="auto", show_default=True,
    help="auto, leiden, louvain, balanced_cut, block_model, spectral or attributed.",
)  # fmt: skip
@click.option("-k", "--clusters", type=click.IntRange(1), help="Number of classes (default: found).")
@click.option(
    "--resolution", type=click.FloatRange(0, min_open=True), help="Above 1: more, smaller classes (leiden, louvain)."
)
@click.option("--objective", type=click.Choice(_OBJECTIVES), help="What the method optimises.")
@click.option("--imbalance", type=Share(), help="How far above the mean a class may grow, e.g. 3% (balanced_cut).")
@click.option(
    "--directed/--undirected", default=None, help="Whether links have a direction (default: as the file says)."
)
@click.option(
    "--null", type=click.Choice(("auto", "degrees", "sizes")),
    help="What chance keeps in the relations: how much each node links (degrees), or only how many nodes there are (sizes).",
)  # fmt: skip
@click.option("--source", metavar="COLUMN", help="Where a link starts (default: found).")
@click.option("--target", metavar="COLUMN", help="Where a link ends.")
@click.option("--weight", metavar="COLUMN", help="How much a link counts.")
@click.option(
    "--time", metavar="COLUMN", help='When a link was made (default: found; "" for none): shows how the classes change.'
)
@click.option("--windows", type=Windows(), help="How many windows time is cut into, or how long each is, e.g. 1mo, 2w.")
@click.option("--id", "id_column", metavar="COLUMN", help="What names the node in --nodes (default: found).")
@click.option(
    "--roles", type=Role(), multiple=True, help="What an attribute is, e.g. zip=category or note=ignored; repeatable."
)
@click.option("--truth", metavar="COLUMN", help="Known classes to compare with; never used to find them.")
@click.option("--min-share", type=Share(), help="Classes below this share of the nodes are too small, e.g. 1%.")
@limits_and_seed("files that need")
@output_and_talk
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Find the classes of a network, how they relate, who joins them, and what their members share.

    EDGES is a list of links (.csv .tsv .txt .parquet, two columns of names and perhaps a weight and a time) or a graph file (.gml
    .graphml .graph .mtx), also .gz, or - for a list on stdin. Results go to NAME.coterie/: members.csv, relations.csv,
    profile.csv, metrics.json, graph.graphml, run.json and report.html.
    """
    if options["edges"] is None:
        raise click.UsageError("give the file of EDGES", ctx)
    if options["output"] == "-":
        raise click.UsageError("give a folder with -o; --json writes the record to stdout", ctx)
    folder = options["output"] or default_folder(options["edges"])
    with Talk(options["quiet"], options["verbose"]) as talk:
        analysis = _analysis(folder, options, talk)
        tell(analysis, talk)
        _tell_truth(analysis.record, talk)
        write(analysis, folder, options, talk)
        return DOUBTFUL if options["strict"] and _is_doubtful(analysis.record) else 0


def _analysis(folder: str, options: dict[str, Any], talk: Talk) -> Any:
    from .. import report
    from ..report.network import network

    report.check_target(folder, force=options["force"])

    def on_step(step: Any) -> None:
        if step.name == "read":
            talk.say("read", f"{step.text}   seed {options['seed']}" + spent(step, talk))
        elif step.name == "nodes" and not options["nodes"] and step.text.startswith("nothing"):
            pass  # who gave no file of nodes need not be told
        else:
            talk.step(step)

    names = (
        *(
            "method",
            "resolution",
            "objective",
            "imbalance",
            "directed",
            "source",
            "target",
            "weight",
            "time",
            "windows",
            "id_column",
        ),
        *("truth", "min_share", "memory_limit", "null"),
    )
    given = {name: options[name] for name in names if options[name] is not None}
    roles = dict(pair.rpartition("=")[::2] for pair in options["roles"]) or None
    return network(
        options["edges"], options["nodes"],
        n_clusters=options["clusters"], roles=roles, seed=options["seed"], on_step=on_step, **given,
    )  # fmt: skip


def _tell_truth(record: dict[str, Any], talk: Talk) -> None:
    truth = record.get("truth")
    if truth and truth["ami"] is not None:
        talk.say("truth", f"agreement with {truth['column']}: {truth['ami']:.2f} of 1 (adjusted mutual information)")


def _is_doubtful(record: dict[str, Any]) -> bool:
    return record["structure"]["verdict"] == "none" or record["n_classes"] == 0 or bool(record["warnings"])
