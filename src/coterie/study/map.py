"""A picture of the rows in two dimensions, packed small enough to travel inside a page.

Two columns are shown as they are; more are projected on their two principal axes, or, where that mixes groups which another
view keeps apart, on the plane that separates the groups best. Positions are 16-bit steps of the range, little-endian, base64.
"""

import base64
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

__all__ = ["MAP_ROWS", "draw_map", "map_of", "unpack"]

# Every row has its point, so that rows can be picked out and found, until the page would be larger than 8 MB.
MAP_ROWS = 1_000_000
STEPS = 65535
# Above so many columns the axes are those of so many rows, and groups are separated within the first few axes.
WIDE = 1_000
LEADING = 50


def map_of(X: np.ndarray, labels: np.ndarray, prepared: Any, table: Any, seed: int) -> dict[str, Any]:
    """Draw the map of a prepared table: two columns of numbers, or the place on Earth, as they are; else projected."""
    used = [coding for coding in prepared.codings if coding.used]
    places = [coding for coding in used if coding.coding == "common scale" and coding.unit == "°"]
    shown = places if len(places) == 2 else used
    if len(shown) == 2 and all(coding.role == "number" for coding in shown) and (places or X.shape[1] == 2):
        # Longitude belongs on the horizontal axis, whatever the order of the columns.
        shown.sort(key=lambda coding: coding.column.lower().startswith("lat"))
        plain = np.column_stack([_values_shown(table, coding) for coding in shown])
        if np.isfinite(plain).all():
            return draw_map(X, labels, plain=plain, plain_names=tuple(c.column for c in shown), seed=seed)
    return draw_map(X, labels, feature_names=prepared.feature_names, seed=seed)


def _values_shown(table, coding) -> np.ndarray:
    values = table.column(coding.column).values.astype(np.float64)
    return values if coding.seam is None else coding.seam + np.mod(values - coding.seam, 360.0)


def draw_map(
    X: np.ndarray,
    labels: np.ndarray,
    *,
    feature_names: tuple[str, ...] = (),
    plain: np.ndarray | None = None,
    plain_names: tuple[str, str] | None = None,
    seed: int = 0,
    max_rows: int = MAP_ROWS,
) -> dict[str, Any]:
    """Project, sample and pack the rows.

    Parameters
    ----------
    X : (n, m) float64 array
        Prepared rows.
    labels : (n,) int array
        Final labels, noise -1.
    feature_names : tuple of str
        Of the m columns; the strongest name each principal axis.
    plain : (n, 2) float64 array, optional
        Two original columns to show as they are instead, with ``plain_names``.
    seed : int, default=0
        Draws the sample when there are more than ``max_rows``; small groups and noise keep a fair share.

    Returns
    -------
    dict
        The ``map`` part of the record.
    """
    n = len(labels)
    if plain is not None:
        points, method, axes, explained = plain, "columns", list(plain_names or ("first", "second")), [0.5, 0.5]
    else:
        with threadpool_limits(1, user_api="blas"):  # sums in one order: the same picture on any number of threads
            points, method, axes, explained = _project(X, labels, feature_names)
    rows = _draw_rows(labels, max_rows, seed) if n > max_rows else np.arange(n)
    shown = points[rows].astype(np.float64)
    low, high = _range(shown)
    steps = np.clip(np.rint((shown - low) / (high - low) * STEPS), 0, STEPS)
    return {
        "method": method,
        "axes": axes,
        "explained": [round(float(value), 4) for value in explained],
        "n_shown": len(rows),
        "n_total": n,
        "row": _pack(rows, "<u4"),
        "x": _pack(steps[:, 0], "<u2"),
        "y": _pack(steps[:, 1], "<u2"),
        "label": _pack(labels[rows], "<i2"),
        "scale": [float(low[0]), float(high[0]), float(low[1]), float(high[1])],
    }


def unpack(text: str, dtype: str) -> np.ndarray:
    """Give back an array that the map holds as base64; ``dtype`` is "<u4", "<u2" or "<i2"."""
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def _pack(values: np.ndarray, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values.astype(dtype)).tobytes()).decode("ascii")


