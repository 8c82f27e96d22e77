"""Complete, average and weighted linkage on a matrix, by rounds: all clusters that are each other's nearest merge at once.

These linkages are reducible, so the merges of a round do not disturb each other (see `ward`). A round reads the packed matrix
from begin to end twice: for the nearest neighbours, and to write the smaller matrix over it, which is several times as fast as
to pick out rows and columns. When few pairs merge in a round, as in a chain of ever longer gaps, the rest is left to the
nearest-neighbour chain, which does not depend on luck.
"""

import numpy as np

from .blocks import run_blocks, run_kernel
from .jit import kernel, part
from .nearest_chain import chain_merges, united

__all__ = ["matrix_merges"]

_FEW = 0.1  # share of the clusters that must find a partner for another round to pay
_SMALL = 64
_PAIRS_PER_BLOCK = 2_000_000


def matrix_merges(packed: np.ndarray, n: int, how: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the merges as (lower row, higher row, height), in no order.

    Parameters
    ----------
    packed : (n (n - 1) / 2,) float array
        The distance of rows i > j at ``i (i - 1) / 2 + j``; destroyed.
    n : int
        Number of rows.
    how : {COMPLETE, AVERAGE, WEIGHTED}
    """
    name, size, merges = np.arange(n), np.ones(n), []
    while len(name) > _SMALL:
        nearest, distance = _nearest(packed, len(name))
        places = np.arange(len(name))
        keep = places[(nearest > places) & (nearest[nearest] == places)]
        if 2 * len(keep) < _FEW * len(name):
            break
        gone = nearest[keep]
        merges.append((name[keep], name[gone], distance[keep].astype(np.float64)))
        partner = np.full(len(name), -1)
        partner[keep] = gone
        stays = np.ones(len(name), bool)
        stays[gone] = False
        places = places[stays]
        unions, row = np.flatnonzero(partner[places] >= 0), np.empty(len(name))
        step = max(1, _PAIRS_PER_BLOCK // len(places))
        for start in range(0, len(places), step):
            run_kernel(_rewrite, packed, how, start, min(len(places), start + step), places, partner, unions, size, row)
        size[keep] += size[gone]
        name, size = name[stays], size[stays]
    merges.append(chain_merges(packed, name, size, how))
    left, right, height = (np.concatenate(parts) for parts in zip(*merges, strict=True))
    return left, right, height


def _nearest(packed: np.ndarray, live: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest other cluster of each one, the lowest of equally near ones, and its distance."""
    blocks = max(1, live * live // 2 // _PAIRS_PER_BLOCK)
    # Rows up to i have i^2 / 2 pairs: blocks of equal work end at roots.
    ends = np.round(live * np.sqrt(np.arange(blocks + 1) / blocks)).astype(np.int64)
    best, near = np.empty((blocks, live), packed.dtype), np.empty((blocks, live), np.int64)
    run_blocks(_find_nearest, blocks, ends, packed, live, best, near)
    # The rows of a block are all higher than those before: on ties what is there stays.
    for block in range(1, blocks):
        better = best[block] < best[0]
        best[0, better], near[0, better] = best[block, better], near[block, better]
    return near[0], best[0]


@kernel
def _find_nearest(
    block,
    ends,  # (blocks + 1,) int64  in: first row of each block
    packed,  # (>= live (live - 1) / 2,)  in
    live,  # int  in
    best,  # (blocks, live)  out: least distance among the pairs of a block
    near,  # (blocks, live) int64  out
):
    for i in range(live):
        best[block, i], near[block, i] = np.inf, -1
    for i in range(ends[block], ends[block + 1]):
        base = i * (i - 1) // 2
        least, at = best[block, i], -1
        for j in range(i):
            value = packed[base + j]
            if value < least:
                least, at = value, j
            if value < best[block, j]:
                best[block, j], near[block, j] = value, i
        best[block, i], near[block, i] = least, at


@kernel
def _rewrite(
    packed,  # (>= live (live - 1) / 2,)  in/out
    how,  # int  in
    start,  # int  in
    end,  # int  in: clusters that are left to write now, in order
    places,  # (m,) int64  in: where the clusters that are left were
    partner,  # (live,) int64  in: who merges into each, or -1
    unions,  # (u,) int64  in: which of the clusters that are left have a partner, ascending
    size,  # (live,)  in: before the merges
    row,  # (live,)  scratch
):
    """Write the distances of the unions. What is written lies before all that is still to be read."""
    for to in range(start, end):
        a, b = places[to], partner[places[to]]
        target, one, other = to * (to - 1) // 2, a * (a - 1) // 2, b * (b - 1) // 2
        if b >= 0:
            for c in range(a):
                row[c] = united(how, size[a], size[b], np.float64(packed[one + c]), np.float64(packed[other + c]))
        else:
            for c in range(a):
                row[c] = packed[one + c]
        for t in range(to):
            packed[target + t] = row[places[t]]
        for t in unions:
            if t >= to:
                break
            c, d = places[t], partner[places[t]]
            if d < a:
                second = row[d]
            else:
                second = _distance(packed, a, d)
                if b >= 0:
                    second = united(how, size[a], size[b], second, _distance(packed, b, d))
            packed[target + t] = united(how, size[c], size[d], row[c], second)


@part
def _distance(packed, i, j):
    return np.float64(packed[i * (i - 1) // 2 + j] if i > j else packed[j * (j - 1) // 2 + i])
