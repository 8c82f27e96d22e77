"""Useful groups: few, of a good size each, that come back and that a few questions tell apart, whether or not they are natural.

A short tree stands for the rules that people would go by: learnt on half of the rows, it puts the others in groups by at most
four questions, and the share that it puts where they belong is how far such rules hold (compare Moshkovitz et al. 2020,
Explainable k-means and k-medians clustering, ICML).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .candidate import Candidate, Choice, candidate_text, labels_of, record_line, silhouette_of
from .choose import ACCIDENT, STABLE, compact_finalist, fill_stability
from .choose import candidates_for as natural_candidates
from .estimators import needs_k
from .purpose import FEWEST, FLOOR, MOST, MOST_QUESTIONS, ROOM
from .structure import blurred, few_valued, measured

__all__ = ["candidates_for", "choose", "told"]

# Each group should have at least this many rows of the sample.
LEAST_ROWS = 5
# Of more, the share is told of a sample.
TREE_ROWS = 20_000


def candidates_for(
    X: np.ndarray,
    n: int,
    *,
    method: str = "auto",
    n_clusters: int | None = None,
    params: dict[str, Any] | None = None,
    min_share: float | None = None,
) -> list[tuple[str, dict[str, Any]]]:
    """List what is tried on ``n`` of the rows of ``X``; K-means keeps the least share by itself."""
    params = params or {}
    if method != "auto" and not needs_k(method):
        return natural_candidates(X, n, method=method, params=params)
    share = FLOOR if min_share is None else min_share
    most = max(min(MOST, n // LEAST_ROWS, int(ROOM / share + 1e-9) if share else MOST), 2)
    wanted = [n_clusters] if n_clusters is not None else range(min(FEWEST, most), most + 1)
    bounded = method in ("auto", "KMeans") and share > 0
    return [
        (
            "KMeans" if method == "auto" else method,
            {"n_clusters": k} | ({"min_cluster_size": min(share, ROOM / k)} if bounded else {}) | params,
        )
        for k in wanted
    ]


def choose(
    X: np.ndarray,
    candidates: list[tuple[str, dict[str, Any]]],
    *,
    seed: int = 0,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Choice:
    """Pick the groups that are most separate, sure to come back and easy to tell apart, all at once; see `choose.choose`."""
    # As for natural groups, levels of a category count only where several columns agree.
    Z = measured(blurred(X, np.random.default_rng(seed)), few_valued(X))
    judged, rules = [], []
    for i, (method, params) in enumerate(candidates):
        if on_progress:
            on_progress(i, len(candidates), candidate_text(method, params))
        labels = labels_of(X, method, params, seed)
        k = int(labels.max(initial=-1)) + 1
        rules.append(told_apart(X, labels, seed))
        useful = max(silhouette_of(Z, labels), 0.0) * rules[-1] if k > 1 else 0.0
        judged.append(Candidate(method, params, labels, k, 0.0, None, useful, useful))
    everyone = list(range(len(judged)))
    fill_stability(X, judged, everyone, seed)
    winner = compact_finalist(judged, everyone)
    told = [record_line(c, i == winner, _reason(c, judged[winner], rules[i])) for i, c in enumerate(judged)]
    return Choice(winner, _why(judged, winner, rules[winner]), judged, told)


def told_apart(X: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """Give the share of rows left out that a tree of at most four questions puts in their group: two halves, each from the other."""
    from sklearn.tree import DecisionTreeClassifier

    rows = np.random.default_rng(seed).permutation(len(X))[:TREE_ROWS]
    halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    right = 0
    for learn, look in (halves, halves[::-1]):
        tree = DecisionTreeClassifier(max_depth=MOST_QUESTIONS, min_samples_leaf=2, random_state=seed)
        right += int((tree.fit(X[learn], labels[learn]).predict(X[look]) == labels[look]).sum())
    return right / len(rows)


def told(k: int, n: int, smallest: int, verdict: str, rules: float | None) -> dict[str, Any]:
    """Return the answer: ``headline``, ``answer`` and ``figures`` of the record; ``rules`` is from `told_apart`."""
    sentences = [
        f"The {n:,} rows were cut into {k} groups to work with; the smallest holds {smallest / n:.0%} of them."
    ]
    if rules is not None:
        sentences.append(f"At most {MOST_QUESTIONS} questions put {rules:.0%} of rows left out in their group.")
    sentences.append(
        {
            "clusters": "The rows form natural groups as well, which these need not follow; purpose 'natural' shows those.",
            "weak": "There are signs of natural groups, but no clear gap: these are useful cuts, not types that exist.",
        }.get(verdict, "The groups are cuts through a continuum: useful, not natural.")
    )
    return {
        "headline": f"{k} useful groups" if k != 1 else "1 group",
        "answer": sentences,
        "figures": {"told_apart": rules, "smallest_share": smallest / n},
    }


def _why(judged: list[Candidate], winner: int, rules: float) -> str:
    c = judged[winner]
    apart = f"at most {MOST_QUESTIONS} questions put {rules:.0%} of rows left out in their group"
    if len(judged) == 1:
        return f"It has the number of groups asked for; {apart}."
    stability = c.stability or 0.0
    back = (
        "come back"
        if stability >= STABLE
        else "mostly come back"
        if stability >= ACCIDENT
        else "change, as all others do,"
    )
    return f"{c.n_clusters} groups are the most useful: they {back} when rows are left out (agreement {stability:.2f}), and {apart}."


def _reason(c: Candidate, winner: Candidate, rules: float) -> str:
    return (
        f"Its groups are less separate, come back less surely, or are harder to tell apart ({c.score:.2f} against {winner.score:.2f}; "
        f"{rules:.0%} told apart)."
    )
