"""Frames, arrays, JSON, Parquet, NumPy files and databases all become the same table, or one sentence."""

import datetime
import gzip
import io
import os
import pickle
import sqlite3
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coterie.errors import InputError, MissingExtraError, ResourceError
from coterie.tables import read

FRAME = pd.DataFrame(
    {
        "number": [1.5, None, 3.0],
        "whole": [1, 2, 3],
        "text": ["x", None, "y"],
        "date": pd.to_datetime(["2024-01-01 00:00", None, "2024-02-03 12:30"]),
        "truth": [True, False, True],
        "level": pd.Categorical(["u", "v", "u"]),
        "gap": pd.array([1, None, 3], dtype="Int64"),
        "maybe": pd.array([True, None, False], dtype="boolean"),
        "zoned": pd.to_datetime(["2024-01-01T00:00+02:00"] * 3, utc=True),
    }
)
EXPECTED = {
    "number": ("number", [1.5, None, 3]),
    "whole": ("number", [1, 2, 3]),
    "text": ("text", ["x", None, "y"]),
    "date": ("date", [np.datetime64("2024-01-01"), None, np.datetime64("2024-02-03T12:30")]),
    "truth": ("number", [1, 0, 1]),
    "level": ("text", ["u", "v", "u"]),
    "gap": ("number", [1, None, 3]),
    "maybe": ("number", [1, None, 0]),
    "zoned": ("date", [np.datetime64("2023-12-31T22:00")] * 3),
}


def to_parquet(frame, folder):
    frame.to_parquet(folder / "frame.parquet")
    return folder / "frame.parquet"


SOURCES = {
    "pandas": lambda frame, folder: frame,
    "polars": lambda frame, folder: pl.from_pandas(frame),
    "lazy polars": lambda frame, folder: pl.from_pandas(frame).lazy(),
    "arrow": lambda frame, folder: pa.Table.from_pandas(frame),
    "parquet": to_parquet,
}


@pytest.mark.parametrize("column", EXPECTED)
@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_of_column_comes_alike_from_every_frame(source, column, tmp_path):
    table = read(SOURCES[source](FRAME, tmp_path))
    kind, values = EXPECTED[column]
    assert table.column(column).kind == kind
    gap = table.column(column).missing
    assert [None if missing else value for value, missing in zip(table.column(column).values, gap)] == values


def test_equal_tables_have_equal_fingerprints_and_others_do_not(tmp_path):
    prints = {read(make(FRAME, tmp_path)).fingerprint() for make in SOURCES.values()}
    assert len(prints) == 1
    changed = FRAME.assign(whole=[1, 2, 4])
    assert read(changed).fingerprint() not in prints
    assert read(FRAME.rename(columns={"whole": "Whole"})).fingerprint() not in prints


