"""DBSCAN of Dask arrays across bins: what lies around a bin decides as it does in memory, however little of it is looked at."""

import dask.array as da
import numpy as np
import pytest

from coterie import DBSCAN
from coterie.density import _dbscan_blocks
from coterie.density._dbscan_near import apart_from, may_be_near, near_cells
from coterie.primitives.blocks import watching


@pytest.fixture(params=[(1, 1e-9), (30, 1e-6), (1000, 0.25)], ids=["row by row", "few", "many"])
def looked_at(monkeypatch, request):
    """Cut small data into many bins, learn from few rows what belongs together, and look at few rows around a bin at a time."""
    sample, around = request.param
    monkeypatch.setattr(_dbscan_blocks, "_BIN_ROWS", 150)
    monkeypatch.setattr(_dbscan_blocks, "_SAMPLE_ROWS_OF_RIM", sample)
    monkeypatch.setattr(_dbscan_blocks, "_AROUND", around)


def clumps(seed, n=1500):
    """Return rows of clumps with noise between, in two to five columns, and others with many ties."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 6))
    X = np.concatenate([rng.normal(rng.uniform(-2, 2, d), rng.uniform(0.1, 0.6), (n // 4, d)) for _ in range(3)])
    X = np.concatenate([X, rng.uniform(-3, 3, (n // 4, d))])[rng.permutation(n // 4 * 4)]
    return (np.round(X, 1) if seed % 3 == 0 else X).astype(np.float32 if seed % 2 else np.float64), rng


def same_as_in_memory(X, weight=None, rows=400, **parameters):
    whole = DBSCAN(**parameters).fit(X, sample_weight=weight)
    blocks = da.from_array(X, chunks=(rows, X.shape[1]))
    found = DBSCAN(**parameters).fit(
        blocks, sample_weight=None if weight is None else da.from_array(weight, chunks=rows)
    )
    np.testing.assert_array_equal(found.labels_.compute(), whole.labels_)
    np.testing.assert_array_equal(found.core_sample_indices_.compute(), whole.core_sample_indices_)
    return whole.labels_


@pytest.mark.parametrize("seed", range(8))
def test_labels_do_not_depend_on_how_much_is_looked_at_at_a_time(looked_at, seed):
    X, rng = clumps(seed)
    same_as_in_memory(X, eps=float(rng.choice([0.1, 0.3])), min_samples=int(rng.choice([1, 3, 8])))


@pytest.mark.parametrize("seed", range(3))
def test_whole_weights_count_across_bins(looked_at, seed):
    X, rng = clumps(seed)
    same_as_in_memory(X, rng.integers(0, 4, len(X)).astype(float), eps=0.25, min_samples=9)


@pytest.mark.parametrize("seed", range(3))
def test_equal_rows_beyond_memory_count_across_bins(looked_at, monkeypatch, seed):
    monkeypatch.setattr(_dbscan_blocks, "_rows_in_memory", lambda X, places: 300.0)
    X, rng = clumps(3 * seed)
    X = np.concatenate([X, np.repeat(X[:2], 1000, axis=0)])[rng.permutation(len(X) + 2000)]
    same_as_in_memory(X, eps=0.2, min_samples=20)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("eps", [0.125, 0.1])
def test_rows_exactly_eps_apart_are_neighbours_across_bins(looked_at, eps, dtype):
    steps = (np.arange(24) * eps).astype(dtype)
    grid = np.stack(np.meshgrid(steps, steps, [0.0, 5.0]), axis=-1).reshape(-1, 3).astype(dtype)
    same_as_in_memory(grid, eps=eps, min_samples=5)


def test_a_border_row_goes_to_the_nearest_core_row_of_another_bin(looked_at):
    steps = np.linspace(0.0, 1.0, 26)
    left = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    right = left + np.array([1.4, 0.0])
    between = np.array([[1.19, 0.5], [1.21, 0.5]])
    labels = same_as_in_memory(np.concatenate([left, right, between]), eps=0.25, min_samples=40)
    assert labels[-2:].tolist() == [0, 1]


def test_clusters_that_meet_in_one_pair_of_rows_are_one(looked_at):
    rng = np.random.default_rng(1)
    dense = [rng.uniform([x, 0], [x + 1, 1], (900, 2)) for x in (0.0, 2.0)]
    bridge = np.stack([np.linspace(0.95, 2.05, 45), np.full(45, 0.5)], axis=1)
    labels = same_as_in_memory(np.concatenate([*dense, bridge]), eps=0.06, min_samples=3)
    assert labels[0] == labels[900]


@pytest.mark.parametrize("seed", range(12))
def test_cells_leave_out_no_row_that_is_near(seed):
    rng = np.random.default_rng(seed)
    d, scale = int(rng.integers(1, 7)), float(rng.choice([0.1, 1.0, 1e6]))
    rows = (rng.normal(size=(200, d)) * scale + rng.choice([0.0, 1e5])).astype(np.float32 if seed % 2 else np.float64)
    others = rows[rng.integers(200, size=500)] + (rng.normal(size=(500, d)) * 0.3).astype(rows.dtype)
    sets, of_others = rng.integers(0, 3, 200), rng.integers(0, 3, 500)
    near = ((others[:, None].astype(float) - rows) ** 2).sum(axis=2) <= 0.25
    assert near.any()
    assert may_be_near(near_cells(rows, 0.5), others)[near.any(axis=1)].all()
    apart = (near & (of_others[:, None] != sets)).any(axis=1)
    assert apart_from(near_cells(rows, 0.5, sets), others, of_others)[apart].all()


def test_cells_leave_out_what_is_far_and_what_is_of_the_same_set():
    rows = np.random.default_rng(0).normal(size=(500, 3))
    far = rows + 20.0
    assert not may_be_near(near_cells(rows, 0.1), far).any()
    assert not may_be_near(near_cells(rows[:0], 0.1), rows).any()
    assert not apart_from(near_cells(rows, 0.1, np.zeros(500, int)), rows, np.zeros(500, int)).any()


def test_progress_tells_the_steps_of_the_exchange(crew, monkeypatch):
    monkeypatch.setattr(_dbscan_blocks, "_BIN_ROWS", 300)
    X, _ = clumps(1)
    heard = []
    with watching(lambda *told: heard.append(told)):
        DBSCAN(eps=0.2).fit(da.from_array(X, chunks=(400, X.shape[1])))
    last = {what: (done, total) for _, what, done, total in heard}
    steps = [
        "looking at the rows", "drawing a sample of the rows", "dealing rows out to bins", "core rows, bin by bin", "clusters that go on in other bins", "labels"
    ]  # fmt: skip
    assert list(dict.fromkeys(what for _, what, _, _ in heard)) == steps
    assert all(done == total > 1 for done, total in last.values())
    assert last["labels"] == (4, 4)
