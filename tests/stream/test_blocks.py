"""Mini-batch K-means and Birch on Dask arrays: near the answers of rows in memory, the same bits on any workers."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs

from coterie import MiniBatchKMeans
from coterie.errors import InputError, UnsupportedError
from coterie.primitives.blocks import block_rows

X, TRUTH = make_blobs(12_000, 6, centers=8, cluster_std=2.0, random_state=5)
SORTED = X[np.argsort(TRUTH, kind="stable")]
LENGTHS = (2500, 0, 3000, 1, 4499, 2000)


def cut(rows, lengths=LENGTHS):
    return da.from_array(rows, chunks=(tuple(lengths), *rows.shape[1:]))


def parts_of(rows, lengths=LENGTHS):
    return np.split(rows, np.cumsum(lengths)[:-1])


def shuffled(rows, lengths=LENGTHS, seed=0):
    order = np.random.default_rng(seed).permutation(len(lengths))
    parts = parts_of(rows, lengths)
    return cut(np.concatenate([parts[i] for i in order]), [lengths[i] for i in order])


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


def test_this_process_and_two_others_give_the_same_bits(workers, travels, monkeypatch):
    from coterie.primitives._dask import cluster, rows

    there = clone(BATCHES[3]).fit(cut(SORTED))
    monkeypatch.setattr(rows, "crew_at_work", cluster.Here)
    here = clone(BATCHES[3]).fit(cut(SORTED))
    assert here.cluster_centers_.tobytes() == there.cluster_centers_.tobytes()
    assert here.inertia_ == there.inertia_


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
