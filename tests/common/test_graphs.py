"""What every line of `coterie.catalog.GRAPHS` promises: kinds of input, predict, determinism, invariances, bad input."""

import pickle
import warnings

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import coterie
from common.cases import quietly, same_partition
from common.graph_cases import (
    GRAPH_NAMES,
    NEEDS_K,
    every_graph_algorithm,
    fit_graph,
    fitted_graph,
    graph_class,
    graph_settings,
    make_graph,
    planted,
    planted_edges,
    planted_matrix,
    truth,
)
from coterie import Graph
from coterie.graphs import from_edges, to_scipy
from coterie.primitives.engine import threads

N = 160

# ---- scikit-learn's own checks

# What is checked is a matrix of similarities of rows, which is a complete graph: these checks ask for the clusters of the rows.
OF_ROWS = {
    "check_clustering": "asks for the clusters of the rows behind a complete graph of their similarities",
}
EXPECTED_FAILURES: dict[str, dict[str, str]] = dict.fromkeys(GRAPH_NAMES, OF_ROWS)


@pytest.mark.filterwarnings(
    "ignore:the graph is directed:UserWarning"
)  # some checks give matrices that are not symmetric
@parametrize_with_checks(
    [graph_class(name)() for name in GRAPH_NAMES],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}),
)
def test_passes_the_check_of_scikit_learn(estimator, check):
    assert check(estimator) is None  # a check raises where it fails


# ---- what comes out


@every_graph_algorithm
def test_labels_are_numbered_by_first_appearance(name):
    labels = fitted_graph(name).labels_
    assert labels.dtype == np.int64
    assert labels.shape == (N,)
    assert list(dict.fromkeys(labels.tolist())) == list(range(len(np.unique(labels))))


@every_graph_algorithm
def test_the_planted_groups_are_found(name):
    assert adjusted_rand_score(fitted_graph(name).labels_, truth()) > 0.97


@every_graph_algorithm
def test_fit_returns_the_estimator_and_fit_predict_its_labels(name):
    estimator = make_graph(name)
    beside = graph_settings(name).beside(N)
    assert estimator.fit(planted(), *beside) is estimator
    if not beside:
        np.testing.assert_array_equal(make_graph(name).fit_predict(planted()), fitted_graph(name).labels_)


@every_graph_algorithm
def test_the_number_of_nodes_is_the_number_of_features(name):
    assert fitted_graph(name).n_features_in_ == N


# ---- what goes in


def torch():
    return pytest.importorskip("torch", reason="tensors need PyTorch")


def sparse_tensor():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says once that it does not check its own sparse tensors
        return torch().from_numpy(planted_matrix()).to_sparse()


def networkx_graph(kind=nx.Graph):
    graph = kind()
    graph.add_nodes_from(range(N))
    graph.add_weighted_edges_from((int(a), int(b), w) for a, b, w in planted_edges())
    return graph


class Igraph:
    """What is read of an igraph.Graph."""

    class Edges(dict):
        def attributes(self):
            return list(self)

    es = Edges(weight=planted_edges()[:, 2].tolist())

    def get_edgelist(self):
        return [(int(a), int(b)) for a, b, _ in planted_edges()]

    def vcount(self):
        return N

    def is_directed(self):
        return False


def read_only(values):
    values = np.array(values)
    values.setflags(write=False)
    return values


KINDS = {
    "dense": planted_matrix,
    "dense in column order": lambda: np.asfortranarray(planted_matrix()),
    "dense, read-only": lambda: read_only(planted_matrix()),
    "dense lists": lambda: planted_matrix().tolist(),
    "pandas matrix": lambda: pd.DataFrame(planted_matrix()).rename(columns=str),
    "csr": lambda: sp.csr_array(planted_matrix()),
    "csr_matrix": lambda: sp.csr_matrix(planted_matrix()),
    "csc": lambda: sp.csc_array(planted_matrix()),
    "coo": lambda: sp.coo_array(planted_matrix()),
    "Graph": lambda: Graph(*(part.copy() for part in planted())),
    "Graph of int32, read-only": lambda: Graph(
        *(read_only(part) for part in (planted().indptr.astype(np.int32), planted().indices.astype(np.int32))),
        read_only(planted().weights),
    ),
    "edges": lambda: planted_edges().copy(),
    "pandas edges": lambda: pd.DataFrame(planted_edges(), columns=["a", "b", "w"]).astype({"a": int, "b": int}),
    "polars edges": lambda: pl.DataFrame(planted_edges(), schema=["a", "b", "w"]),
    "networkx": networkx_graph,
    "networkx multigraph": lambda: networkx_graph(nx.MultiGraph),
    "igraph": Igraph,
    "tensor": lambda: torch().from_numpy(planted_matrix()),
    "sparse tensor": sparse_tensor,
}


