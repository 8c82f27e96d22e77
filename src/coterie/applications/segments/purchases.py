"""How often customers will buy who need no contract to do so: the BG/NBD model of Fader, Hardie and Lee.

While alive, a customer buys at random times at a rate of their own; after each purchase they leave for good with a probability of
their own. Rates are spread over customers as a gamma distribution (r, alpha), probabilities as a beta distribution (a, b). What the
model sees of a customer: x, the number of *repeat* purchases; t, the time of the last; T, how long the customer has been known.
All customers belong in it, also those who bought once. Fitting costs O(n) a step, some twenty steps from each of three starts.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.special import digamma, expit, gammaln

from ...errors import InputError
from ._likeliest import likeliest

__all__ = ["PurchaseModel", "expected_purchases", "fit_purchases", "probability_alive"]

_STARTS = ((1.0, 1.0, 1.0, 1.0), (0.5, 0.5, 0.5, 5.0), (5.0, 5.0, 5.0, 0.5))
_NODES = 48  # of the quadrature over the probability of leaving; 32 already give eight figures
_MOST_AT_ONCE = 1 << 22  # numbers held at once while purchases are summed over nodes


class PurchaseModel(NamedTuple):
    """A fitted BG/NBD model.

    Attributes
    ----------
    r, alpha : float
        Purchase rates are gamma distributed with shape r and rate alpha; alpha is in units of time.
    a, b : float
        The probability of leaving after a purchase is beta distributed.
    log_likelihood : float
        Mean over customers.
    undetermined : tuple of str
        Parameters of which the data do not tell how large they are.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    undetermined: tuple[str, ...] = ()


