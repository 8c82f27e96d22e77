"""JSON: one object a line, or one array of objects, or one object of columns."""

import io
import json
from typing import IO, Any

from ..errors import InputError, ResourceError
from .frames import columns_of_records, from_columns, read_object
from .table import Table

__all__ = ["read_json"]

_KINDS = {
    int: "a number", float: "a number", str: "a text", bool: "a logical value", type(None): "a null", list: "a list"
}  # fmt: skip


def read_json(
    stream: IO[bytes], name: str, *, memory_limit: int | None = None, source_bytes: int | None = None
) -> Table:
    """Read JSON records.

    Parameters
    ----------
    stream : binary file
    name : str
        Of the file, for messages.
    memory_limit, source_bytes : int, optional
        Bytes.

    Returns
    -------
    Table
        Objects inside objects become columns "outer.inner"; lists are left out, and that is said.

    Raises
    ------
    InputError
        If a line is no JSON object; the message names it.
    """
    if memory_limit is not None and source_bytes is not None and source_bytes > memory_limit:
        raise ResourceError(f"{name} has {source_bytes / 1e6:,.0f} MB, above the memory limit; raise the limit")
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="strict", newline=None)
    try:
        return _parsed(text, name, source_bytes)
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8, as JSON must be: {error.reason} at byte {error.start:,}") from error
    except RecursionError:
        raise InputError(f"{name} is nested too deeply to be a table") from None
    finally:
        text.detach()


def _parsed(text: io.TextIOWrapper, name: str, source_bytes: int | None) -> Table:
    records: list[dict] = []
    first = ""
    number = 0
    for number, line in enumerate(text, 1):
        stripped = line.strip()
        if not stripped:
            continue
        if not records:
            first = stripped
        try:
            record = json.loads(stripped)
        except ValueError as error:
            if records:
                raise InputError(f"line {number:,} of {name} is no JSON: {error}; correct or remove it") from error
            return _document(line + text.read(), name, number, source_bytes)
        if not isinstance(record, dict):
            if not records and isinstance(record, list):
                return _document(line + text.read(), name, number, source_bytes)
            raise InputError(
                f"line {number:,} of {name} holds {_KINDS[type(record)]}, not an object; give one object a line"
            )
        records.append(record)
    if len(records) == 1 and first and all(isinstance(value, list) for value in records[0].values()) and records[0]:
        return _renamed(read_object(records[0]), name, source_bytes)
    return _from_records(records, name, source_bytes)


def _document(text: str, name: str, line: int, source_bytes: int | None) -> Table:
    try:
        whole: Any = json.loads(text)
    except ValueError as error:
        at = getattr(error, "lineno", 1) + line - 1
        raise InputError(
            f"{name} is no JSON from line {at:,} on: {getattr(error, 'msg', error)}; correct it"
        ) from error
    if isinstance(whole, list) and whole and all(isinstance(record, dict) for record in whole):
        return _from_records(whole, name, source_bytes)
    if isinstance(whole, dict) and whole and all(isinstance(value, list) for value in whole.values()):
        return _renamed(read_object(whole), name, source_bytes)
    if isinstance(whole, dict):
        return _from_records([whole], name, source_bytes)
    raise InputError(f"{name} holds no objects; give a list of objects, one object a line, or an object of columns")


def _from_records(records: list[dict], name: str, source_bytes: int | None) -> Table:
    if not records:
        raise InputError(f"{name} holds no objects; give one object a line")
    return from_columns(name, columns_of_records(records), source_bytes=source_bytes)


def _renamed(table: Table, name: str, source_bytes: int | None) -> Table:
    from dataclasses import replace

    return replace(table, name=name, source_bytes=source_bytes)
