"""Options that were given on the command line and would do nothing."""

from collections.abc import Collection

import click
from click.core import ParameterSource

__all__ = ["refuse_idle"]


def refuse_idle(ctx: click.Context, names: Collection[str], because: str, remedy: str) -> None:
    """Refuse those of some options that were given on the command line.

    Parameters
    ----------
    ctx : click.Context
    names : collection of str
        Of parameters.
    because : str
        Why they would do nothing: how the sentence begins.
    remedy : str
        What to do for them to count: how it ends.

    Raises
    ------
    UsageError
        That names them as they are written.
    """
    idle = [
        parameter.opts[-1]
        for parameter in ctx.command.params
        if parameter.name in names and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if idle:
        them = "it" if len(idle) == 1 else "them"
        raise click.UsageError(
            f"{because}, so {' and '.join(idle)} would do nothing; leave {them} out, or {remedy}", ctx
        )
