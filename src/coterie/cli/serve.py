"""``coterie serve FILE``: the studio, a page with controls beside the report."""

import json
import webbrowser
from typing import Any

import click

from ._config import ConfiguredCommand
from ._options import Bytes, Seconds, default_folder, usable_source
from ._terminal import Talk

__all__ = ["command"]


@click.command("serve", cls=ConfiguredCommand, short_help="Open the studio: the report with controls, in the browser.")
@click.argument("file", callback=usable_source)
@click.option("-o", "--output", metavar="FOLDER", help="Where runs are saved (default: NAME.coterie here).")
@click.option("--query", metavar="SQL", help="Rows to take from a database.")
@click.option("--table", metavar="NAME", help="Table to take from a database.")
@click.option("--memory-limit", type=Bytes(), help="Refuse runs that need more, e.g. 2GB.")
@click.option("--time-limit", type=Seconds(), help="Refuse runs that take longer, e.g. 5m.")
@click.option("--excel-safe", is_flag=True, help="Defuse ids that a spreadsheet would run as formulas.")
@click.option("--force", is_flag=True, help="Save into a folder that holds other things too.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen at (default: a free one).")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen at; others than loopback need --i-know."
)
@click.option("--i-know", is_flag=True, help="I know that other machines can then reach the studio, unencrypted.")
@click.option("--no-browser", is_flag=True, help="Open no browser; only say where the studio is.")
@click.option("--json", "as_json", is_flag=True, help="Write where the studio is to stdout, as one JSON object.")
@click.pass_context
def command(ctx: click.Context, /, file: str, output: str | None, **options: Any) -> int:
    """Open FILE in the studio: choose columns, method and number of groups, run, compare, name, undo, save.

    FILE is a table as for coterie run. The studio is for you alone: it listens on this machine only, and opens with the address that
    it writes, which holds a token. Nothing is written before you save. Ctrl-C ends it.
    """
    from ..report.words import counted
    from ..studio import LOOPBACK, Source, Target, serve

    if options["host"] not in LOOPBACK and not options["i_know"]:
        raise click.UsageError(
            f"--host {options['host']} lets other machines reach the studio, unencrypted; add --i-know if that is meant",
            ctx,
        )
    source = Source(
        file, options["query"], options["table"], options["memory_limit"], options["time_limit"], options["excel_safe"]
    )
    target = Target(output or default_folder(file), options["force"])
    with Talk() as talk:

        def ready(address: Any) -> None:
            talk.say(
                "read", f"{counted(address.rows, 'row')} and {counted(address.columns, 'column')} from {address.name}"
            )
            if options["host"] not in LOOPBACK:
                talk.warn("other machines can reach the studio, and what it sends travels unencrypted")
            if options["as_json"]:
                found = {"schema": "coterie.serve/1", "url": address.url, "data": address.name}
                click.echo(json.dumps(found, ensure_ascii=False))
            talk.say("studio", address.url)
            talk.say("", "Ctrl-C ends it; whoever has this address can use it")
            if not options["no_browser"]:
                webbrowser.open(address.opener.as_uri())

        unsaved = serve(source, target, ready, host=options["host"], port=options["port"])
        if unsaved:
            talk.warn(f"{', '.join(unsaved)} {'was' if len(unsaved) == 1 else 'were'} not saved")
        talk.say("ended", "nothing of the studio runs any more")
    return 0
