"""Averaged co-clustering and neighbours among columns, beside plain loops."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from coterie.primitives.coclusters import CoClusters, co_cluster_means, co_clusters
from coterie.primitives.engine import threads
from coterie.primitives.item_neighbors import neighbor_means


def _blocks(seed=0):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, 2, 40), rng.integers(0, 3, 30)
    means = np.array([[1.0, -1.0, 0.5], [-0.5, 1.0, -1.0]])
    values = means[rows][:, columns] + 0.1 * rng.normal(size=(40, 30))
    there = rng.random((40, 30)) < 0.5
    return csr_array(np.where(there, values, 0.0)), means[rows][:, columns]


def test_blocks_that_were_put_in_are_found():
    table, truth = _blocks()
    found = co_clusters(table, 3, 4, n_chains=6, shrink=0.5)
    rows, columns = (part.ravel() for part in np.indices(truth.shape))
    told = co_cluster_means(found, rows, columns)
    assert np.sqrt(np.mean((told - truth.ravel()) ** 2)) < 0.1


def test_means_of_blocks_are_those_of_a_loop():
    rng = np.random.default_rng(1)
    found = CoClusters(
        rng.integers(0, 3, (5, 7)).astype(np.uint8),
        rng.integers(0, 2, (5, 6)).astype(np.uint8),
        rng.normal(size=(5, 3, 2)),
    )
    rows, columns = rng.integers(0, 7, 20), rng.integers(0, 6, 20)
    slow = [
        np.mean([found.means[s, found.row_labels[s, i], found.column_labels[s, j]] for s in range(5)])
        for i, j in zip(rows, columns, strict=True)
    ]
    assert co_cluster_means(found, rows, columns) == pytest.approx(slow)


def test_draws_are_the_same_on_any_number_of_threads():
    table, _ = _blocks()
    found = []
    for n_threads in (1, 2):
        with threads(n_threads):
            found.append(co_clusters(table, 3, 3, n_chains=4, n_burn_in=3, n_draws=2))
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))


def _slow_neighbor_mean(table, i, j, k, shrink, damp):
    dense, there = table.toarray(), table.toarray() != 0
    similar = []
    for h in np.flatnonzero(there[i]):
        both = there[:, j] & there[:, h]
        x, y, c = dense[both, j], dense[both, h], both.sum()
        rho = x @ y / np.sqrt((x @ x) * (y @ y)) if c > 1 else 0.0
        near = max(rho, 0.0) * (c - 1) / (c - 1 + shrink) if h != j and c > 1 else 0.0
        similar.append((near, dense[i, h]))
    nearest = sorted(similar, reverse=True)[:k]
    weight = sum(one for one, _ in nearest)
    return sum(one * value for one, value in nearest) / (weight + damp) if weight > 0 else 0.0


@pytest.mark.parametrize(("k", "shrink", "damp"), [(60, 10.0, 0.2), (3, 0.0, 0.0)])
def test_neighbours_of_a_column_are_those_of_a_loop(k, shrink, damp):
    rng = np.random.default_rng(2)
    table = csr_array(rng.normal(size=(25, 12)) * (rng.random((25, 12)) < 0.5))
    rows, columns = rng.integers(0, 25, 40), rng.integers(0, 12, 40)
    told, weights = neighbor_means(table, rows, columns, n_neighbors=k, shrink=shrink, damp=damp)
    slow = [_slow_neighbor_mean(table, i, j, k, shrink, damp) for i, j in zip(rows, columns, strict=True)]
    assert told == pytest.approx(slow)
    assert ((weights > 0) | (told == 0)).all()
