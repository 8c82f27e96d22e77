"""What must hold before an estimator is given a state that came from a file."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ModelFileError

__all__ = ["construct", "mapping", "restore", "state"]

# Everything that a made-up state can make NumPy, SciPy or an estimator say.
_COMPLAINTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, NotImplementedError)

# Kinds of the items and lengths, by attribute: equal letters are equal lengths across the state of one estimator; d is the
# number of features, n the rows of the fit. An estimator with other attributes adds a line each.
_SHAPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "edges_": ("f", ("d", "edges")),
    "labels_": ("iu", ("n",)),
    "feature_names_in_": ("OU", ("d",)),
    "cluster_centers_": ("fO", ("k", "d")),
    "medoid_indices_": ("iu", ("k",)),
    "_centers": ("f", ("k", "d")),
    "_committed": ("f", ("k", "d")),
    "subcluster_centers_": ("f", ("m", "d")),
    "_group_means": ("f", ("m", "d")),
    "subcluster_labels_": ("iu", ("m",)),
    "subcluster_weights_": ("f", ("m",)),
    "subcluster_radii_": ("f", ("m",)),
    "_firsts": ("iu", ("m",)),
    "_origin": ("f", ("d",)),
    "_mass": ("f", ("k",)),
    "_waiting": ("f", ("waiting", "d")),
    "_waiting_weights": ("f", ("waiting",)),
    "_shift": ("f", ("d",)),
    "_prices": ("f", ("k",)),
    "_prototype_means": ("f", ("k", "numbers")),
    "_prototype_modes": ("iu", ("k", "categories")),
    "_numeric_shift": ("f", ("numbers",)),
    "tree_": ("iuf", ("nodes",)),
    "_normals": ("f", ("nodes", "d")),
    "_offsets": ("f", ("nodes",)),
    "_divided_rows": ("f", ("divided", "d")),
    "_divided_labels": ("iu", ("divided",)),
    "core_sample_indices_": ("iu", ("core",)),
    "components_": ("f", ("core", "d")),
    "_rows": ("f", ("n", "d")),
    "core_distances_": ("f", ("n",)),
    "probabilities_": ("f", ("n",)),
    "ordering_": ("iu", ("n",)),
    "reachability_": ("f", ("n",)),
    "predecessor_": ("iu", ("n",)),
    "cluster_hierarchy_": ("iu", ("intervals", "two")),
    "_twins": ("iu", ("n",)),
    "_reaches": ("f", ("clusters",)),
    "outlier_scores_": ("f", ("n",)),
    "negative_outlier_factor_": ("f", ("n",)),
    "_radii": ("f", ("n",)),
    "_densities": ("f", ("n",)),
    "_leaving": ("f", ("n",)),
    "_births": ("f", ("clusters",)),
    "_deaths": ("f", ("clusters",)),
    "condensed_tree_": ("iuf", ("edges",)),
    "minimum_spanning_tree_": ("iuf", ("links",)),
    "single_linkage_tree_": ("iuf", ("links", "four")),
    "children_": ("iu", ("links", "two")),
    "distances_": ("f", ("links",)),
    "linkage_matrix_": ("f", ("links", "four")),
    "box_": ("f", ("two", "d")),
    "image_matrix_": ("f", ("k", "k")),
    "embedding_": ("f", ("n", "coordinates")),
    "soft_labels_": ("f", ("n", "k")),
    "positions_": ("f", ("n", "places")),
    "occupancy_": ("iu", ("k",)),
    "start_labels_": ("iu", ("n",)),
    "eigenvalues_": ("f", ("coordinates",)),
    "_cluster_means": ("f", ("k", "coordinates")),
    "_axis_means": ("f", ("coordinates",)),
    "_node_rows": ("f", ("distinct", "d")),
    "_node_first": ("iu", ("distinct",)),
    "_node_keys": ("f", ("distinct",)),
    "_node_order": ("iu", ("distinct",)),
    "description_lengths_": ("f", ("counts", "two")),
    "n_cells_": ("iu", ("axes",)),
    "_axes": ("iu", ("axes",)),
    "_coords": ("iu", ("occupied", "axes")),
    "_counts": ("iu", ("occupied",)),
    "_first": ("iu", ("occupied",)),
    "_cells": ("iu", ("labelled", "axes")),
    "_cell_labels": ("iu", ("labelled",)),
    "_attributes": ("iu", ("attributes",)),
    "_sums": ("u", ("occupied", "attributes", "four")),
    "_extremes": ("f", ("occupied", "attributes", "two")),
    "_bins": ("iu", ("occupied", "attributes", "eight")),
}
_FINITE = {
    "cluster_centers_",
    "_centers",
    "_committed",
    "_mass",
    "_waiting",
    "_waiting_weights",
    "_group_means",
    "_origin",
    "_shift",
    "_prices",
    "_divided_rows",
    "_prototype_means",
    "_numeric_shift",
    "components_",
    "_rows",
}


def mapping(value: Any, what: str) -> dict[str, Any]:
    """Return ``value`` if it is a JSON object, else raise."""
    if not isinstance(value, dict):
        raise ModelFileError(f"the model is damaged: {what} cannot be read")
    return value


def construct(kind: type, parameters: Mapping[str, Any]) -> Any:
    """Build the unfitted estimator; its own checks of parameter values apply."""
    estimator = kind()
    known = estimator.get_params(deep=False)
    unknown = [name for name in parameters if name not in known]
    if unknown:
        raise ModelFileError(f"{kind.__name__} has no parameter {unknown[0][:80]!r}; a newer coterie may have")
    try:
        estimator = kind(**parameters)
        if hasattr(estimator, "_validate_params"):
            estimator._validate_params()
    except _COMPLAINTS as error:
        raise ModelFileError(
            f"the model's parameters are not valid for {kind.__name__}: {_first_line(error)}"
        ) from error
    return estimator


def state(estimator: Any, values: Mapping[str, Any], label_map: Any) -> None:
    """Check names, kinds and shapes: only fitted attributes, and sizes that agree with one another and the parameters.

    Kernels trust shapes: two arrays of different lengths that belong together would make them read beyond an end.
    """
    kind = type(estimator)
    extra = getattr(kind, "_state_attributes", ())
    for name in values:
        fitted = name.endswith("_") and not name.startswith("_") and name.isidentifier()
        if not (fitted or name in extra) or callable(getattr(kind, name, None)):
            raise ModelFileError(f"the model is damaged: {name[:80]!r} is not a fitted attribute of {kind.__name__}")
    n_features = values.get("n_features_in_")
    if type(n_features) is not int or n_features < 1:
        raise ModelFileError("the model is damaged: its number of features is not a number above 0")
    sizes = {"d": n_features}
    for name, (kinds, dimensions) in _SHAPES.items():
        if values.get(name) is not None:
            _check_array(name, values[name], kinds, dimensions, sizes)
    _check_values(estimator, values, sizes, label_map)


def _check_array(name: str, value: Any, kinds: str, dimensions: tuple[str, ...], sizes: dict[str, int]) -> None:
    """Compare one array with the table; a letter seen for the first time takes the length it meets."""
    if isinstance(value, tuple):
        for field in value:
            _check_array(name, field, kinds, dimensions, sizes)
        return
    sparse = getattr(value, "format", None) == "csr"
    good = (sparse or isinstance(value, np.ndarray)) and value.dtype.kind in kinds and value.dtype != np.float16
    if not good or len(value.shape) != len(dimensions):
        raise ModelFileError(f"the model is damaged: {name} is not what it should be")
    for letter, length in zip(dimensions, value.shape, strict=True):
        if sizes.setdefault(letter, length) != length:
            raise ModelFileError(f"the model is damaged: {name} does not match the rest in size")
    if name in _FINITE and value.dtype.kind == "f" and not np.all(np.isfinite(value.data if sparse else value)):
        raise ModelFileError(f"the model is damaged: {name} holds NaN or infinity")


def _check_values(estimator: Any, values: Mapping[str, Any], sizes: Mapping[str, int], label_map: Any) -> None:
    labels = values.get("labels_")
    top = -1 if labels is None else int(labels.max(initial=-1))
    if labels is not None and (np.any(labels < -1) or top >= len(labels)):
        raise ModelFileError("the model is damaged: its labels are not labels")
    indices = values.get("core_sample_indices_")
    if indices is not None and (np.any(indices < 0) or np.any(indices >= sizes.get("n", 0))):
        raise ModelFileError("the model is damaged: a core point is not one of its rows")
    n_clusters = getattr(estimator, "n_clusters", None)
    if (isinstance(n_clusters, int) and sizes.get("k", 1) > n_clusters) or sizes.get("k", 1) < 1:
        raise ModelFileError(f"the model is damaged: it has {sizes['k']} centres for n_clusters={n_clusters}")
    # predict looks the label of a row up in these.
    clusters = sizes.get("k", sizes.get("clusters") or top + 1)
    if top >= clusters:
        raise ModelFileError("the model is damaged: it has more labels than clusters")
    if label_map is None:
        return
    good = isinstance(label_map, np.ndarray) and label_map.ndim == 1 and label_map.dtype.kind == "i"
    if not good or len(label_map) <= top or np.any(label_map < -1) or np.any(label_map >= max(len(label_map), 1)):
        raise ModelFileError("the model is damaged: its label map does not fit its labels")


def restore(estimator: Any, values: Mapping[str, Any]) -> None:
    """Hand ``values`` to the estimator; whatever it objects to is said in one sentence."""
    try:
        estimator._restore(dict(values))
    except ModelFileError:
        raise
    except _COMPLAINTS as error:
        raise ModelFileError(
            f"the fitted state does not suit {type(estimator).__name__}: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:300] if lines else type(error).__name__
