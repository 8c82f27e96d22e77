"""The three questions of a drift by themselves: known answers, another library, and how often they are wrong."""

import numpy as np
import pytest
from scipy import stats

from coterie.study.drift_columns import Values, compare_columns
from coterie.study.drift_far import far_rows
from coterie.study.drift_shares import compare_shares, stability_band, stability_index, visible_index

# ---- shares


def test_stability_index_by_hand():
    # Without the half rows: (0.6 - 0.5) log(0.6 / 0.5) + (0.4 - 0.5) log(0.4 / 0.5)
    by_hand = 0.1 * np.log(1.2) - 0.1 * np.log(0.8)
    assert stability_index(np.array([5000, 5000]), np.array([6000, 4000])) == pytest.approx(by_hand, rel=1e-3)


def test_an_empty_group_leaves_the_index_finite():
    assert np.isfinite(stability_index(np.array([50, 50]), np.array([100, 0])))


@pytest.mark.parametrize(("psi", "band"), [(0.099, "small"), (0.1, "moderate"), (0.199, "moderate"), (0.2, "large")])
def test_bands_are_the_customary_ones(psi, band):
    assert stability_band(psi) == band


@pytest.mark.parametrize("sizes", [(40, 30), (400, 300), (4000, 3000)])
def test_the_p_value_is_that_of_the_g_test(sizes):
    then, now = np.array([sizes[0], sizes[1], 50]), np.array([sizes[0] - 10, sizes[1] + 14, 44])
    other = stats.chi2_contingency([then, now], correction=False, lambda_="log-likelihood").pvalue
    assert compare_shares(then, now, level=0.01).p_value == pytest.approx(other, abs=0.02)


def test_a_small_table_has_the_exact_p_value():
    # With two groups the tables are those of Fisher's test, and both tails are alike.
    exact = stats.fisher_exact([[5, 5], [1, 9]]).pvalue
    assert compare_shares(np.array([5, 5]), np.array([1, 9]), level=0.01).p_value == pytest.approx(exact, abs=0.015)


