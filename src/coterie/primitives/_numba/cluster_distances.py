"""Sums of distances to clusters on the CPU: rows sorted by cluster, so that a tile belongs to one pair of clusters."""

import numpy as np

from .blocks import block_count, run_blocks, run_kernel
from .cluster_tile import add_distances
from .conditioning import power_of_two
from .jit import kernel
from .row_vectors import add_gap, distance2
from .tile import ROWS, lanes_of

__all__ = ["cluster_gaps", "cluster_spread", "distance_sums", "mean_distances", "spread_around"]

_RUN = 32  # panels whose distances add up in the rows' own dtype before they go to float64
_SLOT = 1 << 21  # sums that the tiles of one batch may hold, 16 MiB
_TILES = 1 << 14


def mean_distances(X, labels, n_clusters):
    """See `coterie.primitives.cluster_distances.mean_distances`."""
    panels, weight, firsts, places, scale = _pack(X, labels, n_clusters)
    lanes = panels.shape[2]
    sizes = np.bincount(labels, minlength=n_clusters)
    # A strip of panels fits into half of a core's cache with a strip of others.
    strip = np.int64(max(8, min(256, (1 << 16) // (X.shape[1] * lanes))))
    n_places = len(panels) * lanes
    inner, outer, pending = np.zeros(n_places), np.full(n_places, np.inf), np.zeros(n_places)
    tiles, slots = np.empty((_TILES, 7), np.int64), np.empty(_SLOT)
    at = np.zeros(4, np.int64)
    while True:
        count = _plan(at, firsts, strip, np.int64(lanes), np.int64(_SLOT), tiles)
        if count == 0:
            break
        n_blocks = min(count, 256)
        run_blocks(_add_tiles, n_blocks, n_blocks, tiles[:count], panels, weight, slots)
        run_kernel(_merge, tiles[:count], slots, firsts, sizes, np.int64(lanes), inner, outer, pending)
    inner, outer = inner[places] * scale, outer[places] * scale
    return inner / np.maximum(sizes - 1, 1)[labels], outer


def distance_sums(X, labels, n_clusters, queries, scale=None):
    """See `coterie.primitives.cluster_distances.distance_sums`; rows and queries are divided by ``scale``, that of ``X`` by default."""
    panels, weight, firsts, _, scale = _pack(X, labels, n_clusters, scale)
    mine, my_weight, *_ = _pack(queries, np.zeros(len(queries), np.int64), 1, scale)
    lanes = panels.shape[2]
    sums = np.empty((len(mine) * lanes, n_clusters))
    # About 2^32 multiplications a block: some tenth of a second.
    together = max(1, min(16, (1 << 32) // (len(panels) * lanes * lanes * X.shape[1])))
    n_blocks = -(-len(mine) // together)
    run_blocks(_sum_queries, n_blocks, n_blocks, mine, my_weight, panels, weight, firsts, sums)
    return sums[: len(queries)] * scale


def cluster_spread(X, labels, n_clusters):
    """See `coterie.primitives.cluster_distances.cluster_spread`."""
    origin = np.ascontiguousarray(X[:1], np.float64)
    sizes, gaps = cluster_gaps(X, labels, n_clusters, origin)
    centers = gaps / np.maximum(sizes, 1)[:, None] + origin
    return sizes, centers, *spread_around(X, labels, centers)


def cluster_gaps(X, labels, n_clusters, origin):
    """Return how many rows each cluster has, and the sum of their differences from the (1, d) origin."""
    n_blocks = _spread_blocks(X, n_clusters)
    sums, counts = np.empty((n_blocks * n_clusters, X.shape[1])), np.empty((n_blocks, n_clusters), np.int64)
    run_blocks(_sum_clusters, n_blocks, n_blocks, X, np.ascontiguousarray(labels, np.int32), origin, sums, counts)
    return counts.sum(0), sums.reshape(n_blocks, n_clusters, -1).sum(0)


def spread_around(X, labels, centers):
    """Return the sums of distances and of squared distances of each cluster's rows to its center, (2, k)."""
    n_blocks = _spread_blocks(X, len(centers))
    spread = np.empty((n_blocks, 2, len(centers)))
    run_blocks(_sum_spread, n_blocks, n_blocks, X, np.ascontiguousarray(labels, np.int32), centers, spread)
    return spread.sum(0)


def _spread_blocks(X, n_clusters):
    n, d = X.shape
    return block_count(n, 8192, max(1, min(64, (1 << 22) // (n_clusters * (d + 1)))))


def _pack(X, labels, n_clusters, scale=None):
    """Lay rows out cluster by cluster in panels of one vector's width, each cluster from a new panel on.

    Returns
    -------
    panels : (p, d, w) array
    weight : (p, w) array
        1, or 0 for a place without a row.
    firsts : (k + 1,) int64 array
        First panel of each cluster.
    places : (n,) int64 array
        Where each row went, counted through all panels.
    scale : float
        What the rows were divided by, a power of two that keeps squares in range.
    """
    n, d = X.shape
    lanes = lanes_of(X.dtype)
    sizes = np.bincount(labels, minlength=n_clusters)
    n_panels = -(-sizes // lanes)
    firsts = np.concatenate([[0], np.cumsum(n_panels)])
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(sizes)
    shift = firsts[:-1] * lanes - (ends - sizes)
    places = np.empty(n, np.int64)
    places[order] = np.arange(n) + np.repeat(shift, sizes)
    source = np.full(firsts[-1] * lanes, order[0])  # an empty place holds any row: its distances count 0 times
    source[places] = np.arange(n)
    weight = np.zeros(len(source), X.dtype)
    weight[places] = 1
    if scale is None:
        # The reciprocal must be finite in the rows' own dtype, also where all of them are denormal.
        scale = max(power_of_two(max(float(X.max()), -float(X.min()))), 4 * float(np.finfo(X.dtype).tiny))
    rows = X[source] * X.dtype.type(1 / scale)
    panels = np.ascontiguousarray(rows.reshape(-1, lanes, d).transpose(0, 2, 1))
    return panels, weight.reshape(-1, lanes), firsts, places, scale


@kernel
def _plan(
    at,  # (4,) int64  in/out: cluster, other cluster, strip and other strip of the next tile
    firsts,  # (k + 1,) int64  in
    strip,  # int  in: most panels of a tile's side
    lanes,  # int  in
    n_sums,  # int  in: how many sums fit, at least those of one tile
    tiles,  # (t, 7) int64  out: panels p ... and q ..., their clusters, where their sums go
):
    """List the next tiles of all pairs of clusters A <= B; return how many."""
    count, used = 0, 0
    k = len(firsts) - 1
    while at[0] < k:
        p, q = firsts[at[0]] + at[2] * strip, firsts[at[1]] + at[3] * strip
        p_end, q_end = min(p + strip, firsts[at[0] + 1]), min(q + strip, firsts[at[1] + 1])
        n_needed = (p_end - p + q_end - q) * lanes
        if count == len(tiles) or used + n_needed > n_sums:
            break
        tiles[count, 0], tiles[count, 1], tiles[count, 2], tiles[count, 3] = p, p_end, q, q_end
        tiles[count, 4], tiles[count, 5], tiles[count, 6] = at[0], at[1], used
        used += n_needed
        count += 1
        at[3] += 1
        if q_end == firsts[at[1] + 1]:
            at[2] += 1
            at[3] = at[2] if at[0] == at[1] else 0
            if p_end == firsts[at[0] + 1]:
                at[2], at[3] = 0, 0
                at[1] += 1
                if at[1] == k:
                    at[0] += 1
                    at[1] = at[0]
    return count


@kernel
def _add_tiles(
    block,
    n_blocks,  # int  in
    tiles,  # (t, 7) int64  in
    panels,  # (p, d, w)  in
    weight,  # (p, w)  in
    slots,  # (s,) float64  out: for each tile the sums of its rows, then of its columns
):
    lanes = panels.shape[2]
    halves = lanes // ROWS
    rows, nothing = np.empty(ROWS * lanes), np.zeros(lanes)
    for t in range(len(tiles) * block // n_blocks, len(tiles) * (block + 1) // n_blocks):
        p_first, p_end, q_first, q_end, start = tiles[t, 0], tiles[t, 1], tiles[t, 2], tiles[t, 3], tiles[t, 6]
        columns = start + (p_end - p_first) * lanes
        for i in range(columns, columns + (q_end - q_first) * lanes):
            slots[i] = 0.0
        for place in range(p_first * halves, p_end * halves):
            for i in range(len(rows)):
                rows[i] = 0.0
            q = q_first
            if p_first == q_first:
                # Within one strip each pair of panels is met once, and a panel meets itself row by row.
                q = place // halves
                add_distances(panels, weight, place, panels, weight, q, q + 1, rows, nothing, 0)
                q += 1
            while q < q_end:
                last = min(q + _RUN, q_end)
                add_distances(
                    panels, weight, place, panels, weight, q, last, rows, slots, columns + (q - q_first) * lanes
                )
                q = last
            for r in range(ROWS):
                total = 0.0
                for lane in range(lanes):
                    total += rows[r * lanes + lane]
                slots[start + place * ROWS - p_first * lanes + r] = total


@kernel
def _merge(
    tiles,  # (t, 7) int64  in
    slots,  # (s,) float64  in
    firsts,  # (k + 1,) int64  in
    sizes,  # (k,) int64  in
    lanes,  # int  in
    inner,  # (places,) float64  in/out: sums within the clusters
    outer,  # (places,) float64  in/out: least mean distance to another cluster
    pending,  # (places,) float64  in/out: sums of the pair of clusters under way, zero elsewhere
):
    """Add the tiles' sums up in order, and compare a pair of clusters when its last tile has come."""
    for t in range(len(tiles)):
        a, b, start = tiles[t, 4], tiles[t, 5], tiles[t, 6]
        sums = inner if a == b else pending
        for side in range(2):
            p, end = tiles[t, 2 * side] * lanes, tiles[t, 2 * side + 1] * lanes
            for place in range(p, end):
                sums[place] += slots[start + place - p]
            start += end - p
        if a != b and tiles[t, 1] == firsts[a + 1] and tiles[t, 3] == firsts[b + 1]:
            for cluster, other in ((a, b), (b, a)):
                share = 1.0 / sizes[other]
                for place in range(firsts[cluster] * lanes, firsts[cluster + 1] * lanes):
                    outer[place] = min(outer[place], pending[place] * share)
                    pending[place] = 0.0


@kernel
def _sum_queries(
    block,
    n_blocks,  # int  in
    mine,  # (q, d, w)  in
    my_weight,  # (q, w)  in
    panels,  # (p, d, w)  in
    weight,  # (p, w)  in
    firsts,  # (k + 1,) int64  in
    sums,  # (q * w, k) float64  out
):
    lanes = panels.shape[2]
    halves = lanes // ROWS
    begin, end = len(mine) * block // n_blocks * halves, len(mine) * (block + 1) // n_blocks * halves
    width = ROWS * lanes
    rows, nothing = np.empty(width), np.zeros(_RUN * lanes)
    for c in range(len(firsts) - 1):
        for place in range(begin, end):
            for r in range(ROWS):
                sums[place * ROWS + r, c] = 0.0
        for q in range(firsts[c], firsts[c + 1], _RUN):
            last = min(q + _RUN, firsts[c + 1])
            for place in range(begin, end):
                for i in range(width):
                    rows[i] = 0.0
                add_distances(mine, my_weight, place, panels, weight, q, last, rows, nothing, 0)
                for r in range(ROWS):
                    total = 0.0
                    for lane in range(lanes):
                        total += rows[r * lanes + lane]
                    sums[place * ROWS + r, c] += total


@kernel
def _sum_clusters(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    labels,  # (n,) int32  in
    origin,  # (1, d) float64  in: near the rows, so that the sums do not cancel
    sums,  # (n_blocks * k, d)  out
    counts,  # (n_blocks, k) int64  out
):
    # Threads that write to neighbouring blocks would wait for each other's cache lines: numbers go there when they are final.
    n, k = X.shape[0], counts.shape[1]
    mine, my_sums = np.zeros(k, np.int64), np.zeros((k, X.shape[1]))
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        label = labels[i]
        if label >= 0:
            mine[label] += 1
            add_gap(X, i, origin, 0, my_sums, np.int64(label))
    counts[block] = mine
    sums[block * k : (block + 1) * k] = my_sums


@kernel
def _sum_spread(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    labels,  # (n,) int32  in
    centers,  # (k, d) float64  in
    spread,  # (n_blocks, 2, k)  out: distances, squares
):
    n = X.shape[0]
    distances, squares = np.zeros(spread.shape[2]), np.zeros(spread.shape[2])
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        label = labels[i]
        if label >= 0:
            total = distance2(X, i, centers, np.int64(label))
            distances[label] += np.sqrt(total)
            squares[label] += total
    spread[block, 0], spread[block, 1] = distances, squares
