"""K-medoids against brute force, R's published result, and what must hold of any local optimum."""

import numpy as np
import pytest
import scipy.sparse
from scipy.spatial.distance import cdist
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning

from common.cases import same_partition
from coterie import KMedoids
from coterie.errors import InputError, ResourceError, UnsupportedError
from coterie.partition import _medoids_metric
from coterie.partition.kmedoids import build, fasterpam
from coterie.primitives.engine import threads
from coterie.primitives.medoids import matrix_search, medoid_search

METRICS = {"euclidean": "euclidean", "sqeuclidean": "sqeuclidean", "manhattan": "cityblock", "cosine": "cosine"}
every_metric = pytest.mark.parametrize("metric", METRICS)


def random_rows(seed, ties=False):
    rng = np.random.default_rng(seed)
    # In one column sums of distances are equal all over: that is for the tests of ties.
    n, d = int(rng.integers(12, 60)), int(rng.integers(2, 8))
    X = rng.normal(size=(n, d)) + 3 * rng.integers(0, 4, size=(n, 1))
    return np.round(X) if ties else X


def least_loss_by_one_exchange(D, medoids, weight=1.0):
    """Return the loss of the best neighbour of a set of medoids."""
    others = [D[:, np.delete(medoids, m)].min(1) if len(medoids) > 1 else np.inf for m in range(len(medoids))]
    return min(
        (np.minimum(D, np.reshape(other, (-1, 1))) * np.reshape(weight, (-1, 1))).sum(0).min() for other in others
    )


def slow_build(D, k):
    medoids = [int(D.sum(1).argmin())]
    while len(medoids) < k:
        saved = np.maximum(D[:, medoids].min(1)[:, None] - D, 0).sum(0)
        saved[medoids] = -1
        medoids.append(int(saved.argmax()))
    return medoids


def slow_pam(D, medoids):
    """Make the best exchange until none lowers the loss; return the medoids and the number of exchanges."""
    medoids, swaps = list(medoids), 0
    while True:
        loss = D[:, medoids].min(1).sum()
        totals = np.array(
            [np.minimum(D, D[:, medoids[:m] + medoids[m + 1 :]].min(1)[:, None]).sum(0) for m in range(len(medoids))]
        )
        totals[:, medoids] = np.inf
        m, x = np.unravel_index(totals.argmin(), totals.shape)
        if totals[m, x] >= loss * (1 - 1e-12):
            return medoids, swaps
        medoids[m], swaps = int(x), swaps + 1


# ---- known answers


def test_iris_has_the_medoids_and_the_loss_of_r():
    # pam(iris[, 1:4], 3) of R's cluster: rows 8, 79, 113, objective 0.6709391 after BUILD and 0.6542077 after SWAP.
    X = load_iris().data
    model = KMedoids(3, method="pam").fit(X)
    assert sorted(model.medoid_indices_.tolist()) == [7, 78, 112]
    assert model.inertia_ / 150 == pytest.approx(0.6542077, abs=5e-8)
    start = medoid_search(X)
    build(start, 3)
    assert start.loss / 150 == pytest.approx(0.6709391, abs=5e-8)


def test_the_textbook_example_reaches_its_optimum():
    X = np.array([[2, 6], [3, 4], [3, 8], [4, 7], [6, 2], [6, 4], [7, 3], [7, 4], [8, 5], [7, 6]])
    D = cdist(X, X, "cityblock")
    optimum = min(D[:, [i, j]].min(1).sum() for i in range(10) for j in range(i))
    model = KMedoids(2, metric="manhattan").fit(X)
    assert model.inertia_ == optimum <= 20
    assert same_partition(model.labels_, D[:, model.medoid_indices_].argmin(1))


@pytest.mark.parametrize("seed", range(100))
def test_pam_makes_the_exchanges_of_brute_force(seed):
    X = random_rows(seed)
    k = 2 + seed % 6
    D = cdist(X, X)
    medoids, swaps = slow_pam(D, slow_build(D, k))
    model = KMedoids(k, method="pam").fit(X)
    # Of two rows that are a cluster by themselves either may be the medoid: partition and loss are compared.
    assert same_partition(model.labels_, D[:, medoids].argmin(1))
    assert model.n_iter_ == swaps + 1
    assert model.inertia_ == pytest.approx(D[:, medoids].min(1).sum(), rel=1e-12)


