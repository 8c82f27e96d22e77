"""From new rows to alarms: how rare each row is, which columns say so, and whether the rows as a whole are still like history."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ...errors import InputError
from ...tables import Table, read
from ...tables.convert import as_before
from ._calibration import alarm_limits, least_rate, rows_needed
from ._explaining import Explanation
from ._profile import is_usual, usual_text, value_text
from ._truth import Checked, checked
from ._unlike import LEVEL, moved_share, moved_warning, unlike_history
from ._windows import Windows, windows_of
from .learning import refuse_fpr, time_order
from .normalcy import NormalcyModel

__all__ = ["Judged", "judge_rows", "model_of"]

TOP = 3
_LEAST_SHARE, _OF_THE_FIRST = 0.02, 0.25  # of a row's distance, from which a column is a reason
_BLOCK_ROWS = 100_000


class Judged(NamedTuple):
    """New rows, judged.

    Attributes
    ----------
    table : Table
    model : NormalcyModel
    fpr : float
    scores, p_values : (n,) float64 arrays
    kinds : (n,) int64 array
        Kind of normal rows that each is nearest to.
    alarms : (a,) int64 array
        Rows that are alarms, the least likely first.
    explanation : Explanation
        Of the alarms.
    limits : tuple of int
        How few and how many alarms rows like history give, all but once in a thousand times.
    moved : float or None
        Share of rows that are farther from history than half of its own are, where it is more than half.
    windows : Windows
        The share of alarms from one part of the rows to the next.
    truth : Checked or None
        How the alarms agree with known anomalies.
    card : dict
        Of the model.
    warnings : list of dict
    seen : bool
        Whether these are the rows that the model learnt from: limits and shares of new rows do not hold for them.
    """

    table: Table
    model: NormalcyModel
    fpr: float
    scores: np.ndarray
    p_values: np.ndarray
    kinds: np.ndarray
    alarms: np.ndarray
    explanation: Explanation
    limits: tuple[int, int]
    moved: float | None
    windows: Windows
    truth: Checked | None
    card: Mapping[str, Any]
    warnings: list[dict[str, str]]
    seen: bool

    def reason(self, alarm: int) -> str:
        """Return in words why a row is an alarm: its columns, their values, and what is usual."""
        row = int(self.alarms[alarm])
        usual = self.card["profile"][int(self.kinds[row])]["columns"]
        roles = {coding.column: coding.role for coding in self.model.prepared_.codings} if self.model.prepared_ else {}
        least = max(_LEAST_SHARE, _OF_THE_FIRST * self.explanation.shares[alarm, 0])
        odd, beside = [], []
        for j in self.explanation.columns[alarm][self.explanation.shares[alarm] >= least]:
            name = self.explanation.names[j]
            value, known = _value(self.table, name, row), usual.get(name)
            text = value_text(value, "text" if isinstance(value, str) else "number")
            if is_usual(value, known):
                beside.append(f"{name} {text}")
            else:
                odd.append(f"{name} is {text}, usually {usual_text(known, roles.get(name, 'number'))}")
        if not odd:
            return (
                f"each usual, but not together: {', '.join(beside)}"
                if beside
                else "the combination of all columns is unusual"
            )
        return "; ".join(odd) + (f"; beside {', '.join(beside)}" if beside else "")


def model_of(loaded: Any) -> NormalcyModel:
    """Return the model of normal rows in a loaded file.

    Raises
    ------
    InputError
        If it is a model of another kind.
    """
    model = loaded.estimator
    if not isinstance(model, NormalcyModel) or "profile" not in loaded.card:
        raise InputError(
            f"the model is a {type(model).__name__}, not one of normal rows; give the folder that coterie anomaly fit wrote"
        )
    return model


def judge_rows(
    loaded: Any,
    source: Any,
    *,
    fpr: float | None = None,
    time_column: str | None = None,
    label: str | None = None,
    memory_limit: int | None = None,
    ordered: bool = True,
) -> Judged:
    """Judge new rows by a model that `learn_history` made.

    Parameters
    ----------
    loaded : coterie.models.Model
        From ``coterie.load``.
    source : path, frame, dict of columns or Table
    fpr : float, optional
        False-alarm rate: the share of normal rows that may be alarms; that of the fit where not given.
    time_column : str, optional
        When each row was; that of the fit, where it is there.
    label : str, optional
        Known anomalies, to check the alarms by.
    memory_limit : int, optional
    ordered : bool, default=True
        Whether the order of the rows counts; where not, times are not looked at.

    Returns
    -------
    Judged

    Raises
    ------
    InputError
        If the model is of another kind, a column is missing, or its history is too short for the false-alarm rate.
    """
    model = model_of(loaded)
    fpr = float(loaded.card["fpr"]) if fpr is None else fpr
    refuse_fpr(fpr)
    held_out = model.held_out_scores_
    if len(held_out) < rows_needed(fpr):
        raise InputError(
            f"a false-alarm rate of {fpr:g} needs {rows_needed(fpr):,} rows to be judged by, and the model has {len(held_out):,}; fit it on "
            f"more history, or give --fpr {least_rate(len(held_out)):g} or more"
        )
    table = read(source, memory_limit=memory_limit)
    seen = table.n_rows == loaded.card["n_rows"] and table.fingerprint() == loaded.card["fingerprint"]
    if model.prepared_:
        rare = {name: kept["levels"] for name, kept in loaded.card.get("rare", {}).items()}
        table = as_before(table, model.prepared_.codings, rare)
    time_column, order, warnings = _in_order(table, time_column, loaded.card["time"] if ordered else None)
    truth_column = None if label is None else table.column(label)
    parts = [_scored(model, table.take(np.arange(start, min(start + _BLOCK_ROWS, table.n_rows)))) for start in range(0, table.n_rows, _BLOCK_ROWS)]  # fmt: skip
    scores, p_values, kinds = (np.concatenate(part) for part in zip(*parts, strict=True))
    found = np.flatnonzero(p_values <= fpr + 1e-12)
    alarms = found[np.argsort(scores[found], kind="stable")]
    names = model.column_names()
    top = min(TOP, len(names))
    explanation = Explanation(np.empty((0, top), np.int64), np.empty((0, top)), names)
    if len(alarms):
        explanation = model.explain(table.take(alarms), top=TOP)
    limits = alarm_limits(table.n_rows, held_out, fpr, LEVEL)
    windows = windows_of(table, p_values, fpr, held_out, time_column, order)
    truth = None if truth_column is None else checked(truth_column, scores, p_values <= fpr + 1e-12)
    moved = None if seen else moved_share(int((p_values <= 0.5).sum()), table.n_rows, held_out)
    warnings += unlike_history(table, model, loaded.card) + ([] if moved is None else [moved_warning(moved)])
    return Judged(
        table, model, fpr, scores, p_values, kinds, alarms, explanation, limits, moved, windows, truth, loaded.card,
        warnings, seen,
    )  # fmt: skip


def _in_order(
    table: Table, asked: str | None, as_at_fit: str | None
) -> tuple[str | None, np.ndarray, list[dict[str, str]]]:
    """Return the column of times, the rows in their order, and a warning where the column of the fit has not all times."""
    if asked is not None:
        return asked, time_order(table, asked), []
    if as_at_fit in table.names:
        try:
            return as_at_fit, time_order(table, as_at_fit), []
        except InputError:
            text = f"The rows are taken in the order of the file, for {as_at_fit}, by which history was ordered, does not hold a time in each."
            return None, np.arange(table.n_rows), [{"text": text, "remedy": "Give each row its time, to see alarms over time."}]  # fmt: skip
    return None, np.arange(table.n_rows), []


def _scored(model: NormalcyModel, table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scores = model.score_samples(table)
    return scores, model.p_values_of(scores), model.nearest_kind(table)


def _value(table: Table, name: str, row: int) -> Any:
    column = table.column(name)
    if column.missing[row]:
        return None
    value = column.values[row]
    return str(value)[:10] if column.kind == "date" else value if column.kind == "text" else float(value)
