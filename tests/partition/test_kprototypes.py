"""k-prototypes: known answers, a plain reference, kinds of tables, and what must hold of any partition."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.cluster import KMeans as Reference
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

import coterie
from coterie import KPrototypes
from coterie.errors import InputError, ModelFileError
from coterie.partition._prototype_seeding import MixedRows, cao_rows, huang_rows
from coterie.partition.kprototypes import kprototypes
from coterie.primitives.engine import threads
from coterie.primitives.prototypes import nearest_prototype

PEOPLE = pd.DataFrame(
    {
        "age": [21.0, 23, 22, 64, 66, 61, 45, 44],
        "town": ["Ulm", "Ulm", "Bonn", "Kiel", "Kiel", "Kiel", "Bonn", "Bonn"],
        "income": [1.0, 1.2, 1.1, 3.0, 3.1, 2.9, 5.0, 5.2],
        "car": pd.Categorical(["no", "no", "no", "yes", "yes", "no", "yes", "yes"]),
    }
)


def mixed(seed, n=200, p=3, c=4, levels=5):
    """Rows around k = 4 prototypes: numbers (n, p) and codes (n, c)."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 4, n)
    numbers = random.normal(size=(4, p))[group] * 3 + random.normal(size=(n, p))
    codes = random.integers(0, levels, (4, c))[group]
    noise = random.random((n, c)) < 0.3
    codes[noise] = random.integers(0, levels, int(noise.sum()))
    return np.round(numbers, 2), codes.astype(np.int32)


def plain(numbers, codes, weight, means, modes, gamma, steps):
    """Huang's iteration with nested loops."""
    means, modes = means.copy(), modes.copy()
    for _ in range(steps):
        cost = ((numbers[:, None] - means) ** 2).sum(axis=2) + gamma * (codes[:, None] != modes).sum(axis=2)
        labels = cost.argmin(axis=1)
        for k in range(len(means)):
            rows = labels == k
            if not rows.any():
                continue
            means[k] = np.average(numbers[rows], axis=0, weights=weight[rows])
            for j in range(codes.shape[1]):
                counts = [weight[rows & (codes[:, j] == level)].sum() for level in range(codes.max() + 1)]
                modes[k, j] = int(np.argmax(counts))
    return labels, (weight * cost.min(axis=1)).sum()


# ---- the iteration


@pytest.mark.parametrize("seed", range(200))
def test_the_iteration_is_that_of_the_paper(seed):
    numbers, codes = mixed(seed)
    weight = np.random.default_rng(seed).uniform(0.5, 2, 200) if seed % 2 else np.ones(200)
    start = np.random.default_rng(seed).permutation(200)[:4]
    run = kprototypes(MixedRows(numbers, codes, 1.5, weight), numbers[start], codes[start])
    labels, cost = plain(numbers, codes, weight, numbers[start], codes[start], 1.5, run.n_iter)
    np.testing.assert_array_equal(run.labels, labels)
    assert run.cost == pytest.approx(cost, rel=1e-9)


def test_the_cost_never_rises():
    numbers, codes = mixed(1)
    rows, before = MixedRows(numbers, codes, 2.0, np.ones(200)), np.inf
    means, modes = numbers[:4], codes[:4]
    for _ in range(10):
        run = kprototypes(rows, means, modes, max_iter=1)
        assert run.cost <= before * (1 + 1e-12)
        before, means, modes = run.cost, run.means, run.modes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_nearest_prototype_is_that_of_plain_sums(on, dtype):
    numbers, codes = mixed(2)
    codes[::7, 1] = -1
    numbers = np.round(numbers).astype(dtype)  # ties, without rounding
    means, modes = np.round(numbers[:9]).astype(float), codes[20:29]
    labels, costs = nearest_prototype(on(numbers), on(codes), means, modes, 0.5)
    unlike = (codes[:, None] != modes) | (codes[:, None] < 0)
    cost = ((numbers[:, None] - means) ** 2).sum(axis=2) + 0.5 * unlike.sum(axis=2)
    np.testing.assert_array_equal(np.asarray(labels), cost.argmin(axis=1))
    np.testing.assert_array_equal(np.asarray(costs), cost.min(axis=1))


def test_the_first_of_equally_common_values_is_the_mode():
    X = np.array([["b"], ["a"], ["c"], ["a"], ["b"]], dtype=object)
    assert KPrototypes(1).fit(X).cluster_centers_.tolist() == [["a"]]


def test_without_categories_it_is_kmeans():
    X, _ = make_blobs(300, 3, centers=4, random_state=2)
    model = KPrototypes(4).fit(X)
    theirs = Reference(4, init=model.cluster_centers_, n_init=1, tol=0).fit(X)
    assert model.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)
    assert theirs.n_iter_ <= 2


