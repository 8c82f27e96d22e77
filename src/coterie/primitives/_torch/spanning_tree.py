"""Boruvka's algorithm on tensors: in each round every component is joined by its best edge to another one.

Edges are ordered by (mutual reachability, distance, lower row, higher row), all squared: a strict order, so that the tree is
unique. A row's last answer stays its answer while that neighbour lies in another component; otherwise it remains a lower
bound on the next one. In each round the row with the least lower bound of each component searches first, and then those
rows whose lower bound could still beat what their component has.
"""

from dataclasses import dataclass
from typing import Any

import torch

from ._tiles import Leaves, group_rows, nearest_first, nearest_tile, root
from .components import follow
from .neighbors import nearest_in_leaves, safe_scale

__all__ = ["mutual_reachability_tree", "spanning_tree"]

Edges = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def spanning_tree(X: torch.Tensor, core_distances: Any) -> Edges:
    """Return left, right, weights; see `coterie.primitives.spanning_tree.spanning_tree`."""
    scale = safe_scale(X)
    leaves = group_rows(X if scale == 1.0 else X / scale)
    if core_distances is None:
        core2 = X.new_zeros(len(X))
    else:
        core = torch.as_tensor(core_distances, dtype=torch.float64, device=X.device) / scale
        core2 = (core * core).to(X.dtype)
    return _in_order(*_boruvka(leaves, leaves.take(core2, torch.inf), len(X)), scale)


def mutual_reachability_tree(X: torch.Tensor, min_samples: int) -> tuple[Edges, torch.Tensor]:
    """Return (left, right, weights) and the core distances; see the front."""
    scale = safe_scale(X)
    leaves = group_rows(X if scale == 1.0 else X / scale)
    core2 = nearest_in_leaves(leaves, leaves, min_samples).distances2[:, :, -1]
    core_distances = leaves.put(_weights(core2, scale), len(X))
    core2 = core2.masked_fill(~leaves.filled, torch.inf)
    return _in_order(*_boruvka(leaves, core2, len(X)), scale), core_distances


def _weights(weight2: torch.Tensor, scale: float) -> torch.Tensor:
    weights = root(weight2.double())
    return weights if scale == 1.0 else weights.clamp_(max=torch.finfo(weights.dtype).max / max(scale, 1.0)) * scale


def _in_order(left: torch.Tensor, right: torch.Tensor, weight2: torch.Tensor, scale: float) -> Edges:
    weights = _weights(weight2, scale)
    for key in ("right", "left", "weights"):
        order = torch.sort({"right": right, "left": left, "weights": weights}[key], stable=True).indices
        left, right, weights = left[order], right[order], weights[order]
    return left, right, weights


@dataclass
class _Search:
    """What each place of the leaves knows."""

    leaves: Leaves
    n: int
    core2: torch.Tensor  # (leaves, width): infinite in empty places
    component: torch.Tensor  # (leaves, width) int64: lowest row of the component, n in empty places
    found: torch.Tensor  # (leaves, width) int64: the neighbour's row, n where none is known
    reach2: torch.Tensor  # (leaves, width): its mutual reachability, or a lower bound on it
    gap2: torch.Tensor  # (leaves, width): its distance
    limit2: torch.Tensor  # (n + 1,): least reachability found for each component


def _boruvka(leaves: Leaves, core2: torch.Tensor, n: int) -> Edges:
    """Return the edges, lower row first, with squared weights, in no order."""
    found, limit2 = torch.full_like(leaves.rows, n), core2.new_empty(n + 1)
    state = _Search(leaves, n, core2, leaves.rows, found, core2.clone(), torch.zeros_like(core2), limit2)
    rows = torch.arange(n, device=core2.device)
    edges: list[Edges] = [(rows[:0], rows[:0], core2.new_empty(0))]
    done = 0
    while done < n - 1:
        of_row = leaves.put(state.component, n)
        # A neighbour that has come to lie in the same component is none any more.
        state.found.masked_fill_(_take(of_row, state.found, n) == state.component, n)
        _bound(state)
        if done:
            _search(state, _scouts(state))
            _bound(state)
        _search(state, (state.found == n) & (state.reach2 <= state.limit2[state.component]) & (state.component < n))
        left, right, weight2 = _best_edges(state)
        own = rows[left < n]
        a, b = of_row[left[own]], of_row[right[own]]
        parent = rows.clone()
        parent[own] = torch.where(a == own, b, a)
        # Two that have chosen each other have chosen the same edge: the lower one stays.
        parent = torch.where((parent[parent] == rows) & (rows < parent), rows, parent)
        added = rows[parent != rows]
        edges.append((left[added], right[added], weight2[added]))
        done += len(added)
        state.component = _take(follow(parent), state.component, n)
    left, right, weight2 = (torch.cat(parts) for parts in zip(*edges, strict=True))
    return left, right, weight2


def _take(values: torch.Tensor, rows: torch.Tensor, n: int) -> torch.Tensor:
    """Return values[rows], and n for the row n."""
    return torch.cat([values, values.new_full((1,), n)])[rows]


def _bound(state: _Search) -> None:
    """Collect what each component has: the least reachability that one of its rows has found."""
    known = state.reach2.masked_fill(state.found == state.n, torch.inf)
    state.limit2.fill_(torch.inf)
    state.limit2.scatter_reduce_(0, state.component.reshape(-1), known.reshape(-1), "amin")


