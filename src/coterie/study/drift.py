"""Is a new batch of rows like the rows that the groups were made from? Three questions, and one verdict over all.

1. Have the **shares** of the groups moved? (`drift_shares`)
2. Have the **groups** moved: has a column changed within one? (`drift_columns`)
3. Have **rows of a new kind** come, far from all that were there? (`drift_far`)

Each question has one p-value; Holm's step-down rule keeps the chance of any false alarm, over all three together, at the stated level.
A difference that is sure but too small to matter raises no alarm. The cost is that of labelling the batch, and of comparisons on at
most 10,000 rows of either side.
"""

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError, UnsupportedError
from .drift_columns import DRAWS, Change, Values, compare_columns
from .drift_far import MOST_ROWS, Far, far_rows
from .drift_shares import LARGE, Shares, compare_shares
from .drift_words import told
from .record import plain
from .values import View, look

__all__ = ["LEVEL", "Drift", "drift"]

LEVEL = 0.01
QUESTIONS = 3
# What is smaller than this is no alarm however sure it is: stability index, difference in share of a column, and of far rows.
LEAST_PSI, LEAST_EFFECT, LEAST_FAR = 0.01, 0.05, 0.01
# What counts as large beside a large stability index: of several findings the largest is the verdict.
LARGE_EFFECT, LARGE_FAR = 0.2, 0.05
# Below this level a verdict would take too many draws.
LEAST_LEVEL = 0.001
# Values looked at in each draw of the comparison of columns: a few seconds when the columns did change.
_MOST_VALUES = 400_000
_FEWEST_ROWS = 2_000


class Drift(NamedTuple):
    """How a batch compares with the rows a model was made from.

    Attributes
    ----------
    labels : (n,) int64 array
        Group of each row of the batch, by the model.
    drifted : bool
        Whether there is an alarm.
    record : dict
        Verdict, figures and words, as plain JSON values.
    """

    labels: np.ndarray
    drifted: bool
    record: dict[str, Any]


class _Sample(NamedTuple):
    """Some rows of both sides, those of then first."""

    labels: np.ndarray  # (r,) int
    now: np.ndarray  # (r,) bool
    far: np.ndarray  # (r,) bool
    views: list[View]
    rows: np.ndarray  # (r,) int: place in the table of its side


