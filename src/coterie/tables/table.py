"""A table: named columns of one of three kinds, and what its reader decided.

A *number* column is float64 with NaN where a value is missing, a *text* column holds strings with None, a *date* column is
``datetime64[us]`` with NaT. Rows are numbered from 0.
"""

import difflib
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

__all__ = [
    "LONGEST_SHOWN",
    "Column",
    "Kind",
    "Levels",
    "Table",
    "brief",
    "factorize",
    "listing",
    "unique_names",
    "unknown_name",
]

Kind = Literal["number", "text", "date"]
LONGEST_SHOWN = 120  # characters of a value that people are shown
_LONGEST_NAME = 200  # of a column

# "Annual Income (k$)", "height [cm]": a unit in brackets at the end. A range such as "(1-100)" is no unit.
_UNIT = re.compile(r"^(?P<name>.*\S)\s*[(\[](?P<unit>[^()\[\]]{1,12})[)\]]\s*$")


@dataclass(frozen=True)
class Levels:
    """The different values of a text column and which of them each row has.

    Attributes
    ----------
    values : list of str
        Different values, in order of first appearance.
    codes : (n,) int64 array
        Position in ``values``, -1 where the value is missing.
    counts : (len(values),) int64 array
        How many rows have each.
    """

    values: list[str]
    codes: NDArray[np.int64]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Column:
    """One named column.

    Attributes
    ----------
    name : str
    values : (n,) array
        float64, object (str or None) or datetime64[us], according to ``kind``.
    kind : {"number", "text", "date"}
        How it is stored; what it is used for is its role (`find_roles`).
    unit : str or None
        Taken from the name ("Annual Income (k$)") or from the values ("12 %").
    format : str or None
        For dates read from text: the order of their parts, such as "day/month/year"; for numbers: "decimal comma" or "decimal point", where
        a text had either.
    """

    name: str
    values: NDArray = field(repr=False)
    kind: Kind
    unit: str | None = None
    format: str | None = None

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """(n,) bool: where the value is missing."""
        if self.kind == "number":
            return np.isnan(self.values)
        if self.kind == "date":
            return np.isnat(self.values)
        return self.levels.codes < 0

    @cached_property
    def n_missing(self) -> int:
        """How many values are missing."""
        return int(np.count_nonzero(self.missing))

    @cached_property
    def levels(self) -> Levels:
        """The different values of a text column, found once."""
        if self.kind != "text":
            raise TypeError(f"only a text column has levels; {self.name!r} is a {self.kind} column")
        return factorize(self.values)

    @cached_property
    def written(self) -> Levels | None:
        """The texts that numbers were read from, where a comma or point in them may mean either and the reader kept them."""
        return None

    def take(self, rows: ArrayLike) -> "Column":
        """Return the column at ``rows`` (positions or a mask)."""
        return replace(self, values=self.values[np.asarray(rows)])


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length.

    Attributes
    ----------
    name : str
        Of the file, or "table".
    columns : tuple of Column
    n_rows : int
    notes : tuple of str
        What the reader decided, one sentence each: encoding, delimiter, decimal mark, header, values it could not read.
    source_bytes : int or None
        Size of the file that was read.
    """

    name: str
    columns: tuple[Column, ...]
    n_rows: int
    notes: tuple[str, ...] = ()
    source_bytes: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def __len__(self) -> int:
        return self.n_rows

    def column(self, name: str) -> Column:
        """Return the column called ``name``.

        Raises
        ------
        InputError
            If there is none; the message suggests the nearest name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise unknown_name(name, self.names)

    def select(self, names: Iterable[str]) -> "Table":
        """Return the table with only these columns, in this order."""
        return replace(self, columns=tuple(self.column(name) for name in names))

    def take(self, rows: ArrayLike) -> "Table":
        """Return the table with only these rows (positions or a mask), in this order."""
        rows = np.asarray(rows)
        n_rows = int(np.count_nonzero(rows)) if rows.dtype == bool else rows.size
        return replace(self, columns=tuple(column.take(rows) for column in self.columns), n_rows=n_rows)

    def fingerprint(self) -> str:
        """Return a SHA-256 of names, kinds and values: equal tables have equal fingerprints, whatever file held them."""
        digest = hashlib.sha256(f"coterie.table/1 {self.n_rows}".encode())
        for column in self.columns:
            digest.update(f"\0{column.kind}\0{len(column.name)}\0{column.name}\0".encode("utf-8", "surrogatepass"))
            if column.kind == "text":
                for value in column.levels.values:
                    digest.update(f"{len(value)}\0{value}".encode("utf-8", "surrogatepass"))
                digest.update(column.levels.codes.tobytes())
            else:
                # -0.0 equals 0.0, and there is more than one NaN.
                values = column.values + 0.0 if column.kind == "number" else column.values
                digest.update(np.where(column.missing, np.zeros(1, values.dtype), values).tobytes())
                digest.update(np.packbits(column.missing).tobytes())
        return digest.hexdigest()


