"""Compressed rows times a block of vectors, sums of products of blocks, and combinations of them, on tensors."""

import warnings
from typing import Any

import torch

__all__ = ["combine", "gram", "moved", "products", "rest", "rows_times_block", "spread", "squares", "turned"]


def rows_times_block(
    indptr: Any, indices: Any, values: Any, diagonal: Any, X: torch.Tensor, target: Any = None
) -> torch.Tensor:
    """Return ``diagonal * X - A X``, or ``A X`` where there is no diagonal; or what is missing from that to a target."""
    n = len(indptr) - 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "in beta state", once
        # One type for both: PyTorch asks for it.
        matrix = torch.sparse_csr_tensor(indptr, indices.to(indptr.dtype), values, (n, len(X)), check_invariants=False)
    product = matrix @ X
    if diagonal is None:
        return product
    product.sub_(diagonal[:, None] * X)
    return product.neg_() if target is None else product.add_(target)


def gram(A: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
    """Return ``A^T B``."""
    return A.T @ B


def products(blocks: list, images: list) -> torch.Tensor:
    """Return the products of the columns of blocks with each other, and with those of their images."""
    left, right = torch.cat(blocks, 1), torch.cat(images, 1)
    return torch.stack([left.T @ left, left.T @ right])


def moved(blocks: list, C: torch.Tensor, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sums of blocks times their parts of C, and the same without the first block, times a scale."""
    b = blocks[0].shape[1]
    without = torch.cat(blocks[1:], 1) @ C[b:]
    return torch.addmm(without, blocks[0], C[:b]), without.mul_(scale)


def turned(X: torch.Tensor, C: torch.Tensor) -> torch.Tensor:
    """Return ``X C``."""
    return X @ C


def rest(X: torch.Tensor, image: torch.Tensor, theta: torch.Tensor, which: Any = None) -> torch.Tensor:
    """Return the sums of the squares of the columns of ``image - X theta``, or some of those columns."""
    if which is None:
        return squares(torch.addcmul(image, X, theta, value=-1))
    return torch.addcmul(image[:, which], X[:, which], theta[which], value=-1)


def spread(source: torch.Tensor, scale: torch.Tensor, parent: Any = None, onto: Any = None) -> torch.Tensor:
    """Return row ``parent[i]`` of the source, or row i, times ``scale[i]`` for each i; added to ``onto`` where there is one."""
    rows = source if parent is None else source[parent]
    return rows * scale if onto is None else onto.addcmul_(rows, scale)


def squares(X: torch.Tensor) -> torch.Tensor:
    """Return the sums of the squares of the columns."""
    return (X * X).sum(0)


def combine(A: torch.Tensor, C: torch.Tensor, out: Any = None) -> torch.Tensor:
    """Return ``A C``, added to ``out`` where there is one."""
    return A @ C if out is None else out.addmm_(A, C)
