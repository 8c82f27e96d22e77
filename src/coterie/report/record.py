"""The record of an analysis: what ``run.json`` holds, made clean for JSON and safe inside a page."""

import datetime
import json
import math
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np

from ..errors import InputError

__all__ = [
    "NETWORK",
    "PICTURES",
    "SCHEMA",
    "SHEET",
    "check",
    "clean",
    "dumps",
    "embed",
    "finished",
    "loads",
    "now",
    "versions",
    "without_credentials",
]

SCHEMA = "coterie.run/1"
_VERSIONED = ("numpy", "scipy", "scikit-learn", "numba", "duckdb")
NETWORK = "coterie.network/1"
PICTURES = "coterie.pictures/1"
SHEET = "coterie.sheet/1"

_SILENT = {"on_progress", "on_step", "show"}

_REQUIRED = {
    SCHEMA: ("input", "structure", "clusters"),
    NETWORK: ("input", "structure", "classes", "relations"),
    PICTURES: ("input", "structure", "clusters", "pictures", "thumbnails"),
    SHEET: ("input", "answer", "groups", "sections", "metrics"),
}


def clean(value: Any) -> Any:
    """Turn NumPy scalars, arrays, dates, tuples and non-finite numbers into what JSON can say.

    Parameters
    ----------
    value : object
        Dictionaries, sequences, arrays and scalars, nested in any way.

    Returns
    -------
    object
        The same content from ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` and ``None`` only; NaN and
        infinities become ``None``.

    Examples
    --------
    >>> import numpy as np
    >>> clean({"share": np.float64(0.5), "score": float("nan"), "rows": (np.int64(3),)})
    {'share': 0.5, 'score': None, 'rows': [3]}
    """
    if value is None or (isinstance(value, bool | str | int) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, np.generic):
        return clean(value.item())
    if isinstance(value, np.ndarray):
        return clean(list(value)) if value.dtype.kind in "mMO" else clean(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(item) for item in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def dumps(record: Mapping[str, Any]) -> str:
    """Write a record as the text of ``run.json``: UTF-8, strict JSON, one top-level field a line."""
    fields = clean(record)
    # One field a line keeps a megabyte of map on its own line, so that the rest can be read and compared.
    lines = [f"{json.dumps(key)}: {_json(value)}" for key, value in fields.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def loads(text: str, source: str = "run.json") -> dict[str, Any]:
    """Read the text of ``run.json`` and check that it is a record this version understands, of whichever kind.

    Raises
    ------
    InputError
        If the text is not JSON, or not a record of this schema.
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not a record of an analysis: it is not valid JSON ({error})") from error
    kind = record.get("schema") if isinstance(record, Mapping) else None
    check(record, source, schema=kind if kind in _REQUIRED else SCHEMA)
    return record


def check(record: Any, source: str = "the record", *, schema: str = SCHEMA) -> None:
    """Raise InputError unless ``record`` is a mapping of the schema this version writes."""
    if not isinstance(record, Mapping):
        raise InputError(f"{source} is not a record of an analysis: expected a JSON object")
    found = record.get("schema")
    if found != schema:
        raise InputError(f"{source} has schema {found!r}, but this version of coterie reads {schema!r}; run it again")
    missing = [name for name in _REQUIRED[schema] if not isinstance(record.get(name), dict | list)]
    if missing:
        raise InputError(f"{source} is incomplete: it has no {', '.join(missing)}; run the analysis again")


def finished(
    body: Mapping[str, Any],
    source: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    schema: str = SCHEMA,
    **parts: Any,
) -> dict[str, Any]:
    """Put a head before what a study found, and check that all is there.

    Parameters
    ----------
    body : mapping
        The record of the study.
    source : mapping
        What was read: the field ``input``.
    options : mapping
        As they were given; those that are None, or only listen, are left out.
    schema : str
    **parts
        Fields that stand in for those of the body.

    Returns
    -------
    dict
    """
    from .. import __version__

    told = {key: value for key, value in options.items() if value is not None and key not in _SILENT}
    head = {
        "schema": schema, "coterie": __version__, "created": now(), "seed": int(told.get("seed") or 0), "versions": versions(),
        "input": source, **parts, "options": told,
    }  # fmt: skip
    record: dict[str, Any] = clean({**head, **{key: value for key, value in body.items() if key not in head}})
    check(record, schema=schema)
    return record


def embed(value: Any) -> str:
    """Write ``value`` as JSON that can stand inside a ``<script>`` element without ever ending it.

    No ``<``, ``>`` or ``&`` remains, so that neither ``</script>`` nor ``<!--`` can occur, and no ``//``, so that the
    page holds no address even where the data do.
    """
    text = _json(clean(value))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    # In JSON a solidus only occurs within strings, where it may be escaped.
    return text.replace("/", "\\/")


def without_credentials(name: str) -> str:
    """Drop user and password from a database address, so that no secret reaches a result."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", name)


def now() -> str:
    """Return the time in UTC as ISO 8601."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def versions() -> dict[str, str]:
    """Return the versions of what an analysis stands on."""
    from .. import __version__

    found = {"coterie": __version__, "python": platform.python_version()}
    for name in _VERSIONED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Half of a surrogate pair cannot be written as UTF-8; the file keeps it as an escape.
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match.group()):04x}", text)
