"""What the primitives promise, written as plainly as possible: NumPy and loops, no speed, no cleverness.

Squared distances are summed feature by feature in the dtype of the rows, which is what makes a comparison with a radius or
between two distances a matter of bits.
"""

import numpy as np


def squared_distances(X, Y):
    total = np.zeros((len(X), len(Y)), X.dtype)
    for f in range(X.shape[1]):
        gap = X[:, f][:, None] - Y[:, f][None, :]
        total += gap * gap
    return total


def center_distances2(X, centers):
    return squared_distances(X.astype(np.float64), centers.astype(np.float64))


def center_sums(X, labels, k, weight):
    sums, weights = np.zeros((k, X.shape[1])), np.zeros(k)
    for row, label, w in zip(X, labels, weight, strict=True):
        if label >= 0:
            sums[label] += w * row.astype(np.float64)
            weights[label] += w
    return sums, weights


def seeding_step(X, candidates, closest, weight):
    closer = np.minimum(squared_distances(X, X[candidates]).astype(np.float64), closest[:, None])
    potentials = (closer * weight[:, None]).sum(axis=0)
    return potentials, closer


def within(X, Y, radius):
    limit = X.dtype.type(radius)
    return squared_distances(X, Y) <= limit * limit


def radius_counts(X, radius, weight):
    return np.array([weight[near].sum() for near in within(X, X, radius)])


def components(joined, mask):
    """Number the components of the rows in ``mask`` by their first row; ``joined`` is a symmetric (n, n) bool matrix."""
    labels, number = np.full(len(joined), -1), 0
    for first in np.flatnonzero(mask):
        if labels[first] >= 0:
            continue
        labels[first], waiting = number, [first]
        while waiting:
            for other in np.flatnonzero(joined[waiting.pop()] & mask & (labels < 0)):
                labels[other] = number
                waiting.append(other)
        number += 1
    return labels


def nearest_within(X, radius, queries, mask):
    distances2, near = squared_distances(queries, X), within(queries, X, radius)
    found, best2 = np.full(len(queries), -1), np.full(len(queries), np.inf, X.dtype)
    for i in range(len(queries)):
        rows = np.flatnonzero(near[i] & mask)
        if len(rows):
            found[i] = min(rows, key=lambda j: (distances2[i, j], *X[j], j))
            best2[i] = distances2[i, found[i]]
    return found, best2


def k_nearest(X, k, queries=None):
    distances2 = squared_distances(X if queries is None else queries, X)
    rows = np.arange(len(X))
    order = []
    for i, line in enumerate(distances2):
        others = rows if queries is None else np.full(len(X), -1)
        order.append(np.lexsort((rows, line, others != i))[:k] if queries is None else np.lexsort((rows, line))[:k])
    order = np.array(order)
    return np.sqrt(np.take_along_axis(distances2, order, axis=1)), order


def core_distances(X, min_samples):
    return k_nearest(X, min_samples)[0][:, -1].astype(np.float64)


def nearest_reachable(X, core, queries, min_samples):
    distances2 = squared_distances(queries, X)
    found, reach = [], []
    for line in distances2:
        same = np.flatnonzero(line == 0)
        own = core[same[0]] if len(same) else np.float64(np.sqrt(np.sort(line)[max(min_samples - 2, 0)]))
        own = own if len(same) or min_samples > 1 else 0.0
        values = np.maximum(np.maximum(np.sqrt(line.astype(np.float64)), core), own)
        best = np.lexsort((np.arange(len(X)), line, values))[0]
        found.append(best)
        reach.append(values[best])
    return np.array(found), np.array(reach)


def spanning_tree(X, core2=None):
    """Kruskal: all edges by (greatest of core distances and distance, distance, lower row, higher row), all squared."""
    n = len(X)
    distances2 = squared_distances(X, X)
    core2 = np.zeros(n, X.dtype) if core2 is None else core2
    left, right = np.triu_indices(n, 1)
    gap2 = distances2[left, right]
    weight2 = np.maximum(np.maximum(core2[left], core2[right]), gap2)
    name, edges = np.arange(n), []
    for e in np.lexsort((right, left, gap2, weight2)):
        a, b = name[left[e]], name[right[e]]
        if a != b:
            name[name == b] = a
            edges.append((np.sqrt(np.float64(weight2[e])), left[e], right[e]))
    edges.sort()
    weights, left, right = zip(*edges, strict=True) if edges else ((), (), ())
    return np.array(left, np.int64), np.array(right, np.int64), np.array(weights, np.float64)


def row_keys(X, weights):
    keys = np.zeros(len(X))
    for f, weight in enumerate(weights):
        keys += weight * X[:, f].astype(np.float64)
    return keys


def cells(X, low, width, n_cells=None):
    """Return the coordinates of each occupied cell, in order, and its rows."""
    places = np.floor((X.astype(np.float64) - low) / width)
    places = places if n_cells is None else np.clip(places, 0, n_cells - 1)
    table = {}
    for row, place in enumerate(places.astype(np.int64).tolist()):
        table.setdefault(tuple(place), []).append(row)
    coords = sorted(table)
    return np.array(coords), [table[place] for place in coords]
