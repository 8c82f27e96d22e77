"""One pass over the rows, in batches that fit: their size is found from one row, and halved where memory was overrated."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from ..errors import CoterieError, InputError, ResourceError
from ._inputs import Rows, Size, Stream, parts_of, rows_in

__all__ = ["bytes_of", "guarded", "passes", "rows_for"]

_log = logging.getLogger("coterie.deep")
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
          "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}  # fmt: skip
_MOST_ROWS = {"cpu": 256}  # beyond, activations leave the caches and a row costs more
_MOST_ROWS_ELSEWHERE = 4096
_SHARE = 8  # of max_memory that the activations of a batch may take, together; the allocator keeps some of each size


def bytes_of(size: Any) -> int:
    """Return a number of bytes given as such, or as "500MB", "2 GB", "1.5GiB"."""
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([kmgt]?i?b?)\s*", size.lower()) if isinstance(size, str) else None
    if found is None or found[2] not in _UNITS or float(found[1]) <= 0:
        raise InputError(f"max_memory must be a number of bytes or a text such as '500MB' or '2GB', got {size!r}")
    return int(float(found[1]) * _UNITS[found[2]])


def rows_for(n_bytes: int, max_memory: int, device: torch.device) -> int:
    """Return how many rows a batch may have.

    Parameters
    ----------
    n_bytes : int
        Of all activations of one row.
    max_memory : int
        Bytes.
    device : device
    """
    room = max_memory / _SHARE
    if device.type == "cuda":
        room = torch.cuda.mem_get_info(device)[0] / 2
    return max(1, min(int(room // max(n_bytes, 1)), _MOST_ROWS.get(device.type, _MOST_ROWS_ELSEWHERE)))


def guarded(run: Callable[[Any], Any], batch: Any) -> Any:
    """Run a batch; what the module complains about becomes one sentence, lack of memory a `ResourceError`."""
    try:
        return run(batch)
    except CoterieError:
        raise
    except Exception as error:
        if _lacks_memory(error):
            raise ResourceError("out of memory") from None
        text = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(
            f"the module could not compute rows of {_described(batch)}: {text}; pass rows of the shape and type that it"
            " was made for"
        ) from error


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "not enough memory" in str(error)
    )


def _described(batch: Any) -> str:
    if isinstance(batch, Tensor):
        return f"shape {tuple(batch.shape[1:])} and type {str(batch.dtype).removeprefix('torch.')}"
    if isinstance(batch, dict):
        return ", ".join(f"{name!r} of {_described(value)}" for name, value in batch.items())
    return type(batch).__name__


def passes(
    source: Rows | Stream, size: Size, read: Callable[[Any], list[Tensor]], autocast: Any = None
) -> Iterator[list[Tensor]]:
    """Yield what is read of each batch, in order; a batch that does not fit into memory is halved, and those after it too.

    Parameters
    ----------
    source : Rows or Stream
    size : Size
        Made smaller where memory runs out.
    read : callable
        From a batch to one (b, d) tensor for each layer.
    autocast : context manager, optional
        Precision to compute in.
    """
    for batch in source.batches(size):
        waiting = [batch]
        while waiting:
            part = waiting.pop(0)
            found = _read_or_none(read, part, autocast)
            if found is not None:
                yield found
                continue
            halves = parts_of(part)
            if halves is None:
                raise ResourceError(
                    "a single row, or a batch that cannot be divided, does not fit into memory; pass smaller rows, fewer"
                    " layers, or another device"
                )
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            size.rows = max(1, min(size.rows, rows_in(halves[1]) or 1))
            _log.info("a batch did not fit into memory: going on with %d rows", size.rows)
            waiting[:0] = halves


def _read_or_none(read: Callable[[Any], list[Tensor]], batch: Any, autocast: Any) -> list[Tensor] | None:
    """Return None where memory ran out; here the frames that hold its tensors are gone when the caller tries again."""
    try:
        with autocast if autocast is not None else nullcontext():
            return guarded(read, batch)
    except ResourceError:
        return None
