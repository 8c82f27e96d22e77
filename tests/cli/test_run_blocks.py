"""Files of rows on workers and block by block: the labels of rows in memory, and one sentence where something is in the way."""

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pytest

import coterie
from coterie import KMeans
from coterie.cli import invoke
from coterie.tables import row_files

pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

N = 9000
LIMIT = "400KB"  # of 9,000 rows of three columns, which take more, and of blocks, which take less


@pytest.fixture(scope="module")
def rows():
    """Three groups, columns of very different units."""
    rng = np.random.default_rng(0)
    centers = np.array([[0.0, 0.0, 0.0], [8.0, 0.0, 5.0], [0.0, 9.0, -6.0]])
    group = rng.choice(3, N, p=[0.5, 0.3, 0.2])
    return (centers[group] + rng.normal(size=(N, 3))) * [1.0, 100.0, 1e-3] + [0.0, 1e5, 7.0]


@pytest.fixture(scope="module")
def files(rows, tmp_path_factory):
    """Three files of unequal length, with a name and a number of each row beside the values; no test changes them."""
    place = tmp_path_factory.mktemp("files") / "data"
    place.mkdir()
    for i, at in enumerate(np.split(np.arange(N), [1000, 5500])):
        columns = {name: rows[at, j] for j, name in enumerate("abc")}
        table = pa.table({"visit_id": at, **columns, "name": [f"row {row}" for row in at]})
        pq.write_table(table, place / f"part-{i}.parquet", row_group_size=1500)
    return place


@pytest.fixture
def folder(files, tmp_path):
    """The same files, for one test alone."""
    return Path(shutil.copytree(files, tmp_path / "data"))


@pytest.fixture(scope="module")
def result(files, tmp_path_factory):
    """What one run in blocks wrote, and said."""
    place = tmp_path_factory.mktemp("result") / "out"
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = invoke(["run", str(files / "*.parquet"), "-k", "3", "--memory-limit", LIMIT, "-o", str(place)])
    assert code == 0, said.getvalue()
    return Result(place, said.getvalue())


@pytest.fixture
def address(request):
    """Where two worker processes listen."""
    return request.getfixturevalue("_two_processes").scheduler_address


class Result(NamedTuple):
    folder: Path
    said: str


def scaled(rows):
    return (rows - rows.mean(axis=0)) / rows.std(axis=0)


def start_of(rows):
    return scaled(rows)[:3]


def renamed_by_size(labels):
    order = np.argsort(-np.bincount(labels), kind="stable")
    return np.argsort(order)[labels]


def in_memory(rows):
    return renamed_by_size(KMeans(3, random_state=0).fit(scaled(rows)).labels_)


def labels_in(folder):
    table = pq.read_table(folder / "labels.parquet")
    assert np.array_equal(table["row"].to_numpy(), np.arange(N))
    return table["label"].to_numpy()


