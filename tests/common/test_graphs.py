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

import coterie
from common.cases import quietly, same_partition
from common.graph_cases import (
    every_graph_algorithm,
    fit_graph,
    fitted_graph,
    graph_settings,
    make_graph,
    planted,
    planted_edges,
    planted_matrix,
    truth,
)
from coterie import Graph
from coterie.errors import InputError
from coterie.graph._base import _labels_of_fitted
from coterie.graphs import from_edges
from coterie.primitives.engine import threads

N = 160

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
@pytest.mark.parametrize("kind", ["dense", "csr", "Graph", "pandas matrix", "tensor", "sparse tensor"])
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


@every_graph_algorithm
@pytest.mark.parametrize("weight", [np.nan, np.inf, -1.0])
def test_predict_refuses_links_that_are_no_weights_in_one_sentence(name, weight):
    links = np.zeros((3, N))
    links[1, 4] = weight
    with pytest.raises(InputError, match=r"^the links contain NaN, infinity or a negative weight") as caught:
        fitted_graph(name).predict(links)
    assert "\n" not in str(caught.value)


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


@pytest.mark.slow
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


@pytest.mark.parametrize("seed", range(40))
def test_rows_are_told_from_each_other_as_dense_rows_are(seed):
    random = np.random.default_rng(seed)
    n, m = random.integers(1, 8), random.integers(0, 10)
    fitted = (random.random((n, n)) < 0.4) * random.integers(1, 3, (n, n)).astype(float)
    rows = fitted[random.integers(0, n, m)] if seed % 2 else (random.random((m, n)) < 0.3).astype(float)
    labels = random.integers(0, 3, n)
    expected = []
    for i, row in enumerate(rows):
        equal = np.flatnonzero((fitted == row).all(axis=1))
        expected.append(labels[i] if i in equal else labels[equal[0]] if len(equal) else -2)
    found = _labels_of_fitted(sp.csr_array(fitted), labels, sp.csr_array(rows.reshape(m, n)))
    assert found.tolist() == expected
