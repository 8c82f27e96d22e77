"""How pictures become the numbers that an estimator compares: as they are for a network, or projected on directions of pixels."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .picture_values import resized
from .pictures import PictureKind, Pictures, read_pictures

__all__ = ["PictureCoding"]


@dataclass(frozen=True, eq=False)
class PictureCoding:
    """What a model of pictures keeps beside its estimator, so that new pictures become what the estimator knows.

    Attributes
    ----------
    kind : PictureKind
        Size, channels and unit of the pictures of the fit.
    mean : (d,) float32 array or None
        The mean picture, all values in one line; None where the estimator takes the pictures themselves.
    directions : (p, d) float32 array or None
        The principal directions of the pixels.
    """

    kind: PictureKind
    mean: NDArray[np.float32] | None = field(default=None, repr=False)
    directions: NDArray[np.float32] | None = field(default=None, repr=False)

    def read(self, source: Any, *, array: str | None = None, memory_limit: int | None = None) -> Pictures:
        """Read new pictures and bring them to the size, channels and unit of those of the fit.

        Parameters
        ----------
        source : path, array or Pictures
            A folder, an ``.npy`` or ``.npz`` file, or (n, h, w) or (n, 3, h, w) pictures from 0 to 1.
        array : str, optional
            Name of the array, where the file holds several.
        memory_limit : int, optional
            Bytes that reading may use.

        Returns
        -------
        Pictures
        """
        if isinstance(source, Pictures):
            return source
        if isinstance(source, str | os.PathLike):
            return read_pictures(source, kind=self.kind, array=array, memory_limit=memory_limit)
        values = np.asarray(source, dtype=np.float32)
        if values.ndim != 1 + len(self.kind.row_shape) or (self.kind.colour and values.shape[1] != 3):
            shape = "(n, 3, h, w)" if self.kind.colour else "(n, h, w)"
            raise InputError(f"expected pictures as an array {shape} of values from 0 to 1, got shape {values.shape}")
        sizes = np.tile(np.array([values.shape[-2:]]), (len(values), 1))
        names = tuple(map(str, range(len(values))))
        return Pictures("array", resized(values, self.kind.size), names, self.kind, sizes)

    def transform(self, pictures: Pictures) -> NDArray[np.float32]:
        """Return what the estimator takes: (n, h, w) or (n, 3, h, w), or (n, p) projections.

        Parameters
        ----------
        pictures : Pictures
        """
        if self.mean is None or self.directions is None:
            return pictures.values
        return ((pictures.values.reshape(pictures.n_rows, -1) - self.mean) @ self.directions.T).astype(np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return everything as JSON and arrays, for `from_state`."""
        described = {
            "pictures": list(self.kind.size),
            "colour": self.kind.colour,
            "unit": None if self.kind.unit is None else list(self.kind.unit),
        }
        if self.mean is None or self.directions is None:
            return described, {}
        return described, {"mean": self.mean, "directions": self.directions}

    @classmethod
    def from_state(cls, json: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> "PictureCoding":
        """Return the coding whose state it was.

        Raises
        ------
        InputError
            If the state is damaged.
        """
        try:
            height, width = (int(side) for side in json["pictures"])
            unit = None if json["unit"] is None else (float(json["unit"][0]), float(json["unit"][1]))
            kind = PictureKind((height, width), bool(json["colour"]), unit)
            if min(kind.size) < 1 or max(kind.size) > 65536 or (unit is not None and not unit[0] < unit[1]):
                raise ValueError("a size or a unit is not one")
            mean, directions = arrays.get("mean"), arrays.get("directions")
            length = int(np.prod(kind.row_shape))
            if (mean is None) != (directions is None):
                raise ValueError("its directions are not whole")
            if mean is not None and directions is not None:
                good = mean.shape == (length,) and directions.ndim == 2 and directions.shape[1] == length
                if not (good and np.isfinite(mean).all() and np.isfinite(directions).all()):
                    raise ValueError("its directions do not fit its size")
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"the description of the pictures is damaged: {error}") from error
        return cls(kind, mean, directions)
