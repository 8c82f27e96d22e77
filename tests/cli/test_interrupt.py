"""Ctrl-C ends a run within half a second, at whatever moment, and leaves nothing half-written and nobody running."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

# The full lane tries the 50 moments of the fault table.
MOMENTS = 50 if os.environ.get("COTERIE_FULL") else 10
FILES = {"labels.csv", "model.coterie", "run.json", "report.html"}


@pytest.fixture(scope="module")
def big_file(tmp_path_factory):
    """A file whose analysis takes several seconds."""
    rng = np.random.default_rng(0)
    centers = rng.normal(0, 6, (6, 8))
    rows = centers[rng.integers(0, 6, 30_000)] + rng.normal(0, 1, (30_000, 8))
    path = tmp_path_factory.mktemp("big") / "big.csv"
    np.savetxt(path, rows, delimiter=",", fmt="%.4f", header=",".join(f"m{i}" for i in range(8)), comments="")
    return path


def _start(folder, *arguments, **options):
    # A wrapper that installs the handlers first and then says so: the 20 ms in which Python itself starts are not ours.
    script = (
        "import sys; from coterie.cli import _interrupt, main; _interrupt.install();"
        "sys.stderr.write('ready\\n'); sys.stderr.flush(); main()"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    assert started.stderr.readline() == "ready\n"
    return started


def _stop(started, number):
    """Send the signal; return the seconds to the end, the exit code, what was said, and processes left over."""
    children = psutil.Process(started.pid).children(recursive=True)
    began = time.monotonic()
    started.send_signal(number)
    _, said = started.communicate(timeout=30)
    return time.monotonic() - began, started.returncode, said, [child for child in children if child.is_running()]


def _assert_nothing_torn(folder):
    for entry in folder.iterdir():
        assert not entry.name.endswith((".part", ".lock")), entry
        if entry.name == "big.coterie":
            assert {inner.name for inner in entry.iterdir()} == FILES


@pytest.mark.slow
@pytest.mark.parametrize("moment", np.linspace(0.05, 5.0, MOMENTS).round(2).tolist())
def test_ctrl_c_at_any_moment_of_a_run_ends_it_within_half_a_second(moment, big_file, tmp_path):
    started = _start(tmp_path, "run", big_file)
    try:
        started.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        seconds, code, said, orphans = _stop(started, signal.SIGINT)
    else:
        # A fast machine may be done by then; that, too, must be whole.
        _, said = started.communicate()
        seconds, code, orphans = 0.0, started.returncode, []
    _assert_nothing_torn(tmp_path)
    # 0 where all had been written and said before the signal came.
    assert code == 130 or (code == 0 and (tmp_path / "big.coterie").exists() and "next       open" in said), said
    assert orphans == []
    assert "Traceback" not in said
    assert seconds < 0.5


@pytest.mark.parametrize("attempt", range(3))
def test_ctrl_c_while_the_results_are_written_leaves_all_of_them_or_none(attempt, big_file, tmp_path):
    started = _start(tmp_path, "run", big_file, "--method", "KMeans", "-k", "6")
    end = time.monotonic() + 100
    while started.poll() is None and time.monotonic() < end and not list(tmp_path.glob(".big.coterie.*.part")):
        time.sleep(0.001)
    assert started.poll() is None, "the run ended before a stand-in of its folder was seen"
    time.sleep(0.02 * attempt)
    seconds, code, said, _ = _stop(started, signal.SIGINT)
    _assert_nothing_torn(tmp_path)
    assert code in (0, 130)  # 0 where the last file was already in place
    assert (tmp_path / "big.coterie").exists() or code == 130
    assert "Traceback" not in said
    assert seconds < 0.5


def test_ctrl_c_while_the_results_of_a_network_are_written_leaves_all_of_them_or_none(tmp_path):
    rng = np.random.default_rng(0)
    np.savetxt(tmp_path / "links.csv", rng.integers(0, 20_000, (150_000, 2)), fmt="%d", delimiter=",")
    started = _start(tmp_path, "network", "links.csv", "--method", "balanced_cut", "-k", "2")
    end = time.monotonic() + 100
    while started.poll() is None and time.monotonic() < end and not list(tmp_path.glob(".links.coterie.*.part")):
        time.sleep(0.001)
    assert started.poll() is None, "the run ended before a stand-in of its folder was seen"
    seconds, code, said, _ = _stop(started, signal.SIGINT)
    assert not [entry for entry in tmp_path.iterdir() if entry.name.endswith((".part", ".lock"))]
    assert code in (0, 130)
    assert (tmp_path / "links.coterie").exists() == (code == 0)
    assert "Traceback" not in said
    assert seconds < 0.5


def test_sigterm_ends_a_run_with_143(big_file, tmp_path):
    started = _start(tmp_path, "run", big_file)
    time.sleep(1.5)
    seconds, code, said, _ = _stop(started, signal.SIGTERM)
    assert (code, "Traceback" in said) == (143, False)
    assert seconds < 0.5
    _assert_nothing_torn(tmp_path)


STUCK = """
import ctypes, signal, sys
from coterie.cli import _interrupt
from coterie.files import atomic_write
_interrupt.install()
# Blocked here, the signal reaches another thread, and nothing disturbs the call into C below: as in a long kernel.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
with _interrupt.leave_no_part_of("result.csv"), atomic_write("result.csv") as file:
    file.write(b"half")
    sys.stderr.write("ready\\n"); sys.stderr.flush()
    ctypes.CDLL(None).sleep(20)
"""


def test_a_call_that_hears_no_signal_is_ended_and_its_stand_in_removed(tmp_path):
    (tmp_path / "result.csv").write_text("old")
    (tmp_path / ".other.csv.abc.part").write_text("of another process")
    started = subprocess.Popen(
        [sys.executable, "-c", STUCK], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert started.stderr.readline() == "ready\n"
    time.sleep(0.3)  # until it is inside the call
    seconds, code, _, _ = _stop(started, signal.SIGINT)
    assert code == 130
    assert seconds < 0.5
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".other.csv.abc.part", "result.csv"]
    assert (tmp_path / "result.csv").read_text() == "old"


def test_an_error_that_a_library_makes_of_the_interruption_still_ends_with_130(tmp_path):
    script = (
        "import os, signal, sys; from coterie.cli import _interrupt; from coterie.cli._errors import explained\n"
        "_interrupt.install()\n"
        "with explained([]) as outcome:\n"
        "    try: os.kill(os.getpid(), signal.SIGINT)\n"
        "    except KeyboardInterrupt: raise ImportError('numpy could not be imported')\n"
        "_interrupt.leave(outcome.code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "numpy" not in done.stderr
