"""Time functions beside their peers: every run in a process of its own, the peers in turns, after a warm call.

A question file (kmeans.py, dbscan.py, ...) has a list ``CASES``. A case makes its data from a seeded recipe and names, for each peer, a
function of the data that prepares (imports, converts; not timed) and returns the call to time. The child process of one run
does: data, prepare, one warm call, one timed call; its peak memory is counted from just before the timed call.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

__all__ = ["Case", "describe", "markdown", "measure", "run_once"]

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    *(
        "coterie",
        "numpy",
        "scipy",
        "scikit-learn",
        "numba",
        "faiss-cpu",
        "dbscan",
        "hdbscan",
        "fast_hdbscan",
        "fastcluster",
    ),
    *("genieclust", "kmedoids", "kmodes", "k-means-constrained", "pyclustering", "dask", "dask-ml"),
)
# OpenBLAS would be told to compute for another processor than this one.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
OURS = "coterie"


@dataclass(frozen=True)
class Case:
    """One data set, one task, several who do it.

    Attributes
    ----------
    name : str
    make : callable
        Returns the data, passed to the peers and to ``quality``.
    peers : dict of str to callable
        ``prepare(data)`` returns the function to time.
    quality : callable
        ``quality(data, result)`` returns figures that show the same task was done as well.
    goals : dict of str to float
        How many times faster than this peer we want to be.
    slow : tuple of str
        Peers whose warm call uses a tenth of a percent of the rows: they compile nothing, and take long.
    """

    name: str
    make: Callable[[], Any]
    peers: dict[str, Callable[[Any], Callable[[], Any]]]
    quality: Callable[[Any, Any], dict[str, Any]]
    goals: dict[str, float] = field(default_factory=dict)
    slow: tuple[str, ...] = ()


def measure(
    question: str, case: Case, runs: int = 3, cap_seconds: float = 40.0, timeout: float = 300.0
) -> dict[str, Any]:
    """Run every peer of a case ``runs`` times in turns, and return all figures.

    Parameters
    ----------
    question : str
        Name of the file that holds the case.
    case : Case
    runs : int
    cap_seconds : float
        A peer that has used this much timed time is not run again.
    timeout : float
        Seconds after which a run is stopped.
    """
    found: dict[str, list[dict]] = {peer: [] for peer in case.peers}
    failed: dict[str, str] = {}
    for _ in range(runs):
        for peer, done in found.items():
            if peer in failed or sum(run["seconds"] for run in done) > cap_seconds:
                continue
            result = _in_new_process(question, case.name, peer, timeout)
            if "error" in result:
                failed[peer] = result["error"]
            else:
                done.append(result)
    return {
        "case": case.name,
        "goals": case.goals,
        "peers": {peer: _summary(done) for peer, done in found.items() if done},
        "failed": failed,
    }


def _in_new_process(question: str, case: str, peer: str, timeout: float) -> dict[str, Any]:
    environment = {key: value for key, value in os.environ.items() if key not in UNSET}
    command = [sys.executable, "-m", "benchmarks", "--one", question, case, peer]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": f"> {timeout:.0f} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"error": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:200]}
    return json.loads(lines[-1])


def run_once(question: str, case_name: str, peer: str) -> dict[str, Any]:
    """Do one run in this process: what the child of `measure` does."""
    case = next(case for case in import_module(f"benchmarks.{question}").CASES if case.name == case_name)
    data = case.make()
    started = time.perf_counter()
    call = case.peers[peer](data)
    prepared = time.perf_counter() - started
    warm_call = case.peers[peer](_few(data)) if peer in case.slow else call
    started = time.perf_counter()
    warm_call()
    first = time.perf_counter() - started
    before = _memory("VmRSS")
    _forget_peak()
    started, cpu = time.perf_counter(), _cpu_seconds()
    result = call()
    seconds, cpu = time.perf_counter() - started, _cpu_seconds() - cpu
    peak = _memory("VmHWM")
    return {
        "seconds": seconds,
        "cpu": cpu,
        "first": first,
        "prepare": prepared,
        "peak_mb": peak,
        "added_mb": peak - before,
        "load": os.getloadavg()[0],
        "quality": case.quality(data, result),
    }


def _few(data: Any) -> Any:
    """Return the first rows of everything that has rows."""
    return tuple(part[: max(2000, len(part) // 1000)] if hasattr(part, "__len__") else part for part in data)


def _cpu_seconds() -> float:
    return sum(os.times()[:4])


def _memory(key: str) -> float:
    """Return a figure of this process in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    raise LookupError(f"/proc/self/status has no {key}: the memory of a run is measured on Linux only")


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _summary(done: list[dict]) -> dict[str, Any]:
    seconds = sorted(run["seconds"] for run in done)
    middle = {
        key: statistics.median(run[key] for run in done) for key in ("cpu", "first", "prepare", "peak_mb", "added_mb")
    }
    return {
        "runs": len(done),
        "seconds": statistics.median(seconds),
        "least": seconds[0],
        "most": seconds[-1],
        **middle,
        "load": max(run["load"] for run in done),
        "quality": done[-1]["quality"],
    }


def describe() -> dict[str, Any]:
    """Return the machine and the versions."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": names[0].partition(":")[2].strip() if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": versions,
    }


def markdown(machine: dict[str, Any], results: list[dict]) -> str:
    """Return the figures as a page."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    parts = [
        f"{machine['cores']} cores, {machine['processor']}, {machine['system']}, Python {machine['python']}. {versions}.",
        "Median (least to most) of the runs; a ratio is a peer's time divided by ours.",
    ]
    parts += [f"### {result['case']}\n\n{_table(result)}" for result in results]
    return "\n\n".join(parts) + "\n"


def _table(result: dict) -> str:
    ours = result["peers"].get(OURS, {}).get("seconds")
    rows = [
        "| | runs | seconds | ratio | goal | first call s | CPU s | peak MB | added MB | quality |",
        "|---" * 10 + "|",
    ]
    for peer, found in sorted(result["peers"].items(), key=lambda item: item[1]["seconds"]):
        ratio = f"{found['seconds'] / ours:.2f}" if ours else ""
        goal = f">= {result['goals'][peer]:g}" if peer in result["goals"] else ""
        quality = ", ".join(f"{key} {value}" for key, value in found["quality"].items())
        rows.append(
            f"| {peer} | {found['runs']} | **{found['seconds']:.3f}** ({found['least']:.3f} to {found['most']:.3f}) | {ratio} | {goal} "
            f"| {found['first']:.2f} | {found['cpu']:.2f} | {found['peak_mb']:.0f} | {found['added_mb']:.0f} | {quality} |"
        )
    rows += [f"| {peer} | 0 | {reason} | | | | | | | |" for peer, reason in result["failed"].items()]
    return "\n".join(rows)
