"""How the forecast and the segments fare on what came after the cut-off, of which neither saw anything."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .worth import Forecast

__all__ = ["HeldOut", "held_out", "spending_r2", "spread_of_means", "top_share"]

_DRAWS = 500


class HeldOut(NamedTuple):
    """What customers did after the cut-off, beside what was expected.

    Attributes
    ----------
    days : int
        From the cut-off to the end of the file.
    purchases, spent : (n,) arrays
    figures : dict
        Names as in the metrics of the record.
    """

    days: int
    purchases: NDArray[np.int64]
    spent: NDArray[np.float64]
    figures: dict[str, float]


def held_out(
    days: int,
    purchases: NDArray[np.int64],
    spent: NDArray[np.float64],
    expected: Forecast,
    labels: NDArray[np.int64],
    past_spent: NDArray[np.float64],
) -> HeldOut:
    """Compare.

    Parameters
    ----------
    days : int
        Length of the hold-out, which is also the forecast's horizon.
    purchases, spent : (n,) arrays
        What each customer did.
    expected : Forecast
    labels : (n,) int64 array
        Segments.
    past_spent : (n,) float64 array
        What each spent up to the cut-off: the plain rival of the forecast.

    Returns
    -------
    HeldOut
    """
    error = expected.purchases - purchases
    actual = max(float(purchases.sum()), 1e-300)
    figures = {
        "purchase_correlation": _correlation(expected.purchases, purchases.astype(np.float64)),
        "purchase_mae": float(np.abs(error).mean()),
        "purchase_rmse": float(np.sqrt((error**2).mean())),
        "purchase_total_error": float(error.sum() / actual) if purchases.any() else float("nan"),
        "spending_r2": spending_r2(spent, labels),
        "top_decile_share": top_share(expected.value, spent),
        "top_decile_share_past_spending": top_share(past_spent, spent),
        "top_decile_share_perfect": top_share(spent, spent),
    }
    return HeldOut(days, purchases, spent, figures)


def spread_of_means(
    values: NDArray[np.float64], labels: NDArray[np.int64], k: int, seed: int
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the mean of each segment, and the bounds that hold it in 95 of 100 draws of its customers."""
    rng = np.random.default_rng(seed)
    mean, low, high = np.zeros((3, k))
    for c in range(k):
        own = values[labels == c]
        mean[c] = own.mean()
        drawn = np.array([own[rng.integers(0, len(own), len(own))].mean() for _ in range(_DRAWS)])
        low[c], high[c] = np.quantile(drawn, (0.025, 0.975))
    return mean, low, high


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else float("nan")


def spending_r2(values: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the share of the variance that lies between segments."""
    sizes = np.bincount(labels)
    means = np.bincount(labels, values) / np.maximum(sizes, 1)
    total = float(((values - values.mean()) ** 2).sum())
    return float(sizes @ (means - values.mean()) ** 2 / total) if total > 0 else float("nan")


def top_share(score: NDArray[np.float64], spent: NDArray[np.float64]) -> float:
    """Return the share of what was spent by the tenth of the customers with the highest score."""
    top = np.argsort(-score, kind="stable")[: max(round(0.1 * len(score)), 1)]
    total = float(spent.sum())
    return float(spent[top].sum() / total) if total > 0 else float("nan")
