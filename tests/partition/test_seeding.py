"""k-means++ in one call against its steps."""

import numpy as np
import pytest

from coterie.partition import _seeding
from coterie.partition._seeding import canonical_order, kmeans_plusplus


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (7, 1, 7), (33, 2, 5), (64, 3, 1), (1000, 17, 60)])
def test_few_rows_get_the_centers_that_the_steps_choose(monkeypatch, n, d, k, weighted, dtype):
    X = np.random.default_rng(n).standard_normal((n, d)).astype(dtype)
    weight = np.random.default_rng(1).integers(1, 4, n).astype(float) if weighted else None
    order = canonical_order(X)
    at_once = kmeans_plusplus(X, k, np.random.RandomState(3), order, weight)
    monkeypatch.setattr(_seeding, "few_enough", lambda *_: False)
    np.testing.assert_array_equal(at_once, kmeans_plusplus(X, k, np.random.RandomState(3), order, weight))


@pytest.mark.parametrize("few", [False, True])
def test_equal_rows_are_drawn_where_nothing_is_far(monkeypatch, few):
    monkeypatch.setattr(_seeding, "few_enough", lambda *_: few)
    X = np.ones((40, 2))
    chosen = kmeans_plusplus(X, 5, np.random.RandomState(0), np.arange(40), None)
    assert chosen.min() >= 0
    assert chosen.max() < 40
