"""Which classes there are in each window: what parted, what became one, judged by links that were not used to find it.

The classes of the window before are carried into the next one, and its nodes moved to where their links point. The method finds
classes in seven tenths of the links of the window, drawn at random, and once more in others; where it sees a part of a carried class apart, that part
becomes a class only if it says clearly more about the other links than the class as a whole does. Two classes become one where
knowing them apart says next to nothing about the other links, while in the window before it said much.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..metrics import adjusted_mutual_info_score
from ..metrics.external import contingency_table
from ..study.matching import matched_groups
from ._network_paths import Slice, dealt, refined, together

__all__ = ["Event", "Passed", "pass_through"]

# Standard errors from which a gain in foretelling links counts, and how little is left of it where two classes became one.
_SURE, _LITTLE = 4.0, 0.25
# Of the links of a window, those that classes are looked for in; the others judge.
_LEARNT = 0.7
_LEAST_NODES, _LEAST_LINKS = 5, 20


class Event(NamedTuple):
    """A class parted from another, or two became one."""

    window: int
    kind: str  # "split" or "merged"
    group: int  # what is new, or is no more
    other: int  # what it parted from, or joined
    nodes: int


_Known = tuple[np.ndarray, Slice, Slice]
"""Classes, and two halves of the links that they were found in."""


class Passed(NamedTuple):
    """What the first pass through the windows found."""

    labels: np.ndarray  # (T, n) int64
    alive: np.ndarray  # (T, k) bool
    events: list[Event]
    halves_agree: list[
        float | None
    ]  # adjusted mutual information of what the method finds in two halves of each window
    windows_agree: list[float | None]  # of halves of each window and the one before


def pass_through(
    slices: list[Slice],
    overall: np.ndarray,
    k: int,
    price: float,
    find: Callable[[Slice], np.ndarray] | None,
    rng: np.random.Generator,
) -> Passed:
    """Carry the classes through the windows.

    Parameters
    ----------
    slices : list of Slice
    overall : (n,) int64 array
        Classes of the whole network, 0..k-1, -1 none.
    k : int
    price : float
        Of a change of class.
    find : callable or None
        Finds classes in the links of a window: the network's own method. None where the number of classes was given: then no class
        parts or joins another.
    rng : Generator

    Returns
    -------
    Passed
    """
    state = _State(overall, k, price, rng)
    carried, before = overall, (overall, *dealt(together(slices), _LEARNT, rng))
    for t, window in enumerate(slices):
        state.t = t
        starts = [carried]
        if find is not None:
            a, b = dealt(window, _LEARNT, rng)
            found = find(a)
            starts.append(_matched(found, carried, a))
        labels = refined(window, starts, carried, state.alive, price, rng)
        if find is not None:
            labels = state.parted(labels, found, a, b)
            again = dealt(window, _LEARNT, rng)
            labels = state.parted(labels, find(again[0]), *again)
            labels = state.joined(labels, found, (a, b), before)
            labels = refined(window, [labels], labels, state.alive, price, rng)
            state.agreements(*((half, find(half)) for half in dealt(window, 0.5, rng)))
            before = (labels, a, b)
        carried = np.where(window.seen, labels, carried)
        state.labels.append(carried)
    return state.passed()


class _State:
    """The classes so far, and what happened to them."""

    def __init__(self, overall: np.ndarray, k: int, price: float, rng: np.random.Generator):
        self.overall, self.k, self.price, self.rng = overall, k, price, rng
        self.t = 0
        self.alive = np.ones(k, bool)
        self.dead: list[tuple[int, int]] = []  # class, and the window from which it is no more
        self.born: dict[int, list[int]] = {}  # class, and the windows in which it came
        self.labels: list[np.ndarray] = []
        self.events: list[Event] = []
        self.agree: list[tuple[float | None, float | None]] = []
        self._half: tuple[Slice, np.ndarray] | None = None

    def parted(self, labels: np.ndarray, found: np.ndarray, a: Slice, b: Slice) -> np.ndarray:
        """Give parts of classes, as the method finds them in one half, numbers of their own where the other half bears them out."""
        inside = a.seen & (labels >= 0) & (found >= 0)
        if not inside.any():
            return labels
        table, groups, parts = contingency_table(labels[inside], found[inside])
        parent = table.argmax(axis=0)
        for i, group in enumerate(groups):
            children = sorted(np.flatnonzero(parent == i), key=lambda j: -table[i, j])[1:]
            for j in children:
                if table[i, j] < _LEAST_NODES:
                    continue
                nodes = inside & (labels == group) & (found == parts[j])
                number = self._number_for(nodes)
                tried = np.where(nodes, number, labels)
                mean, error, n = _gain(tried, labels, a, b, max(self.k, number + 1))
                if n >= _LEAST_LINKS and mean > _SURE * error:
                    labels = tried
                    self._begin(number)
                    self.events.append(Event(self.t, "split", int(number), int(group), int(nodes.sum())))
        return labels

    def joined(self, labels: np.ndarray, found: np.ndarray, now: tuple[Slice, Slice], before: _Known) -> np.ndarray:
        """Join classes that the links of this window no longer tell apart."""
        a, b = now
        inside = a.seen & (labels >= 0) & (found >= 0)
        if not inside.any():
            return labels
        table, groups, _ = contingency_table(labels[inside], found[inside])
        parent = table.argmax(axis=0)
        for i, group in enumerate(groups):
            other = groups[parent[table[i].argmax()]]
            size = int((labels == group)[a.seen | b.seen].sum())
            if other == group or (parent == i).any() or size < _LEAST_NODES:
                continue
            mean, error, n = _apart(labels, int(group), int(other), a, b, self.k)
            its_labels, its_a, its_b = before
            then, its_error, its_n = _apart(its_labels, int(group), int(other), its_a, its_b, self.k)
            if min(n, its_n) >= _LEAST_LINKS and then > _SURE * its_error and mean + 2 * error < _LITTLE * then:
                labels = np.where(labels == group, other, labels)
                self._end(int(group))
                self.events.append(Event(self.t, "merged", int(group), int(other), size))
        return labels

    def agreements(self, one: tuple[Slice, np.ndarray], other: tuple[Slice, np.ndarray]) -> None:
        """Note how far halves of this window agree, and halves of this one and the one before."""
        across = None if self._half is None else _agreement(one, self._half)
        self.agree.append((_agreement(one, other), across))
        self._half = one

    def passed(self) -> Passed:
        T = len(self.labels)
        alive = np.ones((T, self.k), bool)
        for group, windows in self.born.items():
            alive[: windows[0], group] = group < self.overall.max() + 1 and not any(g == group for g, _ in self.dead)
        for group, since in self.dead:
            later = [t for t in self.born.get(group, []) if t >= since]
            alive[since : later[0] if later else T, group] = False
        agree = self.agree or [(None, None)] * T
        return Passed(np.array(self.labels), alive, self.events, [one[0] for one in agree], [one[1] for one in agree])

    def _number_for(self, nodes: np.ndarray) -> int:
        """Return the number of a class of the whole network that these nodes are most of, if it stands empty; else a new one."""
        sizes = np.bincount(self.overall[nodes & (self.overall >= 0)], minlength=1)
        number = int(sizes.argmax())
        free = number < len(self.alive) and not self.alive[number]
        return number if free and 2 * sizes[number] > nodes.sum() else self.k

    def _begin(self, number: int) -> None:
        if number == self.k:
            self.k += 1
            self.alive = np.append(self.alive, True)
        self.alive[number] = True
        self.born.setdefault(number, []).append(self.t)

    def _end(self, number: int) -> None:
        self.alive[number] = False
        self.dead.append((number, self.t))


def _matched(found: np.ndarray, carried: np.ndarray, window: Slice) -> np.ndarray:
    """Return the classes found, under the numbers of the carried ones that they share most nodes with."""
    use = window.seen & (carried >= 0)
    pairs = matched_groups(found[use], carried[use])
    labels = carried.copy()
    for own, its in pairs.items():
        labels[window.seen & (found == own)] = its
    return labels


def _agreement(one: tuple[Slice, np.ndarray], other: tuple[Slice, np.ndarray]) -> float | None:
    both = one[0].seen & other[0].seen
    return float(adjusted_mutual_info_score(one[1][both], other[1][both])) if both.sum() > 1 else None


def _gain(tried: np.ndarray, labels: np.ndarray, a: Slice, b: Slice, k: int) -> tuple[float, float, int]:
    """Return how much more ``tried`` says about a link of ``b`` than ``labels``, learnt from ``a``: mean, standard error, links.

    Counted are links of which either says anything else.
    """
    new, old = (_affinities(one, a, b, k) for one in (tried, labels))
    touched = (tried != labels)[b.sources] | (tried != labels)[b.targets]
    parents = np.unique(labels[tried != labels])
    touched |= np.isin(labels[b.sources], parents) & np.isin(labels[b.targets], parents)
    return _mean((new - old)[touched])


def _apart(labels: np.ndarray, group: int, other: int, a: Slice, b: Slice, k: int) -> tuple[float, float, int]:
    """Return how much it says about a link within two classes together to know them apart."""
    joined = np.where(labels == group, other, labels)
    found = []
    for learnt, told in ((a, b), (b, a)):
        inside = (joined[told.sources] == other) & (joined[told.targets] == other)
        found.append((_affinities(labels, learnt, told, k) - _affinities(joined, learnt, told, k))[inside])
    return _mean(np.concatenate(found))


def _mean(values: np.ndarray) -> tuple[float, float, int]:
    n = len(values)
    return (float(values.mean()), float(values.std() / np.sqrt(n)), n) if n else (0.0, np.inf, 0)


def _affinities(labels: np.ndarray, learnt: Slice, told: Slice, k: int) -> np.ndarray:
    """Return for each link of ``told`` the logarithm of how much more often its classes link in ``learnt`` than chance has it."""
    s, t = labels[learnt.sources], labels[learnt.targets]
    use = (s >= 0) & (t >= 0)
    table = np.bincount(s[use] * k + t[use], minlength=k * k).reshape(k, k).astype(np.float64)
    if len(learnt.sides) == 1:
        table = table + table.T
    outer = np.outer(table.sum(axis=1), table.sum(axis=0)) / max(table.sum(), 1)
    log = np.log((table + 1) / (outer + 1))
    a, b = labels[told.sources], labels[told.targets]
    return np.where((a >= 0) & (b >= 0), log[a, b], 0.0)
