"""From a file of history to a model of what is normal: what was used, what is usual, and how far the promise reaches."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ...errors import ClusterWarning, InputError
from ...study.steps import Diary, Step
from ...tables import Table, prepare, read
from ...tables.convert import as_date
from ._calibration import least_rate, rows_judged, rows_needed
from ._history import learn, scores_of
from ._levels import rare_levels
from ._profile import constants_of, kind_names, profile_of
from ._unlike import rows_that
from .normalcy import NormalcyModel

__all__ = ["Learnt", "learn_history", "refuse_fpr", "time_order"]

_MOST_COMPARED = 20_000
_LEAST_COMPARED = 9
_FARTHEST, _NEARLY, _UNSTABLE = 0.05, 0.05, 0.25
_MANY_SUSPECTS = 0.002


class Learnt(NamedTuple):
    """A history, and what is normal in it.

    Attributes
    ----------
    table : Table
    model : NormalcyModel
        Fitted.
    profile : list of dict
        What is usual in each kind of normal rows.
    card : dict
        What a model file keeps of it, JSON values only.
    metrics : dict
        Name to number, None where nothing can be said.
    warnings : list of dict
        ``text`` and ``remedy``.
    steps : list of Step
    """

    table: Table
    model: NormalcyModel
    profile: list[dict[str, Any]]
    card: dict[str, Any]
    metrics: dict[str, Any]
    warnings: list[dict[str, str]]
    steps: list[Step]


def learn_history(
    source: Any,
    *,
    metric: str = "euclidean",
    n_clusters: Any = "auto",
    contamination: Any = "auto",
    min_share: Any = "auto",
    fpr: float = 0.01,
    roles: Mapping[str, str] | None = None,
    time_column: str | None = None,
    label: str | None = None,
    memory_limit: int | None = None,
    seed: int = 0,
    on_step: Callable[[Step], None] | None = None,
) -> Learnt:
    """Learn from a file or frame what is normal.

    Parameters
    ----------
    source : path, frame, dict of columns or Table
    metric, n_clusters, contamination, min_share, fpr
        As in `NormalcyModel`.
    roles : dict, optional
        Column to what it is, as in ``coterie.run``.
    time_column : str, optional
        When each row was: the later rows then judge what the earlier ones promise. It is not compared.
    label : str, optional
        Known anomalies. It is not compared.
    memory_limit : int, optional
        Bytes that reading may use.
    seed : int, default=0
    on_step : callable, optional
        Called with each finished step.

    Returns
    -------
    Learnt

    Raises
    ------
    InputError
        If no column can be compared, or there are too few rows for the false-alarm rate.
    """
    diary = Diary(on_step)
    with diary.step("read"):
        table = read(source, memory_limit=memory_limit)
        diary.text = f"{table.n_rows:,} rows and {len(table.columns):,} columns from {table.name}"
    with diary.step("prepare"):
        aside = {name: "ignored" for name in (time_column, label) if name is not None}
        refuse_fpr(fpr)
        fingerprint = table.fingerprint()
        if time_column is not None:
            table = table.take(time_order(table, time_column))
        prepared = prepare(table, roles={**(roles or {}), **aside}, scale="z-score")
        used = [coding for coding in prepared.codings if coding.used]
        diary.text = f"{len(used):,} column{'s are' if len(used) != 1 else ' is'} compared"
    with diary.step("learn"):
        model = NormalcyModel(
            metric, n_clusters, contamination=contamination, min_share=min_share, fpr=min(fpr, 0.5),
            calibration="random" if time_column is None else "time", random_state=seed,
        )  # fmt: skip
        judged = rows_judged(table.n_rows, "none" if time_column is None else "time")
        _refuse_short(fpr, judged - round(judged * (0 if contamination == "auto" else contamination)), table.n_rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ClusterWarning)  # too few rows are refused below
            model.fit_prepared(prepared)
        _refuse_short(fpr, len(model.held_out_scores_), table.n_rows)
        diary.text = f"{model.n_clusters_} representative{'s' * (model.n_clusters_ != 1)}, {len(model.held_out_scores_):,} rows held out in turn"
    with diary.step("describe"):
        kinds = model.nearest_kind(table)
        profile = profile_of(table, kinds, used, len(model.kind_shares_))
        names = kind_names(profile, used)
        stability = _stability(model, np.asarray(prepared.X), seed)
        diary.text = f"{len(names)} kinds of normal rows" if len(names) > 1 else "one kind of normal rows"
    card = {
        "n_rows": table.n_rows, "source": table.name, "fingerprint": fingerprint, "profile": profile, "names": names,
        "constants": constants_of(table, prepared.codings), "rare": rare_levels(table, used), "time": time_column, "label": label, "fpr": fpr,
    }  # fmt: skip
    metrics = {
        "rows": table.n_rows, "held_out": len(model.held_out_scores_), "least_fpr": 1 / (len(model.held_out_scores_) + 1),
        "left_out": model.left_out_, "suspects": model.suspects_, "stability": stability,
    }  # fmt: skip
    return Learnt(table, model, profile, card, metrics, _warned(model, stability, table.n_rows), diary.steps)


def time_order(table: Table, column: str) -> np.ndarray:
    """Return the rows of a table in order of time, as positions.

    Raises
    ------
    InputError
        If the column is not there, or a row has no time.
    """
    found = table.column(column)
    if found.n_missing:
        row = int(np.flatnonzero(found.missing)[0])
        raise InputError(
            f"{column} is to give the order of the rows, but {rows_that(found.n_missing)} no value there (the first is row {row}); "
            "drop such rows or leave --time out"
        )
    values = as_date(found).values if found.kind == "text" else found.values
    return np.argsort(values, kind="stable")


def refuse_fpr(fpr: float) -> None:
    """Raise where a false-alarm rate makes no sense.

    Raises
    ------
    InputError
    """
    if not 0 < fpr < 1:
        raise InputError(
            f"a false-alarm rate lies between 0 and 1, got {fpr:g}; give the share of normal rows that may be alarms, such as 0.01"
        )


def _refuse_short(fpr: float, n_normal: int, n_rows: int) -> None:
    needed = rows_needed(fpr)
    if n_normal < needed:
        rest = "" if n_normal == n_rows else f" of {n_rows:,} (the others are learnt from, or do not count as normal)"
        raise InputError(
            f"a false-alarm rate of {fpr:g} needs {needed:,} normal rows of history to judge by, got {n_normal:,}{rest}; give more history, or "
            f"--fpr {least_rate(n_normal):g} or more"
        )


def _stability(model: NormalcyModel, rows: np.ndarray, seed: int) -> float | None:
    """Return which share of the farthest twentieth of a third of the rows, by the second third, is so by the last third too.

    So few rows that a third is hardly any say nothing, nor do rows of which half are the farthest: None.
    """
    if len(rows) < _LEAST_COMPARED:
        return None
    random = check_random_state(seed)
    rows = rows[random.permutation(len(rows))[:_MOST_COMPARED]]
    judged, parts = rows[::3], (rows[1::3], rows[2::3])
    n_far = max(1, round(_FARTHEST * len(judged)))
    first, second = (
        _farthest(scores_of(learn(part, model.plan(len(part)), random)[0], judged, model.plan()), n_far)
        for part in parts
    )
    if max(np.count_nonzero(first), np.count_nonzero(second)) > len(judged) / 2:
        return None
    return float(np.minimum(first, second).sum()) / n_far


def _farthest(scores: np.ndarray, n_far: int) -> np.ndarray:
    """Return how much each row belongs to the ``n_far`` farthest: rows that are nearly as far as the last one share their places."""
    last = np.partition(scores, -n_far)[-n_far]
    beyond = scores > (1 + _NEARLY) * last
    tied = (scores >= (1 - _NEARLY) * last) & ~beyond
    return beyond + tied * ((n_far - beyond.sum()) / tied.sum())


def _warned(model: NormalcyModel, stability: float | None, n_rows: int) -> list[dict[str, str]]:
    found = []
    if model.contamination == "auto" and model.suspects_ > _MANY_SUSPECTS:
        share = f"{model.suspects_:.1%}"
        found.append({
            "text": f"{share} of the rows of history lie very far from all others; they were taken for anomalies and do not count as normal.",
            "remedy": "If history is clean, say so: --contamination 0; if you know how many rows are not normal, give that share.",
        })  # fmt: skip
    if n_rows < _LEAST_COMPARED:
        found.append({
            "text": f"History is so short that nothing can be said of how settled it is; {_LEAST_COMPARED} rows are the least.",
            "remedy": "Give more history.",
        })  # fmt: skip
    elif stability is not None and stability < _UNSTABLE:
        found.append({
            "text": f"Two parts of history agree on {stability:.0%} of the rows that are farthest: what is normal is not settled yet.",
            "remedy": "Give more history, or leave out columns that say little.",
        })  # fmt: skip
    return found
