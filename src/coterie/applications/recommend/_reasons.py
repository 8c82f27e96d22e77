"""Why an item is suggested: who of the user's group liked it, and which of the user's own items it is like."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ...tables.table import brief

__all__ = ["Reasons", "reasons_for", "sentence"]

_BLOCK = 1 << 22
_LEAST_COMMON = 2  # users who liked both, before two items are called similar


class Reasons(NamedTuple):
    """For each of q suggestions."""

    group_liked: (
        np.ndarray
    )  # (q,) members of the user's group who liked it; 0 where the group likes it less than others do
    group_size: np.ndarray  # (q,)
    similar_to: np.ndarray  # (q,) an item that the user liked; -1 none
    common: np.ndarray  # (q,) users who liked both


def reasons_for(
    items: np.ndarray, own: csr_array, row: np.ndarray, group: np.ndarray, liked: csr_array, labels: np.ndarray
) -> Reasons:
    """Return what speaks for suggested items.

    Parameters
    ----------
    items : (q,) int array
    own : (r, m) CSR array of ones
        What those to whom they are suggested liked.
    row, group : (q,) int arrays
        To whom each is suggested, and its taste group; -1 for none.
    liked : (n, m) CSR array of ones
        Who liked what.
    labels : (n,) int array
        Taste groups.
    """
    placed = np.flatnonzero(labels >= 0)
    # The last group is that of those without one; nobody is in it.
    shape = int(labels.max(initial=-1)) + 2, len(labels)
    members = csr_array((np.ones(len(placed)), (labels[placed], placed)), shape=shape)
    sizes, counts = np.diff(members.indptr), (members @ liked).toarray()
    group_liked = np.where(
        counts / np.maximum(sizes, 1)[:, None] >= counts.sum(axis=0) / max(len(placed), 1), counts, 0
    )
    return Reasons(group_liked[group, items].astype(np.int64), sizes[group], *_most_similar(items, own, row, liked))


def _most_similar(
    items: np.ndarray, own: csr_array, row: np.ndarray, liked: csr_array
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each suggestion which of the user's own items it is most like, by cosine, and how many liked both.

    How many liked both is counted for some suggested items at a time, so that memory holds.
    """
    similar, common = np.full(len(items), -1), np.zeros(len(items), np.int64)
    by_item, n_liked = liked.T.tocsr(), np.bincount(liked.indices, minlength=liked.shape[1])
    order = np.argsort(items, kind="stable")
    wanted, starts = np.unique(items[order], return_index=True)
    starts = np.append(starts, len(items))
    n_items = max(1, _BLOCK // liked.shape[1])
    for first in range(0, len(wanted), n_items):
        some = wanted[first : first + n_items]
        both = (by_item[some] @ liked).toarray()
        these = order[starts[first] : starts[first + len(some)]]
        n_pairs = np.cumsum(np.diff(own.indptr)[row[these]])
        for part in np.split(these, np.flatnonzero(np.diff(n_pairs // _BLOCK)) + 1):
            pairs = own[row[part]]
            which = np.repeat(np.arange(len(part)), np.diff(pairs.indptr))
            item = items[part][which]
            counts = both[np.searchsorted(some, item), pairs.indices]
            cosine = np.where(counts >= _LEAST_COMMON, counts / np.sqrt(n_liked[item] * n_liked[pairs.indices]), 0.0)
            top = np.zeros(len(part))
            np.maximum.at(top, which, cosine)
            at = np.flatnonzero((cosine == top[which]) & (cosine > 0))[::-1]  # of equals the first is written last
            similar[part[which[at]]], common[part[which[at]]] = pairs.indices[at], counts[at]
    return similar, common


def sentence(reasons: Reasons, place: int, group: str | None, titles: list[str]) -> str:
    """Return a reason in words."""
    told: list[Any] = []
    if group is not None and reasons.group_liked[place]:
        told.append(
            f"{reasons.group_liked[place]:,} of {reasons.group_size[place]:,} people in your group “{group}” liked it"
        )
    if reasons.similar_to[place] >= 0:
        told.append(
            f"similar to {brief(titles[reasons.similar_to[place]], 60)}: {reasons.common[place]:,} people liked both"
        )
    return "; ".join(told) or "many people like it now"
