"""The story of one eviction: chosen -> looked -> leaving -> checking -> seeding -> certified -> aside -> freed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.errors import MoverError, TorrentGone
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.certificate import MIN_SEEDING, Reading
from torrent_mover.domain.torrent.torrent import TorrentState
from torrent_mover.duties.tiering.certificate import CopyCheck, EvictionCertificate, certify_eviction
from torrent_mover.duties.tiering.checking_copy import check_all
from torrent_mover.duties.tiering.copy_again import make_again
from torrent_mover.duties.tiering.errors import (
    BadCopy,
    CheckedBad,
    CopyVanished,
    EvictionRefused,
    EvidenceTooOld,
    SsdChanged,
)
from torrent_mover.duties.tiering.gathering import (
    ClientSigns,
    LeavingTorrent,
    gather,
    leaving_torrent,
    link_media,
    listed,
    proven_now,
)
from torrent_mover.duties.tiering.grouping import TorrentGroup
from torrent_mover.duties.tiering.looking import PictureReader, on_ssd
from torrent_mover.duties.tiering.needs import TierWorld
from torrent_mover.duties.tiering.picture import NameFound
from torrent_mover.duties.tiering.records import (
    EvictionMember,
    EvictionRecord,
    TierEnd,
    TierHistoryEntry,
)
from torrent_mover.duties.tiering.releasing import free, let_go_of_links, put_back, set_aside, whereabouts
from torrent_mover.duties.tiering.returning import go_back, stay_there
from torrent_mover.duties.tiering.root_marks import require, require_two
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.stages import EvictionStage, reached, untouched

_START_PATIENCE: Final = 30.0
"""Seconds until a torrent that was started must be seen seeding."""
_POLL: Final = 1.0
_MOST_ROUNDS: Final = 3
"""How often evidence that became too old is gathered again before the torrents go back."""


class EvictionStory:
    """Evicts one group of torrents. Each stage is in the journal before it is taken.

    Whatever speaks against it before names are freed brings the torrents back to the SSD. Where clients or disks cannot be
    seen, nothing is decided: the record stays, and a later round looks again.
    """

    def __init__(self, world: TierWorld, pictures: PictureReader, record: EvictionRecord) -> None:
        self._world = world
        self._pictures = pictures
        self._record = record
        self._began = world.clock.monotonic()

    def run(self) -> int:
        """From the choice to the end; the bytes that got free. Raises EvictionRefused and its like, RootAway, ServerError."""
        with self._world.leases.hold([member.key for member in self._record.members]):
            self._chosen()
            try:
                leaving = self._looked()
            except MoverError as error:
                self._world.journal.forget_eviction(self._record.key)
                self._note_copies(error)
                raise
            return self.finish(leaving)

    def finish(self, leaving: Sequence[LeavingTorrent]) -> int:
        """From `leaving` on, with leases held. Everything about clients and disks is looked at again."""
        try:
            self._used_by_nobody_else()
            leaving, certificate = self._certified(self._left(leaving))
            return self._freed(leaving, certificate)
        except EvictionRefused as refused:
            self._refused(leaving, refused)
            raise
        except MoverError as error:
            # What was not seen decides nothing: the record stays, and the next round looks again.
            self._save(replace(self._record, trouble=error.what))
            raise

    # Stages

    def _chosen(self) -> None:
        world = self._world
        pinned = [member.name for member in self._record.members if member.torrent in world.journal.pins()]
        if world.settings.mode is not TierMode.ACT or pinned:
            raise EvictionRefused(
                f"{self._record.title} is not evicted: "
                + (f"{pinned[0]} is pinned." if pinned else "the tier only reports (mode = report)."),
                kept="Nothing was changed.",
                remedy="tier --unpin, or mode = act.",
            )
        self._enter(EvictionStage.CHOSEN)

    def _looked(self) -> tuple[LeavingTorrent, ...]:
        """The copies are as they were proven, the SSD's files as they were copied, and whether each torrent runs."""
        world = self._world
        rows = []
        found = []
        for row in self._record.members:
            leaving = leaving_torrent(world, row)
            for ssd in world.ssds:
                require_two(world, ssd, leaving.target)
            leaving = proven_now(world, leaving)
            torrent = listed(leaving.end, row)
            if torrent.save_path != row.from_path or not torrent.complete:
                raise EvictionRefused(
                    f"{row.name} was moved, or is busy now ({torrent.client_state}).",
                    kept="Nothing was changed.",
                    remedy="The next round looks again.",
                )
            rows.append(replace(row, ran=torrent.state is TorrentState.SEEDING))
            found.append(replace(leaving, row=rows[-1]))
        names = (*self._record.names, *self._record.media)
        now = whereabouts(world, self._record.torrent, names)
        changed = next(
            (name for name, here in zip(names, now, strict=True) if here is None or not _same(name, here)), None
        )
        changed = changed or _not_copied(names, found)
        if changed is not None:
            raise SsdChanged(
                f"{changed.real} on the SSD is not the file that was copied.",
                kept="Nothing was changed.",
                remedy="It is copied again by itself.",
            )
        self._record = replace(self._record, members=tuple(rows))
        self._enter(EvictionStage.LOOKED)
        return tuple(found)

    def _used_by_nobody_else(self) -> None:
        """Asked before anything is changed; the gate asks again."""
        record = self._record
        users = self._pictures.users_of((*record.names, *record.media), [member.key for member in record.members])
        if users:
            raise EvictionRefused(
                f"{record.title} does not leave: {users[0]} uses files of it on the SSD.",
                kept="Nothing was deleted.",
                remedy="They leave together once both are copied: the next round looks again.",
            )

    def _left(self, leaving: Sequence[LeavingTorrent]) -> tuple[_Left, ...]:
        """The clients use the copies, stopped; a power cut does not undo that."""
        world = self._world
        if not reached(self._record.stage, EvictionStage.LEAVING):
            self._enter(EvictionStage.LEAVING)
        left = []
        for one in leaving:
            require(world, one.target)
            if any(found is None for _, found in one.copies()):
                # A client moves what it does not find at the new place, and takes it off the SSD.
                raise EvictionRefused(
                    f"The copy of {one.row.name} is not whole any more.",
                    kept="It was not relocated.",
                    remedy="It is copied again by itself.",
                )
            one.end.client.relocate(one.row.torrent, one.row.to_path)
            left.append(_Left(one, world.clock.monotonic(), None))
        if world.settings.union is not None:
            self._enter_unless_freed(EvictionStage.ASIDE)
            set_aside(world, self._record.torrent, (*self._record.names, *self._record.media))
        return self._persisted(left)

    def _certified(self, left: Sequence[_Left]) -> tuple[tuple[LeavingTorrent, ...], EvictionCertificate]:
        world = self._world
        leaving = tuple(each.torrent for each in left)
        rounds = 0
        while True:
            rounds += 1
            self._enter_unless_freed(EvictionStage.CHECKING)
            checks = check_all(world, [one.to_check for one in leaving], lambda _count: world.clock.wait(0.0))
            checked = [one.copies() for one in leaving]
            self._enter_unless_freed(EvictionStage.SEEDING)
            signs = self._seeding(left, checks, checked)
            link_media(world, leaving, (*self._record.media, *self._record.linked))
            evidence = gather(world, self._pictures, self._record, leaving, signs)
            try:
                certificate = certify_eviction(evidence, world.clock.monotonic())
            except EvidenceTooOld:
                if rounds >= _MOST_ROUNDS:
                    raise
                continue
            world.journal.save_certificate(certificate, world.clock.now())
            self._enter_unless_freed(EvictionStage.CERTIFIED)
            return leaving, certificate

    def _seeding(
        self,
        left: Sequence[_Left],
        checks: Sequence[CopyCheck],
        checked: Sequence[tuple[tuple[str, NameFound | None], ...]],
    ) -> list[ClientSigns]:
        """Start those that ran, have that saved too, and see them seed for some seconds."""
        world = self._world
        for each in left:
            if each.torrent.row.ran:
                each.torrent.end.client.start(each.torrent.row.torrent)
        left = self._persisted(left)
        firsts = [self._first_reading(each.torrent) for each in left]
        if any(each.torrent.row.ran for each in left):
            world.clock.wait(MIN_SEEDING)
        lasts = [_read(world, each.torrent) for each in left]
        self._respect_stops(left, firsts, lasts)
        return [
            ClientSigns(each.left_at, check, copies, each.persisted, first, last)
            for each, check, copies, first, last in zip(left, checks, checked, firsts, lasts, strict=True)
        ]

    def _first_reading(self, one: LeavingTorrent) -> Reading:
        """The first answer that says it seeds, or the last one within some seconds."""
        clock = self._world.clock
        until = clock.monotonic() + _START_PATIENCE
        reading = _read(self._world, one)
        while (
            one.row.ran
            and reading.torrent is not None
            and reading.torrent.state is not TorrentState.SEEDING
            and clock.monotonic() < until
        ):
            clock.wait(_POLL)
            reading = _read(self._world, one)
        return reading

    def _respect_stops(self, left: Sequence[_Left], firsts: Sequence[Reading], lasts: Sequence[Reading]) -> None:
        """One that somebody stopped while it was seeding stays stopped: raises EvictionRefused, and the rest is planned again."""
        stopped = [
            each.torrent.row
            for each, first, last in zip(left, firsts, lasts, strict=True)
            if each.torrent.row.ran
            and _state(first) is TorrentState.SEEDING
            and _state(last) is TorrentState.STOPPED_COMPLETE
        ]
        if stopped:
            rows = tuple(replace(row, ran=row.ran and row not in stopped) for row in self._record.members)
            self._save(replace(self._record, members=rows))
            raise EvictionRefused(
                f"{stopped[0].name} was stopped by somebody while it was seeding from its copy.",
                kept="Nothing was deleted. It is back on the SSD, and stays stopped.",
                remedy="The next round plans it again.",
            )

    def _freed(self, leaving: Sequence[LeavingTorrent], certificate: EvictionCertificate) -> int:
        world, record = self._world, self._record
        self._enter_unless_freed(EvictionStage.ASIDE)
        set_aside(world, record.torrent, certificate.names)
        self._enter(EvictionStage.FREED)
        freed = free(world, record.torrent, certificate, self._save_paths(leaving))
        let_go_of_links(world, record.links, self._save_paths(leaving))
        now = world.clock.now()
        took = world.clock.monotonic() - self._began
        for one in leaving:
            copy = world.journal.copy(one.row.key) or one.copy
            if copy.evicted_at:
                continue  # killed just before the eviction was forgotten
            world.journal.save_copy(replace(copy, evicted_at=now, ran=one.row.ran, changed_at=now))
            size = one.manifest.total_size
            world.journal.add_history(TierHistoryEntry(now, *one.row.key, one.row.name, TierEnd.EVICTED, size, took))
        world.say(record.key, f"{record.title} left the SSD: {record.why}")
        world.journal.forget_eviction(record.key)
        return freed

    # What is shared

    def _save_paths(self, leaving: Sequence[LeavingTorrent]) -> tuple[LocalPath, ...]:
        """The torrents' save paths on the SSD, as we see them."""
        world = self._world
        union = world.settings.union
        if union is None:
            return tuple(one.end.paths.to_host(one.row.from_path) for one in leaving)
        return tuple(
            disk.root / one.row.from_path.relative_to(union) if one.row.from_path != union else disk.root
            for one in leaving
            for disk in world.ssds
        )

    def _persisted(self, left: Sequence[_Left]) -> tuple[_Left, ...]:
        """Have the clients save where the torrents are. Side by side: a client may take most of a minute for each."""
        if not left:
            return ()

        def save(each: _Left) -> _Left:
            saved = each.torrent.end.client.persist(each.torrent.row.torrent)
            return replace(each, persisted=None if saved is None else each.torrent.end.paths.to_host(saved))

        if len(left) == 1:
            return (save(left[0]),)
        with ThreadPoolExecutor(max_workers=len(left), thread_name_prefix="persist") as pool:
            return tuple(pool.map(save, left))

    def _refused(self, leaving: Sequence[LeavingTorrent], refused: EvictionRefused) -> None:
        """Back to the SSD where its files are as they were; else the torrents stay where they were proven."""
        world, record = self._world, self._record
        if untouched(record.stage):
            world.journal.forget_eviction(record.key)
            return
        self._save(replace(record, trouble=refused.what))
        names = (*record.names, *record.media)
        now = whereabouts(world, record.torrent, names)
        intact = all(here is not None and _same(name, here) for name, here in zip(names, now, strict=True))
        if intact:
            self._record = go_back(world, self._record, mark=refused if isinstance(refused, CheckedBad) else None)
        elif record.stage is not EvictionStage.FREED and not isinstance(refused, CheckedBad):
            put_back(world, record.torrent, names)
            self._record = stay_there(world, self._record, leaving, refused.what)

    def _note_copies(self, error: MoverError) -> None:
        """What was found about a copy before anything was changed: bad ones are marked, gone and outdated ones made again."""
        world = self._world
        for row in self._record.members:
            copy = world.journal.copy(row.key)
            if isinstance(error, BadCopy) and error.key == row.key and copy is not None:
                world.journal.save_copy(replace(copy, bad=error.what, changed_at=world.clock.now()))
            elif isinstance(error, SsdChanged) or (isinstance(error, CopyVanished) and error.key == row.key):
                make_again(world, row.key)

    def _enter(self, stage: EvictionStage) -> None:
        self._save(replace(self._record, stage=stage))

    def _enter_unless_freed(self, stage: EvictionStage) -> None:
        """Once names were freed, the journal never says less."""
        if self._record.stage is not EvictionStage.FREED:
            self._enter(stage)

    def _save(self, record: EvictionRecord) -> None:
        self._record = replace(record, changed_at=self._world.clock.now())
        self._world.journal.save_eviction(self._record)


