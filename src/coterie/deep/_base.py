"""What all deep clusterers share: rows in, an encoder trained without labels, clusters in its embedding, labels out.

The order is that of the taxonomy of Aljalbout et al. (2018): which network, which of its layers, the loss without clusters,
the loss with them, how the two are combined, how the clusters are updated, and what is clustered in the end. A preset says
only where it differs, by its phases (`_phases`) and its network (`_network`).

Aljalbout, E., Golkov, V., Siddiqui, Y., & Cremers, D. (2018). Clustering with deep learning: taxonomy and new methods.
https://arxiv.org/abs/1801.07648
"""

import math
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from ..arrays import like_input, to_numpy
from ..base import Clusterer, Interval, StrOptions
from ..errors import InputError, ModelFileError
from ._checkpoint import Checkpoint, checkpoints_of
from ._clustered import Clustered
from ._kept import drop_small, rebuilt, warn_of_empty, weights_of
from ._needs import require
from ._progress import progress
from ._representation import Representation
from ._rows import Scale, as_rows, scale_of
from ._score import NeighborScore
from ._training import Phase, Run, encoded, seeded, train
from .counting import count_groups
from .encoders import build_encoder

__all__ = ["DeepClusterer", "Pretraining"]


class Pretraining(Phase):
    """Training of the encoder alone, by its own loss."""

    name = "pretrain"

    def __init__(self, module: nn.Module, epochs: int, learning_rate: float):
        super().__init__(module, epochs, learning_rate)
        self.has_loss = hasattr(module, "loss")  # a module that was given need not have one

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the loss of the encoder."""
        return {"encoder": self.module.loss(x)}  # type: ignore[operator]


class _Outcome(NamedTuple):
    """What one start came to."""

    model: Clustered
    embedding: Tensor
    labels: np.ndarray
    history: list[dict[str, Any]]
    stop_reason: str
    score: float
    start_score: float | None
    start_labels: np.ndarray | None


class DeepClusterer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Clusterer):
    """Base of the deep clusterers; `_COMMON` says what its parameters are."""

    _state_attributes: ClassVar = ("_scale", "_weights", "_n_features_out")
    _needs: ClassVar[tuple[str, ...]] = ()  # methods of an encoder that the preset calls
    _instead: ClassVar[str] = ""  # what to do where one is missing
    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "encoder": [StrOptions({"auto", "mlp", "conv", "vae"}), HasMethods(["parameters", "state_dict"])],
        "hidden": ["array-like", None],
        "layers": ["array-like", str, None],
        "whiten": ["boolean"],
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "pretrain_epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "epochs": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "min_cluster_size": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither"), None],
        "checkpoint": [str, HasMethods(["__fspath__"]), None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "device": [str],
    }

    def fit(self, X, y=None):
        """Train the network and find the clusters.

        Parameters
        ----------
        X : array, frame or tensor of shape (n, d), (n, height, width) or (n, channels, height, width)
            Numbers of a scale near 1; bytes are refused.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there are fewer rows than clusters, a value is not finite, or the loss stops being finite.
        """
        self._validate_params()
        rows = as_rows(self, X, reset=True)
        n = len(rows)
        least = 1 if self.n_clusters == "auto" else self.n_clusters
        if n < max(2, least):
            raise InputError(f"n_samples={n} should be >= 2 and >= n_clusters={least}; lower n_clusters or add rows")
        scale = scale_of(rows)
        rows = scale.of(rows)
        judge = NeighborScore(rows)
        seeds = check_random_state(self.random_state).randint(np.iinfo(np.int32).max, size=self.n_init)
        checkpoints = self._checkpoints(rows)
        with progress(self.verbose, type(self).__name__) as show:
            outcomes = [
                self._one_start(rows, judge, Run(int(seed), self._batch_rows(n), checkpoint, [], show))
                for seed, checkpoint in zip(seeds, checkpoints, strict=True)
            ]
        self._keep(max(outcomes, key=lambda outcome: outcome.score), scale, X)
        for checkpoint in checkpoints:
            if checkpoint is not None:
                checkpoint.done()
        return self

    def predict(self, X):
        """Return the most probable cluster of each row, ties to the lowest.

        Parameters
        ----------
        X : array, frame or tensor
            Rows of the shape of the fit.

        Returns
        -------
        (n,) int64 array
        """
        return self._labels_out(self._log_soft(self._embed(X)), X)

    def predict_proba(self, X):
        """Return the probability of each cluster for each row.

        Parameters
        ----------
        X : array, frame or tensor
            Rows of the shape of the fit.

        Returns
        -------
        (n, k) float32 array
        """
        return like_input(self._log_soft(self._embed(X)).exp(), X)

    def transform(self, X):
        """Return the embedding of each row.

        Parameters
        ----------
        X : array, frame or tensor
            Rows of the shape of the fit.

        Returns
        -------
        (n, p) float32 array
        """
        return like_input(self._embed(X), X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]  # networks compute in single precision
        return tags

    @property
    def encoder_(self):
        """The trained encoder, a module in evaluation mode; it sees ``(x - center) / spread`` of the fit."""
        check_is_fitted(self)
        return self._model.coder

    # What a preset may say otherwise.

    def _kind_of_encoder(self) -> Any:
        """Return which encoder to build, or a module."""
        return self.encoder

    def _represent(self, coder: nn.Module, example: Tensor) -> Representation:
        """Return what of the encoder is clustered."""
        return Representation(coder, self.layers, self.whiten, example)

    def _network(self, representation: Representation, n_clusters: int) -> Clustered:
        """Return the network with its clusters."""
        return Clustered(representation, n_clusters)

    def _phases(self, model: Clustered, n: int) -> list[Phase]:
        """Return what is trained, in order."""
        return [Pretraining(model.coder, self._first_epochs(n), self.learning_rate)]

    def _finish(self, model: Clustered, rows: Tensor, seed: int) -> None:
        """Find the clusters where no phase has."""

    # The common course.

    def _batch_rows(self, n: int) -> int:
        """Return the rows of one step: few where there are few, so that an epoch is many steps."""
        return self.batch_size if self.batch_size != "auto" else min(256, max(16, n // 16))

    def _first_epochs(self, n: int) -> int:
        """Return the epochs of the encoder alone."""
        return self._epochs(self.pretrain_epochs, 30, 1000, n)

    def _later_epochs(self, n: int) -> int:
        """Return the most epochs with the clusters."""
        return self._epochs(self.epochs, 20, 600, n)

    def _epochs(self, wanted: Any, least: int, least_steps: int, n: int) -> int:
        """Return the number of epochs: as wanted, or what makes at least so many epochs and so many steps."""
        if wanted != "auto":
            return wanted
        return max(least, math.ceil(least_steps / max(1, n // self._batch_rows(n))))

    def _build(self, row_shape: tuple[int, ...], n_clusters: int, device: Any) -> Clustered:
        """Return an untrained network; its start is drawn from PyTorch's own generator."""
        coder = build_encoder(self._kind_of_encoder(), row_shape, self.embedding_dim, self.hidden).to(device)
        require(coder, self._needs, type(self).__name__, self._instead)
        example = torch.zeros(2, *row_shape, device=device)
        coder.eval()
        with torch.no_grad():
            representation = self._represent(coder, example)
        return self._network(representation, n_clusters).to(device)

    def _one_start(self, rows: Tensor, judge: NeighborScore, run: Run) -> _Outcome:
        model, phases, reason = self._begun(rows, run)
        kept = None if run.checkpoint is None else run.checkpoint.notes.get("phase")
        names = [phase.name for phase in phases]
        for phase in phases[names.index(kept) if kept in names else 0 :]:
            reason = train(phase, rows, run)
        with seeded(run.seed, "finish"):
            self._finish(model, rows, run.seed)
        model.eval()
        z = encoded(model.represent, rows)
        labels = drop_small(model, lambda: _labels(encoded(model.log_soft, z)), self.min_cluster_size)
        start_labels = getattr(phases[-1], "start_labels", None) if phases else None
        first = None if start_labels is None else judge(start_labels)
        return _Outcome(model, z, labels, run.history, reason, judge(labels), first, start_labels)

    def _begun(self, rows: Tensor, run: Run) -> tuple[Clustered, list[Phase], str]:
        """Return the network for as many clusters as there are, what is still to be trained, and why training ended so far.

        Where the number is not given, the encoder is trained first, and the groups in its embedding are counted.
        """
        told = None if run.checkpoint is None else run.checkpoint.notes.get("n_clusters")
        counting = self.n_clusters == "auto" and told is None
        k = told or (1 if counting else self.n_clusters)
        with seeded(run.seed, "build"):
            model = self._build(tuple(rows.shape[1:]), k, rows.device)
        phases = self._trained(model, len(rows))
        reason = "epochs"
        if not counting:
            return model, phases, reason
        if phases and isinstance(phases[0], Pretraining):
            reason = train(phases[0], rows, run)
        with seeded(run.seed, "count"):
            representation = model.eval().representation
            representation.fit(rows)
            k = count_groups(to_numpy(encoded(model.represent, rows)), run.seed)
            model = self._network(representation, k).to(rows.device)
        if run.checkpoint is not None:
            run.checkpoint.also["n_clusters"] = k
        later = [phase for phase in self._trained(model, len(rows)) if not isinstance(phase, Pretraining)]
        return model, later, reason

    def _trained(self, model: Clustered, n: int) -> list[Phase]:
        return [phase for phase in self._phases(model, n) if phase.has_loss]

    def _keep(self, best: _Outcome, scale: Scale, X: Any) -> None:
        self._scale = (scale.center, scale.spread)
        self._take(best.model)
        self.embedding_ = like_input(best.embedding, X)
        self.soft_labels_ = like_input(self._log_soft(best.embedding).exp(), X)
        self.labels_ = like_input(best.labels, X)
        self.n_clusters_ = best.model.n_clusters
        self.occupancy_ = np.bincount(best.labels, minlength=self.n_clusters_)
        self.history_ = best.history
        self.n_iter_ = len(best.history)
        self.stop_reason_ = best.stop_reason
        self.converged_ = best.stop_reason == "converged"
        self.score_ = best.score
        self.start_score_, self.start_labels_ = best.start_score, best.start_labels
        warn_of_empty(self.occupancy_, "row")

    def _take(self, model: Clustered) -> None:
        self._model = model.eval().requires_grad_(False)
        self._n_features_out = model.representation.width

    def _fitted_state(self):
        state = super()._fitted_state()
        if hasattr(self, "_model"):
            state["_weights"] = weights_of(self._model)
        return state

    def _restore(self, state):
        kept = dict(state)
        weights = kept.pop("_weights")
        super()._restore(kept)
        if math.prod(self.row_shape_) != self.n_features_in_:
            raise ModelFileError("the model is damaged: the shape of its rows does not match their number of features")
        self._take(rebuilt(lambda: self._build(tuple(self.row_shape_), len(self.occupancy_), "meta"), weights))
        return self

    def _embed(self, X: Any) -> Tensor:
        rows = as_rows(self, X, reset=False)
        return encoded(self._model.to(rows.device).represent, Scale(*self._scale).of(rows))

    def _log_soft(self, z: Tensor) -> Tensor:
        return encoded(self._model.log_soft, z)

    def _labels_out(self, log_soft: Tensor, X: Any) -> Any:
        return like_input(_labels(log_soft), X)

    def _checkpoints(self, rows: Tensor) -> list[Checkpoint | None]:
        """Return where each start keeps its state."""
        apart = {"checkpoint", "verbose", "device", "encoder"}
        told = {name: repr(value) for name, value in self.get_params(deep=False).items() if name not in apart}
        told["encoder"] = self.encoder if isinstance(self.encoder, str) else repr(self.encoder)
        return checkpoints_of(self, told, [rows])


def _labels(log_soft: Tensor) -> np.ndarray:
    """Return the most probable cluster of each row, ties to the lowest."""
    return to_numpy(log_soft).argmax(1).astype(np.int64)
