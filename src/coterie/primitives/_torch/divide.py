"""Dividing groups of rows on tensors: rows stay where they are, a group is a list of their numbers.

Projections are added feature by feature, so that a row has the same bits in any group; sums by `row_sum`, whose order is fixed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ._tiles import paired_distances2, row_sum, slices

__all__ = [
    "descend", "divide_apply", "divide_labels", "divide_start", "divide_step", "sample_rows", "scatter_matrices",
    "scatter_products",
]  # fmt: skip


@dataclass
class _State:
    X: torch.Tensor  # (n, d)
    order: torch.Tensor  # (2, n) int64: row at each place, by buffer
    weight: torch.Tensor  # (n,) float64
    side: torch.Tensor  # (n,) bool, by place


def divide_start(X: torch.Tensor, order: Any, sample_weight: Any) -> _State:
    """See `coterie.primitives.divide.divide_start`."""
    order = torch.as_tensor(order, device=X.device)
    weight = torch.ones(len(X), dtype=torch.float64, device=X.device)
    if sample_weight is not None:
        weight = _float64(sample_weight, X)
    return _State(X, torch.stack([order, order]), weight, torch.zeros(len(X), dtype=torch.bool, device=X.device))


def divide_step(state: _State, spans: np.ndarray, normals: np.ndarray, offsets: np.ndarray) -> tuple:
    """See `coterie.primitives.divide.divide_step`; returns its fields."""
    g, d = normals.shape
    sums, weights = np.zeros((g, 2, d)), np.zeros((g, 2))
    counts, changed = np.zeros((g, 2), np.int64), np.zeros(g, np.int64)
    for j, (start, end, rows) in enumerate(_groups(state, spans)):
        right = _project(state.X[rows], normals[j]) > float(offsets[j])
        changed[j] = int((right != state.side[start:end]).sum())
        state.side[start:end] = right
        for c, part in enumerate((rows[~right], rows[right])):
            counts[j, c] = len(part)
            if len(part):
                sums[j, c], weights[j, c] = _weighted_sum(state.X[part], state.weight[part])
    return sums, weights, counts, changed


def divide_apply(state: _State, spans: np.ndarray, centers: np.ndarray, move: bool) -> tuple:
    """See `coterie.primitives.divide.divide_apply`; returns its fields."""
    g, _, d = centers.shape
    inertia, farthest = np.zeros((g, 2)), np.zeros((g, 2, d))
    for j, (start, end, rows) in enumerate(_groups(state, spans)):
        right = state.side[start:end]
        if move:
            state.order[1 - int(spans[j, 2]), start:end] = torch.cat([rows[~right], rows[right]])
        for c, part in enumerate((rows[~right], rows[right])):
            if len(part) == 0:
                continue
            weight, center = state.weight[part], _float64(centers[j, c], state.X)
            gaps2 = paired_distances2(state.X[part].double(), center.expand(len(part), d))
            inertia[j, c] = float(row_sum((weight * gaps2)[:, None])[0])
            far = torch.where(weight > 0, gaps2, -1.0).argmax()
            farthest[j, c] = state.X[part[far]].double().cpu().numpy()
    return inertia, farthest


def divide_labels(state: _State, spans: np.ndarray, names: np.ndarray) -> torch.Tensor:
    """See `coterie.primitives.divide.divide_labels`."""
    labels = torch.empty(len(state.X), dtype=torch.int64, device=state.X.device)
    for (_, _, rows), name in zip(_groups(state, spans), names.tolist(), strict=True):
        labels[rows] = name
    return labels


def sample_rows(state: _State, spans: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See `coterie.primitives.divide.sample_rows`."""
    rows, lengths = [], [0]
    for start, end, members in _groups(state, spans):
        m = min(end - start, most)
        rows.append(members[torch.arange(m, device=members.device) * (end - start) // m])
        lengths.append(m)
    chosen = torch.cat(rows)
    return state.X[chosen].double().cpu().numpy(), state.weight[chosen].cpu().numpy(), np.cumsum(lengths)


def scatter_matrices(state: _State, spans: np.ndarray, means: np.ndarray) -> np.ndarray:
    """See `coterie.primitives.divide.scatter_matrices`."""
    g, d = means.shape
    matrices = np.empty((g, d, d))
    for j, (_, _, rows) in enumerate(_groups(state, spans)):
        total = torch.zeros((d, d), dtype=torch.float64, device=state.X.device)
        for part in slices(rows):
            centred = state.X[rows[part]].double() - _float64(means[j], state.X)
            scaled = centred * state.weight[rows[part], None]
            total += torch.stack([row_sum(centred * scaled[:, [f]]) for f in range(d)])
        matrices[j] = total.cpu().numpy()
    return matrices


def scatter_products(state: _State, spans: np.ndarray, means: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """See `coterie.primitives.divide.scatter_products`."""
    products = np.empty(means.shape)
    for j, (_, _, rows) in enumerate(_groups(state, spans)):
        X = state.X[rows]
        projection = state.weight[rows] * (_project(X, directions[j]) - float(means[j] @ directions[j]))
        sums, total = _weighted_sum(X, projection)
        products[j] = sums - total * means[j]
    return products


def descend(X: torch.Tensor, left: Any, right: Any, normals: np.ndarray, offsets: np.ndarray) -> torch.Tensor:
    """See `coterie.primitives.divide.descend`."""
    leaves = torch.zeros(len(X), dtype=torch.int64, device=X.device)
    # Children have greater numbers than their parents: one pass over the nodes meets every row at each of its nodes.
    for node in np.flatnonzero(np.asarray(left) >= 0).tolist():
        rows = (leaves == node).nonzero()[:, 0]
        over = _project(X[rows], normals[node]) > float(offsets[node])
        leaves[rows] = torch.where(over, int(right[node]), int(left[node]))
    return leaves


def _groups(state: _State, spans: np.ndarray) -> Any:
    return ((start, end, state.order[side, start:end]) for start, end, side in spans.tolist())


def _project(X: torch.Tensor, vector: np.ndarray) -> torch.Tensor:
    total = torch.zeros(len(X), dtype=torch.float64, device=X.device)
    for feature, weight in zip(X.T, vector.tolist(), strict=True):
        total += feature.double() * weight
    return total


def _weighted_sum(X: torch.Tensor, weight: torch.Tensor) -> tuple[np.ndarray, float]:
    """Return the weighted sum of rows and the sum of the weights, added slice by slice."""
    total = torch.zeros(X.shape[1] + 1, dtype=torch.float64, device=X.device)
    for part in slices(X):
        total += row_sum(torch.cat([X[part].double(), weight.new_ones(len(X[part]), 1)], 1) * weight[part, None])
    sums = total.cpu().numpy()
    return sums[:-1], float(sums[-1])


def _float64(values: Any, X: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float64, device=X.device)
