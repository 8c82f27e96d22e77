"""Scores of partitions of graphs: against networkx, against sums over all pairs, and against known answers."""

import itertools
import math

import networkx as nx
import numpy as np
import pytest

from coterie import metrics
from coterie.errors import InputError
from coterie.graphs import as_graph, from_edges, to_scipy, undirected
from coterie.primitives.engine import threads

CUTS = ["edge_cut", "ratio_cut", "normalized_cut", "min_max_cut", "conductance", "cheeger"]
ALL = [*CUTS, "modularity"]


def brute_force(name, A, labels):
    """Take the definition at its word: sums over pairs of nodes."""
    kept = np.flatnonzero(labels != -1)
    A, labels = A[np.ix_(kept, kept)], labels[kept]
    n, total = len(A), A.sum()
    parts = [labels == c for c in np.unique(labels)]
    cut = [A[p][:, ~p].sum() for p in parts]
    inside = [A[p][:, p].sum() for p in parts]
    volume = [A[p].sum() for p in parts]
    size = [p.sum() for p in parts]

    def share(a, b):
        return 0.0 if a == 0 else math.inf if b == 0 else a / b

    return {
        "edge_cut": lambda: sum(cut) / 2,
        "ratio_cut": lambda: sum(c / s for c, s in zip(cut, size, strict=True)),
        "normalized_cut": lambda: sum(map(share, cut, volume)),
        "min_max_cut": lambda: sum(map(share, cut, inside)),
        "conductance": lambda: max(share(c, min(v, total - v)) for c, v in zip(cut, volume, strict=True)),
        "cheeger": lambda: max(share(c, min(s, n - s)) for c, s in zip(cut, size, strict=True)),
        "modularity": lambda: sum(i / total - (v / total) ** 2 for i, v in zip(inside, volume, strict=True)),
    }[name]()


def random_graph(seed, n=40, m=150, loops=True):
    random = np.random.default_rng(seed)
    edges = random.integers(0, n, (m, 2))
    edges = edges if loops else edges[edges[:, 0] != edges[:, 1]]
    return from_edges(edges, n, weights=random.random(len(edges)) + 0.1), random.integers(0, 5, n)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_scores_are_their_definitions(name, noise, seed):
    graph, labels = random_graph(seed)
    labels = np.where(noise & (np.arange(40) % 3 == 0), -1, labels)
    expected = brute_force(name, to_scipy(graph).toarray(), labels)
    assert getattr(metrics, name)(graph, labels) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_two_parts_agree_with_networkx(seed):
    graph, _ = random_graph(seed, loops=False)
    theirs = nx.from_scipy_sparse_array(to_scipy(graph))
    labels = np.random.default_rng(seed).integers(0, 2, 40)
    a, b = (np.flatnonzero(labels == c).tolist() for c in (0, 1))
    cut = nx.cut_size(theirs, a, b, weight="weight")
    assert metrics.edge_cut(graph, labels) == pytest.approx(cut)
    assert metrics.normalized_cut(graph, labels) == pytest.approx(nx.normalized_cut_size(theirs, a, b, weight="weight"))
    assert metrics.conductance(graph, labels) == pytest.approx(nx.conductance(theirs, a, b, weight="weight"))
    plain = nx.Graph(theirs.edges)
    plain.add_nodes_from(range(40))
    plain = nx.Graph(plain)
    expansion = nx.edge_expansion(plain, a, b)
    numbered = as_graph(nx.to_scipy_sparse_array(plain, nodelist=range(40), weight=None))
    assert metrics.cheeger(numbered, labels) == pytest.approx(expansion)


