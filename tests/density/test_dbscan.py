"""DBSCAN against a plain loop over all pairs, against scikit-learn on random and real sets, and by its own promises."""

import re

import numpy as np
import pytest
import sklearn.cluster
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.metrics import adjusted_rand_score, pairwise_distances
from sklearn.neighbors import radius_neighbors_graph

from coterie import DBSCAN
from coterie.errors import InputError
from coterie.primitives.components import number_sets
from coterie.primitives.engine import threads

REAL = [
    "fcps/atom", "fcps/engytime", "fcps/hepta", "fcps/target", "fcps/tetra", "fcps/twodiamonds", "graves/dense",
    "graves/fuzzyx", "graves/line", "graves/ring_outliers", "graves/zigzag_noisy", "g2mg/g2mg_8_30",
]  # fmt: skip


def plain(X, eps, min_samples):
    """Labels by the definition, every distance in the type of the rows."""
    distances2 = np.zeros((len(X), len(X)), X.dtype)
    for f in range(X.shape[1]):
        gap = X[:, f][:, None] - X[:, f][None, :]
        distances2 += gap * gap
    near = distances2 <= X.dtype.type(eps) * X.dtype.type(eps)
    core = near.sum(axis=1) >= min_samples
    label = np.where(core, np.arange(len(X)), len(X))
    joins = near & core[:, None] & core[None, :]
    for _ in range(len(X)):
        lowest = np.where(joins, label[None, :], len(X)).min(axis=1)
        if (lowest == np.where(core, label, len(X))).all():
            break
        label = np.where(core, lowest, len(X))
    order = np.lexsort((np.arange(len(X)), *X.T[::-1]))
    order = order[core[order]]
    for row in np.flatnonzero(~core):
        within = order[near[row, order]]
        label[row] = label[within[distances2[row, within].argmin()]] if len(within) else -1
    return number_sets(np.where(label == len(X), -1, label)), core


def assert_same_as_sklearn(X, eps, min_samples, sample_weight=None):
    """Core rows, noise, and the partition of the core rows; border rows between clusters are scikit-learn's by chance."""
    ours = DBSCAN(eps, min_samples=min_samples).fit(X, sample_weight=sample_weight)
    # Its trees add up distances as we do; its brute force rounds otherwise.
    theirs = sklearn.cluster.DBSCAN(eps=eps, min_samples=min_samples, algorithm="kd_tree").fit(
        X, sample_weight=sample_weight
    )
    core = theirs.core_sample_indices_
    np.testing.assert_array_equal(ours.core_sample_indices_, core)
    np.testing.assert_array_equal(ours.labels_ == -1, theirs.labels_ == -1)
    np.testing.assert_array_equal(number_sets(ours.labels_[core]), number_sets(theirs.labels_[core].astype(np.int64)))
    np.testing.assert_array_equal(ours.predict(X), ours.labels_)
    return ours


