"""What is chosen on tables whose groups everybody knows, and how noise and categories are treated on the way."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_blobs, make_moons

from coterie import HDBSCAN
from coterie.density.fill import fill_noise
from coterie.metrics import adjusted_rand_score
from coterie.study import study
from coterie.study.compact import compactness_test


@pytest.mark.parametrize(
    ("load", "counts", "agreement"),
    [(load_wine, (3,), 0.85), (load_iris, (2, 3), 0.55), (load_breast_cancer, (2,), 0.6)],
    ids=["wine", "iris", "breast_cancer"],
)
def test_the_groups_of_well_known_tables_are_found(load, counts, agreement):
    data = load()
    found = study(data.data)
    assert found.record["structure"]["verdict"] != "none"
    assert len(found.record["clusters"]) in counts
    assert adjusted_rand_score(data.target, found.labels) > agreement


def test_many_compact_groups_are_not_merged_into_a_few():
    grid = np.array([(i, j) for i in range(5) for j in range(5)], dtype=float)
    X, y = make_blobs(2000, 2, centers=grid, cluster_std=0.18, random_state=0)
    found = study(X)
    assert abs(len(found.record["clusters"]) - 25) <= 2
    assert adjusted_rand_score(y, found.labels) > 0.9


def test_the_model_gives_the_labels_of_a_study_that_took_noise_in():
    X, y = make_moons(600, noise=0.09, random_state=0)
    found = study(X)
    assert type(found.estimator).__name__ == "HDBSCAN"
    assert adjusted_rand_score(y, found.labels) > 0.9
    own = found.estimator.predict(found.prepared.X)
    np.testing.assert_array_equal(np.append(found.label_map, -1)[own], found.labels)


def test_noise_beside_a_cluster_joins_it_and_a_far_row_does_not():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(0, 1, (200, 2)), rng.normal(4, 1, (200, 2)), [[60.0, -60.0]]])
    model = HDBSCAN(min_cluster_size=40, min_samples=10).fit(X)
    before = model.labels_.copy()
    joined = fill_noise(model, X)
    assert joined == (before < 0).sum() - (model.labels_ < 0).sum() > 0
    assert model.labels_[-1] == -1
    np.testing.assert_array_equal(model.labels_[before >= 0], before[before >= 0])
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert (model.probabilities_[model.labels_ >= 0] > 0).all()


@pytest.fixture(scope="module")
def segments():
    """Three kinds of rows in three numbers."""
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1, 2], 80)
    centers = np.array([[0, 0, 0], [4, 0, 2], [0, 4, -2]])
    X = centers[kind] + rng.normal(0, 1.0, (240, 3))
    return {f"x{j}": column for j, column in enumerate(X.T)}, kind, rng


def test_a_category_that_only_splits_the_groups_describes_them(segments):
    numbers, kind, rng = segments
    found = study(numbers | {"sex": rng.choice(["f", "m"], 240).tolist()})
    column = next(line for line in found.record["columns"] if line["name"] == "sex")
    assert (column["used"], column["role"]) == (False, "category")
    assert "not used to form the groups" in column["why"]
    assert adjusted_rand_score(kind, found.labels) > 0.8
    assert "sex" in [line["name"] for line in found.record["profile"]["columns"]]
    assert found.prepared.X.shape[1] == 3


def test_a_category_that_agrees_with_the_groups_or_was_asked_for_forms_them(segments):
    numbers, kind, rng = segments
    told = study(numbers | {"kind": np.array(["a", "b", "c"])[kind].tolist()})
    asked = study(numbers | {"sex": rng.choice(["f", "m"], 240).tolist()}, roles={"sex": "category"})
    assert all(line["used"] for line in told.record["columns"] + asked.record["columns"])


@pytest.mark.parametrize("draw", ["normal", "uniform", "elongated", "heavy"])
def test_a_single_cloud_does_not_lead_in_compactness(draw):
    rng = np.random.default_rng(5)
    normal = rng.normal(size=(400, 3))
    X = {
        "normal": normal,
        "uniform": rng.uniform(size=(400, 3)),
        "elongated": normal * [5, 1, 0.2],
        "heavy": normal / np.sqrt(rng.chisquare(4, (400, 1)) / 4),
    }[draw]
    assert compactness_test(X, rng, 0, enough=2.2) <= 2.2


def test_three_overlapping_balls_lead_in_compactness():
    X, _ = make_blobs(400, 5, centers=3, cluster_std=2.5, random_state=1)
    assert compactness_test(X, np.random.default_rng(0), 0, enough=2.2) > 3.5
