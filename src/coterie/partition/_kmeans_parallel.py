"""Starting centers of rows in blocks from few passes: k-means||."""

from typing import Any

import numpy as np

from ..primitives.assign import center_totals, lloyd_start
from ..primitives.seeding import draw_far_rows
from ._centers import iterate
from ._seeding import canonical_order, kmeans_plusplus

__all__ = ["kmeans_parallel"]

_ROUNDS = 5
_OVERSAMPLING = 2  # rows drawn in a round, times the number of clusters


def kmeans_parallel(X: Any, n_clusters: int, rng: np.random.RandomState) -> np.ndarray:
    """Choose starting centers from few passes over rows in blocks: draw too many, weigh them, and cluster those.

    Parameters
    ----------
    X : rows in blocks
        With their weights; conditioned.
    n_clusters : int
    rng : RandomState

    Returns
    -------
    (k, d) float64 array

    Notes
    -----
    Seven passes; 10 k rows are drawn, each standing for the weight of the rows nearest to it. They are clustered on the client, by
    k-means++ and Lloyd's iteration with these weights.

    References
    ----------
    Bahmani, B., Moseley, B., Vattani, A., Kumar, R., & Vassilvitskii, S. (2012). Scalable k-means++. PVLDB, 5(7), 622-633.
    https://doi.org/10.14778/2180912.2180915
    """
    seed = int(rng.randint(2**31))
    drawn: tuple[np.ndarray, ...] = ()
    for n in (1, *[_OVERSAMPLING * n_clusters] * _ROUNDS):
        found = draw_far_rows(X, n, seed, drawn)
        if len(found) == 0:  # every other row lies on one that is drawn
            break
        drawn += (found,)
    candidates = np.concatenate(drawn)
    weights = center_totals(X, candidates)[1]
    candidates, weights = candidates[weights > 0], weights[weights > 0]
    chosen = kmeans_plusplus(candidates, n_clusters, rng, canonical_order(candidates), weights)
    state = lloyd_start(candidates, weights)
    return iterate(state, candidates, candidates[chosen], sample_weight=weights)[0]
