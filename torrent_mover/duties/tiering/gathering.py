"""Gathers fresh evidence of an eviction: clients, both disks, and everybody who may use the same files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torrent_mover.domain.errors import TorrentGone
from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.certificate import Reading
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import Torrent
from torrent_mover.duties.tiering.candidate import stamps_of
from torrent_mover.duties.tiering.certificate import (
    CopyCheck,
    EvictionEvidence,
    MemberEvidence,
    OriginalFound,
)
from torrent_mover.duties.tiering.checking_copy import ToCheck
from torrent_mover.duties.tiering.errors import BadCopy, CopyVanished, EvictionRefused, SsdChanged
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.needs import TierDisk, TieredClient, TierWorld
from torrent_mover.duties.tiering.picture import CopyProof, NameFound, found_below, same_files
from torrent_mover.duties.tiering.proving import good_pieces
from torrent_mover.duties.tiering.records import CopyRecord, EvictionMember, EvictionRecord
from torrent_mover.duties.tiering.releasing import whereabouts
from torrent_mover.duties.tiering.root_marks import look_at, require
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.stages import EvictionStage


@dataclass(frozen=True, slots=True)
class LeavingTorrent:
    """One torrent of an eviction, with its copy. `paths` are relative to its save path, in the manifest's order."""

    row: EvictionMember
    end: TieredClient
    manifest: Manifest
    paths: tuple[RelativePath, ...]
    copy: CopyRecord
    proof: CopyProof
    target: TierDisk

    @property
    def copy_paths(self) -> tuple[RelativePath, ...]:
        """Its files below the target."""
        return tuple(self.proof.folder / path for path in self.paths)

    @property
    def to_check(self) -> ToCheck:
        """What is to be checked before its data on the SSD goes."""
        return ToCheck(self.row.key, self.row.name, self.end, self.manifest, self.target, self.copy_paths, self.proof)

    def copies(self) -> tuple[tuple[str, NameFound | None], ...]:
        """The target's files now."""
        return tuple(zip(map(str, self.paths), self.target.find(self.copy_paths), strict=True))


def leaving_torrent(world: TierWorld, row: EvictionMember, *, marked: bool = False) -> LeavingTorrent:
    """Look at one torrent of an eviction. Raises TorrentGone; EvictionRefused where its copy does not count; SsdChanged.

    With `marked`, a copy that is marked as bad will do: it is to be read again.
    """
    end = world.client(row.client)
    listed(end, row)
    copy = world.journal.copy(row.key)
    if copy is None or copy.proof is None or not (copy.counts or marked):
        why = copy.bad if copy is not None and copy.bad else "there is none that was proven"
        raise EvictionRefused(
            f"{row.name} has no copy that counts: {clause(why)}.",
            kept="The data on the SSD is kept.",
            remedy=f"torrent-mover tier {row.torrent}",
        )
    manifest = Manifest.parse(end.client.metainfo(row.torrent))
    paths = tuple(RelativePath.parse(stamp.path) for stamp in copy.proof.copies)
    if [file.path for file in end.client.files(row.torrent)] != [stamp.path for stamp in copy.proof.copies]:
        raise SsdChanged(
            f"Files of {row.name} were renamed in {end.client.name} since they were copied.",
            kept="Nothing was deleted.",
            remedy="The copy gets the new names by itself.",
            key=row.key,
        )
    return LeavingTorrent(row, end, manifest, paths, copy, copy.proof, world.disk(copy.proof.root))


def listed(end: TieredClient, row: EvictionMember) -> Torrent:
    """The torrent as its client lists it now. Raises TorrentGone."""
    torrent = end.client.get(row.torrent)
    if torrent is None:
        raise TorrentGone(
            f"{end.client.name} no longer lists {row.name}.",
            kept="The data on the SSD and the copy are both kept.",
            remedy="If it was removed on purpose, there is nothing to do.",
        )
    return torrent


def proven_now(world: TierWorld, leaving: LeavingTorrent, *, always: bool = False) -> LeavingTorrent:
    """The same with a copy that is as its proof says; one that differs (or `always`) is read again, and proven again.

    Raises RootAway; CopyVanished where files are gone; BadCopy where pieces are bad. The last two are in the journal then.
    """
    require(world, leaving.target)
    copies = dict(leaving.copies())
    changed = same_files(leaving.proof.copies, copies)
    if not changed and not always:
        return leaving
    missing = [path for path, found in copies.items() if found is None]
    if missing:
        raise CopyVanished(
            f"{missing[0]} of {leaving.row.name} is no longer on {leaving.target.root}.",
            kept="The SSD keeps the torrent.",
            remedy="It is copied again by itself. If an Arr moves such files away, have it copy or hard-link them.",
            key=leaving.row.key,
        )
    if changed:
        world.say(leaving.row.key, f"The copy of {leaving.row.name} has changed: it is read again")
    good = good_pieces(leaving.manifest, leaving.target, leaving.copy_paths, lambda _count: world.clock.wait(0.0))
    if not good.is_full():
        raise BadCopy(
            f"{leaving.manifest.piece_count - good.count()} of {leaving.manifest.piece_count} pieces of the copy of"
            f" {leaving.row.name} are bad on {leaving.target.root}.",
            kept="Nothing was deleted: what the SSD has is kept, and the copy is kept too.",
            remedy=f"For a fresh copy: torrent-mover tier --recopy {leaving.row.torrent}",
            key=leaving.row.key,
        )
    stamps = stamps_of(leaving.paths, leaving.target.find(leaving.copy_paths))
    proof = replace(leaving.proof, copies=stamps, at=world.clock.now(), read_back=True)
    copy = replace(leaving.copy, proof=proof, changed_at=world.clock.now())
    world.journal.save_copy(copy)
    return replace(leaving, copy=copy, proof=proof)


