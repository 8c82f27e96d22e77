"""Parts of the recommender beside plain formulas."""

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_array

from coterie.applications.recommend._columns import NONE, Given
from coterie.applications.recommend._evaluation import gain
from coterie.applications.recommend._half_life import days_of
from coterie.applications.recommend._interactions import read_interactions
from coterie.applications.recommend._links import STRENGTH, fit_links, link_scores
from coterie.applications.recommend._lists import Likeness, best, coverage, gini, novelty, overlap, variety, worth
from coterie.applications.recommend._ranking import Setting, decay
from coterie.applications.recommend._ratings import _reach
from coterie.applications.recommend._reasons import reasons_for
from coterie.applications.recommend._taste import circle, fit_taste, liked_by, liked_in
from coterie.applications.recommend._windows import Trial, drawn, window_outcome
from coterie.errors import InputError
from coterie.tables import read


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


def _counts(taste, *args):
    """Return how much each user counts in circles, (r, n): what a circle likes where every user likes an item of its own."""
    return liked_in(circle(taste, *args), liked_by(taste, csr_array(np.eye(len(taste.counts))), len(taste.counts)))


def test_a_circle_sums_to_one_and_leaves_oneself_out():
    taste = fit_taste(_likes(40, 15), 3, 0)
    counts = _counts(taste, taste.profiles, taste.labels, np.arange(40))
    assert counts.sum(axis=1) == pytest.approx(np.ones(40))
    assert (counts >= 0).all()
    nobody = _counts(taste, csr_array((1, 15)), np.full((10, 1), -1))
    assert nobody == pytest.approx(np.full((1, 40), 1 / 40))


@pytest.mark.parametrize("share", [0.3, 0.01], ids=["many near", "few near"])
def test_a_circle_likes_what_the_plain_formula_says(share):
    random = np.random.default_rng(1)
    likes = csr_array((random.random((60, 90)) < share).astype(float))
    taste = fit_taste(likes, 3, 0)
    near = (taste.profiles @ taste.profiles.T).toarray() ** 2
    np.fill_diagonal(near, 0)
    near /= np.maximum(near.sum(axis=1, keepdims=True), 1e-12)
    alike = np.zeros((60, 60))
    for labels in taste.labels:
        same = (labels[:, None] == labels) & (labels >= 0)
        alike += same / np.maximum(same.sum(axis=1, keepdims=True), 1) / len(taste.labels)
    trust = (taste.counts / (taste.counts + 10.0))[:, None]
    taken = trust * (0.7 * near + 0.3 * alike)
    weights = taken + (1 - taken.sum(axis=1, keepdims=True)) / 60
    found = liked_in(circle(taste, taste.profiles, taste.labels, np.arange(60)), liked_by(taste, likes, likes.shape[0]))
    assert found == pytest.approx(weights @ likes.toarray(), abs=1e-12)


def test_reasons_are_those_counted_one_by_one():
    likes = _likes(50, 20, seed=3)
    dense, labels = likes.toarray() > 0, np.arange(50) % 4 - 1
    row, item = np.nonzero(~dense[:30])
    why = reasons_for(item, likes[:30], row, labels[row], likes, labels)
    for q, (r, i) in enumerate(zip(row, item, strict=True)):
        group = labels == labels[r] if labels[r] >= 0 else np.zeros(50, bool)
        usual = group.any() and dense[group, i].mean() >= dense[labels >= 0, i].mean()
        assert (why.group_liked[q], why.group_size[q]) == (dense[group, i].sum() if usual else 0, group.sum())
        both = {j: (dense[:, i] & dense[:, j]).sum() for j in np.flatnonzero(dense[r])}
        cosine = {j: n / np.sqrt(dense[:, i].sum() * dense[:, j].sum()) for j, n in both.items() if n >= 2}
        assert why.similar_to[q] == (max(cosine, key=cosine.get) if cosine else -1)
        assert why.common[q] == both.get(why.similar_to[q], 0)


