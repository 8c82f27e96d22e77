"""Training with clusters: what DEC, IDEC, DCN and DKM have in common.

Before every epoch all rows are embedded and assigned; clusters that are dying are set up anew; and where hardly a row has
changed its cluster since the last epoch, the training ends.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..arrays import to_numpy
from ._clustered import Clustered, kmeans_start, revive
from ._training import Phase, encoded

__all__ = ["Refinement"]


class Refinement(Phase):
    """Training of a network together with its clusters.

    Parameters
    ----------
    model : Clustered
    n : int
        Number of rows.
    epochs : int
    learning_rate : float
    tol : float
        Ends when a smaller share of the rows changed its cluster since the epoch before.
    """

    name = "refine"

    def __init__(self, model: Clustered, n: int, epochs: int, learning_rate: float, tol: float):
        module = nn.Module()
        module.model = model
        module.register_buffer("start", torch.zeros(n, dtype=torch.int64))
        module.register_buffer("labels", torch.zeros(n, dtype=torch.int64))
        super().__init__(module.to(model.centers.device), epochs, learning_rate)
        self.model = model
        self.tol = tol

    @property
    def start_labels(self) -> np.ndarray:
        """Return the labels that the refinement began with."""
        return to_numpy(self.module.get_buffer("start"))

    def begin(self, rows: Tensor) -> None:
        """Cluster the embedding of the encoder as it is."""
        self.model.representation.fit(rows)
        start = kmeans_start(encoded(self.model.represent, rows), self.model.n_clusters, torch.initial_seed())
        self.model.begin_with(start)
        for name in ("start", "labels"):
            self.module.get_buffer(name).copy_(torch.as_tensor(start.labels))

    def before_epoch(self, rows: Tensor, optimizer: torch.optim.Optimizer) -> dict[str, float]:
        """Assign all rows; return the share that changed its cluster, the smallest cluster, and how many were revived."""
        z = encoded(self.model.represent, rows)
        q = encoded(self.model.log_soft, z).exp()
        q, n_revived = revive(self.model, z, q, optimizer, max(1.0, len(rows) / (20 * self.model.n_clusters)))
        labels, before = q.argmax(1), self.module.get_buffer("labels")
        changed = float((labels != before).double().mean())
        before.copy_(labels)
        self.update(rows, z, q)
        smallest = int(torch.bincount(labels, minlength=self.model.n_clusters).min())
        return {"changed": changed, "smallest": smallest, "revived": n_revived}

    def update(self, rows: Tensor, z: Tensor, q: Tensor) -> None:
        """Bring up to date what the loss needs of all rows: their embeddings ``z`` and soft assignment ``q``."""

    def stop(self, record: dict[str, Any]) -> str | None:
        """End when hardly a row changes its cluster; the first epoch compares with the start and says nothing."""
        return "converged" if record["epoch"] > 0 and record["changed"] < self.tol else None
