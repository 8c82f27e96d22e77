"""Whatever rows come in, batches of them: arrays, tensors, dictionaries of both, data sets, loaders, lists of batches.

Floating numbers become those that the module computes in; whole numbers stay whole where it has embeddings, since they are
numbers of tokens. A batch of a loader is split where it is too large, and never joined with the next.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import torch
from scipy.sparse import issparse
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, RandomSampler, default_collate

from ..arrays import first_bad_value, is_tensor
from ..errors import InputError

__all__ = ["Rows", "Size", "Stream", "is_batch", "parts_of", "rows_in", "source_of"]


class Size:
    """How many rows a batch has; it may become less while batches are made."""

    def __init__(self, rows: int):
        self.rows = rows


class _Numbers:
    """How numbers are handed to a module."""

    def __init__(self, module: nn.Module, device: torch.device):
        weights = [*module.parameters(), *module.buffers()]
        floating = [weight.dtype for weight in weights if weight.is_floating_point()]
        self.dtype = floating[0] if floating else torch.float32
        self.tokens = any(isinstance(part, nn.Embedding | nn.EmbeddingBag) for part in module.modules())
        self.device = device

    def __call__(self, value: Any, first_row: int = 0) -> Any:
        if isinstance(value, Mapping):
            return {name: self(part, first_row) for name, part in value.items()}
        if issparse(value):
            value = value.toarray()
        if isinstance(value, np.ndarray):
            return self._array(value, first_row)
        if isinstance(value, Tensor):
            value = value.to(self.device, self.dtype if value.is_floating_point() else value.dtype)
            _refuse_bytes(value.dtype)
            if value.is_floating_point() and not bool(value.isfinite().all()):
                raise InputError("X contains NaN or infinity; fill or drop such rows first")
            return value
        return value.to(self.device) if hasattr(value, "to") else value

    def _array(self, value: np.ndarray, first_row: int) -> Tensor:
        _refuse_bytes(value.dtype)
        if value.dtype.kind not in "fiub":
            raise InputError(
                f"expected numbers, got {value.dtype}; make floating numbers or token numbers of them first"
            )
        whole = value.dtype.kind in "iu" and self.tokens
        if value.dtype.kind == "f":
            bad = first_bad_value(value.reshape(len(value), -1)) if value.size else None
            if bad is not None:
                raise InputError(
                    f"X contains NaN or infinity in row {first_row + bad[0]}; fill or drop such rows first"
                )
        wanted: Any = np.int64 if whole else np.float64 if self.dtype == torch.float64 else np.float32
        rows = torch.from_numpy(np.array(value, dtype=wanted, order="C"))  # a copy: a module may write to its input
        return rows.to(self.device, rows.dtype if whole else self.dtype)


def _refuse_bytes(dtype: Any) -> None:
    if str(dtype) in ("uint8", "torch.uint8"):
        raise InputError(
            "expected numbers of the scale that the module was trained on, got uint8 from 0 to 255; divide by 255 first:"
            " X.astype('float32') / 255 (token numbers: X.astype('int64'))"
        )


class Rows:
    """Rows that can be taken by their numbers, again and again."""

    again = True
    shuffled = False

    def __init__(self, X: Any, n: int, numbers: _Numbers):
        self.X, self.n, self.numbers = X, n, numbers

    def first(self, count: int) -> list[Any]:
        """Return a batch of so many rows and one of twice as many; a single one where there are not enough."""
        if self.n < 2 * count:
            return [self._rows(0, min(count, self.n))]
        return [self._rows(0, count), self._rows(0, 2 * count)]

    def batches(self, size: Size) -> Iterator[Any]:
        """Make batches in order."""
        start = 0
        while start < self.n:
            stop = min(start + size.rows, self.n)
            yield self._rows(start, stop)
            start = stop

    def _rows(self, start: int, stop: int) -> Any:
        if isinstance(self.X, Dataset):
            items: Any = self.X
            return self.numbers(_without_labels(default_collate([items[i] for i in range(start, stop)])), start)
        if isinstance(self.X, Mapping):
            return self.numbers({name: value[start:stop] for name, value in self.X.items()}, start)
        return self.numbers(self.X[start:stop], start)


class Stream:
    """Batches that somebody else makes."""

    n = None

    def __init__(self, X: Iterable[Any], numbers: _Numbers):
        self.numbers = numbers
        self.again = iter(X) is not X
        self.shuffled = isinstance(X, DataLoader) and isinstance(X.sampler, RandomSampler)
        self.X: Iterable[Any] = X
        self.seen: list[Any] = []

    def first(self, count: int) -> list[Any]:
        """Return parts of the first batch, of so many rows and of twice as many; the whole where it cannot be divided."""
        stream = iter(self.X)
        try:
            batch = next(stream)
        except StopIteration:
            raise InputError("X holds no batch, so there is nothing to read features of") from None
        if not self.again:
            self.X = chain([batch], stream)
        batch = self.numbers(_without_labels(batch))
        n = rows_in(batch)
        if n is None or n < 2 * count:
            return [batch]
        return [_slice(batch, 0, count), _slice(batch, 0, 2 * count)]

    def batches(self, size: Size) -> Iterator[Any]:
        """Make batches in order, those that are too large divided."""
        for batch in self.X:
            batch = self.numbers(_without_labels(batch))
            n = rows_in(batch)
            if n is None or n <= size.rows:
                yield batch
                continue
            start = 0
            while start < n:
                stop = min(start + size.rows, n)
                yield _slice(batch, start, stop)
                start = stop


def source_of(X: Any, module: nn.Module, device: torch.device) -> Rows | Stream:
    """Return where batches come from.

    Parameters
    ----------
    X : array, tensor, mapping of them, data set, or iterable of batches
    module : Module
    device : device
        Where batches are put.
    """
    numbers = _Numbers(module, device)
    if isinstance(X, Mapping):
        lengths = {name: len(value) for name, value in X.items()}
        if len(set(lengths.values())) != 1:
            raise InputError(f"the arrays of X must have the same number of rows, got {lengths}; a whole graph is [X]")
        return _counted(X, next(iter(lengths.values())), numbers)
    if isinstance(X, Dataset) and hasattr(X, "__getitem__") and hasattr(X, "__len__"):
        return _counted(X, len(X), numbers)
    if isinstance(X, list | tuple) and not any(is_batch(part) for part in X):
        X = np.asarray(X)
    if is_tensor(X) or isinstance(X, np.ndarray) or issparse(X):
        if X.ndim == 0:
            raise InputError("expected an array of rows, got a single number")
        return _counted(X, X.shape[0], numbers)
    if hasattr(X, "columns") and hasattr(X, "to_numpy"):
        rows = X.to_numpy()
        return _counted(rows, len(rows), numbers)
    if not isinstance(X, Iterable) or isinstance(X, str | bytes):
        raise InputError(f"X must be an array, a tensor, a dict of them, or batches of rows, got {type(X).__name__}")
    return Stream(X, numbers)


def is_batch(part: Any) -> bool:
    """Say whether an item of a list is a batch rather than a row of numbers."""
    return is_tensor(part) or isinstance(part, np.ndarray | Mapping | tuple) or hasattr(part, "to")


def _counted(X: Any, n: int, numbers: _Numbers) -> Rows:
    if n == 0:
        raise InputError("expected at least one row, got none")
    return Rows(X, n, numbers)


def _without_labels(batch: Any) -> Any:
    """Return the rows of a batch: of a pair of rows and labels, the rows."""
    if isinstance(batch, tuple | list) and not hasattr(batch, "to"):
        if not batch:
            raise InputError("a batch of X is empty")
        return batch[0]
    return batch


def rows_in(batch: Any) -> int | None:
    """Return how many rows a batch has, or None where it cannot be divided: its parts differ in length, or it is no array."""
    if isinstance(batch, Tensor):
        return len(batch) if batch.ndim else None
    if isinstance(batch, Mapping):
        lengths = {len(value) if isinstance(value, Tensor) and value.ndim else None for value in batch.values()}
        return lengths.pop() if len(lengths) == 1 else None
    return None


def _slice(batch: Any, start: int, stop: int) -> Any:
    if isinstance(batch, Mapping):
        return {name: value[start:stop] for name, value in batch.items()}
    return batch[start:stop]


def parts_of(batch: Any) -> list[Any] | None:
    """Return the two halves of a batch, or None where it cannot be divided."""
    n = rows_in(batch)
    return None if n is None or n < 2 else [_slice(batch, 0, n // 2), _slice(batch, n // 2, n)]
