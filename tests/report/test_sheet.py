"""The record, the text, the page and the folder of an application: documented, complete, and nothing in it is read as markup."""

import copy
import functools
import json
import operator
import random
import re
from pathlib import Path

import pytest

import coterie.report
from coterie.errors import InputError, OutputError
from coterie.report import record as records
from coterie.report import render, text_of
from coterie.report.sheet import Sheet, metrics_of
from coterie.report.sheet_page import sheet_html
from coterie.report.sheet_text import figure, sheet_text
from report.schemas import problems
from report.sheets import make_bars, make_sections, make_sheet_record, png

REPORT = Path(coterie.report.__file__).parent
SCHEMA = json.loads((REPORT / "schema" / "sheet-1.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page():
    return sheet_html(make_sheet_record())


def sheet(**more):
    return Sheet(make_sheet_record(**more), {"segments.csv": lambda path: path.write_text("customer\n")})


def test_the_record_fits_its_schema():
    assert list(problems(make_sheet_record(), SCHEMA)) == []
    assert set(SCHEMA["properties"]) - {"files", "next"} <= set(make_sheet_record())


def test_a_record_survives_being_written_and_read():
    record = make_sheet_record()
    assert records.loads(records.dumps(record)) == record


@pytest.mark.parametrize("damage", ["schema", "answer", "groups", "sections", "metrics"])
def test_a_damaged_record_is_refused(damage):
    record = make_sheet_record()
    del record[damage]
    with pytest.raises(InputError):
        sheet_html(record)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"kind": "pie", "title": "x"}, "no kind is called 'pie'"),
        (make_bars(labels=["a"]), "values of 'expected' must be 1, got 4"),
        (make_bars(format="dollars"), "no format is called 'dollars'"),
        (make_bars(groups=[0, 1, 2, 9]), "names groups that are not there"),
        ({"kind": "bars", "title": "x", "labels": ["a"]}, "it has no series"),
        ({"kind": "lines", "title": "x", "x": [1, "a"], "series": []}, "x must be numbers, or texts"),
        ({"kind": "histogram", "title": "x", "edges": [1, 1], "series": []}, "each above the one before"),
        ({"kind": "heat", "title": "x", "rows": ["a"], "columns": ["b"], "values": [[1, 2]]}, "a list for each row"),
        ({"kind": "table", "title": "x", "columns": [{"name": "a"}], "rows": [[1]] * 501}, "at most 500 rows"),
        ({"kind": "table", "title": "x", "columns": [{"name": "a"}], "rows": [[1, 2]]}, "a value for each column"),
        ({"kind": "picture", "title": "x", "source": "http://127.0.0.1/x.png", "alt": ""}, "a picture is damaged"),
        ({"kind": "levels", "title": "x", "frames": [], "start": 0}, "start must be the number of a frame"),
    ],
)  # fmt: skip
def test_a_section_that_cannot_be_shown_is_said_in_one_sentence(part, words):
    with pytest.raises(InputError, match=words):
        make_sheet_record([part])
    record = make_sheet_record() | {"sections": [part]}
    with pytest.raises(InputError, match="section 0 of the record cannot be shown"):
        sheet_html(record)


def test_two_sections_of_one_title_are_refused_since_readers_of_screens_go_by_titles():
    with pytest.raises(InputError, match="two have the title 'Spend after the cut-off'"):
        make_sheet_record([make_bars(), make_bars()])


def test_groups_must_be_numbered_in_order():
    with pytest.raises(InputError, match="ids must be 0, 1, 2"):
        make_sheet_record(groups=[{"id": 1, "size": 2, "share": 1.0}])


def test_a_tint_must_be_a_colour():
    with pytest.raises(InputError, match="a tint must be a colour such as #3366cc, got 'url"):
        make_sheet_record(groups=[{"id": 0, "size": 2, "share": 1.0, "tint": "url(#x)"}], sections=[])


