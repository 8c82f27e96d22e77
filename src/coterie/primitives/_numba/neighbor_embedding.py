"""Memberships of neighbours, and the epochs of a layout, on the CPU.

An epoch reads the positions of the one before and writes each row's new place from the forces on that row alone: no two threads
write the same place, and the random draws are numbered by epoch and link, so that the order of the threads says nothing.
"""

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel, part

__all__ = ["layout", "memberships"]

_ROWS = 1024
_HALVINGS = 64


def memberships(distances, least_share, tolerance):
    """See `coterie.primitives.neighbor_embedding.memberships`."""
    out = np.empty_like(distances)
    blocks = block_count(len(distances), _ROWS)
    mean = float(distances.mean(dtype=np.float64))
    run_blocks(_memberships, blocks, blocks, np.ascontiguousarray(distances), mean, least_share, tolerance, out)
    return out


def layout(graph, phases, start, keys, curve, n_negatives):
    """See `coterie.primitives.neighbor_embedding.layout`."""
    now, then = np.array(start, order="C"), np.empty(start.shape, start.dtype)
    n, n_links = len(start), len(graph.indices)
    blocks = block_count(max(n, n_links // 8), _ROWS)
    # Blocks of as many links each: a hub has as many as a thousand other rows.
    ends = np.searchsorted(graph.indptr, np.linspace(0, n_links, blocks + 1)[1:-1])
    bounds = np.concatenate([[0], ends, [n]]).astype(np.int64)
    kind = start.dtype.type
    for epoch, key in enumerate(keys):
        rate = kind(1.0 - epoch / len(keys))
        run_blocks(
            _epoch, blocks, bounds, graph.indptr, graph.indices, graph.weights, phases, now, epoch, key, rate,
            kind(curve[0]), kind(curve[1]), n_negatives, then,
        )  # fmt: skip
        now, then = then, now
    return now


@kernel
def _memberships(
    block,
    blocks,  # int  in
    distances,  # (n, k)  in: ascending, the row itself first
    mean,  # float  in: of all distances
    least_share,  # float  in: of the mean distance of a row, below which no width falls
    tolerance,  # float  in: of the sum
    out,  # (n, k)  out: the row itself has 0
):
    n, k = distances.shape
    target = np.log2(k)
    for i in range(n * block // blocks, n * (block + 1) // blocks):
        nearest, total = 0.0, 0.0
        for j in range(k):
            total += distances[i, j]
            if nearest == 0.0:
                nearest = np.float64(distances[i, j])
        low, high, width = 0.0, np.inf, 1.0
        for _ in range(_HALVINGS):
            weight = 0.0
            for j in range(1, k):
                beyond = distances[i, j] - nearest
                weight += np.exp(-beyond / width) if beyond > 0.0 else 1.0
            if abs(weight - target) < tolerance:
                break
            if weight > target:
                high = width
                width = (low + high) / 2.0
            else:
                low = width
                width = width * 2.0 if high == np.inf else (low + high) / 2.0
        least = least_share * (total / k if nearest > 0.0 else mean)
        width = max(width, least)
        out[i, 0] = 0.0
        for j in range(1, k):
            beyond = distances[i, j] - nearest
            out[i, j] = np.exp(-beyond / width) if beyond > 0.0 else 1.0


@kernel
def _epoch(
    block,
    bounds,  # (blocks + 1,) int64  in: rows of each block
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int64  in
    shares,  # (m,) float64  in: of the epochs in which a link counts
    phases,  # (m,) float64  in: 0 to 1, the same for both directions of a link
    now,  # (n, q)  in
    epoch,  # int  in
    key,  # uint64  in: of the draws of this epoch
    rate,  # float  in
    a,  # float  in
    b,  # float  in
    n_negatives,  # int  in: draws for each link that counts
    then,  # (n, q)  out
):
    n, q = now.shape
    force = np.empty(q, now.dtype)
    one, least = now.dtype.type(1.0), now.dtype.type(1e-3)
    two, four = now.dtype.type(2.0), now.dtype.type(4.0)
    for i in range(bounds[block], bounds[block + 1]):
        force[:] = 0
        for e in range(indptr[i], indptr[i + 1]):
            if np.floor((epoch + 1) * shares[e] + phases[e]) == np.floor(epoch * shares[e] + phases[e]):
                continue
            j = indices[e]
            gap2 = _gap2(now, i, j)
            if gap2 > 0:
                power = gap2**b
                pull = -two * a * b * power / (gap2 * (one + a * power))
                for c in range(q):
                    force[c] += two * min(max(pull * (now[i, c] - now[j, c]), -four), four)
            for draw in range(n_negatives):
                j = _drawn(key + np.uint64(e * n_negatives + draw), n)
                gap2 = _gap2(now, i, j)
                if gap2 > 0:
                    push = two * b / ((least + gap2) * (one + a * gap2**b))
                    for c in range(q):
                        force[c] += min(max(push * (now[i, c] - now[j, c]), -four), four)
        for c in range(q):
            then[i, c] = now[i, c] + rate * force[c]


@part
def _gap2(X, i, j):
    gap2 = X.dtype.type(0.0)
    for c in range(X.shape[1]):
        gap = X[i, c] - X[j, c]
        gap2 += gap * gap
    return gap2


@part
def _drawn(counter, n):
    """Return a row by a number of its own (SplitMix64)."""
    x = counter * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64(((x >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))
