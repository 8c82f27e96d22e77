"""What each column is for: something to compare rows by, a name of the row, or nothing of use.

Every decision comes with its reason in a sentence, and every decision can be overridden.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from .cast import name_words, shown
from .table import Column, Table, unknown_name
from .words import count_words

__all__ = ["AS_ASKED", "ROLES", "Role", "find_roles", "is_id_name"]

ROLES = ("number", "category", "date", "text", "id", "constant", "ignored")
_USED = ("number", "category", "date", "text")
AS_ASKED = "as you asked"

MOST_MISSING = 0.95  # above this share of missing values a column says too little
MOST_LEVELS = 50  # categories; beyond, the 50 most frequent must cover most rows
_COVERED = 0.8
_TEXT_WORDS = 4  # mean words a value from which it reads as free text
_TEXT_LENGTH = 50

_ID_LAST = {
    "id",
    "ids",
    "key",
    "uuid",
    "guid",
    "pk",
    "no",
    "nr",
    "nbr",
    "num",
    "rownum",
    "index",
    "idx",
    "ref",
    "reference",
    "hash",
}
_ID_LAST |= {
    "ssn",
    "iban",
    "isbn",
    "ean",
    "upc",
    "imei",
    "vin",
    "barcode",
    "url",
    "uri",
    "email",
    "phone",
    "fax",
    "username",
    "login",
}
_ID_OWNERS = "user|customer|client|order|invoice|product|item|account|member|patient|session|transaction|trans|row|record|employee"
_ID_OWNERS += "|student|household|store|device|visitor|person|case|sample|subject|policy|loan|ticket|event|trip|card|shop|movie|song|track"
_ID_JOINED = re.compile(rf"(?:{_ID_OWNERS})(?:id|ids|no|nr|num|key)")
_ID_NUMBER_OF = {
    "number",
    "code",
}  # "Invoice Number" names a thing when nearly every value differs; "number_of_cds" counts
_ROW_NAMES = {
    "index",
    "unnamed",
    "row",
    "rownum",
    "rownames",
    "row_name",
    "rowid",
    "rn",
    "x",
    "id",
    "nr",
    "no",
    "obs",
    "serial",
    "sno",
    "s",
}
_CODE_WORDS = {
    "zip",
    "zipcode",
    "postcode",
    "postal",
    "plz",
    "code",
    "codes",
    "sku",
    "area",
    "fips",
    "naics",
    "sic",
    "msa",
    "cp",
}
_GROUP_WORDS = {
    "class",
    "type",
    "category",
    "group",
    "segment",
    "cluster",
    "code",
    "cat",
    "label",
    "status",
    "flag",
    "region",
    "zone",
}
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Role:
    """What one column is for.

    Attributes
    ----------
    column : str
    role : {"number", "category", "date", "text", "id", "constant", "ignored"}
    why : str
        The reason, a sentence without its full stop.
    used : bool
        Whether rows are compared by it.
    """

    column: str
    role: str
    why: str
    used: bool


def find_roles(table: Table, *, roles: Mapping[str, str] | None = None) -> tuple[Role, ...]:
    """Find what each column is for.

    Parameters
    ----------
    table : Table
    roles : dict, optional
        Column name to role, for columns that should be used otherwise than found: one of "number", "category", "date",
        "text", "id", "constant", "ignored". The last three are not used, and dates only where asked for or where there is
        nothing else.

    Returns
    -------
    tuple of Role
        One a column, in order.

    Raises
    ------
    InputError
        If ``roles`` names a column or a role that does not exist.

    Examples
    --------
    >>> from coterie.tables import read
    >>> table = read({"customer_id": ["a1", "b2", "c3"], "age": [31, 45, 52], "vip": [0, 1, 0]})
    >>> [role.role for role in find_roles(table)]
    ['id', 'number', 'category']
    """
    given = dict(roles or {})
    for name, role in given.items():
        if name not in table.names:
            raise unknown_name(name, table.names)
        if role not in ROLES:
            raise unknown_name(role, ROLES, "role")
    found = tuple(
        Role(c.name, given[c.name], AS_ASKED, given[c.name] in _USED) if c.name in given else _found(c, table.n_rows)
        for c in table.columns
    )
    if any(role.used and role.role != "date" for role in found):
        found = tuple(_set_aside(role) if role.role == "date" and role.column not in given else role for role in found)
    return found


def _set_aside(date: Role) -> Role:
    # Rows that arrive all the time have no gaps in time: groups would be periods cut at arbitrary days.
    return replace(date, used=False, why=f"{date.why}; left out of the distances, since groups would be mere periods")


def _found(column: Column, n_rows: int) -> Role:
    role, why = _role(column, n_rows)
    return Role(column.name, role, why, role in _USED)


def _role(column: Column, n_rows: int) -> tuple[str, str]:
    n_known = n_rows - column.n_missing
    if n_known == 0:
        return "constant", "every value is missing"
    if column.n_missing > MOST_MISSING * n_rows:
        return "ignored", f"{_percent(column.n_missing / n_rows)} of its values are missing"
    if column.kind == "date":
        return _date_role(column)
    return _number_role(column, n_known) if column.kind == "number" else _text_role(column, n_rows, n_known)


def _date_role(column: Column) -> tuple[str, str]:
    known = column.values[~column.missing]
    first, last = known.min(), known.max()
    if first == last:
        return "constant", f"every row has {_day(first)}"
    return "date", f"dates from {_day(first)} to {_day(last)}, compared by the days between them"


def _day(value: np.datetime64) -> str:
    return str(value.astype("datetime64[D]"))


def _number_role(column: Column, n_known: int) -> tuple[str, str]:
    known = column.values[~column.missing]
    low, high = float(known.min()), float(known.max())  # as Python floats, whose difference may overflow quietly
    if low == high or high - low <= 1e-13 * max(abs(low), abs(high)):
        return "constant", f"every {'row' if not column.n_missing else 'known value'} has {low:.6g}"
    whole = bool((known == np.floor(known)).all())
    words = name_words(column.name)
    different = np.unique(known).size
    if whole and _counts_rows(column, words, known):
        return "id", "it numbers the rows"
    if (whole and is_id_name(column.name)) or (
        whole and different > 0.9 * n_known and n_known > 20 and _ID_NUMBER_OF & set(words[-1:])
    ):
        return "id", _id_reason(column.name, different, n_known)
    if different == 2 and (high - low == 1 or (low, high) == (-1, 1)):
        return "category", f"only two values, {low:.6g} and {high:.6g}"
    if whole and _CODE_WORDS & set(words) and not {"score", "count"} & set(words):
        if different <= 20:
            return "category", f"{different} different codes, whose size means nothing"
        return "ignored", f"{different:,} different codes, whose size means nothing"
    if whole and different <= 20 and _GROUP_WORDS & set(words[-1:]) and n_known >= 5 * different:
        return "category", f"{different} whole numbers that by its name stand for groups"
    return "number", f"{'whole numbers' if whole else 'numbers'} from {low:.6g} to {high:.6g}"


def _counts_rows(column: Column, words: list[str], known: np.ndarray) -> bool:
    """Say whether it is 0, 1, 2, … or 1, 2, 3, … in order; without a telling name only in tables of some length."""
    if (
        column.n_missing
        or known.size < 2
        or float(known[-1]) - float(known[0]) != known.size - 1
        or (np.diff(known) != 1).any()
    ):
        return False
    named = not words or bool(_ROW_NAMES & set(words)) or words[0] == "column" or is_id_name(column.name)
    return (named and known.size > 2) or (known[0] in (0, 1) and known.size >= 20)


def is_id_name(name: str) -> bool:
    """Say whether a column's name says "identifier": CustomerID, user_id, uuid, Invoice No; not "paid" or "number_of_cds".

    Examples
    --------
    >>> [is_id_name(name) for name in ("CustomerID", "userid", "paid", "number_of_cds", "InvoiceNo")]
    [True, True, False, False, True]
    """
    words = name_words(name)
    if not words:
        return False
    return (
        words[-1] in _ID_LAST or words[0] in {"id", "uuid", "guid"} or bool(_ID_JOINED.fullmatch("".join(words[-2:])))
    )


def _id_reason(name: str, different: int, n_known: int) -> str:
    if different == n_known:
        return f"named like an identifier, and different in every row ({n_known:,} values)"
    return (
        f"named like an identifier; each of its {different:,} values comes {n_known / different:.1f} times on average, "
        f"so rows are not one per {name}"
    )


def _text_role(column: Column, n_rows: int, n_known: int) -> tuple[str, str]:
    levels = column.levels
    different = len(levels.values)
    if different == 1:
        if column.n_missing / n_rows >= 0.05:
            return "category", f"either {shown(levels.values[0])} or missing"
        return "constant", f"every {'row' if not column.n_missing else 'known value'} has {shown(levels.values[0])}"
    words, length, like_uuid = _reading(levels.values)
    if like_uuid:
        return "id", f"{different:,} different universal identifiers"
    if is_id_name(column.name) and (
        different > MOST_LEVELS or different > 0.5 * n_known or name_words(column.name)[-1] in {"id", "key"}
    ):
        return "id", _id_reason(column.name, different, n_known)
    if (words >= _TEXT_WORDS or length >= _TEXT_LENGTH) and different > min(MOST_LEVELS, 0.5 * n_known):
        return "text", f"free text: {different:,} different values of {words:.0f} words on average"
    if different == n_known and n_known > 2:
        return "id", f"different in every row ({n_known:,} values)"
    if different > 0.5 * n_known and different > 5:
        return "ignored", f"{different:,} different values in {n_known:,} rows: almost every row has its own"
    if different <= MOST_LEVELS:
        return "category", f"{different} different values"
    top = np.sort(levels.counts)[::-1][:MOST_LEVELS].sum() / n_known
    if top >= _COVERED:
        return "category", f"{different:,} different values, of which {MOST_LEVELS} make up {_percent(top)} of the rows"
    return "ignored", f"{different:,} different values, none of them frequent enough to compare rows by"


def _reading(values: list[str]) -> tuple[float, float, bool]:
    """Return mean words and length of the values, and whether they are UUIDs; a sample of them is enough."""
    sample = values[:: max(1, len(values) // 500)]
    words = sum(map(count_words, sample)) / len(sample)
    length = sum(map(len, sample)) / len(sample)
    return words, length, len(values) > 1 and all(_UUID.fullmatch(value) for value in sample)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 0.995 or share == 1 else f"{100 * share:.1f} %"


def require_used(roles: Sequence[Role], name: str) -> None:
    """Raise InputError when no column can be used, saying what was found."""
    if any(role.used for role in roles):
        return
    kinds: dict[str, list[str]] = {}
    for role in roles:
        kinds.setdefault(role.role, []).append(role.column)
    words = {
        "id": "identifier",
        "constant": "constant",
        "text": "free text without common themes",
        "ignored": "ignored",
    }
    found = "; ".join(
        f"{len(names)} {words[kind]}{'s' if kind == 'id' and len(names) > 1 else ''} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for kind, names in kinds.items()
    )
    first = roles[0].column if roles else "column"
    raise InputError(
        f"{name} has no column to compare rows by: {found or 'it has no columns'}; add numbers or categories, "
        f"or say how to use one, for example roles={{{first!r}: 'category'}}"
    )