@pytest.mark.parametrize("seed", range(100, 150))
def test_pam_from_the_same_rows_makes_the_exchanges_of_brute_force(seed):
    X = random_rows(seed)
    first = np.random.default_rng(seed).permutation(len(X))[:4]
    D = cdist(X, X)
    medoids, swaps = slow_pam(D, first)
    model = KMedoids(4, method="pam", init=first).fit(X)
    assert same_partition(model.labels_, D[:, medoids].argmin(1))
    assert model.n_iter_ == swaps + 1


@pytest.mark.parametrize("seed", range(60))
def test_build_chooses_the_rows_of_its_definition(seed):
    X = random_rows(seed)
    D = cdist(X, X)
    for search in (medoid_search(X), matrix_search(D)):
        build(search, 7)
        assert search.medoid_rows.tolist() == slow_build(D, 7)


@pytest.mark.parametrize("seed", range(200))
def test_no_exchange_improves_on_the_result(seed):
    X = random_rows(seed, ties=seed % 2 == 0)
    metric = list(METRICS)[seed % 4]
    X = X + 0.5 if metric == "cosine" else X
    D = cdist(X, X, METRICS[metric])
    init = "build" if seed % 3 else "random"
    model = KMedoids(2 + seed % 5, metric=metric, init=init, random_state=seed).fit(X)
    assert model.inertia_ == pytest.approx(D[:, model.medoid_indices_].min(1).sum(), rel=1e-9)
    assert model.inertia_ <= least_loss_by_one_exchange(D, model.medoid_indices_) * (1 + 1e-9)


@pytest.mark.parametrize("name", ["fcps/engytime", "fcps/hepta", "sipu/spiral", "uci/ecoli", "uci/glass", "wut/mk4"])
@pytest.mark.parametrize("method", ["fasterpam", "pam"])
def test_no_exchange_improves_on_the_result_on_real_sets(shared_data, name, method):
    X = np.loadtxt(shared_data / "clustering" / f"{name}.data.gz", ndmin=2)[:700]
    D = cdist(X, X)
    model = KMedoids(5, method=method).fit(X)
    assert model.inertia_ <= least_loss_by_one_exchange(D, model.medoid_indices_) * (1 + 1e-9)


# ---- one problem, several ways to state it


@every_metric
@pytest.mark.parametrize("method", ["fasterpam", "pam"])
def test_precomputed_distances_cost_what_the_metric_costs(metric, method):
    X = random_rows(5)
    D = cdist(X, X, METRICS[metric])
    given = KMedoids(4, metric="precomputed", method=method).fit(D)
    computed = KMedoids(4, metric=metric, method=method).fit(X)
    assert same_partition(given.labels_, computed.labels_)
    assert given.inertia_ == pytest.approx(computed.inertia_, rel=1e-12)
    assert same_partition(given.predict(D), computed.predict(X))
    assert not hasattr(given, "cluster_centers_")


@pytest.mark.parametrize("metric", ["chebyshev", "canberra", lambda a, b: abs(a - b).max()])
def test_other_metrics_go_through_a_matrix(metric):
    X = random_rows(8)
    D = cdist(X, X, metric)
    model = KMedoids(3, metric=metric).fit(X)
    assert model.inertia_ <= least_loss_by_one_exchange(D, model.medoid_indices_) * (1 + 1e-9)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    np.testing.assert_allclose(model.transform(X), D[:, model.medoid_indices_], rtol=1e-12)


@pytest.mark.parametrize("share", [0.0, 1.0], ids=["on the fly", "stored"])
def test_many_columns_give_the_same_with_and_without_the_matrix(share, monkeypatch):
    X = make_blobs(300, 40, centers=5, random_state=1)[0]
    reference = KMedoids(5).fit(X)
    monkeypatch.setattr(_medoids_metric, "_MATRIX_SHARE", share)
    model = KMedoids(5).fit(X)
    np.testing.assert_array_equal(model.medoid_indices_, reference.medoid_indices_)
    assert model.inertia_ == reference.inertia_


@every_metric
@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_changes_nothing(metric, seed):
    X = random_rows(seed, ties=True) + 0.5
    order = np.random.default_rng(seed).permutation(len(X))
    model = KMedoids(4, metric=metric, init="random", random_state=seed).fit(X)
    turned = KMedoids(4, metric=metric, init="random", random_state=seed).fit(X[order])
    np.testing.assert_array_equal(turned.labels_, model.labels_[order])
    np.testing.assert_array_equal(turned.cluster_centers_, model.cluster_centers_)


