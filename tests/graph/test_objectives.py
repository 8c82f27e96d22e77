"""Ratio, normalised and min-max cut: their values, and partitions for which they are small."""

import networkx as nx
import numpy as np
import pytest

from coterie.graph._objective_search import least_cut
from coterie.graph._objectives import objective_cut, objective_value, size_limit
from coterie.graphs import as_graph, from_edges
from coterie.primitives.engine import threads
from coterie.primitives.objective_moves import clusters, contract, cut_problem, search, unite
from graph.cut_graphs import OBJECTIVES, partitions, plain_value, random_graph, ring_of_cliques

every_objective = pytest.mark.parametrize("objective", OBJECTIVES)
KARATE = as_graph(nx.karate_club_graph())


def units(problem, graph, objective):
    """Return what a value of the problem is multiplied by to be one of the objective."""
    if objective != "ratio_cut":
        return 1.0
    return graph.weights.sum() / problem.weights.sum() * problem.nodes[:, 1].sum() / problem.nodes[:, 2].sum()


@every_objective
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_values_follow_the_definitions(objective, weighted):
    graph = random_graph(30, 0, weighted=weighted)
    labels = np.random.default_rng(0).integers(0, 4, 30)
    assert objective_value(graph, labels, objective) == pytest.approx(plain_value(graph, labels, objective))


def test_networkx_agrees_on_normalised_cut():
    graph, labels = nx.karate_club_graph(), np.arange(34) % 2
    theirs = nx.normalized_cut_size(graph, np.flatnonzero(labels == 0), weight="weight")
    assert objective_value(as_graph(graph), labels, "normalized_cut") == pytest.approx(theirs)


def test_the_two_way_value_of_hagen_and_kahng_is_ratio_cut_by_n():
    graph, labels = random_graph(20, 1), np.array([0] * 7 + [1] * 13)
    cut = objective_value(graph, labels, "edge_cut")
    assert objective_value(graph, labels, "ratio_cut") == pytest.approx(20 * cut / (7 * 13))


def test_a_part_with_a_cut_and_nothing_inside_makes_min_max_cut_infinite():
    assert objective_value(from_edges([[0, 1], [1, 2]]), np.array([0, 1, 1]), "min_max_cut") == np.inf


def test_a_link_of_a_node_to_itself_counts_inside_and_in_the_volume():
    graph = from_edges([[0, 0], [0, 1], [1, 2]])
    assert objective_value(graph, np.array([0, 1, 1]), "min_max_cut") == pytest.approx(1 / 2 + 1 / 2)
    assert objective_value(graph, np.array([0, 1, 1]), "normalized_cut") == pytest.approx(1 / 3 + 1 / 3)


