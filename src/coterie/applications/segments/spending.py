"""How much a purchase is worth: the gamma-gamma model of Fader and Hardie.

Each customer's purchases scatter around a mean of their own (gamma, shape p), and these means are spread over customers (inverse
gamma, shape q, scale v). Who bought little so far is expected to spend nearly what all do; who bought often, nearly what they did.
The model takes the mean to be independent of how often one buys; `spending_correlation` tells whether it is.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

from ...errors import InputError
from ._likeliest import likeliest

__all__ = ["FEWEST_REPEATERS", "SpendingModel", "expected_spending", "fit_spending", "spending_correlation"]

_STARTS = ((1.0, 1.0, 1.0), (5.0, 2.0, 0.5))
FEWEST_REPEATERS = 5  # from whom the model is learnt


class SpendingModel(NamedTuple):
    """A fitted gamma-gamma model.

    Attributes
    ----------
    p, q, v : float
        Shapes, and a scale in units of money. q is above 1, so that customers have a mean.
    log_likelihood : float
        Mean over customers.
    undetermined : tuple of str
        Parameters of which the data do not tell how large they are.
    """

    p: float
    q: float
    v: float
    log_likelihood: float
    undetermined: tuple[str, ...] = ()

    @property
    def mean(self) -> float:
        """What a purchase of a customer is worth of whom nothing is known."""
        return self.p * self.v / (self.q - 1)


def fit_spending(frequency: ArrayLike, mean: ArrayLike) -> SpendingModel:
    """Fit the model by maximum likelihood to customers with repeat purchases.

    Parameters
    ----------
    frequency : (n,) array of int
        Repeat purchases of each customer.
    mean : (n,) float array
        Mean amount of these purchases. Customers without any, and those whose mean is not above 0, are left out.

    Returns
    -------
    SpendingModel

    Raises
    ------
    InputError
        If fewer than five customers are left.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. (2013). The gamma-gamma model of monetary value. http://brucehardie.com/notes/025/

    Examples
    --------
    >>> model = fit_spending([1, 2, 1, 4, 3, 2], [20.0, 35.0, 18.0, 40.0, 25.0, 30.0])
    >>> bool(20 < model.mean < 40)
    True
    """
    x, m = (np.asarray(values, np.float64) for values in (frequency, mean))
    use = (x > 0) & (m > 0)
    if use.sum() < FEWEST_REPEATERS:
        raise InputError(
            f"expected {FEWEST_REPEATERS} customers or more with repeat purchases above 0, got {use.sum()}"
        )
    x, m = x[use], m[use]
    scale = float(m.mean())
    m = m / scale
    spent = x * m

    def log_likelihood(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        p, over, v = np.exp(logs)
        q, px = 1 + over, p * x
        both = np.log(spent + v)
        value = gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(v) + px * np.log(spent) - np.log(m)
        value -= (px + q) * both
        slope = [
            p * x * (digamma(px + q) - digamma(px) + np.log(spent) - both),
            over * (digamma(px + q) - digamma(q) + np.log(v) - both),
            q - v * (px + q) / (spent + v),
        ]
        return float(value.mean()), np.mean(slope, axis=1)

    (p, over, v), value, at_wall = likeliest(log_likelihood, _STARTS)
    names = tuple(("p", "q", "v")[i] for i in at_wall)
    return SpendingModel(float(p), 1 + float(over), float(v) * scale, value, names)


def expected_spending(model: SpendingModel, frequency: ArrayLike, mean: ArrayLike) -> NDArray:
    """Return what a purchase of each customer is expected to be worth.

    Parameters
    ----------
    model : SpendingModel
    frequency, mean : (n,) arrays
        As for `fit_spending`.

    Returns
    -------
    (n,) float64 array
        The model's mean for customers who bought once.
    """
    x, m = (np.asarray(values, np.float64) for values in (frequency, mean))
    known = (x > 0) & (m > 0)
    x, m = np.where(known, x, 0), np.where(known, m, 0)
    return model.p * (model.v + x * m) / (model.p * x + model.q - 1)


def spending_correlation(frequency: ArrayLike, mean: ArrayLike) -> float:
    """Return the correlation of the number of repeat purchases with their mean amount; 0 where one does not vary."""
    x, m = (np.asarray(values, np.float64) for values in (frequency, mean))
    use = (x > 0) & (m > 0)
    if use.sum() < 3 or np.ptp(x[use]) == 0 or np.ptp(m[use]) == 0:
        return 0.0
    return float(np.corrcoef(x[use], m[use])[0, 1])
