"""How fast this machine is beside the one whose seconds stand in `cost`, by two small pieces of work, and what it has yet to compile.

What a study tries does not depend on it, so that the same data have the same answer on a slow machine; what it says of seconds does.
"""

import os
import time
from collections.abc import Callable
from functools import cache

import numpy as np

from ..primitives.compiled import is_cached

__all__ = ["compiling_seconds", "slowness"]

# Seconds of the two pieces on a core of a 2.5 GHz server, which has two of them.
PRODUCT_SECONDS = 5.9e-4
PASS_SECONDS = 2.4e-4
CORES = 2
ROUNDS = 20
# What compiling took there, the first time a study meets such a table: the kernel file whose machine code tells, the seconds of all that
# is compiled with it, from how many rows compared on, up to how many columns. The rows and columns are those at which the kernels change.
COMPILED = (
    ("neighbors", 6.5, 1, float("inf")),
    ("boruvka_search", 3.5, 4_097, float("inf")),
    ("lloyd_boxes", 2.0, 1_000, 4),
)


@cache
def slowness() -> float:
    """Return how many times longer work takes here.

    On one core, the geometric mean of a sum of products and a pass over memory; more cores help by the root of their number, because
    some of the work goes on one only.
    """
    square = np.full((128, 128), 0.5)
    long = np.full(1 << 20, 0.5)
    product = _fastest(lambda: np.einsum("ij,kj->ik", square, square)) / PRODUCT_SECONDS
    through = _fastest(lambda: long + 1.0) / PASS_SECONDS
    return float(np.sqrt(product * through * CORES / _cores()))


def compiling_seconds(n_rows: int, n_columns: int) -> float:
    """Return the seconds in which a study on so many rows compiles kernels on that server, without those whose machine code is kept."""
    new = (
        seconds
        for name, seconds, least, most in COMPILED
        if n_rows >= least and n_columns <= most and not is_cached(name)
    )
    return sum(new)


def _cores() -> int:
    """Return on how many cores this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fastest(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of a few rounds: the others waited for something else."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
