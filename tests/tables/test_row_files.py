"""Rows in files are looked at without reading them, and every piece is read alone: the same numbers that other readers give."""

import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from coterie.errors import InputError, MissingExtraError
from coterie.tables import read, row_files
from coterie.tables.blocks import row_blocks

N = 1000


def numbers(n=N, seed=0, dtype=np.float32):
    random = np.random.default_rng(seed)
    return pd.DataFrame(random.standard_normal((n, 3)).astype(dtype), columns=list("xyz"))


def write(frame, path, group=N, **others):
    parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=group, **others)
    return path


def folder_of(folder, n_files=3, group=N, **others):
    frames = [numbers(seed=seed, **others) for seed in range(n_files)]
    for i, frame in enumerate(frames):
        write(frame, folder / f"part-{i}.parquet", group)
    return pd.concat(frames, ignore_index=True)


def loaded(files):
    return np.concatenate([piece.load() for piece in files.pieces])


# ---- pieces


@pytest.mark.parametrize("rows", [1, 7, 250, 400, 999, 1000, 1001, 5000])
@pytest.mark.parametrize("group", [3, 100, 300, 1000])
def test_pieces_hold_every_row_once_and_in_order(rows, group, tmp_path):
    if rows == 1 and group == 1000:
        rows = 2  # a thousand pieces, each decoded from the beginning, tell nothing more
    whole = write(numbers(400 if rows < 7 else N), tmp_path / "rows.parquet", group)
    files = row_files(whole, rows=rows)
    expected = pd.read_parquet(whole).to_numpy()
    assert files.shape == expected.shape
    at = 0
    for piece in files.pieces:
        block = piece.load()
        assert (piece.first_row, piece.n_rows) == (at, len(block))
        assert 0 < len(block) <= rows
        assert block.flags.c_contiguous
        assert np.array_equal(block, expected[at : at + len(block)])
        at += len(block)
    assert at == len(expected)


