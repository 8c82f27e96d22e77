"""How a column becomes numbers, as SQL: the same steps as `coterie.tables.coding.code`, for a value in a database.

Two layers: the value with what stands in for a missing one, and from it the features. A value that is NULL, NaN or infinite is
missing; in categories an empty text is, too.
"""

from collections.abc import Iterator
from typing import Any

from ..errors import UnsupportedError
from ..tables.coding import KNEE, OTHER
from .sql_dialects import Dialect, days_of, name, number, text

__all__ = ["feature_expressions", "level_texts", "value_expression"]

_LARGEST = "1.7976931348623157e308"
_YES, _NO = {"true", "yes", "y", "t"}, {"false", "no", "n", "f"}


def value_expression(coding: Any, dialect: Dialect, table: str) -> str:
    """Write the value of a column, known or filled in."""
    column = f"{table}.{name(coding.column)}"
    if coding.text is not None:
        raise UnsupportedError(
            f"the groups go by the words of {coding.column!r}, which SQL cannot weigh; use coterie predict, or run again with "
            f"--roles {coding.column}=ignored"
        )
    if coding.coding in ("one-hot", "yes/no"):
        read = dialect.string.format(column)
        return read if coding.fill is None else f"COALESCE({read}, {text(str(coding.fill))})"
    if coding.role == "date":
        read = days_of(dialect, column, coding.column)
    else:
        read = dialect.double.format(column)
    fill = coding.center if coding.fill is None else coding.fill
    # NaN is above every number or is NULL, depending on the database: neither lies between these.
    return f"CASE WHEN {read} BETWEEN -{_LARGEST} AND {_LARGEST} THEN {read} ELSE {number(fill or 0.0)} END"


def feature_expressions(coding: Any, value: str) -> list[str]:
    """Write the features that a column gives, from its ``value``, in order."""
    if coding.coding == "yes/no":
        found = [_yes_no(coding, value)]
    elif coding.coding == "one-hot":
        found = list(_one_hot(coding, value))
    else:
        found = [_number(coding, value)]
    return found if coding.kept is None else [found[i] for i in coding.kept]


def level_texts(level: str, others: tuple[str, ...]) -> list[str]:
    """Return the ways in which a database may write a level: 1 as 1.0, True and Yes as true or 1 where it made them logical values."""
    ways = [level, f"{level}.0"] if level.lstrip("-").isdigit() else [level]
    ways += ["true", "1"] if level.casefold() in _YES else ["false", "0"] if level.casefold() in _NO else []
    return [way for way in dict.fromkeys(ways) if way == level or way not in others]


def _number(coding: Any, value: str) -> str:
    if coding.seam is not None:
        seam = number(coding.seam)
        value = f"({value} - 360.0 * FLOOR(({value} - {seam}) / 360.0))"
    if coding.coding == "as is":
        return value
    if coding.factor != 1.0:
        value = f"({value} * {number(coding.factor)})"
    shift, scale = number(coding.shift), number(coding.scale)
    if coding.coding == "log":
        # Training had no negative value; a new one goes on the other side of zero.
        sized = f"LN(1.0 + ABS({value}) / {number(coding.step)})"
        return f"(CASE WHEN {value} < 0 THEN -{sized} ELSE {sized} END - {shift}) / {scale}"
    z = f"(({value} - {shift}) / {scale})"
    if coding.coding != "signed log":
        return z
    knee = number(KNEE)
    return (
        f"CASE WHEN {z} > {knee} THEN {knee} + LN(1.0 + {z} - {knee}) "
        f"WHEN {z} < -{knee} THEN -({knee} + LN(1.0 - {z} - {knee})) ELSE {z} END"
    )


def _one_hot(coding: Any, value: str) -> Iterator[str]:
    levels = tuple(coding.categories or ())
    pool = next((level for level in (f"({OTHER})", OTHER) if level in levels), None) if len(levels) > 2 else None
    height = number(1.0 / coding.scale)
    named = [way for level in levels if level != pool for way in level_texts(level, levels)]
    for level in levels:
        holds = f"{value} NOT IN ({_list(named)})" if level == pool else _is(value, level, levels)
        yield f"CASE WHEN {holds} THEN {height} ELSE 0e0 END"


def _yes_no(coding: Any, value: str) -> str:
    no, yes = coding.categories
    half = 0.5 / coding.scale
    return (
        f"CASE WHEN {_is(value, yes, (no, yes))} THEN {number(half)} "
        f"WHEN {_is(value, no, (no, yes))} THEN {number(-half)} ELSE 0e0 END"
    )


def _is(value: str, level: str, levels: tuple[str, ...]) -> str:
    return f"{value} IN ({_list(level_texts(level, levels))})"


def _list(levels: list[str]) -> str:
    return ", ".join(map(text, levels))
