"""Scores of Dask arrays: those of the same rows in memory, the same bits however the blocks are cut out, ordered and handed out."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from coterie import KMeans, metrics
from coterie.errors import InputError, UnsupportedError

CENTERS = [
    "davies_bouldin_score",
    "calinski_harabasz_score",
    "wb_score",
    "xie_beni_score",
    "simplified_silhouette_score",
]


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(5000, 4, centers=6, cluster_std=2.0, random_state=3)
    return X + 100, np.where(np.arange(len(y)) % 11 == 0, -1, y * 3)


def in_chunks(values, rows=600):
    return da.from_array(values, chunks=(rows, *values.shape[1:]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CENTERS)
def test_scores_are_those_of_rows_in_memory(crew, blobs, dtype, name):
    X, y = blobs[0].astype(dtype), blobs[1]
    score = getattr(metrics, name)
    assert score(in_chunks(X), in_chunks(y)) == pytest.approx(score(X, y), rel=1e-9)
    assert score(in_chunks(X), y) == score(in_chunks(X), in_chunks(y))


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_tight_clusters_far_apart_keep_their_digits(crew, offset):
    X, y = make_blobs(3000, 3, centers=4, cluster_std=1e-6, random_state=0)
    X = X + offset
    for name in CENTERS:
        score = getattr(metrics, name)
        assert score(in_chunks(X, 7), in_chunks(y, 7)) == pytest.approx(score(X, y), rel=1e-9)


@pytest.mark.parametrize("name", CENTERS)
def test_any_order_of_blocks_gives_the_same_bits(crew, blobs, name):
    X, y = (in_chunks(values) for values in blobs)
    order = np.random.default_rng(0).permutation(X.numblocks[0])
    shuffled = [da.concatenate([values.blocks[int(i)] for i in order]) for values in (X, y)]
    score = getattr(metrics, name)
    assert score(*shuffled) == score(X, y)


def test_a_sampled_silhouette_is_that_of_rows_in_memory(crew, blobs):
    X, y = blobs
    for size in (300, 5000):
        found = metrics.silhouette_estimate(in_chunks(X), in_chunks(y), sample_size=size, random_state=1)
        expected = metrics.silhouette_estimate(X, y, sample_size=size, random_state=1)
        assert found == pytest.approx(expected, rel=1e-9)
    assert metrics.silhouette_score(in_chunks(X), y, sample_size=300) == pytest.approx(
        metrics.silhouette_score(X, y, sample_size=300), rel=1e-9
    )


def test_this_process_and_two_others_give_the_same_bits(blobs, workers, alone):
    X, y = (in_chunks(values) for values in blobs)
    names = [*CENTERS, "silhouette_estimate"]
    there = [getattr(metrics, name)(X, y) for name in names]
    alone()
    assert [getattr(metrics, name)(X, y) for name in names] == there


def test_a_block_of_zeros_far_from_the_others_does_no_harm(crew):
    X = np.r_[np.zeros((10, 2)), 1e25 + np.arange(40.0).reshape(20, 2) * 1e24].astype(np.float32)
    y = np.repeat([0, 1, 2], 10)
    found = metrics.silhouette_estimate(in_chunks(X, 10), in_chunks(y, 10), sample_size=30)
    assert found.value == pytest.approx(metrics.silhouette_score(X, y), rel=1e-6)


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_scores_do_not_depend_on_the_unit(crew, blobs, unit):
    X, y = blobs[0] / np.abs(blobs[0]).max(), blobs[1]
    for name in CENTERS:
        score = getattr(metrics, name)
        assert score(in_chunks(X * unit), in_chunks(y)) == pytest.approx(score(X, y), rel=1e-9)
    found = metrics.silhouette_score(in_chunks(X * unit), in_chunks(y), sample_size=200)
    assert found == pytest.approx(metrics.silhouette_score(X, y, sample_size=200), rel=1e-9)


def test_labels_of_a_fit_are_scored_where_they_lie(crew, blobs):
    X = in_chunks(blobs[0]).persist()
    for rows in (X, in_chunks(blobs[0])):
        model = KMeans(6, random_state=0).fit(rows)
        found = metrics.calinski_harabasz_score(rows, model.labels_)
        assert found == pytest.approx(metrics.calinski_harabasz_score(blobs[0], model.labels_.compute()), rel=1e-9)


def test_weights_on_the_workers_count(crew, blobs):
    X, weight = blobs[0], np.random.default_rng(0).integers(1, 4, len(blobs[0])).astype(float)
    found = KMeans(6, init=X[:6]).fit(in_chunks(X).persist(), sample_weight=in_chunks(weight).persist())
    assert found.inertia_ == KMeans(6, init=X[:6]).fit(in_chunks(X), sample_weight=in_chunks(weight)).inertia_


def test_frames_and_named_labels_are_taken(crew, blobs):
    X, y = blobs
    frame = pd.DataFrame(X, columns=list("abcd")).assign(y=np.array(list("nabcdef"))[(y + 3) // 3])
    table = dd.from_pandas(frame, npartitions=4)
    expected = pytest.approx(metrics.davies_bouldin_score(X, np.array(frame["y"])), rel=1e-9)
    assert metrics.davies_bouldin_score(table[list("abcd")], table["y"]) == expected
    table = table.persist()
    assert metrics.davies_bouldin_score(table[list("abcd")].persist(), table["y"]) == expected


def test_what_does_not_fit_together_is_refused_in_one_sentence(crew, blobs):
    X, y = blobs
    with pytest.raises(InputError, match="labels has 3 blocks and the rows have 9"):
        metrics.davies_bouldin_score(in_chunks(X), in_chunks(y, 2000))
    with pytest.raises(InputError, match="one label a row, got 5000 rows and 4999 labels"):
        metrics.davies_bouldin_score(in_chunks(X), y[1:])
    lengths = [*[600] * 8, 199]
    with pytest.raises(InputError, match="block 8 has 200 rows and 199 labels"):
        metrics.davies_bouldin_score(in_chunks(X), da.from_array(y[:-1], chunks=(tuple(lengths),)))
    with pytest.raises(InputError, match="at least 2 clusters"):
        metrics.calinski_harabasz_score(in_chunks(X), in_chunks(np.zeros(5000, int)))
    with pytest.raises(InputError, match="NaN at row 7, column 1"):
        metrics.wb_score(in_chunks(np.where(np.arange(20000).reshape(5000, 4) == 29, np.nan, X)), y)


def test_what_needs_all_pairs_of_rows_names_another_way(blobs):
    X, y = (in_chunks(values) for values in blobs)
    with pytest.raises(UnsupportedError, match="sample_size=2000"):
        metrics.silhouette_score(X, y)
    for name in ("dunn_score", "generalized_dunn_score", "dbcv_score", "silhouette_samples"):
        with pytest.raises(UnsupportedError, match="needs all rows in memory"):
            getattr(metrics, name)(X, y)
