"""A linear head on features that stay as they are: a row and its nearest neighbours shall draw the same cluster.

The features are the rows themselves, of any network that was trained before, or the embedding of an encoder that is trained here
without labels. Several heads are trained side by side and the one of the lowest loss is kept.
"""

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import HasMethods
from torch import Tensor, nn

from ..arrays import to_numpy
from ..base import Interval, StrOptions
from ..primitives.neighbors import k_nearest
from ._base import DeepClusterer
from ._clustered import Clustered, kmeans_start
from ._documented import documented
from ._representation import Representation
from ._training import Phase, encoded
from .losses_information import agreement_loss, confident_loss, entropy_of_mean

__all__ = ["SCANHead"]


class _Rows(nn.Module):
    """Rows as they are."""

    def encode(self, x: Tensor) -> Tensor:
        """Return the rows, flat."""
        return x.flatten(1)


class _Heads(Clustered):
    """Linear heads over features; ``centers`` and ``shifts`` are of the one that is kept."""

    per_cluster: ClassVar[tuple[str, ...]] = ("centers", "shifts")

    def __init__(self, representation: Representation, n_clusters: int, n_heads: int):
        super().__init__(representation, n_clusters)
        self.shifts = nn.Parameter(torch.zeros(n_clusters))
        self.n_heads = n_heads
        self.heads = nn.Linear(representation.width, n_heads * n_clusters)

    def log_soft_of_heads(self, z: Tensor) -> Tensor:
        """Return the logarithm of the probability of each cluster for embeddings by each head, (b, heads, k)."""
        return self.heads(z).reshape(len(z), self.n_heads, -1).log_softmax(2)

    def log_soft(self, z: Tensor) -> Tensor:
        """Return the logarithm of the probability of each cluster for embeddings by the head that is kept, (b, k)."""
        return nn.functional.linear(z, self.centers, self.shifts).log_softmax(1)

    @torch.no_grad()
    def take_head(self, number: int) -> None:
        """Keep one of the heads."""
        self.centers.copy_(self.heads.weight.reshape(self.n_heads, self.n_clusters, -1)[number])
        self.shifts.copy_(self.heads.bias.reshape(self.n_heads, self.n_clusters)[number])

    @torch.no_grad()
    def keep(self, clusters: Tensor) -> None:
        """Keep the clusters of the given numbers, in that order, in every head."""
        shape = (self.n_heads, self.n_clusters)
        weight = self.heads.weight.reshape(*shape, -1)[:, clusters].flatten(0, 1)
        self.heads.bias = nn.Parameter(self.heads.bias.reshape(shape)[:, clusters].flatten())
        self.heads.weight = nn.Parameter(weight.clone())
        super().keep(clusters)


class _OnFeatures(Phase):
    """Training of heads on features that are found once; both phases share what they remember of the rows."""

    def __init__(self, module: nn.Module, epochs: int, learning_rate: float):
        super().__init__(module, epochs, learning_rate)
        self.model: Any = module.model
        self._features: Tensor | None = None

    def features(self, rows: Tensor) -> Tensor:
        """Return the features of all rows; the encoder does not change, so they are found once."""
        if self._features is None:
            self._features = encoded(self.model.represent, rows)
        return self._features

    def before_epoch(self, rows: Tensor, optimizer: torch.optim.Optimizer) -> dict[str, float]:
        """Find the features, where the phase was taken up again."""
        self.features(rows)
        return {}


class _Agreement(_OnFeatures):
    """A row and one of its neighbours, drawn anew in every step, shall agree, and clusters shall be of one size."""

    name = "agree"

    def __init__(self, module: nn.Module, epochs: int, learning_rate: float, balance: float):
        super().__init__(module, epochs, learning_rate)
        self.balance = balance

    def optimizer(self) -> torch.optim.Optimizer:
        """Return what takes the steps: of the heads alone."""
        return torch.optim.Adam(self.model.heads.parameters(), lr=self.learning_rate)

    def begin(self, rows: Tensor) -> None:
        """Find features and neighbours; cluster the features by K-means for comparison."""
        self.model.representation.fit(rows)
        z = self.features(rows)
        wanted = self.module.get_buffer("neighbors")
        nearest = torch.as_tensor(k_nearest(z if z.is_cuda else z.numpy(), wanted.shape[1] + 1)[1])
        wanted.copy_(nearest[:, 1:])  # the first is the row itself
        start = kmeans_start(z, self.model.n_clusters, torch.initial_seed())
        self.module.get_buffer("start").copy_(torch.as_tensor(start.labels))

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the sums over the heads of disagreement and imbalance."""
        assert self._features is not None  # before_epoch has found them
        neighbors = self.module.get_buffer("neighbors")
        drawn = torch.randint(neighbors.shape[1], (len(index),), device=index.device)
        log_p = self.model.log_soft_of_heads(self._features[index])
        log_q = self.model.log_soft_of_heads(self._features[neighbors[index, drawn]])
        disagreement, evenness = _of_heads(log_p, log_q)
        return {"disagreement": disagreement.sum(), "imbalance": -self.balance * evenness.sum()}


class _SelfLabels(_OnFeatures):
    """The best head is kept; then it may learn from the rows of which it is sure."""

    name = "self-label"

    def __init__(self, module: nn.Module, epochs: int, learning_rate: float, balance: float, confidence: float):
        super().__init__(module, epochs, learning_rate)
        self.balance = balance
        self.confidence = confidence

    @property
    def start_labels(self) -> np.ndarray:
        """Return the labels of K-means on the features."""
        return to_numpy(self.module.get_buffer("start"))

    def optimizer(self) -> torch.optim.Optimizer:
        """Return what takes the steps: of the head that is kept."""
        return torch.optim.Adam([self.model.centers, self.model.shifts], lr=self.learning_rate)

    @torch.no_grad()
    def begin(self, rows: Tensor) -> None:
        """Keep the head whose loss over all rows and neighbours is lowest, the first of equals."""
        z, neighbors = self.features(rows), self.module.get_buffer("neighbors")
        log_p = encoded(self.model.log_soft_of_heads, z)
        totals = torch.stack([_of_heads(log_p, log_p[column])[0] for column in neighbors.T]).mean(0)
        losses = totals - self.balance * _of_heads(log_p, log_p)[1]
        self.model.take_head(int(losses.argmin()))

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the cross-entropy of the sure rows."""
        assert self._features is not None  # before_epoch has found them
        return {"self": confident_loss(self.model.log_soft(self._features[index]), self.confidence)}


