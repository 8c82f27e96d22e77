"""Unusable input is one clear sentence and exit 2 or 3, with nothing left behind; so is a disk that is full."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest


def _csv(text):
    return lambda path: path.write_text(text, encoding="utf-8")


def _picture(path):
    import zlib

    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    size = (64).to_bytes(4, "big") * 2
    pixels = np.random.default_rng(0).integers(0, 256, (64, 193), dtype=np.uint8)
    pixels[:, 0] = 0
    header = chunk(b"IHDR", size + b"\x08\x02\x00\x00\x00")
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(pixels.tobytes())) + chunk(b"IEND", b"")
    )


def _cut_parquet(path):
    import duckdb

    duckdb.sql("select range as a, random() as b from range(5000)").write_parquet(str(path))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _pickle(path):
    import pickle

    path.write_bytes(pickle.dumps({"a": [1, 2, 3]}))


def _mostly_ids(path):
    rng = np.random.default_rng(0)
    names = [f"id_{i}" for i in range(298)] + ["x", "y"]
    lines = [",".join(names)]
    for row in range(60):
        ids = [f"{letter:010d}" for letter in rng.choice(10**9, 298, replace=False)]
        lines.append(",".join([*ids, f"{(row % 2) * 9 + rng.normal():.3f}", f"{(row % 2) * 9 + rng.normal():.3f}"]))
    path.write_text("\n".join(lines) + "\n")


WORDS = "\n".join(f"the customer wrote letter number {'x' * (i % 7)} about {i} things and more" for i in range(50))

BAD = {
    "an empty file": ("x.csv", _csv(""), 3, "empty"),
    "blank lines only": ("x.csv", _csv("\n\n\n"), 3, ""),
    "a header only": ("x.csv", _csv("a,b,c\n"), 3, "row"),
    "one row": ("x.csv", _csv("a,b\n1,2\n"), 3, "row"),
    "free text only": ("x.csv", _csv(f"remark\n{WORDS}\n"), 3, ""),
    "all missing": ("x.csv", _csv("a,b\n" + ",\n" * 40), 3, ""),
    "constant columns only": ("x.csv", _csv("a,b\n" + "1,x\n" * 40), 3, ""),
    "a picture named .csv": ("x.csv", _picture, 3, ""),
    "a pickle named .npy": ("x.npy", _pickle, 3, ""),
    "a pickle": ("x.pkl", _pickle, 3, ""),
    "a Parquet file cut short": ("x.parquet", _cut_parquet, 3, ""),
    "text named .parquet": ("x.parquet", _csv("a,b\n1,2\n"), 3, ""),
    "a folder": ("x.csv", lambda path: path.mkdir(), 2, "is a folder"),
    "a wrong path": ("x.csv", lambda path: None, 2, "there is no file"),
}


@pytest.mark.parametrize("case", BAD)
def test_unusable_input_is_one_sentence_and_leaves_nothing(case, process, tmp_path):
    name, make, code, said = BAD[case]
    make(tmp_path / name)
    before = sorted(tmp_path.iterdir())
    ended = process("run", name)
    assert ended.code == code, ended.err
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert ended.err.splitlines()[-1] == errors[0]
    assert said in errors[0]
    assert "Traceback" not in ended.err
    assert "unexpected" not in ended.err
    assert ended.out == ""
    assert sorted(tmp_path.iterdir()) == before


def _two_groups(extra):
    rng = np.random.default_rng(1)
    lines = []
    for row in range(120):
        x, y = rng.normal((row % 2) * 8, 1, 2)
        lines.append(extra(row, x, y))
    return lines


USABLE = {
    "a constant column": ["a,b,c", *_two_groups(lambda row, x, y: f"{x:.3f},{y:.3f},7")],
    "NaN and infinity": [
        "a,b",
        *_two_groups(lambda row, x, y: f"{'nan' if row == 3 else 'inf' if row == 9 else f'{x:.3f}'},{y:.3f}"),
    ],
    "text beside numbers": [
        "a,b,remark",
        *_two_groups(lambda row, x, y: f"{x:.3f},{y:.3f},letter {row} said {x:.9f} and more"),
    ],
}


@pytest.mark.parametrize("case", USABLE)
def test_a_flaw_in_a_column_is_dealt_with_and_said(case, call, tmp_path):
    (tmp_path / "x.csv").write_text("\n".join(USABLE[case]) + "\n")
    ended = call("run", "x.csv")
    assert ended.code == 0, ended.err
    assert "2 groups" in ended.err
    assert len((tmp_path / "x.coterie" / "labels.csv").read_text().splitlines()) == 121


def test_of_300_columns_of_which_298_are_ids_the_two_others_are_used(call, tmp_path):
    import json

    _mostly_ids(tmp_path / "x.csv")
    ended = call("run", "x.csv")
    assert ended.code == 0, ended.err
    record = json.loads((tmp_path / "x.coterie" / "run.json").read_text())
    assert [column["name"] for column in record["columns"] if column["used"]] == ["x", "y"]


# --- places that cannot be written ---------------------------------------------------------------------------------------


def test_a_full_disk_is_one_sentence_exit_1_and_nothing_half_written(process, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small disk needs privileges that this machine does not give")
    try:
        (tmp_path / "x.csv").write_text("\n".join(USABLE["a constant column"]) + "\n")
        ended = process("run", "x.csv", "-o", "disk/out")
        assert ended.code == 1
        assert ended.err.splitlines()[-1].startswith("error: could not write")
        assert "No space left" in ended.err
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_cannot_be_written_is_named(call, tmp_path, unprivileged):
    from coterie.cli._errors import explained
    from coterie.files import write_text

    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o555)
        with explained([]) as outcome:
            write_text(Path(place) / "labels.csv", "x")
        Path(place).chmod(0o755)
    assert outcome.code == 1


@pytest.mark.parametrize(
    ("place", "said"),
    [("no/such/folder", "create it first"), ("x.csv", "a file of that name"), ("full", "holds files")],
)
def test_a_place_that_will_not_do_is_refused_before_any_work(call, tmp_path, place, said):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine")
    ended = call("run", "x.csv", "-o", place)
    assert ended.code == 1
    assert said in ended.err
    assert "read " not in ended.err
    assert (tmp_path / "full" / "precious.txt").read_text() == "mine"


# --- secrets and extras --------------------------------------------------------------------------------------------------


def test_a_database_that_cannot_be_reached_never_shows_the_password(process, tmp_path):
    address = "postgresql://ada:s3cr3t-word@127.0.0.1:1/shop"
    ended = process("run", address, "--query", "select 1", "-v")
    assert ended.code in (2, 3)
    assert ended.err.splitlines()[-1].startswith("error: ")
    assert "s3cr3t-word" not in ended.err + ended.out
    assert list(tmp_path.iterdir()) == []
