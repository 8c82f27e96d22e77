"""The reachability plot of OPTICS (Ankerst et al. 1999): valleys are groups, peaks part them."""

from typing import Any

import numpy as np

from ...arrays import to_numpy
from ._common import main_groups, short

__all__ = ["reachability"]

MOST_BARS = 1_000


def reachability(estimator: Any, labels: np.ndarray, X: np.ndarray | None = None) -> dict[str, Any] | None:
    """Give how far each row was reached, in the order of the walk.

    Parameters
    ----------
    estimator : estimator
        Fitted; with ``ordering_`` and ``reachability_``.
    labels : (n,) int array
        Final labels, noise -1.
    X : ignored

    Returns
    -------
    dict or None
        A bar for each row, or for ``rows_a_bar`` rows that follow each other: the ``typical`` height (their median), the ``highest``
        one where a bar is of several rows, and the ``group`` of most of them. None stands for the start of a walk.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import OPTICS
    >>> model = OPTICS(min_samples=2).fit(np.array([[0.0], [1.0], [1.5], [9.0]]))
    >>> reachability(model, model.labels_)["typical"]
    [None, 1.0, 0.5, 7.5]
    """
    if not hasattr(estimator, "ordering_") or not hasattr(estimator, "reachability_"):
        return None
    order = np.asarray(to_numpy(estimator.ordering_))
    heights = np.asarray(to_numpy(estimator.reachability_))[order]
    n = len(order)
    rows_a_bar = max(1, -(-n // MOST_BARS))
    bar = np.arange(n) // rows_a_bar
    bars = int(bar[-1]) + 1 if n else 0
    starts = np.arange(0, n, rows_a_bar)
    ends = np.minimum(starts + rows_a_bar, n)
    typical = [np.sort(heights[a:b])[(b - a - 1) // 2] for a, b in zip(starts, ends, strict=True)]
    shape = {
        "rows_a_bar": rows_a_bar,
        "typical": short(typical),
        "group": main_groups(bar, bars, labels[order])[0].tolist(),
    }
    return shape if rows_a_bar == 1 else shape | {"highest": short(np.maximum.reduceat(heights, starts))}
