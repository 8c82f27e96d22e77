"""``coterie report FOLDER``: make the page anew."""

from typing import Any

import click

from ._config import ConfiguredCommand
from ._terminal import Talk

__all__ = ["command"]


class GroupName(click.ParamType):
    """The number of a group and the name it is to have, such as 0="Big spenders"."""

    name = "group"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, str]:
        """Return number and name."""
        if isinstance(value, tuple):
            return value
        number, given, name = str(value).partition("=")
        if not given or not number.strip().isascii() or not number.strip().isdigit():
            self.fail(
                f'expected the number of a group and its name, such as 0="Big spenders", got {value!r}', param, ctx
            )
        return int(number), name


@click.command("report", cls=ConfiguredCommand, short_help="Make report.html anew from run.json.")
@click.argument("folder", type=click.Path())
@click.option(
    "--rename", "renamed", type=GroupName(), metavar="NUMBER=NAME", multiple=True,
    help='Give a group a name, e.g. 0="Big spenders"; repeatable. Without NAME it has its first name again.',
)  # fmt: skip
@click.option("--text", "as_text", is_flag=True, help="Print the summary instead of making the page.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def command(folder: str, renamed: tuple[tuple[int, str], ...], as_text: bool, quiet: bool) -> int:
    """Make report.html anew from the run.json in FOLDER, for example after an upgrade. The data are not needed.

    With --rename, groups get names of your own, in run.json and on the page.
    """
    from .. import report

    if as_text:
        if renamed:
            raise click.UsageError("--rename writes the names into the folder; leave out --text, or --rename")
        click.echo(report.text_of(_record(folder)), nl=False)
        return 0
    names = dict(renamed)
    if len(names) < len(renamed):
        raise click.UsageError("--rename names a group twice; give each group one name")
    with Talk(quiet) as talk:
        talk.say("wrote", str(report.render(folder, names=names)))
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
