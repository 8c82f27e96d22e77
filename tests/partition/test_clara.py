"""CLARA: what a sample finds is judged on all rows, and with one sample of all rows it is KMedoids."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from coterie import CLARA, KMedoids
from coterie.errors import InputError
from coterie.partition import _medoids_metric


def random_rows(seed, n=400):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)) + 4 * rng.integers(0, 4, size=(n, 1))


@pytest.mark.parametrize("seed", range(40))
def test_a_sample_of_all_rows_gives_the_result_of_kmedoids(seed):
    X = random_rows(seed, 60)
    k = 2 + seed % 5
    reference, model = KMedoids(k).fit(X), CLARA(k, sampling_size=60, random_state=seed).fit(X)
    np.testing.assert_array_equal(model.labels_, reference.labels_)
    np.testing.assert_array_equal(model.medoid_indices_, reference.medoid_indices_)
    assert model.inertia_ == reference.inertia_


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "manhattan", "cosine", "chebyshev"])
def test_the_loss_is_that_of_all_rows(seed, metric):
    X = random_rows(seed)
    D = cdist(X, X, {"manhattan": "cityblock"}.get(metric, metric))
    model = CLARA(4, metric=metric, random_state=seed).fit(X)
    assert model.inertia_ == pytest.approx(D[:, model.medoid_indices_].min(1).sum(), rel=1e-9)
    np.testing.assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("seed", range(20))
def test_more_samples_never_cost_more(seed):
    X = random_rows(seed)
    losses = [CLARA(5, n_samplings=s, sampling_size=20, random_state=seed).fit(X).inertia_ for s in (1, 2, 4, 8)]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("seed", range(20))
def test_the_loss_stays_near_that_of_kmedoids(seed):
    X = make_blobs(1500, 2, centers=5, cluster_std=0.7, random_state=seed)[0]
    model = CLARA(5, random_state=0).fit(X)
    assert model.inertia_ < 1.15 * KMedoids(5).fit(X).inertia_


def test_separate_groups_are_found_in_very_many_rows():
    centers = np.array([[0.0, 0], [9, 0], [0, 9], [9, 9]])
    X, truth = make_blobs(50_000, centers=centers, cluster_std=0.6, random_state=0)
    assert adjusted_rand_score(CLARA(4, random_state=0).fit_predict(X.astype(np.float32)), truth) > 0.999


def test_precomputed_distances_are_sampled_too():
    X = random_rows(1)
    D = cdist(X, X)
    model = CLARA(4, metric="precomputed", random_state=0).fit(D)
    assert model.inertia_ == pytest.approx(D[:, model.medoid_indices_].min(1).sum(), rel=1e-12)
    assert model.inertia_ < 1.15 * KMedoids(4).fit(X).inertia_
    np.testing.assert_array_equal(model.predict(D), model.labels_)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_changes_nothing(seed):
    X = random_rows(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    model, turned = (CLARA(4, random_state=seed, sampling_size=30).fit(rows) for rows in (X, X[order]))
    np.testing.assert_array_equal(turned.labels_, model.labels_[order])


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_weight_is_as_many_rows_in_every_sample(seed):
    X = random_rows(seed)
    weight = np.random.default_rng(seed).integers(0, 4, len(X))
    weighted = CLARA(4, random_state=seed, sampling_size=30).fit(X, sample_weight=weight)
    repeated = CLARA(4, random_state=seed, sampling_size=30).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_array_equal(weighted.cluster_centers_, repeated.cluster_centers_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-12)


def test_a_metric_that_needs_a_matrix_needs_one_of_the_sample_only(monkeypatch):
    monkeypatch.setattr(_medoids_metric, "free_bytes", lambda: 1e6)
    model = CLARA(4, metric="chebyshev", random_state=0).fit(random_rows(0, 2000))
    assert len(set(model.labels_.tolist())) == 4


def test_as_small_a_sample_as_there_are_clusters_will_do():
    model = CLARA(6, sampling_size=6, random_state=0).fit(random_rows(0))
    assert len(set(model.medoid_indices_.tolist())) == 6


def test_a_sample_smaller_than_the_number_of_clusters_is_refused():
    with pytest.raises(InputError, match=r"sampling_size=3.*n_clusters=4"):
        CLARA(4, sampling_size=3).fit(random_rows(0))


def test_a_tensor_gives_the_clusters_of_the_array():
    torch = pytest.importorskip("torch")
    X = random_rows(2)
    reference, model = CLARA(4, random_state=0).fit(X), CLARA(4, random_state=0).fit(torch.from_numpy(X))
    np.testing.assert_array_equal(model.labels_.numpy(), reference.labels_)