@pytest.mark.parametrize("seed", range(10))
def test_weights_count_in_the_loss(seed):
    X = random_rows(seed)
    weight = np.random.default_rng(seed).uniform(0, 5, len(X)) * (np.arange(len(X)) % 7 > 0)
    D = cdist(X, X)
    model = KMedoids(3).fit(X, sample_weight=weight)
    assert model.inertia_ == pytest.approx(weight @ D[:, model.medoid_indices_].min(1), rel=1e-12)
    assert (weight[model.medoid_indices_] > 0).all()
    D[:, weight == 0] = np.inf  # no candidates
    assert model.inertia_ <= least_loss_by_one_exchange(D, model.medoid_indices_, weight) * (1 + 1e-9)


def test_weights_count_for_precomputed_distances():
    X = random_rows(3)
    weight = np.random.default_rng(3).integers(0, 3, len(X))
    given = KMedoids(3, metric="precomputed").fit(cdist(X, X), sample_weight=weight)
    computed = KMedoids(3).fit(X, sample_weight=weight)
    assert sorted(given.medoid_indices_.tolist()) == sorted(computed.medoid_indices_.tolist())


@pytest.mark.parametrize("n_threads", [2, 4])
def test_threads_change_no_bit_where_there_are_many_blocks(n_threads):
    X = make_blobs(6000, 3, centers=12, random_state=0)[0].astype(np.float32)
    models = []
    for threads_used in (1, n_threads):
        with threads(threads_used):
            models.append(KMedoids(12, init="random", random_state=1).fit(X))
    np.testing.assert_array_equal(models[0].labels_, models[1].labels_)
    assert models[0].inertia_ == models[1].inertia_


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("scale", [2.0**-60, 1.0, 2.0**60])
@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "manhattan"])
def test_float32_of_any_offset_and_scale(offset, scale, metric):
    X = np.round(make_blobs(200, 2, centers=4, random_state=3)[0] * 4)
    reference = KMedoids(4, metric=metric).fit(X)
    moved = ((X + offset) * scale).astype(np.float32)
    model = KMedoids(4, metric=metric).fit(moved)
    assert same_partition(model.labels_, reference.labels_)
    unit = scale * scale if metric == "sqeuclidean" else scale
    assert model.inertia_ / unit == pytest.approx(reference.inertia_, rel=1e-6)
    np.testing.assert_array_equal(model.predict(moved), model.labels_)
    assert model.cluster_centers_.dtype == np.float32


# ---- edges


def test_one_cluster_has_the_row_with_the_least_sum():
    X = random_rows(2)
    model = KMedoids(1).fit(X)
    assert model.medoid_indices_.tolist() == [int(cdist(X, X).sum(1).argmin())]
    assert model.labels_.tolist() == [0] * len(X)


@pytest.mark.parametrize("method", ["fasterpam", "pam"])
def test_one_cluster_from_a_bad_start_gets_there_too(method):
    X = random_rows(2)
    model = KMedoids(1, init=[5], method=method).fit(X)
    assert model.medoid_indices_.tolist() == KMedoids(1).fit(X).medoid_indices_.tolist()


def test_as_many_clusters_as_rows_cost_nothing():
    X = random_rows(4)
    assert KMedoids(len(X)).fit(X).inertia_ == 0


def test_more_clusters_than_distinct_rows_bring_a_warning():
    X = np.repeat([[0.0, 0], [5, 5], [9, 0]], 10, axis=0)
    with pytest.warns(ConvergenceWarning, match="3 of n_clusters=5"):
        model = KMedoids(5).fit(X)
    assert sorted(set(model.labels_)) == [0, 1, 2]
    assert model.inertia_ == 0
    assert len(set(model.medoid_indices_.tolist())) == 5
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_a_row_of_zeros_is_at_right_angles_to_all_others():
    X = np.array([[0.0, 0], [1, 0], [2, 0], [0, 1], [0, 3]])
    model = KMedoids(3, metric="cosine").fit(X)
    assert model.inertia_ == pytest.approx(0, abs=1e-15)
    order = np.argsort(model.medoid_indices_)
    near = 1 - 0.5**0.5
    expected = [[0, 1, 1], [1, near, near]]
    np.testing.assert_allclose(model.transform([[0.0, 0], [1, 1]])[:, order], expected, atol=1e-12)


