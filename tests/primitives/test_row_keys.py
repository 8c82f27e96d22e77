"""The order of rows by their keys, against NumPy's stable sort."""

import numpy as np
import pytest

from coterie.primitives.row_keys import key_order

CASES = {
    "none": np.empty(0),
    "one": np.array([3.0]),
    "both zeros": np.array([0.0, -0.0, 1.0, -0.0, 0.0, -1.0]),
    "infinities": np.array([np.inf, 0.0, -np.inf, np.inf, 5e-324, -5e-324]),
    "neighbours in the last bit": 1.0 + 2.0**-52 * np.random.default_rng(0).permutation(5000),
    "all equal": np.full(3000, -7.5),
    "some equal": np.random.default_rng(1).integers(-50, 50, 5000).astype(float),
    "every size": np.random.default_rng(2).normal(size=20_000)
    * 10.0 ** np.random.default_rng(3).integers(-300, 300, 20_000),
    "near one another": 1e9 + np.random.default_rng(4).normal(size=20_000) * 1e-4,
}


@pytest.mark.parametrize("name", CASES)
def test_the_order_of_keys_is_that_of_a_stable_sort(name):
    keys = CASES[name]
    before = keys.copy()
    assert np.array_equal(key_order(keys), np.argsort(keys, kind="stable"))
    assert np.array_equal(keys, before)
