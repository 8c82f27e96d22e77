"""What each node is to its class: how firmly it belongs, and which other classes it joins.

- Strength: the share of a node's links, by weight, that stay inside its class.
- Participation coefficient: 1 minus the sum of the squared shares of its links that go to each class; 0 where all go to one
  class, near 1 where they spread evenly over many (Guimera R. and Amaral L. A. N., 2005, doi:10.1038/nature03288).
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

__all__ = ["Members", "bridges", "class_indicator", "hubs", "members_of"]


class Members(NamedTuple):
    """One value a node: links and weight without direction, and the two measures; NaN where a node has no link."""

    links: np.ndarray  # (n,) int64
    weight: np.ndarray  # (n,) float64
    strength: np.ndarray  # (n,) float64
    participation: np.ndarray  # (n,) float64
    next_class: np.ndarray  # (n,) int64: the other class with most of its weight, -1 where it links to none
    to_classes: csr_array  # (n, k): weight from each node to each class


def class_indicator(labels: np.ndarray, k: int) -> csr_array:
    """Return the (n, k) matrix that has a 1 where a node is in a class."""
    inside = np.flatnonzero(labels >= 0)
    return csr_array((np.ones(len(inside)), (inside, labels[inside])), shape=(len(labels), k))


def members_of(both_ways: csr_array, labels: np.ndarray, k: int) -> Members:
    """Return what every node is to the classes.

    Parameters
    ----------
    both_ways : (n, n) csr_array
        The network without directions.
    labels : (n,) int64 array
        Classes 0..k-1, -1 for none.
    k : int

    Returns
    -------
    Members
    """
    n = len(labels)
    degree = np.asarray(both_ways.sum(axis=1), dtype=np.float64).ravel()
    to_classes = csr_array(both_ways.astype(np.float64) @ class_indicator(labels, k))
    to_classes.sort_indices()
    rows = np.repeat(np.arange(n), np.diff(to_classes.indptr))
    own = to_classes.indices == labels[rows]
    some = degree > 0
    divisor = np.where(some, degree, 1.0)
    inside = np.bincount(rows[own], to_classes.data[own], n)
    squares = np.bincount(rows, (to_classes.data / divisor[rows]) ** 2, n)
    # Links to nodes without a class are links to a class of one node's own: they add nothing to the sum of squares.
    nothing = np.where(some, 0.0, np.nan)
    strength = inside / divisor + nothing
    participation = np.clip(1.0 - squares, 0.0, 1.0) + nothing
    return Members(
        np.diff(both_ways.indptr).astype(np.int64), degree, strength, participation,
        _next_class(rows[~own], to_classes.indices[~own], to_classes.data[~own], n), to_classes,
    )  # fmt: skip


def _next_class(rows: np.ndarray, classes: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    # Sorted by node, then weight from below, then class from above: the last of each node is its heaviest, lowest class.
    order = np.lexsort((-classes, weights, rows))
    found = np.full(n, -1, dtype=np.int64)
    found[rows[order]] = classes[order]
    return found


def hubs(members: Members, labels: np.ndarray, k: int, most: int = 5, *, inside: bool = True) -> list[list[int]]:
    """Return the nodes of each class with most weight, inside it or in all, heaviest first."""
    weight = np.nan_to_num(members.strength * members.weight) if inside else members.weight
    order = np.lexsort((np.arange(len(labels)), -weight, labels))
    starts = np.searchsorted(labels[order], np.arange(k + 1))
    return [order[starts[i] : min(starts[i] + most, starts[i + 1])].tolist() for i in range(k)]


def bridges(members: Members, labels: np.ndarray, most: int = 50) -> list[dict[str, Any]]:
    """Return the nodes that join classes: those with much weight outside their own, spread over many.

    They are ordered by participation times the weight that leaves the class: the coefficient alone would put nodes with two
    or three links first.
    """
    outside = np.nan_to_num(members.weight * (1.0 - members.strength))
    score = np.nan_to_num(members.participation) * outside * (labels >= 0)
    first = np.argsort(-score, kind="stable")[:most]
    found = []
    for node in first[score[first] > 0].tolist():
        part = slice(members.to_classes.indptr[node], members.to_classes.indptr[node + 1])
        classes, weights = members.to_classes.indices[part], members.to_classes.data[part]
        order = np.lexsort((classes, -weights))[:6]
        found.append(
            {
                "node": node,
                "class": int(labels[node]),
                "links": int(members.links[node]),
                "outside_share": float(1.0 - members.strength[node]),
                "participation": float(members.participation[node]),
                "score": float(score[node]),
                "n_classes": len(classes),
                "classes": [
                    {"class": int(classes[i]), "share": float(weights[i] / members.weight[node])} for i in order
                ],
            }
        )
    return found
