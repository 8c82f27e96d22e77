"""Where rows are computed on: on the host, on a GPU, or in blocks where one GPU cannot hold them."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..arrays import to_device

__all__ = ["placed"]


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
    if device == "cpu" or find_spec("torch") is None:
        return to_device(X, device)
    blocks = import_module("coterie.primitives._torch.blocked_rows")
    return blocks.in_blocks(X, device) if blocks.too_large(X.nbytes, device) else to_device(X, device)
