"""Mini-batch K-means against a plain loop, K-means, scikit-learn, and its promise that chunks do not matter."""

import warnings

import numpy as np
import pytest
import scipy.sparse
from sklearn.cluster import MiniBatchKMeans as SklearnMiniBatchKMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits

from coterie import KMeans, MiniBatchKMeans
from coterie.arrays import to_numpy
from coterie.primitives.engine import threads
from coterie.stream import _minibatch_state as stream
from coterie.stream._minibatch_passes import sweep

X, TRUTH = make_blobs(5000, 5, centers=8, cluster_std=1.5, random_state=4)
SETTINGS = stream.Settings(8, 64, 192, "k-means++", "auto", 0.01, 7)


def chunks(rows, size):
    return [rows[start : start + size] for start in range(0, rows.shape[0], size)]


# ---- the steps


def test_centers_are_the_means_of_all_rows_they_were_ever_given():
    state = stream.start(X[:192], SETTINGS, np.ones(192))
    centers, mass = state.centers.copy(), state.mass.copy()
    for start in range(192, 1000, 64):
        state, _ = stream.step(state, X, np.arange(start, start + 64), SETTINGS, None)
        batch = (X[start : start + 64] - state.shift) / state.scale
        labels = ((batch[:, None] - centers) ** 2).sum(2).argmin(1)
        mass += np.bincount(labels, minlength=8)
        for c in range(8):
            mine = batch[labels == c]
            centers[c] += (mine - centers[c]).sum(0) / mass[c]
    np.testing.assert_allclose(state.centers, centers, rtol=1e-9, atol=1e-12)
    assert state.mass.tolist() == mass.tolist()


@pytest.mark.parametrize(("n", "batch_size"), [(10, 3), (1000, 100), (1001, 100), (7, 50), (64, 1)])
def test_a_pass_takes_every_row_once(n, batch_size):
    batches = list(sweep(n, batch_size, 0, 0))
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert max(map(len, batches)) <= batch_size
    assert min(map(len, batches)) >= max(map(len, batches)) - 1


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_batch_gives_the_same_bits_however_many_are_gone_through_in_one_call(weighted, sparse):
    rows = scipy.sparse.csr_array(np.where(abs(X) > 3, X, 0.0)) if sparse else X
    settings = SETTINGS._replace(reassignment_ratio=0.5)  # some centers move to other rows on the way
    state = stream.start(rows[:192], settings, np.ones(192))
    batches = list(sweep(5000, 64, 0, 0))
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 5000) if weighted else None
    together, inertias = stream.steps(
        state, rows, batches, settings, None if weights is None else weights[np.concatenate(batches)]
    )
    for batch, inertia in zip(batches, inertias, strict=True):
        state, alone = stream.step(state, rows, batch, settings, None if weights is None else weights[batch])
        assert alone == inertia
    np.testing.assert_array_equal(together.centers, state.centers)
    np.testing.assert_array_equal(together.mass, state.mass)
    assert together.n_steps == state.n_steps == len(batches)


