"""Every primitive on every engine against its plain oracle, on data that is awkward on purpose; then engine against engine."""

import numpy as np
import pytest

from coterie.arrays import Graph, to_numpy
from coterie.errors import InputError, ResourceError
from coterie.primitives.assign import center_sums, lloyd_start, lloyd_step, nearest_center, seeding_step
from coterie.primitives.cells import cells
from coterie.primitives.components import connected_components, number_sets
from coterie.primitives.conditioning import condition
from coterie.primitives.distances import pairwise_distances
from coterie.primitives.engine import engine_of
from coterie.primitives.neighbors import k_nearest, nearest_reachable
from coterie.primitives.radius import nearest_within, radius_components, radius_counts, radius_graph, radius_index
from coterie.primitives.row_keys import key_weights, row_keys
from coterie.primitives.spanning_tree import mutual_reachability_tree, spanning_tree
from primitives import oracles

torch = pytest.importorskip("torch", reason="the contract is between the CPU engine and PyTorch's")


@pytest.fixture(autouse=True, scope="module")
def one_thread_of_torch():
    # Many small operations: threads that wait for each other on a busy machine cost ten times the work.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lattice(*sides):
    return np.stack(np.meshgrid(*[np.arange(side) for side in sides], indexing="ij"), axis=-1).reshape(-1, len(sides))


def normal(n, d):
    return np.random.default_rng([n, d]).standard_normal((n, d))


