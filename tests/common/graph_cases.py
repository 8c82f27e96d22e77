"""What the battery for graphs needs to know: how to build each line of `coterie.catalog.GRAPHS`, and the small graphs."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

from coterie import Graph
from coterie.catalog import CATALOG, GRAPHS
from coterie.graphs import from_edges, to_scipy

# What clusters rows and takes a graph too is held to both batteries.
OF_ROWS_TOO = tuple(line for line in CATALOG if line.name == "SpectralClustering")
LINES = (*GRAPHS, *OF_ROWS_TOO)
GRAPH_NAMES = tuple(line.name for line in LINES)
NEEDS_K = tuple(line.name for line in LINES if line.needs_k)


def group_attributes(n: int) -> np.ndarray:
    """Two columns that tell little of the four groups of `planted`, and make no ties."""
    random = np.random.default_rng(12)
    return random.normal(size=(n, 2)) + 0.5 * np.c_[np.arange(n) % 4 < 2, np.arange(n) % 2]


class GraphSettings(NamedTuple):
    """How the battery builds one estimator of nodes; whatever is not said here is left at its default."""

    planted: Mapping[str, Any] = MappingProxyType({"random_state": 0})
    """Find the four groups of `planted`."""
    few: Mapping[str, Any] = MappingProxyType({})
    """Added for graphs of a handful of nodes, with two groups where there are any."""
    beside: Callable[[int], tuple[Any, ...]] = lambda n: ()
    """What ``fit`` takes after the graph of n nodes."""
    scale_free: bool = True
    """Whether multiplying all weights leaves the partition as it is."""


K4 = MappingProxyType({"n_clusters": 4, "random_state": 0})
K2 = MappingProxyType({"n_clusters": 2})

GRAPH_SETTINGS = MappingProxyType(
    {
        "BalancedCut": GraphSettings(K4, few=K2),
        "AttributedGraphClustering": GraphSettings(K4, few=K2, beside=lambda n: (group_attributes(n),)),
        "BlockModel": GraphSettings(MappingProxyType({"random_state": 0})),
        "SpectralClustering": GraphSettings(
            MappingProxyType({"n_clusters": 4, "random_state": 0, "affinity": "precomputed"}), few=K2
        ),
    }
)


# Other methods and objectives than the defaults: name -> (estimator, parameters); they answer the degenerate graphs too.
_OBJECTIVES = ("ratio_cut", "normalized_cut", "min_max_cut")
_ALL_VARIANTS = {
    **{f"BalancedCut, {one}": ("BalancedCut", {"objective": one}) for one in _OBJECTIVES},
    **{f"BalancedCut, {one}, no bound": ("BalancedCut", {"objective": one, "imbalance": 1.0}) for one in _OBJECTIVES},
    "BalancedCut, spectral": ("BalancedCut", {"method": "spectral"}),
    "BalancedCut, spectral, normalized_cut": ("BalancedCut", {"method": "spectral", "objective": "normalized_cut"}),
    "BalancedCut, perfect balance": ("BalancedCut", {"imbalance": 0.0}),
    "Leiden, cpm": ("Leiden", {"objective": "cpm", "resolution": 0.1}),
    "Leiden, fine": ("Leiden", {"resolution": 5.0}),
    "Louvain, cpm": ("Louvain", {"objective": "cpm", "resolution": 0.1}),
    "BlockModel, two": ("BlockModel", {"n_clusters": 2}),
    "BlockModel, directed": ("BlockModel", {"directed": True}),
    "BlockModel, not corrected": ("BlockModel", {"degree_corrected": False}),
    "SpectralClustering, ratio_cut": ("SpectralClustering", {"objective": "ratio_cut"}),
    "SpectralClustering, modularity": ("SpectralClustering", {"objective": "modularity"}),
    "AttributedGraphClustering, links": ("AttributedGraphClustering", {"alpha": 0.0}),
    "AttributedGraphClustering, attributes": ("AttributedGraphClustering", {"alpha": 1.0}),
}
VARIANTS = {variant: given for variant, given in _ALL_VARIANTS.items() if given[0] in GRAPH_NAMES}


def graph_class(name: str) -> type:
    """Import the class that the catalog line names."""
    module, _, attribute = next(line.target for line in LINES if line.name == name).partition(":")
    return getattr(import_module(module), attribute)


def graph_settings(name: str) -> GraphSettings:
    """Return the line of `GRAPH_SETTINGS`, or what the catalog says of the estimator."""
    default = GraphSettings(K4, few=K2) if name in NEEDS_K else GraphSettings()
    return GRAPH_SETTINGS.get(name, default)


def make_graph(name: str, **parameters: Any) -> Any:
    """Build an estimator that suits `planted`; what it does not have among ``parameters`` is an error."""
    known = set(graph_class(name)().get_params())
    given = {key: value for key, value in graph_settings(name).planted.items() if key in known}
    return graph_class(name)(**(given | parameters))


def fit_graph(name: str, graph: Any, n: int, *, n_nodes: int | None = None, **parameters: Any) -> Any:
    """Fit to any kind of input that stands for a graph of n nodes."""
    given = {} if n_nodes is None else {"n_nodes": n_nodes}
    return make_graph(name, **parameters).fit(graph, *graph_settings(name).beside(n), **given)


@cache
def planted_edges(n: int = 160, within: float = 0.3, between: float = 0.01, seed: int = 1) -> np.ndarray:
    """Four groups of nodes in turns, linked within more than between: (m, 3) edges with weights 1, 2 or 3, read-only."""
    random = np.random.default_rng(seed)
    degree = {True: within * (n / 4), False: between * (3 * n / 4)}
    pairs = []
    for same, mean in degree.items():
        m = int(n * mean / 2)
        a = random.integers(0, n, m)
        step = (
            random.integers(1, n // 4, m) * 4 if same else random.integers(1, 4, m) + 4 * random.integers(0, n // 4, m)
        )
        pairs.append(np.c_[a, (a + step) % n])
    pairs.append(np.c_[np.arange(n), (np.arange(n) + 4) % n])  # each group hangs together
    ends = np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)
    edges = np.c_[ends, random.integers(1, 4, len(ends))].astype(float)
    edges.setflags(write=False)
    return edges


@cache
def planted(n: int = 160) -> Graph:
    """`planted_edges` as a graph."""
    return from_edges(planted_edges(n), n)


def planted_matrix(n: int = 160) -> np.ndarray:
    """`planted` as a matrix of its own."""
    return to_scipy(planted(n)).toarray()


def truth(n: int = 160) -> np.ndarray:
    """Group of each node of `planted`."""
    return np.arange(n) % 4


@cache
def fitted_graph(name: str) -> Any:
    """Return the estimator fitted to `planted`; shared by the tests, which must not change it."""
    return fit_graph(name, planted(), 160)


every_graph_algorithm = pytest.mark.parametrize("name", GRAPH_NAMES)
