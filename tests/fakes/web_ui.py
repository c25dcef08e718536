"""A Web UI on loopback that answers as a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

_PREFIX = "/api/v2/"


@dataclass(frozen=True)
class Answer:
    """What to say. Status 0: break the connection without a word. `cut`: promise that many bytes more than are sent."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/plain; charset=UTF-8"
    cut: int = 0


@dataclass(frozen=True)
class Asked:
    """One request: `path` without /api/v2/, `fields` of the query and the form."""

    method: str
    path: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]


Reply = Answer | Callable[[Asked], Answer]


def say(value: object) -> Answer:
    """JSON."""
    return Answer(json.dumps(value), content_type="application/json")


def row(torrent: str, **changes: object) -> dict[str, Any]:
    """One torrent of torrents/info: stopped and complete, unless changed."""
    return {
        "hash": torrent,
        "name": "Show",
        "category": "",
        "state": "stoppedUP",
        "save_path": "/data",
        "content_path": "/data/Show",
        "size": 100,
        "total_size": 100,
        "amount_left": 0,
        "progress": 1,
        "added_on": 1_700_000_000,
        "completion_on": 1_700_000_100,
        "seeding_time": 5,
        "ratio": 0.5,
        "uploaded": 50,
        "tags": "",
        "auto_tmm": False,
        "up_limit": 0,
        "dl_limit": 0,
        "ratio_limit": -1,
        "seeding_time_limit": -1,
        "inactive_seeding_time_limit": -1,
        "seq_dl": False,
        "f_l_piece_prio": False,
        "super_seeding": False,
        "force_start": False,
        **changes,
    }


class FakeWebUi:
    """`replies` maps a path to one reply for ever, or to several: one each, the last for ever. A session cookie counts."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.sessions: set[str] = set()
        self.replies: dict[str, Reply | list[Reply]] = {
            "auth/login": self._log_in,
            "auth/logout": Answer(),
            "app/version": Answer("v5.1.0"),
            "app/webapiVersion": Answer("2.11.4"),
            "torrents/info": say([]),
            "log/main": say([]),
        }
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake._serve(self)

            def do_POST(self) -> None:
                fake._serve(self)

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, path: str) -> int:
        """How often that was asked."""
        return sum(asked.path == path for asked in self.asked)

    def forget_sessions(self) -> None:
        """As after a restart, or when they expire."""
        self.sessions.clear()

    def _log_in(self, _: Asked) -> Answer:
        session = f"SID={len(self.asked)}"
        self.sessions.add(session)
        return Answer("Ok.", headers={"Set-Cookie": f"{session}; HttpOnly; path=/"})

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        fields = dict(parse_qsl(url.query, keep_blank_values=True))
        if "urlencoded" in (handler.headers.get("Content-Type") or ""):
            fields |= dict(parse_qsl(body.decode(), keep_blank_values=True))
        asked = Asked(handler.command, url.path.removeprefix(_PREFIX), fields, dict(handler.headers))
        with self._lock:
            self.asked.append(asked)
            answer = self._answer(asked)
        if not answer.status:
            handler.close_connection = True
            return
        content = answer.body.encode()
        handler.send_response(answer.status)
        handler.send_header("Content-Type", answer.content_type)
        handler.send_header("Content-Length", str(len(content) + answer.cut))
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def _answer(self, asked: Asked) -> Answer:
        cookie = asked.headers.get("Cookie", "")
        if asked.path != "auth/login" and "Authorization" not in asked.headers and cookie not in self.sessions:
            return Answer("Forbidden", 403)
        reply = self.replies.get(asked.path, Answer("Not Found", 404))
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        return reply(asked) if callable(reply) else reply
