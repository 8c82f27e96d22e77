"""The block model against its definition, exhaustive search, real graphs and every kind of odd input."""

import itertools

import networkx as nx
import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_array
from scipy.special import gammaln
from sklearn.metrics import adjusted_mutual_info_score

import coterie
from coterie import BlockModel
from coterie.errors import InputError
from coterie.graph import image_matrix
from coterie.graph._block_classes import Classes
from coterie.graph._block_links import links_of
from coterie.graph._degree_length import degrees_length, uneven_length
from coterie.graph._description import links_length
from coterie.graphs import as_graph, from_edges, to_scipy
from coterie.primitives.engine import threads
from graph.planted import drawn, planted

RNG = np.random.default_rng


def sides(n=30, chance=0.4, seed=0):
    """Two sides that link to each other only, but for a few links inside."""
    rng = RNG(seed)
    side = np.repeat([0, 1], n)
    there = rng.random((2 * n, 2 * n)) < np.where(np.not_equal.outer(side, side), chance, 0.03)
    upper = np.triu(there, 1).astype(float)
    return upper + upper.T, side


def partitions(n, most):
    """All partitions of n nodes into at most so many classes, as labels numbered by first appearance."""
    grown = [[0]]
    for _ in range(n - 1):
        grown = [[*one, c] for one in grown for c in range(min(most, max(one) + 2))]
    return grown


# ---- the description


@pytest.mark.parametrize("directed", [False, True])
def test_the_likelihood_is_one_over_the_number_of_ways_to_join_the_ends(directed):
    # The graphs of one set of counts and degrees: their probabilities add up to 1 over all ways to pair ends of one class pair.
    e = np.array([[0.0, 3.0], [0.0, 0.0]]) if directed else np.array([[0.0, 3.0], [3.0, 0.0]])
    # Three ends of class 0 meet three of class 1: 3! pairings.
    assert links_length(e, np.array([3, 3]), directed=directed, degree_corrected=True) == pytest.approx(np.log(6))
    inside = np.array([[4.0]])
    if not directed:  # four ends of one class: 3 pairings
        assert links_length(inside, np.array([4]), directed=False, degree_corrected=True) == pytest.approx(np.log(3))
    else:
        assert links_length(inside, np.array([4]), directed=True, degree_corrected=True) == pytest.approx(np.log(24))


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("directed", [False, True])
def test_a_move_changes_the_description_by_what_it_says(directed, corrected):
    # After settling no single move shortens likelihood and labels together: tried for all nodes and classes, counted anew.
    rng = RNG(1)
    graph = from_edges(rng.integers(0, 40, (160, 2)), 40, directed=directed)  # loops and multiple links included
    links = links_of(graph, directed, corrected)
    found = Classes(links, rng.integers(0, 3, 40), rng).settle(enough=0)

    def cost(labels):
        classes = Classes(links, labels, rng)
        by_bin = -gammaln(classes.table + 1).sum()
        plain = -gammaln(classes.sizes + 1).sum()
        return links_length(classes.e[0], classes.sizes, directed=directed, degree_corrected=corrected), plain, by_bin

    at = np.array(cost(found.labels))
    better = []
    for i, s in itertools.product(range(40), range(3)):
        labels = found.labels.copy()
        labels[i] = s
        if len(np.unique(labels)) == 3:
            better.append(np.array(cost(labels)) - at)
    better = np.array(better)
    priced_plain, priced_by_bin = better[:, 0] + better[:, 1], better[:, 0] + better[:, 2]
    assert min(priced_plain.min(), priced_by_bin.min()) > -1e-5 or max(priced_plain.min(), priced_by_bin.min()) > -1e-5


@pytest.mark.parametrize("seed", range(4))
def test_small_graphs_get_the_best_of_all_partitions(seed):
    rng = RNG(seed)
    side = np.repeat([0, 1], 4)
    weights = rng.poisson(np.where(np.not_equal.outer(side, side), 6.0, 0.5))
    weights = np.triu(weights, 1)
    graph = as_graph((weights + weights.T).astype(float))
    model = BlockModel(random_state=0, n_init=3).fit(graph)
    links = links_of(graph, False, True)
    best = min(Classes(links, np.array(labels), rng).length() for labels in partitions(8, 4))
    assert model.description_length_ == pytest.approx(best, abs=1e-6)


