"""The recommender: tastes that were put in come out, and what it says of itself is right."""

import numpy as np
import pytest

from applications.tastes import made_ratings
from coterie import ClusterRecommender, load
from coterie.applications.recommend._columns import NONE, Given
from coterie.applications.recommend._evaluation import folds
from coterie.applications.recommend._interactions import read_interactions
from coterie.applications.recommend._ratings import PARTS
from coterie.errors import ClusterWarning, InputError, ResourceError
from coterie.report.recommend import recommend_sheet
from coterie.tables import read


@pytest.fixture(scope="module")
def made():
    """Return ratings of users of three tastes."""
    return made_ratings()


@pytest.fixture(scope="module")
def fitted(made):
    """Return a recommender fitted to them, with titles and tags."""
    items = {
        "item": range(60),
        "title": [f"Title {i}" for i in range(60)],
        "genres": [f"kind {i % 3}|all" for i in range(60)],
    }
    return ClusterRecommender(3, n_windows=4, n_restarts=4, min_share=0.1).fit(made, items=items)


def test_the_tastes_that_were_put_in_are_the_groups(fitted):
    tastes = np.array([int(name[1:]) % 3 for name in fitted.users_])
    assert len(fitted.groups_) == 3
    for g in range(3):
        assert len(set(tastes[fitted.labels_ == g])) == 1
    assert {group.name.split(" and ")[0] for group in fitted.groups_} == {"kind 0", "kind 1", "kind 2"}
    assert fitted.metrics_["group_stability"] > 0.9


def test_suggestions_are_of_the_own_taste_and_new_to_the_user(fitted, made):
    told = fitted.recommend(n=3, explain=True)
    had = set(zip(made["user"].tolist(), made["item"].tolist(), strict=True))
    own = [int(user[1:]) % 3 == int(item) % 3 for user, item in zip(told["user"], told["item"], strict=True)]
    assert np.mean(own) > 0.95
    assert not {(user, int(item)) for user, item in zip(told["user"], told["item"], strict=True)} & had
    assert told["rank"][:3] == [1, 2, 3]
    assert all(score >= later for score, later in zip(told["score"][:2], told["score"][1:3], strict=True))


@pytest.mark.parametrize(("n_items", "share"), [(60, 0.35), (2000, 0.008)], ids=["crowded", "few near"])
def test_who_asks_along_changes_no_bit(n_items, share):
    made = made_ratings(n_users=200, n_items=n_items, share=share)
    rec = ClusterRecommender(3, n_windows=2, n_restarts=1).fit(made)
    assert rec._learnt.ranker.taste.crowded == (n_items == 60)
    told = rec.recommend(n=4)
    for user in rec.users_[::17]:
        rows = [q for q, name in enumerate(told["user"]) if name == user]
        alone = rec.recommend([user], n=4)
        assert [(told["item"][q], told["score"][q]) for q in rows] == list(
            zip(alone["item"], alone["score"], strict=True)
        )


def test_a_reason_counts_what_it_says(fitted, made):
    told = fitted.recommend(["u005"], n=1, explain=True)
    group = fitted.labels_[fitted.users_.index("u005")]
    members = {user for user, label in zip(fitted.users_, fitted.labels_, strict=True) if label == group}
    liked = {user for user, item, rating in zip(*(made[name] for name in ("user", "item", "rating")), strict=True)
             if str(item) == told["item"][0] and rating >= 4}  # fmt: skip
    assert told["reason"][0].startswith(
        f"{len(liked & members)} of {len(members)} people in your group “{told['group'][0]}” liked it"
    )
    assert told["support"][0] == int((made["item"] == int(told["item"][0])).sum())


def test_ratings_are_predicted_and_their_interval_holds_nine_of_ten(fitted):
    good, bad = fitted.predict(["u000", "u000"], [0, 1])
    assert good > 4 > 3.5 > bad
    told = fitted.recommend(n=2)
    assert all(
        low <= rating <= high for low, rating, high in zip(told["low"], told["rating"], told["high"], strict=True)
    )
    assert fitted.metrics_["rmse"] < 0.8


