"""Moving nodes between classes, and merging classes, by the exact change of the description length (compiled; `_numba` does it).

A node is taken out of its class, what it would cost is worked out for every class, and it goes where that is least. With the
counts between classes at hand this takes one logarithm for each class and each class that the node is linked to. Where every
cost is lessened by chance (by Gumbel numbers), the node is drawn into a class as likely as that makes the description short.

Directed links are kept in two ways, out of and into a node; of undirected ones there is one way. Every count between classes
stands in the tables of both ways, in the second one turned round, so that both are worked on alike.
"""

import math

import numpy as np

from ..primitives.compiled import kernel, part

__all__ = ["merge_costs", "move_nodes"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_LOG_2 = math.log(2.0)


@part
def _lg(x):
    """Return ln x! for any x >= 0, to 3e-8."""
    if x <= 0.0:
        return 0.0
    product = 1.0
    if x < 8.0:
        for step in range(8):
            product *= x + (step + 1.0)
        x += 8.0
    value = (x + 0.5) * math.log(x) - x + _HALF_LOG_2PI + 1 / (12 * x) - 1 / (360 * x * x * x)
    return value - math.log(product) if product > 1.0 else value


@part
def _pair(x, halved):
    """Return what a count adds to the likelihood: ln x!, or ln x!! where it counts links from both ends."""
    if halved:
        return _lg(0.5 * x) + 0.5 * x * _LOG_2
    return _lg(x)


@part
def _look(i, indptr, indices, weights, labels, links, seen, touched):
    """Add up the links of a node by class and way; return how many classes there are."""
    n_touched = 0
    for way in range(len(indptr)):
        for link in range(indptr[way, i], indptr[way, i + 1]):
            t = labels[indices[way, link]]
            if not seen[t]:
                seen[t] = True
                touched[n_touched] = t
                n_touched += 1
            links[way, t] += weights[way, link]
    return n_touched


@part
def _shift(c, sign, links, loop, degree, touched, n_touched, e, logs, ends, end_logs, corrected):
    """Put the links of a node into class c, or take them out (sign -1)."""
    ways = len(e)
    for way in range(ways):
        for at in range(n_touched):
            t = touched[at]
            if t != c and links[way, t] > 0.0:
                value = max(e[way, c, t] + sign * links[way, t], 0.0)
                e[way, c, t] = e[ways - 1 - way, t, c] = value
                logs[way, c, t] = logs[ways - 1 - way, t, c] = _lg(value)
        ends[way, c] = max(ends[way, c] + sign * degree[way], 0.0)
        if corrected:
            end_logs[way, c] = _lg(ends[way, c])
    e[0, c, c] = max(e[0, c, c] + sign * (links[0, c] + links[ways - 1, c] + loop), 0.0)
    logs[0, c, c] = _pair(e[0, c, c], ways == 1)


@part
def _cost(s, links, loop, degree, touched, n_touched, e, logs, ends, end_logs, size, corrected):
    """Return what the links of a node would cost in class s."""
    ways = len(e)
    cost = logs[0, s, s] - _pair(e[0, s, s] + links[0, s] + links[ways - 1, s] + loop, ways == 1)
    for way in range(ways):
        for at in range(n_touched):
            t = touched[at]
            if t != s and links[way, t] > 0.0:
                cost += logs[way, s, t] - _lg(e[way, s, t] + links[way, t])
        if corrected:
            cost += _lg(ends[way, s] + degree[way]) - end_logs[way, s]
        else:
            cost += (ends[way, s] + degree[way]) * math.log(size + 1.0) - ends[way, s] * math.log(max(size, 1.0))
    return cost


@kernel
def move_nodes(
    order,  # (b,) int32  in: nodes to look at, in turn
    indptr,  # (ways, n + 1) int64  in: links without loops
    indices,  # (ways, m) int32  in
    weights,  # (ways, m)  in
    loops,  # (n,)  in: weight of the entry on the diagonal
    bins,  # (n,) int32  in: nodes of like degrees
    corrected,  # bool  in
    labels,  # (n,) int32  in/out
    dirty,  # (n,) bool  in/out: nodes with something new around them
    e,  # (ways, k, k)  in/out
    logs,  # (ways, k, k)  in/out: ln e!, of the diagonal ln e!! where undirected
    ends,  # (ways, k)  in/out: links out of and into each class
    end_logs,  # (ways, k)  in/out: ln ends!
    sizes,  # (k,)  in/out
    table,  # (bins, k)  in/out: nodes of each bin and class
    gains,  # (b, k)  in: what chance takes off the cost of each class; (0, 0) for nothing
):
    k = len(sizes)
    links, degree = np.zeros((len(indptr), k)), np.zeros(len(indptr))
    touched, seen = np.empty(k, np.int32), np.zeros(k, np.bool_)
    n_moved = 0
    for at in range(len(order)):
        i = order[at]
        own, b, best = labels[i], bins[i], labels[i]
        if not dirty[i] or sizes[own] <= 1.0:
            continue
        dirty[i] = False
        n_touched = _look(i, indptr, indices, weights, labels, links, seen, touched)
        for way in range(len(indptr)):
            degree[way] = loops[i]
            for t in range(n_touched):
                degree[way] += links[way, touched[t]]
        sign = -1.0
        for _ in range(2):  # out of its class, then into the best
            if sign > 0.0:
                least = np.inf
                for turn in range(-1, k):  # its own class first: ties leave it there
                    s = own if turn < 0 else turn
                    cost = _cost(
                        s, links, loops[i], degree, touched, n_touched, e, logs, ends, end_logs, sizes[s], corrected
                    ) - math.log(table[b, s] + 1.0)
                    if len(gains) > 0:
                        cost -= gains[at, s]
                    if cost < least - 1e-7:
                        best, least = s, cost
            _shift(best, sign, links, loops[i], degree, touched, n_touched, e, logs, ends, end_logs, corrected)
            sizes[best] += sign
            table[b, best] += sign
            sign = 1.0
        for t in range(n_touched):
            links[:, touched[t]] = 0.0
            seen[touched[t]] = False
        if best != own:
            labels[i] = best
            n_moved += 1
            for way in range(len(indptr)):
                for link in range(indptr[way, i], indptr[way, i + 1]):
                    dirty[indices[way, link]] = True
    return n_moved


@kernel
def merge_costs(
    first,  # int  in: classes of these rows
    last,  # int  in
    e,  # (ways, k, k)  in
    logs,  # (ways, k, k)  in
    ends,  # (ways, k)  in
    end_logs,  # (ways, k)  in
    sizes,  # (k,)  in
    table,  # (bins, k)  in
    corrected,  # bool  in
    costs,  # (k, k)  out: above the diagonal, by how much a merge lengthens the description
):
    k, ways = len(sizes), len(e)
    for r in range(first, last):
        for s in range(r + 1, k):
            both = e[0, r, r] + e[0, s, s] + e[0, r, s] + e[0, s, r]
            cost = logs[0, r, r] + logs[0, s, s] + logs[0, r, s] - _pair(both, ways == 1)
            if ways == 2:
                cost += logs[0, s, r]
            for way in range(ways):
                for t in range(k):
                    if t != r and t != s and e[way, r, t] > 0.0 and e[way, s, t] > 0.0:
                        cost += logs[way, r, t] + logs[way, s, t] - _lg(e[way, r, t] + e[way, s, t])
                a, b = ends[way, r], ends[way, s]
                if corrected:
                    cost += _lg(a + b) - end_logs[way, r] - end_logs[way, s]
                else:
                    cost += (a + b) * math.log(sizes[r] + sizes[s]) - a * math.log(sizes[r]) - b * math.log(sizes[s])
            for bin_ in range(len(table)):
                a, b = table[bin_, r], table[bin_, s]
                if a > 0.0 and b > 0.0:
                    cost -= _lg(a + b) - _lg(a) - _lg(b)
            costs[r, s] = cost
