"""Open a server for one table, and end it so that nothing remains: no process, no file, no port."""

import contextlib
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError, MissingExtraError, OutputError
from ..report.folder import check_target, locked
from .saving import Target
from .session import Session
from .source import Source, look

__all__ = ["LOOPBACK", "Address", "serve"]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PREFIX = "coterie-studio-"


class Address(NamedTuple):
    """Where a studio can be opened.

    Attributes
    ----------
    url : str
        With the token, in the fragment, which browsers send to nobody.
    opener : Path
        A private file that leads there: for browsers, whose arguments other users of the machine can see.
    name, rows, columns
        Of the table.
    """

    url: str
    opener: Path
    name: str
    rows: int
    columns: int


def serve(
    source: Source, target: Target, on_ready: Callable[[Address], None], *, host: str = "127.0.0.1", port: int = 0
) -> list[str]:
    """Serve a table until the process is told to end.

    Parameters
    ----------
    source : Source
        The table.
    target : Target
        Where runs are saved.
    on_ready : callable
        Told where the studio can be opened, as soon as it can.
    host : str, default="127.0.0.1"
        Address to listen at. Whoever reaches it needs the token too, but the token then travels unencrypted.
    port : int, default=0
        0 takes one that is free.

    Returns
    -------
    list of str
        Names of the runs that were done and not saved.

    Raises
    ------
    MissingExtraError
        If starlette or uvicorn are not installed.
    InputError
        If the table cannot be read into memory, or the address cannot be listened at.
    OutputError
        If runs could not be saved at the target.
    """
    try:
        from .guard import Keys
        from .listening import listen
        from .web import application
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "h11", "anyio"):
            raise
        raise MissingExtraError(
            'the studio needs starlette and uvicorn; install them with: pip install "coterie[app]"'
        ) from None
    check_target(target.said, force=target.force)
    with _bound(host, port) as server, _private_folder() as room:
        about = look(source, room)
        port = server.getsockname()[1]
        keys = Keys(port)
        session = Session(source, about, room, target)
        names = set() if host in LOOPBACK else {host.lower(), socket.gethostname().lower()}
        try:
            url = f"http://{_authority(host, port)}/#token={keys.token}"
            address = Address(url, _opener(room, url), about["name"], about["rows"], len(about["columns"]))
            listen(application(session, keys, names), server, lambda: on_ready(address))
        finally:
            unsaved = session.close()
    return unsaved


def _authority(host: str, port: int) -> str:
    name = socket.gethostname() if host in ("0.0.0.0", "::", "") else host
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket at this address."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # elsewhere this would let others listen at the same port
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(place)
        except BaseException:
            found.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"could not listen at {host} port {port}: {reason}; leave --host and --port out, or give others"
        ) from error
    return found


@contextlib.contextmanager
def _private_folder() -> Iterator[Path]:
    """Make a folder that only this user can enter, and remove it with all that is in it at the end.

    A lock beside it tells those of studios that were killed from those that are at work.
    """
    parent = Path(tempfile.gettempdir())
    for old in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, OutputError):
            if _is_own(old) and not old.is_symlink():
                with locked(old):
                    shutil.rmtree(old)
    room = parent / f"{_PREFIX}{secrets.token_hex(8)}"
    with locked(room):
        room.mkdir(mode=0o700)
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)


def _is_own(path: Path) -> bool:
    # Without user numbers (Windows) each user has a folder of temporary files of their own.
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()


def _opener(room: Path, url: str) -> Path:
    path = room / "open.html"
    path.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={url}">\n', encoding="utf-8")
    return path
