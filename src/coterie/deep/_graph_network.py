"""A graph convolution network that gives each node its probability of each cluster, what it sees of a graph, and its training."""

import hashlib
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array, diags_array
from torch import Tensor, nn
from torch.nn import functional

from ..arrays import Graph
from ..primitives.regularised import regularised_eigenpairs
from ._training import Phase
from .losses_graph import collapse_penalty, cut_loss, modularity_loss, orthogonality_penalty

__all__ = [
    "GraphNetwork",
    "GraphTraining",
    "Matrix",
    "Nodes",
    "fingerprint_of",
    "matrix_of",
    "nodes_of",
    "spectral_features",
]


class Matrix(NamedTuple):
    """A matrix and its transpose, sparse or dense; gradients go back by the transpose."""

    rows: Tensor  # (n, d)
    columns: Tensor  # (d, n)

    def __matmul__(self, block: Tensor) -> Tensor:
        return self.rows @ block if not self.rows.is_sparse else _Product.apply(self.rows, self.columns, block)


class Nodes(NamedTuple):
    """A graph as the network sees it."""

    features: Matrix  # (n, d)
    links: Matrix  # (n, n) adjacency
    mixing: Matrix  # (n, n) D^-1/2 A D^-1/2
    degrees: Tensor  # (n,) row sums of the adjacency
    mixing_degrees: Tensor  # (n,) row sums of the other


class _Product(torch.autograd.Function):
    """Product with a sparse matrix whose transpose is at hand: PyTorch's own would transpose it in every step."""

    @staticmethod
    def forward(context: Any, rows: Tensor, columns: Tensor, block: Tensor) -> Tensor:
        context.columns = columns
        return torch.sparse.mm(rows, block)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[None, None, Tensor]:  # type: ignore[override]
        return None, None, torch.sparse.mm(context.columns, gradients[0])


def matrix_of(values: Any, device: Any) -> Matrix:
    """Return a SciPy or NumPy matrix in single precision on a device."""
    if isinstance(values, np.ndarray):
        rows = torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)
        return Matrix(rows, rows.T)
    return Matrix(_sparse(csr_array(values), device), _sparse(csr_array(values.T), device))


def nodes_of(links: csr_array, features: Any, device: Any) -> Nodes:
    """Return what the network sees of links without self-loops and of the attributes."""
    degrees = np.asarray(links.sum(axis=1)).ravel()
    scale = diags_array(1 / np.sqrt(np.where(degrees > 0, degrees, 1.0)))
    mixing = csr_array(scale @ links @ scale)
    sums = [
        torch.from_numpy(np.asarray(values, np.float32)).to(device) for values in (degrees, mixing.sum(axis=1).ravel())
    ]
    return Nodes(matrix_of(features, device), matrix_of(links, device), matrix_of(mixing, device), sums[0], sums[1])


def spectral_features(links: csr_array, k: int, seed: int) -> np.ndarray:
    """Return spectral coordinates of the nodes, each of variance 1: what a node is described by where it has no attributes."""
    width = min(links.shape[0], max(2 * k, 16))
    found = regularised_eigenpairs(Graph(links.indptr, links.indices, links.data), width, np.random.default_rng(seed))
    signs = np.sign(found.vectors[np.abs(found.vectors).argmax(0), np.arange(found.vectors.shape[1])])
    return found.vectors * signs * links.shape[0] ** 0.5


def fingerprint_of(links: csr_array) -> str:
    """Return what tells a graph from another."""
    digest = hashlib.sha256(links.indptr.astype(np.int64).tobytes())
    digest.update(links.indices.astype(np.int64).tobytes())
    digest.update(links.data.tobytes())
    return digest.hexdigest()


class GraphNetwork(nn.Module):
    """Graph convolutions with a weighted skip connection and SELU, then a linear layer for the clusters.

    Parameters
    ----------
    width : int
        Number of features of a node.
    hidden : sequence of int
        Widths of the convolutions.
    n_clusters : int
    dropout : float
        Share of the values left out while training, before the softmax.
    """

    def __init__(self, width: int, hidden: Any, n_clusters: int, dropout: float):
        super().__init__()
        self.dropout = dropout
        widths = (width, *hidden)
        self.weights = nn.ParameterList(torch.empty(a, b) for a, b in pairwise(widths))
        self.skips = nn.ParameterList(torch.ones(b) for b in widths[1:])
        self.shifts = nn.ParameterList(torch.zeros(b) for b in widths[1:])
        self.head = nn.Linear(widths[-1], n_clusters)
        for weight in self.weights:
            nn.init.xavier_uniform_(weight)
        nn.init.orthogonal_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @property
    def n_clusters(self) -> int:
        """Return how many clusters there are now."""
        return len(self.head.weight)

    def embed(self, nodes: Nodes) -> Tensor:
        """Return the output of the last convolution, (n, hidden)."""
        block: Any = nodes.features
        for weight, skip, shift in zip(self.weights, self.skips, self.shifts, strict=True):
            own = block @ weight
            block = functional.selu(own * skip + nodes.mixing @ own + shift)
        return block

    def log_soft(self, z: Tensor) -> Tensor:
        """Return the logarithm of the probability of each cluster for embeddings, (n, k)."""
        return functional.dropout(self.head(z), self.dropout, self.training).log_softmax(1)

    @torch.no_grad()
    def keep(self, clusters: Tensor) -> None:
        """Keep the clusters of the given numbers, in that order, and forget the others."""
        self.head.weight = nn.Parameter(self.head.weight[clusters].clone())
        self.head.bias = nn.Parameter(self.head.bias[clusters].clone())


class GraphTraining(Phase):
    """Training on all nodes at once: an epoch is one step.

    Parameters
    ----------
    network : GraphNetwork
    nodes : Nodes
    objective : {"modularity", "mincut"}
    epochs : int
    learning_rate : float
    """

    def __init__(self, network: GraphNetwork, nodes: Nodes, objective: str, epochs: int, learning_rate: float):
        super().__init__(network, epochs, learning_rate)
        self.network = network
        self.nodes = nodes
        self.name = objective

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the objective and what keeps all nodes out of one cluster; ``x`` and ``index`` are of no interest."""
        nodes = self.nodes
        p = self.network.log_soft(self.network.embed(nodes)).exp()
        if self.name == "modularity":
            return {"modularity": modularity_loss(p, nodes.links @ p, nodes.degrees), "collapse": collapse_penalty(p)}
        cut = cut_loss(p, nodes.mixing @ p, nodes.mixing_degrees)
        return {"cut": cut, "orthogonality": orthogonality_penalty(p)}


def _sparse(matrix: csr_array, device: Any) -> Tensor:
    coo = matrix.tocoo()
    at = torch.from_numpy(np.vstack([coo.row, coo.col]).astype(np.int64))
    values = torch.from_numpy(coo.data.astype(np.float32))
    return torch.sparse_coo_tensor(at, values, coo.shape, check_invariants=True).coalesce().to(device)
