"""WaveCluster: the subband against PyWavelets, clusters against SciPy's labels, levels, rims and chunks."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score

import coterie
from coterie import WaveCluster
from coterie.errors import InputError, ResourceError
from coterie.grid._wavelets import WAVELETS
from coterie.primitives.components import number_sets
from coterie.primitives.engine import threads

every_wavelet = pytest.mark.parametrize("wavelet", sorted(WAVELETS))
STATE = ("labels_", "box_", "_coords", "_counts", "_first", "_cells", "_cell_labels")


def data(seed=0, n=400, d=2):
    random = np.random.default_rng(seed)
    centers = random.uniform(-5, 5, (3, d))
    X = centers[random.integers(3, size=n)] + random.normal(0, 0.6, (n, d))
    X[::9] = random.uniform(-7, 7, X[::9].shape)
    return X


def counts_of(X, model):
    """Counts of all cells, and the cell of each row, by their definition."""
    low, high = model.box_
    share = (X - low) / np.where(high > low, high - low, 1)
    places = np.minimum((share * model.n_cells_).astype(int), model.n_cells_ - 1)
    counts = np.zeros(model.n_cells_)
    np.add.at(counts, tuple(places.T), 1)
    return counts, places


# ---- the transform


@every_wavelet
@pytest.mark.parametrize("shape", [(64,), (32, 64), (32, 32, 32)])
def test_the_subband_is_that_of_pywavelets(wavelet, shape):
    pywt = pytest.importorskip("pywt", reason="PyWavelets is the oracle of the filters")
    d = len(shape)
    random = np.random.default_rng(d)
    # Rows in the middle only: the other library wraps around the edges.
    X = np.concatenate([[[0.0] * d, [1.0] * d], random.uniform(0.4, 0.6, (500, d))])
    model = WaveCluster(list(shape), wavelet=wavelet, threshold=0.1).fit(X)
    counts, _ = counts_of(X, model)
    expected = pywt.dwtn(counts, wavelet, "periodization")["a" * d] / np.sqrt(2) ** d
    inner = (slice(6, -6),) * d
    # Filters of even length begin one coefficient later there.
    moved = [np.roll(expected, (step,) * d, tuple(range(d))) for step in (0, 1, -1)]
    assert min(np.abs(model.subband_[inner] - other[inner]).max() for other in moved) < 1e-9


def test_an_impulse_stays_where_it_is():
    X = np.concatenate([[[0.0], [32.0]], np.full((8, 1), 8.5)])
    band = WaveCluster(32, threshold=0.1).fit(X).subband_
    assert band[3:6].tolist() == [-1.0, 6.0, -1.0]  # -1/8, 3/4, -1/8 of eight rows, around 8 >> 1


@every_wavelet
def test_filters_sum_to_one(wavelet):
    taps, first = WAVELETS[wavelet]
    assert sum(taps) == pytest.approx(1.0, abs=1e-15)
    assert first == -(len(taps) - 1) // 2 if len(taps) % 2 else first == 1 - len(taps) // 2


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("level", [1, 2, 3])
def test_haar_at_a_level_is_level_zero_with_wider_cells(seed, level):
    X = data(seed, d=2 + seed % 2)
    share = 0.15
    fine = WaveCluster(16, level, "haar", share).fit(X)
    coarse = WaveCluster(16 >> level, 0, threshold=share).fit(X)
    np.testing.assert_array_equal(fine.labels_, coarse.labels_)
    np.testing.assert_allclose(fine.subband_ * 2 ** (level * X.shape[1]), coarse.subband_, rtol=1e-14)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_with_four_columns_haar_smooths_as_with_a_full_grid(level):
    X = data(d=4)
    model = WaveCluster(8, level, "haar", 0.05).fit(X)
    values, places = counts_of(X, model)
    for _ in range(level):
        values = values.reshape([part for m in values.shape for part in (m // 2, 2)]).mean(axis=(1, 3, 5, 7))
    band = model.subband_
    found = np.zeros(values.shape)
    found[tuple(band.coords.T)] = band.values
    np.testing.assert_allclose(found, values, rtol=1e-14)
    np.testing.assert_array_equal(model.labels_, labels_by_scipy(values, 0.05 * values.max(), places >> level))


# ---- clusters


def labels_by_scipy(band, threshold, places):
    named, _ = ndimage.label(band > threshold, np.ones((3,) * band.ndim))
    return number_sets(named[tuple(places.T)].astype(np.int64) - 1)


@pytest.mark.parametrize("seed", range(200))
def test_clusters_are_components_of_cells_above_the_threshold(seed):
    random = np.random.default_rng(seed)
    d, level = int(random.integers(1, 4)), int(random.integers(0, 3))
    X = data(seed, 300, d)
    wavelet = sorted(WAVELETS)[seed % len(WAVELETS)]
    threshold = float(random.choice([0.05, 0.2, 1.0, 1.5]))
    model = WaveCluster(int(random.integers(6, 24)), level, wavelet, threshold).fit(X)
    _, places = counts_of(X, model)
    tau = threshold if threshold >= 1 else threshold * model.subband_.max()
    assert model.threshold_ == pytest.approx(tau)
    np.testing.assert_array_equal(model.labels_, labels_by_scipy(model.subband_, model.threshold_, places >> level))
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_moons_and_noise_are_told_apart():
    X, truth = make_moons(2000, noise=0.05, random_state=0)
    X = np.concatenate([X, np.random.default_rng(0).uniform(-2, 3, (100, 2))])
    labels = WaveCluster(64, wavelet="haar", threshold=0.1, border="absorb").fit(X).labels_
    assert adjusted_rand_score(truth, labels[:2000]) > 0.98
    assert (labels[2000:] == -1).sum() > 70


def test_a_value_equal_to_the_threshold_is_not_kept():
    X = np.array([[0.5], [0.5], [2.5], [2.5], [2.5], [4.0]])
    assert WaveCluster(4, 0, threshold=2, box=(0, 4)).fit(X).labels_.tolist() == [-1, -1, 0, 0, 0, -1]


def test_cells_of_equal_counts_are_one_cluster():
    X = np.stack(np.meshgrid(np.arange(8.0), np.arange(8.0)), -1).reshape(-1, 2)
    assert set(WaveCluster(8, 0, threshold=0.5).fit(X).labels_) == {0}


def test_rims_are_noise_or_absorbed_by_their_heaviest_neighbour():
    X = np.repeat([0.5, 1.5, 2.5, 3.5, 4.5, 7.5], [5, 1, 1, 1, 9, 1])[:, None]
    plain = WaveCluster(8, 0, threshold=2, box=(0, 8)).fit(X)
    kept = WaveCluster(8, 0, threshold=2, box=(0, 8), border="absorb").fit(X)
    assert plain.labels_.tolist() == [0] * 5 + [-1] * 3 + [1] * 9 + [-1]
    assert kept.labels_.tolist() == [0] * 6 + [-1] + [1] * 10 + [-1]
    np.testing.assert_array_equal(kept.predict(X), kept.labels_)


def test_noise_free_blobs_lose_no_row_where_rims_are_absorbed():
    random = np.random.default_rng(0)
    X = np.concatenate([random.normal(center, 0.3, (300, 2)) for center in ((0, 0), (5, 0), (0, 5))])
    labels = WaveCluster(16, wavelet="haar", threshold=0.03, border="absorb").fit(X).labels_
    assert np.bincount(labels).tolist() == [300, 300, 300]


def test_labels_of_other_levels_need_no_other_fit():
    X = data(3)
    model = WaveCluster(16, 1, "haar", 0.1).fit(X)
    for level in (0, 2, 3):
        np.testing.assert_array_equal(model.predict(X, level=level), WaveCluster(16, level, "haar", 0.1).fit(X).labels_)
    np.testing.assert_array_equal(model.predict(X, level=1), model.labels_)


@pytest.mark.parametrize("name", ["fcps/hepta", "graves/ring_outliers", "wut/circles", "graves/line"])
def test_the_defaults_find_the_groups_of_real_benchmarks(shared_data, name):
    folder = shared_data / "clustering"
    X = np.loadtxt(folder / f"{name}.data.gz", ndmin=2)
    truth = np.loadtxt(folder / f"{name}.labels0.gz")
    kept = truth > 0
    assert adjusted_rand_score(truth[kept], WaveCluster().fit(X).labels_[kept]) > 0.95


def test_many_groups_are_found_though_each_is_less_than_a_fiftieth_of_the_rows():
    random = np.random.default_rng(0)
    truth = random.integers(81, size=30_000)
    X = 10.0 * np.stack([truth // 9, truth % 9], axis=1) + random.normal(size=(len(truth), 2))
    labels = WaveCluster().fit(X).labels_
    assert (np.bincount(labels + 1)[1:] > 100).sum() == 81
    assert adjusted_rand_score(truth, labels) > 0.99


# ---- chunks, boxes, refusals


@pytest.mark.parametrize("size", [1, 7, 150, 400])
@pytest.mark.parametrize(
    "parameters",
    [
        {"n_cells": 16, "threshold": 0.1, "box": ([-8, -8], [8, 8])},
        {"n_cells": 16, "box": (-8, 8)},
        {"n_cells": 16, "threshold": 0.1},
        {},
    ],
    ids=["box and cells", "threshold chosen", "no box", "nothing given"],
)
def test_chunks_of_any_size_give_the_bits_of_one_fit(size, parameters):
    X = data()
    if size < 100:
        X = X[: 13 * size]
    whole, parts = WaveCluster(**parameters).fit(X), WaveCluster(**parameters)
    for start in range(0, len(X), size):
        parts.partial_fit(X[start : start + size])
    np.testing.assert_array_equal(parts.predict(X), whole.labels_)
    for name in STATE[1:]:
        assert getattr(parts, name).tobytes() == getattr(whole, name).tobytes(), name
    assert parts.subband_.tobytes() == whole.subband_.tobytes()


@pytest.mark.parametrize("parameters", [{}, {"n_cells": 12, "threshold": 0.2, "border": "absorb"}])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_a_tensor_gives_the_labels_and_the_state_of_its_array(parameters, d):
    torch = pytest.importorskip("torch", reason="the second engine is PyTorch's")
    X = data(d=d)
    model, other = WaveCluster(**parameters).fit(X), WaveCluster(**parameters).fit(torch.from_numpy(X))
    assert isinstance(other.labels_, torch.Tensor)
    np.testing.assert_array_equal(other.labels_.numpy(), model.labels_)
    np.testing.assert_array_equal(other.predict(torch.from_numpy(X), level=2).numpy(), model.predict(X, level=2))
    assert all(getattr(other, name).tobytes() == getattr(model, name).tobytes() for name in STATE[1:])


@pytest.mark.parametrize("n_threads", [2, 4])
def test_the_number_of_threads_changes_no_bit(n_threads):
    X = data(n=90_000)
    with threads(1):
        one = WaveCluster(64).fit(X)
    with threads(n_threads):
        other = WaveCluster(64).fit(X)
    assert all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in STATE)


def test_rows_outside_the_box_are_said_and_noise():
    with pytest.warns(UserWarning, match="1 of 9 rows"):
        labels = WaveCluster(4, 0, threshold=1, box=(0, 1)).fit([*[[0.3]] * 8, [4.0]]).labels_
    assert labels.tolist() == [0] * 8 + [-1]


def test_a_saved_model_answers_at_every_level(tmp_path):
    X = data()
    model = WaveCluster(16, threshold=0.1).fit(X)
    again = coterie.load(coterie.save(model, tmp_path / "wave.coterie")).estimator
    np.testing.assert_array_equal(again.predict(X, level=2), model.predict(X, level=2))
    np.testing.assert_array_equal(again.subband_, model.subband_)


def test_a_grid_that_would_not_fit_is_refused_before_it_is_made():
    with pytest.raises(ResourceError, match=r"GB; lower n_cells"):
        WaveCluster(2000, threshold=0.1).fit(data(d=3))


@pytest.mark.parametrize("level", [-1, 1.5, True, 31])
def test_an_unusable_level_is_refused(level):
    with pytest.raises(InputError, match="level"):
        WaveCluster(8).fit(data()).predict(data(), level=level)


@pytest.mark.parametrize("d", [5, 12])
def test_many_columns_keep_occupied_cells_only(d):
    random = np.random.default_rng(0)
    X = np.concatenate([random.normal(0, 0.4, (100, d)), random.normal(9, 0.4, (100, d))])
    labels = WaveCluster(4, 0, threshold=0).fit(X).labels_
    assert set(labels[:100]).isdisjoint(labels[100:])
    assert adjusted_rand_score(np.repeat([0, 1], 100), labels) > 0.8
