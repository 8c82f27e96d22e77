"""What clustering the nodes of a graph makes small: cuts and modularity of a soft assignment, with what keeps clusters apart.

Rows of ``p`` are probabilities of the clusters, ``linked`` is the product of the adjacency matrix with ``p``, the only place
where the links come in: no matrix of nodes by nodes is formed, and a loss costs O(n k^2) beside that product.
"""

from torch import Tensor

__all__ = ["collapse_penalty", "cut_loss", "modularity_loss", "orthogonality_penalty"]


def modularity_loss(p: Tensor, linked: Tensor, degrees: Tensor) -> Tensor:
    """Return minus the modularity of a soft assignment, -Tr(P^T B P) / 2m with B = A - d d^T / 2m.

    Parameters
    ----------
    p : (n, k) tensor
        Soft assignment of all nodes.
    linked : (n, k) tensor
        A P.
    degrees : (n,) tensor
        Row sums of A; their sum, 2m, must not be 0.

    Returns
    -------
    scalar tensor
        Between -1 and 1/2.

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.losses_graph import modularity_loss
    >>> pairs = torch.tensor([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    >>> p = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    >>> modularity_loss(p, pairs @ p, pairs.sum(1))
    tensor(-0.5000)

    References
    ----------
    Tsitsulin, A., Palowitch, J., Perozzi, B., & Müller, E. (2023). Graph clustering with graph neural networks. Journal of
    Machine Learning Research, 24(127), 1-21. https://arxiv.org/abs/2006.16904
    """
    total = degrees.sum()
    return -((p * linked).sum() - (degrees @ p).square().sum() / total) / total


def collapse_penalty(p: Tensor) -> Tensor:
    """Return how unequal the clusters are: sqrt(k) / n times the norm of their sizes, minus 1.

    Parameters
    ----------
    p : (n, k) tensor
        Soft assignment of all nodes.

    Returns
    -------
    scalar tensor
        0 where all clusters are of one size, sqrt(k) - 1 where all nodes are in one.

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.losses_graph import collapse_penalty
    >>> collapse_penalty(torch.eye(4))
    tensor(0.)
    """
    n, k = p.shape
    return k**0.5 / n * p.sum(0).norm() - 1


def cut_loss(p: Tensor, linked: Tensor, degrees: Tensor) -> Tensor:
    """Return minus the share of the links' weight that stays within clusters, -Tr(P^T A P) / Tr(P^T D P).

    Parameters
    ----------
    p : (n, k) tensor
        Soft assignment of all nodes.
    linked : (n, k) tensor
        A P; the paper has the normalised adjacency for A.
    degrees : (n,) tensor
        Row sums of A.

    Returns
    -------
    scalar tensor
        Between -1 and 0.

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.losses_graph import cut_loss
    >>> pairs = torch.tensor([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    >>> p = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    >>> cut_loss(p, pairs @ p, pairs.sum(1))
    tensor(-1.)

    References
    ----------
    Bianchi, F. M., Grattarola, D., & Alippi, C. (2020). Spectral clustering with graph neural networks for graph pooling. ICML,
    874-883. https://arxiv.org/abs/1907.00481
    """
    return -(p * linked).sum() / (degrees @ p.square()).sum()


def orthogonality_penalty(p: Tensor) -> Tensor:
    """Return how far clusters overlap or differ in size: || P^T P / ||P^T P|| - I / sqrt(k) ||.

    Parameters
    ----------
    p : (n, k) tensor
        Soft assignment of all nodes.

    Returns
    -------
    scalar tensor
        0 where clusters share no node and are of one size, below sqrt(2).

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.losses_graph import orthogonality_penalty
    >>> orthogonality_penalty(torch.ones(4, 1))
    tensor(0.)
    """
    k = p.shape[1]
    overlaps = p.T @ p
    overlaps = overlaps / overlaps.norm()
    # The square of the norm of the difference is 2 - 2 Tr(.)/sqrt(k); that form cancels near 0, the difference itself does not.
    difference = overlaps - overlaps.new_ones(k).diag() / k**0.5
    return difference.norm()
