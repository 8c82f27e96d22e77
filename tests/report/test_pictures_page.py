"""The record and the page of pictures: documented, complete, in one piece, and nothing in it is read as markup."""

import json
import re
from pathlib import Path

import pytest

import coterie.report
from coterie.errors import InputError
from coterie.report import record as records
from coterie.report.pictures_page import pictures_html, pictures_summary
from coterie.report.pictures_text import pictures_text
from report.picture_records import make_picture_record
from report.schemas import problems

REPORT = Path(coterie.report.__file__).parent
SCHEMA = json.loads((REPORT / "schema" / "pictures-1.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stack")


@pytest.fixture
def record(folder):
    return make_picture_record(folder)


def test_a_record_of_a_real_run_fits_the_schema(record):
    assert list(problems(record, SCHEMA)) == []


def test_every_field_at_the_top_of_the_schema_is_in_the_record(record):
    assert set(SCHEMA["properties"]) == set(record)


def test_a_record_survives_being_written_and_read(record):
    assert records.loads(records.dumps(record)) == record


@pytest.mark.parametrize("damage", ["schema", "clusters", "pictures", "thumbnails"])
def test_a_damaged_record_is_refused(record, damage):
    del record[damage]
    with pytest.raises(InputError):
        pictures_html(record)


@pytest.mark.parametrize(
    "image", ["javascript:alert(1)", "data:text/html;base64,AAAA", 'data:image/png;base64,A" onerror="alert(1)', 7]
)
def test_an_image_that_is_none_is_refused(record, image):
    record["thumbnails"][next(iter(record["thumbnails"]))] = image
    with pytest.raises(InputError, match="image"):
        pictures_html(record)


def test_a_name_that_is_markup_stays_text(record):
    row = record["clusters"][0]["exemplars"][0]
    record["rows"]["sample"][str(row)]["picture"] = '"><script>alert(1)</script>.png'
    page = pictures_html(record)
    assert "<script>alert" not in page
    assert "<script>alert" in pictures_text(record)


def test_the_page_is_one_piece_without_addresses(record):
    record["rows"]["sample"]["0"]["picture"] = "https://example.org/a.png"
    page = pictures_html(record)
    assert re.findall(r"https?://", page) == []
    assert re.findall(r"<(?:link|img|script|iframe)[^>]*(?:src|href)=\"(?!data:)", page) == []


def test_the_scripts_are_small_and_use_nothing_that_reads_text_as_markup():
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((REPORT / "page" / "pictures").glob("*.js")))
    assert len(source.encode()) <= 30_000
    forbidden = r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|\bfetch\b|XMLHttp|import\("
    assert re.findall(forbidden, source) == []


def test_the_text_names_groups_by_their_exemplars(record):
    text = pictures_text(record, width=80)
    assert text.startswith("shapes.npz: 3 groups in 90 pictures\n")
    assert all(len(line) <= 80 for line in text.splitlines())
    for cluster in record["clusters"]:
        assert ", ".join(map(str, cluster["exemplars"][:3])) in text


def test_a_picture_unlike_all_others_is_among_the_unusual(record):
    assert record["outliers"]["top"][0]["row"] == 0
    assert "0" in record["thumbnails"]


def test_names_say_what_is_striking_and_features_what_can_be_seen(record):
    names = [cluster["name"].lower() for cluster in record["clusters"]]
    assert ["reddish" in name for name in names] == [True, False, False]
    assert ["greenish" in name for name in names] == [False, True, False]
    assert len(set(names)) == 3
    for cluster in record["clusters"]:
        assert all(abs(one["here"] - one["elsewhere"]) >= 2 for one in cluster["features"])


def test_a_notebook_shows_the_exemplars_without_a_script(record):
    summary = pictures_summary(record)
    assert summary.count("<img ") == 18
    assert "<script" not in summary
    assert "3 groups in 90 pictures" in summary
