"""CLARANS: within its bound of the exhaustive search, equal to it when it looks at all rows, and true to its texts."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs

from common.cases import same_partition
from coterie import CLARANS, KMedoids
from coterie.errors import ResourceError
from coterie.partition import _medoids_metric
from coterie.partition.clarans import clarans
from coterie.primitives.engine import threads
from coterie.primitives.medoids import matrix_search, medoid_search

EVALUATIONS = pytest.mark.parametrize("evaluation", ["fast", "classic"])


def random_rows(seed, n=None, ties=False):
    rng = np.random.default_rng(seed)
    n = n or int(rng.integers(20, 90))
    X = rng.normal(size=(n, int(rng.integers(2, 6)))) + 3 * rng.integers(0, 4, size=(n, 1))
    return np.round(X) if ties else X


def least_loss_by_one_exchange(D, medoids):
    others = [D[:, np.delete(medoids, m)].min(1) for m in range(len(medoids))]
    return min(np.minimum(D, other[:, None]).sum(0).min() for other in others)


@pytest.mark.parametrize("seed", range(200))
def test_a_search_that_tries_every_row_ends_where_no_exchange_improves(seed):
    X = random_rows(seed, ties=seed % 3 == 0)
    D = cdist(X, X)
    model = CLARANS(2 + seed % 5, num_local=1, max_neighbor=len(X), random_state=seed).fit(X)
    assert model.inertia_ == pytest.approx(D[:, model.medoid_indices_].min(1).sum(), rel=1e-12)
    assert model.inertia_ <= least_loss_by_one_exchange(D, model.medoid_indices_) * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_loss_is_within_two_percent_of_kmedoids(seed):
    X = make_blobs(1000, 2, centers=10, cluster_std=1.0 + seed % 3, random_state=seed)[0]
    assert CLARANS(10, random_state=seed).fit(X).inertia_ < 1.02 * KMedoids(10).fit(X).inertia_


@pytest.mark.parametrize("seed", range(20))
def test_the_rule_of_1994_comes_close_too(seed):
    X = make_blobs(300, 2, centers=5, random_state=seed)[0]
    classic = CLARANS(5, evaluation="classic", num_local=3, max_neighbor=2000, random_state=seed).fit(X)
    assert classic.inertia_ < 1.03 * KMedoids(5).fit(X).inertia_


@EVALUATIONS
@pytest.mark.parametrize("seed", range(10))
def test_more_searches_never_cost_more(evaluation, seed):
    X = random_rows(seed, 200)
    losses = [
        CLARANS(6, num_local=local, max_neighbor=3, evaluation=evaluation, random_state=seed).fit(X).inertia_
        for local in (1, 2, 5)
    ]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    ("parameters", "n", "tries"),
    [
        ({}, 40_010, 1000),
        ({}, 1010, 250),
        ({}, 200, 190),
        ({"evaluation": "classic"}, 10_010, 1250),
        ({"evaluation": "classic"}, 1010, 250),
        ({"max_neighbor": 30}, 1010, 30),
        ({"max_neighbor": 10**9}, 1010, 1000),
        ({"max_neighbor": 10**9, "evaluation": "classic"}, 1010, 10**9),
        ({"max_neighbor": 0.5}, 1010, 500),
        ({"max_neighbor": 0.5, "evaluation": "classic"}, 1010, 5000),
        ({"max_neighbor": 1e-9}, 1010, 1),
    ],
)
def test_max_neighbor_as_a_number_of_tries(parameters, n, tries):
    assert CLARANS(10, **parameters)._tries(n) == tries


def test_a_search_ends_after_so_many_tries_in_a_row_without_success(monkeypatch):
    from coterie.partition import clarans as module

    tried = []

    def spy(search, draws, most, tries, fast, rng):
        found = first_better(search, draws, most, tries, fast, rng)
        tried.append(found)
        return found

    first_better = module._first_better
    monkeypatch.setattr(module, "_first_better", spy)
    clarans(medoid_search(random_rows(0, 300)), 5, 1, 37, True, np.random.RandomState(0))
    after = len(tried) - tried[::-1].index(-1)
    assert sum(tried[after:]) >= 37 > sum(tried[after:-1])


@EVALUATIONS
@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "manhattan", "cosine", "chebyshev"])
def test_every_metric_costs_what_it_measures(evaluation, metric):
    X = random_rows(7, 150)
    D = cdist(X, X, {"manhattan": "cityblock"}.get(metric, metric))
    model = CLARANS(4, metric=metric, evaluation=evaluation, random_state=0).fit(X)
    assert model.inertia_ == pytest.approx(D[:, model.medoid_indices_].min(1).sum(), rel=1e-9)
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_given_and_computed_distances_are_searched_alike():
    X = random_rows(3, 120)
    found = [
        clarans(search, 4, 2, 50, True, np.random.RandomState(5))
        for search in (medoid_search(X), matrix_search(cdist(X, X)))
    ]
    np.testing.assert_array_equal(*found)


@EVALUATIONS
@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_changes_nothing(evaluation, seed):
    X = random_rows(seed, 200, ties=True)
    order = np.random.default_rng(seed).permutation(len(X))
    model, turned = (CLARANS(4, evaluation=evaluation, random_state=seed).fit(rows) for rows in (X, X[order]))
    np.testing.assert_array_equal(turned.labels_, model.labels_[order])


def test_threads_change_no_bit_where_there_are_many_blocks():
    X = make_blobs(30_000, 2, centers=20, random_state=0)[0].astype(np.float32)
    models = []
    for n_threads in (1, 2, 4):
        with threads(n_threads):
            models.append(CLARANS(20, num_local=1, max_neighbor=60, random_state=1).fit(X))
    for other in models[1:]:
        np.testing.assert_array_equal(other.labels_, models[0].labels_)
        assert other.inertia_ == models[0].inertia_


@EVALUATIONS
def test_one_cluster_is_searched_too(evaluation):
    X = random_rows(1, 200)
    model = CLARANS(1, evaluation=evaluation, max_neighbor=len(X) * 5, random_state=0).fit(X)
    assert model.medoid_indices_.tolist() == [int(cdist(X, X).sum(1).argmin())]


def test_very_many_rows_need_no_matrix(monkeypatch):
    monkeypatch.setattr(_medoids_metric, "free_bytes", lambda: 1e8)
    X, truth = make_blobs(60_000, 2, centers=[[0, 0], [9, 0], [0, 9]], cluster_std=0.5, random_state=0)
    assert same_partition(CLARANS(3, num_local=1, max_neighbor=40, random_state=0).fit_predict(X), truth)
    with pytest.raises(ResourceError, match="CLARA"):
        CLARANS(3, metric="chebyshev").fit(X)


@EVALUATIONS
def test_a_tensor_gives_the_clusters_of_the_array(evaluation):
    torch = pytest.importorskip("torch")
    X = random_rows(2, 200)
    reference = CLARANS(4, evaluation=evaluation, random_state=0).fit(X)
    model = CLARANS(4, evaluation=evaluation, random_state=0).fit(torch.from_numpy(X))
    np.testing.assert_array_equal(model.labels_.numpy(), reference.labels_)
