"""Customers for tests: the published CDNOW sample where it is installed, and made ones."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

CDNOW = {"id": "column_2", "date": "column_3", "amount": "column_5", "cutoff": "1997-09-30"}


def cdnow_sample():
    """Return the file of the CDNOW sample, or skip: the package lifetimes ships it."""
    found = importlib.util.find_spec("lifetimes")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the CDNOW sample comes with the package lifetimes, which is not installed")
    return Path(next(iter(found.submodule_search_locations))) / "datasets" / "CDNOW_sample.txt"


def made_purchases(n=150, seed=0, start="2023-01-01", days=540):
    """Return purchases of customers who buy at rates and amounts of their own, and stop some day."""
    rng = np.random.default_rng(seed)
    customer, day, amount = [], [], []
    for i in range(n):
        came, rate, leaves, usual = rng.integers(0, 200), rng.gamma(0.6, 0.03), rng.beta(0.8, 2.5), rng.gamma(4, 10)
        when = float(came)
        while when < days:
            customer.append(f"c{i:03d}")
            day.append(int(when))
            amount.append(round(float(rng.gamma(6, usual / 6)) + 0.01, 2))
            if when > came and rng.random() < leaves:
                break
            when += rng.exponential(1 / max(rate, 1e-4)) + 1
    dates = np.datetime64(start) + np.array(day)
    return {"customer_id": np.array(customer, object), "date": dates, "amount": np.array(amount)}


def made_subscriptions(n=120, seed=0):
    """Return subscriptions that start, end, grow, shrink and come back."""
    rng = np.random.default_rng(seed)
    lines = []
    for i in range(n):
        begin = int(rng.integers(0, 500))
        for _ in range(int(rng.integers(1, 4))):
            end = begin + int(rng.integers(20, 400))
            price = round(float(rng.choice([9.99, 19.99, 49.0])) + int(rng.integers(0, 100)) / 100, 2)
            lines.append((f"s{i}", begin, end if end < 700 else None, price))
            if end >= 700:
                break
            begin = end + int(rng.choice([0, 0, 45]))
    first = np.datetime64("2022-01-01")
    return {
        "customer": np.array([line[0] for line in lines], object),
        "start": np.array([first + line[1] for line in lines]),
        "end": np.array([np.datetime64("NaT") if line[2] is None else first + line[2] for line in lines]),
        "price": np.array([line[3] for line in lines]),
    }
