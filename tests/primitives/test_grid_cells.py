"""Counts, exact sums, components and filters of grids, on both engines, against plain Python."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import ndimage

from coterie.arrays import to_numpy
from coterie.errors import ResourceError
from coterie.primitives.components import number_sets
from coterie.primitives.engine import threads
from coterie.primitives.grid_cells import (
    Grid,
    cell_counts,
    cell_lookup,
    coarser,
    column_range,
    group_cells,
    merge_counts,
    steps,
)
from coterie.primitives.grid_components import cell_components, nearest_neighbor
from coterie.primitives.grid_filter import halve, halve_occupied
from coterie.primitives.grid_sums import UNIT, cell_moments, cell_sums, merge_sums

SHAPES = [(1, 50), (2, 20), (3, 300), (4, 9), (30, 9)]  # columns and cells a side: tables, sorted keys, no keys at all
by_shape = pytest.mark.parametrize(("d", "m"), SHAPES)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
TAPS = {"haar": ((0.5, 0.5), 0), "bior2.2": ((-1 / 8, 1 / 4, 3 / 4, 1 / 4, -1 / 8), -2)}


def rows(n, d, dtype=np.float64):
    return np.random.default_rng([n, d]).standard_normal((n, d)).astype(dtype)


def grid_over(X, m, shrink=0.0):
    low, high = column_range(X)
    return Grid(low * (1 - shrink) + high * shrink, high, np.arange(X.shape[1]), np.full(X.shape[1], m))


def by_dictionary(X, grid):
    """Count by the definition: the whole part of the share of the box, upper edge in the last cell."""
    how, table, outside = steps(grid), {}, 0
    for i, row in enumerate(X.astype(np.float64)):
        if (row < grid.low).any() or (row > grid.high).any():
            outside += 1
            continue
        place = np.minimum(((row * how.scale - how.start) * how.per).astype(int), grid.n_cells - 1)
        table.setdefault(tuple(place.tolist()), []).append(i)
    return dict(sorted(table.items())), outside


@by_shape
@every_dtype
def test_counts_are_those_of_a_dictionary(on, d, m, dtype):
    X = rows(800, d, dtype)
    grid = grid_over(X, m, 0.1)
    expected, outside = by_dictionary(X, grid)
    found = cell_counts(on(X), grid)
    assert [tuple(place) for place in found.coords.tolist()] == list(expected)
    assert found.counts.tolist() == [len(members) for members in expected.values()]
    assert found.first.tolist() == [members[0] for members in expected.values()]
    assert (found.n_rows, found.n_outside) == (800, outside)


@by_shape
def test_lookup_gives_each_row_its_cell_and_minus_one_outside(on, d, m):
    X = rows(500, d)
    grid = grid_over(X, m, 0.1)
    expected, _ = by_dictionary(X, grid)
    truth = np.full(500, -1)
    for cell, members in enumerate(expected.values()):
        truth[members] = cell
    coords = np.array(list(expected))
    np.testing.assert_array_equal(to_numpy(cell_lookup(on(X), grid, coords, np.arange(len(coords)))), truth)
    alone = [int(cell_lookup(on(X[i : i + 1]), grid, coords, np.arange(len(coords)))[0]) for i in range(30)]
    assert alone == truth[:30].tolist()


@by_shape
@pytest.mark.parametrize("shift", [1, 2])
def test_coarser_counts_are_those_of_wider_cells(d, m, shift):
    X = rows(400, d)
    grid = grid_over(X, 2**shift * m)
    wide = cell_counts(X, grid._replace(n_cells=np.full(d, m)))
    for given, expected in zip(coarser(cell_counts(X, grid), shift), wide, strict=True):
        np.testing.assert_array_equal(given, expected)


def test_the_row_is_counted_where_numpy_counts_it():
    X = rows(20_000, 2)
    found = cell_counts(X, grid_over(X, 64))
    table = np.zeros((64, 64))
    table[tuple(found.coords.T)] = found.counts
    np.testing.assert_array_equal(table, np.histogramdd(X, bins=64)[0])


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1.0, 1e200, 1.7e308])
def test_no_range_of_doubles_overflows(scale):
    X = np.array([[-1.0], [0.0], [0.49], [1.0]]) * scale
    assert cell_counts(X, grid_over(X, 4)).coords.ravel().tolist() == [0, 2, 3]


@pytest.mark.parametrize("size", [1, 7, 100, 400])
def test_counts_and_sums_of_chunks_merge_to_the_same_bits(size):
    X = rows(400, 3)
    grid, attributes = grid_over(X, 5, 0.05), np.array([2, 0])
    whole = cell_counts(X, grid)
    whole_sums = cell_sums(X, grid, whole.coords, attributes)
    merged = merged_sums = None
    for start in range(0, 400, size):
        chunk = X[start : start + size]
        counts = cell_counts(chunk, grid)
        sums = cell_sums(chunk, grid, counts.coords, attributes)
        if merged is None:
            merged, merged_sums = counts, sums
            continue
        coords, member = group_cells(np.concatenate([merged.coords, counts.coords]))
        merged_sums = merge_sums(merged_sums, sums, member, len(coords))
        merged = merge_counts(merged, counts)
    assert_same_bits((*merged[:3], *merged_sums), (*whole[:3], *whole_sums))
    assert merged[3:] == whole[3:]


def assert_same_bits(some, others):
    assert all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in zip(some, others, strict=True))


def test_the_number_of_threads_changes_no_bit():
    X = rows(150_000, 2)
    grid = grid_over(X, 40)
    counts = cell_counts(X, grid)
    with threads(1):
        one = (*cell_counts(X, grid)[:3], *cell_sums(X, grid, counts.coords, np.arange(2)))
    with threads(4):
        four = (*cell_counts(X, grid)[:3], *cell_sums(X, grid, counts.coords, np.arange(2)))
    assert_same_bits(one, four)


@every_dtype
@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1e-3, 1e6), (1e300, 0.0), (1e-250, 0.0)])
def test_sums_are_exact_whole_numbers(on, dtype, scale, offset):
    if dtype == np.float32 and not 1e-30 < scale < 1e30:
        scale = 1.0
    X = (rows(300, 2) * scale + offset).astype(dtype)
    grid, attributes = grid_over(X, 3), np.arange(2)
    counts = cell_counts(X, grid)
    found = cell_sums(on(X), grid, counts.coords, attributes)
    how, member = steps(grid), to_numpy(cell_lookup(X, grid, counts.coords, np.arange(len(counts.counts))))
    q = ((X.astype(float) * how.scale - how.start) * UNIT + 0.5).astype(np.int64)
    for cell in range(len(counts.counts)):
        for j in range(2):
            mine = [int(value) for value in q[member == cell, j]]
            words = [int(word) for word in found.sums[cell, j]]
            assert words[0] + (words[1] << 64) == sum(mine)
            assert words[2] + (words[3] << 64) == sum(value * value for value in mine)
    np.testing.assert_array_equal(found.bins.sum(axis=2), np.repeat(counts.counts[:, None], 2, axis=1))


@pytest.mark.parametrize("n", [1, 7, 8, 9, 255, 256, 263, 2000])
def test_a_cell_of_any_number_of_rows_has_the_sums_extremes_and_bins_of_its_rows(on, n):
    X = rows(n, 3)
    grid, attributes = Grid(*column_range(X), np.array([0]), np.array([1])), np.array([1, 0])
    found = cell_sums(on(X), grid, np.zeros((1, 1), np.int32), attributes)
    how = steps(grid)
    t = (X * how.scale - how.start)[:, attributes]
    box = np.minimum(t / np.maximum(t.max(axis=0), 1e-300) * 8, 7).astype(int)
    for j, column in enumerate(attributes):
        q = [int(value * UNIT + 0.5) for value in t[:, j]]
        words = [int(word) for word in found.sums[0, j]]
        assert (words[0] + (words[1] << 64), words[2] + (words[3] << 64)) == (sum(q), sum(v * v for v in q))
        assert found.extremes[0, j].tolist() == [X[:, column].min(), X[:, column].max()]
        assert found.bins[0, j].tolist() == np.bincount(box[:, j], minlength=8).tolist()


@pytest.mark.parametrize("rows_at_once", [1 << 23, 70_000])
def test_a_cell_of_more_rows_than_are_sorted_together_has_the_sums_of_all(rows_at_once, monkeypatch):
    monkeypatch.setattr("coterie.primitives._numba.grid_sums._ROWS_AT_ONCE", rows_at_once)
    X = rows(300_000, 1)
    grid = Grid(np.array([-3.0]), np.array([3.0]), np.array([0]), np.array([3]))
    counts = cell_counts(X, grid)
    found = cell_sums(X, grid, counts.coords, np.array([0]))
    how, member = steps(grid), cell_lookup(X, grid, counts.coords, np.arange(3))
    q = ((X[:, 0] * how.scale - how.start) * UNIT + 0.5).astype(np.int64)
    for cell in range(3):
        mine, words = q[member == cell].tolist(), [int(word) for word in found.sums[cell, 0]]
        assert words[0] + (words[1] << 64) == sum(mine)
        assert words[2] + (words[3] << 64) == sum(value * value for value in mine)
        assert found.extremes[cell, 0].tolist() == [X[member == cell].min(), X[member == cell].max()]
    assert found.bins.sum() == counts.counts.sum() == 300_000 - counts.n_outside


def test_columns_far_apart_and_rows_with_gaps_between_them_are_fetched_where_they_lie():
    X = rows(5_000, 40)[::2, ::2]
    grid = Grid(*column_range(X), np.array([3, 17]), np.array([6, 6]))
    sealed = X.copy()
    sealed.setflags(write=False)
    counts = cell_counts(X, grid)
    attributes = np.array([19, 0, *range(2, 14)])
    found = cell_sums(X, grid, counts.coords, attributes)
    assert_same_bits(cell_sums(sealed, grid, counts.coords, attributes), found)
    member = cell_lookup(X, grid, counts.coords, np.arange(len(counts.counts)))
    least = [X[member == cell][:, attributes].min(axis=0) for cell in range(len(counts.counts))]
    np.testing.assert_array_equal(found.extremes[:, :, 0], least)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_a_cell_has_its_first_row_even_if_threads_overtake_each_other(order, monkeypatch):
    X = rows(90_000, 2)
    grid = grid_over(X, 30)
    expected = cell_counts(X, grid)

    def in_another_order(X, work):
        for block in order:
            work(slice(block * 30_000, block * 30_000 + 30_000), block)

    monkeypatch.setattr("coterie.primitives._numba.grid_cells.each_block", in_another_order)
    assert_same_bits(cell_counts(X, grid)[:3], expected[:3])


def test_mean_and_deviation_are_those_of_the_exact_sums():
    X = np.concatenate([rows(300, 2) * 1e-9 + 5.0, [[0.0, 0.0], [9.0, 9.0]]])
    grid, attributes = grid_over(X, 1), np.arange(2)
    counts = cell_counts(X, grid)
    mean, std = cell_moments(cell_sums(X, grid, counts.coords, attributes), counts.counts, grid, attributes)
    exact = [sum(map(Fraction, column.tolist())) / 302 for column in X.T]
    variance = [sum((Fraction(x) - m) ** 2 for x in column.tolist()) / 302 for column, m in zip(X.T, exact)]
    np.testing.assert_allclose(mean[0], [float(m) for m in exact], rtol=1e-14)
    np.testing.assert_allclose(std[0] ** 2, [float(v) for v in variance], rtol=1e-13)


def test_equal_values_have_their_own_mean_and_no_deviation():
    X = np.repeat([[0.1, 3.3], [7.0, 0.7]], 49, axis=0)
    grid, attributes = grid_over(X, 2), np.arange(2)
    counts = cell_counts(X, grid)
    mean, std = cell_moments(cell_sums(X, grid, counts.coords, attributes), counts.counts, grid, attributes)
    assert mean.tolist() == [[0.1, 3.3], [7.0, 0.7]]
    assert std.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(("d", "m"), [(1, 60), (2, 20), (3, 8), (4, 5)])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_components_are_those_of_scipy(on, d, m, full, share):
    kept = np.random.default_rng([d, m]).random((m,) * d) < share
    named, _ = ndimage.label(kept, ndimage.generate_binary_structure(d, d if full else 1))
    expected = number_sets(named[kept].astype(np.int64))
    coords = np.argwhere(kept)
    np.testing.assert_array_equal(to_numpy(cell_components(on(coords), full=full)), expected)
    many = np.concatenate([np.full((len(coords), 45), 7), coords], axis=1)  # more cells than an integer can count
    np.testing.assert_array_equal(to_numpy(cell_components(on(many), full=full)), expected)


def test_too_many_cells_that_touch_by_corners_in_many_axes_are_refused():
    with pytest.raises(ResourceError, match="face"):
        cell_components(np.arange(60_000)[:, None] * np.ones(9, np.int64), full=True)


def test_the_heaviest_neighbour_is_found_and_the_lowest_of_equal_ones():
    coords = np.array([[0, 0], [0, 2], [5, 5]])
    found = nearest_neighbor(np.array([[0, 1], [1, 1], [4, 4], [9, 9]]), coords, np.array([1.0, 1.0, 3.0]))
    assert found.tolist() == [0, 0, 2, -1]


@pytest.mark.parametrize("taps", TAPS)
@pytest.mark.parametrize("shape", [(7,), (8, 5), (4, 3, 6), (1, 9)])
def test_halving_is_the_sum_over_taps(on, taps, shape):
    values = np.random.default_rng(shape).random(shape)
    expected = values
    for axis in [axis for axis in range(len(shape)) if shape[axis] > 1]:
        expected = np.apply_along_axis(by_definition, axis, expected, *TAPS[taps])
    np.testing.assert_allclose(to_numpy(halve(on(values), *TAPS[taps])), expected, rtol=1e-14, atol=1e-15)


def by_definition(line, taps, first):
    out = np.zeros(-(-len(line) // 2))
    for i in range(len(out)):
        for k, tap in enumerate(taps):
            if 0 <= 2 * i + first + k < len(line):
                out[i] += tap * line[2 * i + first + k]
    return out


@pytest.mark.parametrize("taps", TAPS)
def test_halving_occupied_cells_is_halving_the_grid_where_all_are_occupied(taps):
    values = np.random.default_rng(0).random((9, 1, 6, 4))
    coords, found = halve_occupied(np.argwhere(values), values.ravel(), values.shape, *TAPS[taps])
    expected = halve(values, *TAPS[taps])
    np.testing.assert_array_equal(coords, np.argwhere(expected))
    np.testing.assert_allclose(found, expected.ravel(), rtol=1e-14, atol=1e-15)


def test_halving_few_cells_with_two_taps_is_halving_the_grid():
    random = np.random.default_rng(1)
    values = random.integers(1, 9, (9, 10, 7)) * (random.random((9, 10, 7)) < 0.2).astype(float)
    coords, found = halve_occupied(np.argwhere(values), values[values > 0], values.shape, *TAPS["haar"])
    expected = halve(values, *TAPS["haar"])
    np.testing.assert_array_equal(coords, np.argwhere(expected))
    np.testing.assert_array_equal(found, expected[expected > 0])
