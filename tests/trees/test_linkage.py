"""The single-linkage hierarchy from edges, against SciPy and on a chain that would end any recursion."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, is_valid_linkage, linkage
from scipy.spatial.distance import pdist, squareform

from coterie.primitives.spanning_tree import spanning_tree, spanning_tree_of_distances
from coterie.trees.linkage import linkage_matrix, single_linkage


@pytest.mark.parametrize("seed", range(5))
def test_the_hierarchy_is_that_of_scipy(seed):
    X = np.random.default_rng(seed).normal(size=(80, 3))
    ours, theirs = single_linkage(*spanning_tree(X)), linkage(pdist(X), "single")
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], rtol=1e-12)
    np.testing.assert_array_equal(ours[:, [0, 1, 3]], theirs[:, [0, 1, 3]])


def test_ties_still_make_a_valid_hierarchy():
    X = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), -1).reshape(-1, 2)
    found = single_linkage(*spanning_tree_of_distances(squareform(pdist(X)).__getitem__, len(X)))
    assert is_valid_linkage(found)
    assert set(fcluster(found, 1.0, "distance")) == {1}
    assert len(set(fcluster(found, 0.5, "distance"))) == 36


def test_one_row_has_no_merges():
    none = np.empty(0, np.int64)
    assert single_linkage(none, none, np.empty(0)).shape == (0, 4)


def test_a_chain_of_a_million_rows_is_merged_one_by_one():
    n = 1_000_000
    rows = np.arange(n - 1)
    found = single_linkage(rows, rows + 1, np.arange(1.0, n))
    assert found[0].tolist() == [0, 1, 1, 2]
    np.testing.assert_array_equal(found[1:, 1], n + np.arange(n - 2))
    np.testing.assert_array_equal(found[:, 3], np.arange(2.0, n + 1))


def test_merges_are_laid_out_in_the_order_in_which_they_are_given():
    found = linkage_matrix(np.array([2, 0, 1]), np.array([3, 1, 3]), np.array([5.0, 1.0, 2.0]))
    assert found.tolist() == [[2, 3, 5, 2], [0, 1, 1, 2], [4, 5, 2, 4]]
