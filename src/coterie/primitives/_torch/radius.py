"""Radius neighbours on tensors: pairs of leaves whose boxes are near, one tile of distances for each, nothing stored.

Two leaves whose boxes are so close that no two of their rows can be farther apart than the radius are not compared row by
row: every row of one is a neighbour of every row of the other.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from ...errors import InputError
from ._tiles import (
    Leaves,
    add_by_group,
    box_distances2,
    distances2,
    farthest2,
    group_rows,
    near_pairs,
    paired_distances2,
    root,
    tile_bytes,
    within,
)
from .components import follow, number_by_first

__all__ = ["RadiusIndex", "nearest_within", "radius_components", "radius_counts", "radius_edges", "radius_index"]


class RadiusIndex(NamedTuple):
    """Rows made ready for questions about one radius."""

    X: torch.Tensor  # (n, d) rows as given
    radius: float
    scale: float  # a power of two: the leaves hold X / scale
    limit2: float  # squared radius in the scale of the leaves, as rounded in the type of X
    leaves: Leaves


def radius_index(X: torch.Tensor, radius: float) -> RadiusIndex:
    """See `coterie.primitives.radius.radius_index`."""
    scale, most = _scale(X, radius), torch.finfo(X.dtype).max
    limit = torch.tensor(min(radius / scale, most), dtype=X.dtype)
    leaves = group_rows(X if scale == 1.0 else X / scale)
    return RadiusIndex(X, radius, scale, min(float(limit * limit), most), leaves)


def _scale(X: torch.Tensor, radius: float) -> float:
    """Return the power of two that the CPU engine takes: 1 unless the squared radius would overflow or lose digits."""
    info = torch.finfo(X.dtype)
    highest, lowest = math.frexp(info.max)[1], math.frexp(info.tiny)[1] - 1
    exponent, safe = math.frexp(radius)[1], int(0.4 * highest)
    if abs(exponent) <= safe or radius == 0:
        return 1.0
    # A tiny radius is lifted only as far as its square needs, since the rows grow with it.
    scale = 2.0 ** max(lowest, min(highest - 2, exponent if exponent > 0 else exponent + safe))
    largest = float(X.abs().max())
    if largest / info.max >= scale or radius / scale < 0.25 * 2.0**-safe:
        kind = str(X.dtype).removeprefix("torch.")
        raise InputError(
            f"a radius of {radius!r} cannot be told from 0 beside {kind} values of {largest:.3g}; use a larger one"
        )
    return scale


def radius_counts(index: RadiusIndex, *, sample_weight: Any = None, enough: float | None = None) -> torch.Tensor:
    """See `coterie.primitives.radius.radius_counts`; every neighbour is counted, whatever ``enough`` says."""
    leaves, n = index.leaves, len(index.X)
    filled = leaves.filled
    weights = None
    if sample_weight is not None:
        weights = leaves.take(torch.as_tensor(sample_weight, dtype=torch.float64, device=index.X.device), 0.0)
    share = filled.to(torch.int64) if weights is None else weights
    counts = torch.zeros_like(share)
    whole = share.sum(1)

    def choose(part: slice) -> torch.Tensor:
        near, covered = _near_and_covered(index, leaves, part)
        # A sum of products, not a matrix product: those exist for floats only.
        counts[part] += (covered * whole).sum(1, keepdim=True)
        return near & ~covered

    for q, c in near_pairs(leaves, leaves, choose):
        hits = within(leaves.X[q], leaves.X[c], index.limit2)
        add_by_group(counts, q, hits.sum(2) if weights is None else (hits * weights[c][:, None, :]).sum(2))
    return leaves.put(counts, n)


def _near_and_covered(index: RadiusIndex, queries: Leaves, part: slice) -> tuple[torch.Tensor, torch.Tensor]:
    """Say which leaves may hold neighbours of a query leaf's rows, and which hold nothing but neighbours of all of them."""
    box = (queries.low[part], queries.high[part], index.leaves)
    return box_distances2(*box) <= index.limit2, farthest2(*box) <= index.limit2


def radius_components(index: RadiusIndex, mask: Any) -> torch.Tensor:
    """See `coterie.primitives.radius.radius_components`.

    Each row of the mask begins as its own component, named by its number. In each round every component joins the lowest
    one that it touches. Leaves that lie in one component altogether are not compared again.
    """
    leaves, n = index.leaves, len(index.X)
    mask = torch.as_tensor(mask, device=index.X.device)
    label = leaves.take(torch.arange(n, device=index.X.device).masked_fill_(~mask, n), n)
    while True:
        lowest = _lowest_in_reach(index, label, n)
        # A row outside the mask, called n, joins nothing.
        lowest.masked_fill_(label == n, n)
        parent = torch.arange(n + 1, device=label.device)
        parent.scatter_reduce_(0, label.reshape(-1), lowest.reshape(-1), "amin")
        joined = follow(parent)[label]
        if torch.equal(joined, label):
            return number_by_first(leaves.put(label, n), n)
        label = joined


