"""Every kind of input that stands for a graph gives the same graph, and what stands for none is refused in words."""

import warnings
from itertools import pairwise

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from coterie import Graph
from coterie.errors import InputError, ResourceError
from coterie.graphs import as_graph, from_edges, is_directed, to_scipy, undirected
from coterie.graphs import edges as edge_lists

EDGES = np.array([[0, 1], [1, 2], [2, 0], [2, 3], [3, 4]])
WEIGHTS = np.array([1.0, 2.0, 0.5, 4.0, 8.0])
N = 6  # node 5 has no edge


def matrix(edges=EDGES, weights=WEIGHTS, n=N, directed=False):
    """Add up, entry by entry: the oracle."""
    found = np.zeros((n, n))
    for (a, b), w in zip(edges, weights, strict=True):
        found[a, b] += w
        if not directed:
            found[b, a] += w
    return found


def dense(graph):
    return to_scipy(graph).toarray()


def torch():
    return pytest.importorskip("torch", reason="tensors need PyTorch")


def sparse_tensor(layout):
    tensor = torch().from_numpy(matrix())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says once that sparse rows are in beta
        return tensor.to_sparse() if layout == "coo" else tensor.to_sparse_csr()


def read_only(values):
    values = np.array(values)
    values.setflags(write=False)
    return values


def read_only_csr():
    rows = sp.csr_array(matrix())
    for part in (rows.data, rows.indices, rows.indptr):
        part.setflags(write=False)
    return rows


class Igraph:
    """What is read of an igraph.Graph."""

    class Edges(dict):
        def attributes(self):
            return list(self)

    def __init__(self, pairs, weights=None, n=N, directed=False):
        self.pairs, self.n, self.directed = pairs, n, directed
        self.es = self.Edges({} if weights is None else {"weight": weights})

    def get_edgelist(self):
        return self.pairs

    def vcount(self):
        return self.n

    def is_directed(self):
        return self.directed


def networkx_graph(kind=nx.Graph):
    graph = kind()
    graph.add_nodes_from(range(N))
    graph.add_weighted_edges_from((int(a), int(b), float(w)) for (a, b), w in zip(EDGES, WEIGHTS, strict=True))
    return graph


TRIPLES = np.c_[EDGES, WEIGHTS]
SAME = {
    "dense": matrix,
    "dense in column order": lambda: np.asfortranarray(matrix()),
    "dense, read-only": lambda: read_only(matrix()),
    "dense lists": lambda: matrix().tolist(),
    "dense objects": lambda: matrix().astype(object),
    "dense big endian": lambda: matrix().astype(">f8"),
    "dense float16": lambda: matrix().astype(np.float16),
    "dense longdouble": lambda: matrix().astype(np.longdouble),
    "csr": lambda: sp.csr_array(matrix()),
    "csr_matrix": lambda: sp.csr_matrix(matrix()),
    "csr, read-only": read_only_csr,
    "csc": lambda: sp.csc_array(matrix()),
    "coo": lambda: sp.coo_array(matrix()),
    "lil": lambda: sp.lil_array(matrix()),
    "dok": lambda: sp.dok_array(matrix()),
    "dia": lambda: sp.dia_array(matrix()),
    "bsr": lambda: sp.bsr_array(matrix()),
    "pandas matrix": lambda: pd.DataFrame(matrix()),
    "polars matrix": lambda: pl.DataFrame(matrix()),
    "Graph": lambda: Graph(*(getattr(sp.csr_array(matrix()), part) for part in ("indptr", "indices", "data"))),
    "Graph of lists": lambda: Graph(
        *(getattr(sp.csr_array(matrix()), part).tolist() for part in ("indptr", "indices", "data"))
    ),
    "networkx": networkx_graph,
    "networkx multigraph": lambda: networkx_graph(nx.MultiGraph),
    "igraph": lambda: Igraph(EDGES.tolist(), WEIGHTS.tolist()),
    "tensor": lambda: torch().from_numpy(matrix()),
    "sparse tensor": lambda: sparse_tensor("coo"),
    "sparse tensor in rows": lambda: sparse_tensor("csr"),
}
OF_EDGES = {
    "edges": lambda: TRIPLES,
    "edges in lists": TRIPLES.tolist,
    "edges, read-only": lambda: read_only(TRIPLES),
    "edges, objects": lambda: np.array([[int(a), int(b), float(w)] for a, b, w in TRIPLES], dtype=object),
    "edges, every other column": lambda: np.repeat(TRIPLES, 2, axis=1)[:, ::2],
    "edges backwards": lambda: TRIPLES[::-1],
    "pandas edges": lambda: pd.DataFrame({"a": EDGES[:, 0], "b": EDGES[:, 1], "w": WEIGHTS}),
    "polars edges": lambda: pl.DataFrame({"a": EDGES[:, 0], "b": EDGES[:, 1], "w": WEIGHTS}),
    "edge tensor": lambda: torch().from_numpy(TRIPLES),
}


