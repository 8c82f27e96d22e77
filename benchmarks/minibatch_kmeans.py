"""Mini-batch K-means in batches of 4096 rows, beside K-means, which is exact.

"passes": both make five whole passes, which is what the goal was set by. "defaults": each stops when it sees fit.
"""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case


def make(n: int, d: int, k: int, spread: float) -> tuple:
    """Return rows and the number of groups."""
    X, _ = blobs(n, d, k, spread)
    return X, k


FIVE_PASSES = {"max_iter": 5, "max_no_improvement": None, "tol": 0.0}


def coterie(data: tuple, **settings: Any) -> Any:
    """All cores; the default number of starts."""
    from coterie import MiniBatchKMeans

    X, k = data
    return lambda: MiniBatchKMeans(k, batch_size=4096, random_state=0, **settings).fit(X).inertia_


def kmeans(data: tuple) -> Any:
    """All cores."""
    from coterie import KMeans

    X, k = data
    return lambda: KMeans(k, random_state=0).fit(X).inertia_


def sklearn(data: tuple, **settings: Any) -> Any:
    """All cores; the default number of starts, which is 1 for k-means++."""
    from sklearn.cluster import MiniBatchKMeans

    X, k = data
    return lambda: MiniBatchKMeans(k, batch_size=4096, random_state=0, **settings).fit(X).inertia_


def quality(data: tuple, inertia: float) -> dict[str, Any]:
    """Return the inertia."""
    return {"inertia": f"{np.float64(inertia):.5g}"}


DEFAULTS = {"coterie": coterie, "coterie KMeans": kmeans, "scikit-learn": sklearn}
PASSES = {"coterie": partial(coterie, **FIVE_PASSES), "scikit-learn": partial(sklearn, **FIVE_PASSES)}
DATA = partial(make, 1_000_000, 16, 64, 4.0)

CASES = [
    Case("minibatch-1Mx16-k64-passes", DATA, PASSES, quality, {"scikit-learn": 50}, ("scikit-learn",)),
    Case("minibatch-1Mx16-k64-defaults", DATA, DEFAULTS, quality, {"scikit-learn": 50}, ("scikit-learn",)),
]
