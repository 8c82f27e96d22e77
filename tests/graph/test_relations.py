"""How classes relate: counts and expectations against their definitions, verdicts against planted truth and noise."""

import networkx as nx
import numpy as np
import pytest
from scipy import stats

import coterie
from coterie.errors import InputError
from coterie.graph import Relations, image_matrix, relations
from coterie.graph._verdicts import false_discoveries
from coterie.graphs import from_edges, to_scipy
from graph.planted import KINDS, drawn, planted

CASES = 20  # of each kind


def random_graph(n=400, m=3000, seed=0, directed=False, weights=None):
    rng = np.random.default_rng(seed)
    edges = rng.integers(0, n, (m, 2))
    edges = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
    return from_edges(edges, n, weights=weights, directed=directed)


def clear(labels, rates, directed, null, times=1.2):
    """Return what is right of each pair by the rates, and where it is clear: so many times more, or less."""
    sizes = np.bincount(labels)
    there = rates * np.outer(sizes, sizes)
    if null == "sizes":
        expected = np.outer(sizes, sizes) * there.sum() / sizes.sum() ** 2
    else:
        expected = np.outer(there.sum(axis=1), there.sum(axis=0)) / there.sum()
    ratio = there / expected
    right = np.where(ratio > 1, "attracts", "repels").astype("U8")
    sure = np.abs(np.log2(ratio)) > np.log2(times)
    if directed:
        feeds = rates > 1.5 * rates.T
        right[feeds], sure[feeds] = "feeds", True
    return right, sure if directed else np.triu(sure)  # each pair once


@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_on_planted_classes_are_right(kind):
    right, judged = 0, 0
    for seed in range(CASES):
        graph, labels, rates, directed = planted(kind, seed)
        found = relations(graph, labels, directed)
        wanted, sure = clear(labels, rates, directed, found.null)
        said = found.matrix("verdict")
        right += (said == wanted)[sure].sum()
        judged += sure.sum()
    assert judged >= 5 * CASES
    assert right >= 0.95 * judged


@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_by_size_are_those_of_the_planted_densities(kind):
    right, judged = 0, 0
    for seed in range(CASES):
        graph, labels, rates, directed = planted(kind, seed)
        wanted, sure = clear(labels, rates, directed, "sizes")
        right += (relations(graph, labels, directed).matrix("verdict_by_size") == wanted)[sure].sum()
        judged += sure.sum()
    assert right >= 0.95 * judged


def test_a_core_attracts_itself_where_the_nodes_of_a_class_are_alike_in_degree():
    rates = np.array([[0.3, 0.1], [0.1, 0.01]])
    graph, labels = drawn([100, 400], rates, 25, np.random.default_rng(0))
    found = relations(graph, labels)
    assert found.null == "sizes"
    assert found.verdict.tolist() == ["attracts", "attracts", "repels"]
    busy, labels = drawn([100, 400], rates, 25, np.random.default_rng(0), spread=0.7)
    found = relations(busy, labels)
    assert found.null == "degrees"
    assert found.verdict.tolist() == ["repels", "attracts", "repels"]  # two classes: all or none attract themselves
    assert found.verdict_by_size.tolist() == ["attracts", "attracts", "repels"]


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_the_verdict_is_what_the_columns_beside_it_say(spread):
    graph, labels, _, _ = planted("core_periphery", 6, spread=spread)
    found = relations(graph, labels)
    clear = found.verdict != "neutral"
    np.testing.assert_array_equal(found.verdict[clear] == "attracts", (found.count > found.expected)[clear])
    assert (found.p_value[clear] <= 0.05).all()
    assert (np.abs(found.log_ratio[clear]) >= 0.07).all()


