"""How many groups an embedding holds, and presets that count them themselves."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

import coterie
from coterie import deep
from coterie.deep._checkpoint import Checkpoint
from coterie.deep.counting import count_groups, joined, neighbor_links

DIGITS = load_digits()
COUNTING = ("AEKMeans", "N2D", "DEC", "IDEC", "DCN", "DKM", "VaDE", "SCANHead")


def groups(k, n=600, apart=6.0, seed=0):
    """Return rows of k groups whose means are so many standard deviations apart, and which they are of."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % k
    return random.normal(size=(n, 10)) + apart / np.sqrt(2) * np.eye(10)[y], y


@pytest.mark.parametrize("k", [2, 3, 5, 8])
def test_groups_with_a_gap_between_them_are_counted(k):
    for seed in range(2):
        assert count_groups(groups(k, seed=seed)[0], seed) == k


def test_of_one_row_many_times_there_is_one_group():
    assert count_groups(np.zeros((50, 3)), 0) == 1
    assert count_groups(np.zeros((2, 3)), 0) == 1


def test_pieces_of_one_group_are_joined_again_and_groups_are_not():
    X, y = groups(3)
    links = neighbor_links(X)
    pieces = 2 * y + (X[:, 9] > 0)
    found = joined(X, links, pieces, 0)
    assert adjusted_rand_score(found, y) == 1


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("normal", (300, 2)),
        ("normal", (1000, 2)),
        ("normal", (300, 10)),
        ("normal", (1000, 10)),
        ("uniform", (1000, 2)),
    ],
)
def test_one_cloud_is_one_group_whatever_its_size_and_dimension(kind, shape):
    for seed in range(2):
        assert count_groups(getattr(np.random.default_rng(seed), kind)(size=shape), seed) == 1


def test_a_small_group_far_from_a_large_one_is_a_group():
    random = np.random.default_rng(0)
    X = random.normal(size=(540, 4)) + np.outer(np.arange(540) < 40, [12, 0, 0, 0])
    assert count_groups(X, 0) == 2


def test_a_second_run_counts_the_same():
    X, _ = groups(8, apart=4.0)
    assert len({count_groups(X, 3) for _ in range(2)}) == 1


def test_rows_and_their_nearest_are_linked_once_and_both_ways():
    X = groups(2, n=60)[0]
    links = neighbor_links(X).toarray()
    distances = ((X[:, None] - X) ** 2).sum(2)
    rank = distances.argsort(axis=1).argsort(axis=1)
    np.testing.assert_array_equal(links, ((rank <= 10) | (rank.T <= 10)) & ~np.eye(60, dtype=bool))


def small(name, **parameters):
    given = {"hidden": (32,), "pretrain_epochs": 30 if name == "VaDE" else 8, "random_state": 0, **parameters}
    if name not in ("AEKMeans", "N2D"):
        given.setdefault("epochs", 20 if name == "SCANHead" else 2)
    return getattr(deep, name)("auto", **given)


@pytest.mark.parametrize("name", COUNTING)
def test_every_preset_with_an_embedding_counts_and_is_saved_with_its_number(name, tmp_path):
    X, y = groups(4, n=240, apart=10.0)
    model = small(name).fit(X)
    assert model.n_clusters_ == len(model.occupancy_) == model.soft_labels_.shape[1] == 4
    assert adjusted_rand_score(y, model.labels_) > 0.9
    coterie.save(model, tmp_path / "model.coterie")
    np.testing.assert_array_equal(coterie.load(tmp_path / "model.coterie").predict(X), model.labels_)


def test_a_preset_that_was_told_the_number_counted_has_the_same_labels():
    X, _ = groups(4, n=240)
    counted, told = small("DEC").fit(X), small("DEC").set_params(n_clusters=4).fit(X)
    np.testing.assert_array_equal(counted.labels_, told.labels_)


def test_three_digits_and_ten_are_told_from_few():
    of_three = np.isin(DIGITS.target, [0, 2, 6])
    model = deep.AEKMeans("auto", encoder="mlp", hidden=(64,), pretrain_epochs=40, random_state=0)
    few = clone(model).fit(DIGITS.images[of_three] / 16)
    many = clone(model).fit(DIGITS.images[:900] / 16)
    assert 3 <= few.n_clusters_ <= 6
    assert 9 <= many.n_clusters_ <= 16  # ones, fours and nines are written in several ways


class Stopped(Exception):
    """Stands for a process that is killed."""


@pytest.mark.parametrize("stop_after", [3, 8, 9])
def test_a_training_that_was_stopped_while_it_counts_goes_on_to_the_same_labels(tmp_path, monkeypatch, stop_after):
    X, _ = groups(3, n=150)
    path = tmp_path / "state.safetensors"
    whole = small("IDEC").fit(X)
    keep, kept = Checkpoint.keep, []

    def keep_and_stop(self, *state):
        keep(self, *state)
        kept.append(state)
        if len(kept) == stop_after:
            raise Stopped

    monkeypatch.setattr(Checkpoint, "keep", keep_and_stop)
    with pytest.raises(Stopped):
        small("IDEC", checkpoint=path).fit(X)
    monkeypatch.setattr(Checkpoint, "keep", keep)
    resumed = small("IDEC", checkpoint=path).fit(X)
    np.testing.assert_array_equal(resumed.labels_, whole.labels_)
    assert resumed.history_ == whole.history_


@pytest.mark.parametrize("model", [deep.IMSAT("auto"), deep.DeepGraphClustering("auto")])
def test_a_preset_without_an_embedding_to_count_in_wants_a_number(model):
    with pytest.raises(ValueError, match="n_clusters"):
        model.fit(np.ones((20, 20)) - np.eye(20))
