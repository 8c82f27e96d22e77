"""k-prototypes on rows of numbers and categories."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case


def make(n: int, k: int) -> tuple:
    """Return rows of four numbers and four categories of eight values around k prototypes, and k."""
    numbers, group = blobs(n, 4, k, 3.0, np.float64)
    random = np.random.default_rng(1)
    codes = random.integers(0, 8, (k, 4))[group]
    noise = random.random((n, 4)) < 0.3
    codes[noise] = random.integers(0, 8, int(noise.sum()))
    return np.column_stack([numbers, codes]), k


def coterie(data: tuple, init: str) -> Any:
    """All cores, one start."""
    from coterie import KPrototypes

    X, k = data
    return lambda: KPrototypes(k, categorical=[4, 5, 6, 7], init=init, n_init=1, gamma=5.0, random_state=0).fit(X)


def kmodes(data: tuple) -> Any:
    """One core, one start."""
    from kmodes.kprototypes import KPrototypes

    X, k = data
    return lambda: KPrototypes(k, init="Cao", n_init=1, gamma=5.0, random_state=0).fit(X, categorical=[4, 5, 6, 7])


def quality(data: tuple, model: Any) -> dict:
    """Return the cost of the labels around their own means and modes."""
    X, _ = data
    labels, total = np.asarray(model.labels_), 0.0
    for cluster in np.unique(labels):
        rows = X[labels == cluster]
        total += float(((rows[:, :4] - rows[:, :4].mean(axis=0)) ** 2).sum())
        for codes in rows[:, 4:].T.astype(int):
            total += 5.0 * (len(codes) - np.bincount(codes).max())
    return {"cost": f"{total:.6g}"}


PEERS = {"coterie": partial(coterie, init="cao"), "coterie huang": partial(coterie, init="huang"), "kmodes": kmodes}

CASES = [
    Case("kprototypes-20k-k8", partial(make, 20_000, 8), dict(PEERS), quality, {"kmodes": 100}, ("kmodes",)),
    Case(
        "kprototypes-1M-k16", partial(make, 1_000_000, 16), {"coterie": partial(coterie, init="cao")}, quality,
    ),
]  # fmt: skip
