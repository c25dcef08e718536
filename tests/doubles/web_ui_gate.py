"""A web server before a real qBittorrent that passes everything on, and keeps what was asked: whether anything was to change."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from torrent_mover.demo.qbittorrent_server import QBittorrentServer

READING = frozenset(
    {
        "auth/login",
        "auth/logout",
        "app/version",
        "app/webapiVersion",
        "app/preferences",
        "app/defaultSavePath",
        "app/getDirectoryContent",
        "log/main",
        "sync/maindata",
        "torrents/categories",
        "torrents/export",
        "torrents/files",
        "torrents/info",
        "torrents/pieceStates",
        "torrents/properties",
        "torrents/trackers",
        "torrents/webseeds",
        "transfer/info",
        "transfer/speedLimitsMode",
    }
)
"""All that only tells: whatever else is asked counts as a change. The Web API takes questions by POST as well."""

_OF_ONE_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive", "content-encoding")


class WebUiGate:
    """From `with` to its end, before one client. Where that does not answer, neither does this."""

    def __init__(self, server: QBittorrentServer) -> None:
        self.server = server
        self.asked: list[str] = []
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gate.pass_on(self)

            def do_POST(self) -> None:
                gate.pass_on(self)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._http = ThreadingHTTPServer((server.host, 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def changing(self) -> list[str]:
        """What was asked that changes something."""
        return [path for path in self.asked if path not in READING]

    def pass_on(self, request: BaseHTTPRequestHandler) -> None:
        """One request, and its answer."""
        self.asked.append(request.path.partition("?")[0].removeprefix("/api/v2/"))
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        headers = {
            key: value for key, value in request.headers.items() if key.lower() not in ("host", "accept-encoding")
        }
        headers["Host"] = f"{self.server.host}:{self.server.port}"
        there = http.client.HTTPConnection(self.server.host, self.server.port, timeout=30)
        try:
            there.request(request.command, request.path, body or None, headers)
            answer = there.getresponse()
            told = answer.read()
        except (OSError, http.client.HTTPException):
            request.close_connection = True
            return
        finally:
            there.close()
        request.send_response(answer.status, answer.reason)
        for key, value in answer.getheaders():
            if key.lower() not in _OF_ONE_HOP:
                request.send_header(key, value)
        request.send_header("Content-Length", str(len(told)))
        request.end_headers()
        request.wfile.write(told)
