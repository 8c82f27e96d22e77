"""Why an item is suggested: who of the user's group liked it, and which of the user's own items it is like."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ...tables.table import brief

__all__ = ["Reasons", "reasons_for", "sentence"]

_LEAST_COMMON = 2  # users who liked both, before two items are called similar


class Reasons(NamedTuple):
    """For each suggestion of one user."""

    group_liked: np.ndarray  # (q,) members of the group who liked it
    group_size: int
    similar_to: np.ndarray  # (q,) an item that the user liked; -1 none
    common: np.ndarray  # (q,) users who liked both


def reasons_for(items: np.ndarray, own: np.ndarray, by_item: csr_array, members: np.ndarray) -> Reasons:
    """Return what speaks for suggested items.

    Parameters
    ----------
    items : (q,) int array
    own : (l,) int array
        What the user liked.
    by_item : (m, n) CSR array of ones
        Who liked each item.
    members : (n,) bool array
        The user's group.
    """
    who = by_item[items]
    group_liked = (who @ members.astype(float)).astype(np.int64)
    similar, common = np.full(len(items), -1), np.zeros(len(items), np.int64)
    if len(own):
        theirs = by_item[own]
        both = (who @ theirs.T).toarray()
        sizes = np.sqrt(np.diff(who.indptr)[:, None] * np.maximum(np.diff(theirs.indptr), 1)[None])
        cosine = np.where(both >= _LEAST_COMMON, both / np.maximum(sizes, 1), 0.0)
        top = cosine.argmax(axis=1)
        found = cosine[np.arange(len(items)), top] > 0
        similar[found] = own[top[found]]
        common[found] = both[np.arange(len(items)), top][found]
    return Reasons(group_liked, int(members.sum()), similar, common)


def sentence(reasons: Reasons, place: int, group: str | None, titles: list[str]) -> str:
    """Return a reason in words."""
    told: list[Any] = []
    if group is not None and reasons.group_liked[place]:
        told.append(f"{reasons.group_liked[place]:,} of {reasons.group_size:,} people in your group “{group}” liked it")
    if reasons.similar_to[place] >= 0:
        told.append(
            f"similar to {brief(titles[reasons.similar_to[place]], 60)}: {reasons.common[place]:,} people liked both"
        )
    return "; ".join(told) or "many people like it now"
