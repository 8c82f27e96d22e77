"""What the battery needs to know: how to build each algorithm of the catalog for small data, and the small data."""

import warnings
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from coterie.catalog import CATALOG

NAMES = tuple(line.name for line in CATALOG)
NOISY = tuple(line.name for line in CATALOG if line.has_noise)


class Settings(NamedTuple):
    """How the battery builds one algorithm; whatever is not said here is left at its default."""

    blobs: Mapping[str, Any]
    """Find the four groups of `blobs` and of `scatter`."""
    few: Mapping[str, Any] = MappingProxyType({})
    """Added for degenerate data of a handful to a hundred rows, with two groups where there are any."""
    many: Mapping[str, Any] = MappingProxyType({})
    """Added for some ten thousand rows."""
    repeat: int = 45
    """How many times `scatter` is taken for "many": less where memory or time grow as the square."""
    unordered: Mapping[str, Any] | None = MappingProxyType({})
    """Added so that no random number matters; None where the order of the rows counts by definition (the page says so)."""
    wide: Mapping[int, Mapping[str, Any]] = MappingProxyType({})
    """Added for `blobs` of that many columns."""
    lengths: tuple[str, ...] = ()
    """Parameters in the unit of the data, beside `LENGTHS`."""
    weight_is_rows: bool = True
    """Whether a whole weight counts as that many equal rows; False where the page says that it means something else."""


FOUR_CENTERS = np.array([[0.0, 0, 0], [6, 0, 0], [0, 6, 0], [6, 6, 6]])

# An algorithm that is not named here is built with its defaults, or with n_clusters=4 (2 for "few") where it needs k.
SETTINGS = MappingProxyType(
    {
        "KMeans": Settings(
            {"n_clusters": 4, "n_init": 2, "random_state": 0},
            few={"n_clusters": 2},
            unordered={"init": FOUR_CENTERS, "n_init": 1},
        ),
        # Seeds: the random ones must be the same twice. In any order of rows and columns they end in the same place.
        "KMedoids": Settings({"n_clusters": 4}, few={"n_clusters": 2}),
        "CLARA": Settings({"n_clusters": 4, "random_state": 0}, few={"n_clusters": 2}),
        "CLARANS": Settings({"n_clusters": 4, "random_state": 0}, few={"n_clusters": 2}, repeat=20),
        "MiniBatchKMeans": Settings(
            {"n_clusters": 4, "random_state": 0}, few={"n_clusters": 2}, unordered=None, weight_is_rows=False
        ),
        # It splits by diameter: the scattered rows are split off before the last two groups part.
        "DIANA": Settings({"n_clusters": 8}, few={"n_clusters": 2}, repeat=8),
        "BisectingKMeans": Settings(
            {"n_clusters": 4, "random_state": 0}, few={"n_clusters": 2}, unordered={"n_init": 20}
        ),
        "SpectralClustering": Settings({"n_clusters": 4, "random_state": 0}, few={"n_clusters": 2}, repeat=20),
        "Birch": Settings(
            {"n_clusters": 4, "threshold": 0.2},
            few={"n_clusters": 2, "threshold": 0.01},
            unordered=None,
            lengths=("threshold",),
        ),
        "DBSCAN": Settings(
            {"eps": 1.0, "min_samples": 5}, few={"min_samples": 3}, many={"eps": 0.3}, wide={40: {"eps": 4.0}}
        ),
        # In subspaces a handful of rows in many columns has more units than there are seconds.
        "CLIQUE": Settings(
            {"n_intervals": 8, "full_space": True},
            wide={8: {"density_threshold": 1 / 240}, 40: {"density_threshold": 1 / 240}},
        ),
        # In many columns nearly every row has a cell for itself: few cells a side, and they touch by corners.
        "STING": Settings(
            {"n_cells": 8, "min_points": 3},
            wide={d: {"n_cells": 3, "min_points": 1, "connectivity": "full"} for d in (8, 40)},
        ),
        "WaveCluster": Settings(
            {"n_cells": 16, "wavelet": "haar", "threshold": 1.0, "border": "absorb"},
            wide={d: {"n_cells": 3, "level": 0, "threshold": 0.0} for d in (8, 40)},
        ),
        "HDBSCAN": Settings({"min_cluster_size": 8}, many={"min_cluster_size": 150}),
        "OPTICS": Settings(
            {"min_samples": 5, "extraction": "dbscan", "eps": 1.0},
            few={"min_samples": 3},
            many={"eps": 0.3},
            unordered=None,
            wide={40: {"eps": 4.0}},
        ),
    }
)
# Parameters in the unit of the data (or its square): they grow with it.
LENGTHS = ("eps", "cluster_selection_epsilon", "max_eps", "distance_threshold")


def estimator_class(name: str) -> type:
    """Import the class that the catalog line names."""
    module, _, attribute = next(line.target for line in CATALOG if line.name == name).partition(":")
    return getattr(import_module(module), attribute)


def settings(name: str) -> Settings:
    """Return the line of `SETTINGS`, or what the catalog says of the algorithm."""
    if name in SETTINGS:
        return SETTINGS[name]
    return Settings({"n_clusters": 4}, few={"n_clusters": 2}) if needs_k(name) else Settings({})


def make(name: str, **parameters: Any) -> Any:
    """Build an estimator that suits `blobs`; what it does not have among ``parameters`` is an error."""
    return estimator_class(name)(**(dict(settings(name).blobs) | parameters))


def needs_k(name: str) -> bool:
    """Say whether the algorithm must be told the number of clusters."""
    return next(line.needs_k for line in CATALOG if line.name == name)


def scaled(estimator: Any, factor: float) -> Any:
    """Return a copy for data that was multiplied by ``factor``."""
    names = LENGTHS + settings(type(estimator).__name__).lengths
    lengths = {key: value * factor for key, value in estimator.get_params().items() if key in names and value}
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
