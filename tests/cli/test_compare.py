"""``coterie compare``: runs, and methods on one file, side by side."""

import json
import shutil

import numpy as np
import pytest

import coterie


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A file of three groups, two of them near each other, with two runs of it and one of fewer rows."""
    place = tmp_path_factory.mktemp("compare")
    rng = np.random.default_rng(0)
    lines = ["age,spend"]
    for row in range(240):
        age, spend = np.array([(25, 20), (60, 90), (60, 60)])[row % 3] + rng.normal(0, 3, 2)
        lines.append(f"{age:.1f},{spend:.2f}")
    for name, rows, k in (("fewer", 200, 2), ("k2", 241, 2), ("k3", 241, 3)):
        (place / "shop.csv").write_text("\n".join(lines[:rows]) + "\n")
        coterie.run(place / "shop.csv", method="KMeans", n_clusters=k).write(place / name, report=False)
    return place


@pytest.fixture
def runs(made, tmp_path):
    """A copy of them, where the command runs."""
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def test_two_runs_side_by_side(call, runs):
    ended = call("compare", "k2", "k3")
    assert ended.code == 0, ended.err
    assert "k2 2, k3 3" in ended.out
    assert "* the same group in both" in ended.out
    assert "240 rows from shop.csv, prepared as for k2" in ended.err


def test_the_json_of_a_comparison(call, runs):
    found = json.loads(call("compare", "k2", "k3", "--json", "-q").out)
    assert found["schema"] == "coterie.compare/1"
    assert found["data"] == "shop.csv"
    assert found["rows"] == 240
    assert [len(grouping["groups"]) for grouping in found["groupings"]] == [2, 3]
    assert all(grouping["dbcv"] is not None for grouping in found["groupings"])
    (pair,) = found["pairs"]
    assert pair["moves"][0]["rows"] == 80
    labels = [np.loadtxt(runs / f"k{k}" / "labels.csv", delimiter=",", skiprows=1)[:, 1] for k in (2, 3)]
    move = pair["moves"][0]
    assert ((labels[0] == move["a"]) & (labels[1] == move["b"])).sum() == 80


def test_methods_on_one_file(call, runs):
    ended = call("compare", "shop.csv", "--methods", "k-means, genie", "-k", "3", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert [grouping["name"] for grouping in found["groupings"]] == ["KMeans", "Genie"]
    assert found["pairs"][0]["ari"] > 0.95
    assert "speaks for them" in found["verdict"]
    assert [line.split()[0] for line in ended.err.splitlines()] == ["read", "tried", "tried"]


def test_data_that_moved_are_given_by_hand(call, runs):
    (runs / "elsewhere").mkdir()
    (runs / "shop.csv").rename(runs / "elsewhere" / "moved.csv")
    without = call("compare", "k2", "k3", "--json")
    assert "give it by --data" in without.err
    assert json.loads(without.out)["same_rows"] is False
    found = json.loads(call("compare", "k2", "k3", "--json", "--data", "elsewhere/moved.csv").out)
    assert found["same_rows"] is True


def test_runs_of_other_rows_are_refused(call, runs):
    ended = call("compare", "k2", "fewer")
    assert (ended.code, ended.out) == (3, "")
    assert "k2 (shop.csv, 240 rows) and fewer (shop.csv, 199 rows) are of different rows" in ended.err
    (runs / "shop.csv").write_text("age,spend\n1,2\n")
    ended = call("compare", "k2", "k3", "--data", "shop.csv")
    assert ended.code == 3
    assert "does not hold the rows of k2" in ended.err


def test_folders_of_the_same_name_are_told_apart(call, runs):
    (runs / "old").mkdir()
    shutil.copytree(runs / "k2", runs / "old" / "k2")
    found = json.loads(call("compare", "k2", "old/k2", "--json").out)
    assert [grouping["name"] for grouping in found["groupings"]] == ["k2 (1)", "k2 (2)"]


def test_a_comparison_goes_to_a_file(call, runs):
    ended = call("compare", "k2", "k3", "-o", "both.txt", "-q")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (runs / "both.txt").read_text() == call("compare", "k2", "k3", "-q").out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "give two or more folders of results, or one file of rows"),
        (["k2"], 2, "k2 is one run; give another one"),
        (["k2", "k3", "--methods", "kmeans,genie"], 2, "--methods is for one FILE of rows"),
        (["k2", "shop.csv"], 3, "shop.csv is no folder of results"),
        (["shop.csv", "--methods", "kmeans"], 2, "--methods takes two names or more"),
        (["shop.csv", "--methods", "kmeans,nonsense"], 2, "nonsense"),
        (["shop.csv", "--data", "shop.csv"], 2, "--data is for folders of results"),
        (["shopp.csv"], 2, "did you mean shop.csv?"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(call, runs, arguments, code, words):
    ended = call("compare", *arguments)
    assert ended.code == code
    assert words in ended.err
    assert ended.out == ""
