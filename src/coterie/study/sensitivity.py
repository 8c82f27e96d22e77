"""How much the answer hangs on its settings: the method is fitted again with each number that was set a little lower and a little higher.

Groups that are there stay the same when a minimum size or a radius changes by a third; one group more or fewer always changes
something, but should leave most rows together that were together.
"""

from typing import Any

import numpy as np

from ..errors import InputError
from ..metrics.external import adjusted_rand_score
from .candidate import Candidate, labels_of
from .estimators import scaled

__all__ = ["fragile", "sensitivity", "varied"]

ROWS = 3_000
# How much lower and higher; numbers of groups change by one.
RADIUS, COUNT = 1.15, 1.33
MOST = 3
# Less agreement than this after a small change of another setting than the number of groups is worth a warning.
FRAGILE = 0.6


def sensitivity(X: np.ndarray, best: Candidate, seed: int) -> list[dict[str, Any]]:
    """Fit a candidate again with other settings, on at most `ROWS` rows.

    Parameters
    ----------
    X : (r, m) float64 array
        Rows on which the candidate was tried.
    best : Candidate
    seed : int

    Returns
    -------
    list of dict
        ``parameter``, the other ``value``, ``n_clusters`` then found, and ``agreement``: the adjusted Rand index of both labellings.
        Empty where the candidate has no such setting.
    """
    tried = varied(best.params)
    if best.n_clusters < 2 or not tried:
        return []
    r = len(X)
    rows = np.arange(r) if r <= ROWS else np.sort(np.random.default_rng(seed).choice(r, ROWS, replace=False))

    def labels(params: dict[str, Any]) -> np.ndarray:
        return labels_of(X[rows], best.method, scaled(best.method, params, r, len(rows)), seed)

    own = best.labels if len(rows) == r else labels(best.params)
    found = []
    for name, value in tried:
        try:
            other = labels(best.params | {name: value})
        except InputError:
            continue  # it does not go with the others, such as two centers to start from and three groups
        agreement = float(adjusted_rand_score(own, other))
        n_clusters = int(other.max(initial=-1)) + 1
        found.append({"parameter": name, "value": value, "n_clusters": n_clusters, "agreement": round(agreement, 4)})
    return found


def fragile(found: list[dict[str, Any]], k: int, params: dict[str, Any]) -> dict[str, str] | None:
    """Warn of the setting on which k groups hang most; None where there is none."""
    hanging = [line for line in found if line["parameter"] != "n_clusters" and line["agreement"] < FRAGILE]
    if not hanging:
        return None
    worst = min(hanging, key=lambda line: line["agreement"])
    name, value = worst["parameter"], worst["value"]
    groups = f"{worst['n_clusters']} group{'s' if worst['n_clusters'] != 1 else ''}"
    text = f"With {name} {value} instead of {params[name]} there are {groups}, not {k} (agreement {worst['agreement']:.2f} of 1)."
    if worst["n_clusters"] == k:
        text = f"With {name} {value} instead of {params[name]} the {k} groups are others (agreement {worst['agreement']:.2f} of 1)."
    return {
        "text": text,
        "remedy": "Let the method be chosen, or take one with fewer settings, such as HDBSCAN or K-means.",
    }


def varied(params: dict[str, Any]) -> list[tuple[str, int | float]]:
    """Return for each of the first few numbers among the parameters a lower and a higher value."""
    found: list[tuple[str, int | float]] = []
    numbers = [(name, value) for name, value in params.items() if isinstance(value, int | float) and value > 0]
    for name, value in [pair for pair in numbers if not isinstance(pair[1], bool)][:MOST]:
        if isinstance(value, float):
            found += [(name, float(f"{value / RADIUS:.4g}")), (name, float(f"{value * RADIUS:.4g}"))]
            continue
        step = 1 if name == "n_clusters" else max(1, round(value * (COUNT - 1)))
        found += [(name, other) for other in (value - step, value + step) if other >= 2]
    return found
