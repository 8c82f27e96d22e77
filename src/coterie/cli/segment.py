"""``coterie segment FILE``: from purchases or subscriptions to segments of customers, what they are worth, and rules for a CRM."""

from typing import Any

import click

from ._config import ClusteringCommand
from ._idle import refuse_idle
from ._options import Share, default_folder, excel_safe, limits_and_seed, output_and_talk, usable_input
from ._terminal import Talk

__all__ = ["command"]

_COLUMNS = (
    ("id", "Who bought or subscribed"), ("date", "When"), ("amount", "For how much, or a product: Quantity*UnitPrice"),
    ("order", "Which order a row belongs to"), ("start", "Subscriptions: from when"), ("end", "Subscriptions: until when"),
    ("price", "Subscriptions: the price"), ("plan", "Subscriptions: which plan"),
    ("period", "Subscriptions: what the price pays for, month, quarter or year"), ("tenure", "Subscriptions: months, where there are no dates"),
    ("churn", "Subscriptions: whether the customer left"),
)  # fmt: skip


# What counts only where segments are found, and not where customers are put into those of a model.
_OF_A_FIT = {
    "k", "min_share", "horizon", "spend", "spend_lag", "margin", "discount", "whales", "whale_share", "contractual", "seed", "as_json",
    "no_report", "force", "strict",
}  # fmt: skip


class Count(click.ParamType):
    """A number of segments, or auto."""

    name = "count"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return "auto" or an int."""
        if str(value).lower() == "auto":
            return "auto"
        if not str(value).isdigit() or int(value) < 2:
            self.fail(f"expected auto or a number from 2 on, got {value!r}", param, ctx)
        return int(value)


def _column_options(command: Any) -> Any:
    for name, what in reversed(_COLUMNS):
        command = click.option(f"--{name}", metavar="COLUMN", help=f"{what} (default: found).")(command)
    return command


@click.command("segment", cls=ClusteringCommand, short_help="Find segments of customers in purchases or subscriptions.")
@click.argument("file", required=False, callback=usable_input)
@click.option("-o", "--output", metavar="FOLDER", help="Where results go (default: NAME.coterie here).")
@_column_options
@click.option("-k", "--k", type=Count(), default="auto", show_default=True, help="Number of segments.")
@click.option(
    "--min-share", type=Share(), default="3%", show_default=True, help="Least share of the customers in a segment."
)
@click.option(
    "--cutoff",
    metavar="DAY",
    help="Last day to learn from, e.g. 2024-01-31; later rows only test (default: the last day; with --model, its cut-off unless FILE is newer).",
)
@click.option(
    "--horizon",
    metavar="TIME",
    help="How far to look ahead, e.g. 39w, 90d, 12m, 1y (default: as long as rows go on, or 1y).",
)
@click.option(
    "--spend",
    metavar="FILE",
    callback=usable_input,
    help="Acquisition spend: month, cost, and perhaps channel, new_customers.",
)
@click.option(
    "--margin", type=Share(), default="100%", show_default=True, help="Share of what is spent that is earned."
)
@click.option(
    "--discount", type=Share(), default="0", show_default=True, help="A year, for the value of customers, e.g. 10%."
)
@click.option(
    "--spend-lag", type=click.IntRange(0, 24), default=0, show_default=True,
    help="Months from what is spent to the customers it brings.",
)  # fmt: skip
@click.option(
    "--whales",
    type=click.Choice(("keep", "separate")),
    default="keep",
    show_default=True,
    help="Whether those who spend most are a segment of their own.",
)
@click.option("--whale-share", type=Share(), default="1%", show_default=True, help="How many those are.")
@click.option(
    "--contractual/--no-contract", default=None, help="Whether customers subscribe (default: as the columns say)."
)
@click.option(
    "--model",
    metavar="FOLDER",
    type=click.Path(),
    help="Put the customers of FILE into the segments of an earlier run.",
)
@excel_safe
@limits_and_seed("tables that need")
@output_and_talk
@click.pass_context
def command(ctx: click.Context, **options: Any) -> int:
    """Find segments of customers: who they are, what they are worth, who is leaving, and rules to put new customers into one.

    FILE holds purchases (customer, date, amount; a row a purchase or a row an item) or subscriptions (customer, start, end,
    price; or tenure, price and churn). Results go to NAME.coterie/: segments.csv, profile.csv, rules.csv, metrics.json,
    model.coterie, run.json and report.html; and where there is such, migration.csv, mrr.csv and cac.csv.
    """
    if options["file"] is None:
        raise click.UsageError("give the FILE of purchases or subscriptions", ctx)
    if options["output"] == "-":
        raise click.UsageError("give a folder or file with -o; --json writes the record to stdout", ctx)
    with Talk(options["quiet"], options["verbose"]) as talk:
        if options["model"] is not None:
            refuse_idle(
                ctx,
                _OF_A_FIT,
                "with --model the segments are those of the earlier run",
                "leave out --model to find new segments",
            )
            return _assign(options, talk)
        return _segment(options, talk)


def _segment(options: dict[str, Any], talk: Talk) -> int:
    from .. import report, tables
    from ..applications.segments import MarketSegmentation
    from ..report.segments import segments_sheet
    from ._deliver import deliver, spent

    folder = options["output"] or default_folder(options["file"])
    report.check_target(folder, force=options["force"])
    names = ("k", "min_share", "cutoff", "horizon", "whales", "whale_share", "margin", "discount", "spend_lag")
    given = {name: options[name] for name in (*names, *(name for name, _ in _COLUMNS))}
    given["contractual"] = "auto" if options["contractual"] is None else options["contractual"]
    segmentation = MarketSegmentation(**given, random_state=options["seed"])

    def on_step(step: Any) -> None:
        if step.name == "read":
            talk.say("read", f"{step.text}   seed {options['seed']}{spent(step, talk)}")
        else:
            for i, note in enumerate(segmentation.taken_):
                talk.say("note" if i else "columns", note)
            talk.step(step)

    spend = None if options["spend"] is None else tables.read(options["spend"])
    table = tables.read(options["file"], memory_limit=options["memory_limit"])
    segmentation.fit(table, spend, on_step=on_step)
    asked = {name: value for name, value in given.items() if value is not None}
    asked |= {} if options["spend"] is None else {"spend": options["spend"]}
    return deliver(segments_sheet(segmentation, asked, excel_safe=options["excel_safe"]), folder, options, talk)


def _assign(options: dict[str, Any], talk: Talk) -> int:
    from .. import tables
    from ..applications.segments import MarketSegmentation
    from ..files import write_text
    from ..report.segments import table_text

    loaded = MarketSegmentation.load(options["model"])
    given = {name: options[name] for name, _ in _COLUMNS if options[name] is not None}
    loaded.set_params(**given)
    table = tables.read(options["file"], memory_limit=options["memory_limit"])
    told = loaded.assign(table, cutoff=options["cutoff"])
    if loaded.as_of_ is not None:
        talk.say("as of", loaded.as_of_)
    text = table_text(told, excel_safe=options["excel_safe"])
    if options["output"] is None:
        click.echo(text, nl=False)
    else:
        write_text(options["output"], text)
        talk.say("wrote", options["output"])
    return 0