@dataclass(frozen=True, slots=True)
class _Left:
    """A torrent whose client was given the copy's place at `left_at` (monotonic), and the place that it has saved."""

    torrent: LeavingTorrent
    left_at: float
    persisted: LocalPath | None


def chosen(world: TierWorld, group: TorrentGroup, why: str) -> EvictionRecord:
    """The record of an eviction of this group. Raises TorrentGone, EvictionRefused for a torrent without a copy."""
    members = []
    for member in group.members:
        end = world.client(member.client)
        torrent = end.client.get(member.id)
        copy = world.journal.copy(member.key)
        if torrent is None:
            raise TorrentGone(
                f"{end.client.name} no longer lists {member.name}.",
                kept="Nothing was changed.",
                remedy="Look at the client.",
            )
        if copy is None or copy.proof is None or copy.evicted_at or not on_ssd(world, end, torrent.save_path):
            raise EvictionRefused(
                f"{member.name} is not on the SSD, or has no proven copy.",
                kept="Nothing was changed.",
                remedy=f"torrent-mover tier {member.id}",
            )
        union = world.settings.union is not None
        to_path = torrent.save_path if union else end.paths.to_client(copy.proof.save_path)
        members.append(EvictionMember(member.client, member.id, member.name, torrent.save_path, to_path, ran=False))
    by_real = {name.real: name for member in group.members for name in member.names}
    media = tuple(_media_name(world, path) for path in group.media)
    return EvictionRecord(
        *group.members[0].key,
        tuple(members),
        EvictionStage.CHOSEN,
        world.clock.now(),
        why,
        names=tuple(replace(by_real[real], path=real) for real in sorted(by_real)),
        media=tuple(name for name in media if name is not None),
        links=group.links,
    )


def _media_name(world: TierWorld, path: LocalPath) -> NameFound | None:
    for disk in world.ssds:
        if path.is_within(disk.root):
            return disk.find([path.relative_to(disk.root)])[0]
    return None


def _state(reading: Reading) -> TorrentState | None:
    return reading.torrent.state if reading.torrent else None


def _read(world: TierWorld, one: LeavingTorrent) -> Reading:
    torrent = one.end.client.get(one.row.torrent)
    return Reading(world.clock.monotonic(), torrent)


def _same(one: NameFound, other: NameFound) -> bool:
    return (one.size, one.mtime_ns, one.identity) == (other.size, other.mtime_ns, other.identity)


def _not_copied(names: Sequence[NameFound], leaving: Sequence[LeavingTorrent]) -> NameFound | None:
    """A name on the SSD whose file is not one of those that were copied."""
    copied = {(s.size, s.mtime_ns, s.inode) for one in leaving for s in one.proof.originals}
    return next((name for name in names if (name.size, name.mtime_ns, name.identity[1]) not in copied), None)
