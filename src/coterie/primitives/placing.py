"""Where rows are computed on: on the host, on a GPU, or in blocks where one GPU cannot hold them."""

import sys
from typing import Any

import numpy as np

from ..arrays import to_device

__all__ = ["placed"]

_TIMES = 3  # the rows, the rows as they are computed on, and the work


def placed(X: np.ndarray, device: str) -> Any:
    """Move rows to where they shall be computed on, by blocks where they do not fit.

    Parameters
    ----------
    X : (n, d) float array
        Not copied where it is read by blocks: it must stay as it is.
    device : str
        As for `coterie.arrays.to_device`. "cuda" and "auto" may take every GPU of the machine, each with some of the blocks;
        "cuda:1" takes that one.

    Returns
    -------
    ndarray, tensor or BlockedRows
        What the functions of `coterie.primitives.assign`, `conditioning` and `row_keys` take. They return the same, whether the
        rows lie on a device or come to it block by block.

    Raises
    ------
    MissingExtraError, InputError
        As `coterie.arrays.to_device`.
    """
    if device == "cpu" or not _too_large(X.nbytes, device):
        return to_device(X, device)
    from ._torch.blocked_rows import BlockedRows

    torch = sys.modules["torch"]
    one = ":" in device
    return BlockedRows(
        torch.from_numpy(X),
        [torch.device(device)] if one else [torch.device("cuda", i) for i in range(torch.cuda.device_count())],
    )


def _too_large(n_bytes: int, device: str) -> bool:
    """Say whether one GPU lacks the room for so many bytes of rows and the work on them."""
    try:
        import torch
    except ImportError:
        return False
    if not torch.cuda.is_available() or not (device == "auto" or device.startswith("cuda")):
        return False
    try:
        free, _ = torch.cuda.mem_get_info(None if device == "auto" else device)
    except (RuntimeError, AssertionError, ValueError):
        return False  # `to_device` says what is wrong
    return _TIMES * n_bytes > free