@pytest.mark.parametrize("kind", SAME)
def test_every_kind_of_input_is_the_same_graph(kind):
    np.testing.assert_array_equal(dense(as_graph(SAME[kind]())), matrix())


@pytest.mark.parametrize("kind", OF_EDGES)
def test_every_kind_of_edge_list_is_the_same_graph(kind):
    np.testing.assert_array_equal(dense(as_graph(OF_EDGES[kind](), N)), matrix())


@pytest.mark.parametrize("kind", [*SAME, *OF_EDGES])
def test_the_layout_is_that_of_graph(kind):
    graph = as_graph(SAME[kind]()) if kind in SAME else as_graph(OF_EDGES[kind](), N)
    indptr, indices, weights = (np.asarray(part) for part in graph)
    assert (indptr.dtype, indices.dtype, weights.dtype) == (np.int64, np.int64, np.float64)
    assert all(np.all(np.diff(indices[a:b]) > 0) for a, b in pairwise(indptr))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint16, np.uint64, np.float32, np.float64])
def test_node_numbers_of_any_type_are_the_same_graph(dtype):
    np.testing.assert_array_equal(dense(as_graph(EDGES.astype(dtype), N)), matrix(weights=np.ones(5)))


@pytest.mark.parametrize("kind", ["dense", "csr", "Graph", "tensor", "sparse tensor"])
def test_single_precision_stays_single(kind):
    source = SAME[kind]()
    if kind == "Graph":
        source = source._replace(weights=source.weights.astype(np.float32))
    else:
        source = source.float() if "tensor" in kind else source.astype(np.float32)
    graph = as_graph(source)
    assert np.asarray(graph.weights).dtype == np.float32
    np.testing.assert_array_equal(dense(graph), matrix())


def test_a_truth_matrix_has_weights_of_one():
    np.testing.assert_array_equal(dense(as_graph(matrix() > 0)), (matrix() > 0).astype(float))
    np.testing.assert_array_equal(dense(as_graph(sp.csr_array(matrix() > 0))), (matrix() > 0).astype(float))


def test_links_listed_several_times_are_added_up():
    edges = [[0, 1], [1, 0], [0, 1], [1, 2]]
    np.testing.assert_array_equal(dense(from_edges(edges, weights=[1, 2, 4, 8])), [[0, 7, 0], [7, 0, 8], [0, 8, 0]])
    np.testing.assert_array_equal(dense(from_edges(edges, directed=True)), [[0, 2, 0], [1, 0, 1], [0, 0, 0]])


def test_links_listed_several_times_are_symmetric_to_the_last_bit():
    random = np.random.default_rng(0)
    graph = from_edges(random.integers(0, 20, (5000, 2)), weights=random.random(5000))
    found = dense(graph)
    np.testing.assert_array_equal(found, found.T)
    assert undirected(graph) is graph


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("n", [1, 2, 50, 3000])
def test_random_edge_lists_agree_with_the_matrix_of_sums(n, directed, weighted):
    random = np.random.default_rng(n)
    edges = random.integers(0, n, (400, 2))
    weights = random.integers(0, 5, 400).astype(float) if weighted else np.ones(400)
    graph = from_edges(edges, n, weights=weights if weighted else None, directed=directed)
    rows = np.r_[edges[:, 0], [] if directed else edges[:, 1]].astype(int)
    columns = np.r_[edges[:, 1], [] if directed else edges[:, 0]].astype(int)
    expected = sp.coo_array((np.tile(weights, 1 if directed else 2), (rows, columns)), shape=(n, n)).tocsr()
    expected.eliminate_zeros()
    assert graph.indices.tolist() == expected.indices.tolist()
    np.testing.assert_array_equal(graph.indptr, expected.indptr)
    np.testing.assert_array_equal(graph.weights, expected.data)


