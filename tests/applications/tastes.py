"""Ratings for tests, with tastes that were put into them."""

import numpy as np

__all__ = ["made_ratings"]


def made_ratings(n_users=90, n_items=60, seed=0, share=0.35):
    """Return ratings of users of three tastes: items of the own third are rated 4 or 5, others 1 to 3 and chosen less often."""
    rng = np.random.default_rng(seed)
    columns = {"user": [], "item": [], "rating": [], "time": []}
    start = np.datetime64("2024-01-01")
    for u in range(n_users):
        for i in range(n_items):
            own = u % 3 == i % 3
            if rng.random() < share * (1.6 if own else 0.4):
                columns["user"].append(f"u{u:03d}")
                columns["item"].append(i)
                columns["rating"].append(float(rng.integers(4, 6) if own else rng.integers(1, 4)))
                columns["time"].append(start + rng.integers(0, 300))
    return {name: np.array(values) for name, values in columns.items()}
