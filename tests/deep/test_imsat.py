"""IMSAT on small images: no collapse, digits found without labels, and what its terms do."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score
from torch import nn

from coterie.deep import IMSAT

IMAGES, DIGITS = (part[:600] for part in (load_digits().images / 16, load_digits().target))
SMALL = {"hidden": (128, 128), "random_state": 0}


@pytest.fixture(scope="module")
def fitted():
    return IMSAT(10, epochs=30, **SMALL).fit(IMAGES)


def test_the_clusters_are_those_of_digits(fitted):
    assert normalized_mutual_info_score(DIGITS, fitted.labels_) > 0.65


def test_no_cluster_collapses(fitted):
    assert fitted.occupancy_.min() > 600 / 10 / 3
    assert fitted.soft_labels_.max(1).mean() > 0.8


def test_the_history_has_the_three_terms(fitted):
    assert {"shift", "unsure", "balance"} < set(fitted.history_[-1])
    assert fitted.history_[-1]["unsure"] < fitted.history_[0]["unsure"]


def test_shifts_make_the_assignment_steadier(fitted):
    free = IMSAT(10, epochs=30, radius=0.0, **SMALL).fit(IMAGES)
    moved = IMAGES + 0.08 * np.random.default_rng(0).normal(size=IMAGES.shape)
    changed = [np.mean(model.predict(moved) != model.labels_) for model in (free, fitted)]
    assert changed[1] < changed[0]


def test_shifted_rows_leave_no_trace_in_the_batch_normalisation():
    from coterie.deep.imsat import _statistics_kept

    norm = nn.BatchNorm1d(3)
    norm.train()
    before = norm.running_mean.clone()
    with _statistics_kept(norm):
        out = norm(torch.randn(20, 3) + 5)
    assert torch.equal(norm.running_mean, before)
    assert norm.track_running_stats
    np.testing.assert_allclose(out.mean(0).detach().numpy(), 0, atol=1e-5)  # it went by the batch