@given(sizes=st.lists(st.integers(0, 12), max_size=8), rows=st.integers(1, 15))
@settings(max_examples=60, deadline=None)
def test_row_groups_of_any_sizes_are_cut_and_joined_without_losing_a_row(sizes, rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("groups") / "rows.parquet"
    values = np.arange(float(sum(sizes)))
    with parquet.ParquetWriter(path, pa.schema([("x", pa.float64())])) as writer:
        for stop, size in zip(np.cumsum(sizes), sizes):
            writer.write_table(pa.table({"x": values[stop - size : stop]}))
    if sum(sizes) == 0:
        with pytest.raises(InputError, match="no rows"):
            row_files(path, rows=rows)
        return
    files = row_files(path, rows=rows)
    assert np.array_equal(loaded(files)[:, 0], values)
    assert max(piece.n_rows for piece in files.pieces) <= rows


def test_small_row_groups_are_joined_up_to_the_rows_of_a_piece(tmp_path):
    path = write(numbers(), tmp_path / "rows.parquet", 100)
    assert [piece.n_rows for piece in row_files(path, rows=450).pieces] == [400, 400, 200]


def test_a_large_row_group_is_cut_evenly(tmp_path):
    path = write(numbers(), tmp_path / "rows.parquet")
    assert [piece.n_rows for piece in row_files(path, rows=300).pieces] == [250] * 4


@pytest.mark.parametrize("how", ["folder", "pattern", "list", "list of folder and file"])
def test_files_come_in_order_however_they_are_named(how, tmp_path):
    expected = folder_of(tmp_path)
    last = write(numbers(10, seed=9), tmp_path / "zz.pq")
    source = {
        "folder": tmp_path,
        "pattern": str(tmp_path / "p*.parquet"),
        "list": [tmp_path / f"part-{i}.parquet" for i in range(3)],
        "list of folder and file": [str(tmp_path), last],
    }[how]
    if how == "list of folder and file":
        expected = pd.concat([expected, numbers(10, seed=9)])
    files = row_files(source, rows=600)
    assert np.array_equal(loaded(files), expected.to_numpy())
    assert [piece.first_row for piece in files.pieces][:4] == [0, 500, 1000, 1500]
    assert [path.name for path in files.sources[:3]] == ["part-0.parquet", "part-1.parquet", "part-2.parquet"]
    assert all(path.is_absolute() for path in files.sources)


def test_a_list_keeps_its_own_order(tmp_path):
    folder_of(tmp_path)
    files = row_files([tmp_path / "part-2.parquet", tmp_path / "part-0.parquet"])
    assert np.array_equal(files.pieces[0].load(), numbers(seed=2).to_numpy())


def test_a_file_without_rows_among_others_is_no_piece(tmp_path):
    expected = folder_of(tmp_path, 2)
    write(numbers(0), tmp_path / "part-00.parquet")
    files = row_files(tmp_path)
    assert len(files.sources) == 3
    assert np.array_equal(loaded(files), expected.to_numpy())


def test_columns_in_another_order_are_found_by_name(tmp_path):
    expected = folder_of(tmp_path, 2)
    write(numbers(seed=1)[["z", "x", "y"]], tmp_path / "part-1.parquet")
    assert np.array_equal(loaded(row_files(tmp_path)), expected.to_numpy())


def test_names_with_dots_are_no_paths(tmp_path):
    frame = numbers().rename(columns={"x": "size", "y": "size.left"})
    path = write(frame, tmp_path / "rows.parquet")
    assert np.array_equal(loaded(row_files(path, columns=["size.left", "size"])), frame[["size.left", "size"]])


# ---- columns and types

EVERY_KIND = {
    "single": pa.array([1.5, -2, 3], pa.float32()),
    "double": pa.array([1.5, -2, 1e300], pa.float64()),
    "half": pa.array(np.array([1.5, -2, 3], np.float16)),
    "byte": pa.array([1, -2, 3], pa.int8()),
    "whole": pa.array([1, -2, 2**40], pa.int64()),
    "count": pa.array([1, 2, 2**63], pa.uint64()),
    "truth": pa.array([True, False, True]),
    "price": pa.array([1, 2, 3], pa.int32()).cast(pa.decimal128(12, 2)),
    "text": pa.array(["a", "b", "c"]),
    "date": pa.array([1, 2, 3], pa.date32()),
    "moment": pa.array([1, 2, 3], pa.timestamp("us")),
    "level": pa.array(["a", "b", "a"]).dictionary_encode(),
    "list": pa.array([[1.0], [2.0], [3.0]]),
    "pair": pa.array([{"a": 1}, {"a": 2}, {"a": 3}]),
    "bytes": pa.array([b"a", b"b", b"c"]),
}


def test_the_columns_that_hold_numbers_are_those_that_other_readers_of_ours_find(tmp_path):
    path = tmp_path / "kinds.parquet"
    parquet.write_table(pa.table(EVERY_KIND), path)
    files, blocks = row_files(path), row_blocks(path)
    assert files.names == blocks.names == tuple(EVERY_KIND)[:8]
    assert files.left_out == blocks.left_out
    (block,) = blocks()
    assert np.array_equal(files.pieces[0].load(), block)


@pytest.mark.parametrize("name", list(EVERY_KIND)[:8])
def test_only_float32_stays_float32(name, tmp_path):
    path = tmp_path / "kinds.parquet"
    parquet.write_table(pa.table(EVERY_KIND), path)
    expected = np.float32 if name == "single" else np.float64
    alone, beside = row_files(path, columns=[name]), row_files(path, columns=["single", name])
    assert alone.dtype == beside.dtype == expected
    assert alone.pieces[0].load().dtype == expected
    assert np.array_equal(alone.pieces[0].load()[:, 0], pd.read_parquet(path)[name].to_numpy().astype(expected))


def test_numbers_written_as_categories_are_numbers(tmp_path):
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"level": pa.array([7, 3, 7, 5]).dictionary_encode()}), path)
    assert loaded(row_files(path)).ravel().tolist() == [7, 3, 7, 5]


def test_the_index_of_a_frame_is_no_feature_unless_asked_for(tmp_path):
    frame = numbers().set_index(pd.Index(np.random.default_rng(1).permutation(N), name="customer"))
    frame.to_parquet(tmp_path / "rows.parquet")
    files = row_files(tmp_path / "rows.parquet")
    assert (files.names, files.left_out) == (("x", "y", "z"), ("customer",))
    chosen = row_files(tmp_path / "rows.parquet", columns=["customer", "x"])
    assert (chosen.names, chosen.left_out) == (("customer", "x"), ())
    assert np.array_equal(loaded(chosen)[:, 0], frame.index)


