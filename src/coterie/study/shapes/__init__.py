"""What the views of a clustering show beside its map: silhouettes, and the tree, the walk or the cells that a method found.

Each view is a function of a fitted estimator, the final labels and the prepared rows. It gives a small dict of plain values,
whose size is bounded whatever the number of rows, or None where the method has no such thing. Groups stand under ``group``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .cells import cells, subspaces
from .condensed import condensed_tree
from .dendrogram import dendrogram
from .reachability import reachability
from .silhouettes import silhouettes

__all__ = [
    "cells", "condensed_tree", "dendrogram", "reachability", "renumbered", "shapes_of", "silhouettes", "subspaces",
]  # fmt: skip


def shapes_of(
    estimator: Any, labels: np.ndarray, X: np.ndarray, feature_names: Sequence[str], *, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Return every view that there is.

    Parameters
    ----------
    estimator : estimator
        Fitted on ``X``.
    labels : (n,) int64 array
        Final labels, noise -1.
    X : (n, m) float64 array
        Prepared rows.
    feature_names : sequence of str
        Of the m columns; they stand in the views in the place of numbers.
    seed : int, default=0
        Draws the rows of silhouettes.

    Returns
    -------
    dict
        The ``shapes`` part of the record.
    """
    found: dict[str, dict[str, Any] | None] = {
        "silhouettes": silhouettes(estimator, labels, X, seed=seed),
        "dendrogram": dendrogram(estimator, labels, X),
        "reachability": reachability(estimator, labels, X),
        "condensed_tree": condensed_tree(estimator, labels, X),
        "cells": cells(estimator, labels, X),
        "subspaces": subspaces(estimator, labels, X),
    }
    return {name: _named(shape, feature_names) for name, shape in found.items() if shape is not None}


def renumbered(shapes: Any, numbers: np.ndarray) -> Any:
    """Return views with other numbers of groups: ``numbers[i]`` in the place of group i."""
    if isinstance(shapes, dict):
        return {
            key: _renumbered(value, numbers) if key == "group" else renumbered(value, numbers)
            for key, value in shapes.items()
        }
    if isinstance(shapes, list):
        return [renumbered(item, numbers) for item in shapes]
    return shapes


def _named(shape: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a view with names of features in the place of their numbers."""
    if "columns" in shape:
        return shape | {"columns": [names[i] for i in shape["columns"]]}
    return shape | {"found": [_named(one, names) for one in shape["found"]]} if "found" in shape else shape


def _renumbered(group: Any, numbers: np.ndarray) -> Any:
    if isinstance(group, list):
        return [_renumbered(one, numbers) for one in group]
    return group if group is None or group < 0 else int(numbers[group])