@pytest.mark.parametrize(
    ("n_known", "n_new", "expected"),
    [(300, 100, (300, 100)), (900, 900, (250, 250)), (60, 900, (60, 440)), (900, 60, (440, 60)), (900, 0, (500, 0))],
)
def test_of_too_many_users_of_a_window_half_are_known_ones(n_known, n_new, expected):
    known = np.arange(n_known + n_new) < n_known
    some = drawn(np.arange(len(known)) + 7, known, (10_000, 10_000), 0)
    assert (known[some - 7].sum(), (~known[some - 7]).sum()) == expected
    assert (np.diff(some) > 0).all()


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


def test_a_range_counts_users_and_windows_and_not_their_lines():
    """Ten equal pairs of each user tell no more than one: the range is that of the means of the users."""
    rng = np.random.default_rng(0)
    of_user = rng.normal(0.02, 0.1, 40)
    more, user = np.repeat(of_user, 10), np.repeat(np.arange(40), 10)
    found = gain(more, (user,), 1)
    reach = stats.t.ppf(0.975, 39) * of_user.std(ddof=1) / 40**0.5
    assert found["high"] - found["mean"] == pytest.approx(reach)
    assert found["mean"] - found["low"] == pytest.approx(reach)
    assert gain(more, (user,), 6)["high"] > found["high"]  # the best of six rivals in hindsight is flattered
    assert gain(more, (user, np.arange(400)), 1) == found  # of several origins the least sure counts


@pytest.mark.parametrize("n", [9, 20, 150])
def test_nine_of_ten_further_errors_are_within_reach(n):
    errors = np.abs(np.random.default_rng(n).normal(size=(2_000, n + 1)))
    within = np.mean([one[-1] <= _reach(one[:-1]) for one in errors])
    assert 0.88 < within < 0.93


@pytest.mark.parametrize(
    ("columns", "given", "message"),
    [
        ({"user": [1, 2], "item": [1, 2], "rating": [1e300, 2.0]}, {}, "numbers within 1e"),
        ({"user": [1, 2], "item": [1, 2]}, {"like": 4.0}, "like=4 is for ratings"),
    ],
)
def test_ratings_that_say_nothing_are_refused(columns, given, message):
    with pytest.raises(InputError, match=message):
        read_interactions(read(columns), Given(None, None, None, None), given.get("like"))


def test_names_with_zeros_in_front_stay_apart(tmp_path):
    path = tmp_path / "bought.csv"
    path.write_text("user,item\n1,007\n1,07\n3,7\n4,007\n")
    assert read_interactions(read(path), Given(None, None, None, None), None).items == ["007", "07", "7"]


def test_a_rating_that_was_changed_later_counts_as_it_was():
    table = {
        "user": ["a", "a", "a", "b", "b", "c", "c"], "item": ["x", "x", "y", "x", "y", "y", "z"], "rating": [1.0, 5.0, 4.0, 5.0, 1.0, 2.0, 4.0],
        "time": np.array(["2024-01-01", "2024-03-01", "2024-01-05", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-06"], "datetime64[D]"),
    }  # fmt: skip
    lines = read_interactions(read(table), Given(), None)
    then = lines.until(float(np.datetime64("2024-02-01").astype(int)))
    at = np.flatnonzero((then.user == 0) & (then.item == 0))
    assert (then.rating[at].tolist(), then.liked[at].tolist()) == ([1.0], [False])
    assert lines.rating[(lines.user == 0) & (lines.item == 0)].tolist() == [5.0]


def test_who_comes_only_after_a_window_changes_nothing_in_it():
    random = np.random.default_rng(1)
    rows = [
        (f"u{u:03d}", f"i{i:02d}", 16_000.0 + random.uniform(0, 100))
        for u in range(80)
        for i in random.choice(60, 12, replace=False)
    ]
    later = [(f"v{u:03d}", f"i{i:02d}", 16_200.0 + u) for u in range(300) for i in random.choice(60, 3, replace=False)]
    setting = Setting(20.0, 0.5)

    def outcome(some):
        table = dict(zip(("user", "item", "time"), map(list, zip(*some, strict=True)), strict=True))
        return window_outcome(
            read_interactions(read(table), Given(rating=NONE), None), 16_060.0, 16_070.0, Trial([setting], 4, 0)
        )

    now, then = outcome(rows), outcome(rows + later)
    assert np.array_equal(now.lists[setting], then.lists[setting])
    assert now.worth[setting]["ndcg"].tolist() == then.worth[setting]["ndcg"].tolist()
