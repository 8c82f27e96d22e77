"""OPTICS against scikit-learn on random and real sets, against DBSCAN, and by its own promises."""

import warnings

import numpy as np
import pytest
import sklearn.cluster
from scipy.sparse import csr_array
from sklearn.metrics import adjusted_rand_score, pairwise_distances

from coterie import DBSCAN, OPTICS
from coterie.density import _xi
from coterie.density._twins import one_label_each, twins_of_rows
from coterie.errors import InputError
from coterie.primitives.components import number_sets

REAL = ["fcps/atom", "fcps/hepta", "fcps/target", "fcps/tetra", "graves/dense", "graves/line", "graves/zigzag_noisy"]


def blobs(n, d, seed=0, spread=0.4):
    random = np.random.default_rng(seed)
    return random.uniform(-5, 5, size=(5, d))[random.integers(0, 5, size=n)] + spread * random.normal(size=(n, d))


def assert_same_as_sklearn(X, **parameters):
    ours = OPTICS(**parameters).fit(X)
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by reachabilities of 0
        theirs = sklearn.cluster.OPTICS(algorithm="kd_tree", **parameters).fit(X)
    for name in ("ordering_", "reachability_", "core_distances_", "predecessor_"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    np.testing.assert_array_equal(ours.cluster_hierarchy_, theirs.cluster_hierarchy_.reshape(-1, 2))
    if twins_of_rows(X) is None:
        np.testing.assert_array_equal(ours.labels_, number_sets(theirs.labels_.astype(np.int64)))
    np.testing.assert_array_equal(ours.predict(X), ours.labels_)
    return ours


@pytest.mark.filterwarnings("ignore:no row reaches another")
@pytest.mark.parametrize("kind", ["round", "lattice", "tenths", "groups"])
@pytest.mark.parametrize("seed", range(50))
def test_everything_is_scikit_learns(kind, seed):
    random = np.random.default_rng(seed)
    n, d = int(random.integers(12, 150)), int(random.integers(1, 5))
    X = {
        "round": lambda: random.normal(size=(n, d)),
        "lattice": lambda: random.integers(0, 5, size=(n, d)).astype(float),
        "tenths": lambda: np.round(random.normal(size=(n, d)), 1),
        "groups": lambda: blobs(n, d, seed),
    }[kind]()
    assert_same_as_sklearn(
        X,
        min_samples=int(random.integers(2, 11)),
        max_eps=np.inf if seed % 3 else float(random.uniform(0.1, 2.0)),
        xi=float(random.choice([0.01, 0.05, 0.1, 0.3])),
        predecessor_correction=bool(seed % 2),
        min_cluster_size=None if seed % 4 else int(random.integers(2, 10)),
    )


@pytest.mark.parametrize("name", REAL)
def test_real_sets_are_as_in_scikit_learn(name, shared_data):
    X = np.loadtxt(shared_data / "clustering" / f"{name}.data.gz")[::2]
    assert_same_as_sklearn(X, min_samples=8, min_cluster_size=0.05)


def test_the_worked_example_of_scikit_learn():
    X = np.array([[1, 2], [2, 5], [3, 6], [8, 7], [8, 8], [7, 3]])
    model = OPTICS(min_samples=2).fit(X)
    assert model.labels_.tolist() == [0, 0, 0, 1, 1, 1]
    assert model.ordering_.tolist() == [0, 1, 2, 5, 3, 4]
    assert model.cluster_hierarchy_.tolist() == [[0, 2], [3, 5], [0, 5]]


@pytest.mark.parametrize("seed", range(8))
def test_compiled_and_plain_extraction_agree(seed, monkeypatch):
    X = blobs(300, 2, seed)
    model = OPTICS(min_samples=5, xi=0.02).fit(X)
    monkeypatch.setattr(_xi, "_FEW_ROWS", 0)
    labels, hierarchy = model.extract_xi()
    np.testing.assert_array_equal(hierarchy, model.cluster_hierarchy_)
    np.testing.assert_array_equal(labels, model.labels_)


def test_predecessor_correction_cuts_off_rows_that_were_reached_from_elsewhere():
    # Position 6 closes the dent that begins at 4, but was reached from position 3.
    plot, predecessor = np.array([np.inf, 2.0, 2.0, 2.0, 2.0, 1.0, 4.0]), np.array([-1, 0, 1, 0, 0, 3, 3])
    cut = _xi.xi_intervals(plot, predecessor, 0.05, 2, 2)
    whole = _xi.xi_intervals(plot, predecessor, 0.05, 2, 2, predecessor_correction=False)
    assert cut.tolist() == [[4, 5], [0, 6]]
    assert whole.tolist() == [[4, 6], [0, 6]]


@pytest.mark.parametrize("eps", [0.3, 0.6, 1.0])
def test_the_cut_has_the_core_rows_and_clusters_of_dbscan(eps):
    X = blobs(500, 2, 3)
    cut, scan = OPTICS(min_samples=6, extraction="dbscan", eps=eps).fit(X), DBSCAN(eps, min_samples=6).fit(X)
    core = np.flatnonzero(cut.core_distances_ <= eps)
    np.testing.assert_array_equal(core, scan.core_sample_indices_)
    assert adjusted_rand_score(cut.labels_[core], scan.labels_[core]) == 1.0
    assert not ((cut.labels_ >= 0) & (scan.labels_ < 0)).any()
    np.testing.assert_array_equal(cut.predict(X), cut.labels_)
    assert not hasattr(cut, "cluster_hierarchy_")


def test_another_cut_is_that_of_a_new_fit():
    X = blobs(300, 3, 1)
    model = OPTICS(min_samples=5).fit(X)
    before = model.labels_.copy()
    np.testing.assert_array_equal(
        model.extract_dbscan(0.7), OPTICS(min_samples=5, extraction="dbscan", eps=0.7).fit(X).labels_
    )
    labels, hierarchy = model.extract_xi(0.2, min_cluster_size=20)
    again = OPTICS(min_samples=5, xi=0.2, min_cluster_size=20).fit(X)
    np.testing.assert_array_equal(labels, again.labels_)
    np.testing.assert_array_equal(hierarchy, again.cluster_hierarchy_)
    np.testing.assert_array_equal(model.labels_, before)


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev", "cosine", "precomputed"])
@pytest.mark.parametrize("extraction", ["xi", "dbscan"])
def test_other_metrics_predict_their_labels(metric, extraction):
    X = np.random.default_rng(2).integers(1, 9, size=(150, 3)).astype(float)
    given = pairwise_distances(X) if metric == "precomputed" else X
    model = OPTICS(min_samples=4, metric=metric, extraction=extraction, eps=0.9).fit(given)
    np.testing.assert_array_equal(model.predict(given), model.labels_)


def test_a_metric_row_by_row_walks_as_scikit_learn():
    X = np.random.default_rng(4).normal(size=(120, 3))
    ours, theirs = (kind(min_samples=5, metric="manhattan").fit(X) for kind in (OPTICS, sklearn.cluster.OPTICS))
    np.testing.assert_array_equal(ours.ordering_, theirs.ordering_)
    np.testing.assert_allclose(ours.reachability_, theirs.reachability_, rtol=1e-12)


def test_sparse_rows_are_dense_rows():
    X = np.random.default_rng(6).integers(0, 3, size=(90, 6)).astype(float) + np.eye(90, 6)
    np.testing.assert_array_equal(OPTICS().fit(csr_array(X)).ordering_, OPTICS().fit(X).ordering_)


def test_a_new_row_far_away_is_noise_and_one_inside_is_not():
    random = np.random.default_rng(0)
    X = 0.1 * random.normal(size=(160, 2)) + np.repeat([[5.0], [-5.0]], 80, axis=0)
    model = OPTICS(min_samples=10, xi=0.6).fit(X)
    assert model.labels_[[0, 100]].tolist() == [0, 1]
    assert model.predict([[5.0, 5.01], [-5.0, -5.0], [0.0, 0.0]]).tolist() == [0, 1, -1]


def test_rows_that_coincide_have_one_label():
    labels = np.array([-1, 2, 0, 1, -1])
    twins = np.array([0, 1, 0, 1, 4])
    assert one_label_each(labels, twins, np.array([3, 0, 4, 1, 2])).tolist() == [0, 1, 0, 1, -1]


@pytest.mark.parametrize("seed", range(5))
def test_twins_are_the_first_equal_rows(seed):
    X = np.random.default_rng(seed).integers(0, 4, size=(60, 3)).astype(float)
    X[::7] *= -0.0
    expected = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in X]
    assert twins_of_rows(X).tolist() == expected
    assert twins_of_rows(np.arange(20.0)[:, None]) is None


