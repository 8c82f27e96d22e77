"""Taste groups to show: how large they are, what sets them apart, and names for them."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ...metrics import stability
from ...partition.kmeans import KMeans
from ...study.population_rule import Population
from ...tables.table import brief
from ._taste import Taste, taste_rows

__all__ = ["Group", "Groups", "find_groups"]

_TOP = 5
_LEAST_SHARE, _LEAST_LIKES = 0.1, 3  # of a group must like an item before it says something about the group
_N_STARTS, _N_RESAMPLES = 10, 5


class Group(NamedTuple):
    """A taste group.

    Attributes
    ----------
    name : str
    size : int
        Users.
    share : float
        Of the users that liked something.
    items : list of (item, share in the group, share among all)
        What sets it apart.
    tags : list of (tag, share of its likes, share of all likes)
    """

    name: str
    size: int
    share: float
    items: list[tuple[str, float, float]]
    tags: list[tuple[str, float, float]]


class Groups(NamedTuple):
    """All of them, the largest first."""

    groups: list[Group]
    labels: np.ndarray  # (n,) -1 for who liked nothing
    stability: float  # mean adjusted Rand index of groups found in overlapping parts of the users
    clusterer: Any  # gives the group of new users
    order: np.ndarray  # number of the group of each of the clusterer's labels


def find_groups(
    taste: Taste,
    liked: csr_array,
    titles: list[str],
    tags: Any,
    tag_names: list[str],
    *,
    n_groups: int,
    min_share: float,
    seed: int,
) -> Groups:
    """Find the groups to show: k-means with many starts; one that is too small joins its nearest.

    Parameters
    ----------
    taste : Taste
    liked : (n, m) CSR array
    titles : list of m str
    tags : (m, t) sparse array or None
    tag_names : list of t str
    n_groups : int
    min_share : float
    seed : int
    """
    known = np.flatnonzero(taste.counts)
    rows = taste_rows(taste, taste.profiles[known])
    k = taste.groupings[0].n_clusters
    kmeans = KMeans(k, n_init=_N_STARTS, random_state=seed)
    clusterer = (Population(kmeans, min_size=min_share) if 0 < min_share < 1 and k > 1 else kmeans).fit(rows)
    _, first = np.unique(clusterer.labels_, return_inverse=True)
    sizes = np.bincount(first)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    order = np.zeros(clusterer.labels_.max() + 1, np.int64)
    order[clusterer.labels_] = rank[first]
    labels = np.full(len(taste.counts), -1, np.int64)
    labels[known] = order[clusterer.labels_]
    steady = (
        stability(KMeans(k, n_init=1, random_state=seed), rows, n_resamples=_N_RESAMPLES)
        if 1 < k < len(rows) // 4
        else 1.0
    )
    groups = [_described(g, labels, liked, titles, tags, tag_names) for g in range(len(sizes))]
    return Groups(_named_apart(groups), labels, steady, clusterer, order)


def _described(
    g: int, labels: np.ndarray, liked: csr_array, titles: list[str], tags: Any, tag_names: list[str]
) -> Group:
    members = np.flatnonzero(labels == g)
    n, n_all = len(members), int((labels >= 0).sum())
    inside, overall = liked[members].sum(axis=0), liked.sum(axis=0)
    items = _apart(inside, overall, n, n_all, max(_LEAST_LIKES, _LEAST_SHARE * n))
    told = [(titles[i], inside[i] / n, overall[i] / n_all) for i in items]
    told_tags = []
    if tags is not None:
        own, every = inside @ tags, overall @ tags
        total, whole = max(inside.sum(), 1), max(overall.sum(), 1)
        told_tags = [
            (tag_names[t], own[t] / total, every[t] / whole)
            for t in _apart(own, every, total, whole, _LEAST_LIKES)
            if own[t] / total > every[t] / whole
        ]
    return Group("", n, n / n_all, told, told_tags)


def _apart(inside: np.ndarray, overall: np.ndarray, n: float, n_all: float, least: float) -> list[int]:
    """Return what is more common inside than overall by most standard errors."""
    share = np.clip(overall / n_all, 1e-9, 1 - 1e-9)
    z = (inside / n - share) / np.sqrt(share * (1 - share) / n)
    z[(inside < least) | (z <= 0)] = -np.inf
    best = np.argsort(-z, kind="stable")[:_TOP]
    return [int(i) for i in best if np.isfinite(z[i])]


def _named_apart(groups: list[Group]) -> list[Group]:
    """Name each group by the fewest of its tags, or else of its items, that no larger group is named by."""
    taken: set[str] = set()
    named = []
    for g, group in enumerate(groups):
        words = [brief(name, 40) for name, *_ in (group.tags or group.items)]
        tries = [
            " and ".join([", ".join(words[: n - 1]), words[n - 1]]) if n > 1 else words[0]
            for n in range(2 if len(words) > 1 else 1, len(words) + 1)
        ]
        name = next((one for one in tries if one not in taken), f"group {g}" if not words else f"{tries[-1]} ({g})")
        taken.add(name)
        named.append(group._replace(name=name))
    return named
