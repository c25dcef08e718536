"""Doubles of Overseerr and Ombi on loopback: the lists of requests, strict about keys and parameters, faults on demand."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

KEY = "a-key-of-requests"


class RequestsDouble:
    """From `with` to its end, on a free port. `answers`: path -> what it lists; a page of Overseerr is cut to `take`.

    `fault`: status that it answers with in place of all else; `page`: it answers with a login page. `violations`: what no client
    may ask.
    """

    def __init__(self, answers: dict[str, list[Any]], *, header: str = "X-Api-Key") -> None:
        self.answers = answers
        self.header = header
        self.fault = 0
        self.page = False
        self.asked: list[str] = []
        self.violations: list[str] = []
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """What a GET is answered."""
        self.asked.append(path)
        listed = self.answers.get(path)
        if listed is None:
            self.violations.append(f"unknown: {path}")
            return 404, {"message": "not found"}
        if self.header == "ApiKey":
            self.violations += [f"unknown parameter {name}" for name in query]
            return 200, listed
        self.violations += [f"unknown parameter {name}" for name in set(query) - {"take", "skip", "sort", "filter"}]
        skip, take = int(query.get("skip", "0")), int(query.get("take", "10"))
        page = {"pages": 1, "pageSize": take, "results": len(listed), "page": 1}
        return 200, {"pageInfo": page, "results": listed[skip : skip + min(take, 2)]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, double: RequestsDouble) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double = double


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        double, parts = self.server.double, urlsplit(self.path)
        if KEY in self.path:
            double.violations.append("the key stands in the URL")
        if double.page:
            self._send(200, b"<html>Login</html>", "text/html")
        elif double.fault or self.headers.get(double.header) != KEY:
            self._send(double.fault or 403, b"{}", "application/json")
        else:
            status, told = double.answer(parts.path, dict(parse_qsl(parts.query)))
            self._send(status, json.dumps(told).encode(), "application/json")

    def log_message(self, *_: object) -> None:
        """Tests have `asked`."""

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def overseerr(*requests: dict[str, Any]) -> RequestsDouble:
    """Overseerr, or Seerr, with these requests."""
    return RequestsDouble({"/api/v1/request": list(requests)})


def overseerr_request(
    number: int, *, tmdb: int = 0, tvdb: int = 0, seasons: tuple[int, ...] = (), **more: Any
) -> dict[str, Any]:
    """One of its requests: approved, and not there yet."""
    media = {"id": number, "tmdbId": tmdb, "status": more.pop("media_status", 3), "status4k": 1}
    return {
        "id": number,
        "status": 2,
        "is4k": False,
        "type": "tv" if tvdb else "movie",
        "media": media | ({"tvdbId": tvdb} if tvdb else {}),
        "seasons": [{"id": each, "seasonNumber": each, "status": 2} for each in seasons],
    } | more


def ombi(*, movies: list[dict[str, Any]], series: list[dict[str, Any]]) -> RequestsDouble:
    """Ombi with these requests."""
    return RequestsDouble({"/api/v1/Request/movie": movies, "/api/v1/Request/tvlite": series}, header="ApiKey")
