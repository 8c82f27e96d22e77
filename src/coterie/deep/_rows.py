"""The gate of the deep room: rows of any shape in, one tensor of single precision on the device out."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..arrays import is_tensor, to_device
from ..errors import InputError

__all__ = ["Scale", "as_rows", "scale_of"]

_SLAB = 4096  # rows that are computed on in double precision at a time
_TOO_LARGE = "a value is beyond single precision (3.4e38), in which networks compute; rescale the data first"


class Scale(NamedTuple):
    """One shift and one unit for all values: what a network sees is ``(x - center) / spread``."""

    center: float
    spread: float

    def of(self, rows: Tensor) -> Tensor:
        """Return what a network sees of rows; rounded once, so that neither an offset nor a unit of the rows shows in it."""
        found = torch.empty_like(rows)
        for part, into in zip(rows.split(_SLAB), found.split(_SLAB), strict=True):
            into.copy_((part.double() - self.center) / self.spread)
        return found


def as_rows(estimator: Any, X: Any, *, reset: bool) -> Tensor:
    """Check the rows and return them as a (n, ...) float32 tensor on the estimator's device, or on their own.

    Parameters
    ----------
    estimator : Estimator
        Remembers ``row_shape_`` and ``n_features_in_`` where ``reset``, else they are compared.
    X : array, frame or tensor of shape (n, d), (n, height, width) or (n, channels, height, width)
    reset : bool
        True in ``fit``.

    Raises
    ------
    InputError
        If the values are bytes, not finite or beyond single precision, or the shape is not that of the fit.
    """
    if str(getattr(X, "dtype", "")) in ("uint8", "torch.uint8"):
        raise InputError(
            "expected numbers of a scale near 1, got uint8 from 0 to 255; divide by 255 first: X.astype('float32') / 255"
        )
    shape = tuple(getattr(X, "shape", ()))
    if len(shape) > 2:
        if 0 in shape:
            raise InputError(f"expected at least one row, none of its sides 0, got an array of shape {shape}")
        if not reset and shape[1:] != tuple(estimator.row_shape_):
            raise InputError(f"rows of shape {tuple(estimator.row_shape_)} were fitted, got rows of shape {shape[1:]}")
        rows = estimator._gate_in(X.reshape(shape[0], -1), reset=reset)
    else:
        rows = estimator._gate_in(X, reset=reset)
        shape = tuple(rows.shape)
    if not is_tensor(rows):
        if np.abs(rows).max() > np.finfo(np.float32).max:
            raise InputError(_TOO_LARGE)
        rows = to_device(np.ascontiguousarray(rows, dtype=np.float32), estimator.device)
        rows = rows if is_tensor(rows) else torch.from_numpy(rows)
    rows = rows.to(torch.float32)
    if not bool(rows.isfinite().all()):
        raise InputError(
            "a value is beyond single precision (3.4e38), in which networks compute; rescale the data first"
        )
    if reset:
        estimator.row_shape_ = shape[1:]
    return rows.reshape(shape[0], *estimator.row_shape_)  # rows of images may come flat


def scale_of(rows: Tensor) -> Scale:
    """Return mean and standard deviation of all values; one unit for all keeps what the data say about their columns."""
    values = rows.double()
    spread = float(values.std(correction=0))
    return Scale(float(values.mean()), spread if spread > 0 else 1.0)
