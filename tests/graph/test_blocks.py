"""Graphs whose edges lie in blocks: the answer of the same edges in memory, however they are cut, held and handed out."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components as components_of_scipy

from coterie.errors import InputError, ResourceError
from coterie.graph import connected_components
from coterie.graphs import from_edges, to_scipy
from coterie.primitives.components import components_within
from coterie.primitives.edges import (
    edge_blocks,
    group_graph,
    inner_weight,
    links_of_nodes,
    n_group_links,
    node_degrees,
    whole_graph,
)


def some_edges(n_nodes, n_edges, weights=None, seed=0):
    rng = np.random.default_rng(seed)
    edges = rng.integers(0, n_nodes, (n_edges, 2))
    if weights is None:
        return edges
    values = rng.integers(0, 5, n_edges) if weights == "whole" else rng.random(n_edges)
    return np.column_stack([edges, values])


def in_chunks(edges, rows=700):
    return da.from_array(edges, chunks=(rows, -1))


def in_other_order(X, seed=0):
    order = np.random.default_rng(seed).permutation(X.numblocks[0])
    return da.concatenate([X.blocks[int(i)] for i in order])


@pytest.mark.parametrize("n_edges", [1, 400, 900, 4000])
def test_components_are_those_of_the_graph_in_memory(crew, n_edges):
    edges = some_edges(1000, n_edges)
    found = connected_components(in_chunks(edges, 130), n_nodes=1000)
    expected = connected_components(edges, n_nodes=1000)
    matrix = coo_array((np.ones(n_edges), edges.T), shape=(1000, 1000))
    assert np.array_equal(found, expected)
    assert found.dtype == np.int64
    assert found.max() + 1 == components_of_scipy(matrix, directed=False)[0]


def test_a_link_of_weight_zero_joins_nothing(crew):
    edges = np.array([[0, 1, 0.0], [1, 2, 1.0], [3, 3, 2.0]])
    assert connected_components(in_chunks(edges, 2)).tolist() == [0, 1, 1, 2]
    assert connected_components(from_edges(edges)).tolist() == [0, 1, 1, 2]


def test_a_path_in_pieces_of_one_edge_is_one_component(crew):
    order = np.random.default_rng(0).permutation(60)
    edges = np.column_stack([order[:-1], order[1:]])
    assert not connected_components(in_chunks(edges, 1)).any()


def test_components_within_labels_leave_out_links_between_them(crew):
    edges, labels = some_edges(500, 1500), np.arange(500) % 7
    kept = edges[labels[edges[:, 0]] == labels[edges[:, 1]]]
    found = components_within(edge_blocks(in_chunks(edges), 500), labels)
    assert np.array_equal(found, connected_components(kept, n_nodes=500))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weights", [None, "whole", "real"])
def test_the_graph_is_that_of_the_list_to_the_last_bit(crew, weights, dtype):
    edges = some_edges(300, 5000, weights).astype(dtype)
    found, expected = whole_graph(edge_blocks(in_chunks(edges))), from_edges(edges)
    for part, other in zip(found, expected, strict=True):
        assert part.dtype == other.dtype
        assert part.tobytes() == other.tobytes()


@pytest.mark.parametrize("weights", [None, "whole"])
def test_the_graph_is_the_same_for_any_order_of_blocks(crew, weights):
    X = in_chunks(some_edges(300, 5000, weights))
    found, other = whole_graph(edge_blocks(X)), whole_graph(edge_blocks(in_other_order(X)))
    assert [part.tobytes() for part in found] == [part.tobytes() for part in other]


def test_a_frame_keeps_the_type_of_its_weights(crew):
    frame = pd.DataFrame(some_edges(50, 300), columns=["from", "to"])
    frame["weight"] = np.random.default_rng(0).random(300).astype(np.float32)
    found, expected = whole_graph(edge_blocks(dd.from_pandas(frame, npartitions=4))), from_edges(frame)
    assert found.weights.dtype == expected.weights.dtype == np.float32
    assert found.weights.tobytes() == expected.weights.tobytes()


@pytest.mark.parametrize("weights", [None, "whole", "real"])
def test_sums_of_groups_are_those_of_the_matrix(crew, weights):
    edges, groups = some_edges(300, 5000, weights), np.arange(300) // 10
    blocks, matrix = edge_blocks(in_chunks(edges)), to_scipy(from_edges(edges))
    table = matrix.toarray().reshape(30, 10, 30, 10).sum((1, 3))
    np.testing.assert_allclose(to_scipy(group_graph(blocks, groups, 30)).toarray(), table, rtol=1e-9)
    np.testing.assert_allclose(node_degrees(blocks), matrix.sum(axis=0), rtol=1e-9)
    assert inner_weight(blocks, groups) == pytest.approx(np.trace(table) / 2)
    assert n_group_links(blocks, groups) == np.count_nonzero(np.triu(table))
    assert blocks.n_links == np.count_nonzero(np.triu(matrix.toarray()))


@pytest.mark.parametrize("weights", [None, "real"])
def test_links_of_nodes_to_labels_come_in_parts_that_make_the_whole(crew, weights):
    edges, groups = some_edges(60, 2000, weights), np.arange(60) // 2
    labels = np.arange(30) % 4
    blocks = edge_blocks(in_chunks(edges))
    found = np.zeros((30, 4))
    for part in range(3):
        nodes, names, weight = links_of_nodes(blocks, groups, labels, part, 3)
        assert not found[nodes].any()
        found[nodes, names] = weight
    between = to_scipy(from_edges(edges)).toarray().reshape(30, 2, 30, 2).sum((1, 3))
    np.fill_diagonal(between, 0)
    expected = between @ np.equal.outer(labels, np.arange(4))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_rounded_sums_are_the_same_bits_for_any_order_of_blocks(crew):
    X, groups = in_chunks(some_edges(300, 5000, "real")), np.arange(300) // 10
    found, other = (group_graph(edge_blocks(one), groups, 30) for one in (X, in_other_order(X)))
    assert found.weights.tobytes() == other.weights.tobytes()


def test_many_links_are_counted_to_a_few_per_cent(crew):
    edges = some_edges(3000, 60_000)
    pairs = len(np.unique(np.sort(edges, axis=1), axis=0))
    X = da.concatenate([in_chunks(edges, 10_000), in_chunks(edges[::-1], 7000)])
    assert pairs * 0.99 < edge_blocks(X).n_links < pairs * 1.07


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([2.5, 1, 1], "names node 2.5"),
        ([-1, 1, 1], r"edge 900 \(-1, 1\) names node -1"),
        ([1, 50, 1], "names node 50, but the nodes are 0 ... 49"),
        ([1, 2, -3], "edge 900, from node 1 to node 2"),
        ([1, 2, np.nan], "at row 900, column 2"),
    ],
)
def test_a_bad_edge_is_named(crew, row, message):
    edges = some_edges(50, 1000, "real")
    edges[900] = row
    with pytest.raises(InputError, match=message):
        connected_components(in_chunks(edges), n_nodes=50)


def test_blocks_that_are_no_edges_are_refused():
    with pytest.raises(InputError, match="2 or 3 columns"):
        connected_components(in_chunks(np.ones((1000, 5))))
    with pytest.raises(ResourceError, match="identifiers"):
        connected_components(in_chunks(np.array([[0, 10**11], [1, 2]])))
