"""``coterie recommend FILE``: from who chose or rated what to suggestions with reasons, taste groups, and how good they are."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ._config import ClusteringCommand
from ._idle import refuse_idle
from ._options import Share, default_folder, excel_safe, limits_and_seed, output_and_talk, usable_input
from ._terminal import Talk

__all__ = ["command"]

_COLUMNS = (
    ("user", "Who chose or rated"), ("item", "What"), ("rating", "How much it was liked, or none: each line is a choice"),
    ("time", "When, or none"),
)  # fmt: skip


# What counts only where something is learnt, and not where a model suggests.
_OF_A_FIT = {
    *(name for name, _ in _COLUMNS), "items", "half_life", "like", "groups", "min_share", "seed", "as_json", "no_report", "force",
    "strict",
}  # fmt: skip


def _column_options(command: Any) -> Any:
    for name, what in reversed(_COLUMNS):
        command = click.option(f"--{name}", metavar="COLUMN", help=f"{what} (default: found).")(command)
    return command


@click.command("recommend", cls=ClusteringCommand, short_help="Suggest items to users, with reasons.")
@click.argument("file", required=False, callback=usable_input)
@click.option("-o", "--output", metavar="FOLDER", help="Where results go (default: NAME.coterie here).")
@_column_options
@click.option(
    "--items",
    metavar="FILE",
    callback=usable_input,
    help="What is known of the items: a table with titles and tags, a line each.",
)
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True, help="Suggestions for each user.")
@click.option(
    "--diversity",
    type=Share(),
    default="0",
    show_default=True,
    help="How much the items of a list should differ, 0 to 1.",
)
@click.option(
    "--half-life", metavar="TIME", default="auto", show_default=True,
    help="After which a like counts half: 14D, 6W, 3M, 1Y; auto: what served best in the past; none.",
)  # fmt: skip
@click.option(
    "--like", type=float, help="Least rating that means liked (default: the least that is not below the mean)."
)
@click.option("-k", "--groups", type=click.IntRange(1), default=10, show_default=True, help="Taste groups, at most.")
@click.option(
    "--min-share", type=Share(0.5), default="2%", show_default=True, help="Least share of the users in a taste group."
)
@click.option(
    "--model",
    metavar="FOLDER",
    type=click.Path(),
    help="Suggest to the users of FILE, who are new, by an earlier run; CSV to stdout. Columns are named as in that run.",
)
@excel_safe
@limits_and_seed("tables that need")
@output_and_talk
@click.pass_context
def command(ctx: click.Context, **options: Any) -> int:
    """Suggest items to users, with a reason for each, and say how good such suggestions were in the past.

    FILE holds a line for each choice or rating: user, item, and perhaps a rating and a time. Results go to NAME.coterie/:
    recommendations.csv, groups.csv, users.csv, evaluation.json, metrics.json, model.coterie, run.json and report.html.
    """
    if options["file"] is None:
        raise click.UsageError("give the FILE of choices or ratings", ctx)
    if options["output"] == "-":
        raise click.UsageError("give a folder or file with -o; --json writes the record to stdout", ctx)
    with Talk(options["quiet"], options["verbose"]) as talk:
        if options["model"] is not None:
            refuse_idle(ctx, _OF_A_FIT, "with --model an earlier run suggests", "leave out --model to learn anew")
            given = ctx.get_parameter_source("diversity") is not ParameterSource.DEFAULT
            return _suggest(options, options["diversity"] if given else None, talk)
        return _recommend(options, talk)


def _recommend(options: dict[str, Any], talk: Talk) -> int:
    from .. import report, tables
    from ..applications.recommend import ClusterRecommender
    from ..report.recommend import recommend_sheet
    from ._deliver import deliver, spent

    folder = options["output"] or default_folder(options["file"])
    report.check_target(folder, force=options["force"])
    recommender = ClusterRecommender(
        options["groups"], diversity=options["diversity"], half_life=options["half_life"], like=options["like"],
        min_share=options["min_share"], random_state=options["seed"],
    )  # fmt: skip

    def on_step(step: Any) -> None:
        if step.name == "read":
            talk.say("read", f"{step.text}   seed {options['seed']}{spent(step, talk)}")
        else:
            talk.step(step)

    limit = options["memory_limit"]
    table = tables.read(options["file"], memory_limit=limit)
    items = None if options["items"] is None else tables.read(options["items"], memory_limit=limit)
    columns = {name: options[name] for name, _ in _COLUMNS}
    recommender.fit(table, items=items, memory_limit=limit, on_step=on_step, **columns)
    talk.say("columns", ", ".join(f"{name} {column}" for name, column in recommender.columns_.items()))
    names = ("items", "top", "diversity", "half_life", "like", "groups", "min_share", *columns)
    asked = {name: options[name] for name in names if options[name] is not None}
    sheet = recommend_sheet(recommender, asked, n=options["top"], excel_safe=options["excel_safe"])
    return deliver(sheet, folder, options, talk)


def _suggest(options: dict[str, Any], diversity: float | None, talk: Talk) -> int:
    from .. import tables
    from ..applications.recommend import ClusterRecommender
    from ..report.recommend import suggestions_text

    if options["output"] is not None and Path(options["output"]).is_dir():
        raise click.UsageError(f"with --model a file is written, and {options['output']} is a folder; give -o NAME.csv")
    recommender = ClusterRecommender.load(options["model"])
    if diversity is not None:
        recommender.set_params(diversity=diversity)
    table = tables.read(options["file"], memory_limit=options["memory_limit"])
    with talk.warnings_told():
        told = recommender.recommend(n=options["top"], explain=True, history=table)
    talk.deliver(suggestions_text(told, excel_safe=options["excel_safe"]), options["output"] or "-")
    return 0
