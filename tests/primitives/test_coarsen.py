"""Clusters under a cap and their graph, beside dense matrix products."""

import numpy as np
import pytest

from coterie import Graph
from coterie.graphs import from_edges, to_scipy
from coterie.primitives.coarsen import contract, size_capped_clusters
from coterie.primitives.flow import cut_between
from coterie.primitives.kway import grown_halves, refine_parts


def whole_graph(seed, n=200, m=800):
    random = np.random.default_rng(seed)
    ends = random.integers(0, n, (m, 2))
    graph = from_edges(ends[ends[:, 0] != ends[:, 1]], n)
    return Graph(graph.indptr, graph.indices.astype(np.int32), graph.weights.astype(np.int64))


def cut(graph, labels):
    return int(graph.weights[np.repeat(labels, np.diff(graph.indptr)) != labels[graph.indices]].sum()) // 2


@pytest.mark.parametrize("seed", range(5))
def test_clusters_keep_their_cap_and_their_borders(seed):
    graph = whole_graph(seed)
    random = np.random.default_rng(seed)
    weights, within = random.integers(0, 5, 200), random.integers(0, 3, 200).astype(np.int32)
    clusters, count = size_capped_clusters(graph, weights, 9, seed, within=within)
    assert sorted(set(clusters.tolist())) == list(range(count))
    assert count < 140
    assert np.bincount(clusters, weights).max() <= 9
    assert all(len(set(within[clusters == c].tolist())) == 1 for c in range(count))


def test_clusters_stop_at_the_fewest_asked_for():
    assert size_capped_clusters(whole_graph(0), np.ones(200, np.int64), 200, 0, fewest=150)[1] == 150


def test_nodes_without_links_are_united_under_the_cap():
    empty = Graph(np.zeros(101, np.int64), np.empty(0, np.int32), np.empty(0, np.int64))
    clusters, count = size_capped_clusters(empty, np.ones(100, np.int64), 2, 0)
    assert count == 50
    assert np.bincount(clusters).max() == 2


def test_the_rays_of_a_star_are_united_though_its_hub_is_full():
    rays = from_edges(np.stack([np.zeros(100, int), np.arange(1, 101)], 1))
    star = Graph(rays.indptr, rays.indices.astype(np.int32), rays.weights.astype(np.int64))
    assert size_capped_clusters(star, np.ones(101, np.int64), 2, 0)[1] <= 52


@pytest.mark.parametrize("seed", range(5))
def test_the_graph_of_clusters_is_the_product_of_matrices(seed):
    graph = whole_graph(seed)
    clusters = np.random.default_rng(seed).integers(0, 30, 200).astype(np.int32)
    clusters[:30] = np.arange(30)
    coarse, weights = contract(graph, np.arange(200), clusters, 30)
    member = np.eye(30)[clusters]
    expected = member.T @ to_scipy(graph).toarray() @ member
    np.fill_diagonal(expected, 0)
    np.testing.assert_array_equal(to_scipy(coarse).toarray(), expected)
    np.testing.assert_array_equal(weights, member.T @ np.arange(200))


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("step", [refine_parts, cut_between])
def test_refinement_says_what_it_saves_and_keeps_the_limits(step, k):
    for seed in range(10):
        graph = whole_graph(seed)
        weights = np.random.default_rng(seed).integers(1, 4, 200)
        labels = (np.arange(200) * k // 200).astype(np.int32)
        limits = np.full(k, int(1.1 * np.bincount(labels, weights).max()))
        before = cut(graph, labels)
        saved = step(graph, weights, limits, labels, seed)
        assert saved == before - cut(graph, labels)
        assert saved > 0 or step is cut_between
        assert (np.bincount(labels, weights, minlength=k) <= limits).all()


def test_refinement_lightens_a_part_that_is_too_heavy():
    graph, labels = whole_graph(1), np.zeros(200, np.int32)
    labels[:20] = 1
    refine_parts(graph, np.ones(200, np.int64), np.array([110, 110]), labels, 0, rounds=20)
    assert np.bincount(labels).max() <= 110


def test_halves_have_the_weight_asked_for():
    graph = whole_graph(2)
    halves = grown_halves(graph, np.ones(200, np.int64), np.array([70, 140]), 65, 4, 0)
    assert 60 <= (halves == 0).sum() <= 70


def test_a_crooked_border_becomes_the_cheapest():
    side = 12
    number = np.arange(side * side).reshape(side, side)
    ends = np.vstack(
        [np.stack([a.ravel(), b.ravel()], 1) for a, b in ((number[1:], number[:-1]), (number[:, 1:], number[:, :-1]))]
    )
    grid = from_edges(ends)
    grid = Graph(grid.indptr, grid.indices.astype(np.int32), grid.weights.astype(np.int64))
    labels = (np.arange(side * side) % side >= 6 + (np.arange(side * side) // side % 3 - 1)).astype(np.int32)
    assert cut(grid, labels) > side
    cut_between(grid, np.ones(side * side, np.int64), np.array([80, 80]), labels, 0)
    assert cut(grid, labels) == side
