"""A batch on tensors: the composition of its parts."""

import torch

from ...arrays import to_numpy
from .assign import center_sums, nearest_center
from .conditioning import condition

__all__ = ["batch_step", "batch_steps", "nearest_as_given"]


def batch_step(X, rows, centers, shift, scale, sample_weight):
    """See `coterie.primitives.batch_step.batch_step`."""
    batch = condition(X[torch.as_tensor(rows, device=X.device)], shift, scale)[0]
    labels, distances2 = nearest_center(batch, centers)
    sums, weights = center_sums(batch, labels, len(centers), sample_weight)
    k, d = sums.shape
    # In one copy, so that a GPU is waited for once.
    found = to_numpy(torch.cat([sums.reshape(-1), weights, distances2]))
    near2 = found[k * d + k :]
    total = float(near2.sum() if sample_weight is None else sample_weight @ near2)
    return found[: k * d].reshape(k, d), found[k * d : k * d + k], total


def batch_steps(X, rows, starts, centers, mass, shift, scale, sample_weight, least_share, measured):
    """See `coterie.primitives.batch_step.batch_steps`."""
    from ..batch_step import steps_one_by_one

    return steps_one_by_one(batch_step, X, rows, starts, centers, mass, shift, scale, sample_weight, least_share)


def nearest_as_given(X, centers, shift, scale):
    """See `coterie.primitives.batch_step.nearest_as_given`."""
    labels, distances2 = nearest_center(condition(X, shift, scale)[0], centers)
    return to_numpy(labels), to_numpy(distances2)
