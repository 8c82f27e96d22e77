"""STING: statistics of every level, clusters, queries and chunks, against NumPy, SciPy and the paper's example."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from sklearn.metrics import adjusted_rand_score

import coterie
from coterie import DBSCAN, STING
from coterie.errors import InputError, ResourceError
from coterie.grid import merge_cells
from coterie.grid.sting import finalize, merge, partial
from coterie.primitives.components import number_sets
from coterie.primitives.engine import threads

PAPER = [
    (100, 20.1, 2.3, 4.5, 36, "normal"),
    (50, 19.7, 2.2, 5.5, 34, "normal"),
    (60, 21.0, 2.4, 3.8, 37, "normal"),
    (10, 20.5, 2.1, 7.0, 40, "none"),
]
STATE = ("labels_", "box_", "_coords", "_counts", "_first", "_sums", "_extremes", "_bins", "_cells", "_cell_labels")


def data(seed=0, n=400, d=2):
    random = np.random.default_rng(seed)
    centers = random.uniform(-5, 5, (3, d))
    X = centers[random.integers(3, size=n)] + random.normal(0, 0.6, (n, d))
    X[::9] = random.uniform(-7, 7, X[::9].shape)
    return X


def place_of(X, model, level):
    """Cells of a level by their definition."""
    low, high = model.box_
    share = (X - low) / np.where(high > low, high - low, 1)
    bottom = np.minimum((share * model.n_cells_).astype(int), model.n_cells_ - 1)
    return bottom >> (len(model.levels_) - 1 - level)


# ---- statistics


@pytest.mark.parametrize("n_cells", [1, 2, 5, 8])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_statistics_of_every_level_are_those_of_its_rows(n_cells, offset):
    X = data() + offset
    model = STING(n_cells, 1).fit(X)
    for number, level in enumerate(model.levels_):
        places = place_of(X, model, number)
        assert level.n.sum() == len(X)
        for cell in range(len(level.n)):
            mine = X[(places == level.coords[cell]).all(axis=1)]
            assert level.n[cell] == len(mine)
            np.testing.assert_array_equal(level.min[cell], mine.min(axis=0))
            np.testing.assert_array_equal(level.max[cell], mine.max(axis=0))
            np.testing.assert_allclose(level.mean[cell], mine.mean(axis=0), rtol=1e-9, atol=1e-13)
            np.testing.assert_allclose(level.std[cell], mine.std(axis=0), rtol=1e-8, atol=1e-9 if offset else 1e-14)


def test_levels_halve_and_end_in_the_root():
    model = STING(9, 1).fit(data())
    assert [int(level.coords.max()) + 1 for level in model.levels_] == [1, 2, 3, 5, 9]
    assert model.root_.n == 400
    for above, below in zip(model.levels_, model.levels_[1:]):
        np.testing.assert_array_equal(above.coords[below.parent], below.coords >> 1)
        np.testing.assert_array_equal(np.bincount(below.parent, weights=below.n), above.n)


def test_attributes_need_not_be_axes():
    random = np.random.default_rng(1)
    X = np.column_stack([data(), random.normal(50, 3, 400), random.random(400)])
    model = STING(4, 1, axes=[1, 0], attributes=[3, 1]).fit(X)
    assert model.n_cells_.tolist() == [4, 4]
    np.testing.assert_allclose(model.root_.mean, X[:, [3, 1]].mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(model.labels_, STING(4, 1).fit(X[:, [1, 0]]).labels_)


def test_columns_may_be_named():
    table = pd.DataFrame(np.column_stack([data(), np.arange(400.0)]), columns=["east", "north", "price"])
    model = STING(4, 1, axes=["east", "north"], attributes=["price"]).fit(table)
    assert model.root_.max == [399.0]
    assert model.query({"price": (0, 399)}).n.sum() == 400


@pytest.mark.parametrize(
    ("kind", "draw"),
    [
        ("normal", lambda random: random.normal(5, 2, 3000)),
        ("uniform", lambda random: random.uniform(-1, 4, 3000)),
        ("exponential", lambda random: random.exponential(3, 3000)),
        ("none", lambda random: np.repeat([0.0, 1.0], 1500) + random.normal(0, 0.01, 3000)),
    ],
)
def test_the_kind_of_distribution_is_recognised(kind, draw):
    X = draw(np.random.default_rng(3))[:, None]
    assert STING(1, 1).fit(X).root_.dist.tolist() == [kind]


def test_few_or_equal_rows_have_no_kind_of_distribution():
    assert STING(1, 1).fit(np.random.default_rng(0).random((49, 1))).root_.dist[0] == "none"
    assert STING(1, 1).fit(np.ones((500, 1))).root_.dist[0] == "none"


def test_a_given_kind_of_distribution_is_not_tested():
    assert set(STING(2, 1, distribution="normal").fit(data()).levels_[-1].dist.ravel()) == {"normal"}


# ---- parents from children


def test_the_example_of_the_paper_with_its_deviation_put_right():
    parent = merge_cells(PAPER)
    assert parent.n == 220
    assert parent.mean == pytest.approx(20.2727, abs=1e-4)
    assert (parent.min, parent.max, parent.dist) == (3.8, 40.0, "normal")
    # The paper prints 2.37, from the square of a mean that was rounded before.
    assert parent.std == pytest.approx(2.3475, abs=1e-4)
    assert np.sqrt(sum(n * (s**2 + m**2) for n, m, s, *_ in PAPER) / 220 - 20.27**2) == pytest.approx(2.37, abs=0.01)


def test_children_may_be_tuples_mappings_or_cells():
    names = ("n", "mean", "std", "min", "max", "dist")
    expected = merge_cells(PAPER)
    assert merge_cells([dict(zip(names, child)) for child in PAPER]) == expected
    assert merge_cells([coterie.grid.merge_cells([child]) for child in PAPER])[:5] == pytest.approx(expected[:5])
    assert expected["mean"] == expected.mean


@pytest.mark.parametrize("seed", range(20))
def test_merged_statistics_are_those_of_all_rows(seed):
    random = np.random.default_rng(seed)
    groups = [random.normal(1e6, 1, (random.integers(1, 40), 3)) for _ in range(4)]
    children = [(len(g), g.mean(axis=0), g.std(axis=0), g.min(axis=0), g.max(axis=0), ["none"] * 3) for g in groups]
    everything = np.concatenate(groups)
    parent = merge_cells([*children, (0, *[np.full(3, np.nan)] * 4, ["none"] * 3)])
    np.testing.assert_allclose(parent.mean, everything.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(parent.std, everything.std(axis=0), rtol=1e-8)
    assert parent.max.tolist() == everything.max(axis=0).tolist()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"n": 10, "dist": "none"}, "normal"),
        ({"n": 30, "dist": "none"}, "none"),
        ({"n": 10, "mean": 27.0}, "none"),
        ({"n": 10, "std": 9.0}, "none"),
        ({"n": 300, "dist": "UNIFORM"}, "none"),
    ],
)
def test_a_parent_keeps_the_kind_of_most_rows_unless_too_many_contradict(change, kind):
    like = {"n": 100, "mean": 20.0, "std": 2.0, "min": 1, "max": 40, "dist": "NORMAL"}
    assert merge_cells([like, like, like | change]).dist == kind


def test_the_threshold_of_contradiction_may_be_chosen():
    assert merge_cells(PAPER, threshold=0.04).dist == "none"


@pytest.mark.parametrize(("cells", "says"), [([], "at least one"), ([(1, 0, 0, 0, 0, "gamma")], "gamma")])
def test_unusable_children_are_refused(cells, says):
    with pytest.raises(InputError, match=says):
        merge_cells(cells)


# ---- clusters


@pytest.mark.parametrize("seed", range(200))
def test_clusters_are_components_of_relevant_cells(seed):
    random = np.random.default_rng(seed)
    d, n_cells, least = random.integers(1, 4), random.integers(2, 12), random.integers(1, 5)
    connectivity = ("face", "full")[seed % 2]
    X = data(seed, 300, d)
    model = STING(int(n_cells), int(least), connectivity=connectivity).fit(X)
    places = place_of(X, model, len(model.levels_) - 1)
    counts = np.zeros(model.n_cells_)
    np.add.at(counts, tuple(places.T), 1)
    structure = ndimage.generate_binary_structure(d, d if connectivity == "full" else 1)
    named = ndimage.label(counts >= least, structure)[0][tuple(places.T)]
    np.testing.assert_array_equal(model.labels_, number_sets(named.astype(np.int64) - 1))
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_rows_on_the_upper_edge_are_in_the_last_cell():
    model = STING(4, 1).fit(np.array([[0.0], [1.0], [3.9], [4.0]]))
    assert model.levels_[-1].coords.ravel().tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    "name", ["wut/circles", "wut/x1", "wut/smile", "fcps/hepta", "fcps/target", "sipu/spiral", "graves/ring_outliers"]
)
def test_the_defaults_find_the_groups_of_real_benchmarks(shared_data, name):
    folder = shared_data / "clustering"
    X = np.loadtxt(folder / f"{name}.data.gz", ndmin=2)
    truth = np.loadtxt(folder / f"{name}.labels0.gz")
    kept = truth > 0
    assert adjusted_rand_score(truth[kept], STING().fit(X).labels_[kept]) > 0.95


def test_many_groups_are_found_though_each_is_less_than_a_fiftieth_of_the_rows():
    random = np.random.default_rng(0)
    truth = random.integers(81, size=30_000)
    X = 10.0 * np.stack([truth // 9, truth % 9], axis=1) + random.normal(size=(len(truth), 2))
    labels = STING().fit(X).labels_
    assert (np.bincount(labels + 1)[1:] > 100).sum() == 81
    assert adjusted_rand_score(truth, labels) > 0.9


def labels_within(inner, outer):
    """Whether each group of ``inner`` lies in one group of ``outer``, without noise."""
    pairs = np.unique(np.stack([inner, outer], axis=1)[inner >= 0], axis=0)
    return len(np.unique(pairs[:, 0])) == len(pairs) and (pairs[:, 1] >= 0).all()


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("connectivity", ["face", "full"])
def test_clusters_of_small_cells_lie_within_those_of_dbscan(seed, connectivity):
    # Two cells that touch are at most eps across: their rows are core points that reach each other.
    X, d, eps, least = data(seed, 400, 1 + seed % 2), 1 + seed % 2, 1.5, 4
    across = np.sqrt(d + 3) if connectivity == "face" else 2 * np.sqrt(d)
    n_cells = int(np.ceil(16 * across / eps)) + 1
    found = STING(n_cells, least, box=(-8, 8), connectivity=connectivity).fit(X).labels_
    assert found.max() >= 0
    assert labels_within(found, DBSCAN(eps=eps, min_samples=least).fit(X).labels_)


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("min_samples", [1, 5])
def test_clusters_of_dbscan_lie_within_those_of_wide_cells(seed, min_samples):
    # Rows within eps of each other lie in cells that touch, where cells are wider than eps.
    X, eps = data(seed, 200, 1 + seed % 3), 0.7
    found = STING(int(16 / eps), 1, box=(-8, 8), connectivity="full").fit(X).labels_
    assert labels_within(DBSCAN(eps=eps, min_samples=min_samples).fit(X).labels_, found)


def test_cells_asked_for_keep_small_clusters_and_cells_chosen_do_not():
    X = np.concatenate([data(), [[30.0, 30.0]]])
    assert STING(8, 1).fit(X).labels_[-1] > 0
    assert STING().fit(X).labels_[-1] == -1


# ---- chunks


@pytest.mark.parametrize("size", [1, 7, 150, 400])
@pytest.mark.parametrize(
    "parameters",
    [
        {"n_cells": 9, "min_points": 3, "box": ([-8, -8], [8, 8])},
        {"n_cells": 9, "box": (-8, 8)},
        {"n_cells": 9, "min_points": 3},
        {"min_points": 2},
        {},
    ],
    ids=["box and cells", "threshold chosen", "no box", "cells chosen", "nothing given"],
)
def test_chunks_of_any_size_give_the_bits_of_one_fit(size, parameters):
    X = data()
    if size < 100:
        X = X[: 13 * size]
    whole, parts = STING(**parameters).fit(X), STING(**parameters)
    for start in range(0, len(X), size):
        parts.partial_fit(X[start : start + size])
    np.testing.assert_array_equal(parts.predict(X), whole.labels_)
    for name in STATE[1:]:
        assert getattr(parts, name).tobytes() == getattr(whole, name).tobytes(), name
    assert parts.min_points_ == whole.min_points_


def test_states_merge_in_any_tree():
    X = data(n=300)
    grid, attributes = STING(6, 1).fit(X)._grid(), np.arange(2)
    a, b, c = (partial(block, grid, attributes) for block in np.split(X, 3))
    left, right = merge(merge(a, b), c), merge(a, merge(b, c))
    for one, other in zip((*left.counts, *left.sums), (*right.counts, *right.sums), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(finalize(left, grid, attributes)[0].mean[0], X.mean(axis=0), rtol=1e-13)


@pytest.mark.parametrize("size", [33, 1000])
def test_a_function_that_gives_blocks_is_fitted_like_the_whole(size, tmp_path):
    X = data()
    np.save(tmp_path / "rows.npy", X)
    stored = np.load(tmp_path / "rows.npy", mmap_mode="r")
    model = STING(8).fit(lambda: (stored[i : i + size] for i in range(0, 400, size)))
    np.testing.assert_array_equal(model.labels_, STING(8).fit(X).labels_)
    np.testing.assert_array_equal(STING(8).fit(stored).labels_, model.labels_)


def test_a_function_that_gives_nothing_is_refused():
    with pytest.raises(InputError, match="no blocks"):
        STING().fit(lambda: iter([]))


def test_blocks_of_different_width_are_refused():
    with pytest.raises(InputError, match="2 and then 3"):
        STING(4).fit(lambda: iter([np.ones((2, 2)), np.ones((2, 3))]))


def test_rows_outside_the_box_are_counted_said_and_noise():
    model = STING(4, 1, box=(0, 1))
    with pytest.warns(UserWarning, match="2 of 4 rows lie outside the box"):
        model.fit(np.array([[0.1], [0.9], [1.5], [-2.0]]))
    assert model.n_outside_ == 2
    assert model.labels_.tolist() == [0, 1, -1, -1]
    with pytest.warns(UserWarning, match="3 of 5"):
        model.partial_fit([[7.0]])


def test_fit_then_partial_fit_inserts_into_the_cells_there_are():
    X = data()
    inner = X[1:] * 0.9
    model = STING(5, 2).fit(X).partial_fit(inner)
    chosen = STING().fit(X)
    again = STING(int(chosen.n_cells_[0]), connectivity="full").fit(np.concatenate([X, inner]))
    assert chosen.partial_fit(inner).min_points_ == again.min_points_
    assert model.root_.n == 799
    assert model.n_cells_.tolist() == [5, 5]
    assert model.box_.tolist() == [X.min(axis=0).tolist(), X.max(axis=0).tolist()]


@pytest.mark.parametrize("n_threads", [2, 4])
def test_the_number_of_threads_changes_no_bit_of_the_state(n_threads):
    X = data(n=90_000)
    with threads(1):
        one = STING(60, 3).fit(X)
    with threads(n_threads):
        other = STING(60, 3).fit(X)
    assert all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in STATE)


def test_a_saved_model_goes_on_learning(tmp_path):
    X = data()
    model = STING(6, 2, box=(-8, 8)).fit(X[:200])
    again = coterie.load(coterie.save(model, tmp_path / "sting.coterie")).estimator
    again.partial_fit(X[200:])
    np.testing.assert_array_equal(again.predict(X), STING(6, 2, box=(-8, 8)).fit(X).labels_)
    assert again.query({0: (0, 3)}).n.sum() > 0


@pytest.mark.parametrize("parameters", [{}, {"n_cells": 6, "min_points": 2}])
@pytest.mark.parametrize("d", [1, 3, 30])
def test_a_tensor_gives_the_labels_and_the_state_of_its_array(parameters, d):
    torch = pytest.importorskip("torch", reason="the second engine is PyTorch's")
    X = data(d=d)
    model, other = STING(**parameters).fit(X), STING(**parameters).fit(torch.from_numpy(X))
    assert isinstance(other.labels_, torch.Tensor)
    np.testing.assert_array_equal(other.labels_.numpy(), model.labels_)
    np.testing.assert_array_equal(other.predict(torch.from_numpy(X)).numpy(), model.labels_)
    assert all(getattr(other, name).tobytes() == getattr(model, name).tobytes() for name in STATE[1:])
    other.partial_fit(torch.from_numpy(X[:50]))
    assert other.root_.n == 450


# ---- queries


def test_a_box_of_whole_cells_has_the_statistics_of_its_rows():
    X = np.random.default_rng(0).uniform(0, 8, (900, 2))
    model = STING(8, 1, box=(0, 8)).fit(X)
    inside = X[((X >= [1, 2]) & (X < [5, 4])).all(axis=1)]
    found = model.region([1, 2], [5, 4])
    assert found.n == len(inside)
    np.testing.assert_allclose(found.mean, inside.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.std, inside.std(axis=0), rtol=1e-12)
    assert found.max.tolist() == inside.max(axis=0).tolist()
    everything = model.region(-np.inf, np.inf)
    assert (everything.n, everything.mean.tolist()) == (900, model.root_.mean.tolist())


def test_an_empty_region_has_no_rows():
    found = STING(8, 1, box=(0, 8)).fit(np.full((9, 2), 0.5)).region([5, 5], [7, 7])
    assert found.n == 0
    assert np.isnan(found.mean).all()


def hot_spot():
    """Heat of 1 everywhere, but 9 in one small cell of 16 x 16."""
    x, y = np.meshgrid(np.arange(64) / 64, np.arange(64) / 64)
    X = np.column_stack([x.ravel(), y.ravel(), np.ones(4096)])
    X[(X[:, 0] >= 0.5) & (X[:, 0] < 0.5625) & (X[:, 1] < 0.0625), 2] = 9.0
    return STING(16, 5, axes=[0, 1], box=([0, 0, 0], [1, 1, 9])).fit(X)


def test_a_hot_spot_in_a_cold_cell_is_found_and_little_else_looked_at():
    model = hot_spot()
    found = model.query({2: (8, 10)}, share=0.9)
    assert found.coords.tolist() == [[8, 0]]
    assert found.n.tolist() == [16]
    np.testing.assert_allclose(found.low, [[0.5, 0.0]])
    assert found.visited == (1, 4, 4, 4, 4)
    assert len(model.query({2: (8, 10)}, share=0.9, pruning="paper").n) == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_query_of_a_share_near_none_or_all_finds_the_cells_of_brute_force(seed):
    random = np.random.default_rng(seed)
    X = np.column_stack([random.random((600, 2)), random.integers(0, 2, 600)])
    X[:, 2] = np.where(random.random(600) < 0.9, X[:, 0] > 0.5, X[:, 2])  # constant in most cells
    model = STING(8, 1, axes=[0, 1], distribution="none").fit(X)
    found = model.query({2: (1, 1)}, share=1e-9, density=None)
    places = place_of(X[:, :2], STING(8, 1).fit(X[:, :2]), 3)
    some = np.unique(places[X[:, 2] == 1], axis=0)
    np.testing.assert_array_equal(found.coords, some)


def test_all_conditions_must_hold_and_a_region_confines_them():
    X = np.random.default_rng(5).uniform(0, 8, (4000, 2))
    model = STING(8, 1, box=(0, 8)).fit(X)
    found = model.query({0: (2, 4), 1: (None, 3)}, share=0.99, region=([0, 1], [8, 8]))
    assert found.coords.tolist() == [[2, 1], [2, 2], [3, 1], [3, 2]]
    assert set(found.regions.tolist()) == {0}
    assert found.shares.shape == (4, 2)


def test_density_is_per_unit_of_area():
    X = np.concatenate([np.full((9, 2), 0.5), np.full((3, 2), 7.5)])
    model = STING(4, 1, box=(0, 8)).fit(X)
    assert model.query(density=2.0).n.tolist() == [9]  # cells of 2 by 2: eight rows at least
    assert model.query(density=0.75).n.tolist() == [9, 3]


@pytest.mark.parametrize("distribution", ["normal", "uniform", "exponential"])
def test_shares_are_estimated_from_the_distribution(distribution):
    random = np.random.default_rng(0)
    draws = {"normal": random.normal, "uniform": random.uniform, "exponential": random.exponential}
    X = draws[distribution](size=(4000, 1))
    model = STING(1, 1, distribution=distribution).fit(X)
    middle = np.quantile(X, [0.2, 0.7])
    assert model.query({0: tuple(middle)}, share=0.0).shares[0, 0] == pytest.approx(0.5, abs=0.03)


def test_a_higher_confidence_keeps_more_cells():
    X = np.column_stack([np.random.default_rng(1).random((3000, 1)), np.random.default_rng(2).normal(size=3000)])
    model = STING(16, 1, axes=[0], distribution="normal").fit(X)
    sizes = [len(model.query({1: (0.2, None)}, share=0.47, confidence=c).n) for c in (0.1, 0.9, 0.9999)]
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"ranges": {7: (0, 1)}}, "columns"),
        ({"ranges": {1: (0, 1)}}, "no attribute"),
        ({"ranges": {0: (1, 0)}}, "low <= high"),
        ({"pruning": "none"}, "pruning"),
        ({"region": (np.nan, 1)}, "numbers"),
    ],
)
def test_an_unusable_query_is_refused(arguments, says):
    with pytest.raises(InputError, match=says):
        STING(4, 1, attributes=[0]).fit(data()).query(**arguments)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"n_cells": 0}, "n_cells"),
        ({"n_cells": [4, 4, 4]}, "n_cells"),
        ({"n_cells": 2.5}, "n_cells"),
        ({"box": (1, 0)}, "box"),
        ({"box": ([0, 0, 0], [1, 1, 1])}, "box"),
        ({"axes": [0, 0]}, "axes"),
        ({"axes": []}, "axes"),
        ({"attributes": ["height"]}, "attributes"),
        ({"min_points": 0}, "min_points"),
        ({"confidence": 1.0}, "confidence"),
    ],
)
def test_an_unusable_parameter_is_refused(parameters, says):
    with pytest.raises(ValueError, match=says):
        STING(**parameters).fit(data())


def test_statistics_that_would_not_fit_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr("coterie.grid.sting._MOST_BYTES", 1000)
    with pytest.raises(ResourceError, match="attributes"):
        STING(8, 1).fit(data())