@every_graph_algorithm
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_input_gives_the_same_labels(name, kind):
    labels = fit_graph(name, KINDS[kind](), N).labels_
    assert type(labels).__module__ == ("torch" if "tensor" in kind else "numpy")
    np.testing.assert_array_equal(np.asarray(labels), fitted_graph(name).labels_)


@every_graph_algorithm
def test_an_array_of_edges_may_say_how_many_nodes_there_are(name):
    labels = fit_graph(name, planted_edges(), N + 2, n_nodes=N + 2).labels_
    assert labels.shape == (N + 2,)
    assert adjusted_rand_score(labels[:N], truth()) > 0.9


@every_graph_algorithm
def test_weights_in_single_precision_give_the_same_labels(name):
    single = planted()._replace(weights=planted().weights.astype(np.float32))
    np.testing.assert_array_equal(fit_graph(name, single, N).labels_, fitted_graph(name).labels_)


@every_graph_algorithm
@pytest.mark.parametrize("kind", ["dense", "csr", "Graph", "edges"])
def test_the_input_is_not_written_to(name, kind):
    source = KINDS[kind]()
    parts = (
        list(source) if kind == "Graph" else [source.data, source.indices, source.indptr] if kind == "csr" else [source]
    )
    before = [part.copy() for part in parts]
    fit_graph(name, source, N)
    for part, other in zip(parts, before, strict=True):
        np.testing.assert_array_equal(part, other)


@every_graph_algorithm
@pytest.mark.parametrize("kind", ["dense", "csr", "Graph"])
def test_a_later_change_of_the_input_does_not_reach_the_estimator(name, kind):
    source = KINDS[kind]()
    estimator = fit_graph(name, source, N)
    for part in list(source) if kind == "Graph" else [source.data] if kind == "csr" else [source]:
        part[:] = 0
    np.testing.assert_array_equal(estimator.predict(planted_matrix()), fitted_graph(name).labels_)


@every_graph_algorithm
def test_a_directed_graph_is_warned_about_and_taken_both_ways(name):
    upper = sp.csr_array(np.triu(planted_matrix()))
    with pytest.warns(UserWarning, match="the graph is directed"):
        estimator = fit_graph(name, upper, N)
    np.testing.assert_array_equal(estimator.labels_, fitted_graph(name).labels_)


# ---- predict


@every_graph_algorithm
@pytest.mark.parametrize("kind", ["dense", "csr", "Graph", "pandas matrix", "tensor"])
def test_predict_on_the_training_graph_gives_its_labels(name, kind):
    source = KINDS[kind]()
    estimator = fit_graph(name, source, N)
    np.testing.assert_array_equal(np.asarray(estimator.predict(source)), np.asarray(estimator.labels_))


@every_graph_algorithm
def test_predict_on_the_training_rows_in_another_order_gives_their_labels(name):
    order = np.random.default_rng(0).permutation(N)
    rows = sp.csr_array(planted_matrix()[order])
    np.testing.assert_array_equal(fitted_graph(name).predict(rows), fitted_graph(name).labels_[order])


@every_graph_algorithm
def test_a_new_node_joins_the_class_that_it_links_to(name):
    new = np.zeros((4, N))
    for c in range(4):
        new[c, np.flatnonzero(truth() == c)[:12]] = 2.0
    found = fitted_graph(name).predict(new)
    np.testing.assert_array_equal(found, fitted_graph(name).labels_[:4])
    alone = [fitted_graph(name).predict(new[i : i + 1])[0] for i in range(4)]
    np.testing.assert_array_equal(alone, found)


@every_graph_algorithm
def test_a_new_node_without_links_is_answered(name):
    found = fitted_graph(name).predict(np.zeros((1, N)))
    assert 0 <= found[0] <= fitted_graph(name).labels_.max()


