"""The report of an application as one page, made of its record alone."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise, zip_longest
from typing import Any

from .naming import name_of
from .palette import NOISE, PALETTE
from .record import SHEET, check, clean
from .sheet_check import check_sheet
from .sheet_text import figure, plural, sheet_title
from .shell import FRAME, assemble
from .words import count, percent, printable

__all__ = ["sheet_html", "sheet_summary"]

_OWN = ("shown.js", "bars.js", "lines.js", "histogram.js", "heat.js", "table.js", "pictures.js", "how.js", "main.js")
_STILL = 60


def sheet_html(record: Mapping[str, Any]) -> str:
    """Make the report page of an application from a record alone.

    Parameters
    ----------
    record : mapping
        The content of ``run.json``.

    Returns
    -------
    str
        A complete HTML document. It opens from the disk, sends no request, and treats whatever the data hold as text.

    Raises
    ------
    InputError
        If ``record`` is not a record of a sheet, or damaged.
    """
    check(record, schema=SHEET)
    content = clean(record)
    check_sheet(content)
    static = _static(content)
    groups = content.pop("groups")
    none = next((one for one in groups if one["id"] == -1), None)
    content |= {
        "clusters": [one for one in groups if one["id"] != -1],
        "population": {"noise_rows": none["size"], "noise_share": none["share"]} if none else {},
        "nouns": plural(content.get("noun") or "group"),
        "structure": {},
        "palette": [*PALETTE],
        "noise_color": NOISE,
    }
    return assemble(
        content,
        title=sheet_title(record),
        static=static,
        glossary="sheet/glossary.html",
        styles=("page.css", "sheet/sheet.css"),
        scripts=(*FRAME, *(f"sheet/{name}" for name in _OWN)),
    )


def sheet_summary(record: Mapping[str, Any]) -> str:
    """Return the headline, the answer and the groups as an HTML fragment, for notebooks."""
    blocks = [f"<p><strong>{escape(sheet_title(record))}</strong></p>", *_answer(record), *_static_groups(record)]
    return f"<div>{''.join(blocks)}<p>The full report: <code>.write(folder)</code></p></div>"


def _static(record: Mapping[str, Any]) -> str:
    """Write the answer, the groups, every section as a table, and the metrics, for browsers that run no scripts."""
    blocks = [f"<h1>{escape(sheet_title(record))}</h1>", *_answer(record)]
    for warning in record.get("warnings") or ():
        sentence = " ".join(printable(part) for part in (warning["text"], warning.get("remedy")) if part)
        blocks.append(f"<p>{escape(sentence)}</p>")
    blocks += _static_groups(record)
    for part in record["sections"]:
        blocks += [
            f"<h2>{escape(printable(part['title']))}</h2>",
            f"<p>{escape(printable(part.get('text') or ''))}</p>",
        ]
        blocks.append(_STATIC[part["kind"]](part))
    lines = [
        [
            one.get("label") or one["name"],
            figure(one.get("value"), one.get("format"), one.get("unit")),
            one["definition"],
        ]
        for one in record["metrics"]
    ]
    if lines:
        blocks += ["<h2>The figures</h2>", _grid(["Figure", "Value", "What it is"], lines)]
    blocks.append("<p>Turn scripts on for the drawings; the page never sends anything anywhere.</p>")
    return "\n".join(blocks)


def _answer(record: Mapping[str, Any]) -> list[str]:
    return [f"<p>{escape(printable(sentence))}</p>" for sentence in record["answer"]]


def _static_groups(record: Mapping[str, Any]) -> list[str]:
    if not record["groups"]:
        return []
    lines = []
    for one in record["groups"]:
        facts = "; ".join(f"{words} {figure(value)}" for words, value in one.get("facts") or ())
        phrases = "; ".join(one.get("phrases") or ())
        lines.append(
            [
                f"{'' if one['id'] == -1 else one['id']} {name_of(one)}",
                count(one["size"]),
                percent(one["share"]),
                phrases,
                facts,
            ]
        )
    noun, members = (record.get(name) or words for name, words in (("noun", "group"), ("members", "rows")))
    return [_grid([noun.capitalize(), members.capitalize(), "Share", "What sets it apart", "Facts"], lines)]


def _grid(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(printable(one))}</th>" for one in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(printable(cell))}</td>" for cell in line) + "</tr>" for line in lines[:_STILL]
    )
    more = f"<p>{count(len(lines) - _STILL)} further lines are in run.json.</p>" if len(lines) > _STILL else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _static_series(part: Mapping[str, Any], first: str, places: Sequence[Any], values: str = "values") -> str:
    columns = [one[values] for one in part["series"]]
    shown = [[figure(value, part.get("format"), part.get("unit")) for value in column] for column in columns]
    lines = [[figure(place), *cells] for place, *cells in zip_longest(places, *shown)]
    return _grid([first, *(str(one.get("name") or "") for one in part["series"])], lines)


def _static_histogram(part: Mapping[str, Any]) -> str:
    edges = [figure(edge) for edge in part["edges"]]
    places = [f"{a} to {b}" for a, b in pairwise(edges)]
    return _static_series({**part, "format": "integer", "unit": None}, part.get("x_label") or "From", places, "counts")


def _static_heat(part: Mapping[str, Any]) -> str:
    lines = [
        [row, *(figure(value, part.get("format"), part.get("unit")) for value in values)]
        for row, values in zip(part["rows"], part["values"], strict=True)
    ]
    return _grid([part.get("row_label") or "", *part["columns"]], lines)


def _static_table(part: Mapping[str, Any]) -> str:
    columns = part["columns"]
    lines = [
        [figure(value, column.get("format"), column.get("unit")) for value, column in zip(row, columns, strict=True)]
        for row in part["rows"]
    ]
    return _grid([column.get("label") or column["name"] for column in columns], lines)


def _static_picture(part: Mapping[str, Any]) -> str:
    alt = escape(printable(part["alt"]), quote=True)
    return f'<p><img alt="{alt}" src="{part["source"]}"></p>'


def _static_levels(part: Mapping[str, Any]) -> str:
    frame = part["frames"][part.get("start") or 0]
    words = f"{printable(part.get('label') or 'Level')}: {printable(frame['label'])}"
    return f"<p>{escape(words)}</p>{_static_picture(frame)}"


_STATIC = {
    "bars": lambda part: _static_series(part, "", part["labels"]),
    "lines": lambda part: _static_series(part, part.get("x_label") or "", part["x"]),
    "histogram": _static_histogram,
    "heat": _static_heat,
    "table": _static_table,
    "picture": _static_picture,
    "levels": _static_levels,
}
