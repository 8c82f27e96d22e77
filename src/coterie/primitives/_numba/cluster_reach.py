"""Diameters, all-points core distances and the trees over them, on the CPU."""

import numpy as np

from .blocks import block_count, run_blocks
from .conditioning import power_of_two
from .distances import pack_rows
from .jit import kernel, part
from .tile import GROUP, squared_distances

__all__ = ["densest_trees", "density_distances", "diameter"]

_STRIP = 512  # rows whose distances are formed together: they stay in the first cache
_PAIRS = 1 << 26  # about that many operations a call


def diameter(X):
    """See `coterie.primitives.cluster_reach.diameter`."""
    if len(X) < 2:
        return 0.0
    rows, scale = _in_range(X)
    reach = np.sqrt(np.square(rows - rows.mean(axis=0)).sum(axis=1))
    order = np.argsort(-reach, kind="stable")
    rows, reach = np.ascontiguousarray(rows[order]), reach[order]
    # The farthest row from the outermost one, and from that one again: seldom far from the diameter.
    best2 = 0.0
    start = rows[0]
    for _ in range(2):
        gaps2 = np.square(rows - start).sum(axis=1)
        best2, start = max(best2, float(gaps2.max())), rows[int(np.argmax(gaps2))]
    n_blocks = block_count(len(X) * len(X), 1 << 22, 1 << 14)
    found = np.full(n_blocks, best2)
    run_blocks(_widest, n_blocks, n_blocks, rows, pack_rows(rows), reach, found)
    return float(np.sqrt(found.max())) * scale


def density_distances(X):
    """See `coterie.primitives.cluster_reach.density_distances`."""
    rows, scale = _in_range(X)
    out = np.empty(len(X))
    n_blocks = block_count(len(X) * len(X), 1 << 22, 1 << 14)
    run_blocks(_reach_all, n_blocks, n_blocks, rows, pack_rows(rows), out)
    return out * scale


def _in_range(X):
    scale = power_of_two(max(float(X.max()), -float(X.min())))
    return np.ascontiguousarray(X / scale), scale


