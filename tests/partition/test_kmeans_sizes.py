"""K-means with bounds on the sizes of its clusters."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import make_blobs

import coterie
from coterie import KMeans
from coterie.errors import InputError
from coterie.partition._sizes import kmeans_within, size_limits
from coterie.primitives.conditioning import condition
from coterie.primitives.distances import pairwise_distances
from coterie.primitives.engine import threads

SETS = ["sipu/s2", "fcps/engytime", "uci/ecoli", "uci/glass", "graves/zigzag", "wut/mk4"]


def unequal(seed=0, n=400, d=3):
    """Blobs of very unequal size, every tenth row twice."""
    random = np.random.default_rng(seed)
    centers = random.uniform(-10, 10, (5, d))
    X = centers[random.choice(5, n, p=[0.5, 0.3, 0.15, 0.04, 0.01])] + random.normal(size=(n, d))
    X[::10] = X[5::10]
    return X


BOUNDS = [
    {"min_cluster_size": 40},
    {"min_cluster_size": 0.15},
    {"max_cluster_size": 100},
    {"max_cluster_size": 0.21},
    {"min_cluster_size": 80, "max_cluster_size": 80},
    {"min_cluster_size": 1},
]


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sizes_are_within_the_bounds_and_predict_repeats_the_labels(bounds, metric, dtype):
    X = unequal().astype(dtype)
    model = KMeans(5, metric=metric, random_state=0, **bounds).fit(X)
    sizes = np.bincount(model.labels_, minlength=5)
    low, high = size_limits(400, 5, bounds.get("min_cluster_size"), bounds.get("max_cluster_size"))
    assert ((low <= sizes) & (sizes <= high)).all()
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X) == pytest.approx(-model.inertia_, rel=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_no_cluster_of_a_real_set_is_below_five_percent(shared_data, name):
    X = np.loadtxt(shared_data / "clustering" / f"{name}.data.gz", ndmin=2)
    free = KMeans(8, random_state=0).fit(X)
    model = KMeans(8, min_cluster_size=0.05, random_state=0).fit(X)
    assert np.bincount(model.labels_).min() >= 0.05 * len(X)
    assert model.inertia_ >= free.inertia_ * 0.9
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_known_groups_of_three_when_two_would_be_nearer():
    X = np.array([[0.0], [1.0], [2.0], [3.0], [20.0], [21.0]])
    model = KMeans(2, init=[[1.5], [20.5]], min_cluster_size=3).fit(X)
    assert model.labels_.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(model.cluster_centers_.ravel(), [1.0, 44 / 3], rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_bounds_that_nothing_touches_change_nothing(seed):
    X, _ = make_blobs(150, centers=4, random_state=seed)
    init = X[:4]
    free = KMeans(4, init=init, tol=0).fit(X)
    sizes = np.bincount(free.labels_, minlength=4)
    bounded = KMeans(4, init=init, tol=0, max_cluster_size=150).fit(X)
    assert sizes.min() > 0
    np.testing.assert_array_equal(bounded.labels_, free.labels_)
    np.testing.assert_allclose(bounded.cluster_centers_, free.cluster_centers_, rtol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_the_last_step_can_lower_the_inertia_no_more(seed):
    X = condition(unequal(seed)).rows
    run = kmeans_within(X, X[:5].copy(), size_limits(400, 5, 60, 120))
    total = run.distances2.sum()
    means = np.array([X[run.labels == c].mean(axis=0) for c in range(5)])
    np.testing.assert_allclose(run.centers, means, atol=1e-9)
    costs = pairwise_distances(X, run.centers, squared=True)
    order = np.random.default_rng(seed).permutation(400)
    a, b = order[:200], order[200:]
    # No exchange of two rows, and no row of a cluster with room, makes it cheaper.
    exchanged = costs[a, run.labels[b]] + costs[b, run.labels[a]] - costs[a, run.labels[a]] - costs[b, run.labels[b]]
    assert exchanged.min() >= -1e-9
    assert total == pytest.approx(costs[np.arange(400), run.labels].sum())


def test_the_inertia_never_rises_from_step_to_step():
    X = condition(unequal(3)).rows
    limits, centers, before = size_limits(400, 5, 70, 90), X[:5].copy(), np.inf
    for _ in range(15):
        run = kmeans_within(X, centers, limits, max_iter=1)
        assert run.distances2.sum() <= before * (1 + 1e-12)
        before, centers = run.distances2.sum(), run.centers


def test_equal_rows_that_the_bounds_divide_get_their_labels_in_turn():
    X = np.ones((12, 2))
    model = KMeans(3, min_cluster_size=4, random_state=0).fit(X)
    assert model.labels_.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert model.predict(X).tolist() == model.labels_.tolist()
    assert model.predict(np.ones((14, 2))).tolist() == [*model.labels_.tolist(), 2, 2]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_sparse_rows_give_the_partition_of_dense_ones(metric):
    X = scipy.sparse.random(200, 30, density=0.2, format="csr", random_state=3)
    X = X[X.getnnz(axis=1) > 0]
    given = {"init": X[:4].toarray(), "metric": metric, "min_cluster_size": 0.22}
    sparse, dense = KMeans(4, **given).fit(X), KMeans(4, **given).fit(X.toarray())
    assert sparse.inertia_ == pytest.approx(dense.inertia_, rel=1e-9)
    np.testing.assert_array_equal(sparse.predict(X), sparse.labels_)


def test_tensors_give_the_partition_of_arrays():
    torch = pytest.importorskip("torch")
    X = unequal(4)
    array = KMeans(5, init=X[:5], min_cluster_size=0.15).fit(X)
    tensor = KMeans(5, init=X[:5], min_cluster_size=0.15).fit(torch.from_numpy(X))
    assert isinstance(tensor.labels_, torch.Tensor)
    np.testing.assert_array_equal(tensor.labels_.numpy(), array.labels_)
    assert torch.equal(tensor.predict(torch.from_numpy(X)), tensor.labels_)


def test_a_saved_model_predicts_the_labels_of_the_fit(tmp_path):
    X = unequal(5)
    model = KMeans(5, random_state=0, min_cluster_size=0.19).fit(X)
    loaded = coterie.load(coterie.save(model, tmp_path / "m.coterie"))
    np.testing.assert_array_equal(loaded.predict(X), model.labels_)


def test_a_second_fit_without_bounds_forgets_the_first():
    X = unequal(6)
    model = KMeans(5, random_state=0, min_cluster_size=0.19).fit(X)
    model.set_params(min_cluster_size=None).fit(X)
    np.testing.assert_array_equal(model.predict(X), KMeans(5, random_state=0).fit(X).labels_)


def test_the_same_bits_on_any_number_of_threads():
    X = unequal(7, n=9000).astype(np.float32)
    results = []
    for n in (1, 2, 4):
        with threads(n):
            model = KMeans(6, random_state=0, min_cluster_size=0.1).fit(X)
        results.append((model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("exponent", [-300, -30, 30, 150])
def test_the_unit_of_the_data_changes_nothing(exponent):
    X = unequal(8)
    want = KMeans(5, random_state=0, min_cluster_size=0.1).fit(X)
    got = KMeans(5, random_state=0, min_cluster_size=0.1).fit(X * 10.0**exponent)
    np.testing.assert_array_equal(got.labels_, want.labels_)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"min_cluster_size": 6}, "min_cluster_size=6 for n_clusters=2 needs 12 rows, got 10"),
        ({"max_cluster_size": 4}, "max_cluster_size=4 for n_clusters=2 holds 8 rows, got 10"),
        ({"min_cluster_size": 0.55}, r"min_cluster_size=0.55 for n_clusters=2 needs 12 rows"),
        (
            {"min_cluster_size": 5, "max_cluster_size": 0.45},
            "min_cluster_size=5 is 5 rows, above max_cluster_size=0.45",
        ),
        ({"min_cluster_size": 1.5}, "min_cluster_size"),
        ({"max_cluster_size": 0}, "max_cluster_size"),
    ],
)
def test_bounds_that_cannot_be_kept_are_named(bounds, message):
    with pytest.raises(ValueError, match=message):
        KMeans(2, **bounds).fit(np.arange(10.0)[:, None])


def test_weights_beside_bounds_are_refused():
    with pytest.raises(InputError, match="count rows"):
        KMeans(2, min_cluster_size=2).fit(np.arange(10.0)[:, None], sample_weight=np.ones(10))


@pytest.mark.parametrize(("share", "rows"), [(0.05, 5), (0.29, 29), (0.07, 7)])
def test_a_share_that_is_a_whole_number_of_rows_is_that_number(share, rows):
    low, _ = size_limits(100, 2, share, None)
    assert low[0] == rows
    assert size_limits(100, 50, None, share)[1][0] == rows