def _range(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = points.min(axis=0), points.max(axis=0)
    flat = high <= low
    pad = np.where(flat, np.maximum(np.abs(low) * 1e-6, 1e-6), 0.0)
    return low - pad, high + pad


def _project(X, labels, names) -> tuple[np.ndarray, str, list[str], list[float]]:
    center = X.mean(axis=0)
    vectors = _signed(_principal_axes(X, center))
    if X.shape[1] == 1:
        # One column: spread the rows sideways, evenly, so that none hides another.
        side = (np.arange(len(X)) * 0.6180339887498949) % 1.0
        return (
            np.column_stack([X[:, 0], side]),
            "column",
            [_axis_text(vectors[:, 0], names), "(no meaning)"],
            [1.0, 0.0],
        )
    plane, method = vectors[:, :2], "pca"
    better = _discriminant_plane(X, labels, vectors[:, :LEADING] if X.shape[1] > WIDE else None)
    if better is not None and _kept_apart(X @ better, labels) > _kept_apart(X @ plane, labels) + 0.1:
        plane, method = better, "discriminant"
    explained = _shares(X, center, plane)
    axes = [_axis_text(plane[:, i], names) for i in range(2)]
    return (X - center) @ plane, method, axes, explained


def _principal_axes(X: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Return the principal axes as columns, the strongest first; of many columns, those of some rows."""
    if X.shape[1] <= WIDE:
        return np.linalg.eigh(_covariance(X, center))[1][:, ::-1]
    some = X[np.linspace(0, len(X) - 1, min(len(X), WIDE)).astype(np.int64)] - center
    values, turned = np.linalg.eigh(some @ some.T)  # as many rows as that are soon turned, as many columns are not
    axes, _ = np.linalg.qr(some.T @ turned[:, np.argsort(-values, kind="stable")[: max(LEADING, 2)]])
    return axes


def _covariance(X: np.ndarray, center: np.ndarray) -> np.ndarray:
    total = np.zeros((X.shape[1],) * 2)
    for start in range(0, len(X), 65536):
        part = X[start : start + 65536] - center
        total += part.T @ part
    return total / max(len(X) - 1, 1)


def _signed(vectors: np.ndarray) -> np.ndarray:
    # The sign of an axis is free; the largest entry positive makes the picture the same every time.
    top = np.abs(vectors).argmax(axis=0)
    return vectors * np.where(vectors[top, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)


def _discriminant_plane(X: np.ndarray, labels: np.ndarray, within_axes: np.ndarray | None = None) -> np.ndarray | None:
    """Return the orthonormal plane of Fisher's first two discriminants, or None for fewer than three groups, or rows than columns.

    With ``within_axes``, (m, q) orthonormal, of all planes that lie within these axes.
    """
    inside = labels >= 0
    k = int(labels.max(initial=-1)) + 1
    if within_axes is not None:
        plane = _discriminant_plane(X @ within_axes, labels)
        return None if plane is None else _signed(within_axes @ plane)
    if k < 3 or not 3 <= X.shape[1] < inside.sum():
        return None  # with more columns than rows any groups are told apart
    Z, codes = X[inside], labels[inside]
    sizes = np.bincount(codes, minlength=k)
    centers = np.stack([np.bincount(codes, column, k) for column in Z.T], axis=1) / sizes[:, None]
    within = _covariance(Z - centers[codes], np.zeros(X.shape[1]))
    within += np.eye(len(within)) * max(1e-3 * np.trace(within) / len(within), 1e-12)
    apart = (centers - Z.mean(axis=0)) * np.sqrt(sizes / len(Z))[:, None]
    whitened = np.linalg.cholesky(np.linalg.inv(within))
    _, _, directions = np.linalg.svd(apart @ whitened, full_matrices=False)
    plane, _ = np.linalg.qr(whitened @ directions[:2].T)
    return _signed(plane)


def _kept_apart(points: np.ndarray, labels: np.ndarray) -> float:
    from ..metrics.internal import silhouette_score

    rows = np.flatnonzero(labels >= 0)
    rows = rows[:: max(len(rows) // 1500, 1)]
    try:
        return silhouette_score(points[rows], labels[rows])
    except ValueError:
        return 0.0


def _shares(X: np.ndarray, center: np.ndarray, plane: np.ndarray) -> list[float]:
    total, along = 0.0, np.zeros(2)
    for start in range(0, len(X), 65536):
        part = X[start : start + 65536] - center
        total += float((part**2).sum())
        along += ((part @ plane) ** 2).sum(axis=0)
    return list(along / max(total, np.finfo(float).tiny))


def _axis_text(direction: np.ndarray, names) -> str:
    if not len(names):
        return "axis"
    order = np.argsort(-np.abs(direction), kind="stable")[:3]
    strong = [i for i in order if abs(direction[i]) >= 0.5 * abs(direction[order[0]])]
    return ", ".join(("" if direction[i] > 0 else "less ") + str(names[i]) for i in strong)


def _draw_rows(labels: np.ndarray, max_rows: int, seed: int) -> np.ndarray:
    """Draw rows so that each group gets its share, and a small one at least what an equal split would give it."""
    rng = np.random.default_rng(seed)
    names, sizes = np.unique(labels, return_counts=True)
    floor = np.minimum(sizes, max(max_rows // (10 * len(names)), 1))
    rest = np.maximum(sizes - floor, 0)
    quota = floor + np.floor(rest * max((max_rows - floor.sum()) / max(rest.sum(), 1), 0)).astype(np.int64)
    parts = [rng.choice(np.flatnonzero(labels == name), q, replace=False) for name, q in zip(names, quota, strict=True)]
    return np.sort(np.concatenate(parts))
