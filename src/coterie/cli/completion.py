"""``coterie completion``: the script that completes commands, options and file names."""

import click

__all__ = ["command"]

_INSTALL = {
    "bash": 'eval "$(coterie completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(coterie completion zsh)"   in ~/.zshrc, after compinit',
    "fish": "coterie completion fish > ~/.config/fish/completions/coterie.fish",
}


_HELP = "Print the script that completes commands, options and file names in SHELL. To install it:\n\n\b\n" + "\n".join(
    f"{shell:<6} {line}" for shell, line in _INSTALL.items()
)


@click.command("completion", help=_HELP, short_help="Print the completion script for a shell.")
@click.argument("shell", type=click.Choice(list(_INSTALL)))
def command(shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from ._app import app

    kind = get_completion_class(shell)
    assert kind is not None
    # click's own source() of bash runs bash to learn its version; the script itself needs nothing from this machine.
    script = kind(app, {}, "coterie", "_COTERIE_COMPLETE")
    click.echo(f"# {_INSTALL[shell]}")
    click.echo(script.source_template % script.source_vars())