def test_a_prototype_that_loses_its_rows_moves_to_the_most_costly_row():
    numbers, codes = np.array([[0.0], [1.0], [2.0], [30.0]]), np.zeros((4, 1), np.int32)
    rows = MixedRows(numbers, codes, 1.0, np.ones(4))
    run = kprototypes(rows, np.array([[1.0], [1e6]]), np.zeros((2, 1), np.int32))
    assert sorted(run.means.ravel()) == [1.0, 30.0]


# ---- tables


def test_a_frame_of_people_is_read_in_its_own_words():
    model = KPrototypes(3).fit(PEOPLE)
    assert len(set(model.labels_.tolist())) == 3
    assert model.labels_[0] == model.labels_[1] == model.labels_[2]
    old = model.cluster_centers_[model.labels_[3]]
    assert old[0] == pytest.approx((64 + 66 + 61) / 3)
    assert old[1:].tolist() == ["Kiel", pytest.approx(3.0), "yes"]
    assert model.feature_names_in_.tolist() == ["age", "town", "income", "car"]
    assert model.gamma_ == pytest.approx(0.5 * PEOPLE[["age", "income"]].std(ddof=0).mean())


@pytest.mark.parametrize(
    "table",
    [
        PEOPLE,
        pl.from_pandas(PEOPLE),
        pa.Table.from_pandas(PEOPLE),
        PEOPLE.to_numpy(object),
        PEOPLE.to_numpy(object).tolist(),
    ],
    ids=["pandas", "polars", "pyarrow", "objects", "lists"],
)
def test_every_kind_of_table_gives_the_same_labels(table):
    model = KPrototypes(3).fit(table)
    np.testing.assert_array_equal(model.labels_, KPrototypes(3).fit(PEOPLE).labels_)
    np.testing.assert_array_equal(model.predict(table), model.labels_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_columns_of_numbers_can_be_categories(dtype):
    numbers, codes = mixed(3)
    X = np.column_stack([np.round(numbers), codes]).astype(dtype)
    model = KPrototypes(4, categorical=[3, 4, 5, 6]).fit(X)
    texts = np.column_stack([np.round(numbers).astype(object), np.array(list("abcde"), object)[codes]])
    assert adjusted_rand_score(model.labels_, KPrototypes(4).fit(texts).labels_) == 1
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_names_choose_the_categorical_columns():
    frame = PEOPLE.assign(floor=[1, 1, 2, 3, 3, 3, 2, 2])
    named = KPrototypes(3, categorical=["town", "car", "floor"]).fit(frame)
    placed = KPrototypes(3, categorical=[1, 3, 4]).fit(frame)
    np.testing.assert_array_equal(named.labels_, placed.labels_)
    assert [levels.tolist() for levels in named.categories_][2] == [1, 2, 3]


def test_only_categories_are_k_modes():
    X = PEOPLE[["town", "car"]]
    model = KPrototypes(2).fit(X)
    assert model.gamma_ == 1.0
    assert model.inertia_ == (X.to_numpy() != model.cluster_centers_[model.labels_]).sum()


def test_tensors_give_the_labels_of_arrays():
    torch = pytest.importorskip("torch")
    numbers, codes = mixed(4)
    X = np.column_stack([numbers, codes])
    array, tensor = (KPrototypes(4, categorical=[3, 4, 5, 6]).fit(rows) for rows in (X, torch.from_numpy(X)))
    np.testing.assert_array_equal(tensor.labels_.numpy(), array.labels_)
    assert torch.equal(tensor.predict(torch.from_numpy(X)), tensor.labels_)


# ---- missing and unseen values


def test_a_missing_category_is_a_value_of_its_own():
    frame = PEOPLE.assign(town=[None, "Ulm", None, "Kiel", np.nan, "Kiel", "Bonn", pd.NA])
    model = KPrototypes(2).fit(frame)
    assert model.categories_[0].tolist() == ["Bonn", "Kiel", "Ulm", None]
    np.testing.assert_array_equal(model.predict(frame), model.labels_)


def test_an_unseen_category_differs_from_every_mode():
    model = KPrototypes(3, gamma=100.0).fit(PEOPLE)
    new = PEOPLE.iloc[[0, 3]].assign(town="Rome", car="maybe")
    nearest = ((model.cluster_centers_[:, [0, 2]].astype(float) - new[["age", "income"]].to_numpy()[:, None]) ** 2).sum(
        axis=2
    )
    np.testing.assert_array_equal(model.predict(new), nearest.argmin(axis=1))


@pytest.mark.parametrize(
    ("change", "parameters", "error", "message"),
    [
        ({"age": [np.nan] * 8}, {}, InputError, "NaN at row 0, numeric column 0"),
        ({"income": [np.inf] * 8}, {}, InputError, "infinity at row 0"),
        ({"town": [{1}] * 8}, {}, TypeError, "string or a number"),
        ({}, {"categorical": ["city"]}, InputError, "column 'city', which X does not have"),
        ({}, {"categorical": [9]}, InputError, "columns from 0 to 3"),
        ({}, {"categorical": ["car"]}, ValueError, "could not convert string to float"),
    ],
)
def test_unusable_tables_are_refused_in_words(change, parameters, error, message):
    with pytest.raises(error, match=message):
        KPrototypes(2, **parameters).fit(PEOPLE.assign(**change))


def test_text_where_the_fit_saw_numbers_is_refused_in_words():
    model = KPrototypes(2).fit(PEOPLE[["age", "income"]])
    with pytest.raises(InputError, match=r"columns \[1\] of X hold text, but none did in fit"):
        model.predict(PEOPLE[["age", "town"]])


def test_a_table_of_text_alone_asks_which_columns_are_categories():
    with pytest.raises(InputError, match="say which columns are categorical"):
        KPrototypes(2).fit(np.array([["a", "1.5"], ["b", "2.5"]]))


# ---- starts


def test_cao_starts_from_a_common_row_and_then_from_far_ones():
    codes = np.array([[0, 0]] * 5 + [[1, 1]] * 3 + [[0, 2]] * 2, np.int32)
    rows = MixedRows(np.zeros((10, 1)), codes, 1.0, np.ones(10))
    # Densities 12, 6 and 9 of 20; then 2 x 6 for the second kind, 1 x 9 for the third.
    assert codes[cao_rows(rows, 3)].tolist() == [[0, 0], [1, 1], [0, 2]]


@pytest.mark.parametrize("seed", range(5))
def test_huang_starts_from_different_rows(seed):
    numbers, codes = mixed(seed)
    rows = MixedRows(numbers, codes, 1.0, np.ones(200))
    chosen = huang_rows(rows, 8, np.random.RandomState(seed))
    assert len(np.unique(np.column_stack([numbers, codes])[chosen], axis=0)) == 8


@pytest.mark.parametrize("init", ["cao", "huang"])
def test_shuffled_rows_give_the_same_partition(init):
    numbers, codes = mixed(6)
    X = np.column_stack([numbers.astype(object), np.array(list("abcde"), object)[codes]])
    order = np.random.default_rng(0).permutation(200)
    labels, shuffled = (KPrototypes(4, init=init, random_state=0).fit_predict(rows) for rows in (X, X[order]))
    np.testing.assert_array_equal(shuffled, labels[order])


@pytest.mark.parametrize("init", ["cao", "huang"])
def test_a_whole_weight_is_as_many_rows(init):
    numbers, codes = mixed(7)
    X = np.column_stack([numbers.astype(object), np.array(list("abcde"), object)[codes]])
    weight = np.random.default_rng(0).integers(0, 4, 200)
    weighted = KPrototypes(4, init=init, random_state=0).fit(X, sample_weight=weight)
    repeated = KPrototypes(4, init=init, random_state=0).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_array_equal(repeated.predict(X), weighted.labels_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-9)


# ---- the same bits, and files


def test_the_same_bits_on_any_number_of_threads():
    numbers, codes = mixed(8, n=20_000)
    X = np.column_stack([numbers, codes]).astype(np.float32)
    results = []
    for n in (1, 2, 4):
        with threads(n):
            model = KPrototypes(4, categorical=[3, 4, 5, 6]).fit(X)
        results.append((model.labels_.tobytes(), model.inertia_, str(model.cluster_centers_)))
    assert results[0] == results[1] == results[2]


def test_a_saved_model_predicts_the_labels_of_the_fit(tmp_path):
    model = KPrototypes(3).fit(PEOPLE)
    loaded = coterie.load(coterie.save(model, tmp_path / "m.coterie")).estimator
    np.testing.assert_array_equal(loaded.predict(PEOPLE), model.labels_)
    assert loaded.cluster_centers_.tolist() == model.cluster_centers_.tolist()


def test_a_model_file_whose_columns_do_not_match_is_refused(tmp_path):
    model = KPrototypes(3).fit(PEOPLE)
    model._categorical = [1, 7]
    with pytest.raises(ModelFileError, match="its columns do not match"):
        coterie.load(coterie.save(model, tmp_path / "m.coterie"))
