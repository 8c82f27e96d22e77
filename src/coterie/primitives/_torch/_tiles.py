"""Distances in tiles of bounded size, and rows grouped into small boxes so that most tiles need not be computed.

`group_rows` sorts rows into leaves of equal width by halving at medians, like the k-d tree of the CPU engine, and lays them out
as one (leaves, width, d) tensor. Two leaves are compared as a whole: a batch of such pairs is the unit of work, sized to stay
within `tile_bytes` whatever n is. A pair whose boxes lie too far apart is never computed.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch

__all__ = [
    "Leaves",
    "add_by_group",
    "box_distances2",
    "distances2",
    "farthest2",
    "group_rows",
    "lowest",
    "near_pairs",
    "nearest_first",
    "nearest_tile",
    "paired_distances2",
    "root",
    "row_sum",
    "slice_rows",
    "slices",
    "tile_bytes",
    "within",
]

_SLICE_BYTES = 1 << 26
_SUM_ROWS = 256
_FEW_FEATURES = 16


class Leaves(NamedTuple):
    """Rows in groups that lie close together; places that no row fills hold infinity and the row number n."""

    X: torch.Tensor  # (leaves, width, d)
    rows: torch.Tensor  # (leaves, width) int64: row of the input, n where there is none
    low: torch.Tensor  # (leaves, d) lower corner of the box
    high: torch.Tensor  # (leaves, d) upper corner

    @property
    def filled(self) -> torch.Tensor:
        """Return which places hold a row."""
        return _filled(self.X)

    def take(self, values: torch.Tensor, empty: float | int | bool) -> torch.Tensor:
        """Lay (n,) values out like the rows, ``empty`` where there is none."""
        return torch.cat([values, values.new_full((1,), empty)])[self.rows]

    def put(self, values: torch.Tensor, n: int) -> torch.Tensor:
        """Bring (leaves, width, ...) values back to the order of the input."""
        out = values.new_empty((n + 1, *values.shape[2:]))
        out[self.rows.reshape(-1)] = values.reshape(-1, *values.shape[2:])
        return out[:n]


def tile_bytes(device: torch.device) -> int:
    """Return how large one intermediate tensor may be: within the CPU's caches, or enough to fill a GPU."""
    return 1 << 21 if device.type == "cpu" else 1 << 27


