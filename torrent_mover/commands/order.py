"""pause, resume, limit, retry, skip: orders to what moves torrents in another process with the same state folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Final

from torrent_mover.adapters.control.client import RemoteControl, nothing_runs, running
from torrent_mover.bootstrap.state import state_folder
from torrent_mover.commands import moves_front
from torrent_mover.commands.configured import own_places_of
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.text import counted, rate, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.control import Control

_DIGITS: Final = frozenset("0123456789abcdef")
_FEWEST: Final = 6


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Give the order. Raises NothingRuns, OtherVersion, UsageError."""
    folder = state_folder(own_places_of(arguments))
    process = next((each for each in running(folder) if moves_front.NAME in each.panels), None)
    if process is None:
        raise nothing_runs()
    remote = RemoteControl(process.path, moves_front.NAME, Control)
    try:
        said = give(remote.filling(Control), arguments)
        if remote.gone:
            raise nothing_runs()
    finally:
        remote.close()
    sys.stdout.write(f"{said}\n")
    return ExitCode.DONE


def give(control: Control, arguments: argparse.Namespace) -> str:
    """The order to that control; what is said of it."""
    if arguments.command == "limit":
        control.limit(arguments.rate)
        return _limited(arguments.rate)
    act: Callable[[InfoHash], None] = getattr(control, arguments.command)
    if arguments.hash is None:
        getattr(control, arguments.command)()
        return {"pause": "All torrents are paused.", "resume": "All torrents go on."}[arguments.command]
    torrent, name = _meant(control, arguments.hash)
    act(torrent)
    done = {"pause": "is paused", "resume": "goes on", "retry": "is tried again", "skip": "is left for a later run"}
    return f"{safe(name)} {done[arguments.command]}."


def _limited(limit: float | None) -> str:
    if limit is None:
        return "The bandwidth is as configured again."
    if limit == 0:
        return "Nothing moves until there is another limit."
    return (
        "There is no bandwidth limit." if limit == float("inf") else f"All moves together are limited to {rate(limit)}."
    )


def _meant(control: Control, text: str) -> tuple[InfoHash, str]:
    """The torrent whose infohash begins so, and its name. One that is not in the queue may be named in full."""
    digits = text.casefold()
    if len(digits) < _FEWEST or not set(digits) <= _DIGITS:
        raise UsageError(
            f"{quoted(text)} is no infohash: that has 40 characters, 0 to 9 and a to f.",
            kept="Nothing was changed.",
            remedy="torrent-mover status lists them; the first 6 characters are enough.",
        )
    snapshot = control.snapshot()
    known = {each.id: each.name for each in snapshot.not_moved} | {each.id: each.name for each in snapshot.moves}
    known = {torrent: name for torrent, name in known.items() if torrent.hex.startswith(digits)}
    if not known and len(digits) == len(InfoHash("0" * 40).hex):
        return InfoHash(digits), digits
    if len(known) != 1:
        found = counted(len(known), "torrent") if known else "No torrent of this run"
        raise UsageError(
            f"{found} {'begin' if known else 'begins'} with {digits}.",
            kept="Nothing was changed.",
            remedy="torrent-mover status lists them; give more characters of the infohash."
            if known
            else "torrent-mover status",
        )
    return next(iter(known.items()))
