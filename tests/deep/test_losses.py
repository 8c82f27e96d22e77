"""The losses against the same formulas written out in NumPy, and where exponentials would overflow."""

import numpy as np
import pytest
import torch

from coterie.deep import losses

RANDOM = np.random.default_rng(0)
Z, CENTERS = RANDOM.normal(size=(40, 5)), RANDOM.normal(size=(6, 5))


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(array, dtype=np.float64)) for array in arrays]


def distances2(z, centers):
    return np.array([[((a - b) ** 2).sum() for b in centers] for a in z])


def student(z, centers, freedom=1.0):
    kernel = (1 + distances2(z, centers) / freedom) ** (-(freedom + 1) / 2)
    return kernel / kernel.sum(1, keepdims=True)


def target(q, frequency):
    weight = q**2 / frequency
    return weight / weight.sum(1, keepdims=True)


@pytest.mark.parametrize("freedom", [1.0, 0.5, 9.0])
def test_the_soft_assignment_of_dec(freedom):
    found = losses.student_t(*tensors(Z, CENTERS), freedom).numpy()
    np.testing.assert_allclose(found, student(Z, CENTERS, freedom), rtol=1e-12)


def test_the_target_of_dec_is_that_of_all_rows_whatever_the_batch():
    q = student(Z, CENTERS)
    whole = target(q, q.sum(0))
    parts = [losses.target_distribution(*tensors(q[rows], q.sum(0))).numpy() for rows in np.split(np.arange(40), 8)]
    np.testing.assert_allclose(np.vstack(parts), whole, rtol=1e-12)


def test_the_divergence_of_dec_is_the_mean_over_rows():
    q = student(Z, CENTERS)
    p = target(q, q.sum(0))
    found = float(losses.hardening_loss(*tensors(np.log(q), p)))
    assert found == pytest.approx((p * np.log(p / q)).sum(1).mean(), rel=1e-12)


def test_no_gradient_flows_into_the_target():
    z, centers = tensors(Z, CENTERS)
    z.requires_grad_()
    log_q = losses.log_student_t(z, centers)
    q = log_q.exp()
    losses.hardening_loss(log_q, losses.target_distribution(q, q.sum(0))).backward()
    moved = z.grad.clone()
    z.grad = None
    fixed = losses.target_distribution(q, q.sum(0)).detach()
    losses.hardening_loss(losses.log_student_t(z, centers), fixed).backward()
    np.testing.assert_allclose(moved.numpy(), z.grad.numpy(), rtol=1e-12)


def test_far_rows_keep_a_finite_assignment_and_gradient():
    z = torch.full((2, 5), 1e15, requires_grad=True)
    log_q = losses.log_student_t(z, torch.from_numpy(CENTERS).float())
    log_q.sum().backward()
    assert bool(log_q.isfinite().all())
    assert bool(z.grad.isfinite().all())


def test_a_cluster_without_any_probability_leaves_the_target_finite():
    q = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert bool(losses.target_distribution(q, q.sum(0)).isfinite().all())


def test_the_loss_of_dkm_is_the_formula():
    d = distances2(Z, CENTERS)
    weight = np.exp(-3.0 * d)
    expected = (d * weight / weight.sum(1, keepdims=True)).sum(1).mean()
    assert float(losses.soft_kmeans_loss(*tensors(Z, CENTERS), 3.0)) == pytest.approx(expected, rel=1e-12)


def test_the_limit_of_dkm_is_the_inertia_of_k_means():
    found = float(losses.soft_kmeans_loss(*tensors(Z, CENTERS), 1e6))
    assert found == pytest.approx(distances2(Z, CENTERS).min(1).mean(), rel=1e-9)
