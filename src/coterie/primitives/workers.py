"""Who works on rows in blocks: the workers of a cluster of Dask, or this process."""

from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, NamedTuple

from ..errors import MissingExtraError

__all__ = ["Workers", "at_work", "workers_at"]


class Workers(NamedTuple):
    """Those at work.

    Attributes
    ----------
    address : str or None
        Of the scheduler; None where this process works by itself.
    n_workers, n_threads : int
    n_places : int
        Tasks at a time.
    memory : float
        Bytes, of all together; infinity where there is no limit.
    unsafe : str
        Why others may run code on this cluster; empty where they cannot.
    """

    address: str | None
    n_workers: int
    n_threads: int
    n_places: int
    memory: float
    unsafe: str = ""


def workers_at(address: str) -> AbstractContextManager[Workers]:
    """Let the workers at an address work on rows in blocks, until the block ends.

    Parameters
    ----------
    address : str
        ``tcp://host:port`` or ``tls://host:port`` of a scheduler; "local" starts a process for each thread that we may use, which
        others cannot reach, and ends them with the block.

    Returns
    -------
    context manager of Workers

    Raises
    ------
    InputError
        If it is no address.
    ClusterError
        If no scheduler answers, no worker comes, or the workers have no coterie.
    MissingExtraError
        If the extra ``distributed`` is not installed.
    """
    return _engine().workers_at(address)


def at_work() -> Workers:
    """Return the workers of the client of Dask that is open in this process; where there is none, this process."""
    return _engine().at_work()


def _engine() -> Any:
    try:
        return import_module("coterie.primitives._dask.workers")
    except ImportError as error:
        if "coterie" in str(error):
            raise
        raise MissingExtraError('a cluster needs Dask; pip install "coterie[distributed]"') from None
