"""The losses of IMSAT and SCAN against the same formulas in NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from coterie.deep.losses_information import (
    adversarial_shift,
    agreement_loss,
    confident_loss,
    divergence,
    entropy_of_mean,
    mean_entropy,
)

RANDOM = np.random.default_rng(0)


def soft(n=40, k=6):
    p = RANDOM.random((n, k)) ** 3 + 1e-6
    return p / p.sum(1, keepdims=True)


P, Q = soft(), soft()
LOG_P, LOG_Q = torch.from_numpy(np.log(P)), torch.from_numpy(np.log(Q))


def test_the_two_entropies_are_the_formulas():
    assert float(mean_entropy(LOG_P)) == pytest.approx(-(P * np.log(P)).sum(1).mean(), rel=1e-12)
    mean = P.mean(0)
    assert float(entropy_of_mean(LOG_P)) == pytest.approx(-(mean * np.log(mean)).sum(), rel=1e-12)


def test_their_difference_is_the_mutual_information_of_rows_and_clusters():
    expected = (P / len(P) * np.log(P / P.mean(0))).sum()
    assert float(entropy_of_mean(LOG_P) - mean_entropy(LOG_P)) == pytest.approx(expected, rel=1e-12)


def test_the_divergence_is_the_formula():
    assert float(divergence(LOG_P, LOG_Q)) == pytest.approx((P * np.log(P / Q)).sum(1).mean(), rel=1e-12)


def test_the_agreement_is_the_formula_for_each_head():
    expected = -np.log((P * Q).sum(1)).mean()
    assert float(agreement_loss(LOG_P, LOG_Q)) == pytest.approx(expected, rel=1e-12)
    two = agreement_loss(torch.stack([LOG_P, LOG_Q], 1), torch.stack([LOG_Q, LOG_Q], 1)).numpy()
    np.testing.assert_allclose(two, [expected, -np.log((Q * Q).sum(1)).mean()], rtol=1e-12)


def test_probabilities_far_below_the_smallest_number_leave_losses_finite():
    log_p = torch.tensor([[0.0, -300.0], [-300.0, 0.0]], requires_grad=True)
    (agreement_loss(log_p, log_p.flip(0)) + entropy_of_mean(log_p) + mean_entropy(log_p)).backward()
    assert bool(log_p.grad.isfinite().all())


def test_sure_rows_count_by_cluster():
    p = np.array([[0.95, 0.05], [0.92, 0.08], [0.1, 0.9], [0.6, 0.4]])
    expected = -((np.log(0.95) + np.log(0.92)) / 2 + np.log(0.9)) / 2
    assert float(confident_loss(torch.from_numpy(np.log(p)), 0.9)) == pytest.approx(expected, rel=1e-12)
    assert float(confident_loss(torch.from_numpy(np.log(p)), 0.99)) == 0


def test_the_shift_has_its_length_and_changes_more_than_a_random_one():
    torch.manual_seed(0)
    layer = nn.Linear(8, 3)
    x, lengths = torch.randn(50, 8), torch.linspace(0.1, 1.0, 50)

    def network(rows):
        return layer(rows).log_softmax(1)

    log_p = network(x)
    shift = adversarial_shift(network, x, log_p, lengths)
    np.testing.assert_allclose(shift.norm(dim=1).numpy(), lengths.numpy(), rtol=1e-5)
    random = torch.randn_like(x)
    random *= (lengths / random.norm(dim=1))[:, None]
    with torch.no_grad():
        worst, usual = divergence(log_p, network(x + shift)), divergence(log_p, network(x + random))
    assert float(worst) > 1.5 * float(usual)
    assert layer.weight.grad is None


def test_a_row_whose_assignment_never_changes_is_not_shifted_into_what_is_no_number():
    x = torch.zeros(3, 4)
    shift = adversarial_shift(lambda rows: rows[:, :2] * 0.0, x, torch.zeros(3, 2), torch.ones(3))
    assert bool(shift.isfinite().all())