def test_numbers_too_large_for_one_key_sort_the_same(monkeypatch):
    random = np.random.default_rng(1)
    edges, weights = random.integers(0, 1 << 30, (300, 2)), random.random(300)
    edges[150:] = edges[:150, ::-1]
    small = np.unique(edges, return_inverse=True)
    graph = from_edges(small[1].reshape(-1, 2), weights=weights)
    monkeypatch.setattr("coterie.graphs.edges._KEY_BITS", 8)
    again = from_edges(small[1].reshape(-1, 2), weights=weights)
    for part, other in zip(graph, again, strict=True):
        np.testing.assert_array_equal(part, other)


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 100])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("directed", [False, True])
def test_parts_of_a_long_list_of_edges_fit_together(monkeypatch, at_a_time, seed, directed):
    # Seeds 0 to 2: each edge once; 3 to 5: one of them twice, anywhere.
    monkeypatch.setattr(edge_lists, "_CACHED", at_a_time)
    rng = np.random.default_rng(seed)
    edges = rng.permutation(np.stack(np.triu_indices(5), axis=1))[: 8 + seed]
    edges = np.concatenate([edges, rng.permutation(edges)[: seed // 3]])
    found = from_edges(edges, 6, directed=directed)
    np.testing.assert_array_equal(to_scipy(found).toarray(), matrix(edges, np.ones(len(edges)), directed=directed))


@pytest.mark.parametrize("kind", [nx.Graph, nx.MultiGraph, nx.DiGraph, nx.MultiDiGraph])
def test_a_row_sums_to_the_degree_that_networkx_counts(kind):
    graph = kind([(0, 1), (1, 1), (2, 1)])
    graph.add_weighted_edges_from([(0, 2, 3.0), (2, 0, 5.0)])
    rows = to_scipy(as_graph(graph)).sum(axis=1)
    degree = graph.out_degree if graph.is_directed() else graph.degree
    assert rows.tolist() == [degree(node, weight="weight") for node in graph.nodes]


def test_parallel_edges_of_a_multigraph_are_added_up():
    graph = nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "a")])
    graph.add_edge("a", "b", weight=2.5)
    np.testing.assert_array_equal(dense(as_graph(graph)), [[0, 4.5], [1, 0]])


def test_an_edge_without_weight_weighs_one():
    graph = nx.Graph([("a", "b")])
    graph.add_edge("b", "c", weight=None)
    graph.add_edge("c", "d", weight=3)
    assert as_graph(graph).weights.tolist() == [1.0, 1.0, 1.0, 1.0, 3.0, 3.0]
    assert as_graph(Igraph([(0, 1)], [None], 2)).weights.tolist() == [1.0, 1.0]


def test_an_undirected_loop_counts_twice_and_a_directed_one_once():
    assert dense(from_edges([[0, 0]])).tolist() == [[2.0]]
    assert dense(from_edges([[0, 0]], directed=True)).tolist() == [[1.0]]
    assert dense(as_graph(nx.Graph([(0, 0)]))).tolist() == [[2.0]]
    assert dense(as_graph(np.array([[1.0]]))).tolist() == [[1.0]]