def test_fewer_rows_than_min_samples_are_noise():
    model = OPTICS(min_samples=5).fit([[0.0], [1.0], [2.0]])
    assert model.labels_.tolist() == [-1, -1, -1]
    assert model.ordering_.tolist() == [0, 1, 2]


def test_too_small_a_radius_warns_with_a_remedy():
    with pytest.warns(UserWarning, match="raise max_eps"):
        model = OPTICS(min_samples=3, max_eps=1e-9).fit(blobs(30, 2))
    assert (model.labels_ == -1).all()


def test_eps_beyond_max_eps_is_refused():
    with pytest.raises(InputError, match="eps=2 with max_eps=1"):
        OPTICS(extraction="dbscan", max_eps=1.0, eps=2.0).fit(blobs(30, 2))
    with pytest.raises(InputError, match="max_eps"):
        OPTICS(max_eps=1.0).fit(blobs(30, 2)).extract_dbscan(1.5)


def test_float32_is_walked_in_float64():
    X = blobs(200, 2).astype(np.float32)
    np.testing.assert_array_equal(OPTICS().fit(X).reachability_, OPTICS().fit(X.astype(float)).reachability_)


def test_tensors_come_back_as_tensors():
    torch = pytest.importorskip("torch")
    X = blobs(200, 2)
    model, plain = OPTICS().fit(torch.as_tensor(X)), OPTICS().fit(X)
    for name in ("labels_", "ordering_", "reachability_"):
        assert isinstance(getattr(model, name), torch.Tensor)
        np.testing.assert_array_equal(getattr(model, name).numpy(), getattr(plain, name))
    assert (model.predict(torch.as_tensor(X)) == model.labels_).all()
