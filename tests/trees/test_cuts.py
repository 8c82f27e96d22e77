"""Cuts of hierarchies and their coefficients, against SciPy and by hand."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import cut_tree, fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from coterie.trees.cuts import coefficient, cut_at_height, cut_into, most_clusters
from coterie.trees.linkage import linkage_matrix

THREE = np.array([[1.0, 2.0, 0.5, 2.0], [0.0, 3.0, 4.0, 3.0]])
# The second merge is lower than the first: {0, 1} at 3, with 2 at 1.
INVERTED = np.array([[0.0, 1.0, 3.0, 2.0], [2.0, 4.0, 1.0, 3.0], [3.0, 5.0, 9.0, 4.0]])


@pytest.mark.parametrize("how", ["single", "average", "ward"])
@pytest.mark.parametrize("k", [1, 2, 5, 30, 60])
def test_a_cut_into_k_is_that_of_scipy(how, k):
    tree = linkage(np.random.default_rng(0).normal(size=(60, 2)), how)
    labels = cut_into(tree, k)
    assert adjusted_rand_score(labels, cut_tree(tree, k).ravel()) == 1.0
    assert labels.max() == k - 1


@pytest.mark.parametrize("how", ["single", "complete", "centroid", "median"])
@pytest.mark.parametrize("height", [0.0, 0.2, 0.7, 1.5, 99.0])
def test_a_cut_at_a_height_is_that_of_scipy(how, height):
    tree = linkage(np.random.default_rng(1).normal(size=(60, 2)), how)
    assert adjusted_rand_score(cut_at_height(tree, height), fcluster(tree, height, "distance")) == 1.0


def test_labels_are_in_order_of_first_appearance():
    labels = cut_into(linkage(np.array([[9.0], [0], [9.1], [4], [0.1]]), "single"), 3)
    assert labels.tolist() == [0, 1, 0, 2, 1]


def test_a_merge_at_the_height_counts_unless_strictly_below_is_asked():
    assert cut_at_height(THREE, 4.0).tolist() == [0, 0, 0]
    assert cut_at_height(THREE, 4.0, strictly=True).tolist() == [0, 1, 1]


def test_what_counts_is_the_greatest_height_inside_a_cluster():
    assert cut_at_height(INVERTED, 2.0).tolist() == [0, 1, 2, 3]
    assert cut_at_height(INVERTED, 3.0).tolist() == [0, 0, 0, 1]
    assert cut_into(INVERTED, 3).tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("heights", "most"),
    [([0.0, 0.0, 2.0], 2), ([1.0, 2.0, 3.0], 4), ([0.0, 0.0, 0.0], 1), ([0.0, 2.0, 0.0], 3), ([], 1)],
)
def test_merges_at_height_zero_before_all_others_cannot_be_undone(heights, most):
    rows = np.arange(len(heights))
    assert most_clusters(linkage_matrix(rows, rows + 1, np.array(heights))) == most


def test_the_coefficient_is_one_minus_the_mean_height_of_first_merges():
    assert coefficient(THREE) == pytest.approx(1 - (1.0 + 0.125 + 0.125) / 3)
    assert coefficient(INVERTED) == pytest.approx(1 - (3 + 3 + 1 + 9) / 9 / 4)


@pytest.mark.parametrize("tree", [np.empty((0, 4)), np.array([[0.0, 1.0, 0.0, 2.0]])], ids=["one row", "equal rows"])
def test_without_heights_the_coefficient_is_zero(tree):
    assert coefficient(tree) == 0.0


def test_a_chain_of_a_million_rows_is_cut():
    rows = np.arange(1_000_000 - 1)
    labels = cut_into(linkage_matrix(rows, rows + 1, np.arange(1.0, 1_000_000)), 3)
    assert np.flatnonzero(np.diff(labels)).tolist() == [999_997, 999_998]
