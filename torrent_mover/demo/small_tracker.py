"""A tracker on loopback for the demo of health: it knows every torrent and no peer, but for those that it says it does not know."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote_to_bytes

from torrent_mover.demo.ports import LOOPBACK

_NO_PEERS = b"d8:completei0e10:incompletei0e8:intervali1800e12:min intervali1e5:peers0:e"
_REASON = b"Torrent not registered with this tracker."
_UNKNOWN = b"d14:failure reason%d:%se" % (len(_REASON), _REASON)


class SmallTracker:
    """From `with` to its end, at /announce: libtorrent asks no other path of this machine. `unknown`: infohashes in hex."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self._server = _Server(self)
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}/announce"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="tracker", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, query: str) -> bytes:
        """What it says to an announce."""
        said = dict(part.partition("=")[::2] for part in query.split("&"))
        return _UNKNOWN if unquote_to_bytes(said.get("info_hash", "")).hex() in self.unknown else _NO_PEERS


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a client that starts announces all it has at once

    def __init__(self, tracker: SmallTracker) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.tracker = tracker

    def handle_error(self, *_: object) -> None:
        """A client that is stopped hangs up on us."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """An announce."""
        body = self.server.tracker.answer(self.path.partition("?")[2])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
