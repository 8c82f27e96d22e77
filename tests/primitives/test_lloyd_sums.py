"""The sums of Lloyd's steps on the CPU: the same bits whatever the order, the parts, the way of a step and the steps before."""

from fractions import Fraction

import numpy as np
import pytest

from coterie import KMeans
from coterie.primitives._numba import lloyd
from coterie.primitives._numba.lloyd import Bound, lloyd_start, lloyd_step, step_parts, sums_of
from coterie.primitives.assign import nearest_center
from coterie.primitives.conditioning import condition
from coterie.primitives.engine import threads

WAYS, METRICS = ["tile", "bounds", "boxes"], ["euclidean", "cosine"]


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Let states that may skip go one way, whatever the sizes."""
    monkeypatch.setattr(lloyd, "_BOX_FEATURES", 99 if request.param == "boxes" else 0)
    monkeypatch.setattr(lloyd, "_BOX_CENTERS", 0)
    monkeypatch.setattr(lloyd, "_WORTH_BOUNDS", 0 if request.param == "bounds" else 10**9)
    monkeypatch.setattr(lloyd, "_GROUP_WORK", 64)
    monkeypatch.setattr(lloyd, "_PLAIN_STEPS", 1)
    monkeypatch.setattr(lloyd, "_FEW_CHANGED", 0.9)
    return request.param


def problem(seed, dtype):
    """Return rows, weights and centers of many sizes: ties in every third, equal and far centers, half without weights."""
    random = np.random.default_rng(seed)
    n, d, k = int(random.integers(20, 3000)), int(random.integers(1, 41)), int(random.integers(2, 201))
    X = random.normal(size=(n, d)) + 3 * random.integers(0, 4, size=(n, 1))
    X = condition((np.round(X, 1) if seed % 3 == 0 else X).astype(dtype)).rows
    weight = random.exponential(size=n) * (random.random(n) > 0.1) if seed % 2 else None
    centers = X[random.integers(0, n, k)].astype(np.float64)  # some of them equal: the later ones stay empty
    centers[:: max(2, k // 3)] += 5
    return X, weight, centers


def means(step, centers):
    held = step.weights > 0
    return np.where(held[:, None], step.sums / np.where(held, step.weights, 1)[:, None], centers)


def bits(arrays):
    return [array.tobytes() for array in arrays]


def exact_sums(X, labels, k, weight):
    """Add products as rational numbers."""
    rows, weight = X.astype(np.float64), np.ones(len(X)) if weight is None else weight
    totals = [[Fraction(0)] * X.shape[1] for _ in range(k)]
    for row, label, w in zip(rows, labels, weight, strict=True):
        totals[label] = [total + Fraction(float(w * x)) for total, x in zip(totals[label], row, strict=True)]
    return np.array([[float(total) for total in line] for line in totals])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(25))
def test_each_way_gives_the_bits_of_the_step_that_looks_at_all_and_of_a_state_made_anew(way, seed, dtype):
    X, weight, centers = problem(seed, dtype)
    skipping, plain = lloyd_start(X, weight), lloyd_start(X, weight, skip=False)
    bounded = 0
    for number in range(9):
        bounded += skipping.bounds is not None
        step, expected = lloyd_step(skipping, centers), lloyd_step(plain, centers)
        assert bits(step[:3]) == bits(expected[:3])
        assert step.n_changed == expected.n_changed
        if number in (2, 6):
            for skip in (False, True):
                anew = lloyd_step(lloyd_start(X, weight, skip), centers)
                assert bits(anew[:3]) == bits(step[:3])
        assert bits(step_parts(skipping)) == bits(step_parts(plain))
        centers = means(step, centers)
    assert (skipping.boxes is not None) == (way == "boxes")
    assert bounded > 0 or way != "bounds"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(100, 125))
def test_the_order_of_the_rows_does_not_matter(way, seed, dtype):
    X, weight, centers = problem(seed, dtype)
    order = np.random.default_rng(seed).permutation(len(X))
    states = lloyd_start(X, weight), lloyd_start(X[order], None if weight is None else weight[order])
    for _ in range(4):
        steps = [lloyd_step(state, centers) for state in states]
        assert bits(steps[0][:3]) == bits(steps[1][:3])
        centers = means(steps[0], centers)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(200, 225))
def test_sums_of_parts_add_up_to_those_of_all_rows(way, seed, dtype):
    X, weight, centers = problem(seed, dtype)
    random = np.random.default_rng(seed)
    bound = Bound(1.5, 1.0 if weight is None else weight.max(), len(X))
    whole = lloyd_start(X, weight)
    cuts = np.sort(random.integers(0, len(X) + 1, 3))
    cuts[0] = 0  # the first part has no rows
    slices = [slice(start, end) for start, end in zip([0, *cuts], [*cuts, len(X)], strict=True)]
    parts = [lloyd_start(X[part], None if weight is None else weight[part], bound=bound) for part in slices]
    for _ in range(4):
        expected = lloyd_step(whole, centers)
        for part in random.permutation(len(parts)):
            lloyd_step(parts[part], centers)
        coarse, fine, coarse_weights, fine_weights, counts = (sum(each) for each in zip(*map(step_parts, parts)))
        assert bits((sums_of(coarse, fine), sums_of(coarse_weights, fine_weights), counts)) == bits(expected[:3])
        centers = means(expected, centers)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(np.float32, s) for s in (1e-9, 1e-3, 1.0, 1e9)]
    + [(np.float64, s) for s in (1e-300, 1e-30, 1e-9, 1e-3, 1.0, 1e9, 1e30, 1e150)],
)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_sums_are_the_true_ones_rounded_at_any_magnitude(way, dtype, scale, weighted):
    random = np.random.default_rng(5)
    X = (random.normal(size=(400, 7)) * scale).astype(dtype)
    weight = random.exponential(size=len(X)) * 1e5 if weighted else None
    centers = X[:5].astype(np.float64)
    state = lloyd_start(X, weight)
    for _ in range(4):
        step = lloyd_step(state, centers)
        expected = exact_sums(X, nearest_center(X, centers)[0], len(centers), weight)
        # Half a fine unit a row: for few rows that is 2^-82 of a power of two not far above the greatest value.
        finest = 400 * 2.0**-73 * np.abs(X).max() * (1 if weight is None else weight.max())
        assert (np.abs(step.sums - expected) <= np.spacing(np.abs(expected)) + finest).all()
        centers = means(step, centers)


def test_rows_that_are_not_conditioned_give_the_same_bits_in_any_order():
    X = np.random.default_rng(0).normal(size=(9000, 6)) * 1e6
    X[4321, 2] = 1e11
    centers = X[:20].copy()
    steps = [lloyd_step(lloyd_start(rows, None), centers) for rows in (X, X[::-1].copy())]
    assert bits(steps[0][:3]) == bits(steps[1][:3])
    np.testing.assert_array_equal(steps[0].sums, exact_sums(X, nearest_center(X, centers)[0], 20, None))


def test_parts_are_whole_numbers_of_units_that_leave_room_for_all_rows():
    random = np.random.default_rng(1)
    X, weight = random.uniform(-1, 1, (5000, 3)), random.uniform(0, 3, 5000)
    state = lloyd_start(X, weight, bound=Bound(1.0, 3.0, 2**31))
    step = lloyd_step(state, np.zeros((1, 3)))
    coarse, fine, coarse_weights, fine_weights, counts = step_parts(state)
    product = weight[:, None] * X
    for values, high, low, top in ((product, coarse, fine, 2 * 4), (weight[:, None], coarse_weights, fine_weights, 4)):
        units = np.rint(values / (top * 2.0**-22))
        rest = np.rint((values - units * top * 2.0**-22) / (top * 2.0**-45))
        np.testing.assert_array_equal(np.ravel(high), units.sum(0) * top * 2.0**-22)
        np.testing.assert_array_equal(np.ravel(low), rest.sum(0) * top * 2.0**-45)
        assert np.abs(units).max() * 2**31 <= 2**53
        assert np.abs(rest).max() * 2**31 <= 2**53
    assert counts.tolist() == [np.count_nonzero(weight)]
    np.testing.assert_allclose(step.sums[0], product.sum(0), rtol=0, atol=5000 * 8 * 2.0**-46)


def test_rows_beyond_the_bound_given_are_noticed(way):
    X, _, centers = problem(1, np.float64)
    for bound in (Bound(1e-5, 1.0, len(X)), Bound(2.0, 0.5, len(X)), Bound(2.0, 1.0, len(X) - 1)):
        with pytest.raises(AssertionError, match="Bound"):
            lloyd_step(lloyd_start(X, None, bound=bound), centers)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("size", "d", "exponent"), [(1, 1, 0), (7, 1, 5), (64, 3, -9), (65, 8, 40), (1000, 17, 0), (513, 40, -20)]
)
def test_the_greatest_magnitude_of_rows_is_found(size, d, exponent, dtype):
    X = (np.random.default_rng(size).normal(size=(size, d)) * 10.0 ** (exponent / 2)).astype(dtype)
    for skip in (True, False):
        state = lloyd_start(X, None, skip)
        lloyd_step(state, np.zeros((70, d)))
        assert state.held.row == np.abs(X).max()


@pytest.mark.parametrize("way", ["tile"], indirect=True)
def test_sums_are_the_same_bits_on_any_number_of_threads(way):
    X = condition(np.random.default_rng(3).normal(size=(60_000, 9))).rows
    weight = np.random.default_rng(4).exponential(size=len(X))
    results = []
    for n in (1, 2, 4):
        with threads(n):
            results.append(bits(lloyd_step(lloyd_start(X, weight), X[:30].copy())[:3]))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("n", "d", "k", "metric"),
    [(700, 1, 30, "euclidean")]
    + [
        (*size, metric) for size in ((3000, 2, 90), (2500, 4, 64), (3000, 40, 150), (4000, 12, 5)) for metric in METRICS
    ],
)
def test_kmeans_that_skips_ends_with_the_bits_of_the_one_that_looks_at_all(way, n, d, k, dtype, metric):
    random = np.random.default_rng(n + d)
    X = (random.normal(size=(n, d)) + 4 * random.integers(0, 3, (n, 1)) + 1).astype(dtype)
    weight = random.exponential(size=n) if k % 2 == 0 else None
    found = []
    for algorithm in ("auto", "lloyd"):
        model = KMeans(k, algorithm=algorithm, metric=metric, random_state=0, tol=0, max_iter=40)
        model.fit(X, sample_weight=weight)
        found.append((model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_, model.n_iter_))
    assert found[0] == found[1]