def places_in(value, path=()):
    """Every place in a record, as the keys that lead there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield (*path, key)
        yield from places_in(part, (*path, key))


def test_whatever_a_record_holds_in_the_wrong_place_is_shown_or_refused_in_a_sentence():
    whole, refused = make_sheet_record(), 0
    rng = random.Random(0)
    for *path, last in rng.sample(sorted(places_in(whole), key=str), 400):
        record = copy.deepcopy(whole)
        functools.reduce(operator.getitem, path, record)[last] = rng.choice(
            [None, "x", [], {}, [["x"]], {"a": 1}, -1, 2.5]
        )
        try:
            assert sheet_html(record).startswith("<!doctype html>")
            sheet_text(record)
        except InputError:
            refused += 1
    assert 100 < refused < 350


def test_the_page_is_one_piece_without_addresses(page):
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page) == []
    assert re.findall(r"<(?:link|script|iframe)[^>]*(?:src|href)=\"(?!data:)", page) == []


def test_the_scripts_use_nothing_that_reads_text_as_markup():
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((REPORT / "page" / "sheet").glob("*.js")))
    assert len(source.encode()) <= 60_000
    forbidden = r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|\bfetch\b|XMLHttp|import\("
    assert re.findall(forbidden, source) == []


def test_markup_is_text_everywhere():
    record = make_sheet_record()
    record["groups"][0]["name"] = record["headline"] = record["sections"][0]["title"] = (
        "</script><script>alert(1)</script>"
    )
    record["sections"][7]["alt"] = '"><script>alert(1)</script>'
    assert "<script>alert" not in sheet_html(record)


def test_without_scripts_the_page_tells_the_answer_and_every_section(page):
    static = re.search(r"<noscript>(.*?)</noscript>", page, re.S).group(1)
    for words in (
        "4 segments of 2,357 customers",
        "one-timers gone quiet",
        "80 customers paid nothing",
        "$120.00",
        "93%",
    ):
        assert words in static
    for part in make_sections():
        assert f"<h2>{part['title']}</h2>" in static
    assert static.count("<img ") == 2


def test_the_text_tells_the_answer_the_groups_and_the_figures():
    text = sheet_text(make_sheet_record(), width=80)
    assert text.startswith("sales.csv: 4 segments of 2,357 customers\nHalf of the spend")
    for words in (
        "51%  recent high spenders",
        "CLV $300",
        "Variance within segments  0.1371",
        "93% (90% to 96%)",
        "what to do: Leave them out",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_text_of_a_poisoned_record_has_no_control_characters():
    record = make_sheet_record()
    record["groups"][0] |= {"name": "\x1b[31mred\x07", "phrases": ["\x1b[0m"], "facts": [["\x1b", "\x1b"]]}
    record["metrics"][0]["label"] = record["headline"] = record["answer"][0] = record["noun"] = "\x1b]0;title\x07"
    assert "\x1b" not in sheet_text(record)


@pytest.mark.parametrize(
    ("value", "form", "unit", "words"),
    [
        (None, "number", None, "–"), (0.12345, "number", None, "0.1235"), (1234.5, "number", None, "1,234"), (12, "number", None, "12"),
        (1e-6, "number", None, "1.00e-06"), (0.0734, "percent", None, "7.3%"), (-0.2, "percent", None, "-20%"), (3.7, "integer", None, "4"),
        (312.4, "money", "$", "$312.40"), (-5, "money", "€", "-€5.00"), (12345.6, "money", None, "12,346"), (0.012, "seconds", None, "12 ms"),
        (3, "number", "days", "3 days"), ("2026-01-31", "date", None, "2026-01-31"), ("a\x1bb", "text", None, "a\ufffdb"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_its_format_asks(value, form, unit, words):
    assert figure(value, form, unit) == words


def test_a_folder_holds_the_own_files_the_metrics_the_record_and_the_page(tmp_path):
    written = sheet().write(tmp_path / "sales.coterie")
    assert [path.name for path in written.values()] == ["segments.csv", "metrics.json", "run.json", "report.html"]
    assert all(path.is_file() for path in written.values())
    found = json.loads(written["metrics"].read_text())
    assert found == json.loads(json.dumps(metrics_of(make_sheet_record())))
    assert found["schema"] == "coterie.metrics/1"
    assert found["metrics"]["stability"] == {
        "value": 0.93,
        "low": 0.9,
        "high": 0.96,
        "definition": "agreement of two draws",
    }
    assert found["metrics"]["cac"]["value"] is None
    record = json.loads(written["record"].read_text())
    assert record["files"]["segments"] == "segments.csv"
    assert record["next"] == [f"open {tmp_path / 'sales.coterie' / 'report.html'}"]


def test_the_page_can_be_left_out_and_made_later_with_names(tmp_path):
    folder = tmp_path / "a"
    assert "report" not in sheet().write(folder, report=False)
    assert not (folder / "report.html").exists()
    render(folder, names={0: "Whales"})
    assert "Whales" in (folder / "report.html").read_text(encoding="utf-8")
    assert "Whales" in text_of(json.loads((folder / "run.json").read_text(encoding="utf-8")))


def test_an_analysis_of_another_kind_is_replaced_and_what_is_not_ours_stays(tmp_path):
    folder = tmp_path / "a"
    sheet().write(folder)
    (folder / "mine.csv").write_text("mine")
    Sheet(make_sheet_record(kind="anomaly"), {"alerts.csv": lambda path: path.write_text("row\n")}).write(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "alerts.csv",
        "metrics.json",
        "mine.csv",
        "report.html",
        "run.json",
    ]


def test_a_record_cannot_have_files_removed_that_no_sheet_writes(tmp_path):
    folder = tmp_path / "a"
    written = sheet().write(folder)
    record = json.loads(written["record"].read_text())
    record["files"] |= {"x": "thesis.doc", "y": "../b.csv"}
    written["record"].write_text(json.dumps(record))
    (folder / "thesis.doc").write_text("mine")
    (tmp_path / "b.csv").write_text("mine")
    sheet().write(folder)
    assert (folder / "thesis.doc").exists()
    assert (tmp_path / "b.csv").exists()


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    def fail(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        Sheet(make_sheet_record(), {"a.csv": fail}).write(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_what_comes_next_names_the_folder():
    found = Sheet(make_sheet_record(), {}, ["coterie predict {folder}/model.coterie new.csv"])
    assert found.steps_from("my shop") == [
        "open 'my shop/report.html'",
        "coterie predict 'my shop'/model.coterie new.csv",
    ]


def test_a_notebook_shows_the_answer_and_no_markup_of_the_data():
    record = make_sheet_record(headline="<img src=x>")
    shown = Sheet(record)._repr_html_()
    assert "&lt;img" in shown
    assert "recent high spenders" in shown


def test_a_sheet_of_next_to_nothing_still_has_a_page_and_a_text():
    record = make_sheet_record([], groups=[], metrics=[], warnings=[], notes=[], steps=[], words=[], options={})
    assert sheet_text(record).startswith("sales.csv: 4 segments")
    assert "<h1>" in sheet_html(record)
    assert png(1, 2, 3).startswith("data:image/png")
