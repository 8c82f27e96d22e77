"""HDBSCAN of Dask arrays that stay on the workers: what rows in memory give, to the bit, or an approximation that says so."""

import os
import signal
import threading

import dask.array as da
import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

import coterie
from coterie import HDBSCAN
from coterie.density import _hdbscan_blocks, _hdbscan_tree, hdbscan
from coterie.errors import ClusterWarning, ResourceError, UnsupportedError
from coterie.primitives._numba import spanning_parts
from coterie.primitives.blocks import block_rows, watching
from coterie.primitives.spanning_tree import mutual_reachability_tree

OF_ROWS = ("labels_", "probabilities_", "outlier_scores_", "core_distances_")


@pytest.fixture
def many_bins(monkeypatch):
    """Keep rows on the workers, and let bins hold few."""
    monkeypatch.setattr(hdbscan, "stay_on_workers", lambda rows, metric: True)
    monkeypatch.setattr(_hdbscan_tree, "rows_of_bin", lambda rows, k: 350.0)


@pytest.fixture
def little_memory(monkeypatch):
    """Let neither the rows nor their tree fit here."""
    monkeypatch.setattr(_hdbscan_blocks, "free_bytes", lambda: 4.5e5)


def in_chunks(X, rows=400):
    return da.from_array(X, chunks=(rows, X.shape[1]))


