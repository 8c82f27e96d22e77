"""Merging regions of a picture on the CPU: the pair that differs least, from a heap, again and again.

A cluster is named by its node in the tree, so that an entry of the heap is out of date as soon as one of its clusters is gone. Links
of a cluster hang in a list; where two clusters merge, their lists are hung one behind the other, and links that lead to the same
cluster are put together.
"""

import heapq

import numpy as np

from .jit import kernel, part
from .union_find import find

__all__ = ["compare_pairs", "merge_regions"]

N_BINS = 16  # of the histogram of each band


@kernel
def compare_pairs(
    low,  # (m,) int64  in
    high,  # (m,) int64  in
    length,  # (m,)  in: of the border, in pairs of pixels
    strength,  # (m, s)  in: contrast along the border, added up, at each scale
    area,  # (n,)  in
    colour,  # (n, c)  in: mean
    words,  # (n, 16 c + t)  in: pixels in each bin of each band, and of each texton
    layers,  # (n, d)  in: mean of further features
    weights,  # (5 + s,)  in: of the differences; see `_differs`
    exponent,  # float  in: of the size
    unit,  # float  in: area whose pairs count once
    costs,  # (m,)  out
):
    """Say how much the two regions of each pair differ."""
    for e in range(len(low)):
        costs[e] = _cost(
            low[e], high[e], length[e], strength[e], area, colour, words, layers, weights, exponent, unit
        )  # fmt: skip


@part
def _cost(a, b, length, strength, area, colour, words, layers, weights, exponent, unit):
    together = 2.0 * area[a] * area[b] / (area[a] + area[b])
    difference = _differs(a, b, length, strength, area, colour, words, layers, weights)
    return difference * (together / unit) ** exponent


@part
def _differs(a, b, length, strength, area, colour, words, layers, weights):
    """Weighted sum of the differences: mean colour, spread of colours, their histogram, texture, layers, contrast at each scale."""
    bands = colour.shape[1]
    share = 1.0 / max(3, bands)  # a grey picture counts as one whose two other bands are equal
    square = 0.0
    for f in range(bands):
        square += (colour[a, f] - colour[b, f]) ** 2
    moved, apart = 0.0, 0.0
    for f in range(bands):
        ahead = 0.0
        for i in range(f * N_BINS, (f + 1) * N_BINS):
            p, q = words[a, i] / area[a], words[b, i] / area[b]
            ahead += p - q
            moved += abs(ahead)
            apart += _chi2(p, q)
    texture = 0.0
    for i in range(bands * N_BINS, words.shape[1]):
        texture += _chi2(words[a, i] / area[a], words[b, i] / area[b])
    total = weights[0] * np.sqrt(square) + weights[1] * moved * share * 3.0 / (N_BINS - 1)
    total += weights[2] * apart * share + weights[3] * texture
    if layers.shape[1]:
        square = 0.0
        for f in range(layers.shape[1]):
            square += (layers[a, f] - layers[b, f]) ** 2
        total += weights[4] * np.sqrt(square)
    for s in range(len(strength)):
        total += weights[5 + s] * strength[s] / length
    return total


@part
def _chi2(p, q):
    return 0.5 * (p - q) ** 2 / (p + q) if p + q > 0.0 else 0.0


@part
def _offer(heap, a, b, length, strength, area, colour, words, layers, weights, exponent, unit):
    """Put a pair on the heap."""
    cost = _cost(a, b, length, strength, area, colour, words, layers, weights, exponent, unit)
    heapq.heappush(heap, (cost, a, b))


@kernel
def merge_regions(
    n,  # int  in: number of regions
    indptr,  # (n + 1,) int64  in
    target,  # (m,) int64  in/out: the region at the other end of each link
    length,  # (m,)  in/out: of the border
    strength,  # (m, s)  in/out: contrast along it
    area,  # (2 n - 1,)  in/out: the first n are given
    colour,  # (2 n - 1, c)  in/out
    words,  # (2 n - 1, w)  in/out
    layers,  # (2 n - 1, d)  in/out
    weights,  # (5 + s,)  in
    exponent,  # float  in
    unit,  # float  in
    left,  # (n - 1,) int64  out
    right,  # (n - 1,) int64  out
    height,  # (n - 1,)  out: never falling
):
    """Merge until no two clusters touch; return how many merges that took."""
    head, tail, following = np.full(2 * n - 1, -1), np.full(2 * n - 1, -1), np.full(len(target), -1)
    parent, alive, entry = np.arange(2 * n - 1), np.zeros(2 * n - 1, np.bool_), np.full(2 * n - 1, -1)
    heap = [(0.0, 0, 0)]
    heap.pop()
    for a in range(n):
        alive[a] = True
        if indptr[a] < indptr[a + 1]:
            head[a], tail[a] = indptr[a], indptr[a + 1] - 1
        for e in range(indptr[a], indptr[a + 1]):
            following[e] = e + 1 if e + 1 < indptr[a + 1] else -1
            if target[e] > a:
                _offer(heap, a, target[e], length[e], strength[e], area, colour, words, layers, weights, exponent, unit)
    done = 0
    while len(heap) > 0 and done < n - 1:
        cost, a, b = heapq.heappop(heap)
        if not (alive[a] and alive[b]):
            continue
        new = n + done
        left[done], right[done] = a, b
        height[done] = max(cost, height[done - 1]) if done else cost
        alive[a], alive[b], alive[new] = False, False, True
        _unite(a, b, new, parent, area, colour, words, layers)
        following[tail[a]], head[new], tail[new] = head[b], head[a], tail[b]
        _gather(new, head, tail, following, target, length, strength, parent, entry)
        edge = head[new]
        while edge >= 0:
            other = target[edge]
            entry[other] = -1
            _offer(heap, other, new, length[edge], strength[edge], area, colour, words, layers, weights, exponent, unit)
            edge = following[edge]
        done += 1
    return done


@part
def _unite(a, b, new, parent, area, colour, words, layers):
    parent[a], parent[b] = new, new
    area[new] = area[a] + area[b]
    share = area[b] / area[new]
    for f in range(colour.shape[1]):
        colour[new, f] = colour[a, f] + share * (colour[b, f] - colour[a, f])
    for f in range(layers.shape[1]):
        layers[new, f] = layers[a, f] + share * (layers[b, f] - layers[a, f])
    for f in range(words.shape[1]):
        words[new, f] = words[a, f] + words[b, f]


@part
def _gather(new, head, tail, following, target, length, strength, parent, entry):
    """Put links to the same cluster together, and drop those that lead into the cluster itself."""
    last, edge = -1, head[new]
    while edge >= 0:
        other, after = find(parent, target[edge]), following[edge]
        if other != new and entry[other] < 0:
            entry[other], target[edge], last = edge, other, edge
        else:
            if other != new:
                length[entry[other]] += length[edge]
                for s in range(strength.shape[1]):
                    strength[entry[other], s] += strength[edge, s]
            if last < 0:
                head[new] = after
            else:
                following[last] = after
        edge = after
    tail[new] = last