def test_false_discoveries_are_few_among_many_true_ones_and_each_stands_for_itself():
    rng = np.random.default_rng(0)
    false, found = 0, 0
    for _ in range(400):
        z = rng.standard_normal(15) + np.where(np.arange(15) < 12, 3.0, 0.0)
        p = 2 * stats.norm.sf(np.abs(z))
        stands = false_discoveries(p, 0.05)
        assert (p[stands] <= 0.05).all()
        assert stands[p <= 0.05 / 15].all()
        false, found = false + stands[12:].sum(), found + stands.sum()
    assert false <= 0.05 * found


def test_no_more_than_one_set_of_pure_chance_in_twenty_has_a_discovery():
    rng = np.random.default_rng(1)
    some = [false_discoveries(rng.random(10), 0.05).any() for _ in range(2000)]
    assert np.mean(some) <= 0.06
    assert not false_discoveries(np.full(3, np.nan), 0.05).any()


def noise(kind, seed):
    rng = np.random.default_rng(seed)
    n = 500
    if kind == "erdos-renyi":
        return drawn([n], np.ones((1, 1)), 8, rng)[0], False
    if kind == "directed":
        return drawn([n], np.ones((1, 1)), 8, rng, spread=1.0, directed=True)[0], True
    return drawn([n], np.ones((1, 1)), 8, rng, spread=1.2, single=kind == "hubs")[0], False


@pytest.mark.parametrize("kind", ["erdos-renyi", "hubs", "multiple links", "directed"])
def test_noise_has_neutral_verdicts_and_z_of_unit_deviation(kind):
    verdicts, z = [], []
    for seed in range(40):
        graph, directed = noise(kind, seed)
        found = relations(graph, np.random.default_rng(seed).integers(0, 4, graph.n_nodes), directed)
        verdicts += found.verdict.tolist()
        z += found.z.tolist()
    assert verdicts.count("neutral") >= 0.99 * len(verdicts)
    assert abs(np.mean(z)) < 0.2
    assert 0.8 < np.std(z) < 1.1


def test_classes_of_busy_and_idle_nodes_are_neutral_in_noise_without_multiple_links():
    verdicts = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        graph, _ = drawn([600], np.ones((1, 1)), 10, rng, spread=1.3)
        degree = to_scipy(graph).sum(axis=1)
        labels = (np.argsort(np.argsort(-degree)) * 3) // 600
        verdicts += relations(graph, labels, null="degrees").verdict.tolist()
    assert verdicts.count("neutral") >= 0.95 * len(verdicts)


def test_classes_found_in_noise_are_neutral_once_that_is_said():
    graph = random_graph()
    labels = coterie.Leiden(random_state=0).fit(graph).labels_
    assert "attracts" in relations(graph, labels).verdict
    told = relations(graph, labels, found_in_links=True)
    assert set(told.verdict) == {"neutral"}
    assert not told.beyond_chance


@pytest.mark.parametrize("directed", [False, True])
def test_expected_counts_are_products_of_degrees_in_a_large_graph_with_multiple_links(directed):
    rng = np.random.default_rng(0)
    graph = from_edges(rng.integers(0, 2000, (9000, 2)), 2000, directed=directed)
    labels = np.arange(2000) % 3
    e = image_matrix(graph, labels, directed)
    found = relations(graph, labels, directed, null="degrees").matrix("expected")
    wanted = np.outer(e.sum(axis=1), e.sum(axis=0)) / e.sum()
    wanted[np.diag_indices(3)] /= 1 if directed else 2
    np.testing.assert_allclose(found, wanted, rtol=0.01)


def test_loops_are_left_out_of_relations():
    graph, labels, _, _ = planted("disassortative", 4)
    looped = to_scipy(graph).tolil()
    looped.setdiag(2.0)
    found, wanted = relations(looped.tocsr(), labels), relations(graph, labels)
    np.testing.assert_array_equal(found.count, wanted.count)
    np.testing.assert_array_equal(found.z, wanted.z)


