"""Known classes beside rows in files: the words of a table in memory, however the files are cut."""

import numpy as np
import pytest

from coterie import tables
from coterie.errors import InputError
from coterie.tables import row_files
from coterie.tables.known_classes import class_files

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

N = 500
KINDS = {
    "text": [["a", "b", "ä", None, ""][i * i % 5] for i in range(N)],
    "whole": [i % 3 for i in range(N)],
    "whole_missing": [None if i % 7 == 0 else i % 3 for i in range(N)],
    "real": [np.nan if i % 11 == 0 else i % 4 / 2 for i in range(N)],
    "yes": [i % 2 == 0 for i in range(N)],
    "coded": pa.array(["x", None, "z", "x"] * (N // 4)).dictionary_encode(),
}


@pytest.fixture(params=[40, 64, 130, 1000])
def files(request, tmp_path):
    """Row groups of 130 rows: joined, cut, and read as they are."""
    table = pa.table({"number": np.arange(N) * 0.5, **KINDS})
    pq.write_table(table.slice(0, 300), tmp_path / "0.parquet", row_group_size=130)
    pq.write_table(table.slice(300), tmp_path / "1.parquet", row_group_size=130)
    return row_files(tmp_path, rows=request.param)


def words_of(files, column):
    found = []
    for piece in class_files(files, column).pieces:
        names, codes = piece.load()
        assert len(codes) == piece.n_rows
        found += [names[code] if code >= 0 else None for code in codes]
    return found


@pytest.mark.parametrize("column", KINDS)
def test_classes_are_the_words_of_a_table_in_memory(files, column):
    values = tables.read(pa.table({column: KINDS[column]})).column(column).values
    known = [value is not None and value == value for value in values]
    expected = [str(word) if there else None for word, there in zip(values.astype(str), known, strict=True)]
    assert words_of(files, column) == expected


def test_a_column_of_numbers_in_memory_may_be_classes_too(tmp_path):
    X = np.column_stack([np.arange(90.0), np.arange(90) % 4])
    np.save(tmp_path / "rows.npy", X)
    assert words_of(row_files(tmp_path / "rows.npy", rows=37), "x1") == [str(value) for value in X[:, 1]]


@pytest.mark.parametrize("kind", ["parquet", "npy"])
def test_too_many_values_are_refused_by_the_name_of_the_column(tmp_path, kind):
    values = np.arange(3000.0)
    if kind == "npy":
        np.save(tmp_path / "rows.npy", np.column_stack([values, values]))
    else:
        pq.write_table(pa.table({"x0": values, "x1": values}), tmp_path / "rows.parquet")
    piece = class_files(row_files(tmp_path / f"rows.{kind}"), "x1").pieces[0]
    with pytest.raises(InputError, match="'x1' has more than 1,000 different values"):
        piece.load()


def test_a_column_that_is_not_there_is_named(files):
    with pytest.raises(InputError, match="txt"):
        class_files(files, "txt")


def test_a_file_that_lost_rows_meanwhile_is_told(files, tmp_path):
    pieces = class_files(files, "text").pieces
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "0.parquet")
    with pytest.raises(InputError, match="has changed"):
        pieces[0].load()
