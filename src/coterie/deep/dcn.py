"""Deep clustering network: an autoencoder whose embedding is drawn towards the centers of K-means, step by step.

Three things take turns in every step: the network learns while labels and centers stand still, the rows of the batch go to
their nearest centers, and each center moves to the running mean of all that were ever its own.
"""

from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..base import Interval
from ._base import DeepClusterer
from ._clustered import Clustered
from ._documented import documented
from ._refinement import Refinement
from ._training import Phase
from .losses import hard_kmeans_loss, squared_distances

__all__ = ["DCN", "running_means"]

_FIRST_COUNT = 100.0  # how many rows a new center stands for, as in the paper's own program


def running_means(centers: Tensor, counts: Tensor, z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return centers and counts after each row has drawn its center by one part in the count: the paper's equation 8.

    One row after another, ``counts[k] += 1`` and ``centers[k] += (row - centers[k]) / counts[k]`` is the mean of what came
    before and all of these, so a batch needs no order.

    Parameters
    ----------
    centers : (k, p) tensor
    counts : (k,) float64 tensor
        How many rows each center stands for.
    z : (b, p) tensor
        Embeddings.
    labels : (b,) int64 tensor

    Returns
    -------
    centers : (k, p) tensor
    counts : (k,) float64 tensor
    """
    # A product with the matrix of memberships adds in a fixed order on every device, as adding by index does not.
    members = (labels == torch.arange(len(centers), device=labels.device)[:, None]).double()
    total = counts + members.sum(1)
    moved = (counts[:, None] * centers.double() + members @ z.double()) / total[:, None]
    return moved.to(centers.dtype), total


class _TakingTurns(Refinement):
    """The network by gradient, labels and centers by K-means on the batch."""

    name = "refine"

    def __init__(self, model: Clustered, n: int, epochs: int, learning_rate: float, tol: float, weight: float):
        super().__init__(model, n, epochs, learning_rate, tol)
        self.weight = weight
        first = torch.full((model.n_clusters,), _FIRST_COUNT, dtype=torch.float64, device=model.centers.device)
        self.module.register_buffer("counts", first)

    def before_epoch(self, rows: Tensor, optimizer: torch.optim.Optimizer) -> dict[str, float]:
        """Assign all rows; a cluster that is set up anew counts from the start."""
        before = self.model.centers.detach().clone()
        facts = super().before_epoch(rows, optimizer)
        self.module.get_buffer("counts")[(self.model.centers.detach() != before).any(1)] = _FIRST_COUNT
        return facts

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the encoder's own loss, and the distance to the centers where they stand."""
        labels = self.module.get_buffer("labels")[index]
        compact = hard_kmeans_loss(self.model.represent(x), self.model.centers.detach(), labels)
        coder: Any = self.model.coder
        return {"encoder": coder.loss(x), "compactness": self.weight * compact}

    @torch.no_grad()
    def after_step(self, x: Tensor, index: Tensor) -> None:
        """Assign the batch as the network now embeds it, and move the centers."""
        self.model.eval()  # a look, by which no layer learns
        z = self.model.represent(x)
        self.model.train()
        centers, counts = self.model.centers, self.module.get_buffer("counts")
        moved, total = running_means(centers, counts, z, squared_distances(z, centers).argmin(1))
        centers.copy_(moved)
        counts.copy_(total)


@documented
class DCN(DeepClusterer):
    """Deep clustering network: K-means and an autoencoder in turns, so that the embedding suits K-means and still describes the data.

    Parameters
    ----------
    <number of clusters>
    <common parameters>
    epochs : "auto" or int, default="auto"
        Most epochs with the clusters; "auto" is 20, or more where 20 are fewer than 600 steps.
    tol : float, default=1e-3
        Ends when a smaller share of the rows has changed its cluster since the epoch before.
    clustering_weight : float, default=0.1
        What half the squared distance of a row to its center counts beside the mean squared error of a value of it (the paper's
        lambda, in the units used here).
    <common last parameters>

    Attributes
    ----------
    <common attributes>

    See Also
    --------
    DKM : Soft memberships, and centers that follow the gradient.
    IDEC : Makes a soft assignment surer instead.

    Notes
    -----
    Cost: the network's, twice forward and back and twice more to the embedding for each row and epoch, and O(n k p). A center
    is the mean of all rows that were ever assigned to it, each as it was embedded then, beside its start, which counts as 100
    rows; the batch form used here gives what the paper's row after row does. The encoder needs a loss of its own: without one,
    all rows in one point would be best. A cluster of fewer rows than a twentieth of an equal share moves to the row that fits
    worst in the widest cluster. ``soft_labels_`` are those of a Student kernel around the centers, as in `DEC`; the most
    probable cluster is that of the nearest center. `predict` repeats ``labels_`` on the rows of the fit. Training can make
    clusters worse: compare ``score_`` with ``start_score_``.

    References
    ----------
    Yang, B., Fu, X., Sidiropoulos, N. D., & Hong, M. (2017). Towards k-means-friendly spaces: simultaneous deep learning and
    clustering. ICML, 3861-3870. https://arxiv.org/abs/1610.04794

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from coterie.deep import DCN
    >>> X = load_digits().images[:300] / 16
    >>> model = DCN(10, pretrain_epochs=5, epochs=3, random_state=0).fit(X)
    >>> sorted(model.history_[-1])
    ['changed', 'compactness', 'encoder', 'epoch', 'phase', 'revived', 'smallest']
    >>> bool((model.predict(X) == model.labels_).all())
    True
    """

    _needs: ClassVar = ("loss",)
    _instead: ClassVar = "give it one that says what embeddings must keep, or take DEC"
    _parameter_constraints: ClassVar = {
        **DeepClusterer._parameter_constraints,
        "tol": [Interval(Real, 0, 1, closed="both")],
        "clustering_weight": [Interval(Real, 0, None, closed="left")],
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
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_init = n_init
        self.min_cluster_size = min_cluster_size
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state
        self.device = device

    def _phases(self, model: Clustered, n: int) -> list[Phase]:
        turns = _TakingTurns(
            model,
            n,
            self._later_epochs(n),
            self.learning_rate,
            self.tol,
            self.clustering_weight,
        )
        return [*super()._phases(model, n), turns]