def _lowest_in_reach(index: RadiusIndex, label: torch.Tensor, n: int) -> torch.Tensor:
    """Return for each place the lowest label within the radius, itself included."""
    leaves, lowest = index.leaves, label.clone()
    least, most = label.amin(1), label.masked_fill(label == n, -1).amax(1)

    def choose(part: slice) -> torch.Tensor:
        near, covered = _near_and_covered(index, leaves, part)
        one = (least[part] == most[part])[:, None] & (least == most) & (least[part, None] == least)
        near &= ~one & (least[part, None] < n) & (least < n)
        covered &= near
        reached = torch.where(covered, least, n).amin(1, keepdim=True)
        lowest[part] = torch.minimum(lowest[part], reached)
        reached = torch.where(covered, least[part, None], n).amin(0)[:, None]
        torch.minimum(lowest, reached, out=lowest)
        # Each pair once: its tile answers for both sides.
        return (near & ~covered).triu_(part.start)

    width = label.shape[1]
    for q, c in near_pairs(leaves, leaves, choose):
        hits = within(leaves.X[q], leaves.X[c], index.limit2)
        for here, there, axis in ((q, label[c][:, None, :], 2), (c, label[q][:, :, None], 1)):
            found = torch.where(hits, there, n).amin(axis)
            lowest.scatter_reduce_(0, here[:, None].expand(-1, width), found, "amin")
    return lowest


def nearest_within(index: RadiusIndex, queries: Any, mask: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.radius.nearest_within`."""
    leaves, n = index.leaves, len(index.X)
    queries = torch.as_tensor(queries, dtype=index.X.dtype, device=index.X.device)
    m = len(queries)
    if m == 0:
        return torch.empty(0, dtype=torch.int64, device=queries.device), queries.new_empty(0)
    asked = group_rows(queries if index.scale == 1.0 else queries / index.scale)
    by_place = _lexicographic_order(index.X)
    rank = torch.empty_like(by_place)
    rank[by_place] = torch.arange(n, device=rank.device)
    rank = leaves.take(rank.masked_fill_(~torch.as_tensor(mask, device=rank.device), n), n)
    best2 = asked.X.new_full(asked.rows.shape, torch.inf)
    best_rank = torch.full_like(asked.rows, n)
    some = (rank < n).any(1)

    def choose(part: slice) -> torch.Tensor:
        return (box_distances2(asked.low[part], asked.high[part], leaves) <= index.limit2) & some

    for q, c in near_pairs(asked, leaves, choose):
        tile = distances2(asked.X[q], leaves.X[c])
        tile.masked_fill_(~(tile <= index.limit2) | (rank[c] == n)[:, None, :], torch.inf)
        _keep_nearest(best2, best_rank, q, tile, rank[c], n)
    found = torch.cat([by_place, by_place.new_full((1,), -1)])[best_rank]
    best2 = best2 if index.scale == 1.0 else best2 * index.scale * index.scale
    return asked.put(found, m), asked.put(best2, m)


def _keep_nearest(
    best2: torch.Tensor, best_rank: torch.Tensor, q: torch.Tensor, tile: torch.Tensor, rank: torch.Tensor, n: int
) -> None:
    """Lower ``best2`` to the least distance of each row, and ``best_rank`` to the lowest rank at that distance."""
    places = q[:, None].expand(-1, best2.shape[1])
    before = best2.clone()
    best2.scatter_reduce_(0, places, tile.amin(2), "amin")
    best_rank.masked_fill_(best2 < before, n)
    here = torch.where((tile == best2[q][:, :, None]) & (tile < torch.inf), rank[:, None, :], n).amin(2)
    best_rank.scatter_reduce_(0, places, here, "amin")


def _lexicographic_order(X: torch.Tensor) -> torch.Tensor:
    """Return the rows ordered by their first feature, then the second, and so on, then by number."""
    order = torch.arange(len(X), device=X.device)
    for f in range(X.shape[1] - 1, -1, -1):
        # Adding zero makes one of the two zeros.
        order = order[torch.sort(X[order, f] + 0.0, stable=True).indices]
    return order


def radius_edges(index: RadiusIndex, indptr: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the neighbours of each row, ascending, and their distances, for row starts known from the counts."""
    n_edges = int(indptr[-1])
    keys = torch.empty(n_edges, dtype=torch.int64, device=index.X.device)
    end, n = 0, len(index.X)
    for found in _edge_keys(index):
        keys[end : end + len(found)] = found
        end += len(found)
    keys = torch.sort(keys).values
    left, right = keys // n, keys % n
    X = index.X if index.scale == 1.0 else index.X / index.scale
    weights = X.new_empty(n_edges)
    step = max(1, tile_bytes(X.device) // (8 * X.shape[1]))
    for start in range(0, n_edges, step):
        part = slice(start, start + step)
        weights[part] = root(paired_distances2(X[left[part]], X[right[part]])) * index.scale
    return right, weights


def _edge_keys(index: RadiusIndex) -> Iterator[torch.Tensor]:
    leaves, n = index.leaves, len(index.X)

    def choose(part: slice) -> torch.Tensor:
        return box_distances2(leaves.low[part], leaves.high[part], leaves) <= index.limit2

    for q, c in near_pairs(leaves, leaves, choose):
        pair, i, j = within(leaves.X[q], leaves.X[c], index.limit2).nonzero().T
        yield leaves.rows[q[pair], i] * n + leaves.rows[c[pair], j]
