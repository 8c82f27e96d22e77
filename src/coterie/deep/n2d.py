"""Clusters of the neighbourhood manifold of an embedding (N2D: "not too deep"): a mixture of normal distributions in its layout.

An autoencoder keeps what the rows look like, but its embedding has no groups that K-means would see. Laying it out by who is
near whom pulls them apart, without training the network any further.
"""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..arrays import like_input, to_numpy
from ..base import Interval
from ..primitives.neighbor_embedding import neighbor_embedding, placed_among
from ..primitives.neighbors import k_nearest, neighbor_index
from ._base import DeepClusterer
from ._clustered import Clustered
from ._documented import documented
from ._representation import Representation
from ._training import encoded

__all__ = ["N2D"]

_STARTS = 10  # of the mixture: in 10 dimensions on one MNIST embedding ACC .82-.84 with ten, .74-.77 with one
_MOST_STEPS = 500
_MIXTURE = ("weights_", "means_", "precisions_cholesky_")
_EPOCHS = 200  # of the layout; more were not tried on the large data


class _Manifold(Clustered):
    """A mixture in the layout of the embeddings of the fit; new embeddings are placed among those."""

    log_shares: Tensor
    factors: Tensor

    def __init__(self, representation: Representation, n_clusters: int, manifold_dim: int, n_neighbors: int):
        super().__init__(representation, n_clusters)
        self.n_neighbors = n_neighbors
        self.centers = nn.Parameter(torch.zeros(n_clusters, manifold_dim))
        self.register_buffer("log_shares", torch.zeros(n_clusters))
        self.register_buffer("factors", torch.zeros(n_clusters, manifold_dim, manifold_dim))
        self.settle(torch.zeros(0, representation.width), torch.zeros(0, manifold_dim))

    def settle(self, rows: Tensor, places: Tensor) -> None:
        """Take the embeddings of the fit, (n, p), and their places, (n, q); neither is among the weights."""
        self.rows, self.places, self._index = rows, places, None

    def place(self, z: Tensor) -> Tensor:
        """Return the places of embeddings, (b, q)."""
        rows, places = (values.to(z.device) for values in (self.rows, self.places))
        near: Any = (rows, z) if z.is_cuda else (to_numpy(rows), np.ascontiguousarray(to_numpy(z)))
        if self._index is None and not z.is_cuda:
            self._index = neighbor_index(near[0])
        index = None if z.is_cuda else self._index
        distances, indices = k_nearest(near[0], min(self.n_neighbors, len(rows)), queries=near[1], index=index)
        return like_input(placed_among(distances, indices, places if z.is_cuda else to_numpy(places)), z)

    def log_soft(self, z: Tensor) -> Tensor:
        """Return the logarithm of the probability of each component for embeddings, (b, k)."""
        gaps = self.place(z)[:, None] - self.centers
        whitened = torch.einsum("bkq,kqr->bkr", gaps, self.factors)
        log_scale = self.factors.diagonal(dim1=1, dim2=2).log().sum(1)
        log_joint = self.log_shares + log_scale - whitened.square().sum(2) / 2
        return log_joint - log_joint.logsumexp(1, keepdim=True)

    @torch.no_grad()
    def begin_with_mixture(self, shares: np.ndarray, means: np.ndarray, factors: np.ndarray) -> None:
        """Take a mixture: shares (k,), means (k, q), and (k, q, q) Cholesky factors of the inverse covariances."""
        self.centers.copy_(torch.from_numpy(means))
        self.log_shares.copy_(torch.from_numpy(np.log(shares)))
        self.factors.copy_(torch.from_numpy(factors))

    @torch.no_grad()
    def keep(self, clusters: Tensor) -> None:
        """Keep the components of the given numbers, in that order, and forget the others."""
        super().keep(clusters)
        self.log_shares, self.factors = self.log_shares[clusters].clone(), self.factors[clusters].clone()


