"""Fixtures that the whole suite shares."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data that lies beside the repository, or skip."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data sets are not laid beside this checkout")
    return folder


@pytest.fixture(params=["numba", "torch"])
def on(request):
    """Return a function that moves NumPy arrays to the engine under test; torch runs on the CPU here."""
    if request.param == "numba":
        return np.asarray
    torch = pytest.importorskip("torch", reason="the torch engine needs PyTorch")
    torch.set_num_threads(1)  # test processes already share the cores; more threads would fight over them
    return lambda values: torch.from_numpy(np.array(values))


@pytest.fixture(scope="session")
def _two_processes():
    """Start two worker processes once for all tests of a test process that want them."""
    distributed = pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", memory_limit="2GiB"
    ) as cluster:
        yield cluster


@pytest.fixture
def workers(_two_processes):
    """Return the client of two worker processes; it is the one that fits of rows in blocks find while the test runs."""
    from distributed import Client

    with Client(_two_processes) as client:
        yield client


@pytest.fixture
def alone(monkeypatch):
    """Return a function: once called, this process works on rows in blocks itself, whatever client is open."""
    from coterie.primitives._dask import here, rows

    return lambda: monkeypatch.setattr(rows, "crew_at_work", here.Here)


@pytest.fixture(params=["here", "workers"])
def crew(request):
    """Run the test with rows in blocks worked on by this process, and by two worker processes."""
    if request.param == "workers":
        request.getfixturevalue("workers")
    else:
        pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
    return request.param


@pytest.fixture
def unprivileged():
    """Run the test as a user to whom permissions apply."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(scope="session")
def browser():
    """Return one headless Chromium for all tests, or skip."""
    api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium is installed; `apt-get install chromium` brings one")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield running
        running.close()