def test_blends_are_better_than_a_baseline(fitted):
    """By the squared errors of four draws of such ratings together: what a blend adds is less than chance does in one."""
    others = [
        read_interactions(read(made_ratings(seed=seed)), Given(None, None, None, None), None) for seed in (1, 2, 3)
    ]
    told = [fitted.evaluate("folds"), *(folds(lines, n_chains=2, seed=0) for lines in others)]
    rmse = {part: np.mean([found[part]["rmse"] ** 2 for found in told]) ** 0.5 for part in PARTS}
    assert rmse["co-clustering"] < rmse["baseline"] - 0.2
    assert rmse["blended"] <= rmse["co-clustering"] + 0.01


def test_suggestions_at_a_window_do_not_know_what_came_later(made):
    settings = {"n_windows": 3, "n_restarts": 1, "like": 4}
    clean = ClusterRecommender(3, **settings).fit(made)
    start = clean._tried.outcomes[-1].start
    later = made["time"].astype("datetime64[D]").astype(float) > start
    turned = made | {"rating": np.where(later, 6.0 - made["rating"], made["rating"])}
    dirty = ClusterRecommender(3, **settings).fit(turned)
    one, other = clean._tried.outcomes[-1], dirty._tried.outcomes[-1]
    both, mine, theirs = np.intersect1d(one.users, other.users, return_indices=True)
    assert len(both) > 5
    for setting in one.lists:
        assert np.array_equal(one.lists[setting][mine], other.lists[setting][theirs])
    assert one.worth[setting]["ndcg"][mine].mean() > other.worth[setting]["ndcg"][theirs].mean()


def test_a_file_gives_the_same_suggestions(fitted, tmp_path):
    path = fitted.save(tmp_path / "model.coterie")
    again = ClusterRecommender.load(path)
    assert again.recommend(n=4, explain=True) == fitted.recommend(n=4, explain=True)
    assert again.metrics_ == fitted.metrics_
    assert isinstance(load(path).estimator, ClusterRecommender)


def test_the_same_seed_gives_the_same_and_others_nearly_so(fitted, made):
    again = ClusterRecommender(3, n_windows=4, n_restarts=4, min_share=0.1).fit(made)
    assert again.recommend(n=5)["item"] == fitted.recommend(n=5)["item"]
    assert again.recommend(n=5)["rating"] == fitted.recommend(n=5)["rating"]
    assert fitted.evaluate("consistency")["seeds"] >= 0.9


def test_diversity_makes_lists_more_varied(made):
    items = {"item": range(60), "genres": [f"kind {i % 3}|sort {i % 7}" for i in range(60)]}
    plain, varied = (
        ClusterRecommender(3, n_windows=1, n_restarts=1, diversity=diversity, half_life=None).fit(
            made, items=items, rating="none"
        )
        for diversity in (0.0, 1.0)
    )
    tags = [{i % 3, 10 + i % 7} for i in range(60)]

    def unlike(recommender):
        told = recommender.recommend(n=4)["item"]
        lists = np.array(told, int).reshape(-1, 4)
        return np.mean([len(tags[a] & tags[b]) for row in lists for a in row for b in row if a < b])

    assert unlike(varied) < unlike(plain) - 0.2


def test_new_users_get_their_taste_and_unknown_ones_what_many_like(fitted):
    history = {"user": ["a", "a", "a", "a", "b"], "item": [1, 4, 7, 10, 999], "rating": [5.0] * 5}
    with pytest.warns(ClusterWarning, match="1 of 2 users have no item that the model knows"):
        told = fitted.recommend(n=4, history=history, explain=True)
    mine = [int(item) % 3 for user, item in zip(told["user"], told["item"], strict=True) if user == "a"]
    assert mine == [1, 1, 1, 1]
    assert told["group"][0].startswith("kind 1")
    assert told["reason"][-1] == "many people like it now"
    assert "rating" not in told


def test_choices_without_ratings_and_times_are_enough(made):
    liked = made["rating"] >= 4
    model = ClusterRecommender(3).fit({"user": made["user"][liked], "item": made["item"][liked]})
    told = model.recommend(n=2)
    assert (
        np.mean([int(user[1:]) % 3 == int(item) % 3 for user, item in zip(told["user"], told["item"], strict=True)])
        > 0.95
    )
    assert model.metrics_["drawn_ndcg"] > model.metrics_["drawn_popularity_ndcg"]
    with pytest.raises(InputError, match="no ratings to learn from"):
        model.predict(["u000"], [0])


