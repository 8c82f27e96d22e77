"""The one decorator for kernels, and where their machine code is cached.

Numba's cache looks only at the file that holds a function: an edit in a helper's file goes unnoticed and stale machine code
runs. So the folder is named by a hash over the sources of every kernel file, and an edit anywhere means a new folder. The
folder belongs to the user alone (mode 0700); if it is not theirs, nothing is cached.
"""

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import config

__all__ = ["cache_folder", "kernel", "part"]

_log = logging.getLogger("coterie.kernels")
_PACKAGE = Path(__file__).resolve().parents[2]
_KEPT_FOLDERS = 4


def kernel(function: Callable | None = None, /, **options: Any) -> Any:
    """Compile a function for the CPU: no GIL, cached on disk, NumPy's rules for division by zero.

    Parameters
    ----------
    function : callable
        Typed by its first call.
    **options
        Passed to ``numba.njit``; ``cache=False`` for a kernel that holds an address.

    Returns
    -------
    callable
        A Numba dispatcher.
    """
    if function is None:
        return lambda later: kernel(later, **options)
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy", "cache": cache_folder() is not None} | options
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder() or "")
    try:
        return numba.njit(**settings)(function)
    finally:
        config.CACHE_DIR = before


def part(function: Callable) -> Any:
    """Compile a function that only kernels call: without the wrappers by which Python calls it, a third of the time."""
    return kernel(no_cpython_wrapper=True, no_cfunc_wrapper=True, cache=False)(function)


def cache_folder() -> Path | None:
    """Return the folder of the compiled kernels of this very source, or None when nothing may be cached."""
    global _folder
    if _folder is _UNKNOWN:
        _folder = _make_folder()
    return _folder


_UNKNOWN: Any = object()
_folder: Any = _UNKNOWN


def _make_folder() -> Path | None:
    for root in _roots():
        try:
            return _private(root / f"kernels-{_source_hash()}")
        except OSError as error:
            _log.debug("no kernel cache in %s: %s", root, error)
    _log.info("compiled kernels are not cached: no private folder could be made")
    return None


def _roots() -> list[Path]:
    chosen = os.environ.get("COTERIE_CACHE_DIR")
    if chosen:
        return [Path(chosen)]
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return [Path(home) / "coterie", Path(tempfile.gettempdir()) / f"coterie-{user}"]


def _private(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = not folder.exists()
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
        raise PermissionError(f"{folder} is not private to this user")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} cannot be written")
    if new:
        _forget_old(folder)
    return folder


def _forget_old(folder: Path) -> None:
    # Each edit of a kernel makes a folder; the last few are kept for people who switch between versions.
    siblings = sorted(folder.parent.glob("kernels-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in siblings[_KEPT_FOLDERS:]:
        shutil.rmtree(old, ignore_errors=True)


def _source_hash() -> str:
    digest = hashlib.sha256(f"numba {numba.__version__}".encode())
    for path in sorted(_PACKAGE.rglob("*.py")):
        source = path.read_bytes()
        if (b"kernel" in source and b"_numba" in source) or path.parent.name == "_numba":
            digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + source + b"\0")
    return digest.hexdigest()[:16]
