"""Put a whole folder of results in place, in one step, or change nothing.

The files are written into a hidden folder beside the target, flushed to the disk, and swapped with what stood there.
Linux and macOS can exchange two folders in one system call; elsewhere two renames do it, the second undoing the first
when it fails.
"""

import contextlib
import ctypes
import functools
import hashlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from ..errors import OutputError
from .record import SHEET

__all__ = ["OWN_FILES", "check_target", "locked", "rewrite_files", "write_folder"]

logger = logging.getLogger("coterie.report")

OWN_FILES = ("labels.csv", "labels.parquet", "labels.npy", "model.coterie", "run.json", "report.html")
# Files that other kinds of analysis write; they are ours only where the record beside them says so.
_OTHER_FILES = {
    "representatives.csv",
    "outliers.csv",
    "members.csv",
    "relations.csv",
    "profile.csv",
    "migration.csv",
    "movers.csv",
    "metrics.json",
    "graph.graphml",
}
_MARK = "run.json"
# A sheet names files of its own; whatever its record says, nothing of another kind than these is taken for one.
_SHEET_ENDINGS = (".csv", ".json", ".jsonl", ".parquet", ".npy", ".npz", ".png", ".tif", ".coterie", ".txt")


def check_target(folder: str | os.PathLike, *, force: bool = False) -> Path:
    """Say whether results may be written at ``folder``, before any work is done for them.

    Parameters
    ----------
    folder : str or path-like
        Where the results are to stand.
    force : bool, default=False
        Allow a folder that holds other things; they stay where they are.

    Returns
    -------
    Path
        The absolute path, links resolved.

    Raises
    ------
    OutputError
        If the parent does not exist, the path is a file, or the folder is not empty and holds no earlier analysis.
    """
    try:
        target = Path(folder).expanduser().resolve()
        if not target.parent.is_dir():
            raise OutputError(f"could not write {target}: the folder {target.parent} does not exist; create it first")
        if not target.exists():
            return target
        if not target.is_dir():
            raise OutputError(f"could not write {target}: a file of that name stands there; choose another name")
        with os.scandir(target) as entries:
            names = {entry.name for entry in entries}
    except (OSError, ValueError, RuntimeError) as error:
        raise _output_error(folder, error) from error
    if names and _MARK not in names and not force:
        raise OutputError(
            f"{target} holds files that are not an analysis by coterie, so it was left alone; "
            "choose another folder, or force it (its own files then stay)"
        )
    return target


def write_folder(
    folder: str | os.PathLike, writers: Mapping[str, Callable[[Path], object]], *, force: bool = False
) -> Path:
    """Create or replace ``folder`` with the files that ``writers`` make, all of them or none.

    Parameters
    ----------
    folder : str or path-like
        The target. Files there that are not results of coterie are kept.
    writers : mapping of str to callable
        File name to a function that writes that file at the path it is given; called in order.
    force : bool, default=False
        See `check_target`.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    OutputError
        If anything could not be written, or another process is writing there; what stood there still stands.
    """
    target = check_target(folder, force=force)
    with locked(target):
        _remove_leftovers(target)
        staging: Path | None = None
        try:
            staging = Path(tempfile.mkdtemp(prefix=f".{_stem(target)}.", suffix=".part", dir=target.parent))
            for name, write in writers.items():
                write(staging / name)
            _keep_foreign(target, staging)
            _flush(staging, writers)
            _put_in_place(staging, target)
            _flush_folder(target.parent)
        except OSError as error:
            raise _output_error(target, error) from error
        finally:
            # After an exchange this name holds the old results; after a failure, the unfinished new ones.
            if staging is not None:
                shutil.rmtree(staging, ignore_errors=True)
    return target


