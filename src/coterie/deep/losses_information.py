"""What is made small where a network gives the clusters itself: information, steadiness under small shifts, agreement of neighbours.

Rows of ``log_p`` are logarithms of the probabilities of the clusters. Every loss is a mean over the rows.
"""

from typing import Any

import torch
from torch import Tensor

__all__ = [
    "adversarial_shift",
    "agreement_loss",
    "confident_loss",
    "divergence",
    "entropy_of_mean",
    "mean_entropy",
]

_PROBE = 10.0  # length of the shift whose gradient shows the worst direction, as the authors of IMSAT have it


def mean_entropy(log_p: Tensor) -> Tensor:
    """Return how unsure the assignment of a row is in the mean, H(Y | X) in nats.

    Parameters
    ----------
    log_p : (b, k) tensor

    Returns
    -------
    scalar tensor
        0 where every row is sure, log k where none is.

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.losses_information import mean_entropy
    >>> mean_entropy(torch.tensor([[0.5, 0.5]]).log())
    tensor(0.6931)
    """
    return -(log_p.exp() * log_p).sum(1).mean()


def entropy_of_mean(log_p: Tensor) -> Tensor:
    """Return how evenly the rows are spread over the clusters, H(Y) in nats.

    Parameters
    ----------
    log_p : (b, k) tensor

    Returns
    -------
    scalar tensor
        log k where all clusters are of one size, 0 where all rows are in one. With `mean_entropy` taken off, it is the mutual
        information of rows and clusters.

    References
    ----------
    Hu, W., Miyato, T., Tokui, S., Matsumoto, E., & Sugiyama, M. (2017). Learning discrete representations via information
    maximizing self-augmented training. ICML, 1558-1567. https://arxiv.org/abs/1702.08720
    """
    log_mean = log_p.logsumexp(0) - torch.log(log_p.new_tensor(float(len(log_p))))
    return -(log_mean.exp() * log_mean).sum()


def divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return KL(p || q) of a row in the mean.

    Parameters
    ----------
    log_p, log_q : (b, k) tensor

    Returns
    -------
    scalar tensor
    """
    return (log_p.exp() * (log_p - log_q)).sum(1).mean()


def adversarial_shift(network: Any, x: Tensor, log_p: Tensor, lengths: Tensor) -> Tensor:
    """Return for each row the shift of a given length that changes its assignment most: one step of the power method.

    Parameters
    ----------
    network : callable
        From rows to ``log_p``.
    x : (b, ...) tensor
    log_p : (b, k) tensor
        Of ``x``; no gradient flows into it.
    lengths : (b,) tensor
        Euclidean.

    Returns
    -------
    tensor of the shape of x

    References
    ----------
    Miyato, T., Maeda, S., Koyama, M., & Ishii, S. (2019). Virtual adversarial training. IEEE Transactions on Pattern Analysis
    and Machine Intelligence, 41(8), 1979-1993. https://doi.org/10.1109/TPAMI.2018.2858821
    """
    probe = (_PROBE * _of_length_one(torch.randn_like(x))).requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(divergence(log_p.detach(), network(x + probe)), probe)
    return (lengths.reshape(-1, *[1] * (x.ndim - 1)) * _of_length_one(gradient)).detach()


def agreement_loss(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return minus the logarithm of the chance that a row and its neighbour draw the same cluster, -mean log <p, q>.

    Parameters
    ----------
    log_p, log_q : (..., k) tensor
        Of rows and of a neighbour of each.

    Returns
    -------
    (...) tensor without its first axis
        The mean is over the first axis, so several heads side by side have a loss each.

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.losses_information import agreement_loss
    >>> agreement_loss(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.5, 0.5]]).log())
    tensor(0.6931)

    References
    ----------
    Van Gansbeke, W., Vandenhende, S., Georgoulis, S., Proesmans, M., & Van Gool, L. (2020). SCAN: Learning to classify images
    without labels. ECCV, 268-285. https://doi.org/10.1007/978-3-030-58607-2_16
    """
    return -(log_p + log_q).logsumexp(-1).mean(0)


def confident_loss(log_p: Tensor, least: float) -> Tensor:
    """Return the cross-entropy of sure rows with their own most probable cluster, each cluster counting alike.

    Parameters
    ----------
    log_p : (b, k) tensor
    least : float
        Rows of at least this probability are sure.

    Returns
    -------
    scalar tensor
        0 where no row is sure.
    """
    surest, labels = log_p.detach().exp().max(1)
    sure = (surest >= least).to(log_p.dtype)
    counts = sure.new_zeros(log_p.shape[1]).index_add_(0, labels, sure)
    weight = sure / counts[labels].clamp_min(1)
    picked = log_p.gather(1, labels[:, None]).squeeze(1)
    return -(weight * picked).sum() / (counts > 0).sum().clamp_min(1)


def _of_length_one(shift: Tensor) -> Tensor:
    flat = shift.flatten(1)
    flat = flat / flat.abs().amax(1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
    length = flat.norm(dim=1, keepdim=True)
    return (flat / torch.where(length > 0, length, 1.0)).reshape(shift.shape)
