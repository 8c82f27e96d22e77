"""A sheet as plain text, for a terminal or a log, and its values in words."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .naming import name_of
from .record import SHEET, check
from .sheet_check import check_sheet
from .text import aligned, framed, joined
from .words import count, percent, printable

__all__ = ["figure", "plural", "sheet_text", "sheet_title"]

_MOST = 20
_BEFORE = ("$", "€", "£", "¥")


def sheet_title(record: Mapping[str, Any]) -> str:
    """Return the headline with the name of what was read."""
    name, headline = printable(record["input"].get("name") or ""), printable(record.get("headline") or "")
    return headline if not name or name in headline else f"{name}: {headline}"


def sheet_text(record: Mapping[str, Any], *, width: int = 100) -> str:
    """Tell in plain text what an application found: its answer, the groups, and the figures that judge it.

    Parameters
    ----------
    record : mapping
        The content of ``run.json``.
    width : int, default=100
        Columns to fill; at least 40.

    Returns
    -------
    str
        Lines ending in a newline, without colours or control characters, whatever the data hold.

    Raises
    ------
    InputError
        If ``record`` is not a record of a sheet, or damaged.
    """
    check(record, schema=SHEET)
    check_sheet(record)
    return framed(record, sheet_title(record), record["answer"], [_groups, _metrics], width)


def figure(value: Any, form: str | None = "number", unit: str | None = None) -> str:
    """Write a value in words, as its format asks: the same as the page's scripts do."""
    if value is None:
        return "–"
    if isinstance(value, str | bool):
        return printable(value)
    if form == "percent":
        words = percent(value) if value >= 0 else f"-{percent(-value)}"
    elif form == "integer" or (form in ("group", "number") and float(value).is_integer() and abs(value) < 1e9):
        words = f"{value:,.0f}"
    elif form == "money":
        words = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    elif form == "seconds":
        words = f"{max(1, round(value * 1000))} ms" if value < 1 else f"{_short(value)} s"
    else:
        words = _short(value)
    return _with_unit(words, unit)


def plural(noun: str) -> str:
    """Return several of what a sheet calls a group."""
    return f"{noun}es" if noun.endswith(("s", "x")) else f"{noun}s"


def _short(value: float) -> str:
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-4:
        return f"{value:.2e}"
    return f"{value:,.0f}" if size >= 1000 else f"{value:.4g}"


def _with_unit(words: str, unit: str | None) -> str:
    if not unit:
        return words
    unit = printable(unit)
    if unit in _BEFORE:
        return f"-{unit}{words[1:]}" if words.startswith("-") else f"{unit}{words}"
    return f"{words} {unit}"


def _groups(record: Mapping[str, Any], width: int) -> str:
    groups: Sequence[Mapping[str, Any]] = record["groups"]
    if not groups:
        return ""
    noun, members = printable(record.get("noun") or "group"), printable(record.get("members") or "rows")
    rows = [(noun, members, "share", ["what sets it apart"])]
    for one in groups[:_MOST]:
        phrases = "; ".join(printable(phrase) for phrase in (one.get("phrases") or [])[:3])
        facts = "; ".join(f"{printable(words)} {figure(value)}" for words, value in (one.get("facts") or [])[:4])
        number = "none" if one["id"] == -1 else str(one["id"])
        parts = [part for part in (name_of(one), phrases, facts) if part]
        rows.append((number, count(one["size"]), percent(one["share"]), parts))
    more = len(groups) - _MOST
    tail = [f"  and {count(more)} smaller {plural(noun)}; the report holds all"] if more > 0 else []
    return joined([*aligned(rows, width), *tail])


def _metrics(record: Mapping[str, Any], width: int) -> str:
    lines: list[str] = []
    shown = [(printable(one.get("label") or one["name"]), one) for one in record["metrics"][:_MOST]]
    room = min(max((len(words) for words, _ in shown), default=0), width // 2)
    for words, one in shown:
        value = figure(one.get("value"), one.get("format"), one.get("unit"))
        if one.get("low") is not None and one.get("high") is not None:
            value += (
                " ("
                + " to ".join(figure(one[end], one.get("format"), one.get("unit")) for end in ("low", "high"))
                + ")"
            )
        lines += textwrap.wrap(
            f"{words:<{room}}  {value}", width, initial_indent="  ", subsequent_indent="    ", drop_whitespace=True
        )
    return joined(lines)
