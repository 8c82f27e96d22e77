"""Plain greedy merging, the oracle of the agglomerative tests: all pairs are looked at for every merge."""

import itertools

import numpy as np
from scipy.spatial.distance import pdist, squareform

__all__ = ["greedy_linkage", "greedy_linkage_along", "partitions"]


def partitions(tree):
    """Return the set of all clusters of a SciPy hierarchy."""
    n = len(tree) + 1
    sets = [frozenset([i]) for i in range(n)]
    for line in tree:
        sets.append(sets[int(line[0])] | sets[int(line[1])])
    return set(sets[n:])


def greedy_linkage(X, how):
    """Merge the pair of clusters with the least (distance, lowest row of the one, of the other)."""
    tree, _ = _merge(X, how, {frozenset(pair) for pair in itertools.combinations(range(len(X)), 2)}, by_edges=False)
    return tree


def greedy_linkage_along(X, how, graph):
    """The same for pairs that an edge joins; then what is left, by the same linkage or by nearest rows."""
    joined = {frozenset((int(i), int(j))) for i, j in zip(*np.nonzero(graph), strict=True) if i != j}
    return _merge(X, how, joined, by_edges=how in ("single", "complete", "average"))


def _merge(X, how, joined, by_edges):
    n = len(X)
    D = squareform(pdist(X))
    clusters = {i: Cluster(i, X) for i in range(n)}
    lines, nodes = [], {i: i for i in range(n)}
    along, apart, floor = True, 1, 0.0
    while len(clusters) > 1:
        best = None
        for a, b in itertools.combinations(sorted(clusters), 2):
            one, other = clusters[a], clusters[b]
            edges = [(i, j) for i in one.rows for j in other.rows if not along or frozenset((i, j)) in joined]
            if not edges:
                continue
            key = (
                _distance(one, other, edges if by_edges else None, D, how if along or not by_edges else "single"),
                a,
                b,
            )
            # Equal up to rounding is equal: the plain sums round otherwise than those under test.
            if best is None or key[0] < best[0] - 1e-12 * max(1.0, best[0]):
                best = key
        if best is None:
            along, apart = False, len(clusters)
            floor = max([line[2] for line in lines], default=0.0)
            continue
        height, a, b = best
        floor = floor if along else max(floor, height)
        size = len(clusters[a].rows) + len(clusters[b].rows)
        lines.append([*sorted((nodes[a], nodes[b])), height if along else floor, size])
        clusters[a].join(clusters.pop(b), how)
        nodes[a] = n + len(lines) - 1
    return np.array(lines, dtype=float).reshape(-1, 4), apart


class Cluster:
    """Rows, their center, and the two parts that were merged last."""

    def __init__(self, row, X):
        self.rows, self.center, self.parts = [row], X[row], None

    def join(self, other, how):
        mine = Cluster.__new__(Cluster)
        mine.rows, mine.center, mine.parts = self.rows, self.center, self.parts
        s, t = len(self.rows), len(other.rows)
        self.center = (
            (mine.center + other.center) / 2 if how == "median" else (s * mine.center + t * other.center) / (s + t)
        )
        self.rows, self.parts = mine.rows + other.rows, (mine, other)


def _distance(one, other, edges, D, how):
    if how in ("ward", "centroid", "median"):
        s, t = len(one.rows), len(other.rows)
        line = np.sqrt(((one.center - other.center) ** 2).sum())
        return line * np.sqrt(2 * s * t / (s + t)) if how == "ward" else line
    if how == "weighted":
        return _weighted(one, other, D)
    pairs = edges if edges is not None else [(i, j) for i in one.rows for j in other.rows]
    values = [D[pair] for pair in pairs]
    return {"single": min, "complete": max, "average": np.mean}[how](values)


def _weighted(one, other, D):
    if one.parts is not None:
        return (_weighted(one.parts[0], other, D) + _weighted(one.parts[1], other, D)) / 2
    if other.parts is not None:
        return _weighted(other, one, D)
    return D[one.rows[0], other.rows[0]]
