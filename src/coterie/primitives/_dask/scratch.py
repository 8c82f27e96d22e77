"""Folders that outlive the process that made them, and the removal of those that nobody needs any more.

Who writes or keeps files in a folder holds a lock on it, which the system gives up when a process ends, however it ends. A folder that
nobody holds, and to which nothing was added for an hour, was left by a crash.
"""

import contextlib
import os
import re
import shutil
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: what a crash leaves stays
    fcntl = None  # type: ignore[assignment]

__all__ = ["hold", "release", "remove_abandoned", "remove_empty"]

_NAME = re.compile(r"coterie-[0-9a-f]{32}(-[a-z]+)?")
_LOCK = ".lock"
_SECONDS = 3600.0

_held: dict[Path, int] = {}


def hold(folder: Path) -> bool:
    """Hold a folder until `release` or the end of this process; return whether it was not held by this process before."""
    if fcntl is None or folder in _held:
        return False
    _held[folder] = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(_held[folder], fcntl.LOCK_SH)
    return True


def release(folder: Path) -> None:
    """Hold a folder no longer."""
    descriptor = _held.pop(folder, None)
    if descriptor is not None:
        os.close(descriptor)


def remove_abandoned(home: Path) -> None:
    """Remove folders that crashed processes have left in this one."""
    if fcntl is None:
        return
    for folder in home.iterdir():
        if _NAME.fullmatch(folder.name) is None or folder in _held:
            continue
        with contextlib.suppress(OSError):  # another user's, or removed meanwhile
            if time.time() - folder.stat().st_mtime > _SECONDS and not _is_held(folder):
                shutil.rmtree(folder, ignore_errors=True)


def remove_empty(folder: Path) -> None:
    """Remove a folder unless others have files there."""
    release(folder)
    with contextlib.suppress(OSError):
        if [path.name for path in folder.iterdir()] in ([], [_LOCK]):
            shutil.rmtree(folder, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
