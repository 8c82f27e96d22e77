"""Fixtures that the whole suite shares."""

import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


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
