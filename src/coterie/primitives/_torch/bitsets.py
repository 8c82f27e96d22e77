"""Sets of rows on tensors: one truth value a row, which a GPU combines and counts as fast as it reads them."""

import numpy as np
import torch

from ..bitsets import RowSets

__all__ = ["first_containing", "intersection_sizes", "row_sets"]

_VALUES = 1 << 26  # truth values of one batch of intersections


def row_sets(codes: torch.Tensor, columns: np.ndarray, values: np.ndarray) -> RowSets:
    """See `coterie.primitives.bitsets.row_sets`."""
    column, value = (torch.as_tensor(part, device=codes.device) for part in (columns, values))
    return RowSets(codes[column] == value[:, None], codes.shape[1])


def intersection_sizes(
    sets: RowSets, members: np.ndarray, sample_weight: np.ndarray | torch.Tensor | None, sizes: np.ndarray
) -> None:
    """Add to ``sizes``; see `coterie.primitives.bitsets.intersection_sizes`."""
    bits = sets.bits
    weight = None if sample_weight is None else torch.as_tensor(sample_weight, device=bits.device)
    batch = max(1, _VALUES // max(1, sets.n_rows))
    for start in range(0, len(members), batch):
        inside = _intersection(bits, members[start : start + batch])
        found = inside.sum(1) if weight is None else inside.to(weight.dtype) @ weight
        sizes[start : start + batch] += found.cpu().numpy()


def first_containing(sets: RowSets, members: np.ndarray) -> torch.Tensor:
    """See `coterie.primitives.bitsets.first_containing`."""
    bits = sets.bits
    first = torch.full((sets.n_rows,), -1, dtype=torch.int32, device=bits.device)
    for c in range(len(members) - 1, -1, -1):  # a later one is written over
        own = members[c][members[c] >= 0]
        first[bits[torch.as_tensor(own.astype(np.int64), device=bits.device)].all(0)] = c
    return first


def _intersection(bits: torch.Tensor, members: np.ndarray) -> torch.Tensor:
    columns = torch.as_tensor(members.astype(np.int64), device=bits.device).T
    inside = bits[columns[0]]
    for column in columns[1:]:
        inside &= bits[column]
    return inside
