"""DKM: the levels of the sharpness, centers that learn by gradient, with and without pretraining."""

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score
from torch import nn

from coterie.deep import DKM, losses
from coterie.deep.dkm import annealed
from coterie.errors import InputError

IMAGES, DIGITS = (part[:400] for part in (load_digits().images / 16, load_digits().target))
SMALL = {"encoder": "mlp", "hidden": (32,), "embedding_dim": 5, "random_state": 0}


def test_the_sharpness_goes_through_the_levels_of_the_paper():
    level, levels = 0.1, [0.1]
    for i in range(2, 41):
        level *= 2 ** (1 / math.log(i) ** 2)
        levels.append(level)
    np.testing.assert_allclose([annealed(i / 39) for i in range(40)], levels, rtol=1e-12)


def test_the_gradient_of_a_sharp_loss_is_that_of_k_means():
    random = np.random.default_rng(0)
    z, centers = (torch.from_numpy(random.normal(size=shape)).requires_grad_() for shape in ((40, 5), (6, 5)))
    losses.soft_kmeans_loss(z, centers, 1e7).backward()
    labels = losses.squared_distances(z, centers).argmin(1).numpy()
    expected = np.zeros((6, 5))
    np.add.at(expected, labels, -2 * (z.detach().numpy() - centers.detach().numpy()[labels]) / 40)
    np.testing.assert_allclose(centers.grad.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_a_flat_loss_looks_at_all_centers_alike():
    random = np.random.default_rng(0)
    z, centers = random.normal(size=(40, 5)), random.normal(size=(6, 5))
    found = float(losses.soft_kmeans_loss(torch.from_numpy(z), torch.from_numpy(centers), 1e-9))
    assert found == pytest.approx(((z[:, None] - centers) ** 2).sum(2).mean(), rel=1e-6)


def test_far_rows_keep_a_finite_loss_and_gradient():
    z = torch.full((2, 5), 1e6, requires_grad=True)
    loss = losses.soft_kmeans_loss(z, torch.arange(15.0).reshape(3, 5), 1000.0)
    loss.backward()
    assert bool(loss.isfinite())
    assert bool(z.grad.isfinite().all())


@pytest.mark.parametrize(("pretrain_epochs", "epochs", "whiten"), [(0, 60, False), (30, 20, True)])
def test_centers_and_network_learn_with_and_without_pretraining(pretrain_epochs, epochs, whiten):
    settings = {"pretrain_epochs": pretrain_epochs, "whiten": whiten, "tol": 0, **SMALL}
    start = DKM(10, epochs=0, **settings).fit(IMAGES)
    end = DKM(10, epochs=epochs, **settings).fit(IMAGES)
    assert (end._model.centers.numpy() != start._model.centers.numpy()).any(1).all()
    assert end.history_[-1]["encoder"] < end.history_[pretrain_epochs]["encoder"]
    assert len(np.unique(end.labels_)) == 10
    assert end.score_ > 0.5
    assert end.score_ > end.start_score_ - 0.05
    assert normalized_mutual_info_score(DIGITS, end.labels_) > 0.55


def test_the_sharpness_grows_for_half_of_the_epochs_and_then_stays():
    model = DKM(10, pretrain_epochs=2, epochs=8, tol=0, sharpness="anneal", **SMALL).fit(IMAGES)
    found = [record["sharpness"] for record in model.history_[2:]]
    assert found[:5] == sorted(set(found[:5]))
    assert set(found[4:]) == {annealed(1.0)}


def test_it_does_not_end_before_the_memberships_are_sharp():
    model = DKM(10, pretrain_epochs=2, epochs=8, tol=1.0, sharpness="anneal", **SMALL).fit(IMAGES)
    assert (model.stop_reason_, len(model.history_)) == ("converged", 2 + 5)


def test_a_number_is_kept_as_the_sharpness_throughout():
    model = DKM(10, pretrain_epochs=2, epochs=3, tol=0, sharpness=1000, **SMALL).fit(IMAGES)
    assert {record["sharpness"] for record in model.history_[2:]} == {1000}


def test_memberships_are_sharp_from_a_trained_start_and_grow_sharp_without_one():
    trained = DKM(10, pretrain_epochs=2, epochs=2, **SMALL).fit(IMAGES)
    untrained = DKM(4, pretrain_epochs=0, epochs=2, **SMALL).fit(IMAGES)
    assert {record["sharpness"] for record in trained.history_[2:]} == {1000}
    assert untrained.history_[0]["sharpness"] == annealed(0.0)


def test_an_encoder_without_a_loss_is_refused_in_one_sentence():
    with pytest.raises(InputError, match=r"DKM calls loss\(\) of its encoder, and Linear has none; .* take DEC"):
        DKM(4, encoder=nn.Linear(64, 5)).fit(IMAGES.reshape(-1, 64))