def test_more_classes_than_needed_take_more_nats():
    graph, labels, _, _ = planted("disassortative", 0)
    model = BlockModel(random_state=0).fit(graph)
    lengths = dict(model.description_lengths_.tolist())
    assert min(lengths, key=lengths.get) == model.n_clusters_ == labels.max() + 1
    assert lengths[model.n_clusters_] == pytest.approx(model.description_length_)
    assert 1 in lengths


def test_partitions_are_drawn_as_often_as_their_description_is_short():
    rng = RNG(5)
    graph = from_edges(np.array([[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [2, 3]]), 6)
    links = links_of(graph, False, True)
    every = np.array([labels for labels in itertools.product(range(2), repeat=6) if 0 < sum(labels) < 6])

    def cost(labels):
        classes = Classes(links, labels, rng)
        fitted = links_length(classes.e[0], classes.sizes, directed=False, degree_corrected=True)
        return fitted - gammaln(classes.sizes + 1).sum()

    chance = np.exp(-np.array([cost(labels) for labels in every]))
    chance /= chance.sum()
    drawn_now, counts = Classes(links, every[0], rng), np.zeros(64)
    for _ in range(6000):
        counts[drawn_now.draw(2).labels @ 2 ** np.arange(6)] += 1
    share = counts[every @ 2 ** np.arange(6)] / counts.sum()
    assert np.abs(share - chance).sum() / 2 < 0.06  # 62 partitions, 6000 draws: chance alone is at 0.04
    assert np.abs(share[chance > 0.02] / chance[chance > 0.02] - 1).max() < 0.35


@pytest.mark.parametrize(("n_clusters", "spread"), [("auto", 0.0), (5, 0.0), ("auto", 0.4)])
def test_classes_that_eigenvectors_hardly_see_are_found(n_clusters, spread):
    # Five classes that link to each other only: their eigenvalues are hardly beyond those of noise.
    rates = np.where(np.eye(5, dtype=bool), 0.05, 1.0)
    graph, labels = drawn(np.full(5, 160), rates, 24, RNG(2), spread=spread)
    model = BlockModel(n_clusters, degree_corrected=True, random_state=0).fit(graph)
    assert model.n_clusters_ == 5
    assert adjusted_mutual_info_score(labels, model.labels_) > 0.75
    best = Classes(links_of(graph, False, True), labels, RNG(0)).settle().length()
    assert model.description_length_ < best + 5


# ---- known graphs


def read(folder, name):
    graph = nx.read_gml(folder / "graphs" / name, label="id")
    return nx.Graph(graph), nx.get_node_attributes(graph, "value")


def test_the_southern_women_and_their_events_are_two_sides():
    graph = nx.davis_southern_women_graph()
    side = [graph.nodes[node]["bipartite"] for node in graph.nodes]
    model = BlockModel(n_clusters=2, random_state=0).fit(graph)
    assert adjusted_mutual_info_score(side, model.labels_) == pytest.approx(1)
    assert model.relations_.matrix("count").diagonal().tolist() == [0, 0]


def test_the_books_on_politics_divide_by_side(shared_data):
    graph, side = read(shared_data, "polbooks.gml")
    known = np.array([side[node] for node in graph.nodes])
    model = BlockModel(random_state=0).fit(graph)
    assert 2 <= model.n_clusters_ <= 4
    certain = known != "n"
    assert adjusted_mutual_info_score(known[certain], model.labels_[certain]) > 0.5
    assert set(model.relations_.matrix("verdict").diagonal()) == {"attracts"}


@pytest.mark.parametrize("name", ["karate_club.gml", "dolphins.gml"])
def test_small_networks_of_friends_have_few_classes(shared_data, name):
    graph, _ = read(shared_data, name)
    model = BlockModel(random_state=0).fit(graph)
    assert 1 <= model.n_clusters_ <= 4
    two = BlockModel(n_clusters=2, random_state=0).fit(graph)
    assert two.description_length_ >= model.description_length_ - 1e-6


def test_karate_in_two_classes_is_nearly_the_two_clubs():
    graph = nx.karate_club_graph()
    club = [graph.nodes[node]["club"] for node in graph.nodes]
    unweighted = nx.Graph(graph.edges())
    unweighted = nx.from_numpy_array((nx.to_numpy_array(graph, nodelist=range(34)) > 0).astype(float))
    model = BlockModel(n_clusters=2, degree_corrected=True, random_state=0).fit(unweighted)
    assert adjusted_mutual_info_score(club, model.labels_) > 0.6


# ---- what it promises


def test_a_chain_of_stages_is_found_by_direction_alone():
    graph, labels, _, _ = planted("feed_forward", 1, n=300, k=3, spread=0.0)
    model = BlockModel(directed=True, random_state=0).fit(graph)
    assert adjusted_mutual_info_score(labels, model.labels_) > 0.95
    verdict = model.relations_.matrix("verdict")
    assert (verdict == "feeds").sum() == 2


def test_without_degree_correction_busy_nodes_are_a_class():
    sizes = np.array([60, 240])
    graph, labels = drawn(sizes, np.array([[1.0, 0.3], [0.3, 0.09]]), 20, RNG(0))
    model = BlockModel(degree_corrected=False, random_state=0).fit(graph)
    assert model.n_clusters_ == 2
    assert adjusted_mutual_info_score(labels, model.labels_) > 0.9
    assert model.relations_.null == "sizes"
    # The rates are a product of busynesses: with correction, degrees say it all.
    assert BlockModel(degree_corrected=True, random_state=0).fit(graph).n_clusters_ == 1


@pytest.mark.parametrize("n", [300, 1000])
@pytest.mark.parametrize("rates", [[[0.3, 0.1], [0.1, 0.01]], [[0.5, 0.15], [0.15, 0.05]]], ids=str)
def test_a_core_whose_nodes_are_alike_is_found_and_attracts(n, rates):
    graph, labels = drawn([n // 4, n - n // 4], np.array(rates), 20, RNG(n))
    model = BlockModel(random_state=0).fit(graph)
    assert not model.degree_corrected_
    assert adjusted_mutual_info_score(labels, model.labels_) > 0.8
    core = model.labels_[labels == 0][0]
    said = model.relations_.matrix("verdict")
    assert (said[core, core], said[core, 1 - core], said[1 - core, 1 - core]) == ("attracts", "attracts", "repels")


@pytest.mark.parametrize(("spread", "corrected"), [(0.0, False), (0.7, True)])
def test_auto_is_the_model_of_its_own_choice(spread, corrected):
    rates = np.array([[1.0, 0.3, 0.3], [0.3, 0.3, 0.02], [0.3, 0.02, 0.3]])
    graph, _ = drawn([120, 240, 240], rates, 20, RNG(1), spread=spread)
    found = BlockModel(random_state=0).fit(graph)
    wanted = BlockModel(degree_corrected=corrected, random_state=0).fit(graph)
    assert found.degree_corrected_ is corrected
    np.testing.assert_array_equal(found.labels_, wanted.labels_)
    assert found.description_length_ == wanted.description_length_
    assert found.relations_.null == wanted.relations_.null == ("degrees" if corrected else "sizes")


def test_degrees_take_as_many_nats_as_their_chances_say():
    degrees = np.array([3.0, 0.0, 5.0, 1.0])
    evenness = 2.0 ** np.arange(-3, 7)
    chances = [stats.dirichlet_multinomial.logpmf(degrees.astype(int), np.full(4, a), 9) for a in evenness]
    alike = stats.multinomial.logpmf(degrees, 9, np.full(4, 0.25))
    wanted = min(-alike, -max(chances)) + alike + np.log(11)
    assert uneven_length(degrees, np.zeros(4, int)) == pytest.approx(wanted)
    two = uneven_length(np.tile(degrees, 2), np.repeat([0, 1], 4))
    assert two == pytest.approx(2 * wanted)
    assert uneven_length(np.append(degrees, 50.0), np.array([0, 0, 0, 0, -1])) == pytest.approx(wanted)


def test_lengths_of_degrees_are_those_of_a_code():
    # No prefix code can give all sequences of degrees lengths so short that their chances add up to more than 1.
    total = 0.0
    for degrees in itertools.product(range(9), repeat=3):
        if sum(degrees):
            constant = gammaln(np.array(degrees) + 1.0).sum()
            total += np.exp(-degrees_length(np.array(degrees, float)) - constant)
    links = 24  # totals that were tried: the sum of the degrees is known
    assert 0 < total <= links


@pytest.mark.parametrize("spread", [0.0, 0.8])
def test_nodes_of_a_class_are_alike_where_they_were_planted_so(spread):
    graph, labels, _, _ = planted("assortative", 2, spread=spread)
    assert (uneven_length(to_scipy(graph).sum(axis=1), labels) > 0) == (spread == 0)


def test_the_image_matrix_and_the_relations_are_those_of_the_labels():
    A, _ = sides()
    model = BlockModel(random_state=0).fit(A)
    np.testing.assert_array_equal(model.image_matrix_, image_matrix(A, model.labels_))
    assert model.relations_.verdict.tolist() == ["repels", "attracts", "repels"]
    assert model.relations_.beyond_chance


def test_labels_are_numbered_by_first_appearance():
    A, _ = sides()
    shuffled = RNG(0).permutation(60)
    labels = BlockModel(n_clusters=3, random_state=0).fit(A[shuffled][:, shuffled]).labels_
    assert labels.dtype == np.int64
    firsts = [np.flatnonzero(labels == c)[0] for c in range(3)]
    assert firsts == sorted(firsts)


def test_new_nodes_join_the_class_that_links_as_they_do():
    A, side = sides()
    model = BlockModel(random_state=0).fit(A)
    links = np.zeros((3, 60))
    links[0, np.flatnonzero(side == 0)[:5]] = 1
    links[1, np.flatnonzero(side == 1)[:5]] = 1
    found = model.predict(links)
    assert found[0] == model.labels_[side == 1][0]  # who links to side 0 is of side 1
    assert found[1] == model.labels_[side == 0][0]
    assert found[2] == np.bincount(model.labels_).argmax()
    np.testing.assert_array_equal(model.predict(A), model.labels_)


def test_the_same_labels_on_any_number_of_threads():
    graph, _, _, _ = planted("disassortative", 2)
    found = []
    for n in (1, 2, 4):
        with threads(n):
            found.append(BlockModel(random_state=3).fit(graph))
    for other in found[1:]:
        np.testing.assert_array_equal(found[0].labels_, other.labels_)
        np.testing.assert_array_equal(found[0].description_lengths_, other.description_lengths_)


@pytest.mark.parametrize("factor", [1e-300, 0.37, 3.0, 1e300])
def test_the_unit_of_the_weights_does_not_matter(factor):
    A, _ = sides()
    wanted = BlockModel(random_state=0).fit(A)
    found = BlockModel(random_state=0).fit(A * factor)
    np.testing.assert_array_equal(found.labels_, wanted.labels_)
    assert found.description_length_ == pytest.approx(wanted.description_length_, rel=1e-9)


def test_whole_weights_are_links():
    rng = RNG(0)
    side = np.repeat([0, 1], 15)
    weights = np.triu(rng.poisson(np.where(np.equal.outer(side, side), 3.0, 1.0)), 1).astype(float)
    model = BlockModel(random_state=0).fit(weights + weights.T)
    assert adjusted_mutual_info_score(side, model.labels_) > 0.8
    assert model.relations_.dispersion < 1.5


def test_real_weights_say_more_than_who_is_linked():
    # All nodes are linked alike, but links within classes weigh three times as much.
    rng = RNG(0)
    side = np.repeat([0, 1], 40)
    there = np.triu(rng.random((80, 80)) < 0.5, 1)
    weights = there * rng.uniform(0.5, 1.5, (80, 80)) * np.where(np.equal.outer(side, side), 3.0, 1.0)
    model = BlockModel(random_state=0).fit(weights + weights.T)
    assert adjusted_mutual_info_score(side, model.labels_) > 0.95


def test_loops_count_in_the_image_matrix_and_say_nothing_about_classes():
    A, _ = sides()
    looped = A + 2 * np.eye(60)  # a loop of weight 1 each has two ends
    model = BlockModel(random_state=0).fit(looped)
    assert model.image_matrix_.sum() == looped.sum()
    np.testing.assert_array_equal(model.labels_, BlockModel(random_state=0).fit(A).labels_)


def test_nodes_without_links_are_in_the_largest_class():
    A, _ = sides()
    wide = np.zeros((65, 65))
    wide[:60, :60] = A
    model = BlockModel(random_state=0).fit(wide)
    assert len(set(model.labels_[60:])) == 1
    np.testing.assert_array_equal(model.labels_[:60], BlockModel(random_state=0).fit(A).labels_)


def test_a_directed_graph_is_made_undirected_with_a_warning():
    A, _ = sides()
    with pytest.warns(UserWarning, match="directed"):
        BlockModel(random_state=0).fit(np.triu(A))


# ---- odd input


@pytest.mark.parametrize(
    ("graph", "n_clusters", "expected"),
    [
        (csr_array((5, 5)), "auto", 1),
        (csr_array((5, 5)), 3, 3),
        (csr_array((1, 1)), "auto", 1),
        (np.eye(6) * 2, "auto", 1),
        (np.eye(6) * 2, 3, 3),
        (np.ones((10, 10)) - np.eye(10), 10, 10),
        (np.ones((10, 10)) - np.eye(10), 1, 1),
        (np.ones((50, 50)) - np.eye(50), "auto", 1),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), "auto", 1),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), 2, 2),
        (np.arange(2000).reshape(-1, 2), "auto", 1),
        (np.arange(2000).reshape(-1, 2), 4, 4),
    ],
    ids=str,
)
@pytest.mark.parametrize("directed", [False, True])
def test_every_graph_has_an_answer(graph, n_clusters, expected, directed):
    graph = from_edges(graph) if np.shape(graph)[1] == 2 and np.shape(graph)[0] > 2 else graph
    model = BlockModel(n_clusters, directed=directed, random_state=0).fit(graph)
    assert model.n_clusters_ == len(np.unique(model.labels_)) == expected
    assert np.isfinite(model.description_length_)


