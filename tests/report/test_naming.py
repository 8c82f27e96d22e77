"""Names of one's own for groups: given, checked, shown wherever groups are named, and kept by the folder."""

import json
import re

import pytest

from coterie import report
from coterie.errors import InputError
from coterie.report.naming import name_of, rename
from coterie.report.notebook import summary
from coterie.report.stored import open_run
from report.network_records import make_network_record
from report.records import make_record


@pytest.fixture(scope="module")
def record():
    return make_record()


@pytest.fixture
def folder(analysis, tmp_path):
    analysis.write(tmp_path / "out.coterie", report=False)
    return tmp_path / "out.coterie"


def test_a_given_name_stands_beside_the_one_that_was_found(record):
    named = rename(record, {1: "Big spenders"})
    assert named["clusters"][1] == record["clusters"][1] | {"given_name": "Big spenders"}
    assert named["clusters"][0] == record["clusters"][0]
    assert "given_name" not in record["clusters"][1]


def test_an_empty_name_takes_an_earlier_one_back(record):
    assert rename(rename(record, {1: "Big spenders"}), {1: ""}) == record


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Two\n\twords ", "Two words"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("\ud800half", "half"),
        ("\u202egnp.\u202c\u2066exe\u2069", "gnp.exe"),
        ("مشترو الكثير", "مشترو الكثير"),
        ("🧑‍🤝‍🧑 friends", "🧑‍🤝‍🧑 friends"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("x" * 80, "x" * 80),
    ],
)
def test_names_are_plain_text_of_any_script(record, given, kept):
    named = rename(record, {0: given})["clusters"][0]
    assert (named["given_name"], name_of(named)) == (kept, kept)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ({9: "Nobody"}, "there is no group 9 to rename; the groups are 0, 1, 2, 3, 4"),
        ({-1: "Rest"}, "there is no group -1"),
        ({"0": "Text"}, "there is no group '0'"),
        ({True: "Yes"}, "there is no group True"),
        ({0: 7}, "the name of group 0 must be text, got 7"),
        ({0: "x" * 81}, "must have at most 80 characters, got 81; shorten it"),
    ],
)
def test_what_cannot_be_a_name_is_refused(record, names, complaint):
    with pytest.raises(InputError, match=re.escape(complaint)):
        rename(record, {2: "Fine", **names})


def test_classes_of_a_network_have_names_too():
    named = rename(make_network_record(), {0: "The club"})
    assert "The club" in report.text_of(named)


def test_text_notebook_and_the_page_without_scripts_show_the_given_name(record):
    named = rename(record, {1: "Big <spenders>"})
    assert "Big <spenders>" in report.text(named)
    static = re.search(r"<noscript>(.*?)</noscript>", report.html(named), re.S).group(1)
    for shown in (static, summary(named)):
        assert "Big &lt;spenders&gt;" in shown
        assert record["clusters"][1]["name"] not in shown


def test_a_folder_is_renamed_in_record_and_page_and_keeps_its_other_files(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "mine.txt").write_text("mine")
    report.render(folder, names={0: "Old ones"})
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(after) == set(before) | {"report.html", "mine.txt"}
    assert all(after[name] == before[name] for name in ("labels.csv", "model.coterie"))
    assert json.loads(after["run.json"])["clusters"][0]["given_name"] == "Old ones"
    assert "Old ones" in after["report.html"].decode()
    report.render(folder, names={0: ""})
    assert (folder / "run.json").read_bytes() == before["run.json"]


def test_nothing_is_written_where_one_name_cannot_be_given(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match="no group 9"):
        report.render(folder, names={0: "Fine", 9: "Nobody"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_model_of_a_run_calls_groups_by_their_given_names(folder):
    found = open_run(folder).names
    report.render(folder, names={2: "Old ones"})
    assert open_run(folder).names == found | {2: "Old ones"}
    assert open_run(folder).model.card["names"] == [found[0], found[1], "Old ones"]
