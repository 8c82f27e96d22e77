"""A batch of mini-batch K-means on both engines against plain sums."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import make_blobs

from coterie.arrays import to_numpy
from coterie.primitives.assign import nearest_center
from coterie.primitives.batch_step import batch_step, batch_steps, nearest_as_given
from coterie.primitives.conditioning import condition

X = make_blobs(5000, 5, centers=8, cluster_std=1.5, random_state=4)[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_adds_up_the_rows_of_each_nearest_center(on, dtype, weighted):
    random = np.random.default_rng(0)
    rows, centers = random.permutation(5000)[:3000], random.standard_normal((8, 5))
    shift, scale = X.mean(0), 4.0
    weights = random.integers(0, 3, 3000).astype(float) if weighted else None
    found = batch_step(on(X.astype(dtype)), rows, centers, shift, scale, weights)
    batch = ((X.astype(dtype)[rows] - shift) / scale).astype(dtype).astype(float)
    distances2 = ((batch[:, None] - centers) ** 2).sum(2)
    labels, w = distances2.argmin(1), np.ones(3000) if weights is None else weights
    sums = np.array([(w * (labels == c)) @ batch for c in range(8)])
    np.testing.assert_allclose(found.sums, sums, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found.weights, np.bincount(labels, w, 8))
    assert found.inertia == pytest.approx(float(w @ distances2.min(1)), rel=1e-5)  # float32 keeps seven digits


def test_sparse_rows_add_up_as_dense_ones():
    thin, rows = np.where(abs(X) > 3, X, 0.0), np.arange(10, 900)
    centers = np.random.default_rng(0).standard_normal((8, 5))
    expected = batch_step(thin, rows, centers, np.zeros(5), 4.0, None)
    found = batch_step(scipy.sparse.csr_array(thin), rows, centers, np.zeros(5), 4.0, None)
    np.testing.assert_allclose(found.sums, expected.sums, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found.weights, expected.weights)
    assert found.inertia == pytest.approx(expected.inertia)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_the_nearest_centers_of_rows_as_given_are_those_of_conditioned_rows_to_the_bit(on, dtype, offset):
    rows, shift, scale = condition(on((X + offset).astype(dtype)))
    centers = np.random.default_rng(0).standard_normal((11, 5))
    expected = [to_numpy(part) for part in nearest_center(rows, centers)]
    found = nearest_as_given(on((X + offset).astype(dtype)), centers, shift, scale)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [8, 19, 40])
def test_steps_are_batches_and_weighted_means_one_after_another(on, dtype, weighted, k):
    random = np.random.default_rng(0)
    rows, given = random.permutation(5000)[:4000], on(X.astype(dtype))
    starts = np.array([0, 700, 1401, 2000, 4000])
    centers, mass, shift, scale = X[:k] / 4.0 - X.mean(0) / 4.0, random.uniform(1, 9, k), X.mean(0), 4.0
    weights = random.uniform(0.5, 2.0, 4000) if weighted else None
    found = batch_steps(given, rows, starts, centers, mass, shift, scale, weights)
    inertia = []
    for start, end in pairwise(starts):
        step = batch_step(
            given, rows[start:end], centers, shift, scale, None if weights is None else weights[start:end]
        )
        centers = (centers * mass[:, None] + step.sums) / (mass + step.weights)[:, None]
        mass = mass + step.weights
        inertia.append(step.inertia)
    np.testing.assert_allclose(found.mass, mass, rtol=1e-12)
    np.testing.assert_allclose(found.centers, centers, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.inertia, inertia, rtol=1e-9)


def test_steps_end_after_the_batch_that_leaves_a_center_with_too_little(on):
    centers = np.r_[X[:7], [[900.0] * 5]]
    starts = np.arange(0, 1001, 100)
    mass = np.full(8, 50.0)
    found = batch_steps(on(X), np.arange(1000), starts, centers, mass, np.zeros(5), 1.0, None, 0.4)
    alone = [
        batch_steps(on(X), np.arange(end), starts[: end // 100 + 1], centers, mass, np.zeros(5), 1.0).mass
        for end in starts[1:]
    ]
    enough = next(m for m, weights in enumerate(alone, 1) if weights.min() < 0.4 * weights.max())
    assert 1 < enough < 10
    assert len(found.inertia) == enough
    np.testing.assert_array_equal(found.mass, alone[enough - 1])