def record_in(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def test_rows_beyond_the_limit_are_worked_on_block_by_block(result, rows):
    result, said = result
    assert "this process works block by block" in said
    assert "no cluster is needed for one machine" in said
    assert {path.name for path in result.iterdir()} == {"labels.parquet", "model.coterie", "run.json", "report.html"}
    assert np.array_equal(labels_in(result), in_memory(rows))
    record = record_in(result)
    sizes = np.bincount(labels_in(result))
    assert [cluster["rows"] for cluster in record["clusters"]] == sizes.tolist()
    assert record["input"]["rows"] == N
    assert record["chosen"]["engine"] == "dask"
    blocks = record["blocks"]
    assert blocks["where"] == "this process"
    assert blocks["blocks"] >= 6
    assert blocks["bytes_read"] == 8 * 3 * N * blocks["passes"]  # nothing is kept within this limit
    whole = KMeans(3, random_state=0).fit(scaled(rows))
    assert blocks["inertia"] == pytest.approx(whole.inertia_, rel=1e-4)  # both end within tol of the same optimum


def test_centers_are_told_in_the_units_of_the_columns(result, rows):
    labels = labels_in(result.folder)
    for cluster in record_in(result.folder)["clusters"]:
        mean = rows[labels == cluster["id"]].mean(axis=0)
        assert [cluster["center"][name] for name in "abc"] == pytest.approx(mean.tolist(), rel=1e-7)


def test_what_is_left_out_is_told_with_its_reason(call, files, tmp_path):
    assert call("run", files, "-k", 3, "--memory-limit", LIMIT, "-o", "out", "-q", "--roles", "c=ignored").code == 0
    columns = {column["name"]: column for column in record_in(tmp_path / "out")["columns"]}
    assert [name for name, column in columns.items() if column["used"]] == ["a", "b"]
    assert columns["visit_id"]["role"] == "id"
    assert columns["c"]["why"] == "as you asked"
    assert "no numbers" in columns["name"]["why"]


def test_the_model_labels_new_files_as_it_labelled_these(call, files, result):
    ended = call("predict", result.folder, files / "part-1.parquet")
    assert ended.code == 0, ended.err
    found = np.array([int(line.split(",")[1]) for line in ended.out.splitlines()[1:]])
    assert np.array_equal(found, labels_in(result.folder)[1000:5500])


def test_files_that_fit_are_read_as_one_table(call, files, tmp_path):
    ended = call("run", files, "-k", 3)
    assert ended.code == 0, ended.err
    assert (tmp_path / "data.coterie" / "labels.csv").exists()
    assert record_in(tmp_path / "data.coterie")["input"]["rows"] == N


def test_a_dry_run_reads_no_rows(call, folder, tmp_path):
    ended = call("run", folder, "--memory-limit", LIMIT, "--dry-run")
    assert ended.code == 0, ended.err
    assert "blocks of at most" in ended.err
    assert "prepare" not in ended.err
    assert not (tmp_path / "data.coterie").exists()


def test_labels_go_to_stdout(call, files, rows):
    ended = call("run", files, "-k", 3, "--memory-limit", LIMIT, "-o", "-", "-q")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[:2] == ["row,label", f"0,{in_memory(rows)[0]}"]
    assert len(ended.out.splitlines()) == N + 1


def test_a_missing_value_is_refused_with_its_place(call, folder, tmp_path):
    table = pq.read_table(folder / "part-1.parquet")
    values = table["b"].to_numpy().copy()
    values[17] = np.nan
    pq.write_table(table.set_column(2, "b", pa.array(values)), folder / "part-1.parquet")
    ended = call("run", folder, "-k", 3, "--memory-limit", LIMIT)
    assert ended.code == 3
    assert "row 17" in ended.err
    assert "'b'" in ended.err
    assert not (tmp_path / "data.coterie").exists()


def test_a_damaged_file_is_one_sentence(call, folder, tmp_path):
    whole = (folder / "part-2.parquet").read_bytes()
    (folder / "part-2.parquet").write_bytes(whole[:2000])
    ended = call("run", folder, "--memory-limit", LIMIT)
    assert ended.code == 3
    assert ended.err.startswith("error: ")
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "data.coterie").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--method", "genie", "--cluster", "local"], 2, "Genie needs all rows in memory"),
        (["--truth", "a", "--memory-limit", LIMIT], 3, "more than 1,000 different values"),
        (["--truth", "d", "--memory-limit", LIMIT], 3, "d"),
        (["--min-share", "0.6", "--memory-limit", LIMIT], 3, "below 0.5"),
        (["--time-limit", "5m", "--memory-limit", LIMIT], 2, "--time-limit needs all rows in memory"),
        (["--roles", "name=category", "--memory-limit", LIMIT], 3, "code it first"),
        (["--roles", "nome=number", "--memory-limit", LIMIT], 3, "nome"),
        (["-k", 10_000, "--memory-limit", LIMIT], 3, "--clusters must be at most"),
        (["--cluster", "8786"], 2, "tcp://host:8786"),
    ],
)
def test_what_cannot_be_is_one_sentence(call, files, arguments, code, words):
    ended = call("run", files, *arguments)
    assert ended.code == code
    assert words in ended.err