def _scouts(state: _Search) -> torch.Tensor:
    """Choose in each component the first place of the least lower bound, if its neighbour is not known."""
    component, flat = state.component.reshape(-1), state.reach2.reshape(-1)
    least = torch.full_like(state.limit2, torch.inf).scatter_reduce_(0, component, flat, "amin")
    places = torch.arange(len(flat), device=flat.device)
    first = torch.where(flat == least[component], places, len(flat))
    first = places.new_full((state.n + 1,), len(flat)).scatter_reduce_(0, component, first, "amin")
    return ((first[component] == places) & (component < state.n)).view_as(state.found) & (state.found == state.n)


def _search(state: _Search, need: torch.Tensor) -> None:
    """Find the best way out of its component for each row that needs one, or a lower bound where another row's is better."""
    (which,) = need.any(1).nonzero(as_tuple=True)
    if len(which) == 0:
        return
    leaves, n, d = state.leaves, state.n, state.leaves.X.shape[2]
    asked = Leaves(*(values[which] for values in leaves))
    need, component = need[which], state.component[which]
    # Rows that do not search are kept out by an infinite core distance.
    core2 = state.core2[which].masked_fill(~need, torch.inf)
    best = [torch.full_like(core2, torch.inf), torch.full_like(core2, torch.inf), torch.full_like(component, n)]
    whole, floor2 = _whole(state.component, leaves.filled), state.core2.amin(1)
    mine, own2 = _whole(component, need), core2.amin(1)

    def bound2(part: slice) -> torch.Tensor:
        limit = torch.minimum(best[0][part], state.limit2[component[part]])
        return limit.masked_fill_(~need[part], -torch.inf).amax(1)

    def raised(part: slice, box2: torch.Tensor) -> torch.Tensor:
        inside = (mine[part, None] == whole) & (whole >= 0)
        return torch.maximum(torch.maximum(box2, floor2), own2[part, None]).masked_fill_(inside, torch.nan)

    for q, c in nearest_first(asked, leaves, bound2, raised):
        floor = torch.maximum(core2[q][:, :, None], state.core2[c].reshape(len(q), 1, -1))
        floor.masked_fill_(component[q][:, :, None] == state.component[c].reshape(len(q), 1, -1), torch.inf)
        limit2 = torch.minimum(best[0][q], state.limit2[component[q]])
        gap2 = nearest_tile(asked.X[q], leaves.X[c].reshape(len(q), -1, d), 1, limit2, floor)
        here = _least(torch.maximum(gap2, floor), gap2, leaves.rows[c].reshape(len(q), 1, -1))
        _keep_less(best, q, here)
        reached = best[0][q]
        state.limit2.scatter_reduce_(0, component[q].reshape(-1), reached.reshape(-1), "amin")
    _write(state, which, need, best)


def _whole(component: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return the component of all counted places of each leaf, or -1 where they have several."""
    least = component.masked_fill(~counted, torch.iinfo(component.dtype).max).amin(1)
    return torch.where(least == component.masked_fill(~counted, -1).amax(1), least, -1)


def _least(
    reach2: torch.Tensor, gap2: torch.Tensor, rows: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the least (reachability, distance, row) along the last axis."""
    first = reach2.amin(2)
    tied = reach2 == first[:, :, None]
    second = gap2.masked_fill(~tied, torch.inf).amin(2)
    tied &= gap2 == second[:, :, None]
    return first, second, torch.where(tied, rows, torch.iinfo(rows.dtype).max).amin(2)


def _keep_less(best: list[torch.Tensor], q: torch.Tensor, here: tuple[torch.Tensor, ...]) -> None:
    a, b, c = (values[q] for values in best)
    x, y, z = here
    less = (x < a) | ((x == a) & ((y < b) | ((y == b) & (z < c))))
    for values, old, new in zip(best, (a, b, c), here, strict=True):
        values[q] = torch.where(less, new, old)


def _write(state: _Search, which: torch.Tensor, need: torch.Tensor, best: list[torch.Tensor]) -> None:
    """Store answers that are certain; what was not looked at lies beyond the component's limit, a lower bound from now on."""
    limit2 = state.limit2[state.component[which]]
    certain = need & (best[0] <= limit2) & (best[0] < torch.inf)
    state.found[which] = torch.where(certain, best[2], state.found[which])
    state.gap2[which] = torch.where(certain, best[1], state.gap2[which])
    lower = torch.where(certain, best[0], torch.maximum(state.reach2[which], limit2))
    state.reach2[which] = torch.where(need, lower, state.reach2[which])


def _best_edges(state: _Search) -> Edges:
    """Return for each component its best edge: the lower row (n where it has none), the higher row, the squared weight."""
    n = state.n
    known = state.found < n
    component, found = state.component[known], state.found[known]
    rows = state.leaves.rows[known]
    keys = (state.reach2[known], state.gap2[known], torch.minimum(rows, found), torch.maximum(rows, found))
    best, tied = [], torch.ones_like(component, dtype=torch.bool)
    for key in keys:
        highest = torch.inf if key.is_floating_point() else n
        least = key.new_full((n,), highest).scatter_reduce_(0, component, key.masked_fill(~tied, highest), "amin")
        tied &= key == least[component]
        best.append(least)
    return best[2], best[3], best[0]
