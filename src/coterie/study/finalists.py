"""The best compact candidate against the best density one: which wins, in words, and whether the other is as good an answer."""

from typing import NamedTuple

import numpy as np

from ..metrics.external import adjusted_rand_score
from .candidate import Candidate, dbcv_of, silhouette_of
from .dense import solid
from .estimators import needs_k

__all__ = ["Decision", "between"]

# The density finalist must come back this well, after the price of its noise.
# In many columns all rows are about equally far apart, and density tells less: then it must come back better.
STABLE_DENSE, STABLE_DENSE_MANY, MANY = 0.5, 0.8, 10
# Density groups with at least this silhouette are convex, and compact ones may beat them.
CONVEX = 0.3
# Levels of a category are dense regions by nature: there the density method must lead by this much DBCV, categories blurred.
DENSITY_LEAD = 0.1
# Two groupings that agree this well are one answer; the one that leaves no row out gives it.
SAME = 0.9
# The loser is as good an answer where both come back this well, and each has so much of the other's density-based validity and
# silhouette: whether groups that touch are one or two is then a matter of taste.
BOTH_STABLE, BOTH_DENSE, BOTH_APART = 0.85, 0.4, 0.7


class Decision(NamedTuple):
    """The winner's place among the candidates, why it won, and the place of one that is as good an answer, if there is one."""

    winner: int
    why: str
    rival: int | None = None


def between(
    Z: np.ndarray, judged: list[Candidate], best: int | None, dense: int | None, levels: bool, n_columns: int
) -> Decision:
    """Decide between the finalists.

    Parameters
    ----------
    Z : (r, m) float64 array
        The rows, categories blurred.
    judged : list of Candidate
    best, dense : int or None
        Places of the compact finalist and of the density one.
    levels : bool
        Whether some columns hold few values, as categories do.
    n_columns : int
        Of the rows before they were turned.

    Returns
    -------
    Decision
    """
    if best is None:
        if dense is None:
            dense = max(range(len(judged)), key=lambda i: (judged[i].n_clusters >= 2, judged[i].score))
        return Decision(dense, f"It is the method asked for; {_found(judged[dense])}.")
    c = judged[best]
    if dense is None:
        others = any(not needs_k(line.method) for line in judged)
        return Decision(best, _why(c, "The density method found no grouping that covers most rows." if others else ""))
    d = judged[dense]
    whole = d.labels if d.whole is None else d.whole
    inside = whole >= 0
    if adjusted_rand_score(c.labels[inside], whole[inside]) >= SAME:
        return Decision(best, _why(c, "The density method finds the same groups."))
    if solid(d.stability or 0.0, d.noise_share) < (STABLE_DENSE if n_columns <= MANY else STABLE_DENSE_MANY):
        return Decision(best, _why(c, "The groups of the density method change when rows are left out."))
    separation = silhouette_of(Z, whole)
    validity, compact_validity = dbcv_of(Z, whole), dbcv_of(Z, c.labels)
    lead = validity - compact_validity
    if levels and lead < DENSITY_LEAD:
        return Decision(best, _why(c, "The density method follows the levels of categories."))
    stable = min(c.stability or 0.0, d.stability or 0.0) >= BOTH_STABLE
    both = stable and _alike(validity, compact_validity, BOTH_DENSE) and _alike(separation, c.validity, BOTH_APART)
    if CONVEX <= separation < c.validity and lead < 0:
        less = f"The density method's {d.n_clusters} groups are less well separated (silhouette {separation:.2f})."
        return Decision(best, _why(c, less), dense if both else None)
    why = (
        f"Its {d.n_clusters} groups follow the dense regions, whatever their shape, and come back when rows are left out "
        f"(agreement {d.stability:.2f}); the best K-means, with {c.n_clusters}, does not follow them."
    )
    return Decision(dense, why, best if both else None)


def _alike(one: float, other: float, share: float) -> bool:
    return min(one, other) >= share * max(one, other) > 0


def _why(c: Candidate, more: str) -> str:
    if c.stability is None:
        first = f"It has the number of groups asked for; {_found(c)}."
    else:
        first = (
            f"{c.n_clusters} compact groups are the best separated (silhouette {c.validity:.2f}) of those that come back when "
            f"rows are left out (agreement {c.stability:.2f})."
        )
    return f"{first} {more}".rstrip()


def _found(c: Candidate) -> str:
    return f"it found {c.n_clusters} group{'s' if c.n_clusters != 1 else ''} on the sample"