OBJECTS = {
    "dict of lists": ({"a": [1, None], "b": ["x", "y"]}, {"a": [1, None], "b": ["x", "y"]}),
    "dict of arrays": ({"a": np.array([1, 2], np.int8), "b": np.array(["x", "y"])}, {"a": [1, 2], "b": ["x", "y"]}),
    "dict of series": ({"a": pd.Series([1, 2]), "b": pl.Series(["x", "y"])}, {"a": [1, 2], "b": ["x", "y"]}),
    "list of dicts": ([{"a": 1}, {"b": "x", "a": 2}], {"a": [1, 2], "b": [None, "x"]}),
    "dicts in dicts": ([{"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 4}}], {"a.b": [1, 3], "a.c": [2, 4]}),
    "array": (np.arange(4).reshape(2, 2), {"x0": [0, 2], "x1": [1, 3]}),
    "float32 array": (np.array([[1.5, 2], [3, np.nan]], np.float32), {"x0": [1.5, 3], "x1": [2, None]}),
    "one dimension": (np.array([1.0, 2.0]), {"x0": [1, 2]}),
    "list of lists": ([[1, 2], [3, 4]], {"x0": [1, 3], "x1": [2, 4]}),
    "structured array": (np.array([(1, "x"), (2, "y")], [("a", int), ("b", "U1")]), {"a": [1, 2], "b": ["x", "y"]}),
    "numbers as text": ({"a": ["1,5", "2,25"]}, {"a": [1.5, 2.25]}),
    "mixed kinds": ({"a": [1, "x", 2.5]}, {"a": ["1", "x", "2.5"]}),
    "names that are numbers": (pd.DataFrame([[1, 2], [3, 4]]), {"0": [1, 3], "1": [2, 4]}),
    "infinite": ({"a": [1.0, np.inf, -np.inf]}, {"a": [1, None, None]}),
    "long whole numbers": ({"a": [2**60 + 1, 5]}, {"a": [str(2**60 + 1), "5"]}),
    "dates": (
        {"a": [datetime.date(2024, 1, 5), None]},
        {"a": [np.datetime64("2024-01-05"), None]},
    ),
    "durations": ({"a": [datetime.timedelta(hours=36), datetime.timedelta(0)]}, {"a": [1.5, 0]}),
    "nested beside others": ({"a": [[1], [2]], "b": [1, 2]}, {"b": [1, 2]}),
}


@pytest.mark.parametrize("key", OBJECTS)
def test_what_python_holds_is_read(key):
    source, expected = OBJECTS[key]
    table = read(source)
    assert table.names == tuple(expected)
    for name, values in expected.items():
        column = table.column(name)
        assert [None if gap else value for value, gap in zip(column.values, column.missing)] == values


REFUSED_OBJECTS = {
    "no rows": (pd.DataFrame({"a": []}), "no rows"),
    "no columns": (pd.DataFrame(index=[0, 1]), "no columns"),
    "empty dict": ({}, "no columns"),
    "unequal columns": ({"a": [1], "b": [1, 2]}, "differ in length"),
    "a scalar column": ({"a": 1}, "give a list"),
    "three dimensions": (np.zeros((2, 2, 2)), "2 dimensions"),
    "complex": (np.zeros((2, 2), complex), "complex128"),
    "same names": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "cannot read"),
    "a number": (5, "cannot read a table from 'int'"),
    "ragged lists": ([[1], [2, 3]], "cannot read"),
    "only nested": ({"a": [[1], [2]]}, "no columns"),
}


@pytest.mark.parametrize("key", REFUSED_OBJECTS)
def test_what_is_no_table_is_refused(key):
    source, words = REFUSED_OBJECTS[key]
    with pytest.raises(InputError, match=words):
        read(source)


def test_a_sparse_matrix_is_sent_to_the_estimators():
    from scipy import sparse

    with pytest.raises(InputError, match="sparse"):
        read(sparse.eye(3))


def test_a_table_changes_nothing_in_the_array_it_came_from():
    X = np.array([[1.0], [np.inf]])
    table = read(X)
    table.column("x0").values[0] = 9
    assert X[0, 0] == 1
    assert np.isinf(X[1, 0])


JSON = {
    "lines": ("d.jsonl", b'{"a": 1, "b": "x"}\n\n{"a": null, "c": 2.5}\n', {"a": [1, None], "b": ["x", None], "c": [None, 2.5]}),
    "ndjson, mark": ("d.ndjson", b'\xef\xbb\xbf{"a": 1}\n{"a": 2}', {"a": [1, 2]}),
    "array": ("d.json", b'[{"a": 1},\n {"a": 2}]', {"a": [1, 2]}),
    "array, indented": ("d.json", b'[\n  {\n    "a": 1\n  },\n  {\n    "a": 2\n  }\n]\n', {"a": [1, 2]}),
    "columns": ("d.json", b'{"a": [1, 2], "b": ["x", "y"]}', {"a": [1, 2], "b": ["x", "y"]}),
    "columns, indented": ("d.json", b'{\n "a": [1, 2],\n "b": ["x", "y"]\n}', {"a": [1, 2], "b": ["x", "y"]}),
    "NaN": ("d.jsonl", b'{"a": NaN}\n{"a": 1}\n{"a": Infinity}', {"a": [None, 1, None]}),
    "packed": ("d.jsonl.gz", gzip.compress(b'{"a": 1}\n{"a": 2}'), {"a": [1, 2]}),
}  # fmt: skip


@pytest.mark.parametrize("key", JSON)
def test_json_records_are_read(key, tmp_path):
    name, data, expected = JSON[key]
    path = tmp_path / name
    path.write_bytes(data)
    table = read(path)
    assert table.names == tuple(expected)
    for column, values in expected.items():
        found = table.column(column)
        assert [None if gap else value for value, gap in zip(found.values, found.missing)] == values


BROKEN_JSON = {
    "broken line": (b'{"a": 1}\n{"a": \n', "line 2"),
    "a number a line": (b"1\n2\n", "holds a number"),
    "numbers": (b"[1, 2]", "no objects"),
    "empty list": (b"[]", "no objects"),
    "broken document": (b'[{"a": 1},\n {"a" 2}]', "line 2"),
    "deep": (b"[" * 100_000, "JSON"),
    "not utf-8": (b'{"a": "\xff"}', "UTF-8"),
    "no text": (b"", "empty"),
}


@pytest.mark.parametrize("key", BROKEN_JSON)
def test_broken_json_is_refused(key, tmp_path):
    data, words = BROKEN_JSON[key]
    path = tmp_path / "d.json"
    path.write_bytes(data)
    with pytest.raises(InputError) as refusal:
        read(path)
    assert words in str(refusal.value) or "too deeply" in str(refusal.value)


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


NUMPY = {
    "npy": ("d.npy", npy(np.arange(6.0).reshape(3, 2)), {"x0": [0, 2, 4], "x1": [1, 3, 5]}, ""),
    "npz of a matrix and labels": ("d.npz", npz(X=np.eye(2), y=np.array([0, 1])), {"x0": [1, 0], "x1": [0, 1]}, "y in the file is not used"),
    "npz of columns": ("d.npz", npz(a=np.array([1, 2]), b=np.array(["x", "y"])), {"a": [1, 2], "b": ["x", "y"]}, ""),
    "npz of pictures": ("d.npz", npz(X=np.arange(8).reshape(2, 2, 2)), {f"x{j}": [j, 4 + j] for j in range(4)}, "2 x 2"),
}  # fmt: skip


@pytest.mark.parametrize("key", NUMPY)
def test_numpy_files_are_read(key, tmp_path):
    name, data, expected, words = NUMPY[key]
    path = tmp_path / name
    path.write_bytes(data)
    table = read(path)
    assert {column.name: list(column.values) for column in table.columns} == expected
    assert words in " ".join(table.notes)


class Bomb:
    """Writes a canary file when unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("name", ["d.npy", "d.npz", "d.pkl", "d.csv", "d.joblib"])
def test_a_pickle_is_never_opened(name, tmp_path):
    canary = tmp_path / "canary"
    objects = np.array([Bomb(canary)], object)
    data = {"d.npy": lambda: npy(objects, allow_pickle=True), "d.npz": lambda: npz(a=objects)}
    path = tmp_path / name
    path.write_bytes(data.get(name, lambda: pickle.dumps(Bomb(canary)))())
    with pytest.raises(InputError, match=r"(?i)pickle"):
        read(path)
    assert not canary.exists()


def test_an_array_header_that_promises_more_than_the_file_is_refused(tmp_path):
    path = tmp_path / "d.npy"
    path.write_bytes(npy(np.zeros((2, 2))).replace(b"(2, 2)", b"(9**9)"[:6]).replace(b"(2, 2)", b"(2, 9)"))
    with pytest.raises(InputError):
        read(path)
    path.write_bytes(npy(np.zeros(4)).replace(b"(4,), }        ", b"(99999999999,),"))
    with pytest.raises(InputError, match="damaged"):
        read(path)


def test_a_zip_bomb_of_arrays_is_refused(tmp_path):
    path = tmp_path / "d.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", npy(np.zeros((10_000_000, 1))))
    with pytest.raises(InputError, match="200 times"):
        read(path)


def test_a_truncated_npz_is_refused(tmp_path):
    path = tmp_path / "d.npz"
    path.write_bytes(npz(X=np.eye(20))[:-30])
    with pytest.raises(InputError, match="damaged"):
        read(path)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE "od;d "" name" (id INTEGER, amount REAL, city TEXT)')
        connection.executemany('INSERT INTO "od;d "" name" VALUES (?, ?, ?)', [(1, 2.5, "Bern"), (2, None, None)])
    connection.close()
    return path


def test_the_only_table_of_a_database_is_taken(database):
    table = read(database)
    assert table.names == ("id", "amount", "city")
    assert list(table.column("id").values) == [1, 2]
    assert table.column("city").n_missing == 1


def test_a_database_is_told_by_its_content(database, tmp_path):
    os.rename(database, tmp_path / "data.csv")
    assert read(tmp_path / "data.csv").n_rows == 2


def test_a_query_chooses_what_to_read(database):
    table = read(database, query='SELECT amount * 2 AS twice FROM "od;d "" name" WHERE amount IS NOT NULL')
    assert list(table.column("twice").values) == [5]


def test_several_tables_need_a_choice(database):
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE other (x)")
        connection.execute("INSERT INTO other VALUES (7)")
    connection.close()
    with pytest.raises(InputError, match="2 tables"):
        read(database)
    assert read(database, table="other").n_rows == 1
    with pytest.raises(InputError, match="did you mean 'other'"):
        read(database, table="othr")


@pytest.mark.parametrize(
    "query",
    ["DROP TABLE other", "DELETE FROM other", "ATTACH '/tmp/x.db' AS x", "PRAGMA journal_mode=DELETE", "SELECT 1; DROP TABLE other", "nonsense"],
)  # fmt: skip
def test_a_query_can_only_read(query, database):
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE other (x)")
    connection.close()
    before = database.read_bytes()
    with pytest.raises(InputError, match="query on"):
        read(database, query=query)
    assert database.read_bytes() == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=20))
def test_no_name_of_a_table_or_column_is_taken_for_sql(name, tmp_path):
    path = tmp_path / "names.db"
    path.unlink(missing_ok=True)
    quoted = '"' + name.replace('"', '""') + '"'
    if name.lower().startswith("sqlite_"):
        return
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {quoted} ({quoted} REAL)")
        connection.execute(f"INSERT INTO {quoted} VALUES (1.5)")
    connection.close()
    table = read(path, table=name)
    assert list(table.columns[0].values) == [1.5]


def test_a_damaged_database_is_refused(database):
    content = bytearray(database.read_bytes())
    content[100:4000] = b"\xff" * 3900
    database.write_bytes(content)
    with pytest.raises(InputError, match=r"shop\.db"):
        read(database)


def test_rows_beyond_the_memory_limit_are_refused(database):
    with pytest.raises(ResourceError, match="memory limit"):
        read(database, memory_limit=100)


def test_query_is_refused_where_there_is_no_database(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="query= is for databases"):
        read(tmp_path / "a.csv", query="SELECT 1")


URL = "postgresql://ann:s3cret%21word@127.0.0.1:1/shop?password=al50hidden"


def test_postgresql_without_its_driver_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"coterie\[db\]\""):
        read(URL, query="SELECT 1")


def test_postgresql_needs_a_query_or_a_table():
    pytest.importorskip("psycopg", reason="the extra db is not installed")
    with pytest.raises(InputError, match="query="):
        read(URL)


def test_a_server_that_does_not_answer_is_named_without_the_password():
    pytest.importorskip("psycopg", reason="the extra db is not installed")
    with pytest.raises(InputError) as refusal:
        read(URL, query="SELECT 1")
    message = str(refusal.value)
    assert "ann@127.0.0.1:1/shop" in message
    assert not any(secret in message for secret in ("s3cret", "al50hidden"))
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("text", ["no s3cret!word", "no s3cret%21word", "password=al50hidden x", f"bad url {URL}"])
def test_a_password_is_taken_out_of_every_message(text):
    from coterie.tables.databases import _hidden

    hidden = _hidden(text, URL)
    assert not any(secret in hidden for secret in ("s3cret", "al50hidden"))


PATHS = {
    "missing": (lambda folder: folder / "custmers.csv", "did you mean"),
    "folder": (lambda folder: folder, "^[^']* is a folder, not a file; give the file in it that holds the table$"),
    "missing folder": (lambda folder: folder / "none" / "x.csv", "no file at"),
    "nul in the path": (lambda folder: "a\0b.csv", "no usable path"),
    "web address": (lambda folder: "https://example.org/a.csv", "download the file"),
    "device": (lambda folder: "/dev/null", "not an ordinary file"),
    "very long": (lambda folder: folder / ("x" * 300), "too long|no file at x"),
}


@pytest.mark.parametrize("key", PATHS)
def test_a_path_that_leads_nowhere_is_said(key, tmp_path):
    (tmp_path / "customers.csv").write_text("a\n1\n")
    make, words = PATHS[key]
    with pytest.raises(InputError, match=words):
        read(make(tmp_path))


def test_standard_input_is_read(monkeypatch):
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"a,b\n1,x\n2,y\n")))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert read("-").names == ("a", "b")


def test_a_truncated_parquet_is_refused(tmp_path):
    path = to_parquet(FRAME, tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="no readable Parquet"):
        read(path)


MUTATE = """
import resource, sys
import numpy as np
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from pathlib import Path
from coterie.errors import CoterieError
from coterie.tables import read
original, n = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
rng = np.random.default_rng(0)
outcomes = {"table": 0, "sentence": 0}
target = Path(sys.argv[1]).with_name("mutated.parquet")
for i in range(n):
    data = bytearray(original)
    if i % 4 == 0:
        del data[rng.integers(4, len(data)) :]
    else:
        # The footer is small and decides most; half of the damage goes there.
        low = len(data) - 600 if i % 4 == 1 else 0
        for at in rng.integers(low, len(data), 1 + i % 3):
            data[at] = rng.integers(256)
    target.write_bytes(data)
    try:
        table = read(target, memory_limit=1 << 30)
    except CoterieError as error:
        outcomes["sentence"] += 1
        assert "\\n" not in str(error), error
    else:
        outcomes["table"] += 1
        assert all(len(c.values) == table.n_rows for c in table.columns)
print(outcomes["table"], outcomes["sentence"])
"""


def test_a_damaged_parquet_never_ends_the_process(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=200), "b": rng.choice(["x", "yy", "zzz"], 200), "c": np.arange(200)})
    path = to_parquet(frame, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", MUTATE, str(path), "200"], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    tables, sentences = map(int, done.stdout.split())
    assert tables + sentences == 200
    assert sentences > 70