def test_a_cluster_is_for_files_in_blocks(call, tmp_path):
    (tmp_path / "some.csv").write_text("a,b\n1,2\n3,4\n")
    ended = call("run", "some.csv", "--cluster", "local")
    assert ended.code == 3
    assert "a cluster works on" in ended.err


def test_nobody_at_the_address_is_one_sentence(call, files, tmp_path, monkeypatch):
    from coterie.primitives._dask import workers

    assert workers._CONNECT_SECONDS <= 12  # people wait for it
    monkeypatch.setattr(workers, "_CONNECT_SECONDS", 1)
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        ended = call("run", files, "--cluster", f"tcp://127.0.0.1:{taken.getsockname()[1]}")
    assert ended.code == 4
    assert "could not reach a scheduler" in ended.err
    assert len([line for line in ended.err.splitlines() if line.startswith("error:")]) == 1
    assert not (tmp_path / "data.coterie").exists()


def test_on_workers_the_labels_are_those_of_rows_in_memory(call, files, rows, tmp_path, address):
    ended = call("run", files, "-k", 3, "--cluster", address)
    assert ended.code == 0, ended.err
    assert "2 workers with 2 threads" in ended.err
    assert "warning" not in ended.err
    assert np.array_equal(labels_in(tmp_path / "data.coterie"), in_memory(rows))
    blocks = record_in(tmp_path / "data.coterie")["blocks"]
    assert blocks["workers"] == 2
    assert blocks["where"] == address


@pytest.mark.slow
def test_processes_of_its_own_do_the_same_and_are_gone_after(process, folder, rows, tmp_path):
    ended = process("run", folder, "-k", 3, "--cluster", "local")
    assert ended.code == 0, ended.err
    assert np.array_equal(labels_in(tmp_path / "data.coterie"), in_memory(rows))
    assert "error" not in ended.err


def test_from_one_start_the_labels_are_the_same_to_the_last_row(analysis, files, rows):
    # Rows of all groups overlap here: a single bit in the scaling would move some.
    found, _ = analysis
    whole = KMeans(3, init=start_of(rows), tol=0.0).fit(scaled(rows))
    assert np.array_equal(found.labels, renamed_by_size(whole.labels_))
    assert np.array_equal(found.predict(files / "part-0.parquet"), found.labels[:1000])


@pytest.fixture(scope="module")
def analysis(files, rows):
    """One analysis from a given start, and what it told of its progress."""
    told = []
    params = {"init": start_of(rows), "tol": 0.0}
    options = {"method": "KMeans", "n_clusters": 3, "params": params, "memory_limit": LIMIT}
    found = coterie.run(files, on_progress=lambda *line: told.append(line), **options)
    return found, told


@pytest.mark.parametrize("labels_format", ["npy", "csv"])
def test_labels_in_other_formats(analysis, tmp_path, labels_format):
    found, _ = analysis
    written = found.write(tmp_path / "out", labels_format=labels_format, report=False)
    read = (
        np.load(written.labels)
        if labels_format == "npy"
        else np.loadtxt(written.labels, int, delimiter=",", skiprows=1)[:, 1]
    )
    assert np.array_equal(read, found.labels)


@pytest.mark.parametrize("method", ["MiniBatchKMeans", "Birch", "STING"])
def test_other_methods_that_take_blocks(files, method):
    found = coterie.run(row_files(files), method=method)
    sizes = [cluster["rows"] for cluster in found.record["clusters"]]
    assert sum(sizes) + found.record["population"]["noise_rows"] == N
    assert sizes == sorted(sizes, reverse=True)


