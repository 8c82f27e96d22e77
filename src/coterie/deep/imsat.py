"""Clusters as what a classifier would say: as informative of the rows as can be, and steady under small shifts of them."""

from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..arrays import to_numpy
from ..base import Interval
from ..partition.kmeans import KMeans
from ..primitives.neighbors import k_nearest
from ._base import DeepClusterer
from ._clustered import Clustered
from ._documented import documented
from ._representation import Representation
from ._training import Phase
from .losses_information import adversarial_shift, divergence, entropy_of_mean, mean_entropy

__all__ = ["IMSAT"]

_NEIGHBOR = 10  # its distance is the unit of the shifts
_STARTS = 4  # of K-means on the rows, with which the clusters are compared


class _Classifier(nn.Module):
    """Fully connected layers with batch normalisation; what they give is the embedding."""

    def __init__(self, width: int, hidden: Any):
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise((width, *hidden)):
            layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
        self.encoder = nn.Sequential(*layers)

    def encode(self, x: Tensor) -> Tensor:
        """Return the output of the last layer, (b, hidden)."""
        return self.encoder(x)


class _Informed(Clustered):
    """A linear layer over the embedding gives the logarithms of the probabilities."""

    per_cluster: ClassVar[tuple[str, ...]] = ("centers", "shifts")

    def __init__(self, representation: Representation, n_clusters: int):
        super().__init__(representation, n_clusters)
        self.shifts = nn.Parameter(torch.zeros(n_clusters))
        nn.init.xavier_uniform_(self.centers)

    def log_soft(self, z: Tensor) -> Tensor:
        """Return the logarithm of the probability of each cluster for embeddings, (b, k)."""
        return nn.functional.linear(z, self.centers, self.shifts).log_softmax(1)


class _Information(Phase):
    """Much information, and an assignment that small shifts do not change."""

    name = "inform"

    def __init__(
        self, model: Clustered, n: int, epochs: int, learning_rate: float, weights: tuple[float, float, float]
    ):
        module = nn.Module()
        module.model = model
        module.register_buffer("start", torch.zeros(n, dtype=torch.int64))
        module.register_buffer("lengths", torch.zeros(n))
        super().__init__(module.to(model.centers.device), epochs, learning_rate)
        self.model = model
        self.information, self.balance, self.radius = weights

    @property
    def start_labels(self) -> np.ndarray:
        """Return the labels of K-means on the rows."""
        return to_numpy(self.module.get_buffer("start"))

    def begin(self, rows: Tensor) -> None:
        """Measure how far a row's tenth neighbour is, and cluster the rows for comparison."""
        flat = rows.flatten(1) if rows.is_cuda else rows.flatten(1).numpy()
        k = min(_NEIGHBOR + 1, len(rows))
        distances = torch.as_tensor(k_nearest(flat, k)[0])[:, -1]
        self.module.get_buffer("lengths").copy_(self.radius * distances)
        start = KMeans(self.model.n_clusters, n_init=_STARTS, random_state=torch.initial_seed() % 2**32).fit(flat)
        self.module.get_buffer("start").copy_(torch.as_tensor(start.labels_))

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the three terms of the paper's objective."""
        log_p = self.model(x)
        with _statistics_kept(self.model):
            shift = adversarial_shift(self.model, x, log_p, self.module.get_buffer("lengths")[index])
            steady = divergence(log_p.detach(), self.model(x + shift))
        return {
            "shift": steady,
            "unsure": self.information * mean_entropy(log_p),
            "balance": -self.information * self.balance * entropy_of_mean(log_p),
        }


class _statistics_kept:
    """Inside, batch normalisation goes by the batch and remembers nothing of it: shifted rows are not the data."""

    def __init__(self, module: nn.Module):
        norms = nn.modules.batchnorm._NormBase
        self.layers = [layer for layer in module.modules() if isinstance(layer, norms) and layer.track_running_stats]

    def __enter__(self) -> None:
        for layer in self.layers:
            layer.track_running_stats = False

    def __exit__(self, *_: Any) -> None:
        for layer in self.layers:
            layer.track_running_stats = True


