"""Pictures from a folder of files or from an array: one stack of one size, with what was decided and what was left out."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .picture_values import LARGEST

__all__ = ["PictureKind", "Pictures", "holds_pictures", "read_pictures"]

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class PictureKind:
    """What every picture that is compared with others must be alike in.

    Attributes
    ----------
    size : (int, int)
        Height and width in pixels.
    colour : bool
        Whether there are three channels, red, green and blue; else one.
    unit : (float, float) or None
        The values that stood for black and for full where their kind did not say; None where it did (bytes, fractions).
    """

    size: tuple[int, int]
    colour: bool
    unit: tuple[float, float] | None = None

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one picture: (height, width) or (3, height, width)."""
        return (3, *self.size) if self.colour else self.size


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of one size.

    Attributes
    ----------
    name : str
        Of the folder or file.
    values : (n, h, w) or (n, 3, h, w) float32 array
        0 is black, 1 is full.
    names : tuple of str
        Of each picture: its path within the folder, or its number in the array.
    kind : PictureKind
    sizes : (n, 2) int64 array
        Height and width of each as it came.
    left_out : tuple of (str, str)
        Files that could not be read, and why.
    known : mapping of str to (n,) array
        What could be compared with the result, and is not used for it: label arrays of the file, the folder of each picture.
    notes : tuple of str
        What the reader decided.
    source_bytes : int or None
    from_files : bool
        Whether ``names`` are files.
    """

    name: str
    values: NDArray[np.float32] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    kind: PictureKind
    sizes: NDArray[np.int64] = field(repr=False)
    left_out: tuple[tuple[str, str], ...] = ()
    known: Mapping[str, NDArray] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    source_bytes: int | None = None
    from_files: bool = False

    @property
    def n_rows(self) -> int:
        """How many pictures there are."""
        return len(self.values)

    def fingerprint(self) -> str:
        """Return a hash of the pictures and their names."""
        found = hashlib.sha256(repr((self.values.shape, self.names)).encode("utf-8", "surrogatepass"))
        found.update(np.ascontiguousarray(self.values).astype("<f4", copy=False).tobytes())
        return found.hexdigest()[:32]


def holds_pictures(source: Any) -> bool:
    """Say whether ``source`` is a folder of pictures or an array file of them, without reading any.

    Parameters
    ----------
    source : object
        Paths are looked at, anything else holds none.
    """
    if not isinstance(source, str | os.PathLike):
        return False
    from .picture_files import picture_files
    from .picture_stacks import is_stack

    path = Path(os.fsdecode(source))
    try:
        if path.is_dir():
            return next(picture_files(path), None) is not None
        return path.suffix.lower() in (".npy", ".npz") and path.is_file() and is_stack(path)
    except (OSError, ValueError):
        return False


def read_pictures(
    source: str | os.PathLike,
    *,
    kind: PictureKind | None = None,
    largest: int = LARGEST,
    array: str | None = None,
    memory_limit: int | None = None,
    on_progress: Progress | None = None,
) -> Pictures:
    """Read a folder of pictures, or the pictures in an ``.npy`` or ``.npz`` file.

    Parameters
    ----------
    source : path
        A folder, searched with all folders in it for ``.png``, ``.jpg``, ``.bmp``, ``.gif``, ``.tif`` and ``.webp`` files; or an
        array of shape (n, h, w), (n, h, w, c) or (n, c, h, w), c being 1, 3 or 4.
    kind : PictureKind, optional
        What the pictures must become, to be compared with earlier ones; found from the pictures where absent.
    largest : int, default=32
        Pixels of the longer side at most; larger pictures are shrunk.
    array : str, optional
        Name of the array, where the file holds several.
    memory_limit : int, optional
        Bytes that reading may use.
    on_progress : callable, optional
        Told (done, total, text) now and then.

    Returns
    -------
    Pictures

    Raises
    ------
    InputError
        If there are none, or none can be read.
    ResourceError
        If they would not fit in ``memory_limit``.
    MissingExtraError
        If files are to be read and Pillow is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "digits.npy"
    ...     np.save(path, np.zeros((5, 28, 28), dtype=np.uint8))
    ...     found = read_pictures(path)
    >>> found.values.shape, found.names[:2]
    ((5, 28, 28), ('0', '1'))
    """
    path = Path(os.fsdecode(source))
    if path.is_dir():
        from .picture_files import read_folder

        if array is not None:
            raise InputError(f"an array is named in .npz files, but {path.name} is a folder; leave it out")
        return read_folder(path, kind=kind, largest=largest, memory_limit=memory_limit, on_progress=on_progress)
    from .picture_stacks import read_stack
    from .read import must_be_file

    must_be_file(path)
    if path.suffix.lower() not in (".npy", ".npz"):
        raise InputError(f"{path.name} holds no pictures; give a folder of them, or an .npy or .npz file")
    return read_stack(path, kind=kind, largest=largest, array=array, memory_limit=memory_limit)