@documented
class N2D(DeepClusterer):
    """Not too deep clustering: a mixture in the neighbourhood manifold of the embedding of an autoencoder.

    Parameters
    ----------
    <number of clusters>
    <common parameters>
    manifold_dim : int, default=10
        Dimensions of the layout; the paper takes the number of clusters, which is 10 in most of its data.
    n_neighbors : int, default=20
        Nearest rows that a row is joined to in the layout, itself included, as in the paper; a new row takes its place from so
        many rows of the fit.
    <common last parameters>

    Attributes
    ----------
    <common attributes>
    positions_ : (n, manifold_dim) float32 array
        Places of the rows of the fit in the layout.

    See Also
    --------
    AEKMeans : K-means in the embedding itself.
    DEC : Trains the network further, with the clusters.

    Notes
    -----
    Default encoder: "mlp", as in the paper, also for images. Cost: the network's, once forward and back for each row and epoch;
    the layout's, O(n n_neighbors manifold_dim) an epoch after an exact search of the neighbours; and ten mixtures with full
    covariances, O(n k manifold_dim^2) a step, of which the likeliest is kept. Memory: O(n (p + n_neighbors)) beside the network.
    A new row lies at the mean of the places of its nearest rows of the fit, by inverse squares of the distances; one that equals
    a row of the fit has its place, so `predict` repeats ``labels_`` on the rows of the fit. The model keeps their embeddings and
    places. Places are means of nothing in the inputs: distances between clusters in the layout say little. The same bits for a
    seed and a number of threads of PyTorch.

    References
    ----------
    McConville, R., Santos-Rodriguez, R., Piechocki, R. J., & Craddock, I. (2021). N2D: (not too) deep clustering via clustering
    the local manifold of an autoencoded embedding. ICPR, 5145-5152. https://doi.org/10.1109/ICPR48806.2021.9413131
    McInnes, L., Healy, J., & Melville, J. (2018). UMAP: Uniform manifold approximation and projection for dimension reduction.
    https://doi.org/10.48550/arXiv.1802.03426

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from coterie.deep import N2D
    >>> X = load_digits().images[:300] / 16
    >>> model = N2D(10, hidden=(64,), pretrain_epochs=5, random_state=0).fit(X)
    >>> model.positions_.shape
    (300, 10)
    >>> bool((model.predict(X) == model.labels_).all())
    True
    """

    _parameter_constraints: ClassVar = {
        **DeepClusterer._parameter_constraints,
        "manifold_dim": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 2, None, closed="left")],
    }
    _parameter_constraints.pop("epochs")

    def __init__(
        self,
        n_clusters=8,
        *,
        encoder="mlp",
        hidden=None,
        embedding_dim=10,
        layers=None,
        whiten=True,
        pretrain_epochs="auto",
        manifold_dim=10,
        n_neighbors=20,
        batch_size="auto",
        learning_rate=1e-3,
        n_init=1,
        min_cluster_size=None,
        checkpoint=None,
        verbose=0,
        random_state=None,
        device="cpu",
    ):
        self.n_clusters = n_clusters
        self.encoder = encoder
        self.hidden = hidden
        self.embedding_dim = embedding_dim
        self.layers = layers
        self.whiten = whiten
        self.pretrain_epochs = pretrain_epochs
        self.manifold_dim = manifold_dim
        self.n_neighbors = n_neighbors
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_init = n_init
        self.min_cluster_size = min_cluster_size
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state
        self.device = device

    def _network(self, representation: Representation, n_clusters: int) -> Clustered:
        return _Manifold(representation, n_clusters, self.manifold_dim, self.n_neighbors)

    def _finish(self, model: Clustered, rows: Tensor, seed: int) -> None:
        from sklearn.mixture import GaussianMixture

        assert isinstance(model, _Manifold)
        model.representation.fit(rows)
        z = encoded(model.represent, rows)
        places = neighbor_embedding(
            z if z.is_cuda else z.numpy(), self.manifold_dim, n_neighbors=self.n_neighbors, min_dist=0.0,
            n_epochs=_EPOCHS, start="pca", seed=seed,
        )  # fmt: skip
        model.settle(z, torch.as_tensor(places))
        mixture = GaussianMixture(model.n_clusters, n_init=_STARTS, max_iter=_MOST_STEPS, random_state=seed % 2**32)
        order = _by_first_row(mixture.fit_predict(to_numpy(places).astype(np.float64)), model.n_clusters)
        model.begin_with_mixture(*(getattr(mixture, name)[order] for name in _MIXTURE))

    def _take(self, model: Clustered) -> None:
        assert isinstance(model, _Manifold)
        super()._take(model)
        if len(model.rows):
            self.positions_ = to_numpy(model.places)
        else:  # from a file: the embeddings are those of the fit
            model.settle(torch.as_tensor(self.embedding_), torch.as_tensor(self.positions_))


def _by_first_row(labels: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the components in order of their first rows, so that numbers do not hang on which start was the likeliest."""
    first = np.full(n_clusters, len(labels))
    np.minimum.at(first, labels, np.arange(len(labels)))
    return np.argsort(first, kind="stable")
