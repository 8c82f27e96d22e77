"""The nearest center of each row in one Triton kernel: the n x k matrix of distances is never written to memory.

Each program keeps a tile of rows and lets the centers pass by in blocks, with the least value so far and its index
(the online arg-min of Dao et al. 2022, DOI 10.48550/arXiv.2205.14135, without the soft-max). For float32 on CUDA; the
products are those of float32, not of TF32. Imported on first use only, since it needs Triton.
"""

from typing import NamedTuple

import torch
import triton
import triton.language as tl

__all__ = ["nearest_labels", "own_distances2"]


class _Tile(NamedTuple):
    rows: int
    centers: int
    features: int  # of one chunk; rows of more features are read again for each block of centers
    warps: int
    stages: int


# By the widest rows each is for. Row tile and the centers in flight stay within 64 kB of shared memory, which every GPU that
# Triton supports has, and compiled for compute capabilities 8.0 and 9.0 none keeps its registers in memory.
# A table, not @triton.autotune, which asks for a GPU at import and would time kernels in every process.
_TILES = {
    16: _Tile(128, 64, 16, 4, 2),
    32: _Tile(128, 64, 32, 4, 2),
    64: _Tile(64, 64, 64, 8, 2),
    128: _Tile(64, 32, 128, 8, 2),
    256: _Tile(32, 16, 256, 4, 2),
    512: _Tile(16, 16, 512, 4, 1),
}
_WIDER = _Tile(64, 64, 16, 4, 2)
_ROWS = 128


def nearest_labels(X: torch.Tensor, centers: torch.Tensor) -> torch.Tensor:
    """Return the nearest center of each row.

    Parameters
    ----------
    X : (n, d) float32 tensor
        On a GPU, or anywhere under Triton's interpreter. Any strides.
    centers : (k, d) float64 tensor
        On the same device.

    Returns
    -------
    (n,) int32 tensor
        Of the least ``|c|^2 - 2 x.c`` in float32; ties: the lowest.
    """
    (n, d), k = X.shape, len(centers)
    labels = torch.empty(n, dtype=torch.int32, device=X.device)
    single = centers.float()
    norms = (single.double() ** 2).sum(1).float()
    tile = next((tile for widest, tile in _TILES.items() if d <= widest), _WIDER)
    if n:
        _nearest[(triton.cdiv(n, tile.rows),)](
            X, single.mul(-2).contiguous(), norms, labels, n, k, d, X.stride(0), X.stride(1),
            ROWS=tile.rows, CENTERS=tile.centers, FEATURES=tile.features, WHOLE=d <= tile.features,
            num_warps=tile.warps, num_stages=tile.stages, enable_fp_fusion=True,
        )  # fmt: skip
    return labels


def own_distances2(X: torch.Tensor, centers: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the (n,) float64 squared distance of each row to the center of its label, with the bits of the CPU engine.

    Parameters
    ----------
    X : (n, d) float tensor
    centers : (k, d) float64 tensor
    labels : (n,) int32 tensor
    """
    n, d = X.shape
    distances2 = torch.empty(n, dtype=torch.float64, device=X.device)
    if n:
        _own[(triton.cdiv(n, _ROWS),)](
            X, centers.contiguous(), labels, distances2, n, d, X.stride(0), X.stride(1),
            ROWS=_ROWS, enable_fp_fusion=False,
        )  # fmt: skip
    return distances2


@triton.jit
def _nearest(
    X,  # (n, d) float32  in
    doubled,  # (k, d) float32  in: -2 c
    norms,  # (k,) float32  in: |c|^2
    labels,  # (n,) int32  out
    n,
    k,
    d,
    row_stride,
    feature_stride,
    ROWS: tl.constexpr,
    CENTERS: tl.constexpr,
    FEATURES: tl.constexpr,
    WHOLE: tl.constexpr,  # one chunk holds all features
):
    # 64 bits from the start: n d passes 2^31 long before memory ends.
    rows = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    row_starts = X + rows * row_stride
    least = tl.full((ROWS,), float("inf"), tl.float32)
    nearest = tl.zeros((ROWS,), tl.int32)
    if WHOLE:
        x = _part(row_starts, rows < n, tl.arange(0, FEATURES), d, feature_stride)
    for first in range(0, k, CENTERS):
        candidates = first + tl.arange(0, CENTERS)
        center_starts = doubled + candidates.to(tl.int64) * d
        products = tl.zeros((ROWS, CENTERS), tl.float32)
        for low in range(0, d, FEATURES):
            features = low + tl.arange(0, FEATURES)
            if not WHOLE:
                x = _part(row_starts, rows < n, features, d, feature_stride)
            c = _part(center_starts, candidates < k, features, d, 1)
            products = tl.dot(x, tl.trans(c), products, input_precision="ieee")
        # Places beyond the last center are infinitely far, and an equal value of a later block is no improvement.
        values = products + tl.load(norms + candidates, mask=candidates < k, other=float("inf"))[None, :]
        best = tl.min(values, axis=1)
        at = tl.min(tl.where(values == best[:, None], candidates[None, :], 2147483647), axis=1)
        nearest = tl.where(best < least, at, nearest)
        least = tl.minimum(best, least)
    tl.store(labels + rows, nearest, mask=rows < n)


@triton.jit
def _part(
    starts,  # (r,) pointers to the first feature of each row
    real,  # (r,) bool: not beyond the last row
    features,  # (f,) which columns
    d,
    stride,
):
    """Read some features of some rows; zero outside of the array."""
    places = starts[:, None] + features[None, :].to(tl.int64) * stride
    return tl.load(places, mask=real[:, None] & (features < d)[None, :], other=0.0)


@triton.jit
def _own(
    X,  # (n, d)  in
    centers,  # (k, d) float64  in
    labels,  # (n,) int32  in
    distances2,  # (n,) float64  out
    n,
    d,
    row_stride,
    feature_stride,
    ROWS: tl.constexpr,
):
    rows = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    starts = X + rows * row_stride
    own_starts = centers + tl.load(labels + rows, mask=rows < n, other=0).to(tl.int64) * d
    total = tl.zeros((ROWS,), tl.float64)
    # One feature after the other, each operation rounded once: the sum of the CPU engine.
    for _ in range(d):
        x = tl.load(starts, mask=rows < n, other=0.0).to(tl.float64)
        gap = x - tl.load(own_starts, mask=rows < n, other=0.0)
        total += gap * gap
        starts += feature_stride
        own_starts += 1
    tl.store(distances2 + rows, total, mask=rows < n)
