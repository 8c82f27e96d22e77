"""Rows picked out of the table, as CSV: what is told of each, then its values as they were."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .cells import field, number, plain_text, write_rows

__all__ = ["write_listing"]


def write_listing(path: Path, listing: Any, table: Any, *, excel_safe: bool = False) -> None:
    """Write a line for each row of a listing: its columns, the row number from 0, and the values of the table.

    Parameters
    ----------
    path : Path
    listing : Listing
        Of a study: ``rows``, and ``columns`` by name.
    table : Table
        The input; a column of it that is called like one of the listing gets " (input)" behind its name.
    excel_safe : bool, default=False
        Defuse texts that a spreadsheet would take for a formula.
    """
    own = list(listing.columns)
    own.insert(1, "row")
    names = [f"{name} (input)" if name in own else str(name) for name in (column.name for column in table.columns)]
    header = [*own, *(plain_text(name, excel_safe) for name in names)]
    write_rows(path, header, _lines(listing, table, excel_safe))


def _lines(listing: Any, table: Any, excel_safe: bool) -> Iterator[list[str]]:
    values = [column.values for column in table.columns]
    for place, row in enumerate(listing.rows.tolist()):
        told = [_told(column[place], excel_safe) for column in listing.columns.values()]
        told.insert(1, str(row))
        yield [*told, *(field(plain_text(_value(column, row), excel_safe)) for column in values)]


def _told(value: Any, excel_safe: bool) -> str:
    return number(value) if isinstance(value, float) else field(plain_text(value, excel_safe))


def _value(column: Any, row: int) -> Any:
    value = column[row]
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    return value.item() if isinstance(value, np.generic) else value
