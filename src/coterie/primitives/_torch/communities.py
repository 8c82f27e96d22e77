"""Communities on tensors: whole batches of nodes choose at once, by sorted pairs of node and label.

Weights and sizes are rounded to about 52 bits of their sum, so that sums are exact in whatever order a GPU's threads add: the
same labels every time. There is no queue of single nodes at the end, as on the CPU: rounds go on while the partition gets better,
and the best one is kept.
"""

from typing import Any, NamedTuple

import torch

from ...arrays import Graph
from ..communities import CommunityGraph
from .components import connected_components

__all__ = [
    "community_graph",
    "connected_parts",
    "joined_nodes",
    "merged_graph",
    "moved_nodes",
    "partition_sums",
    "room_like",
    "sorted_graph",
    "well_connected_parts",
]

_BATCHES = 8  # of a round
_ROUNDS = 48
_PATIENCE = 2  # rounds without a gain
_SLOW = 0.9  # a round that leaves more of the communities than this
_ROUNDING = 1e-12
_CHANCE = 0.01  # gains that differ by less, in weights of a mean link, are as good as equal
_EXACT_BITS = 51


def community_graph(graph: Graph, sizes: Any) -> CommunityGraph:
    """Drop loops and round weights; see ``primitives.communities.community_graph``."""
    indptr, indices, weights = graph.indptr, graph.indices, graph.weights.double()
    largest = float(weights.max()) if len(weights) else 1.0
    mean = largest * float((weights / largest).mean()) if len(weights) else 1.0
    unit = 2.0 ** (_exponent(mean) - 1)
    weights = _rounded(weights / unit)
    sources = _sources(indptr)
    degrees = _sums(sources, weights, len(indptr) - 1)
    inner = float(weights[sources == indices].sum())
    kept = sources != indices
    if not bool(kept.all()):
        sources, indices, weights = sources[kept], indices[kept], weights[kept]
    sizes = degrees if sizes is None else _rounded(torch.as_tensor(sizes, device=weights.device).double())
    return CommunityGraph(_indptr(sources, len(degrees)), indices, weights, sizes, inner, unit)


def moved_nodes(graph: CommunityGraph, labels: Any, resolution: float, seed: int) -> torch.Tensor:
    """Move nodes in rounds while that betters the partition; see ``primitives.communities.moved_nodes``."""
    labels = torch.as_tensor(labels, device=graph.indptr.device).long().clone()
    state = _State(labels, _sums(labels, graph.sizes, graph.n_nodes), torch.ones_like(labels, dtype=torch.bool))
    best, reached, idle = labels.clone(), _value(graph, labels, resolution), 0
    for turn in range(_ROUNDS):
        if not bool(state.waiting.any()) or idle >= _PATIENCE:
            break
        _round(graph, state, resolution, _mixed(seed, turn))
        value = _value(graph, state.labels, resolution)
        if value > reached:
            best, reached, idle = state.labels.clone(), value, 0
        else:
            idle += 1
    return best


def joined_nodes(graph: CommunityGraph, resolution: float, seed: int) -> torch.Tensor:
    """Join nodes while that is fast; see ``primitives.communities.joined_nodes``."""
    labels = torch.arange(graph.n_nodes, device=graph.indptr.device)
    state = _State(labels, graph.sizes.clone(), torch.ones_like(labels, dtype=torch.bool))
    left = graph.n_nodes
    for turn in range(_ROUNDS):
        _round(graph, state, resolution, _mixed(seed, turn))
        before, left = left, len(labels.unique())
        if left > _SLOW * before:
            break
    return labels


