"""Rows by the cell of a regular grid, against a dictionary of cells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.errors import InputError
from coterie.primitives.cells import cells
from coterie.primitives.engine import threads


def by_dictionary(X, low, width, n_cells):
    places = np.floor((X.astype(float) - low) / width)
    if n_cells is not None:
        places = np.clip(places, 0, n_cells - 1)
    table = {}
    for row, place in enumerate(places.astype(int).tolist()):
        table.setdefault(tuple(place), []).append(row)
    return dict(sorted(table.items()))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    n=st.integers(1, 300),
    d=st.integers(1, 5),
    width=st.sampled_from([0.1, 0.5, 3.0]),
    n_cells=st.sampled_from([None, 1, 4]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_cells_are_those_of_a_dictionary(seed, n, d, width, n_cells, dtype):
    X = np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)
    expected = by_dictionary(X, -1.0, width, n_cells)
    found = cells(X, -1.0, width, n_cells)
    assert [tuple(place) for place in found.coords.tolist()] == list(expected)
    assert [found.order[a:b].tolist() for a, b in zip(found.starts[:-1], found.starts[1:])] == list(expected.values())
    assert found.counts.tolist() == [len(rows) for rows in expected.values()]
    assert (np.diff(found.keys) > 0).all()


def test_keys_are_row_major_numbers_where_the_grid_has_a_size():
    found = cells(np.array([[0.5, 2.5], [1.5, 0.5]]), 0.0, 1.0, n_cells=[2, 4])
    assert found.keys.tolist() == [2, 4]


def test_the_upper_edge_belongs_to_the_last_cell():
    assert cells(np.array([[1.0], [0.99]]), 0.0, 0.25, n_cells=4).coords.tolist() == [[3]]


def test_many_dimensions_need_no_table():
    X = np.random.default_rng(0).normal(size=(500, 60)) * 1e6
    found = cells(X, 0.0, 1.0)
    assert len(found.counts) == 500
    np.testing.assert_array_equal(found.coords, np.floor(X[found.order]).astype(int))


def test_the_number_of_threads_changes_nothing():
    X = np.random.default_rng(1).normal(size=(200_000, 2))
    with threads(1):
        one = cells(X, 0.0, 0.01)
    with threads(4):
        four = cells(X, 0.0, 0.01)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, four))


@pytest.mark.parametrize(("width", "n_cells"), [(0.0, None), (-1.0, None), (1.0, 0), (1e-300, None)])
def test_an_unusable_grid_is_refused(width, n_cells):
    with pytest.raises(InputError, match="cell"):
        cells(np.array([[1.0], [5.0]]), 0.0, width, n_cells)
