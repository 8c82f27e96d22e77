"""Superpixels and the merging of regions: pieces hang together, borders are right, trees are ultrametric."""

import numpy as np
import pytest
from scipy.ndimage import label as pieces_of

from coterie.primitives.engine import get_num_threads, set_num_threads
from coterie.primitives.region_merges import Measure, Regions, differences, merged, united
from coterie.primitives.superpixels import borders_of, full_size, superpixels, tallied


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).normal(0, 25, (60, 80, 3)).astype(np.float32)


def hang_together(labels):
    return all(pieces_of(labels == k)[1] == 1 for k in range(labels.max() + 1))


def test_superpixels_of_noise_hang_together_and_are_numbered_without_gaps(noise):
    found = superpixels(noise, np.ones((60, 80), bool), 60, 10.0)
    assert hang_together(found)
    assert np.array_equal(np.unique(found), np.arange(found.max() + 1))
    assert np.bincount(found.ravel()).min() >= 60 * 80 / 60 / 4 * 0.9


def test_superpixels_keep_to_a_clear_edge():
    image = np.zeros((30, 40, 1), np.float32)
    image[:, 17:] = 60
    found = superpixels(image, np.ones((30, 40), bool), 20, 10.0)
    assert not np.intersect1d(found[:, :17], found[:, 17:]).size


def test_what_is_outside_has_no_superpixel_and_parts_the_picture(noise):
    inside = np.ones((60, 80), bool)
    inside[:, 40] = False
    found = superpixels(noise, inside, 60, 10.0)
    assert (found[~inside] == -1).all()
    assert (found[inside] >= 0).all()
    assert not np.intersect1d(found[:, :40], found[:, 41:]).size


def test_threads_do_not_change_superpixels(noise):
    before = get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            set_num_threads(threads)
            found.append(superpixels(noise, np.ones((60, 80), bool), 60, 10.0))
    finally:
        set_num_threads(before)
    assert np.array_equal(*found)


def test_borders_at_full_size_follow_what_the_coarse_picture_cannot_show():
    full = np.zeros((40, 60, 1), np.float32)
    full[:, 31:] = 60  # within a coarse pixel, 30 to 32
    coarse_image = full.reshape(20, 2, 30, 2, 1).mean(axis=(1, 3))
    inside = np.ones((40, 60), bool)
    coarse = superpixels(coarse_image, inside[::2, ::2], 12, 10.0)
    found = full_size(coarse, coarse_image, lambda start, end: full[start:end], inside, 2, 10.0)
    assert hang_together(found)
    assert not np.intersect1d(found[:, :31], found[:, 31:]).size


def test_borders_join_pixels_of_different_labels_once():
    labels = np.array([[0, 0, 1], [2, -1, 1]], np.int32)
    found = borders_of(labels)
    assert list(zip(found.low.tolist(), found.high.tolist(), strict=True)) == [(0, 1), (0, 2)]
    assert np.bincount(found.pair).tolist() == [1, 1]
    assert sorted(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(0, 3), (1, 2)]


def test_tallies_are_sums_over_the_pixels():
    labels = np.array([[0, 0, 1], [1, -1, 1]], np.int32)
    values = np.arange(6, dtype=np.uint16).reshape(2, 3, 1)
    sums, box = tallied(labels, values, 2)
    assert sums.tolist() == [[1, 0, 1, 2], [10, 2, 4, 3]]
    assert box.tolist() == [[0, 0, 0, 1], [0, 1, 0, 2]]


def line_of(colours):
    """Regions in a line, each of one colour and area 10, without texture."""
    n = len(colours)
    rows = [[j for j in (i - 1, i + 1) if 0 <= j < n] for i in range(n)]
    indptr = np.cumsum([0] + [len(row) for row in rows])
    m = indptr[-1]
    words = np.zeros((n, 17))
    words[:, 16] = 10
    words[:, 0] = 10
    return Regions(
        indptr, np.concatenate(rows).astype(np.int64), np.ones(m), np.zeros((m, 1)), np.full(n, 10.0), np.array(colours, float)[:, None],
        words, np.zeros((n, 0)),
    )  # fmt: skip


BY_COLOUR = Measure(np.array([1.0, 0, 0, 0, 0, 0]), 0.0, 1.0)


def test_a_line_of_regions_merges_by_mean_colour():
    tree = merged(line_of([0.0, 1.0, 5.0, 5.5]), BY_COLOUR)
    assert tree.tolist() == [[2, 3, 0.5, 2], [0, 1, 1.0, 2], [4, 5, 4.75, 4]]


def test_differences_are_those_of_neighbours():
    assert differences(line_of([0.0, 1.0, 5.0]), BY_COLOUR).tolist() == [1.0, 4.0]


def test_what_does_not_touch_comes_together_at_an_infinite_height():
    regions = line_of([0.0, 1.0, 2.0])._replace(
        indptr=np.array([0, 1, 2, 2]), target=np.array([1, 0]), length=np.ones(2), strength=np.zeros((2, 1))
    )
    assert merged(regions, BY_COLOUR)[:, 2].tolist() == [1.0, np.inf]


def test_united_regions_are_described_by_what_they_hold():
    parts = united(line_of([0.0, 1.0, 5.0, 6.0]), np.array([0, 0, 1, 1]))
    assert parts.area.tolist() == [20.0, 20.0]
    assert parts.colour.ravel().tolist() == [0.5, 5.5]
    assert parts.length.tolist() == [1.0, 1.0]
    assert differences(parts, BY_COLOUR).tolist() == [5.0]
