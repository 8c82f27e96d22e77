"""Doing without a kernel at first: compiling takes longer than the first few small calls of a process do without it."""

from collections import defaultdict
from collections.abc import Callable
from time import thread_time
from typing import Any

__all__ = ["plain_or_compiled"]

_SIZE = 12_000  # links, of about 1,500 nodes: more are left to the kernel
_spent: defaultdict[str, float] = defaultdict(float)


def plain_or_compiled(
    kernel: Any, seconds: float, size: int, plain: Callable, compiled: Callable, *arguments: Any
) -> Any:
    """Call one of two functions that give the same bits, so that it does not matter which.

    Parameters
    ----------
    kernel : compiled function
        What ``compiled`` runs.
    seconds : float
        Half of what compiling it takes: when calls without it have taken so long, it is compiled.
    size : int
        Links of the graph.
    plain, compiled : callable
    *arguments
        Of either.
    """
    name = kernel.py_func.__qualname__
    if kernel.signatures or size > _SIZE or _spent[name] >= seconds:
        return compiled(*arguments)
    started = thread_time()
    result = plain(*arguments)
    _spent[name] += thread_time() - started
    return result
