"""Groups keep their numbers when a model is refitted: a new group that is an old one takes its number, a new one gets a fresh one.

The old model labels the rows of the new fit, and the two labellings of the same rows are matched (`matching`). A number whose group is
gone is retired and never given again, so that "group 3" in last year's report is nobody else's today.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NOISE
from ..errors import InputError
from ..metrics.external import contingency_table
from .matching import SAME_GROUP, matched_groups

__all__ = ["Identity", "keep_identity", "migration"]


class Identity(NamedTuple):
    """Which old group each new one is.

    Attributes
    ----------
    labels : (n,) int64 array
        The new labelling under the kept numbers; noise -1.
    numbers : dict of int to int
        Kept number of each new label, ascending.
    kept, fresh, retired : tuple of int
        Numbers that live on, that are given for the first time, and that have no group any more (those retired before among them).
    """

    labels: np.ndarray
    numbers: dict[int, int]
    kept: tuple[int, ...]
    fresh: tuple[int, ...]
    retired: tuple[int, ...]


def keep_identity(
    old_labels: Any,
    new_labels: Any,
    *,
    known: Collection[int] = (),
    retired: Collection[int] = (),
    least: float = SAME_GROUP,
) -> Identity:
    """Give new groups the numbers of the old ones that they are.

    Parameters
    ----------
    old_labels, new_labels : (n,) array-like of int
        The same rows, as the old model labels them and as the new fit does; noise -1.
    known : collection of int, optional
        Numbers of all groups of the old model, where some may have none of these rows.
    retired : collection of int, optional
        Numbers retired earlier: never given again.
    least : float, default=0.25
        Jaccard similarity from which a new group is an old one; see `matched_groups`.

    Returns
    -------
    Identity

    Raises
    ------
    InputError
        If the labellings differ in length or are not 1-D, or a retired number is in use.

    Examples
    --------
    >>> found = keep_identity([0, 0, 0, 1, 1, 2], [1, 1, 1, 0, 0, 2], known=[0, 1, 2, 3])
    >>> found.labels.tolist(), found.retired
    ([0, 0, 0, 1, 1, 2], (3,))
    """
    matched = {new: old for old, new in matched_groups(old_labels, new_labels, least=least).items()}
    old = {int(label) for label in (*np.unique(old_labels), *known)} - {NOISE}
    reused = sorted(old & {int(number) for number in retired})
    if reused:
        raise InputError(
            f"number {reused[0]} is retired, but the old labels use it; give the labels and the retired numbers of one model"
        )
    gone = {int(number) for number in retired} | (old - set(matched.values()))
    following = max({*old, *gone}, default=-1) + 1
    numbers = {}
    for label in (int(label) for label in np.unique(new_labels) if label != NOISE):
        numbers[label] = matched.get(label, following)
        following += label not in matched
    names = np.array([NOISE, *numbers])
    values = np.array([NOISE, *numbers.values()], dtype=np.int64)
    labels = values[np.searchsorted(names, np.asarray(new_labels))]
    kept, fresh = (
        tuple(sorted(number for label, number in numbers.items() if (label in matched) == is_old))
        for is_old in (True, False)
    )
    return Identity(labels, numbers, kept, fresh, tuple(sorted(gone)))


def migration(old_labels: Any, labels: Any) -> list[dict[str, Any]]:
    """Say which rows went from which group to which.

    Parameters
    ----------
    old_labels, labels : (n,) array-like of int
        The same rows; noise -1.

    Returns
    -------
    list of dict
        ``from``, ``to``, ``rows`` and ``share`` of the rows of the group they came from: the old groups ascending, of each the
        largest part first.

    Examples
    --------
    >>> [(line["from"], line["to"], line["rows"]) for line in migration([0, 0, 0, 1], [0, 0, 1, 1])]
    [(0, 0, 2), (0, 1, 1), (1, 1, 1)]
    """
    table, old, new = contingency_table(old_labels, labels)
    lines = []
    for i in np.argsort(np.where(old == NOISE, np.iinfo(np.int64).max, old), kind="stable"):
        for j in np.argsort(-table[i], kind="stable"):
            if table[i, j]:
                share = float(table[i, j] / table[i].sum())
                lines.append({"from": int(old[i]), "to": int(new[j]), "rows": int(table[i, j]), "share": share})
    return lines
