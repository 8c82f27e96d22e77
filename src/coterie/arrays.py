"""The one gate in and the one gate out: what every estimator accepts, and what it gives back.

Compute follows the data: a PyTorch tensor stays where it lies and labels come back beside it; NumPy arrays, frames and
anything else that scikit-learn takes are computed on by the CPU engine, unless ``device`` says to move them.
"""

import sys
from typing import Any, NamedTuple

import numpy as np

from .errors import InputError, MissingExtraError

__all__ = [
    "NOISE",
    "Graph",
    "append_column",
    "first_bad_value",
    "is_tensor",
    "like_input",
    "normalize_rows",
    "to_device",
    "to_numpy",
    "unsealed",
]

NOISE = -1
"""The label of rows that belong to no cluster."""

_BLOCK_ROWS = 65_536


class Graph(NamedTuple):
    """A weighted graph in compressed rows: node i is joined to ``indices[indptr[i]:indptr[i + 1]]``, columns ascending.

    An undirected edge stands in the rows of both its ends; a directed one in the row of its source. The degree of a node is
    the sum of its row: an undirected edge from a node to itself stands once, with twice its weight, as it has two ends there.
    `coterie.graphs.as_graph` makes one of a matrix, an edge list, or another library's graph.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Graph
    >>> Graph(np.array([0, 1, 2]), np.array([1, 0]), np.array([0.5, 0.5])).n_nodes
    2
    """

    indptr: Any  # (n_nodes + 1,) int64
    indices: Any  # (n_stored,) int64
    weights: Any  # (n_stored,) float

    @property
    def n_nodes(self) -> int:
        """Return how many nodes there are."""
        return len(self.indptr) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Return the shape of the adjacency matrix: nodes by nodes."""
        return self.n_nodes, self.n_nodes


def is_tensor(array: Any) -> bool:
    """Say whether ``array`` is a PyTorch tensor, without importing PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(array, torch.Tensor)


def to_device(X: np.ndarray, device: str) -> Any:
    """Move a NumPy array to where it shall be computed on.

    Parameters
    ----------
    X : ndarray
    device : str
        "cpu" leaves it with the CPU engine; "cuda", "cuda:0", "mps" move it there; "auto" moves it to a GPU if there is one.

    Returns
    -------
    ndarray or tensor

    Raises
    ------
    MissingExtraError
        If a GPU is asked for and PyTorch is not installed.
    InputError
        If PyTorch sees no such device.
    """
    if device == "cpu":
        return X
    try:
        import torch
    except ImportError:
        if device == "auto":
            return X
        raise MissingExtraError(f'device={device!r} needs PyTorch; pip install "coterie[gpu]"') from None
    if device == "auto":
        return torch.from_numpy(X).to("cuda") if torch.cuda.is_available() else X
    try:
        return torch.from_numpy(X).to(device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(f"device={device!r} is not usable here ({error}); use device='cpu'") from error


def like_input(values: Any, X: Any) -> Any:
    """Return ``values`` as an array of the kind and on the device of the input ``X``: tensors for tensors, else NumPy."""
    if is_tensor(X):
        torch = sys.modules["torch"]
        return values.to(X.device) if is_tensor(values) else torch.as_tensor(values, device=X.device)
    return values.cpu().numpy() if is_tensor(values) else values


def to_numpy(values: Any) -> np.ndarray:
    """Return ``values`` as a NumPy array on the host."""
    return values.detach().cpu().numpy() if is_tensor(values) else np.asarray(values)


def unsealed(X: np.ndarray) -> np.ndarray:
    """Return a view of a read-only array that does not say so; it must still not be written to.

    Numba takes read-only arrays for another type: every kernel would be compiled a second time for them.

    Parameters
    ----------
    X : ndarray

    Returns
    -------
    ndarray
        ``X`` itself where it may be written to.
    """
    return X if X.flags.writeable else np.asarray(_Unsealed(X))


class _Unsealed:
    def __init__(self, X: np.ndarray):
        self.X = X  # alive as long as the view is
        self.__array_interface__ = X.__array_interface__ | {"data": (X.__array_interface__["data"][0], False)}


def append_column(X: Any, column: Any) -> Any:
    """Return dense rows with one more feature; ``column`` is (n, 1), of the engine of ``X``."""
    if is_tensor(X):
        return sys.modules["torch"].cat([X, column.to(X.dtype)], 1).contiguous()
    return np.concatenate([X, column.astype(X.dtype)], axis=1)


def first_bad_value(X: np.ndarray) -> tuple[int, int] | None:
    """Return row and column of the first NaN or infinity of a dense array, or None; costs one sum where there is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = X.sum()  # in its own precision: an overflow only means a second look
    if np.isfinite(total):
        return None
    for start in range(0, len(X), _BLOCK_ROWS):
        rows, columns = np.nonzero(~np.isfinite(X[start : start + _BLOCK_ROWS]))
        if len(rows):
            return start + int(rows[0]), int(columns[0])
    return None


def normalize_rows(X: Any) -> Any:
    """Scale each row to length 1; rows of zeros stay as they are."""
    largest = abs(X).max() if not is_tensor(X) else X.abs().max()
    X = X / _power_of_two(float(largest)) if float(largest) > 0 else X
    if is_tensor(X):
        length = X.norm(dim=1, keepdim=True)
        return X / length.where(length > 0, length.new_ones(()))
    length = np.sqrt(np.einsum("nf,nf->n", X, X, dtype=np.float64))[:, None]
    return np.divide(X, length, out=np.zeros_like(X), where=length > 0, casting="same_kind")


def _largest(X: np.ndarray) -> float:
    return max(float(X.max()), -float(X.min())) if X.size else 0.0


def _power_of_two(value: float) -> float:
    """Return the power of two just above ``value``: dividing by it rounds nothing."""
    if not value > 0:
        return 1.0
    return 2.0 ** min(1022, max(-1021, int(np.frexp(value)[1])))
