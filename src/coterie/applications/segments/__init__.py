"""Segments of customers: who they are, what they are worth, and rules that put the next customer into one.

``MarketSegmentation`` takes purchases or subscriptions. Its parts can be used alone: `fit_purchases` (BG/NBD), `fit_spending`
(gamma-gamma), `mrr_bridge`.
"""

from .market import MarketSegmentation
from .purchases import PurchaseModel, expected_purchases, fit_purchases, probability_alive
from .spending import SpendingModel, expected_spending, fit_spending, spending_correlation

__all__ = [
    "MarketSegmentation",
    "PurchaseModel",
    "SpendingModel",
    "expected_purchases",
    "expected_spending",
    "fit_purchases",
    "fit_spending",
    "probability_alive",
    "spending_correlation",
]
