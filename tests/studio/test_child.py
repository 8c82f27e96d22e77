"""Tasks in processes of their own: told step by step, ended at once, and never left behind."""

import json
import os
import signal
import subprocess
import sys
import time

import duckdb
import numpy as np
import psutil
import pytest

from coterie.errors import InputError
from coterie.studio.child import Child
from coterie.studio.source import Source, look


def task(kind, folder, **more):
    source = Source(str(folder / "data.csv")).for_child()
    return {"kind": kind, "folder": str(folder), "source": source, **more}


def gone(pid, seconds=10):
    until = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data.csv").write_text("id,age,city\na1,31,Bern\na2,45,Basel\na3,,Bern\n", encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A task that takes several seconds."""
    folder = tmp_path_factory.mktemp("long")
    rows = np.random.default_rng(0).normal(size=(20_000, 6))
    np.savetxt(folder / "data.csv", rows, delimiter=",", header="a,b,c,d,e,f", comments="")
    return task("run", folder, options={}, name="data.coterie", excel_safe=False)


def test_a_look_tells_the_columns_and_why(folder, monkeypatch):
    # What lies in the current folder and is called like a module is data, and not run.
    (folder / "json.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(folder)
    found = look(Source("data.csv"), folder)
    assert (found["name"], found["rows"]) == ("data.csv", 3)
    assert [(column["name"], column["role"], column["used"], column["missing"]) for column in found["columns"]] == [
        ("id", "id", False, 0), ("age", "number", True, 1), ("city", "category", True, 0)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "said"), [("nobody.csv", "no file at"), ("net.gml", "coterie network"), ("-", "give a file")]
)
def test_a_look_at_what_is_no_table_is_refused_with_what_to_do(folder, place, said):
    source = Source(place if place == "-" else str(folder / place))
    with pytest.raises(InputError, match=said):
        look(source, folder)


def test_rows_that_exceed_memory_and_columns_that_nobody_could_look_through_are_for_the_command(folder):
    duckdb.sql(f"copy (select range a, range * 2 b from range(100000)) to '{folder}/long.parquet'")
    with pytest.raises(InputError, match=r"does not fit into memory.*works block by block"):
        look(Source(str(folder / "long.parquet"), memory_limit=100_000), folder)
    np.save(folder / "wide.npy", np.zeros((2, 10_001)))
    with pytest.raises(InputError, match=r"10,001 columns.*at most 10,000"):
        look(Source(str(folder / "wide.npy")), folder)


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGSEGV, "ended unexpectedly by signal 11"), (signal.SIGKILL, "memory ran out")]
)
def test_a_crash_is_told_in_one_sentence(long, number, said):
    heard = []
    child = Child(long, heard.append)
    os.kill(child.pid, number)
    child.wait()
    assert [event["ended"] for event in heard if "ended" in event] == ["failed"]
    assert said in heard[-1]["sentence"]


def test_what_nobody_expected_is_told_too(folder):
    heard = []
    Child(task("dance", folder), heard.append).wait()
    assert heard[-1]["sentence"] == "something unexpected went wrong (KeyError: 'dance')"


def test_a_killed_child_is_gone_and_says_nothing_more(long):
    heard = []
    child = Child(long, heard.append)
    began = time.monotonic()
    child.kill()
    assert time.monotonic() - began < 2
    assert not psutil.pid_exists(child.pid)
    child.wait()
    assert not any("ended" in event for event in heard)


def test_a_child_ends_when_its_parent_is_killed(long):
    script = (
        "import json, sys, time; from coterie.studio.child import Child;"
        "child = Child(json.loads(sys.argv[1]), lambda event: print(child.pid, flush=True)); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, json.dumps(long)], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())  # it is at work
    assert psutil.Process(pid).is_running()
    parent.kill()
    parent.communicate(timeout=20)
    assert gone(pid)
