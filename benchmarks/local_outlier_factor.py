"""The local outlier factor: the same scores as scikit-learn's."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs_in_noise
from .harness import Case


def make(n: int, d: int, k: int, spread: float) -> tuple:
    """Return rows and the groups they were drawn from; a twentieth are strays, marked -1."""
    return blobs_in_noise(n, d, k, spread, 0.05)


def coterie(data: tuple) -> Any:
    """All cores."""
    from coterie import LocalOutlierFactor

    return lambda: LocalOutlierFactor().fit(data[0]).negative_outlier_factor_


def sklearn(data: tuple) -> Any:
    """All cores."""
    from sklearn.neighbors import LocalOutlierFactor

    return lambda: LocalOutlierFactor(n_jobs=-1).fit(data[0]).negative_outlier_factor_


def quality(data: tuple, scores: np.ndarray) -> dict:
    """Return how well the scores tell the strays, and their sum."""
    from sklearn.metrics import roc_auc_score

    return {"AUC": round(float(roc_auc_score(data[1] == -1, -scores)), 4), "sum": round(float(scores.sum()), 3)}


PEERS = {"coterie": coterie, "scikit-learn": sklearn}

CASES = [
    Case(
        "lof-100kx16", partial(make, 100_000, 16, 50, 1.0), dict(PEERS), quality, {"scikit-learn": 4}, ("scikit-learn",)
    ),
]
