"""Clustering for people: every family behind one scikit-learn-compatible API, judged and explained.

Names load on first use, so that ``import coterie`` costs next to nothing.
"""

from importlib import import_module
from typing import Any

from .catalog import ALL, DEEP

__version__ = "0.1.0"

_PUBLIC = {line.name: line.target for line in ALL if line not in DEEP} | {
    "Analysis": "coterie.report:Analysis",
    "Graph": "coterie.arrays:Graph",
    "ClusterFeatures": "coterie.study.cluster_features:ClusterFeatures",
    "ClusterRecommender": "coterie.applications.recommend:ClusterRecommender",
    "MarketSegmentation": "coterie.applications.segments:MarketSegmentation",
    "ImageSegmenter": "coterie.applications.images:ImageSegmenter",
    "NOISE": "coterie.arrays:NOISE",
    "Population": "coterie.study.population_rule:Population",
    "NormalcyModel": "coterie.applications.anomaly:NormalcyModel",
    "NetworkAnalysis": "coterie.report.network:NetworkAnalysis",
    "PictureAnalysis": "coterie.report.pictures:PictureAnalysis",
    "load": "coterie.models:load",
    "network": "coterie.report.network:network",
    "pictures": "coterie.report.pictures:pictures",
    "run": "coterie.report:run",
    "save": "coterie.models:save",
}
_MODULES = ("arrays", "catalog", "deep", "display", "errors", "graph", "graphs", "grid", "metrics")

__all__ = ["__version__", *_PUBLIC, *_MODULES]  # noqa: PLE0604 - names come from the catalog


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"coterie.{name}")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'coterie' has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
