"""Partitions drawn from their distribution: where classes are weak, moves that only ever shorten the description get stuck.

A node is drawn into a class as likely as that makes the description short, again and again. From eigenvectors that know little
of the classes this leads to partitions that know as much as can be known, if anything that is fast does (Decelle, Krzakala,
Moore and Zdeborova 2011, doi:10.1103/PhysRevE.84.066106): the eigenvectors of values below 0 lead to classes that link to each
other, those above 0 to classes that link inside. It begins with some classes more than are looked for, which are merged one by one.
"""

from collections.abc import Iterator

import numpy as np

from ._block_classes import Classes
from ._block_links import Links
from ._block_starts import by_vectors, directions, leading_vectors

__all__ = ["MOST_DRAWN", "drawn", "is_weak"]

MOST_DRAWN = 8  # classes to begin with
_MORE = 2  # than are wanted
_SWEEPS, _MOST_BLOCKS = 10, 30
_PATIENCE = 3  # blocks of sweeps without a shorter description than before, while nothing is merged yet
_VISITS = 1_000_000, 300_000  # of nodes from each start, where classes are weak, and where they are clear: some seconds
_SURE = 0.05


def is_weak(classes: Classes) -> bool:
    """Say whether some nodes would be drawn into another class than theirs, or there is but one."""
    return classes.k == 1 or float((classes.copy().draw(_SWEEPS).labels != classes.labels).mean()) > _SURE


def drawn(links: Links, n_clusters: int | None, weak: bool, rng: np.random.Generator) -> Iterator[Classes]:
    """Yield partitions drawn with fewer and fewer classes, each moved to the nearest short description.

    Parameters
    ----------
    links : Links
    n_clusters : int or None
        How many classes are wanted; None: 2 to `MOST_DRAWN`.
    weak : bool
        Whether what else was found is so; if not, this takes less time.
    rng : Generator
    """
    n = links.graph.n_nodes
    most = min(n, max(MOST_DRAWN, (n_clusters or 0) + _MORE))
    values, coordinates = leading_vectors(links, min(n, 2 * most), rng)
    for chosen in _sides(values, most - 1, links.directed):
        current = Classes(links, by_vectors(directions(coordinates[:, chosen]), most, rng), rng)
        left, patience = _VISITS[0 if weak else 1] // n, _PATIENCE
        while True:
            left -= _draw_on(current, patience, left)
            yield current.copy().settle()
            if current.k <= (n_clusters or 2):
                break
            current, patience = current.copy().merge_to(current.k - 1), 1


def _sides(values: np.ndarray, most: int, directed: bool) -> list[np.ndarray]:
    """Return which columns of coordinates to begin with: values below 0, and above; of directed graphs all."""
    if directed:
        columns = np.arange(min(most, len(values)))
        return [np.concatenate([columns, columns + len(values)])]
    order = np.argsort(values, kind="stable")
    return [order[:most], order[::-1][:most]]


def _draw_on(classes: Classes, patience: int, most: int) -> int:
    """Draw until the description has not got shorter for some time; return how many sweeps that took."""
    least, since, sweeps = np.inf, 0, 0
    for _ in range(_MOST_BLOCKS):
        if sweeps + _SWEEPS > most or since >= patience:
            break
        length = classes.draw(_SWEEPS).length()
        sweeps += _SWEEPS
        since = 0 if length < least - 1.0 else since + 1
        least = min(least, length)
    return sweeps
