"""Silhouettes of rows, group by group: how much nearer a row is to its own group than to the next one (Rousseeuw 1987)."""

from typing import Any

import numpy as np

from ...metrics.internal import silhouette_samples
from ..judge import silhouette_rows
from ._common import own_count, short

__all__ = ["silhouettes"]

MOST_GROUPS = 60
MOST_VALUES = 3_000


def silhouettes(estimator: Any, labels: np.ndarray, X: np.ndarray, *, seed: int = 0) -> dict[str, Any] | None:
    """Measure silhouettes on the rows that the judgement of a study looks at, all of them where they are few.

    Parameters
    ----------
    estimator : estimator
        Not asked: silhouettes depend on the labels alone.
    labels : (n,) int array
        Noise, -1, takes no part.
    X : (n, m) float64 array
    seed : int, default=0
        Draws the rows.

    Returns
    -------
    dict or None
        ``rows`` that were looked at, ``exact`` if these are all rows of groups, the ``mean`` over all rows of groups, and for each
        of the largest groups its number, ``size``, ``drawn`` rows, ``mean``, share ``below`` 0, and ``values`` in falling order,
        thinned evenly where they are many. None with fewer than two groups.

    Examples
    --------
    >>> import numpy as np
    >>> shape = silhouettes(None, np.array([0, 0, 1, 1]), np.array([[0.0], [1.0], [9.0], [10.0]]))
    >>> shape["exact"], shape["groups"][0]["values"]
    (True, [0.8947, 0.8824])
    """
    k = own_count(labels)
    rows = silhouette_rows(labels, seed=seed)
    if k < 2 or len(rows) <= k or len(np.unique(labels[rows])) < 2:
        return None
    values, own = silhouette_samples(X[rows], labels[rows]), labels[rows]
    sizes, drawn = np.bincount(labels[labels >= 0], minlength=k), np.bincount(own, minlength=k)
    means = np.bincount(own, values, k) / np.maximum(drawn, 1)
    shown = min(k, MOST_GROUPS)
    return {
        "rows": len(rows),
        "exact": len(rows) == int(sizes.sum()),
        "mean": short([float((means * sizes).sum() / sizes.sum())])[0],
        "groups": [
            {"group": i, "size": int(sizes[i]), "drawn": int(drawn[i]), "mean": short([means[i]])[0]}
            | _of_group(np.sort(values[own == i])[::-1], MOST_VALUES // shown)
            for i in np.argsort(-sizes, kind="stable")[:shown].tolist()
        ],
    }


def _of_group(falling: np.ndarray, most: int) -> dict[str, Any]:
    thinned = falling[np.linspace(0, len(falling) - 1, min(len(falling), most)).round().astype(np.int64)]
    return {"below": short([(falling < 0).mean() if len(falling) else 0.0])[0], "values": short(thinned)}
