"""Taste: who is like whom, as groups and as neighbours, from what each user liked.

Users are rows of a table in which items that many like count for less. Taste groups are k-means clusters of the leading directions of
these rows; they are made from several seeds and averaged, so that users near a border take from both sides.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ...partition.kmeans import KMeans
from ...primitives.singular_vectors import leading_singular_vectors

__all__ = ["Taste", "circle", "fit_taste", "groups_of", "profiles_of", "taste_rows", "trust_of"]

N_SEEDS = 10
_WIDTH = 20  # directions
_NEIGHBORS, _GROUPS = 0.7, 0.3  # parts of a circle
_LIKES_TO_TRUST = 10.0  # with so many likes, what everyone likes counts as much as a user's own taste


class Taste(NamedTuple):
    """What users have in common."""

    profiles: csr_array  # (n, m) rows of length 1; empty where a user liked nothing
    counts: np.ndarray  # (n,) items that each liked
    importance: np.ndarray  # (m,)
    directions: np.ndarray  # (m, d)
    groupings: tuple[KMeans, ...]
    labels: np.ndarray  # (s, n) groups from each seed; -1 for who liked nothing


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
    return Taste(profiles, counts, importance, directions, groupings, labels)


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


def circle(taste: Taste, profiles: csr_array, labels: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """Return how much each user counts for each row, (r, n); rows sum to 1.

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
    n = len(taste.counts)
    near = (profiles @ taste.profiles.T).toarray() ** 2
    if own is not None:
        near[np.arange(len(own)), own] = 0.0
    near /= np.maximum(near.sum(axis=1, keepdims=True), 1e-12)
    alike = np.zeros_like(near)
    for mine, theirs in zip(labels, taste.labels, strict=True):
        members = theirs[None] == np.arange(theirs.max() + 1)[:, None]
        shares = members / np.maximum(members.sum(axis=1, keepdims=True), 1) / len(labels)
        placed = mine >= 0
        alike[placed] += shares[mine[placed]]
    taken = _NEIGHBORS * near + _GROUPS * alike
    trust = trust_of(profiles)
    return trust * taken + (1.0 - trust * taken.sum(axis=1, keepdims=True)) / n


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
