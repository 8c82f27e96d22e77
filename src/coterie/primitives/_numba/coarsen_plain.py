"""Size-capped clusters without compiled code, the very ones that coarsen.py gives: for the first small graphs of a process."""

import numpy as np

__all__ = ["draw", "shuffle", "size_capped_clusters"]

_WORD = 2**64 - 1


def size_capped_clusters(graph, node_weights, cap, seed, fewest, within, reach):
    """Group nodes; see ``primitives.coarsen.size_capped_clusters``. No node is visited ``reach`` before its place."""
    n, state = len(node_weights), [(2 * seed + 1) * 0x9E3779B97F4A7C15 % 2**64]
    order, starts, indices, weights = list(range(n)), *(part.tolist() for part in graph)
    shuffle(order, reach, state)
    within = [0] * n if within is None else within.tolist()
    heavy, clusters, alone, waiting, left = node_weights.tolist(), list(range(n)), [True] * n, [-1] * (n + 1), n
    for v in order:
        if left <= fewest:
            break
        if clusters[v] != v or not alone[v]:
            continue
        rating: dict[int, int] = {}
        found = []
        for e in range(starts[v], starts[v + 1]):
            u = indices[e]
            if within[u] == within[v] and u != v:
                c = clusters[u]
                if not rating.get(c):  # by links that weigh nothing it may be met again, as there
                    found.append(c)
                rating[c] = rating.get(c, 0) + weights[e]
        best, liked = _best(found, rating, heavy, heavy[v], cap, n, state)
        if best < 0:
            # Two that liked the same cluster, or have no neighbour at all, are united.
            u = waiting[liked]
            if u >= 0 and clusters[u] == u and within[u] == within[v] and heavy[u] + heavy[v] <= cap:
                best = u
            waiting[liked] = v
        if best >= 0 and best != v:
            clusters[v] = best
            heavy[best] += heavy[v]
            alone[best] = False
            left -= 1
    members = np.array(clusters, np.int64)
    first = members == np.arange(n)
    return (np.cumsum(first) - 1)[members].astype(np.int32), int(first.sum())


def _best(found, rating, heavy, weight, cap, n, state):
    """Return the cluster of the highest score that has room, and that of the highest: -1 and n where there is none."""
    best, best_score, liked, liked_score = -1, -1.0, n, -1.0
    for c in found:
        links, rating[c] = float(rating[c]), 0
        score = links * links / max(1.0, float(heavy[c]))
        if score > liked_score:
            liked, liked_score = c, score
        if score >= best_score and heavy[c] + weight <= cap and (score > best_score or draw(state, 2) == 0):
            best, best_score = c, score
    return best, liked


def draw(state, below):
    """Return the number that `coarsen.draw` gives."""
    x = state[0]
    x ^= x >> 12
    x ^= x << 25 & _WORD
    x ^= x >> 27
    state[0] = x
    return (x * 0x2545F4914F6CDD1D & _WORD) // 2**33 % below


def shuffle(values, reach, state):
    """Bring values into the order that `coarsen.shuffle` brings them into."""
    for i in range(1, len(values)):
        j = i - draw(state, min(i, reach) + 1)
        values[i], values[j] = values[j], values[i]
