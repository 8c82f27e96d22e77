"""Applications: a question of its own kind, the algorithms that answer it, and the answer in the asker's words.

``study_network(edges)`` finds the classes of a network, how they relate, and who connects them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .network import NetworkStudy, study_network

__all__ = ["NetworkStudy", "study_network"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'coterie.applications' has no attribute {name!r}")
    from . import network

    value = getattr(network, name)
    globals()[name] = value
    return value
