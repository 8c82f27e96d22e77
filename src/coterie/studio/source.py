"""The table that is served: where it is, what it holds, and what may be asked of a run on it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import errors
from ..errors import InputError
from .child import Child

__all__ = ["Source", "look"]


@dataclass(frozen=True)
class Source:
    """Where the rows come from, and within which limits runs work.

    Attributes
    ----------
    place : str
        File, pattern or database URL; never leaves the server and its children.
    query, table : str or None
        For databases.
    memory_limit : int or None
        Bytes.
    time_limit : float or None
        Seconds for the final fit.
    excel_safe : bool
        Defuse ids that a spreadsheet would take for a formula.
    """

    place: str = field(repr=False)
    query: str | None = None
    table: str | None = None
    memory_limit: int | None = None
    time_limit: float | None = None
    excel_safe: bool = False

    def for_child(self) -> dict[str, Any]:
        """Return it as a task holds it; a child may work in another folder, so paths are absolute."""
        place = self.place if "://" in self.place else os.path.abspath(self.place)
        return {"place": place, "query": self.query, "table": self.table, "memory_limit": self.memory_limit}


def look(source: Source, folder: Path) -> Mapping[str, Any]:
    """Read the table once, in a process of its own, and return what is to be known of it.

    Parameters
    ----------
    source : Source
    folder : Path
        For what the process leaves behind.

    Returns
    -------
    mapping
        ``name``, ``rows``, ``columns`` (``name``, ``kind``, ``role``, ``used``, ``why``, ``missing``), ``notes``.

    Raises
    ------
    CoterieError
        As `coterie.tables.read` does; InputError where it is no table that fits into memory.
    """
    if source.place == "-":
        raise InputError("the studio reads the data anew for each run, and stdin can be read once; give a file")
    heard: list[dict[str, Any]] = []
    child = Child({"kind": "look", "folder": str(folder), "source": source.for_child()}, heard.append)
    try:
        child.wait()
    except BaseException:
        child.kill()
        raise
    if heard[-1]["ended"] == "failed":
        kind = getattr(errors, heard[-1]["error"], errors.CoterieError)
        raise kind(heard[-1]["sentence"])
    return child.result()
