"""Scores from the data alone, against scikit-learn, formulas written out, and known answers."""

import numpy as np
import pytest
import sklearn.metrics
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs

from coterie import metrics
from coterie.errors import InputError, UnsupportedError
from coterie.primitives.engine import threads

CENTERS = [
    "davies_bouldin_score",
    "calinski_harabasz_score",
    "wb_score",
    "xie_beni_score",
    "simplified_silhouette_score",
    "generalized_dunn_score",
]
SCORES = [*CENTERS, "silhouette_score", "dunn_score"]


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(300, 4, centers=4, cluster_std=2.0, random_state=3)


@pytest.mark.parametrize("name", ["silhouette_score", "davies_bouldin_score", "calinski_harabasz_score"])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_scores_equal_those_of_scikit_learn(name, offset, blobs, on):
    X, y = blobs
    expected = getattr(sklearn.metrics, name)(X, y)
    assert getattr(metrics, name)(on(X + offset), y) == pytest.approx(expected, rel=1e-10 if offset == 0 else 1e-7)


@pytest.mark.parametrize("seed", range(200))
def test_scores_equal_those_of_scikit_learn_on_random_rows(seed):
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(4, 60), rng.integers(1, 20), rng.integers(2, 8)
    X, y = rng.normal(size=(n, d)), rng.integers(0, min(k, n // 2), n)
    y[:2] = 0, 1
    # scikit-learn's Davies-Bouldin finds a row alone 1e-8 away from its own center.
    for name, tolerance in (
        ("silhouette_score", 1e-10),
        ("calinski_harabasz_score", 1e-10),
        ("davies_bouldin_score", 1e-7),
    ):
        expected = getattr(sklearn.metrics, name)(X, y)
        assert getattr(metrics, name)(X, y) == pytest.approx(expected, rel=tolerance, abs=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
def test_silhouettes_of_rows_equal_those_of_scikit_learn(dtype, tolerance, blobs, on):
    X, y = blobs[0].astype(dtype), blobs[1] * 3 - 7
    expected = sklearn.metrics.silhouette_samples(X.astype(np.float64), y)
    found = metrics.silhouette_samples(on(X), y)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    assert found.dtype == np.float64


@pytest.mark.parametrize("name", ["fcps/hepta", "wut/mk4", "uci/ecoli", "uci/sonar"])
def test_scores_of_real_sets_equal_those_of_scikit_learn(name, shared_data):
    folder = shared_data / "clustering"
    X, y = np.loadtxt(folder / f"{name}.data.gz"), np.loadtxt(folder / f"{name}.labels0.gz", dtype=int)
    for score in ("silhouette_score", "davies_bouldin_score", "calinski_harabasz_score"):
        assert getattr(metrics, score)(X, y) == pytest.approx(getattr(sklearn.metrics, score)(X, y), rel=1e-10)


def by_formula(X, y):
    """Return the other scores, written out."""
    names = np.unique(y)
    parts = [X[y == c] for c in names]
    centers = np.stack([part.mean(axis=0) for part in parts])
    within = sum(((part - center) ** 2).sum() for part, center in zip(parts, centers, strict=True))
    between = sum(
        len(part) * ((center - X.mean(axis=0)) ** 2).sum() for part, center in zip(parts, centers, strict=True)
    )
    pairs = [(a, b) for a in range(len(names)) for b in range(a)]
    apart = min(cdist(parts[a], parts[b]).min() for a, b in pairs)
    mean_apart = min(
        (cdist(parts[a], centers[b : b + 1]).sum() + cdist(parts[b], centers[a : a + 1]).sum())
        / (len(parts[a]) + len(parts[b]))
        for a, b in pairs
    )
    mean_wide = max(2 * cdist(part, center[None]).mean() for part, center in zip(parts, centers, strict=True))
    return {
        "wb_score": len(names) * within / between,
        "xie_beni_score": within / len(X) / min(((centers[a] - centers[b]) ** 2).sum() for a, b in pairs),
        "dunn_score": apart / max(cdist(part, part).max() for part in parts),
        "generalized_dunn_score": mean_apart / mean_wide,
        "simplified_silhouette_score": np.mean(
            [simplified(x, own, names, centers) for x, own in zip(X, y, strict=True)]
        ),
    }


def simplified(x, own, names, centers):
    """Return the silhouette of a row by the centers."""
    gaps = cdist(x[None], centers)[0]
    a, b = gaps[names == own][0], gaps[names != own].min()
    return (b - a) / max(a, b)


def test_a_row_alone_has_no_simplified_silhouette(on):
    X = np.array([[0.0], [1.0], [10.0]])
    assert metrics.simplified_silhouette_score(on(X), [0, 0, 1]) == pytest.approx((9.5 / 10 + 8.5 / 9) / 3)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "name", ["wb_score", "xie_beni_score", "dunn_score", "generalized_dunn_score", "simplified_silhouette_score"]
)
def test_scores_equal_their_formulas(name, seed, on):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 80)
    X = rng.normal(size=(80, 2)) + 4 * rng.normal(size=(3, 2))[y]
    assert getattr(metrics, name)(on(X), y) == pytest.approx(by_formula(X, y)[name], rel=1e-10)


@pytest.mark.parametrize("name", SCORES)
def test_noise_takes_no_part(name, blobs, on):
    X, y = blobs
    noisy = np.where(np.arange(len(y)) % 7 == 0, -1, y)
    kept = noisy >= 0
    score = getattr(metrics, name)
    assert score(on(X), noisy) == pytest.approx(score(X[kept], y[kept]), rel=1e-12)


def test_noise_has_silhouette_zero(blobs):
    X, y = blobs
    noisy = np.where(np.arange(len(y)) % 7 == 0, -1, y)
    values = metrics.silhouette_samples(X, noisy)
    assert (values[noisy == -1] == 0).all()
    assert (values[noisy >= 0] != 0).all()


def test_silhouettes_of_some_rows_are_those_of_all(blobs, on):
    X, y = blobs
    noisy = np.where(np.arange(len(y)) % 7 == 0, -1, y)
    rows = np.array([299, 0, 1, 7, 150])
    found = metrics.silhouette_samples(on(X), noisy, rows=rows)
    np.testing.assert_allclose(found, metrics.silhouette_samples(X, noisy)[rows], atol=1e-14)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("unit", [1e-300, 1e300, 2.0**-200])
def test_scores_do_not_depend_on_the_unit(name, unit, blobs):
    X, y = blobs
    score = getattr(metrics, name)
    assert score(X / np.abs(X).max() * unit, y) == pytest.approx(score(X, y), rel=1e-9)


@pytest.mark.parametrize("name", SCORES)
def test_frames_tensors_integers_and_named_labels_give_the_same_score(name, blobs):
    pandas, polars, torch = (pytest.importorskip(package) for package in ("pandas", "polars", "torch"))
    X, y = np.round(blobs[0] * 10), blobs[1]
    score = getattr(metrics, name)
    expected = score(X, y)
    assert score(pandas.DataFrame(X), pandas.Series(y)) == expected
    assert score(polars.DataFrame(X), polars.Series(y)) == expected
    assert score(X.astype(int).tolist(), np.array(list("abcd"))[y]) == expected
    assert score(torch.from_numpy(X), torch.from_numpy(y)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_threads_do_not_change_a_bit(name):
    X, y = make_blobs(5000, 3, centers=3, random_state=0)
    found = []
    for n in (1, 2, 4):
        with threads(n):
            found.append(getattr(metrics, name)(X.astype(np.float32), y))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("name", [*SCORES, "dbcv_score"])
@pytest.mark.parametrize("labels", [[0] * 6, [-1] * 6, [0, 1, 2, 3, 4, 5]])
def test_one_cluster_or_only_single_rows_are_refused(name, labels):
    with pytest.raises(InputError, match="at least 2 clusters"):
        getattr(metrics, name)(np.arange(12.0).reshape(6, 2), labels)


@pytest.mark.parametrize("name", [*SCORES, "dbcv_score"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("row", [1, 4], ids=["row of a cluster", "row of noise"])
def test_values_that_are_not_finite_are_refused(name, value, row, on):
    X = np.arange(12.0).reshape(6, 2)
    X[row, 1] = value
    with pytest.raises(InputError, match=r"NaN or infinity|contains (nan|inf) at row"):
        getattr(metrics, name)(on(X), [0, 0, 1, 1, -1, 1])


@pytest.mark.parametrize(
    ("X", "labels", "message"),
    [
        (np.zeros(5), [0, 0, 1, 1, 1], "2-D"),
        (np.zeros((5, 2)), [0, 1], "one label a row"),
        (np.zeros((2, 2)), [[0, 1]], "1-D"),
        ([["a", 1], ["b", 2]], [0, 1], "numbers only"),
        (np.zeros((2, 2), "M8[D]"), [0, 1], "real numbers"),
        (np.zeros((0, 2)), [], "at least one row"),
    ],
)
def test_wrong_shapes_and_words_are_refused_in_one_sentence(X, labels, message):
    with pytest.raises(InputError, match=message):
        metrics.silhouette_score(X, labels)


def test_sparse_rows_are_refused_with_an_alternative():
    import scipy.sparse

    with pytest.raises(UnsupportedError, match="TruncatedSVD"):
        metrics.silhouette_score(scipy.sparse.eye(5).tocsr(), [0, 0, 1, 1, 1])


def test_sampled_silhouette_lies_within_two_standard_errors_in_most_samples():
    X, y = make_blobs(3000, 4, centers=4, cluster_std=3.0, random_state=3)
    exact = metrics.silhouette_score(X, y)
    estimates = [metrics.silhouette_estimate(X, y, sample_size=300, random_state=seed) for seed in range(60)]
    far = sum(abs(estimate.value - exact) > 2 * estimate.standard_error for estimate in estimates)
    assert far <= 8  # 3 expected; more than 8 of 60 happen once in 300 such tests
    errors = [estimate.standard_error for estimate in estimates]
    assert np.std([estimate.value for estimate in estimates]) == pytest.approx(np.mean(errors), rel=0.3)


def test_a_sample_of_all_rows_is_exact(blobs, on):
    X, y = blobs
    value, error = metrics.silhouette_estimate(on(X), y, sample_size=300)
    assert (value, error) == (pytest.approx(metrics.silhouette_score(X, y), rel=1e-12), 0.0)


def test_sampled_silhouette_score_is_the_estimate(blobs):
    X, y = blobs
    assert metrics.silhouette_score(X, y, sample_size=150) == metrics.silhouette_estimate(X, y, sample_size=150).value


def test_a_sample_of_one_row_is_refused(blobs):
    with pytest.raises(InputError, match="at least 2"):
        metrics.silhouette_estimate(*blobs, sample_size=1)


def test_clusters_of_equal_rows_have_no_spread_whatever_the_rounding():
    X, y = np.repeat([[0.1, 1e6 / 3], [0.7, 1e6 / 7]], 50, axis=0), np.repeat([0, 1], 50)
    assert metrics.calinski_harabasz_score(X, y) == 1.0
    assert metrics.silhouette_score(X, y) == 1.0
    assert metrics.dunn_score(X, y) == np.inf
    assert metrics.davies_bouldin_score(X, y) == pytest.approx(0.0, abs=1e-12)


def test_equal_centers_make_wb_and_xie_beni_infinite():
    X, y = [[-1.0], [1.0], [-2.0], [2.0]], [0, 0, 1, 1]
    assert metrics.wb_score(X, y) == np.inf
    assert metrics.xie_beni_score(X, y) == np.inf


def test_silhouettes_are_an_array_for_tensors_too(blobs, on):
    X, y = blobs
    assert isinstance(metrics.silhouette_samples(on(X), y), np.ndarray)
