"""What the clustering of links with attributes is made of, against what it should be."""

import numpy as np
import pytest
import scipy.sparse as sp

from coterie.graph._attributed_parts import Judged, heard
from coterie.graph._held_out import SHARE, attribute_gain, attribute_profiles, link_gain, link_profiles, split
from coterie.graph._smoothing import link_coordinates, smoothed_coordinates, smoother, unit_rows
from coterie.graphs import from_edges, to_scipy
from coterie.tables.attribute_rows import coded, fit_coder
from graph.attributed_graphs import TRUTH, K, N, both_sides, links_of, words_of


def split_of(inside, share, degree=10):
    """Hold out of links and words that tell of the planted groups, each as much as is asked."""
    rows = coded(fit_coder(words_of(TRUTH, share), N, "auto"), words_of(TRUTH, share))
    return split(to_scipy(links_of(TRUTH, inside, degree=degree)), rows, np.random.default_rng(0))


def test_smoothing_before_the_singular_vectors_is_smoothing_of_the_rows():
    graph, words, _ = both_sides()
    rows = unit_rows(coded(fit_coder(words, N, "auto"), words).rows.toarray())
    smooth = smoother(to_scipy(graph))
    found = list(smoothed_coordinates(sp.csr_array(rows), smooth, (0, 3), 4, np.random.default_rng(0)))
    for order, coordinates in zip((0, 3), found, strict=True):
        left, values, _ = np.linalg.svd(np.linalg.matrix_power(smooth.toarray(), order) @ rows)
        exact = left[:, :4] * values[:4]
        np.testing.assert_allclose(coordinates @ coordinates.T, exact @ exact.T, atol=0.02)


def test_a_row_of_words_counts_as_far_as_it_is_known():
    words = sp.csr_array(np.array([[5.0, 0, 0, 0], [1, 1, 1, 1], [0, 2, 0, 900], [0, 0, 0, 0]]))
    rows = coded(fit_coder(words, 4, "auto"), words).rows
    length = np.sqrt(rows.power(2).sum(axis=1))
    np.testing.assert_allclose(length, np.sqrt([1, 4, 2, 0]))
    inverse_frequency = np.log(5 / (1 + np.array([2, 2, 1, 2]))) + 1
    mix = words.toarray()[1:3] * inverse_frequency
    np.testing.assert_allclose(unit_rows(rows.toarray()[1:3]), unit_rows(mix))


def test_numbers_are_smoothed_to_means_of_neighbourhoods():
    star = to_scipy(from_edges([[0, 1], [0, 2], [0, 3]]))
    mass = np.sqrt(np.array([4.0, 2, 2, 2]))
    X = np.array([[1.0], [3.0], [5.0], [11.0]])
    once = next(smoothed_coordinates(X, smoother(star), (1,), 1, np.random.default_rng(0), mass))
    expected = [(1 + 20 / 4) / 2, (3 + 4 / 2) / 2, (5 + 6 / 2) / 2, (11 + 12 / 2) / 2]
    np.testing.assert_allclose(np.abs(once[:, 0]), expected)


def test_link_coordinates_part_two_groups_and_leave_lone_nodes_at_the_origin():
    block = np.kron(np.eye(2), np.ones((150, 150))) - np.eye(300)
    links = sp.csr_array(sp.block_diag([block, np.zeros((2, 2))]))
    found = unit_rows(link_coordinates(links, 2, np.random.default_rng(0)))
    assert np.abs(found[300:]).max() == 0
    inside = found[:300] @ found[:300].T
    assert inside[:150, :150].min() > inside[:150, 150:].max() + 0.5


def test_link_profiles_are_logarithms_of_found_over_expected():
    links = to_scipy(from_edges([[0, 1], [2, 3], [1, 2]]))
    found = np.array([[2.0, 1], [1, 2]])
    expected = np.full((2, 2), 1.5)
    np.testing.assert_allclose(link_profiles(links, np.array([0, 0, 1, 1]), 2), np.log((found + 1) / (expected + 1)))


