"""Grid methods on Dask arrays: the labels and the state of rows in memory, however the rows are cut, held and handed out."""

import pickle

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from coterie import CLIQUE, STING, WaveCluster
from coterie.errors import InputError, ResourceError, UnsupportedError
from coterie.models import load, save
from coterie.tables import row_files

COUNTS = ("_coords", "_counts", "_first", "_n_rows", "n_outside_", "box_", "n_cells_", "_cells", "_cell_labels")


def groups(n, d, seed=0):
    """Return rows in four groups and some that lie anywhere; a tenth of them repeat others, and one column is whole numbers."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 6 * rng.normal(size=(4, d))[rng.integers(4, size=n)]
    X[: n // 20] = rng.uniform(-20, 20, (n // 20, d))
    X[-(n // 10) :] = X[: n // 10]
    X[:, -1] = np.round(X[:, -1], 1)
    return X[rng.permutation(n)]


def outlying(X):
    X = X.copy()
    X[len(X) // 2] = 1e4
    X[3] = -3e3
    return X


DATA = {
    "plane": lambda: groups(3000, 2),
    "single precision": lambda: groups(3000, 2, 1).astype(np.float32),
    "line": lambda: groups(2000, 1),
    "three columns": lambda: groups(3000, 3),
    "six columns": lambda: groups(1500, 6),
    "outliers": lambda: outlying(groups(2000, 2, 2)),
    "sorted": lambda: np.sort(groups(2000, 2, 3), axis=0),
    "a column that does not vary": lambda: np.column_stack([groups(900, 2), np.full(900, 7.0)]),
    "equal rows": lambda: np.ones((50, 2)),
    "whole numbers": lambda: np.random.default_rng(0).integers(0, 30, (2000, 2)),
}
CUTS = {
    "one block": lambda n: (n,),
    "blocks": lambda n: (n // 3, n // 2, n - n // 3 - n // 2),
    "blocks without rows": lambda n: (0, n // 4, 0, 0, n - n // 4 - 1, 1, 0),
}


def cut(X, lengths):
    return da.from_array(X, chunks=(tuple(lengths), X.shape[1]))


def parts_of(X, lengths):
    return np.split(X, np.cumsum(lengths)[:-1])


def same_state(found, whole, names):
    for name in names:
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name), err_msg=name)


def both(model, X, lengths):
    """Fit rows in memory and rows in blocks."""
    return clone(model).fit(X), clone(model).fit(cut(X, lengths))


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("lengths", CUTS)
def test_sting_has_labels_counts_and_sums_of_rows_in_memory(data, lengths):
    X = DATA[data]()
    for model in (STING(), STING(7, 3.0, attributes=[0])):
        whole, found = both(model, X, CUTS[lengths](len(X)))
        assert np.array_equal(found.labels_.compute(), whole.labels_)
        same_state(found, whole, (*COUNTS, "_sums", "_extremes", "_bins", "min_points_"))


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("lengths", CUTS)
def test_wavecluster_has_labels_and_counts_of_rows_in_memory(data, lengths):
    X = DATA[data]()
    model = WaveCluster() if X.shape[1] < 4 else WaveCluster(4)
    whole, found = both(model, X, CUTS[lengths](len(X)))
    assert np.array_equal(found.labels_.compute(), whole.labels_)
    same_state(found, whole, (*COUNTS, "threshold_", "_share"))


def same_clusters(found, whole):
    assert len(found.clusters_) == len(whole.clusters_)
    for cluster, wanted in zip(found.clusters_, whole.clusters_, strict=True):
        for part, value in zip(cluster, wanted, strict=True):
            np.testing.assert_array_equal(part, value)
            assert type(part) is type(value)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("lengths", CUTS)
def test_clique_has_clusters_and_labels_of_rows_in_memory(data, lengths):
    X = DATA[data]()
    for model in (CLIQUE(max_dim=3), CLIQUE(5, density_threshold=0.02, full_space=True)):
        whole, found = both(model, X, CUTS[lengths](len(X)))
        same_clusters(found, whole)
        assert np.array_equal(found.labels_.compute(), whole.labels_)
        same_state(found, whole, ("edges_", "n_features_in_"))


@pytest.mark.parametrize(
    "model", [CLIQUE(40, max_dim=2), CLIQUE(100, prune=False, max_dim=2), CLIQUE(10, full_space=True)], ids=str
)
def test_clique_counts_grids_of_very_many_cells_as_in_memory(crew, model):
    X = groups(3000, 8)
    X[:, 4:] = np.random.default_rng(0).integers(0, 2, (3000, 4))
    whole, found = both(model.set_params(density_threshold=0.004), X, (1, 1499, 0, 1500))
    same_clusters(found, whole)
    assert np.array_equal(found.labels_.compute(), whole.labels_)


MODELS = [STING(), STING(16, 2.0), WaveCluster(), WaveCluster(16, threshold=0.1, border="absorb"), CLIQUE()]


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_workers_and_this_process_label_as_rows_in_memory(crew, model):
    X = groups(3000, 2)
    whole, found = both(model, X, (700, 0, 1, 1299, 1000))
    assert np.array_equal(found.labels_.compute(), whole.labels_)
    assert np.array_equal(found.predict(cut(X[:900], (450, 450))).compute(), whole.labels_[:900])


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_blocks_of_one_row_label_as_rows_in_memory(model):
    X = groups(60, 2)
    whole, found = both(model, X, (1,) * 60)
    assert np.array_equal(found.labels_.compute(), whole.labels_)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_blocks_in_another_order_label_as_their_rows_in_that_order(model):
    X = groups(2000, 2)
    lengths = [300, 500, 100, 1100]
    parts = parts_of(X, lengths)
    order = [2, 0, 3, 1]
    whole, found = both(model, np.concatenate([parts[i] for i in order]), [lengths[i] for i in order])
    assert np.array_equal(found.labels_.compute(), whole.labels_)


@pytest.mark.parametrize("cls", [STING, WaveCluster, CLIQUE])
def test_rows_outside_a_given_box_are_counted_and_are_noise(cls):
    X = groups(2000, 2)
    box = np.array([[-8.0, -4.0], [6.0, 9.0]])
    model = cls(box=box)
    if cls is CLIQUE:
        whole, found = both(model, X, (900, 1100))
    else:
        with pytest.warns(UserWarning, match="rows lie outside the box"):
            whole, found = both(model, X, (900, 1100))
        assert found.n_outside_ == whole.n_outside_ > 0
    assert np.array_equal(found.labels_.compute(), whole.labels_)
    with pytest.raises(InputError, match="box must be"):
        cls(box=[1, 0]).fit(cut(X, (900, 1100)))


@pytest.mark.parametrize("cls", [STING, WaveCluster, CLIQUE])
def test_a_frame_keeps_its_names(crew, cls):
    X = groups(1500, 2)
    frame = pd.DataFrame(X, columns=["high", "wide"])
    found = cls().fit(dd.from_pandas(frame, npartitions=3, sort=False))
    whole = cls().fit(frame)
    assert list(found.feature_names_in_) == ["high", "wide"]
    assert np.array_equal(found.labels_.compute(), whole.labels_)
    with pytest.raises(InputError, match="not in the same order"):
        found.predict(dd.from_pandas(frame[["wide", "high"]], npartitions=2))


def test_columns_of_a_frame_are_chosen_by_name():
    frame = pd.DataFrame(groups(1500, 3), columns=list("abc"))
    model = STING(8, 3.0, axes=["c", "a"], attributes="b")
    found = clone(model).fit(dd.from_pandas(frame, npartitions=3, sort=False))
    assert np.array_equal(found.labels_.compute(), clone(model).fit(frame).labels_)


def test_questions_have_the_answers_of_rows_in_memory():
    whole, found = both(STING(32, 2.0), groups(3000, 2), (1000, 1500, 500))
    for level, other in zip(found.levels_, whole.levels_, strict=True):
        for part, wanted in zip(level, other, strict=True):
            np.testing.assert_array_equal(part, wanted)
    np.testing.assert_array_equal(found.query({0: (-1, 4)}).regions, whole.query({0: (-1, 4)}).regions)


def test_blocks_are_labelled_at_another_level_of_the_transform(crew):
    X = groups(3000, 2)
    whole, found = both(WaveCluster(64, threshold=0.1), X, (1000, 2000))
    wanted = whole.predict(X, level=3)
    assert np.array_equal(found.predict(cut(X, (1000, 2000)), level=3).compute(), wanted)
    assert not np.array_equal(wanted, whole.labels_)


def test_statistics_do_not_travel_with_what_labels_a_block():
    found = STING(512, 2.0).fit(cut(groups(3000, 2), (1000, 2000)))
    light = found._light()
    assert not {"_sums", "_bins", "_extremes", "labels_"} & set(vars(light))
    assert len(pickle.dumps(light)) < len(pickle.dumps(found._sums)) / 2


@pytest.mark.parametrize(
    "model", [*MODELS, CLIQUE(400, max_dim=2), CLIQUE(3000, full_space=True, density_threshold=0.001)]
)
def test_blocks_as_tensors_label_as_rows_in_memory(model):
    pytest.importorskip("torch", reason="the torch engine needs PyTorch")
    X = groups(2000, 2)
    found = clone(model).set_params(device="cpu:0").fit(cut(X, (700, 0, 1, 1299)))  # a device of PyTorch
    assert np.array_equal(found.labels_.compute(), clone(model).fit(X).labels_)


@pytest.mark.parametrize("cls", [STING, WaveCluster, CLIQUE])
def test_a_saved_model_labels_as_the_fit_of_blocks(cls, tmp_path):
    X = groups(1000, 2)
    found = cls().fit(cut(X, (300, 700)))
    loaded = load(save(found, tmp_path / "model.coterie"))
    assert np.array_equal(loaded.predict(X), found.labels_.compute())


@pytest.mark.parametrize("cls", [STING, WaveCluster, CLIQUE])
def test_files_label_as_rows_in_memory(cls, tmp_path):
    X = groups(1000, 2)
    np.save(tmp_path / "rows.npy", X)
    found = cls().fit(row_files(tmp_path / "rows.npy", rows=300))
    assert np.array_equal(found.labels_.compute(), cls().fit(X).labels_)


@pytest.mark.parametrize("cls", [STING, WaveCluster, CLIQUE])
def test_a_bad_value_is_named_by_row_and_column(cls):
    X = groups(1000, 2)
    X[812, 1] = np.nan
    with pytest.raises(InputError, match="NaN at row 812, column 1; fill or drop"):
        cls().fit(cut(X, (300, 700)))


@pytest.mark.parametrize("cls", [STING, WaveCluster, CLIQUE])
def test_partial_fit_of_blocks_is_refused(cls):
    X = cut(groups(1000, 2), (300, 700))
    for model in (cls(), cls().fit(X)):
        with pytest.raises(UnsupportedError, match="partial_fit needs rows in memory"):
            model.partial_fit(X)


@pytest.mark.parametrize("cls", [STING, WaveCluster])
def test_partial_fit_goes_on_from_blocks(cls):
    X = groups(1000, 2)
    model = cls(16, box=(-30, 30))
    found = clone(model).fit(cut(X[:600], (200, 400))).partial_fit(X[600:])
    assert np.array_equal(found.predict(X), clone(model).fit(X).labels_)


def test_more_cells_than_a_worker_has_room_for_are_refused(monkeypatch):
    monkeypatch.setattr("coterie.primitives._dask.passes.free_bytes", lambda: 100_000.0)
    X = cut(groups(2000, 2), (1000, 1000))
    with pytest.raises(ResourceError, match=r"cells are occupied already and a worker has room for \d+; lower n_cells"):
        WaveCluster(1000, threshold=0.5).fit(X)
    with pytest.raises(ResourceError, match=r"statistics of 2 attributes in .* lower n_cells"):
        STING(20, 2.0).fit(X)
    with pytest.raises(ResourceError, match=r"cells of dense intervals are occupied already .* lower n_intervals"):
        CLIQUE(3000, density_threshold=0.0004, full_space=True).fit(X)
