"""Scores of all items for users: what their circle liked lately, and what goes with what they liked.

    score(u, i) = log(1 + m * share of i in what the circle of u liked lately) + links * standardised link score(u, i)

m is the number of items. In the share, each user counts as much as it does in the circle, and each like by how long ago it was. Lately
means three half-lives at once, a factor of two apart: what is just coming up is seen, and what has lasted is not forgotten.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ...primitives.compiled import run_blocks
from ._interactions import Interactions, table_of
from ._links import Links, fit_links, link_scores
from ._lists import best
from ._taste import Circle, Liked, Taste, circle, fit_taste, liked_by, liked_in, trust_of

__all__ = [
    "LINK_WEIGHTS",
    "Ranker",
    "Rows",
    "Setting",
    "combined",
    "decay",
    "fit_ranker",
    "parts_of",
    "ranked",
    "recent",
    "rows_of",
    "without",
]

LINK_WEIGHTS = (0.1, 0.5, 3.0)
_BLOCK_SCORES = 1 << 22
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
    there: (
        np.ndarray
    )  # (m,) bool: items that anybody has, what may be suggested; others come later, and must change nothing
    n_users: int  # who have anything


class Rows(NamedTuple):
    """Users to suggest to, of the fit or others."""

    users: np.ndarray | None  # (r,) numbers of users of the fit; None where they are others
    liked: csr_array  # (r, m)
    seen: csr_array  # (r, m)
    profiles: csr_array  # (r, m)
    labels: np.ndarray  # (s, r) taste groups from each seed

    def part(self, part: slice) -> "Rows":
        """Return some of the rows."""
        users = None if self.users is None else self.users[part]
        return Rows(users, self.liked[part], self.seen[part], self.profiles[part], self.labels[:, part])


def fit_ranker(lines: Interactions, n_groups: int, seed: int, now: float | None = None) -> Ranker:
    """Learn from lines what users have in common at the time ``now``, in days; by default that of the last line."""
    likes = lines.take(lines.liked)
    liked = table_of(likes)
    ages = None
    if likes.day is not None:
        now = float(lines.day.max()) if now is None else now  # type: ignore[union-attr]
        ages = table_of(likes, now - likes.day + 1.0)
    seen = table_of(lines)
    there = np.bincount(seen.indices, minlength=seen.shape[1]) > 0
    n_users = int((np.diff(seen.indptr) > 0).sum())
    return Ranker(liked, seen, ages, fit_taste(liked, n_groups, seed), fit_links(liked), there, n_users)


def recent(ranker: Ranker, half_life: float | None) -> Liked:
    """Return who liked what, weighted by how long ago it was; the weights of all likes sum to 1."""
    return liked_by(ranker.taste, _weighted(ranker, half_life), ranker.n_users)


def _weighted(ranker: Ranker, half_life: float | None) -> csr_array:
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


def rows_of(ranker: Ranker, users: np.ndarray) -> Rows:
    """Return users of the fit as rows to suggest to."""
    taste = ranker.taste
    return Rows(users, ranker.liked[users], ranker.seen[users], taste.profiles[users], taste.labels[:, users])


def parts_of(ranker: Ranker, rows: Rows) -> tuple[Circle, np.ndarray]:
    """Return the circles of rows and their standardised link scores, (r, m)."""
    scores = link_scores(ranker.links, rows.liked)
    scores -= _of_those_there(ranker, scores).mean(axis=1, keepdims=True)
    spread = np.sqrt(np.mean(_of_those_there(ranker, scores) ** 2, axis=1, keepdims=True))
    scores *= trust_of(rows.liked) / np.maximum(spread, 1e-12)
    return circle(ranker.taste, rows.profiles, rows.labels, rows.users), scores


def _of_those_there(ranker: Ranker, scores: np.ndarray) -> np.ndarray:
    return scores if ranker.there.all() else scores[:, ranker.there]


def combined(ranker: Ranker, circles: Circle, liked: Liked, linked: np.ndarray, links: float) -> np.ndarray:
    """Return the scores of all items, (r, m), from circles, who liked what lately, and standardised link scores."""
    scores = liked_in(circles, liked)
    scores *= float(ranker.n_users * ranker.there.sum())  # 1 is what an item of middling popularity has
    np.log1p(scores, out=scores)
    scores += links * linked
    return scores


def without(scores: np.ndarray, seen: Any, known: np.ndarray) -> np.ndarray:
    """Return scores with what users have already, and items that nobody has, set to minus infinity."""
    scores = scores.copy()
    scores[np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr)), seen.indices] = -np.inf
    scores[:, ~known] = -np.inf
    return scores


def ranked(
    ranker: Ranker, liked: Liked, links: float, rows: Rows, *, n: int, **varied: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return the n best items of each row and their scores, (r, n), block by block.

    Parameters
    ----------
    ranker : Ranker
    liked : Liked
        Lately, from `recent`.
    links : float
        Weight of the links.
    rows : Rows
    n : int
    **varied
        ``likeness`` and ``diversity``, as `best` takes them.
    """
    n_rows = rows.liked.shape[0]
    lists, scores = np.empty((n_rows, n), np.int64), np.empty((n_rows, n))
    step = max(1, _BLOCK_SCORES // max(ranker.liked.shape))

    def rank(number: int) -> None:
        part = slice(number * step, (number + 1) * step)
        block = rows.part(part)
        circles, linked = parts_of(ranker, block)
        found = without(combined(ranker, circles, liked, linked, links), block.seen, ranker.there)
        lists[part] = best(found, n, **varied)
        scores[part] = np.take_along_axis(found, np.maximum(lists[part], 0), 1)

    run_blocks(rank, -(-n_rows // step))
    return lists, scores
