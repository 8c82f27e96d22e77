"""Rows larger than memory: the same result for chunks of any size, from any source, in bounded memory."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.cluster import MiniBatchKMeans as Theirs

import coterie
from coterie.catalog import CATALOG
from coterie.errors import InputError, OutputError, UnsupportedError
from coterie.stream import fit_chunks, predict_chunks
from coterie.tables.blocks import row_blocks, write_npy

N = 1_500
NAMES = {line.name for line in CATALOG}
MAKERS = {
    "CLIQUE": {"n_intervals": 8, "full_space": True},
    "CLIQUE in subspaces": {"n_intervals": 40, "density_threshold": 0.005},
    "STING": {"n_cells": 16, "min_points": 4},
    "WaveCluster": {"n_cells": 16},
    "MiniBatchKMeans": {"n_clusters": 4, "random_state": 0},
    "Birch": {"n_clusters": 4, "threshold": 0.3},
}
CHUNKED = [name for name in MAKERS if name.split()[0] in NAMES]
every_estimator = pytest.mark.parametrize("name", CHUNKED)


def make(name):
    return getattr(coterie, name.split()[0])(**MAKERS[name])


@pytest.fixture(scope="module")
def X():
    random = np.random.default_rng(0)
    X = random.normal(size=(N, 3)) * 0.4 + 6 * random.integers(0, 2, (N, 1)) + [0, 2, 4]
    X.setflags(write=False)
    return X


def in_memory(name, X):
    """One call with all rows: of fit for the grid methods, of partial_fit for those that read their rows once."""
    model = make(name)
    return model.fit(X) if name.split()[0] in ("CLIQUE", "STING", "WaveCluster") else model.partial_fit(X)


# ---- estimators


@every_estimator
@pytest.mark.parametrize("chunk_rows", [7, 64, 1000, N - 1, N, N + 1])
def test_chunks_of_any_size_give_the_labels_of_all_rows_at_once(name, chunk_rows, X, tmp_path):
    model = fit_chunks(make(name), X, chunk_rows=chunk_rows, labels=tmp_path / "labels.npy")
    expected = in_memory(name, X).predict(X)
    np.testing.assert_array_equal(np.load(tmp_path / "labels.npy"), expected)
    np.testing.assert_array_equal(model.predict(X), expected)
    assert len(np.unique(expected)) > 1


@every_estimator
def test_a_chunk_of_one_row_is_enough(name, X):
    model = fit_chunks(make(name), X[:300], chunk_rows=1)
    np.testing.assert_array_equal(model.predict(X), in_memory(name, X[:300]).predict(X))


@every_estimator
def test_the_estimator_given_is_not_changed(name, X):
    estimator = make(name)
    before = dict(vars(estimator))
    assert fit_chunks(estimator, X) is not estimator
    assert vars(estimator) == before


def test_estimators_of_scikit_learn_work_too(X):
    model = fit_chunks(Theirs(2, random_state=0, n_init=1), X, chunk_rows=500)
    assert len(model.cluster_centers_) == 2


def test_an_estimator_that_needs_all_rows_is_refused_with_those_that_do_not(X):
    with pytest.raises(UnsupportedError, match=r"KMeans needs all rows .* MiniBatchKMeans"):
        fit_chunks(coterie.KMeans(2), X)


def test_progress_counts_the_rows_of_each_pass(X, tmp_path):
    told = []
    fit_chunks(
        make("CLIQUE"), X, chunk_rows=600, labels=tmp_path / "y.npy", progress=lambda *figures: told.append(figures)
    )
    assert told[:3] == [(600, N, "fit"), (1200, N, "fit"), (1500, N, "fit")]
    assert told[-1] == (N, N, "labels")


def test_the_rows_of_a_function_are_counted_where_nobody_said_how_many(X, tmp_path):
    told = []
    path = predict_chunks(
        in_memory("CLIQUE", X), lambda: iter([X[:700], X[700:]]), tmp_path / "y.npy", chunk_rows=999,
        progress=lambda *figures: told.append(figures),
    )  # fmt: skip
    assert len(np.load(path, mmap_mode="r")) == N
    assert [done for done, _, _ in told] == [999, N]


# ---- sources


def as_npy(X, folder):
    np.save(folder / "rows.npy", X)
    return folder / "rows.npy"


def as_memmap(X, folder):
    return np.load(as_npy(X, folder), mmap_mode="r")


def as_parquet(X, folder):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame.insert(1, "name", [f"row {i}" for i in range(len(X))])
    frame.to_parquet(folder / "rows.parquet", row_group_size=400)
    return str(folder / "rows.parquet")


def as_folder(X, folder):
    for i, part in enumerate(np.array_split(X, 4)):
        pd.DataFrame(part, columns=["a", "b", "c"]).to_parquet(folder / f"part-{i}.parquet", row_group_size=100)
    return folder


SOURCES = {
    "array": lambda X, folder: X,
    "npy": as_npy,
    "memmap": as_memmap,
    "parquet": as_parquet,
    "folder": as_folder,
    "list": lambda X, folder: np.array_split(X, 7),
    "function": lambda X, folder: lambda: iter(np.array_split(X, 5)),
    "function of frames": lambda X, folder: lambda: (pd.DataFrame(part) for part in np.array_split(X, 3)),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rows", [1, 333, 10_000])
def test_every_source_gives_its_rows_in_blocks_again_and_again(source, rows, X, tmp_path):
    X = X[:700]
    blocks = row_blocks(
        SOURCES[source](X, tmp_path), rows=rows if source not in ("parquet", "folder") else max(rows, 100)
    )
    for _ in range(2):
        parts = list(blocks())
        assert [len(part) for part in parts[:-1]] == [blocks.rows] * (len(parts) - 1)
        np.testing.assert_array_equal(np.concatenate(parts), X)
        assert all(part.flags.c_contiguous and part.dtype == np.float64 for part in parts)


def test_columns_without_numbers_are_left_out_and_named(X, tmp_path):
    blocks = row_blocks(as_parquet(X, tmp_path))
    assert blocks.names == ("a", "b", "c")
    assert blocks.left_out == ("name",)
    assert blocks.n_rows == N


@pytest.mark.parametrize(("source", "columns"), [("parquet", ["c", "a"]), ("npy", [2, 0]), ("function", [2, -3])])
def test_columns_are_chosen_in_the_order_given(source, columns, X, tmp_path):
    blocks = row_blocks(SOURCES[source](X, tmp_path), columns=columns)
    np.testing.assert_array_equal(np.concatenate(list(blocks())), X[:, [2, 0]])


def test_single_precision_stays_single(X, tmp_path):
    assert next(row_blocks(X.astype(np.float32))()).dtype == np.float32
    assert next(row_blocks(as_parquet(X.astype(np.float32), tmp_path))()).dtype == np.float32


def test_whole_numbers_and_truth_values_become_numbers(tmp_path):
    table = pa.table({"i": pa.array([1, 2, 3], pa.int32()), "b": [True, False, True], "l": [2**40, 1, 0]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert next(row_blocks(tmp_path / "t.parquet")()).tolist() == [[1, 1, 2**40], [2, 0, 1], [3, 1, 0]]
    assert next(row_blocks(np.array([[1, 2]]))()).dtype == np.float64


@pytest.mark.parametrize("source", ["array", "npy", "parquet", "function"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_value_is_refused_with_its_place_in_the_whole_source(source, value, X, tmp_path):
    bad = X.copy()
    bad[1234, 1] = value
    with pytest.raises(InputError, match=r"row 1,234 .*column ('b'|1)"):
        fit_chunks(make("CLIQUE"), SOURCES[source](bad, tmp_path), chunk_rows=500)


def test_a_missing_value_of_parquet_is_refused_too(tmp_path):
    pq.write_table(pa.table({"a": [1.0, None, 2.0]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="row 1 has no value in column 'a'"):
        list(row_blocks(tmp_path / "t.parquet")())


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nowhere.parquet", "no file"),
        (3.0, "float"),
        (np.arange(5.0), "n rows and d columns"),
        (np.array([["a"]]), "numbers"),
        (lambda: iter([np.zeros((2, 2)), np.zeros((2, 3))]), "columns"),
        (lambda: iter([np.array([["a"]])]), "numbers"),
    ],
    ids=["no file", "a number", "one dimension", "words", "two widths", "words from a function"],
)
def test_what_cannot_be_read_is_said_in_a_sentence(source, says):
    with pytest.raises(InputError, match=says):
        list(row_blocks(source)())


def test_an_unreadable_file_is_named(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 nothing")
    (tmp_path / "x.npy").write_bytes(b"nothing")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    for name in ("x.parquet", "x.npy", "x.csv"):
        with pytest.raises(InputError, match=name):
            row_blocks(tmp_path / name)


def test_a_folder_without_parquet_files_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no \.parquet files"):
        row_blocks(tmp_path)


@pytest.mark.parametrize(("columns", "says"), [(["name"], "holds no numbers"), (["zzz"], "no column 'zzz'")])
def test_a_column_that_is_not_there_is_named(columns, says, X, tmp_path):
    with pytest.raises(InputError, match=says):
        row_blocks(as_parquet(X, tmp_path), columns=columns)


@pytest.mark.parametrize("columns", [[3], ["a"], [True]])
def test_a_column_of_an_array_is_a_number(columns, X):
    with pytest.raises(InputError, match="numbers from 0 to 2"):
        row_blocks(X, columns=columns)


@pytest.mark.parametrize("rows", [0, -1, 2.5, True, None])
def test_a_chunk_has_a_whole_number_of_rows(rows, X):
    with pytest.raises(InputError, match="whole number"):
        fit_chunks(make("CLIQUE"), X, chunk_rows=rows)


# ---- labels


def test_labels_are_written_whole_or_not_at_all(X, tmp_path):
    (tmp_path / "y.npy").write_text("before")
    with pytest.raises(InputError, match="announced"):
        write_npy(tmp_path / "y.npy", [np.arange(3)], 4)
    assert (tmp_path / "y.npy").read_text() == "before"
    with pytest.raises(OutputError, match="folder"):
        write_npy(tmp_path, [np.arange(3)], 3)


MEASURED = """
import resource, sys, numpy as np
from coterie import CLIQUE
from coterie.stream import fit_chunks
X = np.load(sys.argv[1], mmap_mode="r")
fit_chunks(CLIQUE(12), np.zeros((100, 4)) + np.arange(100.0)[:, None])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
chunks = lambda: (X[i : i + 20_000].copy() for i in range(0, len(X), 20_000))
fit_chunks(CLIQUE(12), chunks, chunk_rows=20_000, labels=sys.argv[2])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_memory_is_that_of_a_chunk_and_of_the_labels(tmp_path):
    # 48 MB of rows. A memmap's own pages count as resident while they are read, hence plain copies of chunks.
    rows = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float64, (1_500_000, 4))
    for i in range(0, len(rows), 500_000):
        rows[i : i + 500_000] = np.random.default_rng(i).normal(size=(500_000, 4))
    rows.flush()
    del rows
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, tmp_path / "X.npy", tmp_path / "y.npy"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 100
    assert len(np.load(tmp_path / "y.npy", mmap_mode="r")) == 1_500_000
