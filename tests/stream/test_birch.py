"""BIRCH against Ward on all rows, scikit-learn, and its promises: chunks, places and memory do not matter."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.cluster import Birch as SklearnBirch
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

import coterie
from common.cases import same_partition
from coterie import HDBSCAN, AgglomerativeClustering, Birch, KMeans
from coterie.arrays import to_numpy
from coterie.stream import birch as stream

X, TRUTH = make_blobs(3000, 3, centers=8, cluster_std=0.6, random_state=4)
TREE = {"threshold": 0.5, "branching_factor": 10, "max_subclusters": 10_000}


def chunks(rows, size):
    return [rows[start : start + size] for start in range(0, rows.shape[0], size)]


# ---- chunks


@pytest.mark.parametrize("size", [1, 7, 100, 999, 3000])
@pytest.mark.parametrize("max_subclusters", [10_000, 150])
def test_chunks_do_not_matter(size, max_subclusters):
    whole = Birch(n_clusters=8, threshold=0.2, max_subclusters=max_subclusters).fit(X)
    pieces = Birch(n_clusters=8, threshold=0.2, max_subclusters=max_subclusters)
    for part in chunks(X, size):
        pieces.partial_fit(part)
    for name in ("subcluster_centers_", "subcluster_labels_", "subcluster_weights_", "subcluster_radii_", "threshold_"):
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))
    np.testing.assert_array_equal(pieces.predict(X), whole.labels_)


@pytest.mark.parametrize("kind", ["float32", "sparse", "tensor"])
def test_chunks_of_any_kind_do_not_matter(kind):
    rows = X.astype(np.float32)
    if kind == "sparse":
        rows = scipy.sparse.csr_array(np.where(abs(X) > 2, X, 0))
    elif kind == "tensor":
        rows = pytest.importorskip("torch", reason="the second engine is PyTorch's").from_numpy(rows)
    whole = Birch(n_clusters=8).fit(rows)
    pieces = Birch(n_clusters=8)
    for part in chunks(rows, 333):
        pieces.partial_fit(part)
    np.testing.assert_array_equal(to_numpy(pieces.subcluster_centers_), to_numpy(whole.subcluster_centers_))
    np.testing.assert_array_equal(to_numpy(pieces.predict(rows)), to_numpy(whole.labels_))


def test_states_of_two_streams_merge_exactly_in_their_sums():
    merged = stream.finalize(stream.merge(stream.partial(X[:1000], **TREE), stream.partial(X[1000:], **TREE)))
    assert merged.weights.sum() == 3000
    np.testing.assert_allclose(merged.weights @ merged.centers / 3000, X.mean(0), rtol=1e-9)
    within = merged.weights @ merged.radii**2 + merged.weights @ ((merged.centers - X.mean(0)) ** 2).sum(1)
    assert within == pytest.approx(((X - X.mean(0)) ** 2).sum(), rel=1e-9)


def test_a_stream_goes_on_after_fit_and_forgets_its_results():
    model = Birch(n_clusters=8).fit(X[:1500])
    model.partial_fit(X[1500:])
    assert not hasattr(model, "labels_")
    assert model.subcluster_weights_.sum() == 3000
    np.testing.assert_array_equal(model.subcluster_centers_, Birch(n_clusters=8).fit(X).subcluster_centers_)


def test_partial_fit_without_rows_only_finishes():
    model = Birch(n_clusters=8).partial_fit(X)
    np.testing.assert_array_equal(model.partial_fit().predict(X), Birch(n_clusters=8).fit(X).labels_)
    with pytest.raises(ValueError, match="give rows"):
        Birch().partial_fit()


def test_a_saved_stream_goes_on_with_its_groups(tmp_path):
    model = Birch(n_clusters=8).partial_fit(X[:1500])
    again = coterie.load(coterie.save(model, tmp_path / "stream.coterie")).estimator
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.partial_fit(X[1500:])
    assert again.subcluster_weights_.sum() == 3000
    assert adjusted_rand_score(again.predict(X), model.partial_fit(X[1500:]).predict(X)) > 0.99


# ---- places and units


@pytest.mark.parametrize("offset", [2.0**20, -(2.0**30), 2.0**36])
def test_moving_the_data_by_what_floats_can_hold_changes_no_bit(offset):
    rows = np.round(X * 2**12) / 2**12
    reference, moved = (Birch(n_clusters=8, threshold=0.3).fit(rows + shift) for shift in (0.0, offset))
    np.testing.assert_array_equal(moved.subcluster_weights_, reference.subcluster_weights_)
    np.testing.assert_array_equal(moved.subcluster_radii_, reference.subcluster_radii_)
    assert same_partition(moved.labels_, reference.labels_)


@pytest.mark.parametrize("scale", [2.0**-400, 2.0**-1000, 2.0**100, 2.0**400, 2.0**1000])
def test_the_unit_does_not_matter(scale):
    reference, scaled = (Birch(n_clusters=8, threshold=0.3 * s).fit(X * s) for s in (1.0, scale))
    np.testing.assert_array_equal(scaled.subcluster_weights_, reference.subcluster_weights_)
    np.testing.assert_array_equal(scaled.labels_, reference.labels_)


# ---- how good


@pytest.mark.parametrize("seed", range(4))
def test_clusters_are_at_least_as_good_as_those_of_scikit_learn(seed):
    rows, truth = make_blobs(2000, 2, centers=12, cluster_std=0.5, random_state=seed)
    ours, theirs = (model(n_clusters=12, threshold=0.3).fit(rows).labels_ for model in (Birch, SklearnBirch))
    assert adjusted_rand_score(truth, ours) >= adjusted_rand_score(truth, theirs) - 0.02


@pytest.mark.parametrize("name", ["sipu/a1", "sipu/s1", "sipu/d31"])
def test_real_sets_are_clustered_as_by_ward_on_all_rows(shared_data, name):
    rows = np.loadtxt(shared_data / "clustering" / f"{name}.data.gz")
    truth = np.loadtxt(shared_data / "clustering" / f"{name}.labels0.gz", dtype=int)
    rows = (rows - rows.mean(0)) / rows.std(0)
    ours = Birch(n_clusters=truth.max(), threshold=0.05).fit(rows).labels_
    ward = AgglomerativeClustering(n_clusters=int(truth.max())).fit(rows).labels_
    assert adjusted_rand_score(truth, ours) > adjusted_rand_score(truth, ward) - 0.03


def test_with_a_tiny_threshold_it_is_ward_on_the_rows():
    rows = X[:400]
    ours = Birch(n_clusters=5, threshold=1e-9).fit(rows)
    assert len(ours.subcluster_centers_) == 400
    assert same_partition(ours.labels_, AgglomerativeClustering(n_clusters=5).fit(rows).labels_)


@pytest.mark.parametrize("clusterer", [KMeans(8, random_state=0), HDBSCAN(min_cluster_size=5)])
def test_another_clusterer_takes_the_subclusters(clusterer):
    model = Birch(n_clusters=clusterer, threshold=0.2).fit(X)
    assert len(model.subcluster_labels_) == len(model.subcluster_centers_)
    assert adjusted_rand_score(TRUTH, model.labels_) > 0.8


def test_without_a_last_step_every_subcluster_is_a_cluster():
    model = Birch(n_clusters=None, threshold=1.0).fit(X)
    assert model.subcluster_labels_.tolist() == list(range(len(model.subcluster_centers_)))
    distances = np.sqrt(((X[:, None] - model.subcluster_centers_) ** 2).sum(2))
    np.testing.assert_array_equal(model.labels_, distances.argmin(1))
    np.testing.assert_allclose(model.transform(X), distances, rtol=1e-9)


def test_fewer_subclusters_than_clusters_are_said_so():
    with pytest.warns(ConvergenceWarning, match=r"subclusters for n_clusters=50.*threshold"):
        model = Birch(n_clusters=50, threshold=100.0).fit(X)
    assert set(model.labels_) == {0}


def test_a_memory_mapped_file_is_read_block_by_block(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    np.testing.assert_array_equal(Birch(n_clusters=8).fit(mapped).labels_, Birch(n_clusters=8).fit(X).labels_)


def test_labels_are_left_out_where_none_are_wanted():
    model = Birch(n_clusters=8, compute_labels=False).fit(X)
    assert not hasattr(model, "labels_")
    assert len(model.predict(X)) == 3000


def test_a_tree_that_cannot_fit_is_refused_before_it_is_begun():
    with pytest.raises(MemoryError, match=r"GB are free.*max_subclusters"):
        Birch(max_subclusters=10**13).fit(X)


@pytest.mark.parametrize(
    "bad", [{"threshold": 0.0}, {"branching_factor": 1}, {"max_subclusters": 1}, {"n_clusters": 0}]
)
def test_parameters_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Birch(**bad).fit(X)
