"""An HTTP proxy before the source's Web API: records every call, looks at the world at each delete, and can answer badly."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from torrent_mover.demo.ports import LOOPBACK

READS = (
    "info",
    "files",
    "trackers",
    "properties",
    "export",
    "pieceStates",
    "version",
    "webapiVersion",
    "login",
    "main",
)
_HOP = {"host", "connection", "keep-alive", "content-length", "transfer-encoding", "origin", "referer"}


@dataclass(frozen=True)
class Call:
    """One request. `name` is the last part of the path, `form` its fields (first values)."""

    at: float
    name: str
    form: dict[str, str]

    @property
    def writes(self) -> bool:
        return self.name not in READS


@dataclass(frozen=True)
class Answer:
    """What to say in place of the server. `pass_on`: the server gets the call, and its answer is lost."""

    status: int = 200
    body: bytes = b""
    kind: str = "text/plain"
    pass_on: bool = False


class Watchman:
    """Listens on `port`. `at_delete(form)` runs before a delete is passed on; `answer(call)` may give another answer."""

    def __init__(self, target: int) -> None:
        self.calls: list[Call] = []
        self.at_delete: Callable[[dict[str, str]], None] = lambda _form: None
        self.answer: Callable[[Call], Answer | None] = lambda _call: None
        self._lock = threading.Lock()
        watchman = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = watchman._note(self.path, body)
                bad = watchman.answer(call)
                if call.name == "delete" and (bad is None or bad.pass_on):
                    watchman.at_delete(call.form)
                if bad is None or bad.pass_on:
                    status, headers, data = self._ask(target, body)
                if bad is not None:
                    status, headers, data = bad.status, [("Content-Type", bad.kind)], bad.body
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = _serve  # noqa: N815  the names that http.server looks for

            def _ask(self, port: int, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
                upstream = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
                try:
                    headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
                    upstream.request(self.command, self.path, body or None, headers)
                    response = upstream.getresponse()
                    return response.status, response.getheaders(), response.read()
                except OSError:
                    return 502, [], b"<html>bad gateway</html>"
                finally:
                    upstream.close()

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: object) -> None:
                """A client that was killed in the middle of an answer is no news."""

        self._server = Server((LOOPBACK, 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def __enter__(self) -> Watchman:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def named(self, name: str) -> list[Call]:
        """All calls of that name so far."""
        with self._lock:
            return [call for call in self.calls if call.name == name]

    def _note(self, path: str, body: bytes) -> Call:
        parts = urlsplit(path)
        text = body.decode("utf-8", "replace") if len(body) < 10_000 else ""
        form = {key: values[0] for key, values in (parse_qs(parts.query) | parse_qs(text)).items()}
        call = Call(time.monotonic(), parts.path.rpartition("/")[2], form)
        with self._lock:
            self.calls.append(call)
        return call
