"""From the output of a layer, whatever its shape, to one row of numbers for each row that went in.

A layer gives each row a vector, a sequence of tokens, or a map with one vector at each position. Pooling sums the positions
up. It is done inside the hook, on the device: a map of 56 x 56 positions leaves it as a single vector, and an activation that
a later layer overwrites in place has been read before.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import InputError

__all__ = ["POOLS", "Form", "pooled"]

_GEM_POWER = 3.0  # Radenovic et al. 2019, doi:10.1109/TPAMI.2018.2846566
_GEM_FLOOR = 1e-6


class Form(NamedTuple):
    """How the axes of an output are to be read."""

    batch_axis: int = 0
    channels: str = "first"  # or "last": where the vector of a position stands


def pooled(values: Tensor, how: Any, form: Form, mask: Tensor | None = None, name: str = "") -> Tensor:
    """Sum up the positions of each row.

    Parameters
    ----------
    values : tensor
        Of any shape and number type; rows along ``form.batch_axis``.
    how : str or callable
        One of `POOLS`, or a function from (b, ...) to (b, d).
    form : Form
    mask : (b, positions) bool tensor, optional
        Which tokens are real; the others are padding.
    name : str
        Of the layer, for messages.

    Returns
    -------
    (b, d) tensor
        float32, or float64 where the layer computes in it; never a view of ``values``.
    """
    rows = _real(values)
    if form.batch_axis:
        rows = rows.movedim(form.batch_axis, 0)
    if callable(how):
        found = how(rows)
        if not isinstance(found, Tensor) or found.ndim == 0 or len(found) != len(rows):
            raise InputError(
                f"the pool of layer {name!r} must return a tensor with one row for each of {len(rows)} rows"
            )
        found = found.flatten(1) if found.ndim > 1 else found[:, None]
    elif rows.ndim <= 2:
        found = rows if rows.ndim == 2 else rows[:, None]
    elif how == "flatten":
        found = (rows if mask is None else rows * _weights(rows, form, mask, name)).flatten(1)
    else:
        maps = rows if form.channels == "first" else rows.movedim(-1, 1)
        if mask is not None and how != "cls":
            _check_mask(maps, mask, name)
        found = POOLS[how](maps, mask, name)
    return found.clone() if _shares_memory(found, values) else found


def _real(values: Tensor) -> Tensor:
    if values.layout is not torch.strided:
        values = values.to_dense()
    if values.is_complex():
        values = values.abs()
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def _shares_memory(found: Tensor, values: Tensor) -> bool:
    if values.layout is not torch.strided:
        return False
    return found.untyped_storage().data_ptr() == values.untyped_storage().data_ptr()


def _check_mask(maps: Tensor, mask: Tensor, name: str) -> None:
    if maps.ndim != 3 or tuple(mask.shape) != (len(maps), maps.shape[2]):
        raise InputError(
            f"layer {name!r} gives each row {tuple(maps.shape[2:])} positions and the mask has {mask.shape[1]}: which of"
            " them are padding is not known; take pool='cls' for it, or leave the mask out"
        )


def _weights(rows: Tensor, form: Form, mask: Tensor, name: str) -> Tensor:
    maps = rows if form.channels == "first" else rows.movedim(-1, 1)
    _check_mask(maps, mask, name)
    return (mask[:, None, :] if form.channels == "first" else mask[:, :, None]).to(rows.dtype)


def _mean(maps: Tensor, mask: Tensor | None, name: str) -> Tensor:
    """Return the mean of the positions, (b, c)."""
    if mask is None:
        return maps.flatten(2).mean(2)
    share = mask.to(maps.dtype)
    # where, not times: what stands at padding may be NaN
    sums = maps.where(mask[:, None, :], maps.new_zeros(())).sum(2)
    return sums / share.sum(1, keepdim=True).clamp(min=1.0)


def _max(maps: Tensor, mask: Tensor | None, name: str) -> Tensor:
    flat = maps.flatten(2)
    return (flat if mask is None else flat.masked_fill(~mask[:, None, :], -torch.inf)).amax(2)


def _gem(maps: Tensor, mask: Tensor | None, name: str) -> Tensor:
    """Return the generalised mean: between the mean (power 1) and the maximum (infinite power)."""
    return _mean(maps.clamp(min=_GEM_FLOOR) ** _GEM_POWER, mask, name) ** (1 / _GEM_POWER)


def _tokens(maps: Tensor, pool: str, name: str) -> Tensor:
    if maps.ndim != 3:
        raise InputError(
            f"pool={pool!r} picks a token, and layer {name!r} gives maps of {tuple(maps.shape[2:])} positions;"
            " take 'mean', 'max', 'gem', 'pyramid' or 'flatten' for it"
        )
    return maps


def _cls(maps: Tensor, mask: Tensor | None, name: str) -> Tensor:
    return _tokens(maps, "cls", name)[:, :, 0]


def _cls_and_mean(maps: Tensor, mask: Tensor | None, name: str) -> Tensor:
    return torch.cat([_cls(maps, mask, name), _mean(maps, mask, name)], 1)


def _last(maps: Tensor, mask: Tensor | None, name: str) -> Tensor:
    """Return the last token that is no padding."""
    maps = _tokens(maps, "last", name)
    if mask is None:
        return maps[:, :, -1]
    numbers = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    place = (mask * numbers).argmax(1)
    return maps.gather(2, place[:, None, None].expand(-1, maps.shape[1], 1))[:, :, 0]


def _fields(maps: Tensor, parts: int, pool: str, name: str) -> Tensor:
    """Return the means of the maps over a coarse grid of so many fields along each axis, or of all positions if fewer."""
    axes = maps.ndim - 2
    if axes > 3:
        raise InputError(f"pool={pool!r} takes maps of one to three axes, layer {name!r} gives {axes}; take 'mean'")
    halves: Any = [functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d, functional.adaptive_avg_pool3d]
    sides = tuple(min(parts, side) for side in maps.shape[2:])
    return halves[axes - 1](maps, sides).flatten(1)


def _unmasked(mask: Tensor | None, pool: str, name: str) -> None:
    if mask is not None:
        raise InputError(f"pool={pool!r} knows no padding, and the rows of layer {name!r} have a mask; take 'mean'")


def _grid(maps: Tensor, mask: Tensor | None, name: str) -> Tensor:
    _unmasked(mask, "grid", name)
    return _fields(maps, 4, "grid", name)


def _pyramid(maps: Tensor, mask: Tensor | None, name: str) -> Tensor:
    """Return the mean of all positions, and those of the halves along each axis: 1 + 2^axes vectors."""
    _unmasked(mask, "pyramid", name)
    return torch.cat([_mean(maps, None, name), _fields(maps, 2, "pyramid", name)], 1)


POOLS: dict[str, Callable[[Tensor, Tensor | None, str], Tensor]] = {
    "auto": _mean,
    "mean": _mean,
    "max": _max,
    "gem": _gem,
    "cls": _cls,
    "cls+mean": _cls_and_mean,
    "grid": _grid,
    "last": _last,
    "pyramid": _pyramid,
}
"""Beside "flatten", which keeps every position. "auto" is the mean of the tokens or positions; of packed sequences, the last token."""