@documented
class SCANHead(DeepClusterer):
    """Semantic clustering by adopting nearest neighbours: a linear head on features that stay as they are.

    Parameters
    ----------
    <number of clusters>
    encoder : None, {"auto", "mlp", "conv", "vae"} or torch.nn.Module, default=None
        None takes the rows as the features, as they come from a network that was trained elsewhere. Else the encoder is trained
        without labels first, where it has a ``loss``, and its embedding gives the features.
    hidden : sequence of int, default=None
        Widths of the encoder's layers, for "conv" its channels.
    embedding_dim : int, default=10
        Length of the encoder's embedding.
    layers : sequence of str, default=None
        Names of the encoder's layers whose outputs are the features; None is the embedding alone.
    whiten : bool, default=True
        Whether to turn the features to their principal axes, at most 50, and give each variance 1.
    pretrain_epochs : "auto" or int, default="auto"
        Times that training of the encoder goes through the rows; "auto" is 30, or more where 30 are fewer than 1,000 steps.
    epochs : "auto" or int, default="auto"
        Of the heads; "auto" is 50, or more where 50 are fewer than 1,000 steps.
    self_label_epochs : int, default=0
        Epochs in which the head that is kept learns from the rows of which it is sure.
    n_neighbors : int, default=20
        How many nearest neighbours of a row shall be in its cluster.
    n_heads : int, default=10
        Trained side by side; the one of the lowest loss is kept.
    balance : float, default=5.0
        Weight of the entropy of the clusters' sizes; 0 allows a single cluster.
    confidence : float, default=0.99
        Probability from which a head is sure of a row.
    <common last parameters>

    Attributes
    ----------
    <common attributes>

    See Also
    --------
    LayerFeatures : Features of the layers of any network.
    IMSAT : Trains the whole network.

    Notes
    -----
    Cost: the features and their neighbours once, then O(n p k n_heads) for an epoch. ``start_labels_`` are those of K-means on the
    features; the training does not begin with them. Rows have no second view here, so self-labelling is left
    out by default. The default ``learning_rate`` is 0.01.

    References
    ----------
    Van Gansbeke, W., Vandenhende, S., Georgoulis, S., Proesmans, M., & Van Gool, L. (2020). SCAN: Learning to classify images
    without labels. ECCV, 268-285. https://doi.org/10.1007/978-3-030-58607-2_16

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from coterie.deep import SCANHead
    >>> X = load_digits().data[:300] / 16
    >>> model = SCANHead(10, epochs=10, random_state=0).fit(X)
    >>> bool((model.predict(X) == model.labels_).all())
    True
    """

    _parameter_constraints: ClassVar = {
        **DeepClusterer._parameter_constraints,
        "encoder": [StrOptions({"auto", "mlp", "conv", "vae"}), HasMethods(["parameters", "state_dict"]), None],
        "self_label_epochs": [Interval(Integral, 0, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "balance": [Interval(Real, 0, None, closed="left")],
        "confidence": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        encoder=None,
        hidden=None,
        embedding_dim=10,
        layers=None,
        whiten=True,
        pretrain_epochs="auto",
        epochs="auto",
        self_label_epochs=0,
        n_neighbors=20,
        n_heads=10,
        balance=5.0,
        confidence=0.99,
        batch_size="auto",
        learning_rate=1e-2,
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
        self.epochs = epochs
        self.self_label_epochs = self_label_epochs
        self.n_neighbors = n_neighbors
        self.n_heads = n_heads
        self.balance = balance
        self.confidence = confidence
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_init = n_init
        self.min_cluster_size = min_cluster_size
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state
        self.device = device

    def _kind_of_encoder(self) -> Any:
        return _Rows() if self.encoder is None else self.encoder

    def _network(self, representation: Representation, n_clusters: int) -> Clustered:
        return _Heads(representation, n_clusters, self.n_heads)

    def _phases(self, model: Clustered, n: int) -> list[Phase]:
        module = nn.Module()
        module.model = model
        module.register_buffer("start", torch.zeros(n, dtype=torch.int64))
        module.register_buffer("neighbors", torch.zeros(n, min(self.n_neighbors, n - 1), dtype=torch.int64))
        module.to(model.centers.device)
        epochs = self._epochs(self.epochs, 50, 1000, n)
        return [
            *super()._phases(model, n),
            _Agreement(module, epochs, self.learning_rate, self.balance),
            _SelfLabels(module, self.self_label_epochs, self.learning_rate, self.balance, self.confidence),
        ]


def _of_heads(log_p: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor]:
    """Return the disagreement of each head, and the entropy of its clusters' sizes."""
    return agreement_loss(log_p, log_q), torch.stack(list(_each(log_p)))


def _each(log_p: Tensor) -> Iterator[Tensor]:
    return (entropy_of_mean(one) for one in log_p.unbind(1))
