"""Dates written as text or as numbers, read column by column so that one value settles the order of all.

"03/04/2024" alone can be March or April. Somewhere in a column there usually is a day above 12, or the file is in
chronological order under one reading only; when neither helps, the month comes first unless the file uses decimal commas,
and that is said.
"""

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DatesRead", "dates_from_numbers", "parse_dates"]

MICROSECONDS_PER_DAY = 86_400_000_000
_MONTHS = {
    name: i + 1
    for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}

_TIME = (
    r"(?:(?:T|\s+|,\s*)(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"\s*(?P<ap>[AaPp]\.?[Mm]\.?)?\s*(?P<tz>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?"
)
_WEEKDAY = r"(?:[A-Za-z]{3,9},?\s+)?"
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_YEAR_FIRST = re.compile(r"(?P<y>\d{4})(?P<sep>[-/.])(?P<a>\d{1,2})(?P=sep)(?P<b>\d{1,2})" + _TIME, re.ASCII)
_YEAR_LAST = re.compile(r"(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})" + _TIME, re.ASCII)
_DAY_NAME = re.compile(_WEEKDAY + r"(?P<a>\d{1,2})[-\s/.]*" + _NAME + r"[-\s/.,]*(?P<y>\d{4}|\d{2})" + _TIME, re.ASCII)
_NAME_DAY = re.compile(_WEEKDAY + _NAME + r"[-\s/.]*(?P<a>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})" + _TIME, re.ASCII)
_COMPACT = re.compile(r"(?P<y>\d{4})(?P<a>\d{2})(?P<b>\d{2})T(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?(?P<tz>Z)?", re.ASCII)

_SHIFTED = re.compile(r":\d{2}.*[+-](?!00:?(?:00)?$)\d{2}(?::?\d{2})?$", re.ASCII)
_ZONES = "give their time zone and were brought to UTC, where it can be another day; to keep days as they were written, leave the zone out"

_PATTERNS = ((1, _YEAR_FIRST), (2, _YEAR_LAST), (3, _DAY_NAME), (3, _NAME_DAY), (1, _COMPACT))


class DatesRead(NamedTuple):
    """What `parse_dates` made of the different values of a column."""

    values: NDArray[np.datetime64]  # datetime64[us], NaT where the text is no date; UTC where a zone is given
    format: str  # "year-month-day", "day/month/year", "month/day/year", "day month year"
    note: str | None  # said when the order was not settled by the values themselves, or zones moved them


def looks_like_date(text: str) -> bool:
    """Say whether one value could be a date."""
    return len(text) < 60 and any(pattern.fullmatch(text) for _, pattern in _PATTERNS)


def parse_dates(texts: list[str], codes: NDArray[np.int64], *, day_first: bool | None = None) -> DatesRead:
    """Read the different texts of one column as dates.

    Parameters
    ----------
    texts : list of str
        Different values.
    codes : (n,) int64 array
        Which of them each row has, -1 for none; rows in chronological order are evidence.
    day_first : bool, optional
        Settles "03/04/2024" when the column does not; None stands for month first.

    Returns
    -------
    DatesRead
    """
    parts = np.full(
        (len(texts), 4), -1, np.int64
    )  # year, first, second, microseconds of the day (and the zone's shift)
    kinds = np.zeros(len(texts), np.int8)  # 1 year first, 2 year last, 3 with the month's name
    for i, text in enumerate(texts):
        kinds[i] = _read_parts(text, parts[i])
    year, first, second, clock = parts.T
    year = np.where((year >= 0) & (year < 100) & (kinds != 1), year + np.where(year < 70, 2000, 1900), year)
    last = kinds == 2
    zones = _ZONES if any(kinds[i] and _SHIFTED.search(text) for i, text in enumerate(texts)) else None
    if not last.any():
        values = _assemble(year, first, second, clock, kinds > 0)
        return DatesRead(values, "day month year" if (kinds == 3).any() else "year-month-day", zones)
    day_month = _assemble(year, np.where(last, second, first), np.where(last, first, second), clock, kinds > 0)
    month_day = _assemble(year, first, second, clock, kinds > 0)
    day_leads, note = _settle(day_month, month_day, codes, day_first)
    note = "; they ".join(filter(None, (note, zones))) or None
    return DatesRead(day_month if day_leads else month_day, "day/month/year" if day_leads else "month/day/year", note)


def _read_parts(text: str, out: NDArray[np.int64]) -> int:
    kind, match = next(((k, m) for k, pattern in _PATTERNS if (m := pattern.fullmatch(text))), (0, None))
    if match is None:
        return 0
    part = match.groupdict()
    clock = _clock(part)
    if kind == 3:
        month, day = _MONTHS.get(part["name"][:3].lower(), 0), int(part["a"])
    else:
        month, day = int(part["a"]), int(part["b"])
    if clock is None:
        return 0
    out[:] = int(part["y"]), month, day, clock
    return kind


def _clock(part: dict[str, str | None]) -> int | None:
    """Return microseconds since midnight, in UTC where a zone is given, or None for a time that does not exist."""
    if not part["H"]:
        return 0
    hour, minute, second = int(part["H"]), int(part["M"] or 0), int(part["S"] or 0)
    if part.get("ap"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if (part["ap"] or "")[0] in "pP" else 0)
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second > 0):
        return None
    micro = int(((part.get("f") or "") + "000000")[:6])
    zone, shift = part["tz"] or "", 0
    if zone[:1] in ("+", "-"):
        digits = zone[1:].replace(":", "") + "00"
        shift = (int(digits[:2]) * 60 + int(digits[2:4])) * (-1 if zone[0] == "-" else 1)
    return ((hour * 60 + minute - shift) * 60 + second) * 1_000_000 + micro