def test_a_sample_is_named_wherever_it_stands_for_all(rows, tmp_path):
    many = np.tile(rows, (5, 1)) + np.random.default_rng(1).normal(size=(5 * N, 3)) * [0.1, 10, 1e-4]
    np.save(tmp_path / "many.npy", many)
    found = coterie.run(tmp_path / "many.npy", n_clusters=3, memory_limit="1MB")
    words = "a sample of 20,000 of 45,000 rows"
    record = found.record
    assert words in record["judge"]["sentence"]
    assert words in record["outliers"]["sentence"]
    assert any(words in note for note in record["input"]["notes"])
    assert record["map"]["n_total"] == 5 * N
    assert record["map"]["n_shown"] == 20_000
    for row, values in record["rows"]["sample"].items():
        np.testing.assert_allclose(list(values.values()), many[int(row)], rtol=1e-7)  # the record keeps eight figures
    for cluster in record["clusters"]:
        assert set(found.labels[cluster["exemplars"]]) == {cluster["id"]}
    assert words in found.to_html()


def test_a_group_without_rows_in_the_sample_is_there_all_the_same(rows, tmp_path):
    many = np.vstack([np.tile(rows, (5, 1)), [[1e4, 1e8, 1e3]]])
    np.save(tmp_path / "many.npy", many)
    params = {"init": scaled(many)[[0, 1, -1]], "tol": 0.0}
    found = coterie.run(
        tmp_path / "many.npy", method="KMeans", n_clusters=3, params=params, memory_limit="1MB", min_share=0
    )
    last = found.record["clusters"][-1]
    assert last["rows"] == 1
    assert "Set apart by" in last["sentence"]  # all rows tell of it
    assert last["exemplars"] == []
    assert last["center"]["x1"] == pytest.approx(1e8)
    assert found.labels[-1] == last["id"]
    found.to_html()
    found.to_text()


def test_progress_counts_the_blocks_of_each_pass(analysis):
    _, told = analysis
    passes = [line for line in told if line[2].startswith("step 1,")]
    assert [done for done, _, _ in passes][: passes[0][1] + 1] == list(range(passes[0][1] + 1))
    assert all(done <= total for done, total, _ in told)
    assert any(text.startswith("labels, ") for _, _, text in told)


def test_progress_on_workers_counts_the_blocks_of_tasks_that_have_ended(files, workers):
    told = []
    coterie.run(row_files(files), n_clusters=3, on_progress=lambda *line: told.append(line))
    done = [line[0] for line in told if line[2].startswith("step 1,")]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == 3  # a block a file


def test_several_files_beyond_the_limit_of_predict_are_refused(call, files, result):
    ended = call("predict", result.folder, files, "--memory-limit", "100KB")
    assert ended.code == 4
    assert "do not fit in the memory limit" in ended.err
    assert call("predict", result.folder, files / "*.parquet").out.count("\n") == N + 1


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("localhost", True), ("10.1.2.3", False), ("0.0.0.0", False)]
)
def test_loopback_is_told_from_what_others_reach(host, loopback):
    from coterie.primitives._dask.workers import _is_loopback

    assert _is_loopback(host) is loopback


def test_a_port_that_others_reach_is_warned_of_in_one_line(call, folder):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        host="0.0.0.0",
        dashboard_address="127.0.0.1:0",
        protocol="tcp",
    ) as cluster:
        port = cluster.scheduler_address.rpartition(":")[2]
        ended = call("run", folder, "-k", 3, "--cluster", f"tcp://127.0.0.1:{port}")
    assert ended.code == 0, ended.err
    warned = [line for line in ended.err.splitlines() if line.startswith("warning")]
    assert len(warned) == 1
    assert "pickles over tcp without TLS" in warned[0]


