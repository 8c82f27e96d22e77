"""PDDP against its definition by singular vectors, on dense and sparse rows."""

import numpy as np
import pytest
import scipy.sparse

from coterie import PDDP
from coterie.hierarchy import pddp
from coterie.hierarchy._dividing import Groups
from coterie.hierarchy.pddp import principal_directions
from coterie.primitives.divide import divide_start
from coterie.primitives.engine import threads


def random_rows(seed, n=None, d=None):
    random = np.random.default_rng(seed)
    n, d = n or int(random.integers(20, 300)), d or int(random.integers(1, 15))
    return random.normal(size=(n, d)) @ np.diag(random.uniform(0.2, 5, d)) + random.normal(size=d)


def by_definition(X, k):
    """Boley's loop on dense rows: the group of greatest scatter, its leading right singular vector, the sign of the projection."""
    groups = [np.arange(len(X))]
    while len(groups) < k:
        scatter = [((X[rows] - X[rows].mean(axis=0)) ** 2).sum() for rows in groups]
        rows = groups.pop(int(np.argmax(scatter)))
        centred = X[rows] - X[rows].mean(axis=0)
        direction = np.linalg.svd(centred, full_matrices=False)[2][0]
        right = centred @ (direction * np.sign(direction[np.abs(direction).argmax()])) > 0
        groups += [rows[~right], rows[right]]
    labels = np.empty(len(X), int)
    for label, rows in enumerate(groups):
        labels[rows] = label
    return labels


def same(a, b):
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))


@pytest.mark.parametrize("seed", range(200))
def test_the_partition_is_that_of_the_definition(seed):
    X = random_rows(seed)
    k = 2 + seed % 7
    model = PDDP(k).fit(X)
    assert same(model.labels_, by_definition(X, k))
    np.testing.assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize(
    "name", ["fcps/engytime", "sipu/s2", "uci/ecoli", "uci/glass", "uci/ionosphere", "uci/statlog"]
)
def test_the_partition_of_real_sets_is_that_of_the_definition(shared_data, name):
    X = np.loadtxt(shared_data / "clustering" / f"{name}.data.gz", ndmin=2)
    assert same(PDDP(7).fit(X).labels_, by_definition(X, 7))


def test_projection_zero_goes_left_and_up_is_right():
    X = np.array([[-2.0, 0], [0, 0], [2.0, 0]])
    model = PDDP(2).fit(X)
    assert model.labels_.tolist() == [0, 0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_directions_are_singular_vectors(seed):
    X = random_rows(seed, 200, 40)
    state = divide_start(X.copy(), np.arange(200))
    spans = np.array([[0, 90, 0], [90, 200, 0]])
    means = np.array([X[:90].mean(axis=0), X[90:].mean(axis=0)])
    found = principal_directions(state, Groups(np.arange(2), spans, means, means))
    for part, mean, direction in zip((X[:90], X[90:]), means, found, strict=True):
        want = np.linalg.svd(part - mean)[2][0]
        assert abs(direction @ want) == pytest.approx(1, abs=1e-12)
        assert direction[np.abs(direction).argmax()] > 0


@pytest.mark.parametrize("seed", range(5))
def test_products_find_the_direction_of_the_matrix(monkeypatch, seed):
    X = random_rows(seed, 300, 20)
    state = divide_start(X.copy(), np.arange(300), np.random.default_rng(seed).random(300))
    groups = Groups(np.arange(2), np.array([[0, 130, 0], [130, 300, 0]]), X[[0, 150]], X[[0, 150]])
    formed = principal_directions(state, groups)
    monkeypatch.setattr(pddp, "_MOST_MATRIX_FEATURES", 0)
    np.testing.assert_allclose(principal_directions(state, groups), formed, atol=1e-9)


def test_many_features_take_more_vectors_than_are_kept():
    random = np.random.default_rng(0)
    # Eigenvalues close to each other: slow to tell apart.
    X = random.normal(size=(400, 300)) * np.linspace(1, 1.3, 300)
    state = divide_start(X.copy(), np.arange(400))
    mean = X.mean(axis=0)[None]
    direction = principal_directions(state, Groups(np.arange(1), np.array([[0, 400, 0]]), mean, mean))[0]
    assert abs(direction @ np.linalg.svd(X - mean)[2][0]) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_sparse_rows_give_the_partition_of_dense_ones(seed):
    X = scipy.sparse.random(200, 60, density=0.1, format="csr", random_state=seed)
    sparse, dense = PDDP(6).fit(X), PDDP(6).fit(X.toarray())
    assert same(sparse.labels_, dense.labels_)
    np.testing.assert_array_equal(sparse.predict(X), sparse.labels_)


def test_sparse_rows_are_never_filled():
    random = np.random.default_rng(0)
    stray = (1e-3 * random.random(4000), (np.arange(4000), random.integers(0, 999_997, 4000)))
    X = scipy.sparse.coo_array(stray, shape=(4000, 999_997))
    X = scipy.sparse.hstack([random.random((4000, 3)) * [9, 3, 1], X]).tocsr()
    model = PDDP(3).fit(X)  # 32 GB if filled
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_tensors_give_the_partition_of_arrays():
    torch = pytest.importorskip("torch")
    X = random_rows(3, 300, 6)
    array, tensor = PDDP(6).fit(X), PDDP(6).fit(torch.from_numpy(X))
    np.testing.assert_array_equal(tensor.labels_.numpy(), array.labels_)
    assert torch.equal(tensor.predict(torch.from_numpy(X)), tensor.labels_)


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_weight_is_as_many_rows(seed):
    X = random_rows(seed, 120, 4)
    weight = np.random.default_rng(seed).integers(1, 4, 120)
    weighted, repeated = PDDP(5).fit(X, sample_weight=weight), PDDP(5).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_array_equal(repeated.predict(X), weighted.labels_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-9)


def test_the_same_bits_on_any_number_of_threads():
    X = random_rows(10, 30_000, 6).astype(np.float32)
    results = []
    for n in (1, 2, 4):
        with threads(n):
            model = PDDP(7).fit(X)
        results.append((model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_))
    assert results[0] == results[1] == results[2]
