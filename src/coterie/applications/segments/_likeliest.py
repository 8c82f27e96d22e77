"""The parameters under which what was seen is most likely, for models whose parameters are positive numbers.

The search is for their logarithms, within a wide box and from several starts: a likelihood that has no maximum inside, as where
nobody ever stops buying, ends at a wall of the box instead of nowhere, and the fit says so.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

__all__ = ["likeliest"]

_WALL = 12.0  # of a logarithm: parameters from 6e-6 to 2e5, in the unit that the caller scaled to

Objective = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]


def likeliest(
    log_likelihood: Objective, starts: Sequence[Sequence[float]]
) -> tuple[NDArray[np.float64], float, tuple[int, ...]]:
    """Search from each start, and keep the best end.

    Parameters
    ----------
    log_likelihood : callable
        From the logarithms of the parameters to the mean log-likelihood of a customer and its gradient.
    starts : sequence of sequences of float
        Parameters, not logarithms.

    Returns
    -------
    parameters : (p,) float64 array
    value : float
        Mean log-likelihood there.
    at_wall : tuple of int
        Which parameters ended at a wall of the box, so that the data do not tell how large they are.
    """

    def loss(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = log_likelihood(logs)
        return -value, -slope

    ends = [
        minimize(
            loss, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-_WALL, _WALL)] * len(start),
            options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-8},
        )
        for start in starts
    ]  # fmt: skip
    best = min(ends, key=lambda end: end.fun)
    at_wall = np.flatnonzero(np.abs(best.x) > _WALL - 1)  # the way there is so flat that the search may end before it
    return np.exp(best.x), -float(best.fun), tuple(int(i) for i in at_wall)
