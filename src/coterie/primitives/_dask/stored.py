"""Dask arrays over files that tasks have left, a block each; the files go when nothing refers to them."""

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
from dask.base import compute
from dask.delayed import delayed

from ...errors import ClusterError
from ..exchange import Drop
from .cluster import Crew
from .exchange import Missing, Slice, forget_here, slice_bytes
from .here import Here
from .scratch import hold, remove_empty

__all__ = ["derived", "gathered", "stored"]


def derived(values: Sequence, function: Callable, lengths: Sequence, dtype: Any, more: Sequence | None = None) -> Any:
    """See `coterie.primitives.exchange.derived`."""
    others = [()] * len(values) if more is None else [(other,) for other in more]
    parts = [
        da.from_delayed(delayed(function)(value, *other), (int(n),), dtype)
        for value, other, n in zip(values, others, lengths, strict=True)
    ]
    return da.concatenate(parts) if len(parts) > 1 else parts[0]


def gathered(*arrays: Any) -> tuple:
    """See `coterie.primitives.exchange.gathered`."""
    return compute(*arrays)


class _Keeper:
    """Removes files when nothing refers to it in the process that asked for them; nothing when it has travelled."""

    def __init__(self, remove: Callable | None = None):
        if remove is not None:
            weakref.finalize(self, remove)

    def __reduce__(self) -> tuple:
        return _Keeper, ()


def stored(crew: Crew | Here, drops: Sequence[Drop], token: str) -> list:
    """See `coterie.primitives.exchange.stored`."""
    keeper = _Keeper(partial(_forget_there, crew, token, sorted({drop.path for drop in drops})))
    for folder in {Path(drop.path).parent for drop in drops}:
        if folder.is_dir():  # workers of this machine, which may be started anew
            hold(folder)
    slices = [Slice(i, drop.path, 0, int(drop.sizes[0])) for i, drop in enumerate(drops)]
    if isinstance(crew, Here) or len({drop.folder for drop in drops}) == 1:
        return [delayed(_kept_bytes, pure=False)(part, keeper) for part in slices]
    held = crew.hold([(_kept_bytes, part, [drop.address]) for part, drop in zip(slices, drops, strict=True)])
    return [delayed(_first, pure=False)(future, keeper) for future in held]


def _forget_there(crew: Crew | Here, token: str, paths: list[str]) -> None:
    """Remove files that are kept no longer; where the workers are gone, those that this machine sees."""
    crew.tell(forget_here, token)
    for path in paths:
        Path(path).unlink(missing_ok=True)
    for folder in {Path(path).parent for path in paths}:
        remove_empty(folder)


def _first(value: Any, keeper: _Keeper) -> Any:
    return value


def _kept_bytes(part: Slice, keeper: _Keeper | None = None) -> bytes:
    try:
        return slice_bytes(part) if part.size else b""
    except Missing as error:
        raise ClusterError(
            f"{part.path} is gone with the worker that kept it; fit again, and store results before workers end"
        ) from error
