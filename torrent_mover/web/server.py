"""Serves the application from a thread of its own, on one address, with bounds for whoever calls."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from typing import Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from torrent_mover.domain.errors import NotWritable, WebRefused
from torrent_mover.web.application import Site, application

_CONNECTIONS: Final = 128
"""At a time. Each has a file descriptor of the process, and the duties need theirs."""

_ASKS_WITHIN: Final = 20.0
"""Seconds for a question, its body too: from when a connection is made, later from the first byte of the next question."""

_ENDING: Final = 3.0
_SAID: Final = json.dumps(
    {
        "code": WebRefused.code,
        "what": f"{_CONNECTIONS} connections are open already.",
        "kept": "Nothing was changed.",
        "remedy": "Close other pages, or look again later.",
    }
).encode()
_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 60\r\nconnection: close\r\n"
    + f"content-length: {len(_SAID)}\r\n\r\n".encode()
    + _SAID
)


class _Bounded(H11Protocol):
    """A connection: one of so many at most, whose questions must be asked in time. One too many is told so, and closed."""

    _is_one_too_many = False
    _late: asyncio.TimerHandle | None = None
    """Runs as long as a question is under way; bytes that drip in do not set it back."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base class has it
        if len(self.connections) >= _CONNECTIONS:
            self._is_one_too_many = True
            transport.write(_BUSY)
            transport.close()
            return
        super().connection_made(transport)
        self._late = self.loop.call_later(_ASKS_WITHIN, self._leave_if_asking)

    @property
    def _asks(self) -> bool:
        """Whether more of a question is to come. Between two of them, the base class' keep-alive counts, until a byte comes."""
        cycle = getattr(self, "cycle", None)  # None before the first request, whatever its type says
        return cycle is None or cycle.response_complete or cycle.more_body

    def _leave_if_asking(self) -> None:
        self._late = None
        if self._asks:
            self.transport.close()

    def _forget_late(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def data_received(self, data: bytes) -> None:
        if self._is_one_too_many:
            return
        super().data_received(data)
        if not self._asks:
            self._forget_late()
        elif self._late is None:
            self._late = self.loop.call_later(_ASKS_WITHIN, self._leave_if_asking)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_late()
        if not self._is_one_too_many:
            super().connection_lost(exc)


class WebServer:
    """Answers until `close`. Raises NotWritable where the address cannot be had. `port`: the one that it got."""

    def __init__(self, site: Site, host: str, port: int) -> None:
        self._socket = _listening(host, port)
        self.port: Final[int] = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application(site),
            log_config=None,
            access_log=False,
            lifespan="off",
            http=_Bounded,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=1,
            server_header=False,
            ws="none",
            h11_max_incomplete_event_size=64 * 1024,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="web", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        self._thread.join(_ENDING)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(_ENDING)
        self._socket.close()


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise NotWritable(
            f"The web server cannot listen on {host}:{port}: {error.strerror}.",
            kept="Nothing was started.",
            remedy="Set port in [WEB] to a free one, or start with --no-web.",
        ) from error
    return listener
