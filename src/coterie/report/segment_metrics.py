"""What each figure of a segmentation is called, how it is written, and how it is worked out."""

from collections.abc import Mapping
from typing import Any

__all__ = ["WORDS", "segment_metrics"]

# name: (label, format, definition); those that stand at the top of the page are in _KEYS.
_METRICS: dict[str, tuple[str, str, str]] = {
    "customers": ("Customers", "integer", "customers who had bought, or subscribed, by the cut-off"),
    "segments": ("Segments", "integer", "segments, those set apart as whales among them"),
    "w_over_t": (
        "Variance within segments", "percent",
        "sum over segments of squared distances to the segment's mean, over the sum of squared distances to the mean of all; of log(1 + value) "
        "of each column, scaled to variance 1 (recency, frequency and total spent; or tenure and price)",
    ),
    "least_share": ("Smallest segment", "percent", "share of the customers in the smallest segment, whales left out"),
    "silhouette": (
        "Silhouette", "number",
        "mean over customers of (b - a) / max(a, b): a the mean distance to the own segment, b to the nearest other; on a sample where there are "
        "many",
    ),
    "stability": (
        "Stability", "number",
        "mean adjusted Rand index of 20 pairs of segmentations of random 80% of the customers, on those in both; 1 is always the same, 0 is chance",
    ),
    "rule_fidelity": (
        "Rules put right", "percent", "share of the customers whom the rules in rules.csv put into their segment"
    ),
    "revenue": ("Revenue so far", "money", "all amounts up to the cut-off, less returns"),
    "repeat_share": ("Came back", "percent", "share of customers who bought on more than one day up to the cut-off"),
    "expected_spending": (
        "Expected spending", "money",
        "sum over customers of expected purchases within the horizon (BG/NBD) times expected amount of a purchase (gamma-gamma)",
    ),
    "clv_mean": (
        "Value of a customer", "money",
        "mean over customers of margin times expected spending within the horizon, each twelfth of it divided by (1 + discount) to the power of the "
        "years until then",
    ),
    "spending_correlation": (
        "How often with how much", "number",
        "correlation of repeat purchases with their mean amount over customers who came back; the value model takes it to be 0, and above 0.3 it "
        "should not be trusted",
    ),
    "purchase_correlation": (
        "Forecast with outcome", "number",
        "correlation over customers of expected purchases with those made after the cut-off",
    ),
    "purchase_mae": ("Forecast off by", "number", "mean absolute difference of expected and made purchases of a customer"),
    "purchase_rmse": (
        "Forecast off by (root mean square)", "number",
        "square root of the mean squared difference of expected and made purchases of a customer",
    ),
    "purchase_total_error": (
        "Forecast of all purchases", "percent",
        "expected purchases of all customers over those made, less 1: below 0 is too few",
    ),
    "spending_r2": (
        "Later spending told by segments", "percent",
        "share of the variance of what customers spent after the cut-off that lies between segments",
    ),
    "top_decile_share": (
        "Later spending by the best tenth", "percent",
        "share of what was spent after the cut-off by the tenth of the customers with the highest expected value",
    ),
    "top_decile_share_past_spending": (
        "The same, picked by past spending", "percent",
        "share of what was spent after the cut-off by the tenth of the customers who had spent most before",
    ),
    "top_decile_share_perfect": (
        "The same, picked in hindsight", "percent",
        "share of what was spent after the cut-off by the tenth of the customers who spent most of it: no forecast can do better",
    ),
    "cac": ("Cost to win a customer", "money", "acquisition spend of all months given, over the customers won in them"),
    "mrr": (
        "Monthly recurring revenue", "money",
        "sum of the monthly prices of subscriptions that are active at the end of the cut-off day; a yearly price counts a twelfth",
    ),
    "active": ("Active customers", "integer", "customers with an active subscription at the cut-off"),
    "left_share": ("Customers who left", "percent", "share of all customers ever who have no active subscription at the cut-off"),
    "churn_a_month": (
        "Churn a month", "percent",
        "how often customers left, over the calendar months that all of them were there: a month begun counts whole, months without a subscription do not, "
        "and who came back and left again left twice",
    ),
    "mrr_unexplained": (
        "Revenue unexplained", "money",
        "largest difference, over months, of revenue at the end from start + new + expansion - contraction - churned, counted in whole cents",
    ),
    "bg_nbd_r": ("BG/NBD r", "number", "shape of the gamma distribution of purchase rates"),
    "bg_nbd_alpha": ("BG/NBD alpha", "number", "rate of that distribution, in weeks"),
    "bg_nbd_a": ("BG/NBD a", "number", "first parameter of the beta distribution of the probability to leave after a purchase"),
    "bg_nbd_b": ("BG/NBD b", "number", "second parameter of that distribution"),
    "gamma_gamma_p": ("Gamma-gamma p", "number", "shape of a customer's amounts"),
    "gamma_gamma_q": ("Gamma-gamma q", "number", "shape of the distribution of mean amounts over customers"),
    "gamma_gamma_v": ("Gamma-gamma v", "number", "scale of that distribution, in money"),
}  # fmt: skip
_KEYS = {
    "w_over_t", "stability", "rule_fidelity", "spending_r2", "top_decile_share", "mrr", "churn_a_month", "clv_mean", "cac",
}  # fmt: skip

WORDS = (
    ("recency", "days from a customer's last purchase to the cut-off"),
    ("repeat purchases", "days with a purchase after the first; several orders on one day count once"),
    ("cut-off", "the last day that segments and forecasts know of; what comes later only tests them"),
    (
        "CLV",
        "customer lifetime value: what a customer is expected to earn from the cut-off on, within the horizon, in money of today; what was paid before is not in it",
    ),
    ("CAC", "customer acquisition cost: what it cost to win a customer"),
    (
        "paid back after",
        "months in which what a customer is expected to earn from the cut-off on makes up for the CAC; what was paid before is not counted",
    ),
    ("MRR", "monthly recurring revenue: what active subscriptions pay a month"),
    (
        "churn",
        "under contract, customers who left; without one nobody is seen to leave, and the page says how probably they did",
    ),
    (
        "probably gone",
        "1 less the model's probability that a customer still buys; the model knows nothing of this for who bought once",
    ),
    ("whales", "the few customers who spend most"),
)


def segment_metrics(figures: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return figures with labels and definitions, in the order of the table.

    Parameters
    ----------
    figures : mapping
        ``metrics_`` of a `MarketSegmentation`.

    Returns
    -------
    list of dict
        As a sheet takes them; a figure that is not a number is None.
    """
    return [
        {
            "name": name,
            "label": label,
            "value": None if figures[name] != figures[name] else figures[name],
            "format": form,
            "definition": definition,
            "key": name in _KEYS,
        }
        for name, (label, form, definition) in _METRICS.items()
        if name in figures
    ]
