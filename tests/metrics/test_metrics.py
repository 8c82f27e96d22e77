"""Validity, agreement and stability scores against scikit-learn, brute force and known answers."""

import itertools

import numpy as np
import pytest
import sklearn.metrics
from sklearn.datasets import make_blobs, make_moons

from coterie import metrics
from coterie.errors import InputError


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(300, 4, centers=4, cluster_std=2.0, random_state=3)


@pytest.mark.parametrize("name", ["silhouette_score", "davies_bouldin_score", "calinski_harabasz_score"])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_internal_scores_equal_those_of_scikit_learn(name, offset, blobs):
    X, y = blobs
    assert getattr(metrics, name)(X + offset, y) == pytest.approx(getattr(sklearn.metrics, name)(X, y), rel=1e-6)


def test_silhouettes_of_rows_equal_those_of_scikit_learn_in_small_blocks(blobs, monkeypatch):
    X, y = blobs
    monkeypatch.setattr("coterie.metrics.internal.BLOCK_SIZE", 1000)
    np.testing.assert_allclose(metrics.silhouette_samples(X, y), sklearn.metrics.silhouette_samples(X, y), atol=1e-12)


def test_noise_takes_no_part_in_the_silhouette(blobs):
    X, y = blobs
    noisy = np.where(np.arange(len(y)) % 7 == 0, -1, y)
    kept = noisy >= 0
    assert metrics.silhouette_score(X, noisy) == pytest.approx(sklearn.metrics.silhouette_score(X[kept], y[kept]))
    assert (metrics.silhouette_samples(X, noisy)[~kept] == 0).all()


def test_sampled_silhouette_is_near_the_exact_one(blobs):
    X, y = blobs
    assert metrics.silhouette_score(X, y, sample_size=150) == pytest.approx(metrics.silhouette_score(X, y), abs=0.05)


@pytest.mark.parametrize("labels", [[0] * 6, [-1] * 6, [0, 1, 2, 3, 4, 5]])
def test_one_cluster_or_only_single_rows_are_refused(labels):
    with pytest.raises(InputError, match="at least 2 clusters"):
        metrics.silhouette_score(np.arange(12.0).reshape(6, 2), labels)


@pytest.mark.parametrize("name", ["adjusted_rand_score", "adjusted_mutual_info_score"])
@pytest.mark.parametrize("seed", range(4))
def test_external_scores_equal_those_of_scikit_learn(name, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
    assert getattr(metrics, name)(a, b) == pytest.approx(getattr(sklearn.metrics, name)(a, b), abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [([0, 0], [5, 5]), ([0, 1, 2], [2, 0, 1]), ([], []), ([0], [3])])
def test_equal_partitions_have_a_rand_index_of_one(a, b):
    assert metrics.adjusted_rand_score(a, b) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_accuracies_equal_the_best_of_all_matchings(seed):
    rng = np.random.default_rng(seed)
    truth, found = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    table = metrics.contingency_table(truth, found)[0]
    matchings = [table[np.arange(4), list(p)] for p in itertools.permutations(range(4))]
    assert metrics.clustering_accuracy(truth, found) == pytest.approx(max(m.sum() for m in matchings) / 50)
    best = max((m / table.sum(axis=1)).mean() for m in matchings)
    assert metrics.normalized_clustering_accuracy(truth, found) == pytest.approx((best - 0.25) / 0.75)


def test_normalised_accuracy_counts_small_classes_as_much_as_large_ones():
    truth, found = [0] * 98 + [1, 1], [0] * 100
    assert metrics.clustering_accuracy(truth, found) == 0.98
    assert metrics.normalized_clustering_accuracy(truth, found) == 0.0


def prim(weights):
    """Grow a spanning tree from row 0; ties, which mutual reachability is full of, go to the lowest row."""
    inside, edges = [0], []
    source = dict.fromkeys(range(1, len(weights)), 0)
    while source:
        j = min(source, key=lambda j: (weights[source[j], j], j))
        edges.append((source.pop(j), j))
        inside.append(j)
        for other in source:
            if weights[j, other] < weights[source[other], other]:
                source[other] = j
    return np.array(edges), weights


def dbcv_by_the_paper(X, y):
    """Compute DBCV with full matrices, as Moulavi et al. write it."""
    n, d = X.shape
    distance = np.sqrt(((X[:, None] - X) ** 2).sum(axis=2))
    core = np.zeros(n)
    for i in range(n):
        mates = (y == y[i]) & (np.arange(n) != i)
        core[i] = ((distance[i, mates] ** -float(d)).sum() / mates.sum()) ** (-1 / d)
    reach = np.maximum(np.maximum(distance, core[:, None]), core)
    names = np.unique(y[y >= 0])
    inner, sparse = {}, {}
    for c in names:
        rows = np.flatnonzero(y == c)
        edges, tree = prim(reach[np.ix_(rows, rows)])
        degree = np.bincount(edges.ravel(), minlength=len(rows))
        between = [tree[i, j] for i, j in edges if degree[i] > 1 and degree[j] > 1]
        inner[c], sparse[c] = rows[degree > 1], max(between)
    total = 0.0
    for c in names:
        apart = min(reach[np.ix_(inner[c], inner[o])].min() for o in names if o != c)
        total += (y == c).sum() / n * (apart - sparse[c]) / max(apart, sparse[c])
    return total


@pytest.mark.parametrize("d", [2, 5])
def test_dbcv_equals_the_formulas_of_the_paper(d):
    X, y = make_blobs(120, d, centers=3, cluster_std=1.5, random_state=1)
    y = np.where(np.arange(120) % 11 == 0, -1, y)
    assert metrics.dbcv_score(X, y) == pytest.approx(dbcv_by_the_paper(X, y), rel=1e-9)


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


class Halves:
    """Cuts at a random row, or always at zero."""

    def __init__(self, random=False):
        self.random = random

    def get_params(self, deep=True):
        return {"random": self.random}

    def set_params(self, **params):
        self.__dict__.update(params)
        return self

    def fit_predict(self, X, y=None):
        cut = X[:, 0].sum() * 1e6 % 3 - 1.5 if self.random else 0.0
        return (X[:, 0] > cut).astype(int)


def test_stability_is_one_for_a_fixed_cut_and_lower_for_a_random_one():
    X = np.random.default_rng(0).normal(size=(200, 1))
    assert metrics.stability(Halves(), X) == 1.0
    assert metrics.stability(Halves(random=True), X) < 0.7


def test_jaccard_of_a_split_cluster_is_that_of_its_larger_part():
    names, similarity = metrics.jaccard_by_cluster([0] * 10 + [1] * 4 + [-1], [5] * 6 + [6] * 4 + [7] * 4 + [-1])
    assert names.tolist() == [0, 1]
    np.testing.assert_allclose(similarity, [0.6, 1.0])
