"""What a comparison of two batches found, in words and plain figures: verdict, remedy, and each difference in the data's own units."""

from typing import Any

import numpy as np

from .describe import Seen, told_of_columns
from .drift_columns import Change
from .drift_far import Far
from .drift_shares import LARGE, Shares
from .values import View, number_text, seen_values

__all__ = ["told"]

MOST_CHANGES = 20
MOST_ROWS_NAMED = 20
# Rows that are alike in something can be described; of fewer, each is a story of its own.
_FEWEST_DESCRIBED = 10

_REMEDIES = {
    "groups moved": "Refit (--refit keeps the numbers of the groups): what the model calls a group is no longer what it was.",
    "new kind of rows": "Look at these rows first; if they are real, refit (--refit keeps the numbers of the groups that remain).",
    "shares moved": "Keep the model: the groups are what they were, and only how many rows fall into each has changed.",
    "no shift": "Keep the model.",
}
_MORE_THAN_SHARES = (
    "Look at the lesser findings: most of the change is in how many rows fall into each group, which needs no new model; what changed "
    "within groups may (--refit keeps their numbers)."
)


def told(
    found: Any,
    shares: Shares,
    far: Far | None,
    sample: Any,
    counted: tuple[np.ndarray, np.ndarray, np.ndarray],
    names: dict[int, str],
    given: dict[str, Any],
) -> dict[str, Any]:
    """Put what was found into a record.

    Parameters
    ----------
    found : object
        ``findings``, ``changes`` that stand, how many were ``compared``, in how many ``columns``, their ``p_columns``, whether there were ``enough`` rows.
    shares : Shares
    far : Far or None
    sample : object or None
        The rows that were looked at: ``labels``, ``now``, ``far``, ``views``, ``rows``.
    counted : tuple of (k,) int arrays
        Groups, and rows of each then and now.
    names : dict of int to str
    given : dict
        ``level`` and ``rows`` of the batch.

    Returns
    -------
    dict
    """
    verdict = (found.findings or ("no shift" if found.enough else "too few rows to tell",))[0]
    columns = None
    if found.changes is not None:
        lines = [_change(change, sample, names) for change in found.changes[:MOST_CHANGES]]
        columns = {
            "compared": found.compared,
            "changed": len(found.changes),
            "columns_compared": found.columns,
            "columns_changed": len({change.column for change in found.changes}),
            "texts": [view.name for view in sample.views if view.kind == "text"],
            "p_value": found.p_columns,
            "changes": lines,
        }
    record = {
        "verdict": verdict,
        "drift": bool(found.findings),
        "findings": list(found.findings),
        **given,
        "shares": _shares(shares, counted, names),
        "columns": columns,
        "far": None if far is None else _far(far, sample),
    }
    return {**record, "sentence": _sentence(record), "remedy": _remedy(record, counted)}


def _remedy(record: dict[str, Any], counted: tuple[np.ndarray, np.ndarray, np.ndarray]) -> str:
    if record["verdict"] == "shares moved" and len(record["findings"]) > 1:
        return _MORE_THAN_SHARES
    return _REMEDIES.get(record["verdict"]) or _more_rows(record, counted)


def _shares(
    shares: Shares, counted: tuple[np.ndarray, np.ndarray, np.ndarray], names: dict[int, str]
) -> dict[str, Any]:
    then, now = (rows / max(rows.sum(), 1) for rows in counted[1:])
    groups = [
        {
            "id": int(i),
            "name": names.get(int(i)) or ("no group" if i < 0 else f"group {i}"),
            "rows_then": int(counted[1][j]), "share_then": float(then[j]),
            "rows_now": int(counted[2][j]), "share_now": float(now[j]),
        }
        for j, i in enumerate(counted[0])
    ]  # fmt: skip
    return {
        "psi": shares.psi, "band": shares.band, "p_value": shares.p_value,
        "visible_psi": shares.visible if np.isfinite(shares.visible) else None, "groups": groups,
    }  # fmt: skip


def _change(change: Change, sample: Any, names: dict[int, str]) -> dict[str, Any]:
    view: View = sample.views[change.column]
    inside = (sample.labels == change.group) & ~sample.far
    sides = [np.flatnonzero(inside & (sample.now == side)) for side in (False, True)]
    say = _missing if change.about == "missing" else _level if view.kind == "category" else _number
    text, then, now = say(view, *sides)
    return {
        "column": view.name, "group": change.group, "name": names.get(change.group) or f"group {change.group}",
        "about": change.about, "effect": round(change.effect, 4), "p_value": change.p_value, "then": then, "now": now, "text": text,
    }  # fmt: skip


