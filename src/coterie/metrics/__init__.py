"""How good a clustering is: from the inside, against a truth, under resampling, and on a graph.

Names load on first use: ``import coterie.metrics`` brings in nothing heavy.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "SegmentationScores": "segmentation",
    "SilhouetteEstimate": "internal",
    "adjusted_mutual_info_score": "external",
    "adjusted_rand_score": "external",
    "calinski_harabasz_score": "around_centers",
    "cheeger": "graph",
    "clustering_accuracy": "external",
    "completeness_score": "external",
    "conductance": "graph",
    "contingency_table": "external",
    "davies_bouldin_score": "around_centers",
    "dbcv_score": "density",
    "dunn_score": "dunn",
    "edge_cut": "graph",
    "fowlkes_mallows_score": "external",
    "generalized_dunn_score": "dunn",
    "gower_distances": "gower",
    "homogeneity_score": "external",
    "jaccard_by_cluster": "resampling",
    "min_max_cut": "graph",
    "modularity": "graph",
    "normalized_clustering_accuracy": "external",
    "normalized_cut": "graph",
    "normalized_mutual_info_score": "external",
    "pair_f1_score": "external",
    "ratio_cut": "graph",
    "segmentation_scores": "segmentation",
    "silhouette_estimate": "internal",
    "silhouette_samples": "internal",
    "silhouette_score": "internal",
    "simplified_silhouette_score": "around_centers",
    "stability": "resampling",
    "v_measure_score": "external",
    "wb_score": "around_centers",
    "xie_beni_score": "around_centers",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'coterie.metrics' has no attribute {name!r}")
    value = getattr(import_module(f"coterie.metrics.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
