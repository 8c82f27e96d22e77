"""Parts of the recommender beside plain formulas."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from coterie.applications.recommend._half_life import days_of
from coterie.applications.recommend._links import STRENGTH, fit_links, link_scores
from coterie.applications.recommend._lists import Likeness, best, coverage, gini, novelty, overlap, variety, worth
from coterie.applications.recommend._ranking import decay
from coterie.applications.recommend._taste import circle, fit_taste


def _likes(n, m, seed=0):
    likes = (np.random.default_rng(seed).random((n, m)) < 0.3).astype(float)
    likes[0, 0] = 1.0
    return csr_array(likes)


@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
def test_links_are_the_closed_form_whichever_square_is_inverted(shape):
    likes = _likes(*shape)
    dense = likes.toarray()
    inverse = np.linalg.inv(dense.T @ dense + STRENGTH * np.eye(shape[1]))
    weights = np.eye(shape[1]) - inverse / np.diag(inverse)
    links = fit_links(likes)
    assert links.by_users == (shape[0] < shape[1])
    assert np.diag(weights) == pytest.approx(np.zeros(shape[1]), abs=1e-12)
    assert link_scores(links, likes[:5]) == pytest.approx(dense[:5] @ weights, abs=1e-9)


def test_a_circle_sums_to_one_and_leaves_oneself_out():
    taste = fit_taste(_likes(40, 15), 3, 0)
    users = np.arange(40)
    circles = circle(taste, taste.profiles, taste.labels, users)
    assert circles.sum(axis=1) == pytest.approx(np.ones(40))
    assert (circles >= 0).all()
    nobody = circle(taste, csr_array((1, 15)), np.full((10, 1), -1))
    assert nobody == pytest.approx(np.full((1, 40), 1 / 40))


def test_the_figures_of_lists_are_their_formulas():
    lists = np.array([[0, 1, 2], [0, 3, -1]])
    wanted = csr_array(np.array([[0, 1, 0, 1.0], [1.0, 0, 0, 0]]))
    told = worth(lists, wanted)
    assert told["ndcg"] == pytest.approx([(1 / np.log2(3)) / (1 + 1 / np.log2(3)), 1.0])
    assert told["recall"] == pytest.approx([0.5, 1.0])
    assert told["precision"] == pytest.approx([1 / 3, 1 / 3])
    assert coverage(lists, 8) == 0.5
    assert gini(np.array([[0, 1], [2, 3]]), 4) == pytest.approx(0.0)
    assert gini(np.array([[0, 0], [0, 0]]), 4) == pytest.approx(0.75)
    assert novelty(np.array([[0, 1]]), np.array([0.5, 0.25])) == pytest.approx(1.5)
    assert overlap(lists, np.array([[0, 1, 9], [7, 8, 9]])) == pytest.approx((2 / 3 + 0) / 2)


def test_variety_is_one_minus_the_jaccard_index_of_tags():
    likeness = Likeness(csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1.0]])), by_tags=True)
    assert variety(np.array([[0, 1]]), likeness) == pytest.approx(0.0)
    assert variety(np.array([[0, 2]]), likeness) == pytest.approx(1 - 1 / 3)


def test_the_best_come_first_ties_by_number_and_what_is_had_never():
    scores = np.array([[1.0, 3.0, 3.0, -np.inf], [-np.inf, -np.inf, 0.0, -np.inf]])
    assert best(scores, 3).tolist() == [[1, 2, 0], [2, -1, -1]]


def test_a_like_halves_with_every_half_life():
    assert decay(np.array([0.0, 7.0, 14.0]), 7.0) == pytest.approx([1.0, 0.5, 0.25])
    assert days_of("1W") == 7.0
