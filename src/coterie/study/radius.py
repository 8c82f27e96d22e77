"""A radius for DBSCAN when none is given: the knee of the sorted distances to the k-th neighbour (Ester et al. 1996).

Rows inside groups have near neighbours, noise has far ones; where the sorted curve turns up lies the border between the two.
"""

from typing import Any

import numpy as np

__all__ = ["dbscan_defaults", "knee"]

QUERY_ROWS = 1_000
BLOCK_SIZE = 1 << 21
# The knee is where the curve starts to turn; a little beyond it keeps the edges of groups.
SLACK = 1.2


def dbscan_defaults(X: np.ndarray, params: dict[str, Any]) -> dict[str, Any]:
    """Return ``params`` with ``min_samples`` (twice the columns, 5 to 20) and ``eps`` (the knee) filled in where missing."""
    params = {"min_samples": int(np.clip(2 * X.shape[1], 5, 20))} | params
    if params.get("eps") is not None:
        return params
    distances = _neighbor_distances(X, min(params["min_samples"], len(X)))
    positive = distances[distances > 0]
    eps = knee(np.sort(positive)) if len(positive) else 1.0
    return params | {"eps": float(f"{eps * SLACK:.4g}")}


def knee(ascending: np.ndarray) -> float:
    """Return the value at which an ascending curve lies furthest below the line from its start to its 99% point."""
    curve = ascending[: max(int(0.99 * len(ascending)), 1)]
    if len(curve) < 3 or curve[-1] == curve[0]:
        return float(curve[-1])
    line = np.linspace(curve[0], curve[-1], len(curve))
    return float(curve[int(np.argmax(line - curve))])


def _neighbor_distances(X: np.ndarray, k: int) -> np.ndarray:
    """Return the distance of some rows to their k-th nearest row, the row itself counted."""
    center = X.mean(axis=0)
    Z = X - center
    norms = (Z**2).sum(axis=1)
    rows = np.linspace(0, len(X) - 1, min(QUERY_ROWS, len(X))).astype(np.int64)
    found = np.empty(len(rows))
    step = max(1, BLOCK_SIZE // len(X))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        squares = norms[part, None] + norms - 2 * Z[part] @ Z.T
        found[start : start + step] = np.partition(squares, k - 1, axis=1)[:, k - 1]
    return np.sqrt(np.maximum(found, 0.0))
