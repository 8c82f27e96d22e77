"""Partitions refined on tensors by synchronous rounds, after Jet: all nodes that seem to gain move at once.

Gilbert, Madduri, Boman, Rajamanickam (2024). Jet: Multilevel Graph Partitioning on Graphics Processing Units. SIAM J. Sci.
Comput. 46(5), B700-B724. doi:10.1137/23M1559129. Whole numbers are added throughout, so any device gives the same parts.
"""

from typing import Any, NamedTuple

import numpy as np
import torch

from ...arrays import Graph, to_numpy
from .coarsen import hashed

__all__ = ["grown_halves", "refine_parts"]

_DARING = (0.75, 0.25)  # the paper's on coarse levels and on the finest: what share of its links inside a node may lose
_PATIENCE = 12  # rounds in a row without a better partition
_MOST_ROUNDS = 100
_GAIN = 0.999  # of the best cut: gains smaller than this don't renew the patience
_WEAK = 2  # so many rounds of balancing by links in a row; then one by room
_HEAVIEST = 1.5  # nodes heavier than so many times what a part has too much stay in it
_MARGIN = 0.1  # a part takes no more nodes while balancing where less than this share of its room is left


class _Search(NamedTuple):
    indptr: torch.Tensor  # (n + 1,) int64
    left: torch.Tensor  # (m,) int64
    right: torch.Tensor  # (m,) int64
    weights: torch.Tensor  # (m,) int64
    node_weights: torch.Tensor  # (n,) int64
    limits: torch.Tensor  # (k,) int64
    seed: int


class _Links(NamedTuple):
    """What some nodes are linked to, link by link."""

    row: torch.Tensor  # which of the nodes
    to: torch.Tensor  # the node at the other end
    weight: torch.Tensor


def refine_parts(
    graph: Graph,
    node_weights: torch.Tensor,
    limits: torch.Tensor,
    labels: torch.Tensor,
    seed: int,
    rounds: int,
    patience: int,
) -> int:
    """See `coterie.primitives.kway.refine_parts`."""
    left = torch.repeat_interleave(torch.arange(len(node_weights), device=labels.device), graph.indptr.diff())
    search = _Search(graph.indptr, left, graph.indices.long(), graph.weights, node_weights, limits, seed)
    best = labels.long()
    before = _badness(search, best)[1]
    for daring in _DARING:
        best = _jet(search, best, daring)
    labels.copy_(best)
    return before - _badness(search, best)[1]


def grown_halves(graph, node_weights, limits, target, tries, seed, rounds, patience):  # type: ignore[no-untyped-def]
    """See `coterie.primitives.kway.grown_halves`; computed on the host, as small graphs are."""
    from .._numba.kway import grown_halves as on_host

    host = Graph(*(to_numpy(part) for part in graph))
    halves = on_host(host, to_numpy(node_weights), to_numpy(limits), target, tries, seed, rounds, patience)
    return torch.from_numpy(np.asarray(halves)).to(graph.indices.device)


def _jet(search: _Search, labels: torch.Tensor, daring: float) -> torch.Tensor:
    """Return the best partition on the way: the one least above its limits, and of those the one that cuts least."""
    best, least = labels, _badness(search, labels)
    excess, since, balancing = least[0], 0, 0
    locked = torch.zeros_like(labels, dtype=torch.bool)
    for step in range(_MOST_ROUNDS):
        if excess == 0:
            after = _propagated(search, labels, locked, daring)
            locked, balancing = after != labels, 0
        else:
            after = _balanced(search, labels, balancing >= _WEAK, step)
            balancing = 0 if balancing >= _WEAK else balancing + 1
        labels = after
        found = _badness(search, labels)
        excess, since = found[0], since + 1
        if found < least:
            since = 0 if found[0] < least[0] or found[1] < _GAIN * least[1] else since
            best, least = labels, found
        if since >= _PATIENCE:
            break
    return best


def _badness(search: _Search, labels: torch.Tensor) -> tuple[int, int]:
    """Return by how much parts are too heavy, and the cut."""
    crossing = labels[search.left] != labels[search.right]
    excess = (_loads(search, labels) - search.limits).clamp(min=0).sum()
    cut = torch.where(crossing, search.weights, 0).sum()
    excess_then_cut = torch.stack([excess, cut]).tolist()  # the one wait for the device in a round
    return excess_then_cut[0], excess_then_cut[1] // 2


