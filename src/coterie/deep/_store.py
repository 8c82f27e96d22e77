"""Where features go: an array of their size, made once, or a .npy file that is written from its start to its end.

A file is written through the file system and mapped only when it is done: pages of a mapped file count as the memory of the
process until they are written back. It takes its name at the end, so a file of that name is always complete.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import write_array_header_1_0

from ..errors import OutputError, ResourceError
from ..primitives.memory import free_bytes

__all__ = ["Store"]


class Store:
    """Rows of features, taken batch by batch.

    Parameters
    ----------
    n : int or None
        How many rows there will be, where that is known.
    d : int
        Columns.
    dtype : dtype
    room : float
        Bytes of memory that they may take.
    path : path or None
        Of a .npy file to write instead.
    """

    def __init__(self, n: int | None, d: int, dtype: Any, room: float, path: Any = None):
        self.d, self.dtype, self.room = d, np.dtype(dtype), room
        self.path = None if path is None else Path(path)
        self.rows = 0
        self.parts: list[np.ndarray] = []
        self.array: np.ndarray | None = None
        if self.path is not None:
            self._open(n)
        elif n is not None:
            self._check(n)
            self.array = np.empty((n, d), self.dtype)

    def _check(self, n: int) -> None:
        needed, room = float(n) * self.d * self.dtype.itemsize, min(self.room, free_bytes())
        if needed > room:
            raise ResourceError(
                f"{self.d:,} features of {n:,} rows take {needed / 1e6:,.0f} MB, and {room / 1e6:,.0f} MB of memory are"
                " left for them; pass cache='features.npy' to write them to a file, reduce them, or raise max_memory"
            )

    def _open(self, n: int | None) -> None:
        assert self.path is not None
        needed = (n or 0) * self.d * self.dtype.itemsize
        try:
            free = shutil.disk_usage(self.path.parent).free
            if needed > free:
                raise ResourceError(
                    f"{self.d:,} features of {n:,} rows take {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free where"
                    f" {self.path} would stand; pass another place, or reduce them"
                )
            self.unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
            self.file = open(self.unfinished, "wb")  # noqa: SIM115 - open until close() or discard()
            self._header(0)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error

    def _header(self, n: int) -> None:
        # NumPy leaves room in the header for the number of rows to grow, so it can be written anew.
        written = {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False, "shape": (n, self.d)}
        write_array_header_1_0(self.file, written)

    def add(self, part: np.ndarray) -> None:
        """Take the next rows."""
        part = np.ascontiguousarray(part, self.dtype)
        if self.path is not None:
            try:
                self.file.write(part.data)
            except OSError as error:
                raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error
        elif self.array is not None:
            self.array[self.rows : self.rows + len(part)] = part
        else:
            self._check(self.rows + len(part))
            self.parts.append(part)
        self.rows += len(part)

    def close(self) -> np.ndarray:
        """Return all rows; of a file, a read-only map."""
        if self.path is None:
            return self.array if self.array is not None else np.concatenate(self.parts)
        self.file.seek(0)
        self._header(self.rows)
        self.file.close()
        os.replace(self.unfinished, self.path)
        return np.load(self.path, mmap_mode="r", allow_pickle=False)

    def discard(self) -> None:
        """Leave nothing behind where not all rows came."""
        if self.path is not None and not self.file.closed:
            self.file.close()
            self.unfinished.unlink(missing_ok=True)
