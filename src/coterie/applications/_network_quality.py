"""How good the classes are by their links alone: modularity, and the cut, conductance and density of each class."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

__all__ = ["DEFINITIONS", "Quality", "quality_lines", "quality_of"]

# Each metric in the record carries what it means, so that no reader has to look it up.
DEFINITIONS = {
    "modularity": "Share of the links inside classes, minus what it would be if the same degrees were linked at random; 0 is chance.",
    "coverage": "Share of the links, by weight, that stay inside a class.",
    "cut": "Weight of the links between classes, each once.",
    "mean_conductance": "Links that leave a class over the links of its smaller side, averaged over classes; 0 is fully apart.",
    "max_conductance": "The conductance of the class that is least apart.",
    "normalized_cut": "Sum over the classes of the links that leave over all their links, a link inside counting twice.",
    "ratio_cut": "Sum over the classes of the weight that leaves, over the number of nodes.",
    "balance": "Nodes of the largest class over the mean; 1 is perfectly even.",
    "stability": "Mean adjusted mutual information of the classes with those of runs without a tenth of the links; 1 is found again exactly.",
}  # fmt: skip


class Quality(NamedTuple):
    """Of all classes, and (k,) arrays of each: weight inside (a link once), weight that leaves, conductance."""

    modularity: float
    coverage: float
    cut: float
    total: float
    sizes: np.ndarray
    inside: np.ndarray
    leaving: np.ndarray
    conductance: np.ndarray


def quality_of(both_ways: csr_array, labels: np.ndarray, k: int) -> Quality:
    """Measure the classes of a network without directions.

    Nodes without a class, and their links, are left out, as in `coterie.metrics`.

    Parameters
    ----------
    both_ways : (n, n) csr_array
    labels : (n,) int64 array
    k : int

    Returns
    -------
    Quality
    """
    source, target = np.repeat(labels, np.diff(both_ways.indptr)), labels[both_ways.indices]
    counted = (source >= 0) & (target >= 0)
    source, target, weight = source[counted], target[counted], both_ways.data[counted].astype(np.float64)
    volume = np.bincount(source, weight, k)
    inside = np.bincount(source[source == target], weight[source == target], k)
    sizes = np.bincount(labels[labels >= 0], minlength=k)
    twice = float(volume.sum())
    leaving = np.maximum(volume - inside, 0.0)
    smaller = np.minimum(volume, twice - volume)
    conductance = np.divide(leaving, smaller, out=np.zeros(k), where=smaller > 0)
    if not twice > 0:
        return Quality(0.0, 0.0, 0.0, 0.0, sizes, inside, leaving, conductance)
    modularity = float((inside / twice - (volume / twice) ** 2).sum())
    between = (twice - float(inside.sum())) / 2
    return Quality(modularity, float(inside.sum()) / twice, between, twice / 2, sizes, inside / 2, leaving, conductance)


def quality_lines(quality: Quality, agreement: float | None = None) -> list[dict[str, Any]]:
    """Return every metric with its definition; ``agreement`` is that with runs without some of the links."""
    k = len(quality.sizes)
    volume = 2 * quality.inside + quality.leaving
    values: dict[str, float | None] = {
        "modularity": quality.modularity,
        "coverage": quality.coverage,
        "cut": quality.cut,
        "mean_conductance": float(quality.conductance.mean()) if k else None,
        "max_conductance": float(quality.conductance.max()) if k else None,
        "normalized_cut": float(np.divide(quality.leaving, volume, out=np.zeros(k), where=volume > 0).sum()),
        "ratio_cut": float((quality.leaving / np.maximum(quality.sizes, 1)).sum()),
        "balance": float(quality.sizes.max() / quality.sizes.mean()) if k else None,
        "stability": agreement,
    }
    return [{"name": name, "value": value, "definition": DEFINITIONS[name]} for name, value in values.items()]
