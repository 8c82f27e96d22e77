"""``coterie version``."""

import click

__all__ = ["command"]


@click.command("version")
def command() -> None:
    """Print the version."""
    from .. import __version__

    click.echo(__version__)