def _assemble(year, month, day, clock, use) -> NDArray[np.datetime64]:
    good = use & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1) & (year <= 9999)
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(good, day - 1, 0)
    good &= days.astype("datetime64[M]") == months
    values = days.astype("datetime64[us]") + np.where(good, clock, 0).astype("timedelta64[us]")
    values[~good] = np.datetime64("NaT")
    return values


def _settle(day_month, month_day, codes, day_first) -> tuple[bool, str | None]:
    """Choose between day/month and month/day for the whole column."""
    failures = [np.count_nonzero(np.isnat(values)) for values in (day_month, month_day)]
    if failures[0] != failures[1]:
        return bool(failures[0] < failures[1]), None
    if np.array_equal(day_month, month_day, equal_nan=True):
        return bool(day_first), None
    rows = codes[codes >= 0]
    in_order = [_in_order(values[rows]) for values in (day_month, month_day)]
    if in_order[0] != in_order[1]:
        name = "day/month/year" if in_order[0] else "month/day/year"
        return in_order[0], f"read as {name}, because only then are the rows in chronological order"
    name = "day/month/year" if day_first else "month/day/year"
    return bool(day_first), f"could be day/month or month/day; read as {name}"


def _in_order(values: NDArray[np.datetime64]) -> bool:
    values = values[~np.isnat(values)]
    if values.size < 3:
        return False
    steps = np.diff(values.astype(np.int64))
    return bool((steps >= 0).all() or (steps <= 0).all())


def dates_from_numbers(name_words: list[str], values: NDArray[np.float64]) -> tuple[NDArray[np.datetime64], str] | None:
    """Read whole numbers as dates when the column's name says so: 20240131, or seconds since 1970.

    Returns
    -------
    (values, how) or None
        None when the name or any of the values does not fit.
    """
    known = values[~np.isnan(values)]
    if known.size == 0 or not np.array_equal(known, np.floor(known)):
        return None
    if not {"date", "day", "dt", "datum", "fecha", "time", "timestamp", "epoch", "unix", "created", "ts"} & set(
        name_words
    ):
        return None
    whole = np.where(np.isnan(values), 0, values).astype(np.int64)
    use = ~np.isnan(values)
    if known.min() >= 1800_01_01 and known.max() <= 2200_12_31:
        dates = _assemble(whole // 10_000, whole // 100 % 100, whole % 100, np.zeros_like(whole), use)
        return (dates, "yyyymmdd") if not np.isnat(dates[use]).any() else None
    if not {"time", "timestamp", "epoch", "unix", "created", "ts"} & set(name_words):
        return None
    for unit, factor in (("seconds", 1_000_000), ("milliseconds", 1_000)):
        # 1990 to 2100: below that, whole numbers called "time" are more likely durations.
        if known.min() * factor >= 631_152_000e6 and known.max() * factor <= 4_102_444_800e6:
            dates = (whole * factor).astype("datetime64[us]")
            dates[~use] = np.datetime64("NaT")
            return dates, f"{unit} since 1970"
    return None