def test_fewer_lines_make_predictions_worse(fitted):
    curve = fitted.evaluate("sparsity")
    assert curve["dropped"] == [0.0, 0.5, 0.8, 0.9]
    assert curve["rmse"][0] < curve["rmse"][1] < curve["rmse"][3]
    assert curve["ndcg"][0] > curve["ndcg"][3]


def test_what_does_not_fit_is_refused_before_it_is_made(made):
    with pytest.raises(ResourceError, match="90 users and 60 items need"):
        ClusterRecommender().fit(made, memory_limit=1000)


@pytest.mark.parametrize("half_life", [0, "0D", "soon", -1.0, "30min", "10 seconds", "3ms", "9" * 400])
def test_a_half_life_must_be_a_time(made, half_life):
    with pytest.raises(ValueError, match="half_life"):
        ClusterRecommender(half_life=half_life).fit(made)


def test_the_last_rating_counts_where_there_are_times(made):
    twice = {name: np.append(values, values[:1]) for name, values in made.items()}
    twice["rating"][-1] = 6.0 - twice["rating"][0]
    twice["time"][-1] += np.timedelta64(400)
    model = ClusterRecommender(n_windows=1, n_restarts=1).fit(twice)
    row = (model._lines.user == model.users_.index(str(twice["user"][0]))) & (
        model._lines.item == model.items_.index(str(twice["item"][0]))
    )
    assert model._lines.rating[row].tolist() == [twice["rating"][-1]]
    assert any("repeat a user and item" in note for note in model.notes_)


def test_where_everybody_has_everything_nothing_is_suggested():
    model = ClusterRecommender().fit({"user": np.repeat(range(20), 10), "item": np.tile(range(10), 20)})
    assert model.recommend(n=3, explain=True)["item"] == []
    sheet = recommend_sheet(model)
    assert sheet.record["warnings"][0]["text"] == "Every user has every item, so there is nothing to suggest."


def test_a_half_life_that_was_given_is_kept_where_nobody_was_known_before(made):
    few = {name: values[::12] for name, values in made.items()}
    model = ClusterRecommender(half_life="30D", n_windows=2, n_restarts=1).fit(few)
    assert model.half_life_ == 30.0


@pytest.mark.thorough
def test_films_are_rated_better_than_by_the_baseline_and_lists_beat_what_is_popular(shared_data):
    folder = shared_data / "recsys" / "ml-latest-small"
    if not folder.is_dir():
        pytest.skip("no MovieLens ratings in the shared data")
    model = ClusterRecommender().fit(folder / "ratings.csv.gz", items=folder / "movies.csv.gz")
    found = model.evaluate("folds")
    # Surprise on the same folds: CoClustering .9655, SVD .8974, KNNBaseline .8739.
    assert found["co-clustering"]["rmse"] < 0.8974
    assert found["blended"]["rmse"] < 0.8739
    told = model.evaluate("rolling")
    assert told["ndcg"] >= told["popularity"]["ndcg"]
    assert told["coverage"] >= 2 * told["popularity"]["coverage"]
    assert model.evaluate("consistency")["seeds"] >= 0.9


def test_what_a_user_had_before_a_window_is_no_news_in_it():
    rng = np.random.default_rng(3)
    table = {"user": [], "item": [], "time": []}
    for user in range(30):
        own = rng.choice(20, 6, replace=False)
        for day in range(60):
            table["user"].append(f"u{user}")
            table["item"].append(f"i{rng.choice(own)}")
            table["time"].append(18_000.0 + day)
    lines = read_interactions(read(table), Given("user", "item", NONE, "time"), None)
    had = lines.until(18_030.0)
    assert (had.day <= 18_030.0).all()
    first = {}
    for user, item, day in zip(*table.values(), strict=True):
        first.setdefault((user, item), day)
    told = {
        (lines.users[u], lines.items[i]): day for u, i, day in zip(lines.user, lines.item, lines.since, strict=True)
    }
    assert told == first
    assert len(had.user) == sum(day <= 18_030.0 for day in first.values())


def test_what_cannot_be_asked_is_one_sentence(fitted):
    n = len(fitted._lines.user)
    for wrong in (np.zeros(n, int), np.arange(3)):
        with pytest.raises(InputError, match="folds must name two folds or more"):
            fitted.evaluate("folds", folds=wrong)
    with pytest.raises(InputError, match="no item is called 'zz'"):
        fitted.group_shares(["zz"])
    assert len(fitted.recommend(["u001"], n=10**9)["item"]) < 60
