"""Condensing and choosing, against sets of rows and exact fractions; deep trees; heights of any magnitude."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.trees.condense import condense, condensed_tree
from coterie.trees.linkage import single_linkage
from coterie.trees.select import flat_labels, membership_strengths, outlier_scores, select_clusters
from trees.slow import (
    slow_choice,
    slow_clusters,
    slow_epsilon,
    slow_labels,
    slow_outlier_score,
    slow_row,
)


@st.composite
def tied_trees(draw):
    """Any tree over a few rows with few different heights, 0 among them: every kind of tie."""
    n = draw(st.integers(2, 24))
    heights = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0]), min_size=n - 1, max_size=n - 1))
    ends = [draw(st.integers(0, i)) for i in range(n - 1)]
    edges = sorted((height, end, i + 1) for i, (height, end) in enumerate(zip(heights, ends, strict=True)))
    return n, edges


def tree_of(edges):
    weights, left, right = (np.array(values) for values in zip(*edges, strict=True))
    return single_linkage(left, right, weights.astype(float))


@settings(max_examples=200, deadline=None)
@given(tied_trees(), st.integers(2, 5))
def test_the_condensed_tree_is_the_papers(tree, least):
    n, edges = tree
    slow, fast = slow_clusters(n, edges, least), condense(tree_of(edges), least)
    assert sorted(fast.size.tolist()) == sorted(len(cluster.rows) for cluster in slow)
    for row in range(n):
        cluster, height = slow_row(slow, row)
        mine = fast.row_cluster[row]
        assert fast.row_height[row] == height
        assert fast.size[mine] == len(cluster.rows)
        assert fast.birth[mine] == (np.inf if cluster.birth is None else cluster.birth)
        assert fast.infinite[mine] == cluster.infinite
        np.testing.assert_allclose(fast.stability[mine] / fast.unit, float(cluster.finite), rtol=1e-12, atol=1e-15)


@settings(max_examples=200, deadline=None)
@given(
    tied_trees(),
    st.integers(2, 4),
    st.sampled_from(["eom", "leaf"]),
    st.sampled_from([0.0, 1.0, 2.5]),
    st.sampled_from([None, 6]),
    st.booleans(),
)
def test_the_chosen_clusters_are_the_papers(tree, least, method, epsilon, most, allow_root):
    n, edges = tree
    most = None if epsilon else most
    slow = slow_clusters(n, edges, least)
    chosen = slow_epsilon(slow_choice(slow[0], method, most, allow_root)[0], epsilon, allow_root)
    fast = condense(tree_of(edges), least)
    mask = select_clusters(fast, method=method, epsilon=epsilon, max_cluster_size=most, allow_single_cluster=allow_root)
    np.testing.assert_array_equal(flat_labels(fast, mask).labels, slow_labels(n, chosen))


@settings(max_examples=100, deadline=None)
@given(tied_trees(), st.integers(2, 4))
def test_outlier_scores_are_the_papers(tree, least):
    n, edges = tree
    slow = slow_clusters(n, edges, least)
    wanted = [slow_outlier_score(slow, row) for row in range(n)]
    np.testing.assert_allclose(outlier_scores(condense(tree_of(edges), least)), wanted, atol=1e-15)


@settings(max_examples=100, deadline=None)
@given(tied_trees(), st.integers(2, 4), st.randoms(use_true_random=False))
def test_the_order_of_equal_merges_changes_nothing(tree, least, random):
    _, edges = tree
    other = list(edges)
    random.shuffle(other)
    other.sort(key=lambda edge: edge[0])
    one, two = condense(tree_of(edges), least), condense(tree_of(other), least)
    np.testing.assert_array_equal(one.row_height, two.row_height)
    np.testing.assert_array_equal(outlier_scores(one), outlier_scores(two))
    flats = [flat_labels(tree, select_clusters(tree)) for tree in (one, two)]
    np.testing.assert_array_equal(flats[0].labels, flats[1].labels)
    np.testing.assert_array_equal(membership_strengths(one, flats[0]), membership_strengths(two, flats[1]))


def test_the_flat_arrays_tell_the_whole_tree():
    edges = [(1.0, 0, 1), (1.0, 2, 3), (2.0, 3, 4), (4.0, 1, 2)]
    tree = condensed_tree(condense(tree_of(edges), 2))
    assert tree.parent.tolist() == [6, 6, 7, 7, 7, 5, 5] or tree.parent.tolist() == [7, 7, 6, 6, 6, 5, 5]
    assert tree.child.tolist() == [0, 1, 2, 3, 4, 6, 7]
    assert tree.lambda_.tolist() == [1.0, 1.0, 1.0, 1.0, 0.5, 0.25, 0.25]
    assert sorted(tree.size.tolist()) == [1, 1, 1, 1, 1, 2, 3]


def test_a_cluster_that_loses_rows_one_by_one_a_million_times_stays_one():
    n = 1_000_000
    rows = np.arange(n - 1)
    tree = condense(single_linkage(rows, rows + 1, np.arange(1.0, n)), 5)
    assert len(tree.parent) == 1
    np.testing.assert_array_equal(tree.row_height[4:], np.arange(4.0, n))
    assert flat_labels(tree, select_clusters(tree)).labels.max() == -1


def test_half_a_million_nested_clusters_are_chosen_without_recursion():
    # Pairs of rows, each pair joined to all pairs before it: every merge but the pairs' own splits off a cluster.
    pairs = 500_000
    first = 2 * np.arange(pairs)
    left = np.r_[first, first[:-1]]
    right = np.r_[first + 1, first[1:]]
    tree = condense(single_linkage(left, right, np.r_[np.full(pairs, 0.5), np.arange(1.0, pairs)]), 2)
    assert len(tree.parent) == 2 * pairs - 1
    labels = flat_labels(tree, select_clusters(tree, method="leaf")).labels
    np.testing.assert_array_equal(labels, np.repeat(np.arange(pairs), 2))
    lifted = select_clusters(tree, method="leaf", epsilon=10.0)
    assert flat_labels(tree, lifted).labels[:20].max() == 0


@pytest.mark.parametrize("factor", [2.0**-1000, 2.0**-300, 2.0**300, 2.0**990])
def test_heights_of_any_magnitude_give_the_same_clusters(factor):
    edges = [(1.0, 0, 1), (1.25, 1, 2), (1.5, 3, 4), (1.75, 4, 5), (9.0, 2, 3), (30.0, 5, 6)]
    one, other = condense(tree_of(edges), 3), condense(tree_of([(h * factor, i, j) for h, i, j in edges]), 3)
    labels = [flat_labels(tree, select_clusters(tree)).labels.tolist() for tree in (one, other)]
    assert labels == [[0, 0, 0, 1, 1, 1, -1]] * 2
    np.testing.assert_array_equal(outlier_scores(one), outlier_scores(other))


def test_a_height_of_zero_gives_no_nan():
    edges = [(0.0, 0, 1), (0.0, 1, 2), (1.0, 2, 3), (5.0, 3, 4), (5.0, 4, 5)]
    tree = condense(tree_of(edges), 2)
    flat = flat_labels(tree, select_clusters(tree, allow_single_cluster=True))
    strengths, scores = membership_strengths(tree, flat), outlier_scores(tree)
    assert np.isfinite(strengths).all()
    assert np.isfinite(scores).all()
    assert strengths[:3].tolist() == [1.0, 1.0, 1.0]
    assert scores[:3].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("method", ["eom", "leaf"])
def test_many_clusters_are_chosen_as_few_are(method, monkeypatch):
    random = np.random.default_rng(0)
    gaps = np.sort(random.integers(1, 900, 2999)).astype(float)
    places = random.permutation(2999)  # rows on a line, and the gaps between them
    tree = condense(single_linkage(places, places + 1, gaps), 2)
    assert len(tree.parent) > 100
    found = []
    for few in (0, len(tree.parent)):
        monkeypatch.setattr("coterie.trees.select._FEW_CLUSTERS", few)
        found.append(select_clusters(tree, method=method))
    np.testing.assert_array_equal(*found)


def test_a_cluster_wins_a_tie_with_its_children():
    # Two pairs, born together at 6, that split at 3 and end at 2: 4 (1/3 - 1/6) = 2 * 2 (1/2 - 1/3).
    edges = [(1.0, 4, 5), (2.0, 0, 1), (2.0, 2, 3), (3.0, 1, 2), (6.0, 3, 4)]
    tree = condense(tree_of(edges), 2)
    assert flat_labels(tree, select_clusters(tree)).labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert flat_labels(tree, select_clusters(tree, method="leaf")).labels.tolist() == [0, 0, 1, 1, 2, 2]
