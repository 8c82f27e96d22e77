"""The rows that an earlier run was made from: the file itself where it can be found unchanged, else the few that its record keeps."""

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .stored import StoredRun
from .words import count, counted

__all__ = ["PastRows", "past_rows"]


class PastRows(NamedTuple):
    """Rows of an earlier run.

    Attributes
    ----------
    table : Table or None
        None where the record keeps none.
    which : {"all", "kept", "none"}
    words : str
        Which rows these are, in a sentence for people.
    """

    table: Any
    which: str
    words: str


def past_rows(run: StoredRun, data: Any = None, *, memory_limit: int | None = None) -> PastRows:
    """Return the rows of ``run``.

    Parameters
    ----------
    run : StoredRun
    data : path or table, optional
        Where they are. Without it the file is looked for beside the folder and in the current one.
    memory_limit : int, optional
        Bytes that reading may use.

    Raises
    ------
    InputError
        If ``data`` does not hold the rows of the run.
    """
    n, name = run.record["input"].get("rows"), run.record["input"].get("name") or "the data"
    table: Any = run.data() if data is None else None
    if data is not None:
        from .. import tables

        table = tables.read(data, memory_limit=memory_limit)
        if table.n_rows != n or ("blocks" not in run.record and table.fingerprint() != run.fingerprint):
            raise InputError(
                f"{table.name} does not hold the {count(n)} rows that {run.name} was made from, or they have changed; give that file, or "
                "leave --data out"
            )
    if table is not None:
        return PastRows(table, "all", f"all {counted(table.n_rows, 'row')} of {name}")
    table = _kept(run, run.model.prepared)
    if table is None:
        return PastRows(None, "none", f"the counts alone: {name} is not at hand, and the record keeps no rows")
    if table.n_rows == n:
        return PastRows(table, "all", f"all {counted(n, 'row')}, which the record keeps")
    return PastRows(
        table,
        "kept",
        f"the {count(table.n_rows)} rows of {count(n)} that the record keeps; --data with the file itself would show more",
    )


def _kept(run: StoredRun, prepared: Any) -> Any:
    """Return the rows drawn evenly from the data that the record keeps, as a table of the columns the model uses."""
    from ..tables import Table

    used = [coding for coding in prepared.codings if coding.used]
    try:
        sample = (run.record.get("rows") or {}).get("sample") or {}
        rows = [sample[row] for row in _even(run.record, sample)]
        if not rows:
            return None
        columns = tuple(_column(coding, [row[coding.column] for row in rows]) for coding in used)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{run.folder} is damaged: the rows that its run.json keeps cannot be read; run it again"
        ) from error
    return Table(str(run.record["input"].get("name") or run.name), columns, len(rows))


def _even(record: dict[str, Any], sample: dict[str, Any]) -> list[str]:
    """Return the rows that were kept for no reason of their own: typical, doubtful and unusual ones would not be a fair sample."""
    from ..study.record import even_rows

    even = [str(row) for row in even_rows(*(record["input"].get(name) or 0 for name in ("rows", "columns")))]
    if all(row in sample for row in even):
        return even
    mentioned = {
        row for cluster in record["clusters"] for name in ("exemplars", "border") for row in cluster.get(name) or ()
    }
    mentioned |= {line["row"] for line in record["outliers"].get("top") or ()}
    return [row for row in sample if int(row) not in mentioned]


def _column(coding: Any, values: list[Any]) -> Any:
    """Return a column of the kind it had, from what JSON made of its values."""
    from ..tables import Column

    known = [value for value in values if value is not None]
    if all(isinstance(value, int | float) for value in known):
        numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        return Column(coding.column, numbers, "number", unit=coding.unit, format=coding.format)
    texts = np.array([None if value is None else str(value) for value in values], dtype=object)
    if coding.role == "date":
        try:
            moments = np.array(["NaT" if value is None else value for value in texts], dtype="datetime64[us]")
            return Column(coding.column, moments, "date", format=coding.format)
        except ValueError:
            pass  # written in an order of its own, such as day/month/year, which the coding knows
    return Column(coding.column, texts, "text", unit=coding.unit, format=coding.format)
