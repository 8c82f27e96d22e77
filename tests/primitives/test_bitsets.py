"""Intervals and sets of rows on both engines, against NumPy's own histogram and plain comparisons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.arrays import to_numpy
from coterie.primitives.bitsets import first_containing, intersection_sizes, row_sets
from coterie.primitives.engine import threads
from coterie.primitives.intervals import OUTSIDE, cell_numbers, cell_weights, interval_codes, interval_edges

CODES = np.random.default_rng(0).integers(0, 4, (5, 700)).astype(np.uint16)
COLUMNS, VALUES = np.repeat(np.arange(5), 4), np.tile(np.arange(4), 5)


def codes_on(on):
    return CODES if on is np.asarray else on(CODES.astype(np.int32))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    m=st.integers(1, 40),
    unit=st.sampled_from([1.0, 1e-300, 1e300, 5e-324, 1e15]),
    step=st.sampled_from([0.0, 0.25]),
)
def test_codes_are_those_of_a_search_among_the_edges(seed, m, unit, step):
    x = np.random.default_rng(seed).normal(size=50)
    x = (np.round(x / step) * step if step else x) * unit
    edges = interval_edges(x.min()[None], x.max()[None], m)
    assert edges[0, 0] == x.min()
    assert edges[0, -1] == x.max()
    codes = interval_codes(x[:, None], [0], edges)
    np.testing.assert_array_equal(codes[0], np.searchsorted(edges[0, 1:-1], x, side="right"))


def test_edges_are_those_of_a_histogram():
    X = np.random.default_rng(1).normal(size=(90, 3)) * [1, 1e3, 1e-5] + [0, 7, 1e4]
    edges = interval_edges(X.min(axis=0), X.max(axis=0), 13)
    for j in range(3):
        np.testing.assert_allclose(edges[j], np.histogram_bin_edges(X[:, j], 13), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_engines_code_alike_and_know_what_is_outside(on, dtype):
    X = np.random.default_rng(2).normal(size=(500, 4)).astype(dtype)
    edges = interval_edges(np.full(3, -1.0), np.array([1.0, 0.5, 2.0]), 7)
    codes = to_numpy(interval_codes(on(X), [0, 2, 3], edges))
    for j, column in enumerate([0, 2, 3]):
        outside = (X[:, column] < edges[j, 0]) | (X[:, column] > edges[j, -1])
        expected = np.where(outside, OUTSIDE, np.searchsorted(edges[j, 1:-1], X[:, column], side="right"))
        np.testing.assert_array_equal(codes[j], expected)


def test_opposite_ends_of_the_float_range_are_divided():
    x = np.array([-1.7e308, 0.0, 1.7e308])
    codes = interval_codes(x[:, None], [0], interval_edges(x[:1], x[2:], 4))
    assert codes[0].tolist() == [0, 2, 3]


def test_cells_are_numbered_row_by_row_and_outside_comes_last(on):
    codes = codes_on(on)[:3]
    codes = np.array(to_numpy(codes))
    codes[1, 5] = OUTSIDE
    numbers = cell_numbers(codes if on is np.asarray else on(codes), 4)
    expected = codes[0].astype(int) * 16 + codes[1] * 4 + codes[2]
    expected[5] = 64
    np.testing.assert_array_equal(to_numpy(numbers), expected)
    np.testing.assert_array_equal(cell_weights(numbers, 64), np.bincount(expected, minlength=65)[:64])
    weight = np.arange(700.0)
    np.testing.assert_array_equal(cell_weights(numbers, 64, weight), np.bincount(expected, weight, 65)[:64])


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("weighted", [False, True])
def test_sizes_of_intersections_are_counts_of_rows(on, k, weighted):
    random = np.random.default_rng(k)
    members = np.sort(np.stack([random.choice(5, k, replace=False) * 4 + random.integers(0, 4, k) for _ in range(60)]))
    members = members[np.lexsort(members.T[::-1])]
    weight = random.integers(0, 5, 700).astype(float) if weighted else None
    inside = np.stack([(CODES[COLUMNS[m]] == VALUES[m][:, None]).all(axis=0) for m in members])
    sizes = intersection_sizes(row_sets(codes_on(on), COLUMNS, VALUES), members, weight)
    np.testing.assert_array_equal(sizes, inside.sum(axis=1) if weight is None else inside @ weight)


def test_sums_over_blocks_are_the_same_bits_for_any_size():
    members = np.array([[a, b] for a in range(4) for b in range(4, 8)])
    weight = np.random.default_rng(3).random(700)
    whole = intersection_sizes(row_sets(CODES, COLUMNS, VALUES), members, weight)
    for rows in (1, 63, 64, 65, 300):
        sizes = None
        for i in range(0, 700, rows):
            sets = row_sets(CODES[:, i : i + rows], COLUMNS, VALUES)
            sizes = intersection_sizes(sets, members, weight[i : i + rows], sizes)
        assert sizes.tobytes() == whole.tobytes()


def test_the_first_intersection_that_holds_a_row_is_found(on):
    members = np.array([[0, 4, 8], [1, 5, -1], [2, -1, -1], [0, -1, -1], [1, 6, 9]])
    inside = np.stack([(CODES[COLUMNS[m[m >= 0]]] == VALUES[m[m >= 0]][:, None]).all(axis=0) for m in members])
    expected = np.where(inside.any(axis=0), inside.argmax(axis=0), -1)
    found = first_containing(row_sets(codes_on(on), COLUMNS, VALUES), members)
    np.testing.assert_array_equal(to_numpy(found), expected)
    assert -1 in expected


def test_the_empty_intersection_holds_every_row(on):
    found = first_containing(row_sets(codes_on(on), COLUMNS[:0], VALUES[:0]), np.array([[-1]]))
    assert set(to_numpy(found).tolist()) == {0}


def test_threads_do_not_change_the_counts():
    codes = np.random.default_rng(4).integers(0, 9, (4, 150_000)).astype(np.uint16)
    members = np.array([[a, b, c] for a in range(9) for b in range(9, 18) for c in range(18, 27)])
    results = []
    for n in (1, 4):
        with threads(n):
            sets = row_sets(codes, np.repeat(np.arange(4), 9), np.tile(np.arange(9), 4))
            results.append((intersection_sizes(sets, members), first_containing(sets, members[::-1])))
    np.testing.assert_equal(*results)
