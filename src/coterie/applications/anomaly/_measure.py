"""How far a row is from history: the distance to a measure.

Normal is what there is much of. The distance from a row to a *share* m of history is the root of the mean squared distance to the
nearest rows that make up that share (Chazal, Cohen-Steiner & Mérigot 2011). Here history is summed up by representatives, each with
the share of the rows that it stands for: the nearest count until their shares add up to m, the last one in part. A group of rows
with less than the share cannot make its own place look normal, and a few bad rows in history move the distance little.

How large a share to ask for depends on how rows go wrong, which is not known beforehand; so the distances to several shares are
multiplied (their geometric mean): a row is remote where it is far from the next few rows and from the bulk alike.
"""

import numpy as np

__all__ = ["remoteness", "share_distances2"]

_LEAST2 = 1e-9  # squared distance, in spreads, below which rows count as equal
_GRAIN2 = (
    0.003  # of the mean squared distance to all of history: what is nearer is no nearer, where distances are multiplied
)


def share_distances2(distances2: np.ndarray, weights: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """Return the mean squared distance to the nearest representatives that make up each share.

    Parameters
    ----------
    distances2 : (n, k) float64 array
        Squared distance of each row to each representative.
    weights : (k,) float64 array
        Shares of history that they stand for; they add up to 1.
    shares : tuple of float
        From 0 (the nearest representative alone) to 1.

    Returns
    -------
    (n, len(shares)) float64 array
    """
    if shares == (0.0,):
        return distances2.min(axis=1)[:, None]
    order = np.argsort(distances2, axis=1, kind="stable")
    nearest = np.take_along_axis(distances2, order, axis=1)
    own = weights[order]
    before = np.cumsum(own, axis=1) - own
    found = np.empty((len(distances2), len(shares)))
    for i, share in enumerate(shares):
        if share == 0:
            found[:, i] = nearest[:, 0]
        else:
            part = np.clip(share - before, 0.0, own)
            found[:, i] = (part * nearest).sum(axis=1) / part.sum(axis=1)
    return found


def remoteness(distances2: np.ndarray, weights: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """Return the geometric mean of the distances to several shares of history, (n,); arguments as in `share_distances2`.

    In counts and categories many rows are equal. A distance of nothing would make any product nothing, and rows that differ in one
    unit from all of history would look like a world apart; so none is below a twentieth of the distance to history as a whole.
    """
    found = share_distances2(distances2, weights, shares) + _LEAST2
    if len(shares) > 1:
        found = np.maximum(found, _GRAIN2 * (distances2 * weights).sum(axis=1)[:, None])
    return np.exp(0.5 * np.log(found).mean(axis=1))
