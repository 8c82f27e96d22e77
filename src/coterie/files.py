"""Whole files or none: what every writer of results stands on.

A reader of a path written here sees the old file or the new one, never a part: the bytes go to a temporary file in the
same folder, are flushed to the disk, and take the name in one step.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .errors import OutputError

__all__ = ["atomic_write", "write_bytes", "write_text"]


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "wb", **open_options: Any) -> Iterator[IO]:
    """Open a stand-in for ``path`` that takes its place only when the block ends well.

    Parameters
    ----------
    path : str or path-like
        Where the file is to stand. Its folder must exist.
    mode : {"wb", "w"}, default="wb"
        As for ``open``.
    **open_options
        Passed to ``open``: ``encoding``, ``newline``.

    Yields
    ------
    file object
        Write to it; whatever goes wrong, what stood at ``path`` before still stands.

    Raises
    ------
    OutputError
        If the disk is full, the folder cannot be written, or the path is a folder; the message names the path.
    """
    target = Path(path)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".part", dir=target.parent)
        with open(descriptor, mode, **open_options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
        temporary = None
        _sync_folder(target.parent)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        reason = error.strerror or str(error)
        raise OutputError(f"could not write {target}: {reason}; nothing was changed there") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def write_bytes(path: str | os.PathLike, data: bytes) -> None:
    """Put ``data`` at ``path``, whole or not at all."""
    with atomic_write(path, "wb") as file:
        file.write(data)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Put ``text`` at ``path`` as UTF-8, whole or not at all."""
    with atomic_write(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def _sync_folder(folder: Path) -> None:
    # The rename itself must survive a power cut; some file systems do not allow it, and then nothing can be done.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
