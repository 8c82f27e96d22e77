"""``coterie report FOLDER``: make the page anew."""

from typing import Any

import click

from ._config import ConfiguredCommand
from ._terminal import Talk

__all__ = ["command"]


@click.command("report", cls=ConfiguredCommand, short_help="Make report.html anew from run.json.")
@click.argument("folder", type=click.Path())
@click.option("--text", "as_text", is_flag=True, help="Print the summary instead of making the page.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def command(folder: str, as_text: bool, quiet: bool) -> int:
    """Make report.html anew from the run.json in FOLDER, for example after an upgrade. The data are not needed."""
    from .. import report

    if as_text:
        click.echo(report.text_of(_record(folder)), nl=False)
        return 0
    with Talk(quiet) as talk:
        talk.say("wrote", str(report.render(folder)))
    return 0


def _record(folder: str) -> Any:
    import json
    from pathlib import Path

    from ..errors import InputError

    path = Path(folder) / "run.json" if Path(folder).is_dir() else Path(folder)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"could not read {path}: give a folder that coterie run or coterie network wrote") from error
