"""Clustering the nodes of a graph: balanced cuts, spectral, communities, links with attributes, and blocks.

Names load on first use: ``import coterie.graph`` brings in nothing heavy.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Relations": "_relations",
    "connected_components": "_components",
    "image_matrix": "_relations",
    "relations": "_relations",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'coterie.graph' has no attribute {name!r}")
    value = getattr(import_module(f"coterie.graph.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
