"""Which copies were left behind: their torrents have left the client, their files lie on the targets. Changes no file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.text import counted
from torrent_mover.duties.tiering.copying import path_for_arrs
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.missing import Absence, MissingTorrent, believed, followed
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.picture import CopyProof, Identity, NameFound, TorrentKey, same_files
from torrent_mover.duties.tiering.records import AsideRecord, CopyRecord, Heartbeat
from torrent_mover.duties.tiering.root_marks import look_at
from torrent_mover.duties.tiering.roots import RootState

_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class LeftCopy:
    """A copy whose torrent its client does not list. `names`: those of its files that lie there.

    `changed`: of these, the ones that are not as they were proven, as the torrent calls them. `since`: the first look that did not
    find the torrent, Unix seconds, 0: this one. `sure`: it counts as removed.
    """

    record: CopyRecord
    proof: CopyProof
    names: tuple[NameFound, ...]
    changed: tuple[str, ...]
    since: float
    sure: bool

    @property
    def path(self) -> LocalPath:
        """Where it lies: the file of a torrent that has one, else the folder that holds all of it."""
        return path_for_arrs(self.proof)

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return size_of(self.names)

    @property
    def frees(self) -> int:
        """Of these, the bytes that have no name but those of the copy: only they get free when it is deleted."""
        ours: dict[Identity, int] = {}
        for name in self.names:
            ours[name.identity] = ours.get(name.identity, 0) + 1
        return size_of(name for name in self.names if name.links <= ours[name.identity])


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """All of them, and in words of which copies nothing can be said now. `aside`: those that a person has had set aside."""

    copies: tuple[LeftCopy, ...] = ()
    unknown: tuple[str, ...] = ()
    aside: tuple[AsideRecord, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all, a file that several have counted once."""
        return size_of(name for copy in self.copies for name in copy.names)


def size_of(names: Iterable[NameFound]) -> int:
    """Bytes of these files; one with several names counts once."""
    return sum({name.identity: name.size for name in names}.values())


def absence(pictures: PictureReader, keys: Collection[TorrentKey]) -> Absence:
    """Ask the clients of these torrents about them. A client that does not answer says nothing of any."""
    gone: set[TorrentKey] = set()
    alone: set[str] = set()
    silent: dict[str, str] = {}
    for client in sorted({key[0] for key in keys}):
        known = {torrent for name, torrent in keys if name == client}
        try:
            listed = {torrent.id for torrent in pictures.listing(client)}
        except Cancelled:
            raise
        except MoverError as error:
            silent[client] = error.what
            continue
        gone |= {(client, torrent) for torrent in known - listed}
        if not known & listed:
            alone.add(client)
    return Absence(frozenset(gone), frozenset(alone), silent)


def with_files(world: TierWorld) -> tuple[CopyRecord, ...]:
    """All copies that were proven once."""
    return tuple(record for record in world.journal.copies() if record.lies is not None)


def note_missing(world: TierWorld, pictures: PictureReader) -> tuple[Absence, tuple[MissingTorrent, ...]]:
    """Look which torrents with copies are missing, and write down since when."""
    seen = absence(pictures, [record.key for record in with_files(world)])
    before = tuple(world.journal.missing())
    rows = followed(before, seen, world.clock.now())
    if rows != before:
        world.journal.save_missing(rows)
    return seen, rows


def left_behind(world: TierWorld, pictures: PictureReader) -> LeftBehind:
    """Ask clients and disks. Writes nothing."""
    records = with_files(world)
    seen = absence(pictures, [record.key for record in records])
    rows = {row.key: row for row in followed(world.journal.missing(), seen, world.clock.now())}
    early = {key for key in seen.gone if key[0] in seen.alone and not rows[key].sure}
    unknown = [*_silent(seen, records), *_early(world, early)]
    copies, away = lying(world, [record for record in records if record.key in seen.gone - early], rows)
    noted = {row.key for row in world.journal.missing()}
    copies = tuple(copy if copy.record.key in noted else replace(copy, since=0.0) for copy in copies)
    unknown += [_unsaid(count, f"{root} is {_not_there(world, root)}.") for root, count in away.items()]
    return LeftBehind(copies, tuple(unknown), tuple(world.journal.set_aside()))


