"""Clusters under a cap and their graph, beside dense matrix products."""

import numpy as np
import pytest

from coterie import Graph
from coterie.graphs import from_edges, to_scipy
from coterie.primitives._numba import coarsen, coarsen_plain, contraction, flow, flow_plain
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


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("reach", [4096, 20])
def test_clusters_are_the_same_with_and_without_the_kernel(reach, seed):
    random = np.random.default_rng(seed)
    graph = whole_graph(seed, m=400)
    graph = graph._replace(weights=graph.weights * random.integers(0, 2, len(graph.weights)))
    weights, within = random.integers(0, 5, 200), random.integers(0, 3, 200).astype(np.int32)
    settings = graph, weights, (9, 30)[seed % 2], seed, (1, 120)[seed // 2 % 2], within if seed % 3 else None, reach
    plain, compiled = coarsen_plain.size_capped_clusters(*settings), coarsen.compiled(*settings)
    np.testing.assert_array_equal(plain[0], compiled[0])
    assert plain[1] == compiled[1] < 190
    assert plain[0].dtype == compiled[0].dtype


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("left_out", [0, 30])
def test_the_graph_of_groups_has_the_same_bits_with_and_without_the_kernel_in_any_blocks(left_out, whole, monkeypatch):
    random = np.random.default_rng(left_out)
    indptr, indices, weights = whole_graph(3, m=3000)
    weights = weights if whole else random.random(len(weights))
    groups = random.permutation(np.append(np.arange(200 - left_out) % 37, np.full(left_out, -1)))
    plain = contraction.plain(indptr, indices, weights, groups, 37)
    for links in (1 << 18, 100):
        monkeypatch.setattr(contraction, "_LINKS", links)
        for one, other in zip(plain, contraction.compiled(indptr, indices, weights, groups, 37), strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype


@pytest.mark.parametrize("k", [2, 3, 8])
@pytest.mark.parametrize("most_nodes", [1 << 14, 30])
def test_borders_are_the_same_with_and_without_the_kernel(most_nodes, k):
    changed = 0
    for seed in range(8):
        graph = whole_graph(seed)
        random = np.random.default_rng(seed)
        weights, labels = random.integers(0, 4, 200), (np.arange(200) * k // 200).astype(np.int32)
        if seed % 2:
            labels = random.permutation(labels)
        limits = (random.uniform(1.0, 1.3, k) * np.bincount(labels, weights)).astype(np.int64)
        settings = graph, weights, limits
        plain, compiled = labels.copy(), labels.copy()
        saved = flow_plain.cut_between(*settings, plain, seed, 3, 4, most_nodes, 8)
        assert (
            saved
            == flow.compiled(*settings, compiled, seed, 3, 4, most_nodes, 8)
            == cut(graph, labels) - cut(graph, plain)
        )
        np.testing.assert_array_equal(plain, compiled)
        changed += int((plain != labels).any())
    assert changed


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
