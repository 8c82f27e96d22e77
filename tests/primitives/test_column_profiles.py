"""Profiles of columns against NumPy on the gathered rows: exact where they are exact, within the stated bound where they are sketched."""

import dask.array as da
import numpy as np
import pytest

from coterie.errors import InputError, ResourceError
from coterie.primitives.block_labels import labelled
from coterie.primitives.blocks import rows_as_they_are
from coterie.primitives.column_profiles import (
    column_profiles,
    distinct,
    frequent,
    joined,
    layout_of,
    quantiles,
    weighted_values,
)

N, GROUPS = 6000, 4
SHARES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)


@pytest.fixture(scope="module")
def rows():
    """Columns that are symmetric, skewed to either side, far from zero, with heavy tails, with an outlier, and of few values."""
    rng = np.random.default_rng(0)
    group = rng.integers(-1, GROUPS - 1, N)
    columns = (
        rng.normal(size=N) + 3 * group,
        np.exp(3 * rng.normal(size=N)),
        -np.exp(2 * rng.normal(size=N)) - 5,
        rng.normal(1.7e9, 10, N),
        rng.standard_cauchy(N),
        np.where(np.arange(N) == 7, 1e12, rng.normal(size=N)),
        rng.integers(-50, 50, N),
        np.full(N, 2.5),
    )
    return np.column_stack(columns), group


def profiles(X, labels, **options):
    return column_profiles(X, labels, GROUPS, layout_of(X.min(axis=0), X.max(axis=0), X[::3], GROUPS), **options)


def in_blocks(X, labels, cuts, order=None, sample=None):
    sample = X[::3] if sample is None else sample
    parts = list(zip(np.split(X, cuts), np.split(labels, cuts), strict=True))
    parts = [parts[i] for i in (range(len(parts)) if order is None else order)]
    table, beside = (
        da.concatenate([da.from_array(part[at], chunks=-1) for part in parts]) for at in (0, 1)
    )  # fmt: skip
    layout = layout_of(X.min(axis=0), X.max(axis=0), sample, GROUPS)
    return column_profiles(labelled(rows_as_they_are(table), beside), None, GROUPS, layout)


def members(X, labels, g):
    return X[labels == (g if g < GROUPS - 1 else -1)]


