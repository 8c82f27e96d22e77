"""The one decorator for kernels, and where their machine code is cached.

Numba's cache looks only at the file that holds a function: an edit in a helper's file goes unnoticed and stale machine code
runs. So each file has a folder that is named by a hash over its source and that of every kernel file it imports, directly or
not: an edit means new folders for what it can reach, and no others. The folders belong to the user alone (mode 0700); if they
are not theirs, nothing is cached.
"""

import hashlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config

from .compiler import KernelCompiler

__all__ = ["cache_folder", "is_cached", "kernel", "part"]

_log = logging.getLogger("coterie.kernels")
_IMPORT = re.compile(r"^ *from (\.+)([\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
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
    folder = cache_folder(Path(function.__code__.co_filename))
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy", "cache": folder is not None}
    settings |= {"no_cfunc_wrapper": True, "pipeline_class": KernelCompiler}  # nothing calls kernels from C
    settings |= options
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder or "")
    try:
        return numba.njit(**settings)(function)
    finally:
        config.CACHE_DIR = before


def part(function: Callable) -> Any:
    """Compile a function that only kernels call: without the wrappers by which Python calls it, a third of the time."""
    return kernel(no_cpython_wrapper=True, cache=False)(function)


@cache
def cache_folder(path: Path) -> Path | None:
    """Return the folder for the compiled kernels of a source file, or None when nothing may be cached."""
    for root in _roots():
        try:
            home = _private(root / "kernels")
            return _private(home / f"{path.stem}-{_source_hash(path)}")
        except OSError as error:
            _log.debug("no kernel cache in %s: %s", root, error)
    _log.info("compiled kernels are not cached: no private folder could be made")
    return None


def is_cached(name: str) -> bool:
    """Return whether machine code of a kernel file of this folder waits on the disk, so that its first call compiles nothing."""
    folder = cache_folder(Path(__file__).with_name(f"{name}.py"))
    return folder is not None and any(folder.rglob("*.nbi"))


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
    siblings = folder.parent.glob(f"{folder.name.rpartition('-')[0]}-*")
    for old in sorted(siblings, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT_FOLDERS:]:
        shutil.rmtree(old, ignore_errors=True)


def _source_hash(path: Path) -> str:
    digest = hashlib.sha256(f"numba {numba.__version__}".encode())
    for source in sorted(_reached(path)):
        digest.update(source.name.encode() + b"\0" + _source(source) + b"\0")
    return digest.hexdigest()[:16]


def _reached(path: Path) -> set[Path]:
    """Return the file and every kernel file that it imports, directly or not."""
    found, waiting = {path}, [path]
    while waiting:
        new = _imported(waiting.pop()) - found
        found |= new
        waiting += new
    return found


@cache
def _imported(path: Path) -> set[Path]:
    """Return the kernel files that a file imports by relative imports."""
    found = set()
    for dots, module, names in _IMPORT.findall(_source(path).decode()):
        folder = path.parents[len(dots) - 1].joinpath(*module.split(".")) if module else path.parents[len(dots) - 1]
        candidates = [folder.with_suffix(".py"), *(folder / f"{name}.py" for name in re.findall(r"\w+", names))]
        found |= {candidate for candidate in candidates if _is_kernel_file(candidate)}
    return found


@cache
def _is_kernel_file(path: Path) -> bool:
    if not path.is_file():
        return False
    return path.parent.name == "_numba" or (b"kernel" in _source(path) and b"_numba" in _source(path))


@cache
def _source(path: Path) -> bytes:
    # Read once, when the first kernel of the file is made: an edit while the process runs must not get the old code.
    return path.read_bytes()