def _silent(seen: Absence, records: Sequence[CopyRecord]) -> Iterable[str]:
    for client, why in seen.silent.items():
        yield _unsaid(sum(record.client == client for record in records), why)


def _early(world: TierWorld, keys: Collection[TorrentKey]) -> Iterable[str]:
    for client in sorted({key[0] for key in keys}):
        name = world.client(client).client.name
        yield _unsaid(
            sum(key[0] == client for key in keys),
            f"{name} lists none of the torrents that have copies here, and may not have read them yet. It is believed once"
            " that has been so for an hour of rounds.",
        )


def _unsaid(count: int, why: str) -> str:
    return f"Nothing is said of {counted(count, 'copy', 'copies')}: {why}"


def _is_target(world: TierWorld, root: LocalPath) -> bool:
    return any(disk.root == root for disk in world.targets)


def _not_there(world: TierWorld, root: LocalPath) -> str:
    return "away" if _is_target(world, root) else "no target of the tier any more"


def lying(
    world: TierWorld, records: Sequence[CopyRecord], rows: Mapping[TorrentKey, MissingTorrent]
) -> tuple[tuple[LeftCopy, ...], Mapping[LocalPath, int]]:
    """Those of these copies whose files lie on their targets, and how many there are of each target that is not there."""
    copies: list[LeftCopy] = []
    away: dict[LocalPath, int] = {}
    known = {disk.root: disk for disk in world.targets if look_at(world, disk).state is RootState.KNOWN}
    for record in records:
        proof = record.lies
        if proof is None:
            continue
        if proof.root not in known:
            away[proof.root] = away.get(proof.root, 0) + 1
            continue
        found = known[proof.root].find(proof.paths)
        names = {stamp.path: name for stamp, name in zip(proof.copies, found, strict=True) if name is not None}
        if not names:
            continue  # somebody has deleted it
        changed = same_files([stamp for stamp in proof.copies if stamp.path in names], names)
        row = rows.get(record.key)
        since, sure = (row.since, row.sure) if row else (0.0, False)
        copies.append(LeftCopy(record, proof, tuple(names.values()), changed, since, sure))
    return tuple(copies), away


def recounted(world: TierWorld, pictures: PictureReader, beat: Heartbeat, *, anew: bool) -> Heartbeat | None:
    """A look at the clients; and, where what is missing has changed or a day is over, what it takes on the disks. None: as before.

    `anew`: count in any case. The disks are asked seldom, for that wakes those which sleep; where one is away, nothing new is said.
    """
    _, rows = note_missing(world, pictures)
    now = world.clock.now()
    sure = {row.key: row for row in rows if row.sure}
    if not anew and beat.left_at and len(sure) == beat.left_of and 0 <= now - beat.left_at < _DAY:
        return None
    copies, away = lying(world, [record for record in with_files(world) if record.key in sure], sure)
    if any(_is_target(world, root) for root in away):
        return None
    found = LeftBehind(copies)
    return replace(beat, left=len(copies), left_bytes=found.size, left_of=len(sure), left_at=now)


def trusted(world: TierWorld, seen: Absence) -> frozenset[TorrentKey]:
    """Of the torrents that a look did not find, those of which it may be believed, if a second look agrees.

    Where a client lists nothing that the journal knows, only those that were missing for an hour before.
    """
    now = world.clock.now()
    rows = {row.key: row for row in world.journal.missing()}

    def fine(key: TorrentKey) -> bool:
        row = rows.get(key)
        begun = row.unbroken_since if row is not None and 0 < row.unbroken_since <= now else now
        return key[0] not in seen.alone or believed(begun, now, alone=True)

    return frozenset(key for key in seen.gone if fine(key))


def left_data(copy: LeftCopy) -> dict[str, Any]:
    """For programs."""
    record = copy.record
    return {
        "id": record.torrent.hex,
        "hash": record.torrent.hex,
        "client": record.client,
        "name": record.name,
        "state": "left",
        "path": str(copy.path),
        "files": [str(name.path) for name in copy.names],
        "bytes": copy.size,
        "frees": copy.frees,
        "since": copy.since or None,
        "evicted_at": record.evicted_at or None,
        "changed": list(copy.changed),
    }