@every_graph_algorithm
def test_predict_refuses_another_number_of_columns(name):
    with pytest.raises(ValueError, match=rf"7 features.*{N} features"):
        fitted_graph(name).predict(np.zeros((3, 7)))


# ---- the same again


def assert_same_bits(one, other):
    """Every fitted array and number is equal, to the last bit."""
    for key, value in vars(one).items():
        if key.endswith("_") and not key.startswith("_") and isinstance(value, np.ndarray | float | int):
            np.testing.assert_array_equal(value, getattr(other, key), err_msg=key)
    assert one.labels_.tobytes() == other.labels_.tobytes()


@every_graph_algorithm
def test_the_same_graph_gives_the_same_bits_twice(name):
    assert_same_bits(fit_graph(name, planted(), N), fitted_graph(name))


@every_graph_algorithm
def test_the_number_of_threads_changes_no_bit(name):
    n = 4000
    graph = from_edges(planted_edges(n, within=0.012, between=0.001), n)
    found = []
    for n_threads in (1, 2, 4):
        with threads(n_threads):
            found.append(fit_graph(name, graph, n))
    assert_same_bits(found[1], found[0])
    assert_same_bits(found[2], found[0])


@every_graph_algorithm
def test_the_order_of_the_nodes_does_not_matter(name):
    order = np.random.default_rng(2).permutation(N)
    turned = planted_matrix()[order][:, order]
    estimator = make_graph(name)
    labels = estimator.fit(turned, *(part[order] for part in graph_settings(name).beside(N))).labels_
    assert adjusted_rand_score(labels, fitted_graph(name).labels_[order]) > 0.97


@every_graph_algorithm
@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e-20, 1e20, 1e200, 1e300])
def test_the_unit_of_the_weights_does_not_matter(name, factor):
    if not graph_settings(name).scale_free:
        pytest.skip("weights have a meaning of their own here")
    graph = planted()._replace(weights=planted().weights * factor)
    labels, warned = quietly(lambda: fit_graph(name, graph, N).labels_)
    assert same_partition(labels, fitted_graph(name).labels_)
    assert not [str(w.message) for w in warned]


@every_graph_algorithm
def test_a_pickled_estimator_predicts_as_before(name):
    again = pickle.loads(pickle.dumps(fitted_graph(name)))
    assert_same_bits(again, fitted_graph(name))
    np.testing.assert_array_equal(again.predict(planted_matrix()), fitted_graph(name).labels_)


@every_graph_algorithm
def test_a_saved_estimator_predicts_as_before(name, tmp_path):
    coterie.save(fitted_graph(name), tmp_path / "model.coterie")
    again = coterie.load(tmp_path / "model.coterie")
    assert_same_bits(again.estimator, fitted_graph(name))
    new = np.random.default_rng(1).random((5, N)) * (np.random.default_rng(2).random((5, N)) < 0.2)
    np.testing.assert_array_equal(again.predict(planted_matrix()), fitted_graph(name).labels_)
    np.testing.assert_array_equal(again.predict(new), fitted_graph(name).predict(new))


@every_graph_algorithm
def test_a_clone_is_unfitted_and_finds_the_same(name):
    again = clone(fitted_graph(name))
    assert not hasattr(again, "labels_")
    again.fit(planted(), *graph_settings(name).beside(N))
    assert_same_bits(again, fitted_graph(name))


# ---- degenerate graphs: an answer by a stated rule, or one clear sentence

random = np.random.default_rng(7)
ANY, REFUSED = "any", None


def clique(n, first=0):
    return [[first + i, first + j] for i in range(n) for j in range(i)]


