"""A tracker on loopback: it knows every torrent and no peer, or says what it is told to say."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote_to_bytes

NO_PEERS = b"d8:completei0e10:incompletei0e8:intervali1800e12:min intervali1e5:peers0:e"


def failure(reason: str) -> bytes:
    """What a tracker answers that does not want a torrent (BEP 3)."""
    return b"d14:failure reason%d:%se" % (len(reason.encode()), reason.encode())


class TrackerDouble:
    """One on a port of its own, at /announce alone: libtorrent asks no other path of this machine.

    `answers`: infohash (hex) -> (status, body), for torrents that it does not treat as usual. `announced`: hashes that were.
    """

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.usual = self.usual_answer()
        self.announced: list[str] = []
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/announce"

    @staticmethod
    def usual_answer() -> tuple[int, bytes]:
        """That it knows the torrent, and nobody who has it."""
        return 200, NO_PEERS

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="tracker", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tracker: TrackerDouble) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tracker = tracker


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        query = self.path.partition("?")[2]
        said = dict(part.partition("=")[::2] for part in query.split("&"))
        torrent = unquote_to_bytes(said.get("info_hash", "")).hex()
        tracker = self.server.tracker
        tracker.announced.append(torrent)
        status, body = tracker.answers.get(torrent, tracker.usual)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
