"""The record of a drift as plain text, for a terminal or a log."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from .text import aligned, joined
from .words import count, counted, percent, printable

__all__ = ["drift_text"]

_LEAST_WIDTH = 40
MOST_CHANGES = 8
_MOST_TEXTS = 3


def drift_text(record: Mapping[str, Any], *, width: int = 100) -> str:
    """Tell in plain text whether new rows are like those of an earlier run, and which group is which after a refit.

    Parameters
    ----------
    record : mapping
        What ``coterie drift --json`` writes.
    width : int, default=100
        Columns to fill; at least 40.

    Returns
    -------
    str
        Lines ending in a newline, without colours or control characters, whatever the data hold.
    """
    width = max(width, _LEAST_WIDTH)
    blocks = [
        _head(record, width),
        _shares(record, width),
        _questions(record, width),
        _changes(record, width),
        _far(record, width),
    ]
    blocks += [_identity(record, width), _migration(record)]
    return "\n".join(block for block in blocks if block)


def _head(record: Mapping[str, Any], width: int) -> str:
    old, new = record["old"], record["new"]
    verdict = ", ".join(record["findings"]) or record["verdict"]
    lines = [
        printable(
            f"{new['data'] or new['run']} ({counted(new['rows'], 'row')}) beside {old['data']} ({counted(old['rows'], 'row')}): {verdict}"
        )
    ]
    lines += textwrap.wrap(printable(record["sentence"]), width)
    lines += textwrap.wrap(printable(record["remedy"]), width, initial_indent="what to do: ", subsequent_indent="  ")
    return joined(lines)


def _shares(record: Mapping[str, Any], width: int) -> str:
    rows = [("group", "then", "now", ["name"])]
    for line in record["shares"]["groups"]:
        name = "-" if line["id"] < 0 else str(line["id"])
        rows.append((name, percent(line["share_then"]), percent(line["share_now"]), [printable(line["name"])]))
    return joined(aligned(rows, width))


def _questions(record: Mapping[str, Any], width: int) -> str:
    shares, columns, far = record["shares"], record["columns"], record["far"]
    lines = [("shares", f"PSI {shares['psi']:.3f} ({shares['band']}), {chance(shares['p_value'])}")]
    if columns is not None and (columns["compared"] or columns["texts"]):
        lines.append(("columns", "; ".join(_compared(columns))))
    if far is not None:
        told = f"{percent(far['share_now'])} far from all old rows, {percent(far['usual_share'])} expected, {chance(far['p_value'])}"
        lines.append(("far rows", told))
    lines.append(
        (
            "seen",
            f"compared with {record['compared_with']['sentence']}; one false alarm in {1 / record['level']:.0f} at most",
        )
    )
    return joined(_named(lines, width))


def _compared(columns: Mapping[str, Any]) -> Iterator[str]:
    """Say how many columns changed, and which were not compared."""
    if columns["compared"]:
        changed, all_of_them = columns["columns_changed"], counted(columns["columns_compared"], "column")
        where = "at least one group" if changed else "any group"
        yield f"{changed} of {all_of_them} changed in {where}, {chance(columns['p_value'])}"
    texts = columns["texts"]
    if len(texts) == 1:
        yield f"{texts[0]} holds text and was not compared"
    elif texts:
        shown = ", ".join(texts[:_MOST_TEXTS]) + (", …" if len(texts) > _MOST_TEXTS else "")
        yield f"{len(texts)} columns hold text and were not compared ({shown})"


def _changes(record: Mapping[str, Any], width: int) -> str:
    columns = record["columns"]
    if columns is None or not columns["changes"]:
        return ""
    shown = columns["changes"][:MOST_CHANGES]
    lines = [("changed" if i == 0 else "", f"group {line['group']}: {line['text']}") for i, line in enumerate(shown)]
    more = columns["changed"] - len(shown)
    return joined(_named([*lines, *([("", f"and {more} more")] if more > 0 else [])], width))


def _far(record: Mapping[str, Any], width: int) -> str:
    far = record["far"]
    if far is None or "new kind of rows" not in record["findings"]:
        return ""
    rows = ", ".join(map(str, far["rows"][:10])) + (", …" if far["rows_far"] > 10 else "")
    return joined(_named([("which", f"rows {rows}"), *([("they are", far["what"])] if far["what"] else [])], width))


def _identity(record: Mapping[str, Any], width: int) -> str:
    told = record["identity"]
    if told is None:
        return ""
    lines = [f"{len(told['kept'])} of {len(told['groups'])} groups keep the number of an old one."]
    if told["retired"]:
        lines.append(f"Retired, and never given again: {', '.join(map(str, told['retired']))}.")
    rows = [("number", "in the newer run" if record["new"]["run"] else "", "rows", ["name"])]
    for line in sorted(told["groups"], key=lambda line: line["number"]):
        own = f"group {line['new']}" if record["new"]["run"] else ""
        words = [printable(line["name"] or ""), *(["a new group"] if line["status"] == "fresh" else [])]
        rows.append((str(line["number"]), own, count(line["rows"]), words))
    return joined([*textwrap.wrap(" ".join(lines), width), *aligned(rows, width)])


def _migration(record: Mapping[str, Any]) -> str:
    lines = record["migration"]
    if not lines:
        return ""
    name = {-1: "none"}
    table = [("from", "to", "rows", "share of the old group")]
    table += [
        (
            name.get(line["from"], str(line["from"])),
            name.get(line["to"], str(line["to"])),
            count(line["rows"]),
            percent(line["share"]),
        )
        for line in lines
    ]
    return joined("  {:>5}  {:>5}  {:>9}  {}".format(*line) for line in table)


def chance(p_value: float | None) -> str:
    """Write how likely so much is by chance."""
    if p_value is None:
        return "no p-value"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}" if p_value < 0.095 else f"p = {p_value:.1f}"


def _named(lines: list[tuple[str, str]], width: int) -> Iterator[str]:
    for name, text in lines:
        yield from textwrap.wrap(printable(text), width, initial_indent=f"{name:<9} ", subsequent_indent=" " * 10)