def clumps(seed, n=1200):
    """Return rows of clumps of different densities among noise, in 1 to 8 columns, some with ties and some with equal rows."""
    rng = np.random.default_rng(seed)
    d = 1 + seed % 8
    parts = [rng.normal(rng.uniform(-3, 3, d), rng.uniform(0.05, 0.8), (n // 4, d)) for _ in range(3)]
    X = np.concatenate([*parts, rng.uniform(-4, 4, (n - 3 * (n // 4), d))])
    X = np.round(X * 2) if seed % 3 == 0 else X
    X = np.concatenate([X, X[rng.integers(0, n, n // 5)]]) if seed % 4 == 1 else X
    X = X if seed % 5 == 0 else X[rng.permutation(len(X))]
    return X.astype(np.float32 if (seed // 2) % 2 else np.float64), rng


def same_as_in_memory(X, blocks, **parameters):
    whole, found = HDBSCAN(**parameters).fit(X), HDBSCAN(**parameters).fit(blocks)
    assert found.sample_share_ == whole.sample_share_ == 1.0
    for name in OF_ROWS:
        values = getattr(found, name)
        assert values.chunks[0] == blocks.chunks[0]
        np.testing.assert_array_equal(values.compute(), getattr(whole, name))
    for name in ("minimum_spanning_tree_", "condensed_tree_"):
        for one, other in zip(getattr(found, name), getattr(whole, name), strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(found.single_linkage_tree_, whole.single_linkage_tree_)
    return found


@pytest.mark.parametrize("seed", range(24))
def test_what_is_found_is_that_of_rows_in_memory(many_bins, monkeypatch, seed):
    if seed % 2:
        monkeypatch.setattr(spanning_parts, "MOST_ROWS", 1)  # as for bins of many rows
    X, rng = clumps(seed)
    same_as_in_memory(
        X,
        in_chunks(X, int(rng.integers(60, 900))),
        min_cluster_size=int(rng.integers(2, 40)),
        min_samples=int(rng.choice([1, 2, 5, 12])),
        cluster_selection_method=str(rng.choice(["eom", "leaf"])),
        cluster_selection_epsilon=float(rng.choice([0.0, 0.3])),
        allow_single_cluster=bool(rng.integers(2)),
    )


def test_who_looks_on_is_told_of_pairs(crew, many_bins):
    said = {}
    with watching(lambda number, what, done, total: said.setdefault(what, []).append((done, total))):
        HDBSCAN(12).fit(in_chunks(clumps(2)[0]))
    total = said["pairs of bins, round 1"][-1][1]
    assert said["pairs of bins, round 1"][0] == (0, total)
    assert said["pairs of bins, round 1"][-1] == (total, total)
    assert not any(what.startswith("pass") for what in said)


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_workers_find_what_rows_in_memory_give(workers, many_bins, seed):
    X, _ = clumps(seed)
    same_as_in_memory(X, in_chunks(X), min_cluster_size=12)


def test_ties_of_a_grid_fall_as_in_memory(many_bins):
    grid = np.stack(np.meshgrid(np.arange(50.0), np.arange(40.0)), axis=-1).reshape(-1, 2)
    same_as_in_memory(grid, in_chunks(grid, 333), min_cluster_size=8, min_samples=4)


def test_cosine_is_that_of_rows_in_memory(crew, many_bins):
    X = make_blobs(1500, n_features=4, centers=5, random_state=0)[0].astype(np.float32)
    X[7] = 0.0
    same_as_in_memory(X, in_chunks(X, 300), min_cluster_size=10, metric="cosine")


@pytest.mark.parametrize("magnitude", [1e-30, 1e30])
def test_the_magnitude_does_not_matter(many_bins, magnitude):
    X = clumps(2)[0].astype(np.float32) * np.float32(magnitude)
    same_as_in_memory(X, in_chunks(X), min_cluster_size=10)


def test_core_distances_that_reach_beyond_a_bin_are_found(many_bins):
    X, _ = clumps(4)
    same_as_in_memory(X, in_chunks(X), min_cluster_size=300, min_samples=400)


def test_the_order_of_blocks_only_renumbers(many_bins):
    X, _ = clumps(6)
    blocks = in_chunks(X, 200)
    order = np.random.default_rng(0).permutation(blocks.numblocks[0])
    turned = da.concatenate([blocks.blocks[int(i)] for i in order])
    same_as_in_memory(turned.compute(), turned, min_cluster_size=12)


def test_empty_blocks_are_taken(many_bins):
    X, _ = clumps(1)
    X = X[np.argsort(X[:, 0])]
    kept = in_chunks(X, 100)
    kept = kept[kept[:, 0] > 0]
    whole, found = HDBSCAN(12).fit(X[X[:, 0] > 0]), HDBSCAN(12).fit(kept)
    np.testing.assert_array_equal(found.labels_.compute(), whole.labels_)


def test_predict_brings_the_rows_where_they_fit(crew, many_bins, monkeypatch):
    X, _ = clumps(2)
    found = HDBSCAN(12).fit(in_chunks(X))
    with monkeypatch.context() as patch:
        patch.setattr(_hdbscan_blocks, "free_bytes", lambda: 1e4)
        with pytest.raises(ResourceError, match="predict needs the 1,200 rows"):
            found.predict(X)
    np.testing.assert_array_equal(found.predict(in_chunks(X, 450)).compute(), found.labels_.compute())
    np.testing.assert_array_equal(found.predict(X), found.labels_.compute())


@pytest.mark.parametrize("forced", ["many_bins", "little_memory", None])
def test_a_model_file_predicts(request, tmp_path, forced):
    if forced:
        request.getfixturevalue(forced)
    X, _ = clumps(1, 3000)
    found = fit_or_warn(forced == "little_memory", in_chunks(X), min_cluster_size=12)
    coterie.save(found, tmp_path / "model")
    np.testing.assert_array_equal(coterie.load(tmp_path / "model").predict(X), found.labels_.compute())


def test_a_model_file_of_rows_that_do_not_fit_says_that_it_cannot_predict(tmp_path, monkeypatch, many_bins):
    X, _ = clumps(1)
    found = HDBSCAN(12).fit(in_chunks(X))
    monkeypatch.setattr(_hdbscan_blocks, "free_bytes", lambda: 1e4)
    coterie.save(found, tmp_path / "model")
    with pytest.raises(UnsupportedError, match="holds none of these"):
        coterie.load(tmp_path / "model").predict(X)


def test_files_go_with_the_fit(tmp_path, monkeypatch, many_bins):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    HDBSCAN(12).fit(in_chunks(clumps(1)[0]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["ask_others", "answer_others", "tree_of_bin", "edges_between"])
def test_files_that_are_gone_are_written_again(workers, many_bins, monkeypatch, step):
    """Lose what one worker has written just before a step that reads it."""
    X, _ = clumps(3)
    lost = []

    def after_a_loss(plain):
        def collected(rows, drops, receivers, function, *arguments, **how):
            if function.__name__ == step and not lost:
                lost.append(drops[0].path)
                os.unlink(drops[0].path)
            return plain(rows, drops, receivers, function, *arguments, **how)

        return collected

    for name in ("collect", "collect_pairs"):
        monkeypatch.setattr(_hdbscan_tree, name, after_a_loss(getattr(_hdbscan_tree, name)))
    same_as_in_memory(X, in_chunks(X), min_cluster_size=12)
    assert lost


def test_workers_that_do_not_share_a_folder_send_what_they_have(workers, many_bins, monkeypatch):
    X, _ = clumps(11)
    for name in ("collect", "collect_pairs"):
        plain = getattr(_hdbscan_tree, name)
        monkeypatch.setattr(
            _hdbscan_tree, name, lambda *given, plain=plain, **how: plain(*given, **(how | {"strict": True}))
        )
    same_as_in_memory(X, in_chunks(X), min_cluster_size=12)


@pytest.mark.faults
def test_a_worker_killed_in_the_middle_changes_nothing(many_bins):
    distributed = pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
    X, _ = clumps(7, 30_000)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", memory_limit="2GiB"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        killer = threading.Timer(1.5, os.kill, (pids[min(pids)], signal.SIGKILL))
        killer.start()
        tree, core = _hdbscan_tree.tree_of_blocks(block_rows(in_chunks(X, 2000)), 5, bin_rows=3000)
        killer.join()
    whole, core_distances = mutual_reachability_tree(X, 5)
    np.testing.assert_array_equal(core, core_distances)
    np.testing.assert_array_equal(tree.left, whole.left)
    np.testing.assert_array_equal(tree.weights, whole.weights)


# ---- a sample


def fit_or_warn(warns, blocks, **parameters):
    if not warns:
        return HDBSCAN(**parameters).fit(blocks)
    with pytest.warns(ClusterWarning, match="is approximate: it is exact for a sample"):
        return HDBSCAN(**parameters).fit(blocks)


def test_what_does_not_fit_is_clustered_by_a_sample(crew, little_memory):
    X, _ = make_blobs(6000, n_features=3, centers=6, cluster_std=0.5, random_state=0)
    found = fit_or_warn(True, in_chunks(X, 700), min_cluster_size=60)
    assert 0.25 < found.sample_share_ < 0.35
    labels = found.labels_.compute()
    assert found.labels_.chunks[0] == found.probabilities_.chunks[0] == in_chunks(X, 700).chunks[0]
    assert adjusted_rand_score(HDBSCAN(60).fit(X).labels_, labels) > 0.9
    np.testing.assert_array_equal(found.predict(X), labels)
    np.testing.assert_array_equal(found.membership(X)[1], found.probabilities_.compute())
    assert not hasattr(found, "outlier_scores_")
    assert not hasattr(found, "core_distances_")
    assert len(found.minimum_spanning_tree_.weights) < 2400


def test_a_sample_does_not_depend_on_the_order_of_blocks(little_memory):
    X = make_moons(6000, noise=0.06, random_state=0)[0]
    blocks = in_chunks(X, 500)
    order = np.random.default_rng(0).permutation(blocks.numblocks[0])
    turned = da.concatenate([blocks.blocks[int(i)] for i in order])
    one, other = (fit_or_warn(True, given, min_cluster_size=50) for given in (blocks, turned))
    labels = np.split(one.labels_.compute(), blocks.numblocks[0])
    np.testing.assert_array_equal(other.labels_.compute(), np.concatenate([labels[i] for i in order]))
    np.testing.assert_array_equal(one.single_linkage_tree_, other.single_linkage_tree_)


def test_counts_of_rows_become_counts_of_sampled_rows(little_memory):
    rows = block_rows(in_chunks(np.random.default_rng(0).normal(size=(8000, 2))))
    sample = _hdbscan_blocks.sampled(rows, 100, 3, 1000)
    assert sample.min_cluster_size == round(100 * sample.share)
    assert sample.min_samples == 3  # fewer than five were asked for
    assert sample.max_cluster_size == round(1000 * sample.share)
    assert _hdbscan_blocks.sampled(rows, 8, 8, None)[2:] == (5, 5, None)


def test_a_fit_in_memory_after_one_by_a_sample_is_exact(little_memory):
    X, _ = clumps(1, 3000)
    found = fit_or_warn(True, in_chunks(X), min_cluster_size=40)
    again = found.fit(X)
    assert again.sample_share_ == 1.0
    np.testing.assert_array_equal(again.outlier_scores_, HDBSCAN(40).fit(X).outlier_scores_)


def test_equal_rows_beyond_a_bin_are_clustered_by_a_sample(many_bins):
    X = np.repeat([[0.0, 0.0], [5.0, 5.0]], 2000, axis=0)
    found = fit_or_warn(True, in_chunks(X), min_cluster_size=10)
    labels = found.labels_.compute()
    assert (labels[:2000] == labels[0]).all()
    assert (labels[2000:] == labels[-1]).all()
    assert labels[0] != labels[-1]


def test_metrics_that_need_all_rows_are_clustered_by_a_sample(little_memory):
    X = make_blobs(4000, centers=4, cluster_std=0.5, random_state=0)[0]
    found = fit_or_warn(True, in_chunks(X), min_cluster_size=60, metric="manhattan")
    assert adjusted_rand_score(HDBSCAN(60).fit(X).labels_, found.labels_.compute()) > 0.9
