"""The summary in the terminal and in a notebook: complete, aligned, harmless."""

import unicodedata

import pytest

from coterie import report
from coterie.report.notebook import summary
from coterie.report.words import answer, count, counted, headline, percent
from report.records import make_record


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_the_summary_tells_groups_sizes_differences_doubts_and_what_next():
    record = make_record()
    text = report.text(record)
    assert text.startswith("customers.csv: 5 groups in 200 rows\n")
    for cluster in record["clusters"]:
        assert f"{cluster['rows']:>4}" in text
        assert cluster["name"] in text
    assert "they lie far from every group" in text
    assert "! Age is missing in 12 rows" in text
    assert "what to do: they were given the median, 36" in text
    assert "next  coterie predict customers.coterie/model.coterie new.csv" in text


@pytest.mark.parametrize("width", [40, 72, 100, 200])
def test_no_line_is_wider_than_asked(width):
    record = make_record()
    record["clusters"][0]["name"] = "顧客 " * 30
    assert max(map(columns, report.text(record, width=width).split("\nnext")[0].splitlines())) <= 2 * width
    record["clusters"][0]["name"] = "customers " * 30
    assert max(map(columns, report.text(record, width=width).split("\nnext")[0].splitlines())) <= width


def test_columns_of_figures_line_up():
    lines = report.text(make_record(n=2000)).splitlines()
    head = next(i for i, line in enumerate(lines) if "what sets it apart" in line)
    table = [line for line in lines[head:] if line[:9].strip() and not line.startswith(("!", "next"))]
    ends = {len(line.split("%")[0]) for line in table[1:7]}
    assert len(ends) == 1
    assert table[0].index("share") + len("share") == ends.pop() + 1


def test_values_of_the_data_cannot_steer_the_terminal():
    record = make_record()
    record["input"]["name"] = "\x1b[2Jevil\x07.csv"
    record["clusters"][0]["name"] = "a\nb\x1b]0;title\x07"
    record["warnings"][0]["text"] = "x\x9b31m\udc80"
    text = report.text(record)
    assert not {c for c in text if unicodedata.category(c) in ("Cc", "Cs")} - {"\n"}
    assert "evil" in text


@pytest.mark.parametrize(
    ("verdict", "k", "expected"),
    [
        ("clusters", 2, "customers.csv: 2 groups in 200 rows"),
        ("weak", 2, "customers.csv: 2 groups in 200 rows"),
        ("none", 2, "customers.csv: no clear groups in 200 rows"),
        ("one", 1, "customers.csv: 1 group in 200 rows"),
    ],
)
def test_the_headline_does_not_claim_groups_that_are_not_there(verdict, k, expected):
    assert headline(make_record(k=k, verdict=verdict)) == expected


def test_one_row_is_said_as_one():
    record = make_record()
    record["input"]["rows"] = 1
    assert headline(record).endswith(" in 1 row")
    assert [counted(n, "column") for n in (0, 1, 2, 2000, None)] == [
        "0 columns",
        "1 column",
        "2 columns",
        "2,000 columns",
        "? columns",
    ]


def test_the_answer_does_not_call_parts_groups_where_there_are_none():
    said = " ".join(answer(make_record(k=3, verdict="none")))
    assert "were cut into 3 parts" in said
    assert "fall into" not in said
    assert "There is no cluster structure here" in said


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0, "0%"),
        (0.0001, "<0.1%"),
        (0.0123, "1.2%"),
        (0.0125, "1.3%"),
        (0.105, "11%"),
        (0.5, "50%"),
        (0.9999, "100%"),
        (1, "100%"),
        (None, "?"),
    ],
)
def test_shares_read_well(share, expected):
    assert percent(share) == expected


def test_counts_have_thousands_marked():
    assert count(1234567) == "1,234,567"


def test_a_record_without_the_optional_parts_still_reads():
    record = make_record()
    small = {name: record[name] for name in ("schema", "input", "structure", "clusters")}
    small["clusters"] = [{"id": 0, "name": "all", "rows": 200, "share": 1.0}]
    assert "all" in report.text(small)
    assert "all" in summary(small)
    assert "all" in report.html(small)


def test_the_notebook_summary_is_short_and_escapes_what_the_data_hold():
    record = make_record(k=30, n=3000)
    record["clusters"][0]["name"] = "<img src=x onerror=alert(1)>"
    text = summary(record)
    assert "<img" not in text
    assert "&lt;img src=x" in text
    assert "and 10 smaller groups" in text
    assert "<script" not in text
    assert len(text) < 20_000
