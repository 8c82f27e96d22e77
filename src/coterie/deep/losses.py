"""What deep clustering makes small: each loss as its paper writes it, on plain tensors.

Rows of ``z`` are embeddings, rows of ``q`` and ``p`` probabilities of the clusters. Every loss is the mean over the rows of a
sum over the clusters, so that a learning rate means the same for any size of the batch. Densities and exponentials are taken
as logarithms with the greatest one set aside.
"""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "hard_kmeans_loss",
    "hardening_loss",
    "log_student_t",
    "soft_kmeans_loss",
    "squared_distances",
    "student_t",
    "target_distribution",
]


def squared_distances(z: Tensor, centers: Tensor) -> Tensor:
    """Return the squared Euclidean distance of each row to each center, (b, k), by differences: exact near zero."""
    return (z[:, None, :] - centers[None, :, :]).square().sum(2)


def log_student_t(z: Tensor, centers: Tensor, freedom: float = 1.0) -> Tensor:
    """Return the logarithm of `student_t`."""
    kernel = -(freedom + 1) / 2 * torch.log1p(squared_distances(z, centers) / freedom)
    return kernel.log_softmax(1)


def student_t(z: Tensor, centers: Tensor, freedom: float = 1.0) -> Tensor:
    """Return DEC's soft assignment: how likely each cluster is for each row by a Student kernel around its center.

    Parameters
    ----------
    z : (b, p) tensor
        Embeddings.
    centers : (k, p) tensor
    freedom : float, default=1.0
        Degrees of freedom of the kernel.

    Returns
    -------
    (b, k) tensor
        Rows sum to 1.

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.losses import student_t
    >>> student_t(torch.tensor([[0.0]]), torch.tensor([[0.0], [1.0]]))
    tensor([[0.6667, 0.3333]])
    """
    return log_student_t(z, centers, freedom).exp()


def target_distribution(q: Tensor, frequency: Tensor) -> Tensor:
    """Return DEC's target: the assignment made surer, and each cluster's share of it divided by its size.

    Parameters
    ----------
    q : (b, k) tensor
        Soft assignment of some rows.
    frequency : (k,) tensor
        Sum of the soft assignment over all rows of the data, not only over these.

    Returns
    -------
    (b, k) tensor
        Rows sum to 1.

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.losses import target_distribution
    >>> q = torch.tensor([[0.6, 0.4], [0.2, 0.8]])
    >>> target_distribution(q, q.sum(0))
    tensor([[0.7714, 0.2286],
            [0.0857, 0.9143]])
    """
    weight = q.square() / frequency.clamp_min(torch.finfo(q.dtype).tiny)
    return weight / weight.sum(1, keepdim=True).clamp_min(torch.finfo(q.dtype).tiny)


def hardening_loss(log_q: Tensor, target: Tensor) -> Tensor:
    """Return the divergence of the soft assignment from its target, KL(P || Q), per row.

    Parameters
    ----------
    log_q : (b, k) tensor
        Logarithm of the soft assignment.
    target : (b, k) tensor
        No gradient flows into it.

    Returns
    -------
    scalar tensor

    References
    ----------
    Xie, J., Girshick, R., & Farhadi, A. (2016). Unsupervised deep embedding for clustering analysis. ICML, 478-487.
    https://arxiv.org/abs/1511.06335
    """
    return functional.kl_div(log_q, target.detach(), reduction="batchmean")


def hard_kmeans_loss(z: Tensor, centers: Tensor, labels: Tensor) -> Tensor:
    """Return DCN's loss: half the squared distance of each row to the center of its cluster.

    Parameters
    ----------
    z : (b, p) tensor
    centers : (k, p) tensor
    labels : (b,) int64 tensor

    Returns
    -------
    scalar tensor

    References
    ----------
    Yang, B., Fu, X., Sidiropoulos, N. D., & Hong, M. (2017). Towards k-means-friendly spaces: simultaneous deep learning and
    clustering. ICML, 3861-3870. https://arxiv.org/abs/1610.04794
    """
    return 0.5 * (z - centers[labels]).square().sum(1).mean()


def soft_kmeans_loss(z: Tensor, centers: Tensor, sharpness: float) -> Tensor:
    """Return DKM's loss: squared distances to all centers, weighted by a softmax of minus ``sharpness`` times themselves.

    Parameters
    ----------
    z : (b, p) tensor
    centers : (k, p) tensor
    sharpness : float
        The greater, the nearer to the inertia of K-means (its limit).

    Returns
    -------
    scalar tensor

    References
    ----------
    Fard, M. M., Thonet, T., & Gaussier, E. (2020). Deep k-means: Jointly clustering with k-means and learning representations.
    Pattern Recognition Letters, 138, 185-192. https://doi.org/10.1016/j.patrec.2020.07.028
    """
    distances = squared_distances(z, centers)
    return (distances * (-sharpness * distances).softmax(1)).sum(1).mean()
