"""Networks whose links have times and whose classes change as planted."""

import numpy as np


def planted_in_time(classes, seed=0, *, links=14, ratio=20.0):
    """Return sources, targets and windows of links drawn anew in each window, ``ratio`` times as often within a class.

    ``classes`` is a list of (n,) arrays, one for each window; nodes of class -1 have no links then. Each node has about ``links``.
    """
    rng = np.random.default_rng(seed)
    found = []
    for t, own in enumerate(classes):
        there = own >= 0
        n, k = there.sum(), len(np.unique(own[there]))
        outside = links / (n * (ratio / k + 1 - 1 / k))
        rates = np.where(own[:, None] == own, outside * ratio, outside) * np.outer(there, there)
        pairs = np.argwhere(np.triu(rng.random(rates.shape) < rates, 1))
        found.append(np.column_stack([pairs, np.full(len(pairs), t)]))
    return np.concatenate(found)


def write_dated(path, links, header="from,to,date"):
    """Write links as CSV, window t in the month t of 2026."""
    days = np.random.default_rng(0).integers(1, 28, len(links))
    lines = [f"p{a},p{b},2026-{t + 1:02d}-{day:02d}" for (a, b, t), day in zip(links, days, strict=True)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path
