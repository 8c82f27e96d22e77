"""DCN: running means against the loop of the paper, the loss against its formula, and what a fit says of itself."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from coterie.deep import DCN, losses
from coterie.deep.dcn import running_means
from coterie.errors import InputError

IMAGES = load_digits().images[:400] / 16
SMALL = {"encoder": "mlp", "hidden": (32,), "embedding_dim": 5, "random_state": 0}


def one_after_another(centers, counts, z, labels):
    """Return what the paper's update gives, row by row."""
    centers, counts = centers.copy(), counts.copy()
    for row, label in zip(z, labels, strict=True):
        counts[label] += 1
        centers[label] += (row - centers[label]) / counts[label]
    return centers, counts


def test_the_running_means_of_a_batch_are_those_of_one_row_after_another():
    random = np.random.default_rng(0)
    centers, counts = random.normal(size=(7, 4)), random.integers(1, 50, 7).astype(np.float64)
    z, labels = random.normal(size=(300, 4)) * 5, random.integers(0, 6, 300)  # cluster 6 gets no row
    found = running_means(*map(torch.from_numpy, (centers, counts, z, labels)))
    expected = one_after_another(centers, counts, z, labels)
    np.testing.assert_allclose(found[0].numpy(), expected[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found[1].numpy(), expected[1])
    np.testing.assert_array_equal(found[0].numpy()[6], centers[6])


def test_counts_beyond_single_precision_still_grow():
    counts = torch.tensor([2.0**24, 1.0], dtype=torch.float64)
    _, total = running_means(torch.zeros(2, 1), counts, torch.ones(1, 1), torch.tensor([0]))
    assert total.tolist() == [2.0**24 + 1, 1.0]


def test_the_loss_is_half_the_squared_distance_to_the_own_center():
    random = np.random.default_rng(1)
    z, centers, labels = random.normal(size=(40, 5)), random.normal(size=(6, 5)), random.integers(0, 6, 40)
    found = losses.hard_kmeans_loss(*map(torch.from_numpy, (z, centers, labels)))
    assert float(found) == pytest.approx(0.5 * ((z - centers[labels]) ** 2).sum(1).mean(), rel=1e-12)


def test_centers_are_means_and_follow_no_gradient():
    model = DCN(10, pretrain_epochs=5, epochs=0, **SMALL).fit(IMAGES)
    means = np.array([model.embedding_[model.labels_ == k].mean(0) for k in range(10)])
    np.testing.assert_allclose(model._model.centers.numpy(), means, atol=1e-4)
    trained = DCN(10, pretrain_epochs=5, epochs=8, tol=0, **SMALL).fit(IMAGES)
    off = (
        np.array([trained.embedding_[trained.labels_ == k].mean(0) for k in range(10)]) - trained._model.centers.numpy()
    )
    assert 0 < np.abs(off).max() < 1  # where they have been counts too, but they have followed the rows


def test_rows_come_nearer_to_their_centers():
    start = DCN(10, pretrain_epochs=20, epochs=0, **SMALL).fit(IMAGES)
    end = DCN(10, pretrain_epochs=20, epochs=15, clustering_weight=1.0, tol=0, **SMALL).fit(IMAGES)

    def inertia(model):
        centers = model._model.centers.numpy()
        return ((model.embedding_ - centers[model.labels_]) ** 2).sum() / model.embedding_.var(0).sum()

    assert inertia(end) < 0.8 * inertia(start)


def test_without_weight_the_loss_of_the_clusters_is_nothing():
    model = DCN(10, pretrain_epochs=3, epochs=2, clustering_weight=0, **SMALL).fit(IMAGES)
    assert model.history_[-1]["compactness"] == 0


def test_it_ends_by_itself_when_no_row_changes():
    model = DCN(10, pretrain_epochs=5, epochs=50, tol=1.0, **SMALL).fit(IMAGES)
    assert (model.stop_reason_, len(model.history_)) == ("converged", 7)


def test_a_dying_cluster_is_set_up_anew_and_counts_from_the_start():
    from coterie.deep.dcn import _FIRST_COUNT, _TakingTurns

    model = DCN(4, **SMALL)._build((8, 8), 4, "cpu")
    rows = torch.from_numpy(IMAGES).float()
    phase = _TakingTurns(model, len(rows), 5, 1e-3, 0.0, 0.1)
    phase.begin(rows)
    with torch.no_grad():
        model.centers[2] = 1e3
    phase.module.get_buffer("counts").fill_(5000)
    facts = phase.before_epoch(rows, phase.optimizer())
    assert facts["revived"] >= 1
    assert float(model.centers.detach().abs().max()) < 1e3
    counts = phase.module.get_buffer("counts").tolist()
    assert counts[2] == _FIRST_COUNT
    assert counts.count(5000) == 4 - len({k for k in range(4) if counts[k] == _FIRST_COUNT})


def test_an_encoder_without_a_loss_is_refused_in_one_sentence():
    module = nn.Linear(64, 5)
    with pytest.raises(InputError, match=r"DCN calls loss\(\) of its encoder, and Linear has none; .* take DEC"):
        DCN(4, encoder=module).fit(IMAGES.reshape(-1, 64))
