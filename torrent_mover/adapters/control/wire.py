"""What goes over the control socket: one JSON object a line, made from the type hints of the ports."""

from __future__ import annotations

import inspect
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, get_type_hints

from torrent_mover.domain.plain_data import from_plain, read_plain, to_plain
from torrent_mover.domain.report import events
from torrent_mover.domain.report.events import Event

PROTOCOL: Final = 1
"""Both sides say it first. It grows where one side would misunderstand the other."""

ORDER_BYTES: Final = 256 * 1024
"""The longest line that a process takes from somebody who looks on."""

ANSWER_BYTES: Final = 256 * 1024**2
"""The longest line that it sends: the picture of a hundred thousand torrents."""

PREFIX: Final = "control-"
SUFFIX: Final = ".sock"
EVENTS: Final = "events"
"""A call that no port has: the events with a number above `after`."""

_NOT_CALLED: Final = ("subscribe",)

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CallShape:
    """What a method takes, in its order, and what it answers."""

    takes: Mapping[str, Any]
    answers: Any
    needed: frozenset[str]

    def arguments(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as they came over the wire. Raises ValueError for those that the method does not take."""
        if not self.needed <= set(data) <= set(self.takes):
            raise ValueError(f"it takes {', '.join(self.takes) or 'nothing'}")
        return {name: read_plain(self.takes[name], value) for name, value in data.items()}


def calls_of(port: type[Any]) -> Mapping[str, CallShape]:
    """The questions and orders of a port, by name."""
    found = {}
    for name, method in inspect.getmembers(port, inspect.isfunction):
        if not name.startswith("_") and name not in _NOT_CALLED:
            hints = get_type_hints(method)
            parameters = list(inspect.signature(method).parameters.values())[1:]
            found[name] = CallShape(
                {each.name: hints[each.name] for each in parameters},
                hints["return"],
                frozenset(each.name for each in parameters if each.default is inspect.Parameter.empty),
            )
    return found


def event_data(event: Event) -> dict[str, Any]:
    """An event with its kind."""
    return {"kind": type(event).__name__, **to_plain(event)}


def event_of(data: Mapping[str, Any]) -> Event | None:
    """The event that `event_data` has made this of; None for a kind that is not known here. Raises ValueError."""
    kind = getattr(events, str(data.get("kind", "")), None)
    if not (isinstance(kind, type) and issubclass(kind, Event)):
        return None
    return from_plain(kind, {name: value for name, value in data.items() if name != "kind"})


def line_of(data: Line) -> bytes:
    """One line."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def read_line(stream: BinaryIO, longest: int) -> Line | None:
    """The next line; None at the end. Raises ValueError for one that is too long, or no JSON object; OSError."""
    raw = stream.readline(longest + 1)
    if not raw:
        return None
    if len(raw) > longest:
        raise ValueError("the line is too long")
    data = json.loads(raw)
    if not isinstance(data, dict):
        raise ValueError("it is no object")  # noqa: TRY004  it is the data that is wrong
    return data


def is_socket_name(name: str) -> bool:
    """Whether it is what a process calls its socket."""
    return name.startswith(PREFIX) and name.endswith(SUFFIX)


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """A name of the socket that fits into a Unix address, however long its path is. Raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def connect(path: Path, patience: float) -> socket.socket:
    """A connection to a process. Raises OSError: ConnectionRefusedError where nobody is behind the name any more."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        line.settimeout(patience)
        with short_address(path) as address:
            line.connect(address)
    except BaseException:
        line.close()
        raise
    return line
