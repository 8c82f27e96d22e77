"""CLARA and CLARANS of Dask arrays: near the cost of rows in memory, the same bits however these are ordered, cut and handed out."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from coterie import CLARA, CLARANS, KMedoids
from coterie.errors import InputError, UnsupportedError
from coterie.partition import _medoids_blocks, clarans
from coterie.partition._medoids_metric import Metric
from coterie.primitives.blocks import block_rows

BOTH = pytest.mark.parametrize("Estimator", [CLARA, CLARANS])


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(6000, n_features=4, centers=8, cluster_std=1.5, random_state=0)[0]


@pytest.fixture
def few_drawn(monkeypatch):
    """Let CLARANS draw so few rows that its exchanges are tried on all rows."""
    monkeypatch.setattr(clarans, "_DRAWN_ROWS", 200)


def in_chunks(values, rows=700):
    return da.from_array(values, chunks=(rows, *values.shape[1:]))


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine", "chebyshev"])
def test_with_all_rows_drawn_the_result_is_that_of_rows_in_memory(crew, blobs, Estimator, dtype, metric):
    X = np.repeat(blobs[:200], 2, axis=0).astype(dtype)
    settings = {"sampling_size": 400} if Estimator is CLARA else {}
    whole = Estimator(5, metric=metric, random_state=1, **settings).fit(X)
    found = Estimator(5, metric=metric, random_state=1, **settings).fit(in_chunks(X, 90))
    assert np.array_equal(found.medoid_indices_, whole.medoid_indices_)
    assert np.array_equal(found.cluster_centers_, whole.cluster_centers_)
    assert found.cluster_centers_.dtype == dtype
    assert np.array_equal(found.labels_.compute(), whole.labels_)
    assert found.inertia_ == pytest.approx(whole.inertia_, rel=1e-12)


@BOTH
@pytest.mark.parametrize("seed", range(5))
def test_the_cost_is_within_one_per_cent_of_that_of_rows_in_memory(blobs, monkeypatch, Estimator, seed):
    pytest.importorskip("distributed")
    monkeypatch.setattr(clarans, "_DRAWN_ROWS", 2000)  # a third of the rows
    settings = {"sampling_size": 400} if Estimator is CLARA else {}
    whole = Estimator(8, random_state=seed, **settings).fit(blobs)
    found = Estimator(8, random_state=seed, **settings).fit(in_chunks(blobs))
    assert found.inertia_ <= 1.01 * whole.inertia_


@BOTH
def test_any_order_of_rows_and_any_blocks_give_the_same_bits(crew, few_drawn, blobs, Estimator):
    order = np.random.default_rng(0).permutation(len(blobs))
    found = Estimator(8, random_state=3).fit(in_chunks(blobs))
    other = Estimator(8, random_state=3).fit(in_chunks(blobs[order], 1100))
    assert np.array_equal(order[other.medoid_indices_], found.medoid_indices_)
    assert np.array_equal(other.cluster_centers_, found.cluster_centers_)
    assert other.inertia_ == pytest.approx(found.inertia_, rel=1e-13)
    blocks = [in_chunks(blobs).blocks[i] for i in (8, 2, 5, 0, 1, 3, 7, 6, 4)]
    assert Estimator(8, random_state=3).fit(da.concatenate(blocks)).inertia_ == found.inertia_


@BOTH
def test_this_process_and_two_others_give_the_same_bits(blobs, few_drawn, workers, alone, Estimator):
    there = Estimator(8, random_state=3).fit(in_chunks(blobs))
    alone()
    here = Estimator(8, random_state=3).fit(in_chunks(blobs))
    assert np.array_equal(here.medoid_indices_, there.medoid_indices_)
    assert here.inertia_ == there.inertia_


@BOTH
def test_labels_medoids_and_loss_are_those_of_the_rows(crew, few_drawn, blobs, Estimator):
    X = in_chunks(blobs)
    found = Estimator(8, random_state=0).fit(X)
    assert np.array_equal(blobs[found.medoid_indices_], found.cluster_centers_)
    labels = found.labels_.compute()
    assert np.array_equal(labels, found.predict(blobs))
    distances = found.transform(blobs)
    assert np.array_equal(found.transform(X).compute(), distances)
    assert np.array_equal(labels, distances.argmin(1))
    assert found.inertia_ == pytest.approx(distances.min(1).sum(), rel=1e-12)


@BOTH
def test_whole_weights_are_as_good_as_repeated_rows(crew, few_drawn, blobs, Estimator):
    weight = np.random.default_rng(1).integers(0, 4, 1500).astype(float)
    found = Estimator(6, random_state=2).fit(in_chunks(blobs[:1500]), sample_weight=in_chunks(weight))
    repeated = Estimator(6, random_state=2).fit(in_chunks(np.repeat(blobs[:1500], weight.astype(int), axis=0)))
    assert np.array_equal(found.cluster_centers_, repeated.cluster_centers_)
    assert found.inertia_ == pytest.approx(repeated.inertia_, rel=1e-12)
    assert (weight[found.medoid_indices_] > 0).all()


@BOTH
def test_fewer_distinct_rows_than_clusters_are_all_medoids(crew, Estimator):
    X = np.repeat([[3.0], [1.0]], 10, axis=0)
    with pytest.warns(UserWarning, match="2 of n_clusters=4 clusters hold rows"):
        found = Estimator(4, random_state=0).fit(in_chunks(X, 6))
    with pytest.warns(UserWarning, match="2 of n_clusters=4 clusters hold rows"):
        whole = Estimator(4, random_state=0).fit(X)
    assert np.array_equal(found.labels_.compute(), whole.labels_)
    assert np.array_equal(found.medoid_indices_, whole.medoid_indices_)
    assert found.inertia_ == 0


def test_exchanges_lower_the_loss_that_a_small_draw_leaves(crew, blobs, monkeypatch):
    monkeypatch.setattr(clarans, "_DRAWN_ROWS", 30)
    found = CLARANS(8, random_state=0).fit(in_chunks(blobs)).inertia_
    monkeypatch.setattr(clarans, "exchanged", lambda X, medoids, tried: medoids)
    assert found < 0.95 * CLARANS(8, random_state=0).fit(in_chunks(blobs)).inertia_


@pytest.mark.parametrize("k", [1, 3])
def test_changes_are_the_differences_of_losses(crew, blobs, k):
    X, weight = blobs[:500], np.random.default_rng(0).random(500)
    medoids, others = X[:k], X[100:110]
    metric = Metric("euclidean", {})

    def loss(centers):
        return (weight * np.linalg.norm(X[:, None] - centers, axis=2).min(1)).sum()

    found, before = _medoids_blocks.swap_changes_of_blocks(
        block_rows(in_chunks(X, 60), weight), metric, medoids, others
    )
    expected = [[loss(np.r_[np.delete(medoids, j, 0), row[None]]) - loss(medoids) for j in range(k)] for row in others]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert before == pytest.approx(loss(medoids))


def test_drawn_rows_come_without_replacement_and_weigh_what_they_are(crew):
    X = np.repeat(np.arange(50.0), np.arange(1, 51))[:, None]
    X = X[np.random.default_rng(0).permutation(len(X))]
    rng = np.random.RandomState(0)
    (draw, every) = _medoids_blocks.draw_distinct(block_rows(in_chunks(X, 100)), Metric("euclidean", {}), [10, 99], rng)
    assert len(np.unique(draw.rows)) == 10
    assert np.array_equal(draw.weight, draw.rows[:, 0] + 1)
    assert np.array_equal(np.sort(every.rows[:, 0]), np.arange(50))
    assert np.array_equal(every.source, [np.flatnonzero(X[:, 0] == value)[0] for value in every.rows[:, 0]])


def test_each_row_is_drawn_equally_often(crew):
    X = np.arange(200.0)[:, None]
    rows, metric = block_rows(in_chunks(X, 50)), Metric("euclidean", {})
    drawn = _medoids_blocks.draw_distinct(rows, metric, [20] * 400, np.random.RandomState(0))
    counts = np.bincount(np.concatenate([draw.source for draw in drawn]), minlength=200)
    assert counts.min() > 15  # 40 expected; standard deviation 6
    assert counts.max() < 70


def test_frames_keep_the_names_of_their_columns(crew, blobs):
    frame = pd.DataFrame(blobs, columns=list("abcd"))
    found = CLARA(8, random_state=0).fit(dd.from_pandas(frame, npartitions=3))
    assert list(found.feature_names_in_) == list("abcd")
    assert np.array_equal(found.medoid_indices_, CLARA(8, random_state=0).fit(in_chunks(blobs)).medoid_indices_)


@BOTH
def test_what_cannot_be_is_refused_in_one_sentence(blobs, Estimator):
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="n_samples=6000"):
        Estimator(6001).fit(in_chunks(blobs))
    with pytest.raises(InputError, match="nor zero for every row"):
        Estimator(2).fit(in_chunks(blobs), sample_weight=np.zeros(6000))
    with pytest.raises(UnsupportedError, match="needs the whole matrix"):
        Estimator(2, metric="precomputed").fit(in_chunks(blobs))
    with pytest.raises(UnsupportedError, match="KMedoids needs all rows at once"):
        KMedoids(2).fit(in_chunks(blobs))
