"""A qBittorrent of before 4.5: it answers logins and versions, and does not know `torrents/export`."""

from __future__ import annotations

import http.server
import threading
from typing import Self

_ANSWERS = {
    "auth/login": b"Ok.",
    "app/version": b"v4.4.5",
    "app/webapiVersion": b"2.8.5",
    "torrents/info": b"[]",
    "auth/logout": b"",
}


class OldApi:
    """An HTTP server on a free loopback port; `asked` holds the paths of all requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                path = self.path.partition("?")[0].removeprefix("/api/v2/")
                asked.append(path)
                body = _ANSWERS.get(path)
                self.send_response(404 if body is None else 200)
                if path == "auth/login":
                    self.send_header("Set-Cookie", "SID=abc; HttpOnly; path=/")
                self.send_header("Content-Type", "text/plain; charset=UTF-8")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            do_POST = do_GET  # noqa: N815  the name that http.server looks for

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
