"""Unusual rows first: how far each row is from what is usual, all rows in that order, and a reason for each that stands out.

Three scores of a row have their geometric mean taken: that of the method for its group, and the distance to its 20th neighbour
(Ramaswamy, Rastogi & Shim 2000, doi:10.1145/342009.335437) against the far fence of its group and against that of all rows. A row
is unusual from 0.5 on, where it stands at these fences. Far from the 20 nearest rows of a large sample tells the same as far from
those of all rows, at a cost that grows with the rows alone (Sugiyama & Borgwardt 2013, Rapid distance-based outlier detection).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..primitives.neighbors import k_nearest
from .candidate import Candidate, Choice, record_line
from .choose import MOST_NOISE
from .choose import candidates_for as natural_candidates
from .choose import choose as natural_choice
from .estimators import needs_k
from .judge import OUTLIER_THRESHOLD, fenced, outlier_fences, outlier_scores
from .outliers import unusual_values, usual_values
from .population import cluster_means
from .purpose import MOST_UNUSUAL
from .values import View

__all__ = ["Unusual", "candidates_for", "choose", "one_group", "ranked", "scores", "told"]

NEIGHBORS = 20
REFERENCE_ROWS = 20_000
BLOCK = 65_536
STAND_IN = 8
TOP = 10
PEERS = 20_000


class Unusual(NamedTuple):
    """Unusual rows, the most unusual first; their scores; why; and whether there were more, beyond the most that are named."""

    rows: np.ndarray
    scores: np.ndarray
    why: list[str]
    more: int


def candidates_for(
    X: np.ndarray, n: int, *, method: str = "auto", n_clusters: int | None = None, params: dict[str, Any] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """List what is tried on ``n`` of the rows of ``X``: density methods, and what stands in where they take too long."""
    if method != "auto" or n_clusters is not None:
        return natural_candidates(X, n, method=method, n_clusters=n_clusters, params=params)
    return [*natural_candidates(X, n, method="HDBSCAN"), ("KMeans", {"n_clusters": max(min(STAND_IN, n // 8), 1)})]


def choose(
    X: np.ndarray,
    candidates: list[tuple[str, dict[str, Any]]],
    *,
    seed: int = 0,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Choice:
    """Pick the density groups that come back best; one group where none hold most of the rows; see `choose.choose`."""
    dense = [pair for pair in candidates if not needs_k(pair[0])]
    choice = natural_choice(X, dense or candidates, seed=seed, on_progress=on_progress)
    best = choice.candidates[choice.winner]
    if not dense or len(dense) == len(candidates):  # nothing else was possible, or a method was asked for
        return choice
    if best.n_clusters < 2 or best.noise_share > MOST_NOISE:
        return one_group(choice, "No dense groups hold most of the rows; rows are compared with all others.")
    why = (
        f"Its {best.n_clusters} groups come back best when rows are left out (agreement {best.stability or 0.0:.2f}); rows are compared "
        "with these."
    )
    return choice._replace(why=why)


def one_group(choice: Choice, why: str) -> Choice:
    """Return the choice of one group, beside what was tried; why says what is wrong with the winner so far."""
    best = choice.candidates[choice.winner]
    alone = Candidate("KMeans", {"n_clusters": 1}, np.zeros_like(best.labels), 1, 0.0, None, 0.0, 0.0)
    told = [line | {"chosen": False} for line in choice.record]
    told[choice.winner] |= {"reason": why.partition(";")[0] + "."}
    told.append(record_line(alone, True))
    return Choice(len(choice.candidates), why, [*choice.candidates, alone], told)


def scores(X: np.ndarray, labels: np.ndarray, own: np.ndarray, set_aside: np.ndarray, seed: int) -> np.ndarray:
    """Score how unusual each row is, 0 to below 1, from `judge.OUTLIER_THRESHOLD` on unusual.

    Parameters
    ----------
    X : (n, m) float64 array
    labels : (n,) int array
        Final labels, noise -1.
    own : (n,) float array
        The score by the method and the row's group.
    set_aside : (n,) bool array
        Rows of groups too small to be usual: scored by the distance to the next group, and unusual at least.
    seed : int

    Returns
    -------
    (n,) float64 array
    """
    far = _far_from_neighbors(X, seed)
    k = int(labels.max(initial=-1)) + 1
    group = _nearest_group(X, labels, k)
    everywhere = fenced(far, outlier_fences(far, np.zeros(len(X), dtype=np.int64), 1)[0])
    within = fenced(far, outlier_fences(far, group, max(k, 1))[group])
    found = np.cbrt(own * within * everywhere)
    if not set_aside.any():
        return found
    # Among its own a row of a small group is usual; what it is far from is the next large group.
    means = cluster_means(X, labels, k) if k else X.mean(axis=0, keepdims=True)
    return np.where(set_aside, np.maximum(outlier_scores(None, X, labels, means), OUTLIER_THRESHOLD), found)


def _far_from_neighbors(X: np.ndarray, seed: int) -> np.ndarray:
    """Return the distance of each row to its 20th nearest other row of a sample of at most 20,000."""
    n = len(X)
    drawn = np.arange(n)
    if n > REFERENCE_ROWS:
        drawn = np.sort(np.random.default_rng(seed).choice(n, REFERENCE_ROWS, replace=False))
    among = np.zeros(n, dtype=bool)
    among[drawn] = True
    reference = np.ascontiguousarray(X[drawn])
    neighbors = min(NEIGHBORS, len(drawn) - 1)
    if neighbors < 1:
        return np.zeros(n)
    far = np.empty(n)
    for start in range(0, n, BLOCK):
        part = slice(start, start + BLOCK)
        distances = k_nearest(reference, neighbors + 1, queries=np.ascontiguousarray(X[part]))[0]
        # A row of the sample is its own nearest.
        far[part] = np.where(among[part], distances[:, neighbors], distances[:, neighbors - 1])
    return far


def _nearest_group(X: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Return the group of each row, of noise the one with the nearest mean."""
    if k == 0:
        return np.zeros(len(X), dtype=np.int64)
    group = np.array(labels, dtype=np.int64)
    noise = np.flatnonzero(group < 0)
    means = cluster_means(X, labels, k)
    if len(noise):
        group[noise] = k_nearest(means, 1, queries=np.ascontiguousarray(X[noise]))[1][:, 0]
    return group