@dataclass(frozen=True, slots=True)
class ClientSigns:
    """What one torrent's client said once its copy was checked. Monotonic seconds."""

    left_at: float
    check: CopyCheck
    checked_copies: tuple[tuple[str, NameFound | None], ...]
    persisted: LocalPath | None
    first: Reading
    last: Reading


def gather(
    world: TierWorld,
    pictures: PictureReader,
    record: EvictionRecord,
    leaving: Sequence[LeavingTorrent],
    signs: Sequence[ClientSigns],
) -> EvictionEvidence:
    """Everything that the gate looks at, read now. Raises where a client is silent or a disk does not answer."""
    clock = world.clock
    keys = [member.key for member in record.members]
    siblings_at = clock.monotonic()
    siblings = pictures.users_of((*record.names, *record.media), keys)
    pins = world.journal.pins()
    members = tuple(
        _member(world, one, sign, pinned=one.row.torrent in pins or _pinned(world, sign))
        for one, sign in zip(leaving, signs, strict=True)
    )
    originals_at = clock.monotonic()
    everything = (*record.names, *record.media)
    now = whereabouts(world, record.torrent, everything)
    originals = tuple(
        OriginalFound(noted, found, released=found is None and record.stage is EvictionStage.FREED)
        for noted, found in zip(everything, now, strict=True)
    )
    roots_at = clock.monotonic()
    ssds = {root[0] for name in everything if (root := found_below(name.real, [disk.root for disk in world.ssds]))}
    return EvictionEvidence(
        acts=world.settings.mode is TierMode.ACT,
        union=world.settings.union is not None,
        members=members,
        originals=originals,
        originals_at=originals_at,
        siblings=siblings,
        siblings_at=siblings_at,
        elsewhere=unknown_names([found for found in now if found is not None]),
        media_missing=media_missing(world, leaving, (*record.media, *record.linked)),
        ssds=tuple(look_at(world, world.disk(root)) for root in sorted(ssds)),
        targets=tuple(look_at(world, world.disk(root)) for root in sorted({one.target.root for one in leaving})),
        roots_at=roots_at,
    )


def _member(world: TierWorld, one: LeavingTorrent, sign: ClientSigns, *, pinned: bool) -> MemberEvidence:
    opened = () if not one.row.ran else one.end.client.opened(one.row.torrent)
    copies_at = world.clock.monotonic()
    return MemberEvidence(
        client=one.row.client,
        torrent=one.row.torrent,
        name=one.row.name,
        proof=one.proof,
        marked=one.copy.bad,
        pieces=one.manifest.piece_count,
        left_at=sign.left_at,
        check=sign.check,
        checked_copies=sign.checked_copies,
        copies=one.copies(),
        copies_at=copies_at,
        save_path=one.end.paths.to_host(one.row.to_path),
        persisted=sign.persisted,
        opened=tuple(one.end.paths.to_host(path) for path in opened),
        ran=one.row.ran,
        first=sign.first,
        last=sign.last,
        pinned=pinned,
    )


def _pinned(world: TierWorld, sign: ClientSigns) -> bool:
    torrent = sign.last.torrent
    return torrent is not None and world.settings.pins(torrent.category, torrent.tags)


def unknown_names(found: Sequence[NameFound]) -> int:
    """How many names the files have besides these."""
    known = Counter(identity for identity, _ in {(name.identity, name.real) for name in found})
    links = {name.identity: name.links for name in found}
    return sum(max(links[identity] - count, 0) for identity, count in known.items())


def media_missing(
    world: TierWorld, leaving: Sequence[LeavingTorrent], media: Sequence[NameFound]
) -> tuple[LocalPath, ...]:
    """Names below link roots whose hard link on the target is not there, or is another file."""
    return tuple(name.path for name in _missing(world, leaving, media))


def _missing(world: TierWorld, leaving: Sequence[LeavingTorrent], media: Sequence[NameFound]) -> list[NameFound]:
    missing = []
    for name in media:
        place = media_place(world, name)
        copy = None if place is None else copy_for(leaving, name, place)
        if place is None or copy is None:
            missing.append(name)
            continue
        disk, path = copy
        linked, original = disk.find([place.relative_to(disk.root), path])
        if linked is None or original is None or linked.identity != original.identity:
            missing.append(name)
    return missing


def link_media(world: TierWorld, leaving: Sequence[LeavingTorrent], media: Sequence[NameFound]) -> None:
    """Make the hard links of media names on the target. What is in their way is left: the gate refuses then."""
    for noted in _missing(world, leaving, media):
        place = media_place(world, noted)
        copy = None if place is None else copy_for(leaving, noted, place)
        if place is None or copy is None:
            continue
        disk, path = copy
        new = place.relative_to(disk.root)
        if disk.files.stat(new) is None:
            disk.files.make_folders(new.parent)
            if disk.files.link(path, new):
                disk.files.sync([new])


def media_place(world: TierWorld, name: NameFound) -> LocalPath | None:
    """Where a media name is made again, by the link roots."""
    for pair in world.settings.link_roots:
        if name.path.is_within(pair.ssd):
            return pair.target / name.path.relative_to(pair.ssd)
    return None


def copy_for(
    leaving: Sequence[LeavingTorrent], name: NameFound, place: LocalPath
) -> tuple[TierDisk, RelativePath] | None:
    """The copied file of a name on the SSD, by the inode that it had then, on the target where `place` is."""
    for one in leaving:
        if not place.is_within(one.target.root):
            continue
        for original, path in zip(one.proof.originals, one.copy_paths, strict=True):
            if (original.size, original.mtime_ns, original.inode) == (name.size, name.mtime_ns, name.identity[1]):
                return one.target, path
    return None
