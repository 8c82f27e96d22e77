"""Deep embedded clustering: an assignment that is made surer again and again, with the decoder (IDEC) or without (DEC)."""

from numbers import Real
from typing import ClassVar

import torch
from torch import Tensor

from ..base import Interval
from ._base import DeepClusterer
from ._clustered import Clustered
from ._documented import documented
from ._refinement import Refinement
from ._training import Phase
from .losses import hardening_loss, target_distribution

__all__ = ["DEC", "IDEC"]


class _Hardening(Refinement):
    """The soft assignment moves towards its target; the encoder's own loss counts beside it, or not at all."""

    name = "harden"

    def __init__(
        self, model: Clustered, n: int, epochs: int, learning_rate: float, tol: float, weight: float, keeps: bool
    ):
        super().__init__(model, n, epochs, learning_rate, tol)
        self.weight = weight
        self.keeps = keeps and hasattr(model.coder, "loss")
        self.module.register_buffer("frequency", torch.ones(model.n_clusters, device=model.centers.device))

    def update(self, rows: Tensor, z: Tensor, q: Tensor) -> None:
        """Count how much of the data each cluster has: the target is that of all rows, whatever the batch."""
        self.module.get_buffer("frequency").copy_(q.sum(0))

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the divergence from the target and, for IDEC, the error of the reconstruction."""
        z = self.model.represent(x)
        log_q = self.model.log_soft(z)
        target = target_distribution(log_q.detach().exp(), self.module.get_buffer("frequency"))
        terms = {"hardening": self.weight * hardening_loss(log_q, target)}
        if self.keeps:
            terms["encoder"] = self.model.coder.loss(x)  # type: ignore[operator]
        return terms


@documented
class DEC(DeepClusterer):
    """Deep embedded clustering: the encoder learns to make a soft assignment surer, starting from K-means.

    Parameters
    ----------
    <number of clusters>
    <common parameters>
    epochs : "auto" or int, default="auto"
        Most epochs with the clusters; "auto" is 20, or more where 20 are fewer than 600 steps.
    tol : float, default=1e-3
        Ends when a smaller share of the rows has changed its cluster since the epoch before.
    <common last parameters>

    Attributes
    ----------
    <common attributes>

    See Also
    --------
    IDEC : Keeps the decoder, and with it more of what the data look like.
    AEKMeans : The start of this method alone.

    Notes
    -----
    Cost: the network's, once forward and back and once more forward for each row and epoch, and O(n k p). The target is that of
    all rows: before each epoch the shares of the clusters are summed over all of them, so a batch of any size has the paper's
    target, and no (n, k) target is stored. The divergence is a mean over rows. The paper trains with SGD and layer by layer;
    here all layers are trained at once by Adam. A cluster that holds fewer rows than a twentieth of an equal share
    moves to the row that fits worst in the widest cluster. `predict` gives the most probable cluster and repeats ``labels_``
    on the rows of the fit. Training can make clusters worse: compare ``score_`` with ``start_score_``.

    References
    ----------
    Xie, J., Girshick, R., & Farhadi, A. (2016). Unsupervised deep embedding for clustering analysis. ICML, 478-487.
    https://arxiv.org/abs/1511.06335

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from coterie.deep import DEC
    >>> X = load_digits().images[:300] / 16
    >>> model = DEC(10, encoder="mlp", hidden=(64,), pretrain_epochs=20, epochs=3, random_state=0).fit(X)
    >>> [record["phase"] for record in model.history_[19:21]]
    ['pretrain', 'harden']
    >>> bool((model.predict(X) == model.labels_).all())
    True
    """

    _hardening_weight = 1.0
    _keeps_decoder = False
    _parameter_constraints: ClassVar = {
        **DeepClusterer._parameter_constraints,
        "tol": [Interval(Real, 0, 1, closed="both")],
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
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_init = n_init
        self.min_cluster_size = min_cluster_size
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state
        self.device = device

    def _phases(self, model: Clustered, n: int) -> list[Phase]:
        harden = _Hardening(
            model,
            n,
            self._later_epochs(n),
            self.learning_rate,
            self.tol,
            self._hardening_weight,
            self._keeps_decoder,
        )
        return [*super()._phases(model, n), harden]


@documented
class IDEC(DEC):
    """Improved deep embedded clustering: DEC that keeps the decoder, so that the embedding still describes the data.

    Parameters
    ----------
    <number of clusters>
    <common parameters>
    epochs : "auto" or int, default="auto"
        Most epochs with the clusters; "auto" is 20, or more where 20 are fewer than 600 steps.
    tol : float, default=1e-3
        Ends when a smaller share of the rows has changed its cluster since the epoch before.
    <common last parameters>

    Attributes
    ----------
    <common attributes>

    See Also
    --------
    DEC : Drops the decoder.

    Notes
    -----
    The loss is the encoder's own and a tenth of DEC's divergence, as in the paper. Everything else is as in `DEC`.

    References
    ----------
    Guo, X., Gao, L., Liu, X., & Yin, J. (2017). Improved deep embedded clustering with local structure preservation. IJCAI,
    1753-1759. https://doi.org/10.24963/ijcai.2017/243

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from coterie.deep import IDEC
    >>> X = load_digits().images[:300] / 16
    >>> model = IDEC(10, encoder="mlp", hidden=(64,), pretrain_epochs=20, epochs=3, random_state=0).fit(X)
    >>> sorted(model.history_[-1])
    ['changed', 'encoder', 'epoch', 'hardening', 'phase', 'revived', 'smallest']
    """

    _hardening_weight = 0.1
    _keeps_decoder = True
