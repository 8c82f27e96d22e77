"""Bottom-up merging on PyTorch: in rounds, all clusters that are each other's nearest at once; see the front.

A round is a search for the nearest other cluster, by those whose nearest one has merged, and a merge of all reciprocal pairs.
Both are whole-array steps. For complete and average linkage as for Ward, no third cluster comes nearer by that (reducibility).
"""

import numpy as np
import torch

from ._tiles import distances2, tile_bytes
from .conditioning import condition
from .distances import pairwise_distances

__all__ = ["center_linkage", "matrix_linkage", "packed_distances"]

_ROOM = 8.0  # rows may lie this many times their spread from zero


def center_linkage(X, linkage, weight):
    """See `coterie.primitives.linkages.center_linkage`; for Ward, the merges in no order."""
    assert linkage == "ward", "what merges one pair after the other is done on the host"
    rows = X.double()
    _, shift, scale = condition(rows, None, None)
    unit = min(_ROOM * scale, 2.0**1022)
    centers = condition(rows, np.trunc(shift / unit) * unit, scale)[0]
    rounds = _Rounds(len(X), X.device)
    weights = torch.as_tensor(weight, dtype=torch.float64, device=X.device)
    todo = rounds.names
    while len(rounds.names) > 1:
        at = torch.searchsorted(rounds.names, todo)
        rounds.take(at, *_nearest_center(centers, weights, at))
        keep, gone, stays = rounds.pairs()
        s, t = weights[keep, None], weights[gone, None]
        one, other = centers[keep], centers[gone]
        # Equal rows keep their place to the last bit, so that they all merge at height 0.
        centers[keep] = torch.where(one == other, one, (s * one + t * other) / (s + t))
        weights[keep] += weights[gone]
        centers, weights = centers[stays], weights[stays]
        todo = rounds.merge(keep, gone, stays)
    left, right, height2 = rounds.merges()
    top = torch.finfo(torch.float64).max / max(scale, 1.0)
    return left, right, (height2.sqrt().clamp(max=top) * scale).cpu().numpy()


def _nearest_center(centers, weights, at):
    """Return the place of the nearest other center, the lowest of equally near ones, and the dissimilarity."""
    m = len(centers)
    places, values = torch.empty_like(at), torch.empty(len(at), dtype=torch.float64, device=at.device)
    step = max(1, tile_bytes(at.device) // (8 * m))
    for start in range(0, len(at), step):
        some = at[start : start + step]
        s, t = weights[some, None], weights[None, :]
        block = distances2(centers[some], centers) * (2.0 * (s * t / (s + t)))
        places[start : start + step], values[start : start + step] = _lowest_other(block, some)
    return places, values


def _lowest_other(block, own):
    """Return place and value of the least entry of each row, its own place left out; ties to the lowest place."""
    block[torch.arange(len(own), device=own.device), own] = torch.inf
    least = block.amin(1)
    order = torch.arange(block.shape[1], device=own.device)
    return torch.where(block == least[:, None], order, block.shape[1]).amin(1), least


def packed_distances(X):
    """See `coterie.primitives.linkages.packed_distances`: here the square matrix."""
    return pairwise_distances(X, X, False)


def matrix_linkage(distances, linkage):
    """See `coterie.primitives.linkages.matrix_linkage`; the merges in no order."""
    n = len(distances)
    D = distances.fill_diagonal_(torch.inf)
    rounds, todo = _Rounds(n, D.device), torch.arange(n, device=D.device)
    sizes = torch.ones(n, dtype=torch.float64, device=D.device)
    while len(rounds.names) > 1:
        at = torch.searchsorted(rounds.names, todo)
        step = max(1, tile_bytes(D.device) // (8 * len(D)))
        for some in at.split(step):
            places, values = _lowest_other(D[some], some)
            rounds.take(some, places, values.double())
        keep, gone, stays = rounds.pairs()
        s, t = sizes[keep], sizes[gone]
        D[keep] = _united(D[keep], D[gone], s[:, None], t[:, None], linkage)
        D[:, keep] = _united(D[:, keep], D[:, gone], s, t, linkage)
        # Between two unions the order of the two updates shows in the last bit: one half is copied to the other.
        both = D[keep[:, None], keep].tril(-1)
        D[keep[:, None], keep] = both + both.T
        sizes[keep] += sizes[gone]
        D, sizes = D[stays][:, stays], sizes[stays]
        D.fill_diagonal_(torch.inf)
        todo = rounds.merge(keep, gone, stays)
    left, right, heights = rounds.merges()
    return left, right, heights.cpu().numpy()


def _united(one, other, s, t, linkage):
    """Return the distances of a union from those of its two parts."""
    if linkage == "complete":
        return torch.maximum(one, other)
    a, b = one.double(), other.double()
    mean = (s * a + t * b) / (s + t) if linkage == "average" else 0.5 * (a + b)
    # To the last bit, so that ties remain ties.
    return torch.where(a == b, a, mean).to(one.dtype)


class _Rounds:
    """The clusters that are left, ascending by name (their lowest row), the nearest other one of each, and the merges so far."""

    def __init__(self, n, device):
        self.names = torch.arange(n, device=device)
        self._nearest = torch.full((n,), -1, device=device)  # places
        self._values = torch.full((n,), torch.inf, dtype=torch.float64, device=device)
        self._done = []

    def take(self, at, places, values):
        """Note what a search has found, also for those that were found, should they be nearer than what they know."""
        self._nearest[at], self._values[at] = places, values
        surprised = values < self._values[places]
        for i in torch.nonzero(surprised)[:, 0].tolist():
            # Only by rounding; rare enough for a loop.
            if values[i] < self._values[places[i]]:
                self._nearest[places[i]], self._values[places[i]] = at[i], values[i]

    def pairs(self):
        """Return the places of the lower and the higher cluster of each pair to merge, and which places stay."""
        places = torch.arange(len(self.names), device=self.names.device)
        keep = places[(self._nearest > places) & (self._nearest[self._nearest] == places)]
        gone = self._nearest[keep]
        stays = torch.ones(len(places), dtype=torch.bool, device=places.device)
        stays[gone] = False
        return keep, gone, stays

    def merge(self, keep, gone, stays):
        """Note the merges; return the names of those that must search again."""
        assert len(keep), "the two nearest clusters are each other's nearest"
        self._done.append((self.names[keep], self.names[gone], self._values[keep]))
        merged = ~stays
        merged[keep] = True
        lost = (merged | merged[self._nearest])[stays]
        moved = torch.cumsum(stays, 0) - 1
        self._nearest = moved[self._nearest[stays]]
        self._values = torch.where(lost, torch.inf, self._values[stays])
        self.names = self.names[stays]
        return self.names[lost]

    def merges(self):
        """Return all merges: left and right on the host, heights on the device."""
        if not self._done:
            empty = torch.empty(0, dtype=torch.int64)
            return empty.numpy(), empty.numpy(), torch.empty(0, dtype=torch.float64)
        left, right, heights = (torch.cat(parts) for parts in zip(*self._done, strict=True))
        return left.cpu().numpy(), right.cpu().numpy(), heights
