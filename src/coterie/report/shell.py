"""The fixed shell of a page: style, scripts and record in a single file that asks for nothing else.

Everything that comes from the data travels as JSON in an element that browsers do not run, and reaches the page through
``textContent``. A policy in the head forbids every request and every script but the one whose hash it names.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from .record import embed

__all__ = ["FRAME", "MAPPING", "assemble", "without_addresses"]

_PAGE = Path(__file__).parent / "page"

# The scripts that every page begins with, and those of a page with a map; a page's own follow.
FRAME = (
    "elements.js", "base.js", "save.js", "names.js", "theme.js", "frame.js", "charts.js", "draw.js", "cards.js", "tables.js",
    "trials.js", "method.js",
)  # fmt: skip
MAPPING = ("points.js", "dots.js", "lasso.js", "map.js", "search.js", "mapping.js")


def assemble(
    content: Mapping[str, Any],
    *,
    title: str,
    static: str,
    glossary: str,
    styles: tuple[str, ...],
    scripts: tuple[str, ...],
    points: str = "",
) -> str:
    """Put a page together.

    Parameters
    ----------
    content : mapping
        The record, as JSON can hold it.
    title : str
        Plain text.
    static : str
        Markup for browsers that run no scripts; values from the data are escaped already.
    glossary, styles, scripts
        Files below ``report/page``.
    points : str, default=""
        Packed points of a map.

    Returns
    -------
    str
        A complete HTML document.
    """
    style, script = _assets(styles, scripts)
    parts = {
        "policy": _policy(style, script),
        "title": without_addresses(escape(title)),
        "style": style,
        "static": without_addresses(static),
        "glossary": (_PAGE / glossary).read_text(encoding="utf-8"),
        "record": embed(content),
        "points": points,
        "script": script,
    }
    return _fill((_PAGE / "page.html").read_text(encoding="utf-8"), parts)


def without_addresses(markup: str) -> str:
    """Write the two strokes of addresses as entities: they read the same, and no address stands in the file."""
    return markup.replace("//", "&#47;&#47;")


@functools.cache
def _assets(styles: tuple[str, ...], scripts: tuple[str, ...]) -> tuple[str, str]:
    style = "".join((_PAGE / name).read_text(encoding="utf-8") for name in styles)
    sources = "\n".join((_PAGE / name).read_text(encoding="utf-8") for name in scripts)
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
        raise AssertionError("page.html and shell.py disagree about the marks")
    return "".join(piece if i % 2 == 0 else parts[piece] for i, piece in enumerate(pieces))