def test_expected_counts_without_loops_are_the_mean_over_random_rewirings():
    rng = np.random.default_rng(0)
    graph, _ = drawn([60], np.ones((1, 1)), 8, rng, spread=0.8)
    labels = np.arange(60) % 3
    start = nx.from_scipy_sparse_array(to_scipy(graph))
    counts = []
    for seed in range(60):
        other = nx.double_edge_swap(start.copy(), 600, 10**6, seed=seed)
        edges = np.array(other.edges())
        counts.append(relations(from_edges(edges, 60), labels).count)
    found = relations(graph, labels, null="degrees")
    error = np.std(counts, axis=0) / np.sqrt(len(counts))
    assert (np.abs(np.mean(counts, axis=0) - found.expected) < 4 * error + 0.01 * found.expected).all()


def test_expected_counts_by_size_are_the_mean_density():
    graph = random_graph()
    labels = np.arange(400) % 4
    found = relations(graph, labels, null="sizes")
    pairs = np.where(found.source == found.target, 100 * 99 / 2, 100 * 100)
    np.testing.assert_allclose(found.expected, pairs * len(graph.indices) / (400 * 399))
    np.testing.assert_allclose(found.density, found.count / pairs)


@pytest.mark.parametrize("factor", [1e-300, 0.37, 4.0, 1e290])
def test_verdicts_do_not_depend_on_the_unit_of_the_weights(factor):
    graph, labels, _, _ = planted("assortative", 5)
    found = relations(graph, labels)
    other = relations(graph._replace(weights=graph.weights * factor), labels)
    assert other.verdict.tolist() == found.verdict.tolist()
    np.testing.assert_allclose(other.z, found.z, rtol=1e-9)
    np.testing.assert_allclose(other.count, found.count * factor, rtol=1e-12)


def test_messages_that_come_in_bursts_are_no_evidence():
    # Weights of 1 to 200 on few links: as counts of independent messages any difference would be certain.
    verdicts = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        weights = np.ceil(rng.pareto(1.5, 3000).clip(0, 200))
        graph = from_edges(rng.integers(0, 400, (3000, 2)), 400, weights=np.maximum(weights, 1))
        verdicts += relations(graph, rng.integers(0, 3, 400)).verdict.tolist()
    assert verdicts.count("neutral") >= 0.95 * len(verdicts)


def test_one_busy_pair_of_nodes_does_not_make_its_classes_attract():
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 200, (2000, 2))
    graph = from_edges(np.vstack([edges, np.tile([0, 1], (60, 1))]), 200)
    labels = np.arange(200) % 2
    assert relations(graph, labels).matrix("verdict")[0, 1] == "neutral"


def test_feeds_is_said_of_the_direction_with_more_links():
    rng = np.random.default_rng(0)
    forward = np.stack([rng.integers(0, 50, 300), rng.integers(50, 100, 300)], axis=1)
    backward = rng.permuted(forward[:40, ::-1], axis=0)
    inside = rng.integers(0, 100, (300, 2))
    graph = from_edges(np.vstack([forward, backward, inside]), 100, directed=True)
    verdict = relations(graph, np.arange(100) // 50, directed=True).matrix("verdict")
    assert verdict[0, 1] == "feeds"
    assert verdict[1, 0] != "feeds"


def test_a_graph_that_is_symmetric_feeds_nothing():
    graph, labels, _, _ = planted("assortative", 0)
    assert "feeds" not in relations(graph, labels, directed=True).verdict


def test_too_few_links_are_not_judged():
    graph = from_edges([[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3]], 6)
    found = relations(graph, [0, 0, 0, 1, 1, 1])
    assert set(found.verdict) == {"neutral"}
    assert np.isnan(found.p_value).all()


def test_nodes_of_no_class_are_left_out_with_their_links():
    graph, labels, _, _ = planted("assortative", 1)
    some = np.random.default_rng(0).random(graph.n_nodes) < 0.3
    kept = np.flatnonzero(~some)
    part = to_scipy(graph)[kept][:, kept]
    found, alone = relations(graph, np.where(some, -1, labels)), relations(part, labels[kept])
    assert found.left_out == some.sum()
    for name in ("count", "expected", "z", "verdict", "density"):
        np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))


