"""The likeliest path of every node through the classes, window by window, where a change of class has a price.

A node of class r sends its links to the classes c at the rates p_rc of the window: the block model with degrees of its own for
all nodes (Karrer and Newman 2011), dynamic as in Matias and Miele (2017). Given the classes of the others, the likelihood of
its links in each window is a sum of logarithms, and the best path is found exactly (Viterbi 1967). The price of a change is the
logarithm of how many changes there could be, over the chance of a single false one: so a change is told only where the links of
a node speak for it so clearly that hardly any network without changes would show one. A neighbour counts once a window, however
often the two are linked in it: a conversation of a hundred messages is one piece of evidence.

References: Karrer and Newman (2011), doi:10.1103/PhysRevE.83.016107; Matias and Miele (2017), doi:10.1111/rssb.12200.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, hstack

from ._network_members import class_indicator

__all__ = ["Slice", "dealt", "paths", "price_of", "refined", "slices_of", "together"]

# Links that stand for the rates of all windows in those of one, and for no preference at all.
_POOLED, _FLAT = 20.0, 1.0
# Chance of one false change or more in a network without any.
_FALSE = 0.05
_SWEEPS = 8
_CHEAP = 0.25
_ROOM = 8_000_000
_NEVER = -1e12


class Slice(NamedTuple):
    """The links of one window: each pair once, none from a node to itself."""

    sources: np.ndarray  # (m,) int64
    targets: np.ndarray  # (m,) int64
    weights: np.ndarray  # (m,) float64: sums
    n_links: int  # as listed
    sides: tuple[csr_array, ...]  # (n, n) where pairs are linked; from and to a node, where links have a direction
    seen: np.ndarray  # (n,) bool: nodes with a link in this window


def slices_of(
    sources: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None,
    of: np.ndarray,
    n: int,
    directed: bool,
    n_windows: int,
) -> list[Slice]:
    """Return the links of each window.

    Parameters
    ----------
    sources, targets : (m,) int64 arrays
    weights : (m,) float64 array or None
    of : (m,) int64 array
        Window of each link, -1 for none.
    n : int
        Nodes.
    directed : bool
    n_windows : int

    Returns
    -------
    list of Slice
    """
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.arange(n_windows + 1))
    found = []
    for a, b in itertools.pairwise(bounds):
        part = order[a:b]
        w = np.ones(b - a) if weights is None else weights[part]
        found.append(_slice(sources[part], targets[part], w, b - a, n, directed))
    return found


def _slice(s: np.ndarray, t: np.ndarray, w: np.ndarray, n_links: int, n: int, directed: bool) -> Slice:
    use = (s != t) & (w > 0)
    s, t, w = s[use], t[use], w[use]
    if not directed:
        s, t = np.minimum(s, t), np.maximum(s, t)
    keys, place = np.unique(s * n + t, return_inverse=True)
    return _of_pairs(keys // n, keys % n, np.bincount(place, w, len(keys)), n_links, n, directed)


def _of_pairs(s: np.ndarray, t: np.ndarray, w: np.ndarray, n_links: int, n: int, directed: bool) -> Slice:
    one = csr_array((np.ones(len(s)), (s, t)), shape=(n, n))
    back = csr_array(one.T)
    sides = (one, back) if directed else (csr_array(one + back),)
    seen = np.zeros(n, bool)
    seen[s] = seen[t] = True
    return Slice(s, t, w, int(n_links), sides, seen)


def together(slices: Sequence[Slice]) -> Slice:
    """Return the links of all windows as those of one."""
    s, t, w = (np.concatenate([getattr(one, name) for one in slices]) for name in ("sources", "targets", "weights"))
    return _slice(s, t, w, sum(one.n_links for one in slices), len(slices[0].seen), len(slices[0].sides) == 2)


def dealt(window: Slice, share: float, rng: np.random.Generator) -> tuple[Slice, Slice]:
    """Deal the pairs of a window into two parts at random, the first with this share of them."""
    n, m = len(window.seen), len(window.sources)
    first = np.zeros(m, bool)
    first[rng.permutation(m)[: int(share * m)]] = True
    return tuple(
        _of_pairs(
            window.sources[part], window.targets[part], window.weights[part], int(part.sum()), n, len(window.sides) == 2
        )
        for part in (first, ~first)
    )  # type: ignore[return-value]


def price_of(n_nodes: int, n_windows: int, k: int) -> float:
    """Return what a change of class costs: the logarithm of how many there could be, over the chance of a false one."""
    return float(np.log(max(n_nodes, 1) * max(n_windows - 1, 1) * max(k - 1, 1) / _FALSE))


def paths(
    slices: Sequence[Slice], labels: np.ndarray, alive: np.ndarray, price: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the likeliest path of each node, given those of the others, until none changes.

    Nodes that change together hold each other back while changes are dear: so a second search begins with cheap ones, and the
    better of both counts.

    Parameters
    ----------
    slices : sequence of Slice
    labels : (T, n) int64 array
        Classes to begin with; -1 none.
    alive : (T, k) bool array
        Which classes there are in each window.
    price : float
        Of a change.

    Returns
    -------
    labels : (T, n) int64 array
        -1 for nodes that are never seen.
    evidence : (T, n) float64 array
        Where a node's class is another than in the window before: how much likelier the new one makes its links from there on.
    """
    found = [_settled_paths(slices, labels, alive, price)]
    cheap, *_ = _settled_paths(slices, labels, alive, _CHEAP * price)
    if not np.array_equal(cheap, found[0][0]):
        found.append(_settled_paths(slices, cheap, alive, price))
    return max(found, key=lambda one: one[2])[:2]


