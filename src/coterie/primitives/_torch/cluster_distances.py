"""Sums of distances to clusters on tensors: rows sorted by cluster, distances in tiles, each cluster's columns added in float64."""

from typing import Any

import torch

from ._tiles import slices, tile_bytes
from .assign import center_sums
from .conditioning import power_of_two

__all__ = ["cluster_spread", "distance_sums", "mean_distances"]


def mean_distances(X: torch.Tensor, labels: Any, n_clusters: int) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.cluster_distances.mean_distances`."""
    labels = torch.as_tensor(labels, device=X.device).long()
    rows, sizes, scale = _sorted(X, labels, n_clusters)
    inner, outer = (torch.empty(len(X), dtype=torch.float64, device=X.device) for _ in range(2))
    for part in _parts(X, n_clusters):
        sums = _sums(X[part] / scale, rows, sizes) * scale
        own = labels[part, None]
        inner[part] = sums.gather(1, own)[:, 0] / (sizes[labels[part]] - 1).clamp(min=1)
        outer[part] = (sums / sizes).scatter(1, own, torch.inf).amin(1)
    return inner, outer


def distance_sums(X: torch.Tensor, labels: Any, n_clusters: int, queries: torch.Tensor) -> torch.Tensor:
    """See `coterie.primitives.cluster_distances.distance_sums`."""
    rows, sizes, scale = _sorted(X, torch.as_tensor(labels, device=X.device).long(), n_clusters)
    return torch.cat([_sums(queries[part] / scale, rows, sizes) * scale for part in _parts(queries, n_clusters)])


def cluster_spread(X: torch.Tensor, labels: Any, n_clusters: int) -> tuple:
    """See `coterie.primitives.cluster_distances.cluster_spread`."""
    labels = torch.as_tensor(labels, device=X.device).long()
    origin = X[:1].double()
    sums = torch.zeros(n_clusters, X.shape[1], dtype=torch.float64, device=X.device)
    sizes = torch.zeros(n_clusters, dtype=torch.float64, device=X.device)
    for part in slices(X):
        some, count = center_sums(X[part].double() - origin, labels[part], n_clusters)
        sums += some
        sizes += count
    centers = sums / sizes.clamp(min=1)[:, None] + origin
    spread = torch.zeros(n_clusters, 2, dtype=torch.float64, device=X.device)
    for part in slices(X):
        gap2 = (X[part].double() - centers[labels[part].clamp(min=0)]).square().sum(1)
        spread += center_sums(torch.stack([gap2.sqrt(), gap2], 1), labels[part], n_clusters)[0]
    return sizes.long().cpu().numpy(), centers.cpu().numpy(), *spread.T.contiguous().cpu().numpy()


def _sorted(X: torch.Tensor, labels: torch.Tensor, n_clusters: int) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Return the rows cluster by cluster, the clusters' sizes, and the power of two the rows were divided by."""
    scale = max(power_of_two(float(X.abs().max())), 4 * torch.finfo(X.dtype).tiny)
    return X[labels.argsort(stable=True)] / scale, torch.bincount(labels, minlength=n_clusters), scale


def _parts(X: torch.Tensor, n_clusters: int) -> list[slice]:
    step = max(1, min(4096, tile_bytes(X.device) // (8 * n_clusters)))
    return [slice(start, start + step) for start in range(0, len(X), step)]


def _sums(queries: torch.Tensor, rows: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Return (m, k) sums of distances; no matrix product, whose subtraction would cancel for rows that lie close together."""
    sums = torch.zeros(len(queries), len(sizes), dtype=torch.float64, device=rows.device)
    width = max(1, tile_bytes(rows.device) // (8 * len(queries)))
    start = 0
    for cluster, size in enumerate(sizes.tolist()):
        for first in range(start, start + size, width):
            some = rows[first : min(first + width, start + size)]
            distances = torch.cdist(queries, some, compute_mode="donot_use_mm_for_euclid_dist")
            sums[:, cluster] += distances.sum(1, dtype=torch.float64)
        start += size
    return sums
