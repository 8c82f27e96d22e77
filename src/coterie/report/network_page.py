"""The report of a network as one page, made of its record alone."""

from collections.abc import Mapping
from html import escape
from typing import Any

from .naming import name_of
from .network_text import network_headline
from .palette import NOISE, PALETTE
from .record import NETWORK, check, clean
from .shell import FRAME, assemble
from .words import count, percent, printable

__all__ = ["network_html"]

_OWN = ("drawing.js", "matrix.js", "classes.js", "people.js", "how.js", "time.js", "main.js")
# What the part on time is drawn with.
_OF_TIME = ("shown.js", "lines.js", "heat.js", "table.js")


def network_html(record: Mapping[str, Any]) -> str:
    """Make the report page of a network from a record alone.

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
        If ``record`` is not a record of a network.
    """
    check(record, schema=NETWORK)
    content = clean(record)
    static = _static(content)
    content |= {"clusters": content.pop("classes"), "noun": "class", "palette": [*PALETTE], "noise_color": NOISE}
    through_time = _OF_TIME if content.get("time") else ()
    return assemble(
        content,
        title=network_headline(record),
        static=static,
        glossary="network/glossary.html",
        styles=("page.css", "network/network.css", *(("sheet/sheet.css",) if through_time else ())),
        scripts=(*FRAME, *(f"sheet/{name}" for name in through_time), *(f"network/{name}" for name in _OWN)),
    )


def _static(record: Mapping[str, Any]) -> str:
    """Write the answer and the classes as HTML for browsers that run no scripts."""
    blocks = [f"<h1>{escape(network_headline(record))}</h1>"]
    blocks += [f"<p>{escape(printable(sentence))}</p>" for sentence in record["answer"]]
    head = "<tr><th>Class</th><th>Nodes</th><th>Share</th><th>What its members share</th><th>Most linked</th></tr>"
    rows = "".join(_static_row(one) for one in record["classes"])
    blocks.append(f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>")
    for warning in record.get("warnings") or ():
        sentence = ": ".join(printable(part) for part in (warning["text"], warning.get("remedy")) if part)
        blocks.append(f"<p>{escape(sentence)}</p>")
    blocks.append("<p>Turn scripts on for the drawing and the tables; the page never sends anything anywhere.</p>")
    return "\n".join(blocks)


def _static_row(one: Mapping[str, Any]) -> str:
    phrases = "; ".join(printable(feature["text"]) for feature in one["features"][:4])
    hubs = ", ".join(map(printable, one["hubs"][:3]))
    cells = [f"{int(one['id'])} {name_of(one)}", count(one["nodes"]), percent(one["share"]), phrases, hubs]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
