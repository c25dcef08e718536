"""Metrics for Prometheus: a text file for node_exporter's collector, and an HTTP server on loopback."""

from __future__ import annotations

import http.server
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final

from torrent_mover.adapters.local.whole_file import write_whole
from torrent_mover.adapters.outlets.logs import Complain
from torrent_mover.domain.errors import NotWritable
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.report.snapshot import MoveStatus, Phase, Snapshot

WRITTEN_EVERY: Final = 15.0
"""Seconds between two writings of the file."""

_LAST_WRITE: Final = 10.0
"""Seconds that the last numbers may take: a disk that hangs must not keep the run from ending."""

_PREFIX: Final = "torrent_mover_"
_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_MOVES: Final = frozenset({Phase.RUNNING, Phase.PAUSED, Phase.WATCHING, Phase.STOPPING})
_log = logging.getLogger(__name__)


def exposition(snapshot: Snapshot) -> str:
    """The text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Bytes, seconds, Unix seconds."""
    return "".join(_families(snapshot))


def _families(snapshot: Snapshot) -> Iterator[str]:
    yield family(
        "info", "gauge", "The version and the mode.", [({"version": snapshot.version, "mode": snapshot.mode}, 1)]
    )
    phases = [({"phase": phase.value}, int(phase is snapshot.phase)) for phase in Phase]
    yield family("phase", "gauge", "1 for the phase that the run is in.", phases)
    standings = [({"standing": standing.value}, snapshot.count(standing)) for standing in MoveStatus]
    yield family("torrents", "gauge", "Torrents of the run by state.", standings)
    yield family("route_torrents", "gauge", "The same for each route.", list(_by_route(snapshot)))
    moves = [({"route": route.name}, int(route.phase in _MOVES)) for route in snapshot.routes]
    yield family(
        "route_up", "gauge", "1 for a route that moves or waits for work; 0: it begins, was refused or ended.", moves
    )
    doing = [({"doing": "transferring"}, snapshot.transferring), ({"doing": "checking"}, snapshot.checking)]
    yield family("active_torrents", "gauge", "Active torrents: bytes are brought, or only the check is awaited.", doing)
    yield family("not_moved", "gauge", "Torrents of the category that are left alone.", [({}, len(snapshot.not_moved))])
    yield family("troubles", "gauge", "Torrents with a problem to look at.", [({}, snapshot.troubles)])
    yield family("run_bytes", "gauge", "Bytes of all torrents of the run.", [({}, snapshot.total_bytes)])
    yield family("run_done_bytes", "gauge", "Bytes done, weighted over all steps.", [({}, snapshot.done_bytes)])
    wires = (("in", snapshot.incoming), ("out", snapshot.outgoing))
    rates = [({"direction": name}, wire.now) for name, wire in wires]
    yield family("network_bytes_per_second", "gauge", "Rate now.", rates)
    connections = [({"server": each.name, "role": each.role}, each.connections) for each in snapshot.servers]
    yield family("ssh_connections", "gauge", "SSH connections in use.", connections)
    yield family("resident_bytes", "gauge", "Memory of this process.", [({}, snapshot.host.resident)])
    yield family("run_start_time_seconds", "gauge", "When the run began.", [({}, snapshot.started_at)])
    yield family("last_update_time_seconds", "gauge", "When these numbers were taken.", [({}, snapshot.at)])
    code = -1 if snapshot.exit_code is None else snapshot.exit_code
    yield family("exit_code", "gauge", "Exit code of the run; -1 while it goes on.", [({}, code)])


def _by_route(snapshot: Snapshot) -> Iterator[tuple[dict[str, str], float]]:
    counts = Counter((move.route, move.standing) for move in snapshot.moves)
    for route in snapshot.routes:
        for standing in MoveStatus:
            yield {"route": route.name, "standing": standing.value}, counts[route.name, standing]


def family(name: str, kind: str, text: str, samples: Sequence[tuple[dict[str, str], float]]) -> str:
    """One family of the exposition; blank where there is nothing to tell."""
    if not samples:
        return ""
    lines = [f"# HELP {_PREFIX}{name} {text}", f"# TYPE {_PREFIX}{name} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        lines.append(f"{_PREFIX}{name}{{{inner}}} {value:.17g}" if inner else f"{_PREFIX}{name} {value:.17g}")
    return "\n".join(lines) + "\n"


def _escaped(label: str) -> str:
    text = label.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class MetricsFile:
    """Writes the metrics every WRITTEN_EVERY seconds and at the end: always a whole file, renamed into place.

    Mode 0644: what scrapes it is another user. Raises NotWritable where it cannot be written at the beginning; `complain`
    hears of the first failure later.
    """

    def __init__(
        self,
        path: Path,
        snapshot: Callable[[], Snapshot],
        every: float = WRITTEN_EVERY,
        complain: Complain = _log.warning,
    ) -> None:
        self._path = path
        self._snapshot = snapshot
        self._every = every
        self._complain = complain
        self._complained = False
        self._ended = threading.Event()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write()
        except OSError as error:
            raise NotWritable(
                f"The metrics file {path} cannot be written: {error.strerror}.",
                kept="Nothing was started.",
                remedy="Set metrics_file in [General] to a file in a folder of yours, or leave it blank.",
            ) from error
        self._thread = threading.Thread(target=self._keep, name="metrics-file", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """See ports.notifier.Notifier. Numbers are sampled: single events do not matter."""

    def close(self) -> None:
        """Write the last numbers."""
        self._ended.set()
        self._thread.join(_LAST_WRITE)

    def _keep(self) -> None:
        while not self._ended.wait(self._every):
            self._try_to_write()
        self._try_to_write()

    def _try_to_write(self) -> None:
        try:
            self._write()
        except OSError as error:
            if not self._complained:
                self._complained = True
                self._complain(f"The metrics file {self._path} cannot be written: {error.strerror}; the run goes on.")
        except Exception as error:  # noqa: BLE001  the next numbers may be had again
            _log.warning("the metrics file could not be written: %s", error)

    def _write(self) -> None:
        write_whole(self._path, exposition(self._snapshot()), 0o644, durable=False)


class MetricsServer:
    """Answers GET /metrics on 127.0.0.1:`port` (0: any free one; `port` says which). Raises NotWritable where it is taken."""

    def __init__(self, port: int, snapshot: Callable[[], Snapshot]) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _handler(snapshot))
        except OSError as error:
            raise NotWritable(
                f"The port {port} for metrics cannot be opened: {error.strerror}.",
                kept="Nothing was started.",
                remedy="Set metrics_port in [General] to a free port, or leave it blank.",
            ) from error
        self.port: Final[int] = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """See ports.notifier.Notifier. Numbers are asked for: single events do not matter."""

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


def _handler(snapshot: Callable[[], Snapshot]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            """The metrics; everything else is not found."""
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            body = exposition(snapshot()).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Requests are not worth a line."""

    return Handler
