"""Dividing groups by hyperplanes: every engine and kind of rows against plain NumPy."""

import numpy as np
import pytest
import scipy.sparse

from coterie.arrays import to_numpy
from coterie.primitives import divide
from coterie.primitives._numba import divide as engine
from coterie.primitives._numba.jit import kernel
from coterie.primitives._numba.row_vectors import (
    add_four_sums,
    add_row,
    add_two_sums,
    copy_row,
    distance2,
    distances2_of_eight,
    project,
    project_eight,
)

KINDS = ["numba", "numba float32", "sparse", "torch"]


def rows_of(kind, X):
    if kind == "torch":
        return pytest.importorskip("torch").from_numpy(X.copy())
    if kind == "sparse":
        return scipy.sparse.csr_array(X)
    return X.astype(np.float32 if "32" in kind else np.float64)


def problem(seed, n=300, d=5):
    random = np.random.default_rng(seed)
    X = np.round(random.normal(size=(n, d)), 2).astype(np.float32).astype(np.float64)
    return X, random.permutation(n), random.integers(0, 4, n).astype(float), random


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_steps_and_parts_are_those_of_plain_sums(monkeypatch, kind, seed):
    monkeypatch.setattr(engine, "_CHUNK_ROWS", 37)
    monkeypatch.setattr(engine, "_BLOCK_ROWS", 90)
    X, order, weight, random = problem(seed)
    state = divide.divide_start(rows_of(kind, X), order, weight if seed % 2 else None)
    weight = weight if seed % 2 else np.ones(len(X))
    spans = np.array([[0, 120, 0], [120, 125, 0], [200, 300, 0]])
    normals, offsets = random.normal(size=(3, 5)), 0.3 * random.normal(size=3)
    step = divide.divide_step(state, spans, normals, offsets)
    again = divide.divide_step(state, spans, normals, offsets)
    members = [order[start:end] for start, end, _ in spans]
    right = [X[rows] @ normal > offset for rows, normal, offset in zip(members, normals, offsets, strict=True)]
    centers = random.normal(size=(3, 2, 5))
    parts = divide.divide_apply(state, spans, centers)
    for j, (rows, mask) in enumerate(zip(members, right, strict=True)):
        for c, chosen in enumerate((rows[~mask], rows[mask])):
            np.testing.assert_allclose(step.sums[j, c], weight[chosen] @ X[chosen], atol=1e-9)
            assert step.weights[j, c] == weight[chosen].sum()
            assert step.counts[j, c] == len(chosen)
            gaps2 = ((X[chosen] - centers[j, c]) ** 2).sum(axis=1)
            assert parts.inertia[j, c] == pytest.approx(weight[chosen] @ gaps2, rel=1e-9)
            if (weight[chosen] > 0).any():
                far = gaps2[weight[chosen] > 0].max()
                assert ((parts.farthest[j, c] - centers[j, c]) ** 2).sum() == pytest.approx(far, rel=1e-9)
    assert step.changed.tolist() == [int(mask.sum()) for mask in right]
    assert again.changed.tolist() == [0, 0, 0]
    middle = 0 + int(step.counts[0, 0])
    names = np.arange(6)
    halves = np.array([[0, middle, 1], [middle, 120, 1], [120, 125, 1], [125, 200, 0], [200, 300, 1]])
    labels = to_numpy(divide.divide_labels(state, halves, names[:5]))
    np.testing.assert_array_equal(labels[members[0]], right[0])
    assert set(labels[order[125:200]]) == {3}


@pytest.mark.parametrize("kind", KINDS)
def test_scatter_products_are_those_of_the_matrix(kind):
    X, order, weight, random = problem(1)
    state = divide.divide_start(rows_of(kind, X), order, weight)
    spans, directions = np.array([[0, 150, 0], [150, 300, 0]]), random.normal(size=(2, 5))
    members = [order[:150], order[150:]]
    means = np.array([np.average(X[rows], axis=0, weights=weight[rows]) for rows in members])
    want = [
        (X[rows] - mean).T @ (weight[rows] * ((X[rows] - mean) @ direction))
        for rows, mean, direction in zip(members, means, directions, strict=True)
    ]
    np.testing.assert_allclose(divide.scatter_products(state, spans, means, directions), want, rtol=1e-9)


