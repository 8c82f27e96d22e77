"""The walk of OPTICS against scikit-learn and against the definition, ties included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import compute_optics_graph
from sklearn.metrics import pairwise_distances

from coterie.primitives._numba import prim
from coterie.primitives.engine import threads
from coterie.primitives.reachability import decimals_of, reachability_of_distances, reachability_order

LATTICES = arrays(
    np.float64, st.tuples(st.integers(2, 80), st.integers(1, 4)), elements=st.sampled_from([0.0, 0.1, 0.3, 1.0, 2.0])
)


def by_sklearn(X, min_samples, max_eps=np.inf):
    ordering, core, reach, predecessor = compute_optics_graph(
        X, min_samples=min_samples, max_eps=max_eps, metric="minkowski", p=2, metric_params=None,
        algorithm="kd_tree", leaf_size=30, n_jobs=None,
    )  # fmt: skip
    return ordering, reach, core, predecessor


def assert_same_walk(one, other):
    for name, ours, theirs in zip(("ordering", "reachability", "core", "predecessor"), one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


def rows(kind, random):
    n, d = int(random.integers(12, 160)), int(random.integers(1, 5))
    if kind == "lattice":
        return random.integers(0, 5, size=(n, d)).astype(float)
    if kind == "tenths":
        return np.round(random.normal(size=(n, d)), 1)
    if kind == "groups":
        return 0.3 * random.normal(size=(n, d)) + 5.0 * random.integers(0, 3, size=(n, 1))
    if kind == "repeats":
        return np.concatenate([random.normal(size=(n, d)), np.repeat(random.normal(size=(1, d)), n // 2, axis=0)])
    return random.normal(size=(n, d))


@pytest.mark.filterwarnings("ignore:All reachability values are inf")
@pytest.mark.parametrize("kind", ["round", "lattice", "tenths", "groups", "repeats"])
@pytest.mark.parametrize("seed", range(30))
def test_the_walk_is_that_of_scikit_learn_bit_by_bit(kind, seed):
    random = np.random.default_rng(seed)
    X = rows(kind, random)
    min_samples, max_eps = int(random.integers(2, 12)), np.inf if seed % 3 else float(random.uniform(0.1, 2.0))
    assert_same_walk(reachability_order(X, min_samples, max_eps), by_sklearn(X, min_samples, max_eps))


@pytest.mark.parametrize("seed", range(6))
def test_the_walk_with_boruvkas_tree_is_the_same(seed, monkeypatch):
    X = rows("tenths", np.random.default_rng(seed))
    expected = reachability_order(X, 4)
    monkeypatch.setattr("coterie.primitives._numba.spanning_tree.MOST_ROWS", 0)
    assert len(X) < prim.MOST_ROWS
    assert_same_walk(reachability_order(X, 4), expected)


@settings(max_examples=60, deadline=None)
@given(LATTICES, st.integers(2, 9), st.sampled_from([np.inf, 0.3, 1.0]))
def test_tree_and_distance_rows_walk_the_same_way(X, min_samples, max_eps):
    distances = pairwise_distances(X, metric="minkowski")
    core = np.sort(distances, axis=1)[:, min(min_samples, len(X)) - 1]
    expected = reachability_of_distances(distances.__getitem__, core, max_eps)
    assert_same_walk(reachability_order(X, min(min_samples, len(X)), max_eps), expected)


@pytest.mark.parametrize("n", [300, 6000])
def test_every_row_is_reached_by_the_definition(n):
    X = np.random.default_rng(n).normal(size=(n, 2)).round(2)
    walk = reachability_order(X, 5)
    position = np.empty(n, np.int64)
    position[walk.ordering] = np.arange(n)
    assert sorted(walk.ordering.tolist()) == list(range(n))
    reached = walk.predecessor >= 0
    np.testing.assert_array_equal(np.flatnonzero(~reached), walk.ordering[:1])
    source = walk.predecessor[reached]
    assert (position[source] < position[reached]).all()
    straight = np.sqrt(((X[reached] - X[source]) ** 2).sum(axis=1))
    np.testing.assert_allclose(
        walk.reachability[reached], np.maximum(straight, walk.core_distances[source]), rtol=0, atol=2e-15
    )


@pytest.mark.parametrize("n_threads", [2, 4])
def test_threads_change_nothing(n_threads):
    X = np.random.default_rng(5).normal(size=(9000, 2)).round(2)
    with threads(1):
        expected = reachability_order(X, 6)
    with threads(n_threads):
        assert_same_walk(reachability_order(X, 6), expected)


@pytest.mark.parametrize("exponent", [-200, -60, 60, 250])
def test_a_power_of_two_scales_the_walk(exponent):
    X = np.random.default_rng(3).normal(size=(300, 2))
    factor = 2.0**exponent
    plain, scaled = reachability_order(X, 4), reachability_order(X * factor, 4)
    np.testing.assert_array_equal(scaled.ordering, plain.ordering)
    np.testing.assert_array_equal(scaled.predecessor, plain.predecessor)
    # 15 digits of the largest core distance.
    np.testing.assert_allclose(scaled.reachability / factor, plain.reachability, rtol=1e-12)


@pytest.mark.parametrize(
    ("largest", "decimals"), [(1.0, 15), (1e-6, 15), (1e-9, 24), (1e150, 15), (1e250, None), (0.0, None)]
)
def test_decimals_are_those_of_scikit_learn_save_for_tiny_data(largest, decimals):
    assert decimals_of(largest) == decimals


def test_tensors_walk_as_arrays_do():
    torch = pytest.importorskip("torch")
    X = np.random.default_rng(8).normal(size=(400, 3))
    assert_same_walk(reachability_order(torch.as_tensor(X), 5), reachability_order(X, 5))
