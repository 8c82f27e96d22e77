"""Single parts of a study against known answers."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from coterie.errors import InputError, ResourceError
from coterie.study.cost import forecast
from coterie.study.describe import describe
from coterie.study.map import draw_map, unpack
from coterie.study.modality import dip, dip_significance
from coterie.study.plan import make_plan, parse_bytes, readable_bytes
from coterie.study.population import settle
from coterie.study.radius import knee
from coterie.study.rule import find_rule, make_conditions
from coterie.study.structure import blurred, examine, valley_depth
from coterie.study.values import View, number_text

NONE = np.empty(0)


@pytest.mark.parametrize(
    ("limit", "size"),
    [(5_000, 5_000), ("2GB", 2 << 30), ("512 MiB", 512 << 20), ("1.5k", 1536), (None, None), ("77", 77)],
)
def test_memory_limits_are_read_in_any_unit(limit, size):
    assert parse_bytes(limit) == size


@pytest.mark.parametrize("limit", ["many", "-2GB", 0, "", "nan", "inf"])
def test_a_limit_that_is_no_size_is_refused(limit):
    with pytest.raises(InputError, match="memory_limit"):
        parse_bytes(limit)


def test_bytes_are_written_for_people():
    assert [readable_bytes(size) for size in (12, 2048, 5 << 20, 3.5 * 2**30)] == [
        "12 bytes",
        "2.0 KB",
        "5.0 MB",
        "3.5 GB",
    ]


def test_forecasts_grow_with_the_rows():
    small, large = (forecast("HDBSCAN", {"min_samples": 5}, n, 20) for n in (1_000, 100_000))
    assert large[0] > 1_000 * small[0] / 10
    assert large[1] == 100 * small[1]


def test_a_slow_method_asked_for_is_refused_with_an_alternative():
    with pytest.raises(ResourceError, match=r"HDBSCAN on 1,000,000 rows.*KMeans"):
        make_plan([("HDBSCAN", {"min_samples": 5})], 1_000_000, 50, memory_limit=1 << 40, time_limit=10, explicit=True)


def test_the_automatic_choice_leaves_out_what_is_too_slow():
    tried = [("KMeans", {"n_clusters": 2}), ("HDBSCAN", {"min_samples": 5})]
    plan = make_plan(tried, 1_000_000, 50, memory_limit=1 << 40)
    assert [line.fits for line in plan.candidates] == [True, False]
    assert "would take" in plan.candidates[1].why_not


@pytest.mark.parametrize("seed", range(3))
def test_two_humps_dip_and_one_does_not(seed):
    rng = np.random.default_rng(seed)
    one, flat = rng.normal(size=500), rng.uniform(size=500)
    two = np.r_[rng.normal(0, 1, 250), rng.normal(5, 1, 250)]
    assert dip_significance(dip(two), 500) < 1e-4
    assert dip_significance(dip(one), 500) == 1.0
    assert dip_significance(dip(flat), 500) > 0.01


def test_the_dip_of_two_points_is_a_quarter():
    assert dip(np.r_[np.zeros(50), np.ones(50)] + np.linspace(0, 1e-9, 100)) == pytest.approx(0.25, abs=0.01)


def test_dip_levels_hold_for_uniform_samples():
    rng = np.random.default_rng(0)
    levels = np.array([dip_significance(dip(rng.uniform(size=300)), 300) for _ in range(300)])
    assert (levels < 0.05).mean() <= 0.08


def test_a_ring_around_a_ball_has_a_deep_valley():
    rng = np.random.default_rng(0)
    turn = rng.uniform(0, 2 * np.pi, 300)
    ring = 4 * np.column_stack([np.cos(turn), np.sin(turn)]) + rng.normal(0, 0.1, (300, 2))
    assert valley_depth(np.vstack([ring, rng.normal(0, 0.3, (300, 2))])) > 1.0
    assert valley_depth(rng.normal(size=(600, 2))) < 0.5


@pytest.mark.parametrize("seed", range(2))
def test_independent_categories_are_no_structure(seed):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.integers(0, 2, (600, 4)) * 2.0 - 1, rng.normal(size=(600, 3))])
    assert examine(X, seed=seed)["verdict"] == "none"


def test_categories_that_agree_are_structure():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 600)
    X = np.column_stack([np.where(rng.uniform(size=600) < 0.05, 1 - kind, kind) for _ in range(8)]) * 2.0 - 1
    assert examine(X)["verdict"] == "clusters"


def test_blurring_keeps_the_spread_and_leaves_numbers_alone():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 2, 5000) * 1.0, rng.normal(size=5000)])
    out = blurred(X, rng)
    np.testing.assert_array_equal(out[:, 1], X[:, 1])
    assert out[:, 0].std() == pytest.approx(X[:, 0].std(), rel=0.05)


def test_a_small_group_near_a_large_one_joins_it_and_a_far_one_is_set_aside():
    X = np.r_[np.linspace(-1, 1, 100), np.full(3, 1.5), np.full(3, 40.0), np.linspace(9, 11, 200)][:, None]
    labels = np.repeat([0, 1, 2, 3], [100, 3, 3, 200])
    people = settle(X, labels, min_share=0.05)
    assert people.label_map.tolist() == [1, 1, -1, 0]
    np.testing.assert_array_equal(people.labels, people.label_map[labels])
    assert len(people.record["actions"]) == 2
    assert people.record["noise_rows"] == 3


def test_every_group_is_kept_with_a_minimum_share_of_zero():
    labels = np.repeat([0, 1], [1, 99])
    assert settle(np.arange(100.0)[:, None], labels, min_share=0).label_map.tolist() == [1, 0]


def test_all_noise_stays_noise():
    people = settle(np.zeros((5, 1)), np.full(5, -1))
    assert people.label_map.size == 0
    assert people.record["noise_share"] == 1.0


def test_the_rule_of_a_box_is_the_box():
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 100, (2, 2000)).round()
    views = [View(name, "number", None, column, NONE, ()) for name, column in zip("ab", values, strict=True)]
    inside = (values[0] > 50) & (values[1] <= 50)
    rule = find_rule(make_conditions(views, np.arange(2000)), inside, {view.name: view for view in views})
    assert rule["precision"] > 0.9
    assert rule["coverage"] > 0.9
    assert rule["text"].count(" and ") == 1


def test_no_two_groups_have_the_same_name():
    rng = np.random.default_rng(0)
    view = View("a", "number", None, rng.normal(size=400), NONE, ())
    labels = np.arange(400) % 4
    told = describe([view], rng.normal(size=(400, 2)), labels, np.ones(400))
    assert len({cluster["name"] for cluster in told.clusters}) == 4


def test_rows_that_come_in_turns_have_rules_too():
    rng = np.random.default_rng(4)
    kind = np.arange(300) % 3
    view = View("a", "number", None, kind * 10.0 + rng.normal(size=300), NONE, ())
    conditions = make_conditions([view], np.arange(300))
    found = [find_rule(conditions, kind == i, {"a": view}) for i in range(3)]
    assert all(rule is not None and rule["precision"] > 0.95 for rule in found)


def test_no_rule_is_given_for_a_random_group():
    rng = np.random.default_rng(0)
    view = View("a", "number", None, rng.uniform(size=500), NONE, ())
    inside = rng.uniform(size=500) < 0.3
    assert find_rule(make_conditions([view], np.arange(500)), inside, {"a": view}) is None


def test_a_large_map_keeps_every_group_and_the_noise():
    labels = np.repeat([0, 1, -1], [20_000, 10, 10])
    X = np.random.default_rng(0).normal(size=(len(labels), 3))
    drawn = draw_map(X, labels, max_rows=500)
    shown = unpack(drawn["label"], "<i2")
    assert drawn["n_shown"] == len(shown) <= 500
    assert set(shown) == {0, 1, -1}


def test_the_map_of_separated_groups_keeps_them_apart():
    X, y = make_blobs(300, 8, centers=4, cluster_std=0.5, random_state=0)
    drawn = draw_map(X, y.astype(np.int64))
    points = np.column_stack([unpack(drawn["x"], "<u2"), unpack(drawn["y"], "<u2")]).astype(float)
    centers = np.array([points[y == i].mean(axis=0) for i in range(4)])
    nearest = ((points[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == y).mean() > 0.95


def test_the_knee_is_where_the_curve_turns():
    assert knee(np.r_[np.linspace(1, 1.1, 95), np.linspace(2, 20, 30)]) == pytest.approx(1.1, abs=0.05)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12345.6, None, "12,346"),
        (0.012345, None, "0.0123"),
        (93.4, "$", "$93.4"),
        (7.0, "km", "7 km"),
        (np.nan, None, "unknown"),
    ],
)
def test_numbers_read_well(value, unit, text):
    assert number_text(value, View("x", "number", unit, NONE, NONE, ())) == text


@pytest.mark.parametrize("seed", [6, 57, 68, 87])
def test_the_core_and_the_halo_of_heavy_tails_are_no_groups(seed):
    """K-means parts them, better than it parts most clouds that are drawn to compare with."""
    random = np.random.default_rng((2, seed))
    n, m = int(random.integers(200, 2_000)), (2, 3, 5, 8, 12, 20, 35, 50)[seed % 8]
    X = random.standard_normal((n, m))
    X /= np.sqrt(random.chisquare(3, size=(n, 1)) / 3)
    assert examine((X - X.mean(axis=0)) / X.std(axis=0))["verdict"] == "none"
