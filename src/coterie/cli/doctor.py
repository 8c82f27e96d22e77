"""``coterie doctor``: what is installed, what it can use, and whether it computes what it should."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import click

from . import _terminal
from ._config import ConfiguredCommand
from ._errors import LIMIT

__all__ = ["command"]

_REQUIRED = ("numpy", "scipy", "scikit-learn", "numba", "duckdb", "narwhals", "safetensors", "click", "rich")
_OPTIONAL = {
    "torch": "gpu", "pillow": "deep", "dask": "distributed", "psycopg": "db", "starlette": "app",
    "pandas": None, "polars": None, "pyarrow": None,
}  # fmt: skip


class Finding(NamedTuple):
    """One line of the table: ``ok`` is None for a plain fact."""

    topic: str
    name: str
    value: str
    ok: bool | None = None


@click.command("doctor", cls=ConfiguredCommand, short_help="Check this installation.")
@click.option("--gpu", is_flag=True, help="Check and time the torch engine on the GPU beside the CPU engine.")
@click.option(
    "--device", metavar="NAME", help='Where --gpu computes: "cuda" by default, "cuda:1", "mps", or "cpu" to try it.'
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
def command(gpu: bool, device: str | None, as_json: bool) -> int:
    """Show versions, threads, caches and memory, and check the three estimators on data with a known answer.

    Exits with 1 if a check fails, and with 4 if --gpu is given and PyTorch sees no such device.
    """
    if gpu or device:
        from .doctor_gpu import absent

        device = device or "cuda"
        if (why := absent(device)) is not None:
            _terminal.error(why)
            return LIMIT
    findings = [*_system(), *_packages(), *_kernels(), *_self_check()]
    if device:
        findings += _on_device(device)
    sound = all(finding.ok is not False for finding in findings)
    if as_json:
        import json

        lines = [finding._asdict() for finding in findings]
        click.echo(json.dumps({"schema": "coterie.doctor/1", "sound": sound, "findings": lines}))
    else:
        _show(findings)
        click.echo("everything works" if sound else "something is wrong: see the lines marked with !")
    return 0 if sound else 1


def _show(findings: list[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    topic = None
    for finding in findings:
        if finding.topic != topic:
            topic = finding.topic
            click.echo(topic)
        mark = {None: " ", True: "+", False: "!"}[finding.ok]
        click.echo(f" {mark} {finding.name:<{width}}  {finding.value}")


def _system() -> Iterator[Finding]:
    from .. import __version__

    yield Finding("system", "coterie", __version__)
    yield Finding("system", "python", f"{platform.python_version()} ({sys.executable})", sys.version_info >= (3, 11))
    yield Finding("system", "platform", platform.platform())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("system", "cores", str(cores))
    from ..primitives.memory import free_bytes

    free = free_bytes()
    yield Finding("system", "memory free", f"{free / 2**30:.1f} GB" if free < float("inf") else "unknown")


def _packages() -> Iterator[Finding]:
    for name in _REQUIRED:
        version = _version(name)
        yield Finding(
            "packages", name, version or "missing: pip install --force-reinstall coterie", version is not None
        )
    for name, extra in _OPTIONAL.items():
        missing = f'not installed (optional: pip install "coterie[{extra}]")' if extra else "not installed (optional)"
        yield Finding("optional", name, _version(name) or missing)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _kernels() -> Iterator[Finding]:
    import numba

    yield Finding("kernels", "threads", str(numba.get_num_threads()))
    try:
        from llvmlite import binding

        features = binding.get_host_cpu_features()
        wide = [name for name in ("avx512f", "avx2", "avx", "neon", "sse4.2") if features.get(name)]
        yield Finding("kernels", "processor", f"{binding.get_host_cpu_name()}, {wide[0] if wide else 'no SIMD known'}")
    except Exception as error:
        yield Finding("kernels", "processor", f"unknown ({error})")
    yield _cache()


def _cache() -> Finding:
    """Tell where compiled kernels are kept, which makes every start after the first quick."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(os.environ.get("COTERIE_CACHE_DIR") or os.path.join(home, "coterie"))
    try:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        usable = os.access(folder, os.W_OK)
    except OSError:
        size, usable = 0, False
    if not folder.exists():
        return Finding("kernels", "cache", f"{folder} (made on first use)")
    return Finding("kernels", "cache", f"{folder}, {size / 1e6:.0f} MB" + ("" if usable else ", not writable"), usable)


def _on_device(device: str) -> Iterator[Finding]:
    import torch

    from . import doctor_gpu

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    yield Finding("device", name, f"torch {torch.__version__}", True)
    for check, value, good in doctor_gpu.checks(device):
        yield Finding(f"the torch engine on {device}, beside the CPU engine", check, value, good)
    for task, value in doctor_gpu.speeds(device):
        yield Finding("speed", task, value, False if value.startswith("failed") else None)


def _self_check() -> Iterator[Finding]:
    import numpy as np

    # Three squares of 3 x 3 points far apart, and one point on its own: the answer needs no library.
    square = np.array([(i, j) for i in range(3) for j in range(3)], dtype=float)
    X = np.concatenate([square, square + np.array([20, 0]), square + np.array([0, 20]), [(60.0, 60.0)]])
    truth = np.repeat([0, 1, 2, -1], [9, 9, 9, 1])
    checks: dict[str, Callable[[Any], Any]] = {
        "KMeans": lambda coterie: coterie.KMeans(3, random_state=0).fit(X[:-1]),
        "DBSCAN": lambda coterie: coterie.DBSCAN(eps=1.5, min_samples=4).fit(X),
        "HDBSCAN": lambda coterie: coterie.HDBSCAN(min_cluster_size=5).fit(X),
    }
    for name, fit in checks.items():
        began = time.perf_counter()
        try:
            import coterie

            fitted = fit(coterie)
            rows = X[: len(fitted.labels_)]
            good = _same(fitted.labels_, truth[: len(rows)]) and bool(np.all(fitted.predict(rows) == fitted.labels_))
            value = f"{'as expected' if good else 'WRONG ANSWER'} ({time.perf_counter() - began:.2f} s)"
        except Exception as error:
            good, value = False, f"failed: {type(error).__name__}: {error}"
        yield Finding("self-check (cpu)", name, value, good)


def _same(found: Any, truth: Any) -> bool:
    pairs = set(zip(found.tolist(), truth.tolist(), strict=True))
    noise_agrees = all((a < 0) == (b < 0) for a, b in pairs)
    return noise_agrees and len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
