"""Agreement of a clustering with known classes from nothing but the table of counts of class and cluster.

Whoever has counted rows in parts adds the tables up, and asks here; `coterie.metrics.external` says what the scores mean.
"""

import numpy as np

__all__ = [
    "accuracy_of",
    "adjusted_mutual_info_of",
    "adjusted_rand_of",
    "information_of",
    "normalized_accuracy_of",
    "pairs_of",
]

_MANY = 10_000.0  # expected rows of a cell beyond which the first terms of a series replace the sum over all counts


def pairs_of(table: np.ndarray) -> tuple[int, float, float, float]:
    """Return n, and the ordered pairs of different rows that are together in both labellings, in the first, in the second."""
    n = int(table.sum())
    both, a, b = (float((counts.astype(np.float64) ** 2).sum()) - n for counts in (table, table.sum(1), table.sum(0)))
    return n, both, a, b


def adjusted_rand_of(table: np.ndarray) -> float:
    """Give the adjusted Rand index of a table of counts, (classes, clusters) int."""
    n, together, a, b = pairs_of(table)
    if n < 2 or a + b == 0 or (together == a == b):
        return 1.0
    expected = a * b / (float(n) * (n - 1))
    top, bottom = together - expected, (a + b) / 2 - expected
    return float(top / bottom) if bottom else 0.0


def information_of(table: np.ndarray) -> tuple[float, float, float]:
    """Return the mutual information of two labellings and their entropies, in nats."""
    n = float(table.sum())
    if n == 0:
        return 0.0, 0.0, 0.0
    a, b = table.sum(1), table.sum(0)
    i, j = np.nonzero(table)
    counts = table[i, j].astype(np.float64)
    shared = float((counts / n * (np.log(counts * n) - np.log(a[i]) - np.log(b[j]))).sum())
    h, g = (float(-(sizes / n * np.log(sizes / n)).sum()) if len(sizes) > 1 else 0.0 for sizes in (a, b))
    # Rounding leaves traces where nothing is shared, and a hair above what there is.
    return (0.0 if shared < 1e-15 else min(shared, h, g)), h, g


def adjusted_mutual_info_of(table: np.ndarray) -> float:
    """Give the adjusted mutual information of a table of counts, (classes, clusters) int, each of them with a row."""
    filled = table > 0
    if filled.sum() == len(table) == table.shape[1]:
        return 1.0  # the same partition twice, maybe of one part
    shared, h, g = information_of(table)
    expected = _expected_information(table.sum(1), table.sum(0))
    room = (h + g) / 2 - expected
    least = np.finfo(np.float64).eps
    return float((shared - expected) / (min(room, -least) if room < 0 else max(room, least)))


def accuracy_of(table: np.ndarray) -> float:
    """Give the share of rows that the best one-to-one matching of clusters to classes gets right."""
    return float(_best_matching(table) / table.sum()) if table.size else 1.0


def normalized_accuracy_of(table: np.ndarray) -> float:
    """Give the mean share of each class, above chance, that the best matching gets right; each class has a row."""
    k = len(table)
    if k < 2:
        return 1.0
    shares = table / table.sum(axis=1, keepdims=True)
    return float((_best_matching(shares) / k - 1 / k) / (1 - 1 / k))


def _best_matching(table: np.ndarray) -> float:
    """Return the largest total of entries of which no two share a row or a column."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table, maximize=True)
    return table[rows, columns].sum()


def _expected_information(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mutual information that labellings with classes of these sizes share by chance (Vinh et al. 2010, eq. 24a).

    Equal sizes are computed once. Of a cell's counts only those are added up that can occur in double precision: their number is
    some multiple of the root of what is expected, so that the cost does not grow with n.
    """
    n = int(a.sum())
    sizes, others = (np.unique(values, return_counts=True) for values in (a, b))
    total = 0.0
    for size, times in zip(*sizes, strict=True):
        for other, more in zip(*others, strict=True):
            total += float(times) * float(more) * _of_cell(int(size), int(other), n)
    return total


def _of_cell(a: int, b: int, n: int) -> float:
    """Return the mean of ``x/n log(n x / (a b))`` over the hypergeometric counts x of a cell."""
    from scipy.special import gammaln

    mean = a * b / n
    variance = mean * (1 - a / n) * (1 - b / n) * n / max(n - 1, 1)
    if mean > _MANY:
        third = variance * (1 - 2 * a / n) * (1 - 2 * b / n)
        return (variance / (2 * mean) - third / (6 * mean**2) + variance**2 / (4 * mean**3)) / n
    reach = 12 * variance**0.5 + 60
    x = np.arange(max(1, a + b - n, int(mean - reach)), min(a, b, int(mean + reach) + 1) + 1, dtype=np.float64)
    log_odds = -(gammaln(x + 1) + gammaln(a - x + 1) + gammaln(b - x + 1) + gammaln(n - a - b + x + 1))
    constant = gammaln(a + 1) + gammaln(b + 1) + gammaln(n - a + 1) + gammaln(n - b + 1) - gammaln(n + 1)
    return float((np.exp(log_odds + constant) * x / n * np.log(x / mean)).sum())