TWO_CLIQUES = np.repeat([0, 1], 8)
# kind -> graph, and the group of every node where the graph leaves no choice; REFUSED: one clear sentence.
DEGENERATE = {
    "no links": (from_edges(np.empty((0, 2)), 5), ANY),
    "two nodes": (from_edges([[0, 1]]), ANY),
    "two nodes without links": (from_edges(np.empty((0, 2)), 2), ANY),
    "two cliques apart": (from_edges(clique(8) + clique(8, 8)), TWO_CLIQUES),
    "two cliques with a bridge": (from_edges([*clique(8), *clique(8, 8), [0, 8]]), TWO_CLIQUES),
    "two cliques with isolated nodes": (from_edges(clique(8) + clique(8, 8), 20), ANY),
    "many isolated nodes": (from_edges(clique(4), 300), ANY),
    "loops only": (from_edges([[i, i] for i in range(6)]), ANY),
    "loops beside links": (from_edges([*clique(8), *clique(8, 8), [0, 8], *([i, i] for i in range(16))]), ANY),
    "a heavy loop": (from_edges([*[[a, b, 1.0] for a, b in clique(8)], [0, 0, 1e6]]), ANY),
    "1,000 components": (from_edges(np.concatenate([np.array(clique(3)) + 3 * i for i in range(1000)])), ANY),
    "1,000 pairs": (from_edges(np.arange(2000).reshape(-1, 2)), ANY),
    "a path": (from_edges(np.c_[np.arange(29), np.arange(1, 30)]), ANY),
    "a ring": (from_edges(np.c_[np.arange(30), np.roll(np.arange(30), 1)]), ANY),
    "a star": (from_edges(np.c_[np.zeros(29, int), np.arange(1, 30)]), ANY),
    "a complete graph": (from_edges(clique(12)), ANY),
    "complete bipartite": (from_edges([[i, 6 + j] for i in range(6) for j in range(6)]), ANY),
    "a grid": (nx.convert_node_labels_to_integers(nx.grid_2d_graph(6, 6)), ANY),
    "links listed again": (np.array([*clique(8), *clique(8), *clique(8, 8), *clique(8, 8)]), TWO_CLIQUES),
    "stored zeros": (
        sp.csr_array((np.r_[np.ones(6), 0, 0], ([0, 1, 1, 2, 3, 4, 0, 4], [1, 0, 2, 1, 4, 3, 4, 0])), shape=(5, 5)),
        ANY,
    ),
    "all weights zero": (np.zeros((6, 6)), ANY),
    "weights of every magnitude": (
        from_edges(np.c_[np.arange(29), np.arange(1, 30)], weights=10.0 ** np.linspace(-300, 300, 29)),
        ANY,
    ),
    "one faint bridge": (
        from_edges([*[[a, b, 1.0] for a, b in clique(8) + clique(8, 8)], [0, 8, 1e-300]]),
        TWO_CLIQUES,
    ),
    "denormal weights": (from_edges([*[[a, b, 5e-324] for a, b in clique(8) + clique(8, 8)]]), TWO_CLIQUES),
    "single precision": (planted(160)._replace(weights=planted(160).weights.astype(np.float32) * 1e30), ANY),
    "truth values": (to_scipy(from_edges(clique(8) + clique(8, 8))).toarray() > 0, TWO_CLIQUES),
    "small whole numbers": (to_scipy(from_edges(clique(8) + clique(8, 8))).toarray().astype(np.uint8), TWO_CLIQUES),
    "a matrix that is not square": (np.ones((3, 5)), REFUSED),
    "a sparse matrix that is not square": (sp.csr_array(np.ones((3, 5))), REFUSED),
    "a negative weight": (np.array([[0, 1, -1.0], [1, 0, 1], [-1, 1, 0]]), REFUSED),
    "a negative weight, sparse": (sp.csr_array(np.array([[0, -1.0], [-1, 0]])), REFUSED),
    "NaN": (np.array([[0, np.nan], [np.nan, 0]]), REFUSED),
    "NaN, sparse": (sp.csr_array(np.array([[0, np.nan], [np.nan, 0]])), REFUSED),
    "infinity": (Graph(np.array([0, 1, 2]), np.array([1, 0]), np.array([np.inf, np.inf])), REFUSED),
    "no nodes": (np.empty((0, 0)), REFUSED),
    "no nodes, sparse": (sp.csr_array((0, 0)), REFUSED),
    "no nodes, networkx": (nx.Graph(), REFUSED),
    "one dimension": (np.arange(5.0), REFUSED),
    "three dimensions": (np.zeros((3, 3, 3)), REFUSED),
    "names": (np.array([["ann", "bob"], ["bob", "eve"], ["eve", "ann"]]), REFUSED),
    "complex numbers": (np.ones((3, 3)) * 1j, REFUSED),
    "nothing": (None, REFUSED),
    "a word": ("karate", REFUSED),
    "identifiers in the billions": (np.array([[7e9, 8e9], [8e9, 9e9], [9e9, 7e9]]), REFUSED),
}
KIND = pytest.mark.parametrize("kind", DEGENERATE)
ANSWERED = [kind for kind, (_, groups) in DEGENERATE.items() if groups is not REFUSED]
NO_CHOICE = [kind for kind, (_, groups) in DEGENERATE.items() if isinstance(groups, np.ndarray)]


