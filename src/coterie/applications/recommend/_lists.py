"""Lists of suggestions: the best of scores, varied where that is asked for, and what a set of lists is worth."""

from typing import Any

import numpy as np
from scipy.sparse import csr_array

__all__ = ["Likeness", "best", "coverage", "gini", "likeness_of", "novelty", "overlap", "variety", "worth"]

_CANDIDATES = 10  # for each place in a varied list


class Likeness:
    """How alike items are, 0 to 1: by their tags (Jaccard), or by who likes them (cosine).

    Parameters
    ----------
    marks : (m, t) sparse array of ones
        Tags of the items, or who likes them.
    by_tags : bool
    """

    def __init__(self, marks: Any, by_tags: bool):
        self.marks, self.by_tags = csr_array(marks), by_tags
        self.sizes = np.diff(self.marks.indptr).astype(float)

    def among(self, items: np.ndarray) -> np.ndarray:
        """Return the likeness of some items to each other, (q, q)."""
        rows = self.marks[items]
        common = (rows @ rows.T).toarray()
        a, b = self.sizes[items][:, None], self.sizes[items][None]
        whole = a + b - common if self.by_tags else np.sqrt(a * b)
        return common / np.maximum(whole, 1.0)


def likeness_of(tags: Any, liked: csr_array) -> Likeness:
    """Return how alike items are: by (m, t) tags where there are some, else by who likes them, (n, m)."""
    return Likeness(liked.T, False) if tags is None else Likeness(tags, True)


def best(scores: np.ndarray, n: int, likeness: Likeness | None = None, diversity: float = 0.0) -> np.ndarray:
    """Return the n best items of each row of scores, (r, n), best first; -1 where there are no more.

    Parameters
    ----------
    scores : (r, m) array
        Minus infinity for what must not be suggested.
    n : int
    likeness : Likeness, optional
    diversity : float, default=0.0
        0 to 1: how much being unlike what is above in the list counts beside the score: maximal marginal relevance, with the mean
        likeness to what is above in place of the largest, as variety is a mean too.

    References
    ----------
    Carbonell, J., & Goldstein, J. (1998). The use of MMR, diversity-based reranking. SIGIR, 335-336.
    https://doi.org/10.1145/290941.291025
    """
    width = min(n if diversity == 0 else n * _CANDIDATES, scores.shape[1])
    found = np.argpartition(-scores, width - 1, axis=1)[:, :width]
    found.sort(axis=1)  # ties go to the lowest
    values = np.take_along_axis(scores, found, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    found, values = np.take_along_axis(found, order, 1), np.take_along_axis(values, order, 1)
    found = np.where(np.isfinite(values), found, -1)
    if diversity > 0 and likeness is not None:
        found = np.array(
            [_varied(row, value, n, likeness, diversity) for row, value in zip(found, values, strict=True)]
        )
    short = n - found.shape[1]
    return np.pad(found, ((0, 0), (0, short)), constant_values=-1) if short > 0 else found[:, :n]


def _varied(items: np.ndarray, values: np.ndarray, n: int, likeness: Likeness, diversity: float) -> np.ndarray:
    items, values = items[items >= 0], values[items >= 0]
    chosen = np.full(n, -1)
    if not len(items):
        return chosen
    worth = (values - values[-1]) / max(values[0] - values[-1], 1e-12)
    alike = likeness.among(items)
    like, free = np.zeros(len(items)), np.ones(len(items), bool)
    for place in range(min(n, len(items))):
        pick = int(np.argmax(np.where(free, (1.0 - diversity) * worth - diversity * like / max(place, 1), -np.inf)))
        chosen[place] = items[pick]
        free[pick] = False
        like += alike[pick]
    return chosen


def worth(lists: np.ndarray, wanted: csr_array) -> dict[str, np.ndarray]:
    """Return ``ndcg``, ``recall`` and ``precision`` of each list, (r,).

    Parameters
    ----------
    lists : (r, n) int array
    wanted : (r, m) CSR array
        What each user turned out to like; those that could not be suggested count too.
    """
    n = lists.shape[1]
    gains = 1.0 / np.log2(np.arange(2, n + 2))
    hits = np.zeros(lists.shape)
    for r in range(len(lists)):
        hits[r] = np.isin(lists[r], wanted.indices[wanted.indptr[r] : wanted.indptr[r + 1]])
    sizes = np.diff(wanted.indptr)
    ideal = np.concatenate([[0.0], np.cumsum(gains)])[np.minimum(sizes, n)]
    return {
        "ndcg": hits @ gains / np.maximum(ideal, 1e-12),
        "recall": hits.sum(axis=1) / np.maximum(sizes, 1),
        "precision": hits.mean(axis=1),
    }


def coverage(lists: np.ndarray, n_items: int) -> float:
    """Return the share of the items that is in at least one list."""
    return len(np.unique(lists[lists >= 0])) / n_items


def gini(lists: np.ndarray, n_items: int) -> float:
    """Return how unevenly the items are shown: 0 all alike, 1 only one."""
    shown = np.sort(np.bincount(lists[lists >= 0], minlength=n_items))
    ranks = np.arange(1, n_items + 1)
    return float(((2 * ranks - n_items - 1) * shown).sum() / max(n_items * shown.sum(), 1))


def novelty(lists: np.ndarray, shares: np.ndarray) -> float:
    """Return the mean of -log2 of the share of users who already have a suggested item."""
    return float(np.mean(-np.log2(np.maximum(shares[lists[lists >= 0]], 1e-12)))) if (lists >= 0).any() else 0.0


def variety(lists: np.ndarray, likeness: Likeness) -> float:
    """Return how unlike the items of a list are: the mean over lists of the mean over pairs of 1 - likeness."""
    values = []
    for row in lists:
        row = row[row >= 0]
        if len(row) > 1:
            alike = likeness.among(row)
            values.append(1.0 - (alike.sum() - np.trace(alike)) / (len(row) * (len(row) - 1)))
    return float(np.mean(values)) if values else 0.0


def overlap(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return the mean share of a user's list that is also in the other list; None where there are no lists."""
    same = [np.isin(a[a >= 0], b).mean() for a, b in zip(first, second, strict=True) if (a >= 0).any()]
    return float(np.mean(same)) if same else None
