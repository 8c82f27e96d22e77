"""Representations in which clusters are visible: features of one layer or of several, encoders, and deep clustering.

Names load on first use: ``import coterie.deep`` brings in nothing heavy. They need PyTorch: ``pip install "coterie[deep]"``.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

_HOMES = {
    "AEKMeans": "aekmeans",
    "ConvAutoencoder": "encoders",
    "DCN": "dcn",
    "DEC": "dec",
    "DKM": "dkm",
    "DeepGraphClustering": "graph_clustering",
    "IDEC": "dec",
    "IMSAT": "imsat",
    "LayerFeatures": "layer_features",
    "MLPAutoencoder": "encoders",
    "N2D": "n2d",
    "SCANHead": "scan_head",
    "VaDE": "vade",
    "VariationalAutoencoder": "encoders",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'coterie.deep' has no attribute {name!r}")
    if find_spec("torch") is None:
        from ..errors import MissingExtraError

        raise MissingExtraError(f'coterie.deep.{name} needs PyTorch; pip install "coterie[deep]"')
    value = getattr(import_module(f"coterie.deep.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
