"""``coterie report``: names for groups from the command line."""

import json
import shutil

import numpy as np
import pytest

import coterie


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    rng = np.random.default_rng(0)
    data = {"age": rng.normal(np.tile([20, 60], 40), 2), "visits": rng.normal(np.tile([9, 2], 40), 0.5)}
    place = tmp_path_factory.mktemp("report")
    coterie.run(data, method="KMeans", n_clusters=2).write(place / "out.coterie")
    return place / "out.coterie"


@pytest.fixture
def folder(written, tmp_path):
    shutil.copytree(written, tmp_path / "out.coterie")
    return tmp_path / "out.coterie"


def test_rename_writes_the_names_into_record_and_page(call, folder):
    ended = call("report", "out.coterie", "--rename", "0=Big = best", "--rename", "1=Others")
    assert (ended.code, ended.out) == (0, "")
    names = [cluster["given_name"] for cluster in json.loads((folder / "run.json").read_text())["clusters"]]
    assert names == ["Big = best", "Others"]
    assert "Big = best" in (folder / "report.html").read_text()
    assert "Big = best" in call("report", "out.coterie", "--text").out
    assert "group 0, Big = best" in call("explain", "out.coterie", "-q").out


def test_a_name_is_taken_back_by_an_empty_one(call, folder):
    before = (folder / "run.json").read_bytes()
    assert call("report", "out.coterie", "--rename", "0=Big").code == 0
    assert call("report", "out.coterie", "--rename", "0=").code == 0
    assert (folder / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--rename", "7=Nobody"], 3, "there is no group 7 to rename; the groups are 0, 1"),
        (["--rename", "0=" + "x" * 81], 3, "at most 80 characters, got 81"),
        (["--rename", "Big spenders"], 2, "such as 0=\"Big spenders\", got 'Big spenders'"),
        (["--rename", "0=A", "--rename", "0=B"], 2, "names a group twice"),
        (["--rename", "0=A", "--text"], 2, "leave out --text"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_changes_nothing(call, folder, arguments, code, complaint):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ended = call("report", "out.coterie", *arguments)
    assert ended.code == code
    assert complaint in ended.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
