"""HDBSCAN against the paper done slowly, scikit-learn, its own laws (predict, order of rows, threads) and awkward data."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn.cluster import HDBSCAN as Peer
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from coterie import HDBSCAN
from coterie.errors import InputError
from coterie.primitives.engine import threads
from trees.slow import dense_edges, kruskal, slow_choice, slow_clusters, slow_epsilon, slow_labels, slow_outlier_score

LATTICES = arrays(
    np.float64, st.tuples(st.integers(1, 30), st.integers(1, 2)), elements=st.sampled_from([0.0, 1.0, 2.0, 4.0, 7.0])
)
REAL = [
    "fcps/atom", "fcps/engytime", "fcps/hepta", "fcps/target", "fcps/tetra", "fcps/twodiamonds", "graves/zigzag",
    "sipu/aggregation", "sipu/jain", "sipu/pathbased", "sipu/spiral", "wut/x2", "other/iris",
]  # fmt: skip
OPTIONS = [
    {},
    {"min_samples": 1},
    {"min_samples": 12},
    {"cluster_selection_method": "leaf"},
    {"cluster_selection_epsilon": 0.4},
    {"cluster_selection_epsilon": 0.4, "cluster_selection_method": "leaf", "allow_single_cluster": True},
    {"allow_single_cluster": True},
    {"max_cluster_size": 20},
    {"metric": "cosine"},
    {"metric": "manhattan"},
    {"metric": "seuclidean"},
]


def blobs(seed, n=150, d=2):
    return make_blobs(n, d, centers=4, cluster_std=0.7, random_state=seed)[0]


def same_partition(one, other):
    return bool(((one == -1) == (other == -1)).all()) and adjusted_rand_score(one, other) == 1.0


@parametrize_with_checks([HDBSCAN(), HDBSCAN(min_cluster_size=3, cluster_selection_method="leaf")])
def test_passes_the_check_of_scikit_learn(estimator, check):
    assert check(estimator) is None  # a check raises where it fails


# ---- the paper


@settings(max_examples=80, deadline=None)
@given(
    LATTICES, st.integers(2, 4), st.integers(1, 5), st.sampled_from(["eom", "leaf"]), st.sampled_from([0.0, 2.0]),
    st.booleans(),
)  # fmt: skip
def test_labels_and_scores_are_the_papers(X, least, k, method, epsilon, single):
    n = len(X)
    distances = cdist(X, X)
    core = np.sort(distances, axis=1)[:, min(k, n) - 1]
    tree = kruskal(n, dense_edges(distances, core))
    slow = slow_clusters(n, tree, least)
    chosen = slow_epsilon(slow_choice(slow[0], method, None, single)[0], epsilon, single)
    model = HDBSCAN(
        least, min_samples=k, cluster_selection_method=method, cluster_selection_epsilon=epsilon,
        allow_single_cluster=single,
    ).fit(X)  # fmt: skip
    np.testing.assert_allclose(model.minimum_spanning_tree_.weights, [edge[0] for edge in tree], rtol=1e-12)
    if n < max(least, k):
        assert (model.labels_ == -1).all()
        return
    wanted = slow_labels(n, chosen)
    if epsilon and chosen and chosen[0].parent is None:
        wanted[[row for row in range(n) if any(c.leaves.get(row, 0) > epsilon for c in slow)]] = -1
    np.testing.assert_array_equal(model.labels_, wanted)
    if n > 1:
        np.testing.assert_allclose(
            model.outlier_scores_, [slow_outlier_score(slow, row) for row in range(n)], atol=1e-9
        )


# ---- scikit-learn


@pytest.mark.parametrize("seed", range(40))
def test_labels_and_probabilities_are_those_of_scikit_learn(seed):
    # min_samples=2: with more, several edges of one row have its core distance for weight, and scikit-learn merges them
    # in one order or another, where here they are one merge.
    random = np.random.default_rng(seed)
    X = blobs(seed, n=int(random.integers(30, 300)), d=int(random.integers(1, 5)))
    method = ["eom", "leaf"][seed % 2]
    options = {
        "min_cluster_size": int(random.integers(2, 15)),
        "min_samples": int(random.integers(1, 3)),
        "cluster_selection_method": method,
        "max_cluster_size": 40 if seed % 4 == 0 else None,
    }
    ours, theirs = HDBSCAN(**options).fit(X), Peer(**options, copy=True).fit(X)
    assert same_partition(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.probabilities_, theirs.probabilities_, rtol=1e-9)


@pytest.mark.parametrize("seed", range(200))
def test_tree_weights_are_those_of_scikit_learn(seed):
    random = np.random.default_rng(seed)
    X = blobs(seed, n=int(random.integers(20, 120)), d=int(random.integers(1, 6)))
    k = int(random.integers(1, 12))
    # Not its brute force, whose product form loses digits of small distances.
    theirs = Peer(5, min_samples=k, copy=True, algorithm="kd_tree").fit(X)._single_linkage_tree_["value"]
    ours = HDBSCAN(5, min_samples=k).fit(X)
    np.testing.assert_allclose(ours.minimum_spanning_tree_.weights, np.sort(theirs), rtol=1e-9)


@pytest.mark.parametrize("name", REAL)
def test_tree_weights_of_real_sets_are_those_of_scikit_learn(shared_data, name):
    path = shared_data / "clustering" / f"{name}.data.gz"
    with gzip.open(path, "rt") as file:
        X = np.loadtxt(file, ndmin=2)
    ours = HDBSCAN(10, min_samples=5).fit(X)
    theirs = Peer(10, min_samples=5, copy=True).fit(X)._single_linkage_tree_["value"]
    np.testing.assert_allclose(ours.single_linkage_tree_[:, 2], np.sort(theirs), rtol=1e-9, atol=1e-12)


# ---- predict


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", ["blobs", "duplicates", "lattice"])
def test_training_rows_get_their_own_labels_and_strengths(options, kind):
    X = blobs(1) + 20.0
    if kind == "duplicates":
        X = np.repeat(X[:60], np.random.default_rng(0).integers(1, 6, size=60), axis=0)
    elif kind == "lattice":
        X = X.round()
    model = HDBSCAN(6, **options).fit(X)
    labels, strengths = model.membership(X)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    np.testing.assert_array_equal(labels, model.labels_)
    np.testing.assert_allclose(strengths, model.probabilities_, rtol=1e-12)


@settings(max_examples=150, deadline=None)
@given(
    LATTICES, st.integers(2, 5), st.integers(1, 6), st.sampled_from(["eom", "leaf"]), st.sampled_from([0.0, 1.0, 3.0]),
    st.booleans(), st.sampled_from(["euclidean", "manhattan", "cosine"]),
)  # fmt: skip
def test_predict_on_the_training_rows_is_a_law(X, least, k, method, epsilon, single, metric):
    model = HDBSCAN(
        least, min_samples=k, cluster_selection_method=method, cluster_selection_epsilon=epsilon,
        allow_single_cluster=single, metric=metric,
    ).fit(X)  # fmt: skip
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert np.isfinite(model.probabilities_).all()
    assert ((model.outlier_scores_ >= 0) & (model.outlier_scores_ <= 1)).all()


def test_new_rows_join_the_cluster_they_are_connected_to():
    X = np.r_[blobs(3, 100), [[200.0, 200.0]]]
    model = HDBSCAN(5).fit(X)
    inside = X[model.labels_ >= 0]
    np.testing.assert_array_equal(model.predict(inside + 1e-9), model.labels_[model.labels_ >= 0])
    assert model.predict([[60.0, -60.0], [200.0, 200.1]]).tolist() == [-1, -1]


# ---- laws


@pytest.mark.parametrize("lattice", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_the_rows_changes_nothing(seed, lattice):
    random = np.random.default_rng(seed)
    X = blobs(seed, 250)
    X = X.round() if lattice else X
    order = random.permutation(len(X))
    options = {"min_samples": seed + 1, "cluster_selection_method": ["eom", "leaf"][seed % 2]}
    one, other = HDBSCAN(6, **options).fit(X), HDBSCAN(6, **options).fit(X[order])
    assert same_partition(other.labels_, one.labels_[order])
    np.testing.assert_array_equal(other.probabilities_, one.probabilities_[order])
    np.testing.assert_array_equal(other.outlier_scores_, one.outlier_scores_[order])


@pytest.mark.parametrize("n_threads", [1, 2, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_of_threads_changes_no_bit(n_threads, dtype):
    X = blobs(0, 20_000, 3).astype(dtype)
    reference = HDBSCAN(50, min_samples=8).fit(X)
    with threads(n_threads):
        model = HDBSCAN(50, min_samples=8).fit(X)
    for name in ("labels_", "probabilities_", "outlier_scores_", "single_linkage_tree_"):
        assert getattr(model, name).tobytes() == getattr(reference, name).tobytes()
    assert all(np.array_equal(a, b) for a, b in zip(model.condensed_tree_, reference.condensed_tree_, strict=True))


def test_labels_are_numbered_by_first_appearance():
    labels = HDBSCAN(5).fit(blobs(2)).labels_
    met = labels[labels >= 0]
    first = [int(np.flatnonzero(met == label)[0]) for label in range(met.max() + 1)]
    assert first == sorted(first)


def test_tensors_are_clustered_alike(on):
    X = blobs(4, 300)
    model, reference = HDBSCAN(8).fit(on(X)), HDBSCAN(8).fit(X)
    assert type(model.labels_) is type(on(X))
    np.testing.assert_array_equal(np.asarray(model.labels_), reference.labels_)
    np.testing.assert_array_equal(np.asarray(model.predict(on(X))), reference.labels_)


# ---- metrics


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev", "cosine", lambda a, b: np.abs(a - b).max()])
def test_a_metric_is_as_good_as_its_precomputed_distances(metric):
    X = blobs(5, 80) + 10.0
    distances = cdist(X, X, {"manhattan": "cityblock"}.get(metric, metric))
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0)
    model, given = HDBSCAN(6, metric=metric).fit(X), HDBSCAN(6, metric="precomputed").fit(distances)
    np.testing.assert_array_equal(model.labels_, given.labels_)
    np.testing.assert_allclose(
        model.minimum_spanning_tree_.weights, given.minimum_spanning_tree_.weights, rtol=1e-6, atol=1e-12
    )
    np.testing.assert_array_equal(given.predict(distances), given.labels_)


def test_precomputed_distances_give_the_euclidean_answer_and_are_not_modified():
    X = blobs(6)
    distances = cdist(X, X)
    before = distances.copy()
    distances.setflags(write=False)
    model = HDBSCAN(6, metric="precomputed").fit(distances)
    np.testing.assert_array_equal(distances, before)
    np.testing.assert_array_equal(model.labels_, HDBSCAN(6).fit(X).labels_)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_sparse_rows_are_clustered_like_dense_ones(metric):
    random = np.random.default_rng(8)
    X = np.where(random.random((120, 30)) < 0.2, random.integers(1, 5, size=(120, 30)), 0).astype(float)
    X[:60, 0], X[60:, 1] = 30, 30
    X = np.r_[X, X[:10]]
    model, dense = (
        HDBSCAN(10, min_samples=3, metric=metric).fit(csr_array(X)),
        HDBSCAN(10, min_samples=3, metric=metric).fit(X),
    )
    np.testing.assert_allclose(
        model.minimum_spanning_tree_.weights, dense.minimum_spanning_tree_.weights, rtol=1e-9, atol=1e-12
    )
    np.testing.assert_array_equal(model.predict(csr_array(X)), model.labels_)


@pytest.mark.parametrize(
    ("distances", "says"),
    [
        (np.zeros((3, 4)), "square"),
        (np.ones((3, 3)), "diagonal"),
        (np.array([[0.0, 1, 2], [1, 0, -1], [2, -1, 0]]), "negative"),
        (np.array([[0.0, 1, 2], [1, 0, 3], [2, 4, 0]]), "symmetric"),
    ],
)
def test_matrices_that_are_no_distances_are_refused(distances, says):
    with pytest.raises(InputError, match=says):
        HDBSCAN(2, metric="precomputed").fit(distances)


# ---- awkward data


@pytest.mark.parametrize(
    "X", [np.zeros((1, 2)), np.zeros((3, 2)), np.arange(4.0)[:, None]], ids=["one", "equal", "few"]
)
def test_fewer_rows_than_the_least_cluster_are_noise(X):
    model = HDBSCAN(5).fit(X)
    assert (model.labels_ == -1).all()
    assert (model.predict(X) == -1).all()
    assert not model.probabilities_.any()


@pytest.mark.parametrize("n", [6, 3000])
def test_equal_rows_are_noise_or_one_cluster_if_that_is_allowed(n):
    X = np.full((n, 2), 3.0)
    assert set(HDBSCAN(5).fit(X).labels_) == {-1}
    model = HDBSCAN(5, allow_single_cluster=True).fit(X)
    assert set(model.labels_) == {0}
    assert set(model.probabilities_) == {1.0}
    assert not model.outlier_scores_.any()


def test_two_places_many_times_are_two_clusters():
    X = np.repeat([[0.0, 0.0], [9.0, 9.0]], 2000, axis=0)[np.random.default_rng(0).permutation(4000)]
    model = HDBSCAN(5).fit(X)
    assert same_partition(model.labels_, (X[:, 0] > 1).astype(int))
    assert np.isinf(model.condensed_tree_.lambda_[: len(X)]).all()
    assert set(model.probabilities_) == {1.0}


def test_rows_at_growing_distances_make_a_chain_without_recursion():
    X = np.cumsum(np.linspace(1.0, 2.0, 50_000))[:, None]
    model = HDBSCAN(5, min_samples=1).fit(X)
    assert len(model.condensed_tree_.size) == 50_000
    assert (model.labels_ == -1).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_unusable_row_is_refused_not_set_aside(value):
    X = blobs(0)
    X[7, 1] = value
    with pytest.raises(InputError, match="row 7"):
        HDBSCAN().fit(X)
    assert not HDBSCAN().__sklearn_tags__().input_tags.allow_nan


@pytest.mark.parametrize("factor", [1e-300, 1e-150, 1e150, 1e300])
def test_the_magnitude_of_the_rows_does_not_matter(factor):
    X = blobs(9, 200)
    assert same_partition(HDBSCAN(6).fit(X * factor).labels_, HDBSCAN(6).fit(X).labels_)


def test_single_precision_stays_and_finds_the_same():
    X = blobs(10, 400).astype(np.float32)
    assert same_partition(HDBSCAN(8).fit(X).labels_, HDBSCAN(8).fit(X.astype(float)).labels_)


def test_no_cluster_is_larger_than_allowed():
    model = HDBSCAN(5, max_cluster_size=30).fit(blobs(11, 400))
    assert 5 <= np.bincount(model.labels_[model.labels_ >= 0]).max() <= 30
