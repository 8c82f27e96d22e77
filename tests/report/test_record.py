"""The record: clean JSON, safe inside a page, and every field of it documented in the schema."""

import datetime
import json
from pathlib import Path

import numpy as np
import pytest

import coterie.report
from coterie import report
from coterie.errors import InputError
from coterie.report import record as records
from report.records import make_record
from report.schemas import problems

SCHEMA = json.loads((Path(coterie.report.__file__).parent / "schema" / "run-1.json").read_text(encoding="utf-8"))


def test_the_sample_record_fits_the_schema():
    assert list(problems(make_record(), SCHEMA)) == []


def test_a_record_of_a_real_run_fits_the_schema(analysis):
    assert list(problems(analysis.record, SCHEMA)) == []


def test_ids_of_all_rows_travel_where_there_are_some(analysis):
    ids = analysis.record["rows"]["ids"]
    assert (ids["column"], ids["values"]) == ("customer_id", [f"=C{i:03d}" for i in range(90)])


def test_the_check_of_the_schema_finds_what_is_wrong():
    record = make_record()
    record["clusters"][0]["rows"] = "many"
    record["structure"]["verdict"] = "maybe"
    record["input"]["secret"] = 1
    del record["judge"]
    found = "\n".join(problems(record, SCHEMA))
    assert "clusters[0].rows" in found
    assert "'maybe' is none of" in found
    assert "input.secret is not documented" in found
    assert "judge is missing" in found


def test_every_field_of_the_schema_says_what_it_holds_or_of_what_kind_it_is():
    def bare(rule, place):
        for name, part in rule.get("properties", {}).items():
            if not {"type", "enum", "const", "$ref"} & part.keys():
                yield f"{place}.{name}"
            yield from bare(part, f"{place}.{name}")
            yield from bare(part.get("items", {}), f"{place}.{name}[]")

    assert list(bare(SCHEMA, "record")) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(1.5), 1.5),
        (float("nan"), None),
        (np.float32("inf"), None),
        (np.int16(-1), -1),
        (np.bool_(True), True),
        (np.array([1.0, np.nan]), [1.0, None]),
        (np.array(["a", None], dtype=object), ["a", None]),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (np.datetime64("NaT"), None),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        ((1, {"a": (2,)}), [1, {"a": [2]}]),
        ({1: 2}, {"1": 2}),
        (Path("a.csv"), "a.csv"),
        (True, True),
    ],
)
def test_values_of_python_and_numpy_become_plain_json(value, expected):
    found = records.clean(value)
    assert found == expected
    assert type(found) is type(expected)


def test_the_text_of_a_record_is_strict_json_and_reads_back_the_same():
    record = make_record() | {"plan": {"seconds": float("nan")}}
    text = records.dumps(record)
    assert "NaN" not in text
    assert records.loads(text) == records.clean(record)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not valid JSON"),
        ("[1]", "expected a JSON object"),
        ('{"schema": "coterie.run/99"}', "reads 'coterie.run/1'"),
        ('{"schema": "coterie.run/1"}', "incomplete"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_a_text_that_is_no_record_is_refused_in_one_sentence(text, complaint):
    with pytest.raises(InputError, match=complaint):
        records.loads(text)


@pytest.mark.parametrize(
    "value", ["</script>", "<!--<script>", "&lt;", "https://evil.example", "\u2028", "\ud800", "%%record%%"]
)
def test_embedded_json_cannot_end_its_element_and_still_reads_the_same(value):
    text = records.embed({value: [value]})
    assert not set("<>&\u2028\u2029") & set(text)
    assert "//" not in text
    text.encode("utf-8")
    assert json.loads(text) == {value: [value]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("postgresql://me:secret@host/db", "postgresql://host/db"),
        ("postgresql://me@host/db", "postgresql://host/db"),
        ("a@b.csv", "a@b.csv"),
    ],
)
def test_no_password_reaches_the_record(name, expected):
    assert records.without_credentials(name) == expected


@pytest.mark.parametrize("show", [report.html, report.text])
def test_what_is_no_record_is_not_shown(show):
    with pytest.raises(InputError, match="record"):
        show({"schema": "something else"})
