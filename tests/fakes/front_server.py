"""A web server in front of another one, as people put nginx in front of qBittorrent: below a path, with a login, with a limit."""

from __future__ import annotations

import base64
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_PASSED_BACK = ("content-type", "content-encoding", "set-cookie", "date")


class FrontServer:
    """Passes what comes below `path` on to a port of this machine, to those who know `login` (user:password).

    Bodies of more than `largest` bytes are answered 413, as nginx does; cookies count below the path only.
    """

    def __init__(self, port: int, *, path: str, login: str, largest: int = 1 << 20) -> None:
        expected = f"Basic {base64.b64encode(login.encode()).decode()}"

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not self.path.startswith(f"{path}/"):
                    self._say(404, [("Content-Type", "text/html")], b"<title>404 Not Found</title>")
                elif self.headers.get("Authorization") != expected:
                    self._say(401, [("WWW-Authenticate", 'Basic realm="gate"'), ("Content-Type", "text/html")], b"")
                elif len(body) > largest:
                    self._say(413, [("Content-Type", "text/html")], b"<title>413 Request Entity Too Large</title>")
                else:
                    self._pass_on(body)

            def do_POST(self) -> None:
                self.do_GET()

            def _pass_on(self, body: bytes) -> None:
                behind = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                headers = dict(self.headers.items()) | {"Host": f"127.0.0.1:{port}", "Connection": "close"}
                behind.request(self.command, self.path.removeprefix(path), body, headers)
                answer = behind.getresponse()
                back = [(key, value) for key, value in answer.getheaders() if key.lower() in _PASSED_BACK]
                self._say(
                    answer.status,
                    [(key, value.replace("path=/", f"path={path}/")) for key, value in back],
                    answer.read(),
                )
                behind.close()

            def _say(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                self.send_response_only(status)
                for key, value in [*headers, ("Content-Length", str(len(body)))]:
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{path}"
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
