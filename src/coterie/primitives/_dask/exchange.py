"""Files in the scratch folders of workers, with a slice for every receiver.

Workers that share a folder read each other's files; others get the bytes from a worker that can. A task that finds no file says
so, and everything since the rows is done again: results are functions of the rows alone.
"""

import errno
import shutil
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import ResourceError
from ..exchange import Drop
from .calls import current_worker
from .cluster import Crew
from .here import Here
from .scratch import hold, release, remove_abandoned, remove_empty
from .tasks import Errand, Lost, Place
from .watch import told_of_receivers

__all__ = ["Missing", "Slice", "collect", "forget_here", "leave", "slice_bytes"]

_written: dict[str, list[Path]] = {}
_lock = threading.Lock()


class Slice(NamedTuple):
    """Where some bytes lie."""

    number: int  # of the drop
    path: str
    offset: int
    size: int


class _Gone(NamedTuple):
    path: str


def leave(token: str, slices: Iterable[Sequence[np.ndarray]]) -> Drop:
    """See `coterie.primitives.exchange.leave`."""
    address, home = _home()
    folder = home / token
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / uuid.uuid4().hex
    _remember(token, path)
    if hold(folder):
        remove_abandoned(home)
    try:
        with path.open("wb") as file:
            sizes = [sum(file.write(_plain(part)) for part in parts) for parts in slices]
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ResourceError(
            f"the scratch folder {home} is full; free some room there, or start workers with another local_directory"
        ) from error
    seen = home.stat()
    return Drop(str(path), address, (socket.gethostname(), seen.st_dev, seen.st_ino), np.array(sizes, np.int64))


def _plain(part: np.ndarray) -> Any:
    return np.ascontiguousarray(part).reshape(-1).view(np.uint8).data


def _home(worker: Any = None) -> tuple[str, Path]:
    """Return the address of this worker and its scratch folder.

    Files lie beside its own folder there, not in it: when a worker is killed, Dask removes that, but not these.
    """
    worker = worker or current_worker()
    if worker is None:
        return "here", Path(tempfile.gettempdir())
    return worker.address, Path(worker.local_directory).parent


def _remember(token: str, path: Path) -> None:
    """Note what this process wrote: it is removed when the process ends, if nobody did before."""
    with _lock:
        if not _written:
            Finalize(
                None, _forget_all, exitpriority=0
            )  # unlike atexit, heard where multiprocessing started the process
        _written.setdefault(token, []).append(path)


def _forget_all() -> None:
    for token in list(_written):
        paths = _written.pop(token)
        for path in paths:
            path.unlink(missing_ok=True)
        remove_empty(paths[0].parent)


def forget_here(token: str, dask_worker: Any = None) -> None:
    """Remove the files of a token in the scratch folder of this worker, whoever wrote them."""
    _written.pop(token, None)
    folder = _home(dask_worker)[1] / token
    release(folder)
    shutil.rmtree(folder, ignore_errors=True)


def collect(
    crew: Crew | Here,
    drops: Sequence[Drop],
    receivers: Sequence[int],
    function: Callable,
    arguments: tuple,
    own: Callable[[int], tuple] | None,
    strict: bool,
) -> list:
    """See `coterie.primitives.exchange.collect`."""
    sizes = np.array([drop.sizes for drop in drops])
    offsets = np.cumsum(sizes, axis=1) - sizes
    groups = [(drop.address,) if strict else drop.folder for drop in drops]
    members: dict[tuple, list[str]] = {}
    for drop, group in zip(drops, groups, strict=True):
        members[group] = sorted({*members.get(group, ()), drop.address})
    of_address = {address: group for group, addresses in members.items() for address in addresses}

    def plan(receiver: int, place: Place) -> Errand:
        slices: dict[tuple, list[Slice]] = {}
        for i in np.flatnonzero(sizes[:, receiver]).tolist():
            part = Slice(i, drops[i].path, int(offsets[i, receiver]), int(sizes[i, receiver]))
            slices.setdefault(groups[i], []).append(part)
        near = slices.pop(of_address.get(place.address, ()), [])
        more = (() if own is None else own(receiver)) + arguments
        reads = [(_read, far, members[group]) for group, far in slices.items()]
        return Errand(_serve, (function, receiver, more, near, list(slices.values())), reads)

    done = told_of_receivers(function, len(receivers))
    found = crew.stream([partial(plan, receiver) for receiver in receivers], done)
    gone = next((result for result in found if isinstance(result, _Gone)), None)
    if gone is not None:
        raise Lost(gone.path)
    return found


def _serve(
    function: Callable, receiver: int, more: tuple, near: list[Slice], far: list[list[Slice]], *read: list | _Gone
) -> Any:
    """Call the function of a receiver on a worker."""
    gone = next((part for part in read if isinstance(part, _Gone)), None)
    if gone is not None:
        return gone
    try:
        return function(receiver, _Pieces(near, far, read), *more)
    except Missing as error:
        return _Gone(str(error))


class Missing(Exception):
    """A file is gone."""


class _Pieces:
    """What was left for a receiver, one piece at a time, as often as it is gone through."""

    def __init__(self, near: list[Slice], far: list[list[Slice]], read: Sequence):
        self._here = {part.number: part for part in near}
        self._there = {
            part.number: data
            for parts, found in zip(far, read, strict=True)
            for part, data in zip(parts, found, strict=True)
        }

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return self.between(0)

    def between(self, first: int, end: float = float("inf")) -> Iterator[tuple[int, Any]]:
        """Go through the pieces of the drops from ``first`` on, before ``end``; the others are not read."""
        for number in sorted(number for number in {*self._there, *self._here} if first <= number < end):
            yield number, self._there[number] if number in self._there else slice_bytes(self._here[number])


def _read(slices: list[Slice]) -> list | _Gone:
    """Read slices of files of this worker for another."""
    try:
        return [slice_bytes(part) for part in slices]
    except Missing as error:
        return _Gone(str(error))


def slice_bytes(part: Slice) -> bytes:
    """Read a slice of a file that this worker sees.

    Raises
    ------
    Missing
    """
    try:
        with open(part.path, "rb", buffering=0) as file:
            file.seek(part.offset)
            found = file.read(part.size)
            while len(found) < part.size:  # a call reads two GiB at most
                more = file.read(part.size - len(found))
                if not more:
                    raise Missing(part.path)
                found += more
            return found
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Missing(part.path) from error