def test_more_classes_than_nodes_are_refused():
    with pytest.raises(InputError, match="at most the number of nodes, got n_clusters=7 with 5 nodes"):
        BlockModel(7).fit(np.ones((5, 5)))


def test_float32_weights_and_tensors_give_the_same_classes():
    torch = pytest.importorskip("torch")
    graph = as_graph(sides()[0])
    wanted = BlockModel(random_state=0).fit(graph).labels_
    single = graph._replace(weights=graph.weights.astype(np.float32))
    np.testing.assert_array_equal(BlockModel(random_state=0).fit(single).labels_, wanted)
    found = BlockModel(random_state=0).fit(coterie.Graph(*map(torch.from_numpy, graph))).labels_
    assert isinstance(found, torch.Tensor)
    np.testing.assert_array_equal(found.numpy(), wanted)


def test_many_classes_are_found_when_asked_for():
    graph, labels = drawn(np.full(40, 25), np.where(np.eye(40, dtype=bool), 1.0, 0.003), 12, RNG(0))
    model = BlockModel(40, random_state=0).fit(graph)
    assert model.n_clusters_ == 40
    assert adjusted_mutual_info_score(labels, model.labels_) > 0.9


def test_a_model_file_keeps_the_relations(tmp_path):
    A, _ = sides()
    model = BlockModel(random_state=0).fit(A)
    coterie.save(model, tmp_path / "sides.coterie")
    again = coterie.load(tmp_path / "sides.coterie").estimator
    assert again.relations_.text() == model.relations_.text()
    np.testing.assert_array_equal(again.predict(A), model.labels_)
    assert to_scipy(again._graph).nnz == np.count_nonzero(A)
