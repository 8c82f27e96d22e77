"""The page and the summary of a record of whichever kind, and both made anew in a folder of results."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from . import folder as folders
from .naming import rename
from .record import NETWORK, PICTURES, SHEET, dumps, loads
from .text import text
from .webpage import html

__all__ = ["page_of", "render", "text_of"]


def render(folder: str | os.PathLike, *, names: Mapping[int, str] | None = None) -> Path:
    """Make ``report.html`` anew from the ``run.json`` in ``folder``, and return its path.

    Parameters
    ----------
    folder : str or path-like
        A folder of results, or the ``run.json`` in one.
    names : mapping of int to str, optional
        Names for groups, by number, which are written into ``run.json`` too; an empty name takes an earlier one back.

    Raises
    ------
    InputError
        If there is no ``run.json``, it is not one this version understands, or a name cannot be given.
    OutputError
        If the page could not be written; what stood there before is then untouched.
    """
    from ..files import write_text

    place = Path(folder)
    source = place / "run.json" if place.is_dir() else place
    try:
        content = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"could not read {source}: {reason}; give a folder that coterie run wrote") from error
    record = loads(content, str(source))
    target = source.with_name("report.html")
    if names:
        record = rename(record, names)
        folders.rewrite_files(source.parent, {source.name: dumps(record), target.name: page_of(record)})
    else:
        write_text(target, page_of(record))
    return target


def text_of(record: Mapping[str, Any], width: int = 100) -> str:
    """Return the summary of a record of whichever kind."""
    from .network_text import network_text
    from .pictures_text import pictures_text
    from .sheet_text import sheet_text

    kinds = {NETWORK: network_text, PICTURES: pictures_text, SHEET: sheet_text}
    return kinds.get(record.get("schema", ""), text)(record, width=width)


def page_of(record: Mapping[str, Any]) -> str:
    """Return the page of a record of whichever kind."""
    from .network_page import network_html
    from .pictures_page import pictures_html
    from .sheet_page import sheet_html

    kinds = {NETWORK: network_html, PICTURES: pictures_html, SHEET: sheet_html}
    return kinds.get(record.get("schema", ""), html)(record)
