"""Nearest centers on tensors: one matrix product a tile of rows, sums over runs of sorted rows.

float32 rows on CUDA go through the kernel of `_triton_assign` where Triton can be imported.
"""

import functools
import importlib.util
import warnings
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ._tiles import distances2, paired_distances2, row_sum, slices, tile_bytes
from .blocked_rows import BlockedRows

if TYPE_CHECKING:
    from ..assign import LloydStep
    from ._flash_assign import HalfRows

__all__ = [
    "center_sums",
    "closer_distances",
    "lloyd_end",
    "lloyd_start",
    "lloyd_step",
    "nearest_center",
    "seeding_step",
]

_RUN_ROWS = 256

Rows = torch.Tensor | BlockedRows
"""What is read slice by slice, each slice once a step."""


@dataclass
class _State:
    X: Rows  # (n, d)
    sample_weight: torch.Tensor | None  # (n,) float64
    labels: torch.Tensor  # (n,) int32 of the last step, -1 before the first
    halves: "HalfRows | None"  # where steps may round


def nearest_center(X: Rows, centers: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.assign.nearest_center`."""
    centers = _float64(centers, X)
    labels = torch.empty(len(X), dtype=torch.int32, device=X.device)
    nearest = torch.empty(len(X), dtype=torch.float64, device=X.device)
    for part in slices(X):
        rows = X[part]
        mine = centers.to(rows.device)
        found = _labels(rows, mine)
        labels[part] = found.to(X.device)
        if (kernels := _kernels_for(rows)) is not None:
            nearest[part] = kernels.own_distances2(rows, mine, found).to(X.device)
        else:
            nearest[part] = paired_distances2(rows.double(), mine[found.long()]).to(X.device)
    return labels, nearest


def center_sums(X: Rows, labels: Any, n_centers: int, sample_weight: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.assign.center_sums`."""
    labels = torch.as_tensor(labels, device=X.device)
    weights = None if sample_weight is None else _float64(sample_weight, X)
    total = torch.zeros(n_centers, X.shape[1] + 2, dtype=torch.float64, device=X.device)
    for part in slices(X):
        total += _totals(X[part], labels[part], n_centers, None if weights is None else weights[part]).to(X.device)
    return total[:, :-2], total[:, -2]


def lloyd_start(X: Rows, sample_weight: Any = None, skip: bool = True, half: bool = False) -> _State:
    """See `coterie.primitives.assign.lloyd_start`; nothing is skipped."""
    weights = None if sample_weight is None else _float64(sample_weight, X)
    halves = import_module("._flash_assign", __package__).HalfRows(X) if half else None
    return _State(X, weights, torch.full((len(X),), -1, dtype=torch.int32, device=X.device), halves)


def lloyd_step(state: _State, centers: Any) -> "LloydStep":
    """See `coterie.primitives.assign.lloyd_step`."""
    from ..assign import LloydStep

    X, weights = state.X, state.sample_weight
    centers = _float64(centers, X)  # once: a copy from the host would be waited for
    total = torch.zeros(len(centers), X.shape[1] + 2, dtype=torch.float64, device=X.device)
    changed = torch.zeros((), dtype=torch.int64, device=X.device)
    for part in slices(X):
        rows = X[part]
        mine = centers.to(rows.device)
        labels = _labels(rows, mine) if state.halves is None else state.halves.nearest_labels(part, mine)
        total += _totals(rows, labels, len(centers), None if weights is None else weights[part]).to(X.device)
        labels = labels.to(X.device)
        changed += (labels != state.labels[part]).sum()
        state.labels[part] = labels
    # All of it in one copy: the only time in a step that the host waits for a GPU.
    found = torch.cat([total.reshape(-1), changed.double()[None]]).cpu().numpy()
    sums = found[:-1].reshape(total.shape)
    return LloydStep(sums[:, :-2], sums[:, -2], sums[:, -1].astype(np.int64), int(found[-1]))


def lloyd_end(state: _State, centers: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.assign.lloyd_end`."""
    return nearest_center(state.X, centers)


def seeding_step(
    X: Rows, candidates: Any, closest: Any, sample_weight: Any = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.assign.seeding_step`."""
    candidates = torch.as_tensor(candidates, device=X.device)
    if closest is None:
        closest = torch.full((len(X),), torch.inf, dtype=torch.float64, device=X.device)
    closest = _float64(closest, X)
    weights = None if sample_weight is None else _float64(sample_weight, X)
    chosen, sums = X[candidates], []
    for part in slices(X):
        closer = torch.minimum(_distances2(X[part], chosen, X), closest[part, None])
        sums.append(row_sum(closer if weights is None else closer * weights[part, None]))
    potentials = row_sum(torch.stack(sums))
    best = chosen[potentials.argmin()][None]
    closer = torch.cat([_distances2(X[part], best, X)[:, 0] for part in slices(X)])
    return potentials, torch.minimum(closer, closest)


def closer_distances(X: Rows, centers: Any, closest: Any) -> torch.Tensor:
    """See `coterie.primitives.assign.closer_distances`."""
    centers = torch.as_tensor(centers, dtype=X.dtype, device=X.device)
    found = torch.cat([_distances2(X[part], centers, X).amin(1) for part in slices(X)])
    return found if closest is None else torch.minimum(found, _float64(closest, X))


def _distances2(rows: torch.Tensor, others: torch.Tensor, X: Rows) -> torch.Tensor:
    return distances2(rows, others.to(rows.device)).double().to(X.device)


def _totals(X: torch.Tensor, labels: torch.Tensor, k: int, weight: torch.Tensor | None) -> torch.Tensor:
    """Add up the rows of each center, (k, d + 2): the weighted rows, their weights, and how many weigh something."""
    weight = X.new_ones(len(X), dtype=torch.float64) if weight is None else weight.to(X.device)
    values = torch.cat([X.double() * weight[:, None], weight[:, None], (weight > 0).double()[:, None]], 1)
    return _sum_by_label(values, labels.to(X.device), k)


def _float64(values: Any, X: Rows) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float64, device=X.device)


def _labels(X: torch.Tensor, centers: torch.Tensor) -> torch.Tensor:
    """Return the (n,) int32 index of the center that has the least ``|c|^2 - 2 x.c``; ties: the lowest."""
    if (kernels := _kernels_for(X)) is not None:
        return kernels.nearest_labels(X, centers)
    dtype = torch.float64 if X.dtype == torch.float32 and _products_are_rough() else X.dtype
    norms = (centers.to(X.dtype).double() ** 2).sum(1).to(dtype)
    doubled = (-2 * centers.to(X.dtype).to(dtype)).T
    labels = torch.empty(len(X), dtype=torch.int32, device=X.device)
    rows = max(1, tile_bytes(X.device) // (8 * max(len(centers), X.shape[1])))
    for start in range(0, len(X), rows):
        part = slice(start, start + rows)
        labels[part] = torch.addmm(norms, X[part].to(dtype), doubled).argmin(1)
    return labels


def _kernels_for(X: torch.Tensor) -> ModuleType | None:
    """Return the module of Triton's kernels if they can take these rows: float32 on CUDA."""
    if not X.is_cuda or X.dtype != torch.float32:
        return None
    return _triton(X.device)


@functools.cache
def _triton(device: torch.device) -> ModuleType | None:
    """Import the kernels and try them on one row of the device, once in a process; None where there is no Triton."""
    if importlib.util.find_spec("triton") is None:
        return None
    try:
        kernels = import_module("._triton_assign", __package__)
        one = torch.zeros(1, 1, device=device)
        kernels.own_distances2(one, one.double(), kernels.nearest_labels(one, one.double()))
    except Exception as error:  # from a compiler, a driver or a library, each with errors of its own
        warnings.warn(
            f"Triton cannot compile for {device} ({type(error).__name__}: {error}); nearest centers come from matrix "
            "products instead, which take longer; update Triton or the driver of the GPU",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return kernels


def _products_are_rough() -> bool:
    """Say whether the process lets matrix products of float32 round to a few bits; ours are made in float64 then."""
    try:
        return torch.get_float32_matmul_precision() != "highest"
    except RuntimeError:
        # Set for one backend only: PyTorch then refuses to answer.
        return True


def _sum_by_label(values: torch.Tensor, labels: torch.Tensor, k: int) -> torch.Tensor:
    """Add (m, c) float64 rows up by label: each label's rows in runs of `_RUN_ROWS`, then its runs, both in order."""
    m = len(labels)
    sorted_labels, order = torch.sort(labels, stable=True)
    bounds = torch.searchsorted(sorted_labels, torch.arange(k + 1, dtype=labels.dtype, device=labels.device))
    # Rows without a label go to the end. Sizes that the device alone knows would have to be waited for: there are as many
    # runs as there can be, and those beyond the last are empty.
    values = values[order[(torch.arange(m, device=labels.device) + bounds[0]) % m]]
    lengths = bounds.diff()
    runs = -(-lengths // _RUN_ROWS)
    ends = runs.cumsum(0)
    place = torch.arange(-(-m // _RUN_ROWS) + k, device=labels.device)
    owner = torch.searchsorted(ends, place, right=True).clamp_(max=k - 1)
    run_lengths = (lengths[owner] - (place - (ends - runs)[owner]) * _RUN_ROWS).clamp_(0, _RUN_ROWS)
    by_run = torch.segment_reduce(values.contiguous(), "sum", lengths=run_lengths, initial=0.0, unsafe=True)
    return torch.segment_reduce(by_run, "sum", lengths=runs, initial=0.0, unsafe=True)
