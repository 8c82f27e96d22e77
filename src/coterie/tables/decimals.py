"""Texts as numbers: decimal marks, thousands, currencies, per cent, judged over all the different values of a column."""

import math
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .dates import looks_like_date

__all__ = ["Numbers", "number_like", "parse_numbers", "shows_decimal"]

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?(?:inf|infinity|∞)", re.IGNORECASE)
_MONEY = r"[$€£¥₹₽₩₺]|US\$|EUR|USD|GBP|CHF|JPY|CNY|SEK|NOK|DKK|PLN|CZK|kr|zł"
_DECORATED = re.compile(
    rf"(?P<paren>\()?\s*(?P<sign>[+\-−–])?\s*(?P<before>{_MONEY})?\s*(?P<sign2>[+\-−])?\s*"
    r"(?P<body>\d[\d.,'\u2019 \u00a0\u202f\u2009]*|[.,]\d+)(?P<exponent>[eE][+-]?\d+)?"
    rf"\s*(?P<after>%|{_MONEY})?\s*(?P<close>\))?",
    re.ASCII,
)


class Numbers(NamedTuple):
    """What the different texts of a column are as numbers."""

    values: NDArray[np.float64]  # NaN where missing or unreadable
    unreadable: NDArray[np.bool_]
    infinite: NDArray[np.bool_]
    unit: str | None
    remarks: list[str]  # on decimal marks and the like
    mark: str | None = None  # the decimal mark, where any value has a comma or point that was looked at
    settled: bool = True  # whether the values themselves show which mark that is


def number_like(value: str) -> bool:
    """Say whether one value could be a number and is no date."""
    return bool(_PLAIN.fullmatch(value) or _DECORATED.fullmatch(value) or _INFINITE.fullmatch(value)) and not (
        looks_like_date(value)
    )


def parse_numbers(texts: list[str], comma_decimals: bool | None, comma_default: bool) -> Numbers | str:
    """Read texts as numbers, or say why they cannot be numbers of one kind."""
    n = len(texts)
    values, infinite, unreadable = np.full(n, np.nan), np.zeros(n, bool), np.zeros(n, bool)
    decorated = []
    for i, text in enumerate(texts):
        if _PLAIN.fullmatch(text):
            values[i] = float(text)
        elif _INFINITE.fullmatch(text):
            infinite[i] = True
        else:
            decorated.append(i)
    infinite |= np.isinf(values)  # 1e400
    values[infinite] = np.nan
    plain = [i for i in range(n) if "." in texts[i] and not np.isnan(values[i])]
    matches = {i: match for i in decorated if (match := _DECORATED.fullmatch(texts[i])) and _balanced(match)}
    unreadable[[i for i in decorated if i not in matches]] = True
    bodies = [match["body"] for match in matches.values()] + [texts[i].lstrip("+-") for i in plain]
    settled = not bodies or any(shows_decimal(body, *pair) for body in bodies for pair in (",.", ".,"))
    if not matches and not (comma_decimals and plain):
        return Numbers(values, unreadable, infinite, None, [], "." if bodies else None, settled)
    mark = _decimal_mark(bodies, comma_decimals, comma_default)
    if mark is None:
        return "some values use a decimal comma and some a decimal point"
    unit = _one_unit(matches.values(), n_plain=n - len(decorated), zeros=int(np.count_nonzero(values == 0)))
    if unit is not None and unit[0] == "!":
        return unit[1:]
    for i, match in matches.items():
        values[i] = _value(match, mark)
        unreadable[i] = np.isnan(values[i])
    remarks = []
    if mark == ",":
        remarks.append("the comma is read as the decimal mark")
        for i in plain:  # "1.234" beside decimal commas
            match = _DECORATED.fullmatch(texts[i])
            values[i] = np.nan if match is None else _value(match, mark)
            unreadable[i] = np.isnan(values[i])
    elif any("," in body for body in bodies):
        remarks.append("commas are read as thousands separators")
    if unit is not None:
        remarks.append(f"values are in {unit}")
    looked_at = any(sign in body for body in bodies for sign in ",.")
    return Numbers(values, unreadable, infinite, unit, remarks, mark if looked_at else None, settled)


def _balanced(match: re.Match) -> bool:
    return bool(match["paren"]) == bool(match["close"]) and not (match["sign"] and match["sign2"])


def _decimal_mark(bodies: list[str], comma_decimals: bool | None, comma_default: bool) -> str | None:
    """Return "." or ",": whichever the values themselves show, else what the file shows; None if they contradict."""
    comma = any(shows_decimal(body, ",", ".") for body in bodies)
    point = any(shows_decimal(body, ".", ",") for body in bodies)
    if comma and point:
        return None
    if comma or point:
        return "," if comma else "."
    if comma_decimals is not None:
        return "," if comma_decimals else "."
    return "," if comma_default and any("," in body for body in bodies) else "."


def shows_decimal(body: str, mark: str, other: str) -> bool:
    """Say whether ``mark`` can only be the decimal mark here: "1,5", "0,125", "12345,678", "1.234,567", "1.234.567"."""
    if body.count(other) > 1:
        return True
    if body.count(mark) != 1:
        return False
    whole, _, fraction = body.partition(mark)
    whole = re.sub(r"[\s'’]", "", whole)
    if other in whole:
        return True
    return other not in fraction and (len(fraction.strip()) != 3 or len(whole) > 3 or whole in ("", "0"))


def _one_unit(matches, n_plain: int, zeros: int) -> str | None:
    units = {match["before"] or match["after"] for match in matches}
    if len(units - {None}) > 1:
        return f"!its values are in different units ({', '.join(sorted(units - {None}))})"
    if "%" in units and (None in units or n_plain > zeros):
        return "!some of its values are per cent and some are not"
    return next(iter(units - {None}), None)


def _value(match: re.Match, mark: str) -> float:
    body = re.sub(r"[\s'’]", "", match["body"])
    thousands = "." if mark == "," else ","
    whole, _, fraction = body.partition(mark)
    groups = whole.split(thousands)
    if thousands in fraction or mark in fraction:
        return math.nan
    if len(groups) > 1 and (not 1 <= len(groups[0]) <= 3 or any(len(group) not in (2, 3) for group in groups[1:])):
        return math.nan
    if len(groups) > 1 and len(groups[-1]) != 3:  # groups of two are Indian (12,34,567); the last is always three
        return math.nan
    number = float(("".join(groups) or "0") + "." + (fraction or "0") + (match["exponent"] or ""))
    negative = (match["sign"] or match["sign2"] or "+") in "-−–" or match["paren"]
    return -number if negative else number
