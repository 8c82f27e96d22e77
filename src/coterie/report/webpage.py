"""The report of an analysis of a table as one page, made of its record alone."""

import base64
from collections.abc import Mapping
from html import escape
from typing import Any

from .naming import name_of
from .palette import NOISE, PALETTE
from .points import Points, from_map, packed, picture
from .record import check, clean
from .shell import FRAME, MAPPING, assemble
from .words import answer, count, headline, percent, printable

__all__ = ["html"]

_VIEWS = ("silhouettes.js", "trees.js", "walks.js")
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
    if headed := (content.get("purpose") or {}).get("headline"):
        content["title"] = headed
    if (content.get("judge") or {}).get("all_rows"):
        content["figures"] = _figures(content["judge"])
    for column in content.get("columns") or ():
        column.pop("categories", None)  # can be long, and the page does not show them
    return assemble(
        content,
        title=headline(content),
        static=_static(content, points),
        glossary="glossary.html",
        styles=("page.css",),
        scripts=(*FRAME, *MAPPING, *_VIEWS, "main.js"),
        points=packed(points) if points else "",
    )


def _figures(judge: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return how good the groups are in figures, by a sample and by all rows, each called what it is."""
    scores = judge["all_rows"]
    drawn, every = f"{count(judge.get('silhouette_rows'))} rows drawn", f"all {count(scores.get('rows'))} rows"
    return [
        (f"Silhouette, {drawn}", judge.get("silhouette")),
        ("Stability, of the sample", judge.get("stability")),
        ("Separation, of the sample", judge.get("separation")),
        (f"Silhouette around centers, {every}", scores.get("simplified_silhouette")),
        (f"Davies-Bouldin, {every}", scores.get("davies_bouldin")),
        (f"Calinski-Harabasz, {every}", scores.get("calinski_harabasz")),
    ]


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
    return "\n".join(blocks)


def _static_row(cluster: Mapping[str, Any]) -> str:
    phrases = [printable(feature.get("text") or "") for feature in (cluster.get("features") or [])[:4]]
    cells = [
        f"{int(cluster['id'])} {name_of(cluster)}",
        count(cluster["rows"]),
        percent(cluster["share"]),
        "; ".join(phrases),
    ]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
