"""The terms of a variational autoencoder whose embedding is a mixture of normal distributions.

Every density is a logarithm, and sums of densities set the greatest one aside first: a row far from all clusters keeps its
responsibilities.
"""

import math

import torch
from torch import Tensor

__all__ = ["log_mixture_density", "log_normal", "log_responsibility", "mixture_divergence"]

_LOG_2PI = math.log(2 * math.pi)


def log_normal(z: Tensor, means: Tensor, log_variances: Tensor) -> Tensor:
    """Return the logarithm of the density of each row under each of k normal distributions with independent axes.

    Parameters
    ----------
    z : (b, p) tensor
    means : (k, p) tensor
    log_variances : (k, p) tensor

    Returns
    -------
    (b, k) tensor
    """
    distances = (z[:, None, :] - means).square() * (-log_variances).exp()
    return -0.5 * (distances + log_variances + _LOG_2PI).sum(2)


def log_mixture_density(z: Tensor, log_weights: Tensor, means: Tensor, log_variances: Tensor) -> Tensor:
    """Return the logarithm of the density of each row under the whole mixture, (b,)."""
    return torch.logsumexp(log_weights + log_normal(z, means, log_variances), 1)


def log_responsibility(z: Tensor, log_weights: Tensor, means: Tensor, log_variances: Tensor) -> Tensor:
    """Return the logarithm of the probability of each cluster given the embedding, (b, k): VaDE's equation 16.

    Parameters
    ----------
    z : (b, p) tensor
    log_weights : (k,) tensor
    means : (k, p) tensor
    log_variances : (k, p) tensor

    Returns
    -------
    (b, k) tensor
        Exponentials of a row sum to 1.

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.losses_mixture import log_responsibility
    >>> z, means = torch.tensor([[0.0]]), torch.tensor([[0.0], [2.0]])
    >>> log_responsibility(z, torch.tensor([0.5, 0.5]).log(), means, torch.zeros(2, 1)).exp()
    tensor([[0.8808, 0.1192]])
    """
    return (log_weights + log_normal(z, means, log_variances)).log_softmax(1)


def mixture_divergence(
    mean: Tensor, log_variance: Tensor, log_gamma: Tensor, log_weights: Tensor, means: Tensor, log_variances: Tensor
) -> Tensor:
    """Return how far the embedding's distribution of each row is from the mixture, in nats: all of VaDE's bound but the reconstruction.

    It is ``sum_c gamma_c (KL(N(mean, variance) || N(mean_c, variance_c)) + log(gamma_c / weight_c))``, of which every term has a
    closed form.

    Parameters
    ----------
    mean, log_variance : (b, p) tensors
        Of each row's embedding.
    log_gamma : (b, k) tensor
        Logarithm of the responsibility that each cluster takes for the row.
    log_weights : (k,) tensor
    means, log_variances : (k, p) tensors

    Returns
    -------
    (b,) tensor

    References
    ----------
    Jiang, Z., Zheng, Y., Tan, H., Tang, B., & Zhou, H. (2017). Variational deep embedding: an unsupervised and generative
    approach to clustering. IJCAI, 1965-1972. https://doi.org/10.24963/ijcai.2017/273
    """
    ratio = log_variance[:, None, :] - log_variances  # (b, k, p)
    distances = (mean[:, None, :] - means).square() * (-log_variances).exp()
    divergences = 0.5 * (ratio.exp() + distances - 1 - ratio).sum(2)
    return (log_gamma.exp() * (divergences + log_gamma - log_weights)).sum(1)
