"""Graphs whose edges lie in blocks: the answer of the same edges in memory, however they are cut, held and handed out."""

import os
import signal
import threading
import time

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from distributed.comm import CommClosedError
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components as components_of_scipy

import coterie
from coterie import AttributedGraphClustering, BalancedCut, BlockModel, Leiden, Louvain, SpectralClustering
from coterie.errors import InputError, ResourceError, UnsupportedError
from coterie.graph import connected_components
from coterie.graphs import from_edges, to_scipy
from coterie.metrics import modularity
from coterie.primitives.blocks import limited
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


def planted(n_nodes, n_groups, n_edges, mixing, seed=0):
    """Return edges of which all but a share lie within groups of equal size."""
    rng = np.random.default_rng(seed)
    size = n_nodes // n_groups
    edges = rng.integers(0, n_nodes, (n_edges, 2))
    within = edges[:, 0] // size * size + rng.integers(0, size, n_edges)
    edges[:, 1] = np.where(rng.random(n_edges) > mixing, within, edges[:, 1])
    return rng.permutation(n_nodes)[edges]


def power_law(n_nodes, seed=0):
    networkx = pytest.importorskip("networkx")
    return np.array(networkx.powerlaw_cluster_graph(n_nodes, 5, 0.5, seed=seed).edges)


def fitted_in_little_room(model, edges, n_nodes, share, rows=2000, **options):
    """Fit to edges in blocks in less memory than the graph needs."""
    with limited(share * model._needed(len(edges), n_nodes)):
        return model.fit(in_chunks(edges, rows), n_nodes=n_nodes, **options)


ESTIMATORS = {
    "Leiden": lambda: Leiden(random_state=0),
    "Louvain": lambda: Louvain(random_state=0),
    "cpm": lambda: Leiden(objective="cpm", resolution=0.05, random_state=0),
    "BalancedCut": lambda: BalancedCut(5, random_state=0),
    "ratio_cut": lambda: BalancedCut(5, objective="ratio_cut", random_state=0),
    "SpectralClustering": lambda: SpectralClustering(10, affinity="precomputed", random_state=0),
}
# Other objectives of the same code are in `make thorough`.
OTHERS = ("cpm", "ratio_cut")
EACH = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.thorough) if name in OTHERS else name for name in ESTIMATORS]
)


@EACH
@pytest.mark.parametrize("weights", [None, "real"])
def test_labels_are_those_of_the_same_edges_in_memory(crew, name, weights):
    edges = planted(600, 10, 5000, 0.3)
    if weights:
        edges = np.column_stack([edges, np.random.default_rng(1).random(5000)])
    found, whole = ESTIMATORS[name]().fit(in_chunks(edges), n_nodes=601), ESTIMATORS[name]().fit(edges, n_nodes=601)
    assert np.array_equal(found.labels_, whole.labels_)
    assert found.coarsened_ is None
    assert np.array_equal(found.predict(to_scipy(whole._graph)), whole.labels_)


@pytest.mark.parametrize(
    "model", [BlockModel(4, random_state=0), AttributedGraphClustering(4, random_state=0)], ids=type
)
def test_what_cannot_group_nodes_takes_what_fits_and_refuses_the_rest(model):
    edges, nodes = planted(80, 4, 800, 0.2), np.random.default_rng(0).random((80, 3))
    more = {"attributes": nodes} if isinstance(model, AttributedGraphClustering) else {}
    whole = model.fit(edges, n_nodes=80, **more).labels_
    assert np.array_equal(model.fit(in_chunks(edges), n_nodes=80, **more).labels_, whole)
    with pytest.raises(ResourceError, match=r"the blocks hold about \d+ links between 80 nodes"):
        fitted_in_little_room(model, edges, 80, 0.5, 100, **more)