def test_a_link_of_weight_zero_is_none():
    assert not len(from_edges([[0, 1, 0.0], [1, 2, 0.0]]).indices)
    stored = sp.csr_array((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 2, 2])), shape=(2, 2))
    assert as_graph(stored).indices.tolist() == [1]
    assert as_graph(Graph(stored.indptr, stored.indices, stored.data)).indices.tolist() == [1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says once that it does not check its own sparse tensors
        tensor = torch().sparse_coo_tensor([[0, 0], [0, 1]], [0.0, 1.0], (2, 2))
    assert as_graph(tensor).indices.tolist() == [1]


def test_a_matrix_out_of_order_is_sorted_and_the_input_left_alone():
    indptr, indices, data = np.array([0, 3, 3, 3]), np.array([2, 0, 2]), np.array([1.0, 2.0, 4.0])
    for source in (sp.csr_array((data, indices, indptr), shape=(3, 3)), Graph(indptr, indices, data)):
        graph = as_graph(source)
        assert (graph.indices.tolist(), graph.weights.tolist()) == ([0, 2], [2.0, 5.0])
    assert (indices.tolist(), data.tolist()) == ([2, 0, 2], [1.0, 2.0, 4.0])


def test_a_square_array_is_one_of_edges_where_the_number_of_nodes_is_given():
    assert dense(as_graph(np.array([[0, 1], [1, 2]]), 3)).tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert dense(as_graph(np.array([[0, 1], [1, 2]]))).tolist() == [[0, 1], [1, 2]]


def test_no_edges_are_a_graph_where_the_number_of_nodes_is_given():
    assert as_graph(np.empty((0, 2)), 4).n_nodes == 4
    assert as_graph(nx.empty_graph(3)).indptr.tolist() == [0, 0, 0, 0]
    assert as_graph(Igraph([], n=2)).n_nodes == 2


# ---- directions


def test_undirected_adds_up_both_directions():
    one_way = from_edges(EDGES, N, weights=WEIGHTS, directed=True)
    assert is_directed(one_way)
    np.testing.assert_array_equal(dense(undirected(one_way)), matrix())


def test_undirected_doubles_a_loop_as_any_other_link():
    graph = from_edges([[0, 0], [0, 1]], directed=True)
    assert dense(undirected(graph)).tolist() == [[2.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize("weights", [[1.0, 2.0], [1.0, 1.0]])
def test_a_cycle_one_way_is_directed_and_a_pair_both_ways_by_its_weights(weights):
    assert is_directed(from_edges([[0, 1], [1, 2], [2, 0]], directed=True))
    pair = from_edges([[0, 1], [1, 0]], weights=weights, directed=True)
    assert is_directed(pair) == (weights[0] != weights[1])
    assert (undirected(pair) is pair) == (weights[0] == weights[1])


def test_directed_graphs_of_tensors_are_added_up_the_same():
    one_way = from_edges(EDGES, N, weights=WEIGHTS, directed=True)
    tensors = Graph(*(torch().from_numpy(part) for part in one_way))
    assert is_directed(tensors)
    np.testing.assert_array_equal(dense(undirected(tensors)), matrix())
    symmetric = as_graph(sparse_tensor("coo"))
    assert undirected(symmetric) is symmetric


def test_a_directed_graph_is_warned_about_where_an_undirected_one_is_needed():
    one_way = from_edges(EDGES, N, directed=True)
    with pytest.warns(UserWarning, match="directed and Leiden needs an undirected one"):
        undirected(one_way, warn_as="Leiden")


# ---- refusals

BAD = {
    "a word": ("karate", r"expected a graph.*got str"),
    "nothing": (None, r"expected a graph.*got NoneType"),
    "one dimension": (np.arange(5.0), r"expected a graph.*shape \(5,\)"),
    "three dimensions": (np.zeros((2, 2, 2)), r"expected a graph.*shape \(2, 2, 2\)"),
    "rows of different length": ([[0, 1], [2]], r"expected a graph"),
    "rows of measurements": (np.zeros((5, 4)), r"SpectralClustering"),
    "a sparse matrix that is not square": (sp.csr_array(np.ones((2, 3))), r"square, got shape \(2, 3\)"),
    "no nodes": (np.empty((0, 0)), "no nodes"),
    "no nodes, sparse": (sp.csr_array((0, 0)), "no nodes"),
    "no edges": (np.empty((0, 2)), "pass n_nodes"),
    "an empty networkx graph": (nx.Graph(), "no nodes"),
    "a negative weight": (np.array([[0, -1.0], [-1.0, 0]]), r"Negative values.*-1 \(row 0, column 1\)"),
    "a negative weight, sparse": (
        sp.csr_array(np.array([[0, 1, 0], [1, 0, -2.0], [0, -2.0, 0]])),
        r"-2 \(row 1, column 2\)",
    ),
    "a negative weight of an edge": (
        [[0, 1, 1], [4, 7, -3], [1, 2, 1], [3, 2, 1]],
        r"-3 \(edge 1, from node 4 to node 7\)",
    ),
    "NaN as a weight": ([[0, 1, 1], [4, 7, np.nan]], r"NaN or infinity \(edge 1, from node 4 to node 7\)"),
    "an infinite weight": (np.array([[0, np.inf], [np.inf, 0]]), r"infinity \(row 0, column 1\)"),
    "NaN in a Graph": (Graph([0, 1, 2], [1, 0], [1.0, np.nan]), "from node 1 to node 0"),
    "NaN as an end": ([[0.0, np.nan], [1, 2], [1, 2]], "ends of edges must be whole"),
    "half a node": ([[0.0, 0.5], [1, 2], [1, 2]], r"names node 0\.5"),
    "names": ([["a", "b"], ["b", "c"], ["a", "c"]], r"number the nodes.*read_graph"),
    "names as objects": (np.array([["ann", 1], ["bob", 2], ["eve", 2]], dtype=object), r"'ann' of type str"),
    "names in a frame": (pd.DataFrame({"a": ["x", "y", "z"], "b": ["y", "z", "z"]}), "number the nodes"),
    "a negative node": ([[0, 1], [-4, 2], [1, 2]], r"edge 1 \(-4, 2\) names node -4"),
    "identifiers": ([[7_000_000_000, 7_000_000_001], [7_000_000_001, 5], [1, 2]], "identifiers, number the nodes"),
    "large identifiers": (np.array([[2**63 + 1, 5], [1, 2], [1, 2]], dtype=np.uint64), "beyond any number of nodes"),
    "complex numbers": (np.ones((3, 3)) * 1j, "complex"),
    "complex numbers, sparse": (sp.csr_array(np.ones((3, 3)) * 1j), "complex"),
    "times": (np.zeros((3, 3), "datetime64[s]"), "numbers"),
    "words in a matrix": (np.array([["a", "b"], ["c", "d"]]), "numbers"),
    "masked weights": (np.ma.masked_equal(np.ones((3, 3)), 1), "masked"),
    "a Graph that does not fit together": (Graph([0, 1, 5], [1, 0], [1.0, 1.0]), "do not fit together"),
    "a Graph with a node that is not there": (Graph([0, 1, 2], [1, 7], [1.0, 1.0]), "link of node 1 names node 7"),
    "a Graph with no node": (Graph([0], [], []), "no nodes"),
    "a networkx graph with a word as a weight": (
        nx.Graph([("ann", "bob", {"weight": "high"})]),
        "'ann' to 'bob'.*'high'",
    ),
    "a networkx graph with a negative weight": (nx.Graph([("ann", "bob", {"weight": -1})]), "'ann' to 'bob'"),
    "an igraph graph with a negative weight": (Igraph([(0, 1), (1, 2)], [1.0, -1.0]), "edge from 1 to 2"),
    "sums beyond floats": ([[0, 1, 1.7e308], [1, 0, 1.7e308], [1, 2, 1]], "add up"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_graph_is_refused_in_one_sentence(kind):
    source, words = BAD[kind]
    with pytest.raises((InputError, ResourceError), match=words) as raised:
        as_graph(source, 3 if kind == "sums beyond floats" else None)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda t: t.tensor([[0.0, -1], [-1, 0]]), r"from node 0 to node 1"),
        (lambda t: t.tensor([[0.0, float("nan")], [1, 0]]).to_sparse(), "NaN"),
        (lambda t: t.zeros(2, 3, 3), "graph"),
        (lambda t: t.ones(2, 3).to_sparse(), "square"),
        (lambda t: Graph(t.tensor([0, 1]), t.tensor([4]), t.tensor([1.0])), "names node 4"),
        (lambda t: Graph(t.tensor([0, 2]), t.tensor([0]), t.tensor([1.0])), "fit together"),
        (lambda t: t.ones(2, 2, dtype=t.complex64), "complex"),
    ],
)
def test_tensors_that_are_no_graph_are_refused_in_one_sentence(make, words):
    with pytest.raises(InputError, match=words):
        as_graph(make(torch()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_nodes": 2}, "names node 2, but the nodes are 0 ... 1"),
        ({"n_nodes": 0}, "no nodes"),
        ({"n_nodes": 2.5}, "n_nodes must be a whole number"),
        ({"n_nodes": 1 << 40}, "GB"),
        ({"weights": [1.0]}, "one value for each of the 2 edges"),
        ({"weights": ["a", "b"]}, "numbers"),
    ],
)
def test_options_that_do_not_fit_the_edges_are_refused(arguments, words):
    with pytest.raises((InputError, ResourceError), match=words):
        from_edges([[0, 1], [1, 2]], **arguments)


def test_the_input_is_not_written_to():
    for kind, make in (SAME | OF_EDGES).items():
        source = make()
        parts = (
            [source]
            if isinstance(source, np.ndarray)
            else [
                getattr(source, part)
                for part in ("data", "indices")
                if isinstance(getattr(source, part, 0), np.ndarray)
            ]
        )
        before = [part.copy() for part in parts]
        as_graph(source, N if kind in OF_EDGES else None)
        for part, other in zip(parts, before, strict=True):
            np.testing.assert_array_equal(part, other)
