"""Shows what a process does to others of the same user, and takes their orders, on a socket in the state folder."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from torrent_mover import __version__
from torrent_mover.adapters.control.wire import (
    EVENTS,
    ORDER_BYTES,
    PREFIX,
    PROTOCOL,
    SUFFIX,
    Line,
    calls_of,
    connect,
    event_data,
    is_socket_name,
    line_of,
    read_line,
    short_address,
)
from torrent_mover.domain.errors import MoverError, NotWritable, OtherVersion, Unexpected, UsageError
from torrent_mover.domain.plain_data import to_plain
from torrent_mover.domain.report.events import Event
from torrent_mover.domain.text import clause
from torrent_mover.ports.panels import Panel

_log = logging.getLogger(__name__)

MOST_LOOKERS: Final = 64
"""Connections at a time; a looker that asks two things at once has two."""

_STALLED: Final = 10.0
"""Seconds that a looker may take to read what it asked for; then it is let go."""

_SILENT: Final = 3600.0
"""Seconds without a question after which a connection is closed; a looker opens another one."""

_FRESH: Final = 0.3
"""Seconds for which one picture serves all who look."""

_COSTLY: Final = 10.0
"""A picture serves at least this many times as long as it took to draw: lookers never get more than a tenth of the time."""

_EVENTS_KEPT: Final = 1000


class _Duty:
    """One panel: its picture, drawn once for all lookers, and its latest events."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.calls: Final = calls_of(panel.port)
        self._drawing = threading.Lock()
        self._drawn: Any = None
        self._good_until = 0.0
        self._events: deque[tuple[int, dict[str, Any]]] = deque(maxlen=_EVENTS_KEPT)
        self._number = 0
        self._writing = threading.Lock()
        self.unsubscribe: Final[Callable[[], None]] = panel.control.subscribe(self._heard)

    def _heard(self, event: Event) -> None:
        with self._writing:
            self._number += 1
            self._events.append((self._number, event_data(event)))

    def events(self, after: int) -> dict[str, Any]:
        """Those above that number, and the number of the last one."""
        with self._writing:
            told = [data for number, data in self._events if number > after] if after >= 0 else []
            return {"last": self._number, "events": told}

    def answer(self, call: str, data: Mapping[str, Any]) -> Any:  # noqa: ANN401  whatever JSON can say
        """What the control says to a call. Raises MoverError, and UsageError for one that it does not know."""
        if call == EVENTS:
            return self.events(int(data.get("after", -1)))
        shape = self.calls.get(call)
        if shape is None:
            raise UsageError(f"{self.panel.name} has no {call}.", kept="Nothing was done.")
        try:
            arguments = shape.arguments(data)
        except ValueError as error:
            raise UsageError(f"{call}: {clause(error)}.", kept="Nothing was done.") from error
        if call == "snapshot":
            return self._picture()
        return to_plain(getattr(self.panel.control, call)(**arguments))

    def _picture(self) -> Any:  # noqa: ANN401  whatever JSON can say
        self.panel.looked()
        with self._drawing:
            began = time.monotonic()
            if began >= self._good_until:
                self._drawn = to_plain(self.panel.control.snapshot())
                took = time.monotonic() - began
                self._good_until = began + max(_FRESH, took * _COSTLY)
            return self._drawn


@dataclass(frozen=True, slots=True)
class _Looker:
    line: socket.socket
    thread: threading.Thread


