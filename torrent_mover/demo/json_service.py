"""A web service on loopback that answers with JSON: what the stand-ins of the demos are made of."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from torrent_mover.demo.ports import LOOPBACK


@dataclass(frozen=True, slots=True)
class JsonRequest:
    """What was asked. `headers` by their names in lower case; `body` as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """A status, and what goes out as JSON; a text does as it is, and of None nothing. `headers`: beside those of every answer."""

    status: int
    told: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class JsonService:
    """From `with` to its end, each request in a thread of its own, at `url`."""

    def __init__(self, name: str, answer: Callable[[JsonRequest], JsonAnswer]) -> None:
        self._name = name
        self._server = _Server(answer)
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name=self._name, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Callable[[JsonRequest], JsonAnswer]) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.answer = answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement
    server: _Server

    def do_GET(self) -> None:
        """See JsonService."""
        self._serve()

    def do_POST(self) -> None:
        """See JsonService."""
        self._serve()

    def do_DELETE(self) -> None:
        """See JsonService."""
        self._serve()

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.answer(JsonRequest(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body))
        told = answer.told
        sent = b"" if told is None else (told if isinstance(told, str) else json.dumps(told)).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)
