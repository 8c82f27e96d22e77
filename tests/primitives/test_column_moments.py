"""Means and deviations of columns in files: those of the gathered rows, whatever the order of the files."""

from math import fsum

import numpy as np
import pytest

from coterie.primitives.column_moments import column_moments
from coterie.tables import row_files

pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(1.7e9, 3, 9000), np.exp(2 * rng.normal(size=9000)), np.full(9000, 0.1)])
    return np.split(X, [1000, 1001, 5200])


def in_files(parts, place):
    place.mkdir()
    for i, part in enumerate(parts):
        np.save(place / f"{i}.npy", part)
    return row_files([place / f"{i}.npy" for i in range(len(parts))], rows=700)


def test_moments_are_those_of_the_gathered_rows(crew, parts, tmp_path):
    X, drawn = np.vstack(parts), np.array([0, 999, 1000, 1001, 8999])
    found = column_moments(in_files(parts, tmp_path / "rows"), drawn)
    assert found.n == 9000
    np.testing.assert_allclose(found.mean, [fsum(column) / 9000 for column in X.T], rtol=1e-14)  # NumPy adds up a block
    # Means of blocks have the 16 figures of 1.7e9.
    np.testing.assert_allclose(found.deviation[:2], (X - X.mean(axis=0)).std(axis=0)[:2], rtol=1e-9)
    assert found.deviation[2] == 0.0
    assert np.array_equal(found.low, X.min(axis=0))
    assert np.array_equal(found.high, X.max(axis=0))
    assert np.array_equal(found.sample, X[drawn])


def test_no_order_of_the_files_changes_a_bit(crew, parts, tmp_path):
    found, other = (
        column_moments(in_files(some, tmp_path / name), np.zeros(0, np.int64))
        for name, some in (("there", parts), ("back", parts[::-1]))
    )
    for name in ("mean", "deviation", "low", "high"):
        assert getattr(found, name).tobytes() == getattr(other, name).tobytes()
