"""Features that repeat another column's are left out, so that one fact does not count twice."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .coding import Coding, owners_of

__all__ = ["without_copies"]

_COPY = 0.999  # correlation from which a feature says what another one says already
_COPY_SAMPLE = 2000
_COPY_FEATURES = 4000


def without_copies(
    codings: list[Coding], X: NDArray[np.float64]
) -> tuple[list[Coding], NDArray[np.float64], list[str]]:
    """Leave out features that only repeat another column's.

    Parameters
    ----------
    codings : list of Coding
    X : (n, m) float64 array
        By these codings; NaN is a text that is not known.

    Returns
    -------
    codings : list of Coding
    X : array
        Without the features that are left out.
    notes : list of str
    """
    used = [i for i, coding in enumerate(codings) if coding.used]
    owner = owners_of(codings)
    place = np.concatenate([np.arange(len(codings[i].feature_names)) for i in used])
    copy_of = _copies(X, owner, {i for i in used if codings[i].coding == "common scale"})
    if not copy_of:
        return codings, X, []
    codings = list(codings)
    names = [name for i in used for name in codings[i].feature_names]
    notes: list[str] = []
    for i in sorted({int(owner[j]) for j in copy_of}):
        mine = [int(j) for j in np.flatnonzero(owner == i) if j in copy_of]
        kept = tuple(int(place[j]) for j in np.flatnonzero(owner == i) if j not in copy_of)
        if kept:
            codings[i] = replace(codings[i], kept=kept)
            notes += [
                f"{names[j]} follows from {codings[int(owner[copy_of[j]])].column} and is counted once" for j in mine
            ]
        else:
            other = codings[int(owner[copy_of[mine[0]]])].column
            codings[i] = replace(codings[i], used=False, coding="dropped", weight=0.0, why=f"says the same as {other}")
            notes.append(f"{codings[i].column} says the same as {other} and is left out")
    return codings, np.ascontiguousarray(X[:, [j for j in range(X.shape[1]) if j not in copy_of]]), notes


def _copies(X: NDArray[np.float64], owner: NDArray[np.int64], grouped: set[int]) -> dict[int, int]:
    """Find the features whose correlation with an earlier one, of another column, is almost 1 or -1."""
    n, m = X.shape
    if m < 2 or m > _COPY_FEATURES or n < 3:
        return {}
    sample = X[:: max(1, n // _COPY_SAMPLE)]
    if sample.shape[0] < 3:
        return {}
    pairs = np.argwhere(np.triu(np.abs(_correlation(sample)) > _COPY - 0.02, 1))
    copy_of: dict[int, int] = {}
    for i, j in pairs:
        if i in copy_of or j in copy_of or owner[i] == owner[j] or {int(owner[i]), int(owner[j])} & grouped:
            continue
        if abs(_correlation(X[:, [i, j]])[0, 1]) > _COPY:
            copy_of[int(j)] = int(i)
    return copy_of


def _correlation(X: NDArray[np.float64]) -> NDArray[np.float64]:
    X = np.nan_to_num(X)  # NaN stands for a text that is not known
    X = X / np.maximum(np.abs(X).max(axis=0), np.finfo(float).tiny)  # "as is" may be 1e300
    Z = X - X.mean(axis=0)
    sizes = np.sqrt((Z**2).sum(axis=0))
    Z /= np.where(sizes > 0, sizes, 1.0)
    return Z.T @ Z
