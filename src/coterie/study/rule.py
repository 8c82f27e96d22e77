"""A short rule for a group: at most four conditions on original columns, with how much it covers and how often it is right.

A beam search adds one condition at a time to the few best rules so far and keeps what raises the F1 score on half of the rows;
coverage and precision are measured on the other half. A rule that is not faithful there is withheld.
"""

from typing import Any, NamedTuple

import numpy as np

from ..tables.table import LONGEST_SHOWN
from .values import MAX_LEVELS, View, exact_date, number_text

__all__ = ["Conditions", "find_rule", "make_conditions"]

MAX_CONDITIONS = 4
BEAM = 6
CUTS = 24
LEVELS = 30
# Another condition must earn this much F1, or the shorter rule stays.
WORTH = 0.01
MIN_PRECISION = 0.8
MIN_COVERAGE = 0.5


class Conditions(NamedTuple):
    """Every condition a rule may use: ``holds`` (r, c) of 0/1, and for each its column, kind and value.

    A kind is "at most", "above", "is", "is not", "says" or "does not say". A missing value is neither at most nor above anything, is
    not any level and says nothing.
    """

    holds: np.ndarray
    column: list[str]
    kind: list[str]
    value: list[Any]
    unit: list[str | None]


def make_conditions(views: list[View], rows: np.ndarray) -> Conditions:
    """List the conditions on the columns in ``views``: thresholds at quantiles, and levels, evaluated on ``rows``."""
    holds, column, kind, values, units = [], [], [], [], []

    def add(view: View, word: str, value: Any, mask: np.ndarray) -> None:
        if 0 < mask.sum() < len(mask):
            holds.append(mask)
            column.append(view.name)
            kind.append(word)
            values.append(value)
            units.append(view.unit)

    for view in views:
        if view.kind == "category":
            codes = view.codes[rows]
            for code in np.argsort(-np.bincount(codes[codes >= 0], minlength=len(view.levels)), kind="stable")[:LEVELS]:
                if code == MAX_LEVELS - 1:
                    continue  # the pool of rare levels is no value that a reader could look for
                if len(view.levels[code]) >= LONGEST_SHOWN:
                    continue  # nor is a value that is cut
                add(view, "is", view.levels[code], codes == code)
                if len(view.levels) > 2:
                    add(view, "is not", view.levels[code], codes != code)
        elif view.kind == "text":
            for word, said in zip(view.levels[:LEVELS], view.words[rows].T, strict=False):
                add(view, "says", word, said)
                add(view, "does not say", word, ~said)
        else:
            numbers = view.numbers[rows]
            for cut in _cuts(numbers, short=view.kind == "number"):
                add(view, "at most", cut, numbers <= cut)
                add(view, "above", cut, numbers > cut)
    table = np.array(holds, dtype=np.float32).T if holds else np.empty((len(rows), 0), dtype=np.float32)
    return Conditions(np.ascontiguousarray(table), column, kind, values, units)


def find_rule(conditions: Conditions, inside: np.ndarray, views: dict[str, View]) -> dict[str, Any] | None:
    """Find the rule of one group.

    Parameters
    ----------
    conditions : Conditions
        From `make_conditions`.
    inside : (r,) bool array
        Which of the same rows are in the group.
    views : dict
        The columns by name, to write values in their own way.

    Returns
    -------
    dict or None
        ``text``; ``conditions``, which all hold (``column``, ``kind``, ``value``, as in `Conditions`; a moment as ISO 8601);
        ``coverage`` (share of the group that the rule catches), ``precision`` (share of what it catches that is in the
        group), both on rows that the search did not see; None when there is no faithful rule.
    """
    r, c = conditions.holds.shape
    if c == 0 or inside.sum() < 4 or inside.all():
        return None
    learn = np.zeros(r, dtype=bool)
    # Half of the rows within and half of those outside the group; by chance, since rows may come in turns.
    rng = np.random.default_rng(0)
    for part in (np.flatnonzero(inside), np.flatnonzero(~inside)):
        learn[rng.permutation(part)[::2]] = True
    chosen = _search(conditions.holds[learn], inside[learn])
    held = conditions.holds[~learn][:, chosen].all(axis=1) if chosen else np.ones((~learn).sum(), dtype=bool)
    caught = float(held.sum())
    right = float((held & inside[~learn]).sum())
    precision = right / caught if caught else 0.0
    coverage = right / max(float(inside[~learn].sum()), 1.0)
    if not chosen or precision < MIN_PRECISION or coverage < MIN_COVERAGE:
        return None
    return {
        "text": _text(conditions, chosen, views),
        "conditions": [_plain(conditions, i, views) for i in chosen],
        "coverage": round(coverage, 3),
        "precision": round(precision, 3),
    }


