"""The frozen result: counting, renumbering, refusing."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.clustering import Clustering, map_by_appearance, map_by_size, relabel

LABELS = st.lists(st.integers(-1, 5), max_size=30).map(lambda values: np.array(values, dtype=np.int64))


def test_sizes_count_rows_and_leave_noise_out():
    found = Clustering([2, -1, 0, 2, 2])
    assert found.n_clusters == 3
    assert found.sizes.tolist() == [1, 0, 3]
    assert found.noise_share == pytest.approx(0.2)
    assert found.rows_of(2).tolist() == [0, 3, 4]


def test_an_empty_clustering_has_no_clusters_and_no_noise():
    found = Clustering([])
    assert (found.n_clusters, found.sizes.tolist(), found.noise_share) == (0, [], 0.0)


def test_by_size_puts_the_largest_first_and_carries_its_centre():
    found = Clustering([0, 1, 1, -1], centers=[[10.0], [20.0]]).by_size()
    assert found.labels.tolist() == [1, 0, 0, -1]
    assert found.centers.tolist() == [[20.0], [10.0]]


def test_by_appearance_numbers_clusters_as_their_first_rows_come():
    assert Clustering([-1, 2, 0, 2, 1]).by_appearance().labels.tolist() == [-1, 0, 1, 0, 2]


def test_nothing_in_it_can_be_changed():
    found = Clustering([0, 1], strengths=[1.0, 0.5])
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.seed = 3
    with pytest.raises(ValueError, match="read-only"):
        found.labels[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        found.strengths[0] = 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [[0, 1]]}, "list of whole numbers"),
        ({"labels": [0.5]}, "list of whole numbers"),
        ({"labels": [-2]}, "at least -1"),
        ({"labels": [0], "strengths": [1.0, 1.0]}, "one value for each of the 1 rows"),
        ({"labels": [0, 1], "centers": [[1.0]]}, "a row for each of 2 clusters"),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Clustering(**arguments)


@given(LABELS)
def test_renumbering_keeps_the_partition_and_the_noise(labels):
    for mapping in (map_by_size(labels), map_by_appearance(labels)):
        renamed = relabel(labels, mapping)
        assert np.array_equal(renamed < 0, labels < 0)
        assert np.array_equal(renamed[:, None] == renamed, labels[:, None] == labels)


@given(LABELS)
def test_renumbering_by_size_gives_falling_sizes(labels):
    sizes = Clustering(labels).by_size().sizes
    assert np.all(np.diff(sizes) <= 0)


def test_a_map_to_minus_one_turns_a_cluster_into_noise():
    assert relabel(np.array([0, 1, -1, 2]), np.array([1, -1, 0])).tolist() == [1, -1, -1, 0]
