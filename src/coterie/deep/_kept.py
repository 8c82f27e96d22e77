"""Fitted networks: their weights in a file and back, and which clusters are left."""

import math
import warnings
from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from ..arrays import to_numpy
from ..errors import ModelFileError

__all__ = ["drop_small", "rebuilt", "warn_of_empty", "weights_of"]


def weights_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Return every parameter and buffer of a network by its name."""
    return {name: to_numpy(value) for name, value in network.state_dict().items()}


def rebuilt(build: Callable[[], Any], weights: dict[str, Any]) -> Any:
    """Return a network with the weights of a file.

    Parameters
    ----------
    build : callable
        Makes the untrained network.
    weights : dict of str to array
        As `weights_of` gives them.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    ModelFileError
        If the weights are not those of such a network.
    """
    tensors = {name: torch.from_numpy(np.asarray(value)) for name, value in weights.items()}
    try:
        with torch.device("meta"):  # allocates nothing, however large the file says the network is
            network = build()
        network.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise ModelFileError(f"the model is damaged: {str(error).splitlines()[-1].strip()}") from error
    return network


def drop_small(network: Any, labels_now: Callable[[], np.ndarray], size: int | float | None) -> np.ndarray:
    """Give up the clusters of a network that are too small, the smallest first.

    Parameters
    ----------
    network : torch.nn.Module
        With ``n_clusters`` and ``keep(places)``; changed in place.
    labels_now : callable
        Returns the cluster of each row by the network as it stands.
    size : int, float or None
        Fewest rows of a cluster, or the share of all rows that this is; None keeps all.

    Returns
    -------
    (n,) int64 array
        The labels that the network gives in the end.
    """
    while True:
        labels = labels_now()
        least = 0 if size is None else size if isinstance(size, Integral) else math.ceil(size * len(labels))
        counts = np.bincount(labels, minlength=network.n_clusters)
        if counts.min() >= least or network.n_clusters == 1:
            return labels
        network.keep(torch.from_numpy(np.delete(np.arange(network.n_clusters), counts.argmin())))


def warn_of_empty(occupancy: np.ndarray, what: str) -> None:
    """Warn the caller of ``fit`` where clusters hold nothing; ``what`` they would hold, in the singular."""
    n_empty = int((occupancy == 0).sum())
    if n_empty:
        warnings.warn(
            f"{n_empty} of {len(occupancy)} clusters hold no {what}; lower n_clusters or set min_cluster_size",
            ConvergenceWarning,
            stacklevel=4,
        )
