"""Workers that are asked for by an address, for as long as they are needed."""

import contextlib
import ipaddress
import logging
import re
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

from distributed import Client, LocalCluster, default_client

from ...errors import ClusterError, InputError
from ..engine import get_num_threads
from ..workers import Workers
from .cluster import Crew, crew_at_work
from .here import Here

__all__ = ["at_work", "workers_at"]

_CONNECT_SECONDS = 10


@contextlib.contextmanager
def workers_at(address: str) -> Iterator[Workers]:
    """See `coterie.primitives.workers.workers_at`."""
    if address != "local" and not re.fullmatch(r"(tcp|tls)://[^/\s]+:\d+/?", address):
        raise InputError(
            f"a cluster is 'local', or the address of a scheduler such as tcp://host:8786 or tls://host:8786, got {address!r}"
        )
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet())
        if address == "local":
            with _deaf_to_interrupts():
                cluster = stack.enter_context(_local())
            client = stack.enter_context(contextlib.closing(Client(cluster)))
        else:
            client = stack.enter_context(contextlib.closing(_connected(address)))
        _look_for_coterie(client, address)
        yield at_work()._replace(unsafe=_unsafe(client, address))


def at_work() -> Workers:
    """See `coterie.primitives.workers.at_work`."""
    crew = crew_at_work()
    places = crew.places()
    if isinstance(crew, Here):
        return Workers(None, 1, get_num_threads(), len(places), crew.memory())
    workers = crew._workers()
    threads = sum(int(worker["nthreads"]) for worker in workers.values())
    address = str(default_client().scheduler.address) if default_client().scheduler is not None else "?"
    return Workers(address, len(workers), threads, len(places), crew.memory())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave what goes wrong to the one sentence that we say about it."""
    known = ("distributed", "tornado", "asyncio", *logging.root.manager.loggerDict)
    loggers = [logging.getLogger(name) for name in known if name.split(".")[0] in ("distributed", "tornado", "asyncio")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes that are started here not hear Ctrl-C, which a terminal sends to all: this one tells them to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _local() -> LocalCluster:
    return LocalCluster(
        n_workers=get_num_threads(), threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )  # fmt: skip


def _connected(address: str) -> Client:
    try:
        return Client(address, timeout=_CONNECT_SECONDS)
    except Exception as error:
        why = next((line for line in str(error).splitlines() if line), type(error).__name__)
        if address.startswith("tls://"):
            why += "; certificates for tls:// come from the settings distributed.comm.tls of Dask"
        raise ClusterError(f"could not reach a scheduler at {address}: {why}") from error


def _look_for_coterie(client: Client, address: str) -> None:
    """Refuse workers that cannot run what they will be sent.

    Raises
    ------
    ClusterError
    """
    crew = Crew(client)
    crew.places()  # waits for the first worker
    try:
        client.run(_has_coterie)
    except ImportError as error:
        raise ClusterError(
            f"the workers at {address} cannot import coterie ({error}); install it where they run, in the same version"
        ) from error
    except (OSError, TimeoutError, RuntimeError) as error:
        raise ClusterError(f"the workers at {address} do not answer: {error}") from error


def _has_coterie() -> str:
    from ... import __version__

    return __version__


def _unsafe(client: Client, address: str) -> str:
    """Return why others may run code on this cluster, or nothing."""
    scheduler: Any = client.scheduler
    known = [str(scheduler.address) if scheduler is not None else "", str(client.scheduler_info().get("address", ""))]
    for found in [*known, *([] if address == "local" else [address])]:
        kind, _, rest = found.partition("://")
        if kind == "tcp" and not _is_loopback(rest.rpartition(":")[0].strip("[]")):
            return (
                f"the scheduler at {found} takes code, as pickles over tcp without TLS, from whoever reaches that port; "
                "use tls://, or a network of your own"
            )
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return all(ipaddress.ip_address(found[4][0]).is_loopback for found in socket.getaddrinfo(host, None))
    except (OSError, ValueError):
        return False
