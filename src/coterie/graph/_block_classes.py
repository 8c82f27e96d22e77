"""A partition of a graph's nodes, what its links count between its classes, and what it takes to say all that.

Nodes go where the description gets shortest (`Classes.settle`), or are drawn into a class as likely as it makes it short
(`Classes.draw`); classes are merged two by two, those first that cost least.
"""

import numpy as np
from scipy.special import gammaln

from ..graphs import to_scipy
from ..primitives.block_counts import block_counts
from ..primitives.compiled import run_kernel
from ._block_links import Links
from ._block_moves import merge_costs, move_nodes
from ._degree_length import degrees_length, uneven_length
from ._description import counts_length, degree_partition_length, links_length, partition_length

__all__ = ["FINE", "Classes", "whole_length"]

_SWEEPS = 60
_CALL = 4_000_000  # logarithms of a call, some tenths of a second at most: Ctrl-C is heard
FINE = 32  # up to so many classes, nodes move after every single merge


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
        n, bins, table = len(self.labels), *self._priced()
        dirty = np.ones(n, bool)
        full = True
        for _ in range(sweeps):
            moved = self._sweep(dirty, bins, table, drawn=False)
            if moved <= int(n * enough):
                if full:
                    break
                dirty[:] = full = True  # counts have changed far away too
            else:
                full = False
        self._count()
        return self

    def draw(self, sweeps: int) -> "Classes":
        """Draw a class for every node in turn, as likely as it makes the description short (Gibbs sampling)."""
        bins, table = self._priced()
        for _ in range(sweeps):
            self._sweep(np.ones(len(self.labels), bool), bins, table, drawn=True)
        self._count()
        return self

    def _priced(self) -> tuple[np.ndarray, np.ndarray]:
        """Return groups of nodes whose labels are priced together, and how many of each class they have."""
        if partition_length(self.sizes) <= degree_partition_length(self.table):
            return np.zeros_like(self.links.bins), self.sizes[None].copy()
        return self.links.bins, self.table

    def _sweep(self, dirty: np.ndarray, bins: np.ndarray, table: np.ndarray, *, drawn: bool) -> int:
        """Look at every node once; return how many have moved."""
        links, n, k = self.links, len(self.labels), self.k
        a_call = max(64, int(_CALL // (k * (1 + min(k, 2 * links.graph.indices.size / n)))))
        order = self.rng.permutation(n).astype(np.int32)
        moved = 0
        for start in range(0, n, a_call):
            some = order[start : start + a_call]
            gains = self.rng.gumbel(size=(len(some), k)) if drawn else np.empty((0, 0))
            moved += run_kernel(
                move_nodes, some, *links.ways, links.loops, bins, links.corrected,
                self.labels, dirty, self.e, self.logs, self.ends, self.end_logs, self.sizes, table, gains,
            )  # fmt: skip
        return moved

    def merge_to(self, k: int) -> "Classes":
        """Merge classes until ``k`` are left; several pairs at once where many are to go."""
        while self.k > k:
            costs = self._merge_costs()
            r, s = np.triu_indices(self.k, 1)
            order = np.argsort(costs[r, s], kind="stable")
            at_once = 1 if self.k <= FINE else max(1, min(self.k - k, self.k // 8))
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
