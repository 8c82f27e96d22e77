"""Looking for the classes that describe a graph in the fewest nats: starts, moves until nothing moves, merges.

From a fine partition, classes are merged two by two, those first that cost least, and after every merge nodes move again: this
gives a partition for every number of classes on the way down to one. Partitions by eigenvectors compete with them at each number.
"""

import itertools

import numpy as np
from scipy.special import gammaln

from ..graphs import to_scipy
from ..primitives.block_counts import block_counts
from ..primitives.compiled import run_kernel
from ._block_links import Links
from ._block_moves import merge_costs, move_nodes
from ._block_starts import by_degree, by_vectors, directions, leading_vectors, with_degrees
from ._degree_length import degrees_length, uneven_length
from ._description import counts_length, degree_partition_length, links_length, partition_length

__all__ = ["Classes", "search", "whole_length"]

_SWEEPS = 60
_CALL = 4_000_000  # logarithms of a call, some tenths of a second at most: Ctrl-C is heard
_FEWEST_FINE = 12  # classes to begin with
_FIRST_VECTORS, _MOST_VECTORS = 8, 64
_MOST_DIVIDED, _EXCHANGES, _STEPS_DOWN = 8, 10, 3
_MOST_MERGED = 400  # beyond, the costs of all merges would take longer than all else
_QUICK = 8, 0.01  # sweeps, and the share of nodes that may still want to move, while partitions compete
_FEW = 16  # classes; more are not found from starts by chance
_FINE = 32  # up to so many classes, nodes move after every single merge


