"""How well labels follow the data, without knowing any right answer and in no embedding's own favour.

The score is the modularity of the labels on the graph of nearest neighbours *in the inputs*: how many more rows share a
label with their neighbours than if labels were dealt at random. An embedding that has collapsed has perfect clusters in
itself; here it gains nothing by that.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..arrays import to_numpy
from ..graphs import from_edges
from ..metrics.graph import modularity
from ..primitives.neighbors import k_nearest

__all__ = ["NeighborScore", "evenly_spaced"]

_N_NEIGHBORS = 10
_MOST_ROWS = 10_000


class NeighborScore:
    """The graph of nearest neighbours of the rows, or of evenly spaced ones where there are very many.

    Parameters
    ----------
    rows : (n, ...) tensor
    """

    def __init__(self, rows: Tensor):
        self._picked = evenly_spaced(len(rows))
        some = rows[torch.from_numpy(self._picked).to(rows.device)].flatten(1)
        m = len(some)
        self._graph: Any = None
        if m > 1:
            _, nearest = k_nearest(some if some.is_cuda else some.numpy(), min(_N_NEIGHBORS + 1, m))
            others = to_numpy(nearest)[:, 1:]  # the first is the row itself
            self._graph = from_edges(np.column_stack([np.repeat(np.arange(m), others.shape[1]), others.ravel()]), m)

    def __call__(self, labels: np.ndarray) -> float:
        """Return the modularity of ``labels``, -0.5 to 1; 0 for one cluster."""
        return 0.0 if self._graph is None else float(modularity(self._graph, np.asarray(labels)[self._picked]))


def evenly_spaced(n: int) -> np.ndarray:
    """Return all of n rows, or 10,000 of them where there are more: exact neighbours of all would take too long."""
    return np.unique(np.linspace(0, n - 1, min(n, _MOST_ROWS)).round().astype(np.int64))
