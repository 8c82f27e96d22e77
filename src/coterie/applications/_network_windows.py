"""Times of links cut into windows: whole calendar units where the span allows, each with enough links to find classes by."""

import itertools
import re
from collections.abc import Callable
from numbers import Integral
from typing import NamedTuple

import numpy as np

from ..errors import InputError

__all__ = ["MOST_WINDOWS", "Windows", "cut"]

MOST_WINDOWS = 60
_MOST_BY_ITSELF = 12
_MOST_COUNTED = 100_000  # before it is said how many there would be
# Links that a window needs for each node, so that most nodes say where they belong, and for a network of few nodes.
_LINKS_A_NODE, _LEAST_LINKS = 4, 60

_UNITS = {"s": ("s", 1), "min": ("m", 1), "h": ("h", 1), "d": ("D", 1), "w": ("W", 1), "mo": ("M", 1), "q": ("M", 3), "y": ("Y", 1)}  # fmt: skip
_CALENDAR = ("1h", "6h", "1d", "1w", "1mo", "1q", "6mo", "1y", "2y", "5y", "10y")
_WORDS = {"s": "second", "min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "q": "quarter", "y": "year"}  # fmt: skip


class Windows(NamedTuple):
    """Windows of time, in order."""

    labels: list[str]
    """A few words for each: "2026-01", "rounds 3 to 5"."""
    starts: list[str]
    """The time at which each begins, as text."""
    of: np.ndarray
    """(m,) int64: window of each link, -1 where it has no time."""
    words: str
    """How time was cut."""


def cut(times: np.ndarray, are_dates: bool, n_nodes: int, windows: int | str | None, column: str) -> Windows | None:
    """Cut time into windows.

    Parameters
    ----------
    times : (m,) float64 array
        Microseconds since 1970 or numbers, NaN where not known.
    are_dates : bool
    n_nodes : int
    windows : int or str, optional
        How many, each with about as many links; or how long each is: "1mo", "2w", for numbers "10". None is as many as have enough
        links.
    column : str
        For messages.

    Returns
    -------
    Windows or None
        None where nothing was asked for and there are too few links or moments for two windows.

    Raises
    ------
    InputError
        If ``windows`` cannot be used.
    """
    if windows is not None and not isinstance(windows, str | Integral):
        raise InputError(f"windows must be a whole number or a length such as '1mo', got {windows!r}")
    if np.isinf(times).any():
        raise InputError(f"{column!r} holds an infinite time; leave those links out or give them a time")
    known = times[~np.isnan(times)]
    moments = len(np.unique(known))
    if isinstance(windows, str):
        return _by_length(times, are_dates, windows, column)
    if windows is not None:
        if not 2 <= windows <= MOST_WINDOWS:
            raise InputError(f"windows must be from 2 to {MOST_WINDOWS}, got {windows}")
        if moments < windows:
            raise InputError(
                f"{windows} windows need as many different times, but {column!r} has {moments}; ask for fewer windows"
            )
        return _by_number(times, are_dates, windows)
    most = min(_MOST_BY_ITSELF, len(known) // max(_LEAST_LINKS, _LINKS_A_NODE * n_nodes))
    if most < 2 or moments < 2:
        return None
    if are_dates:
        for length in _CALENDAR:
            ids = _units(times, length)
            if 2 <= np.nanmax(ids) - np.nanmin(ids) + 1 <= most:
                return _calendar(ids, length)
    elif moments <= most:
        return _each_moment(times, column)
    return _by_number(times, are_dates, min(most, moments))


def _by_length(times: np.ndarray, are_dates: bool, length: str, column: str) -> Windows:
    if are_dates:
        asked = re.fullmatch(r"\s*(\d{1,6})(?:\.0*)?\s*([a-z]+)\s*", length.lower())
        if asked is None or asked[2] not in _UNITS or not int(asked[1]):
            raise InputError(
                f"windows must be their number, or a length such as 1mo, 2w or 1d in whole units, got {length!r}"
            )
        return _limited(_calendar(_units(times, length), length), length)
    asked = re.fullmatch(r"\s*(\d{1,15}(?:\.\d+)?)\s*", length)
    width, first, last = float(asked[1]) if asked else 0.0, float(np.nanmin(times)), float(np.nanmax(times))
    if not width > 0:
        raise InputError(
            f"the times in {column!r} are numbers, so windows must be their number, or in Python a length in the same units as a text, "
            f"such as '10', got {length!r}"
        )
    if (last - first) / width > _MOST_COUNTED:
        raise InputError(
            f"windows of {length} would be more than {_MOST_COUNTED:,}; give a length that makes 2 to {MOST_WINDOWS}"
        )
    ids = np.floor((times - first) / width)
    ends = [first + width * i for i in range(int(np.nanmax(ids)) + 2)]
    labels = [f"{_figure(a)} to {_figure(b)}" for a, b in itertools.pairwise(ends)]
    return _limited(
        Windows(labels, [_figure(a) for a in ends[:-1]], _whole(ids), f"{_figure(width)} of {column!r} each"), length
    )


def _limited(found: Windows, length: str) -> Windows:
    if not 2 <= len(found.labels) <= MOST_WINDOWS:
        raise InputError(
            f"windows of {length} would be {len(found.labels)}; give a length that makes 2 to {MOST_WINDOWS}, or their number"
        )
    return found


def _units(times: np.ndarray, length: str) -> np.ndarray:
    """Return the number of the calendar unit that each moment lies in, counted from a fixed day."""
    count, unit = re.fullmatch(r"(\d+)(?:\.0*)?([a-z]+)", length.replace(" ", "").lower()).groups()  # type: ignore[union-attr]
    step, each = _UNITS[unit]
    whole = np.where(np.isnan(times), 0, times).astype(np.int64).astype("datetime64[us]")
    # Weeks begin on Mondays; NumPy's on the Thursday of 1970-01-01.
    shifted = whole + np.timedelta64(3, "D") if step == "W" else whole
    number = shifted.astype(f"datetime64[{step}]").astype(np.int64) // (each * int(count))
    return np.where(np.isnan(times), np.nan, number)


def _calendar(ids: np.ndarray, length: str) -> Windows:
    count, unit = re.fullmatch(r"(\d+)(?:\.0*)?([a-z]+)", length.replace(" ", "").lower()).groups()  # type: ignore[union-attr]
    step, each = _UNITS[unit]
    first, last = int(np.nanmin(ids)), int(np.nanmax(ids))
    if last - first >= _MOST_COUNTED:
        raise InputError(
            f"windows of {length} would be {last - first + 1:,}; give a length that makes 2 to {MOST_WINDOWS}"
        )
    numbers = np.arange(first, last + 1) * (each * int(count))
    starts = numbers.astype(f"datetime64[{step}]")
    if step == "W":
        starts = starts.astype("datetime64[D]") - np.timedelta64(3, "D")
    texts = [str(one).replace("T", " ") for one in starts]
    labels = (
        [f"week of {one}" for one in texts]
        if unit == "w"
        else [_quarter(one) for one in texts]
        if unit == "q"
        else texts
    )
    words = f"a {_WORDS[unit]} each" if int(count) == 1 else f"{int(count)} {_WORDS[unit]}s each"
    return Windows(labels, texts, _whole(ids - first), words)


def _quarter(text: str) -> str:
    return f"{text[:4]} Q{(int(text[5:7]) + 2) // 3}"


def _each_moment(times: np.ndarray, column: str) -> Windows:
    moments = np.unique(times[~np.isnan(times)])
    of = np.where(np.isnan(times), -1, np.searchsorted(moments, times)).astype(np.int64)
    texts = [_figure(one) for one in moments]
    return Windows([f"{column} {one}" for one in texts], texts, of, f"one for each {column}")


def _by_number(times: np.ndarray, are_dates: bool, n: int) -> Windows:
    """Cut where about as many links lie on each side; links of one moment stay together."""
    known = np.sort(times[~np.isnan(times)])
    moments = np.unique(known)
    upto = np.searchsorted(known, moments, side="right")
    wanted = len(known) * np.arange(1, n) / n
    # Each cut stands behind a moment, and leaves one at least for each window before and after it.
    cuts = np.searchsorted(upto, wanted)
    for i in range(n - 1):
        cuts[i] = min(max(cuts[i], cuts[i - 1] + 1 if i else 0), len(moments) - (n - 1 - i) - 1)
    starts = np.concatenate([moments[:1], moments[cuts + 1]])
    of = np.where(np.isnan(times), -1, np.searchsorted(starts, times, side="right") - 1).astype(np.int64)
    ends = np.concatenate([moments[cuts], moments[-1:]])
    word = _moment_in(starts) if are_dates else _figure
    texts = [word(one) for one in starts]
    labels = [f"{text} to {word(end)}" for text, end in zip(texts, ends, strict=True)]
    return Windows(labels, texts, of, "about as many links each")


def _moment_in(starts: np.ndarray) -> Callable[[float], str]:
    """Return how to write moments: as days, where windows begin on different ones."""
    days = np.unique(starts.astype(np.int64).astype("datetime64[us]").astype("datetime64[D]"))
    unit = "D" if len(days) == len(starts) else "s"
    return lambda value: str(np.datetime64(int(value), "us").astype(f"datetime64[{unit}]")).replace("T", " ")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.6g}"


def _whole(ids: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(ids), -1, ids).astype(np.int64)