def test_files_are_taken_like_frames(crew, tmp_path):
    from coterie.tables import row_files

    edges = planted(300, 5, 3000, 0.2)
    np.save(tmp_path / "edges.npy", edges.astype(np.float64))
    found = Leiden(random_state=0).fit(row_files(tmp_path / "edges.npy", rows=500), n_nodes=300)
    assert np.array_equal(found.labels_, Leiden(random_state=0).fit(edges, n_nodes=300).labels_)


def test_rows_in_blocks_are_refused_where_a_graph_is_not_meant():
    with pytest.raises(UnsupportedError, match="needs all rows"):
        SpectralClustering(3).fit(in_chunks(np.ones((100, 3))))


@pytest.mark.parametrize("share", [0.5, 0.2])
@pytest.mark.parametrize("method", [Leiden, Louvain])
@pytest.mark.parametrize("kind", ["planted", "planted weakly", "power law"])
def test_communities_of_groups_have_the_modularity_of_those_in_memory(kind, method, share):
    n = 2000
    edges = power_law(n) if kind == "power law" else planted(n, 20, 20_000, 0.3 if kind == "planted" else 0.5)
    found = fitted_in_little_room(method(random_state=0), edges, n, share)
    whole = method(random_state=0).fit(edges, n_nodes=n)
    slack = 0.975 if (kind, share) == ("power law", 0.2) else 0.98  # 70 groups of 2,000 nodes
    assert found.coarsened_ < n / 3
    assert found.modularity_ > slack * whole.modularity_
    assert found.modularity_ == pytest.approx(modularity(from_edges(edges, n), found.labels_))
    assert found.quality_ == pytest.approx(found.modularity_)


@EACH
def test_groups_are_the_same_for_workers_and_any_order_of_blocks(crew, name):
    edges = np.column_stack([planted(1000, 10, 10_000, 0.3), np.random.default_rng(1).random(10_000)])
    X, model = in_chunks(edges, 1000), ESTIMATORS[name]()
    with limited(0.4 * model._needed(len(edges), 1000)):
        found, other = (ESTIMATORS[name]().fit(one, n_nodes=1000) for one in (X, in_other_order(X)))
    assert found.coarsened_ == other.coarsened_ < 1000
    assert np.array_equal(found.labels_, other.labels_)
    assert _mark(found.labels_) == SEEN.setdefault(name, _mark(found.labels_))  # in this process, and on workers


SEEN: dict = {}


def _mark(labels):
    return labels.tobytes()


def test_communities_of_groups_are_connected():
    edges = power_law(1500)
    found = fitted_in_little_room(Leiden(random_state=0), edges, 1500, 0.3)
    inside = edges[found.labels_[edges[:, 0]] == found.labels_[edges[:, 1]]]
    assert np.array_equal(connected_components(inside, n_nodes=1500), found.labels_)


def test_the_quality_of_the_potts_model_is_that_of_its_labels():
    edges = planted(1000, 20, 10_000, 0.3)
    model = Leiden(objective="cpm", resolution=0.05, random_state=0)
    found = fitted_in_little_room(model, edges, 1000, 0.4)
    inside = float((found.labels_[edges[:, 0]] == found.labels_[edges[:, 1]]).sum())
    sizes = np.bincount(found.labels_)
    assert found.quality_ == pytest.approx(inside - 0.05 * (sizes * (sizes - 1) / 2).sum())
    assert (
        found.quality_
        > 0.98 * Leiden(objective="cpm", resolution=0.05, random_state=0).fit(edges, n_nodes=1000).quality_
    )


