"""The tree of rows in parts: edge by edge that of all rows, whatever the parts."""

import itertools

import numpy as np
import pytest

from coterie.primitives._numba import spanning_parts as engine
from coterie.primitives.spanning_parts import (
    PartEdges,
    finished_tree,
    joined_trees,
    nearest_of_part,
    nearest_of_queries,
    part_index,
    part_scale,
    settled_pairs,
    squared_gaps,
    tree_of_part,
    tree_of_two,
)
from coterie.primitives.spanning_tree import mutual_reachability_tree


def rows_of(seed, n=900):
    rng = np.random.default_rng(seed)
    d = 1 + seed % 8
    X = np.concatenate([rng.normal(rng.uniform(-3, 3, d), 0.3, (n // 2, d)), rng.uniform(-4, 4, (n - n // 2, d))])
    X = X[rng.permutation(n)]
    X = np.round(X * 2) if seed % 3 == 0 else X
    return X.astype(np.float32 if seed % 2 else np.float64), int(rng.integers(1, 9)), rng


def parts_of(X, n_parts, rng):
    """Cut along the first column, or at random."""
    order = np.argsort(X[:, 0], kind="stable") if rng.random() < 0.7 else rng.permutation(len(X))
    return [np.sort(part) for part in np.array_split(order, n_parts)]


def tree_in_parts(X, k, parts, skip=True):
    scale = part_scale(float(np.abs(X).max()), X.dtype)
    X = X / X.dtype.type(scale)
    boxes = [(X[part].min(axis=0), X[part].max(axis=0)) for part in parts]
    indexes = [part_index(X[part]) for part in parts]
    core2, trees = np.empty(len(X), X.dtype), []
    for part, index in zip(parts, indexes, strict=True):
        own, near = nearest_of_part(index, k, min(k, len(part)))
        others = [nearest_of_queries(other, X[part], k) for other in indexes if other is not index]
        core2[part] = np.sort(np.concatenate([own, *others], axis=1), axis=1)[:, k - 1]
        trees.append((index, near))
    trees = [tree_of_part(index, core2[part], near) for part, (index, near) in zip(parts, trees, strict=True)]
    known = joined_trees(
        [t._replace(left=p[t.left], right=p[t.right]) for p, t in zip(parts, trees, strict=True)], len(X)
    )
    part_of = np.empty(len(X), np.int64)
    for i, part in enumerate(parts):
        part_of[part] = i
    pairs = np.array(list(itertools.combinations(range(len(parts)), 2)))
    gaps = [
        squared_gaps(
            np.maximum(0, np.maximum(boxes[i][0] - boxes[j][1], boxes[j][0] - boxes[i][1]))[None],
            *np.zeros((2, X.shape[1]), X.dtype),
        )[0]
        for i, j in pairs
    ]
    pairs, least2 = pairs[np.argsort(gaps)], np.sort(gaps)
    skipped = 0
    for at, (i, j) in enumerate(pairs):
        if skip and settled_pairs(known, part_of, pairs[at : at + 1], least2[at : at + 1])[0]:
            skipped += 1
            continue
        both = np.sort(np.concatenate([parts[i], parts[j]]))
        away2 = np.where(part_of[both] == i, squared_gaps(X[both], *boxes[j]), squared_gaps(X[both], *boxes[i]))
        local = [
            PartEdges(np.searchsorted(both, p[t.left]), np.searchsorted(both, p[t.right]), t.weight2, t.gap2)
            for p, t in ((parts[b], trees[b]) for b in (i, j))
        ]
        local = PartEdges(*[np.concatenate(values) for values in zip(*local, strict=True)])
        found = tree_of_two(X[both], core2[both], np.maximum(away2, core2[both]), local)
        across = part_of[both[found.left]] != part_of[both[found.right]]
        found = PartEdges(*[values[across] for values in found])
        known = joined_trees([known, found._replace(left=both[found.left], right=both[found.right])], len(X))
    return (*finished_tree(known, core2, scale), skipped)


@pytest.mark.parametrize("contracted", [False, True])
@pytest.mark.parametrize("seed", range(24))
def test_the_tree_of_parts_is_that_of_all_rows(monkeypatch, seed, contracted):
    if contracted:
        monkeypatch.setattr(engine, "MOST_ROWS", 1)
    X, k, rng = rows_of(seed)
    edges, core, _ = tree_in_parts(X, k, parts_of(X, int(rng.integers(2, 6)), rng))
    tree, core_distances = mutual_reachability_tree(X, k)
    np.testing.assert_array_equal(core, core_distances)
    for found, expected in zip(edges, tree, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("magnitude", [1e-30, 1e30])
def test_the_magnitude_does_not_matter(magnitude):
    X, k, rng = rows_of(1)
    X = X * np.float32(magnitude)
    edges, core, _ = tree_in_parts(X, k, parts_of(X, 4, rng))
    tree, core_distances = mutual_reachability_tree(X, k)
    np.testing.assert_array_equal(core, core_distances)
    for found, expected in zip(edges, tree, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_parts_far_from_one_another_are_passed_over():
    rng = np.random.default_rng(0)
    X = np.sort(rng.uniform(0, 1, 4000))[:, None]
    parts = np.array_split(np.arange(4000), 8)
    edges, _, skipped = tree_in_parts(X, 5, parts)
    assert skipped == 21  # of 28: neighbours only are left
    np.testing.assert_array_equal(edges[2], mutual_reachability_tree(X, 5)[0].weights)


def test_parts_of_few_rows_and_of_equal_rows_are_taken():
    X = np.repeat([[0.0, 0.0], [1.0, 5.0], [9.0, 9.0]], [5, 1, 30], axis=0)
    parts = [np.arange(0, 5), np.array([5]), np.arange(6, 36)]
    edges, core, _ = tree_in_parts(X, 7, parts)
    tree, core_distances = mutual_reachability_tree(X, 7)
    np.testing.assert_array_equal(core, core_distances)
    for found, expected in zip(edges, tree, strict=True):
        np.testing.assert_array_equal(found, expected)
