"""Taste: who is like whom, as groups and as neighbours, from what each user liked.

Users are rows of a table in which items that many like count for less. Taste groups are k-means clusters of the leading directions of
these rows; they are made from several seeds and averaged, so that users near a border take from both sides.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse

from ...partition.kmeans import KMeans
from ...primitives.singular_vectors import leading_singular_vectors

__all__ = [
    "Circle",
    "Liked",
    "Taste",
    "circle",
    "fit_taste",
    "groups_of",
    "liked_by",
    "liked_in",
    "profiles_of",
    "taste_rows",
    "trust_of",
]

N_SEEDS = 10
_WIDTH = 20  # directions
_NEIGHBORS, _GROUPS = 0.7, 0.3  # parts of a circle
_CROWDED = 0.1  # likes that two users share on average
_LIKES_TO_TRUST = 10.0  # with so many likes, what everyone likes counts as much as a user's own taste


class Taste(NamedTuple):
    """What users have in common."""

    profiles: csr_array  # (n, m) rows of length 1; empty where a user liked nothing
    counts: np.ndarray  # (n,) items that each liked
    importance: np.ndarray  # (m,)
    directions: np.ndarray  # (m, d)
    groupings: tuple[KMeans, ...]
    labels: np.ndarray  # (s, n) groups from each seed; -1 for who liked nothing
    crowded: bool  # whether so many users share likes that arrays are faster than sparse ones


class Circle(NamedTuple):
    """How much each user counts for each of r rows: by being like-minded, by its groups, and as one of everyone; it sums to 1."""

    near: Any  # (r, n) CSR array; an array where users are crowded
    groups: csr_array  # (r, g) what the members of a group count together, groups from all seeds
    everyone: np.ndarray  # (r,) what all users count together


class Liked(NamedTuple):
    """Who likes what."""

    each: csr_array  # (n, m)
    groups: np.ndarray  # (g, m) the mean over the members
    everyone: np.ndarray  # (m,) the mean over all users


def fit_taste(liked: csr_array, n_groups: int, seed: int, n_seeds: int = N_SEEDS) -> Taste:
    """Learn taste groups.

    Parameters
    ----------
    liked : (n, m) CSR array of ones
    n_groups : int
    seed : int
    n_seeds : int
    """
    counts = np.diff(liked.indptr)
    n_known = int((counts > 0).sum())
    importance = np.log((1.0 + n_known) / (1.0 + np.bincount(liked.indices, minlength=liked.shape[1]))) + 1e-3
    profiles = profiles_of(liked, importance)
    random = np.random.default_rng(seed)
    width = min(_WIDTH, *liked.shape)
    found = leading_singular_vectors(profiles.__matmul__, profiles.T.tocsr().__matmul__, liked.shape, width, random)
    directions = found.right[:, :width]
    known = np.flatnonzero(counts)
    rows = _placed(profiles[known], directions)
    k = min(n_groups, len(np.unique(rows, axis=0)))
    seeds = random.integers(0, 2**31, n_seeds)
    groupings = tuple(KMeans(k, n_init=1, random_state=int(one)).fit(rows) for one in seeds)
    labels = np.full((n_seeds, liked.shape[0]), -1, np.int64)
    for s, grouping in enumerate(groupings):
        labels[s, known] = grouping.labels_
    shares = np.bincount(liked.indices, minlength=liked.shape[1]) / liked.shape[0]
    crowded = bool((shares**2).sum() > _CROWDED)
    return Taste(profiles, counts, importance, directions, groupings, labels, crowded)


def profiles_of(liked: csr_array, importance: np.ndarray) -> csr_array:
    """Return the rows of likes weighted by the items' importance, each of length 1."""
    rows = csr_array((importance[liked.indices], liked.indices, liked.indptr), shape=liked.shape)
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1))
    scale = np.repeat(1.0 / np.maximum(lengths, 1e-12), np.diff(rows.indptr))
    return csr_array((rows.data * scale, rows.indices, rows.indptr), shape=rows.shape)


def groups_of(taste: Taste, profiles: csr_array) -> np.ndarray:
    """Return the groups of rows of profiles from each seed, (s, r); -1 for a row without likes."""
    labels = np.full((len(taste.groupings), profiles.shape[0]), -1, np.int64)
    known = np.flatnonzero(np.diff(profiles.indptr))
    if len(known):
        rows = taste_rows(taste, profiles[known])
        for s, grouping in enumerate(taste.groupings):
            labels[s, known] = grouping.predict(rows)
    return labels


def circle(taste: Taste, profiles: csr_array, labels: np.ndarray, own: np.ndarray | None = None) -> Circle:
    """Return who counts for each row.

    Users like the row's count by the square of the cosine of their profiles, users of its groups alike, and everyone as far as the row
    says little of its own taste.

    Parameters
    ----------
    taste : Taste
    profiles : (r, m) CSR array
    labels : (s, r) int array
        Their groups.
    own : (r,) int array, optional
        The users that the rows are: nobody is their own neighbour.
    """
    near = csr_array(profiles @ taste.profiles.T)
    row = np.repeat(np.arange(near.shape[0]), np.diff(near.indptr))
    near.data **= 2
    if own is not None:
        near.data[near.indices == own[row]] = 0.0
    total = np.bincount(row, near.data, near.shape[0])
    trust = trust_of(profiles)[:, 0]
    near.data *= (_NEIGHBORS * trust / np.maximum(total, 1e-12))[row]
    groups = _memberships(taste, labels)
    placed = np.diff(groups.indptr) / len(labels)
    groups.data *= np.repeat(_GROUPS * trust / len(labels), np.diff(groups.indptr))
    return Circle(
        near.toarray() if taste.crowded else near, groups, 1.0 - trust * (_NEIGHBORS * (total > 0) + _GROUPS * placed)
    )


def liked_by(taste: Taste, likes: csr_array, n_users: int) -> Liked:
    """Return what users, groups and everyone like, from (n, m) likes that may have weights; everyone is so many users."""
    members = _memberships(taste, taste.labels).T.tocsr()
    sizes = np.maximum(np.diff(members.indptr), 1)
    return Liked(likes, (members @ likes).toarray() / sizes[:, None], likes.sum(axis=0) / n_users)


def liked_in(circles: Circle, liked: Liked) -> np.ndarray:
    """Return what circles like, (r, m): the mean over the users by how much they count."""
    product = circles.near @ liked.each
    around = product.toarray() if issparse(product) else product
    around += circles.groups @ liked.groups
    around += circles.everyone[:, None] * liked.everyone
    return around


def _memberships(taste: Taste, labels: np.ndarray) -> csr_array:
    """Return ones at the groups of rows from all seeds, (r, g)."""
    sizes = np.array([grouping.n_clusters for grouping in taste.groupings])
    column = (labels + (np.cumsum(sizes) - sizes)[:, None]).T
    placed = labels.T >= 0
    row = np.nonzero(placed)[0]
    return csr_array((np.ones(len(row)), (row, column[placed])), shape=(labels.shape[1], int(sizes.sum())))


def taste_rows(taste: Taste, profiles: csr_array) -> np.ndarray:
    """Return where profiles lie among the tastes, (r, d), each of length 1: what is clustered."""
    return _placed(profiles, taste.directions)


def trust_of(likes: csr_array) -> np.ndarray:
    """Return how far rows of likes tell a taste of their own, (r, 1): 0 for none, towards 1 for many."""
    counts = np.diff(likes.indptr)[:, None]
    return counts / (counts + _LIKES_TO_TRUST)


def _placed(profiles: csr_array, directions: np.ndarray) -> np.ndarray:
    rows = profiles @ directions
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
