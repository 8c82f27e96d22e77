"""Every algorithm that takes rows in blocks, with a worker killed at moments that nobody chose: `make faults`."""

import contextlib
import os
import signal
import threading
import time
import zlib

import numpy as np
import pytest

from coterie.catalog import CATALOG

from .cases import make, settings

distributed = pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
import dask  # noqa: E402
import dask.array as da  # noqa: E402

NAMES = [line.name for line in CATALOG if "dask" in line.engines]
KILLS = 3
ROWS, BLOCKS = 6_000, 8

pytestmark = [
    pytest.mark.faults,
    pytest.mark.filterwarnings("ignore"),  # of event loops that are torn away
    pytest.mark.timeout(300),
]


def drawn():
    """Return four clouds, a block at a time."""

    def block(block_info=None):
        rng = np.random.default_rng(block_info[None]["chunk-location"][0])
        return (
            rng.normal(size=(ROWS, 3))
            + np.array([[0, 0, 0], [6, 0, 0], [0, 6, 0], [6, 6, 6]])[rng.integers(4, size=ROWS)]
        )

    return da.map_blocks(block, chunks=((ROWS,) * BLOCKS, (3,)), dtype=np.float64)


@pytest.fixture(scope="module")
def cluster():
    # Else Dask gives up a worker that is down a quarter of a minute after it was down before: these are killed more often.
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        ) as found,
        distributed.Client(found) as client,
    ):
        yield client


@pytest.fixture(scope="module", params=NAMES)
def whole(request, cluster):
    """Return the name of an algorithm, the labels of a fit that nothing disturbs, and how long one takes."""
    name = request.param
    labelled(name)  # compiles
    began = time.monotonic()
    labels = labelled(name)
    return name, labels, time.monotonic() - began


def labelled(name):
    return make(name, **settings(name).many).fit(drawn()).labels_.compute()


def processes(cluster):
    """Return both workers' processes, once the one that was killed last has been replaced."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with contextlib.suppress(OSError):  # of the one that is just gone
            found = sorted(cluster.run(os.getpid).values())
            if len(found) == 2:
                return found
        time.sleep(0.2)
    raise TimeoutError("the killed worker did not come back in two minutes")


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_worker_killed_at_a_random_moment_changes_nothing(cluster, whole, kill):
    name, labels, took = whole
    share = np.random.default_rng(zlib.crc32(f"{name} {kill}".encode())).uniform()
    victim = processes(cluster)[kill % 2]
    killer = threading.Timer(share * took, os.kill, (victim, signal.SIGKILL))
    killer.start()
    found = labelled(name)
    killer.join()
    assert np.array_equal(found, labels)
