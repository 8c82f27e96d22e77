"""HDBSCAN's hierarchy straight from the paper: sets of rows, one height at a time, exact fractions. Slow, obvious, small data."""

from fractions import Fraction

import numpy as np


def dense_edges(distances, core):
    """All edges (weight, distance, i, j) of the complete graph by mutual reachability."""
    n = len(distances)
    return sorted(
        (max(core[i], core[j], distances[i, j]), distances[i, j], i, j) for i in range(n) for j in range(i + 1, n)
    )


def kruskal(n, edges):
    """The minimum spanning tree under the order of the edges."""
    group, taken = list(range(n)), []
    for weight, _, i, j in edges:
        if group[i] != group[j]:
            old, new = group[j], group[i]
            group = [new if g == old else g for g in group]
            taken.append((weight, i, j))
    return sorted(taken)


def parts_below(rows, edges, height):
    """The groups of rows that edges shorter than the height connect."""
    group = {row: {row} for row in rows}
    for weight, i, j in edges:
        if weight < height and i in group and j in group and group[i] is not group[j]:
            joined = group[i] | group[j]
            for row in joined:
                group[row] = joined
    return list({id(part): part for part in group.values()}.values())


class Cluster:
    def __init__(self, rows, birth, parent):
        self.rows, self.birth, self.parent = set(rows), birth, parent
        self.children, self.leaves = [], {}  # leaves: row -> height at which it leaves this cluster for good
        self.infinite, self.finite = 0, Fraction(0)
        self.deaths = []

    def lose(self, rows, height):
        self.deaths.append(height)
        if height == 0:
            self.infinite += len(rows)
        else:
            birth = Fraction(0) if self.birth is None else 1 / Fraction(float(self.birth))
            self.finite += len(rows) * (1 / Fraction(float(height)) - birth)


def slow_clusters(n, edges, least):
    """All clusters of the condensed tree; the first is the root."""
    root = Cluster(range(n), None, None)
    found, waiting = [root], [root]
    while waiting:
        cluster = waiting.pop()
        rows = set(cluster.rows)
        while True:
            inside = [weight for weight, i, j in edges if i in rows and j in rows]
            if not inside:
                break
            height = max(inside)
            parts = parts_below(rows, edges, height)
            large = [part for part in parts if len(part) >= least]
            for part in parts:
                if len(part) < least:
                    cluster.lose(part, height)
                    cluster.leaves.update(dict.fromkeys(part, height))
            if len(large) != 1:
                for part in large:
                    cluster.lose(part, height)
                    child = Cluster(part, height, cluster)
                    cluster.children.append(child)
                    found.append(child)
                    waiting.append(child)
                break
            rows = large[0]
    return found


def slow_choice(cluster, method="eom", most=None, allow_root=False):
    """The chosen clusters below this one, and their stability (infinite rows, finite sum)."""
    below, total = [], (0, Fraction(0))
    for child in cluster.children:
        chosen, value = slow_choice(child, method, most, allow_root)
        below += chosen
        total = (total[0] + value[0], total[1] + value[1])
    own = (cluster.infinite, cluster.finite)
    allowed = (most is None or len(cluster.rows) <= most) and (cluster.parent is not None or allow_root)
    if allowed and (not cluster.children or (method == "eom" and own >= total)):
        return [cluster], own
    return below, total


def slow_epsilon(chosen, epsilon, allow_root=False):
    """Malzer and Baum: replace what was born below epsilon by its first ancestor that was not."""
    lifted = []
    for cluster in chosen:
        while cluster.parent is not None and cluster.birth < epsilon:
            if cluster.parent.parent is None and not allow_root:
                break
            cluster = cluster.parent
        if cluster not in lifted:
            lifted.append(cluster)
    return lifted


def slow_labels(n, chosen):
    """Labels by first appearance."""
    labels, names = np.full(n, -1), {}
    for row in range(n):
        for cluster in chosen:
            if row in cluster.rows:
                labels[row] = names.setdefault(id(cluster), len(names))
    return labels


def slow_row(clusters, row):
    """The cluster that a row leaves, and the height."""
    return next((cluster, cluster.leaves[row]) for cluster in clusters if row in cluster.leaves)


def slow_outlier_score(clusters, row):
    """GLOSH with the largest finite density at or below the cluster that the row leaves."""
    cluster, height = slow_row(clusters, row)
    waiting, deaths = [cluster], []
    while waiting:
        one = waiting.pop()
        waiting += one.children
        deaths += [death for death in one.deaths if death > 0]
    return 0.0 if height == 0 or not deaths else 1.0 - min(deaths) / height
