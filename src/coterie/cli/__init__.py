"""The command line: ``coterie run FILE`` and its companions, one file a command.

Data goes to stdout, talk to stderr. Nothing heavy is imported before a command needs it.
"""

from collections.abc import Sequence

__all__ = ["invoke", "main"]


def main() -> None:
    """Run the command line of this process and exit with its code."""
    from . import _interrupt

    try:
        _interrupt.install()
        import sys

        code = invoke(sys.argv[1:])
    except KeyboardInterrupt:  # before there was anything to explain it
        code = 130
    _interrupt.leave(code)


def invoke(arguments: Sequence[str]) -> int:
    """Run one command in this process and return its exit code.

    Parameters
    ----------
    arguments : sequence of str
        As typed after ``coterie``.

    Returns
    -------
    int
        0 done; 1 unexpected, or the result could not be written; 2 usage; 3 input unusable; 4 a resource limit; 5 done but
        doubtful, with ``--strict``; 130 interrupted; 141 the reader of stdout went away; 143 terminated.

    Examples
    --------
    >>> from coterie.cli import invoke
    >>> invoke(["version"])
    0.1.0
    0
    """
    from ._errors import explained

    with explained(arguments) as outcome:
        from ._app import app

        outcome.code = app.main(args=list(arguments), prog_name="coterie", standalone_mode=False) or 0
    return outcome.code
