"""How the classes of a network change: who moved, which classes part, join, come and go, window by window of time."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..graphs.edges import from_links
from ._network_events import Event, Passed, pass_through
from ._network_paths import Slice, paths, price_of, slices_of
from ._network_windows import Windows, cut

__all__ = ["Mover", "OverTime", "Transition", "over_time"]

# A method that finds the number of classes itself may find other ones in a window; the block model, where it is quick enough.
_FINDS = {"leiden", "louvain", "block_model"}
_MOST_BLOCK_LINKS = 30_000
# Changes are dearer where the same links, dealt to the windows at random, would show more than this share of them.
_QUIET, _DEARER = 0.002, (1.0, 1.5, 2.0, 3.0, 5.0)
_FEW = 3
_FAINT = 0.05


class Transition(NamedTuple):
    """From one window to the next: nodes that are seen in both."""

    nodes: np.ndarray  # (k, k) int64: from the class of the row to that of the column
    arrived: np.ndarray  # (k,) int64: seen in the later window only
    left: np.ndarray  # (k,) int64: seen in the earlier window only
    moved: int  # nodes in another class than before, but for classes that parted or joined


class Mover(NamedTuple):
    """A node in another class than when it was last seen."""

    node: int
    window: int
    before: int
    after: int
    neighbours: int
    evidence: float


class OverTime(NamedTuple):
    """Classes window by window.

    Attributes
    ----------
    column : str
        Of the times.
    windows : Windows
    slices : list of Slice
        The links of each window.
    labels : (T, n) int64 array
        Class of each node, 0..k-1; it stays where a node is not seen. -1 none.
    evidence : (T, n) float64 array
        How much likelier a new class makes the links of a node that changed.
    k : int
        Classes over all windows: those of the network, then those that parted from one.
    transitions : list of T - 1 Transition
    events : list of Event
        "split", "merged", "born" and "gone".
    chance : float
        Share of changes where the same links are dealt to the windows at random.
    halves_agree, windows_agree : list of float or None
        How far the classes of two halves of a window agree, and of halves of a window and the one before.
    unplaced : int
        Links without a time.
    """

    column: str
    windows: Windows
    slices: list[Slice]
    labels: np.ndarray
    evidence: np.ndarray
    k: int
    transitions: list[Transition]
    events: list[Event]
    chance: float
    halves_agree: list[float | None]
    windows_agree: list[float | None]
    unplaced: int

    @property
    def seen(self) -> np.ndarray:
        """(T, n) bool: nodes with a link in the window."""
        return np.array([one.seen for one in self.slices])

    def movers(self) -> list[Mover]:
        """Return who moved, window by window, the surest first."""
        seen = self.seen
        last, evidence = np.full(seen.shape[1], -1), np.zeros(seen.shape[1])
        told: list[Mover] = []
        for t, window in enumerate(self.slices):
            # A node may change while nobody sees it: what speaks for that counts where it is seen again.
            evidence = np.where(self.evidence[t] != 0, self.evidence[t], evidence)
            now = self.labels[t]
            nodes = np.flatnonzero(seen[t] & (last >= 0) & (now >= 0) & (now != last))
            count = sum(np.diff(side.indptr) for side in window.sides)
            told += [
                Mover(int(i), t, int(last[i]), int(now[i]), int(count[i]), float(evidence[i]))
                for i in nodes[np.lexsort((nodes, -evidence[nodes]))]
            ]
            last = np.where(seen[t] & (now >= 0), now, last)
        return told

    def migrations(self) -> Iterator[tuple[int, int | None, int | None, int]]:
        """Yield the later window, the class before, the class in it, and how many nodes; None where they are not seen."""
        for t, one in enumerate(self.transitions, 1):
            for a, b in zip(*np.nonzero(one.nodes), strict=True):
                yield t, int(a), int(b), int(one.nodes[a, b])
            for b in np.flatnonzero(one.arrived):
                yield t, None, int(b), int(one.arrived[b])
            for a in np.flatnonzero(one.left):
                yield t, int(a), None, int(one.left[a])


def over_time(network: Any, found: Any, windows: int | str | None, seed: int) -> OverTime | None:
    """Follow the classes of a network through time.

    Parameters
    ----------
    network : Network
    found : Found
        The classes of the whole network.
    windows : int or str, optional
        See `_network_windows.cut`.
    seed : int

    Returns
    -------
    OverTime or None
        None where links have no times, or there are too few of them.

    Raises
    ------
    InputError
        If windows were asked for and cannot be made.
    """
    timed = network.timed
    if timed is None:
        if windows is not None:
            raise InputError("windows need the times of links; name the column that holds them with time (--time)")
        return None
    n = network.n_nodes
    made = cut(timed.times, timed.are_dates, n, windows, timed.column)
    if made is None or found.k == 0:
        return None
    # Directions tell apart only classes that were found by them.
    directed = network.directed and found.method == "block_model"
    rng = np.random.default_rng(seed)
    slices = slices_of(timed.sources, timed.targets, timed.weights, made.of, n, directed, len(made.labels))
    price, chance = _price(timed, made, found, n, directed, rng)
    passed = pass_through(slices, found.labels, found.k, price, _finder(found, slices, n, directed), rng)
    labels, evidence = paths(slices, passed.labels, passed.alive, price)
    events = [*passed.events, *_comings(labels, slices, passed)]
    transitions = [_transition(labels, slices, t, passed.alive.shape[1], passed.events) for t in range(1, len(slices))]
    return OverTime(
        timed.column, made, slices, labels, evidence, passed.alive.shape[1], transitions,
        sorted(events, key=lambda one: (one.window, one.kind, one.group)), chance, passed.halves_agree, passed.windows_agree,
        int((made.of < 0).sum()),
    )  # fmt: skip


def _price(
    timed: Any, made: Windows, found: Any, n: int, directed: bool, rng: np.random.Generator
) -> tuple[float, float]:
    """Return what a change costs, and how many show where links are dealt to the windows at random."""
    T = len(made.labels)
    slices = slices_of(timed.sources, timed.targets, timed.weights, rng.permutation(made.of), n, directed, T)
    price = price_of(n, T, found.k)
    start, alive = np.tile(found.labels, (T, 1)), np.ones((T, found.k), bool)
    share = 0.0
    for times in _DEARER:
        labels, _ = paths(slices, start, alive, times * price)
        share = _changed(labels, slices)
        if share <= _QUIET:
            break
    return times * price, share


def _changed(labels: np.ndarray, slices: list[Slice]) -> float:
    both = [a.seen & b.seen for a, b in itertools.pairwise(slices)]
    moved = sum(int((labels[t] != labels[t + 1])[part].sum()) for t, part in enumerate(both))
    return moved / max(1, sum(int(part.sum()) for part in both))


def _finder(found: Any, slices: list[Slice], n: int, directed: bool) -> Any:
    """Return what finds classes in a window as they were found in the whole network, or None where their number was given."""
    links = sum(len(one.sources) for one in slices)
    slow = found.method == "block_model" and links > _MOST_BLOCK_LINKS
    if found.method not in _FINDS or slow or isinstance(found.params.get("n_clusters"), int):
        return None

    def find(window: Slice) -> np.ndarray:
        from sklearn.base import clone

        graph = from_links(window.sources, window.targets, window.weights, n, directed=directed)
        labels = np.array(clone(found.estimator).fit(graph).labels_, dtype=np.int64)
        labels[~window.seen] = -1
        return labels

    return find


def _transition(labels: np.ndarray, slices: list[Slice], t: int, k: int, events: list[Event]) -> Transition:
    then, now = labels[t - 1], labels[t]
    before, after = slices[t - 1].seen & (then >= 0), slices[t].seen & (now >= 0)
    both = before & after
    nodes = np.bincount(then[both] * k + now[both], minlength=k * k).reshape(k, k)
    moved = int(nodes.sum() - np.trace(nodes))
    for one in events:
        if one.window == t:
            pair = (one.other, one.group) if one.kind == "split" else (one.group, one.other)
            moved -= int(nodes[pair])
    return Transition(
        nodes, np.bincount(now[after & ~before], minlength=k), np.bincount(then[before & ~after], minlength=k), moved
    )


def _comings(labels: np.ndarray, slices: list[Slice], passed: Passed) -> list[Event]:
    """Say which classes come and go: those that have next to no members before or after some window."""
    k, T = passed.alive.shape[1], len(slices)
    sizes = np.array(
        [np.bincount(own[one.seen & (own >= 0)], minlength=k) for own, one in zip(labels, slices, strict=True)]
    )
    told = {(one.kind, one.group) for one in passed.events}
    found = []
    for group in range(k):
        there = np.flatnonzero(sizes[:, group] >= max(_FEW, _FAINT * sizes[:, group].max()))
        if len(there) and there[0] > 0 and ("split", group) not in told:
            found.append(Event(int(there[0]), "born", group, -1, int(sizes[there[0], group])))
        if len(there) and there[-1] < T - 1 and ("merged", group) not in told:
            found.append(Event(int(there[-1]) + 1, "gone", group, -1, int(sizes[there[-1], group])))
    return found
