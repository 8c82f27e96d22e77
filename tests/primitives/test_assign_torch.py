"""A step of K-means on tensors asks the device for nothing while it runs: a GPU would have to be waited for each time."""

import numpy as np
import pytest

from coterie.primitives.assign import center_sums, lloyd_start, lloyd_step
from coterie.primitives.batch_step import batch_step

torch = pytest.importorskip("torch", reason="about the torch engine")

# What makes the host wait: numbers and sizes that only the device knows.
WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "repeat_interleave", "_unique2", "unique_dim", "bincount"}


@pytest.fixture
def called():
    """Collect the names of PyTorch's operations inside a ``with`` block."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Called(TorchDispatchMode):
        names: set

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.names.add(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    mode = Called()
    mode.names = set()
    torch.set_num_threads(1)
    return mode


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_a_step_of_lloyd_waits_for_the_device_once_at_its_end(called, weighted):
    X = torch.randn(700, 4)
    state = lloyd_start(X, torch.arange(700) % 3.0 if weighted else None)
    centers = X[:5].double().numpy()
    with called:
        step = lloyd_step(state, centers)
    assert "segment_reduce" in called.names
    assert called.names & WAITS == set()
    # They came in one copy, so nothing is asked for afterwards.
    assert all(isinstance(part, np.ndarray) for part in step[:3])


def test_sums_of_centers_wait_for_nothing_with_rows_left_out(called):
    X, labels = torch.randn(700, 4), torch.arange(700, dtype=torch.int32) % 4 - 1
    with called:
        center_sums(X, labels, 3)
    assert called.names & WAITS == set()


def test_a_batch_waits_for_the_device_once_at_its_end(called):
    X = torch.randn(700, 4)
    with called:
        found = batch_step(X, np.arange(300), X[:5].double().numpy(), np.zeros(4), 1.0)
    assert called.names & WAITS == set()
    assert all(isinstance(part, np.ndarray) for part in found[:2])


def test_the_counter_of_waits_sees_a_wait(called):
    with called:
        float(torch.ones(3).sum())
    assert called.names & WAITS == {"_local_scalar_dense"}


def test_no_row_of_any_center_sums_to_zero(on):
    X = on(np.ones((5, 2)))
    sums, weights = center_sums(X, on(np.full(5, -1, np.int32)), 3)
    assert float(sums.sum()) == float(weights.sum()) == 0.0