def well_connected_parts(graph: CommunityGraph, labels: Any, resolution: float, seed: int) -> torch.Tensor:
    """Grow well connected parts; see ``primitives.communities.well_connected_parts``.

    In each batch those nodes move that a hash names; none of them is joined in that batch, so that every part stays connected.
    """
    n, device = graph.n_nodes, graph.indptr.device
    sources = _sources(graph.indptr)
    same = labels[sources] == labels[graph.indices]
    sources, others, weights = sources[same], graph.indices[same], graph.weights[same]
    whole = _sums(labels, graph.sizes, n)[labels]
    inner = _sums(sources, weights, n)
    parts = torch.arange(n, device=device)
    for turn in range(2 * _BATCHES):
        alone = torch.bincount(parts, minlength=n)[parts] == 1
        moving = alone & (_batch(n, _mixed(seed, turn % 2), device) == turn // 2)
        moving &= _well_connected(inner, graph.sizes, whole, resolution)
        chosen = moving[sources] & ~moving[others]
        totals = _sums(parts, graph.sizes, n)
        apart = parts[sources] != parts[others]
        outer = _sums(parts[sources[apart]], weights[apart], n)
        pairs = _pairs(sources[chosen], parts[others[chosen]], weights[chosen], n)
        gain = pairs.weights - resolution * graph.sizes[pairs.nodes] * totals[pairs.labels]
        fit = (gain > 0) & _well_connected(outer, totals, _of_part(parts, whole), resolution)[pairs.labels]
        drawn = gain + _CHANCE * _uniform(pairs, _mixed(seed, turn))
        score, best = _best(pairs, torch.where(fit, drawn, -torch.inf), n)
        joined = score > 0
        parts[joined] = best[joined]
    return _numbered(parts)


def connected_parts(graph: CommunityGraph, labels: Any) -> torch.Tensor:
    """Divide communities into components; see ``primitives.communities.connected_parts``."""
    sources = _sources(graph.indptr)
    same = labels[sources] == labels[graph.indices]
    indptr = _indptr(sources[same], graph.n_nodes)
    return connected_components(Graph(indptr, graph.indices[same], graph.weights[same]))


def merged_graph(graph: CommunityGraph, labels: Any, _room: Any = None) -> CommunityGraph:
    """Merge communities to nodes; see ``primitives.communities.merged_graph``. PyTorch keeps memory by itself."""
    k = int(labels.max()) + 1
    pairs = _pairs(labels[_sources(graph.indptr)], labels[graph.indices], graph.weights, k)
    across = pairs.nodes != pairs.labels
    inner = graph.inner + float(pairs.weights[~across].sum())
    indptr = _indptr(pairs.nodes[across], k)
    sizes = _sums(labels, graph.sizes, k)
    return CommunityGraph(indptr, pairs.labels[across], pairs.weights[across], sizes, inner, graph.unit)


def room_like(_graph: CommunityGraph, _spare: Any = None) -> None:
    """Give no memory: that of tensors is kept by their library."""


def sorted_graph(graph: CommunityGraph, labels: Any, _room: Any = None) -> tuple[CommunityGraph, torch.Tensor]:
    """Number nodes by community; see ``primitives.communities.sorted_graph``."""
    order = torch.argsort(labels, stable=True)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=order.device)
    links = _links_of(graph.indptr, order)
    indptr = torch.cat([order.new_zeros(1), graph.indptr.diff()[order].cumsum(0)])
    return graph._replace(
        indptr=indptr, indices=place[graph.indices[links]], weights=graph.weights[links], sizes=graph.sizes[order]
    ), order


def partition_sums(graph: CommunityGraph, labels: Any) -> tuple[float, Any]:
    """Sum up a partition; see ``primitives.communities.partition_sums``."""
    labels = torch.as_tensor(labels, device=graph.indptr.device).long()
    same = labels[_sources(graph.indptr)] == labels[graph.indices]
    sizes = _sums(labels, graph.sizes, int(labels.max()) + 1)
    return graph.inner + float(graph.weights[same].sum()), sizes.cpu().numpy()


class _State(NamedTuple):
    """The partition on its way; its tensors are changed in place."""

    labels: torch.Tensor
    totals: torch.Tensor
    waiting: torch.Tensor


class _Pairs(NamedTuple):
    """Links added up by node and label, sorted by both."""

    nodes: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor


def _round(graph: CommunityGraph, state: _State, resolution: float, mixed: int) -> None:
    batch = torch.where(state.waiting, _batch(graph.n_nodes, mixed, graph.indptr.device), -1)
    for number in range(_BATCHES):
        nodes = (batch == number).nonzero()[:, 0]
        if len(nodes):
            _move(graph, state, resolution, nodes)


def _move(graph: CommunityGraph, state: _State, resolution: float, nodes: torch.Tensor) -> None:
    """Let nodes choose at once, and move them."""
    labels, totals, waiting = state
    waiting[nodes] = False
    links = _links_of(graph.indptr, nodes)
    place = torch.repeat_interleave(torch.arange(len(nodes), device=nodes.device), graph.indptr.diff()[nodes])
    pairs = _pairs(place, labels[graph.indices[links]], graph.weights[links], graph.n_nodes)
    own, sizes = labels[nodes], graph.sizes[nodes]
    home = pairs.labels == own[pairs.nodes]
    inside = _sums(pairs.nodes[home], pairs.weights[home], len(nodes))
    stay = inside - resolution * sizes * (totals[own] - sizes)
    stay += _ROUNDING * (inside + resolution * sizes * totals[own])
    scores = pairs.weights - resolution * sizes[pairs.nodes] * totals[pairs.labels]
    score, best = _best(pairs, torch.where(home, -torch.inf, scores), len(nodes))
    go, apart = (score > stay) & (score >= 0), (stay < 0) & (score < 0)
    free = (torch.bincount(labels, minlength=graph.n_nodes) == 0).nonzero()[:, 0]
    leaving = apart.nonzero()[:, 0][: len(free)]
    best[leaving] = free[: len(leaving)]
    go[leaving] = True
    moved = go.nonzero()[:, 0]
    totals.index_add_(0, own[moved], -sizes[moved])
    totals.index_add_(0, best[moved], sizes[moved])
    labels[nodes[moved]] = best[moved]
    near = graph.indices[links]
    waiting[near[go[place] & (labels[near] != best[place])]] = True


