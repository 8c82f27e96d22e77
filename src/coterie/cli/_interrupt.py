"""Ctrl-C and SIGTERM end the process within half a second, whatever it is doing.

The signal first raises ``KeyboardInterrupt`` in the main thread, so that every ``finally`` runs: kernels stop, temporary
files go. A watchdog thread, woken by the interpreter's wake-up pipe rather than by the main thread, gives that a moment;
if the main thread sits in a long call into C it then removes what the writers registered and ends the process.
"""

import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["install", "interrupted", "leave", "leave_no_part_of"]

PATIENCE_SECONDS = 0.25
_ENDING = (signal.SIGINT, signal.SIGTERM)

_received: int | None = None
_targets: list[Path] = []


def install() -> None:
    """Take over SIGINT and SIGTERM, once, in the main thread of the process."""
    if signal.getsignal(signal.SIGINT) is _raise:
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _ENDING:
        signal.signal(number, _raise)
    sys.unraisablehook = _unraisable
    threading.Thread(target=_watch, args=(reader,), name="coterie-interrupt", daemon=True).start()


def interrupted() -> int | None:
    """Return the exit code of the signal that came (130 or 143), or None."""
    return None if _received is None else 128 + _received


def leave(code: int) -> NoReturn:
    """End the process: at once after a signal, since a kernel or a compilation may still run in a thread."""
    code = interrupted() or code
    if code in (130, 141, 143):
        _end(code)
    # All is done: a signal from here on must not turn the code of a finished run into another.
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    sys.exit(code)


@contextlib.contextmanager
def leave_no_part_of(target: str | os.PathLike) -> Iterator[None]:
    """Within the block, hidden stand-ins of ``target`` are removed even if the process must end abruptly."""
    path = Path(target).absolute()
    _targets.append(path)
    try:
        yield
    except KeyboardInterrupt:
        # It may have come between the making of a stand-in and the block that would have removed it.
        _remove_parts(path)
        raise
    finally:
        _targets.remove(path)


def _raise(number: int, frame: Any) -> None:
    global _received
    first, _received = _received is None, number
    if first:
        raise KeyboardInterrupt


def _unraisable(event: Any) -> None:
    # An interruption that falls into a destructor cannot be raised there; the watchdog acts on it.
    if not issubclass(event.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(event)


def _watch(reader: int) -> None:
    global _received
    while True:
        number = os.read(reader, 1)
        if number and number[0] in _ENDING:
            break
    time.sleep(PATIENCE_SECONDS)
    _received = number[0]
    for target in tuple(_targets):  # the main thread may still change the list
        _remove_parts(target)
    with contextlib.suppress(OSError):
        os.write(2, b"\nstopped\n")
    _end(128 + number[0])


def _remove_parts(target: Path) -> None:
    # As files.atomic_write and report.folder name them: cut at different lengths, then a dot and random letters.
    starts = (f".{target.name[:40]}.", f".{target.name[:100]}.", f".{target.name[:200]}.lock")
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(target.parent)):
            if entry.name.startswith(starts) and entry.name.endswith((".part", ".lock")):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


def _end(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)
