"""How users write a half-life: days as a number, or a number and a unit."""

import math
import re
from typing import Any

from ...errors import InputError

__all__ = ["days_of"]

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
    match = _TIME.fullmatch(str(half_life))
    days = float(match[1]) * _DAYS[(match[2] or "d")[0].lower()] if match else 0.0
    if not 0 < days < math.inf:
        raise InputError(
            f"half_life must be a time above 0 such as 14D, 6W, 3M or 1Y, or auto or none, got {half_life!r}"
        )
    return days