def fit_purchases(frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> PurchaseModel:
    """Fit the model by maximum likelihood.

    Parameters
    ----------
    frequency : (n,) array of int
        Repeat purchases x of each customer; 0 for one who bought once.
    recency : (n,) float array
        Time t from the first purchase to the last; 0 for one who bought once.
    age : (n,) float array
        Time T from the first purchase to the end of what was seen, in the same unit.

    Returns
    -------
    PurchaseModel

    Raises
    ------
    InputError
        If nobody bought again, or times contradict each other.

    References
    ----------
    Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005). "Counting your customers" the easy way: an alternative to the Pareto/NBD
    model. Marketing Science, 24(2), 275-284. https://doi.org/10.1287/mksc.1040.0098

    Examples
    --------
    >>> import numpy as np
    >>> model = fit_purchases([0, 1, 0, 3, 2, 0], [0, 20, 0, 30, 8, 0], [39, 38, 30, 35, 36, 28])
    >>> bool(model.r > 0 and model.alpha > 0)
    True
    """
    x, t, T = (np.asarray(values, np.float64) for values in (frequency, recency, age))
    if not (x > 0).any():
        raise InputError(
            "no customer bought on more than one day, so there is nothing to tell how often they come back"
        )
    if (t > T).any() or (t < 0).any() or ((x > 0) & (t <= 0)).any():
        raise InputError("expected 0 <= recency <= age, and recency above 0 where there are repeat purchases")
    scale = float(T.mean())
    rows, counts = np.unique(np.column_stack([x, t / scale, T / scale]), axis=0, return_counts=True)
    parameters, value, at_wall = likeliest(
        _LogLikelihood(rows[:, 0], rows[:, 1], rows[:, 2], counts.astype(np.float64)), _STARTS
    )
    r, alpha, a, b = (float(value) for value in parameters)
    names = ("r", "alpha", "a", "b")
    return PurchaseModel(r, alpha * scale, a, b, value, tuple(names[i] for i in at_wall))


class _LogLikelihood:
    """Mean log-likelihood and gradient in the logarithms of r, alpha, a, b, over distinct customers with counts.

    Equation 6 of the paper as log(exp(staying) + exp(leaving)), with what depends on x alone looked up by its few values.
    """

    def __init__(self, x: NDArray, t: NDArray, T: NDArray, counts: NDArray) -> None:
        self.x, self.t, self.T, self.counts, self.n = x, t, T, counts, counts.sum()
        self.again = x > 0
        self.values, which = np.unique(x, return_inverse=True)
        self.of_value = np.bincount(which, counts)

    def __call__(self, logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        r, alpha, a, b = np.exp(logs)
        x, k, w, weights = self.x, self.values, self.counts, self.of_value
        log_age, log_last = np.log(alpha + self.T), np.log(alpha + self.t)
        before = b + np.maximum(x, 1) - 1
        staying = -(r + x) * log_age
        leaving = np.where(self.again, np.log(a) - np.log(before) - (r + x) * log_last, -np.inf)
        both = np.logaddexp(staying, leaving)
        alone = gammaln(r + k) - gammaln(r) + r * np.log(alpha)
        alone += gammaln(a + b) - gammaln(b) + gammaln(b + k) - gammaln(a + b + k)
        left = np.exp(leaving - both)
        stayed = 1 - left
        together = digamma(a + b) - digamma(a + b + k)
        slope = np.array(
            [
                weights @ (digamma(r + k) - digamma(r) + np.log(alpha)) - w @ (stayed * log_age + left * log_last),
                self.n * r / alpha - w @ ((r + x) * (stayed / (alpha + self.T) + left / (alpha + self.t))),
                weights @ together + w @ left / a,
                weights @ (together + digamma(b + k) - digamma(b)) - w @ (left / before),
            ]
        )
        return float(weights @ alone + w @ both) / self.n, slope * (r, alpha, a, b) / self.n


def probability_alive(model: PurchaseModel, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> NDArray:
    """Return how probably each customer may still buy.

    Parameters
    ----------
    model : PurchaseModel
    frequency, recency, age : (n,) arrays
        As for `fit_purchases`, in the same unit of time.

    Returns
    -------
    (n,) float64 array
        1 for who bought once: in this model one leaves only after a *repeat* purchase.
    """
    x, t, T = (np.asarray(values, np.float64) for values in (frequency, recency, age))
    odds = np.log(model.a) - np.log(model.b + np.maximum(x, 1) - 1)
    odds = odds + (model.r + x) * (np.log(model.alpha + T) - np.log(model.alpha + t))
    return np.where(x > 0, expit(-odds), 1.0)


def expected_purchases(
    model: PurchaseModel, times: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> NDArray:
    """Return how many purchases each customer is expected to make within each time from now.

    Parameters
    ----------
    model : PurchaseModel
    times : (m,) array of float
        From now on, in the unit of the fit.
    frequency, recency, age : (n,) arrays
        As for `fit_purchases`.

    Returns
    -------
    (n, m) float64 array

    Notes
    -----
    A living customer of rate l who leaves with probability p makes (1 - exp(-l p t)) / p purchases in t. Its mean over l is in closed
    form, that over p is a Gauss-Jacobi quadrature: unlike the paper's hypergeometric function it has no pole at a = 1 and no
    overflow.
    """
    x, t, T = (np.asarray(values, np.float64) for values in (frequency, recency, age))
    times = np.asarray(times, np.float64)
    found = np.empty((len(x), len(times)))
    for value in np.unique(x):
        p, weights = _beta_nodes(model.a, model.b + value)
        same = np.flatnonzero(x == value)
        for rows in np.array_split(same, 1 + len(same) * len(times) * _NODES // _MOST_AT_ONCE):
            reach = times[None, :, None] * p / (model.alpha + T[rows, None, None])
            found[rows] = -np.expm1(-(model.r + value) * np.log1p(reach)) @ (weights / p)
    return found * probability_alive(model, x, t, T)[:, None]


def _beta_nodes(a: float, b: float) -> tuple[NDArray, NDArray]:
    """Return nodes in (0, 1) and weights (they add up to 1) that integrate over a beta distribution (Golub and Welsch)."""
    k = np.arange(1, _NODES)
    total = 2 * k + a + b - 2
    first = (a - b) / (a + b)
    middle = (a - b) * (a + b - 2) / (total * (total + 2))
    beside = k * (k + a - 1) * (k + b - 1) * (k + a + b - 2)
    # Where a + b = 1 the first quotient is 0/0; its limit is 4ab / ((a + b)^2 (a + b + 1)).
    quotient = np.r_[4 * a * b / ((a + b) ** 2 * (a + b + 1)), 4 * beside[1:] / (total**2 * (total**2 - 1))[1:]]
    nodes, vectors = eigh_tridiagonal(np.r_[first, middle], np.sqrt(quotient))
    return np.clip((1 + nodes) / 2, 1e-12, 1 - 1e-12), vectors[0] ** 2
