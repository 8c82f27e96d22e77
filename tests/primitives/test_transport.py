"""The bounded assignment against linear programming, and what its prices promise."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, linprog

from coterie.errors import InputError, ResourceError
from coterie.primitives import transport
from coterie.primitives._numba import transport as engine
from coterie.primitives.transport import assign_within


def problem(seed):
    """Random costs, every third time with ties, and bounds that can be kept."""
    random = np.random.default_rng(seed)
    n = int(random.integers(3, 40))
    k = int(random.integers(1, min(7, n + 1)))
    costs = random.integers(0, 4, (n, k)).astype(float) if seed % 3 == 0 else random.normal(size=(n, k))
    low = random.integers(0, n // k + 1, k)
    return costs, low, np.maximum(low, random.integers(-(-n // k), n + 1, k)), random


def least_total(costs, low, high):
    n, k = costs.shape
    sizes = np.kron(np.ones((1, n)), np.eye(k))
    found = linprog(
        costs.ravel(), A_ub=np.r_[sizes, -sizes], b_ub=np.r_[high, -low],
        A_eq=np.kron(np.eye(n), np.ones((1, k))), b_eq=np.ones(n),
    )  # fmt: skip
    return found.fun


@pytest.mark.parametrize("seed", range(200))
def test_the_total_is_that_of_linear_programming(seed):
    costs, low, high, random = problem(seed)
    labels, prices = assign_within(costs, low, high, random.normal(size=len(low)) if seed % 2 else None)
    sizes = np.bincount(labels, minlength=len(low))
    own = costs[np.arange(len(costs)), labels]
    assert ((low <= sizes) & (sizes <= high)).all()
    assert own.sum() == pytest.approx(least_total(costs, low, high), abs=1e-9)
    # Complementary slackness: the prices prove that there is nothing cheaper.
    assert (own - prices[labels] <= (costs - prices).min(axis=1) + 1e-12).all()
    assert (prices[sizes > low] <= 1e-12).all()
    assert (prices[sizes < high] >= -1e-12).all()


@pytest.mark.parametrize("seed", range(5))
def test_equal_sizes_cost_what_the_assignment_to_copies_of_the_clusters_costs(seed):
    costs = np.random.default_rng(seed).random((120, 6))
    labels, _ = assign_within(costs, np.full(6, 20), np.full(6, 20))
    copies = np.repeat(costs, 20, axis=1)
    rows, columns = linear_sum_assignment(copies)
    assert costs[np.arange(120), labels].sum() == pytest.approx(copies[rows, columns].sum(), rel=1e-12)


def test_heaps_that_are_made_anew_change_nothing(monkeypatch):
    costs = np.random.default_rng(1).random((2000, 5)) * [1, 2, 3, 4, 5]
    bounds = np.full(5, 400), np.full(5, 400)
    want = assign_within(costs, *bounds)[0]
    monkeypatch.setattr(engine, "_SPARE_NODES", 30)
    monkeypatch.setattr(engine, "_PATHS_PER_CALL", 7)
    np.testing.assert_array_equal(assign_within(costs, *bounds)[0], want)


def test_bounds_that_nothing_touches_leave_every_row_at_its_cheapest():
    costs = np.random.default_rng(2).random((50, 3))
    labels, prices = assign_within(costs, np.zeros(3, int), np.full(3, 50))
    np.testing.assert_array_equal(labels, costs.argmin(axis=1))
    assert not prices.any()


def test_good_prices_leave_nothing_to_do():
    costs = np.random.default_rng(3).random((300, 4))
    bounds = np.full(4, 75), np.full(4, 75)
    labels, prices = assign_within(costs, *bounds)
    again, same = assign_within(costs, *bounds, prices)
    np.testing.assert_allclose(same, prices, atol=1e-12)
    assert costs[np.arange(300), again].sum() == pytest.approx(costs[np.arange(300), labels].sum(), rel=1e-12)


@pytest.mark.parametrize(("low", "high"), [([3, 3], [5, 5]), ([0, 0], [2, 2]), ([2, 0], [1, 5]), ([-1, 0], [5, 5])])
def test_bounds_that_cannot_be_kept_are_named(low, high):
    with pytest.raises(InputError, match="no assignment of 5 rows"):
        assign_within(np.zeros((5, 2)), np.array(low), np.array(high))


def test_more_moves_than_can_be_numbered_are_refused_before_anything_is_allocated(monkeypatch):
    monkeypatch.setattr(transport, "_MOST_NODES", 9)
    with pytest.raises(ResourceError, match="5 rows and 2 clusters"):
        assign_within(np.zeros((5, 2)), np.array([1, 1]), np.array([5, 5]))
