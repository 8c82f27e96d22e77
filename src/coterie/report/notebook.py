"""A compact summary of an analysis for notebooks: plain HTML, no script, so that any viewer shows it."""

from collections.abc import Mapping
from html import escape
from typing import Any

from .naming import name_of
from .palette import color
from .words import answer, count, headline, percent, printable

__all__ = ["summary"]

_SHOWN = 20


def summary(record: Mapping[str, Any]) -> str:
    """Return the headline, the answer and a table of the clusters as an HTML fragment."""
    rows = "".join(_row(cluster) for cluster in record["clusters"][:_SHOWN])
    more = len(record["clusters"]) - _SHOWN
    if more > 0:
        rows += f'<tr><td colspan="4" style="text-align:left">and {more} smaller groups</td></tr>'
    sentences = " ".join(escape(sentence) for sentence in answer(record))
    return (
        '<div style="max-width:60em">'
        f"<p><strong>{escape(headline(record))}</strong></p><p>{sentences}</p>"
        "<table><thead><tr><th>group</th><th>rows</th><th>share</th>"
        '<th style="text-align:left">what sets it apart</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        "<p>The full report, with the map: <code>.write(folder)</code></p></div>"
    )


def _row(cluster: Mapping[str, Any]) -> str:
    swatch = f'<span style="color:{color(cluster.get("color", cluster["id"]))}">&#9632;</span>'
    phrases = [printable(feature.get("text") or "") for feature in (cluster.get("features") or [])[:3]]
    what = name_of(cluster) + (": " + "; ".join(phrases) if phrases else "")
    return (
        f"<tr><td>{swatch} {int(cluster['id'])}</td><td>{count(cluster['rows'])}</td>"
        f'<td>{percent(cluster["share"])}</td><td style="text-align:left">{escape(what)}</td></tr>'
    )
