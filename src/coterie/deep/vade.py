"""Variational deep embedding: an autoencoder whose embedding is a mixture of normal distributions, fitted as one model of the rows.

A cluster is drawn, then an embedding from its normal distribution, then the row from the decoder. Encoder, decoder and mixture
are trained together to make a lower bound of the density of the rows large.
"""

import math
import warnings
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn
from torch.nn import functional

from ..arrays import like_input, to_numpy
from ..base import Interval
from ._base import DeepClusterer
from ._clustered import Clustered, Start, kmeans_start
from ._documented import documented
from ._refinement import Refinement
from ._representation import Representation
from ._rows import Scale, as_rows
from ._training import Phase, encoded
from .encoders import VariationalAutoencoder
from .losses_mixture import log_mixture_density, log_responsibility, mixture_divergence

__all__ = ["VaDE"]

_BOUND = 6.0  # of the logarithms of the variances: exp stays far from 0 and from infinity
_LEAST_VARIANCE = 1e-3  # of a cluster at the start, as a share of the variance of the embedding
_DRAWS = 16  # of the embedding of a row, to estimate its density


class _Mixture(Clustered):
    """A variational autoencoder with a mixture of normal distributions in its embedding, made white.

    Parameters
    ----------
    representation : Representation
        Of the embedding alone.
    n_clusters : int
    """

    per_cluster: ClassVar = ("centers", "log_variances", "logits")

    def __init__(self, representation: Representation, n_clusters: int):
        super().__init__(representation, n_clusters)
        width = representation.width
        self.log_variances = nn.Parameter(torch.zeros(n_clusters, width))
        self.logits = nn.Parameter(torch.zeros(n_clusters))
        n_values = len(representation.get_buffer("axes0")) if representation.fixed else width
        # From the white embedding back to the decoder's own.
        self.back: Tensor
        self.origin: Tensor
        self.register_buffer("back", torch.eye(width, n_values))
        self.register_buffer("origin", torch.zeros(n_values))

    def mixture(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logarithms of the weights, (k,), the means and the logarithms of the variances, (k, p)."""
        return self.logits.log_softmax(0), self.centers, self.log_variances.clamp(-_BOUND, _BOUND)

    def log_soft(self, z: Tensor) -> Tensor:
        """Return the logarithm of the probability of each cluster for embeddings, (b, k)."""
        return log_responsibility(z, *self.mixture())

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of each row's embedding, (b, p) each."""
        coder: Any = self.coder
        mean, log_variance = coder.posterior(x)
        if not self.representation.fixed:
            return mean, log_variance.clamp(-_BOUND, _BOUND)
        axes = self.representation.get_buffer("axes0")
        variance = log_variance.exp() @ axes.square()  # of each axis; that they are no longer independent is left out
        return (mean - self.origin) @ axes, variance.log().clamp(-_BOUND, _BOUND)

    def decode(self, z: Tensor) -> Tensor:
        """Return the rows that embeddings stand for."""
        coder: Any = self.coder
        return coder.decode(z @ self.back + self.origin)

    @torch.no_grad()
    def settle(self, rows: Tensor) -> None:
        """Make the embedding white as it is now, and find the way back."""
        self.representation.fit(rows)
        if self.representation.fixed:
            self.back.copy_(torch.linalg.pinv(self.representation.get_buffer("axes0").double()))
            self.origin.copy_(self.representation.get_buffer("mean0"))

    @torch.no_grad()
    def take(self, weights: np.ndarray, means: np.ndarray, variances: np.ndarray) -> None:
        """Take the parameters of a mixture."""
        self.logits.copy_(torch.as_tensor(weights).clamp_min(torch.finfo(torch.float32).tiny).log())
        self.centers.copy_(torch.as_tensor(means))
        self.log_variances.copy_(torch.as_tensor(variances).log().clamp(-_BOUND, _BOUND))

    @torch.no_grad()
    def move(self, cluster: int, z: Tensor) -> None:
        """Set a cluster up anew around ``z``, with the width and the weight of the others in the mean."""
        super().move(cluster, z)
        self.log_variances[cluster] = self.mixture()[2].mean(0)
        self.logits[cluster] = self.logits.logsumexp(0) - math.log(self.n_clusters)

    def log_density(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return the logarithm of the density of rows, (b,), by weighted draws of their embeddings; ``noise`` is (draws, p)."""
        mean, log_variance = self.posterior(x)
        mixture = self.mixture()
        n_values = x[0].numel()
        found = []
        for draw in noise:
            z = mean + draw * (0.5 * log_variance).exp()
            error = (self.decode(z) - x).square().flatten(1).sum(1)
            own = -0.5 * (draw.square() + log_variance + math.log(2 * math.pi)).sum(1)
            found.append(log_mixture_density(z, *mixture) - own - 0.5 * error)
        total = torch.stack(found).logsumexp(0)
        return total - math.log(len(noise)) - 0.5 * n_values * math.log(2 * math.pi)


class _Reconstruction(Phase):
    """Training of encoder and decoder as a plain autoencoder: no prior pulls the embeddings together yet."""

    name = "pretrain"

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the mean squared error of a value, as decoded from the mean of the embedding."""
        coder: Any = self.module
        return {"reconstruction": functional.mse_loss(coder.decode(coder.encode(x)), x)}


class _Bound(Refinement):
    """Encoder, decoder and mixture make the lower bound large."""

    name = "bound"
    model: _Mixture

    def begin(self, rows: Tensor) -> None:
        """Fit a mixture to the embeddings as they are, from K-means."""
        self.model.settle(rows)
        z = encoded(self.model.represent, rows)
        seed = torch.initial_seed() % 2**32
        self.model.take(*_gaussian_mixture(to_numpy(z), kmeans_start(z, self.model.n_clusters, seed), seed))
        labels = encoded(self.model.log_soft, z).argmax(1)
        for name in ("start", "labels"):
            self.module.get_buffer(name).copy_(labels)

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return minus the bound for values of unit variance, divided by the length of a row: two terms."""
        mean, log_variance = self.model.posterior(x)
        z = VariationalAutoencoder.sample(mean, log_variance)
        divergence = mixture_divergence(mean, log_variance, self.model.log_soft(z), *self.model.mixture())
        n_values = x[0].numel()
        return {
            "reconstruction": 0.5 * functional.mse_loss(self.model.decode(z), x),
            "divergence": divergence.mean() / n_values,
        }


def _gaussian_mixture(z: np.ndarray, start: Start, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights (k,), means and variances (k, p) of the mixture that expectation-maximisation finds from a start."""
    z = z.astype(np.float64)
    k = len(start.centers)
    least = max(_LEAST_VARIANCE * float(z.var(0).mean()), 1e-6)
    members = np.eye(k)[start.labels]
    sizes = members.sum(0) + 1e-3  # a cluster without rows stays possible
    deviations = (z - start.centers[start.labels]) ** 2
    variances = members.T @ deviations / sizes[:, None] + least
    model = GaussianMixture(
        k,
        covariance_type="diag",
        reg_covar=least,
        max_iter=200,
        weights_init=sizes / sizes.sum(),
        means_init=start.centers.astype(np.float64),
        precisions_init=1 / variances,
        init_params="random_from_data",  # unused, as all three are given; the default would run K-means once more
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a start need not have converged
        model.fit(z)
    return model.weights_, model.means_, model.covariances_


@documented
class VaDE(DeepClusterer):
    """Variational deep embedding: a density of the rows whose clusters are normal distributions in the embedding of an autoencoder.

    Parameters
    ----------
    <number of clusters>
    encoder : {"auto", "mlp", "vae"} or torch.nn.Module, default="auto"
        The network: by any of the three names a variational autoencoder of fully connected layers. A module is copied, never
        changed; its ``posterior(x)`` gives mean and logarithm of the variance of the embedding, its ``encode(x)`` the same mean,
        its ``decode(z)`` leads back.
    hidden : sequence of int, default=(500, 500)
        Widths of the layers before the embedding, in reverse after it. The paper's (500, 500, 2000) take some three times as
        long.
    embedding_dim : int, default=10
        Length of the embedding.
    whiten : bool, default=True
        Whether to turn the embedding, as it is before clusters are trained, to its principal axes and give each variance 1: the
        axes of the clusters are these.
    pretrain_epochs : "auto" or int, default="auto"
        Times that training as a plain autoencoder, without noise, goes through the rows; "auto" is 30, or more where 30 are
        fewer than 1,000 steps.
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
    DKM : Round clusters of equal width, and no density.
    LocalOutlierFactor : Outliers without training a network.

    Notes
    -----
    Cost: the network's, once forward and back and once more to the embedding for each row and epoch, and O(n k p). Of the
    bound, only the reconstruction is estimated, from one drawn embedding a row; all else has a closed form. Values count as
    normal around the decoder's, with the variance of all values of the fit: one unit for tables and images. Responsibilities
    are a softmax of logarithms, and the logarithms of all variances stay between -6 and 6. A mixture with independent axes
    fitted to the embeddings by expectation-maximisation, from K-means, is the start. A cluster of fewer rows than a twentieth
    of an equal share is set up anew at the row that fits worst in the widest cluster. ``soft_labels_`` are the probabilities of
    the clusters given the mean of the embedding. `predict` repeats ``labels_`` on the rows of the fit. Training can make
    clusters worse: compare ``score_`` with ``start_score_``.

    References
    ----------
    Jiang, Z., Zheng, Y., Tan, H., Tang, B., & Zhou, H. (2017). Variational deep embedding: an unsupervised and generative
    approach to clustering. IJCAI, 1965-1972. https://doi.org/10.24963/ijcai.2017/273

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from coterie.deep import VaDE
    >>> X = load_digits().images[:300] / 16
    >>> model = VaDE(10, hidden=(64,), pretrain_epochs=5, epochs=3, random_state=0).fit(X)
    >>> bool((model.predict(X) == model.labels_).all())
    True
    >>> bool(model.score_samples(X).mean() > model.score_samples(X[:, ::-1]).mean())  # a picture upside down is less likely
    True
    """

    _needs: ClassVar = ("posterior", "decode")
    _instead: ClassVar = "take encoder='vae' or a module that has"
    _parameter_constraints: ClassVar = {
        **DeepClusterer._parameter_constraints,
        "tol": [Interval(Real, 0, 1, closed="both")],
    }
    _parameter_constraints.pop("layers")

    def __init__(
        self,
        n_clusters=8,
        *,
        encoder="auto",
        hidden=(500, 500),
        embedding_dim=10,
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

    def score_samples(self, X):
        """Return the logarithm of the density of each row, for telling the usual from the unusual.

        It is estimated from 16 weighted draws of the row's embedding, the same draws for every row: the same row always has the
        same value. The estimate is a little below the truth in the mean.

        Parameters
        ----------
        X : array, frame or tensor
            Rows of the shape of the fit.

        Returns
        -------
        (n,) float32 array
            In nats, for the units of ``X``: small where a row is unlike those of the fit.
        """
        rows = as_rows(self, X, reset=False)
        scale = Scale(*self._scale)
        model: Any = self._model.to(rows.device)
        half = np.random.default_rng(0).standard_normal((_DRAWS // 2, model.representation.width))
        noise = torch.as_tensor(np.vstack([half, -half]), dtype=torch.float32, device=rows.device)
        found = encoded(lambda x: model.log_density(x, noise)[:, None], scale.of(rows))[:, 0]
        return like_input((found.double() - rows[0].numel() * math.log(scale.spread)).float(), X)

    def _kind_of_encoder(self) -> Any:
        return "vae" if isinstance(self.encoder, str) and self.encoder in ("auto", "mlp") else self.encoder

    def _represent(self, coder: nn.Module, example: Tensor) -> Representation:
        return Representation(coder, None, self.whiten, example)

    def _network(self, representation: Representation, n_clusters: int) -> _Mixture:
        return _Mixture(representation, n_clusters)

    def _phases(self, model: Clustered, n: int) -> list[Phase]:
        epochs = self._first_epochs(n)
        bound = _Bound(model, n, self._later_epochs(n), self.learning_rate, self.tol)
        return [_Reconstruction(model.coder, epochs, self.learning_rate), bound]
