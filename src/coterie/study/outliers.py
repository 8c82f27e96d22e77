"""Which rows are unusual, and in which columns."""

from typing import Any

import numpy as np

from .judge import OUTLIER_THRESHOLD
from .values import View, number_text

__all__ = ["explain_outliers", "unusual_values", "usual_values"]

TOP = 10
# A level rarer than this in its group is worth naming.
RARE = 0.05


def explain_outliers(views: list[View], labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Count the outliers and explain the most unusual rows in original units.

    Parameters
    ----------
    views : list of View
        The used original columns.
    labels : (n,) int array
        Final labels; a noise row is compared with all rows.
    scores : (n,) float array
        From `judge.outlier_scores`.

    Returns
    -------
    dict
        The ``outliers`` part of the record: ``rows``, ``share``, ``sentence``, ``top``.
    """
    unusual = np.flatnonzero(scores >= OUTLIER_THRESHOLD)
    n = len(labels)
    order = unusual[np.argsort(-scores[unusual], kind="stable")][:TOP]
    usual = (
        {int(label): usual_values(views, _peers(labels, label)) for label in np.unique(labels[order])}
        if len(order)
        else {}
    )
    top = [
        {
            "row": int(row),
            "score": round(float(scores[row]), 4),
            "why": unusual_values(views, usual[int(labels[row])], int(row)),
        }
        for row in order
    ]
    if len(unusual) == 0:
        sentence = "No row lies far outside its group."
    else:
        rows = "1 row lies" if len(unusual) == 1 else f"{len(unusual):,} rows ({len(unusual) / n:.1%}) lie"
        sentence = f"{rows} far outside what is usual; the most unusual come first."
    return {"rows": len(unusual), "share": len(unusual) / n, "sentence": sentence, "top": top}


def _peers(labels: np.ndarray, label: int) -> np.ndarray:
    rows = np.flatnonzero(labels == label) if label >= 0 else np.arange(len(labels))
    return rows[:: max(len(rows) // 20_000, 1)]


def usual_values(views: list[View], rows: np.ndarray) -> list[Any]:
    """Return for each column what is usual among some rows: five quantiles (5%, quarters, 95%), shares of levels or words, or None."""
    found: list[Any] = []
    for view in views:
        if view.kind == "category":
            codes = view.codes[rows]
            found.append(np.bincount(codes[codes >= 0], minlength=len(view.levels)) / max(len(rows), 1))
        elif view.kind == "text":
            found.append(view.words[rows].sum(axis=0) / max(len(rows), 1))
        else:
            values = view.numbers[rows]
            values = values[np.isfinite(values)]
            found.append(np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]) if len(values) else None)
    return found


def unusual_values(views: list[View], usual: list[Any], row: int) -> str:
    """Name the columns in which a row is furthest from what `usual_values` gave for its group, in words."""
    reasons = []
    for view, peers in zip(views, usual, strict=True):
        if peers is None or view.kind == "text":
            continue  # nearly every text says some rare word
        if view.kind == "category":
            code = view.codes[row]
            if code >= 0 and peers[code] < RARE:
                strength = 1.0 + np.log(RARE / max(peers[code], 1e-4))
                reasons.append((strength, f"{view.name} is {view.levels[code]} ({peers[code]:.1%} of its group)"))
        else:
            reasons += _number_reason(view, peers, view.numbers[row])
    reasons.sort(key=lambda reason: -reason[0])
    if not reasons:
        return "An unusual combination of values that are each common."
    return "; ".join(text for _, text in reasons[:3])


def _number_reason(view: View, peers: np.ndarray, value: float) -> list[tuple[float, str]]:
    if not np.isfinite(value) or peers[0] <= value <= peers[4]:
        return []
    spread = max(peers[3] - peers[1], (peers[4] - peers[0]) / 2)
    distance = abs(value - peers[2]) / spread if spread > 0 else 10.0
    low, high = number_text(peers[0], view), number_text(peers[4], view)
    usual = f"always {low}" if low == high else f"usually {low} to {high}"
    if low == high == number_text(value, view):
        return []
    return [(distance, f"{view.name} is {number_text(value, view)} ({usual})")]