def _loads(search: _Search, labels: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(search.limits).index_add_(0, labels, search.node_weights)


def _propagated(search: _Search, labels: torch.Tensor, locked: torch.Tensor, daring: float) -> torch.Tensor:
    """Return labels after a round without a bound on sizes: section 4.1.1 of the paper."""
    crossing = labels[search.left] != labels[search.right]
    touched = torch.zeros_like(locked)
    touched[search.left[crossing]] = True
    nodes = torch.nonzero(touched & ~locked)[:, 0]
    inside, outside, to = _strongest(search, labels, nodes, None)
    gain = outside - inside
    willing = (to >= 0) & ((gain >= 0) | (-gain < (daring * inside.double()).floor()))
    nodes, gain, to = nodes[willing], gain[willing], to[willing]
    moving = _afterburner(search, labels, nodes, gain, to)
    after = labels.clone()
    after[nodes[moving]] = to[moving]
    return after


def _afterburner(
    search: _Search, labels: torch.Tensor, nodes: torch.Tensor, gain: torch.Tensor, to: torch.Tensor
) -> torch.Tensor:
    """Say which nodes still don't lose where those with more to gain have moved before them."""
    n = len(labels)
    rank = torch.full_like(labels, n)
    rank[nodes[torch.sort(gain, descending=True, stable=True).indices]] = torch.arange(len(nodes), device=nodes.device)
    goal = labels.clone()
    goal[nodes] = to
    links = _links_of(search, nodes)
    before = rank[links.to] < rank[nodes][links.row]
    there = torch.where(before, goal[links.to], labels[links.to])
    signs = (there == to[links.row]).long() - (there == labels[nodes][links.row]).long()
    return torch.zeros_like(gain).index_add_(0, links.row, signs * links.weight) >= 0


def _links_of(search: _Search, nodes: torch.Tensor) -> _Links:
    starts = search.indptr[nodes]
    sizes = search.indptr[nodes + 1] - starts
    row = torch.repeat_interleave(torch.arange(len(nodes), device=nodes.device), sizes)
    skipped = starts - (sizes.cumsum(0) - sizes)
    at = torch.arange(len(row), device=nodes.device) + skipped[row]
    return _Links(row, search.right[at], search.weights[at])


def _strongest(
    search: _Search, labels: torch.Tensor, nodes: torch.Tensor, allowed: Any
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the weight of each node's links inside its part, of those to the other (allowed) part with most, and that part; or -1."""
    k, links = len(search.limits), _links_of(search, nodes)
    keys, order = torch.sort(links.row * k + labels[links.to])
    keys, counts = torch.unique_consecutive(keys, return_counts=True)
    upto = torch.nn.functional.pad(links.weight[order].cumsum(0), (1, 0))
    sums = upto[torch.nn.functional.pad(counts.cumsum(0), (1, 0))].diff()
    row, part = keys // k, keys % k
    own = part == labels[nodes][row]
    zeros = torch.zeros_like(nodes)
    inside = zeros.index_add(0, row, torch.where(own, sums, 0))
    other = ~own if allowed is None else ~own & allowed[part]
    outside = (zeros - 1).scatter_reduce_(0, row, torch.where(other, sums, -1), "amax")
    best = other & (sums == outside[row])
    to = torch.full_like(nodes, k).scatter_reduce_(0, row, torch.where(best, part, k), "amin")
    return inside, outside.clamp(min=0), torch.where(to == k, -1, to)


def _balanced(search: _Search, labels: torch.Tensor, strong: bool, step: int) -> torch.Tensor:
    """Return labels after nodes with least to lose have left parts that are too heavy: sections 4.1.2 and 4.1.3."""
    loads, k = _loads(search, labels), len(search.limits)
    excess = (loads - search.limits).clamp(min=0)
    mean = -(-int(search.node_weights.sum()) // k)
    margin = (0 if strong else _MARGIN) * (search.limits - mean).clamp(min=0)
    room = search.limits - loads
    allowed = room > margin
    targets = torch.nonzero(allowed)[:, 0]
    most = (_HEAVIEST * (loads - mean).clamp(min=0)).long()
    leaving = (excess > 0)[labels] & (search.node_weights > 0) & (search.node_weights <= most[labels])
    nodes = torch.nonzero(leaving)[:, 0]
    if not len(targets) or not len(nodes):
        return labels
    inside, outside, to = _strongest(search, labels, nodes, allowed)
    to = torch.where(to < 0, targets[hashed(nodes, search.seed + step) % len(targets)], to)
    weights = search.node_weights[nodes]
    # Least loss first within each part, until what it has too much is gone.
    order = _in_order(labels[nodes], inside - outside)
    gone = _upto(labels[nodes][order], weights[order], k)
    chosen = order[gone - weights[order] < excess[labels[nodes][order]]]
    after = labels.clone()
    if strong:
        to[chosen] = _with_room(to[chosen], weights[chosen], (inside - outside)[chosen], room.clamp(min=0))
    after[nodes[chosen]] = to[chosen]
    return after


def _with_room(to: torch.Tensor, weights: torch.Tensor, loss: torch.Tensor, room: torch.Tensor) -> torch.Tensor:
    """Return where nodes go so that parts keep their limits: where they would as long as there is room, or to the next with room."""
    order = _in_order(to, loss)
    fits = torch.empty_like(to, dtype=torch.bool)
    fits[order] = _upto(to[order], weights[order], len(room)) <= room[to[order]]
    room = room - torch.zeros_like(room).index_add_(0, to[fits], weights[fits])
    ends, rest = room.cumsum(0), ~fits
    place = torch.searchsorted(ends, weights[rest].cumsum(0))
    to = to.clone()
    to[rest] = place.clamp(max=len(room) - 1)
    return to


def _in_order(first: torch.Tensor, then: torch.Tensor) -> torch.Tensor:
    order = torch.sort(then, stable=True).indices
    return order[torch.sort(first[order], stable=True).indices]


def _upto(groups: torch.Tensor, weights: torch.Tensor, k: int) -> torch.Tensor:
    """Return sums from the start of each group up to each item; groups are sorted."""
    sums = weights.cumsum(0)
    totals = weights.new_zeros(k).index_add_(0, groups, weights)
    return sums - (totals.cumsum(0) - totals)[groups]
