"""From a table to the matrix in which Euclidean distance is the dissimilarity to use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from . import text_models
from .cast import shown
from .coding import Coding, code, fit_category, fit_number, fit_text, owners_of, require_known
from .convert import as_before, as_date, as_number
from .copies import without_copies
from .donors import Donors, donors_from_state, fill_texts, find_donors, state_of
from .embedded import EmbeddedCoding
from .groups import common_scales
from .roles import AS_ASKED, Role, find_roles, require_used
from .table import Column, Table, listing, unknown_name
from .text_models import TextModel
from .texts import TextCoding

__all__ = ["Coding", "Prepared", "prepare"]

_CHOICES = {
    "scale": ("auto", "z-score", "robust", "none"),
    "missing": ("auto", "error"),
    "categories": ("auto", "ignore"),
    "texts": ("auto", "ignore"),
}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table as numbers, and how to do the same to other rows.

    Attributes
    ----------
    X : (n, m) float64 array, C order
        Finite. Euclidean distance between its rows is the dissimilarity to use.
    feature_names : tuple of str
    feature_columns : (m,) int64 array
        Position in ``codings`` of the column each feature comes from.
    codings : tuple of Coding
        One a column of the table, used or not.
    notes : tuple of str
        What was decided, one sentence each.
    donors : dict of int to Donors
        For the position of a column of texts, where rows without one are put.
    """

    X: NDArray[np.float64] = field(repr=False)
    feature_names: tuple[str, ...]
    feature_columns: NDArray[np.int64]
    codings: tuple[Coding, ...]
    notes: tuple[str, ...] = ()
    donors: Mapping[int, Donors] = field(default_factory=dict, repr=False)

    def transform(self, table: Table) -> NDArray[np.float64]:
        """Code new rows; the training rows give ``X`` again, bit for bit.

        Parameters
        ----------
        table : Table
            Has the used columns, in any order; others are ignored.

        Returns
        -------
        (n, m) float64 array

        Raises
        ------
        InputError
            If a used column is missing or holds something else than at fitting.
        """
        used = [coding for coding in self.codings if coding.used]
        names = set(table.names)
        absent = [coding.column for coding in used if coding.column not in names]
        if absent:
            message = str(unknown_name(absent[0], table.names))
            more = f" (and {len(absent) - 1:,} more: {listing(absent[1:], 4)})" if len(absent) > 1 else ""
            raise InputError(f"the new rows lack a column the model uses: {message}{more}")
        table = as_before(table, used)
        X = _matrix(used, table)
        _place(X, self.codings, self.donors, table)
        return X

    def with_text_model(self, source: Any) -> "Prepared":
        """Return the same, with the embedding model that its texts were coded by taken from elsewhere.

        Parameters
        ----------
        source : str, path, callable or TextModel
            As for `prepare`.

        Raises
        ------
        InputError
            If it is another model, or no text was coded by one.
        """
        model, codings = text_models.text_model(source), list(self.codings)
        coded = [i for i, coding in enumerate(codings) if isinstance(coding.text, EmbeddedCoding)]
        if not coded:
            raise InputError("no column was coded by a text model; leave text_model out")
        for i in coded:
            text = cast(EmbeddedCoding, codings[i].text)
            text.model.same_as(model)
            codings[i] = replace(codings[i], text=replace(text, model=model))
        return replace(self, codings=tuple(codings))

    @staticmethod
    def read(source: Any) -> Table:
        """Read what `transform` takes, from whatever `tables.read` understands."""
        from .read import read

        return read(source)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return everything but ``X``, as JSON and arrays, for `from_state`."""
        return {"codings": [coding.state() for coding in self.codings], "notes": list(self.notes)}, state_of(
            self.donors
        )

    @classmethod
    def from_state(cls, json: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> "Prepared":
        """Return a `Prepared` without rows that transforms as the one whose state it was.

        Raises
        ------
        InputError
            If the state is damaged.
        """
        try:
            codings = tuple(_coding(line) for line in json["codings"])
            notes = tuple(str(note) for note in json["notes"])
            donors = donors_from_state(arrays, owners_of(codings))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"the description of the columns is damaged: {error}") from error
        return _prepared(np.empty((0, sum(len(c.feature_names) for c in codings))), codings, notes, donors)


def prepare(
    table: Table,
    *,
    roles: Mapping[str, str] | None = None,
    scale: str = "auto",
    missing: str = "auto",
    categories: str = "auto",
    texts: str = "auto",
    text_model: Any = None,
) -> Prepared:
    """Turn a table into a matrix in which every used column counts about alike.

    Parameters
    ----------
    table : Table
    roles : dict, optional
        As for `find_roles`.
    scale : {"auto", "z-score", "robust", "none"}
        "auto" takes a logarithm where positive values are strongly skewed, compresses tails beyond 4 spreads where there
        are extreme values, and z-scores otherwise.
    missing : {"auto", "error"}
        "auto" fills numbers and dates with their median and categories with their most frequent value, or makes "missing"
        a value of its own where 5 % or more are missing.
    categories : {"auto", "ignore"}
        "auto" codes them one-hot.
    texts : {"auto", "ignore"}
        "auto" makes a few numbers of free text: words weighted by how rare they are, and the directions in which texts differ.
    text_model : str, path, callable or TextModel, optional
        Compares texts by this embedding model instead; see `text_models.text_model`. Nothing is fetched.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If no column can be used; the message says what was found.

    Examples
    --------
    >>> from coterie.tables import read
    >>> table = read({"age": [31, 45, 52, 38], "city": ["Bern", "Bern", "Basel", "Bern"]})
    >>> prepared = prepare(table)
    >>> prepared.feature_names, prepared.X.shape
    (('age', 'city = Bern'), (4, 2))
    """
    for option, value in (("scale", scale), ("missing", missing), ("categories", categories), ("texts", texts)):
        if value not in _CHOICES[option]:
            raise unknown_name(value, _CHOICES[option], f"choice for {option}=")
    if table.n_rows == 0:
        raise InputError(f"{table.name} has no rows; give at least one")
    found = find_roles(table, roles=roles)
    for role, choice in (("category", categories), ("text", texts)):
        if choice == "ignore":
            why = "categories are ignored" if role == "category" else "texts are ignored"
            found = tuple(replace(r, role="ignored", why=why, used=False) if r.role == role else r for r in found)
    require_used(found, table.name)
    columns = [_as_role(column, role) for column, role in zip(table.columns, found, strict=True)]
    model = None if text_model is None else text_models.text_model(text_model)
    codings = [_fit(column, role, scale, missing, model) for column, role in zip(columns, found, strict=True)]
    require_used([Role(c.column, _kind_left(c), c.why, c.used) for c in codings], table.name)
    notes: list[str] = []
    if scale == "auto":
        codings, notes = common_scales(columns, codings)
    codings, X, copies = without_copies(codings, _matrix([coding for coding in codings if coding.used], table))
    donors = _donors(X, codings)
    _place(X, codings, donors, table)
    return _prepared(X, tuple(codings), (*_summary(codings, donors, table.n_rows), *notes, *copies), donors)


def _kind_left(coding: Coding) -> str:
    """What to call a column that was left: what was to be compared and cannot be is constant."""
    return coding.role if coding.used or coding.role not in ("number", "category", "date") else "constant"


def _as_role(column: Column, role: Role) -> Column:
    if role.role == "number":
        return as_number(column)
    return as_number(as_date(column)) if role.role == "date" else column


def _fit(column: Column, role: Role, scale: str, missing: str, model: TextModel | None) -> Coding:
    base = Coding(role.column, role.role, role.used, role.why, column.n_missing, unit=column.unit, format=column.format)
    if not role.used:
        return base
    if column.n_missing == column.values.size:
        return replace(base, used=False, why=f"{role.why}, but every value is missing")
    if missing == "error":
        require_known(column)
    if role.role == "text":
        return fit_text(column, base, model, always=role.why == AS_ASKED)
    coding = fit_category(column, base) if role.role == "category" else fit_number(column, base, scale)
    if not coding.scale > 0:
        return replace(base, used=False, why=f"{role.why}, but all its values are equal")
    return coding


def _matrix(used: list[Coding], table: Table) -> NDArray[np.float64]:
    widths = [len(coding.feature_names) for coding in used]
    X = np.empty((table.n_rows, sum(widths)))
    by_name = {column.name: column for column in table.columns}
    at = 0
    for coding, width in zip(used, widths, strict=True):
        X[:, at : at + width] = code(coding, by_name[coding.column])
        at += width
    return X


def _donors(X: NDArray[np.float64], codings: Sequence[Coding]) -> dict[int, Donors]:
    """Return by column of texts the rows that lend places to rows without one."""
    owners = owners_of(codings)
    found = {i: find_donors(X, owners == i) for i, coding in enumerate(codings) if coding.text is not None}
    return {i: lend for i, lend in found.items() if lend is not None}


def _place(X: NDArray[np.float64], codings: Sequence[Coding], donors: Mapping[int, Donors], table: Table) -> None:
    """Put the rows whose text is not known where rows like them have theirs."""
    if all(coding.text is None for coding in codings):
        return
    owners = owners_of(codings)
    told: dict[int, NDArray[np.bool_]] = {}
    for i, coding in enumerate(codings):
        if coding.used and coding.text is not None:
            told[i] = np.asarray(np.isfinite(X[:, owners == i]).all(axis=1))
        elif coding.used:
            told[i] = ~table.column(coding.column).missing
    fill_texts(X, owners, told, donors)


def _summary(codings: list[Coding], donors: Mapping[int, Donors], n_rows: int) -> list[str]:
    """Say in a few sentences what is used, what is not, and what was filled."""
    notes = [f"{coding.column} is not used: {coding.why}" for coding in codings if not coding.used]
    for words, kinds in (
        ("a logarithm is taken of {}, for most values are small and a few are large", ("log",)),
        ("values of {} far from the rest are drawn nearer, in the same order", ("signed log",)),
    ):
        names = [coding.column for coding in codings if coding.used and coding.coding in kinds]
        if names:
            notes.append(words.format(listing(names)))
    notes += [
        f"the texts of {coding.column} become {_numbers(len(coding.text.center))} by {_means(coding.text)}, with {100 * coding.text.share:.0f} % of "
        "the differences between them"
        for coding in codings
        if coding.text is not None
    ]
    for i, coding in enumerate(codings):
        if not coding.used or not coding.missing:
            continue
        share = f"{coding.missing:,} of {n_rows:,} values of {coding.column} are missing"
        own = coding.categories is not None and coding.fill in ("missing", "(missing)")
        how = "count as a value of their own" if own else _filled(coding, lent=i in donors)
        notes.append(f"{share} and {how}")
    return notes


def _means(text: TextCoding | EmbeddedCoding) -> str:
    return f"the model {text.model}" if isinstance(text, EmbeddedCoding) else "the words they share"


def _numbers(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"


def _filled(coding: Coding, *, lent: bool) -> str:
    if lent:
        return "count as a text such as rows like theirs have"
    if coding.text is not None:
        return "count as a text that is like all others"
    if isinstance(coding.fill, str):
        return f"were filled with the most frequent value, {shown(coding.fill)}"
    if coding.role == "date":
        return f"were filled with the middle date, {np.datetime64('1970-01-01') + int(coding.fill or 0)}"
    return f"were filled with the median, {coding.fill:.6g}"


def _prepared(
    X: NDArray[np.float64], codings: tuple[Coding, ...], notes: tuple[str, ...], donors: Mapping[int, Donors]
) -> Prepared:
    names = tuple(name for coding in codings for name in coding.feature_names)
    return Prepared(X, names, owners_of(codings), codings, notes, donors)


def _coding(line: Mapping[str, Any]) -> Coding:
    values = dict(line)
    for name in ("categories", "kept"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    if values.get("text") is not None:
        kind = EmbeddedCoding if "model" in values["text"] else TextCoding
        values["text"] = kind.from_state(values["text"])
    return Coding(**values)
