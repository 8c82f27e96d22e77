"""The report as one page: the record, the style and the scripts in a single file that asks for nothing else.

The page is a fixed shell. Everything that comes from the data travels as JSON in an element that browsers do not run,
and reaches the page through ``textContent``. A policy in the head forbids every request and every script but the one
whose hash it names.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from .palette import NOISE, PALETTE
from .points import Points, from_map, packed, picture
from .record import check, clean, embed
from .words import answer, count, headline, percent, printable

__all__ = ["html"]

_PAGE = Path(__file__).parent / "page"
_SCRIPTS = ("base.js", "charts.js", "points.js", "map.js", "cards.js", "tables.js", "method.js", "main.js")
_MAP_ARRAYS = ("row", "x", "y", "label")


def html(record: Mapping[str, Any]) -> str:
    """Make the report page from a record alone.

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
        If ``record`` is not a record of an analysis, or its map is damaged.

    Notes
    -----
    About 100 kB, plus 5.5 bytes for every point of the map.
    """
    check(record)
    content = clean(record)
    points = from_map(content.get("map"))
    if content.get("map"):
        content["map"] = {key: value for key, value in content["map"].items() if key not in _MAP_ARRAYS}
    content |= {"answer": " ".join(answer(content, doubt=False)), "palette": [*PALETTE], "noise_color": NOISE}
    for column in content.get("columns") or ():
        column.pop("categories", None)  # can be long, and the page does not show them
    style, script = _assets()
    parts = {
        "policy": _policy(style, script),
        "title": _without_addresses(escape(headline(content))),
        "style": style,
        "static": _static(content, points),
        "record": embed(content),
        "points": packed(points) if points else "",
        "script": script,
    }
    return _fill((_PAGE / "page.html").read_text(encoding="utf-8"), parts)


@functools.cache
def _assets() -> tuple[str, str]:
    style = (_PAGE / "page.css").read_text(encoding="utf-8")
    sources = "\n".join((_PAGE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return style, f'"use strict";\n(() => {{\n{sources}\n}})();\n'


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _fill(template: str, parts: Mapping[str, str]) -> str:
    # Split at the marks first: a mark that occurs in the data is then just text.
    pieces = template.split("%%")
    if len(pieces) != 2 * len(parts) + 1:
        raise AssertionError("page.html and webpage.py disagree about the marks")
    return "".join(piece if i % 2 == 0 else parts[piece] for i, piece in enumerate(pieces))


def _static(record: Mapping[str, Any], points: Points | None) -> str:
    """Write the answer, the map and the groups as HTML for browsers that run no scripts."""
    blocks = [f"<h1>{escape(headline(record))}</h1>"]
    blocks += [f"<p>{escape(sentence)}</p>" for sentence in answer(record)]
    if points is not None:
        image = picture(points, [cluster.get("color", cluster["id"]) for cluster in record["clusters"]])
        source = base64.b64encode(image).decode("ascii")
        blocks.append(f'<img alt="Map of the rows, coloured by group" src="data:image/png;base64,{source}">')
    rows = "".join(_static_row(cluster) for cluster in record["clusters"])
    head = "<tr><th>Group</th><th>Rows</th><th>Share</th><th>What sets it apart</th></tr>"
    blocks.append(f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>")
    for warning in record.get("warnings") or ():
        sentence = ": ".join(printable(part) for part in (warning["text"], warning.get("remedy")) if part)
        blocks.append(f"<p>{escape(sentence)}</p>")
    blocks.append("<p>Turn scripts on to explore the map and the tables; the page never sends anything anywhere.</p>")
    return _without_addresses("\n".join(blocks))


def _without_addresses(markup: str) -> str:
    # As entities the two strokes read the same, and no address stands in the file even when the data hold one.
    return markup.replace("//", "&#47;&#47;")


def _static_row(cluster: Mapping[str, Any]) -> str:
    phrases = [printable(feature.get("text") or "") for feature in (cluster.get("features") or [])[:4]]
    name = printable(cluster.get("name") or "")
    cells = [f"{int(cluster['id'])} {name}", count(cluster["rows"]), percent(cluster["share"]), "; ".join(phrases)]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
