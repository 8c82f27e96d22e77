"""Memberships of neighbours, and the epochs of a layout, on PyTorch.

The draws are numbered as on the CPU, so both engines draw the same rows; sums of forces run over stretches of links in order,
without atomic additions.
"""

import torch

__all__ = ["layout", "memberships"]

_HALVINGS = 64
_MOST_DRAWS = 1 << 22  # pushes that are computed at a time


def memberships(distances, least_share, tolerance):
    """See `coterie.primitives.neighbor_embedding.memberships`."""
    found = distances.double()
    n, k = found.shape
    nearest = torch.where(found > 0, found, torch.inf).amin(1, keepdim=True)
    nearest = torch.where(nearest.isinf(), 0.0, nearest)
    beyond = (found[:, 1:] - nearest).clamp_min(0)
    target = torch.log2(torch.tensor(float(k)))
    low, high, width = torch.zeros_like(nearest), torch.full_like(nearest, torch.inf), torch.ones_like(nearest)
    for _ in range(_HALVINGS):
        off = (-beyond / width).exp().sum(1, keepdim=True) - target
        done, wide = off.abs() < tolerance, off > 0
        high, low = torch.where(wide, width, high), torch.where(wide, low, width)
        width = torch.where(done, width, torch.where(high.isinf(), width * 2, (low + high) / 2))
    least = least_share * torch.where(nearest > 0, found.mean(1, keepdim=True), found.mean())
    width = torch.maximum(width, least)
    out = torch.where(beyond > 0, (-beyond / width).exp(), 1.0)
    return torch.cat([out.new_zeros(n, 1), out], 1).to(distances.dtype)


def layout(graph, phases, start, keys, curve, n_negatives):
    """See `coterie.primitives.neighbor_embedding.layout`."""
    n, (a, b) = len(start), curve
    rows = torch.repeat_interleave(torch.arange(n, device=start.device), graph.indptr.diff())
    draws = torch.arange(n_negatives, device=start.device)
    part = max(1, _MOST_DRAWS // max(1, n_negatives))
    now = start
    for epoch, key in enumerate(keys.astype("int64").tolist()):
        before, after = (torch.floor(at * graph.weights + phases) for at in (epoch, epoch + 1))
        live = (before != after).nonzero()[:, 0]
        force = torch.zeros_like(now)
        for links in live.split(part):
            heads, tails = rows[links], graph.indices[links]
            gaps, gap2 = _gaps(now, heads, tails)
            power = gap2**b
            pull = torch.where(gap2 > 0, -2 * a * b * power / (gap2 * (1 + a * power)), 0.0)
            forces = 2 * (pull * gaps).clamp(-4, 4)
            if n_negatives:
                others = _drawn(key + links[:, None] * n_negatives + draws, n)
                gaps, gap2 = _gaps(now, heads[:, None], others)
                push = 2 * b / ((1e-3 + gap2) * (1 + a * gap2**b))
                forces += (push * gaps).clamp(-4, 4).sum(1)
            force += _sums(forces, heads, n)
        now = now + (1 - epoch / len(keys)) * force
    return now


def _gaps(now, heads, tails):
    gaps = now[heads] - now[tails]
    return gaps, gaps.square().sum(-1, keepdim=True)


def _sums(forces, heads, n):
    """Return the sums of the forces on each row; heads ascend."""
    counts = torch.bincount(heads, minlength=n)
    return torch.segment_reduce(forces, "sum", lengths=counts, axis=0, unsafe=True)


def _drawn(counter, n):
    """Return a row by a number of its own (SplitMix64; whole numbers wrap around as those without a sign do)."""
    x = counter * (0x9E3779B97F4A7C15 - 2**64)
    x = (x ^ _right(x, 30)) * (0xBF58476D1CE4E5B9 - 2**64)
    x = (x ^ _right(x, 27)) * (0x94D049BB133111EB - 2**64)
    return (_right(x, 32) * n) >> 32


def _right(x, bits):
    """Shift to the right and fill up with zeros."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)