@pytest.mark.parametrize("kind", ["numba", "numba float32", "torch"])
@pytest.mark.parametrize("d", [1, 5, 8, 19])
def test_scatter_matrices_are_sums_of_outer_products(monkeypatch, kind, d):
    monkeypatch.setattr(engine, "_CHUNK_ROWS", 70)
    X, order, weight, random = problem(4, d=d)
    state = divide.divide_start(rows_of(kind, X), order, weight)
    spans, means = np.array([[0, 150, 0], [150, 300, 0]]), random.normal(size=(2, d))
    found = divide.scatter_matrices(state, spans, means)
    for rows, mean, matrix in zip((order[:150], order[150:]), means, found, strict=True):
        np.testing.assert_allclose(matrix, (X[rows] - mean).T * weight[rows] @ (X[rows] - mean), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_descend_to_the_leaf_that_the_planes_say(kind):
    X, _, _, random = problem(2)
    left, right = np.array([1, -1, 3, -1, -1]), np.array([2, -1, 4, -1, -1])
    normals, offsets = random.normal(size=(5, 5)), np.zeros(5)
    leaves = to_numpy(divide.descend(rows_of(kind, X), left, right, normals, offsets))
    want = np.where(X @ normals[0] > 0, np.where(X @ normals[2] > 0, 4, 3), 1)
    np.testing.assert_array_equal(leaves, want)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_evenly_spaced(kind):
    X, order, weight, _ = problem(3)
    state = divide.divide_start(rows_of(kind, X), order, weight)
    rows, weights, bounds = divide.sample_rows(state, np.array([[0, 5, 0], [100, 300, 0]]), 50)
    chosen = np.r_[order[:5], order[100:300:4]]
    assert bounds.tolist() == [0, 5, 55]
    np.testing.assert_array_equal(rows, X[chosen])
    np.testing.assert_array_equal(weights, weight[chosen])


@pytest.mark.parametrize("spread", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_two_means_end_where_no_row_is_nearer_to_the_other(spread, seed):
    X, _, weight, random = problem(seed)
    bounds = np.array([0, 100, 300])
    centers, inertia = divide.two_means(X, weight, bounds, random.random((2, 3, 3)), spread=spread)
    for j in range(2):
        rows, share = X[bounds[j] : bounds[j + 1]], weight[bounds[j] : bounds[j + 1]]
        gaps2 = ((rows[:, None] - centers[j]) ** 2).sum(axis=2)
        side = gaps2.argmin(axis=1)
        assert inertia[j] == pytest.approx(share @ gaps2.min(axis=1), rel=1e-9)
        for c in range(2):
            mean = np.average(rows[side == c], axis=0, weights=share[side == c])
            np.testing.assert_allclose(centers[j, c], mean, atol=1e-9)


def test_two_means_go_on_from_given_centers():
    X = np.array([[0.0], [1.0], [9.0], [10.0]])
    centers, inertia = divide.two_means(X, np.ones(4), np.array([0, 4]), centers=np.array([[[0.0], [1.0]]]))
    assert centers.tolist() == [[[0.5], [9.5]]]
    assert inertia.tolist() == [1.0]


def test_two_means_of_equal_rows_are_equal():
    centers, inertia = divide.two_means(np.ones((7, 2)), np.ones(7), np.array([0, 7]), np.full((1, 2, 3), 0.5))
    assert centers.tolist() == [[[1, 1], [1, 1]]]
    assert inertia.tolist() == [0.0]


@kernel
def _all_three(X, vectors, sums):
    add_row(X, 1, 2.5, sums, 1)
    return project(X, 2, vectors, 1), distance2(X, 0, vectors, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 40])
def test_one_row_against_one_vector_of_any_length(d, dtype):
    random = np.random.default_rng(d)
    X, vectors, sums = random.normal(size=(3, d)).astype(dtype), random.normal(size=(2, d)), np.zeros((2, d))
    product, gap2 = _all_three(X, vectors, sums)
    assert product == pytest.approx(X[2].astype(float) @ vectors[1], rel=1e-12, abs=1e-14)
    assert gap2 == pytest.approx(((X[0] - vectors[0]) ** 2).sum(), rel=1e-12)
    np.testing.assert_allclose(sums, [np.zeros(d), 2.5 * X[1].astype(float)], rtol=1e-12)


@kernel
def _eight(X, row, last, vectors, which, shares, products, gaps2, pairs, fours, copies):
    project_eight(X, row, last, vectors, 1, products, 2)
    distances2_of_eight(X, row, last, vectors, which, gaps2)
    add_two_sums(X, row, last + 1 - row, shares, 1, pairs, 1)
    add_four_sums(X, row, last + 1 - row, shares, 0, fours, 0)
    for i in range(len(X)):
        copy_row(X, i, copies, len(X) - 1 - i)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 7, 8, 9, 16, 21, 24, 40])
def test_eight_rows_at_once_have_the_bits_of_one(d, dtype):
    random = np.random.default_rng(d)
    X, vectors = random.normal(size=(9, d)).astype(dtype), random.normal(size=(3, d))
    which, shares = random.integers(0, 3, 8), random.normal(size=(8, 4))
    products, gaps2 = np.zeros(10), np.zeros(8)
    pairs, fours, copies = np.ones((3, d)), np.zeros((4, d)), np.zeros((9, d))
    # Rows 3 ... 8 and no more: the last one stands in for two that are not there.
    _eight(X, 3, 8, vectors, which, shares, products, gaps2, pairs, fours, copies)
    for r in range(8):
        row = min(3 + r, 8)
        alone = _all_three(X[[row] * 3], np.stack([vectors[which[r]], vectors[1]]), np.zeros((2, d)))
        assert (products[2 + r], gaps2[r]) == alone
    rows = X[3:].astype(np.float64)
    np.testing.assert_allclose(pairs[1:], 1 + shares[:6, 1:3].T @ rows, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(fours, shares[:6].T @ rows, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(copies, X[::-1])
