"""What the sections of a sheet must hold, checked before they are shown."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import InputError

__all__ = ["FORMATS", "check_sheet"]

FORMATS = ("number", "integer", "percent", "money", "date", "text", "seconds", "group")
_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/]+={0,2}")
_MOST_ROWS = 500
_MOST_CELLS = 40_000


def check_sheet(record: Mapping[str, Any]) -> None:
    """Raise InputError where a section, a group or a metric of a clean record cannot be shown.

    Parameters
    ----------
    record : mapping
        The content of ``run.json``.
    """
    for place, found in _parts(record):
        try:
            problem = next(found, None)
        except (
            TypeError,
            KeyError,
            ValueError,
            AttributeError,
        ) as error:  # a list where a number belongs, and the like
            raise InputError(f"{place} of the record is damaged; run the analysis again") from error
        if problem is not None:
            raise InputError(f"{place} of the record cannot be shown: {problem}; run the analysis again")


def _parts(record: Mapping[str, Any]) -> Iterator[tuple[str, Iterator[str]]]:
    yield "the input", _lacking(record["input"], ())
    yield "the name of the groups", _texts([record.get("noun") or "", record.get("members") or ""])
    yield "the groups", _groups(record["groups"])
    yield "the answer", _texts(record["answer"])
    yield "the warnings", _warnings(record.get("warnings") or ())
    yield "the list of sections", _titles(record["sections"])
    for i, metric in enumerate(record["metrics"]):
        yield f"metric {i}", _metric(metric)
    for i, part in enumerate(record["sections"]):
        yield f"section {i}", _section(part, {one["id"] for one in record["groups"]})


def _warnings(warnings: Sequence[Any]) -> Iterator[str]:
    for one in warnings:
        yield from _lacking(one, ("text",))


def _metric(metric: Any) -> Iterator[str]:
    yield from _lacking(metric, ("name", "definition"))
    yield from _plain([metric.get(name) for name in ("value", "low", "high")], "its values")


def _titles(sections: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    titles = [part.get("title") for part in sections]
    yield from (f"two have the title {title!r}" for title in titles if titles.count(title) > 1)


def _section(part: Any, ids: set[int]) -> Iterator[str]:
    yield from _lacking(part, ("kind", "title"))
    check = _KINDS.get(part["kind"])
    if check is None:
        yield f"no kind is called {part['kind']!r}; there are {', '.join(_KINDS)}"
    else:
        yield from _format(part)
        if not set(part.get("groups") or ()) <= ids:
            yield "it names groups that are not there"
        yield from check(part)


def _groups(groups: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in groups:
        yield from _lacking(one, ("id", "size", "share"))
        if one.get("tint") is not None and not re.fullmatch("#[0-9a-fA-F]{6}", str(one["tint"])):
            yield f"a tint must be a colour such as #3366cc, got {one['tint']!r}"
        if not all(isinstance(one[name], int | float) for name in ("id", "size", "share")):
            yield "size and share must be numbers"
        if not all(isinstance(fact, list) and len(fact) == 2 for fact in one.get("facts") or ()):
            yield "each fact must be a label and a value"
        yield from _plain([part for fact in one.get("facts") or () for part in fact], "a label and a value")
        yield from _texts(_listed(one, "phrases"))
        if one.get("picture") is not None:
            yield from _picture(one["picture"])
    ids = [one["id"] for one in groups]
    proper = [i for i in ids if i != -1]
    if proper != list(range(len(proper))) or ids.count(-1) > 1:
        yield f"ids must be 0, 1, 2 and so on in this order, and -1 for what has none, got {ids[:10]}"


def _bars(part: Mapping[str, Any]) -> Iterator[str]:
    yield from _lists(part, ("labels", "series"))
    yield from _plain(part["labels"], "labels")
    yield from _series(part["series"], len(part["labels"]))
    if part.get("groups") and len(part["groups"]) != len(part["labels"]):
        yield "groups must be as many as labels"


def _lines(part: Mapping[str, Any]) -> Iterator[str]:
    yield from _lists(part, ("x", "series"))
    yield from _series(part["series"], len(part["x"]))
    if len({isinstance(one, str) for one in part["x"]}) > 1 or None in part["x"]:
        yield "x must be numbers, or texts, throughout"


def _histogram(part: Mapping[str, Any]) -> Iterator[str]:
    yield from _lists(part, ("edges", "series"))
    edges = part["edges"]
    if len(edges) < 2 or any(a is None or b is None or not a < b for a, b in itertools.pairwise(edges)):
        yield "edges must be two numbers or more, each above the one before"
    yield from _series(part["series"], len(edges) - 1, "counts")


def _heat(part: Mapping[str, Any]) -> Iterator[str]:
    yield from _lists(part, ("rows", "columns", "values"))
    yield from _plain([*part["rows"], *part["columns"]], "rows and columns")
    yield from _numbers([value for row in part["values"] for value in row], "values")
    if [len(row) for row in part["values"]] != [len(part["columns"])] * len(part["rows"]):
        yield "values must have a list for each row, with a number or None for each column"
    if len(part["rows"]) * len(part["columns"]) > _MOST_CELLS:
        yield f"a heat map of more than {_MOST_CELLS:,} cells cannot be read; give fewer rows or columns"


def _table(part: Mapping[str, Any]) -> Iterator[str]:
    yield from _lists(part, ("columns", "rows"))
    for column in part["columns"]:
        yield from _lacking(column, ("name",))
        yield from _format(column)
    if len(part["rows"]) > _MOST_ROWS:
        yield f"a table shows at most {_MOST_ROWS} rows, got {len(part['rows'])}; give the first, and the total"
    if any(len(row) != len(part["columns"]) for row in part["rows"]):
        yield "each row must have a value for each column"
    yield from _plain([value for row in part["rows"] for value in row], "values")


def _picture(part: Mapping[str, Any]) -> Iterator[str]:
    yield from _lacking(part, ("source", "alt"))
    yield from _image(part["source"])


def _image(source: Any) -> Iterator[str]:
    if not isinstance(source, str) or not _IMAGE.fullmatch(source):
        yield "a picture is damaged: expected data:image/png;base64 or data:image/jpeg;base64"


def _levels(part: Mapping[str, Any]) -> Iterator[str]:
    yield from _lists(part, ("frames",))
    for frame in part["frames"]:
        yield from _lacking(frame, ("label",))
        yield from _picture(frame)
    start = part.get("start") or 0
    if not isinstance(start, int) or not 0 <= start < len(part["frames"]):
        yield "start must be the number of a frame, counted from 0"


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "bars": _bars,
    "lines": _lines,
    "histogram": _histogram,
    "heat": _heat,
    "table": _table,
    "picture": _picture,
    "levels": _levels,
}


def _series(series: Sequence[Mapping[str, Any]], length: int, values: str = "values") -> Iterator[str]:
    for one in series:
        yield from _lists(one, (values,))
        for name in (values, "low", "high"):
            if one.get(name) is not None and len(one[name]) != length:
                yield f"{name} of {one.get('name')!r} must be {length}, got {len(one[name])}"
            yield from _numbers(one.get(name) or (), f"{name} of {one.get('name')!r}")


def _format(part: Mapping[str, Any]) -> Iterator[str]:
    if part.get("format", "number") not in FORMATS:
        yield f"no format is called {part['format']!r}; there are {', '.join(FORMATS)}"


def _lacking(part: Any, names: Sequence[str]) -> Iterator[str]:
    if not isinstance(part, Mapping):
        yield f"expected fields with names, got {part!r:.60}"
    missing = [name for name in names if part.get(name) is None]
    if missing:
        yield f"it has no {', '.join(missing)}"


def _lists(part: Any, names: Sequence[str]) -> Iterator[str]:
    yield from _lacking(part, names)
    for name in names:
        if not isinstance(part[name], list):
            yield f"{name} must be a list"


def _listed(part: Mapping[str, Any], name: str) -> list[Any]:
    value = part.get(name)
    return value if isinstance(value, list) else [] if value is None else [None]


def _texts(lines: Sequence[Any]) -> Iterator[str]:
    if not all(isinstance(line, str) for line in lines):
        yield "it must be texts"


def _numbers(values: Sequence[Any], what: str) -> Iterator[str]:
    if not all(value is None or isinstance(value, int | float) for value in values):
        yield f"{what} must be numbers or None"


def _plain(values: Sequence[Any], what: str) -> Iterator[str]:
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        yield f"{what} must be texts, numbers or None"
