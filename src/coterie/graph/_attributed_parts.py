"""Settings of links with attributes, how well each predicts, and one clustering out of many."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, hstack, issparse
from sklearn.exceptions import ConvergenceWarning

from ..partition.kmeans import KMeans
from ..tables.attribute_rows import AttributeRows
from ._held_out import (
    Gain,
    Split,
    attribute_fit,
    attribute_gain,
    attribute_profiles,
    attribute_scores,
    link_fit,
    link_gain,
    link_profiles,
    member,
    unseen_spread2,
)  # fmt: skip
from ._smoothing import left_singular, link_coordinates, root_degrees, smoothed_coordinates, smoother, unit_rows

__all__ = [
    "Coordinates",
    "Judged",
    "Setting",
    "by_first_appearance",
    "consensus",
    "coordinates",
    "heard",
    "judged",
    "k_means",
    "partitions",
    "refined",
    "settings_for",
]

ORDERS = (0, 1, 2, 4, 8, 16, 32)  # doubled each time, as the reach of smoothing grows with its square root
ALPHAS = (0.25, 0.5, 0.75)
_WIDTHS, _FINER = (2, 3, 4), (1, 2, 4, 8)  # times the number of clusters: coordinates and clusters of one partition
_MOST_MORE = 30  # coordinates beyond the number of clusters: enough where there are many clusters
_STEPS = 20
_ALONE = 1.5  # times the nats of both must one side save to be heard alone: a little more may be chance
_MOVED = (
    0.7  # share of the nodes that may move at once: neighbours that swap at the same time would go round in circles
)


class Setting(NamedTuple):
    """How links and attributes are combined."""

    alpha: float  # weight of the attributes
    order: int  # how often they are smoothed over the links


class Judged(NamedTuple):
    """What the clusters of a setting save in describing what they have not seen, in nats, and how much of what they seem to."""

    links: float
    attributes: float
    links_trust: float  # 0 ... 1: saved on what is unseen over saved on what was seen
    attributes_trust: float
    pulls: tuple[float, float]  # of links and of values towards what is usual: those that predict best
    spread2: np.ndarray | None  # of unseen numbers around the means of their clusters

    @property
    def total(self) -> float:
        """Return the nats of both sides."""
        return self.links + self.attributes


class Coordinates(NamedTuple):
    """Principal coordinates of the links, and of the attributes for each order."""

    links: np.ndarray  # (n, w)
    attributes: dict[int, np.ndarray]  # order -> (n, w)
    by_direction: bool  # words: what counts is their mix, not how many there are

    def rows(self, setting: Setting, width: int) -> np.ndarray:
        """Return the leading coordinates of both sides, rows of each of length 1 (numbers: in the mean), weighed."""
        alpha = setting.alpha
        sides = []
        if alpha > 0:
            rows = self.attributes[setting.order][:, :width]
            size = np.sqrt((rows**2).sum(axis=1).mean())
            rows = unit_rows(rows) if self.by_direction else rows / (size if size > 0 else 1.0)
            sides.append(np.sqrt(alpha) * rows)
        if alpha < 1:
            sides.append(np.sqrt(1 - alpha) * unit_rows(self.links[:, :width]))
        return np.hstack(sides)


def settings_for(alpha: Any, order: Any, *, has_attributes: bool) -> tuple[Setting, ...]:
    """Return what to choose from: one setting where both are given."""
    if not has_attributes or alpha == 0:
        return (Setting(0.0, 0),)
    if alpha == 1:
        return (Setting(1.0, 0 if order == "auto" else int(order)),)
    orders = ORDERS if order == "auto" else (int(order),)
    if alpha != "auto":
        return tuple(Setting(float(alpha), p) for p in orders)
    alone = Setting(0.0, 0), Setting(1.0, 0 if order == "auto" else int(order))
    return alone + tuple(Setting(a, p) for p in orders for a in ALPHAS)


def width_of(k: int, times: int) -> int:
    """Return how many coordinates of each side tell k clusters apart."""
    return min(times * k, k + _MOST_MORE)


def coordinates(
    links: csr_array,
    attributes: AttributeRows | None,
    settings: Sequence[Setting],
    width: int,
    rng: np.random.Generator,
) -> Coordinates:
    """Return the coordinates that the settings need.

    Parameters
    ----------
    links : (n, n) csr_array
    attributes : AttributeRows or None
    settings : sequence of Setting
    width : int
    rng : Generator

    Returns
    -------
    Coordinates
    """
    by_links = np.zeros((links.shape[0], 0))
    if any(setting.alpha < 1 for setting in settings):
        by_links = link_coordinates(links, width, rng)
    orders = sorted({setting.order for setting in settings if setting.alpha > 0})
    if not orders or attributes is None:
        return Coordinates(by_links, {}, True)
    words = issparse(attributes.known)
    mass = None if words else root_degrees(links)
    smoothed = smoothed_coordinates(attributes.rows, smoother(links), orders, width, rng, mass)
    return Coordinates(by_links, dict(zip(orders, smoothed, strict=True)), words)


def judged(
    shown: Split, settings: Sequence[Setting], k: int, rng: np.random.Generator
) -> tuple[dict[Setting, Judged], np.ndarray]:
    """Cluster what is shown under each setting, and say how well the clusters predict the rest.

    Parameters
    ----------
    shown : Split
    settings : sequence of Setting
    k : int
    rng : Generator

    Returns
    -------
    verdicts : dict of Setting to Judged
    labels : (n,) int64 array
        The clusters that predict best.
    """
    found: dict[Setting, Judged] = {}
    kept, most = np.zeros(shown.links.shape[0], np.int64), -np.inf
    width = width_of(k, 2)
    space = coordinates(shown.links, shown.attributes, settings, width, rng)
    for setting in settings:
        labels = k_means(space.rows(setting, width), k, rng, n_init=2)
        links = link_gain(shown.links, shown.unseen_links, labels, k)
        trust = min(links.nats / max(link_fit(shown.links, labels, k, links.pull), 1e-300), 1.0)
        values, value_trust, spread2 = Gain(0.0, 1.0), 0.0, None
        if shown.attributes is not None:
            values = attribute_gain(shown.attributes, shown.unseen, labels, k)
            fit = attribute_fit(shown.attributes, labels, k, values.pull)
            value_trust = min(values.nats / max(fit, 1e-300), 1.0)
            spread2 = unseen_spread2(shown.attributes, shown.unseen, labels, k)
        pulls = links.pull, values.pull
        found[setting] = Judged(links.nats, values.nats, trust, value_trust, pulls, spread2)
        if found[setting].total > most:
            kept, most = labels, found[setting].total
    return found, kept


def heard(shown: Split, labels: np.ndarray, k: int, verdict: Judged, rng: np.random.Generator) -> Judged:
    """Return the verdict with trust in both sides, or in one where the nodes that it moves then predict far more.

    A side that told a little by chance would carry nodes away, further at every step.

    Parameters
    ----------
    shown : Split
    labels : (n,) int64 array
        Found from what is shown.
    k : int
    verdict : Judged
    rng : Generator

    Returns
    -------
    Judged
    """
    attributes = shown.attributes
    if attributes is None or not (verdict.links_trust > 0 and verdict.attributes_trust > 0):
        return verdict
    told = []
    sides = verdict, verdict._replace(attributes_trust=0.0), verdict._replace(links_trust=0.0)
    for side in sides:
        moved = refined(shown.links, attributes, labels, k, side, rng)
        links = link_gain(shown.links, shown.unseen_links, moved, k)
        told.append(links.nats + attribute_gain(attributes, shown.unseen, moved, k).nats)
    told[0] *= _ALONE
    return sides[int(np.argmax(told))]


def partitions(
    space: Coordinates, settings: Sequence[Setting], k: int, n_partitions: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Return partitions of a random number of coordinates and clusters each.

    Every other one is of the first setting, so that the best has as much to say as all others together.

    Parameters
    ----------
    space : Coordinates
    settings : sequence of Setting
        The best first.
    k : int
    n_partitions : int
    rng : Generator

    Returns
    -------
    list of (n,) int64 array
    """
    n = len(space.links)
    best, *others = settings
    turns = [setting for other in others for setting in (best, other)] or [best]
    found = []
    for i in range(n_partitions):
        width, finer = width_of(k, int(rng.choice(_WIDTHS))), k * int(rng.choice(_FINER))
        rows = space.rows(turns[i % len(turns)], width)
        found.append(k_means(rows, max(k, min(finer, n // 4)), rng, max_iter=30))
    return found


def consensus(parts: Sequence[np.ndarray], k: int, rng: np.random.Generator) -> np.ndarray:
    """Return coordinates in which nodes that most partitions keep together are close.

    They are the leading singular vectors of nodes by clusters, a cluster weighing less the larger it is: the spectral
    relaxation of the normalised cut of the bipartite graph of nodes and clusters (Fern & Brodley 2004).

    Parameters
    ----------
    parts : sequence of (n,) int64 array
    k : int
    rng : Generator

    Returns
    -------
    (n, min(k + 1, n)) array
        Rows of length 1.
    """
    blocks = []
    for labels in parts:
        sizes = np.bincount(labels)
        block = member(labels, len(sizes))
        block.data /= np.sqrt(sizes[labels])
        blocks.append(block)
    return unit_rows(left_singular(csr_array(hstack(blocks)), k + 1, rng))


def refined(
    links: csr_array,
    attributes: AttributeRows | None,
    labels: np.ndarray,
    k: int,
    verdict: Judged,
    rng: np.random.Generator,
) -> np.ndarray:
    """Move nodes to the cluster that their links and values are likeliest in, as long as all together become likelier.

    Parameters
    ----------
    links : (n, n) csr_array
    attributes : AttributeRows or None
    labels : (n,) int64 array
    k : int
    verdict : Judged
        How far to trust what the links say and what the attributes say.
    rng : Generator

    Returns
    -------
    (n,) int64 array
        As many clusters as before.
    """
    best, likeliest = labels, -np.inf
    rows = np.arange(len(labels))
    for _ in range(_STEPS):
        gain = np.zeros((len(labels), k))
        total = 0.0
        if verdict.links_trust > 0:
            gain += verdict.links_trust * (
                (links @ member(labels, k)) @ link_profiles(links, labels, k, verdict.pulls[0])
            )
            total += float(gain[rows, labels].sum()) / 2  # a link is told at both its ends
        if attributes is not None and verdict.attributes_trust > 0:
            profiles = attribute_profiles(attributes, labels, k, verdict.pulls[1], verdict.spread2)
            values = verdict.attributes_trust * attribute_scores(attributes, profiles)
            total += float(values[rows, labels].sum())
            gain += values
        if total <= likeliest + 1e-9 * abs(total):
            break
        best, likeliest = labels, total
        wanted = gain.argmax(axis=1)
        better = gain[rows, wanted] > gain[rows, labels] + 1e-9 * np.abs(gain).max()
        labels = _moved(labels, np.where(better & (rng.random(len(labels)) < _MOVED), wanted, labels), k)
    return best


def k_means(rows: np.ndarray, k: int, rng: np.random.Generator, n_init: int = 1, max_iter: int = 50) -> np.ndarray:
    """Return labels; fewer clusters than asked for where there are fewer distinct rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(k, n_init=n_init, max_iter=max_iter, random_state=int(rng.integers(2**31 - 1)))
        return model.fit(rows).labels_


def _moved(before: np.ndarray, after: np.ndarray, k: int) -> np.ndarray:
    """Return the labels after the moves, but for those that would leave a cluster empty."""
    emptied = (np.bincount(before, minlength=k) > 0) & (np.bincount(after, minlength=k) == 0)
    while emptied.any():
        after = np.where(emptied[before], before, after)
        emptied = (np.bincount(before, minlength=k) > 0) & (np.bincount(after, minlength=k) == 0)
    return after


def by_first_appearance(labels: np.ndarray) -> np.ndarray:
    """Return the labels numbered 0, 1, ... in order of first appearance."""
    _, first, place = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[place]
