"""The parts of the study of a network, each against a known answer or a plain computation."""

import networkx as nx
import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from applications.networks import assortative, network_of, planted_links
from coterie import metrics
from coterie.applications._network_drawing import HEIGHT, WIDTH, draw_classes
from coterie.applications._network_members import bridges, hubs, members_of
from coterie.applications._network_profile import class_names, profile_of
from coterie.applications._network_quality import quality_lines, quality_of
from coterie.applications._network_relations import MOST_RELATED, relations_of
from coterie.applications._network_settle import join_small, largest_first
from coterie.graph import relations
from coterie.graphs import from_edges, to_scipy
from coterie.study.values import View


@pytest.fixture
def weighted():
    """A random weighted network with loops, and labels of which one is none."""
    rng = np.random.default_rng(0)
    ends = rng.integers(0, 30, (120, 2))
    graph = from_edges(ends, 30, weights=rng.integers(1, 5, 120).astype(float))
    labels = rng.integers(0, 4, 30)
    labels[7] = -1
    return to_scipy(graph), labels


def test_strength_and_participation_are_those_of_their_definitions(weighted):
    matrix, labels = weighted
    found = members_of(matrix, labels, 4)
    dense = matrix.toarray()
    for node in range(30):
        degree = dense[node].sum()
        shares = np.array([dense[node, labels == c].sum() for c in range(4)]) / degree
        inside = shares[labels[node]] if labels[node] >= 0 else 0.0
        assert found.strength[node] == pytest.approx(inside)
        assert found.participation[node] == pytest.approx(1 - (shares**2).sum())
        others = np.where(np.arange(4) == labels[node], -1.0, shares)
        assert found.next_class[node] == (int(others.argmax()) if others.max() > 0 else -1)


def test_the_node_that_joins_three_cliques_is_the_first_bridge():
    cliques = [(3 * 0 + i, j) for s in (0, 6, 12) for i in range(s, s + 6) for j in range(i + 1, s + 6)]
    links = [*cliques, *((18, node) for node in (0, 1, 6, 7, 12, 13))]
    labels = np.array([0] * 6 + [1] * 6 + [2] * 6 + [0])
    members = members_of(to_scipy(from_edges(links, 19)), labels, 3)
    found = bridges(members, labels)
    assert found[0]["node"] == 18
    assert found[0]["participation"] == pytest.approx(2 / 3)
    assert found[0]["classes"] == [{"class": c, "share": pytest.approx(1 / 3)} for c in (0, 1, 2)]
    assert hubs(members, labels, 3)[1][:2] == [6, 7]


def test_modularity_and_cuts_are_those_of_networkx(weighted):
    matrix, labels = weighted
    labels = np.where(labels < 0, 0, labels)
    found = quality_of(matrix, labels, 4)
    graph = nx.from_scipy_sparse_array(matrix)
    for node in graph:  # networkx counts a loop's weight twice in a degree; ours is stored twice already
        if graph.has_edge(node, node):
            graph[node][node]["weight"] /= 2
    parts = [set(np.flatnonzero(labels == c).tolist()) for c in range(4)]
    assert found.modularity == pytest.approx(nx.community.modularity(graph, parts))
    for c, part in enumerate(parts):
        leaving = nx.cut_size(graph, part, weight="weight")
        assert found.leaving[c] == pytest.approx(leaving)
        assert found.conductance[c] == pytest.approx(nx.conductance(graph, part, weight="weight"))
    assert found.cut == pytest.approx(sum(found.leaving) / 2)
    lines = {line["name"]: line["value"] for line in quality_lines(found)}
    assert lines["coverage"] == pytest.approx(1 - found.cut / found.total)
    assert all(line["definition"] for line in quality_lines(found))


