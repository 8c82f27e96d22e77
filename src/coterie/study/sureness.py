"""How sure a method is of a row, as a number and in words; where it does not tell, the words say so."""

from typing import Any, NamedTuple

import numpy as np

from ..primitives.neighbors import k_nearest
from .judge import NEIGHBORS, SURE, row_strengths
from .landmarks import Landmarks
from .reaches import kept_rows

__all__ = ["Sure", "Sureness", "sureness"]

DENSE = "1 for a dense row, 0.5 for one near such a row"


class Sure(NamedTuple):
    """How surely one row belongs."""

    strength: float | None
    words: str


class Sureness(NamedTuple):
    """How surely rows belong."""

    strengths: np.ndarray  # (n,) float64, NaN where it is not known
    labels: np.ndarray
    rule: str  # what the number is

    def row(self, i: int) -> Sure:
        """Return that of one row."""
        if self.labels[i] < 0:
            return Sure(None, "it fits no group")
        strength = float(self.strengths[i])
        if not np.isfinite(strength):
            return Sure(None, self.rule)
        if self.rule == DENSE:
            return Sure(
                strength,
                "sure: amid the dense rows" if strength == 1 else "on the edge: near a dense row, but not dense itself",
            )
        return Sure(strength, f"{_words(strength)} ({strength:.2f} of 1: {self.rule})")


def sureness(model: Any, known: Landmarks, X: np.ndarray, labels: np.ndarray, strengths: Any = None) -> Sureness:
    """Say how surely rows belong to their groups.

    Parameters
    ----------
    model : Model
    known : Landmarks
    X : (n, m) float64 array
        Prepared rows.
    labels : (n,) int array
        Final labels.
    strengths : (n,) float array, optional
        As the run told them, for rows of the run; otherwise they are found by the same rule as far as it applies to new rows.
    """
    rule = _rule(model.estimator)
    if strengths is None:
        strengths = _anew(model, known, X, labels)
    if strengths is None:
        name = type(model.estimator).__name__
        rule = f"not known: a saved {name} does not tell how surely a new row belongs"
        return Sureness(np.full(len(X), np.nan), labels, rule)
    return Sureness(np.asarray(strengths, dtype=np.float64), labels, rule)


def _rule(estimator: Any) -> str:
    """Say what `judge.row_strengths` measures for a method."""
    if hasattr(estimator, "cluster_centers_"):
        return "how much nearer the middle of its group is than that of the runner-up"
    if hasattr(estimator, "probabilities_"):
        return "how far within the dense part of its group"
    if hasattr(estimator, "core_sample_indices_"):
        return DENSE
    return f"the share of its {NEIGHBORS} nearest rows that are in its group"


def _anew(model: Any, known: Landmarks, X: np.ndarray, labels: np.ndarray) -> np.ndarray | None:
    """Find strengths of new rows by the same rule; None where that takes rows of the fit that the model does not keep."""
    estimator = model.estimator
    if hasattr(estimator, "cluster_centers_"):
        return row_strengths(estimator, X, labels, known.centers)
    if hasattr(estimator, "probabilities_"):
        return np.asarray(estimator.membership(X)[1])
    return None if hasattr(estimator, "core_sample_indices_") else _among_neighbors(model, X, labels)


def _among_neighbors(model: Any, X: np.ndarray, labels: np.ndarray) -> np.ndarray | None:
    rows, own = kept_rows(model)
    if rows is None or len(rows) == 0:
        return None
    _, near = k_nearest(rows, min(NEIGHBORS, len(rows)), queries=X)
    return (own[np.asarray(near)] == labels[:, None]).mean(axis=1)


def _words(strength: float) -> str:
    if strength >= 2 * SURE:
        return "very sure"
    if strength >= SURE:
        return "sure"
    return "rather unsure" if strength >= SURE / 2 else "on the border"