def same_bits(a, b):
    for name in ("rows", "known", "mean", "deviation", "low", "high", "buckets", "registers"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name
    for ours, theirs in zip((*a.values, *a.value_counts), (*b.values, *b.value_counts), strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or np.array_equal(ours, theirs)


def test_counts_moments_and_ranges_are_those_of_the_gathered_rows(rows):
    X, labels = rows
    found = profiles(X, labels)
    for g in range(GROUPS):
        own = members(X, labels, g)
        assert found.rows[g] == len(own)
        assert (found.known[g] == len(own)).all()
        assert np.array_equal(found.low[g], own.min(axis=0))
        assert np.array_equal(found.high[g], own.max(axis=0))
        np.testing.assert_allclose(found.mean[g], own.mean(axis=0), rtol=1e-12, atol=1e-13)
        # NumPy's own two passes lose as much where one value is 1e12 times the others.
        np.testing.assert_allclose(found.deviation[g], own.std(axis=0), rtol=1e-9)


@pytest.mark.parametrize("share", SHARES)
def test_quantiles_are_within_the_stated_bound(rows, share):
    X, labels = rows
    found = profiles(X, labels)
    layout = found.layout
    assert layout.alpha < 0.004
    for g in range(GROUPS):
        true = np.quantile(members(X, labels, g), share, axis=0, method="inverted_cdf")
        bound = layout.alpha * (np.abs(true - layout.origin) + 2 * layout.unit)
        assert (np.abs(quantiles(found, share)[g] - true) <= bound * (1 + 1e-9)).all()
        assert np.array_equal(quantiles(found, share)[g, 6:], true[6:])  # columns of few values are exact


def test_zeros_of_a_sparse_column_are_told_as_zeros():
    x = np.where(np.arange(3000) % 3 > 0, 0.0, np.random.default_rng(0).lognormal(3, 1, 3000))
    X = np.column_stack([x, -x])
    layout = layout_of(X.min(axis=0), X.max(axis=0), X, 1)
    found = column_profiles(X, np.zeros(3000, np.int64), 1, layout)
    assert found.values == (None, None)
    assert quantiles(found, 0.5).tolist() == [[0.0, 0.0]]


def test_the_bound_is_relative_to_the_value_unless_the_column_is_far_from_zero(rows):
    X, labels = rows
    layout = profiles(X, labels).layout
    assert (layout.origin == 0).tolist() == [True, True, True, False, True, True, True, True]
    assert abs(layout.origin[3] - 1.7e9) <= 8  # half of what its spread is rounded to
    assert layout.unit[3] < 0.1


def test_another_sample_makes_the_same_buckets(rows):
    X, _ = rows
    low, high = X.min(axis=0), X.max(axis=0)
    first, second = (layout_of(low, high, X[start::5], GROUPS) for start in (0, 2))
    for ours, theirs in zip(first, second, strict=True):
        assert np.array_equal(ours, theirs)


def test_coarser_buckets_take_less_and_keep_their_bound(rows):
    X, labels = rows
    low, high = X.min(axis=0), X.max(axis=0)
    fine = layout_of(low, high, X, GROUPS)
    coarse = layout_of(low, high, X, GROUPS, 8 * GROUPS * int(fine.starts[-1]) // 4 + GROUPS * 8 * 5000)
    assert coarse.bits < fine.bits
    found = column_profiles(X, labels, GROUPS, coarse)
    for g in range(GROUPS):
        true = np.quantile(members(X, labels, g), 0.5, axis=0, method="inverted_cdf")
        assert (
            np.abs(quantiles(found, 0.5)[g] - true)
            <= 1.01 * coarse.alpha * (abs(true - coarse.origin) + 2 * coarse.unit)
        ).all()


def test_more_than_memory_is_refused_with_the_figure(rows):
    X, _ = rows
    with pytest.raises(ResourceError, match=r"profiles of 1,000,000 groups and 8 columns take .* MiB"):
        layout_of(X.min(axis=0), X.max(axis=0), X, 1_000_000)


def test_values_without_squares_are_refused():
    with pytest.raises(InputError, match="below 1e150"):
        layout_of(np.zeros(1), np.full(1, 1e200), np.zeros((1, 1)), 2)


def test_few_values_are_counted_one_by_one(rows):
    X, labels = rows
    found = profiles(X, labels)
    for g in range(GROUPS):
        values, counts = np.unique(members(X, labels, g)[:, 6], return_counts=True)
        top = sorted(zip(values, counts, strict=True), key=lambda pair: (-pair[1], pair[0]))[:5]
        assert frequent(found, 6)[g] == top
        assert frequent(found, 7)[g] == [(2.5, found.rows[g])]
    assert frequent(found, 0) is None


def test_weights_stand_for_all_values(rows):
    X, labels = rows
    found = profiles(X, labels)
    for j in range(X.shape[1]):
        values, counts = weighted_values(found, j)
        assert (np.diff(values) > 0).all()
        assert np.array_equal(counts.sum(axis=1), found.rows)


def test_distinct_values_are_exact_where_they_are_few_and_near_where_they_are_many():
    rng = np.random.default_rng(1)
    n = 200_000
    kinds = [rng.permutation(n) % many for many in (1, 200, 256, 257, 5000, 20_000, n)]
    X = np.column_stack(kinds).astype(float)
    found = column_profiles(X, np.zeros(n, int), 1, layout_of(X.min(axis=0), X.max(axis=0), X, 1))
    many = np.array([1, 200, 256, 257, 5000, 20_000, n])
    assert np.array_equal(distinct(found)[0, :3], many[:3])
    assert (np.abs(distinct(found)[0] / many - 1) < 3 * 0.023).all()
    assert (distinct(found)[0, 3:] != many[3:]).all()


def test_missing_values_count_for_nothing():
    X = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan], [5.0, 2.0]])
    layout = layout_of(np.array([1.0, 2.0]), np.array([5.0, 2.0]), X, 2)
    found = column_profiles(X, np.array([0, 0, 0, 1]), 2, layout)
    assert found.rows.tolist() == [3, 1]
    assert found.known.tolist() == [[2, 0], [1, 1]]
    assert found.mean[0, 0] == 2.0
    assert np.isnan([found.mean[0, 1], found.low[0, 1], quantiles(found, 0.5)[0, 1]]).all()
    assert distinct(found)[0].tolist() == [2, 0]


