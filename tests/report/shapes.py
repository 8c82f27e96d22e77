"""Every view that a record can have, made by hand for groups of any number."""

import numpy as np


def make_shapes(k, seed=0):
    """Return the ``shapes`` of a record of ``k`` groups."""
    rng = np.random.default_rng(seed)
    shown = list(range(min(k, 60)))
    return {
        "silhouettes": {
            "rows": 190, "exact": True, "mean": 0.55,
            "groups": [
                {"group": i, "size": 40 - i % 30, "drawn": 40 - i % 30, "mean": 0.5, "below": 0.05, "values": sorted(rng.uniform(-0.2, 0.9, 20).round(3).tolist(), reverse=True)}
                for i in shown
            ],
        },
        "dendrogram": {
            "height": "distance between the parts that merge", "cut": 4.5, "all_merges": 199,
            "leaves": [{"rows": 10, "group": i, "share": 1.0} for i in shown for _ in range(2)],
            "merges": [{"left": 2 * i, "right": 2 * i + 1, "height": 1.0, "group": i} for i in shown]
            + [{"left": 2 * len(shown) + (i and len(shown) + i - 1), "right": 2 * len(shown) + i + 1, "height": 5.0 + i, "group": None} for i in shown[:-1]],
        },
        "reachability": {
            "rows_a_bar": 2, "typical": [None, *rng.uniform(0.1, 1, 10 * len(shown) - 1).round(3).tolist()],
            "highest": [None, *rng.uniform(1, 2, 10 * len(shown) - 1).round(3).tolist()],
            "group": [i if j else -1 for i in shown for j in range(10)],
        },
        "condensed_tree": {
            "left_out": 3,
            "clusters": [{"parent": None, "birth": None, "rows": 200, "group": None, "steps": {"distance": [3.0, 2.0], "left": [190, 0]}}]
            + [{"parent": 0, "birth": 2.0, "rows": 190 // len(shown), "group": i, "steps": {"distance": [1.0, 0.5, 0.0], "left": [9, 4, 0]}} for i in shown],
        },
        "cells": {
            "columns": ["Annual Income (k$)", "Spending Score (1-100)"], "across": 8, "up": 8, "left_out": 0,
            "x": [i % 8 for i in shown], "y": [i // 8 for i in shown], "rows": [i + 1 for i in shown], "group": shown,
        },
        "subspaces": {"left_out": 0, "found": [{"columns": ["Age", "Annual Income (k$)"], "cells": 4, "rows": 38, "group": 0}, {"columns": ["Age"], "cells": 2, "rows": 60, "group": None}]},
    }  # fmt: skip
