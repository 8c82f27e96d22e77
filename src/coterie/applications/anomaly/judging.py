"""From new rows to alarms: how rare each row is, which columns say so, and whether the rows as a whole are still like history."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ...errors import InputError
from ...tables import Table, read
from ...tables.convert import as_levels
from ._calibration import alarm_limits, rows_needed
from ._explaining import Explanation
from ._profile import is_usual, usual_text, value_text
from ._truth import Checked, checked
from ._windows import Windows, windows_of
from .learning import refuse_fpr, rows_that, time_order
from .normalcy import NormalcyModel

__all__ = ["Judged", "judge_rows", "model_of"]

TOP = 3
_LEAST_SHARE, _OF_THE_FIRST = 0.02, 0.25  # of a row's distance, from which a column is a reason
_BLOCK_ROWS = 100_000
_LEVEL = 0.001  # chance of a false word about the rows as a whole
_LEAST_MOVE = 0.1  # how much more than half of the rows must lie on the far side to be worth a word


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
    refuse_fpr(fpr, None)
    n_held_out = len(model.held_out_scores_)
    if n_held_out < rows_needed(fpr):
        raise InputError(
            f"a false-alarm rate of {fpr:g} needs {rows_needed(fpr):,} rows to be judged by, and the model has {n_held_out:,}; fit it on "
            f"more history, or give --fpr {1 / (n_held_out + 1):.2g} or more"
        )
    table = read(source, memory_limit=memory_limit)
    if time_column is None and loaded.card["time"] in table.names:
        time_column = loaded.card["time"]
    order = np.arange(table.n_rows) if time_column is None else time_order(table, time_column)
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
    limits = alarm_limits(table.n_rows, n_held_out, fpr, _LEVEL)
    windows = windows_of(table, p_values, fpr, n_held_out, time_column, order)
    truth = None if truth_column is None else checked(truth_column, scores, p_values <= fpr + 1e-12)
    moved = _moved(p_values, n_held_out)
    return Judged(
        table, model, fpr, scores, p_values, kinds, alarms, explanation, limits, moved, windows, truth, loaded.card,
        _warnings(table, model, loaded.card, moved),
    )  # fmt: skip


def _scored(model: NormalcyModel, table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scores = model.score_samples(table)
    return scores, model.p_values_of(scores), model.nearest_kind(table)


def _value(table: Table, name: str, row: int) -> Any:
    column = table.column(name)
    if column.missing[row]:
        return None
    value = column.values[row]
    return str(value)[:10] if column.kind == "date" else value if column.kind == "text" else float(value)


def _moved(p_values: np.ndarray, n_held_out: int) -> float | None:
    """Return the share of rows beyond the middle of history, where it is more than chance makes of a half."""
    high = alarm_limits(len(p_values), n_held_out, 0.5, _LEVEL)[1]
    beyond = int((p_values <= 0.5).sum())
    share = beyond / len(p_values)
    return share if beyond > high and share >= 0.5 + _LEAST_MOVE else None


def _warnings(table: Table, model: NormalcyModel, card: Mapping[str, Any], moved: float | None) -> list[dict[str, str]]:
    found = []
    if moved is not None:
        text = f"{moved:.0%} of the rows are farther from history than half of its own rows are; about 50 % would be if they were alike."
        found.append({
            "text": f"The rows as a whole are unlike history: {text}",
            "remedy": "The false-alarm rate holds for rows like those of history: fit a model on newer history.",
        })  # fmt: skip
    for name, value in card.get("constants", {}).items():
        if name in table.names:
            levels = as_levels(table.column(name))
            other = int(levels.counts.sum()) - sum(
                int(count) for level, count in zip(levels.values, levels.counts, strict=True) if level == value
            )
            if other:
                found.append({
                    "text": f"{name} was {value} in every row of history, and is something else in {other:,} of these; it is not compared.",
                    "remedy": f"Look at these rows, and fit the model anew once {name} is expected to vary.",
                })  # fmt: skip
    for coding in model.prepared_.codings if model.prepared_ else ():
        missing = table.column(coding.column).n_missing if coding.used and not coding.missing else 0
        if missing:
            found.append({
                "text": f"{rows_that(missing)} no value of {coding.column}, which history never lacked; what is usual stands in for it.",
                "remedy": "Look at these rows apart: a value that is gone may be an anomaly itself.",
            })  # fmt: skip
    return found
