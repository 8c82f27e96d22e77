"""What `Population` tells about what it did: in a sentence, and in the objective before and after."""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..primitives.distances import pairwise_distances
from .population import cluster_means, squares_within

__all__ = ["objective", "prices", "sentence"]


def objective(clusterer: Any, X: np.ndarray, scale: float, own: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return the sums of squares within clusters before and after, and the clusterer's own inertia."""
    within = []
    for part in (own, labels):
        centers = cluster_means(X, part, int(part.max(initial=-1)) + 1)
        with np.errstate(over="ignore"):
            within.append(float(squares_within(X, part, centers).sum()) * scale * scale)
    found = prices(clusterer, within)
    medoids = getattr(clusterer, "medoid_indices_", None)
    if found["inertia_before"] is not None and medoids is not None:
        found["inertia_after"] = _medoid_cost(X, scale, to_numpy(medoids), labels)
    return found


def prices(clusterer: Any, within: list[float]) -> dict[str, Any]:
    """Return the objective before and after; what other medoids cost takes the rows and is left out."""
    found = {"within_before": within[0], "within_after": within[1], "inertia_before": None, "inertia_after": None}
    inertia = getattr(clusterer, "inertia_", None)
    if inertia is not None and getattr(clusterer, "metric", "euclidean") == "euclidean":
        found["inertia_before"] = float(inertia)
        found["inertia_after"] = within[1] if not hasattr(clusterer, "medoid_indices_") else None
    return found


def _medoid_cost(X: np.ndarray, scale: float, medoids: np.ndarray, labels: np.ndarray) -> float:
    """Return the sum of distances of each cluster's rows to the best of the medoids in it, or of all its rows if few."""
    total = 0.0
    for c in range(int(labels.max(initial=-1)) + 1):
        rows = np.flatnonzero(labels == c)
        candidates = medoids[labels[medoids] == c]
        candidates = candidates if len(candidates) else rows[: 1 + len(rows) // 2 : 1 + len(rows) // 64]
        total += float(pairwise_distances(X[rows], np.ascontiguousarray(X[candidates])).sum(axis=0).min())
    return total * scale


def sentence(actions: list[dict], after: np.ndarray, least: int, most: int, small: str, bounded: bool) -> str:
    """Say what was done, and whether all sizes are now within their bounds."""
    verbs = {
        "merged": "joined another", "dissolved": "were dissolved row by row", "set aside": "were set aside",
        "divided": "were divided",
    }  # fmt: skip
    parts = []
    for verb, words in verbs.items():
        rows = [action["rows"] for action in actions if action["action"] == verb]
        if rows:
            parts.append(f"{len(rows)} cluster{'s' if len(rows) > 1 else ''} with {sum(rows):,} rows {words}")
    parts += [f"{a['rows']:,} rows of no cluster went to the nearest" for a in actions if a["cluster"] is None]
    bounds = f"at least {least:,}" + (f" and at most {most:,}" if bounded else "") + " rows"
    if not len(after):
        parts.append(f"no cluster of {bounds} is left; lower min_size, use small='merge' or outliers='nearest'")
    elif (after < least).any():
        advice = "lower min_size" if small == "keep" or len(after) > 1 else "lower min_size, or use outliers='nearest'"
        parts.append(
            f"{int((after < least).sum())} of {len(after)} clusters still have fewer than {least:,} rows; {advice}"
        )
    elif (after > most).any():
        parts.append(
            f"{int((after > most).sum())} of {len(after)} clusters still have more than {most:,} rows, because equal rows stay "
            "together; raise max_size, or add a column that tells them apart"
        )
    else:
        parts.append(f"{len(after)} cluster{'s' if len(after) > 1 else ''} of {bounds}")
    return "; ".join(parts) + "."