def _settled_paths(
    slices: Sequence[Slice], labels: np.ndarray, alive: np.ndarray, price: float
) -> tuple[np.ndarray, np.ndarray, float]:
    evidence, never = np.zeros(labels.shape), ~np.any([one.seen for one in slices], axis=0)
    for _ in range(_SWEEPS):
        counts, rates = _tables(slices, labels, alive.shape[1])
        found = np.empty_like(labels)
        step = max(64, _ROOM // (alive.size + 1))
        for a in range(0, labels.shape[1], step):
            part = slice(a, a + step)
            fit = np.stack([np.asarray(c[part] @ r.T) for c, r in zip(counts, rates, strict=True)])
            for t in np.flatnonzero(~alive.all(axis=1)):
                fit[t][:, ~alive[t]] = _NEVER
            found[:, part], evidence[:, part] = _best_paths(fit, price)
        found[:, never] = -1
        if np.array_equal(found, labels):
            break
        labels = found
    counts, rates = _tables(slices, labels, alive.shape[1])
    value = sum(_fit(c, r, own) for c, r, own in zip(counts, rates, labels, strict=True))
    return labels, evidence, value - price * int((labels[1:] != labels[:-1]).sum())


def refined(
    window: Slice,
    starts: Sequence[np.ndarray],
    carried: np.ndarray,
    alive: np.ndarray,
    price: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Move the nodes of one window to their likeliest classes, from several starts; returns the best labels."""
    order = rng.permutation(len(carried))
    found = [_settled(window, start, carried, alive, price, order) for start in starts]
    cheap, _ = _settled(window, starts[0], carried, alive, _CHEAP * price, order)
    found.append(_settled(window, cheap, carried, alive, price, order))
    return max(found, key=lambda one: one[1])[0]


def _settled(window, start, carried, alive, price, order) -> tuple[np.ndarray, float]:
    labels, k = start.copy(), len(alive)
    for _ in range(_SWEEPS):
        before = labels.copy()
        # In two turns: where all move at once two groups could change places for ever.
        for turn in (order[::2], order[1::2]):
            nodes = turn[window.seen[turn]]
            (counts,), (rates,) = _tables([window], labels[None], k)
            fit = np.asarray(counts[nodes] @ rates.T)
            fit[:, ~alive] = _NEVER
            stays = carried[nodes] >= 0
            fit[stays] -= price
            fit[stays, carried[nodes[stays]]] += price
            labels[nodes] = fit.argmax(axis=1)
        if np.array_equal(before, labels):
            break
    (counts,), (rates,) = _tables([window], labels[None], k)
    moved = int((window.seen & (carried >= 0) & (labels != carried)).sum())
    return labels, _fit(counts, rates, labels) - price * moved


def _fit(counts: csr_array, rates: np.ndarray, labels: np.ndarray) -> float:
    """Return the logarithm of how likely all links are; each is seen from both its ends."""
    rows = np.repeat(np.arange(len(labels)), np.diff(counts.indptr))
    own = labels[rows]
    return float((counts.data * rates[own, counts.indices])[own >= 0].sum()) / 2


def _tables(slices: Sequence[Slice], labels: np.ndarray, k: int) -> tuple[list[csr_array], list[np.ndarray]]:
    """Return for each window how many neighbours of each class each node has, and the logarithms of the rates."""
    counts, tables = [], []
    for window, own in zip(slices, labels, strict=True):
        member = class_indicator(own, k)
        count = csr_array(hstack([side @ member for side in window.sides], format="csr"))
        counts.append(count)
        tables.append(np.asarray((member.T @ count).toarray()))
    pooled = np.sum(tables, axis=0)
    ends = pooled.sum(axis=0) + 1e-9
    pooled = _shares(pooled, ends / ends.sum(), _FLAT)
    return counts, [np.log(_shares(table, pooled, _POOLED)) for table in tables]


def _shares(table: np.ndarray, prior: np.ndarray, weight: float) -> np.ndarray:
    return (table + weight * prior) / (table.sum(axis=1, keepdims=True) + weight)


def _best_paths(fit: np.ndarray, price: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the path of each node with the best sum of ``fit`` (T, n, k), less the price of its changes, and the evidence."""
    T, n, _ = fit.shape
    constant = fit.sum(axis=0).argmax(axis=1)
    path, evidence = np.tile(constant, (T, 1)), np.zeros((T, n))
    # Most nodes can be told at a glance: all that they could win by changes is less than the price of one.
    most = (fit.max(axis=2) - fit[:, np.arange(n), constant]).sum(axis=0)
    open_ = np.flatnonzero(most > price)
    path[:, open_] = _searched(fit[:, open_], price)
    moved = open_[(path[1:, open_] != path[:-1, open_]).any(axis=0)]
    evidence[:, moved] = _evidence(fit[:, moved], path[:, moved])
    return path, evidence


def _searched(fit: np.ndarray, price: float) -> np.ndarray:
    T, n, k = fit.shape
    rows = np.arange(n)
    score = fit[0].copy()
    came = np.empty((T, n, k), np.int32)
    for t in range(1, T):
        best = score.argmax(axis=1)
        jump = score[rows, best][:, None] - price
        came[t] = np.where(score >= jump, np.arange(k), best[:, None])
        score = np.maximum(score, jump) + fit[t]
    path = np.empty((T, n), np.int64)
    path[-1] = score.argmax(axis=1)
    for t in range(T - 1, 0, -1):
        path[t - 1] = came[t, rows, path[t]]
    return path


def _evidence(fit: np.ndarray, path: np.ndarray) -> np.ndarray:
    T, n, _ = fit.shape
    rows = np.arange(n)
    found = np.zeros((T, n))
    for t in range(1, T):
        moved = path[t] != path[t - 1]
        same = moved.copy()
        for u in range(t, T):
            same &= path[u] == path[t]
            found[t, same] += (fit[u, rows, path[t]] - fit[u, rows, path[t - 1]])[same]
    return found