def slice_rows(X: Any) -> int:
    """Return how many rows a slice of ``X`` has, so that it is of bounded size as float64."""
    return max(1, _SLICE_BYTES // (8 * max(1, math.prod(X.shape[1:]))))


def slices(X: Any) -> Iterator[slice]:
    """Cut the rows of ``X``, a tensor or `BlockedRows`, into slices of `slice_rows`."""
    rows = slice_rows(X)
    return (slice(start, start + rows) for start in range(0, len(X), rows))


def row_sum(values: torch.Tensor) -> torch.Tensor:
    """Sum (n, d) float64 rows in an order that does not depend on the number of threads: short runs, then their sums."""
    while len(values) > 1:
        n, d = values.shape
        short = -n % min(_SUM_ROWS, n)
        if short:
            values = torch.cat([values, values.new_zeros(short, d)])
        values = values.view(-1, min(_SUM_ROWS, n), d).transpose(1, 2).contiguous().sum(2)
    return values[0]


def root(values: torch.Tensor) -> torch.Tensor:
    """Return square roots rounded to nearest, as the CPU engine has them."""
    roots = values.double().sqrt()
    if values.device.type == "cpu" and values.dtype == torch.float64:
        roots = _corrected(values, roots)
    return roots.to(values.dtype)


def _corrected(values: torch.Tensor, roots: torch.Tensor) -> torch.Tensor:
    """Move roots that are the wrong neighbour of the true one: PyTorch's on the CPU are, in one case of a hundred.

    A root r is right where ``x - r^2`` lies within r times the gaps to its neighbours; the square is formed exactly, as a sum of two numbers (Dekker 1971),
    after scaling by a power of four so that nothing overflows or vanishes.
    """
    usual = (values > 0) & (values < torch.inf)
    exponent = torch.frexp(values).exponent.long() & -2
    half = torch.where(usual, exponent // 2, 0)
    x, r = _times_power(_times_power(values, -half), -half), _times_power(roots, -half)
    spread = r * (2.0**27 + 1)
    upper = spread - (spread - r)
    lower = r - upper
    square = r * r
    rest = ((upper * upper - square) + 2 * upper * lower) + lower * lower
    gap = (x - square) - rest
    above, below = torch.nextafter(r, torch.full_like(r, 4.0)), torch.nextafter(r, torch.zeros_like(r))
    r = torch.where(gap > r * (above - r), above, torch.where(gap <= r * (below - r), below, r))
    return torch.where(usual, _times_power(r, half), roots)


def _times_power(values: torch.Tensor, exponent: torch.Tensor) -> torch.Tensor:
    return values * ((exponent + 1023) << 52).view(torch.float64)


def group_rows(X: torch.Tensor, width: int | None = None) -> Leaves:
    """Sort the rows of ``X`` into leaves, all of them full but the last.

    Parameters
    ----------
    X : (n, d) float tensor
        Finite.
    width : int, optional
        Rows of a leaf; by default more for more rows, since the boxes of all leaves are compared with each other.
    """
    n, d = X.shape
    width = width or min(-(-n // 8) * 8, 64 if n <= 1 << 17 else 256)
    n_leaves = 1 << max(0, -(-n // width) - 1).bit_length()
    # One zero only: sorts differ in whether they tell the two apart. Infinity sorts empty places to the very end.
    padded = torch.cat([X + 0.0, X.new_full((1, d), torch.inf)])
    rows = torch.full((n_leaves * width,), n, device=X.device)
    rows[:n] = torch.arange(n, device=X.device)
    n_nodes = 1
    while n_nodes < n_leaves:
        rows = rows.view(n_nodes, -1)
        low, high = _boxes(padded, rows)
        value = padded[rows, (high - low).argmax(1)[:, None]]
        rows = rows.gather(1, value.sort(dim=1, stable=True).indices)
        n_nodes *= 2
    rows = rows.view(n_leaves, width)[: -(-n // width)].contiguous()
    return Leaves(padded[rows], rows, *_boxes(padded, rows))


def _boxes(padded: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    low = torch.empty(len(rows), padded.shape[1], dtype=padded.dtype, device=padded.device)
    high = torch.empty_like(low)
    empty = rows == len(padded) - 1
    for f, feature in enumerate(padded.T.contiguous()):
        values = feature[rows]
        low[:, f] = values.amin(1)
        high[:, f] = values.masked_fill_(empty, -torch.inf).amax(1)
    return low, high


def distances2(A: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
    """Return the squared distances between the rows of each pair of groups.

    The sum runs over the features in order and each operation rounds once (no fused multiply-add), so the bits are those of
    the CPU engine's tile.

    Parameters
    ----------
    A : (..., a, d) float tensor
    B : (..., b, d) float tensor

    Returns
    -------
    (..., a, b) tensor
        NaN or infinite where an empty place takes part.
    """
    # Each feature is made contiguous first: strided reads would cost more than the arithmetic.
    A, B = A.movedim(-1, 0).contiguous(), B.movedim(-1, 0).contiguous()
    total: torch.Tensor | None = None
    gap: torch.Tensor | None = None
    for mine, theirs in zip(A, B, strict=True):
        if total is None:
            total = (mine[..., :, None] - theirs[..., None, :]).square_()
            continue
        gap = torch.sub(
            mine[..., :, None], theirs[..., None, :], out=gap if gap is not None else torch.empty_like(total)
        )
        total.add_(gap.square_())
    assert total is not None, "rows have at least one feature"
    return total


def paired_distances2(A: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
    """Return the (m,) squared distances between the rows of two (m, d) tensors, with the bits of `distances2`."""
    total = torch.zeros(len(A), dtype=A.dtype, device=A.device)
    for mine, theirs in zip(A.T, B.T, strict=True):
        total.add_((mine - theirs).square_())
    return total


def within(A: torch.Tensor, B: torch.Tensor, bound2: float) -> torch.Tensor:
    """Say which squared distances between the rows of (p, a, d) and (p, b, d) groups are at most ``bound2``.

    The answer is that of ``distances2(A, B) <= bound2``. Where there are many features, most of it comes from one matrix
    product in float64, and only the pairs that its rounding leaves open are computed by differences.
    """
    d = A.shape[-1]
    if d <= _FEW_FEATURES:
        return distances2(A, B) <= bound2
    estimate, error = _estimates2(A, B)
    inside = estimate + error <= bound2
    # What has overflowed is not a number and stays open; empty places do not.
    open_pairs = ~inside & ~(estimate - error > bound2) & _filled(A)[:, :, None] & _filled(B)[:, None, :]
    for some in open_pairs.nonzero().split(max(1, tile_bytes(A.device) // (8 * d))):
        pair, i, j = some.T
        inside[pair, i, j] = paired_distances2(A[pair, i], B[pair, j]) <= bound2
    return inside


def nearest_tile(
    A: torch.Tensor, B: torch.Tensor, k: int, limit2: torch.Tensor, floor: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the squared distances that may be among the k least of a row and no greater than its limit, else infinity.

    Parameters
    ----------
    A : (p, a, d) float tensor
    B : (p, b, d) float tensor
        Empty places are infinitely far.
    k : int
        More than b asks for all within the limit.
    limit2 : (p, a) tensor
    floor : (p, a, b) tensor, optional
        What is compared is the greater of the squared distance and this; infinite for pairs that do not count.

    Returns
    -------
    (p, a, b) tensor
        With the bits of `distances2`. It may hold more than was asked for.
    """
    d = A.shape[-1]
    if d <= _FEW_FEATURES:
        none = ~_filled(B)[:, None, :] if floor is None else floor == torch.inf
        return distances2(A, B).masked_fill_(none, torch.inf)
    estimate, error = _estimates2(A, B)
    upper, least = (estimate + error).nan_to_num_(nan=torch.inf), estimate - error
    maybe = _filled(A)[:, :, None] & _filled(B)[:, None, :]
    if floor is not None:
        upper, least = torch.maximum(upper, floor), torch.maximum(least, floor)
        maybe &= floor < torch.inf
    if B.shape[1] >= k:
        limit2 = torch.minimum(limit2, upper.topk(k, 2, largest=False).values[:, :, -1])
    maybe &= ~(least > limit2[:, :, None])
    tile = A.new_full(estimate.shape, torch.inf)
    for some in maybe.nonzero().split(max(1, tile_bytes(A.device) // (8 * d))):
        pair, i, j = some.T
        tile[pair, i, j] = paired_distances2(A[pair, i], B[pair, j])
    return tile


def lowest(values: torch.Tensor, rows: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the k least ``values`` along the last axis with their ``rows``, unordered; ties at the end: the lowest rows."""
    top, at = values.topk(k, -1, largest=False, sorted=False)
    worst = top.amax(-1, keepdim=True)
    tied = values == worst
    if bool(((values <= worst).sum(-1) > k).any()):
        key = torch.where(tied, rows, rows.new_full((), torch.iinfo(rows.dtype).max)).masked_fill_(values < worst, -1)
        at = key.topk(k, -1, largest=False, sorted=False).indices
        top = values.gather(-1, at)
    return top, rows.gather(-1, at)


def _filled(X: torch.Tensor) -> torch.Tensor:
    return X[:, :, 0] < torch.inf


def _estimates2(A: torch.Tensor, B: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return squared distances by a matrix product, and how far `distances2` may be from them."""
    d, info = A.shape[-1], torch.finfo(A.dtype)
    # Near the rows the products are short; the first place of a leaf is never empty.
    center = A[:, :1].double()
    A, B = A.double() - center, B.double() - center
    size = (A * A).sum(2)[:, :, None] + (B * B).sum(2)[:, None, :]
    estimate = torch.baddbmm(size, A, B.transpose(1, 2), alpha=-2)
    # Three dot products of d terms and the rounded shift, then the d + 2 roundings of the sum by differences.
    error = size.mul_((d + 8) * 2 * torch.finfo(torch.float64).eps)
    error += (estimate + error).abs_().mul_((d + 4) * info.eps).add_((d + 4) * info.tiny)
    return estimate, error


def near_pairs(
    queries: Leaves, leaves: Leaves, choose: Callable[[slice], torch.Tensor]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """List pairs of leaves in batches whose distances fill one tile.

    Parameters
    ----------
    queries, leaves : Leaves
    choose : callable
        Gets a slice of the query leaves and returns, (q, leaves) bool, with which leaves each is to be paired.

    Yields
    ------
    (p,) int64, (p,) int64
        Query leaf and leaf of each pair, ordered by query leaf.
    """
    size = tile_bytes(leaves.X.device)
    pairs = max(1, size // (8 * queries.X.shape[1] * leaves.X.shape[1]))
    block = max(1, size // (8 * len(leaves.X)))
    for start in range(0, len(queries.X), block):
        chosen = choose(slice(start, start + block)).nonzero()
        for q, c in (some.T for some in chosen.split(pairs)):
            yield q + start, c


def nearest_first(
    queries: Leaves,
    leaves: Leaves,
    bound2: Callable[[slice], torch.Tensor],
    raised: Callable[[slice, torch.Tensor], torch.Tensor] | None = None,
    together: int = 4,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """For each query leaf list the leaves by the distance of their boxes, a few at a time, as long as they are in reach.

    Parameters
    ----------
    queries, leaves : Leaves
    bound2 : callable
        Gets a slice of the query leaves and returns the (q,) squared distance beyond which each needs no leaf; asked
        before every batch, so that what was found in one shortens the next.
    raised : callable, optional
        Gets a slice of the query leaves and the (q, leaves) squared distances of the boxes, and returns what is compared
        with the bound instead; NaN for leaves to pass over.
    together : int
        Leaves given to a query leaf at once.

    Yields
    ------
    (p,) int64, (p, t) int64
        Query leaves, each at most once, and their next leaves: ``together`` of them, or what is left.
    """
    size, n_leaves = tile_bytes(leaves.X.device), len(leaves.X)
    together = min(together, n_leaves)
    block = max(1, min(size // (8 * queries.X.shape[1] * leaves.X.shape[1] * together), size // (8 * n_leaves)))
    for start in range(0, len(queries.X), block):
        part = slice(start, start + block)
        box2 = box_distances2(queries.low[part], queries.high[part], leaves)
        # NaN sorts last and is within no bound.
        box2, order = (box2 if raised is None else raised(part, box2)).sort(dim=1, stable=True)
        for first in range(0, n_leaves, together):
            (active,) = (box2[:, first] <= bound2(part)).nonzero(as_tuple=True)
            if len(active) == 0:
                break
            yield active + start, order[active, first : first + together]


def box_distances2(low: torch.Tensor, high: torch.Tensor, other: Leaves) -> torch.Tensor:
    """Return the least squared distance from each of (q, d) boxes to each leaf; never above the computed one of their rows."""
    total = low.new_zeros(len(low), len(other.low))
    for f in range(low.shape[1]):
        gap = torch.maximum(low[:, None, f] - other.high[None, :, f], other.low[None, :, f] - high[:, None, f])
        total.add_(gap.clamp_(min=0).square_())
    return total


def farthest2(low: torch.Tensor, high: torch.Tensor, other: Leaves) -> torch.Tensor:
    """Return the greatest squared distance between points of the boxes; never below the computed one of their rows."""
    total = low.new_zeros(len(low), len(other.low))
    for f in range(low.shape[1]):
        gap = torch.maximum(high[:, None, f] - other.low[None, :, f], other.high[None, :, f] - low[:, None, f])
        total.add_(gap.square_())
    return total


def add_by_group(out: torch.Tensor, groups: torch.Tensor, values: torch.Tensor) -> None:
    """Add (p, w) ``values`` to the rows ``groups`` of ``out``, in an order that does not depend on timing."""
    if out.device.type == "cpu" or not out.is_floating_point():
        out.index_add_(0, groups, values)
        return
    member = groups[None, :] == torch.arange(len(out), device=out.device)[:, None]
    out.add_(member.to(out.dtype) @ values)
