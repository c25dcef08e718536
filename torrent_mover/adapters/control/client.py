"""Looks at what another process does, and orders it about, by the control sockets in the state folder."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar, cast, get_origin

from torrent_mover import __version__
from torrent_mover.adapters.control.server import other_version
from torrent_mover.adapters.control.wire import (
    ANSWER_BYTES,
    EVENTS,
    PROTOCOL,
    CallShape,
    Line,
    calls_of,
    connect,
    event_of,
    is_socket_name,
    line_of,
    read_line,
)
from torrent_mover.domain.errors import ExitCode, MoverError, NothingRuns
from torrent_mover.domain.plain_data import read_plain, to_plain
from torrent_mover.domain.report.events import Event

Port = TypeVar("Port")

_log = logging.getLogger(__name__)

_PATIENCE: Final = 30.0
"""Seconds for an answer; explaining asks clients and disks."""

_GREETING: Final = 5.0
_EVENTS_EVERY: Final = 0.5


def refusal(said: Mapping[str, Any]) -> MoverError:
    """What another process of ours answered, as the error that it is there: with its own code and exit code."""
    try:
        exit_code = ExitCode(said.get("exit_code", ExitCode.SOME_FAILED))
    except ValueError:
        exit_code = ExitCode.SOME_FAILED
    kind = type("Refused", (MoverError,), {"code": str(said.get("code")), "exit_code": exit_code})
    made: MoverError = kind(str(said.get("what")), kept=str(said.get("kept", "")), remedy=str(said.get("remedy", "")))
    return made


class _Connection:
    """One line to a process, greeted. Raises OSError, ValueError, OtherVersion."""

    def __init__(self, path: Path) -> None:
        self._line: socket.socket = connect(path, _GREETING)
        self._stream: BinaryIO = self._line.makefile("rb")
        try:
            self.greeting: Final = self._read()
            self._require_same()
            self.ask({"protocol": PROTOCOL, "version": __version__})
            self._line.settimeout(_PATIENCE)
        except BaseException:
            self.close()
            raise

    def _require_same(self) -> None:
        if self.greeting.get("protocol") != PROTOCOL:
            raise other_version(str(self.greeting.get("version")), __version__)

    def ask(self, asked: Line) -> Any:  # noqa: ANN401  whatever JSON can say
        """The answer. Raises what the process refuses."""
        self._line.sendall(line_of(asked))
        answer = self._read()
        if "error" in answer:
            raise refusal(answer["error"])
        return answer.get("ok")

    def _read(self) -> Line:
        answer = read_line(self._stream, ANSWER_BYTES)
        if answer is None:
            raise ConnectionResetError("it has ended")
        return answer

    def close(self) -> None:
        with suppress(OSError):
            self._stream.close()
        self._line.close()


@dataclass(frozen=True, slots=True)
class Running:
    """A process that can be looked at: its socket, and the duties that it shows."""

    path: Path
    pid: int
    version: str
    panels: tuple[str, ...]


def running(folder: Path) -> Sequence[Running]:
    """All processes that work with this state folder. Raises OtherVersion where none of them can be talked to for that."""
    found: list[Running] = []
    refusal: MoverError | None = None
    with suppress(OSError):
        for path in sorted(each for each in folder.iterdir() if is_socket_name(each.name)):
            try:
                connection = _Connection(path)
            except MoverError as error:
                refusal = error
            except (OSError, ValueError) as error:
                _log.debug("%s: %s", path, error)
            else:
                greeting = connection.greeting
                connection.close()
                panels = tuple(str(name) for name in greeting.get("panels", ()))
                found.append(Running(path, int(greeting.get("pid", 0)), str(greeting.get("version")), panels))
    if refusal is not None and not found:
        raise refusal
    return found


def nothing_runs() -> NothingRuns:
    """Nobody is there to be looked at."""
    return NothingRuns(
        "Nothing runs with this config.",
        kept="Nothing was done.",
        remedy="Start it: torrent-mover serve, or torrent-mover --watch",
    )


class RemoteControl:
    """Fills any port by asking the process behind a socket: `filling(Control)`. Safe from any thread.

    Once that process has ended, `gone` says so; then the last picture stays, and there is nothing new. What it refuses is
    raised here, too.
    """

    def __init__(self, path: Path, panel: str, port: type[Any]) -> None:
        self._path = path
        self._panel = panel
        self._calls = calls_of(port)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._last: dict[str, Any] = {}
        self._listeners: list[Callable[[Event], object]] = []
        self._listening: threading.Thread | None = None
        self._closed = threading.Event()
        self.gone = False

    def filling(self, port: type[Port]) -> Port:
        """Itself as that port."""
        del port
        return cast("Port", self)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        shape = self.__dict__.get("_calls", {}).get(name)
        if shape is None:
            raise AttributeError(name)

        def ask(*positional: object, **named: object) -> Any:  # noqa: ANN401  what the port says
            given = dict(zip(shape.takes, positional, strict=False)) | named
            return self._ask(name, shape, given)

        return ask

    def _ask(self, name: str, shape: CallShape, given: Mapping[str, object]) -> Any:  # noqa: ANN401  what the port says
        try:
            answer = self._answer(name, {key: to_plain(value) for key, value in given.items()})
            value = read_plain(shape.answers, answer)
        except (OSError, ValueError) as error:
            _log.debug("%s: %s", self._path, error)
            self.gone = True
            return self._last.get(name, () if get_origin(shape.answers) is Sequence else None)
        if hasattr(value, "works_here"):
            value = replace(value, works_here=False)
        if not given:
            self._last[name] = value
        return value

    def _answer(self, call: str, args: Mapping[str, Any]) -> Any:  # noqa: ANN401  whatever JSON can say
        """On a line of its own, so that a long question does not hold the picture. Raises OSError, ValueError, MoverError."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or _Connection(self._path)
        try:
            answer = connection.ask({"panel": self._panel, "call": call, "args": args})
        except MoverError:
            self._keep(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return answer

    def _keep(self, connection: _Connection) -> None:
        with self._lock:
            if not self._closed.is_set():
                self._idle.append(connection)
                return
        connection.close()

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """See the ports. Events come up to half a second late."""
        with self._lock:
            self._listeners.append(listener)
            if self._listening is None:
                self._listening = threading.Thread(target=self._listen, name="events", daemon=True)
                self._listening.start()

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def _listen(self) -> None:
        after = -1
        while not self._closed.wait(_EVENTS_EVERY):
            try:
                told = self._answer(EVENTS, {"after": after})
                after = int(told["last"])
                heard = [event for data in told["events"] if (event := event_of(data)) is not None]
            except (OSError, ValueError, MoverError) as error:
                _log.debug("no events: %s", error)
                if self.gone:
                    return
                continue
            with self._lock:
                listeners = list(self._listeners)
            for event in heard:
                for listener in listeners:
                    listener(event)

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
