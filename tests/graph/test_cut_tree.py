"""The tree of cuts: pieces nest, heights ascend, and each cut is the best in two."""

import itertools

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, is_valid_linkage

from coterie import BalancedCut
from coterie.graph._cut_tree import cut_tree
from coterie.graph._objectives import objective_cut, objective_value
from graph.cut_graphs import OBJECTIVES, plain_value, random_graph, ring_of_cliques

every_objective = pytest.mark.parametrize("objective", ["edge_cut", *OBJECTIVES])


def members(tree, node, k):
    """Return the parts below a node."""
    if tree.label[node] >= 0:
        return [int(tree.label[node])]
    return sorted(members(tree, tree.left[node], k) + members(tree, tree.right[node], k))


@every_objective
@pytest.mark.parametrize("k", [1, 2, 3, 5, 6, 7])
def test_the_leaves_are_the_parts_and_the_linkage_is_one_of_scipys(objective, k):
    graph = random_graph(40, k, share=0.15, weighted=True)
    labels = objective_cut(graph, k, "normalized_cut")
    tree = cut_tree(graph, labels, objective)
    assert len(tree.left) == 2 * k - 1
    assert members(tree, 0, k) == list(range(k))
    if k > 1:
        linkage = tree.linkage()
        assert is_valid_linkage(linkage)
        assert linkage[-1, 3] == k
        for j in range(1, k + 1):
            assert len(np.unique(fcluster(linkage, j, "maxclust"))) <= j


@every_objective
def test_sizes_and_cuts_are_those_of_the_pieces(objective):
    graph = random_graph(40, 1, share=0.15, weighted=True)
    labels = objective_cut(graph, 5, "normalized_cut")
    tree = cut_tree(graph, labels, objective)
    for node in range(9):
        inside = np.isin(labels, members(tree, node, 5))
        assert tree.size[node] == inside.sum()
        cut = 0.0 if inside.all() else plain_value(graph, inside.astype(int), "edge_cut")
        assert tree.cut[node] == pytest.approx(cut, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_first_cut_is_the_best_of_all(objective):
    graph = random_graph(40, 2, share=0.15, weighted=True)
    labels = objective_cut(graph, 6, objective)
    tree = cut_tree(graph, labels, objective)
    first = np.isin(labels, members(tree, tree.left[0], 6)).astype(int)
    ways = [np.isin(labels, some).astype(int) for size in (1, 2, 3) for some in itertools.combinations(range(6), size)]
    best = min(plain_value(graph, way, objective) for way in ways)
    assert plain_value(graph, first, objective) == pytest.approx(best, rel=1e-9)


@every_objective
def test_the_height_of_the_root_is_the_objective(objective):
    graph = random_graph(40, 3, share=0.2, weighted=True)
    labels = objective_cut(graph, 5, "normalized_cut")
    tree = cut_tree(graph, labels, objective)
    assert tree.height[0] == pytest.approx(objective_value(graph, labels, objective), rel=1e-9)


def test_a_ring_of_cliques_is_halved_and_halved_again():
    graph = ring_of_cliques(8, 6)
    labels = np.repeat(np.arange(8), 6)
    tree = cut_tree(graph, labels, "ratio_cut")
    assert sorted(tree.size.tolist()) == [6.0] * 8 + [12.0] * 4 + [24.0] * 2 + [48.0]


def test_more_than_twenty_parts_are_searched():
    graph = ring_of_cliques(24, 4)
    tree = cut_tree(graph, np.repeat(np.arange(24), 4), "normalized_cut")
    assert tree.size[[tree.left[0], tree.right[0]]].tolist() == [48.0, 48.0]


def test_weights_of_nodes_are_sizes():
    graph = ring_of_cliques(3, 4)
    weights = np.arange(1.0, 13.0)
    tree = cut_tree(graph, np.repeat(np.arange(3), 4), "ratio_cut", weights)
    assert tree.size[0] == weights.sum()


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("method", ["multilevel", "spectral"])
def test_the_estimator_has_the_tree_of_its_parts(objective, method):
    graph = random_graph(30, 4, share=0.2)
    model = BalancedCut(4, objective=objective, method=method, imbalance=1.0, random_state=0).fit(graph)
    assert model.tree_.height[0] == pytest.approx(model.objective_, rel=1e-9)
    assert model.objective_ == pytest.approx(plain_value(graph, model.labels_, objective), rel=1e-9)


def test_there_is_no_tree_before_the_fit():
    assert not hasattr(BalancedCut(4), "tree_")