def drift(
    model: Any,
    then: Any,
    now: Any,
    *,
    counts: dict[int, int] | None = None,
    names: dict[int, str] | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> Drift:
    """Compare a batch of rows with those that a model was made from.

    Parameters
    ----------
    model : coterie.models.Model
        From ``coterie.load``, of a table.
    then : table, frame, dict of columns, path or None
        The rows of the fit, or a fair sample of them. With None the shares alone are compared, and ``counts`` must be given.
    now : table, frame, dict of columns or path
        The new rows, with the columns the model uses.
    counts : dict of int to int, optional
        Rows of each group at the time of the fit, -1 for none, where ``then`` is a sample.
    names : dict of int to str, optional
        What the groups are called.
    level : float, default=0.01
        Chance of a false alarm, for all questions together.
    seed : int, default=0
        Of the random draws: the same seed, the same result.

    Returns
    -------
    Drift

    Raises
    ------
    InputError
        If a column is missing or holds what the model cannot use, or a side has no rows.
    UnsupportedError
        If the model is not of a table.

    References
    ----------
    Holm S. (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> import coterie
    >>> from coterie.models import Model
    >>> rng = np.random.default_rng(0)
    >>> def batch(few, many):
    ...     return {"age": np.r_[rng.normal(25, 2, few), rng.normal(60, 2, many)]}
    >>> found = coterie.run(batch(500, 500), method="KMeans", n_clusters=2)
    >>> model = Model(found.estimator, found.prepared, found.label_map)
    >>> drift(model, found.table, batch(250, 250)).record["verdict"]
    'no shift'
    >>> drift(model, found.table, batch(100, 400)).record["verdict"]
    'shares moved'
    """
    from .. import tables

    if getattr(model.prepared, "codings", None) is None:
        raise UnsupportedError("drift compares tables, and this model was not made from one by coterie run")
    if not LEAST_LEVEL <= level < 1:
        raise InputError(f"level must be at least {LEAST_LEVEL} and below 1, got {level!r}")
    if then is None and counts is None:
        raise InputError("drift needs the rows of then, or their counts by group; give one of the two")
    now, then = tables.read(now), None if then is None else tables.read(then)
    for side, table in (("new", now), ("old", then)):
        if table is not None and not table.n_rows:
            raise InputError(f"there are no {side} rows in {table.name}; give at least one")
    labels, before = model.predict(now), None if then is None else model.predict(then)
    ids, old, new = _counts(model, before, labels, counts)
    shares = compare_shares(old[ids >= 0], new[ids >= 0], level=level / QUESTIONS, seed=seed)
    sample = far = changes = None
    if then is not None:
        sample, far, changes = _compared(model, then, before, now, labels, level, seed)
    found = _found(shares, changes, far, level)
    record = told(found, shares, far, sample, (ids, old, new), names or {}, {"level": level, "rows": now.n_rows})
    return Drift(labels, bool(found.findings), plain(record))


class _Found(NamedTuple):
    """What stands after all questions are judged together."""

    findings: tuple[str, ...]  # the largest first
    changes: list[Change] | None  # those that stand
    compared: int  # columns, once for each group; a number that may be missing counts twice
    columns: int  # among these
    p_columns: float | None
    enough: bool


def _found(shares: Shares, changes: list[Change] | None, far: Far | None, level: float) -> _Found:
    p_columns = min((change.p_value for change in changes), default=None) if changes else None
    asked = {"shares": shares.p_value, "columns": p_columns, "far": None if far is None else far.p_value}
    limits = _holm({name: p for name, p in asked.items() if p is not None}, level)
    stand = [c for c in changes or () if c.p_value <= limits.get("columns", -1) and c.effect >= LEAST_EFFECT]
    more_far = 0.0 if far is None else float(far.now.mean() - far.usual_share)
    # How large each is, in what is customarily large, if it stands at all.
    sizes = {
        "groups moved": max((change.effect for change in stand), default=0.0) / LARGE_EFFECT,
        "new kind of rows": more_far / LARGE_FAR if "far" in limits and more_far >= LEAST_FAR else 0.0,
        "shares moved": shares.psi / LARGE if "shares" in limits and shares.psi >= LEAST_PSI else 0.0,
    }
    findings = tuple(sorted((name for name, size in sizes.items() if size > 0), key=lambda name: -sizes[name]))
    columns = len({change.column for change in changes or ()})
    kept = None if changes is None else stand
    return _Found(findings, kept, len(changes or ()), columns, p_columns, shares.visible <= LARGE)


def _holm(p_values: dict[str, float], level: float) -> dict[str, float]:
    """Return the questions that are answered with yes, and the level at which each was."""
    limits: dict[str, float] = {}
    for i, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        limit = level / (QUESTIONS - i)
        if p > limit:
            break
        limits[name] = limit
    return limits


def _counts(model: Any, before: np.ndarray | None, labels: np.ndarray, counts: dict[int, int] | None) -> tuple:
    """Return the groups, and rows of each then and now; -1 first, where a row of either side is in none."""
    if counts is None:
        found, rows = np.unique(np.asarray(before), return_counts=True)
        counts = dict(zip(found.tolist(), rows.tolist(), strict=True))
    known = [] if model.label_map is None else [label for label in model.label_map.tolist() if label >= 0]
    ids = sorted({*known, *(label for label, rows in counts.items() if rows), *np.unique(labels).tolist()})
    return np.array(ids), np.array([counts.get(i, 0) for i in ids]), np.array([(labels == i).sum() for i in ids])


def _compared(model: Any, then: Any, before: Any, now: Any, labels: np.ndarray, level: float, seed: int) -> tuple:
    used = [coding for coding in model.prepared.codings if coding.used]
    used.sort(
        key=lambda coding: coding.text is not None
    )  # what texts say tells of far rows, but is not compared word by word
    rng = np.random.default_rng(seed)
    sides = [_drawn(rng, table.n_rows, MOST_ROWS) for table in (then, now)]
    tables = [table.take(rows) for table, rows in zip((then, now), sides, strict=True)]
    groups = [values[rows] for values, rows in zip((before, labels), sides, strict=True)]
    X = [model.transform(table) for table in tables]
    far = far_rows(X[0], groups[0], X[1], groups[1], seed=seed)
    outside = np.zeros(sum(map(len, sides)), bool) if far is None else np.concatenate([far.then, far.now])
    is_now = np.repeat([False, True], [len(rows) for rows in sides])
    views = [_joined(tables[0].column(c.column), tables[1].column(c.column), c) for c in used]
    sample = _Sample(np.concatenate(groups), is_now, outside, views, np.concatenate(sides))
    # Far rows are a question of their own; those of both sides are left out by the same rule, which keeps the test fair.
    near = np.flatnonzero(~outside)
    near = near[_drawn(rng, len(near), max(_MOST_VALUES // max(len(views), 1), 2 * _FEWEST_ROWS))]
    columns = [
        Values(view.codes[near], len(view.levels)) if view.kind == "category" else Values(view.numbers[near])
        for view in views
        if view.kind != "text"
    ]  # fmt: skip
    draws = max(DRAWS, int(np.ceil(QUESTIONS**2 / level)))  # several times what the smallest p-value needs
    return sample, far, compare_columns(columns, sample.labels[near], is_now[near], draws=draws, seed=seed)


def _drawn(rng: np.random.Generator, n: int, most: int) -> np.ndarray:
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def _joined(then: Any, now: Any, coding: Any) -> View:
    """Return one column of both sides, with levels numbered alike."""
    parts = [look(column, coding, max_levels=np.iinfo(np.int64).max) for column in (then, now)]
    if parts[0].kind == "text":
        return parts[0]._replace(words=np.concatenate([part.words for part in parts]))
    if parts[0].kind != "category":
        return parts[0]._replace(numbers=np.concatenate([part.numbers for part in parts]))
    number = {level: i for i, level in enumerate(dict.fromkeys(parts[0].levels + parts[1].levels))}
    codes = [np.array([*(number[level] for level in part.levels), -1])[part.codes] for part in parts]
    return parts[0]._replace(codes=np.concatenate(codes), levels=tuple(number))
