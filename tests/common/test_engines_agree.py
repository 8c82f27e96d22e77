"""A tensor and the array it was made from: the same groups, and the answer lies where the question lay."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons

from common.cases import make, scatter
from common.graph_cases import GRAPH_NAMES, fit_graph, planted
from coterie import DBSCAN, HDBSCAN, Graph, KMeans, LocalOutlierFactor
from coterie.arrays import to_numpy
from coterie.catalog import ALL, CATALOG, DEEP, DETECTORS

torch = pytest.importorskip("torch", reason="the second engine is PyTorch's")


@pytest.fixture(autouse=True, scope="module")
def one_thread_of_torch():
    # Many small operations: threads that wait for each other on a busy machine cost ten times the work.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tensor(X):
    return torch.from_numpy(np.array(X))


def lattice():
    # Two sheets of a lattice with a gap: ties everywhere.
    x, y = np.meshgrid(np.arange(16.0), np.arange(12.0))
    X = np.column_stack([x.ravel(), y.ravel()])
    X[X[:, 0] >= 8, 0] += 3
    return X


DATA = {
    "blobs": make_blobs(600, 3, centers=4, cluster_std=0.6, random_state=7)[0],
    "blobs in thirty columns": make_blobs(300, 30, centers=3, cluster_std=2.0, random_state=3)[0],
    "moons": make_moons(700, noise=0.08, random_state=5)[0],
    "lattice": lattice(),
    "repeated rows": make_blobs(60, 2, centers=3, random_state=1)[0][np.arange(300) % 60],
    "far from the origin": make_blobs(300, 2, centers=3, random_state=2)[0] + 1e5,
}
RADIUS = {"blobs in thirty columns": 14.0, "moons": 0.12, "lattice": 1.0}
MAKERS = {
    "KMeans": lambda name, X: KMeans(3, init=X[[0, len(X) // 2, len(X) - 1]], n_init=1),
    "KMeans by cosine": lambda name, X: KMeans(3, init=X[[0, len(X) // 2, len(X) - 1]], n_init=1, metric="cosine"),
    "DBSCAN": lambda name, X: DBSCAN(eps=RADIUS.get(name, 0.6), min_samples=5),
    "HDBSCAN": lambda name, X: HDBSCAN(min_cluster_size=8),
    "HDBSCAN, leaves": lambda name, X: HDBSCAN(
        min_cluster_size=6, min_samples=4, cluster_selection_method="leaf", allow_single_cluster=True
    ),
}
# Far from the origin all directions are one, but for rounding.
FITS = [(fit, name) for fit in MAKERS for name in DATA if (fit, name) != ("KMeans by cosine", "far from the origin")]
ON_TENSORS = [line.name for line in CATALOG if "torch" in line.engines]
every_algorithm = pytest.mark.parametrize("algorithm", MAKERS)
every_fit = pytest.mark.parametrize(("algorithm", "name"), FITS)
every_data = pytest.mark.parametrize("name", DATA)
every_dtype = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])


@every_fit
@every_dtype
def test_labels_are_the_same_and_lie_where_the_rows_lie(algorithm, name, dtype):
    X = DATA[name].astype(dtype)
    rows = tensor(X)
    reference = MAKERS[algorithm](name, X).fit(X)
    estimator = MAKERS[algorithm](name, X).fit(rows)
    assert isinstance(estimator.labels_, torch.Tensor)
    assert estimator.labels_.device == rows.device
    assert estimator.labels_.dtype == torch.int64
    np.testing.assert_array_equal(to_numpy(estimator.labels_), reference.labels_)


@every_fit
def test_new_rows_get_the_same_labels(algorithm, name):
    X = DATA[name]
    new = np.concatenate([X[::2] + 0.125, (X + X[::-1])[::3] / 2, X[:1] + 1e3])
    reference = MAKERS[algorithm](name, X).fit(X)
    estimator = MAKERS[algorithm](name, X).fit(tensor(X))
    given = estimator.predict(tensor(new))
    assert isinstance(given, torch.Tensor)
    np.testing.assert_array_equal(to_numpy(given), reference.predict(new))


@every_algorithm
def test_rows_of_the_fit_keep_their_labels_in_predict(algorithm):
    X = DATA["moons"]
    estimator = MAKERS[algorithm]("moons", X).fit(tensor(X))
    assert torch.equal(estimator.predict(tensor(X)), estimator.labels_)


@every_algorithm
def test_a_model_of_tensors_answers_arrays_with_arrays(algorithm):
    X = DATA["blobs"]
    estimator = MAKERS[algorithm]("blobs", X).fit(torch.from_numpy(X))
    given = estimator.predict(X)
    assert isinstance(given, np.ndarray)
    np.testing.assert_array_equal(given, to_numpy(estimator.labels_))


@every_data
def test_trees_and_core_rows_have_the_same_bits(name):
    X = DATA[name]
    reference, estimator = HDBSCAN(min_cluster_size=8).fit(X), HDBSCAN(min_cluster_size=8).fit(tensor(X))
    for given, expected in zip(estimator.minimum_spanning_tree_, reference.minimum_spanning_tree_, strict=True):
        np.testing.assert_array_equal(to_numpy(given), expected)
    np.testing.assert_array_equal(to_numpy(estimator.probabilities_), reference.probabilities_)
    core, expected = (MAKERS["DBSCAN"](name, X).fit(rows).core_sample_indices_ for rows in (tensor(X), X))
    np.testing.assert_array_equal(to_numpy(core), expected)


@pytest.mark.parametrize(("algorithm", "name"), [fit for fit in FITS if "KMeans" in fit[0]])
def test_centers_and_inertia_are_the_same_to_rounding(algorithm, name):
    X = DATA[name]
    reference, estimator = MAKERS[algorithm](name, X).fit(X), MAKERS[algorithm](name, X).fit(tensor(X))
    # Sums over rows are added in another order.
    np.testing.assert_allclose(to_numpy(estimator.cluster_centers_), reference.cluster_centers_, rtol=1e-12, atol=1e-12)
    assert float(estimator.inertia_) == pytest.approx(float(reference.inertia_), rel=1e-10)


@pytest.mark.parametrize("weights", [np.arange(600) % 3.0, np.full(600, 2.0)], ids=["some", "all alike"])
@pytest.mark.parametrize("algorithm", ["KMeans", "DBSCAN"])
def test_weights_mean_the_same(algorithm, weights):
    X = DATA["blobs"]
    reference = MAKERS[algorithm]("blobs", X).fit(X, sample_weight=weights)
    estimator = MAKERS[algorithm]("blobs", X).fit(tensor(X), sample_weight=tensor(weights))
    np.testing.assert_array_equal(to_numpy(estimator.labels_), reference.labels_)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device here")
@every_fit
def test_a_gpu_gives_the_same_labels_and_keeps_them(algorithm, name):
    X = DATA[name]
    rows = tensor(X).to("cuda")
    reference, estimator = MAKERS[algorithm](name, X).fit(X), MAKERS[algorithm](name, X).fit(rows)
    assert estimator.labels_.device == rows.device
    np.testing.assert_array_equal(to_numpy(estimator.labels_), reference.labels_)
    np.testing.assert_array_equal(to_numpy(estimator.predict(rows + 0.125)), reference.predict(X + 0.125))


@pytest.mark.parametrize("name", ON_TENSORS)
@every_dtype
def test_every_algorithm_gives_tensors_the_labels_of_their_arrays(name, dtype):
    X = scatter().astype(dtype)
    reference, estimator = make(name).fit(X), make(name).fit(tensor(X))
    assert isinstance(estimator.labels_, torch.Tensor)
    np.testing.assert_array_equal(to_numpy(estimator.labels_), reference.labels_)
    given = estimator.predict(tensor(X))
    assert isinstance(given, torch.Tensor)
    assert torch.equal(given, estimator.labels_)
    np.testing.assert_array_equal(estimator.predict(X), reference.labels_)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device here")
@pytest.mark.parametrize("name", ON_TENSORS)
def test_every_algorithm_gives_a_gpu_the_same_labels_and_keeps_them_there(name):
    rows = tensor(scatter()).to("cuda")
    estimator = make(name).fit(rows)
    assert estimator.labels_.device == rows.device
    np.testing.assert_array_equal(to_numpy(estimator.labels_), make(name).fit(scatter()).labels_)


# Leiden and Louvain move all nodes at once on tensors: the same groups, numbered as they come.
@pytest.mark.parametrize("name", GRAPH_NAMES)
def test_every_algorithm_of_graphs_gives_tensors_the_groups_of_their_arrays(name):
    reference = to_numpy(fit_graph(name, planted(), 160).labels_)
    labels = fit_graph(name, Graph(*map(tensor, planted())), 160).labels_
    assert isinstance(labels, torch.Tensor)
    assert labels.dtype == torch.int64
    pairs = np.unique(np.c_[to_numpy(labels), reference], axis=0)
    assert len(pairs) == len(np.unique(reference)) == len(np.unique(pairs[:, 0]))


@every_dtype
def test_the_outlier_factors_of_tensors_are_those_of_their_arrays(dtype):
    X = scatter().astype(dtype)
    reference, detector = (LocalOutlierFactor(novelty=True).fit(rows) for rows in (X, tensor(X)))
    np.testing.assert_array_equal(to_numpy(detector.negative_outlier_factor_), reference.negative_outlier_factor_)
    np.testing.assert_array_equal(to_numpy(detector.predict(tensor(X + 0.125))), reference.predict(X + dtype(0.125)))


def test_no_algorithm_is_forgotten_here():
    # What trains networks has one engine only, PyTorch's.
    covered = {*ON_TENSORS, *GRAPH_NAMES, *(line.name for line in (*DETECTORS, *DEEP))}
    assert covered == {line.name for line in ALL}
    assert {line.engines for line in DEEP} == {("torch",)}
    assert [line.name for line in DETECTORS] == ["LocalOutlierFactor"]


def test_fitting_arrays_never_imports_pytorch():
    script = (
        "import sys, numpy as np, coterie\n"
        "X = np.random.default_rng(0).standard_normal((60, 2))\n"
        "for fit in (coterie.KMeans(2), coterie.DBSCAN(), coterie.HDBSCAN()):\n"
        "    fit.fit(X).predict(X)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.fixture
def cuda_is_here(monkeypatch):
    """Let tensors that are sent to "cuda" stay where they are."""
    sent = torch.Tensor.to
    monkeypatch.setattr(
        torch.Tensor, "to", lambda self, *a, **k: sent(self, *("cpu" if one == "cuda" else one for one in a), **k)
    )


@pytest.mark.parametrize("name", ["KMeans", "DBSCAN", "HDBSCAN"])
def test_arrays_that_a_gpu_computes_on_get_arrays(name, cuda_is_here):
    X = scatter()
    estimator = make(name).set_params(device="cuda").fit(X)
    assert isinstance(estimator.labels_, np.ndarray)
    np.testing.assert_array_equal(estimator.predict(X), estimator.labels_)


@pytest.mark.parametrize("name", ["Leiden", "Louvain", "BalancedCut", "SpectralClustering"])
def test_graphs_of_arrays_that_a_gpu_computes_on_get_arrays(name, cuda_is_here):
    estimator = fit_graph(name, planted(), 160, device="cuda")
    assert isinstance(estimator.labels_, np.ndarray)
    assert isinstance(estimator.predict(planted()), np.ndarray)
    levels = getattr(estimator, "hierarchy_", ())
    assert all(isinstance(level, np.ndarray) for level in levels)