def factorize(values: Sequence | NDArray) -> Levels:
    """Number the different values of a sequence of strings in order of first appearance; None gets -1."""
    numbers: defaultdict = defaultdict()
    numbers.default_factory = numbers.__len__
    codes = np.fromiter(map(numbers.__getitem__, values), np.int64, len(values))
    if None in numbers:
        none = numbers.pop(None)
        codes = np.where(codes == none, -1, codes - (codes > none))
    counts = np.bincount(codes[codes >= 0], minlength=len(numbers)).astype(np.int64)
    return Levels(list(numbers), codes, counts)


def split_unit(name: str) -> tuple[str, str | None]:
    """Split "Annual Income (k$)" into name and unit; the unit is None when there is none."""
    match = _UNIT.match(name)
    if match is None or re.fullmatch(r"[\d\s.,:–-]+", match["unit"]):
        return name, None
    return match["name"], match["unit"]


def unknown_name(name: str, names: Sequence[str], what: str = "column") -> InputError:
    """Return the error for a name that is not among ``names``, with the nearest one."""
    lowered = {known.casefold(): known for known in names}
    near = difflib.get_close_matches(str(name).casefold(), lowered, n=1)
    hint = f"did you mean {lowered[near[0]]!r}?" if near else f"there are: {listing(names)}"
    return InputError(f"no {what} is called {name!r}; {hint}")


def listing(names: Iterable[object], most: int = 8) -> str:
    """Return "a, b, c and 5 more"."""
    shown = [str(name) for name in names]
    more = len(shown) - most
    return ", ".join(shown[:most]) + (f" and {more:,} more" if more > 0 else "")


def brief(value: str, most: int = LONGEST_SHOWN) -> str:
    """Return a value for people, cut to ``most`` characters where it is longer."""
    return value if len(value) <= most else value[: most - 1] + "…"


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Give every column a name of its own; returns names and notes."""
    full = [" ".join(str(name).split()) for name in names]
    stripped = [brief(name, _LONGEST_NAME) for name in full]
    notes = [
        f"the name of column {j + 1} has {len(name):,} characters and is cut to {_LONGEST_NAME}"
        for j, name in enumerate(full)
        if len(name) > _LONGEST_NAME
    ]
    taken, result = set(stripped), []
    seen: set[str] = set()
    for j, name in enumerate(stripped):
        new = name
        if not name:
            new = _free("column", j + 1, taken)
            notes.append(f"column {j + 1} has no name and is called {new!r}")
        elif name in seen:
            new = _free(name, 2, taken)
            notes.append(f"the name {name!r} occurs more than once; column {j + 1} is called {new!r}")
        taken.add(new)
        seen.add(new)
        result.append(new)
    return result, notes


def _free(name: str, number: int, taken: set[str]) -> str:
    """Return ``name_2``, or the next number that no column has."""
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
