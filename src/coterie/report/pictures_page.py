"""The report of an analysis of pictures as one page, made of its record alone."""

import base64
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from ..errors import InputError
from .naming import name_of
from .palette import NOISE, PALETTE
from .pictures_text import pictures_answer, pictures_headline
from .points import Points, from_map, packed, picture
from .record import PICTURES, check, clean
from .shell import FRAME, MAPPING, assemble
from .words import count, percent, printable

__all__ = ["pictures_html", "pictures_summary"]

_OWN = ("gallery.js", "how.js", "main.js")
_MAP_ARRAYS = ("row", "x", "y", "label")
# Exemplars of each group that readers without scripts see.
_STILL = 6
_SUMMED_UP = 20
_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/]+={0,2}")


def pictures_html(record: Mapping[str, Any]) -> str:
    """Make the report page of pictures from a record alone.

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
        If ``record`` is not a record of pictures, or an image or the map in it is damaged.

    Notes
    -----
    About 100 kB, 5.5 bytes for every point of the map, and the images: 24 of each group, below 4 kB each.
    """
    check(record, schema=PICTURES)
    content = clean(record)
    for image in content["thumbnails"].values():
        if not isinstance(image, str) or not _IMAGE.fullmatch(image):
            raise InputError("an image in the record is damaged; run the analysis again")
    points = from_map(content.get("map"))
    static = _static(content, points)
    if content.get("map"):
        content["map"] = {key: value for key, value in content["map"].items() if key not in _MAP_ARRAYS}
    content |= {
        "answer": " ".join(pictures_answer(content, doubt=False)),
        "palette": [*PALETTE],
        "noise_color": NOISE,
    }
    return assemble(
        content,
        title=pictures_headline(content),
        static=static,
        glossary="pictures/glossary.html",
        styles=("page.css", "pictures/pictures.css"),
        scripts=(*FRAME, *MAPPING, *(f"pictures/{name}" for name in _OWN)),
        points=packed(points) if points else "",
    )


def pictures_summary(record: Mapping[str, Any]) -> str:
    """Return the headline, the answer and the exemplars of each group as an HTML fragment, for notebooks."""
    blocks = [f"<p><strong>{escape(pictures_headline(record))}</strong></p>"]
    blocks.append(f"<p>{' '.join(escape(sentence) for sentence in pictures_answer(record))}</p>")
    blocks += [_static_group(record, cluster) for cluster in record["clusters"][:_SUMMED_UP]]
    more = len(record["clusters"]) - _SUMMED_UP
    blocks += [f"<p>and {more} smaller groups</p>"] if more > 0 else []
    return f"<div>{''.join(blocks)}<p>The full report, with the map: <code>.write(folder)</code></p></div>"


def _static(record: Mapping[str, Any], points: Points | None) -> str:
    """Write the answer, the groups with their exemplars and the map as HTML for browsers that run no scripts."""
    blocks = [f"<h1>{escape(pictures_headline(record))}</h1>"]
    blocks += [f"<p>{escape(sentence)}</p>" for sentence in pictures_answer(record)]
    blocks += [_static_group(record, cluster) for cluster in record["clusters"]]
    if points is not None:
        image = picture(points, [cluster.get("color", cluster["id"]) for cluster in record["clusters"]])
        source = base64.b64encode(image).decode("ascii")
        blocks.append(f'<img alt="Map of the pictures, coloured by group" src="data:image/png;base64,{source}">')
    for warning in record.get("warnings") or ():
        sentence = " ".join(printable(part) for part in (warning["text"], warning.get("remedy")) if part)
        blocks.append(f"<p>{escape(sentence)}</p>")
    blocks.append("<p>Turn scripts on to explore the map and the tables; the page never sends anything anywhere.</p>")
    return "\n".join(blocks)


def _static_group(record: Mapping[str, Any], cluster: Mapping[str, Any]) -> str:
    images = "".join(
        f'<img class="still" height="64" alt="{escape(_alt(record, row, cluster), quote=True)}" src="{record["thumbnails"][str(row)]}">'
        for row in cluster["exemplars"][:_STILL]
        if str(row) in record["thumbnails"]
    )
    head = f"Group {int(cluster['id'])}: {name_of(cluster)}"
    size = f"{count(cluster['rows'])} pictures, {percent(cluster['share'])}"
    return f"<h2>{escape(head)}</h2><p>{size}</p><p>{images}</p>"


def _alt(record: Mapping[str, Any], row: int, cluster: Mapping[str, Any]) -> str:
    name = ((record.get("rows") or {}).get("sample") or {}).get(str(row), {}).get("picture", str(row))
    return f"{printable(name)}, typical of group {int(cluster['id'])}"