def nodes_of(kind):
    return coterie.graphs.as_graph(DEGENERATE[kind][0]).n_nodes


@every_graph_algorithm
@KIND
def test_degenerate_graphs_give_labels_or_one_clear_sentence(name, kind):
    source, groups = DEGENERATE[kind]
    few = graph_settings(name).few
    if groups is REFUSED:
        with pytest.raises((ValueError, TypeError, MemoryError)) as raised:
            fit_graph(name, source, 3, **few)
        assert len(str(raised.value)) > 15
        return
    n = nodes_of(kind)
    estimator, warned = quietly(lambda: fit_graph(name, source, n, **few))
    assert estimator.labels_.shape == (n,)
    assert set(estimator.labels_.tolist()) == set(range(len(set(estimator.labels_.tolist()))))
    assert not [str(w.message) for w in warned if issubclass(w.category, RuntimeWarning)]
    assert all(len(str(w.message)) > 15 for w in warned)


@every_graph_algorithm
@pytest.mark.parametrize("kind", ANSWERED)
def test_degenerate_graphs_give_the_same_labels_twice_and_from_predict(name, kind):
    source, n, few = DEGENERATE[kind][0], nodes_of(kind), graph_settings(name).few
    estimator = quietly(lambda: fit_graph(name, source, n, **few))[0]
    again = quietly(lambda: fit_graph(name, source, n, **few))[0]
    np.testing.assert_array_equal(again.labels_, estimator.labels_)
    matrix = to_scipy(coterie.graphs.as_graph(source))
    np.testing.assert_array_equal(quietly(estimator.predict, matrix)[0], estimator.labels_)


@every_graph_algorithm
@pytest.mark.parametrize("kind", NO_CHOICE)
def test_graphs_that_leave_no_choice_are_parted_where_they_must(name, kind):
    source, groups = DEGENERATE[kind]
    labels = quietly(lambda: fit_graph(name, source, len(groups), **graph_settings(name).few).labels_)[0]
    assert same_partition(labels, groups)


@every_graph_algorithm
def test_one_node_is_a_cluster(name):
    for source in (np.zeros((1, 1)), np.ones((1, 1)), sp.csr_array((1, 1))):
        few = {"n_clusters": 1} if name in NEEDS_K else {}
        try:
            labels = quietly(lambda source=source, few=few: fit_graph(name, source, 1, **few).labels_)[0]
        except ValueError as error:
            assert "1" in str(error)
            continue
        assert labels.tolist() == [0]


@pytest.mark.parametrize("name", NEEDS_K)
def test_more_clusters_than_nodes_are_refused_with_both_numbers(name):
    with pytest.raises(ValueError, match=r"(?s)(3.*8|8.*3)"):
        fit_graph(name, from_edges([[0, 1], [1, 2]]), 3, n_clusters=8)


@pytest.mark.parametrize("name", NEEDS_K)
def test_as_many_clusters_as_nodes_are_a_cluster_each(name):
    for source in (from_edges(clique(5)), from_edges(np.empty((0, 2)), 5), from_edges([[0, 1], [1, 2]], 5)):
        labels = quietly(lambda source=source: fit_graph(name, source, 5, n_clusters=5).labels_)[0]
        assert labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", NEEDS_K)
def test_one_cluster_holds_all_nodes(name):
    for source in (planted(), from_edges(np.empty((0, 2)), N), from_edges(np.arange(N).reshape(-1, 2))):
        labels, warned = quietly(lambda source=source: fit_graph(name, source, N, n_clusters=1).labels_)
        assert set(labels.tolist()) == {0}
        assert not [w for w in warned if issubclass(w.category, RuntimeWarning)]


@pytest.mark.parametrize("name", NEEDS_K)
def test_as_many_clusters_as_were_asked_for_are_found(name):
    for kind in ("1,000 components", "many isolated nodes", "a star", "a ring", "two cliques with isolated nodes"):
        source = DEGENERATE[kind][0]
        for k in (2, 3, 10):
            labels = quietly(lambda source=source, k=k: fit_graph(name, source, source.n_nodes, n_clusters=k).labels_)[
                0
            ]
            assert len(set(labels.tolist())) == k, (kind, k)
