"""K-means of Dask arrays: the answer of rows in memory, the same bits however they are cut, held and handed out."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from coterie import KMeans
from coterie.errors import InputError, UnsupportedError


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(6000, n_features=5, centers=8, random_state=0)[0]


def in_chunks(X, rows=700):
    return da.from_array(X, chunks=(rows, X.shape[1]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_from_the_same_start_the_labels_are_those_of_rows_in_memory(crew, blobs, dtype, metric):
    X = blobs.astype(dtype)
    whole = KMeans(8, init=X[:8], tol=0, metric=metric).fit(X)
    found = KMeans(8, init=X[:8], tol=0, metric=metric).fit(in_chunks(X))
    assert np.array_equal(found.labels_.compute(), whole.labels_)
    np.testing.assert_allclose(found.cluster_centers_, whole.cluster_centers_, rtol=2e-6, atol=1e-6)
    assert found.cluster_centers_.dtype == dtype
    assert found.inertia_ == pytest.approx(whole.inertia_, rel=1e-6)


def test_any_order_of_blocks_gives_the_same_bits(crew, blobs):
    X = in_chunks(blobs)
    found = KMeans(8, random_state=3).fit(X)
    order = np.random.default_rng(0).permutation(X.numblocks[0])
    other = KMeans(8, random_state=3).fit(da.concatenate([X.blocks[int(i)] for i in order]))
    assert other.cluster_centers_.tobytes() == found.cluster_centers_.tobytes()
    assert other.inertia_ == found.inertia_
    assert other.n_iter_ == found.n_iter_


def test_this_process_and_two_others_give_the_same_bits(blobs, workers, alone):
    X = in_chunks(blobs)
    there = KMeans(8, random_state=3).fit(X)
    alone()
    here = KMeans(8, random_state=3).fit(X)
    assert here.cluster_centers_.tobytes() == there.cluster_centers_.tobytes()
    assert here.inertia_ == there.inertia_


def test_whole_weights_are_as_good_as_repeated_rows(crew, blobs):
    X = blobs[:1500]
    weight = np.random.default_rng(1).integers(1, 4, len(X)).astype(float)
    found = KMeans(8, init=X[:8], tol=0).fit(in_chunks(X, 400), sample_weight=da.from_array(weight, chunks=400))
    repeated = KMeans(8, init=X[:8], tol=0).fit(np.repeat(X, weight.astype(int), axis=0))
    np.testing.assert_allclose(found.cluster_centers_, repeated.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert found.inertia_ == pytest.approx(repeated.inertia_)


def test_an_empty_center_takes_the_farthest_row(crew):
    X = np.array([[0.0], [1.0], [10.0], [11.0], [50.0]])
    init = np.array([[0.0], [10.5], [1000.0]])
    whole = KMeans(3, init=init, tol=0).fit(X)
    found = KMeans(3, init=init, tol=0).fit(in_chunks(X, 2))
    assert np.array_equal(found.labels_.compute(), whole.labels_)


def test_frames_keep_the_names_of_their_columns(crew, blobs):
    frame = pd.DataFrame(blobs, columns=list("abcde"))
    found = KMeans(8, init=blobs[:8], tol=0).fit(dd.from_pandas(frame, npartitions=3))
    assert list(found.feature_names_in_) == list("abcde")
    assert np.array_equal(found.labels_.compute(), KMeans(8, init=blobs[:8], tol=0).fit_predict(blobs))
    assert np.array_equal(found.predict(frame), found.labels_.compute())
    with pytest.raises(InputError, match="not in the same order"):
        found.predict(dd.from_pandas(frame[list("bacde")], npartitions=2))


def test_predict_and_transform_are_those_of_each_row(crew, blobs):
    found = KMeans(8, random_state=0).fit(in_chunks(blobs))
    assert np.array_equal(found.predict(in_chunks(blobs)).compute(), found.predict(blobs))
    np.testing.assert_array_equal(found.transform(in_chunks(blobs)).compute(), found.transform(blobs))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_bad_value_is_named_by_row_and_column(crew, blobs, value):
    X = blobs.copy()
    X[1234, 3] = value
    with pytest.raises(InputError, match="at row 1,234, column 3; fill or drop"):
        KMeans(8).fit(in_chunks(X))


def test_what_needs_all_rows_is_refused(blobs):
    for model in (
        KMeans(8, min_cluster_size=10),
        KMeans(8, algorithm="flash"),
        KMeans(8, init=lambda X, k, random_state: X[:k]),
    ):
        with pytest.raises(UnsupportedError, match="all rows"):
            model.fit(in_chunks(blobs))
    with pytest.raises(InputError, match="n_samples=6000"):
        KMeans(6001).fit(in_chunks(blobs))


def test_blocks_become_tensors_where_a_device_is_asked_for(crew, blobs):
    pytest.importorskip("torch", reason="the torch engine needs PyTorch")
    whole = KMeans(8, init=blobs[:8], tol=0).fit(blobs)
    found = KMeans(8, init=blobs[:8], tol=0, device="cpu:0").fit(in_chunks(blobs))
    assert np.array_equal(found.labels_.compute(), whole.labels_)
    np.testing.assert_allclose(found.cluster_centers_, whole.cluster_centers_, rtol=1e-9, atol=1e-9)
    drawn = KMeans(8, random_state=0, device="cpu:0").fit(in_chunks(blobs))
    order = (8, 2, 5, 0, 1, 3, 7, 6, 4)
    other = KMeans(8, random_state=0, device="cpu:0").fit(da.concatenate([in_chunks(blobs).blocks[i] for i in order]))
    assert other.cluster_centers_.tobytes() == drawn.cluster_centers_.tobytes()