def test_too_few_rounds_bring_a_warning():
    X = make_blobs(300, 2, centers=9, random_state=0)[0]
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        KMedoids(9, init=np.arange(9), max_iter=1).fit(X)


def test_new_rows_far_beyond_those_of_the_fit_have_a_distance():
    model = KMedoids(2).fit([[0.0], [1.0], [10.0], [11.0]])
    np.testing.assert_allclose(model.transform([[-1e300], [1e300]]), 1e300)


def test_one_column_has_a_medoid_at_the_median_of_each_cluster():
    X = np.sort(np.random.default_rng(0).integers(0, 1000, 301) + 1000 * np.repeat([0, 5, 9], [101, 101, 99]))[:, None]
    model = KMedoids(3).fit(X)
    medians = [np.median(X[model.labels_ == c]) for c in range(3)]
    assert model.cluster_centers_[:, 0].tolist() == medians


@pytest.mark.parametrize(
    ("init", "says"),
    [
        ([0, 1], "n_clusters=3 row numbers"),
        ([0, 1, 99], "from 0 to 5"),
        ([0.5, 1, 2], "row numbers"),
        ([0, 1, 1], "differ"),
        ([0, 1, 5], "differ"),
    ],
)
def test_an_init_that_names_no_rows_is_refused(init, says):
    X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [1.0]])
    with pytest.raises(InputError, match=says):
        KMedoids(3, init=init).fit(X)


@pytest.mark.parametrize(
    ("D", "says"),
    [
        (np.ones((4, 3)), "square"),
        (1 - np.eye(4) * 0.5, "diagonal"),
        (np.full((4, 4), np.inf), "infinity"),
        (np.eye(4) - 1, "negative"),
        (np.triu(np.ones((4, 4)), 1), "symmetric"),
    ],
)
def test_a_matrix_that_holds_no_distances_is_refused(D, says):
    with pytest.raises(InputError, match=says):
        KMedoids(2, metric="precomputed").fit(D)


def test_a_matrix_that_does_not_fit_is_refused_before_it_is_there(monkeypatch):
    monkeypatch.setattr(_medoids_metric, "free_bytes", lambda: 1e6)
    X = np.random.default_rng(0).normal(size=(2000, 2))
    with pytest.raises(ResourceError, match=r"0\.1 GiB.*CLARA"):
        KMedoids(2, metric="chebyshev").fit(X)


@pytest.mark.parametrize(("metric", "argument"), [("mahalanobis", "VI"), ("seuclidean", "V")])
def test_metrics_that_measure_the_data_need_their_argument(metric, argument):
    with pytest.raises(InputError, match=argument):
        KMedoids(2, metric=metric).fit(random_rows(0))


def test_sparse_rows_are_refused_in_words():
    with pytest.raises(TypeError, match=r"(?i)sparse.*dense"):
        KMedoids(2).fit(scipy.sparse.csr_array(np.eye(4)))


def test_tensors_with_other_metrics_are_refused_in_words():
    torch = pytest.importorskip("torch")
    with pytest.raises(UnsupportedError, match="chebyshev"):
        KMedoids(2, metric="chebyshev").fit(torch.eye(4))


@every_metric
def test_a_tensor_gives_the_clusters_of_the_array(metric):
    torch = pytest.importorskip("torch")
    X = make_blobs(240, 3, centers=4, random_state=4)[0]
    reference = KMedoids(4, metric=metric).fit(X)
    model = KMedoids(4, metric=metric).fit(torch.from_numpy(X))
    assert isinstance(model.labels_, torch.Tensor)
    np.testing.assert_array_equal(model.labels_.numpy(), reference.labels_)
    np.testing.assert_array_equal(model.medoid_indices_.numpy(), reference.medoid_indices_)
    assert model.inertia_ == pytest.approx(reference.inertia_, rel=1e-12)
    np.testing.assert_allclose(model.transform(torch.from_numpy(X)).numpy(), reference.transform(X), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), reference.labels_)


def test_rounds_end_where_many_distances_are_equal():
    # The differences between equally good sets are rounding: without a tolerance the search would go round.
    X = np.stack(np.meshgrid(np.arange(12.0), np.arange(12.0)), -1).reshape(-1, 2).astype(np.float32) / 3
    search = medoid_search(X)
    build(search, 6)
    _, converged = fasterpam(search, 100)
    assert converged
