"""SCANHead on small images: no collapse, the head that is kept, frozen features, self-labelling."""

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score

from coterie.deep import SCANHead
from coterie.deep.encoders import MLPAutoencoder

ROWS, DIGITS = (part[:600] for part in (load_digits().data / 16, load_digits().target))


@pytest.fixture(scope="module")
def fitted():
    return SCANHead(10, epochs=40, random_state=0).fit(ROWS)


@pytest.fixture(scope="module")
def whole():
    return SCANHead(10, random_state=0).fit(load_digits().data / 16)


def test_no_cluster_collapses(fitted):
    assert fitted.occupancy_.min() > 600 / 10 / 3
    assert normalized_mutual_info_score(DIGITS, fitted.labels_) > 0.6


def test_the_clusters_are_better_than_those_of_k_means_on_the_same_features(whole):
    digits = load_digits().target
    start = normalized_mutual_info_score(digits, whole.start_labels_)
    assert normalized_mutual_info_score(digits, whole.labels_) > start


def test_the_loss_falls(fitted):
    first, last = fitted.history_[0], fitted.history_[-1]
    assert last["disagreement"] + last["imbalance"] < first["disagreement"] + first["imbalance"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # five epochs leave clusters empty
def test_an_encoder_is_trained_first_and_not_changed_by_the_heads():
    torch.manual_seed(0)
    coder = MLPAutoencoder((64,), 5, hidden=(32,))
    settings = {"encoder": coder, "pretrain_epochs": 3, "random_state": 0}
    trained = [SCANHead(10, epochs=epochs, **settings).fit(ROWS).encoder_.state_dict() for epochs in (0, 5)]
    assert all(torch.equal(trained[0][name], value) for name, value in trained[1].items())


def test_self_labelling_makes_the_head_surer(whole):
    surer = SCANHead(10, self_label_epochs=10, random_state=0).fit(load_digits().data / 16)
    assert [record["phase"] for record in surer.history_[-2:]] == ["self-label", "self-label"]
    assert surer.soft_labels_.max(1).mean() > whole.soft_labels_.max(1).mean()
    assert surer.occupancy_.min() > 0