def blobs(n, d, seed=0, spread=0.5):
    random = np.random.default_rng(seed)
    return random.uniform(-5, 5, size=(6, d))[random.integers(0, 6, size=n)] + spread * random.normal(size=(n, d))


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(["blobs", "lattice", "tenths", "duplicates", "far from zero"]),
    seed=st.integers(0, 2**20),
    n=st.integers(1, 150),
    d=st.sampled_from([1, 2, 3, 5, 16]),
    eps=st.sampled_from([0.1, 0.2, 0.5, 1.0, 2.0**0.5, 1e3]),
    min_samples=st.integers(1, 8),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_labels_are_those_of_the_definition(kind, seed, n, d, eps, min_samples, dtype):
    random = np.random.default_rng(seed)
    X = {
        "blobs": lambda: blobs(n, d, seed),
        "lattice": lambda: random.integers(0, 5, size=(n, d)),
        "tenths": lambda: random.integers(0, 9, size=(n, d)) * 0.1,
        "duplicates": lambda: random.normal(size=(5, d))[random.integers(0, 5, size=n)],
        "far from zero": lambda: random.normal(size=(n, d)) + 1e5,
    }[kind]().astype(dtype)
    labels, core = plain(X, eps, min_samples)
    model = DBSCAN(eps, min_samples=min_samples).fit(X)
    np.testing.assert_array_equal(model.core_sample_indices_, np.flatnonzero(core))
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_array_equal(model.predict(X), labels)
    order = random.permutation(n)
    turned = DBSCAN(eps, min_samples=min_samples).fit_predict(X[order])
    np.testing.assert_array_equal(turned, number_sets(labels[order]))


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("share", [0.02, 0.1])
def test_real_sets_agree_with_scikit_learn(shared_data, name, share):
    X = np.loadtxt(shared_data / "clustering" / f"{name}.data.gz", ndmin=2)
    sample = X[:: max(1, len(X) // 200)]
    eps = float(np.quantile(pairwise_distances(sample), share))
    assert_same_as_sklearn(X, eps, 5)


@pytest.mark.parametrize("d", [1, 2, 3, 4, 8, 16])
@pytest.mark.parametrize("eps", [0.05, 0.3, 1.0, 50.0])
def test_random_sets_agree_with_scikit_learn(d, eps):
    assert_same_as_sklearn(blobs(3000, d, seed=d), eps * d**0.5, 10)


@pytest.mark.parametrize("low", [0, -2])
def test_weights_agree_with_scikit_learn(low):
    weight = np.random.default_rng(1).integers(low, 4, size=2000)
    assert_same_as_sklearn(blobs(2000, 2), 0.2, 10, sample_weight=weight)


def test_a_border_row_joins_its_nearest_core_row():
    # One core row to each side, at 0.0 and 1.9; the row at 1.0 is within 1.0 of both.
    X = np.array([[-0.9], [-0.9], [-0.9], [0.0], [1.0], [1.9], [2.8], [2.8], [2.8]])
    model = DBSCAN(1.0).fit(X)
    assert model.core_sample_indices_.tolist() == [3, 5]
    assert model.labels_.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert DBSCAN(1.0).fit_predict(X[::-1]).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("turned", [False, True])
def test_a_border_row_as_near_to_two_core_rows_joins_the_one_with_smaller_coordinates(turned):
    X = np.array([[-1.0], [-1.0], [-1.0], [0.0], [1.0], [2.0], [3.0], [3.0], [3.0]])
    labels = DBSCAN(1.0).fit_predict(X[::-1])[::-1] if turned else DBSCAN(1.0).fit_predict(X)
    assert labels[4] == labels[3] != labels[5]


@pytest.mark.parametrize("d", [2, 6])
@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_the_number_of_threads_changes_no_label(d, n_threads):
    X = blobs(20_000, d)
    with threads(n_threads):
        labels = DBSCAN(0.15 * d, min_samples=10).fit_predict(X)
    with threads(3):
        np.testing.assert_array_equal(DBSCAN(0.15 * d, min_samples=10).fit_predict(X), labels)
    assert labels.max() > 0


# ---- metrics


@pytest.mark.parametrize(
    ("metric", "params", "eps"),
    [
        ("manhattan", None, 0.5), ("chebyshev", None, 0.3), ("minkowski", {"p": 3}, 0.4), ("cosine", None, 0.01),
        ("canberra", None, 0.3), ("l2", None, 0.4), ("sqeuclidean", None, 0.16), ("correlation", None, 0.05),
        ("seuclidean", None, 0.2), ("mahalanobis", None, 0.3), (lambda a, b: abs(a - b).sum(), None, 0.5),
    ],
)  # fmt: skip
def test_metrics_agree_with_their_distances(metric, params, eps):
    X = blobs(150, 3) + 3.0
    model = DBSCAN(eps, min_samples=4, metric=metric, metric_params=params).fit(X)
    distances = pairwise_distances(X, metric=metric, **(params or {}))
    expected = sklearn.cluster.DBSCAN(eps=eps, min_samples=4, metric="precomputed").fit(distances)
    np.testing.assert_array_equal(model.core_sample_indices_, expected.core_sample_indices_)
    np.testing.assert_array_equal(model.labels_ == -1, expected.labels_ == -1)
    assert len(set(model.labels_)) > 1
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_truth_values_are_compared_as_such():
    X = np.random.default_rng(0).random((80, 6)) > 0.5
    model = DBSCAN(0.3, min_samples=3, metric="jaccard").fit(X)
    expected = sklearn.cluster.DBSCAN(eps=0.3, min_samples=3, metric="jaccard").fit(X)
    np.testing.assert_array_equal(model.core_sample_indices_, expected.core_sample_indices_)
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_precomputed_distances_give_the_labels_of_the_rows():
    X = blobs(300, 2)
    distances = pairwise_distances(X)
    before = distances.copy()
    model = DBSCAN(0.3, metric="precomputed").fit(distances)
    np.testing.assert_array_equal(model.labels_, DBSCAN(0.3).fit_predict(X))
    np.testing.assert_array_equal(model.predict(distances), model.labels_)
    np.testing.assert_array_equal(distances, before)


@pytest.mark.parametrize("with_diagonal", [True, False])
def test_a_sparse_graph_of_distances_gives_the_labels_of_the_rows(with_diagonal):
    X = blobs(300, 2)
    graph = radius_neighbors_graph(X, 0.6, mode="distance", include_self=with_diagonal)
    before = graph.copy()
    model = DBSCAN(0.3, metric="precomputed").fit(graph)
    np.testing.assert_array_equal(model.labels_, DBSCAN(0.3).fit_predict(X))
    assert (graph != before).nnz == 0
    assert graph.nnz == before.nnz
    whole = radius_neighbors_graph(X, 0.6, mode="distance", include_self=True)
    np.testing.assert_array_equal(model.predict(whole), model.labels_)


@pytest.mark.parametrize("distances", [np.zeros((3, 2)), np.full((3, 3), -1.0)])
def test_unusable_distances_are_refused(distances):
    with pytest.raises(InputError, match="distances"):
        DBSCAN(metric="precomputed").fit(distances)


@pytest.mark.parametrize(("metric", "eps"), [("euclidean", 1.5), ("cosine", 0.3), ("manhattan", 2.0)])
def test_sparse_rows_give_the_labels_of_dense_rows(metric, eps):
    X = np.random.default_rng(0).integers(0, 3, size=(200, 6)) * (np.random.default_rng(1).random((200, 6)) < 0.4)
    dense = DBSCAN(eps, metric=metric).fit(X)
    sparse = DBSCAN(eps, metric=metric).fit(csr_array(X))
    np.testing.assert_array_equal(sparse.core_sample_indices_, dense.core_sample_indices_)
    np.testing.assert_array_equal(sparse.labels_ == -1, dense.labels_ == -1)
    assert adjusted_rand_score(sparse.labels_, dense.labels_) > 0.99
    np.testing.assert_array_equal(sparse.predict(csr_array(X)), sparse.labels_)


def test_rows_of_zeros_are_at_right_angles_to_all_others():
    X = np.array([[0.0, 0], [0, 0], [1, 0], [2, 0], [0, 3]])
    assert DBSCAN(0.5, min_samples=2, metric="cosine").fit_predict(X).tolist() == [0, 0, 1, 1, -1]
    assert DBSCAN(1.0, min_samples=2, metric="cosine").fit_predict(X).tolist() == [0] * 5


# ---- edges


def test_one_row_is_noise_unless_one_row_is_enough():
    assert DBSCAN().fit_predict([[1.0]]).tolist() == [-1]
    assert DBSCAN(min_samples=1).fit_predict([[1.0]]).tolist() == [0]


@pytest.mark.parametrize("d", [2, 5])
def test_every_row_is_a_core_row_where_one_is_enough(d):
    model = DBSCAN(1e-9, min_samples=1).fit(blobs(500, d))
    assert model.labels_.tolist() == list(range(500))


@pytest.mark.parametrize("d", [2, 5])
def test_equal_rows_are_one_cluster(d):
    assert not DBSCAN(1e-12).fit_predict(np.full((40_000, d), 2.5)).any()


@pytest.mark.parametrize("exponent", [-300, -30, 30, 300])
@pytest.mark.parametrize("d", [2, 5])
def test_the_unit_of_the_rows_changes_no_label(exponent, d):
    X, unit = blobs(500, d), 10.0**exponent
    labels = DBSCAN(0.2 * d).fit_predict(X)
    model = DBSCAN(0.2 * d * unit).fit(X * unit)
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_array_equal(model.predict(X * unit), labels)


def test_rows_that_are_new_join_the_nearest_core_row_or_none():
    model = DBSCAN(1.0, min_samples=2).fit([[0.0], [0.5], [4.0], [4.5], [9.0]])
    assert model.predict([[-1.0], [-1.1], [1.5], [3.0], [9.0], [1e9]]).tolist() == [0, -1, 0, 1, -1, -1]


def test_nothing_is_predicted_without_core_rows():
    model = DBSCAN(0.1).fit([[0.0], [1.0]])
    assert model.predict([[0.0]]).tolist() == [-1]
    assert model.components_.shape == (0, 1)


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(InputError, match="sample_weight"):
        DBSCAN().fit(np.eye(3), sample_weight=np.zeros(3))


@pytest.mark.parametrize(
    ("eps", "says"),
    [(1e-3, r"100% of the rows as noise.*median distance to neighbour 5 is 0\.\d"), (1e3, "one cluster")],
)
def test_an_answer_of_little_use_comes_with_advice(eps, says):
    model = DBSCAN(eps).fit(blobs(400, 2))
    assert len(model.advice_) == 1
    assert re.search(says, model.advice_[0])
    assert DBSCAN(0.3).fit(blobs(400, 2)).advice_ == ()


def test_tensors_give_the_labels_of_arrays_as_tensors():
    torch = pytest.importorskip("torch", reason="the torch engine needs PyTorch")
    X = blobs(1500, 3)
    model = DBSCAN(0.4).fit(torch.from_numpy(X))
    expected = DBSCAN(0.4).fit(X)
    assert isinstance(model.labels_, torch.Tensor)
    np.testing.assert_array_equal(model.labels_.numpy(), expected.labels_)
    np.testing.assert_array_equal(model.core_sample_indices_.numpy(), expected.core_sample_indices_)
    np.testing.assert_array_equal(model.predict(torch.from_numpy(X)).numpy(), expected.labels_)


def test_the_files_name_every_public_parameter():
    assert set(DBSCAN().get_params()) == {"eps", "min_samples", "metric", "metric_params", "device"}
