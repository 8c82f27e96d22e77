"""Dividing groups of sparse rows: they stay sparse and where they are; a group is a list of their numbers.

Products with sparse rows are SciPy's, which adds the stored values of a row in their order: the same row gives the same bits in
any group.
"""

from dataclasses import dataclass

import numpy as np

__all__ = [
    "SparseState", "descend", "divide_apply", "divide_labels", "divide_start", "divide_step", "sample_rows",
    "scatter_products",
]  # fmt: skip

_MOST_SAMPLE_BYTES = 1 << 24


@dataclass
class SparseState:
    """The rows, and the order in which groups hold them."""

    X: object  # (n, d) CSR, sorted columns
    length2: np.ndarray  # (n,)
    order: np.ndarray  # (2, n) int64: row at each place, by buffer
    weight: np.ndarray  # (n,)
    side: np.ndarray  # (n,) bool, by place


def divide_start(X, order, sample_weight):
    """See `coterie.primitives.divide.divide_start`."""
    X = X.sorted_indices()
    n = X.shape[0]
    squares = X.astype(np.float64)
    squares.data **= 2
    weight = np.ones(n) if sample_weight is None else sample_weight
    return SparseState(X, squares @ np.ones(X.shape[1]), np.stack([order, order]), weight, np.zeros(n, bool))


def divide_step(state, spans, normals, offsets):
    """See `coterie.primitives.divide.divide_step`; returns its fields."""
    g, d = normals.shape
    sums, weights = np.zeros((g, 2, d)), np.zeros((g, 2))
    counts, changed = np.zeros((g, 2), np.int64), np.zeros(g, np.int64)
    for j, (start, end, rows) in enumerate(_groups(state, spans)):
        X, weight = state.X[rows], state.weight[rows]
        right = X @ normals[j] > offsets[j]
        changed[j] = np.count_nonzero(right != state.side[start:end])
        state.side[start:end] = right
        for c, mask in enumerate((~right, right)):
            share = weight * mask
            sums[j, c], weights[j, c], counts[j, c] = X.T @ share, share.sum(), np.count_nonzero(mask)
    return sums, weights, counts, changed


def divide_apply(state, spans, centers, move):
    """See `coterie.primitives.divide.divide_apply`; returns its fields."""
    g, _, d = centers.shape
    inertia, farthest = np.zeros((g, 2)), np.zeros((g, 2, d))
    for j, (start, end, rows) in enumerate(_groups(state, spans)):
        right = state.side[start:end]
        if move:
            state.order[1 - spans[j, 2], start:end] = np.concatenate([rows[~right], rows[right]])
        for c, part in enumerate((rows[~right], rows[right])):
            if len(part) == 0:
                continue
            center, weight = centers[j, c], state.weight[part]
            gap2 = state.length2[part] - 2 * (state.X[part] @ center) + center @ center
            gap2 = np.maximum(gap2, 0.0)
            inertia[j, c] = weight @ gap2
            far = part[np.where(weight > 0, gap2, -1.0).argmax()]
            farthest[j, c] = state.X[[far]].toarray()[0]
    return inertia, farthest


def divide_labels(state, spans, names):
    """See `coterie.primitives.divide.divide_labels`."""
    labels = np.empty(len(state.side), np.int64)
    for (_, _, rows), name in zip(_groups(state, spans), names, strict=True):
        labels[rows] = name
    return labels


def sample_rows(state, spans, most):
    """See `coterie.primitives.divide.sample_rows`; fewer rows where they have very many features."""
    most = max(2, min(most, _MOST_SAMPLE_BYTES // (8 * state.X.shape[1])))
    places, bounds = _sample_places(spans, most)
    rows = state.order[np.repeat(spans[:, 2], np.diff(bounds)), places]
    return np.ascontiguousarray(state.X[rows].toarray(), np.float64), state.weight[rows], bounds


def _sample_places(spans, most):
    """Return evenly spaced places of each span, and the bounds between spans."""
    starts, lengths = spans[:, 0], spans[:, 1] - spans[:, 0]
    taken = np.minimum(lengths, most)
    bounds = np.append(0, np.cumsum(taken))
    number = np.arange(bounds[-1]) - np.repeat(bounds[:-1], taken)
    return np.repeat(starts, taken) + number * np.repeat(lengths, taken) // np.repeat(taken, taken), bounds


def scatter_products(state, spans, means, directions):
    """See `coterie.primitives.divide.scatter_products`."""
    products = np.empty(means.shape)
    for j, (_, _, rows) in enumerate(_groups(state, spans)):
        X = state.X[rows]
        projection = state.weight[rows] * (X @ directions[j] - means[j] @ directions[j])
        products[j] = X.T @ projection - projection.sum() * means[j]
    return products


def descend(X, left, right, normals, offsets):
    """See `coterie.primitives.divide.descend`."""
    X = X.sorted_indices()
    leaves = np.zeros(X.shape[0], np.int64)
    # Children have greater numbers than their parents: one pass over the nodes meets every row at each of its nodes.
    for node in np.flatnonzero(left >= 0).tolist():
        rows = np.flatnonzero(leaves == node)
        leaves[rows] = np.where(X[rows] @ normals[node] > offsets[node], right[node], left[node])
    return leaves


def _groups(state, spans):
    return ((start, end, state.order[side, start:end]) for start, end, side in spans.tolist())