@pytest.mark.parametrize("resolution", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
@pytest.mark.parametrize("loops", [False, True])
def test_modularity_agrees_with_networkx(kind, resolution, loops):
    theirs = nx.gnm_random_graph(30, 90, seed=3, directed=kind is nx.DiGraph)
    theirs.add_edges_from([(0, 0), (7, 7)] if loops else [])
    for i, (a, b) in enumerate(theirs.edges):
        theirs[a][b]["weight"] = 1 + i % 5
    labels = np.arange(30) % 4
    parts = [set(np.flatnonzero(labels == c).tolist()) for c in range(4)]
    expected = nx.community.modularity(theirs, parts, resolution=resolution)
    assert metrics.modularity(theirs, labels, resolution) == pytest.approx(expected)


def test_known_answers_on_two_cliques_with_a_bridge():
    graph = from_edges([*itertools.combinations(range(4), 2), *itertools.combinations(range(4, 8), 2), (0, 4)])
    labels = np.repeat([0, 1], 4)
    assert metrics.edge_cut(graph, labels) == 1
    assert metrics.ratio_cut(graph, labels) == 2 / 4
    assert metrics.normalized_cut(graph, labels) == pytest.approx(2 / 13)
    assert metrics.min_max_cut(graph, labels) == pytest.approx(2 / 12)
    assert metrics.conductance(graph, labels) == pytest.approx(1 / 13)
    assert metrics.cheeger(graph, labels) == pytest.approx(1 / 4)
    assert metrics.modularity(graph, labels) == pytest.approx(12 / 13 - 1 / 2)


@pytest.mark.parametrize("name", ALL)
def test_names_and_order_of_parts_do_not_matter(name):
    graph, labels = random_graph(1)
    value = getattr(metrics, name)(graph, labels)
    order = np.random.default_rng(0).permutation(40)
    turned = as_graph(to_scipy(graph)[order][:, order])
    assert getattr(metrics, name)(graph, np.array(["x", "a", "c", "q", "b"])[labels]) == pytest.approx(value)
    assert getattr(metrics, name)(turned, labels[order] * 7 - 3) == pytest.approx(value)


@pytest.mark.parametrize("name", CUTS)
def test_one_part_cuts_nothing(name):
    assert getattr(metrics, name)(random_graph(2)[0], np.zeros(40, int)) == 0.0


def test_a_part_without_inner_links_has_an_infinite_min_max_cut():
    path = [[0, 1], [1, 2], [2, 3]]
    assert metrics.min_max_cut(path, [0, 1, 1, 1]) == math.inf
    assert metrics.normalized_cut(path, [0, 1, 1, 1]) == pytest.approx(1 + 1 / 5)


def test_a_part_without_links_counts_nothing():
    graph = from_edges([[0, 1], [2, 3]], 6)
    for name in CUTS:
        assert getattr(metrics, name)(graph, [0, 0, 1, 1, 2, 3]) == 0.0
    assert metrics.modularity(graph, [0, 0, 1, 1, 2, 3]) == 0.5
    for name in ALL:
        assert getattr(metrics, name)(from_edges(np.empty((0, 2)), 3), [0, 1, 1]) == 0.0


def test_loops_count_twice_in_a_part_and_never_in_the_cut():
    graph = from_edges([[0, 0], [0, 1], [1, 2]])
    assert metrics.edge_cut(graph, [0, 1, 1]) == 1
    assert metrics.min_max_cut(graph, [0, 1, 1]) == pytest.approx(1 / 2 + 1 / 2)


@pytest.mark.parametrize("name", CUTS)
def test_a_directed_graph_is_taken_both_ways_with_a_warning(name):
    random = np.random.default_rng(8)
    graph = from_edges(random.integers(0, 20, (60, 2)), 20, weights=random.random(60), directed=True)
    labels = random.integers(0, 3, 20)
    with pytest.warns(UserWarning, match=f"directed and {name} takes it as undirected"):
        value = getattr(metrics, name)(graph, labels)
    assert value == pytest.approx(getattr(metrics, name)(undirected(graph), labels))


def test_a_directed_cycle_with_equal_sums_is_seen_to_be_directed():
    with pytest.warns(UserWarning, match="directed"):
        assert metrics.edge_cut(from_edges([[0, 1], [1, 2], [2, 0]], directed=True), [0, 0, 1]) == 2


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e200, 1e300])
def test_the_unit_of_the_weights_does_not_matter(name, factor):
    graph, labels = random_graph(3)
    far = graph._replace(weights=graph.weights * factor)
    grows = name in ("edge_cut", "ratio_cut", "cheeger")
    expected = getattr(metrics, name)(graph, labels) * (factor if grows else 1.0)
    assert getattr(metrics, name)(far, labels) == pytest.approx(expected, rel=1e-9)


def test_a_faint_cut_beside_heavy_parts_keeps_its_digits():
    assert metrics.edge_cut([[0, 1, 1e9], [2, 3, 1e9], [1, 2, 1e-9]], [0, 0, 1, 1], n_nodes=4) == 1e-9


@pytest.mark.parametrize("name", ALL)
def test_the_same_bits_on_any_number_of_threads(name):
    random = np.random.default_rng(4)
    graph = from_edges(random.integers(0, 5000, (200_000, 2)), 5000, weights=random.random(200_000))
    labels = random.integers(-1, 30, 5000)
    values = []
    for n_threads in (1, 2, 4):
        with threads(n_threads):
            values.append(getattr(metrics, name)(graph, labels))
    assert len(set(values)) == 1


@pytest.mark.parametrize("kind", ["list", "float32", "tensor", "networkx", "labels as tensor"])
def test_kinds_of_input(kind):
    torch = pytest.importorskip("torch", reason="tensors need PyTorch")
    path = np.array([[0.0, 1, 0], [1, 0, 2], [0, 2, 0]])
    graph = {
        "list": path.tolist(),
        "float32": path.astype(np.float32),
        "tensor": torch.from_numpy(path),
        "networkx": nx.from_numpy_array(path),
        "labels as tensor": path,
    }[kind]
    labels = torch.tensor([0, 0, 1]) if kind == "labels as tensor" else [0, 0, 1]
    assert metrics.edge_cut(graph, labels) == 2.0


def test_an_array_of_edges_may_say_how_many_nodes_there_are():
    assert metrics.edge_cut([[0, 1], [1, 2]], [0, 1, 1], n_nodes=3) == 1.0
    with pytest.raises(InputError, match="one label for each of the 4 nodes"):
        metrics.edge_cut([[0, 1], [1, 2]], [0, 1, 1], n_nodes=4)


@pytest.mark.parametrize("name", ALL)
def test_what_cannot_be_scored_is_refused(name):
    score = getattr(metrics, name)
    with pytest.raises(InputError, match="one label for each of the 3 nodes"):
        score([[0, 1], [1, 2]], [0, 1], n_nodes=3)
    with pytest.raises(InputError, match="every node is labelled -1"):
        score([[0, 1], [1, 2]], [-1, -1, -1], n_nodes=3)
    with pytest.raises(InputError, match="Negative"):
        score([[0, 1, -1.0], [1, 2, 1.0]], [0, 1, 1], n_nodes=3)


def test_a_resolution_that_is_no_number_is_refused():
    for resolution in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="resolution"):
            metrics.modularity([[0, 1], [1, 2], [2, 3]], [0, 0, 1, 1], resolution)
