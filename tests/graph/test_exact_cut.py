"""The best partition of a small graph, against the plain way: to look at them all."""

import numpy as np
import pytest

from coterie.graph._exact_cut import exact_cut
from coterie.graph._objectives import objective_value
from coterie.graphs import from_edges
from coterie.primitives.engine import threads
from graph.cut_graphs import OBJECTIVES, partitions, plain_value, random_graph

every_objective = pytest.mark.parametrize("objective", ["edge_cut", *OBJECTIVES])


@every_objective
@pytest.mark.parametrize("k", range(2, 8))
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_no_partition_is_better(objective, k, weighted):
    graph = random_graph(8, k, weighted=weighted)
    best = min(plain_value(graph, labels, objective) for labels in partitions(8, k))
    labels = exact_cut(graph, k, objective)
    assert len(np.unique(labels)) == k
    assert plain_value(graph, labels, objective) == pytest.approx(best, rel=1e-9)


@every_objective
@pytest.mark.parametrize("k", [2, 3, 4])
def test_no_partition_within_the_bound_is_better(objective, k):
    graph = random_graph(9, 3, weighted=True)
    allowed = [labels for labels in partitions(9, k) if np.bincount(labels).max() <= 9 // k + 1]
    best = min(plain_value(graph, labels, objective) for labels in allowed)
    labels = exact_cut(graph, k, objective, most=9 // k + 1)
    assert np.bincount(labels).max() <= 9 // k + 1
    assert plain_value(graph, labels, objective) == pytest.approx(best, rel=1e-9)


def test_weights_of_nodes_count_in_ratio_cut_and_in_the_bound():
    graph, weights = random_graph(8, 1), np.array([3.0, 1, 2, 1, 1, 4, 2, 1])
    allowed = [labels for labels in partitions(8, 3) if np.bincount(labels, weights).max() <= 6]
    best = min(plain_value(graph, labels, "ratio_cut", weights) for labels in allowed)
    labels = exact_cut(graph, 3, "ratio_cut", node_weights=weights, most=6.0)
    assert objective_value(graph, labels, "ratio_cut", weights) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1e290])
@every_objective
def test_the_unit_of_the_weights_changes_nothing(objective, scale):
    graph = random_graph(8, 5, weighted=True)
    scaled = graph._replace(weights=graph.weights * scale)
    np.testing.assert_array_equal(exact_cut(graph, 3, objective), exact_cut(scaled, 3, objective))


def test_threads_change_nothing():
    graph = random_graph(12, 2)
    with threads(1):
        one = exact_cut(graph, 4, "normalized_cut")
    with threads(4):
        np.testing.assert_array_equal(exact_cut(graph, 4, "normalized_cut"), one)


def test_a_graph_without_links_is_divided_all_the_same():
    graph = from_edges(np.empty((0, 2), int), 5)
    assert (
        sorted(exact_cut(graph, 3, "normalized_cut")) == [0, 0, 0, 1, 2]
        or len(set(exact_cut(graph, 3, "normalized_cut"))) == 3
    )


def test_a_light_node_alone_is_the_best_ratio_cut_of_six():
    edges = [[0, 1, 2], [1, 2, 2], [0, 2, 2], [3, 4, 2], [3, 5, 0.2], [2, 3, 1], [4, 0, 1]]
    graph = from_edges(edges)
    assert np.bincount(exact_cut(graph, 2, "ratio_cut")).min() == 1
    assert objective_value(graph, exact_cut(graph, 2, "ratio_cut"), "ratio_cut") == pytest.approx(0.2 + 0.2 / 5)


@pytest.mark.slow
@pytest.mark.parametrize("k", [2, 3, 10, 19])
def test_twenty_nodes_take_seconds(k):
    graph = random_graph(20, 0, share=0.3)
    labels = exact_cut(graph, k, "normalized_cut")
    assert len(np.unique(labels)) == k
