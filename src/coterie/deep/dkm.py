"""Deep k-means: memberships are a softmax of distances, so that centers and network learn by one gradient.

The softmax begins flat and is sharpened from epoch to epoch; in the limit the loss is the inertia of K-means.
"""

import math
from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..base import Interval, StrOptions
from ._base import DeepClusterer
from ._clustered import Clustered
from ._documented import documented
from ._refinement import Refinement
from ._representation import Representation
from ._training import Phase
from .losses import soft_kmeans_loss, squared_distances

__all__ = ["DKM", "annealed"]

_FIRST, _LEVELS = 0.1, 40  # where the paper begins, and how many sharpnesses it goes through
_SHARP = 1000.0  # the paper's from a good start


def annealed(share: float) -> float:
    """Return the sharpness after a share of the training: the paper's 40 levels, drawn out or compressed.

    Parameters
    ----------
    share : float
        0 is the first epoch, 1 the last.

    Returns
    -------
    float
        From 0.1; level i + 1 is level i times 2 ** (1 / ln(i) ** 2), beginning with i = 2.

    Examples
    --------
    >>> from coterie.deep.dkm import annealed
    >>> [round(annealed(share), 2) for share in (0, 0.25, 0.5, 1)]
    [0.1, 3.66, 9.02, 28.13]
    """
    level = 1 + round(share * (_LEVELS - 1))
    return _FIRST * 2 ** sum(1 / math.log(i) ** 2 for i in range(2, level + 1))


class _Members(Clustered):
    """A network whose clusters take rows by a softmax of distances."""

    sharpness: Tensor

    def __init__(self, representation: Representation, n_clusters: int):
        super().__init__(representation, n_clusters)
        self.register_buffer("sharpness", torch.ones(1))

    def log_soft(self, z: Tensor) -> Tensor:
        """Return the logarithm of the membership of embeddings in each cluster, (b, k)."""
        return (-self.sharpness * squared_distances(z, self.centers)).log_softmax(1)


