"""What customers will buy, and what that is worth today.

Without a contract: expected purchases of each (BG/NBD) times what a purchase of theirs is worth (gamma-gamma), discounted. With a
contract: a price a month for as long as customers of the segment stay.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .behaviour import Behaviour
from .purchases import PurchaseModel, expected_purchases, fit_purchases, probability_alive
from .spending import FEWEST_REPEATERS, SpendingModel, expected_spending, fit_spending, spending_correlation

__all__ = ["DAYS_A_MONTH", "Forecast", "contract_value", "forecast"]

DAYS_A_MONTH = 365.25 / 12
_WEEK = 7.0
_WEEKS_A_YEAR = 365.25 / 7
_STEPS = 12  # in which the horizon is discounted


class Forecast(NamedTuple):
    """What is expected of each customer within the horizon.

    Attributes
    ----------
    purchase_model : PurchaseModel
        In weeks.
    spending_model : SpendingModel or None
        None where fewer than five customers came back and paid.
    correlation : float
        Of how often with how much, which the spending model takes to be 0.
    alive : (n,) float64 array
        Probability that a customer may still buy.
    purchases, spending, value : (n,) float64 arrays
        Expected purchases; what they are expected to spend; that times the margin, discounted.
    """

    purchase_model: PurchaseModel
    spending_model: SpendingModel | None
    correlation: float
    alive: NDArray[np.float64]
    purchases: NDArray[np.float64]
    spending: NDArray[np.float64]
    value: NDArray[np.float64]


def forecast(seen: Behaviour, horizon_days: float, *, margin: float = 1.0, discount: float = 0.0) -> Forecast:
    """Foretell purchases and spending from what was seen.

    Parameters
    ----------
    seen : Behaviour
    horizon_days : float
    margin : float, default=1
        Share of what is spent that is earned.
    discount : float, default=0
        A year.

    Returns
    -------
    Forecast

    Raises
    ------
    InputError
        If nobody came back, so that nothing can be said.
    """
    x = seen.frequency
    known = x, seen.active / _WEEK, seen.age / _WEEK
    model = fit_purchases(*known)
    times = np.linspace(0, horizon_days / _WEEK, _STEPS + 1)
    within = expected_purchases(model, times[1:], *known)
    each = np.diff(within, axis=1, prepend=0.0)
    discounted = each @ (1 + discount) ** (-(times[1:] + times[:-1]) / 2 / _WEEKS_A_YEAR)
    paid_again = int(((x > 0) & (seen.mean > 0)).sum())
    spending = fit_spending(x, seen.mean) if paid_again >= FEWEST_REPEATERS else None
    if spending is not None:
        worth = expected_spending(spending, x, seen.mean)
    else:
        worth = np.full(len(x), max(float(seen.total.sum() / (x + 1).sum()), 0.0))
    return Forecast(
        model, spending, spending_correlation(x, seen.mean), probability_alive(model, *known),
        within[:, -1], within[:, -1] * worth, margin * discounted * worth,
    )  # fmt: skip


def contract_value(
    price: NDArray[np.float64], churn: NDArray[np.float64], *, margin: float, discount: float, months: float | None
) -> NDArray[np.float64]:
    """Return what subscribers are worth: the price of now and of each month they stay, discounted.

    Parameters
    ----------
    price, churn : (n,) float64 arrays
        A month; the share lost a month.
    margin : float
    discount : float
        A year.
    months : float or None
        Within which; None is for as long as they stay.

    Returns
    -------
    (n,) float64 array
        Infinite where nobody is lost, nothing discounted and no end given.
    """
    kept = (1 - churn) / (1 + discount) ** (1 / 12)
    if months is not None:
        payments = np.where(kept < 1, (1 - kept**months) / np.maximum(1 - kept, 1e-300), months)
    else:
        payments = np.where(kept < 1, 1 / np.maximum(1 - kept, 1e-300), np.inf)
    return margin * price * payments