def _number(view: View, then: np.ndarray, now: np.ndarray) -> tuple[str, Any, Any]:
    old, new = (view.numbers[rows][np.isfinite(view.numbers[rows])] for rows in (then, now))
    middles = [float(np.median(values)) for values in (old, new)]
    texts = [number_text(middle, view) for middle in middles]
    if texts[0] != texts[1]:
        shown = texts if view.kind == "date" else middles
        return f"{view.name} {'' if view.kind == 'date' else 'about '}{texts[1]} (was {texts[0]})", *shown
    # The middle stayed where it was: say at which value the two differ most.
    steps = np.unique(np.concatenate([old, new]))
    up_to = [np.searchsorted(np.sort(values), steps, side="right") / len(values) for values in (old, new)]
    at = int(np.argmax(np.abs(up_to[1] - up_to[0])))
    return (
        f"{view.name} at most {number_text(steps[at], view)} for {up_to[1][at]:.0%} (was {up_to[0][at]:.0%})",
        float(up_to[0][at]),
        float(up_to[1][at]),
    )


def _level(view: View, then: np.ndarray, now: np.ndarray) -> tuple[str, float, float]:
    old, new = (np.bincount(view.codes[rows] + 1, minlength=len(view.levels) + 1) / len(rows) for rows in (then, now))
    at = int(np.argmax(np.abs(new - old)))
    level = "missing" if at == 0 else view.levels[at - 1]
    return f"{view.name}: {level} for {new[at]:.0%} (was {old[at]:.0%})", float(old[at]), float(new[at])


def _missing(view: View, then: np.ndarray, now: np.ndarray) -> tuple[str, float, float]:
    old, new = (float(np.mean(~np.isfinite(view.numbers[rows]))) for rows in (then, now))
    return f"{view.name} missing for {new:.0%} (was {old:.0%})", old, new


def _far(far: Far, sample: Any) -> dict[str, Any]:
    now = np.flatnonzero(sample.now)
    rows = sample.rows[now[far.now]]
    return {
        "rows_looked_at": len(now), "rows_far": len(rows), "usual_share": far.usual_share, "share_now": float(far.now.mean()),
        "p_value": far.p_value, "rows": rows[:MOST_ROWS_NAMED].tolist(), "what": _what(sample, now, far.now),
    }  # fmt: skip


def _what(sample: Any, now: np.ndarray, far: np.ndarray) -> str | None:
    """Say what sets the far rows apart from the others of the batch."""
    if not _FEWEST_DESCRIBED <= far.sum() <= len(far) - _FEWEST_DESCRIBED:
        return None
    labels, weights = far.astype(np.int64), np.ones(len(far))
    seen = [Seen(view, seen_values(view)[now], labels, weights) for view in sample.views]
    return told_of_columns(seen, np.bincount(labels), len(far))[0][1]["sentence"]


def _sentence(record: dict[str, Any]) -> str:
    say = {"groups moved": _of_columns, "new kind of rows": _of_far, "shares moved": _of_shares}
    if record["findings"]:
        return " ".join(say[name](record) for name in record["findings"])
    visible = record["shares"]["visible_psi"]
    if record["verdict"] == "no shift":
        return (
            "The new rows are like the old ones, as far as chance lets one see: a move of the shares by a PSI of "
            f"{visible:.2g} would be found 95 times in 100."
        )
    if visible is None:
        return "Nothing differs more than chance explains; with one group there are no shares to compare."
    return (
        f"Nothing differs more than chance explains, but these are too few rows to tell: only a move of the shares by a PSI "
        f"of {visible:.2g} or more would be found ({LARGE} is large already)."
    )


def _of_columns(record: dict[str, Any]) -> str:
    columns = record["columns"]
    groups = {line["group"] for line in columns["changes"]}
    where = f"group {min(groups)}" if len(groups) == 1 else f"{len(groups)} groups"
    first = columns["changes"][0]
    return f"Within {where} columns changed, most surely in group {first['group']}: {first['text']}."


def _of_far(record: dict[str, Any]) -> str:
    far = record["far"]
    return (
        f"{far['share_now']:.1%} of the new rows lie far from all old ones ({far['usual_share']:.1%} would if nothing had changed): a new group may have "
        "come, or faults in the data."
    )


def _of_shares(record: dict[str, Any]) -> str:
    shares = record["shares"]
    most = max(
        (line for line in shares["groups"] if line["id"] >= 0),
        key=lambda line: abs(line["share_now"] - line["share_then"]),
    )
    return (
        f"The shares of the groups moved by a PSI of {shares['psi']:.2f} ({shares['band']}), most of all group {most['id']}: "
        f"{most['share_now']:.1%} of the rows (was {most['share_then']:.1%})."
    )


def _more_rows(record: dict[str, Any], counted: tuple[np.ndarray, np.ndarray, np.ndarray]) -> str:
    """Say how many rows would be enough, if any number of new ones is."""
    visible = record["shares"]["visible_psi"]
    if visible is None:
        return _REMEDIES["no shift"]
    then, now = (int(rows[counted[0] >= 0].sum()) for rows in counted[1:])
    room = LARGE / (visible / (1 / then + 1 / now)) - 1 / then
    if room <= 0:
        return "Keep the model for now; the old rows themselves are too few to compare with."
    return f"Keep the model for now, and compare again with {int(np.ceil(1 / room)):,} rows or more."