class _Annealing(Refinement):
    """Network and centers by one gradient, while the memberships grow sharper."""

    name = "anneal"
    model: _Members

    def __init__(
        self,
        model: _Members,
        n: int,
        epochs: int,
        learning_rate: float,
        tol: float,
        weight: float,
        sharpness: float | None,
    ):
        super().__init__(model, n, epochs, learning_rate, tol)
        self.weight = weight
        # The one of each epoch: half of them to go through the levels, the others to settle.
        last = max(1, epochs // 2)
        self.levels = [annealed(min(1.0, i / last)) if sharpness is None else sharpness for i in range(max(1, epochs))]
        model.sharpness.fill_(annealed(1.0) if sharpness is None else sharpness)
        self.module.register_buffer("epoch", torch.zeros((), dtype=torch.int64, device=model.centers.device))

    def before_epoch(self, rows: Tensor, optimizer: torch.optim.Optimizer) -> dict[str, float]:
        """Take the sharpness of this epoch, and assign all rows."""
        sharpness = self.levels[int(self.module.get_buffer("epoch"))]
        self.module.get_buffer("epoch").add_(1)
        self.model.sharpness.fill_(sharpness)
        return {**super().before_epoch(rows, optimizer), "sharpness": sharpness}

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the encoder's own loss, and the distances to the centers by membership."""
        sharpness: Any = self.model.sharpness
        compact = soft_kmeans_loss(self.model.represent(x), self.model.centers, sharpness)
        coder: Any = self.model.coder
        return {"encoder": coder.loss(x), "compactness": self.weight * compact}

    def stop(self, record: dict[str, Any]) -> str | None:
        """End when hardly a row changes its cluster, but not on the way to the sharpest level."""
        return super().stop(record) if record["sharpness"] == self.levels[-1] else None


@documented
class DKM(DeepClusterer):
    """Deep k-means: centers and autoencoder learn by one gradient, through memberships that are sharpened step by step.

    Parameters
    ----------
    <number of clusters>
    <common parameters>
    epochs : "auto" or int, default="auto"
        Most epochs with the clusters; "auto" is 20, or more where 20 are fewer than 600 steps.
    tol : float, default=1e-3
        Ends when a smaller share of the rows has changed its cluster since the epoch before, once memberships are as sharp as
        they will be.
    clustering_weight : float, default=0.1
        What the squared distances of a row to the centers, by membership, count beside the mean squared error of a value of it
        (the paper's lambda, in the units used here).
    sharpness : "auto", "anneal" or float, default="auto"
        Memberships are a softmax of minus the sharpness times squared distances. A number is kept throughout. "anneal" goes through
        the paper's levels, from 0.1 to 28, in the first half of the epochs; it begins with all centers in the middle, and forgets
        where the clusters were. "auto", as in the paper: 1000 after a training without clusters, "anneal" without one.
    <common last parameters>

    Attributes
    ----------
    <common attributes>

    See Also
    --------
    DCN : Hard labels, and centers that are running means.
    IDEC : Makes a soft assignment surer instead.

    Notes
    -----
    Cost: the network's, twice forward and back and once more to the embedding for each row and epoch, and O(n k p).
    ``pretrain_epochs=0`` trains everything at once, from K-means in the embedding of the untrained network; set
    ``whiten=False`` then, as the axes of an untrained network mean little, and three times the epochs. The encoder needs a loss
    of its own: without one, all rows in one point would be best. A cluster of fewer rows than a twentieth of an equal share
    moves to the row that fits worst in the widest cluster. ``soft_labels_`` are the memberships at the last sharpness; the most
    probable cluster is that of the nearest center. `predict` repeats ``labels_`` on the rows of the fit. Training can make
    clusters worse: compare ``score_`` with ``start_score_``.

    References
    ----------
    Fard, M. M., Thonet, T., & Gaussier, E. (2020). Deep k-means: Jointly clustering with k-means and learning representations.
    Pattern Recognition Letters, 138, 185-192. https://doi.org/10.1016/j.patrec.2020.07.028

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from coterie.deep import DKM
    >>> X = load_digits().images[:300] / 16
    >>> model = DKM(
    ...     10, encoder="mlp", hidden=(64,), pretrain_epochs=20, epochs=3, sharpness="anneal", random_state=0
    ... ).fit(X)
    >>> [round(record["sharpness"], 2) for record in model.history_[20:]]
    [0.1, 28.13, 28.13]
    >>> bool((model.predict(X) == model.labels_).all())
    True
    """

    _needs: ClassVar = ("loss",)
    _instead: ClassVar = "give it one that says what embeddings must keep, or take DEC"
    _parameter_constraints: ClassVar = {
        **DeepClusterer._parameter_constraints,
        "tol": [Interval(Real, 0, 1, closed="both")],
        "clustering_weight": [Interval(Real, 0, None, closed="left")],
        "sharpness": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto", "anneal"})],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        encoder="auto",
        hidden=None,
        embedding_dim=10,
        layers=None,
        whiten=True,
        pretrain_epochs="auto",
        epochs="auto",
        tol=1e-3,
        clustering_weight=0.1,
        sharpness="auto",
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
        self.epochs = epochs
        self.tol = tol
        self.clustering_weight = clustering_weight
        self.sharpness = sharpness
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_init = n_init
        self.min_cluster_size = min_cluster_size
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state
        self.device = device

    def _network(self, representation: Representation, n_clusters: int) -> _Members:
        return _Members(representation, n_clusters)

    def _phases(self, model: Any, n: int) -> list[Phase]:
        anneal = _Annealing(
            model,
            n,
            self._later_epochs(n),
            self.learning_rate,
            self.tol,
            self.clustering_weight,
            self._sharpness(n),
        )
        return [*super()._phases(model, n), anneal]

    def _sharpness(self, n: int) -> float | None:
        """Return the one sharpness of the memberships, or None where it grows."""
        if self.sharpness == "auto":
            return _SHARP if self._first_epochs(n) > 0 else None
        return None if self.sharpness == "anneal" else self.sharpness
