"""Making graphs smaller for the search of objective_search.py: clusters by local moves, and parts by unions."""

import numpy as np

from .jit import kernel
from .objective_state import bounded_value

__all__ = ["local_clusters", "unite"]


@kernel
def local_clusters(
    indptr,  # (n + 1,) int64  in
    indices,  # (e,) int32  in
    weights,  # (e,)  in
    nodes,  # (n, 3)  in: weight to other nodes, mass, size
    parts,  # (n,) int32  in: a cluster lies in one part
    order,  # (n,) int64  in: in which nodes are looked at
    resolution,  # float  in: weight that a product of masses must outweigh
    most_mass,  # float  in: of a cluster
    most_size,  # float  in: of a cluster
    sweeps,  # int  in
    clusters,  # (n,) int32  out: numbered from 0 by first appearance
):
    """Move each node to the neighbouring cluster of greatest weight less resolution x mass x mass; return how many there are."""
    n = len(order)
    held, links, seen = nodes.copy(), np.zeros(n), np.empty(n, np.int32)
    for v in range(n):
        clusters[v] = v
    for _ in range(sweeps):
        moved = 0
        for i in range(n):
            v = order[i]
            own, n_seen = clusters[v], 0
            for e in range(indptr[v], indptr[v + 1]):
                u = indices[e]
                if parts[u] == parts[v]:
                    c = clusters[u]
                    if links[c] == 0.0:
                        seen[n_seen] = c
                        n_seen += 1
                    links[c] += weights[e]
            mass, size = nodes[v, 1], nodes[v, 2]
            best, goal = links[own] - resolution * mass * (held[own, 1] - mass), own
            for j in range(n_seen):
                c = seen[j]
                gain = links[c] - resolution * mass * held[c, 1]
                links[c] = 0.0
                if c == own or held[c, 1] + mass > most_mass or held[c, 2] + size > most_size:
                    continue
                if gain > best or (gain == best and goal != own and c < goal):
                    best, goal = gain, c
            links[own] = 0.0
            if goal != own:
                held[own, 1] -= mass
                held[own, 2] -= size
                held[goal, 1] += mass
                held[goal, 2] += size
                clusters[v] = goal
                moved += 1
        if moved * 50 < n:
            break
    seen[:] = -1
    count = 0
    for v in range(n):
        c = clusters[v]
        if seen[c] < 0:
            seen[c] = count
            count += 1
        clusters[v] = seen[c]
    return count


@kernel
def unite(
    between,  # (c, c)  in/out: weight from cluster to cluster
    sums,  # (c, 3)  in/out: weight that leaves, mass, size
    n_parts,  # int  in: at least 1
    inner,  # float  in: 1 to divide by the mass without the cut
    most,  # float  in: largest size of a part
    labels,  # (c,) int32  out: numbered from 0 by first appearance
):
    """Unite the two clusters whose union changes the objective most for the better, until there are few enough."""
    c = len(sums)
    values, partner, change = np.empty(c), np.empty(c, np.int64), np.empty(c)
    for a in range(c):
        labels[a] = a
        values[a] = bounded_value(sums[a, 0], sums[a, 1], sums[a, 2], inner, most)
    stale = np.ones(c, np.bool_)
    for _left in range(c, n_parts, -1):
        best, one = np.inf, -1
        for a in range(c):
            if labels[a] != a:
                continue
            if stale[a]:
                change[a], partner[a], stale[a] = np.inf, -1, False
                for b in range(c):
                    if b != a and labels[b] == b:
                        cut = sums[a, 0] + sums[b, 0] - 2.0 * between[a, b]
                        value = bounded_value(cut, sums[a, 1] + sums[b, 1], sums[a, 2] + sums[b, 2], inner, most)
                        if value - values[a] - values[b] < change[a]:
                            change[a], partner[a] = value - values[a] - values[b], b
            if change[a] < best:
                best, one = change[a], a
        other = partner[one]
        one, other = min(one, other), max(one, other)
        sums[one, 0] += sums[other, 0] - 2.0 * between[one, other]
        sums[one, 1] += sums[other, 1]
        sums[one, 2] += sums[other, 2]
        values[one] = bounded_value(sums[one, 0], sums[one, 1], sums[one, 2], inner, most)
        labels[other] = one
        for b in range(c):
            between[one, b] += between[other, b]
            between[b, one] = between[one, b]
        between[one, one] = 0.0
        stale[one] = True
        for a in range(c):
            if labels[a] == a and a != one:
                if partner[a] == one or partner[a] == other:
                    stale[a] = True
                else:
                    cut = sums[a, 0] + sums[one, 0] - 2.0 * between[a, one]
                    value = bounded_value(cut, sums[a, 1] + sums[one, 1], sums[a, 2] + sums[one, 2], inner, most)
                    if value - values[a] - values[one] < change[a]:
                        change[a], partner[a] = value - values[a] - values[one], one
    count = 0
    for a in range(c):
        if labels[a] == a:
            partner[a] = count
            count += 1
    for a in range(c):
        b = a
        while labels[b] != b:
            b = labels[b]
        values[a] = partner[b]
    for a in range(c):
        labels[a] = np.int32(values[a])
