"""HDBSCAN of Dask arrays: what rows in memory give, refused where this process cannot hold it."""

import dask.array as da
import numpy as np
import pytest
from sklearn.datasets import make_blobs

from coterie import HDBSCAN
from coterie.density import _hdbscan_blocks
from coterie.errors import ResourceError, UnsupportedError


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(2000, n_features=3, centers=6, random_state=0)[0]


def in_chunks(X, rows=300):
    return da.from_array(X, chunks=(rows, X.shape[1]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_what_is_found_is_that_of_rows_in_memory(crew, blobs, dtype, metric):
    X = blobs.astype(dtype)
    whole = HDBSCAN(min_cluster_size=20, metric=metric).fit(X)
    found = HDBSCAN(min_cluster_size=20, metric=metric).fit(in_chunks(X))
    for name in ("labels_", "probabilities_", "outlier_scores_", "core_distances_"):
        values = getattr(found, name)
        assert values.chunks[0] == in_chunks(X).chunks[0]
        np.testing.assert_array_equal(values.compute(), getattr(whole, name))
    np.testing.assert_array_equal(found.single_linkage_tree_, whole.single_linkage_tree_)


def test_predict_on_the_rows_of_the_fit_gives_their_labels(crew, blobs):
    found = HDBSCAN(min_cluster_size=20).fit(in_chunks(blobs))
    labels = found.labels_.compute()
    np.testing.assert_array_equal(found.predict(blobs), labels)
    np.testing.assert_array_equal(found.predict(in_chunks(blobs, 450)).compute(), labels)
    again = found.fit(blobs[:500])
    np.testing.assert_array_equal(again.predict(blobs[:500]), again.labels_)


def test_a_fit_on_a_sample_predicts_for_blocks(crew, blobs):
    found = HDBSCAN(min_cluster_size=20).fit(blobs[::2])
    np.testing.assert_array_equal(found.predict(in_chunks(blobs)).compute(), found.predict(blobs))


def test_more_rows_than_memory_holds_are_refused(crew, blobs, monkeypatch):
    monkeypatch.setattr(_hdbscan_blocks, "free_bytes", lambda: 1e5)
    with pytest.raises(ResourceError, match="sample of the rows"):
        HDBSCAN().fit(in_chunks(blobs))


def test_distances_in_blocks_are_refused(crew, blobs):
    with pytest.raises(UnsupportedError, match="all distances at once"):
        HDBSCAN(metric="precomputed").fit(in_chunks(blobs[:, :1] @ blobs[:, :1].T))
    with pytest.raises(UnsupportedError, match="membership"):
        HDBSCAN().fit(blobs).membership(in_chunks(blobs))
