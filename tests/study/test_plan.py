"""What a plan says before a study runs, and how wide tables are kept from costing more than they tell."""

import json
import subprocess
import sys

import numpy as np
import pytest

from coterie.metrics import adjusted_rand_score
from coterie.study import choose, plan, speed
from coterie.study import map as maps
from coterie.study.choose import candidates_for
from coterie.study.describe import _telling
from coterie.study.estimators import final
from coterie.study.plan import make_plan, selection_rows
from coterie.study.record import even_rows
from coterie.study.turned import turned
from coterie.study.values import View

MEASURE = """
import json, re, numpy as np, coterie
random = np.random.default_rng(0)
analysis = coterie.run(random.standard_normal((2000, 5)) + 6 * random.integers(0, 3, (2000, 1)))
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
print(json.dumps([analysis.record["plan"][name] for name in ("least_bytes", "bytes")] + [peak]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
def test_the_bytes_planned_are_the_peak_of_the_process():
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    least, most, peak = json.loads(done.stdout.splitlines()[-1])
    assert least / 1.3 < peak < most * 1.3


def test_a_slow_machine_says_more_seconds_and_tries_the_same(monkeypatch):
    tried = candidates_for(np.zeros((1, 30)), 5_000)
    found = []
    for slower in (1.0, 10.0):
        monkeypatch.setattr(plan, "slowness", lambda slower=slower: slower)
        found.append(make_plan(tried, 100_000, 30, memory_limit=1 << 40))
    assert [line.fits for line in found[0].candidates] == [line.fits for line in found[1].candidates]
    assert found[1].seconds == pytest.approx(10 * found[0].seconds, rel=0.01)


def test_seconds_count_what_is_still_to_be_compiled(monkeypatch):
    found = []
    for cached in (True, False):
        monkeypatch.setattr(speed, "is_cached", lambda name, cached=cached: cached)
        found.append([make_plan([("KMeans", {})], n, 2, memory_limit=1 << 40) for n in (100, 2_000, 8_000)])
    assert [line.compiling for line in found[0]] == [0, 0, 0]
    told = [line.compiling / plan.slowness() for line in found[1]]
    assert told == pytest.approx([6.5, 8.5, 12.0], abs=0.05)
    assert found[1][1].seconds - found[0][1].seconds == pytest.approx(found[1][1].compiling, abs=0.05)


@pytest.mark.parametrize(
    ("params", "shape", "starts"),
    [
        ({"n_clusters": 6}, (2_000, 11), 10),
        ({"n_clusters": 6}, (120_000, 11), 5),
        ({}, (10**7, 50), 3),
        ({"n_init": 1}, (9, 2), 1),
    ],
)
def test_the_kept_fit_of_kmeans_has_more_starts_where_they_cost_little(params, shape, starts):
    assert final("KMeans", params, *shape)["n_init"] == starts
    assert final("Birch", params, *shape) == params


def test_a_limit_of_the_user_counts_the_seconds_of_this_machine(monkeypatch):
    tried = [("KMeans", {"n_clusters": 8}), ("HDBSCAN", {"min_samples": 5})]
    monkeypatch.setattr(plan, "slowness", lambda: 1.0)
    limit = 1.5 * make_plan(tried, 30_000, 40, memory_limit=1 << 40).candidates[1].seconds
    fits = []
    for slower in (1.0, 5.0):
        monkeypatch.setattr(plan, "slowness", lambda slower=slower: slower)
        planned = make_plan(tried, 30_000, 40, memory_limit=1 << 40, time_limit=limit)
        fits.append([line.fits for line in planned.candidates])
    assert fits == [[True, True], [True, False]]


def test_settings_that_share_a_tree_are_planned_as_one_tree():
    alone, shared = (
        make_plan(
            [("HDBSCAN", {"min_cluster_size": size, "min_samples": 5}) for size in sizes],
            5_000,
            200,
            memory_limit=1 << 40,
        )
        for sizes in ((10,), (10, 20, 40, 80))
    )
    assert shared.seconds < 1.5 * alone.seconds


@pytest.mark.parametrize(("m", "rows"), [(2, 8_000), (50, 5_000), (500, 5_000), (1_000, 2_500), (5_000, 1_000)])
def test_methods_are_compared_on_fewer_rows_of_wide_tables(m, rows):
    assert selection_rows(1_000_000, m, "auto") == rows


def test_turned_rows_have_the_same_distances_in_fewer_columns():
    X = np.random.default_rng(0).standard_normal((40, 300)) + 100
    Z = turned(X)
    assert Z.shape == (40, 40)
    distances = [((A[:, None] - A) ** 2).sum(axis=2) for A in (X, Z)]
    np.testing.assert_allclose(distances[1], distances[0], rtol=1e-9, atol=1e-9)
    assert turned(X[:, :50]) is not X[:, :50]
    narrow = X[:, :50]
    assert turned(narrow) is narrow


def test_a_wide_table_gets_the_choice_that_its_columns_get(monkeypatch):
    """Turned or not, the same candidate wins with the same labels."""
    random = np.random.default_rng(1)
    X = random.standard_normal((90, 200)) + 2 * random.standard_normal((3, 200))[np.arange(90) % 3]
    found = []
    for replaced in (turned, lambda Z: Z):
        monkeypatch.setattr(choose, "turned", replaced)
        choice = choose.choose(X, candidates_for(X, len(X)), seed=0)
        found.append(choice.candidates[choice.winner])
    assert (found[0].method, found[0].params) == (found[1].method, found[1].params)
    assert adjusted_rand_score(found[0].labels, found[1].labels) == 1.0


def test_the_axes_of_a_wide_table_are_its_principal_ones(monkeypatch):
    random = np.random.default_rng(2)
    X = random.standard_normal((200, 2)) * [9, 4] @ np.linalg.qr(random.standard_normal((60, 2)))[0].T
    X += 0.1 * random.standard_normal(X.shape)
    narrow = maps._principal_axes(X, X.mean(axis=0))[:, :2]
    monkeypatch.setattr(maps, "WIDE", 50)
    monkeypatch.setattr(maps, "LEADING", 10)
    wide = maps._principal_axes(X[::4], X[::4].mean(axis=0))
    np.testing.assert_allclose(wide.T @ wide, np.eye(10), atol=1e-9)
    assert np.linalg.svd(narrow.T @ wide[:, :2])[1].min() > 0.99


def test_a_wide_table_with_groups_is_mapped_on_a_plane_that_parts_them(monkeypatch):
    random = np.random.default_rng(3)
    labels = np.arange(120) % 3
    X = random.standard_normal((120, 80)) + 1.2 * random.standard_normal((3, 80))[labels]
    monkeypatch.setattr(maps, "WIDE", 50)
    drawn = maps.draw_map(X, labels, feature_names=tuple(f"c{i}" for i in range(80)))
    points = np.column_stack([maps.unpack(drawn[name], "<u2") for name in ("x", "y")]).astype(float)
    centers = np.array([points[labels == i].mean(axis=0) for i in range(3)])
    nearest = ((points[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == labels).mean() > 0.95


def test_rules_of_many_columns_are_looked_for_in_the_telling_ones():
    random = np.random.default_rng(4)
    labels = np.arange(300) % 2
    empty = np.empty(0)
    noise = [View(f"n{i}", "number", None, random.standard_normal(300), empty, ()) for i in range(150)]
    number = View("number", "number", None, labels + 0.1 * random.standard_normal(300), empty, ())
    level = View("level", "category", None, empty, labels, ("no", "yes"))
    kept = _telling([*noise, number, level], np.arange(300), labels, 2)
    assert len(kept) == 100
    assert {"number", "level"} <= {view.name for view in kept}


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "most"), [(5, 3, 5), (10_000, 3, 300), (10_000, 1_000, 100), (10_000, 9_000, 20)]
)
def test_fewer_rows_are_kept_of_wide_tables(n_rows, n_columns, most):
    rows = even_rows(n_rows, n_columns)
    assert len(rows) == most
    assert rows[0] == 0
    assert rows[-1] == n_rows - 1
