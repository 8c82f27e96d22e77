"""The server itself: bounded in connections and in patience, and ended by Ctrl-C, SIGTERM or a closed terminal."""

import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["listen"]

MOST_CONNECTIONS = 128
REQUEST_SECONDS = 10.0
_MOST_HEAD = 16 * 1024
_GOODBYE_SECONDS = 1
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def listen(app: Any, server: socket.socket, on_ready: Callable[[], None]) -> None:
    """Answer with an ASGI application until a signal comes.

    Parameters
    ----------
    app : callable
    server : socket
        Bound; closed at the end.
    on_ready : callable
        Called once connections are taken.
    """
    config = uvicorn.Config(
        app,
        http=_Connection,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_MOST_HEAD,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
    _Server(config, on_ready).run(sockets=[server])


class _Connection(H11Protocol):
    """A connection that has to ask something within some seconds, and gives way to newer ones where there are too many.

    uvicorn waits for a request for ever, and refuses everybody where connections run out, so that 200 idle ones would close the door.
    """

    def connection_made(self, transport: Any) -> None:
        """Take a connection; the one that has been asking nothing for longest goes where there are too many."""
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._expect_request()
        others = [other for other in self.connections if isinstance(other, _Connection) and other is not self]
        waiting = [other for other in others if other._is_waiting()]
        if len(others) >= MOST_CONNECTIONS and waiting:
            min(waiting, key=lambda other: other._since).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline with the connection."""
        self._stop_clock()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request, but not for ever."""
        super().on_response_complete()
        self._expect_request()

    def _expect_request(self) -> None:
        self._stop_clock()
        self._since = self.loop.time()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _is_waiting(self) -> bool:
        """Say whether the other side is to send something."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def _give_up(self) -> None:
        if self._is_waiting() and not self.transport.is_closing():
            self.transport.abort()

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    """A server that signals end, without raising them again afterwards."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]):
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections, and say so."""
        await super().startup(sockets=sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End by signals while the block runs."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        known = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
        ending = [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]  # as nohup wants it
        for number in ending:
            if sys.platform == "win32":
                signal.signal(number, self.handle_exit)
            else:
                loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            if sys.platform != "win32":
                for number in ending:
                    loop.remove_signal_handler(number)
