"""What a user may ask for, checked before anything is read."""

import re
from typing import Any

import numpy as np

from ...errors import InputError

__all__ = ["check_options", "parse_day", "parse_horizon"]

_DAYS = {"d": 1.0, "w": 7.0, "m": 365.25 / 12, "y": 365.25}


def check_options(options: Any) -> None:
    """Refuse parameters that mean nothing.

    Raises
    ------
    InputError
    """
    k = options.k
    if not (k == "auto" or (isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 2)):
        raise InputError(f'expected k="auto" or a whole number from 2 on, got {k!r}')
    for name, said in (("min_share", "min_share"), ("whale_share", "a share of whales")):
        value = getattr(options, name)
        if not _is_number(value) or not 0 <= value <= 0.5:
            raise InputError(f"expected {said} from 0 to 0.5, which is 50%, got {value!r}")
    if not _is_number(options.margin) or not 0 < options.margin <= 1:
        raise InputError(
            f"expected a margin above 0 and up to 1, without which nobody is worth anything, got {options.margin!r}"
        )
    if not _is_number(options.discount) or not 0 <= options.discount < np.inf:
        raise InputError(f"expected a discount a year of 0 or more, such as 0.1, got {options.discount!r}")
    if not isinstance(options.spend_lag, int | np.integer) or not 0 <= options.spend_lag <= 24:
        raise InputError(f"expected a lag of spending of 0 to 24 whole months, got {options.spend_lag!r}")
    if options.whales not in ("keep", "separate"):
        raise InputError(f'expected whales="keep" or "separate", got {options.whales!r}')
    if options.contractual not in ("auto", True, False):
        raise InputError(f'expected contractual="auto", True or False, got {options.contractual!r}')
    parse_horizon(options.horizon)
    parse_day(options.cutoff)


def parse_horizon(value: Any) -> int | None:
    """Return days: 39w, 90d, 12m, 1y, or a number of days.

    Raises
    ------
    InputError
    """
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(d|w|m|y|days?|weeks?|months?|years?|mo)?\s*", str(value).lower())
    days = round(float(match[1]) * _DAYS[(match[2] or "d")[0]]) if match else 0
    if not 1 <= days <= 36_525:
        raise InputError(f"expected a horizon such as 39w, 90d, 12m or 1y, got {value!r}")
    return days


def parse_day(value: Any) -> int | None:
    """Return days since 1970 of a date such as 2024-01-31.

    Raises
    ------
    InputError
    """
    if value is None:
        return None
    try:
        day = np.datetime64(value, "D") if not isinstance(value, int | float) else np.datetime64("NaT", "D")
    except (TypeError, ValueError):
        day = np.datetime64("NaT", "D")
    if np.isnat(day) or (isinstance(value, str) and not re.fullmatch(r"\s*\d{4}-\d{2}-\d{2}.*", value)):
        raise InputError(f"expected a cut-off such as 2024-01-31, got {value!r}")
    return int(day.astype(np.int64))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