@documented
class IMSAT(DeepClusterer):
    """Information maximising self-augmented training: a classifier without labels, steady under the worst small shifts.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups.
    encoder : {"auto", "mlp", "conv", "vae"} or torch.nn.Module, default="auto"
        The body of the classifier. "auto" and "mlp" are fully connected layers with batch normalisation, as in the paper. Of the
        others, and of a module, ``encode(x)`` is taken (else what it returns, flattened). There is no training before.
    hidden : sequence of int, default=None
        Widths of the layers: (1200, 1200) by default, for "conv" the channels.
    embedding_dim : int, default=10
        Length of the embedding of "conv" and "vae"; for others it is the width of the last layer.
    epochs : "auto" or int, default="auto"
        How many; "auto" is 50, or more where 50 are fewer than 1,000 steps.
    information_weight : float, default=0.1
        Weight of the mutual information of rows and clusters beside the loss of shifts.
    balance : float, default=4.0
        Weight of clusters of equal size within the mutual information: 0 allows a single cluster.
    radius : float, default=0.25
        Length of the shifts, in distances to the row's tenth neighbour.
    <common last parameters>

    Attributes
    ----------
    <common attributes>

    See Also
    --------
    DEC : Starts from K-means in an embedding.
    SCANHead : Rows and their neighbours shall agree.

    Notes
    -----
    Cost: three times forward and back through the network for each row and epoch, and the tenth neighbour of each row once.
    ``start_labels_`` are those of K-means on the rows; the training does not begin with them.

    References
    ----------
    Hu, W., Miyato, T., Tokui, S., Matsumoto, E., & Sugiyama, M. (2017). Learning discrete representations via information
    maximizing self-augmented training. ICML, 1558-1567. https://doi.org/10.48550/arXiv.1702.08720

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from coterie.deep import IMSAT
    >>> X = load_digits().images[:300] / 16
    >>> model = IMSAT(10, hidden=(64, 64), epochs=10, random_state=0).fit(X)
    >>> bool((model.predict(X) == model.labels_).all())
    True
    """

    _parameter_constraints: ClassVar = {
        **DeepClusterer._parameter_constraints,
        "n_clusters": [
            Interval(Integral, 1, None, closed="left")
        ],  # nothing is learnt without clusters: no embedding to count in
        "information_weight": [Interval(Real, 0, None, closed="neither")],
        "balance": [Interval(Real, 0, None, closed="left")],
        "radius": [Interval(Real, 0, None, closed="left")],
    }
    for _name in ("layers", "whiten", "pretrain_epochs"):
        _parameter_constraints.pop(_name)
    del _name

    def __init__(
        self,
        n_clusters=8,
        *,
        encoder="auto",
        hidden=None,
        embedding_dim=10,
        epochs="auto",
        information_weight=0.1,
        balance=4.0,
        radius=0.25,
        batch_size="auto",
        learning_rate=2e-3,
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
        self.epochs = epochs
        self.information_weight = information_weight
        self.balance = balance
        self.radius = radius
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_init = n_init
        self.min_cluster_size = min_cluster_size
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state
        self.device = device

    def _build(self, row_shape: tuple[int, ...], n_clusters: int, device: Any) -> Clustered:
        if self.encoder not in ("auto", "mlp"):
            return super()._build(row_shape, n_clusters, device)
        hidden = (1200, 1200) if self.hidden is None else tuple(int(width) for width in self.hidden)
        coder = _Classifier(int(np.prod(row_shape)), hidden).to(device).eval()
        with torch.no_grad():
            representation = self._represent(coder, torch.zeros(2, *row_shape, device=device))
        return self._network(representation, n_clusters).to(device)

    def _represent(self, coder: nn.Module, example: Tensor) -> Representation:
        return Representation(coder, None, False, example)

    def _network(self, representation: Representation, n_clusters: int) -> Clustered:
        return _Informed(representation, n_clusters)

    def _phases(self, model: Clustered, n: int) -> list[Phase]:
        epochs = self._epochs(self.epochs, 50, 1000, n)
        weights = (self.information_weight, self.balance, self.radius)
        return [_Information(model, n, epochs, self.learning_rate, weights)]
