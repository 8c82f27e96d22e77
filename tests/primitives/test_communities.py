"""The steps of Leiden and Louvain, each against its definition on dense matrices."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_array

from coterie.arrays import Graph, to_numpy
from coterie.errors import ResourceError
from coterie.graphs import from_edges, to_scipy
from coterie.primitives import communities
from coterie.primitives._numba import communities_move
from coterie.primitives.communities import (
    community_graph,
    connected_parts,
    merged_graph,
    moved_nodes,
    partition_sums,
    room_like,
    sorted_graph,
    well_connected_parts,
)
from coterie.primitives.engine import threads


def put(on, graph):
    """Return the graph on the engine under test."""
    return Graph(*(on(part) for part in graph))


def marks(on, labels):
    """Return labels as the engine under test has them."""
    labels = on(np.asarray(labels, dtype=np.int64))
    return labels.astype(np.int32) if isinstance(labels, np.ndarray) else labels


def random_graph(n, m, seed, weighted=True):
    rng = np.random.default_rng(seed)
    edges = rng.integers(n, size=(m, 2))
    return from_edges(edges, n, weights=rng.integers(1, 9, m) / 4 if weighted else None)


def dense(graph):
    """Return the matrix of a community graph, in the weights that were given."""
    graph = graph._replace(**{part: to_numpy(getattr(graph, part)) for part in ("indptr", "indices", "weights")})
    n, weights = graph.n_nodes, graph.weights
    weights = np.full(len(graph.indices), weights[0]) if len(weights) == 1 else weights[: len(graph.indices)]
    matrix = np.zeros((n, n))
    np.add.at(matrix, (np.repeat(np.arange(n), np.diff(graph.indptr)), graph.indices), weights * graph.unit)
    return matrix


def value(matrix, sizes, labels, resolution):
    member = labels[:, None] == np.arange(labels.max() + 1)
    return np.trace(member.T @ matrix @ member) - resolution * ((member.T @ sizes) ** 2).sum()


def some_labels(n, k, seed):
    labels = np.random.default_rng([seed, 1]).integers(k, size=n)
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)


GRAPHS = {
    "weighted": random_graph(40, 120, 0),
    "unweighted": random_graph(40, 100, 1, weighted=False),
    "no links": from_edges(np.empty((0, 2), int), 5),
    "loops only": from_edges([[0, 0], [2, 2]], 4),
    "one node": from_edges(np.empty((0, 2), int), 1),
    "dense": random_graph(15, 400, 2),
}
every_graph = pytest.mark.parametrize("name", GRAPHS)


@every_graph
def test_the_compact_graph_holds_the_same_links(on, name):
    graph = GRAPHS[name]
    matrix, compact = to_scipy(graph).toarray(), community_graph(put(on, graph))
    np.testing.assert_allclose(dense(compact), matrix - np.diag(np.diag(matrix)))
    np.testing.assert_allclose(to_numpy(compact.sizes) * compact.unit, matrix.sum(axis=1))
    assert compact.inner * compact.unit == pytest.approx(np.trace(matrix))


@every_graph
def test_sums_of_a_partition_are_those_of_its_matrix(on, name):
    graph = GRAPHS[name]
    labels = some_labels(graph.n_nodes, 4, 3)
    compact = community_graph(put(on, graph))
    inside, sizes = partition_sums(compact, marks(on, labels))
    matrix = to_scipy(graph).toarray()
    assert inside * compact.unit == pytest.approx(matrix[labels[:, None] == labels].sum())
    np.testing.assert_allclose(sizes * compact.unit, np.bincount(labels, matrix.sum(axis=1)))


@every_graph
def test_communities_become_nodes(on, name):
    graph = community_graph(put(on, GRAPHS[name]))
    labels = some_labels(graph.n_nodes, 6, 4)
    merged = merged_graph(graph, marks(on, labels))
    member = (labels[:, None] == np.arange(labels.max() + 1)).astype(float)
    expected = member.T @ dense(graph) @ member
    np.testing.assert_allclose(dense(merged), expected - np.diag(np.diag(expected)))
    assert merged.inner - graph.inner == pytest.approx(np.trace(expected) / graph.unit)
    np.testing.assert_allclose(to_numpy(merged.sizes), np.bincount(labels, to_numpy(graph.sizes)))


def test_communities_of_many_blocks_become_nodes_without_gaps():
    graph = community_graph(random_graph(3000, 120_000, 11))
    labels = some_labels(3000, 500, 12)
    merged = merged_graph(graph, labels)
    matrix = csr_array((graph.weights, graph.indices, graph.indptr), shape=(3000, 3000))
    member = csr_array((np.ones(3000), (np.arange(3000), labels)))
    expected = (member.T @ matrix @ member).toarray()
    found = csr_array((merged.weights, merged.indices, merged.indptr), shape=expected.shape)
    np.testing.assert_array_equal(found.toarray(), expected - np.diag(np.diag(expected)))  # quarters: sums are exact


@every_graph
@pytest.mark.parametrize("resolution", [0.0, 0.02, 0.5, 50.0])
def test_no_single_node_can_better_what_moving_leaves_alone(name, resolution):
    graph = community_graph(GRAPHS[name], np.linspace(0.5, 2.0, GRAPHS[name].n_nodes))
    matrix, n = dense(graph) / graph.unit, graph.n_nodes
    labels, before = moved_nodes(graph, np.arange(n, dtype=np.int32), resolution, 5), None
    while not np.array_equal(labels, before):
        before, labels = labels, moved_nodes(graph, labels, resolution, 6)
    reached = value(matrix, graph.sizes, labels, resolution)
    for node, label in product(range(n), range(n)):
        changed = labels.copy()
        changed[node] = label
        assert value(matrix, graph.sizes, changed, resolution) <= reached + 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_moving_never_makes_a_partition_worse(on, seed):
    graph = community_graph(put(on, GRAPHS["weighted"]))
    matrix, sizes = dense(graph) / graph.unit, to_numpy(graph.sizes)
    labels = some_labels(40, 1 + seed, seed)
    moved = to_numpy(moved_nodes(graph, marks(on, labels), 0.01, seed))
    assert value(matrix, sizes, moved, 0.01) >= value(matrix, sizes, labels, 0.01) - 1e-9


def test_moving_leaves_its_input_alone():
    graph, labels = community_graph(GRAPHS["dense"]), np.arange(15, dtype=np.int32)
    moved_nodes(graph, labels, 0.001, 0)
    np.testing.assert_array_equal(labels, np.arange(15))


def together(monkeypatch):
    """Let rounds of batches begin at once, and end only when few nodes wait."""
    monkeypatch.setattr(communities_move, "_LINKS_TOGETHER", 100)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_batches_choose_the_same_on_any_number_of_threads(monkeypatch, n_threads):
    together(monkeypatch)
    graph = community_graph(random_graph(40_000, 200_000, 7))
    first = np.arange(40_000, dtype=np.int32)
    with threads(1):
        expected = moved_nodes(graph, first, 1e-5, 8)
        parts = well_connected_parts(graph, expected, 1e-5, 9)
        merged = merged_graph(graph, parts)
    with threads(n_threads):
        np.testing.assert_array_equal(moved_nodes(graph, first, 1e-5, 8), expected)
        np.testing.assert_array_equal(well_connected_parts(graph, expected, 1e-5, 9), parts)
        for one, other in zip(merged_graph(graph, parts), merged, strict=True):
            np.testing.assert_array_equal(one, other)


def test_batches_reach_what_the_queue_reaches(monkeypatch):
    graph = community_graph(from_edges(np.array(nx.planted_partition_graph(40, 50, 0.3, 0.004, seed=3).edges())))
    alone, resolution = np.arange(2000, dtype=np.int32), 1 / graph.sizes.sum()

    def worth(labels):
        inside, sizes = partition_sums(graph, labels)
        return inside - resolution * (sizes**2).sum()

    in_turn = [worth(moved_nodes(graph, alone, resolution, seed)) for seed in range(5)]
    together(monkeypatch)
    in_batches = [worth(moved_nodes(graph, alone, resolution, seed)) for seed in range(5)]
    assert np.mean(in_batches) > 0.97 * np.mean(in_turn)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("resolution", [0.001, 0.1, 1.0])
def test_parts_are_connected_and_well_connected(on, seed, resolution):
    graph = community_graph(put(on, random_graph(60, 150, seed)), np.ones(60))
    matrix, labels = dense(graph) / graph.unit, some_labels(60, 4, seed)
    parts = to_numpy(well_connected_parts(graph, marks(on, labels), resolution, seed))
    for part in range(parts.max() + 1):
        nodes = np.flatnonzero(parts == part)
        assert len(set(labels[nodes])) == 1
        assert nx.is_connected(nx.from_numpy_array(matrix[np.ix_(nodes, nodes)]))
        # Each of them bettered the partition when it joined, so the whole is better than its nodes alone.
        assert matrix[np.ix_(nodes, nodes)].sum() >= resolution * (len(nodes) ** 2 - len(nodes)) - 1e-9


def test_parts_of_a_clique_at_a_low_resolution_are_not_all_single(on):
    graph = community_graph(put(on, from_edges(np.array(nx.complete_graph(12).edges()))), np.ones(12))
    assert well_connected_parts(graph, marks(on, np.zeros(12)), 0.5, 0).max() < 8


@every_graph
def test_connected_parts_are_the_components_of_each_community(on, name):
    graph = community_graph(put(on, GRAPHS[name]))
    labels = some_labels(graph.n_nodes, 3, 6)
    matrix = dense(graph) * (labels[:, None] == labels)
    expected = np.empty(graph.n_nodes, int)
    components = sorted(nx.connected_components(nx.from_numpy_array(matrix)), key=min)
    for number, nodes in enumerate(components):
        expected[list(nodes)] = number
    np.testing.assert_array_equal(to_numpy(connected_parts(graph, marks(on, labels))), expected)


@every_graph
def test_sorting_nodes_keeps_the_links(on, name):
    graph = community_graph(put(on, GRAPHS[name]))
    labels = some_labels(graph.n_nodes, 3, 6)
    found, order = sorted_graph(graph, marks(on, labels))
    order = to_numpy(order)
    np.testing.assert_array_equal(order, np.argsort(labels, kind="stable"))
    np.testing.assert_array_equal(dense(found), dense(graph)[np.ix_(order, order)])
    np.testing.assert_array_equal(to_numpy(found.sizes), to_numpy(graph.sizes)[order])


@pytest.mark.parametrize("unit", [2.0**900, 2.0**-900, 2.0**-1060])
def test_a_unit_of_weight_changes_nothing(unit):
    graph = GRAPHS["weighted"]
    one, other = community_graph(graph), community_graph(graph._replace(weights=graph.weights * unit))
    np.testing.assert_array_equal(one.weights, other.weights)
    assert other.unit == one.unit * unit


@pytest.mark.parametrize(
    ("weights", "kind", "unit"),
    [
        ([1.0, 1.0, 1.0], np.int32, 1.0),
        ([0.3, 0.3, 0.3], np.int32, 0.3),
        ([1.0, 2.0, 1.0], np.int32, 1.0),
        ([0.25, 0.5, 0.25], np.int32, 0.25),
        ([1.0, 1.5, 1.0], np.float64, 1.0),
        ([1.0, 1.0, 2.0**31], np.float64, 2.0**29),
        ([5.0, 5.0, 6.0], np.float64, 4.0),
    ],
)
def test_whole_numbers_of_units_take_four_bytes(weights, kind, unit):
    compact = community_graph(from_edges([[0, 1], [1, 2], [2, 3]], weights=weights))
    assert compact.weights.dtype == kind
    assert compact.unit == unit
    np.testing.assert_array_equal(np.resize(compact.weights, 6) * unit, np.repeat(weights, 2))


def test_weights_that_are_whole_only_at_first_take_eight_bytes():
    weights = np.ones(300_000)
    weights[7] = 2.0
    weights[-1] = 1.5
    ends = np.column_stack([np.arange(300_000), np.arange(1, 300_001)])
    compact = community_graph(from_edges(ends, weights=weights))
    assert compact.weights.dtype == np.float64
    np.testing.assert_array_equal(compact.weights, np.repeat(weights, 2))


def test_steps_do_the_same_with_whole_numbers_of_four_and_eight_bytes():
    graph = community_graph(from_edges(np.random.default_rng(3).integers(300, size=(4000, 2)), 300))
    assert graph.weights.dtype == np.int32
    assert len(graph.weights) > 1  # some links were drawn twice
    other = graph._replace(weights=graph.weights.astype(np.float64))
    labels = some_labels(300, 30, 4)
    for step in (moved_nodes, well_connected_parts):
        np.testing.assert_array_equal(step(graph, labels, 1e-4, 5), step(other, labels, 1e-4, 5))
    for one, same in zip(merged_graph(graph, labels), merged_graph(other, labels), strict=True):
        np.testing.assert_array_equal(one, same)
    assert partition_sums(graph, labels)[0] == partition_sums(other, labels)[0]


def test_memory_that_is_large_enough_is_used_again():
    graph = community_graph(GRAPHS["weighted"])
    m = len(graph.indices)
    small, large, wide = np.empty(m - 1, np.int32), np.empty(m, np.int32), np.empty(2 * m, np.int32)
    spare = [small, large, wide]
    room = room_like(graph, spare)
    assert np.shares_memory(room.indices, large)
    assert np.shares_memory(room.weights, wide)
    assert len(spare) == 1
    assert spare[0] is small
    labels = some_labels(graph.n_nodes, 6, 4)
    for one, same in zip(merged_graph(graph, labels, room), merged_graph(graph, labels), strict=True):
        np.testing.assert_array_equal(one, same)


def test_what_does_not_fit_is_refused_before_it_is_allocated(monkeypatch):
    monkeypatch.setattr(communities, "free_bytes", lambda: 1000.0)
    with pytest.raises(ResourceError, match="drop light links"):
        community_graph(GRAPHS["weighted"])


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(("apart", "n_labels"), [(True, 75_000), (False, 75_000), (False, 7_500)])
def test_links_of_many_communities_are_added_up_unless_hardly_any_meet(weighted, apart, n_labels):
    n, rng = 150_000, np.random.default_rng(13)
    labels = np.arange(n, dtype=np.int32) // (n // n_labels)
    first = rng.integers(n, size=600_000)
    near = (labels[first] + rng.integers(3, size=len(first))) % n_labels * (n // n_labels) + rng.integers(
        2, size=len(first)
    )
    ends = np.stack([first, rng.integers(n, size=len(first)) if apart else near], axis=1)
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    graph = community_graph(from_edges(ends, n, weights=rng.integers(1, 9, len(ends)) / 4 if weighted else None))
    merged = merged_graph(graph, labels)
    assert len(merged.weights) == (1 if apart and not weighted else len(merged.indices))

    def matrix(one):
        weights = np.resize(one.weights, len(one.indices))
        return csr_array((weights, one.indices, one.indptr), shape=(one.n_nodes, one.n_nodes))

    member = csr_array((np.ones(n), (np.arange(n), labels)))
    expected = (member.T @ matrix(graph) @ member).tocsr()
    within = expected.diagonal().sum()
    expected.setdiag(0)
    assert abs(expected - matrix(merged)).max() == 0  # quarters: sums are exact
    assert merged.inner - graph.inner == within
