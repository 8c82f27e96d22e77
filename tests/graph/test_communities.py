"""Leiden and Louvain: known optima, brute force, networkx's modularity, and what must hold for every answer."""

import warnings

import networkx as nx
import numpy as np
import pytest

from coterie import Graph, Leiden, Louvain
from coterie.errors import InputError
from coterie.graph import _communities
from coterie.graphs import from_edges, to_scipy
from coterie.primitives._numba import communities_move
from coterie.primitives.engine import threads
from graph.community_graphs import (
    assert_well_formed,
    edges_of,
    modularity,
    partitions,
    potts,
    random_links,
    ring_of_cliques,
)

both = pytest.mark.parametrize("method", [Leiden, Louvain])
objectives = pytest.mark.parametrize(
    "settings", [{}, {"resolution": 2.5}, {"objective": "cpm", "resolution": 0.2}], ids=str
)


def groups(labels):
    return [set(np.flatnonzero(labels == label).tolist()) for label in range(labels.max() + 1)]


# ---- known answers


@both
def test_modularity_merges_small_cliques_of_a_long_ring(method):
    # Fortunato and Barthelemy (2007), 30 cliques of 5: pairs of cliques are better than cliques, .888 and .876.
    ring = ring_of_cliques(30, 5)
    model = method(random_state=0, n_iterations=None).fit(ring)
    assert model.modularity_ > 0.876
    assert model.n_clusters_ < 20


@both
def test_cpm_has_no_resolution_limit(method):
    for n_cliques in (6, 30, 300):
        model = method(0.5, objective="cpm", random_state=0).fit(ring_of_cliques(n_cliques, 5))
        np.testing.assert_array_equal(model.labels_, np.repeat(np.arange(n_cliques), 5))


@both
def test_a_higher_resolution_separates_the_cliques(method):
    model = method(resolution=3.0, random_state=0).fit(ring_of_cliques(30, 5))
    assert model.n_clusters_ == 30


# ---- figures


@both
@objectives
@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_the_definition_and_every_community_is_connected(method, settings, seed):
    graph = random_links(70, 160, seed)
    model = method(random_state=seed, **settings).fit(graph)
    assert_well_formed(model, graph)
    matrix = to_scipy(graph).toarray()
    assert model.modularity_ == pytest.approx(modularity(matrix, model.labels_), abs=1e-12)
    if model.objective == "cpm":
        assert model.quality_ == pytest.approx(potts(matrix, model.labels_, model.resolution, np.ones(70)), rel=1e-9)
    else:
        assert model.quality_ == pytest.approx(modularity(matrix, model.labels_, model.resolution), abs=1e-12)


@both
def test_modularity_is_that_of_networkx(method):
    network = nx.les_miserables_graph()
    model = method(random_state=1).fit(network)
    names = np.array(list(network.nodes), dtype=object)
    communities = [set(names[list(group)]) for group in groups(model.labels_)]
    assert model.modularity_ == pytest.approx(nx.community.modularity(network, communities), abs=1e-12)


@both
def test_sizes_of_nodes_count_in_cpm(method):
    sizes = np.array([1.0, 1, 1, 5, 5, 5])
    links = np.array([[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3]])
    model = method(0.1, objective="cpm", random_state=0).fit(links, node_weights=sizes)
    np.testing.assert_array_equal(model.labels_, [0, 0, 0, 1, 2, 3])
    assert model.quality_ == pytest.approx(3 - 0.1 * 3)


@both
def test_sizes_of_nodes_are_not_taken_for_modularity(method):
    with pytest.raises(InputError, match="leave them out"):
        method().fit(ring_of_cliques(4, 4), node_weights=np.ones(16))


@both
def test_negative_sizes_are_refused(method):
    with pytest.raises(InputError, match="at least 0"):
        method(objective="cpm").fit(ring_of_cliques(4, 4), node_weights=-np.ones(16))


# ---- the same every time


