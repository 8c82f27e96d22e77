"""Pairs of nodes by synchronous rounds of proposals, and the graph of clusters, on tensors.

A node proposes to the free neighbour with the best rating; two that propose to each other are a pair. The rating is the CPU
engine's, and equally good links are ordered by a hash of their ends, the same seen from both: the best of the links around
it always pairs, and a few rounds leave few nodes.
"""

from typing import Any

import torch

from ...arrays import Graph

__all__ = ["contract", "hashed", "size_capped_clusters"]

_ROUNDS = 12
_HASH_BITS = 31


def size_capped_clusters(
    graph: Graph, node_weights: torch.Tensor, cap: int, seed: int, fewest: int, within: Any
) -> tuple[torch.Tensor, int]:
    """See `coterie.primitives.coarsen.size_capped_clusters`; clusters are pairs and single nodes."""
    n = len(node_weights)
    within = torch.zeros_like(node_weights) if within is None else within.long()
    left, right, key = _links(graph, node_weights, within, seed)
    mate, liked = _handshakes(left, right, key, node_weights, cap)
    _pair_by_liked(mate, liked, within, node_weights, cap, hashed(torch.arange(n, device=mate.device), seed))
    return _numbered(mate, max(1, fewest))


def contract(graph: Graph, node_weights: torch.Tensor, clusters: Any, n_clusters: int) -> tuple[Graph, torch.Tensor]:
    """See `coterie.primitives.coarsen.contract`; the columns of a row ascend."""
    clusters = clusters.long()
    left, right = torch.repeat_interleave(clusters, graph.indptr.diff()), clusters[graph.indices.long()]
    other = left != right
    keys, order = torch.sort(left[other] * n_clusters + right[other])
    upto = torch.nn.functional.pad(graph.weights[other][order].cumsum(0), (1, 0))  # whole weights: sums are exact
    keys, counts = torch.unique_consecutive(keys, return_counts=True)
    weights = upto[torch.nn.functional.pad(counts.cumsum(0), (1, 0))].diff()
    indptr = torch.searchsorted(keys, torch.arange(n_clusters + 1, device=keys.device) * n_clusters)
    heavy = node_weights.new_zeros(n_clusters).index_add_(0, clusters, node_weights)
    return Graph(indptr, (keys % n_clusters).to(graph.indices.dtype), weights), heavy


def hashed(values: torch.Tensor, seed: int) -> torch.Tensor:
    """Return numbers of 31 bits that look random, the same for equal values (a multiply and shift, thrice)."""
    mixed = values + (seed * 0x9E3779B9 + 0x7F4A7C15) % 2**62
    for shift, factor in ((33, 0x2545F4914F6CDD1D), (29, 0x369DEA0F31A53F85), (32, 0x1B873593CC9E2D51)):
        mixed = (mixed ^ ((mixed >> shift) & (2 ** (64 - shift) - 1))) * factor
    return (mixed >> _HASH_BITS) & (2**_HASH_BITS - 1)


def _links(graph: Graph, node_weights: torch.Tensor, within: torch.Tensor, seed: int) -> tuple[torch.Tensor, ...]:
    """Return the links that may be taken, and what orders them: the rating, then the hash of both ends."""
    n = len(node_weights)
    right = graph.indices.long()
    left = torch.repeat_interleave(torch.arange(n, device=right.device), graph.indptr.diff())
    allowed = (left != right) & (within[left] == within[right])
    left, right, weights = left[allowed], right[allowed], graph.weights[allowed].double()
    rating = weights * weights / node_weights.clamp(min=1)[left] / node_weights.clamp(min=1)[right]
    rating.clamp_(0.0, 3e38)
    # The bits of floats that aren't negative are in the order of the floats.
    bits = rating.float().view(torch.int32).long()
    edge = torch.minimum(left, right) * n + torch.maximum(left, right)
    return left, right, bits << _HASH_BITS | hashed(edge, seed)


def _handshakes(
    left: torch.Tensor, right: torch.Tensor, key: torch.Tensor, node_weights: torch.Tensor, cap: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mate of each node, itself where it has none, and its best neighbour, n where it has none."""
    n = len(node_weights)
    nodes = torch.arange(n, device=node_weights.device)
    mate, liked = nodes.clone(), _best(left, right, key, n)
    fits = node_weights[left] + node_weights[right] <= cap
    for _ in range(_ROUNDS):
        # Only links between free nodes are kept: each round then works on about half of those before.
        left, right, key = left[fits], right[fits], key[fits]
        if not len(left):
            break
        best = _best(left, right, key, n)
        back = torch.cat([best, best.new_full((1,), n)])[best]
        mate = torch.where((best < n) & (back == nodes), best, mate)
        free = mate == nodes
        fits = free[left] & free[right]
    return mate, liked


def _best(left: torch.Tensor, right: torch.Tensor, key: torch.Tensor, n: int) -> torch.Tensor:
    """Return each node's neighbour with the greatest key, the first of equals; n where it has none."""
    greatest = key.new_full((n,), -1).scatter_reduce_(0, left, key, "amax")
    candidates = torch.where(key == greatest[left], right, n)
    return right.new_full((n,), n).scatter_reduce_(0, left, candidates, "amin")


def _pair_by_liked(
    mate: torch.Tensor, liked: torch.Tensor, within: torch.Tensor, node_weights: torch.Tensor, cap: int, h: torch.Tensor
) -> None:
    """Pair nodes without a mate that like the same node, or have no neighbour; changes ``mate``."""
    free = torch.nonzero(mate == torch.arange(len(mate), device=mate.device))[:, 0]
    for keys in (h, liked, within):  # the last key first, as sorts are stable
        free = free[torch.sort(keys[free], stable=True).indices]
    if len(free) < 2:
        return
    same = (liked[free][1:] == liked[free][:-1]) & (within[free][1:] == within[free][:-1])
    place = torch.arange(len(free), device=free.device)
    first = torch.cat([torch.zeros_like(place[:1]), torch.where(same, 0, place[1:])]).cummax(0).values
    fits = same & ((place - first)[:-1] % 2 == 0) & (node_weights[free][1:] + node_weights[free][:-1] <= cap)
    one, other = free[:-1][fits], free[1:][fits]
    mate[one], mate[other] = other, one


def _numbered(mate: torch.Tensor, fewest: int) -> tuple[torch.Tensor, int]:
    """Return clusters numbered in order of their first node, no fewer than asked for where there are as many nodes."""
    nodes = torch.arange(len(mate), device=mate.device)
    pairs = mate > nodes
    kept = pairs & (pairs.cumsum(0) <= max(0, len(mate) - fewest))
    root = torch.where(kept, nodes, torch.where((mate < nodes) & kept[mate], mate, nodes))
    first = root == nodes
    clusters = (first.cumsum(0) - 1)[root]
    return clusters.to(torch.int32), int(first.sum())