# Rows, and a radius within which some of them have several neighbours. Lattices put many of them exactly on the radius.
DATA = {
    "one row": (normal(1, 3), 1.0),
    "two equal rows": (np.ones((2, 2)), 0.0),
    "one column": (normal(50, 1), 0.1),
    "one column of steps": (np.repeat(np.arange(9.0), 4)[:, None], 1.0),
    "plane": (normal(150, 2), 0.3),
    "plane, everything near": (normal(70, 2), 50.0),
    "lattice": (lattice(8, 9), 1.0),
    "lattice twice": (np.concatenate([lattice(5, 6), lattice(5, 6)]), 1.0),
    "lattice far from the origin": (lattice(4, 4, 4) + 1e6, 1.0),
    "few distinct rows": (normal(7, 3)[np.arange(70) % 7], 0.0),
    "a constant column": (np.column_stack([normal(40, 2), np.full(40, 3.5)]), 0.5),
    "signed zeros": (np.where(lattice(3, 3, 3) == 1, -0.0, lattice(3, 3, 3) // 2), 1.0),
    "twenty columns": (normal(130, 20), 4.5),
    "lattice in twenty columns": (np.tile(lattice(4, 5, 4), 7)[:, :20], 2.0),
    "twenty columns far from the origin": (np.round(normal(100, 20)) + 4096.0, 4.0),
    "few distinct rows of twenty columns": (normal(9, 20)[np.arange(90) % 9], 0.0),
}
# A power of two scales every result exactly, so the oracle may work at the scale where nothing can go wrong.
UNITS = {"float64": [1.0, 2.0**900, 2.0**-900], "float32": [1.0, 2.0**100, 2.0**-100]}
CASES = [
    pytest.param(name, dtype, unit, id=f"{name}-{dtype}" + ("" if unit == 1 else f"-{unit:.0e}"))
    for name in DATA
    for dtype, units in UNITS.items()
    for unit in units
    if unit == 1.0 or name in ("plane", "lattice", "twenty columns")
]
every_case = pytest.mark.parametrize(("name", "dtype", "unit"), CASES)
ordinary = pytest.mark.parametrize(("name", "dtype"), [(name, dtype) for name in DATA for dtype in UNITS])


def rows_of(name, dtype):
    return np.ascontiguousarray(DATA[name][0], dtype)


def radius_of(name):
    return DATA[name][1]


def queries_for(X):
    # Rows themselves, rows beside them, points halfway between rows, and one far away.
    half = (X[::3] + X[::-1][::3]) / 2
    return np.concatenate([X[::2], X[::4] + X.dtype.type(0.25), half, X[:1] + 1000]).astype(X.dtype)


def assert_same(given, expected):
    given = to_numpy(given)
    assert given.dtype == expected.dtype
    np.testing.assert_array_equal(given, expected)


# ---- conditioning, row keys


@every_case
def test_conditioned_rows_are_the_rows_moved_and_scaled(on, name, dtype, unit):
    X = rows_of(name, dtype) * np.dtype(dtype).type(unit)
    rows, shift, scale = condition(on(X))
    rows = to_numpy(rows)
    assert rows.dtype == X.dtype
    assert np.frexp(scale)[0] == 0.5
    assert np.abs(rows).max() <= 1.0
    # Half a unit in the last place of the rows that go in, and of those that come out.
    tolerance = np.finfo(dtype).eps * (np.abs(rows).max() + np.abs(shift / scale).max() * np.finfo(np.float64).eps)
    np.testing.assert_allclose(rows, X.astype(np.float64) / scale - shift / scale, rtol=1e-15, atol=tolerance)


@ordinary
def test_rows_to_predict_are_conditioned_like_the_rows_of_the_fit(on, name, dtype):
    X = on(rows_of(name, dtype))
    rows, shift, scale = condition(X)
    again = condition(X[:1], shift, scale)
    np.testing.assert_array_equal(to_numpy(again.rows), to_numpy(rows[:1]))


@ordinary
def test_row_keys_are_the_projection_of_the_oracle(on, name, dtype):
    X = rows_of(name, dtype)
    assert_same(row_keys(on(X)), oracles.row_keys(X, key_weights(X.shape[1])))


# ---- nearest centers


def centers_for(X):
    """Choose rows as centers, the first of them twice: the second of the two can be nearest to no row."""
    return X[np.r_[0, 0, np.arange(0, len(X), max(1, len(X) // 5))]].astype(np.float64)


@ordinary
def test_the_nearest_center_is_nearest_and_ties_go_to_the_lowest(on, name, dtype):
    rows = to_numpy(condition(rows_of(name, dtype)).rows)
    centers = centers_for(rows)
    expected = oracles.center_distances2(rows, centers)
    labels, distances2 = (to_numpy(values) for values in nearest_center(on(rows), on(centers)))
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(distances2, expected[np.arange(len(rows)), labels])
    # |c|^2 - 2 x.c in the dtype of the rows, of magnitude d at most, d + 2 roundings.
    d = rows.shape[1]
    assert (distances2 <= expected.min(axis=1) + 4 * (d + 2) * d * np.finfo(dtype).eps).all()
    assert 1 not in labels


@ordinary
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_sums_of_each_center_are_those_of_a_loop(on, name, dtype, weighted):
    X = rows_of(name, dtype)
    random = np.random.default_rng(0)
    labels = random.integers(-1, 4, len(X)).astype(np.int32)
    weight = random.uniform(0, 3, len(X)) if weighted else np.ones(len(X))
    sums, weights = center_sums(on(X), on(labels), 4, on(weight) if weighted else None)
    expected = oracles.center_sums(X, labels, 4, weight)
    # float64 sums in another order.
    scale = np.abs(X).max() * len(X)
    np.testing.assert_allclose(to_numpy(sums), expected[0], rtol=1e-12, atol=1e-14 * scale)
    np.testing.assert_allclose(to_numpy(weights), expected[1], rtol=1e-12)


@ordinary
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_a_step_of_lloyd_is_nearest_centers_and_their_sums(on, name, dtype, weighted):
    rows = on(to_numpy(condition(rows_of(name, dtype)).rows))
    weight = on(np.arange(len(rows)) % 3.0) if weighted else None
    centers = centers_for(to_numpy(rows))
    state = lloyd_start(rows, weight)
    for _ in range(3):
        step = lloyd_step(state, centers)
        labels = nearest_center(rows, centers)[0]
        sums, weights = center_sums(rows, labels, len(centers), weight)
        np.testing.assert_allclose(to_numpy(step.sums), to_numpy(sums), rtol=1e-12, atol=1e-13 * len(rows))
        np.testing.assert_allclose(to_numpy(step.weights), to_numpy(weights), rtol=1e-12, atol=1e-12)
        real = to_numpy(labels) if weight is None else to_numpy(labels)[to_numpy(weight) > 0]
        np.testing.assert_array_equal(to_numpy(step.counts), np.bincount(real, minlength=len(centers)))
        weights = to_numpy(step.weights)[:, None]
        centers = np.where(weights > 0, to_numpy(step.sums) / np.where(weights > 0, weights, 1), centers)
    assert isinstance(step.n_changed, int)


def test_a_step_of_lloyd_counts_the_rows_that_change_their_center(on):
    rows = on(np.array([[0.0], [1.0], [2.0], [3.0]]))
    state = lloyd_start(rows)
    steps = [lloyd_step(state, np.array(centers)) for centers in ([[0.0], [3.0]], [[0.0], [3.0]], [[0.0], [1.4]])]
    assert [step.n_changed for step in steps] == [4, 0, 1]


@ordinary
def test_candidates_for_seeding_are_weighed_by_what_they_leave(on, name, dtype):
    X = rows_of(name, dtype)
    random = np.random.default_rng(1)
    candidates, weight = random.integers(0, len(X), 3), random.uniform(0.5, 2, len(X))
    closest = oracles.squared_distances(X, X[:1])[:, 0].astype(np.float64)
    potentials, closer = (to_numpy(v) for v in seeding_step(on(X), on(candidates), on(closest), on(weight)))
    expected, all_closer = oracles.seeding_step(X, candidates, closest, weight)
    np.testing.assert_allclose(potentials, expected, rtol=1e-12)
    assert_same(closer, all_closer[:, np.argmin(potentials)])


# ---- distances, radius


@ordinary
@pytest.mark.parametrize("squared", [True, False], ids=["squared", "rooted"])
def test_pairwise_distances_have_the_bits_of_the_plain_loop(on, name, dtype, squared):
    X = rows_of(name, dtype)
    Y = queries_for(X)
    expected = oracles.squared_distances(X, Y)
    assert_same(pairwise_distances(on(X), on(Y), squared=squared), expected if squared else np.sqrt(expected))


@every_case
def test_neighbours_within_the_radius_are_counted(on, name, dtype, unit):
    X, radius = rows_of(name, dtype), radius_of(name)
    index = radius_index(on(X * X.dtype.type(unit)), radius * unit)
    weight = np.arange(len(X)) % 4.0
    ones = np.ones(len(X), np.int64)
    assert_same(radius_counts(index), oracles.radius_counts(X, radius, ones))
    assert_same(radius_counts(index, sample_weight=on(weight)), oracles.radius_counts(X, radius, weight))
    enough = to_numpy(radius_counts(index, enough=3))
    np.testing.assert_array_equal(enough >= 3, oracles.radius_counts(X, radius, ones) >= 3)


@every_case
def test_rows_within_the_radius_of_each_other_are_joined(on, name, dtype, unit):
    X, radius = rows_of(name, dtype), radius_of(name)
    index = radius_index(on(X * X.dtype.type(unit)), radius * unit)
    for mask in (np.ones(len(X), bool), np.arange(len(X)) % 3 > 0, np.zeros(len(X), bool)):
        assert_same(radius_components(index, on(mask)), oracles.components(oracles.within(X, X, radius), mask))


@every_case
def test_the_nearest_row_within_the_radius_is_found(on, name, dtype, unit):
    X, radius = rows_of(name, dtype), radius_of(name)
    queries, mask = queries_for(X), np.arange(len(X)) % 3 != 1
    factor = X.dtype.type(unit)
    index = radius_index(on(X * factor), radius * unit)
    found, distances2 = nearest_within(index, on(queries * factor), on(mask))
    expected, expected2 = oracles.nearest_within(X, radius, queries, mask)
    assert_same(found, expected)
    with np.errstate(over="ignore", under="ignore"):
        assert_same(distances2, expected2 * factor * factor)


@ordinary
def test_the_radius_graph_lists_the_neighbours(name, dtype):
    X, radius = rows_of(name, dtype), radius_of(name)
    graph = radius_graph(X, radius)
    near = oracles.within(X, X, radius)
    np.testing.assert_array_equal(graph.indptr, np.r_[0, near.sum(axis=1).cumsum()])
    np.testing.assert_array_equal(graph.indices, np.nonzero(near)[1])
    np.testing.assert_array_equal(graph.weights, np.sqrt(oracles.squared_distances(X, X)[near]))


@ordinary
def test_the_edges_of_the_radius_graph_are_the_same_on_every_engine(on, name, dtype):
    X, radius = rows_of(name, dtype), radius_of(name)
    graph = radius_graph(X, radius)
    index = radius_index(on(X), radius)
    indices, weights = engine_of(index.X, "radius").radius_edges(index, graph.indptr)
    assert_same(indices, graph.indices)
    assert_same(weights, graph.weights)


def test_a_graph_that_does_not_fit_is_refused_with_its_size():
    with pytest.raises(ResourceError, match="160000 edges"):
        radius_graph(np.zeros((400, 2)), 1.0, memory_limit=1_000_000)


@pytest.mark.parametrize("radius", [-1.0, np.nan, np.inf])
def test_a_radius_that_is_none_is_refused(on, radius):
    with pytest.raises(InputError, match="radius"):
        radius_index(on(np.zeros((3, 2))), radius)


@pytest.mark.parametrize("radius", [1e-320])
def test_a_radius_too_small_beside_the_rows_is_refused(on, radius):
    with pytest.raises(InputError, match="cannot be told from 0"):
        radius_index(on(np.array([[1e300], [0.0]])), radius)


# ---- components


@pytest.mark.parametrize("seed", range(6))
def test_components_of_a_graph_are_those_of_a_walk(on, seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 60))
    joined = np.triu(random.random((n, n)) < random.choice([0.0, 0.5, 1.0]) / n, 1)
    graph = Graph(on(np.r_[0, joined.sum(axis=1).cumsum()]), on(np.nonzero(joined)[1]), on(np.ones(joined.sum())))
    assert_same(connected_components(graph), oracles.components(joined | joined.T, np.ones(n, bool)))


def test_a_long_path_is_one_component(on):
    # The numbers along the path go up and down, so that labels must travel far.
    order = np.argsort(np.arange(997) * 631 % 997)
    left, right = np.minimum(order[:-1], order[1:]), np.maximum(order[:-1], order[1:])
    by_left = np.lexsort((right, left))
    indptr = np.searchsorted(left[by_left], np.arange(998))
    labels = connected_components(Graph(on(indptr), on(right[by_left]), on(np.ones(996))))
    assert not to_numpy(labels).any()


def test_sets_are_numbered_by_first_appearance(on):
    assert_same(number_sets(on(np.array([-1, 7, 2, 7, -5, 0, 2]))), np.array([-1, 0, 1, 0, -1, 2, 1]))


# ---- cells


@ordinary
@pytest.mark.parametrize("n_cells", [None, 3], ids=["endless", "three a side"])
@pytest.mark.parametrize("width", [0.1, 1.0])
def test_rows_are_sorted_into_the_cells_of_a_grid(on, name, dtype, n_cells, width):
    X = rows_of(name, dtype)
    found = cells(on(X), -1.0, width, n_cells)
    coords, rows = oracles.cells(X, -1.0, width, n_cells)
    assert_same(found.coords, coords)
    assert_same(found.counts, np.array([len(some) for some in rows]))
    assert_same(found.starts, np.r_[0, np.cumsum([len(some) for some in rows])])
    assert_same(found.order, np.concatenate(rows))
    assert_same(found.keys, cells(X, -1.0, width, n_cells).keys)


@pytest.mark.parametrize(("width", "n_cells"), [(0.0, None), (1.0, 0), (1e-300, None)])
def test_a_grid_that_cannot_be_is_refused(on, width, n_cells):
    with pytest.raises(InputError, match="cell"):
        cells(on(np.array([[1.0], [5.0]])), 0.0, width, n_cells)


# ---- neighbours and spanning trees


def counts_for(X):
    return sorted({1, min(2, len(X)), min(5, len(X)), len(X)})


@every_case
def test_the_nearest_rows_are_in_order_of_distance_then_number(on, name, dtype, unit):
    X = rows_of(name, dtype)
    factor = X.dtype.type(unit)
    for k in counts_for(X):
        distances, indices = k_nearest(on(X * factor), k)
        expected, order = oracles.k_nearest(X, k)
        assert_same(indices, order)
        assert_same(distances, expected * factor)


@every_case
def test_the_nearest_rows_of_queries_are_found(on, name, dtype, unit):
    X = rows_of(name, dtype)
    factor, queries = X.dtype.type(unit), queries_for(X)
    for k in counts_for(X)[:3]:
        distances, indices = k_nearest(on(X * factor), k, queries=on(queries * factor))
        expected, order = oracles.k_nearest(X, k, queries)
        assert_same(indices, order)
        assert_same(distances, expected * factor)


@every_case
def test_the_row_nearest_by_mutual_reachability_is_found(on, name, dtype, unit):
    X = rows_of(name, dtype)
    factor, queries, k = X.dtype.type(unit), queries_for(X), min(4, len(X))
    core = oracles.core_distances(X, k)
    found, reach = nearest_reachable(on(X * factor), on(core * unit), on(queries * factor), k)
    expected, expected_reach = oracles.nearest_reachable(X, core, queries, k)
    assert_same(found, expected)
    assert_same(reach, expected_reach * unit)


@pytest.mark.parametrize("k", [0, 4])
def test_a_number_of_neighbours_that_cannot_be_is_refused(on, k):
    with pytest.raises(InputError, match="between 1 and the number of rows"):
        k_nearest(on(np.zeros((3, 2))), k)


@every_case
def test_the_spanning_tree_is_the_one_of_kruskal(on, name, dtype, unit):
    X = rows_of(name, dtype)
    left, right, weights = spanning_tree(on(X * X.dtype.type(unit)))
    expected = oracles.spanning_tree(X)
    assert_same(left, expected[0])
    assert_same(right, expected[1])
    assert_same(weights, expected[2] * unit)


@every_case
@pytest.mark.parametrize("min_samples", [1, 4, 1000], ids=["1", "4", "all"])
def test_the_tree_by_mutual_reachability_is_the_one_of_kruskal(on, name, dtype, unit, min_samples):
    X = rows_of(name, dtype)
    min_samples = min(min_samples, len(X))
    tree, core = mutual_reachability_tree(on(X * X.dtype.type(unit)), min_samples)
    core2 = np.sort(oracles.squared_distances(X, X), axis=1)[:, min_samples - 1]
    expected = oracles.spanning_tree(X, core2)
    assert_same(core, np.sqrt(core2.astype(np.float64)) * unit)
    assert_same(tree.left, expected[0])
    assert_same(tree.right, expected[1])
    assert_same(tree.weights, expected[2] * unit)


@ordinary
def test_the_tree_of_given_core_distances_is_the_one_of_kruskal(on, name, dtype):
    X = rows_of(name, dtype)
    core = np.random.default_rng(2).integers(0, 3, len(X)).astype(np.float64)
    left, right, weights = spanning_tree(on(X), on(core))
    expected = oracles.spanning_tree(X, (core * core).astype(dtype))
    assert_same(left, expected[0])
    assert_same(right, expected[1])
    assert_same(weights, expected[2])


# ---- engine against engine, on more rows than one tile holds


BIG = {
    "plane": (normal(3000, 2), 0.1),
    "five columns": (normal(1500, 5), 0.7),
    "lattice": (lattice(11, 11, 11), 1.0),
    "twenty-four columns": (normal(1000, 24), 5.5),
}


def answers(X, radius):
    """Return what every primitive that promises equal bits has to say."""
    index = radius_index(X, radius)
    counts = radius_counts(index, enough=None)
    core = counts >= 5
    tree, core_distances = mutual_reachability_tree(X, 5)
    return {
        "counts": counts,
        "components": radius_components(index, core),
        "nearest within": nearest_within(index, X[1::3], core),
        "k nearest": k_nearest(X, 7),
        "Euclidean tree": spanning_tree(X),
        "reachability tree": (*tree, core_distances),
        "nearest reachable": nearest_reachable(X, core_distances, X[::5] + 0.125, 5),
        "row keys": row_keys(X),
    }


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", BIG)
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_both_engines_give_the_same_bits(name, dtype, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("PyTorch sees no CUDA device here")
    X, radius = np.ascontiguousarray(BIG[name][0], dtype), BIG[name][1]
    one, other = answers(X, radius), answers(torch.from_numpy(X).to(device), radius)
    for question, expected in one.items():
        given = other[question]
        pairs = zip(given, expected, strict=True) if isinstance(expected, tuple) else [(given, expected)]
        for tensor, array in pairs:
            assert tensor.device.type == device, question
            np.testing.assert_array_equal(to_numpy(tensor), array, err_msg=question)


def test_matrix_products_that_may_be_rough_are_made_in_float64(monkeypatch):
    rows = condition(torch.from_numpy(normal(500, 8).astype(np.float32))).rows
    used, addmm = [], torch.addmm
    monkeypatch.setattr(torch, "addmm", lambda *operands: used.append(operands[0].dtype) or addmm(*operands))
    precise = nearest_center(rows, rows[:20])[0]
    torch.set_float32_matmul_precision("medium")
    try:
        rough = nearest_center(rows, rows[:20])[0]
    finally:
        torch.set_float32_matmul_precision("highest")
    assert torch.equal(rough, precise)
    assert used == [torch.float32, torch.float64]


def test_a_tile_of_distances_is_bounded_whatever_the_rows(monkeypatch):
    from coterie.primitives._torch import _tiles

    largest, distances2 = [], _tiles.distances2
    monkeypatch.setattr(_tiles, "distances2", lambda A, B: largest.append(distances2(A, B).nbytes) or distances2(A, B))
    for n in (2000, 8000):
        rows = torch.from_numpy(np.random.default_rng(n).random((n, 2)))
        radius_counts(radius_index(rows, 0.3))
        k_nearest(rows, 3)
    assert len(largest) > 100
    assert max(largest) <= _tiles.tile_bytes(rows.device)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_sums_on_tensors_do_not_depend_on_the_threads_of_torch(n_threads):
    rows = torch.from_numpy(normal(20_000, 3)) + 100
    labels, centers = torch.arange(len(rows)) % 7, rows[:7].clone()
    reference = (condition(rows).shift, *center_sums(rows, labels, 7), *seeding_step(rows, labels[:3], None))
    torch.set_num_threads(n_threads)
    try:
        again = (condition(rows).shift, *center_sums(rows, labels, 7), *seeding_step(rows, labels[:3], None))
        assert torch.equal(nearest_center(rows, centers)[1], nearest_center(rows, centers)[1])
    finally:
        torch.set_num_threads(1)
    for given, expected in zip(again, reference, strict=True):
        np.testing.assert_array_equal(to_numpy(given), to_numpy(expected))