def _best(pairs: _Pairs, scores: torch.Tensor, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the highest score of each node, and the lowest label that has it; minus infinity and 0 where there is none."""
    best = torch.full((n,), -torch.inf, dtype=scores.dtype, device=scores.device)
    best.scatter_reduce_(0, pairs.nodes, scores, "amax")
    chosen = (scores == best[pairs.nodes]) & (scores > -torch.inf)
    label = torch.full((n,), torch.iinfo(torch.int64).max, device=scores.device)
    label.scatter_reduce_(0, pairs.nodes[chosen], pairs.labels[chosen], "amin")
    return best, torch.where(best > -torch.inf, label, 0)


def _pairs(nodes: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, n_labels: int) -> _Pairs:
    keys, where = (nodes * n_labels + labels).unique(return_inverse=True)
    return _Pairs(keys // n_labels, keys % n_labels, _sums(where, weights, len(keys)))


def _value(graph: CommunityGraph, labels: torch.Tensor, resolution: float) -> float:
    inside, sizes = partition_sums(graph, labels)
    return inside - resolution * float((sizes**2).sum())


def _well_connected(weight: torch.Tensor, size: torch.Tensor, total: torch.Tensor, resolution: float) -> torch.Tensor:
    return weight >= (1.0 - _ROUNDING) * resolution * size * (total - size)


def _of_part(parts: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return the value that all nodes of each part share."""
    found = torch.zeros_like(values)
    found[parts] = values
    return found


def _numbered(parts: torch.Tensor) -> torch.Tensor:
    """Number parts by their lowest node."""
    n = len(parts)
    first = torch.full((n,), n, device=parts.device).scatter_reduce_(
        0, parts, torch.arange(n, device=parts.device), "amin"
    )[parts]
    return (torch.bincount(first, minlength=n) > 0).cumsum(0)[first] - 1


def _links_of(indptr: torch.Tensor, nodes: torch.Tensor) -> torch.Tensor:
    """Return where the links of nodes stand, node after node."""
    counts = indptr.diff()[nodes]
    ends = counts.cumsum(0)
    back = torch.repeat_interleave(indptr[:-1][nodes] - ends + counts, counts)
    return back + torch.arange(len(back), device=nodes.device)


def _sources(indptr: torch.Tensor) -> torch.Tensor:
    return torch.repeat_interleave(torch.arange(len(indptr) - 1, device=indptr.device), indptr.diff())


def _indptr(sources: torch.Tensor, n: int) -> torch.Tensor:
    counts = torch.bincount(sources, minlength=n)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def _sums(places: torch.Tensor, values: torch.Tensor, n: int) -> torch.Tensor:
    return torch.zeros(n, dtype=values.dtype, device=values.device).index_add_(0, places, values)


def _rounded(values: torch.Tensor) -> torch.Tensor:
    """Round so that every sum of some of the values is exact."""
    total = float(values.sum())
    if not total > 0:
        return values
    step = 2.0 ** (_exponent(total) - _EXACT_BITS)
    return (values / step).round() * step


def _exponent(value: float) -> int:
    return int(torch.frexp(torch.tensor(value, dtype=torch.float64)).exponent)


def _mixed(seed: int, turn: int) -> int:
    return (seed + 1 + turn * 0x632BE59BD9B4E019) & 0x7FFFFFFFFFFFFFFF


def _hashed(values: torch.Tensor, mixed: int) -> torch.Tensor:
    h = (values * -7046029254386353131) ^ mixed
    return (h ^ ((h >> 31) & 0x1FFFFFFFF)) * -4658895280553007687


def _batch(n: int, mixed: int, device: Any) -> torch.Tensor:
    return (_hashed(torch.arange(n, device=device), mixed) >> 40) & (_BATCHES - 1)


def _uniform(pairs: _Pairs, mixed: int) -> torch.Tensor:
    h = _hashed(pairs.nodes + _hashed(pairs.labels, mixed), mixed)
    return ((h >> 40) & 0xFFFF).double() / 65536.0
