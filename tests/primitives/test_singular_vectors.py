"""Singular vectors from products alone, beside the whole decomposition."""

import numpy as np
import pytest
from scipy.sparse import random_array

from coterie.errors import InputError
from coterie.primitives.singular_vectors import leading_singular_vectors


def found_of(matrix, width, start=None, **parameters):
    start = np.random.default_rng(0) if start is None else start
    return leading_singular_vectors(
        lambda block: matrix @ block, lambda block: matrix.T @ block, matrix.shape, width, start, **parameters
    )


def decaying(n, d, seed=0):
    """Return a matrix whose singular values halve, and its three parts."""
    rng = np.random.default_rng(seed)
    small = min(n, d)
    left, right = (np.linalg.qr(rng.normal(size=(size, small)))[0] for size in (n, d))
    values = 0.5 ** np.arange(small)
    return left * values @ right.T, left, values, right


@pytest.mark.parametrize("shape", [(60, 40), (40, 60), (30, 30)])
def test_leading_values_and_vectors_are_those_of_the_whole_decomposition(shape):
    matrix, left, values, right = decaying(*shape)
    found = found_of(matrix, 5)
    np.testing.assert_allclose(found.values[:5], values[:5], rtol=1e-9)
    np.testing.assert_allclose(np.abs((found.left[:, :5] * left[:, :5]).sum(axis=0)), 1, rtol=1e-9)
    np.testing.assert_allclose(np.abs((found.right[:, :5] * right[:, :5]).sum(axis=0)), 1, rtol=1e-9)


def test_the_three_parts_together_are_the_matrix_where_the_block_is_as_wide():
    matrix = random_array((50, 8), density=0.3, rng=np.random.default_rng(1), format="csr")
    found = found_of(matrix, 8)
    np.testing.assert_allclose(found.left * found.values @ found.right.T, matrix.toarray(), atol=1e-12)


def test_sums_of_left_vectors_are_not_negative():
    assert (found_of(decaying(60, 40)[0], 5).left.sum(axis=0) >= 0).all()


def test_what_was_found_is_a_start_that_needs_no_rounds():
    matrix, _, values, _ = decaying(60, 40)
    again = found_of(matrix, 5, start=found_of(matrix, 5).right, n_rounds=0)
    np.testing.assert_allclose(again.values[:5], values[:5], rtol=1e-9)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (2, 3)])
def test_no_more_vectors_are_returned_than_the_matrix_has(shape):
    found = found_of(np.ones(shape), 4)
    assert found.left.shape == (shape[0], min(shape))
    np.testing.assert_allclose(found.values[0], np.sqrt(np.prod(shape)))


def test_a_matrix_of_zeros_has_values_of_zero():
    found = found_of(np.zeros((6, 4)), 2)
    np.testing.assert_array_equal(found.values, 0)
    assert np.isfinite(found.left).all()


def test_what_cannot_be_asked_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="width must be at least 1, got 0"):
        found_of(np.ones((3, 2)), 0)
    with pytest.raises(InputError, match="a row for each of the 2 columns, got 3 rows"):
        found_of(np.ones((3, 2)), 1, start=np.ones((3, 1)))