@pytest.mark.parametrize("k", [2, 8])
def test_an_index_that_is_visible_is_seen_95_times_in_100(k):
    rng = np.random.default_rng(k)
    then, n = np.full(k, 4000 // k), 300
    psi = visible_index(then.sum(), n, k, 0.01)
    moved = np.ones(k) / k
    step = next(s for s in np.linspace(0, 0.4, 4001) if _index(_pushed(moved, s), moved) >= psi)
    seen = [
        compare_shares(
            rng.multinomial(then.sum(), moved), rng.multinomial(n, _pushed(moved, step)), level=0.01, seed=i
        ).p_value
        for i in range(150)
    ]
    assert 0.88 <= np.mean(np.array(seen) <= 0.01) <= 1.0


def _pushed(shares, step):
    weights = shares * (1 + step * np.resize([1.0, -1.0], len(shares)))
    return weights / weights.sum()


def _index(now, then):
    return float(((now - then) * np.log(now / then)).sum())


def test_one_group_has_no_shares_to_compare():
    found = compare_shares(np.array([10]), np.array([20]), level=0.01)
    assert (found.psi, found.p_value, found.visible) == (0.0, 1.0, np.inf)


# ---- columns


def two_groups(rng, n=120):
    groups = np.repeat([0, 1], n)
    return groups, rng.random(2 * n) < 0.4


def test_the_effect_of_a_number_is_that_of_kolmogorov_and_smirnov():
    rng = np.random.default_rng(0)
    groups, now = two_groups(rng)
    values = rng.integers(0, 9, len(groups)).astype(float)  # many ties
    found = {change.group: change.effect for change in compare_columns([Values(values)], groups, now)}
    for i in (0, 1):
        there, here = values[(groups == i) & ~now], values[(groups == i) & now]
        assert found[i] == pytest.approx(stats.ks_2samp(there, here).statistic)


def test_the_effect_of_levels_is_half_the_sum_of_differences():
    rng = np.random.default_rng(0)
    groups, now = np.zeros(300, int), np.arange(300) < 100
    codes = rng.integers(0, 3, 300)
    shares = [np.bincount(codes[side], minlength=3) / side.sum() for side in (now, ~now)]
    (change,) = compare_columns([Values(codes, 3)], groups, now)
    assert change.effect == pytest.approx(np.abs(shares[0] - shares[1]).sum() / 2)


def test_one_comparison_has_the_p_value_of_a_permutation_test():
    rng = np.random.default_rng(1)
    groups, now = np.zeros(60, int), np.arange(60) < 20
    values = rng.normal(size=60) + 0.5 * now
    (change,) = compare_columns([Values(values)], groups, now)
    exact = stats.ks_2samp(values[now], values[~now], method="exact").pvalue
    assert change.p_value == pytest.approx(exact, abs=0.04)


def test_the_column_that_changed_comes_first():
    rng = np.random.default_rng(2)
    groups, now = two_groups(rng)
    still = [Values(rng.normal(size=len(groups))) for _ in range(3)]
    moved = Values(rng.normal(size=len(groups)) + 1.5 * (now & (groups == 1)))
    first, second, *_ = compare_columns([*still, moved], groups, now)
    assert (first.column, first.group, first.about) == (3, 1, "values")
    assert first.p_value <= 0.001 < 0.05 < second.p_value


def test_values_that_go_missing_are_a_change():
    rng = np.random.default_rng(3)
    groups, now = two_groups(rng)
    values = rng.normal(size=len(groups))
    values[now & (rng.random(len(groups)) < 0.3)] = np.nan
    first = compare_columns([Values(values)], groups, now)[0]
    assert (first.about, first.p_value) == ("missing", 0.001)


def test_a_level_never_seen_before_is_a_change():
    rng = np.random.default_rng(4)
    groups, now = np.zeros(400, int), np.arange(400) < 150
    codes = np.where(now & (rng.random(400) < 0.2), 2, rng.integers(0, 2, 400))
    assert compare_columns([Values(codes, 3)], groups, now)[0].p_value <= 0.001


def test_groups_with_few_rows_of_either_side_are_left_out():
    groups, now = np.repeat([0, 1, -1], 20), np.tile([True, False], 30)
    now[20:36] = True  # four rows of then in group 1
    assert {change.group for change in compare_columns([Values(np.arange(60.0))], groups, now)} == {0}


def test_nothing_to_compare():
    assert compare_columns([Values(np.arange(4.0))], np.zeros(4, int), np.array([True, False, True, False])) == []


def test_many_dependent_columns_raise_no_more_false_alarms_than_stated():
    alarms = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        groups, now = two_groups(rng, 50)
        base = rng.normal(size=(100, 1))
        columns = [Values(column) for column in (base + 0.5 * rng.normal(size=(100, 8))).T]
        columns += [Values(rng.choice(6, 100, p=[0.6, 0.3, 0.04, 0.03, 0.02, 0.01]), 6) for _ in range(4)]
        alarms += min(change.p_value for change in compare_columns(columns, groups, now, seed=seed)) <= 0.05
    assert alarms <= stats.binom.ppf(0.999, 120, 0.05)


# ---- far rows


def clouds(rng, n):
    """Return two clouds of very different width, and which each row is in."""
    groups = (rng.random(n) < 0.3).astype(np.int64)
    return rng.normal(size=(n, 3)) * np.where(groups == 1, 5.0, 0.5)[:, None] + 20 * groups[:, None], groups


def test_a_new_cloud_is_far():
    rng = np.random.default_rng(0)
    (old, then), (new, now) = clouds(rng, 600), clouds(rng, 300)
    new[:15] = rng.normal([-8, 8, 0], 0.3, (15, 3))
    found = far_rows(old, then, new, now)
    assert found.now[:15].all()
    assert found.p_value <= 0.001
    assert found.now[15:].mean() < 0.05


def test_a_wide_group_that_grows_is_not_far():
    rng = np.random.default_rng(1)
    old, then = clouds(rng, 1000)
    new, now = clouds(rng, 3000)
    wide = np.flatnonzero(now == 1)
    assert far_rows(old, then, new[wide], now[wide]).p_value > 0.01


def test_the_chance_of_far_rows_is_stated_right():
    p_values = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        (old, then), (new, now) = clouds(rng, 200), clouds(rng, 150)
        p_values.append(far_rows(old, then, new, now, seed=seed).p_value)
    assert (np.array(p_values) <= 0.05).sum() <= stats.binom.ppf(0.999, 150, 0.05)
    assert (np.array(p_values) <= 0.5).sum() >= stats.binom.ppf(0.001, 150, 0.25)  # and it is not blind


def test_copies_of_old_rows_are_not_far():
    rng = np.random.default_rng(2)
    old, then = clouds(rng, 300)
    assert far_rows(old, then, old, then).p_value > 0.05


@pytest.mark.parametrize(
    "old", [np.zeros((200, 2)), np.random.default_rng(0).normal(size=(20, 2))], ids=["equal", "few"]
)
def test_where_far_means_nothing_there_is_no_answer(old):
    assert far_rows(old, np.zeros(len(old), int), np.ones((9, 2)), np.zeros(9, int)) is None


def test_a_group_that_had_no_rows_then_is_judged_with_the_others():
    rng = np.random.default_rng(3)
    old, then = clouds(rng, 400)
    found = far_rows(old, then, rng.normal(40, 1, (30, 3)), np.full(30, 2))
    assert found.now.all()
    assert found.p_value <= 0.001
