"""``coterie recommend``: what is written and said, and one sentence where a file cannot be used."""

import csv
import json

import numpy as np
import pytest

from applications.tastes import made_ratings

FILES = {
    "recommendations.csv",
    "groups.csv",
    "users.csv",
    "evaluation.json",
    "model.coterie",
    "metrics.json",
    "run.json",
    "report.html",
}


def _write(path, columns):
    lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join([",".join(columns), *lines]) + "\n")


def _lines(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def made(tmp_path):
    """Return ratings, written to ratings.csv."""
    ratings = made_ratings(60, 30)
    _write(tmp_path / "ratings.csv", ratings)
    return ratings


@pytest.mark.parametrize(
    ("more", "told"), [((), "@u000"), (("--excel-safe",), "'@u000")], ids=["as it came", "defused"]
)
def test_names_stay_as_they_came_unless_a_spreadsheet_shall_read_them(call, tmp_path, more, told):
    ratings = made_ratings(40, 20)
    _write(tmp_path / "ratings.csv", ratings | {"user": [f"@{user}" for user in ratings["user"]]})
    assert call("recommend", "ratings.csv", "-k", "2", "--no-report", *more).code == 0
    for name in ("recommendations.csv", "users.csv"):
        assert told in {line["user"] for line in _lines(tmp_path / "ratings.coterie" / name)}


def test_a_run_says_what_it_took_and_writes_its_files(call, made, tmp_path):
    ended = call("recommend", "ratings.csv", "--top", "3", "-k", "3")
    assert ended.code == 0, ended.err
    assert ended.out == ""
    folder = tmp_path / "ratings.coterie"
    assert {path.name for path in folder.iterdir()} == FILES
    assert "user user, item item, rating rating, time time" in ended.err
    assert "Suggestions for 60 users in 3 taste groups" in ended.err
    told = _lines(folder / "recommendations.csv")
    assert len(told) == 180
    assert {"user", "rank", "item", "title", "score", "support", "rating", "low", "high", "group", "reason"} <= set(
        told[0]
    )
    assert len(_lines(folder / "users.csv")) == 60
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    assert all(one["definition"] for one in metrics.values())
    assert {"ndcg", "popularity_ndcg", "coverage", "variety", "rmse", "overlap_seeds", "group_stability"} <= set(
        metrics
    )
    assert set(json.loads((folder / "evaluation.json").read_text())) == {
        "consistency",
        "rolling",
        "sparsity",
        "calibration",
    }
    page = (folder / "report.html").read_text()
    for title in (
        "What to suggest to whom",
        "window by window",
        "What each group likes",
        "Are predicted ratings right?",
    ):
        assert title in page
    _write(tmp_path / "new.csv", {"user": ["x"] * 4, "item": [0, 3, 6, 9], "rating": [5] * 4})
    suggested = call("recommend", "new.csv", "--model", folder, "--top", "2")
    assert suggested.code == 0, suggested.err
    assert [int(line["item"]) % 3 for line in csv.DictReader(suggested.out.splitlines())] == [0, 0]


def _spoiled(kind, ratings):
    columns = {name: values.astype(object) for name, values in ratings.items()}
    if kind == "no user":
        columns["thing"] = columns.pop("user")
    elif kind == "text":
        columns["rating"][:] = "good"
    elif kind == "one user":
        columns["user"][:] = "me"
    elif kind == "no repeats":
        columns["item"] = np.arange(len(columns["item"]))
    elif kind == "contradictions":
        del columns["time"]
        columns = {name: np.append(values, values[:1]) for name, values in columns.items()}
        columns["rating"][-1] = 6.0 - columns["rating"][0]
    elif kind == "times":
        columns["time"][:] = "last spring"
    elif kind == "equal":
        columns["rating"][:] = 4
    elif kind == "wide":
        columns = {"name": np.arange(30), **{f"film {i}": np.arange(30) % 5 for i in range(40)}}
    return columns


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        ("no user", [], "no column of bad.csv is named like the user; name it with --user"),
        ("text", [], "ratings must be numbers, but column 'rating' holds text, such as 'good'"),
        ("one user", [], "holds 1 user"),
        ("no repeats", [], "no item of bad.csv was chosen by two users"),
        ("contradictions", [], "1 rating contradicts another of the same user and item"),
        ("times", [], "times in column 'time' cannot be read, such as 'last spring'"),
        ("equal", [], "ratings in column 'rating' are 4, which tells nothing of taste; give --rating none"),
        ("wide", [], "looks like a matrix with a column for each item"),
        ("good", ["--half-life", "0"], "half_life must be a time above 0 such as 14D"),
        ("good", ["--items", "other.csv"], "no column of other.csv holds the items of the ratings"),
        ("good", ["--like", "9"], "like must be a rating from 1 to 5, got 9"),
        ("good", ["--user", "item"], "cannot name both the user and the item"),
        ("good", ["--time", "none", "--half-life", "3D"], "half_life needs a column of times"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_in_one_sentence(call, made, tmp_path, kind, arguments, said):
    _write(tmp_path / "bad.csv", _spoiled(kind, made))
    _write(tmp_path / "other.csv", {"code": ["a", "b"], "title": ["A", "B"]})
    if "--user" in arguments:
        arguments = [*arguments, "--item", "item"]
    ended = call("recommend", "bad.csv", "-o", "out", *arguments)
    assert ended.code == 3, ended.err
    errors = [line for line in ended.err.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert said in errors[0]
    assert not (tmp_path / "out").exists()


def test_new_ratings_that_are_no_numbers_are_refused(call, tmp_path):
    rng = np.random.default_rng(0)
    lines = [f"u{u},i{i},{rng.integers(1, 6)}" for u in range(30) for i in rng.choice(20, 8, replace=False)]
    (tmp_path / "old.csv").write_text("\n".join(["user,item,rating", *lines]) + "\n")
    assert call("recommend", "old.csv", "-o", "out", "-q").code == 0
    (tmp_path / "new.csv").write_text("user,item,rating\nnew,i1,good\nnew,i2,bad\n")
    ended = call("recommend", "new.csv", "--model", "out")
    assert ended.code == 3
    assert "ratings must be numbers" in ended.err


def test_with_a_model_what_would_do_nothing_is_refused_and_strangers_are_told(call, made, tmp_path):
    assert call("recommend", "ratings.csv", "-o", "out", "-q").code == 0
    ended = call("recommend", "ratings.csv", "--model", "out", "--half-life", "3M", "--like", "4")
    assert ended.code == 2
    assert "--half-life and --like would do nothing; leave them out, or leave out --model" in ended.err
    (tmp_path / "new.csv").write_text("user,item,rating,time\nx,999,5,2024-05-01\n")
    ended = call("recommend", "new.csv", "--model", "out")
    assert ended.code == 0
    assert "1 user has no item that the model knows" in " ".join(ended.err.split())
    ended = call("predict", "out", "new.csv")
    assert ended.code == 3
    assert "use coterie recommend new.csv --model out" in ended.err


def test_a_half_life_that_was_given_is_not_said_to_have_served_best(call, made, tmp_path):
    ended = call("recommend", "ratings.csv", "-o", "out", "--half-life", "3W", "-v")
    assert "likes lose half their weight in 21 days, as was asked" in " ".join(ended.err.split())