def test_both_zeros_are_one_value():
    X = np.array([[0.0], [-0.0], [1.0]])
    found = column_profiles(X, np.zeros(3, int), 1, layout_of(np.zeros(1), np.ones(1), X, 1))
    assert frequent(found, 0)[0] == [(0.0, 2), (1.0, 1)]


def test_deviations_far_from_the_origin_keep_their_figures_around_a_near_value():
    rng = np.random.default_rng(2)
    X = np.r_[1e9 + 1e-3 * rng.normal(size=5000), 5 * rng.normal(size=5000)][:, None]
    labels = np.repeat([0, 1], 5000)
    layout = layout_of(X.min(axis=0), X.max(axis=0), X, 2)
    found = column_profiles(X, labels, 2, layout, np.array([[1e9], [0.0]]))
    np.testing.assert_allclose(found.deviation[0], (X[:5000] - 1e9).std(), rtol=1e-9)


def test_joined_groups_are_those_of_their_rows(rows):
    X, labels = rows
    layout = layout_of(X.min(axis=0), X.max(axis=0), X[::3], GROUPS)
    group = np.array([1, 0, 1, -1])
    found = joined(column_profiles(X, labels, GROUPS, layout), group, 3)
    whole = column_profiles(X, group[labels], 3, layout)
    for name in ("rows", "known", "low", "high", "buckets", "registers"):
        assert np.array_equal(getattr(found, name), getattr(whole, name))
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.deviation, whole.deviation, rtol=1e-9)


def test_an_empty_group_joins_without_a_trace(rows):
    X, labels = rows
    layout = layout_of(X.min(axis=0), X.max(axis=0), X[::3], 6)
    found = joined(column_profiles(X, labels, 6, layout), np.array([0, 0, 1, 1, -1, -1]), 3)
    whole = column_profiles(X, np.array([0, 0, 1, -1])[labels], 3, layout)
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-12, atol=1e-12)


def test_rows_in_blocks_give_what_they_give_in_memory(crew, rows):
    X, labels = rows
    found, whole = in_blocks(X, labels, [100, 2100, 2101, 5000]), profiles(X, labels)
    for name in ("rows", "known", "low", "high", "buckets", "registers"):
        assert np.array_equal(getattr(found, name), getattr(whole, name))
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-10)  # what is left of 1e12 in a sum
    np.testing.assert_allclose(found.deviation, whole.deviation, rtol=1e-9)
    for ours, theirs in zip(found.values, whole.values, strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or np.array_equal(ours, theirs)


def test_no_order_of_blocks_and_no_number_of_workers_changes_a_bit(crew, alone, rows):
    X, labels = rows
    cuts = [500, 1700, 3100, 3300, 5200]
    found = in_blocks(X, labels, cuts)
    for order in ([5, 4, 3, 2, 1, 0], [2, 0, 5, 1, 4, 3]):
        same_bits(in_blocks(X, labels, cuts, order), found)
    alone()
    same_bits(in_blocks(X, labels, cuts), found)
