"""A comparison of groupings as plain text, for a terminal or a log."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .text import joined
from .words import count, percent, printable

__all__ = ["compared_text"]

_LEAST_WIDTH = 40
_MOST_COLUMNS = 12
_MOST_SIZES = 8


def compared_text(comparison: Mapping[str, Any], *, width: int = 100) -> str:
    """Tell in plain text how groupings of the same rows differ.

    Parameters
    ----------
    comparison : mapping
        From `coterie.study.compare_labels`.
    width : int, default=100
        Columns to fill; at least 40.

    Returns
    -------
    str
        Without colours or control characters, whatever the groups are called.
    """
    width = max(width, _LEAST_WIDTH)
    parts = [joined(textwrap.wrap(printable(comparison["verdict"]), width)), joined(_overview(comparison))]
    if len(comparison["groupings"]) > 2:
        parts.append(joined(_agreement(comparison)))
    parts += [joined(_pair(pair, comparison["groupings"], width)) for pair in comparison["pairs"]]
    return "\n".join(parts)


def _overview(comparison: Mapping[str, Any]) -> list[str]:
    header = ["", "groups", "no group", "silhouette", "DBCV", "stability", "rows in each"]
    lines = [header]
    for grouping in comparison["groupings"]:
        sizes = [count(group["rows"]) for group in grouping["groups"]]
        shown = " ".join(sizes[:_MOST_SIZES]) + (" …" if len(sizes) > _MOST_SIZES else "")
        scores = [_score(grouping[name]) for name in ("silhouette", "dbcv", "stability")]
        none = percent(grouping["none_share"]) if grouping["none_rows"] else "0"
        lines.append([grouping["name"], str(len(sizes)), none, *scores, shown])
    return _columns(lines, left={0, 6})


def _agreement(comparison: Mapping[str, Any]) -> list[str]:
    names = [grouping["name"] for grouping in comparison["groupings"]]
    index = {frozenset((pair["a"], pair["b"])): pair["ari"] for pair in comparison["pairs"]}
    lines = [["adjusted Rand index", *names[1:]]]
    for i, a in enumerate(names[:-1]):
        lines.append([a, *("" if j <= i else _score(index[frozenset((a, b))]) for j, b in enumerate(names) if j)])
    return _columns(lines, left={0})


def _pair(pair: Mapping[str, Any], groupings: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    called = {grouping["name"]: {group["id"]: group["name"] for group in grouping["groups"]} for grouping in groupings}
    lines = textwrap.wrap(printable(pair["sentence"]), width)
    table = pair["table"]
    if len(table["a"]) <= 2 * _MOST_COLUMNS and len(table["b"]) <= _MOST_COLUMNS:
        lines += _migration(pair, called)
    for move in pair["moves"]:
        rows = ", ".join(map(str, move.get("examples") or ()))
        which = "row" if move["rows"] == 1 else "rows such as"
        start = (
            f"{_called(move['a'], called[pair['a']])} to {_called(move['b'], called[pair['b']])}: {count(move['rows'])}"
        )
        lines += textwrap.wrap(
            printable(f"{start} ({which} {rows})" if rows else start),
            width,
            initial_indent="  ",
            subsequent_indent="    ",
        )
    return lines


def _migration(pair: Mapping[str, Any], called: Mapping[str, Mapping[int, str | None]]) -> list[str]:
    """Return the table of rows by group of one and of the other; pairs of groups are marked."""
    table = pair["table"]
    matched = {(line["a"], line["b"]) for line in pair["matched"]}
    lines = [[f"{pair['a']} \\ {pair['b']}", *("none" if j < 0 else str(j) for j in table["b"])]]
    for i, row in zip(table["a"], table["counts"], strict=True):
        cells = [
            f"{count(cell)}{'*' if (i, j) in matched else ' '}" if cell else ". "
            for j, cell in zip(table["b"], row, strict=True)
        ]
        lines.append([f"  {_called(i, called[pair['a']])}", *cells])
    return [*_columns(lines, left={0}), "  * the same group in both"]


def _called(label: int, names: Mapping[int, str | None]) -> str:
    if label < 0:
        return "no group"
    return f"{label} {textwrap.shorten(names.get(label) or '', 40, placeholder=' …')}".strip()


def _columns(lines: Sequence[Sequence[str]], left: set[int]) -> list[str]:
    lines = [[printable(cell) for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            f"{cell:<{room}}" if i in left else f"{cell:>{room}}"
            for i, (cell, room) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
