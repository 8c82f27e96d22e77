"""Files that tasks leave for one another: every receiver gets its slices, in order, wherever they were written."""

import os
import subprocess
import sys

import dask.array as da
import numpy as np
import pytest

from coterie.primitives.blocks import block_rows, each_block
from coterie.primitives.exchange import collect, forget, leave, lost


def by_parity(block, token):
    rows = block.rows[:, 0]
    return leave(token, [[rows[rows % 2 == 0], np.array([block.number], np.int32)], [], [rows[rows % 2 == 1]]])


def joined(receiver, pieces, factor):
    found = [(number, np.frombuffer(data, np.float64, len(data) // 8)) for number, data in pieces]
    assert [number for number, _ in pieces] == [number for number, _ in found]  # it can be gone through again
    return receiver, [number for number, _ in found], np.concatenate([values for _, values in found]) * factor


@pytest.fixture
def left(crew):
    rows = block_rows(da.arange(100.0, chunks=30)[:, None])
    yield rows, each_block(rows, by_parity, "coterie-test-exchange")
    forget(rows, "coterie-test-exchange")


@pytest.mark.parametrize("strict", [False, True])
def test_each_receiver_gets_its_slices_in_order(left, strict):
    rows, drops = left
    assert [list(drop.sizes) for drop in drops] == [[124, 0, 120]] * 3 + [[44, 0, 40]]
    odd, even = collect(rows, drops, [2, 0], joined, 10, strict=strict)
    assert odd[:2] == (2, [0, 1, 2, 3])
    np.testing.assert_array_equal(odd[2], np.arange(1, 100, 2) * 10.0)
    np.testing.assert_array_equal(even[2], np.arange(0, 100, 2) * 10.0)


@pytest.mark.parametrize("strict", [False, True])
def test_a_file_that_is_gone_is_told_of(left, strict):
    rows, drops = left
    os.unlink(drops[1].path)
    with pytest.raises(lost()):
        collect(rows, drops, [0], joined, 1, strict=strict)


def test_what_only_lost_workers_could_read_is_told_of(workers):
    rows = block_rows(da.arange(100.0, chunks=30)[:, None])
    drops = each_block(rows, by_parity, "coterie-test-exchange")
    gone = [drop._replace(address="tcp://127.0.0.1:9") for drop in drops]
    with pytest.raises(lost()):
        collect(rows, gone, [0], joined, 1, strict=True)
    forget(rows, "coterie-test-exchange")


def test_what_a_crash_left_is_removed_after_an_hour(tmp_path):
    pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
    from coterie.primitives._dask import scratch

    folders = {
        name: tmp_path / f"coterie-{digit * 32}" for digit, name in zip("123", ("old", "held", "new"), strict=True)
    }
    foreign = tmp_path / "coterie-notes"
    for folder in (*folders.values(), foreign):
        folder.mkdir()
        (folder / "file").write_text("rows")
    holding = (
        "import sys, time, pathlib; from coterie.primitives._dask.scratch import hold; hold(pathlib.Path(sys.argv[1]));"
        "print(flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", holding, str(folders["held"])], stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        for folder in (folders["old"], folders["held"], foreign):
            os.utime(folder, (1e9, 1e9))
        scratch.remove_abandoned(tmp_path)
    finally:
        other.kill()
        other.communicate()
    assert [name for name, folder in folders.items() if folder.exists()] == ["held", "new"]
    assert foreign.exists()
