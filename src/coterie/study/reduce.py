"""Representatives: few real rows that stand for all others.

Each row is told by the representative of its group. What that loses is the sum of squared distances to it; what is kept, one less its share of the
sum around the mean, on parts of the rows that did not choose the representatives. More of them keep more, with ever less gain:
of rows of true dimension d the loss falls as k^(-2/d) (Zador 1982, doi:10.1109/TIT.1982.1056490), so that the number is found
going up a ladder, and between its last two steps by halves.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..primitives.neighbors import k_nearest
from .candidate import Candidate, Choice, candidate_text, labels_of, record_line
from .choose import candidates_for as natural_candidates
from .estimators import build, needs_k
from .population import cluster_means
from .purpose import GOAL, MOST_REPRESENTATIVES, MOST_SHARE

__all__ = ["Representatives", "candidates_for", "choose", "representatives", "told"]

LADDER = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, MOST_REPRESENTATIVES)
ROWS = 3_000
FOLDS = 3
# A method that keeps this much more at the same number is worth its cost.
BETTER = 0.01


class Representatives(NamedTuple):
    """Rows (k,) that stand for groups 0 to k-1, how many rows each stands for, what each loses, and the share that all keep."""

    rows: np.ndarray
    weights: np.ndarray
    losses: np.ndarray  # (k,) share of the whole loss
    kept: float


def candidates_for(
    X: np.ndarray, n: int, *, method: str = "auto", n_clusters: int | None = None, params: dict[str, Any] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """List what is tried on ``n`` of the rows of ``X``; medoids at the largest number, as that is what they may cost."""
    params = params or {}
    if n_clusters is not None or (method != "auto" and not needs_k(method)):
        return natural_candidates(
            X, n, method="KMeans" if method == "auto" else method, n_clusters=n_clusters, params=params
        )
    most = max(int(min(MOST_REPRESENTATIVES, MOST_SHARE * len(X), n * (FOLDS - 1) / FOLDS / 2)), 1)
    numbers = [k for k in LADDER if k < most] + [most]
    found = [("KMeans" if method == "auto" else method, {"n_clusters": k, **params}) for k in numbers]
    if method == "auto":
        found += [(name, {"n_clusters": most}) for name in ("KMedoids", "CLARA")]
    return found


def choose(
    X: np.ndarray,
    candidates: list[tuple[str, dict[str, Any]]],
    *,
    seed: int = 0,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Choice:
    """Find the fewest representatives that keep the goal, then the method that keeps most with as many; see `choose.choose`."""
    parts = _parts(X, seed)
    first = candidates[0][0]
    ladder = [params for method, params in candidates if method == first]
    others = [method for method, _ in candidates if method != first][:1]  # CLARA only stands in for KMedoids
    tried: dict[tuple[str, int], Candidate] = {}

    def kept_by(method: str, params: dict[str, Any], k: int) -> float:
        if (method, k) not in tried:
            if on_progress:
                on_progress(len(tried), len(tried) + 2, candidate_text(method, {"n_clusters": k}))
            params = params | {"n_clusters": k}
            labels = labels_of(X, method, params, seed)
            kept = _kept_on_rows_left_out(parts, method, params, seed)
            found = int(labels.max(initial=-1)) + 1
            tried[method, k] = Candidate(method, params, labels, found, 0.0, None, kept, kept)
        return tried[method, k].validity

    k = _fewest(lambda k: kept_by(first, ladder[0], k), [params["n_clusters"] for params in ladder])
    kept = kept_by(first, ladder[0], k)
    best = first
    for other in others:
        best = other if kept_by(other, {}, k) > kept + BETTER else best
    judged = list(tried.values())
    winner = list(tried).index((best, k))
    told = [record_line(c, i == winner, _reason(c, judged[winner])) for i, c in enumerate(judged)]
    return Choice(winner, _why(judged[winner], len(ladder) > 1), judged, told)


def _fewest(kept_by: Callable[[int], float], numbers: list[int]) -> int:
    """Return the least number that keeps the goal, or the largest of all where none does."""
    below = 0
    for k in numbers:
        if kept_by(k) >= GOAL:
            break
        below = k
    else:
        return numbers[-1]
    while below and k - below > 1:
        middle = (below + k) // 2
        below, k = (below, middle) if kept_by(middle) >= GOAL else (middle, k)
    return k


def _parts(X: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return pairs of rows to learn from and rows left out."""
    rows = np.random.default_rng(seed).permutation(len(X))[:ROWS]
    folds = min(FOLDS, len(rows))
    return [
        (X[np.concatenate([rows[j::folds] for j in range(folds) if j != i])], X[rows[i::folds]]) for i in range(folds)
    ]


