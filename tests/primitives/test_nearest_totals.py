"""What rows add up to at their nearest centers, beside the distances one by one."""

import numpy as np
import pytest

from coterie.primitives._numba.assign import nearest_totals
from coterie.primitives.assign import nearest_center
from coterie.primitives.engine import threads


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (1000, 3, 5), (70_001, 16, 33)])
def test_totals_are_those_of_the_distances(dtype, weighted, n, d, k):
    random = np.random.default_rng(n + d)
    X, centers = random.normal(size=(n, d)).astype(dtype), random.normal(size=(k, d))
    weight = random.integers(0, 4, n).astype(np.float64) if weighted else None
    labels, distances2 = nearest_center(X, centers)
    found, cost, weights, counts = nearest_totals(X, centers, weight)
    assert found.dtype == np.int64
    assert np.array_equal(found, labels)
    assert np.array_equal(counts, np.bincount(labels, minlength=k))
    assert np.array_equal(weights, np.bincount(labels, weight, minlength=k))
    each = distances2 if weight is None else weight * distances2
    assert cost == pytest.approx(float(each.sum()), rel=1e-12)
    with threads(1):
        assert nearest_totals(X, centers, weight)[1] == cost
