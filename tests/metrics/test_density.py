"""DBCV against the formulas of its paper, written with full matrices."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs, make_moons

from coterie import metrics
from coterie.errors import InputError
from coterie.primitives.engine import threads


def tree_of(reach, core, distance):
    """Take edges by mutual reachability, then by the denser end, then by distance, unless they close a circle."""
    i, j = np.triu_indices(len(core), 1)
    group, edges = np.arange(len(core)), []
    for e in np.lexsort((distance[i, j], np.minimum(core[i], core[j]), reach[i, j])):
        if group[i[e]] != group[j[e]]:
            group[group == group[j[e]]] = group[i[e]]
            edges.append((i[e], j[e]))
    return np.array(edges)


def dbcv_by_the_paper(X, y):
    n, d = X.shape
    distance = cdist(X, X)
    core = np.zeros(n)
    for i in range(n):
        mates = (y == y[i]) & (np.arange(n) != i)
        core[i] = ((distance[i, mates] ** -float(d)).sum() / mates.sum()) ** (-1 / d)
    reach = np.maximum(np.maximum(distance, core[:, None]), core)
    names = np.unique(y[y >= 0])
    inner, sparse = {}, {}
    for c in names:
        rows = np.flatnonzero(y == c)
        here = np.ix_(rows, rows)
        edges = tree_of(reach[here], core[rows], distance[here])
        degree = np.bincount(edges.ravel(), minlength=len(rows))
        between = [reach[rows[i], rows[j]] for i, j in edges if degree[i] > 1 and degree[j] > 1]
        inner[c], sparse[c] = rows[degree > 1], max(between)
    total = 0.0
    for c in names:
        apart = min(reach[np.ix_(inner[c], inner[o])].min() for o in names if o != c)
        total += (y == c).sum() / n * (apart - sparse[c]) / max(apart, sparse[c])
    return total


@pytest.mark.parametrize("d", [2, 3, 5])
@pytest.mark.parametrize("seed", range(6))
def test_dbcv_equals_the_formulas_of_the_paper(d, seed):
    X, y = make_blobs(120, d, centers=3, cluster_std=1.5, random_state=seed)
    y = np.where(np.arange(120) % 11 == 0, -1, y)
    assert metrics.dbcv_score(X, y) == pytest.approx(dbcv_by_the_paper(X, y), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_does_not_matter(seed):
    X, y = make_blobs(150, 2, centers=3, cluster_std=1.5, random_state=1)
    order = np.random.default_rng(seed).permutation(150)
    assert metrics.dbcv_score(X[order], y[order]) == pytest.approx(metrics.dbcv_score(X, y), rel=1e-12)


def test_threads_do_not_change_a_bit():
    X, y = make_blobs(2000, 2, centers=4, random_state=0)
    found = []
    for n in (1, 2, 4):
        with threads(n):
            found.append(metrics.dbcv_score(X, y))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_dbcv_does_not_depend_on_the_unit(unit):
    X, y = make_blobs(100, 2, centers=3, random_state=1)
    assert metrics.dbcv_score(X * unit, y) == pytest.approx(metrics.dbcv_score(X, y), rel=1e-9)


def test_dbcv_prefers_the_moons_to_a_cut_through_them():
    X, y = make_moons(300, noise=0.05, random_state=0)
    score, by_cluster = metrics.dbcv_score(X, y, per_cluster=True)
    assert score > 0.3 > 0.0 > metrics.dbcv_score(X, (X[:, 0] > 0.5).astype(int))
    assert by_cluster.shape == (2,)


def test_dbcv_stays_finite_with_many_columns_and_duplicates():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(c, 1, (30, 200)) for c in (0, 20)])
    X = np.vstack([X, X[:5]])
    score = metrics.dbcv_score(X, [0] * 30 + [1] * 30 + [0] * 5)
    assert 0.5 < score <= 1.0


def test_noise_and_single_rows_only_lower_the_weight_of_the_clusters():
    X, y = make_blobs(90, 2, centers=3, random_state=1)
    far = np.vstack([X, [[1e3, 1e3]], [[-1e3, 1e3]]])
    score = metrics.dbcv_score(far, np.r_[y, -1, 7])
    assert score == pytest.approx(metrics.dbcv_score(X, y) * 90 / 92, rel=1e-9)


def test_equal_rows_give_the_middle_score():
    assert metrics.dbcv_score(np.zeros((6, 2)), [0, 0, 0, 1, 1, 1]) == 0.0


def test_two_clusters_of_two_rows_are_the_least():
    with pytest.raises(InputError, match="at least 2 clusters of 2 rows or more, got 1"):
        metrics.dbcv_score(np.arange(6.0)[:, None], [0, 0, 0, 1, -1, -1])
