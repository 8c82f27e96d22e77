"""Questions about one radius against a plain loop over all pairs, on lattices with ties exactly at the radius and worse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.errors import InputError, ResourceError
from coterie.primitives.components import number_sets
from coterie.primitives.engine import threads
from coterie.primitives.radius import (
    nearest_within,
    pair_index,
    radius_components,
    radius_counts,
    radius_graph,
    radius_index,
)


def all_distances2(A, B):
    """Squared distances, added up feature by feature in the type of the rows."""
    total = np.zeros((len(A), len(B)), A.dtype)
    for f in range(A.shape[1]):
        gap = A[:, f][:, None] - B[:, f][None, :]
        total += gap * gap
    return total


def components_of(near, mask):
    label = np.where(mask, np.arange(len(mask)), -1)
    near = near & mask[:, None] & mask[None, :]
    while True:
        lowest = np.where(near, label[None, :], len(mask)).min(axis=1, initial=len(mask))
        new = np.where(mask, np.minimum(lowest, label), -1)
        if (new == label).all():
            return number_sets(label)
        label = new


def nearest_of(queries, X, mask, limit2):
    distances2 = np.where(mask, all_distances2(queries, X), np.inf)
    order = np.lexsort((np.arange(len(X)), *X.T[::-1]))
    place = order[distances2[:, order].argmin(axis=1)]
    found = distances2[np.arange(len(queries)), place]
    return np.where(found <= limit2, place, -1), np.where(found <= limit2, found, np.inf)


def make_rows(kind, n, d, random, dtype):
    if kind == "lattice":
        return random.integers(0, 5, size=(n, d)).astype(dtype)
    if kind == "tenths":
        return (random.integers(0, 9, size=(n, d)) * 0.1).astype(dtype)
    if kind == "duplicates":
        return random.normal(size=(max(1, n // 8), d))[random.integers(0, max(1, n // 8), size=n)].astype(dtype)
    if kind == "far from zero":
        return (random.normal(size=(n, d)) + 1e5).astype(dtype)
    if kind == "one long side":
        return (random.normal(size=(n, d)) * np.r_[1e4, np.full(d - 1, 1e-3)]).astype(dtype)
    centers = random.uniform(-5, 5, size=(4, d))
    return (centers[random.integers(0, 4, size=n)] + 0.4 * random.normal(size=(n, d))).astype(dtype)


KINDS = ["blobs", "lattice", "tenths", "duplicates", "far from zero", "one long side"]
CASE = {
    "kind": st.sampled_from(KINDS),
    "seed": st.integers(0, 2**20),
    "n": st.integers(1, 250),
    "d": st.sampled_from([1, 2, 3, 4, 8, 9, 17]),
    "radius": st.sampled_from([0.1, 0.3, 0.5, 1.0, 2.0**0.5, 2.0, 1e4]),
    "dtype": st.sampled_from([np.float32, np.float64]),
}


@settings(max_examples=200, deadline=None)
@given(**CASE)
def test_every_question_is_answered_as_by_a_plain_loop(kind, seed, n, d, radius, dtype):
    random = np.random.default_rng(seed)
    X = make_rows(kind, n, d, random, dtype)
    near = all_distances2(X, X) <= dtype(radius) * dtype(radius)
    mask = random.random(n) < 0.6
    index = radius_index(X, radius)
    np.testing.assert_array_equal(radius_counts(index), near.sum(axis=1))
    enough = int(random.integers(1, 12))
    np.testing.assert_array_equal(radius_counts(index, enough=enough) >= enough, near.sum(axis=1) >= enough)
    weights = random.integers(-2, 4, size=n).astype(float)
    np.testing.assert_array_equal(radius_counts(index, sample_weight=weights, enough=3) >= 3, near @ weights >= 3)
    np.testing.assert_array_equal(radius_components(index, mask), components_of(near, mask))
    queries = np.concatenate([X[~mask], X[:7] + dtype(0.05), np.full((1, d), 1e15, dtype)])
    expected, expected2 = nearest_of(queries, X, mask, dtype(radius) * dtype(radius))
    found, found2 = nearest_within(index, queries, mask)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found2, expected2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [2, 5])
def test_the_engines_give_the_same_answers(on, kind, d):
    random = np.random.default_rng(5)
    X, mask = make_rows(kind, 900, d, random, np.float64), random.random(900) < 0.5
    near = all_distances2(X, X) <= 0.25
    index = radius_index(on(X), 0.5)
    np.testing.assert_array_equal(np.asarray(radius_counts(index)), near.sum(axis=1))
    np.testing.assert_array_equal(np.asarray(radius_components(index, on(mask))), components_of(near, mask))
    found = nearest_within(index, on(X[:50]), on(mask))
    np.testing.assert_array_equal(np.asarray(found[0]), nearest_of(X[:50], X, mask, 0.25)[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 3, 6])
@pytest.mark.parametrize("radius", [0.02, 0.2, 3.0, 100.0])
def test_the_number_of_threads_changes_no_bit(d, radius, dtype):
    random = np.random.default_rng(d)
    X = make_rows("blobs", 20_000, d, random, dtype)
    mask = random.random(len(X)) < 0.7

    def answers():
        index = radius_index(X, radius)
        return (
            radius_counts(index, enough=9).tobytes(),
            radius_components(index, mask).tobytes(),
            *(part.tobytes() for part in nearest_within(index, X[:3000], mask)),
        )

    results = []
    for n_threads in (1, 2, 4):
        with threads(n_threads):
            results.append(answers())
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_grid_and_tree_agree_on_more_rows_than_a_plain_loop_can_take(d):
    # A column of zeros changes no distance, but in four dimensions there is no grid.
    X = make_rows("blobs", 30_000, d, np.random.default_rng(d), np.float64)
    wide = np.column_stack([X, np.zeros((len(X), 4 - min(d, 3)))])
    mask = np.random.default_rng(0).random(len(X)) < 0.5
    one, other = radius_index(X, 0.05 * d), radius_index(wide, 0.05 * d)
    np.testing.assert_array_equal(radius_counts(one), radius_counts(other))
    np.testing.assert_array_equal(radius_components(one, mask), radius_components(other, mask))
    for a, b in zip(nearest_within(one, X[~mask], mask), nearest_within(other, wide[~mask], mask)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("exponent", [-300, -160, 0, 160, 300])
def test_the_unit_does_not_matter(exponent):
    X = make_rows("blobs", 400, 3, np.random.default_rng(2), np.float64)
    scale = 2.0**exponent
    one, other = radius_index(X, 0.5), radius_index(X * scale, 0.5 * scale)
    mask = np.arange(400) % 3 > 0
    np.testing.assert_array_equal(radius_counts(one), radius_counts(other))
    np.testing.assert_array_equal(radius_components(one, mask), radius_components(other, mask))
    np.testing.assert_array_equal(nearest_within(one, X[::3], mask)[0], nearest_within(other, X[::3] * scale, mask)[0])


def test_a_radius_that_drowns_in_the_values_is_refused():
    with pytest.raises(InputError, match="larger"):
        radius_index(np.array([[1e300], [0.0]]), 1e-300)


@pytest.mark.parametrize("radius", [-1.0, np.nan, np.inf])
def test_a_radius_that_is_none_is_refused(radius):
    with pytest.raises(InputError, match="radius"):
        radius_index(np.zeros((2, 1)), radius)


@pytest.mark.parametrize("d", [2, 5])
def test_many_equal_rows_take_no_time(d):
    X = np.zeros((50_000, d))
    X[-1] = 3.0
    index = radius_index(X, 1.0)
    assert radius_counts(index).tolist() == [49_999] * 49_999 + [1]
    assert radius_components(index, np.ones(len(X), bool))[-2:].tolist() == [0, 1]


def test_blocks_of_any_distance_give_the_answers_of_the_tree():
    X = make_rows("lattice", 300, 4, np.random.default_rng(3), np.float64)
    mask = np.arange(300) % 2 == 0
    tree = radius_index(X, 1.0)
    pairs = pair_index(X, 1.0, lambda rows: np.sqrt(all_distances2(rows, X)))
    np.testing.assert_array_equal(radius_counts(pairs), radius_counts(tree))
    np.testing.assert_array_equal(radius_components(pairs, mask), radius_components(tree, mask))
    np.testing.assert_array_equal(nearest_within(pairs, X, mask)[0], nearest_within(tree, X, mask)[0])


@pytest.mark.parametrize("d", [2, 5])
def test_the_graph_holds_every_pair_within_the_radius(d):
    X = make_rows("tenths", 200, d, np.random.default_rng(4), np.float64)
    distances2 = all_distances2(X, X)
    graph = radius_graph(X, 0.3)
    rows, columns = np.nonzero(distances2 <= 0.3 * 0.3)
    np.testing.assert_array_equal(graph.indptr, np.searchsorted(rows, np.arange(201)))
    np.testing.assert_array_equal(graph.indices, columns)
    np.testing.assert_array_equal(graph.weights, np.sqrt(distances2[rows, columns]))


def test_a_graph_that_cannot_fit_is_refused_before_it_is_made():
    with pytest.raises(ResourceError, match="1000000 edges"):
        radius_graph(np.zeros((1000, 2)), 1.0, memory_limit=1_000_000)