def test_parts_of_groups_keep_the_balance_and_cut_no_more():
    edges, weights = planted(2000, 20, 20_000, 0.3), np.random.default_rng(0).integers(1, 4, 2000).astype(float)
    for more in ({}, {"sample_weight": weights}):
        found = fitted_in_little_room(BalancedCut(5, random_state=0), edges, 2000, 0.4, **more)
        whole = BalancedCut(5, random_state=0).fit(edges, n_nodes=2000, **more)
        crossing = found.labels_[edges[:, 0]] != found.labels_[edges[:, 1]]
        loads = np.bincount(found.labels_, more.get("sample_weight"))
        assert found.edge_cut_ == crossing.sum() <= 1.03 * whole.edge_cut_
        assert len(loads) == 5
        assert found.imbalance_ <= 0.03
        assert found.imbalance_ == pytest.approx(loads.max() / -(-loads.sum() // 5) - 1)
        assert found.tree_.cut.max() > 0


def test_spectral_clusters_of_groups_are_the_planted_ones():
    edges = planted(1000, 10, 10_000, 0.3)
    model = SpectralClustering(10, affinity="precomputed", random_state=0)
    found = fitted_in_little_room(model, edges, 1000, 0.4)
    whole = SpectralClustering(10, affinity="precomputed", random_state=0).fit(edges, n_nodes=1000)
    assert found.embedding_.shape == (1000, 10)
    assert modularity(from_edges(edges, 1000), found.labels_) > 0.98 * modularity(
        from_edges(edges, 1000), whole.labels_
    )


@EACH
def test_a_new_node_joins_those_that_it_links_to(name, tmp_path):
    edges = planted(1000, 10, 10_000, 0.1)
    model = ESTIMATORS[name]()
    found = fitted_in_little_room(model, edges, 1000, 0.4)
    links = np.equal.outer(np.arange(found.labels_.max() + 1), found.labels_).astype(float)
    coterie.save(found, tmp_path / "model")
    again = coterie.load(tmp_path / "model")
    for one in (found, again):
        assert np.array_equal(one.predict(links), np.arange(len(links)))
    assert again.estimator.coarsened_ == found.coarsened_


def test_room_for_less_than_the_nodes_is_refused():
    edges = some_edges(5000, 3000)
    with pytest.raises(ResourceError, match="groups of"):
        fitted_in_little_room(Leiden(), edges, 5000, 0.15)


def test_groups_that_stay_too_many_are_refused():
    edges = np.column_stack([np.arange(0, 4000, 2), np.arange(1, 4000, 2)])  # pairs: no more than that belongs together
    with pytest.raises(ResourceError, match="groups of nodes"):
        fitted_in_little_room(Leiden(), edges, 4000, 0.3)


@pytest.mark.parametrize("error", [pytest.param(CommClosedError, marks=pytest.mark.thorough), TimeoutError])
def test_an_array_that_is_lost_on_its_way_to_a_worker_is_sent_again(workers, monkeypatch, error):
    edges = planted(4000, 20, 40_000, 0.3)

    def fit():
        return fitted_in_little_room(Leiden(random_state=0), edges, 4000, 0.3, rows=10_000)

    whole, given, scatter = fit(), [], workers._scatter

    async def lost_at_first(*arguments, **options):
        given.append(arguments)
        if len(given) == 1:
            raise error("the worker is gone")
        return await scatter(*arguments, **options)

    monkeypatch.setattr(workers, "_scatter", lost_at_first)
    assert np.array_equal(fit().labels_, whole.labels_)
    assert len(given) > 1


@pytest.mark.faults
@pytest.mark.filterwarnings("ignore")  # of connections that are torn away
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_a_worker_killed_at_any_moment_changes_nothing(workers, share):
    edges = planted(4000, 20, 40_000, 0.3)

    def fit():
        return fitted_in_little_room(Leiden(random_state=0), edges, 4000, 0.3, rows=4000)

    began = time.monotonic()
    whole = fit()
    took = time.monotonic() - began
    victim = min(workers.run(os.getpid).values())
    killer = threading.Timer(share * took, os.kill, (victim, signal.SIGKILL))
    killer.start()
    found = fit()
    killer.join()
    assert np.array_equal(found.labels_, whole.labels_)
    workers.wait_for_workers(2, timeout=60)