def test_z_is_that_of_the_stated_variance_for_two_classes_of_a_directed_graph():
    # With multiple links, the count is hypergeometric, but for the loops that there are not.
    rng = np.random.default_rng(3)
    graph = from_edges(rng.integers(0, 2000, (6000, 2)), 2000, directed=True)
    labels = np.arange(2000) % 2
    found = relations(graph, labels, directed=True, null="degrees")
    e = found.matrix("count")
    m, out, into = int(e.sum()), int(e.sum(axis=1)[0]), int(e.sum(axis=0)[1])
    chance = stats.hypergeom(m, out, into)
    assert found.matrix("expected")[0, 1] == pytest.approx(chance.mean(), rel=2e-3)
    spread = (e[0, 1] - found.matrix("expected")[0, 1]) / found.matrix("z")[0, 1]
    assert chance.std() * 0.99 <= spread <= chance.std() * 1.1


def test_the_table_as_columns_as_a_matrix_and_as_text():
    graph, labels, _, _ = planted("assortative", 0, k=2)
    found = relations(graph, labels, names=["makers", "buyers"])
    assert isinstance(found, Relations)
    columns = found.columns()
    assert columns["source"].tolist() == ["makers", "makers", "buyers"]
    assert {len(column) for column in columns.values()} == {3}
    np.testing.assert_array_equal(found.matrix("count"), found.matrix("count").T)
    lines = found.text().splitlines()
    assert lines[0].split() == ["classes", "links", "expected", "times", "z", "verdict"]
    assert len(lines) == 4
    assert "makers - buyers" in found.text()


def test_the_image_matrix_adds_up_to_the_degrees():
    graph, labels, _, _ = planted("disassortative", 2)
    e = image_matrix(graph, labels)
    np.testing.assert_array_equal(e, e.T)
    np.testing.assert_allclose(e.sum(axis=1), np.bincount(labels, to_scipy(graph).sum(axis=1)))


def test_one_class_is_as_expected():
    found = relations(random_graph(), np.zeros(400, int), null="degrees")
    assert found.verdict.tolist() == ["neutral"]
    assert abs(found.z[0]) < 1


def test_graphs_without_links_have_nothing_to_say():
    found = relations(np.zeros((4, 4)), [0, 0, 1, -1])
    assert set(found.verdict) == {"neutral"}
    assert found.count.sum() == found.expected.sum() == 0
    assert np.isnan(found.matrix("density")[1, 1])


def test_a_directed_graph_is_made_undirected_with_a_warning():
    with pytest.warns(UserWarning, match="directed"):
        relations(random_graph(directed=True), np.arange(400) % 2)


@pytest.mark.parametrize(
    ("labels", "more", "message"),
    [
        ([0, 1], {}, "one entry for each of the 3 nodes"),
        ([0.5, 1, 1], {}, "whole numbers"),
        ([-2, 0, 0], {}, "at least 0"),
        ([-1, -1, -1], {}, "nothing to relate"),
        ([0, 1, 1], {"null": "chance"}, "null must be one of"),
        ([0, 1, 1], {"alpha": 0}, "alpha must be between"),
        ([0, 1, 1], {"names": ["a"]}, "one name for each of the 2 classes"),
    ],
)
def test_input_that_makes_no_sense_is_refused(labels, more, message):
    with pytest.raises(InputError, match=message):
        relations(np.ones((3, 3)) - np.eye(3), labels, **more)


def test_tensors_relate_as_arrays_do():
    torch = pytest.importorskip("torch")
    graph, labels, _, _ = planted("assortative", 3)
    found = relations(coterie.Graph(*map(torch.from_numpy, graph)), torch.from_numpy(labels))
    np.testing.assert_allclose(found.z, relations(graph, labels).z, rtol=1e-9)
