"""Arrays on their way in: read-only ones compile no second kernel, and keep what they look at alive."""

import gc

import numpy as np

from coterie import KMeans
from coterie.arrays import unsealed
from coterie.primitives._numba import assign


def test_a_writable_array_is_returned_as_it_is():
    X = np.zeros((3, 2))
    assert unsealed(X) is X


def test_a_read_only_array_is_looked_at_and_not_copied():
    X = np.arange(6.0).reshape(3, 2)
    X.setflags(write=False)
    view = unsealed(X)
    assert np.shares_memory(view, X)
    assert view.flags.writeable
    np.testing.assert_array_equal(view, X)


def test_the_view_outlives_the_array():
    view = unsealed(np.frombuffer(np.arange(1000.0).tobytes()))
    gc.collect()
    np.testing.assert_array_equal(view, np.arange(1000.0))


def test_strides_are_kept():
    X = np.arange(12.0).reshape(3, 4)[:, ::2]
    X.setflags(write=False)
    np.testing.assert_array_equal(unsealed(X), X)


def test_read_only_rows_compile_nothing_new():
    X = np.random.default_rng(0).normal(size=(300, 3))
    kernels = [value for value in vars(assign).values() if hasattr(value, "signatures")]
    KMeans(2, random_state=0).fit(X).predict(X)
    before = [len(kernel.signatures) for kernel in kernels]
    X.setflags(write=False)
    KMeans(2, random_state=0).fit(X).predict(X)
    assert kernels
    assert [len(kernel.signatures) for kernel in kernels] == before
