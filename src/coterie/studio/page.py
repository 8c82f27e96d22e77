"""The files of the page: one document, one style, one script, and what the browser may do with them.

Style and helpers are those of the report, so that both look and speak alike; the page itself holds no data.
"""

import functools
import re
from pathlib import Path

from .. import report

__all__ = ["frame_policy", "page_policy", "script", "shell", "style"]

_OWN = Path(__file__).parent / "page"
_REPORT = Path(report.__file__).parent / "page"
_SHARED = ("elements.js", "theme.js")
_SCRIPTS = ("server.js", "columns.js", "controls.js", "runs.js", "saving.js", "frame.js", "comparison.js", "studio.js")


@functools.cache
def shell() -> str:
    """Return the document, which is the same for all data."""
    return (_OWN / "studio.html").read_text(encoding="utf-8")


@functools.cache
def style() -> str:
    """Return the style: that of the report, then our own."""
    return "".join(path.read_text(encoding="utf-8") for path in (_REPORT / "page.css", _OWN / "studio.css"))


@functools.cache
def script() -> str:
    """Return the script: what the report shares, then our own."""
    files = [*(_REPORT / name for name in _SHARED), *(_OWN / name for name in _SCRIPTS)]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return f'"use strict";\n(() => {{\n{sources}\n}})();\n'


def page_policy() -> str:
    """Return what the page may do: run its script, ask its server, and show a report of it."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def frame_policy(page: str) -> str:
    """Return what a report may do: what it says itself, and be shown within our page only."""
    own = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert own is not None
    return f"{own[1]}; frame-ancestors 'self'"
