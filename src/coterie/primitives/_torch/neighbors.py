"""The k nearest rows on tensors: each leaf of queries looks into the leaves of rows, nearest first, until none can matter."""

from typing import Any, NamedTuple

import torch

from ._tiles import Leaves, group_rows, lowest, nearest_first, nearest_tile, root
from .conditioning import power_of_two

__all__ = ["Near", "k_nearest", "nearest_in_leaves", "nearest_reachable", "safe_scale"]

_SAFE_EXPONENT = {torch.float64: 400, torch.float32: 40}


class Near(NamedTuple):
    """Neighbours of rows laid out as leaves, ascending by (distance, row)."""

    distances2: torch.Tensor  # (leaves, width, k)
    rows: torch.Tensor  # (leaves, width, k) int64


def safe_scale(X: torch.Tensor) -> float:
    """Return the power of two to divide by so that squares neither overflow nor vanish: 1 for all ordinary data."""
    largest = float(X.abs().max())
    scale = power_of_two(largest)
    limit = 2.0 ** _SAFE_EXPONENT[X.dtype]
    return 1.0 if largest == 0 or 1 / limit < scale < limit else min(scale, 2.0**1022)


def k_nearest(X: torch.Tensor, k: int, queries: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.neighbors.k_nearest`."""
    scale = safe_scale(X)
    leaves = group_rows(_scaled(X, scale))
    asked = leaves if queries is None else group_rows(_scaled_queries(queries, X, scale))
    near = nearest_in_leaves(asked, leaves, k)
    n = len(X) if queries is None else len(queries)
    return asked.put(_lengths(near.distances2, scale), n), asked.put(near.rows, n)


def _scaled(X: torch.Tensor, scale: float) -> torch.Tensor:
    return X if scale == 1.0 else X / scale


def _scaled_queries(queries: Any, X: torch.Tensor, scale: float) -> torch.Tensor:
    return _scaled(torch.as_tensor(queries, dtype=X.dtype, device=X.device), scale)


def _lengths(distances2: torch.Tensor, scale: float) -> torch.Tensor:
    lengths = root(distances2)
    return lengths if scale == 1.0 else lengths.clamp_(max=torch.finfo(lengths.dtype).max / max(scale, 1.0)).mul_(scale)


def nearest_in_leaves(asked: Leaves, leaves: Leaves, k: int) -> Near:
    """Find the k nearest rows of each query; where both are the same leaves, each row is its own first neighbour."""
    n_leaves, width = asked.rows.shape
    d, same = asked.X.shape[2], asked is leaves
    empty = ~asked.filled
    best2 = asked.X.new_full((n_leaves, width, k), torch.inf)
    best = torch.full((n_leaves, width, k), len(leaves.X) * leaves.X.shape[1], device=best2.device)

    def bound2(part: slice) -> torch.Tensor:
        return best2[part].amax(2).masked_fill_(empty[part], -torch.inf).amax(1)

    for q, c in nearest_first(asked, leaves, bound2):
        tile = nearest_tile(asked.X[q], leaves.X[c].reshape(len(q), -1, d), k, best2[q].amax(2))
        rows = leaves.rows[c].reshape(len(q), 1, -1).expand_as(tile)
        if same:
            # Below every distance: a row comes before its duplicates.
            tile.masked_fill_(rows == asked.rows[q][:, :, None], -1.0)
        best2[q], best[q] = lowest(torch.cat([best2[q], tile], 2), torch.cat([best[q], rows], 2), k)
    order = best.argsort(dim=2)
    best2, best = best2.gather(2, order), best.gather(2, order)
    best2, order = best2.sort(dim=2, stable=True)
    return Near(best2.clamp_(min=0.0), best.gather(2, order))


def nearest_reachable(X: torch.Tensor, core_distances: Any, queries: Any, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.neighbors.nearest_reachable`."""
    scale = safe_scale(X)
    leaves, asked = group_rows(_scaled(X, scale)), group_rows(_scaled_queries(queries, X, scale))
    core_of_rows = torch.as_tensor(core_distances, dtype=torch.float64, device=X.device)
    near = nearest_in_leaves(asked, leaves, k)
    # A query that lies on a row of X is that row: it must not be counted twice, and has its core distance.
    own = (
        _lengths(near.distances2[:, :, max(k - 2, 0)], scale).double()
        if k > 1
        else near.distances2[:, :, 0].double() * 0
    )
    first = near.rows[:, :, 0].clamp(max=len(X) - 1)
    own = torch.where(near.distances2[:, :, 0] == 0, core_of_rows[first], own)
    found, reach = _nearest_by_reach(asked, leaves, own, leaves.take(core_of_rows, torch.inf), scale)
    return asked.put(found, len(queries)), asked.put(reach, len(queries))


def _nearest_by_reach(
    asked: Leaves, leaves: Leaves, own: torch.Tensor, core: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the row least by (mutual reachability, distance, row number) for each query, and its reachability."""
    n, d = leaves.X.shape[0] * leaves.X.shape[1], asked.X.shape[2]
    best = torch.full_like(own, torch.inf)
    best2 = asked.X.new_full(own.shape, torch.inf)
    found = torch.full(own.shape, n, device=own.device)
    empty = ~asked.filled

    def bound2(part: slice) -> torch.Tensor:
        reach = best[part].masked_fill(empty[part], -torch.inf).amax(1) / scale
        # One part in 10^6 more than a distance whose root rounds to the bound can have, in float32 too.
        return reach.square().mul_(1 + 1e-6).masked_fill_(reach < 0, -torch.inf)

    for q, c in nearest_first(asked, leaves, bound2):
        limit2 = (best[q] / scale).square().mul_(1 + 1e-6).to(asked.X.dtype)
        others = leaves.X[c].reshape(len(q), -1, d)
        tile2 = nearest_tile(asked.X[q], others, others.shape[1] + 1, limit2)
        reach = torch.maximum(root(tile2.double()) * scale, core[c].reshape(len(q), 1, -1)).clamp_(
            min=own[q][:, :, None]
        )
        rows = leaves.rows[c].reshape(len(q), 1, -1).expand_as(tile2)
        keys = [
            torch.cat([before[q][:, :, None], now], 2) for before, now in ((best, reach), (best2, tile2), (found, rows))
        ]
        best[q], best2[q], found[q] = _lexicographic_minimum(*keys)
    return found, best


def _lexicographic_minimum(
    first: torch.Tensor, second: torch.Tensor, third: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the least triple along the last axis."""
    a = first.amin(-1, keepdim=True)
    b = second.masked_fill(first != a, torch.inf).amin(-1, keepdim=True)
    none = torch.iinfo(third.dtype).max
    c = third.masked_fill((first != a) | (second != b), none).amin(-1)
    return a[..., 0], b[..., 0], c
