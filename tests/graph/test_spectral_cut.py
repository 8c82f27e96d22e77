"""Cuts by eigenvectors: rounded, refined, and never fewer parts than asked for."""

import networkx as nx
import numpy as np
import pytest

from coterie.graph._objectives import objective_value
from coterie.graph._spectral_cut import best_threshold, leading_nodes, spectral_cut
from coterie.graphs import as_graph, from_edges
from coterie.primitives.objective_moves import cut_problem
from graph.cut_graphs import OBJECTIVES, plain_value, random_graph, ring_of_cliques

every_objective = pytest.mark.parametrize("objective", ["edge_cut", *OBJECTIVES])


@every_objective
@pytest.mark.parametrize("k", [2, 4, 8])
def test_a_ring_of_cliques_is_cut_between_cliques(objective, k):
    labels = spectral_cut(ring_of_cliques(8, 8), k, objective, 0.0)
    assert all(len(set(labels[c * 8 : c * 8 + 8])) == 1 for c in range(8))
    assert (np.bincount(labels) == 64 // k).all()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_best_threshold_is_the_best_of_all(objective):
    graph = random_graph(30, 1, weighted=True)
    coordinate = np.random.default_rng(0).standard_normal(30)
    found = best_threshold(cut_problem(graph, objective), coordinate)
    values = [plain_value(graph, (coordinate > t).astype(int), objective) for t in np.sort(coordinate)[:-1]]
    assert plain_value(graph, found, objective) == pytest.approx(min(values), rel=1e-9)


def test_the_best_threshold_keeps_the_bound():
    graph = as_graph(nx.path_graph(20))
    graph = graph._replace(weights=np.ones(len(graph.weights)))
    found = best_threshold(cut_problem(graph, "ratio_cut", most=12), np.arange(20.0) ** 2)
    assert np.bincount(found).tolist() == [10, 10]


def test_rows_on_turned_axes_get_the_part_of_their_axis():
    random = np.random.default_rng(0)
    turn, _ = np.linalg.qr(random.standard_normal((4, 4)))
    parts = random.integers(0, 4, 50)
    found = leading_nodes(np.eye(4)[parts] @ turn)
    assert len({(a, b) for a, b in zip(parts, found)}) == 4


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_karate_club_is_cut_as_by_the_multilevel_method(objective):
    graph = as_graph(nx.karate_club_graph())
    graph = graph._replace(weights=np.ones(len(graph.weights)))
    known = {"ratio_cut": 0.937931, "normalized_cut": 0.256410, "min_max_cut": 0.294118}[objective]
    assert objective_value(graph, spectral_cut(graph, 2, objective), objective) == pytest.approx(known, abs=1e-6)


@every_objective
def test_components_come_first(objective):
    pairs = np.arange(60).reshape(-1, 3)
    graph = from_edges(np.concatenate([pairs[:, :2], pairs[:, 1:]]), 65)
    for k in (2, 5, 20):
        labels = spectral_cut(graph, k, objective)
        assert len(np.unique(labels)) == k
        assert objective_value(graph, labels, objective) == 0


@every_objective
@pytest.mark.parametrize("imbalance", [0.03, 0.3])
def test_no_part_exceeds_the_bound(objective, imbalance):
    labels = spectral_cut(random_graph(61, 5, share=0.1), 4, objective, imbalance)
    assert np.bincount(labels).max() <= (1 + imbalance) * 16
    assert len(np.unique(labels)) == 4


@every_objective
@pytest.mark.parametrize(
    "edges",
    [np.empty((0, 2), int), np.array([[i, i] for i in range(12)]), np.array([[0, i] for i in range(1, 12)])],
    ids=["no links", "links to themselves", "a star"],
)
@pytest.mark.parametrize("k", [1, 2, 5, 11, 12])
def test_strange_graphs_are_divided(objective, edges, k):
    assert len(np.unique(spectral_cut(from_edges(edges, 12), k, objective))) == k