def rewrite_files(folder: str | os.PathLike, texts: Mapping[str, str]) -> Path:
    """Write some files of a folder of results anew, all of them or none; the other files stay.

    Parameters
    ----------
    folder : str or path-like
        A folder that holds an analysis.
    texts : mapping of str to str
        File name to its new content.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    OutputError
        If anything could not be written; what stood there still stands.
    """
    target = check_target(folder)
    results = {*OWN_FILES, *_named_in_record(target)} - texts.keys()
    writers: dict[str, Callable[[Path], object]] = {
        name: functools.partial(_link, target / name) for name in sorted(results) if (target / name).exists()
    }
    for name, text in texts.items():
        writers[name] = functools.partial(Path.write_text, data=text, encoding="utf-8", newline="\n")
    return write_folder(target, writers)


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Hold the right to write at ``folder`` until the block ends; the system frees it should the process die.

    Raises
    ------
    OutputError
        If another process holds it.
    """
    target = Path(folder)
    path = target.parent / f".{_stem(target)}.lock"
    try:
        descriptor = _acquire(path)
    except BlockingIOError as error:
        raise OutputError(
            f"another coterie process is writing {target}; wait until it has ended or choose another folder"
        ) from error
    except OSError as error:
        if path.is_symlink():
            raise OutputError(f"could not write {target}: {path} is a link to somewhere else; remove it") from error
        raise _output_error(target, error) from error
    try:
        yield
    finally:
        # Removed while still held: whoever opened the old file sees that the name no longer leads to it.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        # Never through a link: in a folder that others may write to, one could lead to a file of the user's.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            _lock(descriptor)
            if os.path.exists(path) and os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(str(error)) from error
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _stem(target: Path) -> str:
    # Hidden names must stay below 255 bytes whatever the letters; what is cut off lives on in a hash.
    name = target.name
    return name if len(name) <= 40 else f"{name[:40]}.{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"


def _remove_leftovers(target: Path) -> None:
    # Only a process that died can have left these, since the lock is ours.
    ours = re.compile(re.escape(f".{_stem(target)}.") + r"[^.]+\.part(\.old)?")
    for entry in target.parent.iterdir():
        if not ours.fullmatch(entry.name) or not entry.is_dir():
            continue
        if entry.suffix == ".old" and not target.exists():
            logger.info("putting back %s, set aside by an interrupted run", entry)
            os.rename(entry, target)
        else:
            logger.info("removing %s, left by an interrupted run", entry)
            shutil.rmtree(entry, ignore_errors=True)


def _keep_foreign(old: Path, new: Path) -> None:
    if not old.is_dir():
        return
    ours = {*OWN_FILES, *_named_in_record(old)}
    for entry in sorted(old.iterdir()):
        if entry.name in ours or (new / entry.name).exists():
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, new / entry.name, symlinks=True, copy_function=_link)
        else:
            _link(entry, new / entry.name)


def _named_in_record(folder: Path) -> set[str]:
    """Return the files of another kind of analysis that the record in ``folder`` says it wrote."""
    try:
        record = json.loads((folder / _MARK).read_text(encoding="utf-8"))
        files = set(record["files"].values())
        if record.get("schema") == SHEET:
            return {name for name in files if name.endswith(_SHEET_ENDINGS)}
        return _OTHER_FILES & files
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def _link(source: str | os.PathLike, destination: str | os.PathLike) -> None:
    try:
        os.link(source, destination, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, destination, follow_symlinks=False)


def _flush(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        descriptor = os.open(folder / name, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    os.chmod(folder, 0o777 & ~_umask())
    _flush_folder(folder)


def _put_in_place(new: Path, target: Path) -> None:
    if not target.exists():
        os.rename(new, target)
    elif not _exchange(new, target):
        _swap(new, target)


def _exchange(new: Path, target: Path) -> bool:
    """Exchange two folders in one system call; False where the system or the file system cannot."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        old_name, new_name = os.fsencode(target), os.fsencode(new)
        if sys.platform == "linux":
            failed = libc.renameat2(-100, new_name, -100, old_name, 2)  # AT_FDCWD, RENAME_EXCHANGE
        elif sys.platform == "darwin":
            failed = libc.renamex_np(new_name, old_name, 2)  # RENAME_SWAP
        else:
            return False
    except (AttributeError, OSError, TypeError):
        return False
    return failed == 0


def _swap(new: Path, target: Path) -> None:
    # Under this hidden name the next run finds the old results should this one die between the two renames.
    aside = new.with_name(f"{new.name}.old")
    os.rename(target, aside)
    try:
        os.rename(new, target)
    except BaseException:
        os.rename(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _flush_folder(folder: Path) -> None:
    # Some file systems cannot flush a folder; there nothing more can be done.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def _output_error(target: str | os.PathLike, error: BaseException) -> OutputError:
    if isinstance(error, OutputError):
        return error
    reason = getattr(error, "strerror", None) or str(error)
    return OutputError(f"could not write {target}: {reason}; nothing was changed there")
