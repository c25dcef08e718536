"""Has rTorrent write what it knows of a torrent into its session folder, and sees that no older save can undo it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from torrent_mover.adapters.clients.rtorrent.session import RpcSession
from torrent_mover.adapters.clients.rtorrent.session_files import SessionFiles
from torrent_mover.adapters.clients.rtorrent.spelling import may_mean
from torrent_mover.domain.errors import NotPersisted
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.clock import Clock

_SAVED_WITHIN: Final = 20.0  # seconds; 0.1 s is usual
_LOST_AFTER: Final = 2.0
"""Seconds after which a save that was not seen counts as lost: of two at a time 0.16 may write one only."""
_FIRST_WITHIN: Final = 5.0
"""Seconds for the save that rTorrent makes by itself of what it loads. Its configuration may have taken that away."""
_LOOK_EVERY: Final = 0.05
_ON_DISK_AFTER: Final = 40.0
"""Seconds until Linux has written what nobody has synced: dirty pages of 30 s (vm.dirty_expire_centisecs), looked for every 5."""


class SavingClient(Protocol):
    """What saving needs of the client around it."""

    @property
    def session(self) -> RpcSession:
        """To ask."""

    @property
    def saved(self) -> SessionFiles:
        """What it keeps on its disk."""

    def row(self, torrent: InfoHash) -> Mapping[str, Any] | None:
        """What it says of the torrent; None: it is not listed."""

    def until(self, done: Any, seconds: float) -> bool:  # noqa: ANN401  a callable of no arguments
        """Whether `done` became true in time."""


class Saves:
    """How many saves of one torrent have reached the session folder since this was made.

    0.9.8 has saved when it answers. 0.16 gives each save a thread of its own, also two of the same torrent, and the one that was
    ordered first may be written last: it undoes the other one, at the next start. So each is awaited before the next is ordered.
    """

    def __init__(self, client: SavingClient, torrent: InfoHash) -> None:
        self._files = client.saved
        self._torrent = torrent
        self._beside = client.session.saves_beside()
        self._last = self._stamp()
        self._seen = 0

    def seen(self) -> int:
        """Looks. Two that came since the last look count as one."""
        stamp = self._stamp()
        if stamp != self._last:
            self._last = stamp
            self._seen += 1
        return self._seen

    def all_seen(self, ordered: int) -> bool:
        """Whether as many as were ordered have been written."""
        return not self._beside or self.seen() >= ordered

    def _stamp(self) -> str:
        return self._files.stamp(self._torrent) if self._beside else ""


def await_first(client: SavingClient, saves: Saves) -> None:
    """Wait for the save that rTorrent makes of a torrent that was loaded after `saves` was made."""
    client.until(lambda: saves.all_seen(1), _FIRST_WITHIN)


def save(client: SavingClient, clock: Clock, torrent: InfoHash, label_field: str) -> None:
    """Have rTorrent write the torrent's place, its label, and whether it is started, until its session file says so.

    Raises NotPersisted, TorrentGone.
    """
    client.saved.require()
    saves = Saves(client, torrent)
    begun = clock.monotonic()
    asked, ordered = begun, 0
    while True:
        now = clock.monotonic()
        late = now - asked >= _LOST_AFTER
        row = _row(client, torrent)
        # Counted before it is read: what is read is then at least as new.
        settled = saves.all_seen(ordered) or late
        saved = client.saved.state(torrent)
        agrees = saved is not None and _agrees(row, saved, label_field)
        if ordered and agrees and settled:
            return
        if now - begun > _SAVED_WITHIN:
            raise NotPersisted(
                f"rTorrent at {client.session.name} does not write down where {torrent.short} lies: after a restart it would"
                " look in another folder.",
                kept="Nothing was deleted.",
                remedy=f"Is its session folder writable, and its disk not full? {client.session.known().session_path}",
            )
        if not ordered or (late and not agrees):
            client.session.about(torrent, "d.save_full_session", doing="save")
            asked = clock.monotonic()
            ordered += 1
            continue
        clock.wait(_LOOK_EVERY)


def persist(client: SavingClient, clock: Clock, torrent: InfoHash, label_field: str) -> None:
    """The same, and until no power cut undoes it: synced where this machine sees the session folder, else waited for."""
    save(client, clock, torrent, label_field)
    try:
        synced = client.saved.sync(torrent)
    except OSError as error:
        raise NotPersisted(
            f"The session file of {torrent.short} cannot be synced: {clause(error.strerror or error)}.",
            kept="Nothing was deleted.",
            remedy="Look at session_folder: it must be rTorrent's session folder as this machine sees it.",
        ) from error
    if synced:
        return
    clock.wait(_ON_DISK_AFTER)
    saved = client.saved.state(torrent)
    if saved is None or not _agrees(_row(client, torrent), saved, label_field):
        raise NotPersisted(
            f"rTorrent at {client.session.name} has written another place for {torrent.short} meanwhile.",
            kept="Nothing was deleted.",
            remedy="It is tried again by itself.",
        )


def _agrees(row: Mapping[str, Any], saved: Mapping[bytes, object], label_field: str) -> bool:
    place = saved.get(b"directory")
    if not isinstance(place, bytes) or not may_mean(str(row["d.directory"]), place):
        return False
    if saved.get(b"state") != row["d.state"]:
        return False
    label = saved.get(label_field.encode())
    custom = saved.get(b"custom")
    if not isinstance(label, bytes) and isinstance(custom, dict):
        label = custom.get(label_field.encode())
    return may_mean(str(row["label"]), label if isinstance(label, bytes) else b"")


def _row(client: SavingClient, torrent: InfoHash) -> Mapping[str, Any]:
    row = client.row(torrent)
    if row is None:
        raise client.session.trouble.gone(torrent)
    return row
