"""When the links of a list were made: dates, seconds since 1970, or plain numbers such as rounds."""

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .dates import dates_from_numbers, parse_dates

__all__ = ["TIME_NAMES", "TimedLinks", "moments_of", "since_1970"]

TIME_NAMES = (
    "time", "timestamp", "date", "datetime", "when", "created", "created_at", "sent", "sent_at", "ts", "day", "month", "year",
    "unixtime", "unix_time", "epoch", "period", "round",
)  # fmt: skip
_LEAST_READ = 0.5


class TimedLinks(NamedTuple):
    """The links of a list one by one, with their times."""

    column: str
    sources: np.ndarray  # (m,) int64
    targets: np.ndarray  # (m,) int64
    weights: np.ndarray | None  # (m,) float64
    times: np.ndarray  # (m,) float64: microseconds since 1970, or numbers; NaN where a link has none
    are_dates: bool


def moments_of(connection: Any, column: str, lines: Any, *, given: bool) -> tuple[np.ndarray, bool] | None:
    """Read the texts ``m`` of the table ``links`` as times.

    Parameters
    ----------
    connection : DuckDB connection
    column : str
        What the file calls it.
    lines
        Says where a link stands, for messages.
    given : bool
        Whether the column was asked for, rather than found by its name.

    Returns
    -------
    (times, are_dates) or None
        None where the column was only found and holds no times.

    Raises
    ------
    InputError
        If the column was asked for and holds no times.
    """
    times, are_dates = _read(connection, column)
    known = ~np.isnan(times)
    if known.sum() >= max(1, _LEAST_READ * len(times)):
        return times, are_dates
    if not given:
        return None
    row = int(np.argmin(known))
    (text,) = connection.execute(f"SELECT m FROM links WHERE rowid = {row}").fetchone()
    raise InputError(
        f"the column {column!r} holds no times: {lines.place(row)} has {(text or '')[:30]!r}; expected dates such as "
        "2026-01-31, seconds since 1970, or numbers"
    )


def since_1970(values: np.ndarray) -> np.ndarray | None:
    """Return microseconds where all numbers can be seconds or milliseconds since 1970, of the years from 1990 to 2100.

    Examples
    --------
    >>> since_1970(np.array([1.6e9, 1.7e9])) is None, since_1970(np.array([1.0, 2.0])) is None
    (False, True)
    """
    found = dates_from_numbers(["timestamp"], values)
    return None if found is None or found[1] == "yyyymmdd" else _numbers(found[0])


def _read(connection: Any, column: str) -> tuple[np.ndarray, bool]:
    filled, numbers, stamps = connection.execute(
        "SELECT count(nullif(m, '')), count(TRY_CAST(m AS DOUBLE)), count(TRY_CAST(m AS TIMESTAMP)) FROM links"
    ).fetchone()
    if filled and numbers == filled:
        values = _column(connection, "TRY_CAST(m AS DOUBLE)")
        return _of_numbers(values, column)
    if filled and stamps == filled:
        return _column(connection, "CAST(epoch_us(TRY_CAST(m AS TIMESTAMP)) AS DOUBLE)"), True
    texts, codes = np.unique(np.asarray(_texts(connection), dtype=str), return_inverse=True)
    return _numbers(parse_dates(texts.tolist(), codes).values)[codes], True


def _of_numbers(values: np.ndarray, column: str) -> tuple[np.ndarray, bool]:
    known = values[~np.isnan(values)]
    if "year" in column.casefold() and (known == np.floor(known)).all() and known.min() >= 1000 and known.max() <= 3000:
        years = np.where(np.isnan(values), 0, values - 1970).astype("datetime64[Y]").astype("datetime64[us]")
        years[np.isnan(values)] = np.datetime64("NaT")
        return _numbers(years), True
    found = dates_from_numbers(["timestamp"], values)
    return (values, False) if found is None else (_numbers(found[0]), True)


def _numbers(dates: np.ndarray) -> np.ndarray:
    return np.where(np.isnat(dates), np.nan, dates.astype("datetime64[us]").astype(np.int64).astype(np.float64))


def _column(connection: Any, what: str) -> np.ndarray:
    found = connection.execute(f"SELECT {what} AS x FROM links ORDER BY rowid").fetchnumpy()["x"]
    return np.ma.filled(np.ma.asarray(found, dtype=np.float64), np.nan)


def _texts(connection: Any) -> list[str]:
    return [text or "" for (text,) in connection.execute("SELECT m FROM links ORDER BY rowid").fetchall()]