def test_the_figures_are_those_of_the_metrics_also_with_nodes_of_no_class(weighted):
    matrix, labels = weighted
    lines = {line["name"]: line["value"] for line in quality_lines(quality_of(matrix, labels, 4))}
    assert lines["modularity"] == pytest.approx(metrics.modularity(matrix, labels))
    assert lines["cut"] == pytest.approx(metrics.edge_cut(matrix, labels))
    assert lines["max_conductance"] == pytest.approx(metrics.conductance(matrix, labels))
    assert lines["normalized_cut"] == pytest.approx(metrics.normalized_cut(matrix, labels))
    assert lines["ratio_cut"] == pytest.approx(metrics.ratio_cut(matrix, labels))


def test_values_are_compared_with_the_other_nodes():
    labels = np.repeat([0, 1], [40, 60])
    codes = np.r_[np.zeros(30), np.ones(10), np.zeros(15), np.ones(45)].astype(int)
    view = View("team", "category", None, np.empty(0), codes, ("red", "blue"))
    first, second = profile_of([view], labels, 2)
    assert [(one["value"], one["here"], one["elsewhere"]) for one in first] == [("red", 0.75, 0.25)]
    assert first[0]["lift"] == pytest.approx(0.75 / 0.45)
    assert [one["value"] for one in second] == ["blue"]
    # 30 of 40 where 18 are expected, variance 40 * .45 * .55 * 60/99
    assert first[0]["z"] == pytest.approx(12 / np.sqrt(40 * 0.45 * 0.55 * 60 / 99))


def test_the_effect_of_a_number_is_that_of_the_rank_test():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], [50, 70, 80])
    values = np.round(rng.normal(labels * 1.0, 1.0), 1)  # rounded, so that there are ties
    values[3] = np.nan
    view = View("age", "number", "y", values, np.empty(0), ())
    found = profile_of([view], labels, 3)
    known = np.isfinite(values)
    here, others = values[known & (labels == 2)], values[known & (labels != 2)]
    test = mannwhitneyu(here, others, method="asymptotic", use_continuity=False)
    feature = found[2][0]
    assert feature["effect"] == pytest.approx(2 * test.statistic / (len(here) * len(others)) - 1)
    assert feature["here"] == np.median(here)
    from scipy.stats import norm

    assert 2 * norm.sf(feature["z"]) == pytest.approx(test.pvalue, rel=1e-6)


def test_a_tie_is_called_strong_only_where_there_are_more_links_than_chance_gives():
    rates = assortative(4, 0.4, 0.02)
    labels, links = planted_links([50] * 4, rates, seed=3)
    told = relations_of(from_edges(links, 200), labels, 4, directed=False, checked=True)[-1]
    assert "Most links are between classes" in told
    rates[1, 3] = rates[3, 1] = 0.3
    labels, links = planted_links([50] * 4, rates, seed=3)
    told = relations_of(from_edges(links, 200), labels, 4, directed=False, checked=True)[-1]
    assert "The strongest tie is between classes 1 and 3" in told


def test_noise_is_no_trait_of_a_class():
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(8), 50)
    views = [
        View("coin", "category", None, np.empty(0), rng.integers(0, 4, 400), tuple("abcd")),
        View("size", "number", None, rng.normal(size=400), np.empty(0), ()),
    ]
    assert sum(map(len, profile_of(views, labels, 8))) == 0


def test_classes_of_one_name_are_told_apart_by_their_hub():
    trait = {"column": "team", "kind": "category", "effect": 0.6, "here": 0.9, "value": "red"}
    names, short = class_names([[trait], [trait], []], ["ann", "bob", "eve"])
    assert names == ["team: red, around ann", "team: red, around bob", "Around eve"]
    assert short == ["ann", "bob", "eve"]
    assert class_names([[]], ["107"])[1] == ["Around 107"]


