"""How many nats it takes to say who links to whom, by way of classes: what the block model makes as small as it can.

The degrees are taken as known, as under the configuration model, whose own length this is with one class. Said are, in turn:
the classes of the nodes; how much each class links to each other, where the sums of the rows are known from the degrees; and
which of the graphs with these counts and degrees it is (Peixoto 2017, doi:10.1103/PhysRevE.95.012317, eqs. 3, 25 and 27).
Without correction of degrees, nothing is known of them, and every node of a class is as likely as any other to have a link.
"""

import numpy as np
from scipy.special import gammaln

__all__ = ["counts_length", "degree_partition_length", "description_length", "links_length", "partition_length"]


def description_length(
    counts: np.ndarray, sizes: np.ndarray, *, directed: bool = False, degree_corrected: bool = True
) -> float:
    """Return the description length of a partition in nats, but for what no partition changes.

    Parameters
    ----------
    counts : (k, k) float64 array
        Links from class r to class s; undirected: both directions, so that the diagonal holds twice what is inside.
    sizes : (k,) int array
        Nodes of each class.
    directed, degree_corrected : bool

    Returns
    -------
    float
    """
    return (
        partition_length(sizes)
        + counts_length(counts, directed=directed, degree_corrected=degree_corrected)
        + links_length(counts, sizes, directed=directed, degree_corrected=degree_corrected)
    )


def partition_length(sizes: np.ndarray) -> float:
    """Return what it takes to say which class each node is of: how many there are, their sizes, and who is where."""
    sizes = sizes[sizes > 0]
    n, k = int(sizes.sum()), len(sizes)
    if n == 0:
        return 0.0
    return float(np.log(n) + _log_choose(n - 1, k - 1) + gammaln(n + 1) - gammaln(sizes + 1.0).sum())


def degree_partition_length(table: np.ndarray) -> float:
    """Return the same where it is said for nodes of like degrees together: short where classes differ in their degrees.

    ``table`` counts the nodes of each bin of degrees (rows) in each class.
    """
    table = table[:, table.any(axis=0)]
    n, k = float(table.sum()), table.shape[1]
    if n == 0 or k < 2:
        return float(np.log(max(n, 1.0)))
    of_bin = table.sum(axis=1)
    choices = gammaln(of_bin + k) - gammaln(of_bin + 1) - gammaln(k)
    return float(np.log(n) + (choices + gammaln(of_bin + 1) - gammaln(table + 1).sum(axis=1)).sum())


def counts_length(counts: np.ndarray, *, directed: bool, degree_corrected: bool) -> float:
    """Return what it takes to say the counts: the shorter of two ways to do it.

    Either as one of the ways to put that many links on the pairs of classes; or, with degrees known, pair by pair, where the
    row or column with fewer links bounds the count, and the last row and column (the diagonal) follow from the sums.
    """
    k = len(counts)
    total = counts.sum() if directed else counts.sum() / 2
    pairs = k * k if directed else k * (k + 1) // 2
    together = _log_choose(pairs + total - 1, total)
    if not degree_corrected or k == 1:
        return 0.0 if k == 1 else float(together)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    bounds = np.log1p(np.minimum(rows[:, None], columns))
    if directed:
        last = int(np.argmax(rows + columns))
        one_by_one = np.delete(np.delete(bounds, last, 0), last, 1).sum()
    else:
        one_by_one = bounds[np.triu_indices(k, 1)].sum()
    return float(min(together, one_by_one) + np.log(2))


def links_length(counts: np.ndarray, sizes: np.ndarray, *, directed: bool, degree_corrected: bool) -> float:
    """Return what it takes to say which graph it is, when classes and counts are known."""
    if directed:
        fitted = gammaln(counts + 1).sum()
    else:
        inside = np.diag(counts) / 2
        between = counts[np.triu_indices(len(counts), 1)]
        fitted = gammaln(between + 1).sum() + (gammaln(inside + 1) + inside * np.log(2)).sum()
    ends = (counts.sum(axis=1), counts.sum(axis=0)) if directed else (counts.sum(axis=1),)
    if degree_corrected:
        return float(sum(gammaln(degree + 1).sum() for degree in ends) - fitted)
    logs = np.log(np.maximum(sizes, 1))
    return float(sum((degree * logs).sum() for degree in ends) - fitted)


def _log_choose(n: float, k: float) -> float:
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
