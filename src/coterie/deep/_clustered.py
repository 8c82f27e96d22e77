"""A network that clusters: an encoder, what is taken from it, centers, and the probability of each cluster."""

from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..arrays import to_numpy
from ..partition.kmeans import KMeans
from ._representation import Representation
from .losses import log_student_t

__all__ = ["Clustered", "Start", "kmeans_start", "revive"]

_STARTS = 20  # of K-means on an embedding, as DEC and its followers have it


class Start(NamedTuple):
    """A clustering of embeddings to begin with."""

    centers: np.ndarray  # (k, p)
    labels: np.ndarray  # (n,)


def kmeans_start(z: Tensor, n_clusters: int, seed: int) -> Start:
    """Return the best of 20 runs of K-means on the embeddings ``z``."""
    model = KMeans(n_clusters, n_init=_STARTS, random_state=seed % 2**32).fit(z if z.is_cuda else z.numpy())
    return Start(to_numpy(model.cluster_centers_), to_numpy(model.labels_))


class Clustered(nn.Module):
    """A representation with k centers in it.

    Parameters
    ----------
    representation : Representation
    n_clusters : int
    """

    per_cluster: ClassVar[tuple[str, ...]] = ("centers",)
    """Names of the parameters that hold a row for each cluster."""

    def __init__(self, representation: Representation, n_clusters: int):
        super().__init__()
        self.representation = representation
        self.centers = nn.Parameter(torch.zeros(n_clusters, representation.width))

    @property
    def coder(self) -> nn.Module:
        """Return the encoder."""
        return self.representation.coder

    @property
    def n_clusters(self) -> int:
        """Return how many clusters there are now."""
        return len(self.centers)

    def represent(self, x: Tensor) -> Tensor:
        """Return the embeddings of rows, (b, p)."""
        return self.representation(x)

    def log_soft(self, z: Tensor) -> Tensor:
        """Return the logarithm of the probability of each cluster for embeddings, (b, k): a Student kernel."""
        return log_student_t(z, self.centers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logarithm of the probability of each cluster for rows, (b, k)."""
        return self.log_soft(self.represent(x))

    @torch.no_grad()
    def begin_with(self, start: Start) -> None:
        """Take the centers of ``start``."""
        self.centers.copy_(torch.as_tensor(start.centers))

    @torch.no_grad()
    def keep(self, clusters: Tensor) -> None:
        """Keep the clusters of the given numbers, in that order, and forget the others."""
        for name in self.per_cluster:
            setattr(self, name, nn.Parameter(getattr(self, name)[clusters].clone()))

    @torch.no_grad()
    def move(self, cluster: int, z: Tensor) -> None:
        """Set a cluster up anew around the embedding ``z``, (p,)."""
        self.centers[cluster] = z


@torch.no_grad()
def revive(
    model: Clustered, z: Tensor, q: Tensor, optimizer: torch.optim.Optimizer | None, least: float
) -> tuple[Tensor, int]:
    """Move the centers of dying clusters to the rows that fit worst in the widest cluster.

    Parameters
    ----------
    model : Clustered
        Its centers are moved; what the optimizer remembers of those is forgotten.
    z : (n, p) tensor
        Embeddings of all rows.
    q : (n, k) tensor
        Their soft assignment.
    optimizer : optimizer or None
    least : float
        A cluster of fewer rows is dying.

    Returns
    -------
    q : (n, k) tensor
        The soft assignment afterwards.
    n_moved : int
    """
    n_moved = 0
    for _ in range(model.n_clusters):
        own = q.argmax(1)
        counts = torch.bincount(own, minlength=model.n_clusters)
        if int(counts.min()) >= least or model.n_clusters < 2:
            break
        dying = int(counts.argmin())
        spread = z.new_zeros(model.n_clusters)
        spread.index_add_(0, own, (z - model.centers[own]).square().sum(1))
        spread[dying] = -1.0
        inside = torch.where(own == spread.argmax(), q.max(1).values, torch.inf)
        model.move(dying, z[inside.argmin()])
        remembered = {} if optimizer is None else optimizer.state
        for name in model.per_cluster:
            parameter = getattr(model, name)
            for value in remembered.get(parameter, {}).values():
                if value.shape == parameter.shape:
                    value[dying] = 0
        q = model.log_soft(z).exp()
        n_moved += 1
    return q, n_moved
