"""The record and the page of a network: documented, complete, in one piece, and nothing in it is read as markup."""

import json
import re
from pathlib import Path

import pytest

import coterie.report
from coterie.errors import InputError
from coterie.report import record as records
from coterie.report.network_page import network_html
from coterie.report.network_text import network_text
from report.network_records import make_network_record, make_timed_record
from report.schemas import problems

REPORT = Path(coterie.report.__file__).parent
SCHEMA = json.loads((REPORT / "schema" / "network-1.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page():
    return network_html(make_network_record())


@pytest.mark.parametrize("directed", [False, True])
def test_a_record_of_a_real_run_fits_the_schema(directed):
    assert list(problems(make_network_record(directed=directed), SCHEMA)) == []


def test_every_field_at_the_top_of_the_schema_is_in_the_record():
    written = {"truth", "steps", "options", "files", "next"}
    assert set(SCHEMA["properties"]) - written <= set(make_timed_record())


def test_a_record_over_time_fits_the_schema_and_only_that_has_the_part_on_time():
    assert list(problems(make_timed_record(), SCHEMA)) == []
    assert "time" not in make_network_record()
    assert "series-line" in network_html(make_timed_record())
    assert "series-line" not in network_html(make_network_record())


def test_a_record_survives_being_written_and_read():
    record = make_network_record()
    assert records.loads(records.dumps(record)) == record


@pytest.mark.parametrize("damage", ["schema", "classes", "relations"])
def test_a_damaged_record_is_refused(damage):
    record = make_network_record()
    del record[damage]
    with pytest.raises(InputError):
        network_html(record)


def test_the_page_is_one_piece_without_addresses(page):
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page) == []
    assert re.findall(r"<(?:link|img|script|iframe)[^>]*(?:src|href)=\"(?!data:)", page) == []


def test_the_scripts_use_nothing_that_reads_text_as_markup():
    scripts = sorted((REPORT / "page" / "network").glob("*.js"))
    source = "\n".join(path.read_text(encoding="utf-8") for path in scripts)
    assert len(source.encode()) <= 60_000
    forbidden = r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|\bfetch\b|XMLHttp|import\("
    assert re.findall(forbidden, source) == []


def test_markup_in_a_name_is_text_everywhere():
    record = make_network_record()
    record["classes"][0]["name"] = "</script><script>alert(1)</script>"
    record["input"]["name"] = "<img src=x>"
    found = network_html(record)
    assert "<script>alert" not in found
    assert "<img" not in found


def test_without_scripts_the_page_tells_the_answer_and_the_classes(page):
    static = re.search(r"<noscript>(.*?)</noscript>", page, re.S).group(1)
    record = make_network_record()
    assert "5 classes" in static
    assert all(one["name"].replace("'", "&#x27;") in static for one in record["classes"])


def test_the_text_says_the_classes_what_members_share_and_who_joins_them():
    text = network_text(make_network_record(), width=80)
    assert text.startswith("made.csv: 5 classes in ")
    assert "team: team 0" in text
    assert "Joining classes: Person" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_text_of_a_poisoned_record_has_no_control_characters():
    record = make_network_record()
    record["classes"][0]["name"] = "\x1b[31mred\x07"
    record["answer"][0] = "\x1b]0;title\x07"
    assert "\x1b" not in network_text(record)
