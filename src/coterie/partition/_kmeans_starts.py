"""Where the starts of K-means begin, and how many there are, by the parameters of a `KMeans`."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..arrays import normalize_rows
from ..primitives.seeding import draw_far_rows
from ._centers import rows_of
from ._kmeans_parallel import kmeans_parallel
from ._seeding import canonical_order, given_centers, kmeans_plusplus, random_rows

__all__ = ["starts", "starts_of_blocks"]


def starts(model: Any, rows: Any, prepared: Any, shift: np.ndarray, scale: float, weight: Any) -> Iterator[np.ndarray]:
    """Yield the starting centers of one start after another.

    Parameters
    ----------
    model : KMeans
        Its parameters are read.
    rows : (n, d) array of any engine, or CSR array
        As a callable ``init`` wants them.
    prepared : array
        The same in the coordinates of the computation.
    shift : (d,) float64 array
    scale : float
        ``rows = prepared * scale + shift``.
    weight : (n,) float64 array or None

    Yields
    ------
    (k, d) float64 array
        In the coordinates of the computation.
    """
    rng, k = check_random_state(model.random_state), model.n_clusters
    order = canonical_order(prepared) if isinstance(model.init, str) else None
    for _ in range(_n_starts(model)):
        if order is None:
            yield _given(model, rows, prepared.shape[1], shift, scale, rng)
        elif model.init == "k-means++":
            yield rows_of(prepared, kmeans_plusplus(prepared, k, rng, order, weight))
        else:
            yield rows_of(prepared, random_rows(order, k, rng, weight))


def starts_of_blocks(model: Any, X: Any, shift: np.ndarray, scale: float) -> Iterator[np.ndarray]:
    """Yield the same for rows in blocks, which are in the coordinates of the computation; no callable is called."""
    rng, k = check_random_state(model.random_state), model.n_clusters
    for _ in range(_n_starts(model)):
        if not isinstance(model.init, str):
            yield _given(model, X, X.shape[1], shift, scale, rng)
        elif model.init == "k-means++":
            yield kmeans_parallel(X, k, rng)
        else:
            found = draw_far_rows(X, k, int(rng.randint(2**31)), ())
            yield np.concatenate([found] * -(-k // len(found)))[:k]


def _n_starts(model: Any) -> int:
    if model.n_init != "auto":
        return 1 if not isinstance(model.init, str) and not callable(model.init) else int(model.n_init)
    return 10 if callable(model.init) or (isinstance(model.init, str) and model.init == "random") else 1


def _given(model: Any, rows: Any, d: int, shift: np.ndarray, scale: float, rng: np.random.RandomState) -> np.ndarray:
    centers = given_centers(model.init, rows, (model.n_clusters, d), rng)
    return normalize_rows(centers) if model.metric == "cosine" else centers / scale - shift / scale