# ---- other processes


def test_a_piece_is_small_and_is_read_in_a_process_that_knows_nothing_else(tmp_path):
    folder_of(tmp_path)
    files = row_files(tmp_path, rows=300)
    assert pickle.loads(pickle.dumps(files)) == files
    assert len(pickle.dumps(files)) < 5000
    script = """
        import pickle, sys
        piece = pickle.load(sys.stdin.buffer)
        sys.stdout.buffer.write(piece.load().tobytes())
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, input=pickle.dumps(files.pieces[5]), capture_output=True, check=True, cwd="/")
    assert done.stdout == files.pieces[5].load().tobytes()


MEMORY = """
import pickle, sys
import numpy, pyarrow.parquet
from coterie.tables import row_files

def figure(key):
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith(key))

files = pickle.load(sys.stdin.buffer)
files.pieces[0].load()
open("/proc/self/clear_refs", "w").write("5")
before = figure("VmRSS")
for piece in files.pieces:
    total = piece.load().sum()
print(figure("VmHWM") - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks of memory are read from /proc")
@pytest.mark.parametrize("group", [20_000, 1_600_000], ids=["small row groups", "one row group"])
def test_memory_is_that_of_a_piece_whatever_the_row_groups(group, tmp_path):
    path = write(numbers(1_600_000, dtype=np.float64), tmp_path / "rows.parquet", group, use_dictionary=False)
    files = row_files(path, rows=200_000)
    done = subprocess.run([sys.executable, "-c", MEMORY], input=pickle.dumps(files), capture_output=True, check=True)
    piece = 200_000 * 3 * 8 / 2**20  # 4.6 MB; a whole column is 12, the row group 37
    assert float(done.stdout) < 2 * piece + 6


# ---- values that are missing, and damage


BAD_FLOATS = [(np.nan, "no value"), (np.inf, "infinity"), (-np.inf, "infinity")]
BAD = [
    *((None, "no value", kind) for kind in (pa.float32(), pa.float64(), pa.int64(), pa.bool_(), pa.decimal128(9, 2))),
    *((value, says, kind) for kind in (pa.float32(), pa.float64()) for value, says in BAD_FLOATS),
]


@pytest.mark.parametrize(("value", "says", "kind"), BAD, ids=str)
def test_a_missing_value_is_refused_with_row_file_and_column(value, says, kind, tmp_path):
    folder_of(tmp_path, 2, group=300)
    frame = numbers(seed=3)
    one, zero = (True, False) if kind == pa.bool_() else (1, 0)
    values = pa.array([*([one] * 777), value, *([zero] * 222)], kind)
    table = pa.table({"x": values, "y": frame["y"], "z": frame["z"]})
    parquet.write_table(table, tmp_path / "part-2.parquet", row_group_size=300)
    files = row_files([tmp_path / "part-2.parquet"], rows=300)
    for piece in files.pieces:
        if piece.first_row <= 777 < piece.first_row + piece.n_rows:
            message = f"row 777 of part-2.parquet has {says} in column 'x'; fill or drop such rows first"
            with pytest.raises(InputError) as caught:
                piece.load()
            assert str(caught.value) == message
        else:
            piece.load()


def test_rows_are_numbered_within_their_file_and_large_numbers_have_commas(tmp_path):
    folder_of(tmp_path, 2)
    frame = numbers(3000)
    frame.loc[2345, "y"] = np.nan
    write(frame, tmp_path / "part-2.parquet")
    with pytest.raises(InputError, match=r"row 2,345 of part-2.parquet has no value in column 'y'"):
        loaded(row_files(tmp_path))


def test_a_truncated_file_is_refused_when_it_is_opened(tmp_path):
    folder_of(tmp_path)
    path = tmp_path / "part-1.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"^part-1.parquet is no readable Parquet file: .+; write or fetch it again$"):
        row_files(tmp_path)


def test_damage_within_the_rows_is_found_when_a_piece_is_loaded(tmp_path):
    path = write(numbers(), tmp_path / "rows.parquet", write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 64
    path.write_bytes(data)
    files = row_files(path)
    with pytest.raises(InputError, match=r"^rows.parquet is no readable Parquet file: .+; write or fetch it again$"):
        loaded(files)


def test_a_damaged_count_of_rows_loses_no_row_in_silence(tmp_path):
    path = write(numbers(), tmp_path / "rows.parquet", group=300)
    data = bytearray(path.read_bytes())
    count = bytes([0x16, 0xD8, 0x04])  # what the format makes of 300 rows: a field of 64 bits, zigzag, in sevens
    places = [i for i in range(len(data)) if data[i : i + 3] == count]
    refused = []
    for at in places:
        path.write_bytes(data[: at + 1] + bytes([0xD8 ^ 8]) + data[at + 2 :])  # 296
        try:
            assert np.array_equal(loaded(row_files(path)), numbers().to_numpy())  # a count that nobody reads
        except InputError as error:
            refused.append(str(error))
    sentence = "rows.parquet is no readable Parquet file: it promises 1,000 rows and its row groups 996; write or fetch it again"
    assert refused == [sentence] * 3  # groups of 300 rows; the columns in them have counts of their own


@pytest.mark.parametrize("change", ["gone", "shorter", "other columns", "fewer rows"])
def test_a_file_that_changed_since_is_refused(change, tmp_path):
    path = write(numbers(), tmp_path / "rows.parquet")
    (piece,) = row_files(path).pieces
    if change == "gone":
        path.unlink()
    elif change == "shorter":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        frame = numbers().rename(columns={"x": "u"}) if change == "other columns" else numbers(N - 1)
        write(frame, path)
        size = path.stat().st_size
        piece = pickle.loads(pickle.dumps(piece))
        object.__setattr__(piece, "file_bytes", size)  # as if the size were the same by chance
    with pytest.raises(InputError, match="no file at" if change == "gone" else "has changed since it was looked at"):
        piece.load()


# ---- sentences


def text_file(folder):
    (folder / "rows.csv").write_text("a,b\n1,2\n")
    return folder / "rows.csv"


def two(folder, second, **first):
    write(numbers().assign(**first), folder / "a.parquet")
    write(second, folder / "b.parquet")
    return folder


def array(folder, name, values):
    np.save(folder / name, values)
    return folder / name


WRONG = {
    "no such file": (lambda f: f / "rows.parquet", {}, "no file at .*rows.parquet; check the path"),
    "no match": (lambda f: str(f / "*.parquet"), {}, "no file matches .*parquet; check the pattern"),
    "folder without": (lambda f: f, {}, "holds no .parquet files; give a folder that does"),
    "empty list": (lambda f: [], {}, "list of files is empty"),
    "no path": (lambda f: 5, {}, "cannot read rows of files from 'int'"),
    "csv": (text_file, {}, "rows.csv cannot be read in blocks; convert it"),
    "both kinds": (
        lambda f: [write(numbers(), f / "a.parquet"), array(f, "a.npy", np.ones((2, 2)))], {},
        "a.npy is a .npy file and a.parquet is not; give files of one kind",
    ),
    "one column less": (
        lambda f: two(f, numbers().drop(columns="y")), {}, "b.parquet has no column 'y', which a.parquet has",
    ),
    "one column more": (
        lambda f: two(f, numbers().assign(w=1.0)), {}, "b.parquet has a column 'w', which a.parquet lacks",
    ),
    "the one chosen": (
        lambda f: two(f, numbers().drop(columns="y")), {"columns": ["x", "y"]}, "b.parquet has no column 'y', which",
    ),
    "other type": (
        lambda f: two(f, numbers().astype({"y": float})), {}, "column 'y' is double in b.parquet and float in a.parquet",
    ),
    "text there": (
        lambda f: two(f, numbers().astype({"y": str})), {"columns": ["y"]}, "column 'y' is (large_)?string in b.parquet",
    ),
    "number there": (
        lambda f: two(f, numbers().assign(w=1), w="one"), {}, "column 'w' is int64 in b.parquet and (large_)?string in a",
    ),
    "unknown column": (
        lambda f: write(numbers(), f / "a.parquet"), {"columns": ["u"]}, "a.parquet has no column 'u'; its columns of numb",
    ),
    "column of text": (
        lambda f: write(numbers().assign(t="a"), f / "a.parquet"), {"columns": ["t"]}, "'t' of a.parquet holds no numbers",
    ),
    "only text": (
        lambda f: write(pd.DataFrame({"t": ["a"]}), f / "a.parquet"), {}, "a.parquet has no column of numbers; code the",
    ),
    "no rows": (lambda f: write(numbers(0), f / "a.parquet"), {}, "a.parquet has columns but no rows; give at least one"),
    "no bytes": (lambda f: (f / "a.parquet").write_bytes(b"") or f, {}, "a.parquet is no readable Parquet file: "),
    "no columns": (lambda f: write(numbers(), f / "a.parquet"), {"columns": []}, "columns must be a list of at least one"),
    "a string": (lambda f: write(numbers(), f / "a.parquet"), {"columns": "x"}, "columns must be a list .*got 'x'"),
    "no piece": (lambda f: write(numbers(), f / "a.parquet"), {"rows": 0}, "the rows of a piece must be a whole number"),
    "a line": (lambda f: array(f, "a.npy", np.ones(5)), {}, r"in a.npy, got shape \(5,\)"),
    "words": (lambda f: array(f, "a.npy", np.array([["a"]])), {}, "in a.npy, got shape"),
    "objects": (lambda f: array(f, "a.npy", np.array([[None]])), {}, "a.npy is no readable .npy file: "),
    "place": (lambda f: array(f, "a.npy", np.ones((2, 2))), {"columns": [2]}, "numbers from 0 to 1, got 2"),
    "wider": (
        lambda f: [array(f, "a.npy", np.ones((2, 2))), array(f, "b.npy", np.ones((2, 3)))], {},
        "b.npy has a column 2, which a.npy lacks",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_read_is_one_sentence(case, tmp_path):
    make, settings, message = WRONG[case]
    with pytest.raises(InputError, match=message) as caught:
        row_files(make(tmp_path), **settings)
    assert "\n" not in str(caught.value)


def test_two_columns_of_one_name_are_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["x", "x"])
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a.parquet has 2 columns called 'x'; rename them"):
        row_files(tmp_path)


def test_the_extra_is_named_where_pyarrow_is_missing(tmp_path, monkeypatch):
    path = write(numbers(), tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r'pip install "coterie\[distributed\]"'):
        row_files(path)


# ---- NumPy files


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", "i8", "u1", "?", "f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_files_are_cut_too(dtype, order, tmp_path):
    values = (np.random.default_rng(0).random((N, 3)) * 100).astype(dtype)
    paths = [array(tmp_path, f"{i}.npy", np.asarray(values + i if i else values, dtype, order=order)) for i in (0, 1)]
    files = row_files([str(path) for path in paths], rows=300)
    expected = np.concatenate([np.load(path) for path in paths])
    assert (files.shape, files.names, files.left_out) == ((2 * N, 3), None, ())
    assert files.dtype == (np.float32 if dtype in ("f4", ">f4") else np.float64)
    assert all(piece.load().flags.c_contiguous and piece.load().dtype == files.dtype for piece in files.pieces)
    assert np.array_equal(loaded(files), expected.astype(files.dtype))
    chosen = row_files(paths, columns=[2, -3], rows=999)
    assert np.array_equal(loaded(chosen), expected[:, [2, 0]].astype(files.dtype))


def test_a_missing_value_in_an_npy_file_is_refused_with_the_place_of_its_column(tmp_path):
    values = np.ones((N, 3))
    values[500, 2] = np.nan
    path = array(tmp_path, "rows.npy", values)
    with pytest.raises(InputError, match=r"row 500 of rows.npy has no value in column 2; fill or drop"):
        loaded(row_files(path, columns=[2, 0], rows=100))


def test_a_truncated_npy_file_is_refused(tmp_path):
    path = array(tmp_path, "rows.npy", np.ones((N, 3)))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"rows.npy is no readable .npy file: .+; write it again"):
        row_files(path)


def test_tables_read_whole_agree_with_pieces(tmp_path):
    expected = folder_of(tmp_path, 1)
    table = read(tmp_path / "part-0.parquet")
    assert np.array_equal(loaded(row_files(tmp_path)), np.column_stack([table.column(c).values for c in expected]))
