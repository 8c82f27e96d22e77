"""The cells of a grid over two columns, and the columns in which CLIQUE found groups to be dense."""

from typing import Any

import numpy as np

from ._common import main_groups

__all__ = ["cells", "subspaces"]

MOST_CELLS = 4_096
MOST_SUBSPACES = 100


def cells(estimator: Any, labels: np.ndarray, X: np.ndarray) -> dict[str, Any] | None:
    """Count the rows in the cells of a grid over two columns.

    Parameters
    ----------
    estimator : estimator
        Fitted; with ``box_`` and ``n_cells_``, as `coterie.STING` and `coterie.WaveCluster`.
    labels : (n,) int array
        Final labels, noise -1.
    X : (n, m) float64 array

    Returns
    -------
    dict or None
        ``columns``, the two features; ``across`` and ``up``, how many cells there are; and of the occupied cells, the fullest first
        where they are too many, ``x`` and ``y``, ``rows``, and the ``group`` of most of them. None where more than two columns make
        the grid.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import STING
    >>> X = np.array([[0.0, 0.0], [0.1, 0.2], [9.0, 9.0], [9.1, 9.2]])
    >>> shape = cells(STING(n_cells=4, min_points=1).fit(X), np.array([0, 0, 1, 1]), X)
    >>> shape["x"], shape["y"], shape["rows"]
    ([0, 3], [0, 3], [2, 2])
    """
    if not hasattr(estimator, "box_") or not hasattr(estimator, "n_cells_"):
        return None
    low, high = np.asarray(estimator.box_, dtype=np.float64)
    number = np.ravel(estimator.n_cells_)
    axes = np.flatnonzero(number > 1)
    if len(number) != X.shape[1] or len(axes) != 2:
        return None
    across, up = number[axes].tolist()
    x, y = (
        np.clip(((X[:, axis] - low[axis]) / (high[axis] - low[axis]) * count).astype(np.int64), 0, count - 1)
        for axis, count in zip(axes, (across, up), strict=True)
    )
    key, part, rows = np.unique(y * across + x, return_inverse=True, return_counts=True)
    group = main_groups(part, len(key), labels)[0]
    kept = np.sort(np.argsort(-rows, kind="stable")[:MOST_CELLS])
    return {
        "columns": axes.tolist(), "across": across, "up": up, "left_out": len(key) - len(kept),
        "x": (key[kept] % across).tolist(), "y": (key[kept] // across).tolist(), "rows": rows[kept].tolist(),
        "group": group[kept].tolist(),
    }  # fmt: skip


def subspaces(estimator: Any, labels: np.ndarray, X: np.ndarray | None = None) -> dict[str, Any] | None:
    """List in which columns CLIQUE found dense groups.

    Parameters
    ----------
    estimator : estimator
        Fitted; with ``clusters_``, as `coterie.CLIQUE`.
    labels : (n,) int array
        Final labels, noise -1.
    X : ignored

    Returns
    -------
    dict or None
        ``found``: of each subspace its ``columns``, how many ``cells`` are dense, the ``rows`` in them, and the ``group`` that most
        of its own rows are in now, None where all its rows belong to subspaces before it; ``left_out`` is how many further there are.
    """
    found = getattr(estimator, "clusters_", None)
    if found is None or not all(hasattr(one, "dimensions") for one in found):
        return None
    own = np.asarray(estimator.labels_)
    inside = own >= 0
    group = main_groups(own[inside], int(own.max(initial=-1)) + 1, labels[inside])[0]
    return {
        "left_out": max(0, len(found) - MOST_SUBSPACES),
        "found": [
            {
                "columns": np.asarray(one.dimensions).tolist(), "cells": len(one.units), "rows": int(one.rows),
                "group": int(group[one.label]) if one.label >= 0 else None,
            }
            for one in found[:MOST_SUBSPACES]
        ],
    }  # fmt: skip
