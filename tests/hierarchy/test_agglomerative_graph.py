"""Agglomerative clustering along a graph: against a plain greedy loop, graphs in parts, every form in which a graph is given."""

import numpy as np
import pytest
import sklearn.cluster
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import kneighbors_graph

from coterie import AgglomerativeClustering, Graph
from coterie.errors import InputError, UnsupportedError
from hierarchy.greedy import greedy_linkage_along, partitions

ALONG = ["ward", "single", "complete", "average", "centroid", "median"]
every_linkage_along = pytest.mark.parametrize("how", ALONG)


def random_rows(seed):
    random = np.random.default_rng(seed)
    return random.normal(size=(int(random.integers(20, 90)), int(random.integers(1, 8))))


def fitted(X, how, n_clusters=1, **parameters):
    return AgglomerativeClustering(n_clusters, linkage=how, **parameters).fit(X)


def random_graph(seed, n):
    """Return a symmetric adjacency matrix, with a few components where it is thin."""
    random = np.random.default_rng(seed)
    dense = np.triu(random.random((n, n)) < random.choice([1.0, 2.0, 4.0, n]) / n, 1)
    return dense | dense.T


@every_linkage_along
@pytest.mark.parametrize("seed", range(30))
def test_only_neighbours_merge_and_components_last(how, seed):
    random = np.random.default_rng([seed, 1])
    n = int(random.integers(2, 40))
    X, graph = random.normal(size=(n, 2)), random_graph(seed, n)
    ours = fitted(X, how, connectivity=csr_array(graph))
    plain, n_components = greedy_linkage_along(X, how, graph)
    assert ours.n_connected_components_ == n_components
    np.testing.assert_allclose(ours.distances_, plain[:, 2], rtol=1e-10)
    assert partitions(ours.linkage_matrix_) == partitions(plain)
    joined = ours.distances_[n - n_components :]
    assert (joined >= ours.distances_[: n - n_components].max(initial=0.0)).all()
    assert (np.diff(joined) >= 0).all()


@every_linkage_along
def test_a_graph_of_all_pairs_changes_nothing(how):
    X = random_rows(8)
    free, along = fitted(X, how, 3), fitted(X, how, 3, connectivity=np.ones((len(X), len(X))))
    np.testing.assert_allclose(along.distances_, free.distances_, rtol=1e-10)
    np.testing.assert_array_equal(along.labels_, free.labels_)


@pytest.mark.parametrize("how", ["single", "complete", "average"])
@pytest.mark.parametrize("metric", ["manhattan", "cosine", "precomputed"])
def test_other_metrics_are_measured_along_the_graph(how, metric):
    X = random_rows(8)
    rows = squareform(pdist(X)) if metric == "precomputed" else X
    n = len(X)
    free = fitted(rows, how, 3, metric=metric)
    for graph in (np.ones((n, n)), n - 1):
        along = fitted(rows, how, 3, metric=metric, connectivity=graph)
        np.testing.assert_allclose(along.distances_, free.distances_, rtol=1e-10)
        np.testing.assert_array_equal(along.labels_, free.labels_)
    edgeless = fitted(rows, how, 3, metric=metric, connectivity=np.zeros((n, n)))
    np.testing.assert_allclose(edgeless.distances_, fitted(rows, "single", metric=metric).distances_, rtol=1e-10)


def test_ward_along_a_connected_graph_gives_the_clusters_of_scikit_learn():
    X = np.random.default_rng(3).normal(size=(300, 2))
    graph = kneighbors_graph(X, 12)
    theirs = sklearn.cluster.AgglomerativeClustering(6, connectivity=graph + graph.T).fit(X)
    assert adjusted_rand_score(fitted(X, "ward", 6, connectivity=graph).labels_, theirs.labels_) == 1.0


@every_linkage_along
def test_every_form_of_a_graph_is_the_same_graph(how):
    X = np.random.default_rng(6).normal(size=(50, 2))
    matrix = csr_array(kneighbors_graph(X, 5))
    one_way = matrix.copy()
    twice = csr_array(matrix + matrix.T)
    both_ways = csr_array((np.full(twice.nnz, 0.5), twice.indices, twice.indptr), shape=twice.shape)
    as_graph = Graph(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), np.zeros(matrix.nnz))
    reference = fitted(X, how, 3, connectivity=5).linkage_matrix_
    for form in (one_way, both_ways, both_ways.toarray(), as_graph, both_ways.tocoo()):
        np.testing.assert_array_equal(fitted(X, how, 3, connectivity=form).linkage_matrix_, reference)


def test_a_stored_zero_is_an_edge_and_a_loop_is_none():
    X = np.array([[0.0], [0.0], [5.0]])
    graph = csr_array((np.array([0.0, 1.0, 1.0]), ([0, 2, 1], [1, 2, 1])), shape=(3, 3))
    assert fitted(X, "single", connectivity=graph).n_connected_components_ == 2


def test_components_stay_apart_when_cut_into_as_many():
    random = np.random.default_rng(9)
    X = np.r_[random.normal(size=(40, 2)), random.normal(size=(40, 2)) + 0.5]
    graph = np.zeros((80, 80))
    graph[:40, :40] = graph[40:, 40:] = 1
    for how in ALONG:
        model = fitted(X, how, 2, connectivity=graph)
        assert model.labels_.tolist() == [0] * 40 + [1] * 40
        assert model.n_connected_components_ == 2


def test_many_components_are_joined_quickly():
    # scikit-learn fills such a graph up with an edge for each pair of components.
    X = np.random.default_rng(1).normal(size=(4000, 2))
    pairs = np.arange(0, 4000, 2)
    graph = csr_array((np.ones(2000), (pairs, pairs + 1)), shape=(4000, 4000))
    for how in ("ward", "average"):
        model = fitted(X, how, 5, connectivity=graph)
        assert model.n_connected_components_ == 2000
        assert model.n_clusters_ == 5


def test_rows_without_any_edge_are_components():
    model = fitted(np.arange(6.0)[:, None], "ward", 2, connectivity=np.zeros((6, 6)))
    assert model.n_connected_components_ == 6
    np.testing.assert_allclose(model.distances_, fitted(np.arange(6.0)[:, None], "ward").distances_)


def test_equal_rows_meet_in_the_graph_of_nearest_neighbours():
    X = np.repeat(np.random.default_rng(0).normal(size=(10, 2)), 7, axis=0)
    model = fitted(X, "ward", 10, connectivity=2)
    assert adjusted_rand_score(model.labels_, np.repeat(np.arange(10), 7)) == 1.0
    np.testing.assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        pytest.param(np.ones((3, 3)), r"\(5, 5\).*\(3, 3\)", id="another size"),
        pytest.param(0, "at least 1", id="no neighbours"),
        pytest.param("grid", "square matrix", id="a word"),
        pytest.param(
            Graph(np.arange(6), np.full(5, 7), np.ones(5)), r"outside 0 \.\.\. 4", id="a row that is not there"
        ),
    ],
)
def test_a_graph_that_does_not_fit_is_refused(graph, says):
    with pytest.raises(InputError, match=says):
        fitted(np.arange(5.0)[:, None], "ward", connectivity=graph)


def test_weighted_linkage_along_a_graph_names_what_to_use():
    with pytest.raises(UnsupportedError, match="average"):
        fitted(random_rows(1), "weighted", connectivity=3)