class ControlSocket:
    """Answers on `control-PID.sock` in `folder`, mode 0600, while this context lasts. Safe from any thread.

    Each looker has a thread of its own: one that stalls holds nobody. Raises NotWritable where it cannot be made.
    """

    def __init__(self, folder: Path, panels: Sequence[Panel]) -> None:
        self.path: Final = folder / f"{PREFIX}{os.getpid()}{SUFFIX}"
        self._lock = threading.Lock()
        self._lookers: list[_Looker] = []
        self._closed = False
        self._duties: dict[str, _Duty] = {}
        self._listener: socket.socket
        for panel in panels:
            self.show(panel)

    def show(self, panel: Panel) -> None:
        """Show this duty too, in place of one of the same name."""
        self.hide(panel.name)
        duty = _Duty(panel)
        with self._lock:
            self._duties[panel.name] = duty

    def hide(self, name: str) -> None:
        """Show that duty no more."""
        with self._lock:
            duty = self._duties.pop(name, None)
        if duty is not None:
            duty.unsubscribe()

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            clear_left_overs(self.path.parent)
            self._listener = self._listening()
        except OSError as error:
            raise NotWritable(
                f"The control socket {self.path} cannot be made: {error.strerror}.",
                kept="Nothing was started.",
                remedy="Set state_dir in [General] to a folder on a local disk.",
            ) from error
        threading.Thread(target=self._accept, name="control socket", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            lookers = list(self._lookers)
        for looker in lookers:
            _hang_up(looker.line)
        for name in list(self._duties):
            self.hide(name)

    def _listening(self) -> socket.socket:
        """Made under another name, so that whoever finds it by its own can talk to it at once."""
        draft = self.path.with_name(f".{self.path.name}")
        draft.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            with short_address(draft) as address:
                listener.bind(address)
            draft.chmod(0o600)
            listener.listen(16)
            draft.replace(self.path)
        except BaseException:
            listener.close()
            draft.unlink(missing_ok=True)
            raise
        return listener

    def _accept(self) -> None:
        while not self._closed:
            try:
                line, _ = self._listener.accept()
            except OSError:
                if not self._closed:
                    _log.exception("the control socket takes nobody any more")
                return
            with self._lock:
                self._lookers = [looker for looker in self._lookers if looker.thread.is_alive()]
                full = len(self._lookers) >= MOST_LOOKERS
                if not full:
                    thread = threading.Thread(target=self._serve, args=(line,), name="looker", daemon=True)
                    self._lookers.append(_Looker(line, thread))
                    thread.start()
            if full:
                _hang_up(line)

    def _serve(self, line: socket.socket) -> None:
        try:
            with line, line.makefile("rb") as stream:
                self._talk(line, stream)
        except (OSError, ValueError) as error:
            _log.debug("a looker was let go: %s", error)
        except Exception:  # noqa: BLE001  whoever looks on must never reach what works
            _log.exception("a looker was let go")

    def _talk(self, line: socket.socket, stream: BinaryIO) -> None:
        line.settimeout(_STALLED)
        with self._lock:
            names = list(self._duties)
        line.sendall(line_of({"protocol": PROTOCOL, "version": __version__, "pid": os.getpid(), "panels": names}))
        greeting = read_line(stream, ORDER_BYTES)
        if greeting is None:
            return
        if greeting.get("protocol") != PROTOCOL:
            line.sendall(line_of({"error": error_data(other_version(__version__, str(greeting.get("version"))))}))
            return
        line.sendall(line_of({"ok": True}))
        while not self._closed:
            line.settimeout(_SILENT)
            asked = read_line(stream, ORDER_BYTES)
            if asked is None:
                return
            line.settimeout(_STALLED)
            line.sendall(line_of(self._answer(asked)))

    def _duty(self, name: str) -> _Duty:
        with self._lock:
            duty = self._duties.get(name)
        if duty is None:
            raise UsageError(f"Nothing here is called {name}.", kept="Nothing was done.")
        return duty

    def _answer(self, asked: Line) -> Line:
        try:
            duty = self._duty(str(asked.get("panel")))
            return {"ok": duty.answer(str(asked.get("call")), asked.get("args") or {})}
        except MoverError as error:
            return {"error": error_data(error)}
        except Exception as error:  # noqa: BLE001  told to whoever asked
            _log.exception("a looker's question")
            return {"error": error_data(Unexpected.of(error))}


def other_version(running: str, looking: str) -> OtherVersion:
    """What both sides say where they do not speak the same protocol."""
    return OtherVersion(
        f"The process that runs is torrent_mover {running}, and this one is {looking}: they cannot talk to each other.",
        kept="It goes on unchanged.",
        remedy="Restart what runs, or look with the same version.",
    )


def error_data(error: MoverError) -> dict[str, Any]:
    """An error as the other side tells it."""
    return {
        "code": error.code,
        "what": error.what,
        "kept": error.kept,
        "remedy": error.remedy,
        "exit_code": int(error.exit_code),
    }


def clear_left_overs(folder: Path) -> None:
    """Remove the sockets of processes that were killed. Raises OSError."""
    for path in folder.iterdir():
        if is_socket_name(path.name):
            try:
                connect(path, 1.0).close()
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:
                continue


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        line.close()