def ranked(views: list[View], labels: np.ndarray, scores: np.ndarray, together: np.ndarray) -> Unusual:
    """Put the unusual rows in order, and say why each is.

    Parameters
    ----------
    views : list of View
        The used original columns.
    labels : (n,) int array
        Final labels; a row of none is compared with all rows.
    scores : (n,) float array
        From `scores`.
    together : (n,) int array
        Of a row in a group too small to be usual, the rows of that group; else 0.

    Returns
    -------
    Unusual
        At most a tenth of all rows.
    """
    beyond = np.flatnonzero(scores >= OUTLIER_THRESHOLD)
    rows = beyond[np.argsort(-scores[beyond], kind="stable")][: int(MOST_UNUSUAL * len(labels))]
    usual = {int(label): usual_values(views, _peers(labels, label)) for label in np.unique(labels[rows])}
    why = []
    for row in rows.tolist():
        reason = unusual_values(views, usual[int(labels[row])], row)
        why.append(f"In a small group of {together[row]} rows. {reason}" if together[row] > 1 else reason)
    return Unusual(rows, scores[rows], why, len(beyond) - len(rows))


def _peers(labels: np.ndarray, label: int) -> np.ndarray:
    rows = np.flatnonzero(labels == label) if label >= 0 else np.arange(len(labels))
    return rows[:: max(len(rows) // PEERS, 1)]


def told(found: Unusual, n: int, k: int, small: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the answer (``headline``, ``answer``, ``figures``) and the ``outliers`` part of the record.

    Parameters
    ----------
    found : Unusual
    n, k : int
        Rows, and groups of usual ones.
    small : int
        Groups that are unusual as a whole.
    """
    m = len(found.rows)
    share = m / n
    if m == 0:
        sentences = ["No row lies beyond the far fence of what is usual."]
    else:
        lie = "1 row is" if m == 1 else f"{m:,} rows ({share:.1%}) are"
        sentences = [f"{lie} unusual, beyond the far fence of what is usual; the most unusual come first."]
    if found.more:
        sentences.append(
            f"{found.more:,} more lie beyond it, but no more than {MOST_UNUSUAL:.0%} of the rows are named: so many are not unusual but "
            "another kind, or rows that spread far."
        )
    if small:
        sentences.append(f"{small} small group{' is' if small == 1 else 's are'} unusual as a whole.")
    sentences.append(
        "The usual rows form one group."
        if k <= 1
        else f"The usual rows form {k} groups, and each row is compared with its own."
    )
    top = [
        {"row": int(row), "score": round(float(score), 4), "why": why}
        for row, score, why in list(zip(found.rows, found.scores, found.why, strict=True))[:TOP]
    ]
    threshold = float(found.scores[-1]) if found.more and m else OUTLIER_THRESHOLD
    answer = {
        "headline": "No unusual rows" if m == 0 else "1 unusual row" if m == 1 else f"{m:,} unusual rows",
        "answer": sentences,
        "figures": {"threshold": threshold, "beyond_fence": m + found.more, "small_groups": small},
    }
    return answer, {"rows": m, "share": share, "sentence": sentences[0], "top": top}