@both
@pytest.mark.parametrize("seed", range(6))
def test_a_beginning_in_haste_leaves_no_community_apart(monkeypatch, method, seed):
    monkeypatch.setattr(_communities, "_FEW_LINKS", 0)
    graph = random_links(400, 700, seed)
    assert_well_formed(method(n_iterations=1, random_state=seed).fit(graph), graph)


@pytest.mark.parametrize("hasty", [False, True])
def test_an_iteration_without_a_gain_is_the_last_even_if_it_is_the_first(monkeypatch, hasty):
    if hasty:
        monkeypatch.setattr(_communities, "_FEW_LINKS", 0)
    done = []
    monkeypatch.setattr(
        _communities, "improved", lambda *parts, real=_communities.improved: done.append(real(*parts)) or done[-1]
    )
    graph = ring_of_cliques(6, 5) if hasty else from_edges(np.empty((0, 2), int), 9)
    Leiden(n_iterations=None, random_state=0).fit(graph)
    assert len(done) == 1


def test_an_iteration_is_given_up_where_single_nodes_gain_nothing(monkeypatch):
    monkeypatch.setattr(_communities, "_FEW_LINKS", 1000)
    graph = ring_of_cliques(200, 6)
    done = []
    monkeypatch.setattr(
        _communities, "improved", lambda *parts, real=_communities.improved: done.append(real(*parts)) or done[-1]
    )
    model = Leiden(random_state=0).fit(graph)
    assert [found is None for found in done] == [False, True]
    assert_well_formed(model, from_edges(graph))


@pytest.mark.parametrize("large", [False, True])
def test_where_all_nodes_of_a_level_stay_a_large_graph_is_merged_to_its_communities(monkeypatch, large):
    if large:
        monkeypatch.setattr(_communities, "_FEW_LINKS", 1000)
    edges = edges_of(nx.planted_partition_graph(3, 400, 0.04, 0.002, seed=5))
    model = Leiden(n_iterations=1, random_state=0).fit(edges)
    sizes = [int(level.max()) + 1 for level in model.hierarchy_]
    assert sizes[-1] == 3
    assert (len(sizes) == 2) == large
    assert_well_formed(model, from_edges(edges))


@both
@pytest.mark.parametrize("weighted", [False, True])
def test_a_graph_is_as_it_was(monkeypatch, method, weighted):
    monkeypatch.setattr(_communities, "_FEW_LINKS", 1000)
    edges = edges_of(nx.planted_partition_graph(20, 30, 0.5, 0.02, seed=2))
    graph = from_edges(edges, weights=np.arange(1.0, len(edges) + 1) if weighted else None)
    given = [part.copy() for part in graph]
    model = method(random_state=0).fit(graph)
    for part, before in zip(graph, given, strict=True):
        np.testing.assert_array_equal(part, before)
    assert_well_formed(model, graph)


@both
def test_an_array_of_edges_is_as_it_was(monkeypatch, method):
    monkeypatch.setattr(_communities, "_FEW_LINKS", 1000)
    edges = edges_of(nx.planted_partition_graph(20, 30, 0.5, 0.02, seed=2))
    given = edges.copy()
    one, other = method(random_state=0).fit(edges), method(random_state=0).fit(from_edges(edges))
    np.testing.assert_array_equal(edges, given)
    assert len(from_edges(edges).indices) > 1000  # large enough for levels to write over each other
    for level, same in zip(one.hierarchy_, other.hierarchy_, strict=True):
        np.testing.assert_array_equal(level, same)


KINDS = {
    "graph": from_edges,
    "narrow graph": lambda edges, weights=None: from_edges(edges, weights=weights)._replace(
        indices=from_edges(edges).indices.astype(np.int32)
    ),
    "edges": lambda edges, weights=None: edges if weights is None else np.column_stack([edges, weights]),
    "matrix": lambda edges, weights=None: to_scipy(from_edges(edges, weights=weights)),
    "dense": lambda edges, weights=None: to_scipy(from_edges(edges, weights=weights)).toarray(),
}