@every_objective
@pytest.mark.parametrize("k", [2, 4, 8])
def test_a_ring_of_cliques_is_cut_between_cliques(objective, k):
    graph = ring_of_cliques(8, 8)
    labels = objective_cut(graph, k, objective)
    assert all(len(set(labels[c * 8 : c * 8 + 8])) == 1 for c in range(8))
    assert (np.bincount(labels) == 64 // k).all()


@every_objective
@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_the_best_of_small_graphs(objective, k, seed):
    graph = random_graph(9, seed, weighted=seed == 2)
    best = min(plain_value(graph, labels, objective) for labels in partitions(9, k))
    problem = cut_problem(graph, objective)
    labels = least_cut(problem, k, 0, [])
    assert plain_value(graph, labels, objective) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize(
    ("objective", "k", "known"),
    [("ratio_cut", 2, 0.937931), ("normalized_cut", 2, 0.256410), ("min_max_cut", 2, 0.294118),
     ("normalized_cut", 4, 1.148822), ("min_max_cut", 4, 1.685300), ("ratio_cut", 16, 31.466667)],
)  # fmt: skip
def test_the_karate_club_is_cut_as_well_as_in_thousands_of_searches(objective, k, known):
    graph = KARATE._replace(weights=np.ones(len(KARATE.indices)))
    assert objective_value(graph, objective_cut(graph, k, objective), objective) == pytest.approx(known, abs=1e-6)


@every_objective
def test_the_value_that_the_search_keeps_is_that_of_its_labels(objective):
    graph = random_graph(60, 3, share=0.1, weighted=True)
    problem = cut_problem(graph, objective)
    start = np.arange(60) % 5
    labels, value = search(problem, start, 5, seed=1, patience=20, rounds=30, in_vain=10, work=10**7)
    assert len(np.unique(labels)) == 5
    assert value * units(problem, graph, objective) == pytest.approx(plain_value(graph, labels, objective), rel=1e-6)
    assert plain_value(graph, labels, objective) <= plain_value(graph, start, objective)


@every_objective
def test_contracted_graphs_have_the_same_values(objective):
    graph = random_graph(40, 4, share=0.2)
    problem = cut_problem(graph, objective)
    sets, count = clusters(problem, np.zeros(40, np.int32), np.arange(40), 0.01, 1e9, 1e9)
    small = contract(problem, sets, count)
    assert 3 < count < 40
    assert small.nodes[:, 1:].sum(axis=0) == pytest.approx(problem.nodes[:, 1:].sum(axis=0))
    coarse = unite(small, 3)
    fixed = {"seed": 0, "patience": 0, "rounds": 0, "in_vain": 0, "work": 0}
    labels, value = search(small, coarse, 3, **fixed)
    assert value * units(problem, graph, objective) == pytest.approx(plain_value(graph, labels[sets], objective))


@every_objective
@pytest.mark.parametrize("imbalance", [0.0, 0.03, 0.3])
@pytest.mark.parametrize("k", [2, 3, 7])
def test_no_part_exceeds_the_bound(objective, imbalance, k):
    graph = random_graph(61, 5, share=0.1)
    labels = objective_cut(graph, k, objective, imbalance)
    assert np.bincount(labels).max() <= (1 + imbalance) * -(-61 // k)
    assert len(np.unique(labels)) == k


def test_weights_of_nodes_count_in_the_bound():
    graph = random_graph(50, 6, share=0.15)
    weights = np.random.default_rng(0).integers(1, 6, 50).astype(float)
    labels = objective_cut(graph, 3, "normalized_cut", 0.05, node_weights=weights)
    assert np.bincount(labels, weights).max() <= size_limit(weights, 50, 3, 0.05)


@every_objective
def test_there_are_always_as_many_parts_as_asked_for(objective):
    graph = random_graph(24, 7, share=0.15)
    for k in range(1, 25):
        assert len(np.unique(objective_cut(graph, k, objective))) == k


@every_objective
def test_components_are_not_cut_where_there_are_enough(objective):
    cliques = [np.array([[i, j] for i in range(s) for j in range(i)]) + 40 * s for s in (3, 5, 9, 12)]
    graph = from_edges(np.concatenate(cliques), 40 * 13)
    for k in (2, 30):
        assert objective_value(graph, objective_cut(graph, k, objective), objective) == 0


@every_objective
def test_a_thousand_components_are_packed(objective):
    pairs = np.arange(3000).reshape(-1, 3)
    graph = from_edges(np.concatenate([pairs[:, :2], pairs[:, 1:]]))
    labels = objective_cut(graph, 7, objective, 0.03)
    assert objective_value(graph, labels, objective) < 0.01
    assert np.bincount(labels).max() <= 1.03 * 429


@every_objective
def test_isolated_nodes_are_parts_that_cost_nothing(objective):
    graph = from_edges([[0, i] for i in range(1, 300)] + [[i, i + 1] for i in range(1, 299)], 304)
    assert objective_value(graph, objective_cut(graph, 5, objective), objective) == 0
    labels = objective_cut(graph, 6, objective)
    sizes = np.bincount(labels)
    assert (sizes == 1).sum() >= 3
    halves = objective_value(graph, labels, objective)
    assert 0 < halves <= objective_value(graph, np.r_[np.zeros(150), np.ones(150), 2:6].astype(int), objective)


@every_objective
@pytest.mark.parametrize(
    "edges",
    [np.empty((0, 2), int), np.array([[i, i] for i in range(30)]), np.array([[0, i] for i in range(1, 30)])],
    ids=["no links", "links to themselves", "a star"],
)
def test_strange_graphs_are_divided(objective, edges):
    graph = from_edges(edges, 30)
    labels = objective_cut(graph, 4, objective)
    assert len(np.unique(labels)) == 4


@every_objective
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_weights_of_every_magnitude_do_no_harm(objective, dtype):
    graph = random_graph(30, 8)
    low, high = (-300, 300) if dtype == np.float64 else (-37, 37)
    rows = np.repeat(np.arange(30), np.diff(graph.indptr))
    weights = (10.0 ** np.random.default_rng(0).uniform(low, high, (30, 30))).astype(dtype)
    weights = (np.minimum(weights, weights.T))[rows, graph.indices]
    labels = objective_cut(graph._replace(weights=weights), 3, objective)
    assert len(np.unique(labels)) == 3


def test_threads_change_nothing_and_a_seed_repeats():
    graph = random_graph(120, 9, share=0.05)
    found = []
    for n in (1, 3):
        with threads(n):
            found.append(objective_cut(graph, 3, "min_max_cut", seed=3))
    np.testing.assert_array_equal(found[0], found[1])


def test_a_start_is_never_made_worse():
    graph = random_graph(60, 10, share=0.1)
    start = np.random.default_rng(0).integers(0, 3, 60)
    labels = objective_cut(graph, 3, "ratio_cut", starts=[start])
    assert objective_value(graph, labels, "ratio_cut") <= objective_value(graph, start, "ratio_cut")
