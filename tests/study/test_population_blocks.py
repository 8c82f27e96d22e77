"""Population of Dask arrays: the labels and the report of rows in memory, from counts and means alone."""

import dask.array as da
import numpy as np
import pytest
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.datasets import make_blobs

from coterie import CLARA, DBSCAN, Genie, KMeans, Population
from coterie.errors import InputError, UnsupportedError


@pytest.fixture(scope="module")
def blobs():
    return make_blobs([900, 700, 40, 30, 20, 10], n_features=3, cluster_std=0.5, random_state=1)[0]


def in_chunks(X, rows=250):
    return da.from_array(X, chunks=(rows, X.shape[1]))


def same(found, whole, X):
    assert np.array_equal(found.labels_.compute(), whole.labels_)
    assert np.array_equal(found.predict(in_chunks(X)).compute(), found.predict(X))
    ours, theirs = dict(found.report_), dict(whole.report_)
    prices, expected = ours.pop("objective"), theirs.pop("objective")
    assert ours == theirs
    assert prices["within_before"] == pytest.approx(expected["within_before"], rel=1e-9)
    assert prices["within_after"] == pytest.approx(expected["within_after"], rel=1e-9)


@pytest.mark.parametrize("small", ["merge", "noise", "keep"])
@pytest.mark.filterwarnings("ignore:.*still have fewer")
def test_labels_and_report_are_those_of_rows_in_memory(crew, blobs, small):
    for clusterer in (KMeans(9, init=blobs[::190][:9], tol=0), DBSCAN(eps=0.6, min_samples=5)):
        whole = Population(clusterer, 35, 1700, small=small).fit(blobs)
        found = Population(clusterer, 35, 1700, small=small).fit(in_chunks(blobs))
        same(found, whole, blobs)
        assert np.array_equal(found.predict(blobs), whole.predict(blobs))


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_the_unit_changes_no_label(crew, blobs, unit):
    found, other = (
        Population(KMeans(9, init=X[::190][:9], tol=0), 60).fit(in_chunks(X)) for X in (blobs, blobs * unit)
    )
    assert np.array_equal(other.labels_.compute(), found.labels_.compute())


def test_all_clusters_too_small_leave_noise_and_a_warning(crew, blobs):
    with pytest.warns(UserWarning, match="no cluster of at least 1,600 rows is left"):
        found = Population(KMeans(5, random_state=0), 1600, small="noise").fit(in_chunks(blobs))
    assert (found.labels_.compute() == -1).all()
    assert found.report_["noise_after"] == len(blobs)


def test_other_medoids_have_no_cost(crew, blobs):
    found = Population(CLARA(8, random_state=0), 35).fit(in_chunks(blobs))
    assert found.report_["objective"]["inertia_before"] == found.clusterer_.inertia_
    assert found.report_["objective"]["inertia_after"] is None
    assert np.bincount(found.labels_.compute()).tolist() == found.report_["sizes_after"]


def test_rows_on_the_workers_are_relabelled_there(crew, blobs):
    X = in_chunks(blobs).persist()
    found = Population(KMeans(9, random_state=0), 35).fit(X).fit(X)
    assert np.array_equal(found.labels_.compute(), found.predict(blobs))


def test_what_needs_single_rows_is_refused(blobs):
    pytest.importorskip("distributed")
    X = in_chunks(blobs)
    for options, message in (
        ({"small": "split"}, "take small='merge'"),
        ({"outliers": "nearest"}, "take outliers='keep'"),
    ):
        with pytest.raises(UnsupportedError, match=message):
            Population(KMeans(3), 35, **options).fit(X)
    with pytest.raises(UnsupportedError, match="clusters have more, up to"):
        Population(KMeans(6, init=blobs[[0, 900, 1600, 1640, 1670, 1690]], random_state=0), 5, 300).fit(X)
    for clusterer in (TheirKMeans(3), Genie(3)):
        with pytest.raises(UnsupportedError, match="needs all rows at once, so Population"):
            Population(clusterer).fit(X)
    with pytest.raises(InputError, match="asks for 1701 rows"):
        Population(KMeans(3), 1701).fit(X)