@both
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", ["equal", "whole", "broken"])
def test_a_node_with_the_links_of_a_fitted_one_has_its_label_however_the_graph_came(monkeypatch, method, kind, weights):
    """What was fitted is kept, while the levels use the memory that it needs no longer; what was given is left alone."""
    monkeypatch.setattr(_communities, "_FEW_LINKS", 1000)
    edges = edges_of(nx.planted_partition_graph(20, 30, 0.5, 0.02, seed=2))
    drawn = np.random.default_rng(0).integers(1, 3, len(edges))
    graph = KINDS[kind](
        edges, **({} if weights == "equal" else {"weights": drawn if weights == "whole" else drawn / 3})
    )
    given = [np.copy(part) for part in parts_of(graph)]
    model = method(resolution=30.0, random_state=0).fit(graph)
    expected = from_edges(edges, weights=None if weights == "equal" else drawn / (1 if weights == "whole" else 3))
    for part, before in zip(parts_of(graph), given, strict=True):
        np.testing.assert_array_equal(part, before)
    for part, kept in zip(expected, model._graph, strict=True):
        np.testing.assert_array_equal(part, kept)
    np.testing.assert_array_equal(model.predict(expected), model.labels_)
    if weights != "broken":  # in thirds: what is summed up in another order rounds differently
        np.testing.assert_array_equal(model.labels_, method(resolution=30.0, random_state=0).fit(expected).labels_)


def parts_of(graph):
    if isinstance(graph, np.ndarray):
        return [graph]
    return graph if isinstance(graph, Graph) else [graph.indptr, graph.indices, graph.data]


@both
@pytest.mark.parametrize("in_batches", [False, True])
def test_labels_do_not_depend_on_the_threads(monkeypatch, method, in_batches):
    if in_batches:
        monkeypatch.setattr(communities_move, "_LINKS_TOGETHER", 1000)
    graph = from_edges(edges_of(nx.planted_partition_graph(60, 60, 0.2, 0.002, seed=1)))
    found = []
    for n in (1, 2, 4):
        with threads(n):
            found.append(method(random_state=3).fit(graph))
    assert_well_formed(found[0], graph)
    for other in found[1:]:
        np.testing.assert_array_equal(other.labels_, found[0].labels_)
        assert other.quality_ == found[0].quality_


@both
def test_the_seed_decides(method):
    graph = random_links(200, 500, 0)
    one, same = (method(random_state=5).fit(graph) for _ in range(2))
    np.testing.assert_array_equal(one.labels_, same.labels_)


@both
@objectives
def test_tensors_give_tensors_and_as_good_a_partition(method, settings):
    torch = pytest.importorskip("torch", reason="the torch engine needs PyTorch")
    torch.set_num_threads(1)  # test processes already share the cores
    graph = from_edges(edges_of(nx.planted_partition_graph(12, 20, 0.5, 0.02, seed=4)))
    tensors = Graph(*(torch.from_numpy(part) for part in graph))
    model, same = (method(random_state=0, **settings).fit(tensors) for _ in range(2))
    assert torch.equal(model.labels_, same.labels_)
    host = method(random_state=0, **settings).fit(graph)
    assert model.quality_ >= 0.98 * host.quality_
    model.hierarchy_ = tuple(level.numpy() for level in model.hierarchy_)
    model.labels_ = model.labels_.numpy()
    assert_well_formed(model, graph)


# ---- awkward input


@both
@objectives
def test_nodes_without_links_are_communities_of_their_own(method, settings):
    links = np.array([[1, 2], [2, 3], [3, 1], [5, 6], [6, 7], [7, 5], [8, 9], [9, 10], [10, 8]])
    model = method(random_state=0, **settings).fit(links, n_nodes=13)
    np.testing.assert_array_equal(model.labels_, [0, 1, 1, 1, 2, 3, 3, 3, 4, 4, 4, 5, 6])


