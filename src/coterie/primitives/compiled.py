"""Compiling for the CPU, for the rooms above: their sequential steps are kernels too, but belong to no engine.

A file that uses these names mentions `_numba`, so that the cache of machine code notices its edits.
"""

from ._numba.blocks import run_blocks, run_kernel
from ._numba.jit import is_cached, kernel, part
from ._numba.union_find import find

__all__ = ["find", "is_cached", "kernel", "part", "run_blocks", "run_kernel"]
