"""Applications: a question of its own kind, the algorithms that answer it, and the answer in the asker's words.

``study_network(edges)`` finds the classes of a network, how they relate, and who connects them. ``study_pictures(folder)`` finds
the groups of pictures, and which pictures stand for each. ``NormalcyModel`` learns what is normal from a history, and says which
new rows are not. ``MarketSegmentation`` finds segments
of customers from what they buy. ``ClusterRecommender`` suggests items to users, with reasons.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .anomaly import NormalcyModel
    from .images import ImageSegmenter
    from .network import NetworkStudy, study_network
    from .pictures import PictureStudy, study_pictures
    from .recommend import ClusterRecommender
    from .segments import MarketSegmentation

__all__ = [
    "ClusterRecommender",
    "ImageSegmenter",
    "MarketSegmentation",
    "NetworkStudy",
    "NormalcyModel",
    "PictureStudy",
    "study_network",
    "study_pictures",
]

_HOMES = {
    "ClusterRecommender": "recommend",
    "ImageSegmenter": "images",
    "MarketSegmentation": "segments",
    "NormalcyModel": "anomaly", "NetworkStudy": "network", "PictureStudy": "pictures", "study_network": "network", "study_pictures": "pictures",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'coterie.applications' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
