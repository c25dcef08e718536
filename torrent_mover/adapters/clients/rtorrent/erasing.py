"""Removes a certified torrent: out of rTorrent first, then exactly the certified files, by whoever can reach them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, Protocol

from torrent_mover.adapters.clients.rtorrent.layout import LaidOut
from torrent_mover.adapters.clients.rtorrent.session import RpcSession
from torrent_mover.domain.errors import BadAnswer, DataLeft, LookAgain, MoverError, TorrentGone
from torrent_mover.domain.paths import ClientPath, RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.certificate import Certificate
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.domain.torrent.warrant import Warrant
from torrent_mover.ports.filesystem import FileKind, FileSystem

OpenFiles = Callable[[ClientPath], FileSystem]
"""The file system below a folder, given as rTorrent sees it. Raises what reaching it raises."""

_REMOVED_WITHIN: Final = 60.0  # seconds
_CHECKED_WITHIN: Final = 5.0  # seconds that a check which somebody has begun gets to end
_NAMED: Final = 3
"""Files that a message names one by one."""


class RemovingClient(Protocol):
    """What removing needs of the client around it."""

    @property
    def session(self) -> RpcSession:
        """To ask."""

    def row(self, torrent: InfoHash) -> Mapping[str, Any] | None:
        """What it says of the torrent; None: it is not listed."""

    def laid_out(self, torrent: InfoHash) -> Sequence[LaidOut]:
        """Its files, padding included."""

    def until(self, done: Any, seconds: float) -> bool:  # noqa: ANN401  a callable of no arguments
        """Whether `done` became true in time."""


def take_out(
    client: RemovingClient, certificate: Certificate, files: OpenFiles | None, require_fresh: Callable[[], None]
) -> None:
    """See the client. `require_fresh` raises where the certificate is too old by now.

    rTorrent deletes no data itself, so that nothing of the torrent is touched while it is listed.
    """
    _refuse_checking(client, certificate.torrent, certificate.evidence.planned.name)
    padding = _padding(client, certificate) if certificate.delete_data else ()
    _erase(client, certificate.torrent, require_fresh)
    if not certificate.delete_data:
        return
    if files is None:
        raise _left(
            client,
            certificate,
            "torrent_mover has no access to its files there",
            "Delete them there by hand, if you like",
        )
    try:
        with closing(files(certificate.evidence.planned.save_path)) as there:
            _delete(certificate, there, padding)
    except MoverError as error:
        raise _left(client, certificate, error.what.rstrip("."), error.remedy or "Delete them there by hand") from error


def take_out_alone(client: RemovingClient, warrant: Warrant, require_fresh: Callable[[], None]) -> None:
    """See the client: the torrent goes, nothing of its data is touched. `require_fresh` raises for a stale warrant."""
    _refuse_checking(client, warrant.torrent.id, warrant.torrent.name)
    _erase(client, warrant.torrent.id, require_fresh)


def _erase(client: RemovingClient, torrent: InfoHash, require_fresh: Callable[[], None]) -> None:
    """Take a torrent out of rTorrent; its files stay. One that is not listed is no error. Raises BadAnswer.

    ruTorrent's erasedata plug-in deletes data where custom5 is set, at a path that may be an old one: so it is cleared.
    """
    session = client.session
    listed = torrent in session.hashes()
    try:
        with session.turn():
            require_fresh()  # now that nobody else can keep us waiting
            if not listed:
                return
            session.about(torrent, "d.custom5.set", "", doing="remove")
            session.about(torrent, "d.stop", doing="remove")
            session.about(torrent, "d.close", doing="remove")
            session.about(torrent, "d.erase", doing="remove")
    except TorrentGone:
        return
    if not client.until(lambda: torrent not in session.hashes(), _REMOVED_WITHIN):
        raise BadAnswer(
            f"rTorrent at {session.name} accepted the request to remove {torrent.short} but did not do it within"
            f" {_REMOVED_WITHIN:.0f} s.",
            kept="Its data was not touched.",
            remedy="Look at rTorrent's log.",
            server=session.name,
        )


def _refuse_checking(client: RemovingClient, torrent: InfoHash, name: str) -> None:
    """0.9.8 freezes for good when a torrent is closed while it is being checked; and what is checked may be found bad."""

    def idle() -> bool:
        row = client.row(torrent)
        return row is None or not row["d.hashing"] or bool(row["d.hashing_failed"])

    if not client.until(idle, _CHECKED_WITHIN):
        raise LookAgain(
            f"rTorrent at {client.session.name} is checking {name}, so it is not removed yet.",
            kept="The torrent and all its data are still there.",
            remedy="It is looked at again by itself.",
        )


def _padding(client: RemovingClient, certificate: Certificate) -> tuple[tuple[str, int], ...]:
    """Padding files (0.9.8 keeps them): path and size. They hold zeros alone. None where it is no longer listed."""
    try:
        return tuple((each.file.path, each.file.size) for each in client.laid_out(certificate.torrent) if each.padding)
    except TorrentGone:
        return ()


def _delete(certificate: Certificate, files: FileSystem, padding: Iterable[tuple[str, int]]) -> None:
    """Unlink what is still as certified: regular files of their exact size. Then the torrent's own folders, where empty."""
    certified = [(file.path, file.size) for file in certificate.evidence.planned_files if file.wanted]
    paths = [(RelativePath.parse(path), size) for path, size in (*certified, *padding)]
    found = files.stats([path for path, _ in paths])
    for (path, size), there in zip(paths, found, strict=True):
        if there is not None and there.kind is FileKind.FILE and there.size == size:
            files.unlink(path)
    folders = {folder for path, _ in paths for folder in _folders(path)}
    for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
        files.remove_folder(folder)


def _folders(path: RelativePath) -> Iterable[RelativePath]:
    """The folders of a path below the save path, which itself is everybody's."""
    while path.parent.parts:
        path = path.parent
        yield path


def _left(client: RemovingClient, certificate: Certificate, why: str, remedy: str) -> DataLeft:
    planned = certificate.evidence.planned
    paths = [planned.save_path / file.path for file in certificate.evidence.planned_files if file.wanted]
    named = " ".join(shlex.quote(str(path)) for path in paths[:_NAMED])
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return DataLeft(
        f"rTorrent at {client.session.name} has removed {planned.name}, but its data is still there: {clause(why)}.",
        kept="The data still lies there; the destination has its own, proven copy.",
        remedy=f"{remedy}: {named}{more}",
    )
