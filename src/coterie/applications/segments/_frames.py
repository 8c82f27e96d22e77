"""Results as a frame of the kind that the caller gave."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["frame_like"]


def frame_like(source: Any, columns: Mapping[str, Sequence | np.ndarray]) -> Any:
    """Return columns as a frame of the library of ``source``, or as a dict of arrays where that is no frame."""
    import narwhals as nw

    try:
        frame = nw.from_native(source, eager_only=True)
        return nw.from_dict(
            {name: _plain(values) for name, values in columns.items()}, backend=frame.implementation
        ).to_native()
    except (TypeError, AttributeError):
        return {name: np.asarray(_plain(values)) for name, values in columns.items()}


def _plain(values: Any) -> Any:
    return values.tolist() if isinstance(values, np.ndarray) and values.dtype == object else values
