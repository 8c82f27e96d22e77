"""How much an answer hangs on its settings."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons

from coterie.metrics import adjusted_rand_score
from coterie.study import study
from coterie.study.candidate import Candidate
from coterie.study.estimators import build
from coterie.study.sensitivity import fragile, sensitivity, varied


@pytest.mark.parametrize(
    ("params", "tried"),
    [
        ({}, []),
        ({"n_clusters": 2}, [("n_clusters", 3)]),
        ({"n_clusters": 5}, [("n_clusters", 4), ("n_clusters", 6)]),
        ({"eps": 0.23}, [("eps", 0.2), ("eps", 0.2645)]),
        (
            {"min_cluster_size": 30, "linkage": "ward", "flag": True},
            [("min_cluster_size", 20), ("min_cluster_size", 40)],
        ),
        ({"min_samples": 2}, [("min_samples", 3)]),
        ({"a": 0, "b": -1.0}, []),
    ],
)
def test_numbers_that_were_set_are_tried_a_little_lower_and_higher(params, tried):
    assert varied(params) == tried


def test_agreement_is_that_of_the_fits():
    X = make_blobs(300, 2, centers=4, random_state=2)[0]
    own, other = (build("KMeans", {"n_clusters": k}, 0).fit_predict(X) for k in (3, 4))
    found = sensitivity(X, Candidate("KMeans", {"n_clusters": 3}, own, 3, 0.0, None, 0.0, 0.0), 0)
    assert [line["value"] for line in found] == [2, 4]
    assert found[1]["agreement"] == pytest.approx(adjusted_rand_score(own, other), abs=1e-4)
    assert found[1]["n_clusters"] == 4


def test_of_many_rows_a_sample_is_looked_at(monkeypatch):
    looked = []
    monkeypatch.setattr(
        "coterie.study.sensitivity.labels_of", lambda X, *_: looked.append(len(X)) or np.arange(len(X)) % 3
    )
    best = Candidate("HDBSCAN", {"min_cluster_size": 50}, np.arange(9_000) % 3, 3, 0.0, None, 0.0, 0.0)
    assert len(sensitivity(np.zeros((9_000, 2)), best, 0)) == 2
    assert looked == [3_000] * 3


def test_a_radius_on_the_edge_is_warned_of_and_density_on_its_own_is_not():
    X = make_moons(2000, noise=0.06, random_state=0)[0]
    edge = study(X, method="DBSCAN", params={"eps": 0.055, "min_samples": 5})
    said = [warning["text"] for warning in edge.warnings if "eps" in warning["text"]]
    assert len(said) == 1
    assert "instead of 0.055" in said[0]
    assert not [warning for warning in study(X).warnings if "instead of" in warning["text"]]


def test_the_number_of_groups_is_no_fragile_setting():
    assert (
        fragile([{"parameter": "n_clusters", "value": 3, "n_clusters": 3, "agreement": 0.1}], 2, {"n_clusters": 2})
        is None
    )


def test_a_value_that_the_method_refuses_is_left_out():
    X = make_blobs(90, 2, centers=3, random_state=0)[0]
    params = {"n_clusters": 3, "init": X[:3]}
    labels = build("KMeans", params, 0).fit_predict(X)
    assert sensitivity(X, Candidate("KMeans", params, labels, 3, 0.0, None, 0.0, 0.0), 0) == []
