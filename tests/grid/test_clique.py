"""CLIQUE against the definition, counted subspace by subspace, and the worked examples of its paper."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import coterie
from coterie.errors import InputError, ModelFileError, ResourceError
from coterie.grid._clique_regions import cover
from coterie.grid._clique_units import well_covered
from coterie.grid.clique import CLIQUE, merge, partial
from coterie.primitives.engine import threads

# With a table of cells, with sets of rows, and all features together.
SETTINGS = [
    {"n_intervals": 6, "density_threshold": 0.004},
    {"n_intervals": 60, "density_threshold": 0.004},
    {"n_intervals": 60, "density_threshold": 0.002, "full_space": True},
]


def by_definition(X, n_intervals, density_threshold, full_space=False):
    """Every cluster as (dimensions, units, rows): each subspace counted alone, its dense cells joined by faces."""
    found = set()
    varying = [j for j in range(X.shape[1]) if X[:, j].min() < X[:, j].max()]
    edges = [np.histogram_bin_edges(X[:, j], n_intervals) for j in range(X.shape[1])]
    codes = np.column_stack([np.searchsorted(edges[j][1:-1], X[:, j], side="right") for j in range(X.shape[1])])
    for k in [len(varying)] if full_space else range(1, len(varying) + 1):
        for dimensions in combinations(varying, k):
            counts = Counter(map(tuple, codes[:, dimensions].tolist()))
            dense = {unit for unit, count in counts.items() if count / len(X) >= density_threshold}
            while dense:
                component = grown(dense)
                dense -= component
                found.add((dimensions, tuple(sorted(component)), sum(counts[unit] for unit in component)))
    return found


def grown(dense):
    """One unit and all that it is connected to by faces."""
    component, waiting = set(), [next(iter(dense))]
    while waiting:
        unit = waiting.pop()
        if unit in dense and unit not in component:
            component.add(unit)
            waiting += [(*unit[:j], unit[j] + step, *unit[j + 1 :]) for j in range(len(unit)) for step in (-1, 1)]
    return component


def clusters_of(model):
    return {
        (tuple(c.dimensions.tolist()), tuple(sorted(map(tuple, c.units.tolist()))), int(c.rows))
        for c in model.clusters_
    }


def mixture(seed, n=300, d=3):
    random = np.random.default_rng(seed)
    X = random.uniform(-3, 3, (n, d))
    for _ in range(3):
        columns = random.choice(d, random.integers(1, d + 1), replace=False)
        rows = random.choice(n, n // 3, replace=False)
        X[np.ix_(rows, columns)] = random.uniform(-2, 2, len(columns)) + random.normal(
            0, 0.3, (len(rows), len(columns))
        )
    return X


# ---- the definition


@pytest.mark.parametrize("seed", range(200))
def test_clusters_are_those_of_every_subspace_counted_alone(seed):
    random = np.random.default_rng(seed)
    d, n_intervals = int(random.integers(1, 5)), int(random.choice([1, 2, 5, 8]))
    density_threshold = float(random.choice([0.004, 0.02, 0.1]))
    X = mixture(seed, d=d)
    if seed % 3 == 0:
        X = np.round(X * 2) / 2  # values on the edges
    model = CLIQUE(n_intervals, density_threshold=density_threshold, prune=False).fit(X)
    assert clusters_of(model) == by_definition(X, n_intervals, density_threshold)


@pytest.mark.parametrize("seed", range(8))
def test_the_same_clusters_are_found_where_the_grid_has_too_many_cells_for_a_table(seed):
    X = mixture(seed, n=400, d=4)
    model = CLIQUE(50, density_threshold=0.02, prune=False).fit(X)
    assert 50**4 > 1 << 22
    assert clusters_of(model) == by_definition(X[:, :], 50, 0.02)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_intervals", [4, 60])
def test_full_space_gives_the_clusters_of_all_features_only(seed, n_intervals):
    X = mixture(seed, n=500, d=4)
    model = CLIQUE(n_intervals, density_threshold=0.002, full_space=True).fit(X)
    assert clusters_of(model) == by_definition(X, n_intervals, 0.002, full_space=True)


@pytest.mark.parametrize(
    "name", ["fcps/hepta", "fcps/target", "other/iris", "other/square", "graves/zigzag", "uci/ecoli"]
)
def test_clusters_of_real_data_are_those_of_the_definition(shared_data, name):
    X = np.loadtxt(shared_data / "clustering" / f"{name}.data.gz", ndmin=2)[:, :4]
    model = CLIQUE(7, density_threshold=0.02, prune=False).fit(X)
    assert clusters_of(model) == by_definition(X, 7, 0.02)


def test_units_that_touch_at_a_corner_only_are_two_clusters():
    X = np.array([[0.0, 0.0]] * 5 + [[1.0, 1.0]] * 5)
    assert len(CLIQUE(2, density_threshold=0.4, full_space=True).fit(X).clusters_) == 2


def test_a_unit_is_dense_from_exactly_the_threshold_on():
    X = np.repeat([[0.0], [1.0]], [3, 27], axis=0)
    assert len(CLIQUE(2, density_threshold=0.1, full_space=True).fit(X).clusters_[0].units) == 2
    assert len(CLIQUE(2, density_threshold=0.1001, full_space=True).fit(X).clusters_[0].units) == 1


def test_one_interval_gives_one_cluster_for_each_subspace():
    assert len(CLIQUE(1).fit(mixture(0, d=3)).clusters_) == 7


# ---- labels, membership, predict


def test_a_row_has_the_label_of_its_cluster_of_most_features_then_of_most_rows():
    X = mixture(4, n=600, d=3)
    model = CLIQUE(6, density_threshold=0.2, prune=False).fit(X)
    inside = model.membership(X).toarray()
    order = [(-len(c.dimensions), -c.rows) for c in model.clusters_]
    assert order == sorted(order)
    first = np.where(inside.any(axis=1), inside.argmax(axis=1), -1)
    labels = np.array([c.label for c in model.clusters_] + [-1])[first]
    np.testing.assert_array_equal(model.labels_, labels)
    assert -1 in labels


def test_labels_are_numbered_by_first_appearance():
    labels = CLIQUE(6, density_threshold=0.02).fit(mixture(4)).labels_
    found, first = np.unique(labels[labels >= 0], return_index=True)
    assert found.tolist() == list(range(len(found)))
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize("n_intervals", [6, 70])
def test_membership_holds_as_many_rows_as_each_cluster_says(n_intervals):
    X = mixture(5, n=500, d=4)
    model = CLIQUE(n_intervals, density_threshold=0.03, prune=False).fit(X)
    np.testing.assert_array_equal(model.membership(X).sum(axis=0), [c.rows for c in model.clusters_])


def test_rows_outside_the_grid_are_noise():
    model = CLIQUE(4, density_threshold=0.01).fit(mixture(1))
    assert model.predict([[99.0, 0.0, 0.0], [0.0, -99.0, 0.0]]).tolist() != [0, 0]
    assert CLIQUE(4, full_space=True).fit(mixture(1)).predict([[99.0, 0.0, 0.0]]).tolist() == [-1]


@pytest.mark.parametrize("n_intervals", [5, 90])
def test_predict_repeats_the_labels_of_the_fit(n_intervals):
    X = mixture(6, n=700, d=4)
    model = CLIQUE(n_intervals, density_threshold=0.01).fit(X)
    np.testing.assert_array_equal(model.predict(X), model.labels_)


# ---- descriptions


def census(intervals):
    """Two rows in each unit of the regions, age by five years from 20, salary by one thousand from 0."""
    rows = [[20.0, 0.0], [70.0, 10.0]]
    rows += [[age + shift, pay + 0.5] for age, pay in sorted(intervals) for shift in (1.0, 3.0)]
    return pd.DataFrame(rows, columns=["age", "salary"])


def test_the_worked_example_of_the_paper_is_described_as_printed_there():
    a = {(age, pay) for age in range(30, 50, 5) for pay in range(4, 8)}
    b = {(age, pay) for age in range(40, 60, 5) for pay in range(2, 6)}
    X = census(a | b)
    model = CLIQUE(10, density_threshold=2 / len(X), full_space=True).fit(X)
    assert [c.description for c in model.clusters_] == [
        "(30 <= age < 50 and 4 <= salary < 8) or (40 <= age < 60 and 2 <= salary < 6)"
    ]


def test_the_papers_example_of_clusters_in_a_subspace_has_none_in_all_features():
    # No unit of both features is dense, none of age, three of salary, two of which touch.
    pay = np.repeat([2.5, 5.5, 6.5, 0.0, 10.0], [22, 22, 22, 17, 17])
    X = pd.DataFrame({"age": np.tile(np.linspace(20, 70, 20), 5), "salary": pay})
    model = CLIQUE(10, density_threshold=0.2).fit(X)
    assert [c.description for c in model.clusters_] == ["5 <= salary < 7", "2 <= salary < 3"]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_boxes_cover_exactly_the_units_and_none_can_be_left_out(seed, k):
    units = np.unique(np.random.default_rng([seed, k]).integers(0, 5 if k < 9 else 2, (40, k)), axis=0)
    boxes = cover(units)
    inside = [((units >= box[:, 0]) & (units <= box[:, 1])).all(axis=1) for box in boxes]
    assert [int(own.sum()) for own in inside] == np.prod(boxes[:, :, 1] - boxes[:, :, 0] + 1, axis=1).tolist()
    assert np.any(inside, axis=0).all()
    assert all(
        not np.any([*inside[:b], *inside[b + 1 :], np.zeros(len(units), bool)], axis=0).all() for b in range(len(boxes))
    )


def test_boxes_say_in_numbers_which_rows_a_cluster_holds():
    X = mixture(7, n=500, d=3)
    model = CLIQUE(6, density_threshold=0.02).fit(X)
    inside = model.membership(X).toarray()
    for number, cluster in enumerate(model.clusters_):
        values = X[:, None, cluster.dimensions]
        low, high = cluster.boxes[:, :, 0], cluster.boxes[:, :, 1]
        last = high == X[:, cluster.dimensions].max(axis=0)
        held = ((values >= low) & ((values < high) | (last & (values == high)))).all(axis=2).any(axis=1)
        np.testing.assert_array_equal(held, inside[:, number])


# ---- pruning


def shortest_code(coverage):
    """The least coverage kept, by trying every cut."""
    order = np.sort(coverage)[::-1]
    lengths = {}
    for i in range(1, len(order) + 1):
        if i < len(order) and order[i] == order[i - 1]:
            continue
        parts = [part for part in (order[:i], order[i:]) if len(part)]
        means = [np.ceil(part.mean()) for part in parts]
        lengths[i] = sum(
            np.log2(max(mean, 1)) + np.log2(np.maximum(np.abs(part - mean), 1)).sum()
            for mean, part in zip(means, parts, strict=True)
        )
    best = min(lengths.values())
    return order[next(i for i, length in lengths.items() if length <= best + 1e-9) - 1]


@pytest.mark.parametrize("seed", range(40))
def test_pruning_takes_the_shortest_code(seed):
    random = np.random.default_rng(seed)
    coverage = random.integers(1, [10, 1000][seed % 2], random.integers(1, 40)).astype(float)
    assert well_covered(coverage) == shortest_code(coverage)


def test_pruning_keeps_the_subspaces_that_cover_many_rows():
    random = np.random.default_rng(0)
    X = random.uniform(size=(2000, 6))
    X[:1500, 0] = random.normal(0.5, 0.02, 1500)
    X[:1500, 1] = random.normal(0.5, 0.02, 1500)
    pruned = CLIQUE(20, density_threshold=0.06).fit(X)
    assert {tuple(c.dimensions.tolist()) for c in pruned.clusters_} == {(0,), (1,), (0, 1)}


def test_pruning_gives_some_of_the_clusters():
    X = mixture(9, n=500, d=5)
    assert clusters_of(CLIQUE(5, density_threshold=0.05).fit(X)) < clusters_of(
        CLIQUE(5, density_threshold=0.05, prune=False).fit(X)
    )


# ---- blocks and partial sums


def assert_same_clusters(one, other):
    assert len(one.clusters_) == len(other.clusters_)
    for a, b in zip(one.clusters_, other.clusters_, strict=True):
        np.testing.assert_equal(a, b)


@pytest.mark.parametrize("rows", [1, 7, 64, 100, 499, 500, 501])
@pytest.mark.parametrize("parameters", SETTINGS)
def test_blocks_of_any_size_give_the_result_in_memory(rows, parameters):
    X = mixture(3, n=500, d=4)
    whole = CLIQUE(**parameters).fit(X)
    blocks = CLIQUE(**parameters)
    blocks.fit(lambda: (X[i : i + rows] for i in range(0, len(X), rows)))
    assert_same_clusters(blocks, whole)
    np.testing.assert_array_equal(blocks.labels_, whole.labels_)
    np.testing.assert_array_equal(blocks.predict(X), whole.labels_)


@pytest.mark.parametrize("rows", [13, 100, 500])
@pytest.mark.parametrize("n_intervals", [6, 60])
@pytest.mark.parametrize("box", [None, (-3.0, 3.0)])
def test_chunks_of_any_size_give_the_result_of_all_rows_at_once(rows, n_intervals, box):
    X = mixture(3, n=500, d=4)
    whole = CLIQUE(n_intervals, density_threshold=0.02, box=box).fit(X)
    parts = CLIQUE(n_intervals, density_threshold=0.02, box=box)
    for i in range(0, len(X), rows):
        parts.partial_fit(X[i : i + rows])
    assert_same_clusters(parts, whole)
    np.testing.assert_array_equal(parts.labels_, whole.labels_[-(len(X) % rows or rows) :])


def test_only_cells_are_kept_where_the_box_is_given():
    X = mixture(3, n=500, d=2)
    model = CLIQUE(6, box=(-3, 3)).partial_fit(X).partial_fit(X)
    assert model._kept is None
    assert model._cells.codes.shape[1] <= 36
    assert model._cells.n == 1000


def test_counts_of_blocks_merge_in_any_grouping():
    X = mixture(2, n=300, d=3)
    edges = CLIQUE(6, density_threshold=0.02).fit(X).edges_
    a, b, c = (partial(part, edges) for part in np.array_split(X, 3))
    np.testing.assert_equal(merge(merge(a, b), c), merge(a, merge(b, c)))
    np.testing.assert_equal(merge(merge(a, b), c), partial(X, edges))


def test_fit_forgets_what_partial_fit_has_gathered():
    X = mixture(2, n=300, d=3)
    model = CLIQUE(6, density_threshold=0.02).partial_fit(X + 5).fit(X)
    assert_same_clusters(model.partial_fit(X[:200]), CLIQUE(6, density_threshold=0.02).fit(X[:200]))


def test_a_function_that_gives_no_rows_is_refused():
    with pytest.raises(InputError, match="no rows"):
        CLIQUE().fit(lambda: iter([]))


def test_a_function_that_gives_its_rows_once_is_refused():
    rows = iter([mixture(0)])
    with pytest.raises(InputError, match="300 rows first and 0 later"):
        CLIQUE().fit(lambda: rows)


# ---- box, threads, engines


def test_bounds_are_where_the_grid_begins_and_ends():
    X = np.array([[1.0], [2.0], [9.0], [50.0]])
    model = CLIQUE(10, density_threshold=0.25, box=[[0.0], [20.0]]).fit(X)
    assert [c.description for c in model.clusters_] == ["0 <= x0 < 4", "8 <= x0 < 10"]
    assert model.labels_.tolist() == [0, 0, 1, -1]


@pytest.mark.parametrize("box", [[[0.0], [1.0], [2.0]], [[2.0], [1.0]], [[0.0, 1.0], [1.0, 2.0]], [[0.0], [np.inf]]])
def test_unusable_bounds_are_refused(box):
    with pytest.raises(InputError, match="box"):
        CLIQUE(box=box).fit(np.arange(5.0)[:, None])


def test_threads_change_nothing():
    X = mixture(0, n=90_000, d=5)
    with threads(1):
        one = CLIQUE(40, density_threshold=0.005).fit(X)
    with threads(4):
        four = CLIQUE(40, density_threshold=0.005).fit(X)
    assert_same_clusters(one, four)
    assert one.labels_.tobytes() == four.labels_.tobytes()


@pytest.mark.parametrize("parameters", SETTINGS)
def test_tensors_give_the_clusters_of_arrays(parameters):
    torch = pytest.importorskip("torch", reason="the second engine is PyTorch's")
    X = mixture(3, n=500, d=4)
    reference = CLIQUE(**parameters).fit(X)
    model = CLIQUE(**parameters).fit(torch.from_numpy(X))
    assert_same_clusters(model, reference)
    assert isinstance(model.labels_, torch.Tensor)
    np.testing.assert_array_equal(model.labels_.numpy(), reference.labels_)
    np.testing.assert_array_equal(model.predict(torch.from_numpy(X) + 0.1).numpy(), reference.predict(X + 0.1))


# ---- what cannot be done, and what is of little use


def test_a_level_with_too_many_candidates_is_refused_with_the_figure():
    X = np.random.default_rng(0).integers(0, 2, (500, 30)).astype(float)
    with pytest.raises(ResourceError, match=r"level 4 .* 438,480 .*max_dim=3"):
        CLIQUE(2, density_threshold=0.01, prune=False, max_candidates=100_000).fit(X)


def test_a_refusal_leaves_the_estimator_unfitted():
    X = np.random.default_rng(0).integers(0, 2, (500, 30)).astype(float)
    model = CLIQUE(2, density_threshold=0.01, prune=False, max_candidates=1000).fit(X[:, :2])
    for fit in (model.fit, model.partial_fit):
        with pytest.raises(ResourceError):
            fit(X)
        with pytest.raises(NotFittedError):
            model.predict(X)
    assert model.partial_fit(X[:, :3]).labels_.shape == (500,)


def test_max_dim_stops_before_the_refusal():
    X = np.random.default_rng(0).integers(0, 2, (500, 30)).astype(float)
    model = CLIQUE(2, density_threshold=0.01, prune=False, max_dim=2).fit(X)
    assert len(model.clusters_) == 30 + 30 * 29 // 2


def test_features_that_do_not_vary_take_no_part():
    X = mixture(0, d=2)
    wider = np.column_stack([np.full(len(X), 5.0), X])
    model, plain = CLIQUE(5).fit(wider), CLIQUE(5).fit(X)
    assert [c.dimensions.tolist() for c in model.clusters_] == [(c.dimensions + 1).tolist() for c in plain.clusters_]


def test_a_threshold_below_one_row_is_said():
    with pytest.warns(UserWarning, match="less than one row"):
        CLIQUE(4, density_threshold=0.001, full_space=True).fit(mixture(0))


def test_a_threshold_that_no_unit_reaches_is_said():
    with pytest.warns(UserWarning, match="noise"):
        model = CLIQUE(10, density_threshold=0.9).fit(mixture(0))
    assert set(model.labels_.tolist()) == {-1}


# ---- model files


def test_clusters_survive_a_model_file(tmp_path):
    X = mixture(1, n=400, d=3)
    model = CLIQUE(6, density_threshold=0.02).fit(X)
    again = coterie.load(coterie.save(model, tmp_path / "m.coterie")).estimator
    assert_same_clusters(again, model)
    np.testing.assert_array_equal(again.membership(X).toarray(), model.membership(X).toarray())


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c._replace(units=c.units + 100),
        lambda c: c._replace(dimensions=c.dimensions + 100),
        lambda c: c._replace(units=c.units[:, :0]),
        lambda c: c._replace(label="x"),
    ],
    ids=["units", "dimensions", "shape", "label"],
)
def test_made_up_clusters_are_refused(change, tmp_path):
    model = CLIQUE(6, density_threshold=0.02).fit(mixture(1))
    model.clusters_ = (change(model.clusters_[0]), *model.clusters_[1:])
    path = coterie.save(model, tmp_path / "m.coterie")
    with pytest.raises(ModelFileError, match="cluster"):
        coterie.load(path)