class Classes:
    """A partition, with what its links count between its classes."""

    def __init__(self, links: Links, labels: np.ndarray, rng: np.random.Generator) -> None:
        self.links, self.rng = links, rng
        self.labels = np.unique(labels, return_inverse=True)[1].astype(np.int32)
        self._count()

    def _count(self) -> None:
        links, k = self.links, self.k
        self.counts = block_counts(links.graph, self.labels, k)
        e, bins = self.counts.weights, int(links.bins.max(initial=0)) + 1
        self.e = np.stack([e, e.T]) if links.directed else e[None].copy()
        self.logs = gammaln(self.e + 1)
        if not links.directed:
            inside = np.diag(e) / 2
            self.logs[0][np.diag_indices(k)] = gammaln(inside + 1) + inside * np.log(2)
        self.ends = self.e.sum(axis=2)
        self.end_logs = gammaln(self.ends + 1)
        self.sizes = self.counts.sizes.astype(np.float64)
        table = np.bincount(links.bins * k + self.labels, minlength=bins * k)
        self.table = table.reshape(bins, k).astype(np.float64)

    @property
    def k(self) -> int:
        """Return how many classes there are."""
        return int(self.labels.max(initial=0)) + 1

    def length(self) -> float:
        """Return the description length in nats."""
        links = self.links
        plain, by_degree = partition_length(self.sizes), degree_partition_length(self.table)
        how = {"directed": links.directed, "degree_corrected": links.corrected}
        rest = counts_length(self.e[0], **how) + links_length(self.e[0], self.sizes, **how)
        return min(plain, by_degree) + np.log(2) + rest + links.constant

    def copy(self) -> "Classes":
        """Return the same partition, to be changed on its own."""
        return Classes(self.links, self.labels.copy(), self.rng)

    def settle(self, sweeps: int = _SWEEPS, enough: float = 0.001) -> "Classes":
        """Move single nodes until no more than this share of them has a better class."""
        if self.k < 2:
            return self
        links = self.links
        bins, table = links.bins, self.table
        if partition_length(self.sizes) <= degree_partition_length(self.table):
            bins, table = np.zeros_like(links.bins), self.sizes[None].copy()
        n, k = len(self.labels), self.k
        dirty = np.ones(n, bool)
        a_call = max(64, int(_CALL // (k * (1 + min(k, 2 * links.graph.indices.size / n)))))
        full = True
        for _ in range(sweeps):
            order = self.rng.permutation(n).astype(np.int32)
            moved = 0
            for start in range(0, n, a_call):
                moved += run_kernel(
                    move_nodes, order[start : start + a_call], *links.ways, links.loops, bins, links.corrected,
                    self.labels, dirty, self.e, self.logs, self.ends, self.end_logs, self.sizes, table,
                )  # fmt: skip
            if moved <= int(n * enough):
                if full:
                    break
                dirty[:] = full = True  # counts have changed far away too
            else:
                full = False
        self._count()
        return self

    def merge_to(self, k: int) -> "Classes":
        """Merge classes until ``k`` are left; several pairs at once where many are to go."""
        while self.k > k:
            costs = self._merge_costs()
            r, s = np.triu_indices(self.k, 1)
            order = np.argsort(costs[r, s], kind="stable")
            at_once = 1 if self.k <= _FINE else max(1, min(self.k - k, self.k // 8))
            into = np.arange(self.k)
            free = np.ones(self.k, bool)
            for pair in order:
                if at_once == 0:
                    break
                a, b = r[pair], s[pair]
                if free[a] and free[b]:
                    into[b], free[a], free[b] = a, False, False
                    at_once -= 1
            self.labels = np.unique(into[self.labels], return_inverse=True)[1].astype(np.int32)
            self._count()
        return self

    def _merge_costs(self) -> np.ndarray:
        k = self.k
        costs = np.zeros((k, k))
        a_call = max(1, _CALL // (k * k))
        for first in range(0, k, a_call):
            run_kernel(
                merge_costs, first, min(k, first + a_call), self.e, self.logs, self.ends, self.end_logs, self.sizes,
                self.table, self.links.corrected, costs,
            )  # fmt: skip
        return costs


def whole_length(plain: Links, corrected: Links, labels: np.ndarray) -> float:
    """Return the nats of classes with correction of degrees, degrees included: what a length without it compares with.

    The shorter of two ways to say it: the degrees of all nodes, then the classes of nodes of like degrees, then the links; or
    the classes, the links between them, and then how those of each class are shared among its nodes.

    Parameters
    ----------
    plain, corrected : Links
        The same graph, taken without and with correction; the links that chance has put behind others are not counted here.
    labels : (n,) int array
    """
    adjacency, rng = to_scipy(plain.graph), np.random.default_rng(0)
    ends = [adjacency.sum(axis=axis) for axis in ((1, 0) if plain.directed else (1,))]
    classes_first = Classes(plain, labels, rng).length() + sum(uneven_length(degree, labels) for degree in ends)
    known = plain._replace(bins=corrected.bins, corrected=True)
    return min(classes_first, Classes(known, labels, rng).length() + sum(map(degrees_length, ends)))


def search(links: Links, n_clusters: int | None, n_init: int, rng: np.random.Generator) -> dict[int, Classes]:
    """Return the shortest description found for each number of classes that was looked at.

    Parameters
    ----------
    links : Links
        Every node has a link.
    n_clusters : int or None
        How many classes are wanted; None: whatever number makes the description shortest.
    n_init : int
        How many partitions by eigenvectors and by chance are tried for each number of classes.
    rng : Generator
    """
    n = links.graph.n_nodes
    found: dict[int, Classes] = {}
    keep(Classes(links, np.zeros(n, np.int64), rng), found)
    values, coordinates = _informative(links, n_clusters, rng)
    fine = int(min(n, max(_FEWEST_FINE, 2 * len(values), 2 * (n_clusters or 0))))
    if fine > _MOST_MERGED:
        fine = n_clusters or _MOST_MERGED
    for points in (directions(coordinates), with_degrees(links, coordinates)):
        descend(_settled(links, by_vectors(points, fine, rng), rng), found, n_clusters or 1)
    best = n_clusters or _best(found)
    around = 1 if best <= _FEW else 0
    numbers = [n_clusters] if n_clusters else sorted({2, *range(max(2, best - around), best + around + 1)})
    for k in numbers:
        if k <= n:
            for start in _starts(links, values, coordinates, k, n_init, rng):
                keep(_settled(links, start, rng), found)
    if n_clusters and n_clusters not in found:
        keep(Classes(links, rng.permutation(n) % n_clusters, rng), found)
    for guide in itertools.islice(itertools.cycle([directions(coordinates), None]), _EXCHANGES):
        if not _exchange(found, n_clusters, guide) and guide is None:
            break
    for k in [n_clusters] if n_clusters else sorted(found, key=lambda k: found[k].length())[:3]:
        keep(found[k].copy().settle(), found)
    return found


def descend(start: Classes, found: dict[int, Classes], least: int) -> None:
    """Merge from a settled start down to ``least`` classes; keep the shortest description of each number in ``found``."""
    current = start
    while True:
        keep(current, found)
        k = current.k
        if k <= least:
            return
        step = 1 if k <= _FINE else max(1, k // 8)
        current = current.copy().merge_to(max(least, k - step)).settle(*_QUICK)


def keep(classes: Classes, found: dict[int, Classes]) -> None:
    """Remember a partition if it is the shortest of its number of classes so far."""
    known = found.get(classes.k)
    if known is None or classes.length() < known.length() - 1e-6:
        found[classes.k] = classes


def _exchange(found: dict[int, Classes], n_clusters: int | None, points: np.ndarray | None) -> bool:
    """Merge classes of the best partition, and divide one and merge others instead; say whether the description is shorter.

    A class is divided by the coordinates of its nodes (``points``), or by chance.
    """
    best = n_clusters or _best(found)
    if best > _MOST_MERGED:
        return False
    before = found[best].length()
    if n_clusters is None:
        descend(found[best], found, max(1, best - _STEPS_DOWN))
        best = _best(found)
    for c in np.argsort(-found[best].sizes, kind="stable")[:_MOST_DIVIDED]:
        current = found[best].copy()
        members = np.flatnonzero(current.labels == c)
        if len(members) < 2:
            break
        second = (
            current.rng.permutation(len(members)) % 2 if points is None else by_vectors(points[members], 2, current.rng)
        )
        current.labels[members[second == 1]] = current.k
        divided = Classes(current.links, current.labels, current.rng)
        divided.settle(_SWEEPS // 4, _QUICK[1] * len(members) / len(current.labels))
        if n_clusters is None:
            keep(divided, found)
        keep(divided.copy().merge_to(best).settle(*_QUICK), found)
    return found[n_clusters or _best(found)].length() < before - 1e-6


def _best(found: dict[int, Classes]) -> int:
    return min(found, key=lambda k: (found[k].length(), k))


def _settled(links: Links, labels: np.ndarray, rng: np.random.Generator) -> Classes:
    return Classes(links, labels, rng).settle(*_QUICK)


def _informative(links: Links, n_clusters: int | None, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return values and coordinates beyond those that noise has, or as many as there shall be classes."""
    n = links.graph.n_nodes
    asked = min(n, max(_FIRST_VECTORS, n_clusters or 0))
    noise = 2 / np.sqrt(max(1.0, links.graph.weights.sum() / n) * 2)
    while True:
        values, coordinates = leading_vectors(links, asked, rng)
        clear = int((np.abs(values) > noise).sum())
        if n_clusters or clear < len(values) or asked >= min(n, _MOST_VECTORS):
            return values, coordinates
        asked = min(n, 2 * asked)


def _starts(links, values, coordinates, k, n_init, rng):  # type: ignore[no-untyped-def]
    """Yield partitions into k classes: by the first k eigenvectors, by degrees, by both, and by chance."""
    n, m = links.graph.n_nodes, len(values)
    first = np.arange(m) < k
    first = np.concatenate([first, first]) if links.directed else first
    few = k <= _FEW
    for _ in range(n_init if few else 1):
        yield by_vectors(directions(coordinates[:, first]), k, rng)
    yield by_vectors(with_degrees(links, coordinates[:, first]), k, rng)
    yield by_degree(links, k)
    for _ in range(n_init if few else 0):
        yield rng.permutation(n) % k
