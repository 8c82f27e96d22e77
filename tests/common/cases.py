"""What the battery needs to know: how to build each algorithm of the catalog for small data, and the small data."""

import warnings
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from coterie.catalog import CATALOG

NAMES = tuple(line.name for line in CATALOG)
NOISY = tuple(line.name for line in CATALOG if line.has_noise)

# Parameters that find the four groups of `blobs()`. An algorithm that is not named here is built with its defaults, or
# with n_clusters=4 where it needs k.
SETTINGS = MappingProxyType(
    {
        "KMeans": {"n_clusters": 4, "n_init": 2, "random_state": 0},
        "DBSCAN": {"eps": 1.0, "min_samples": 5},
        "HDBSCAN": {"min_cluster_size": 8},
    }
)
# Parameters in the unit of the data (or its square): they grow with it.
LENGTHS = ("eps", "cluster_selection_epsilon", "max_eps", "distance_threshold")


def estimator_class(name: str) -> type:
    """Import the class that the catalog line names."""
    module, _, attribute = next(line.target for line in CATALOG if line.name == name).partition(":")
    return getattr(import_module(module), attribute)


def make(name: str, **parameters: Any) -> Any:
    """Build an estimator that suits `blobs`; what it does not have among ``parameters`` is an error."""
    line = next(line for line in CATALOG if line.name == name)
    return estimator_class(name)(**(SETTINGS.get(name, {"n_clusters": 4} if line.needs_k else {}) | parameters))


def scaled(estimator: Any, factor: float) -> Any:
    """Return a copy for data that was multiplied by ``factor``."""
    lengths = {key: value * factor for key, value in estimator.get_params().items() if key in LENGTHS and value}
    return clone(estimator).set_params(**lengths)


def accepts(name: str, parameter: str) -> bool:
    """Say whether ``fit`` of this algorithm takes the parameter."""
    import inspect

    return parameter in inspect.signature(estimator_class(name).fit).parameters


@cache
def blobs(n: int = 240, d: int = 3, spread: float = 0.35) -> np.ndarray:
    """Four well separated round groups of unequal size: (n, d) float64, read-only."""
    random = np.random.default_rng(20)
    centers = np.zeros((4, d))
    centers[:, 0] = [0.0, 6.0, 0.0, 6.0]
    centers[:, 1 % d] += [0.0, 0.0, 6.0, 6.0]
    centers[3, -1] += 6.0
    group = random.choice(4, size=n, p=[0.4, 0.3, 0.2, 0.1])
    X = centers[group] + spread * random.standard_normal((n, d))
    X.setflags(write=False)
    return X


@cache
def scatter(n: int = 240) -> np.ndarray:
    """`blobs` with every tenth row thrown anywhere, so that density methods have noise and border points."""
    random = np.random.default_rng(21)
    X = blobs(n).copy()
    X[::10] = random.uniform(-4, 10, size=X[::10].shape)
    X.setflags(write=False)
    return X


@cache
def fitted(name: str) -> Any:
    """Return the algorithm fitted to `scatter`; shared by the tests, which must not change it."""
    return make(name).fit(scatter())


def quietly(function: Any, *arguments: Any, **options: Any) -> tuple[Any, list[warnings.WarningMessage]]:
    """Call, and return the result and the warnings instead of raising them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return function(*arguments, **options), list(caught)


def same_partition(a: Any, b: Any) -> bool:
    """Say whether two labellings are equal up to the numbers of the clusters; noise must be the same rows."""
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(((a == -1) == (b == -1)).all()) and adjusted_rand_score(a, b) == 1.0


every_algorithm = pytest.mark.parametrize("name", NAMES)