@kernel
def _widest(
    block,
    n_blocks,  # int  in
    rows,  # (n, d)  in: by falling reach
    panels,  # (p, d, GROUP)  in
    reach,  # (n,)  in: distance to the mean
    found,  # (n_blocks,)  in/out: largest squared distance of a row of this block to one before it
):
    n = len(rows)
    line = np.empty(GROUP)
    best2 = found[block]
    # A little more than the best, so that rounding never hides a pair.
    best = np.sqrt(best2) * (1 - 1e-12 * rows.shape[1])
    for i in range(block, n, n_blocks):
        if reach[i] + reach[0] < best:
            break
        for p in range(i // GROUP + 1):
            first = p * GROUP
            if reach[first] + reach[i] < best:
                break
            squared_distances(rows, i, panels, p, line)
            for j in range(min(GROUP, i - first)):
                if line[j] > best2:
                    best2 = line[j]
                    best = np.sqrt(best2) * (1 - 1e-12 * rows.shape[1])
    found[block] = best2


@kernel
def _reach_all(
    block,
    n_blocks,  # int  in
    rows,  # (n, d)  in
    panels,  # (p, d, GROUP)  in
    out,  # (n,)  out
):
    n, d = rows.shape
    line, power, total, least = np.empty(GROUP), np.empty(GROUP), np.empty(GROUP), np.empty(GROUP)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        for j in range(GROUP):
            total[j], least[j] = 0.0, np.inf
        # Twice over the panels: ratios to the nearest distance stay in range, and lane by lane its search is cheap.
        for p in range(len(panels)):
            squared_distances(rows, i, panels, p, line)
            if i // GROUP == p:
                line[i % GROUP] = np.inf
            for j in range(GROUP):
                least[j] = line[j] if line[j] < least[j] else least[j]
        nearest2 = np.inf
        for j in range(GROUP):
            nearest2 = least[j] if least[j] < nearest2 else nearest2
        # A duplicate decides alone: the limit of the formula is 0.
        for p in range(len(panels) if nearest2 > 0 else 0):
            squared_distances(rows, i, panels, p, line)
            if i // GROUP == p:
                line[i % GROUP] = np.inf
            for j in range(GROUP):
                line[j] = nearest2 / line[j]
            if d % 2:
                for j in range(GROUP):
                    power[j] = np.sqrt(line[j])
            else:
                for j in range(GROUP):
                    power[j] = 1.0
            exponent = d // 2
            while exponent > 0:
                if exponent % 2:
                    for j in range(GROUP):
                        power[j] *= line[j]
                exponent //= 2
                if exponent > 0:
                    for j in range(GROUP):
                        line[j] *= line[j]
            for j in range(GROUP):
                total[j] += power[j]
        whole = 0.0
        for j in range(GROUP):
            whole += total[j]
        out[i] = np.sqrt(nearest2) * (whole / (n - 1)) ** (-1.0 / d) if nearest2 > 0 else 0.0


def densest_trees(X, starts, core_distances):
    """See `coterie.primitives.cluster_reach.densest_trees`."""
    n, k = len(X), len(starts) - 1
    rows, scale = _in_range(X)
    columns = np.ascontiguousarray(rows.T)
    core2 = np.square(core_distances / scale)
    # Places are swapped as rows join a tree; what a place holds is in `names`.
    names, state = np.arange(n), np.stack([starts[:-1], np.full(k, -1)], axis=1)
    best, source = np.full((3, n), np.inf), np.zeros(n, np.int64)
    left, right, weight2 = np.empty(n - k, np.int64), np.empty(n - k, np.int64), np.empty(n - k)
    growing = np.arange(k)
    while len(growing):
        run_blocks(
            _grow, len(growing), growing, starts, state, columns, core2, names, best, source, left, right, weight2
        )
        growing = growing[state[growing, 0] < starts[growing + 1]]
    return np.minimum(left, right), np.maximum(left, right), np.sqrt(weight2) * scale


@kernel
def _grow(
    block,
    growing,  # (b,) int64  in: clusters whose tree is not complete
    starts,  # (k + 1,) int64  in
    state,  # (k, 2) int64  in/out: first place outside the tree, row that joined last or -1
    columns,  # (d, n)  in/out: the row at each place
    core2,  # (n,)  in/out: its squared core distance
    names,  # (n,) int64  in/out: its number
    best,  # (3, n)  in/out: its best edge to the tree: squared weight, squared lesser core distance, squared length
    source,  # (n,) int64  in/out: the other end
    left,  # (n - k,) int64  out
    right,  # (n - k,) int64  out
    weight2,  # (n - k,)  out
):
    """Grow one cluster's tree by Prim's rule, for some hundredths of a second."""
    cluster = growing[block]
    first, end = starts[cluster], starts[cluster + 1]
    d = len(columns)
    inside, last = state[cluster, 0], state[cluster, 1]
    line = np.empty(_STRIP)
    allowance = _PAIRS // (d + 4)
    if inside == first:
        chosen = first
        for j in range(first, end):
            if core2[j] < core2[chosen]:
                chosen = j
        _join(first, chosen, columns, core2, names, best, source)
        inside, last = first + 1, names[first]
    while inside < end and allowance > 0:
        allowance -= end - inside
        at, mine = inside - 1, core2[inside - 1]
        chosen = inside
        for begin in range(inside, end, _STRIP):
            stop = min(begin + _STRIP, end)
            width = stop - begin
            for j in range(width):
                gap = columns[0, begin + j] - columns[0, at]
                line[j] = gap * gap
            for f in range(1, d):
                for j in range(width):
                    gap = columns[f, begin + j] - columns[f, at]
                    line[j] += gap * gap
            for j in range(begin, stop):
                d2 = line[j - begin]
                theirs = core2[j]
                lesser, larger = (mine, theirs) if mine < theirs else (theirs, mine)
                reach2 = larger if larger > d2 else d2
                if reach2 < best[0, j] or (
                    reach2 == best[0, j] and (lesser < best[1, j] or (lesser == best[1, j] and d2 < best[2, j]))
                ):
                    best[0, j], best[1, j], best[2, j], source[j] = reach2, lesser, d2, last
                if best[0, j] < best[0, chosen] or (
                    best[0, j] == best[0, chosen]
                    and (
                        best[1, j] < best[1, chosen] or (best[1, j] == best[1, chosen] and best[2, j] < best[2, chosen])
                    )
                ):
                    chosen = j
        edge = inside - cluster - 1
        left[edge], right[edge], weight2[edge] = source[chosen], names[chosen], best[0, chosen]
        _join(inside, chosen, columns, core2, names, best, source)
        last = names[inside]
        inside += 1
    state[cluster, 0], state[cluster, 1] = inside, last


@part
def _join(place, chosen, columns, core2, names, best, source):
    """Swap a chosen row with the one at the first place outside the tree."""
    for f in range(len(columns)):
        columns[f, place], columns[f, chosen] = columns[f, chosen], columns[f, place]
    for i in range(3):
        best[i, place], best[i, chosen] = best[i, chosen], best[i, place]
    core2[place], core2[chosen] = core2[chosen], core2[place]
    names[place], names[chosen] = names[chosen], names[place]
    source[place], source[chosen] = source[chosen], source[place]
