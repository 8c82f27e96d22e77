"""Scores of all items for users: what their circle liked lately, and what goes with what they liked.

    score(u, i) = log(1 + m * share of i in what the circle of u liked lately) + links * standardised link score(u, i)

m is the number of items. In the share, each user counts as much as it does in the circle, and each like by how long ago it was. Lately
means three half-lives at once, a factor of two apart: what is just coming up is seen, and what has lasted is not forgotten.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ._interactions import Interactions, table_of
from ._links import Links, fit_links, link_scores
from ._taste import Taste, circle, fit_taste, trust_of

__all__ = [
    "LINK_WEIGHTS",
    "Ranker",
    "Setting",
    "combined",
    "decay",
    "fit_ranker",
    "parts_for",
    "parts_of",
    "recent",
    "without",
]

LINK_WEIGHTS = (0.1, 0.5, 3.0)
_LIVES = (0.5, 1.0, 2.0)  # half-lives that are mixed


class Setting(NamedTuple):
    """How the parts of a score are weighted.

    Attributes
    ----------
    half_life : float or None
        Days after which a like counts half; None never.
    links : float
    """

    half_life: float | None
    links: float


class Ranker(NamedTuple):
    """What was known at some time."""

    liked: csr_array  # (n, m) ones
    seen: csr_array  # (n, m) ones, whatever a user has, liked or not
    ages: csr_array | None  # (n, m) days since each like, plus 1 so that none is 0
    taste: Taste
    links: Links


def fit_ranker(lines: Interactions, n_groups: int, seed: int, now: float | None = None) -> Ranker:
    """Learn from lines what users have in common at the time ``now``, in days; by default that of the last line."""
    likes = lines.take(lines.liked)
    liked = table_of(likes)
    ages = None
    if likes.day is not None:
        now = float(lines.day.max()) if now is None else now  # type: ignore[union-attr]
        ages = table_of(likes, now - likes.day + 1.0)
    return Ranker(liked, table_of(lines), ages, fit_taste(liked, n_groups, seed), fit_links(liked))


def recent(ranker: Ranker, half_life: float | None) -> csr_array:
    """Return the likes weighted by how long ago they were; the weights sum to 1."""
    if half_life is None or ranker.ages is None:
        return ranker.liked / ranker.liked.nnz
    ages = ranker.ages
    weights = np.zeros(ages.nnz)
    for factor in _LIVES:
        decayed = decay(ages.data - 1.0, half_life * factor)
        weights += decayed / decayed.sum() / len(_LIVES)
    return csr_array((weights, ages.indices, ages.indptr), shape=ages.shape)


def decay(age: np.ndarray, half_life: float | None) -> np.ndarray:
    """Return the weight of likes so many days ago; that of the youngest is 1."""
    return np.ones(len(age)) if half_life is None else 0.5 ** ((age - age.min()) / half_life)


def parts_of(ranker: Ranker, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the circles (r, n) and the standardised link scores (r, m) of users of the fit."""
    taste = ranker.taste
    return parts_for(ranker, ranker.liked[users], taste.profiles[users], taste.labels[:, users], users)


def parts_for(
    ranker: Ranker, liked: csr_array, profiles: csr_array, labels: np.ndarray, own: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same for rows of likes; ``own`` are the users of the fit that they are, if they are."""
    scores = link_scores(ranker.links, liked)
    spread = np.maximum(scores.std(axis=1, keepdims=True), 1e-12)
    linked = trust_of(liked) * (scores - scores.mean(axis=1, keepdims=True)) / spread
    return circle(ranker.taste, profiles, labels, own), linked


def combined(circles: np.ndarray, likes: csr_array, linked: np.ndarray, links: float) -> np.ndarray:
    """Return the scores of all items, (r, m), from circles, the recent likes of all users, and standardised link scores."""
    share = (likes.T @ circles.T).T * circles.shape[1]
    return np.log1p(likes.shape[1] * share) + links * linked


def without(scores: np.ndarray, seen: Any, known: np.ndarray) -> np.ndarray:
    """Return scores with what users have already, and items that nobody has, set to minus infinity."""
    scores = scores.copy()
    scores[np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr)), seen.indices] = -np.inf
    scores[:, ~known] = -np.inf
    return scores
