"""DBSCAN of Dask arrays: the labels of rows in memory, however they are cut, held, handed out and lost."""

import os
import signal
import threading

import dask.array as da
import numpy as np
import pytest
from sklearn.datasets import make_blobs

from coterie import DBSCAN
from coterie.density import _dbscan_blocks
from coterie.density._dbscan_blocks import dbscan_of_blocks
from coterie.errors import InputError, ResourceError, UnsupportedError
from coterie.primitives.blocks import block_rows
from coterie.primitives.exchange import forget
from coterie.primitives.space_bins import owner_bins, reaching_rows, space_bins


@pytest.fixture
def many_bins(monkeypatch):
    """Let bins hold few rows, so that small data is cut into many."""
    monkeypatch.setattr(_dbscan_blocks, "_BIN_ROWS", 300)


def in_chunks(X, rows=700):
    return da.from_array(X, chunks=(rows, X.shape[1]))


def clumps(seed, n=3000):
    """Return rows of some clumps of different densities, in few or several dimensions, some with many ties."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 7))
    parts = [rng.normal(rng.uniform(-3, 3, d), rng.uniform(0.05, 0.8), (n // 4, d)) for _ in range(3)]
    X = np.concatenate([*parts, rng.uniform(-4, 4, (n // 4, d))])
    X = np.round(X, 1) if seed % 3 == 0 else X
    X = X if seed % 4 == 0 else X[rng.permutation(len(X))]
    return X.astype(np.float32 if seed % 2 else np.float64), rng


def same_as_in_memory(X, blocks, **parameters):
    whole = DBSCAN(**parameters).fit(X)
    found = DBSCAN(**parameters).fit(blocks)
    np.testing.assert_array_equal(found.labels_.compute(), whole.labels_)
    np.testing.assert_array_equal(found.core_sample_indices_.compute(), whole.core_sample_indices_)
    np.testing.assert_array_equal(found.components_.compute(), whole.components_)
    assert found.components_.dtype == X.dtype
    return found


@pytest.mark.parametrize("seed", range(24))
def test_labels_and_core_rows_are_those_of_rows_in_memory(many_bins, seed):
    X, rng = clumps(seed)
    same_as_in_memory(
        X,
        in_chunks(X, int(rng.integers(40, 2000))),
        eps=float(rng.choice([0.05, 0.1, 0.3])),
        min_samples=int(rng.choice([1, 2, 5, 12])),
    )


@pytest.mark.parametrize("seed", [1, 4, 6])
def test_workers_give_the_labels_of_rows_in_memory(crew, many_bins, seed):
    X, _ = clumps(seed)
    same_as_in_memory(X, in_chunks(X), eps=0.2, min_samples=5)


def test_bins_are_as_small_as_asked_for(crew):
    X, _ = clumps(5)
    rows = block_rows(in_chunks(X))
    found = dbscan_of_blocks(rows, 0.1, 5, bin_rows=100)
    forget(rows, found.token)
    assert found.n_clusters == DBSCAN(eps=0.1).fit(X).labels_.max() + 1


@pytest.mark.parametrize("eps", [0.25, 0.5, 1.0])
def test_ties_at_exactly_eps_fall_as_in_memory(many_bins, eps):
    grid = np.stack(np.meshgrid(np.arange(60.0) / 4, np.arange(50.0) / 4), axis=-1).reshape(-1, 2)
    same_as_in_memory(grid, in_chunks(grid, 333), eps=eps, min_samples=5)


def test_a_chain_through_all_bins_is_one_cluster(crew, many_bins):
    X = np.arange(5000.0)[:, None]
    found = same_as_in_memory(X, in_chunks(X), eps=1.0, min_samples=3)
    assert found.labels_.compute().max() == 0


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_values_far_from_zero_fall_as_in_memory(many_bins, offset):
    X = (np.random.default_rng(0).normal(size=(3000, 2)) * 3 + offset).astype(np.float32)
    same_as_in_memory(X, in_chunks(X), eps=0.25, min_samples=5)


def test_the_order_of_blocks_only_renumbers(many_bins):
    X, _ = clumps(2)
    blocks = in_chunks(X, 500)
    order = np.random.default_rng(0).permutation(blocks.numblocks[0])
    turned = da.concatenate([blocks.blocks[int(i)] for i in order])
    same_as_in_memory(turned.compute(), turned, eps=0.2, min_samples=5)


def test_equal_rows_are_one_cluster(many_bins):
    X = np.repeat([[0.0, 0.0], [5.0, 5.0]], 2000, axis=0)
    same_as_in_memory(X, in_chunks(X), eps=0.1, min_samples=100)


@pytest.mark.parametrize("weighted", [False, True])
def test_equal_rows_are_put_together_where_memory_is_short(crew, monkeypatch, weighted):
    monkeypatch.setattr(_dbscan_blocks, "_rows_in_memory", lambda X, places: 1000.0)
    X, rng = clumps(7)
    X = np.concatenate([np.round(X[:2000], 1), np.zeros((2500, X.shape[1])), -np.zeros((500, X.shape[1]))])
    X = X[rng.permutation(len(X))].astype(np.float32)
    weight = rng.integers(0, 4, len(X)).astype(float) if weighted else None
    whole = DBSCAN(eps=0.2, min_samples=8).fit(X, sample_weight=weight)
    given = da.from_array(weight, chunks=700) if weighted else None
    found = DBSCAN(eps=0.2, min_samples=8).fit(in_chunks(X), sample_weight=given)
    np.testing.assert_array_equal(found.labels_.compute(), whole.labels_)
    np.testing.assert_array_equal(found.core_sample_indices_.compute(), whole.core_sample_indices_)


def test_whole_weights_count_as_in_memory(crew, many_bins):
    X, rng = clumps(7)
    weight = rng.integers(0, 4, len(X)).astype(float)
    whole = DBSCAN(eps=0.2, min_samples=8).fit(X, sample_weight=weight)
    found = DBSCAN(eps=0.2, min_samples=8).fit(in_chunks(X), sample_weight=da.from_array(weight, chunks=700))
    np.testing.assert_array_equal(found.labels_.compute(), whole.labels_)
    np.testing.assert_array_equal(found.core_sample_indices_.compute(), whole.core_sample_indices_)


@pytest.mark.parametrize("metric", ["cosine", "sqeuclidean", "l2"])
def test_metrics_of_straight_lines_are_those_of_rows_in_memory(crew, many_bins, metric):
    X = make_blobs(2000, n_features=3, centers=5, random_state=0)[0]
    X[7] = 0.0
    same_as_in_memory(X, in_chunks(X, 300), eps=0.01 if metric == "cosine" else 0.3, metric=metric)


def test_empty_blocks_and_frames_are_taken(crew):
    dd = pytest.importorskip("dask.dataframe")
    pd = pytest.importorskip("pandas")
    X, _ = clumps(1)
    frame = dd.from_pandas(pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])]), npartitions=5)
    frame = frame[frame["c0"] > 0]  # lengths are not known; some parts may be empty
    whole = DBSCAN(eps=0.2).fit(X[X[:, 0] > 0])
    np.testing.assert_array_equal(DBSCAN(eps=0.2).fit(frame).labels_.compute(), whole.labels_)
    sorted_rows = in_chunks(X[np.argsort(X[:, 0])], 500)
    kept = sorted_rows[sorted_rows[:, 0] > 0]
    np.testing.assert_array_equal(
        DBSCAN(eps=0.2).fit(kept).labels_.compute(), DBSCAN(eps=0.2).fit(kept.compute()).labels_
    )


def test_predict_on_the_rows_of_the_fit_gives_their_labels(crew, many_bins):
    X, _ = clumps(9)
    found = DBSCAN(eps=0.2).fit(in_chunks(X))
    labels = found.labels_.compute()
    np.testing.assert_array_equal(found.predict(X), labels)
    np.testing.assert_array_equal(found.predict(in_chunks(X, 400)).compute(), labels)
    again = found.fit(X[:1000])
    np.testing.assert_array_equal(again.predict(X[:1000]), again.labels_)


def test_a_fit_in_memory_predicts_for_blocks(crew):
    X, _ = clumps(9)
    found = DBSCAN(eps=0.2).fit(X)
    np.testing.assert_array_equal(found.predict(in_chunks(X, 400)).compute(), found.labels_)


def test_files_go_when_nothing_refers_to_them(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    X, _ = clumps(1)
    found = DBSCAN(eps=0.2).fit(in_chunks(X))
    (left,) = tmp_path.iterdir()  # the labels; what was dealt out is gone
    assert sum(file.stat().st_size for file in left.iterdir()) == 4 * len(X)  # and an empty lock
    doubled = found.labels_ * 2
    del found
    assert doubled.compute().max() > 0
    del doubled
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def mortal_workers():
    """Return the client of two worker processes that no other test needs."""
    distributed = pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", memory_limit="2GiB"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.faults
def test_a_worker_killed_in_the_middle_changes_nothing(mortal_workers, many_bins):
    X, _ = clumps(3, 20_000)
    pids = mortal_workers.run(os.getpid)
    killer = threading.Timer(1.0, os.kill, (pids[min(pids)], signal.SIGKILL))
    killer.start()
    found = DBSCAN(eps=0.1).fit(in_chunks(X, 1000))
    killer.join()
    whole = DBSCAN(eps=0.1).fit(X)
    np.testing.assert_array_equal(found.labels_.compute(), whole.labels_)
    os.kill(pids[max(pids)], signal.SIGKILL)  # and what both have left is not theirs
    np.testing.assert_array_equal(found.core_sample_indices_.compute(), whole.core_sample_indices_)


@pytest.mark.faults
def test_a_worker_killed_between_core_rows_and_clusters_changes_nothing(mortal_workers, many_bins, monkeypatch):
    X, _ = clumps(3, 8000)
    pids = mortal_workers.run(os.getpid)
    plain = _dbscan_blocks.collect

    def after_a_death(rows, drops, receivers, function, *arguments, **how):
        if function.__name__ == "join_bin" and pids:
            os.kill(pids.pop(min(pids)), signal.SIGKILL)
        return plain(rows, drops, receivers, function, *arguments, **how)

    monkeypatch.setattr(_dbscan_blocks, "collect", after_a_death)
    found = DBSCAN(eps=0.1).fit(in_chunks(X, 1000))
    assert len(pids) < 2
    np.testing.assert_array_equal(found.labels_.compute(), DBSCAN(eps=0.1).fit(X).labels_)


@pytest.mark.parametrize("step", ["cluster_bin", "join_bin", "labels_of_block"])
def test_files_that_are_gone_are_written_again(workers, many_bins, monkeypatch, step):
    """Lose what one worker has written just before a step that reads it."""
    X, _ = clumps(3)
    plain, lost = _dbscan_blocks.collect, []

    def after_a_loss(rows, drops, receivers, function, *arguments, **how):
        if function.__name__ == step and not lost:
            lost.append(drops[0].path)
            os.unlink(drops[0].path)
        return plain(rows, drops, receivers, function, *arguments, **how)

    monkeypatch.setattr(_dbscan_blocks, "collect", after_a_loss)
    found = DBSCAN(eps=0.2).fit(in_chunks(X))
    assert lost
    np.testing.assert_array_equal(found.labels_.compute(), DBSCAN(eps=0.2).fit(X).labels_)


def test_workers_that_do_not_share_a_folder_send_what_they_have(workers, many_bins, monkeypatch):
    X, _ = clumps(11)
    plain = _dbscan_blocks.collect
    monkeypatch.setattr(_dbscan_blocks, "collect", lambda *given, **how: plain(*given, **(how | {"strict": True})))
    same_as_in_memory(X, in_chunks(X), eps=0.2, min_samples=5)


def test_what_does_not_fit_is_refused(crew, monkeypatch):
    X, _ = clumps(1)
    monkeypatch.setattr(_dbscan_blocks, "_rows_in_memory", lambda X, places: 100.0)
    with pytest.raises(ResourceError, match="lower eps"):
        DBSCAN(eps=3.0).fit(in_chunks(X))


def test_metrics_that_need_all_rows_are_refused(crew):
    X, _ = clumps(1)
    with pytest.raises(UnsupportedError, match="all rows at once"):
        DBSCAN(metric="manhattan").fit(in_chunks(X))
    with pytest.raises(InputError, match="zero for every row"):
        DBSCAN().fit(in_chunks(X), sample_weight=da.zeros(len(X), chunks=700))


def test_a_hopeless_eps_is_advised_on(crew):
    X, _ = clumps(1)
    (advice,) = DBSCAN(eps=1e-4).fit(in_chunks(X)).advice_
    assert "raise eps" in advice


@pytest.mark.parametrize("d", [1, 2, 5])
def test_a_row_reaches_the_boxes_that_it_is_near(d):
    X = np.random.default_rng(d).normal(size=(2000, d)).astype(np.float32)
    bins = space_bins(X[::5].astype(float), 5.0, 0.1, 300)
    owner = owner_bins(bins, X)
    for i, own, others in reaching_rows(bins, X, 0.1):
        near = ((bins.low[i] - 0.1 <= X) & (bins.high[i] + 0.1 >= X)).all(axis=1)
        np.testing.assert_array_equal(own, np.flatnonzero(owner == i))
        np.testing.assert_array_equal(np.flatnonzero(near), np.sort(np.concatenate([own, others])))
        assert (((X[own] >= bins.low[i]) & (X[own] < bins.high[i])).all(axis=1)).all()
    assert bins.n_bins > 5
