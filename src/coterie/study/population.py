"""One rule for small groups: close to a larger one, they join it; apart, they are set aside as noise.

Also numbers the groups that remain by decreasing size, and says how many rows belong to none and what would change that.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..clustering import number_by_size, relabel
from ..errors import InputError
from .purpose import APART

__all__ = ["Settled", "check_share", "cluster_means", "settle", "settle_counts", "squares_within"]

# Without a minimum share, a group is small below this share of the rows, or below a fifth of the average group.
SMALL_SHARE = 0.01


class Settled(NamedTuple):
    """Final labels (n,), the map from the estimator's labels to them, and the ``population`` part of the record."""

    labels: np.ndarray
    label_map: np.ndarray
    record: dict[str, Any]


def settle(
    X: np.ndarray,
    labels: np.ndarray,
    *,
    min_share: float | None = None,
    method: str = "",
    joined: int = 0,
    reach: float = APART,
) -> Settled:
    """Deal with small groups and number the rest by decreasing size.

    Parameters
    ----------
    X : (n, m) float64 array
        The prepared rows.
    labels : (n,) int array
        The estimator's labels, noise -1.
    min_share : float, optional
        Smallest share of the rows that a group may have, 0 to below 0.5. None picks 1%, or a fifth of the average group
        where that is less; 0 keeps every group.
    method : str
        Named in the sentence about noise.
    joined : int
        Rows of noise that joined a group before; told among the actions.
    reach : float, default=3
        A small group joins its neighbour where it lies within this many widths of it.

    Returns
    -------
    Settled

    Raises
    ------
    InputError
        If ``min_share`` is out of range.
    """
    k = int(labels.max(initial=-1)) + 1
    inside = labels >= 0
    sizes = np.bincount(labels[inside], minlength=k)
    noise = int(len(labels) - inside.sum())

    def shape() -> tuple[np.ndarray, np.ndarray]:
        means = cluster_means(X, labels, k)
        return means, squares_within(X, labels, means)

    final, record = settle_counts(sizes, noise, shape, min_share=min_share, method=method, joined=joined, reach=reach)
    return Settled(relabel(labels, final), final, record)


def settle_counts(
    sizes: np.ndarray,
    noise: int,
    shape: Callable[[], tuple[np.ndarray, np.ndarray]],
    *,
    min_share: float | None = None,
    method: str = "",
    joined: int = 0,
    reach: float = APART,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Decide what becomes of each cluster from sizes and means alone.

    Parameters
    ----------
    sizes : (k,) int array
        Rows of each of the estimator's clusters.
    noise : int
        Rows of none.
    shape : callable
        Returns, where clusters are small, the means (k, d) and the sums of squared distances to them (k,).
    min_share, method, joined, reach
        As for `settle`.

    Returns
    -------
    final : (k,) int64 array
        Final label of each cluster, -1 for one that is set aside.
    record : dict
        The ``population`` part of the record.

    Raises
    ------
    InputError
        If ``min_share`` is out of range.
    """
    check_share(min_share)
    n, k = int(sizes.sum()) + noise, len(sizes)
    share = min(SMALL_SHARE, 0.2 / max(k, 1)) if min_share is None else float(min_share)
    min_rows = max(int(np.ceil(share * n)), 1)
    group = np.arange(k)
    small = np.flatnonzero(sizes < min_rows)
    actions: list[str] = []
    if len(small) == k:
        small = small[small != int(np.argmax(sizes))] if k else small
    if len(small):
        group, actions = _place(*shape(), sizes, small, reach)
    if joined:
        rows = "1 row in a thin place" if joined == 1 else f"{joined:,} rows in thin places"
        actions.insert(0, f"{rows} joined the group that {'it is' if joined == 1 else 'they are'} connected to first.")
    total = np.bincount(group[group >= 0], sizes[group >= 0], k).astype(np.int64)
    final = relabel(group, number_by_size(total))
    left = n - int(total.sum())
    record = {
        "min_rows": min_rows,
        "min_share": share,
        "noise_rows": left,
        "noise_share": left / n,
        "noise_why": _noise_why(left, n, noise, method),
        "actions": actions,
        "small_clusters": [int(i) for i in small],
    }
    return final, record


def check_share(min_share: float | None) -> None:
    """Refuse a least share that groups cannot have.

    Raises
    ------
    InputError
    """
    if min_share is not None and not 0 <= min_share < 0.5:
        raise InputError(f"min_share must be at least 0 and below 0.5, got {min_share!r}")


def cluster_means(X: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Return the mean row of each of k clusters, (k, d) float64; zeros for an empty one. Noise is left out."""
    inside = labels >= 0
    own = labels[inside]
    sums = np.stack([np.bincount(own, column[inside], k) for column in X.T], axis=1)
    return sums / np.maximum(np.bincount(own, minlength=k), 1)[:, None]


def squares_within(X: np.ndarray, labels: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the sum of squared distances of the rows of each cluster to its center, (k,) float64."""
    inside = labels >= 0
    squares = ((X[inside] - centers[labels[inside]]) ** 2).sum(axis=1)
    return np.bincount(labels[inside], squares, len(centers))


def _place(centers, squares, sizes, small, reach) -> tuple[np.ndarray, list[str]]:
    """Return the group that each of the estimator's clusters ends in (-1 set aside), and a sentence for each move."""
    k = len(sizes)
    width = np.sqrt(squares / np.maximum(sizes, 1))
    large = np.setdiff1d(np.arange(k), small)
    group = np.arange(k)
    joined, apart, rows_joined, rows_apart = 0, 0, 0, 0
    for i in small:
        gaps = np.sqrt(((centers[large] - centers[i]) ** 2).sum(axis=1))
        nearest = int(large[np.argmin(gaps)])
        if gaps.min() <= reach * max(width[nearest], np.finfo(float).tiny):
            group[i] = nearest
            joined, rows_joined = joined + 1, rows_joined + int(sizes[i])
        else:
            group[i] = -1
            apart, rows_apart = apart + 1, rows_apart + int(sizes[i])
    actions = []
    if joined:
        actions.append(f"{_groups(joined, rows_joined)} joined the nearest larger group.")
    if apart:
        were = "was" if apart == 1 else "were"
        actions.append(f"{_groups(apart, rows_apart)}, far from every other, {were} set aside.")
    return group, actions


def _groups(count: int, rows: int) -> str:
    return f"One small group with {rows:,} rows" if count == 1 else f"{count} small groups with {rows:,} rows in all"


def _noise_why(rows: int, n: int, own: int, method: str) -> str:
    """Say why so many of n rows belong to no group, of which the method itself left out its ``own``."""
    if not rows:
        return "Every row belongs to a group."
    share = rows / n
    text = f"{rows:,} rows ({share:.1%}) belong to no group: "
    if own:
        text += "they lie where rows are too sparse to count as part of one"
    else:
        text += "they formed groups too small to keep"
    if share > 0.25 and method == "HDBSCAN":
        text += "; a smaller min_samples or min_cluster_size would take more of them in"
    elif share > 0.25 and method == "DBSCAN":
        text += "; a larger eps or a smaller min_samples would take more of them in"
    return text + "."
