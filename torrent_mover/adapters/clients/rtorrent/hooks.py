"""What an rTorrent's own configuration does with torrents by itself, as far as it tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from torrent_mover.adapters.clients.rtorrent.session import RpcSession
from torrent_mover.adapters.clients.rtorrent.xml_rpc import RpcFault
from torrent_mover.ports.roles import Remark

_ERASED: Final = "event.download.erased"
_FINISHED: Final = "event.download.finished"
_EVENTS: Final = {
    "event.download.inserted_new": "runs commands for each torrent that is added",
    _FINISHED: "runs commands for each torrent that is finished",
    _ERASED: "runs commands for each torrent that is removed, which may delete its data, also what other torrents use",
}
_HASHED: Final = "event.download.hash_done"
_MOVERS: Final = re.compile(
    r"\bmv\b|\bd\.directory(?:_base)?\.set\b|automove|autotools|\bmove\.(?:php|sh|py)\b", re.IGNORECASE
)
"""By this a command is known that moves the data of torrents: `mv`, another folder for the torrent, ruTorrent's autotools."""
_OWN: Final = ("!", "~", "1_prepare")
"""What rTorrent itself hooks in begins with one of these."""

_RATIO_COMMAND: Final = "group.seeding.ratio.command"


def of(session: RpcSession, event: str) -> tuple[str, ...]:
    """The names of the commands that the configuration runs at an event; none where this version has no such event."""
    with suppress(RpcFault):
        keys = session.tried("method.list_keys", "", event)
        return tuple(str(key) for key in keys if not str(key).startswith(_OWN))
    return ()


def _commands(session: RpcSession, keys: Sequence[str]) -> str:
    """What the configuration runs when a torrent has finished, a command a line."""
    with suppress(RpcFault):
        commands = session.tried("method.get", "", _FINISHED)
        if isinstance(commands, dict):
            return "\n".join(str(commands[key]) for key in keys if key in commands)
    return ""


def movers(session: RpcSession) -> Sequence[Remark]:
    """Commands of the configuration that move the data of torrents which are added, finished or checked."""
    found = []
    for event in (*_EVENTS, _HASHED):
        if event == _ERASED:
            continue
        with suppress(RpcFault):
            commands = session.tried("method.get", "", event)
            for key, command in commands.items() if isinstance(commands, dict) else ():
                if not str(key).startswith(_OWN) and _MOVERS.search(f"{key} {command}"):
                    what = f"moves the data of torrents by itself ({key})"  # the command itself may hold a token
                    found.append(Remark(what, f"{event} in rtorrent.rc", moves=True))
    return tuple(found)


def remarks(session: RpcSession) -> Sequence[Remark]:
    """See the client."""
    found = list(movers(session))
    for event, what in _EVENTS.items():
        keys = of(session, event)
        if keys:
            runs = _commands(session, keys) if event == _FINISHED else ""
            remark = Remark(f"{what} ({', '.join(keys)})", f"{event} in rtorrent.rc", event == _ERASED, runs=runs)
            found.append(remark)
    with suppress(RpcFault):
        if "d.erase" in str(session.tried("method.get", "", _RATIO_COMMAND)):
            found.append(Remark("removes torrents that have reached their ratio", f"{_RATIO_COMMAND} in rtorrent.rc"))
    return tuple(found)
