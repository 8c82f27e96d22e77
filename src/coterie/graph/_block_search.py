"""Looking for the classes that describe a graph in the fewest nats: starts, moves until nothing moves, merges.

From a fine partition, classes are merged two by two, those first that cost least, and after every merge nodes move again: this
gives a partition for every number of classes on the way down to one. Partitions by eigenvectors compete with them at each number.
"""

import itertools

import numpy as np

from ._block_classes import FINE, Classes
from ._block_draws import MOST_DRAWN, drawn, is_weak
from ._block_links import Links
from ._block_starts import by_degree, by_vectors, directions, leading_vectors, with_degrees

__all__ = ["search"]

_DIVIDED_SWEEPS = 15
_FEWEST_FINE = 12  # classes to begin with
_FIRST_VECTORS, _MOST_VECTORS = 8, 64
_MOST_DIVIDED, _EXCHANGES, _STEPS_DOWN = 8, 10, 3
_MOST_MERGED = 400  # beyond, the costs of all merges would take longer than all else
_QUICK = 8, 0.01  # sweeps, and the share of nodes that may still want to move, while partitions compete
_FEW = 16  # classes; more are not found from starts by chance


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
    best = n_clusters or _best(found)
    if best <= (_FEW if n_clusters else MOST_DRAWN):
        weak = is_weak(found[best])
        # Clear classes may hide weak ones, but hubs make classes of their own where degrees are not corrected for.
        for classes in drawn(links, n_clusters, weak, rng) if weak or links.corrected else ():
            keep(classes, found)
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
        step = 1 if k <= FINE else max(1, k // 8)
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
        divided.settle(_DIVIDED_SWEEPS, _QUICK[1] * len(members) / len(current.labels))
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
