"""K-means in the embedding of an autoencoder: the baseline that every deep clustering has to beat."""

from typing import ClassVar

from torch import Tensor

from ._base import DeepClusterer
from ._clustered import Clustered, kmeans_start
from ._documented import documented
from ._training import encoded

__all__ = ["AEKMeans"]


@documented
class AEKMeans(DeepClusterer):
    """K-means in the embedding of an autoencoder, trained without labels and not changed by the clusters.

    Parameters
    ----------
    <number of clusters>
    <common parameters>
    <common last parameters>

    Attributes
    ----------
    <common attributes>

    See Also
    --------
    IDEC : Trains the network further, with the clusters.
    LayerFeatures : Features of the layers of any network.

    Notes
    -----
    Cost: the network's, once forward and back for each row and epoch, and 20 runs of K-means on the embedding. All values are
    shifted and scaled by one mean and one standard deviation. `predict` gives the most probable cluster, which is the nearest
    center, and repeats ``labels_`` on the rows of the fit. The same bits for a seed and a number of threads of PyTorch.

    References
    ----------
    Aljalbout, E., Golkov, V., Siddiqui, Y., & Cremers, D. (2018). Clustering with deep learning: taxonomy and new methods.
    https://arxiv.org/abs/1801.07648

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from coterie.deep import AEKMeans
    >>> X = load_digits().images[:300] / 16
    >>> model = AEKMeans(10, pretrain_epochs=5, random_state=0).fit(X)
    >>> model.embedding_.shape, model.soft_labels_.shape
    ((300, 10), (300, 10))
    >>> bool((model.predict(X) == model.labels_).all())
    True
    """

    _parameter_constraints: ClassVar = {**DeepClusterer._parameter_constraints}
    _parameter_constraints.pop("epochs")

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
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_init = n_init
        self.min_cluster_size = min_cluster_size
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state
        self.device = device

    def _finish(self, model: Clustered, rows: Tensor, seed: int) -> None:
        model.representation.fit(rows)
        model.begin_with(kmeans_start(encoded(model.represent, rows), model.n_clusters, seed))
