"""Has a torrent use files that lie ready in another folder, and tells which files it has opened."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from torrent_mover.adapters.clients.rtorrent.answers import TorrentPlace, client_state
from torrent_mover.adapters.clients.rtorrent.layout import LaidOut
from torrent_mover.adapters.clients.rtorrent.session import RpcSession
from torrent_mover.adapters.clients.rtorrent.spelling import is_exact, may_mean, text
from torrent_mover.domain.errors import BadAnswer, Collision
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent

_CLOSED_WITHIN: Final = 15.0  # seconds


class ResidingClient(Protocol):
    """What relocating needs of the client around it."""

    @property
    def session(self) -> RpcSession:
        """To ask."""

    def row(self, torrent: InfoHash) -> Mapping[str, Any] | None:
        """What it says of the torrent; None: it is not listed."""

    def place(self, row: Mapping[str, Any]) -> TorrentPlace:
        """Where that is."""

    def present(self, torrent: InfoHash) -> Torrent:
        """The torrent. Raises TorrentGone."""

    def laid_out(self, torrent: InfoHash) -> Sequence[LaidOut]:
        """Its files, padding included."""

    def until(self, done: Any, seconds: float) -> bool:  # noqa: ANN401  a callable of no arguments
        """Whether `done` became true in time."""


def relocate(client: ResidingClient, torrent: InfoHash, save_path: ClientPath) -> None:
    """See the client. The order is the only one that works: what is open, or started, keeps looking at the old folder."""
    row = _row(client, torrent)
    place = client.place(row)
    if not place.sure:
        raise BadAnswer(
            f"rTorrent at {client.session.name} cannot tell where {place.name} lies.",
            kept="Nothing was changed.",
            remedy="Give rTorrent a session folder that torrent_mover can read: session_folder.",
            server=client.session.name,
        )
    if row["d.hashing"] and not row["d.hashing_failed"]:
        raise _busy(client, place.name, row)
    folder = save_path / ClientPath(place.directory).parts[-1] if row["d.is_multi_file"] else save_path
    _stop_and_close(client, torrent)
    client.session.about(torrent, "d.directory_base.set", str(folder), doing="set the directory of")
    said = str(_row(client, torrent)["d.directory"])
    if not may_mean(said, bytes(folder)):
        raise BadAnswer(
            f"rTorrent at {client.session.name} was told to use {folder} for {place.name} and uses {clause(said)}.",
            kept="It is stopped there; no file was touched.",
            remedy="Look at rTorrent's log.",
            server=client.session.name,
        )


def close(client: ResidingClient, torrent: InfoHash) -> None:
    """Close it, so that rTorrent opens its files again. Raises TorrentGone, BadAnswer, and Collision while it is checked.

    0.9.8 freezes for good when a torrent is closed while its data is being read.
    """
    row = _row(client, torrent)
    if row["d.hashing"] and not row["d.hashing_failed"]:
        raise _busy(client, client.place(row).name, row)
    client.session.about(torrent, "d.close", doing="close")
    if not client.until(lambda: not _row(client, torrent)["d.is_open"], _CLOSED_WITHIN):
        raise BadAnswer(
            f"rTorrent at {client.session.name} does not close {torrent.short}.",
            kept="It is stopped; nothing else was changed.",
            remedy="Look at rTorrent's log.",
            server=client.session.name,
        )


def opened(client: ResidingClient, torrent: InfoHash) -> tuple[ClientPath, ...]:
    """The paths of its real files as it has opened them; none while it is closed. Raises TorrentGone, BadAnswer."""
    if not _row(client, torrent)["d.is_open"]:
        return ()  # it still says the paths of before
    exact = client.session.has("f.frozen_path.base64")
    command = "f.frozen_path.base64=" if exact else "f.frozen_path="
    rows = client.session.ask_about(torrent, "f.multicall", "", command, doing="ask about the files of")
    files, save_path = client.laid_out(torrent), client.present(torrent).save_path
    if len(rows) != len(files):
        raise client.session.trouble.garbled(f"another number of files for {torrent.short} than before")
    found = []
    for each, row in zip(files, rows, strict=True):
        if each.padding or not row[0]:
            continue
        found.append(
            ClientPath(_decoded(client, row[0]) if exact else _meant(client, str(row[0]), save_path / each.file.path))
        )
    return tuple(found)


def _decoded(client: ResidingClient, encoded: object) -> str:
    try:
        return text(b64decode(str(encoded), validate=True))
    except (binascii.Error, ValueError) as error:
        raise client.session.trouble.garbled() from error


def _meant(client: ResidingClient, said: str, expected: ClientPath) -> str:
    """0.9.8 says `?` for what its library cannot hold: then it is what the metainfo says, or nobody can tell."""
    if is_exact(said):
        return said
    if may_mean(said, bytes(expected)):
        return str(expected)
    raise client.session.trouble.garbled(f"a path that cannot be told: {said}")


def _busy(client: ResidingClient, name: str, row: Mapping[str, Any]) -> Collision:
    return Collision(
        f"rTorrent at {client.session.name} is busy with {name} ({client_state(row)}).",
        kept="It was left as it is.",
        remedy="Run again when it has finished.",
    )


def _stop_and_close(client: ResidingClient, torrent: InfoHash) -> None:
    client.session.about(torrent, "d.stop", doing="stop")
    close(client, torrent)


def _row(client: ResidingClient, torrent: InfoHash) -> Mapping[str, Any]:
    row = client.row(torrent)
    if row is None:
        raise client.session.trouble.gone(torrent)
    return row