def _kept_on_rows_left_out(parts, method: str, params: dict[str, Any], seed: int) -> float:
    loss = total = 0.0
    for learn, look in parts:
        model = build(method, params | {"n_clusters": min(params["n_clusters"], len(learn))}, seed).fit(learn)
        labels = np.asarray(model.labels_, dtype=np.int64)
        stand = learn[_rows_of_groups(learn, labels, model)]
        loss += float((k_nearest(np.ascontiguousarray(stand), 1, queries=np.ascontiguousarray(look))[0] ** 2).sum())
        total += float(((look - learn.mean(axis=0)) ** 2).sum())
    return 1.0 - loss / total if total else 1.0


def _rows_of_groups(X: np.ndarray, labels: np.ndarray, model: Any, label_map: np.ndarray | None = None) -> np.ndarray:
    """Return for each group its medoid, or the row of it that is nearest to its mean."""
    k = int(labels.max(initial=-1)) + 1
    medoids = getattr(model, "medoid_indices_", None)
    if medoids is not None:
        order = np.arange(k) if label_map is None else np.argsort(label_map)
        return np.asarray(medoids, dtype=np.int64)[order]
    far = ((X - cluster_means(X, labels, k)[labels]) ** 2).sum(axis=1)
    order = np.lexsort((far, labels))
    return order[np.searchsorted(labels[order], np.arange(k))]


def representatives(X: np.ndarray, labels: np.ndarray, model: Any, label_map: np.ndarray) -> Representatives:
    """Return the row that stands for each group.

    Parameters
    ----------
    X : (n, m) float64 array
    labels : (n,) int array
        Final labels; every row has one.
    model : estimator
        That was fitted; its medoids stand for their groups, where it has them.
    label_map : (k,) int array
        The final label of each of its clusters.

    Returns
    -------
    Representatives
    """
    rows = _rows_of_groups(X, labels, model, label_map)
    squares = np.bincount(labels, ((X - X[rows][labels]) ** 2).sum(axis=1), len(rows))
    total, loss = float(((X - X.mean(axis=0)) ** 2).sum()), float(squares.sum())
    shares = squares / loss if loss else np.zeros(len(rows))
    return Representatives(rows, np.bincount(labels), shares, 1.0 - loss / total if total else 1.0)


def told(found: Representatives, held_out: float | None, asked: bool) -> dict[str, Any]:
    """Return the answer: ``headline``, ``answer``, ``figures`` and ``representatives`` of the record.

    ``held_out`` is the share that is kept on rows left out, where that was measured; ``asked`` whether the number was given.
    """
    k, n = len(found.rows), int(found.weights.sum())
    stand = "1 row stands" if k == 1 else f"{k:,} rows stand"
    sentences = [
        f"{stand} for all {n:,}: each is a real row, and its weight is the number of rows that it stands for.",
        f"Together they keep {_percent(found.kept)} of the squared differences between rows"
        + ("." if held_out is None else f", {_percent(held_out)} on rows that had no part in choosing them."),
    ]
    if not asked and held_out is not None and held_out >= GOAL:
        sentences.append(f"Fewer would keep less than {GOAL:.0%} there.")
    return {
        "headline": "1 representative" if k == 1 else f"{k:,} representatives",
        "answer": sentences,
        "figures": {"kept": found.kept, "kept_left_out": held_out, "goal": None if asked else GOAL},
        "representatives": [
            {"label": i, "row": int(row), "weight": int(weight), "loss_share": float(loss)}
            for i, (row, weight, loss) in enumerate(zip(found.rows, found.weights, found.losses, strict=True))
        ],
    }


def _percent(share: float) -> str:
    return "none" if share <= 0 else f"{share:.0%}"


def _why(c: Candidate, searched: bool) -> str:
    if not searched:
        return f"It has the number of representatives asked for; they keep {_percent(c.validity)} of the differences of rows left out."
    if c.validity >= GOAL:
        return f"{c.n_clusters} representatives are the fewest that keep {GOAL:.0%} of the differences of rows left out ({c.validity:.0%})."
    return (
        f"As many as allowed, {c.n_clusters}, keep {_percent(c.validity)} of the differences of rows left out; {GOAL:.0%} would "
        "take more."
    )


def _reason(c: Candidate, winner: Candidate) -> str:
    if c.n_clusters > winner.n_clusters:
        return f"Fewer representatives keep {GOAL:.0%} too."
    if c.n_clusters < winner.n_clusters:
        return f"It keeps {_percent(c.validity)} of the differences of rows left out, short of {min(GOAL, winner.validity):.0%}."
    return (
        f"With as many representatives it keeps no more ({_percent(c.validity)} against {_percent(winner.validity)})."
    )