@both
@objectives
@pytest.mark.parametrize("n", [1, 4])
def test_a_graph_without_links_has_single_nodes(method, settings, n):
    model = method(**settings).fit(np.empty((0, 2), int), n_nodes=n)
    np.testing.assert_array_equal(model.labels_, np.arange(n))
    assert model.modularity_ == 0.0
    assert len(model.hierarchy_) == 1


@both
@objectives
def test_loops_alone_join_nothing(method, settings):
    model = method(**settings).fit(np.array([[0, 0], [1, 1], [2, 2]]), n_nodes=3)
    np.testing.assert_array_equal(model.labels_, [0, 1, 2])
    assert model.modularity_ == pytest.approx(2 / 3)


@both
def test_a_heavy_loop_keeps_its_node_alone_in_modularity(method):
    links = from_edges([[0, 0], [0, 1], [1, 2], [2, 3], [3, 1]], weights=[50.0, 1, 1, 1, 1])
    model = method(random_state=0, n_iterations=None).fit(links)
    matrix = to_scipy(links).toarray()
    assert model.modularity_ == pytest.approx(max(modularity(matrix, labels) for labels in partitions(4)))


@both
def test_a_thousand_components_are_never_joined(method):
    links = (np.arange(1000)[:, None, None] * 3 + np.array([[0, 1], [1, 2], [2, 0]])).reshape(-1, 2)
    model = method(random_state=0).fit(links)
    np.testing.assert_array_equal(model.labels_, np.repeat(np.arange(1000), 3))


@both
@objectives
@pytest.mark.parametrize("unit", [1e-300, 1e-30, 1e30, 1e300])
def test_the_unit_of_the_weights_does_not_matter(method, settings, unit):
    if settings.get("objective") == "cpm":
        settings = settings | {"resolution": 0.2 * unit}
    graph = random_links(60, 150, 1)
    scaled = Graph(graph.indptr, graph.indices, graph.weights * unit)
    first = method(random_state=0, **(settings | ({"resolution": 0.2} if "objective" in settings else {}))).fit(graph)
    other = method(random_state=0, **settings).fit(scaled)
    assert other.quality_ == pytest.approx(first.quality_ * (unit if "objective" in settings else 1), rel=1e-6)


@both
def test_weights_of_very_different_size_are_no_trouble(method):
    graph = random_links(60, 150, 1)
    weights = graph.weights.copy()
    weights[::2] *= 1e-300
    weights[1::2] *= 1e300
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it is not symmetric any more
        model = method(random_state=0).fit(Graph(graph.indptr, graph.indices, weights))
    assert np.isfinite(model.modularity_)


@both
def test_float32_weights_and_matrices_give_the_same(method):
    graph = from_edges(ring_of_cliques(10, 6))
    single = Graph(graph.indptr, graph.indices, graph.weights.astype(np.float32))
    expected = method(random_state=0).fit(graph).labels_
    for other in (single, to_scipy(graph), to_scipy(graph).toarray(), nx.ring_of_cliques(10, 6)):
        np.testing.assert_array_equal(method(random_state=0).fit(other).labels_, expected)


@both
def test_a_directed_graph_is_said_to_be_taken_both_ways(method):
    with pytest.warns(UserWarning, match="directed"):
        method().fit(from_edges([[0, 1], [1, 2], [2, 0]], directed=True))


@both
def test_new_nodes_join_the_community_of_their_links(method):
    model = method(random_state=0).fit(ring_of_cliques(5, 6))
    links = np.zeros((2, 30))
    links[0, [7, 8, 20]] = 1
    links[1, [0, 25, 26]] = [5, 1, 1]
    np.testing.assert_array_equal(model.predict(links), model.labels_[[7, 0]])


@both
@pytest.mark.parametrize(
    "settings", [{"resolution": -1}, {"objective": "ratio"}, {"n_iterations": 0}, {"resolution": np.nan}], ids=str
)
def test_settings_out_of_range_are_refused(method, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        method(**settings).fit(ring_of_cliques(3, 4))