@pytest.mark.parametrize("patience", [0, 1, 4, 10])
def test_fit_stops_after_the_batch_that_makes_patience_run_out(patience):
    model = MiniBatchKMeans(8, batch_size=64, random_state=3, max_no_improvement=patience).fit(X)
    settings = model._settings()
    batches = (rows for epoch in range(100) for rows in sweep(5000, 64, model._seed, epoch))
    first = np.concatenate([next(batches) for _ in range(-(-settings.init_size // 63))])  # batches of 63 and 64 rows
    state = stream.start(X[first], settings, np.ones(len(first)))
    share, smoothed, least, since = 2 * 64 / 5001, None, np.inf, 0
    for rows in batches:
        state, inertia = stream.step(state, X, rows, settings, None)
        inertia /= len(rows)
        smoothed = inertia if smoothed is None else smoothed * (1 - share) + inertia * share
        since, least = (0 if smoothed < least else since + 1), min(least, smoothed)
        if since >= patience:
            break
    assert model.n_steps_ == state.n_steps
    np.testing.assert_array_equal(model._committed, state.centers)


def test_batches_are_small_images_of_sorted_data():
    batches = list(sweep(10_000, 500, 3, 0))
    assert all(abs(batch.mean() - 5000) < 50 for batch in batches)


def test_a_center_that_holds_almost_nothing_moves():
    init = np.r_[X[:7], [[500.0] * 5]]
    model = MiniBatchKMeans(8, init=init, batch_size=256, random_state=0).fit(X)
    assert np.bincount(model.labels_, minlength=8).min() > 0


# ---- chunks


@pytest.mark.parametrize("size", [1, 7, 64, 100, 999, 5000])
@pytest.mark.parametrize("weighted", [False, True])
def test_chunks_do_not_matter(size, weighted):
    rows = X[:700] if size < 7 else X
    weights = np.random.default_rng(1).integers(1, 4, len(rows)).astype(float) if weighted else np.ones(len(rows))
    whole = MiniBatchKMeans(8, batch_size=64, random_state=3).partial_fit(rows, sample_weight=weights)
    pieces = MiniBatchKMeans(8, batch_size=64, random_state=3)
    for part, w in zip(chunks(rows, size), chunks(weights, size), strict=True):
        pieces.partial_fit(part, sample_weight=w)
    np.testing.assert_array_equal(pieces.cluster_centers_, whole.cluster_centers_)
    np.testing.assert_array_equal(pieces.predict(X), whole.predict(X))
    assert pieces.n_steps_ == whole.n_steps_


@pytest.mark.parametrize("kind", ["float32", "sparse", "tensor"])
def test_chunks_of_any_kind_do_not_matter(kind):
    rows = X.astype(np.float32)
    if kind == "sparse":
        rows = scipy.sparse.csr_array(np.where(abs(X) > 4, X, 0))
    elif kind == "tensor":
        rows = pytest.importorskip("torch", reason="the second engine is PyTorch's").from_numpy(rows)
    whole = MiniBatchKMeans(8, batch_size=64, random_state=3).partial_fit(rows)
    pieces = MiniBatchKMeans(8, batch_size=64, random_state=3)
    for part in chunks(rows, 333):
        pieces.partial_fit(part)
    np.testing.assert_array_equal(to_numpy(pieces.cluster_centers_), to_numpy(whole.cluster_centers_))


def test_fit_is_partial_fit_on_the_rows_in_the_order_of_its_batches():
    rows = X[:4096]
    fitted = MiniBatchKMeans(8, batch_size=64, random_state=3, max_iter=1, max_no_improvement=None).fit(rows)
    order = np.concatenate(list(sweep(4096, 64, fitted._seed, 0)))
    streamed = MiniBatchKMeans(8, batch_size=64, random_state=3).partial_fit(rows[order])
    np.testing.assert_array_equal(streamed.cluster_centers_, fitted.cluster_centers_)
    assert fitted.n_iter_ == 1
    assert fitted.n_steps_ == 64 - 3


def test_a_stream_goes_on_after_fit():
    model = MiniBatchKMeans(8, batch_size=64, random_state=3).fit(X[:3000])
    steps = model.n_steps_
    model.partial_fit(X[3000:])
    assert model.n_steps_ == steps + 2000 // 64
    assert len(model.labels_) == 2000


def test_states_of_two_streams_merge():
    one, other = stream.partial(X[:2500], SETTINGS), stream.partial(X[2500:], SETTINGS)
    merged = stream.finalize(stream.merge(one, other, SETTINGS), SETTINGS)
    assert merged.mass.sum() == 5000
    whole = stream.finalize(stream.partial(X, SETTINGS), SETTINGS)
    assert inertia(merged) < 1.05 * inertia(whole)


@pytest.mark.parametrize("sizes", [(100, 4000), (4000, 100), (50, 60)])
def test_a_short_stream_merges_by_its_rows(sizes):
    first, second = X[: sizes[0]], X[sizes[0] : sum(sizes)]
    merged = stream.merge(stream.partial(first, SETTINGS), stream.partial(second, SETTINGS), SETTINGS)
    assert stream.finalize(merged, SETTINGS).mass.sum() == sum(sizes)


def inertia(state):
    rows = (X - state.shift) / state.scale
    return ((rows[:, None] - state.centers) ** 2).sum(2).min(1).sum() * state.scale**2


def test_before_k_rows_have_come_there_is_no_answer():
    model = MiniBatchKMeans(8, random_state=0).partial_fit(X[:5])
    with pytest.raises(NotFittedError, match="fewer than n_clusters=8 rows"):
        model.predict(X)
    assert len(model.partial_fit(X[5:10]).predict(X)) == 5000


# ---- how good


@pytest.mark.parametrize("seed", range(5))
def test_inertia_is_close_to_that_of_k_means_from_the_same_start(seed):
    rows = np.random.default_rng(seed).standard_normal((20_000, 4))
    init = rows[:10]
    ours = MiniBatchKMeans(10, init=init, batch_size=500, random_state=seed).fit(rows).inertia_
    assert ours < 1.02 * KMeans(10, init=init, n_init=1).fit(rows).inertia_


def test_inertia_is_no_worse_than_that_of_scikit_learn():
    rows = np.random.default_rng(0).standard_normal((8000, 4))
    with threadpool_limits(1):  # its threads wait for each other on a busy machine
        ours, theirs = (
            np.mean([model(12, batch_size=500, random_state=s, n_init=1).fit(rows).inertia_ for s in range(3)])
            for model in (MiniBatchKMeans, SklearnMiniBatchKMeans)
        )
    assert ours <= 1.005 * theirs


def test_few_rows_are_clustered_by_k_means_itself():
    ours = MiniBatchKMeans(8, init=X[:8], random_state=0).fit(X[:2000])
    reference = KMeans(8, init=X[:8], n_init=1, max_iter=30).fit(X[:2000])
    np.testing.assert_allclose(ours.cluster_centers_, reference.cluster_centers_, rtol=1e-12)


# ---- fit


def test_a_memory_mapped_file_is_read_in_batches(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, X)
    mapped = np.load(path, mmap_mode="r")
    model = MiniBatchKMeans(8, batch_size=256, random_state=0).fit(mapped)
    reference = MiniBatchKMeans(8, batch_size=256, random_state=0).fit(X)
    np.testing.assert_array_equal(model.cluster_centers_, reference.cluster_centers_)
    np.testing.assert_array_equal(model.labels_, reference.labels_)


@pytest.mark.parametrize("n_threads", [2, 4])
def test_batches_of_several_blocks_give_the_same_bits_on_any_number_of_threads(n_threads):
    rows = np.repeat(X, 4, axis=0).astype(np.float32)
    with threads(1):
        reference = MiniBatchKMeans(8, batch_size=6000, random_state=0).fit(rows)
    with threads(n_threads):
        model = MiniBatchKMeans(8, batch_size=6000, random_state=0).fit(rows)
    assert model.cluster_centers_.tobytes() == reference.cluster_centers_.tobytes()


@pytest.mark.parametrize(("offset", "scale"), [(1e7, 1.0), (0.0, 1e150), (0.0, 1e-150), (-1e12, 1e3)])
def test_offset_and_scale_do_not_matter(offset, scale):
    rows = X.round(3)
    reference = MiniBatchKMeans(8, batch_size=256, random_state=0).fit(rows)
    moved = MiniBatchKMeans(8, batch_size=256, random_state=0).fit(rows * scale + offset)
    assert (moved.labels_ == reference.labels_).mean() > 0.99


def test_tol_ends_sooner_and_no_labels_are_made_where_none_are_wanted():
    def make(**given):
        return MiniBatchKMeans(8, batch_size=64, random_state=0, max_no_improvement=None, max_iter=3, **given).fit(X)

    assert make(tol=0.1).n_steps_ < make().n_steps_
    assert not hasattr(make(compute_labels=False), "labels_")


def test_score_and_transform_are_those_of_the_centers():
    model = MiniBatchKMeans(8, batch_size=256, random_state=0).fit(X)
    distances = np.sqrt(((X[:, None] - model.cluster_centers_) ** 2).sum(2))
    np.testing.assert_allclose(model.transform(X), distances, rtol=1e-9)
    assert -model.score(X) == pytest.approx(model.inertia_) == pytest.approx((distances.min(1) ** 2).sum())


@pytest.mark.parametrize("bad", [{"sample_weight": -np.ones(5000)}, {"sample_weight": np.zeros(5000)}])
def test_weights_that_are_no_weights_are_refused(bad):
    with pytest.raises(ValueError, match="sample_weight"):
        MiniBatchKMeans(3).fit(X, **bad)


def test_a_saved_stream_goes_on_as_if_nothing_had_been(tmp_path):
    import coterie

    model = MiniBatchKMeans(8, batch_size=64, random_state=3).partial_fit(X[:1000])
    again = coterie.load(coterie.save(model, tmp_path / "stream.coterie")).estimator
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again.partial_fit(X[1000:])
    np.testing.assert_array_equal(again.cluster_centers_, model.partial_fit(X[1000:]).cluster_centers_)
