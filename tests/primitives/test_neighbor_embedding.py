"""The layout by neighbours: memberships and epochs against plain loops, threads, quality, and places of new rows."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs
from sklearn.manifold import trustworthiness

from coterie.arrays import Graph, to_numpy
from coterie.errors import InputError, ResourceError
from coterie.primitives import neighbor_embedding as module
from coterie.primitives.engine import threads
from coterie.primitives.neighbor_embedding import (
    closeness_curve,
    fuzzy_neighbors,
    layout,
    memberships,
    neighbor_embedding,
    placed_among,
)
from coterie.primitives.neighbors import k_nearest

WRAP = 2**64


def rows(n=200, d=5):
    return np.random.default_rng(0).normal(size=(n, d))


def mixed(x):
    x = (x * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % WRAP
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % WRAP
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % WRAP
    return x ^ (x >> 31)


def drawn(x, n):
    x = x * 0x9E3779B97F4A7C15 % WRAP
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % WRAP
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % WRAP
    return (x >> 32) * n >> 32


def epochs_by_loops(graph, start, n_epochs, min_dist, n_negatives, seed):
    """Return the layout by the formulas of the paper, link by link."""
    (a, b), n, now = closeness_curve(min_dist), len(start), start
    for epoch in range(n_epochs):
        key, rate = mixed((epoch + mixed(seed + 1)) % WRAP), 1 - epoch / n_epochs
        then = now.copy()
        for i in range(n):
            for e in range(graph.indptr[i], graph.indptr[i + 1]):
                j = int(graph.indices[e])
                share = graph.weights[e] / graph.weights.max()
                phase = (mixed((mixed((min(i, j) + mixed(seed)) % WRAP) + max(i, j)) % WRAP) >> 11) * 2.0**-53
                if np.floor((epoch + 1) * share + phase) == np.floor(epoch * share + phase):
                    continue
                gap = now[i] - now[j]
                d2 = gap @ gap
                then[i] += rate * 2 * np.clip(-2 * a * b * d2 ** (b - 1) / (1 + a * d2**b) * gap, -4, 4)
                for draw in range(n_negatives):
                    gap = now[i] - now[drawn((key + e * n_negatives + draw) % WRAP, n)]
                    d2 = gap @ gap
                    if d2 > 0:
                        then[i] += rate * np.clip(2 * b / ((1e-3 + d2) * (1 + a * d2**b)) * gap, -4, 4)
        now = then
    return now


def test_memberships_are_those_of_the_paper(on):
    distances = k_nearest(rows(), 12)[0]
    found = to_numpy(memberships(on(distances)))
    assert (found[:, 0] == 0).all()
    assert (found[:, 1] == 1).all()
    np.testing.assert_allclose(found.sum(1), np.log2(12), atol=2e-5)
    width = (distances[:, 2] - distances[:, 1]) / -np.log(found[:, 2])
    np.testing.assert_allclose(
        found[:, 1:], np.exp(-(distances[:, 1:] - distances[:, [1]]) / width[:, None]), rtol=1e-6
    )


def test_equal_rows_belong_to_each_other_wholly(on):
    found = to_numpy(memberships(on(np.zeros((3, 4)))))
    np.testing.assert_array_equal(found, [[0, 1, 1, 1]] * 3)


def test_links_are_united_as_fuzzy_sets(on):
    X = rows(60)
    distances, indices = k_nearest(X, 7)
    one_way = np.zeros((60, 60))
    np.put_along_axis(one_way, indices, memberships(distances), 1)
    graph = fuzzy_neighbors(on(X), 7)
    found = np.zeros((60, 60))
    ends = to_numpy(graph.indptr)
    found[np.repeat(np.arange(60), np.diff(ends)), to_numpy(graph.indices)] = to_numpy(graph.weights)
    np.testing.assert_allclose(found, one_way + one_way.T - one_way * one_way.T, rtol=2e-4, atol=1e-12)


@pytest.mark.parametrize("n_epochs", [1, 3])
def test_epochs_are_those_of_plain_loops(on, n_epochs):
    X = rows(40)
    graph, start = fuzzy_neighbors(X, 6), rows(40, 3)
    expected = epochs_by_loops(graph, start, n_epochs, 0.1, 4, 7)
    found = layout(Graph(*(on(part) for part in graph)), on(start), n_epochs, min_dist=0.1, n_negatives=4, seed=7)
    np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_on_any_number_of_threads(dtype):
    X = rows(6000, 4).astype(dtype)
    found = []
    for count in (1, 2, 4):
        with threads(count):
            found.append(neighbor_embedding(X, 2, n_neighbors=8, n_epochs=15))
    assert found[0].dtype == dtype
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize("start", ["spectral", "pca"])
def test_neighbours_stay_neighbours(on, start):
    X = (load_digits().data[:500] / 16).astype(np.float32)
    places = to_numpy(neighbor_embedding(on(X), 2, start=start, n_epochs=150))
    assert trustworthiness(X, places, n_neighbors=10) > 0.95


def test_groups_are_set_apart(on):
    X, y = make_blobs(300, 8, centers=4, random_state=0)
    places = to_numpy(neighbor_embedding(on(X), 2, n_neighbors=15, min_dist=0.0, n_epochs=100))
    centers = np.array([places[y == label].mean(0) for label in range(4)])
    assert (np.linalg.norm(places[:, None] - centers, axis=2).argmin(1) == y).all()


def test_rows_that_are_all_equal_have_finite_places(on):
    places = to_numpy(neighbor_embedding(on(np.ones((30, 3))), 2, n_epochs=20))
    assert np.isfinite(places).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_rows_have_places(on, n):
    assert to_numpy(neighbor_embedding(on(rows(n)), 4, n_epochs=5)).shape == (n, 4)


def test_a_row_of_the_fit_has_its_place_exactly_and_a_near_one_nearly(on):
    X, places = rows(50), rows(50, 2)
    moved = X + 1e-7
    for queries, tolerance in ((X, 0), (moved, 1e-6)):
        distances, indices = k_nearest(X, 5, queries=queries)
        found = to_numpy(placed_among(on(distances), on(indices), on(places)))
        np.testing.assert_allclose(found, places, rtol=0, atol=tolerance)


def test_equal_rows_of_the_fit_give_the_place_of_the_lowest(on):
    found = placed_among(on(np.zeros((1, 2))), on(np.array([[3, 5]])), on(np.arange(6.0)[:, None]))
    assert to_numpy(found).tolist() == [[3.0]]


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="n_neighbors at least 2"):
        neighbor_embedding(rows(), 2, n_neighbors=1)
    with pytest.raises(InputError, match="start must be"):
        neighbor_embedding(rows(), 2, start="random")


def test_a_graph_that_would_not_fit_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr(module, "free_bytes", lambda: 1000.0)
    with pytest.raises(ResourceError, match="lower n_neighbors"):
        neighbor_embedding(rows(), 2)
