"""The table of labels: CSV as in RFC 4180, Parquet, and ids that are not formulas."""

import csv
import io

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.report import write_labels

NASTY = [
    "plain",
    'quote " inside',
    "comma, inside",
    "line\nbreak",
    " spaces ",
    "ünï ☃",
    "",
    None,
    "0012",
    "=1+1",
    "a\r\nb",
]


def write(path, ids=None, **options):
    n = len(ids) if ids is not None else 3
    write_labels(path, np.arange(n) - 1, np.linspace(0, 1, n), np.full(n, np.nan), ids=ids, **options)
    return path.read_bytes()


def test_without_ids_there_are_four_columns_and_lines_end_as_the_standard_says(tmp_path):
    assert write(tmp_path / "labels.csv") == (b"row,label,strength,outlier_score\n0,-1,0,\n1,0,0.5,\n2,1,1,\n")


def test_every_id_reads_back_as_it_was(tmp_path):
    text = write(tmp_path / "labels.csv", NASTY, id_name='the "id", really').decode()
    head, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert head == ["row", 'the "id", really', "label", "strength", "outlier_score"]
    assert [line[1] for line in lines] == [value or "" for value in NASTY]
    assert [line[0] for line in lines] == [str(i) for i in range(len(NASTY))]


@pytest.mark.parametrize("value", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"])
def test_an_id_that_a_spreadsheet_would_run_is_defused_on_request_only(tmp_path, value):
    safe = next(
        csv.reader(io.StringIO(write(tmp_path / "a", [value], excel_safe=True).decode().split("\n", 1)[1], newline=""))
    )
    plain = next(csv.reader(io.StringIO(write(tmp_path / "b", [value]).decode().split("\n", 1)[1], newline="")))
    assert safe[1] == "'" + value
    assert plain[1] == value


def test_a_column_name_is_defused_too(tmp_path):
    assert write(tmp_path / "a", ["x"], id_name="=1+1", excel_safe=True).startswith(b"row,'=1+1,label")


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (np.array([1.0, 20000000.0, np.nan]), ["1", "20000000", ""]),
        (np.array([0.5, -1.0, 1e300]), ["0.5", "-1", "1e+300"]),
        (np.array(["2026-01-02", "NaT"], dtype="datetime64[us]"), ["2026-01-02T00:00:00.000000", ""]),
    ],
)
def test_ids_that_are_numbers_or_dates_look_like_the_input(tmp_path, ids, expected):
    lines = list(csv.reader(io.StringIO(write(tmp_path / "labels.csv", ids, excel_safe=True).decode(), newline="")))[1:]
    assert [line[1] for line in lines] == expected


@pytest.mark.parametrize("name", ["row", "label", "strength", "outlier_score"])
def test_an_id_column_named_like_one_of_ours_is_told_apart(tmp_path, name):
    assert write(tmp_path / "labels.csv", ["x"], id_name=name).startswith(f"row,{name} (input),label".encode())


def test_the_id_column_is_written_in_blocks_without_a_seam(tmp_path):
    n = 200_001
    write_labels(tmp_path / "a", np.arange(n), np.zeros(n), np.zeros(n), ids=np.arange(n).astype(float))
    lines = (tmp_path / "a").read_text().splitlines()
    assert len(lines) == n + 1
    assert [lines[1 + i] for i in (0, 99_999, 100_000, n - 1)] == [
        f"{i},{i},{i},0,0" for i in (0, 99_999, 100_000, n - 1)
    ]


def test_parquet_holds_the_same_table(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write(tmp_path / "labels.parquet", NASTY, id_name="customer", file_format="parquet")
    table = parquet.read_table(tmp_path / "labels.parquet")
    assert [f"{field.name} {field.type}" for field in table.schema] == [
        "row int64",
        "customer string",
        "label int64",
        "strength double",
        "outlier_score double",
    ]
    assert table["customer"].to_pylist() == [value or None for value in NASTY]
    assert table["label"].to_pylist() == list(range(-1, len(NASTY) - 1))
    assert table["outlier_score"].null_count == len(NASTY)
    assert [path.name for path in tmp_path.iterdir()] == ["labels.parquet"]


def test_another_format_is_refused_with_the_two_that_exist(tmp_path):
    with pytest.raises(InputError, match="must be 'csv' or 'parquet', got 'xlsx'"):
        write(tmp_path / "a", file_format="xlsx")
