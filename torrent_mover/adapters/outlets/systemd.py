"""Speaks to systemd: sd_notify(3) datagrams and its watchdog, without any library."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from torrent_mover.domain.report.events import Event, QueuePlanned
from torrent_mover.domain.report.narrate import at_rest
from torrent_mover.domain.report.snapshot import MoveStatus, Phase, Snapshot
from torrent_mover.domain.text import percent, rate, safe

_STATUS_EVERY: Final = 10.0
_MICROSECONDS: Final = 1_000_000
_log = logging.getLogger(__name__)


class ServiceNotes:
    """READY when it is told so, STATUS every few seconds, WATCHDOG while `alive` says so, STOPPING.

    `status` gives the line for `systemctl status`, and whether the process is about to end.

    Where the process was not started by systemd (no NOTIFY_SOCKET), it does nothing. `every`: seconds between two datagrams;
    a watchdog is fed twice in its time at least.
    """

    def __init__(
        self,
        status: Callable[[], tuple[str, bool]],
        alive: Callable[[], bool],
        environ: Mapping[str, str] = os.environ,
        every: float = _STATUS_EVERY,
    ) -> None:
        self._status = status
        self._alive = alive
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        watchdog = watchdog_interval(environ)
        self._watched = watchdog is not None
        self._every = min(every, watchdog / 2) if watchdog else every
        self._ended = threading.Event()
        self._ready = False
        self._thread: threading.Thread | None = None
        if self._address:
            self._thread = threading.Thread(target=self._keep, name="systemd", daemon=True)
            self._thread.start()

    def ready(self) -> None:
        """What was started works; said once."""
        if not self._ready:
            self._ready = True
            self._send("READY=1")

    def close(self) -> None:
        """Say that the end has come."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(self._every)
            self._send("STOPPING=1\nSTATUS=ending")

    def _keep(self) -> None:
        stopping = False
        while not self._ended.wait(self._every):
            try:
                text, ends = self._status()  # an engine that hangs does not answer, and the dog is not fed
            except Exception:  # noqa: BLE001  the dog is what notices
                _log.exception("no picture for systemd")
                continue
            lines = [f"STATUS={text}"]
            if self._watched and self._alive():
                lines.append("WATCHDOG=1")
            if ends and not stopping:
                stopping = True
                lines.append("STOPPING=1")
            self._send("\n".join(lines))

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(1.0)
            sender.sendto(text.encode("utf-8", "backslashreplace"), self._address)


class Systemd(ServiceNotes):
    """A `ports.notifier.Notifier` of a run: it is ready once the plan stands."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        alive: Callable[[], bool],
        environ: Mapping[str, str] = os.environ,
        every: float = _STATUS_EVERY,
    ) -> None:
        def status() -> tuple[str, bool]:
            picture = snapshot()
            return status_text(picture), picture.phase is Phase.STOPPING

        super().__init__(status, alive, environ, every)

    def __call__(self, event: Event) -> None:
        """See ports.notifier.Notifier."""
        if isinstance(event, QueuePlanned):
            self.ready()


def status_text(snapshot: Snapshot) -> str:
    """One line for `systemctl status`."""
    done, failed = (snapshot.count(each) for each in (MoveStatus.DONE, MoveStatus.FAILED))
    if rest := at_rest(snapshot):
        return safe(rest)
    speed = rate(max(snapshot.incoming.now, snapshot.outgoing.now))
    under_way = f"{snapshot.transferring:,} transferring, {snapshot.checking:,} checking"
    told = (
        f"{snapshot.phase.value}: {percent(snapshot.fraction)}, {under_way}, {done:,} done, {failed:,} failed, {speed}"
    )
    return safe(told)


def watchdog_interval(environ: Mapping[str, str]) -> float | None:
    """Seconds within which systemd wants to hear of this process (sd_watchdog_enabled(3)); None: it does not watch."""
    meant_for = environ.get("WATCHDOG_PID", str(os.getpid()))
    text = environ.get("WATCHDOG_USEC", "")
    if meant_for != str(os.getpid()) or not text.isdecimal() or not int(text):
        return None
    return int(text) / _MICROSECONDS


def _address(text: str) -> str:
    """The socket's address: a path, or a name in the abstract namespace. Anything else is none of ours."""
    if text.startswith("@"):
        return "\0" + text[1:]
    return text if text.startswith("/") else ""
