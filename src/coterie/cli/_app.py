"""The root command: names of the others and one line each, loaded only when called."""

import difflib
from importlib import import_module
from typing import Any

import click

__all__ = ["COMMANDS", "app"]

COMMANDS = {
    "run": ("coterie.cli.run:command", "Find and explain the clusters in a file (the main job)."),
    "demo": ("coterie.cli.demo:command", "The same on real data that is already installed."),
    "serve": ("coterie.cli.serve:command", "Open the studio: the report with controls, in the browser."),
    "predict": ("coterie.cli.predict:command", "Label new rows with a saved model."),
    "explain": ("coterie.cli.explain:command", "Say why rows are in their groups; or give the groups as SQL or JSON."),
    "compare": ("coterie.cli.compare:command", "Set runs, or methods on the same data, side by side."),
    "drift": ("coterie.cli.drift:command", "Compare new rows, or a newer run, with an earlier run."),
    "segment": ("coterie.cli.segment:command", "Find segments of customers, what they are worth, and rules for a CRM."),
    "recommend": ("coterie.cli.recommend:command", "Suggest items to users, and say why and how good it is."),
    "network": ("coterie.cli.network:command", "Find the classes of a network and how they relate."),
    "image": ("coterie.cli.image:command", "Find the regions of a picture."),
    "anomaly": ("coterie.cli.anomaly:command", "Learn what is normal, and find the rows that are not."),
    "report": ("coterie.cli.report:command", "Make report.html anew from the run.json of a result folder."),
    "doctor": ("coterie.cli.doctor:command", "Check this installation: versions, speed, a self-test."),
    "completion": ("coterie.cli.completion:command", "Print the completion script for a shell."),
    "version": ("coterie.cli.version:command", "Print the version."),
}

_HELP = """Find the clusters in your data, check them, and explain them in the data's own units.

\b
  coterie run customers.csv        read, prepare, choose, cluster, judge, explain
  coterie demo                     the same on real data that is already installed
  coterie segment sales.csv        segments of customers; so do recommend, network, image and anomaly for their questions

Results go to customers.coterie/: labels.csv, model.coterie, run.json, report.html."""

_EPILOG = """Exit codes: 0 done; 1 unexpected or not writable; 2 usage; 3 input unusable; 4 a limit was hit; 5 done but doubtful
(with --strict); 130 interrupted. Every option can also be set as COTERIE_NAME or in coterie.toml."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        return getattr(import_module(module), attribute)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command, or suggest the nearest."""
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command is called {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def _show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from .. import __version__

        click.echo(f"coterie {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    help=_HELP,
    epilog=_EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Print the version."
)
@click.pass_context
def app(ctx: click.Context) -> None:
    """Show the help when no command is given."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
