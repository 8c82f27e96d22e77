"""Profiles of the columns of groups of rows on the CPU: each thread takes a column, so that no sums are shared."""

from typing import NamedTuple

import numpy as np

from ..column_profiles import FEW, Layout, Profiles
from .blocks import run_blocks
from .jit import kernel, part

__all__ = ["Seen", "column_profiles", "finished", "seen"]

_SLOTS = 1024
_RANK_BITS = 11  # 2^11 registers


class Seen(NamedTuple):
    """What a pass over some rows adds up."""

    rows: np.ndarray  # (g,) int64
    known: np.ndarray  # (g, d) int64
    sums: np.ndarray  # (g, d) float64: of differences from ``around``
    squares: np.ndarray  # (g, d) float64
    low: np.ndarray
    high: np.ndarray
    buckets: np.ndarray
    registers: np.ndarray
    values: tuple
    value_counts: tuple


def column_profiles(X, labels, n_groups, layout, around):
    """See `coterie.primitives.column_profiles.column_profiles`."""
    found = seen(np.ascontiguousarray(X), np.asarray(labels), n_groups, layout, around)
    return finished(found, found.sums, found.squares, layout, around)


def finished(found: Seen, sums, squares, layout: Layout, around) -> Profiles:
    """Turn sums into means and deviations."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = sums / found.known
        deviation = np.sqrt(np.maximum(squares / found.known - shift**2, 0.0))
    there = found.known > 0
    low, high = np.where(there, found.low, np.nan), np.where(there, found.high, np.nan)
    mean = np.clip(around + shift, low, high)
    # Where there is one value, the sums hold traces of rounding.
    deviation = np.where(low == high, 0.0, deviation)
    return Profiles(
        found.rows, found.known, mean, deviation, low, high, layout, found.buckets, found.registers, found.values,
        found.value_counts,
    )  # fmt: skip


def seen(X, labels, n_groups, layout: Layout, around) -> Seen:
    """Add up some rows."""
    d, g = X.shape[1], n_groups
    groups = np.where(labels < 0, g - 1, labels).astype(np.int64)
    count, buckets = np.zeros((d, g), np.int64), np.zeros((g, int(layout.starts[-1])), np.int64)
    totals = np.zeros((d, g, 6))
    totals[:, :, 4], totals[:, :, 5] = np.inf, -np.inf
    registers = np.zeros((d, g, 1 << _RANK_BITS), np.uint8)
    keys, places = np.zeros((d, _SLOTS), np.int64), np.full((d, _SLOTS), -1, np.int64)
    counts, n_values = np.zeros((d, FEW, g), np.int64), np.zeros(d, np.int64)
    run_blocks(
        _column, d, X, groups, np.ascontiguousarray(around.T), layout.origin, layout.unit, np.int64(layout.bits), layout.below,
        layout.starts, count, totals, buckets, registers, keys, places, counts, n_values,
    )  # fmt: skip
    values, value_counts = [], []
    for j in range(d):
        if n_values[j] > FEW:
            values.append(None)
            value_counts.append(None)
            continue
        there = np.flatnonzero(places[j] >= 0)
        own = keys[j, there].view(np.float64)
        order = np.argsort(own)
        values.append(own[order])
        value_counts.append(np.ascontiguousarray(counts[j, places[j, there[order]]].T))
    rows = np.bincount(groups, minlength=g).astype(np.int64)
    sums, squares = (totals[:, :, at].T + totals[:, :, at + 1].T for at in (0, 2))
    return Seen(
        rows, count.T, sums, squares, totals[:, :, 4].T, totals[:, :, 5].T, buckets, registers.transpose(1, 0, 2), tuple(values),
        tuple(value_counts),
    )  # fmt: skip


@kernel
def _column(
    j,
    X,  # (n, d)  in
    groups,  # (n,) int64  in
    around,  # (d, g)  in
    origin,  # (d,)  in
    unit,  # (d,)  in
    bits,  # int  in
    below,  # (d,) int64  in
    starts,  # (d + 1,) int64  in
    count,  # (d, g) int64  in, out
    totals,  # (d, g, 6)  in, out: sum of the differences, what rounding took from it, the same of squares, least, greatest
    buckets,  # (g, all) int64  in, out
    registers,  # (d, g, 2^11) uint8  in, out
    keys,  # (d, slots) int64  in, out: bits of the values met, at the place of their hash or the next free one
    places,  # (d, slots) int64  in, out: their numbers in the order in which they were met, -1 where there is none
    counts,  # (d, FEW, g) int64  in, out
    n_values,  # (d,) int64  in, out: values met, at most one more than FEW
):
    middle, narrow, zero, last = origin[j], 1.0 / unit[j], below[j], starts[j + 1] - starts[j] - 1
    own_count, own_totals, own_around, own_registers = count[j], totals[j], around[j], registers[j]
    own_buckets, own_keys, own_places, own_counts = buckets[:, starts[j] : starts[j + 1]], keys[j], places[j], counts[j]
    met = n_values[j]
    for i in range(len(X)):
        x = np.float64(X[i, j]) + 0.0  # one zero, not two
        if x != x:
            continue
        g = groups[i]
        own_count[g] += 1
        total = own_totals[g]
        gap = x - own_around[g]
        _add(total, 0, gap)
        _add(total, 2, gap * gap)
        total[4] = min(total[4], x)
        total[5] = max(total[5], x)

        apart = x - middle
        steps = (np.float64(1.0 + abs(apart) * narrow).view(np.int64) >> (52 - bits)) - (1023 << bits)
        place = zero + (steps if apart >= 0 else -1 - steps)
        own_buckets[g, min(max(place, 0), last)] += 1

        key = np.float64(x).view(np.int64)
        mixed = np.uint64(key)  # splitmix64
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
        register = mixed & np.uint64((1 << _RANK_BITS) - 1)
        rank = _rank(mixed >> np.uint64(_RANK_BITS))
        if rank > own_registers[g, register]:
            own_registers[g, register] = rank

        if met <= FEW:
            slot = np.int64(mixed >> np.uint64(54))
            while own_places[slot] >= 0 and own_keys[slot] != key:
                slot = (slot + 1) % _SLOTS
            if own_places[slot] < 0:
                met += 1
                if met > FEW:
                    continue
                own_keys[slot] = key
                own_places[slot] = met - 1
            own_counts[own_places[slot], g] += 1
    n_values[j] = met


@part
def _add(total, at, term):
    """Add to a sum, and to what rounding has taken from it (Knuth's two-sum)."""
    before = total[at]
    after = before + term
    back = after - before
    total[at + 1] += (before - (after - back)) + (term - back)
    total[at] = after


@part
def _rank(bits):
    """Return the place of the lowest bit that is set, from 1 on."""
    rank = 1
    while bits & np.uint64(1) == np.uint64(0) and rank <= 64 - _RANK_BITS:
        bits = bits >> np.uint64(1)
        rank += 1
    return rank
