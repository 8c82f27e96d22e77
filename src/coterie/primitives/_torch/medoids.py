"""Distances to medoids on tensors, and what exchanging one would bring: a tile of candidates against all rows at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ._tiles import add_by_group, distances2, root, row_sum, tile_bytes

__all__ = [
    "MedoidSearch",
    "add_medoid",
    "clear_medoids",
    "distance_sums",
    "distances_between",
    "gains",
    "matrix_search",
    "medoid_search",
    "nearest_of",
    "replace_medoid",
    "swap_changes",
]


@dataclass
class MedoidSearch:
    """Rows or a matrix of distances, and the two nearest medoids of every row."""

    rows: torch.Tensor  # (n, d), or the (n, n) matrix
    measure: str | None  # None where there is a matrix
    weight: torch.Tensor  # (n,) float64
    medoid_rows: np.ndarray = field(init=False)  # (k,) int64
    labels: torch.Tensor = field(init=False)  # (2, n) int64: slot of the nearest medoid and of the second
    lengths: torch.Tensor = field(init=False)  # (2, n) float64 distances to them

    def __post_init__(self) -> None:
        clear_medoids(self)

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    @property
    def loss(self) -> float:
        """Return the weighted sum of the distances to the nearest medoid."""
        return float(row_sum((self.weight * self.lengths[0])[:, None]))


def medoid_search(X: torch.Tensor, measure: str, sample_weight: Any, stored: bool) -> MedoidSearch:
    """See `coterie.primitives.medoids.medoid_search`."""
    if stored:
        return matrix_search(distances_between(X, X, measure), sample_weight)
    return MedoidSearch(X, measure, _weights(X, sample_weight))


def matrix_search(matrix: torch.Tensor, sample_weight: Any) -> MedoidSearch:
    """See `coterie.primitives.medoids.matrix_search`."""
    return MedoidSearch(matrix, None, _weights(matrix, sample_weight))


def clear_medoids(search: MedoidSearch) -> None:
    """See `coterie.primitives.medoids.clear_medoids`."""
    search.medoid_rows = np.empty(0, np.int64)
    search.labels = torch.full((2, search.n), -1, device=search.rows.device)
    search.lengths = torch.full((2, search.n), torch.inf, dtype=torch.float64, device=search.rows.device)


def distance_sums(search: MedoidSearch, candidates: Any) -> np.ndarray:
    """See `coterie.primitives.medoids.distance_sums`."""
    sums = [row_sum(tile.T * search.weight[:, None]) for tile in _tiles(search, candidates)]
    return torch.cat(sums).cpu().numpy()


def gains(search: MedoidSearch, candidates: Any) -> np.ndarray:
    """See `coterie.primitives.medoids.gains`."""
    saved = [
        row_sum((search.lengths[0] - tile).clamp_(min=0.0).mul_(search.weight).T) for tile in _tiles(search, candidates)
    ]
    return torch.cat(saved).cpu().numpy()


def add_medoid(search: MedoidSearch, row: int) -> None:
    """See `coterie.primitives.medoids.add_medoid`."""
    search.medoid_rows = np.append(search.medoid_rows, row)
    _settle(search, len(search.medoid_rows) - 1)


def replace_medoid(search: MedoidSearch, slot: int, row: int) -> None:
    """See `coterie.primitives.medoids.replace_medoid`."""
    search.medoid_rows[slot] = row
    _settle(search, slot)


def swap_changes(search: MedoidSearch, candidates: Any) -> np.ndarray:
    """See `coterie.primitives.medoids.swap_changes`."""
    k = len(search.medoid_rows)
    first, second = search.lengths
    removal = first.new_zeros(k, 1)
    add_by_group(removal, search.labels[0], (search.weight * (second - first))[:, None])
    changes = []
    for tile in _tiles(search, candidates):
        nearer = tile < first
        shared = row_sum(torch.where(nearer, tile - first, 0.0).mul_(search.weight).T)
        own = torch.where(nearer, first - second, (tile - second).clamp_(max=0.0)).mul_(search.weight)
        by_slot = removal.expand(k, len(tile)).contiguous()
        add_by_group(by_slot, search.labels[0], own.T.contiguous())
        changes.append((by_slot + shared).T)
    return torch.cat(changes).cpu().numpy()


def distances_between(X: torch.Tensor, Y: Any, measure: str) -> torch.Tensor:
    """See `coterie.primitives.medoids.distances_between`."""
    Y = torch.as_tensor(Y, dtype=X.dtype, device=X.device)
    out = X.new_empty(len(X), len(Y))
    step = max(1, tile_bytes(X.device) // (8 * max(1, len(Y))))
    for start in range(0, len(X), step):
        out[start : start + step] = _as_lengths(_compared(X[start : start + step], Y, measure), measure)
    return out


def nearest_of(X: torch.Tensor, centers: Any, measure: str) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.medoids.nearest_of`."""
    centers = torch.as_tensor(centers, dtype=X.dtype, device=X.device)
    labels = torch.empty(len(X), dtype=torch.int64, device=X.device)
    nearest = X.new_empty(len(X))
    step = max(1, tile_bytes(X.device) // (8 * len(centers)))
    for start in range(0, len(X), step):
        some = slice(start, start + step)
        tile = _compared(X[some], centers, measure)
        labels[some] = tile.argmin(1)
        nearest[some] = tile.gather(1, labels[some, None])[:, 0]
    return labels, _as_lengths(nearest, measure)


def _settle(search: MedoidSearch, slot: int) -> None:
    """Bring the two nearest medoids up to date after the medoid ``slot`` has changed."""
    new = next(_tiles(search, search.medoid_rows[slot : slot + 1]))[0]
    lost = (search.labels == slot).any(0)
    rank = search.lengths
    first = (new < rank[0]) & ~lost
    second = (new < rank[1]) & ~lost & ~first
    here = torch.full_like(search.labels[0], slot)
    search.labels = torch.stack(
        [
            torch.where(first, here, search.labels[0]),
            torch.where(first, search.labels[0], torch.where(second, here, search.labels[1])),
        ]
    )
    search.lengths = torch.stack(
        [torch.where(first, new, rank[0]), torch.where(first, rank[0], torch.where(second, new, rank[1]))]
    )
    rows = lost.nonzero()[:, 0]
    if len(rows):
        labels, lengths = _two_nearest(search, rows)
        search.labels[:, rows], search.lengths[:, rows] = labels, lengths


def _two_nearest(search: MedoidSearch, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the two nearest medoids of some rows, by a look at all of them."""
    medoids = torch.as_tensor(search.medoid_rows, device=rows.device)
    labels, lengths = [], []
    for some in rows.split(max(1, tile_bytes(rows.device) // (8 * len(medoids)))):
        if search.measure is None:
            tile = search.rows[some][:, medoids]
        else:
            tile = _compared(search.rows[some], search.rows[medoids], search.measure)
        near, slots = tile.sort(dim=1, stable=True)
        if len(medoids) == 1:
            near, slots = torch.cat([near, near + torch.inf], 1), torch.cat([slots, slots - 1], 1)
        labels.append(slots[:, :2].T)
        lengths.append(_as_lengths(near[:, :2].T.contiguous(), search.measure).double())
    return torch.cat(labels, 1), torch.cat(lengths, 1)


def _tiles(search: MedoidSearch, candidates: Any) -> Iterator[torch.Tensor]:
    """Yield the (m, n) float64 distances from a few candidates at a time to all rows."""
    candidates = torch.as_tensor(candidates, device=search.rows.device)
    for some in candidates.split(max(1, tile_bytes(search.rows.device) // (8 * search.n))):
        if search.measure is None:
            yield search.rows[some].double()
        else:
            yield _as_lengths(_compared(search.rows[some], search.rows, search.measure), search.measure).double()


def _compared(A: torch.Tensor, B: torch.Tensor, measure: str) -> torch.Tensor:
    """Return distances as they are compared, added feature by feature: the bits of the CPU engine."""
    if measure != "manhattan":
        return distances2(A, B)
    total = A.new_zeros(len(A), len(B))
    for mine, theirs in zip(A.T.contiguous(), B.T.contiguous(), strict=True):
        total.add_((mine[:, None] - theirs[None, :]).abs_())
    return total


def _as_lengths(compared: torch.Tensor, measure: str | None) -> torch.Tensor:
    return root(compared) if measure == "euclidean" else compared


def _weights(X: torch.Tensor, sample_weight: Any) -> torch.Tensor:
    if sample_weight is None:
        return torch.ones(len(X), dtype=torch.float64, device=X.device)
    return torch.as_tensor(sample_weight, dtype=torch.float64, device=X.device)