def test_held_out_nats_grow_with_the_truth_of_the_labels_and_noise_earns_nothing():
    graph, words = links_of(TRUTH, 0.8), words_of(TRUTH, 0.6)
    shown = split(to_scipy(graph), coded(fit_coder(words, N, "auto"), words), np.random.default_rng(0))
    wrong = np.random.default_rng(1).permutation(TRUTH)
    links = [link_gain(shown.links, shown.unseen_links, labels, K).nats for labels in (TRUTH, wrong)]
    values = [attribute_gain(shown.attributes, shown.unseen, labels, K).nats for labels in (TRUTH, wrong)]
    assert links[0] > 300 > 30 > links[1]
    assert values[0] > 1000 > 60 > values[1]


def test_the_fainter_the_signal_the_stronger_the_pull_that_predicts_best():
    pulls = []
    for share in (0.9, 0.15):
        words = words_of(TRUTH, share, d=600)
        shown = split(
            to_scipy(links_of(TRUTH, 0.8)), coded(fit_coder(words, N, "auto"), words), np.random.default_rng(0)
        )
        pulls.append(attribute_gain(shown.attributes, shown.unseen, TRUTH, K).pull)
    assert pulls[0] < pulls[1]


def test_saved_nats_add_up_link_by_link_and_word_by_word():
    shown = split_of(0.4, 0.4)
    weight = 0.5 + np.arange(N) / N
    shown.unseen_links.data[:] = np.multiply(*(weight[ends] for ends in shown.unseen_links.tocoo().coords))
    links = link_gain(shown.links, shown.unseen_links, TRUTH, K)
    row, column = sp.triu(shown.unseen_links).nonzero()
    of_links = link_profiles(shown.links, TRUTH, K, links.pull)
    each = shown.unseen_links[row, column] * of_links[TRUTH[row], TRUTH[column]]
    values = attribute_gain(shown.attributes, shown.unseen, TRUTH, K)
    row, column = shown.unseen.nonzero()
    of_words = attribute_profiles(shown.attributes, TRUTH, K, values.pull).center[column, TRUTH[row]]
    np.testing.assert_allclose(links.nats, each.sum() / SHARE)
    np.testing.assert_allclose(values.nats, of_words.sum() / SHARE)


@pytest.mark.parametrize(("inside", "share", "degree", "who"), [(0.5, 0.4, 10, (1, 1)), (0.4, 0.0, 3, (1, 0))])
def test_a_side_of_noise_is_not_heard_however_much_it_is_trusted(inside, share, degree, who):
    shown = split_of(inside, share, degree)
    trusting = Judged(1.0, 1.0, 1.0, 1.0, (1.0, 10.0), None)
    found = heard(shown, TRUTH, K, trusting, np.random.default_rng(0))
    assert (found.links_trust, found.attributes_trust) == who


def test_what_is_held_out_is_not_seen():
    graph, words, X = both_sides()
    for attributes in (words, X):
        rows = coded(fit_coder(attributes, N, "auto"), attributes)
        shown = split(to_scipy(graph), rows, np.random.default_rng(0))
        assert (abs(shown.links + shown.unseen_links - to_scipy(graph))).sum() == 0
        assert shown.links.multiply(shown.unseen_links).sum() == 0
        if sp.issparse(attributes):
            assert shown.attributes.known.multiply(shown.unseen).sum() == 0
            assert shown.attributes.rows.multiply(shown.unseen).sum() == 0
        else:
            assert (shown.attributes.rows[np.isfinite(shown.unseen)] == 0).all()


def test_coordinates_of_the_links_are_the_same_bits_at_each_call():
    clique = sp.csr_array(sp.block_diag([np.ones((4, 4)) - np.eye(4), np.zeros((296, 296))]))
    found = [link_coordinates(clique, 4, np.random.default_rng(0)) for _ in range(4)]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
