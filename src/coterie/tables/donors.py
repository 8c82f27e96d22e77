"""Rows without a text take the place of a text that rows like them have.

In the middle of all texts, where nobody's text may be, they would be taken for a group of their own. So a row whose text is not known looks
for the row that is nearest to it by the other columns, a donor, and takes the place that stands for the texts around that donor: of the
five nearest donors, and of those equally near, the one whose text is nearest to those of the others. It is the place of a text that was
written, and where the other columns tell themes apart, one of the theme that they point to. At most 1,000 donors are kept, spread
evenly over the rows, so that new rows are placed alike.

Andridge R. R., Little R. J. A. (2010), A review of hot deck imputation for survey non-response, International Statistical Review 78(1), 40-64.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Donors", "donors_from_state", "fill_texts", "find_donors", "state_of"]

MOST_DONORS = 1_000
_MOST_NUMBERS = 100_000  # that a model keeps of them
_NEAREST = 5
_MOST_TIED = 50
_BLOCK = 2_000
_STATE = "donors"


class Donors(NamedTuple):
    """Rows that lend places to rows without a text.

    Attributes
    ----------
    others : (r, p) float64 array
        What the donors are by the other columns, as prepared; all different.
    places : (r, m) float64 array
        Where texts lie for rows like each of them.
    """

    others: NDArray[np.float64]
    places: NDArray[np.float64]


def find_donors(
    X: NDArray[np.float64],  # (n, m)  in, NaN where a text is not known
    own: NDArray[np.bool_],  # (m,)  in, the features of the column of texts
) -> Donors | None:
    """Return the donors of a column of texts, or None where there is no other column or no text."""
    known = np.flatnonzero(~np.isnan(X[:, own]).any(axis=1))
    if own.all() or not own.any() or not len(known):
        return None
    most = max(min(MOST_DONORS, _MOST_NUMBERS // X.shape[1]), 1)
    rows = X[known[:: -(-len(known) // most)]]
    others, texts = np.nan_to_num(rows[:, ~own]), rows[:, own]
    places = texts[[_central(texts, near) for near in _squared(others, others)]]
    first = np.sort(np.unique(others, axis=0, return_index=True)[1])
    return Donors(others[first], places[first])


def _central(texts: NDArray[np.float64], distance2: NDArray[np.float64]) -> int:
    """Return which of the nearest texts has the least sum of distances to the others of them."""
    order = np.argsort(distance2, kind="stable")
    within = distance2[order[min(_NEAREST, len(order)) - 1]]
    near = order[: min(int(np.count_nonzero(distance2 <= within)), _MOST_TIED)]
    return int(near[np.sqrt(_squared(texts[near], texts[near])).sum(axis=1).argmin()])


def fill_texts(
    X: NDArray[np.float64],  # (n, m)  in and out: no NaN is left
    owner: NDArray[np.int64],  # (m,)  in, the column of each feature
    told: Mapping[int, NDArray[np.bool_]],  # (n,) by column  in, whether the value is known
    donors: Mapping[int, Donors],  # by column of texts  in
) -> None:
    """Place the rows whose text is not known; one of which nothing else is known lies in the middle."""
    rows = np.flatnonzero(np.isnan(X).any(axis=1))
    before = X[rows]
    unknown, before = np.isnan(before), np.nan_to_num(before)
    X[rows] = before
    for column, (others, places) in donors.items():
        own = owner == column
        says = np.any([known[rows] for other, known in told.items() if other != column], axis=0)
        lost = np.flatnonzero(unknown[:, own].any(axis=1) & says)
        for start in range(0, len(lost), _BLOCK):
            block = lost[start : start + _BLOCK]
            nearest = _squared(before[block][:, ~own], others).argmin(axis=1)
            X[np.ix_(rows[block], np.flatnonzero(own))] = places[nearest]


def _squared(A: NDArray[np.float64], B: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.spatial.distance import cdist

    return cdist(A, B, "sqeuclidean")  # pair by pair: the bits do not depend on which rows come together


def state_of(donors: Mapping[int, Donors]) -> dict[str, NDArray]:
    """Return the arrays of all donors by name, for `donors_from_state`."""
    return {
        f"{_STATE}.{column}.{part}": array for column, lend in donors.items() for part, array in lend._asdict().items()
    }


def donors_from_state(arrays: Mapping[str, Any], owner: NDArray[np.int64]) -> dict[int, Donors]:
    """Return the donors of a model file, checked.

    Raises
    ------
    ValueError
        If they do not fit the columns.
    """
    parts: dict[int, dict[str, NDArray[np.float64]]] = {}
    for name, array in arrays.items():
        what, number, part = name.split(".")
        if what != _STATE:
            raise ValueError("it holds an array of no known use")
        parts.setdefault(int(number), {})[part] = np.asarray(array, np.float64)
    found = {column: Donors(**given) for column, given in parts.items()}
    for column, (others, places) in found.items():
        own = int(np.count_nonzero(owner == column))
        if not len(others) or others.shape != (len(places), len(owner) - own) or places.shape != (len(others), own):
            raise ValueError("rows that lend texts do not fit the columns")
    return found
