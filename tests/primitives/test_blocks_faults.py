"""What breaks while rows in blocks are worked on: a worker, all workers, the scheduler, the reader's patience."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from coterie import KMeans
from coterie.errors import ClusterError

distributed = pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
import dask.array as da  # noqa: E402
from distributed.objects import SchedulerInfo  # noqa: E402

from coterie.primitives._dask.calls import Calls, stop_here, stop_if_cancelled  # noqa: E402
from coterie.primitives._dask.cluster import Crew  # noqa: E402
from coterie.primitives._dask.tasks import Place, Task  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of event loops that are torn away


def drawn(n_blocks=8, rows=40_000):
    def block(block_info=None):
        place = block_info[None]["chunk-location"][0]
        return np.random.default_rng(place).normal(size=(rows, 6)).astype(np.float32) + place % 5

    return da.map_blocks(block, chunks=((rows,) * n_blocks, (6,)), dtype=np.float32)


def fit(X):
    return KMeans(12, random_state=5, tol=0, max_iter=25).fit(X)


def fit_again_and_again(model, X):
    """Fit until something happens."""
    for _ in range(50):
        model.fit(X)


def bits(model):
    return model.cluster_centers_.tobytes(), model.inertia_, model.n_iter_


@pytest.fixture(scope="module")
def cluster():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        ) as found,
        distributed.Client(found) as client,
    ):
        yield client


def test_a_worker_that_dies_over_a_block_changes_nothing(cluster, tmp_path):
    """Without a clock: the first process that reads block 3 kills itself."""
    died = tmp_path / "died"

    def deadly(block, block_info=None):
        if block_info[0]["chunk-location"][0] == 3 and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return block

    X = drawn(6)
    found = fit(X.map_blocks(deadly, dtype=np.float32, meta=np.empty((0, 0), np.float32)))
    assert died.exists()
    assert bits(found) == bits(fit(X))
    cluster.wait_for_workers(2, timeout=60)


def test_workers_are_seen_while_the_client_keeps_a_summary_without_them(cluster, monkeypatch):
    """The client asks for one every other second; the memory left is not 0 for that."""
    summary = SchedulerInfo(cluster.sync(cluster.scheduler.identity, n_workers=0))
    kept = property(lambda _: summary, lambda _, value: None)
    monkeypatch.setattr(type(cluster), "_scheduler_identity", kept, raising=False)
    assert not cluster.scheduler_info(n_workers=-1)["workers"]
    assert len(Crew(cluster).places()) == 2
    assert Crew(cluster).memory() > 0


@pytest.mark.parametrize("error", [TimeoutError, UnboundLocalError])
def test_an_error_of_a_task_is_told_though_a_fetch_may_end_with_the_like(cluster, error):
    def bad(block):
        raise error("of the task")

    with pytest.raises(error, match="of the task"):
        fit(drawn(2).map_blocks(bad, dtype=np.float32, meta=np.empty((0, 0), np.float32)))


def failing(error):
    raise error("of the task")


@pytest.mark.parametrize("error", [TimeoutError, UnboundLocalError])
@pytest.mark.parametrize("quick", [False, True])
def test_an_error_of_a_pass_ends_it(cluster, error, quick):
    crew = Crew(cluster)
    with pytest.raises(error, match="of the task"):
        crew.run([Task(failing, [error], place) for place in crew.places()], quick=quick)


def doubled(number, more):
    return 2 * number + sum(more)


def test_what_a_called_worker_lacks_is_fetched_by_a_task(cluster):
    crew = Crew(cluster)
    one, other = (place.address for place in crew.places())
    held = cluster.submit(int, 4, workers=[one], pure=False), cluster.submit(int, 1, workers=[one], pure=False)
    distributed.wait(held)
    gone = Place("tcp://127.0.0.1:1", 1)
    places = [Place(one, 1), Place(other, 1), gone]
    told = []
    found = crew.run([Task(doubled, [held[0], [held[1]]], place) for place in places], told.append, quick=True)
    assert [value for value, _ in found] == [9, 9, 9]
    assert [address for _, address in found[:2]] == [one, other]
    assert found[2][1] in (one, other)
    assert sorted(told[-1]) == [0, 1, 2]


def until_stopped():
    while True:
        time.sleep(0.01)
        stop_if_cancelled()


def test_calls_are_stopped_when_nobody_waits_for_them(cluster):
    calls = Calls(cluster, [Task(until_stopped, [], place) for place in Crew(cluster).places()])
    assert not cluster.sync(calls.wait, 0.1)
    cluster.run(stop_here, calls.tokens)
    assert cluster.sync(calls.wait, 10)
    with pytest.raises(InterruptedError):
        calls.ended()


def test_labels_lie_with_the_rows_when_the_fit_ends(cluster):
    X = drawn(5).persist()
    model = fit(X)
    labels = distributed.futures_of(model.labels_)
    assert len(labels) == 5
    assert all(future.done() for future in labels)
    where = [
        {key[1]: address for key, (address, *_) in cluster.who_has(futures).items()}
        for futures in (labels, distributed.futures_of(X))
    ]
    assert where[0] == where[1]
    assert np.array_equal(model.labels_.compute(), model.predict(X).compute())


@pytest.mark.faults
@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_a_worker_killed_at_any_moment_changes_nothing(cluster, share):
    X = drawn()
    fit(X)
    began = time.monotonic()
    whole = fit(X)
    took = time.monotonic() - began
    victim = min(cluster.run(os.getpid).values())
    killer = threading.Timer(share * took, os.kill, (victim, signal.SIGKILL))
    killer.start()
    found = fit(X)
    killer.join()
    assert bits(found) == bits(whole)
    assert np.array_equal(found.labels_.compute(), whole.labels_.compute())
    cluster.wait_for_workers(2, timeout=60)


@pytest.mark.faults
def test_a_worker_that_stands_still_for_a_while_is_waited_for(cluster):
    X = drawn(4)
    whole = fit(X)
    sleeper = max(cluster.run(os.getpid).values())
    os.kill(sleeper, signal.SIGSTOP)
    threading.Timer(2.0, os.kill, (sleeper, signal.SIGCONT)).start()
    assert bits(fit(X)) == bits(whole)


@pytest.mark.faults
def test_ctrl_c_ends_the_fit_and_leaves_it_unfitted(cluster):
    X = drawn(8, 100_000)
    model = KMeans(200, random_state=0, tol=0)
    threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fit_again_and_again(model, X)
    assert time.monotonic() - began < 10
    assert not hasattr(model, "cluster_centers_")
    assert bits(fit(drawn(4))) == bits(fit(drawn(4)))  # the workers are free again


@pytest.mark.faults
@pytest.mark.parametrize("lost", ["scheduler", "workers"])
def test_what_never_comes_back_is_one_error_within_half_a_minute(tmp_path, lost):
    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, "--no-dashboard"], cwd=tmp_path, stderr=subprocess.DEVNULL
        )

    file = tmp_path / "scheduler.json"
    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    worker = start("worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")
    try:
        with distributed.Client(scheduler_file=str(file), timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
            model = KMeans(50, random_state=0, tol=0, max_iter=300)
            threading.Timer(2.0, (scheduler if lost == "scheduler" else worker).kill).start()
            began = time.monotonic()
            with pytest.raises(ClusterError, match=r"was lost|no worker"):
                fit_again_and_again(model, drawn(8, 100_000))
            assert time.monotonic() - began < 32
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
