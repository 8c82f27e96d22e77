"""How users write a half-life: days as a number, or a number and a unit."""

import math
import re
from numbers import Real
from typing import Any

from ...errors import InputError
from ._interactions import Interactions

__all__ = ["check_half_life", "days_of"]

_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.4375, "y": 365.25}
_TIME = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(h|hours?|d|days?|w|weeks?|m|mo|months?|y|years?)?\s*", re.IGNORECASE)


def days_of(half_life: Any) -> Any:
    """Return days; "auto" and None stay.

    Raises
    ------
    InputError
        If it is no time above 0.

    Examples
    --------
    >>> days_of("2W"), days_of(10), days_of(None)
    (14.0, 10.0, None)
    """
    if half_life is None or half_life == "auto":
        return half_life
    if half_life == "none":
        return None
    match = None if isinstance(half_life, Real) else _TIME.fullmatch(str(half_life))
    days = float(match[1]) * _DAYS[(match[2] or "d")[0].lower()] if match else 0.0
    days = float(half_life) if isinstance(half_life, Real) else days
    if not 0 < days < math.inf:
        raise InputError(
            f"half_life must be a time above 0 such as 14D, 6W, 3M or 1Y, or auto or none, got {half_life!r}"
        )
    return days


def check_half_life(half_life: Any, lines: Interactions) -> None:
    """Refuse a half-life that means nothing for the times of some lines.

    Raises
    ------
    InputError
        If there are no times, or if they count in a unit that is not known and the half-life is told in days or the like.
    """
    if not isinstance(days_of(half_life), float):
        return
    if lines.day is None:
        raise InputError(
            "half_life needs a column of times, and there is none; name it with time, or leave half_life out"
        )
    match = _TIME.fullmatch(str(half_life))
    if not lines.dated and match is not None and match[2]:
        raise InputError(
            f"half_life={half_life!r} needs dates, but {lines.columns['time']!r} counts in a unit of its own, such as {lines.day[0]:g}; "
            f"give a number in that unit"
        )