def _plain(conditions: Conditions, i: int, views: dict[str, View]) -> dict[str, Any]:
    name, value = conditions.column[i], conditions.value[i]
    kind = views[name].kind
    plain = value if kind in ("category", "text") else exact_date(value) if kind == "date" else float(value)
    return {"column": name, "kind": conditions.kind[i], "value": plain}


def _search(holds: np.ndarray, inside: np.ndarray) -> list[int]:
    target = inside.astype(np.float32)
    total = float(target.sum())
    beam: list[tuple[float, list[int], np.ndarray]] = [(2 * total / (total + len(target)), [], np.ones_like(target))]
    best: tuple[float, list[int]] = (beam[0][0], [])
    for _ in range(MAX_CONDITIONS):
        grown: dict[tuple[int, ...], tuple[float, list[int], np.ndarray]] = {}
        for _, chosen, mask in beam:
            right = (mask * target) @ holds
            caught = mask @ holds
            score = 2 * right / np.maximum(caught + total, 1.0)
            for i in np.argsort(-score, kind="stable")[:BEAM]:
                key = tuple(sorted({*chosen, int(i)}))
                if len(key) == len(chosen) + 1 and key not in grown:
                    grown[key] = (float(score[i]), [*chosen, int(i)], mask * holds[:, i])
        beam = sorted(grown.values(), key=lambda item: (-item[0], item[1]))[:BEAM]
        if not beam or beam[0][0] < best[0] + WORTH:
            break
        best = (beam[0][0], beam[0][1])
    return best[1]


def _cuts(numbers: np.ndarray, *, short: bool) -> np.ndarray:
    known = np.unique(numbers[np.isfinite(numbers)])
    if len(known) < 2:
        return np.empty(0)
    found = known[:-1]
    if len(known) > CUTS:
        found = np.unique(np.quantile(numbers[np.isfinite(numbers)], np.linspace(0, 1, CUTS + 1)[1:-1], method="lower"))
        found = found[found < known[-1]]
    if not short:
        return found
    above = known[np.searchsorted(known, found, side="right")]
    return np.array([_shortest(low, high) for low, high in zip(found, above, strict=True)])


def _shortest(low: float, high: float) -> float:
    """Return the number of fewest figures (three at least) from ``low`` to below ``high``: it parts the same rows."""
    for figures in range(3, 9):
        for number in (float(f"{low:.{figures}g}"), float(f"{(low + high) / 2:.{figures}g}")):
            if low <= number < high:
                return number
    return float(low)


def _text(conditions: Conditions, chosen: list[int], views: dict[str, View]) -> str:
    by_column: dict[str, list[int]] = {}
    for i in chosen:
        by_column.setdefault(conditions.column[i], []).append(i)
    parts = []
    for name, members in by_column.items():
        view = views[name]
        above = [conditions.value[i] for i in members if conditions.kind[i] == "above"]
        below = [conditions.value[i] for i in members if conditions.kind[i] == "at most"]
        if above and below:
            parts.append(f"{name} above {number_text(max(above), view)} and at most {number_text(min(below), view)}")
        elif above:
            parts.append(f"{name} above {number_text(max(above), view)}")
        elif below:
            parts.append(f"{name} at most {number_text(min(below), view)}")
        parts += [
            f"{name} {conditions.kind[i]} {conditions.value[i]}"
            for i in members
            if conditions.kind[i] in ("is", "is not")
        ]
        parts += [
            f"{name} {conditions.kind[i]} {conditions.value[i]!r}"
            for i in members
            if conditions.kind[i] in ("says", "does not say")
        ]
    return " and ".join(parts)
