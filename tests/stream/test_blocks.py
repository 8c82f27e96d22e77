"""Mini-batch K-means and Birch on Dask arrays: near the answers of rows in memory, the same bits on any workers."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from coterie import DBSCAN, HDBSCAN, AgglomerativeClustering, Birch, KMeans, MiniBatchKMeans
from coterie.errors import InputError, UnsupportedError
from coterie.models import load, save
from coterie.primitives.batch_step import batch_step
from coterie.primitives.blocks import block_rows
from coterie.tables import row_files

X, TRUTH = make_blobs(12_000, 6, centers=8, cluster_std=2.0, random_state=5)
SORTED = X[np.argsort(TRUTH, kind="stable")]
LENGTHS = (2500, 0, 3000, 1, 4499, 2000)


def cut(rows, lengths=LENGTHS):
    return da.from_array(rows, chunks=(tuple(lengths), *rows.shape[1:]))


def parts_of(rows, lengths=LENGTHS):
    return np.split(rows, np.cumsum(lengths)[:-1])


def shuffled_parts(rows):
    parts = parts_of(rows)
    return [parts[i] for i in np.random.default_rng(0).permutation(len(parts))]


def shuffled(rows):
    parts = shuffled_parts(rows)
    return cut(np.concatenate(parts), [len(part) for part in parts])


def by_contents(rows, *more, lengths=LENGTHS):
    """Return the rows as one array, block after block in the order of their contents."""
    order = block_rows(cut(rows, lengths), *more[:1]).by_rank()
    found = [np.concatenate([parts_of(values, lengths)[i] for i in order]) for values in (rows, *more)]
    return found if more else found[0]


# ---- mini-batch K-means

BATCHES = [
    MiniBatchKMeans(8, n_init=1, random_state=0),
    MiniBatchKMeans(8, n_init=1, random_state=1, batch_size=100, max_no_improvement=None, max_iter=1),
    MiniBatchKMeans(8, n_init=1, random_state=2, batch_size=700, tol=1e-4),
    MiniBatchKMeans(30, n_init=1, random_state=3, reassignment_ratio=0.5),
    MiniBatchKMeans(8, n_init=1, random_state=4, init=SORTED[::1500]),
    MiniBatchKMeans(8, n_init=1, random_state=5, batch_size=20_000),
]


@pytest.fixture(params=["rows", "centers"])
def travels(request, monkeypatch):
    """Run the test with batches so small that their rows travel, and with centers that travel in any case."""
    if request.param == "centers":
        from coterie.primitives._dask import batch_step

        monkeypatch.setattr(batch_step, "_SMALL_BATCH", 0)


def same_as_in_memory(found, whole):
    assert (found.n_steps_, found.n_iter_) == (whole.n_steps_, whole.n_iter_)
    tolerance = 1e-9 if found.cluster_centers_.dtype == np.float64 else 1e-5  # sums of a batch are rounded elsewhere
    np.testing.assert_allclose(found.cluster_centers_, whole.cluster_centers_, rtol=tolerance, atol=tolerance)
    assert found.inertia_ == pytest.approx(whole.inertia_, rel=1e-9)


@pytest.mark.parametrize("model", BATCHES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_batches_and_centers_are_those_of_the_same_rows_in_memory(travels, model, dtype):
    rows = SORTED.astype(dtype)
    found = clone(model).fit(cut(rows))
    same_as_in_memory(found, clone(model).fit(by_contents(rows)))
    assert found.cluster_centers_.dtype == dtype
    assert np.array_equal(found.labels_.compute(), found.predict(rows))


def test_workers_have_the_batches_of_rows_in_memory(crew, travels):
    found = clone(BATCHES[0]).fit(cut(SORTED))
    same_as_in_memory(found, clone(BATCHES[0]).fit(by_contents(SORTED)))
    assert np.array_equal(found.labels_.compute(), found.predict(SORTED))


def test_weights_count_as_in_memory(travels):
    weight = np.random.default_rng(0).uniform(0, 3, len(X))
    model = BATCHES[1]
    rows, weights = by_contents(SORTED, weight)
    whole = clone(model).fit(rows, sample_weight=weights)
    same_as_in_memory(clone(model).fit(cut(SORTED), sample_weight=cut(weight)), whole)
    same_as_in_memory(clone(model).fit(cut(SORTED), sample_weight=weight), whole)


def test_one_block_has_the_batches_of_rows_in_memory():
    same_as_in_memory(clone(BATCHES[0]).fit(cut(X, [len(X)])), clone(BATCHES[0]).fit(X))


def test_blocks_of_one_row_have_the_batches_of_rows_in_memory():
    model = MiniBatchKMeans(3, batch_size=10, n_init=1, random_state=0)
    lengths = [1] * 80
    same_as_in_memory(model.fit(cut(X[:80], lengths)), clone(model).fit(by_contents(X[:80], lengths=lengths)))


@pytest.mark.parametrize("model", [BATCHES[0], BATCHES[3]])
def test_any_order_of_blocks_and_any_workers_give_the_same_bits(crew, travels, model):
    found = clone(model).fit(shuffled(SORTED))
    other = clone(model).fit(cut(SORTED))
    assert found.cluster_centers_.tobytes() == other.cluster_centers_.tobytes()
    assert found.inertia_ == other.inertia_


def test_this_process_and_two_others_give_the_same_bits(workers, travels, alone):
    there = clone(BATCHES[3]).fit(cut(SORTED))
    alone()
    here = clone(BATCHES[3]).fit(cut(SORTED))
    assert here.cluster_centers_.tobytes() == there.cluster_centers_.tobytes()
    assert here.inertia_ == there.inertia_


def test_what_a_batch_adds_up_to_is_the_same_bits_for_any_order_of_blocks():
    lengths, rows = (500,) * 24, np.arange(0, len(X), 7)
    parts = parts_of(X, lengths)
    aim = X[:5].copy(), np.zeros(6), 1.0
    wanted = batch_step(block_rows(cut(X, lengths)), rows, *aim)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(24)
        found = batch_step(block_rows(cut(np.concatenate([parts[i] for i in order]), lengths)), rows, *aim)
        assert found.sums.tobytes() == wanted.sums.tobytes()
        assert found.inertia == wanted.inertia


def test_sorted_rows_end_within_two_percent_of_rows_in_memory():
    rows, truth = make_blobs(30_000, 4, centers=20, cluster_std=1.5, random_state=0)
    rows = rows[np.argsort(truth, kind="stable")]
    lengths = [1500] * 20  # nearly a cluster each
    here, whole = (
        [MiniBatchKMeans(20, random_state=seed).fit(given).inertia_ for seed in range(10)]
        for given in (cut(rows, lengths), rows)
    )
    assert np.mean(here) <= 1.02 * np.mean(whole)
    assert np.median(here) <= 1.02 * np.median(whole)


def test_rows_that_no_worker_keeps_are_read_a_few_times(travels, monkeypatch):
    from coterie.primitives._dask import rows

    reads = []

    def read(block):
        reads.append(len(block))
        return block

    model = BATCHES[1]
    kept = clone(model).fit(cut(SORTED))
    monkeypatch.setattr(rows, "_SHARE", 0.0)
    found = clone(model).fit(cut(SORTED).map_blocks(read, dtype=float, meta=np.empty((0, 6))))
    assert found.n_steps_ == 117
    assert found.cluster_centers_.tobytes() == kept.cluster_centers_.tobytes()
    per_pass = len(LENGTHS)
    assert len([n for n in reads if n]) <= 4 * per_pass  # the check, two times 64 batches, and the inertia


def test_a_frame_keeps_its_names(crew):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    found = MiniBatchKMeans(8, random_state=0).fit(dd.from_pandas(frame, npartitions=3, sort=False))
    assert list(found.feature_names_in_) == list("abcdef")
    assert np.array_equal(found.labels_.compute(), found.predict(frame))


def test_blocks_are_transformed_row_by_row(crew):
    found = MiniBatchKMeans(8, random_state=0).fit(cut(X))
    np.testing.assert_array_equal(found.transform(cut(X)).compute(), found.transform(X))


def test_partial_fit_goes_on_from_blocks():
    found = MiniBatchKMeans(8, random_state=0).fit(cut(X))
    before = found.n_steps_
    assert found.partial_fit(X[:2048]).n_steps_ == before + 2


def test_labels_that_nobody_wants_cost_no_pass():
    found = MiniBatchKMeans(8, random_state=0, compute_labels=False).fit(cut(X))
    assert not hasattr(found, "labels_")
    assert not hasattr(found, "inertia_")


def test_what_blocks_cannot_do_is_said_in_one_sentence():
    with pytest.raises(InputError, match=r"n_samples=12000 should be >= n_clusters=12001"):
        MiniBatchKMeans(12_001).fit(cut(X))
    with pytest.raises(InputError, match="nor zero for every row"):
        MiniBatchKMeans(8).fit(cut(X), sample_weight=cut(np.zeros(len(X))))
    with pytest.raises(UnsupportedError, match="partial_fit needs rows in memory"):
        MiniBatchKMeans(8).partial_fit(cut(X))
    with pytest.raises(UnsupportedError, match="this method needs rows in memory"):
        MiniBatchKMeans(8, random_state=0).fit(X).score(cut(X))


# ---- Birch

TREES = [
    Birch(n_clusters=8),
    Birch(threshold=0.01, n_clusters=None, max_subclusters=300),
    Birch(threshold=3.0, n_clusters=5, branching_factor=3),
]


def same_groups(found, other):
    for name in ("subcluster_centers_", "subcluster_weights_", "subcluster_radii_", "subcluster_labels_", "_firsts"):
        assert np.array_equal(getattr(found, name), getattr(other, name)), name
    assert found.threshold_ == other.threshold_


@pytest.mark.parametrize("model", TREES)
@pytest.mark.parametrize("lengths", [(len(X),), (0, len(X), 0)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_block_has_the_groups_and_labels_of_rows_in_memory(model, lengths, dtype):
    rows = X.astype(dtype)
    whole, found = clone(model).fit(rows), clone(model).fit(cut(rows, lengths))
    same_groups(found, whole)
    assert found.subcluster_centers_.dtype == dtype
    assert np.array_equal(found.labels_.compute(), whole.labels_)


@pytest.mark.parametrize("model", TREES)
def test_any_order_of_blocks_gives_the_same_groups(crew, model):
    found = clone(model).fit(shuffled(SORTED))
    same_groups(found, clone(model).fit(cut(SORTED)))
    assert np.array_equal(found.labels_.compute(), found.predict(np.concatenate(shuffled_parts(SORTED))))


def test_groups_are_the_same_bits_here_and_there_and_however_many_trees_come_at_once(workers, alone, monkeypatch):
    from coterie.stream import _birch_blocks

    there = clone(TREES[1]).fit(cut(SORTED))
    alone()
    same_groups(clone(TREES[1]).fit(cut(SORTED)), there)
    monkeypatch.setattr(_birch_blocks, "_TREES_A_TASK", 1)
    same_groups(clone(TREES[1]).fit(cut(SORTED)), there)


@pytest.mark.parametrize("model", TREES)
@pytest.mark.parametrize("lengths", [LENGTHS, (1,) * 500 + (len(X) - 500,)], ids=["blocks", "blocks of one row"])
def test_what_groups_add_up_to_is_what_the_rows_do(model, lengths):
    found = clone(model).fit(cut(SORTED + 1e4, lengths))
    weights, centers = found.subcluster_weights_, found.subcluster_centers_ - 1e4
    assert weights.sum() == len(X)
    np.testing.assert_allclose(weights @ centers, X.sum(axis=0), rtol=1e-6, atol=1e-4)
    spread = (weights * (found.subcluster_radii_**2 + (centers**2).sum(axis=1))).sum()
    assert spread == pytest.approx((X**2).sum(), rel=1e-8)
    assert len(weights) <= model.max_subclusters
    assert found.subcluster_radii_.max() <= found.threshold_ * (1 + 1e-9)


@pytest.mark.parametrize("rows", [X, SORTED], ids=["shuffled", "sorted"])
def test_clusters_are_nearly_those_of_rows_in_memory(rows):
    points, truth = make_blobs(12_000, 3, centers=6, cluster_std=0.7, random_state=3)
    order = np.arange(len(points)) if rows is X else np.argsort(truth, kind="stable")
    for options in ({}, {"threshold": 0.01, "max_subclusters": 400}):
        model = Birch(n_clusters=6, **options)
        whole = clone(model).fit(points[order]).labels_
        found = clone(model).fit(cut(points[order])).labels_.compute()
        assert adjusted_rand_score(whole, found) > 0.95
        assert adjusted_rand_score(truth[order], found) > adjusted_rand_score(truth[order], whole) - 0.02


class Weighed(ClusterMixin, BaseEstimator):
    """Gives every row its own cluster, and remembers the weights."""

    def fit(self, X, y=None, sample_weight=None):
        type(self).seen = sample_weight
        self.labels_ = np.arange(len(X))
        return self


@pytest.mark.parametrize("make", [lambda rows: rows, cut], ids=["in memory", "in blocks"])
def test_any_clusterer_is_fitted_to_the_groups_and_their_weights(make):
    found = Birch(threshold=2.0, n_clusters=Weighed()).fit(make(X))
    assert np.array_equal(Weighed.seen, found.subcluster_weights_)
    for clusterer in (
        KMeans(8, random_state=0), DBSCAN(eps=2.0, min_samples=1), HDBSCAN(), AgglomerativeClustering(8), SklearnKMeans(8, random_state=0),
        GaussianMixture(8, random_state=0),
    ):  # fmt: skip
        found = Birch(threshold=2.0, n_clusters=clusterer).fit(make(X))
        labels = np.asarray(found.labels_)
        assert len(labels) == len(X)
        assert set(labels) <= set(found.subcluster_labels_)


def test_the_tree_does_not_travel_with_what_labels_a_block():
    found = Birch(n_clusters=8).fit(cut(X))
    assert "_stream" not in vars(found._light())
    stream = Birch(n_clusters=8).partial_fit(X)
    assert np.array_equal(stream.predict(cut(X)).compute(), stream.predict(X))


def test_birch_transforms_blocks_row_by_row_and_keeps_names(crew):
    frame = pd.DataFrame(X[:3000], columns=list("abcdef"))
    found = Birch(threshold=3.0, n_clusters=4).fit(dd.from_pandas(frame, npartitions=3, sort=False))
    assert list(found.feature_names_in_) == list("abcdef")
    assert np.array_equal(found.labels_.compute(), found.predict(frame))
    blocks = dd.from_pandas(frame, npartitions=2, sort=False)
    np.testing.assert_array_equal(found.transform(blocks).compute(), found.transform(frame))


def test_birch_goes_on_from_blocks_and_refuses_blocks_after_them():
    found = Birch(threshold=2.0, n_clusters=None).fit(cut(X))
    found.partial_fit(X[:100])
    assert found.subcluster_weights_.sum() == len(X) + 100
    with pytest.raises(UnsupportedError, match="partial_fit needs rows in memory"):
        found.partial_fit(cut(X))
    with pytest.raises(InputError, match="n_samples=12000 should be >= n_clusters=12001"):
        Birch(n_clusters=12_001).fit(cut(X))


def test_labels_of_birch_that_nobody_wants_are_not_made():
    assert not hasattr(Birch(compute_labels=False).fit(cut(X)), "labels_")


# ---- both


@pytest.mark.parametrize("model", [MiniBatchKMeans(8, random_state=0), Birch(threshold=2.0, n_clusters=8)])
def test_a_saved_model_labels_as_the_fit_of_blocks(model, tmp_path):
    found = clone(model).fit(cut(X))
    loaded = load(save(found, tmp_path / "model.coterie"))
    assert np.array_equal(loaded.predict(X), found.labels_.compute())


@pytest.mark.parametrize("model", [MiniBatchKMeans(8, random_state=0), Birch(threshold=2.0, n_clusters=8)])
def test_blocks_as_tensors_have_the_labels_of_arrays(travels, model):
    pytest.importorskip("torch", reason="the torch engine needs PyTorch")
    found = clone(model).set_params(device="cpu:0").fit(cut(X))  # a device of PyTorch
    assert np.array_equal(found.labels_.compute(), clone(model).fit(cut(X)).labels_.compute())


@pytest.mark.parametrize("model", [MiniBatchKMeans(8, random_state=0), Birch(threshold=2.0, n_clusters=8)])
def test_files_give_the_centers_of_blocks_of_the_same_rows(model, tmp_path):
    np.save(tmp_path / "rows.npy", X)
    files = row_files(tmp_path / "rows.npy", rows=5000)
    assert len(files.pieces) > 1
    found = clone(model).fit(files)
    other = clone(model).fit(cut(X, [piece.n_rows for piece in files.pieces]))
    assert np.array_equal(found.labels_.compute(), other.labels_.compute())
