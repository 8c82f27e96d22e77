"""Explanations of rows as plain text, for a terminal or a log."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ..study.judge import OUTLIER_THRESHOLD
from .text import joined
from .words import printable

__all__ = ["explained_text"]

_LEAST_WIDTH = 40
_INDENT = 14
_UNITS = "A distance of 1 is about the spread of one column."


def explained_text(rows: Sequence[Mapping[str, Any]], *, width: int = 100) -> str:
    """Tell in plain text why rows are where they are.

    Parameters
    ----------
    rows : sequence of mapping
        From `coterie.study.explain_rows`; ``id`` and ``shown`` (why this row is shown) are told where they are there.
    width : int, default=100
        Columns to fill; at least 40.

    Returns
    -------
    str
        A paragraph a row and a note on how the method decides, without colours or control characters, whatever the data hold.
    """
    width = max(width, _LEAST_WIDTH)
    how = next((row["how"] for row in rows if row["reasons"]), None)
    note = joined(textwrap.wrap(printable(f"{how}. {_UNITS}"), width)) if how else ""
    return "\n".join([*(_paragraph(row, width) for row in rows), *([note] if note else [])])


def _paragraph(row: Mapping[str, Any], width: int) -> str:
    called = f" ({row['id']})" if row.get("id") else ""
    shown = f"   {row['shown']}" if row.get("shown") else ""
    head = f"row {row['row']}{called}: {_group(row)}{shown}"
    lines = textwrap.wrap(printable(head), width)
    for name, phrases in _parts(row):
        for i, phrase in enumerate(phrases):
            start = f"  {name if i == 0 else '':<{_INDENT - 2}}"
            lines += textwrap.wrap(printable(phrase), width, initial_indent=start, subsequent_indent=" " * _INDENT)
    return joined(lines)


def _group(row: Mapping[str, Any]) -> str:
    if row["group"] >= 0:
        return f"group {row['group']}, {row['name']}"
    return "no group" if row["nearest"] < 0 else f"no group; the nearest is group {row['nearest']}"


def _parts(row: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    second, outlier = row["runner_up"], row["outlier"]
    found = [
        ("because", [f"{min(reason['share'], 1.0):>4.0%} {reason['text']}" for reason in row["reasons"]]),
        ("against", [reason["text"] for reason in row["against"]]),
        ("runner-up", [row["beside"]] if second else []),
        ("sure", [row["sure"]]),
    ]
    score = (
        "" if outlier["score"] is None else f" (score {outlier['score']:.2f}; outliers are from {OUTLIER_THRESHOLD})"
    )
    if row["group"] < 0:
        # That it fits no group is said already; what is left is why.
        found.append(("unusual", [outlier["why"]] if outlier["why"] else []))
    elif outlier["is_outlier"]:
        found.append(("outlier", [f"yes{score}: {outlier['why']}"]))
    else:
        found.append(("outlier", [f"no{score}"]))
    return [(name, phrases) for name, phrases in found if phrases]