@pytest.mark.faults
def test_ctrl_c_ends_the_work_on_a_cluster_of_others(tmp_path, workers):
    np.save(tmp_path / "big.npy", np.random.default_rng(0).normal(size=(600_000, 6)))
    command = [sys.executable, "-m", "coterie", "run", "big.npy", "-k", "40", "--cluster", workers.scheduler.address]
    started = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in started.stderr:
        if line.startswith("chosen"):
            break
    deadline = time.monotonic() + 20
    while not any(workers.processing().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert any(workers.processing().values())
    started.send_signal(signal.SIGINT)
    _, rest = started.communicate(timeout=10)
    assert started.returncode == 130, rest
    deadline = time.monotonic() + 10
    while any(workers.processing().values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(workers.processing().values())
    assert {path.name for path in tmp_path.iterdir()} == {"big.npy"}


@pytest.mark.faults
@pytest.mark.parametrize("cluster", [[], ["--cluster", "local"]], ids=["here", "local"])
def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path, cluster):
    values = np.random.default_rng(0).normal(size=(400_000, 6))
    (tmp_path / "big").mkdir()
    for i, part in enumerate(np.split(values, 4)):
        pq.write_table(pa.table({f"m{j}": part[:, j] for j in range(6)}), tmp_path / "big" / f"{i}.parquet")
    command = [sys.executable, "-m", "coterie", "run", "big", "-k", "30", "--memory-limit", "20MB", *cluster]
    started = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    said = []
    for line in started.stderr:
        said.append(line)
        if line.startswith("chosen"):
            break
    time.sleep(1.0)
    assert started.poll() is None, said
    children = psutil.Process(started.pid).children(recursive=True)
    began = time.monotonic()
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    _, rest = started.communicate(timeout=30)
    assert time.monotonic() - began < 2
    assert started.returncode == 130, rest
    assert "Traceback" not in rest
    psutil.wait_procs(children, timeout=10)
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert {path.name for path in tmp_path.iterdir()} == {"big"}


@pytest.mark.faults
def test_a_scheduler_that_is_lost_is_one_sentence(tmp_path):
    values = np.random.default_rng(0).normal(size=(400_000, 6))
    np.save(tmp_path / "big.npy", values)
    script = (
        "import sys\nfrom distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=1, threads_per_worker=1, host='127.0.0.1', dashboard_address='127.0.0.1:0') as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n        sys.stdin.read()\n"
    )
    (tmp_path / "scheduler.py").write_text(script)
    scheduler = subprocess.Popen(
        [sys.executable, "scheduler.py"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    address = scheduler.stdout.readline().strip()
    command = [sys.executable, "-m", "coterie", "run", "big.npy", "-k", "30", "--cluster", address]
    started = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for line in started.stderr:
            if line.startswith("chosen"):
                break
        time.sleep(1.0)
        assert started.poll() is None
        scheduler.kill()
        _, rest = started.communicate(timeout=60)
    finally:
        scheduler.kill()
        scheduler.communicate()
        started.kill()
    assert started.returncode == 4, rest
    errors = [line for line in rest.splitlines() if line]
    assert len(errors) == 1, rest
    assert "was lost" in errors[0]
    assert not (tmp_path / "big.coterie").exists()


@pytest.mark.slow
def test_a_model_that_holds_the_rows_of_its_fit_labels_new_ones(call, files, address):
    ended = call("run", files, "--method", "hdbscan", "--cluster", address, "-o", "out")
    assert ended.code == 0, ended.err
    ended = call("predict", "out", files / "part-0.parquet")
    assert ended.code == 0, ended.err


@pytest.mark.slow
def test_a_model_that_cannot_label_new_rows_says_so(call, files, address):
    ended = call("run", files, "--method", "dbscan", "--cluster", address, "-o", "out")
    assert ended.code == 0, ended.err
    assert "coterie predict" not in ended.err
    ended = call("predict", "out", files / "part-0.parquet")
    assert ended.code == 2
    assert "was fitted to rows in blocks" in ended.err
