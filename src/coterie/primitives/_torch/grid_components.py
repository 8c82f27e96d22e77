"""Components of cells on tensors: neighbours are found by searching the sorted keys, then labels spread along them."""

import numpy as np
import torch

from ...arrays import Graph
from ..grid_components import Offsets
from .components import connected_components

__all__ = ["join_offsets", "join_pairs"]

_PAIRED_ROWS = 256


def join_offsets(coords: torch.Tensor, offsets: Offsets) -> torch.Tensor:
    """Return a number for each cell that the cells of its component share."""
    keys, order, vectors, deltas = (torch.as_tensor(part, device=coords.device) for part in offsets)
    edges = []
    for vector, delta in zip(vectors, deltas, strict=True):
        at = torch.searchsorted(keys, keys + delta).clamp_(max=len(keys) - 1)
        here = (keys[at] == keys + delta).nonzero()[:, 0]
        pairs = torch.stack([order[here], order[at[here]]])
        edges.append(pairs[:, (coords[pairs[1]] - coords[pairs[0]] == vector).all(dim=1)])
    return _components(len(coords), edges, coords)


def join_pairs(coords: torch.Tensor) -> torch.Tensor:
    """Return the same for cells that share corners, by looking at all pairs."""
    edges = []
    for start in range(0, len(coords), _PAIRED_ROWS):
        some = coords[start : start + _PAIRED_ROWS]
        touch = torch.ones((len(some), len(coords)), dtype=torch.bool, device=coords.device)
        for column, mine in zip(coords.T, some.T, strict=True):
            touch &= (column[None, :] - mine[:, None]).abs() <= 1
        pairs = touch.nonzero().T
        edges.append(pairs + pairs.new_tensor([[start], [0]]))
    return _components(len(coords), edges, coords)


def _components(n: int, edges: list[torch.Tensor], like: torch.Tensor) -> torch.Tensor:
    left, right = torch.cat([*edges, torch.empty((2, 0), dtype=torch.int64, device=like.device)], dim=1)
    order = torch.argsort(left)
    indptr = np.concatenate([[0], np.cumsum(torch.bincount(left, minlength=n).cpu().numpy())])
    return connected_components(Graph(torch.as_tensor(indptr, device=like.device), right[order], None))
