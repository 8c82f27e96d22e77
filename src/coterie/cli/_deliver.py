"""What a command does with a finished analysis: tell it, write its folder, say what comes next."""

import os
from pathlib import Path
from typing import Any

import click

from . import _interrupt
from ._errors import DOUBTFUL
from ._terminal import Talk

__all__ = ["deliver", "spent", "tell", "write"]


def deliver(sheet: Any, folder: str, options: dict[str, Any], talk: Talk) -> int:
    """Tell what an application found, write its folder, and return the exit code.

    Parameters
    ----------
    sheet : Sheet
    folder : str
        Where results go.
    options : dict
        Of the command: ``force``, ``no_report``, ``as_json``, ``strict``.
    talk : Talk

    Returns
    -------
    int
        0, or that of a doubtful result, where ``strict`` asks for it and there are warnings.
    """
    tell(sheet, talk)
    write(sheet, folder, options, talk)
    return DOUBTFUL if options["strict"] and sheet.record["warnings"] else 0


def tell(analysis: Any, talk: Talk) -> None:
    """Say what an analysis found; where little is said, what to be careful about."""
    if talk.verbose:
        for note in analysis.record["notes"]:
            talk.say("note", note)
    if talk.quiet:
        for warning in analysis.record["warnings"]:
            talk.warn(" ".join(filter(None, (warning["text"], warning.get("remedy")))))
    talk.block("\n" + analysis.to_text(talk.width()) + "\n")


def write(analysis: Any, folder: str, options: dict[str, Any], talk: Talk) -> None:
    """Write the folder of an analysis, say so and what comes next, and give its record to stdout where it was asked for."""
    target = Path(folder).expanduser()
    report = not options["no_report"]
    with _interrupt.leave_no_part_of(target):
        written = analysis.write(target, force=options["force"], report=report)
    talk.say("wrote", f"{target}{os.sep}" + "  ".join(["", *(path.name for path in written.values())]))
    if steps := analysis.steps_from(target, report=report):
        talk.say("next", "   |   ".join(steps))
    if options["as_json"]:
        click.echo(written["record"].read_text(encoding="utf-8").rstrip("\n"))


def spent(step: Any, talk: Talk) -> str:
    """Return the seconds of a step, for who wants to know."""
    return f"  ({step.seconds:.2f} s)" if talk.verbose else ""