def test_small_classes_join_smallest_first_and_merge_their_links():
    # A chain of classes 0 (4 nodes) - 1 (1 node) - 2 (1 node) - 3 (4 nodes); the heavy link leads to 3.
    links = np.array([(0, 1), (1, 2), (2, 3), (0, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9), (6, 9)])
    weights = np.array([1.0, 1, 1, 1, 1, 2, 3, 1, 1, 1, 1])
    labels = np.array([0, 0, 0, 0, 1, 2, 3, 3, 3, 3])
    joined, said = join_small(labels, to_scipy(from_edges(links, 10, weights=weights)), 3)
    assert len(set(joined[4:].tolist())) == 1
    assert len(set(joined.tolist())) == 2
    assert said == ["2 classes of fewer than 3 nodes joined the one each links to most."]


def test_labels_are_numbered_by_size_with_ties_by_first_appearance():
    labels, k = largest_first(np.array([5, 5, 2, -1, 9, 9, 2, 9]))
    assert labels.tolist() == [1, 1, 2, -1, 0, 0, 2, 0]
    assert k == 3


def test_smaller_classes_are_counted_together_beyond_the_limit():
    k = MOST_RELATED + 50
    ends = np.array([(2 * i, 2 * i + 1) for i in range(k)] + [(0, 2 * k - 1)])
    labels = np.repeat(np.arange(k), 2)
    graph = from_edges(ends, 2 * k)
    found = relations_of(graph, labels, k, directed=False)
    assert found.links.shape == (MOST_RELATED, MOST_RELATED)
    assert found.n_classes == k
    every = relations(graph, labels, found_in_links=True)
    for name in ("count", "expected"):
        ours = found.links if name == "count" else found.expected
        np.testing.assert_allclose(ours, every.matrix(name)[:MOST_RELATED, :MOST_RELATED], rtol=1e-9)
    assert len(found.lines()) == MOST_RELATED * (MOST_RELATED + 1) // 2


@pytest.mark.parametrize("k", [1, 2, 3, 5, 12, 30])
@pytest.mark.parametrize("directed", [False, True])
def test_circles_stay_in_the_frame_and_apart_and_the_drawing_repeats(k, directed):
    rng = np.random.default_rng(k)
    between = rng.poisson(30, (k, k)) * (rng.random((k, k)) < 0.5)
    between = between if directed else between + between.T
    sizes = np.sort(rng.integers(5, 3000, k))[::-1]
    found = draw_classes(between, sizes, directed=directed)
    assert found == draw_classes(between, sizes, directed=directed)
    x, y, r = (np.array([node[name] for node in found["nodes"]]) for name in "xyr")
    assert min((x - r).min(), (y - r).min()) > 0
    assert (x + r).max() < WIDTH
    assert (y + r).max() < HEIGHT
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + 1e9 * np.eye(k)
    assert (apart >= r[:, None] + r - 1).all()
    assert len(found["links"]) <= (4 if directed else 2) * max(2 * k, 10)


def test_the_drawing_keeps_the_classes_connected_that_are():
    rng = np.random.default_rng(1)
    between = np.triu(rng.integers(1, 100, (25, 25)), 1)
    found = draw_classes(between + between.T, np.full(25, 10))
    graph = nx.Graph((link["from"], link["to"]) for link in found["links"])
    assert len(graph) == 25
    assert nx.is_connected(graph)


def test_the_circle_of_a_class_without_links_to_others_is_drawn():
    found = draw_classes(np.zeros((4, 4)), np.array([40, 3, 2, 1]))
    assert len(found["nodes"]) == 4
    assert found["links"] == []


def test_linked_classes_lie_nearer_than_others():
    between = np.zeros((6, 6))
    for i, j in ((0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)):
        between[i, j] = between[j, i] = 50
    between[2, 3] = between[3, 2] = 1
    places = np.array([(node["x"], node["y"]) for node in draw_classes(between, np.full(6, 20))["nodes"]])
    apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    assert apart[:3, :3].max() < apart[:2, 4:].min()


def test_network_of_gives_the_reader_s_type():
    _, links = planted_links([5, 5], assortative(2, 0.9, 0.1))
    assert network_of(links, 10).n_nodes == 10
