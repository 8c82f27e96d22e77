"""K-means against scikit-learn, the plain composition of its steps, and what must hold of any partition."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.cluster import KMeans as Reference
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from coterie import KMeans
from coterie.errors import InputError
from coterie.partition.kmeans import kmeans
from coterie.primitives._numba import lloyd, lloyd_boxes
from coterie.primitives.assign import center_sums, lloyd_end, lloyd_start, lloyd_step, nearest_center
from coterie.primitives.conditioning import condition
from coterie.primitives.engine import threads

REAL_SETS = [
    "fcps/engytime", "fcps/hepta", "fcps/target", "graves/zigzag", "sipu/a1", "sipu/s2", "sipu/spiral",
    "uci/ecoli", "uci/glass", "wut/mk4",
]  # fmt: skip


def random_rows(seed, n=None, d=None, ties=True):
    rng = np.random.default_rng(seed)
    n, d = n or int(rng.integers(20, 400)), d or int(rng.integers(1, 12))
    X = rng.normal(size=(n, d)) + 3 * rng.integers(0, 4, size=(n, 1))
    return np.round(X, 1) if ties and seed % 3 == 0 else X


def some_rows(X, k, seed=0):
    distinct = np.unique(X, axis=0)
    return distinct[np.random.default_rng(seed).permutation(len(distinct))[:k]].copy()


# ---- agreement. Rows at the same distance from two centers are left out: rounding decides there, here and in scikit-learn.


@pytest.mark.parametrize("name", REAL_SETS)
def test_inertia_is_scikit_learns_from_the_same_centers_on_real_sets(shared_data, name):
    X = np.loadtxt(shared_data / "clustering" / f"{name}.data.gz", ndmin=2)
    init = some_rows(X, 7)
    ours = KMeans(7, init=init, tol=0, max_iter=500).fit(X)
    theirs = Reference(7, init=init, n_init=1, tol=0, max_iter=500).fit(X)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-6)


@pytest.mark.parametrize("seed", range(100))
def test_inertia_is_scikit_learns_from_the_same_centers_on_random_sets(seed):
    X = random_rows(seed, ties=False)
    k = 2 + seed % 9
    init = some_rows(X, k)
    ours = KMeans(len(init), init=init).fit(X)
    theirs = Reference(len(init), init=init, n_init=1).fit(X)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-6)
    assert ours.n_iter_ == theirs.n_iter_


@pytest.mark.parametrize("seed", range(100, 200))
def test_weighted_inertia_is_scikit_learns_on_random_sets(seed):
    X = random_rows(seed, ties=False)
    weight = np.random.default_rng(seed).uniform(0.1, 3, len(X))
    init = some_rows(X, 4)
    ours = KMeans(len(init), init=init, tol=0).fit(X, sample_weight=weight)
    theirs = Reference(len(init), init=init, n_init=1, tol=0).fit(X, sample_weight=weight)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-6)


# ---- the steps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(12))
def test_steps_that_skip_equal_the_plain_composition(monkeypatch, seed, dtype):
    monkeypatch.setattr(lloyd, "_WORTH_BOUNDS", 0)
    monkeypatch.setattr(lloyd, "_GROUP_WORK", 64)
    X = condition(random_rows(seed, n=1500, d=1 + seed).astype(dtype)).rows
    centers = some_rows(X, 40, seed).astype(np.float64)
    state, before, bounded = lloyd_start(X), None, 0
    for _ in range(15):
        step = lloyd_step(state, centers)
        labels, _ = nearest_center(X, centers)
        sums, weights = center_sums(X, labels, len(centers))
        bounded += state.bounds is not None
        np.testing.assert_allclose(step.sums, sums, atol=1e-9)  # kept up to date, so rounded in another order
        np.testing.assert_array_equal(step.weights, weights)
        assert step.n_changed == (len(X) if before is None else np.count_nonzero(labels != before))
        before, centers = labels, np.where(weights[:, None] > 0, sums / np.maximum(weights, 1)[:, None], centers)
    assert bounded > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(6))
def test_steps_in_boxes_equal_the_plain_composition(seed, dtype):
    X = condition(random_rows(seed, n=3000, d=1 + seed % 4).astype(dtype)).rows
    weight = np.random.default_rng(seed).uniform(size=len(X)) if seed % 2 else None
    centers = some_rows(np.round(X, 3), 80, seed).astype(np.float64)
    state = lloyd_start(X, weight)
    for _ in range(8):
        step = lloyd_step(state, centers)
        labels, _ = nearest_center(X, centers)
        sums, weights = center_sums(X, labels, len(centers), weight)
        np.testing.assert_array_equal(state.labels, labels[state.boxes.order])
        np.testing.assert_allclose(step.sums, sums, atol=1e-9)
        centers = np.where(weights[:, None] > 0, sums / np.maximum(weights, 1e-9)[:, None], centers)
    for found, expected in zip(lloyd_end(state, centers), nearest_center(X, centers), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["sorted", "equal", "one column", "far from the others", "few values"])
def test_every_row_lies_in_one_box(kind):
    X = np.random.default_rng(0).standard_normal((2000, 3)).astype(np.float32)
    if kind == "sorted":
        X = X[np.lexsort(X.T)]
    elif kind == "equal":
        X[:] = X[0]
    elif kind == "one column":
        X = np.ascontiguousarray(X[:, :1])
    elif kind == "far from the others":
        X[7] = 1e30
    else:
        X = X.round(0)
    boxes = lloyd_boxes.Boxes(X)
    np.testing.assert_array_equal(np.sort(boxes.order), np.arange(2000))
    np.testing.assert_array_equal(boxes.X, X[boxes.order])
    assert boxes.starts[0] == 0
    assert boxes.starts[-1] == 2000
    for box in np.flatnonzero(np.diff(boxes.starts)):
        rows = boxes.X[boxes.starts[box] : boxes.starts[box + 1]]
        np.testing.assert_array_equal(boxes.low[box], rows.min(0))
        np.testing.assert_array_equal(boxes.high[box], rows.max(0))


def test_inertia_never_rises():
    X = condition(random_rows(1, n=2000, d=4)).rows
    centers, inertia = some_rows(X, 15), np.inf
    for _ in range(20):
        _, distances2 = nearest_center(X, centers)
        assert distances2.sum() <= inertia * (1 + 1e-12)
        inertia = distances2.sum()
        centers, *_ = kmeans(X, centers, max_iter=1)


def test_a_center_that_loses_its_rows_moves_to_the_farthest_row():
    X = np.array([[0.0], [1.0], [2.0], [30.0]])
    model = KMeans(2, init=np.array([[1.0], [1e6]]), tol=0).fit(X)
    assert sorted(model.cluster_centers_.ravel()) == [1.0, 30.0]


def test_ties_go_to_the_lowest_center():
    labels, _ = nearest_center(np.array([[0.0, 0.0]]), np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]]))
    assert labels.tolist() == [0]


# ---- kinds of rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [3, 8, 16, 17, 24, 33, 48, 80, 100])
def test_of_equal_centers_the_first_is_nearest_wherever_they_lie_among_the_others(k, dtype):
    rows = np.random.default_rng(k).integers(-9, 9, (83, 3)).astype(dtype)
    centers = np.random.default_rng(0).integers(-9, 9, (3, 3)).astype(float)
    distances2 = ((rows[:, None] - centers) ** 2).sum(2)
    labels, near2 = nearest_center(rows, np.tile(centers, (34, 1))[:k])
    np.testing.assert_array_equal(labels, distances2.argmin(1))
    np.testing.assert_array_equal(near2, distances2.min(1))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_sparse_rows_give_the_partition_of_dense_ones(metric):
    X = scipy.sparse.random(400, 60, density=0.1, format="csr", random_state=3)
    X = X[X.getnnz(axis=1) > 0]
    start = X[:6].toarray()
    sparse = KMeans(6, init=start, metric=metric).fit(X)
    dense = KMeans(6, init=start, metric=metric).fit(X.toarray())
    assert sparse.inertia_ == pytest.approx(dense.inertia_, rel=1e-9)
    assert adjusted_rand_score(sparse.labels_, dense.labels_) == 1
    np.testing.assert_array_equal(sparse.predict(X), sparse.labels_)


def test_cosine_ignores_length():
    X, _ = make_blobs(200, centers=[[9, 1, 1], [1, 9, 1], [1, 1, 9]], random_state=0)
    longer = X * np.random.default_rng(0).uniform(0.1, 50, size=(200, 1))
    labels = [KMeans(3, metric="cosine", random_state=0).fit_predict(rows) for rows in (X, longer)]
    assert adjusted_rand_score(*labels) == 1


def test_centers_of_the_cosine_are_unit_vectors():
    centers = KMeans(3, metric="cosine", random_state=0).fit(random_rows(4)).cluster_centers_
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 1)


@pytest.mark.parametrize(
    ("exponent", "dtype"),
    [(e, np.float64) for e in (-300, -150, -30, 0, 30, 150, 300)] + [(e, np.float32) for e in (-30, 0, 30)],
)
def test_labels_do_not_depend_on_the_scale(exponent, dtype):
    X, _ = make_blobs(300, centers=4, random_state=3)
    want = KMeans(4, random_state=0).fit_predict(X)
    got = KMeans(4, random_state=0).fit_predict((X * 10.0**exponent).astype(dtype))
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("offset", [0, 1e3, 1e5])
def test_float32_agrees_with_float64_far_from_the_origin(offset):
    X, _ = make_blobs(500, centers=5, random_state=1)
    X32 = (X + offset).astype(np.float32)
    labels = [KMeans(5, random_state=0).fit_predict(rows) for rows in (X32, X32.astype(np.float64))]
    assert adjusted_rand_score(*labels) >= 0.999


def test_float32_stays_float32():
    model = KMeans(3, random_state=0).fit(random_rows(5).astype(np.float32))
    assert model.cluster_centers_.dtype == np.float32
    assert model.transform(random_rows(6, d=model.n_features_in_).astype(np.float32)).dtype == np.float32


# ---- starts


def test_seeded_starts_do_not_depend_on_the_order_of_the_rows():
    X = random_rows(7, n=500, d=3)
    shuffled = np.random.default_rng(0).permutation(len(X))
    want = KMeans(6, random_state=4).fit(X).labels_
    got = KMeans(6, random_state=4).fit(X[shuffled]).labels_
    np.testing.assert_array_equal(got, want[shuffled])


def test_more_starts_are_never_worse():
    X = random_rows(8, n=600, d=2)
    one, many = (KMeans(9, n_init=n, random_state=0).fit(X).inertia_ for n in (1, 8))
    assert many <= one


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_starts_are_rows_of_the_data(init):
    X = random_rows(10, n=100, d=2)
    model = KMeans(5, init=init, n_init=1, random_state=0)
    model._validate_params()
    prepared = model._prepare(X, fitting=True)
    from coterie.partition._kmeans_starts import starts

    (start,) = starts(model, X, prepared, model._shift, model._scale, None)
    assert all((prepared == row).all(axis=1).any() for row in start)


def test_kmeans_plusplus_beats_random_rows_on_separated_blobs():
    X, _ = make_blobs(1000, centers=20, cluster_std=0.2, random_state=0)
    seeded, random = (
        np.mean([KMeans(20, init=init, n_init=1, random_state=s).fit(X).inertia_ for s in range(5)])
        for init in ("k-means++", "random")
    )
    assert seeded < random


def test_a_callable_gives_the_starting_centers():
    X = random_rows(11, n=80, d=2)
    model = KMeans(3, init=lambda X, k, random_state: X[:k]).fit(X)
    assert model.inertia_ == KMeans(3, init=X[:3], n_init=1).fit(X).inertia_


# ---- the same bits


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_centers_are_the_same_bits_on_any_number_of_threads(dtype):
    X = random_rows(13, n=20_000, d=6).astype(dtype)
    results = []
    for n in (1, 2, 4):
        with threads(n):
            model = KMeans(12, random_state=0).fit(X)
        results.append((model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_))
    assert results[0] == results[1] == results[2]


def test_predict_repeats_the_labels_of_the_fit():
    X = random_rows(14, n=3000, d=5).astype(np.float32)
    model = KMeans(20, random_state=0).fit(X)
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_transform_gives_distances_in_the_units_of_the_data():
    X = random_rows(15, n=100, d=3) * 1000
    model = KMeans(4, random_state=0).fit(X)
    want = np.linalg.norm(X[:, None] - model.cluster_centers_[None], axis=2)
    np.testing.assert_allclose(model.transform(X), want, rtol=1e-9)
    assert model.score(X) == pytest.approx(-model.inertia_)


# ---- refusals and warnings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_clusters": 11}, "n_samples=10 should be >= n_clusters=11"),
        ({"init": np.zeros((3, 2))}, "init must hold n_clusters=4 centers of 2 features"),
        ({"init": np.full((4, 2), np.nan)}, "init contains NaN"),
    ],
)
def test_unusable_parameters_are_named(change, message):
    with pytest.raises(InputError, match=message):
        KMeans(**{"n_clusters": 4} | change).fit(random_rows(1, n=10, d=2))


@pytest.mark.parametrize("weight", [[-1.0] + [1.0] * 9, [0.0] * 10])
def test_weights_below_zero_or_all_zero_are_refused(weight):
    with pytest.raises(InputError, match="sample_weight must not be negative, nor zero"):
        KMeans(2).fit(random_rows(1, n=10, d=2), sample_weight=weight)


def test_fewer_distinct_rows_than_clusters_is_said():
    with pytest.warns(ConvergenceWarning, match="2 of n_clusters=3 clusters hold rows"):
        KMeans(3, random_state=0).fit(np.repeat([[0.0, 0], [1, 1]], 5, axis=0))


def test_rows_without_weight_are_labelled_but_do_not_move_the_centers():
    X = np.array([[0.0], [1.0], [10.0], [11.0], [1000.0]])
    model = KMeans(2, random_state=0).fit(X, sample_weight=[1, 1, 1, 1, 0])
    assert sorted(model.cluster_centers_.ravel()) == [0.5, 10.5]
    assert model.labels_[4] == model.labels_[3]
