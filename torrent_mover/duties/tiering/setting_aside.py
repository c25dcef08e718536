"""Sets copies aside whose torrents have left their client: renames them into quarantine, and back. Deletes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.text import clause, counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.errors import CopyVanished, ReportOnly, TierRefused
from torrent_mover.duties.tiering.following import fold
from torrent_mover.duties.tiering.layout import quarantine_for
from torrent_mover.duties.tiering.left_behind import LeftBehind, LeftCopy, absence, left_behind, note_missing, trusted
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.missing import GONE_AFTER
from torrent_mover.duties.tiering.needs import TierDisk, TierWorld
from torrent_mover.duties.tiering.picture import Identity, NameFound, TorrentKey
from torrent_mover.duties.tiering.records import AsideRecord, CopyRecord, TierEnd, TierHistoryEntry
from torrent_mover.duties.tiering.root_marks import look_at, require
from torrent_mover.duties.tiering.roots import RootState
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.stages import AsideStage
from torrent_mover.ports.filesystem import FileKind

_OLDEST: Final = 60.0
"""Seconds for which a look at who uses which file counts; then it is made anew."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A copy that was left behind, and why it stays where it is; no reasons: it may be set aside."""

    copy: LeftCopy
    reasons: tuple[str, ...]


@dataclass(slots=True)
class AsideReport:
    """What became of each copy. `over`: how many more may be set aside than are at once. `unknown`: see LeftBehind."""

    moved: list[AsideRecord] = field(default_factory=list)
    stays: list[Weighed] = field(default_factory=list)
    failed: list[tuple[LeftCopy, MoverError]] = field(default_factory=list)
    over: int = 0
    unknown: tuple[str, ...] = ()


def weigh(world: TierWorld, pictures: PictureReader, only: InfoHash | None) -> tuple[LeftBehind, tuple[Weighed, ...]]:
    """What was left behind, and of each copy (or of `only` this torrent's) what speaks against setting it aside.

    Changes nothing. Raises where a client is silent: it may use any of these files.
    """
    pictures.listing(world.settings.client)
    found = left_behind(world, pictures)
    wanted = [copy for copy in found.copies if only in (None, copy.record.torrent)]
    used = _users(world, pictures, wanted)
    leaving = {member.key for record in world.journal.evictions() for member in record.members}
    return found, tuple(Weighed(copy, tuple(_against(world, copy, used, leaving))) for copy in wanted)


def _against(
    world: TierWorld, copy: LeftCopy, used: dict[TorrentKey, tuple[str, ...]], leaving: Collection[TorrentKey]
) -> Iterable[str]:
    key = copy.record.key
    if copy.changed:
        yield f"{copy.changed[0]} is not as it was proven"
    users = used.get(key, ())
    if users:
        more = f" and {len(users) - 1} more use" if len(users) > 1 else " uses"
        yield f"{users[0]}{more} its files"
    if key in leaving:
        yield "its eviction has not ended"
    if world.leases.held(key):
        yield "somebody works on it now"


def _users(world: TierWorld, pictures: PictureReader, copies: Sequence[LeftCopy]) -> dict[TorrentKey, tuple[str, ...]]:
    """Who uses files of these copies: torrents of any client, and copies of torrents that have not left theirs."""
    if not copies:
        return {}
    owners: dict[LocalPath | Identity, set[TorrentKey]] = {}
    for copy in copies:
        for name in copy.names:
            for mark in (name.path, name.real, name.identity):
                owners.setdefault(mark, set()).add(copy.record.key)
    found: dict[TorrentKey, dict[str, None]] = {}

    def note(marks: Iterable[LocalPath | Identity], user: str) -> None:
        for mark in marks:
            for key in owners.get(mark, ()):
                found.setdefault(key, {})[user] = None

    disk = world.targets[0]
    for user, paths in pictures.files_anywhere():
        note(disk.lead_to(paths).values(), user)
    for record in _copies_in_use(world, pictures):
        proof = record.lies
        if proof is not None:
            note((proof.root / path for path in proof.paths), record.name)
            note(_identities(copies, proof.root, {stamp.inode for stamp in proof.copies}), record.name)
    return {key: tuple(users) for key, users in found.items()}


def _identities(copies: Sequence[LeftCopy], root: LocalPath, inodes: Collection[int]) -> Iterable[Identity]:
    """Files of these copies on that target that have one of these numbers: the other copy has hard links of them."""
    for copy in copies:
        if copy.proof.root == root:
            yield from (name.identity for name in copy.names if name.identity[1] in inodes)


def _copies_in_use(world: TierWorld, pictures: PictureReader) -> tuple[CopyRecord, ...]:
    """The copies of all tiers whose torrents their clients may have still."""
    records = [record for record in (*world.journal.copies(), *world.other_copies()) if record.lies is not None]
    gone = absence(pictures, {record.key for record in records}).gone
    return tuple(record for record in records if record.key not in gone)


def set_aside(
    world: TierWorld, alone: Callable[[], AbstractContextManager[object]], only: InfoHash | None = None
) -> AsideReport:
    """Set aside all that may be, or `only` one torrent's copy: after two looks a minute apart in which no client lists it.

    `alone` holds the tier's lock. Raises ReportOnly, AlreadyRunning, and where a client is silent.
    """
    if world.settings.mode is not TierMode.ACT:
        raise ReportOnly(
            "The tier only reports: no copy is set aside.",
            kept="Nothing was changed.",
            remedy="Set mode = act in its section.",
        )
    first = _not_listed(world, only)
    if first:
        world.say(None, f"Looking at the clients again in {GONE_AFTER:.0f} seconds")
        world.clock.wait(GONE_AFTER)
    keys = first & _not_listed(world, only) if first else first
    with alone():
        settle(world)
        return _moved(world, keys, only)


def _not_listed(world: TierWorld, only: InfoHash | None) -> frozenset[TorrentKey]:
    seen, _ = note_missing(world, PictureReader(world))
    return frozenset(key for key in trusted(world, seen) if only in (None, key[1]))


def _moved(world: TierWorld, keys: Collection[TorrentKey], only: InfoHash | None) -> AsideReport:
    looked_at = world.clock.monotonic()
    found, weighed = weigh(world, PictureReader(world), only)
    report = AsideReport(unknown=found.unknown)
    used: dict[TorrentKey, tuple[str, ...]] = {}
    blind: MoverError | None = None
    for place, each in enumerate(weighed):
        if not each.reasons and each.copy.record.key not in keys:
            each = replace(each, reasons=("its client listed it a minute ago",))  # noqa: PLW2901
        if each.reasons:
            report.stays.append(each)
        elif len(report.moved) + len(report.failed) >= world.settings.max_evictions_per_run:
            report.over += 1
        elif blind is not None:
            report.failed.append((each.copy, blind))
        else:
            now = world.clock.monotonic()
            if now - looked_at > _OLDEST:
                try:
                    used = _users(world, PictureReader(world), [later.copy for later in weighed[place:]])
                    looked_at = now
                except Cancelled:
                    raise
                except MoverError as error:  # it is not asked again for each of the others
                    blind = error
                    report.failed.append((each.copy, error))
                    continue
            try:
                if users := used.get(each.copy.record.key):
                    raise _refused(each.copy.record, f"{users[0]} uses its files now")
                report.moved.append(_move(world, each.copy))
            except Cancelled:
                raise
            except MoverError as error:
                report.failed.append((each.copy, error))
    return report


def _move(world: TierWorld, copy: LeftCopy) -> AsideRecord:
    """Rename its files into quarantine. Killed anywhere, `settle` brings them back. Raises TierRefused, RootAway."""
    record, proof = copy.record, copy.proof
    with world.leases.hold([record.key]):
        disk = world.disk(proof.root)
        require(world, disk)
        _look_once_more(world, disk, copy)
        folder = _free_folder(disk, record.torrent)
        aside = AsideRecord(record, disk.root, folder, AsideStage.GOING, world.clock.now(), copy.size)
        world.journal.save_aside(aside)
        try:
            there = [name for name in aside.names if _is_file(disk, name[0])]
            for own, place, _ in there:
                disk.files.make_folders(place.parent)
                disk.files.rename(own, place)
            disk.files.sync([place for _, place, _ in there])
        except MoverError:
            with suppress(MoverError):  # what cannot be brought back now, `settle` brings back
                _bring_back(world, aside)
            raise
        fold(disk, proof)
        aside = replace(aside, stage=AsideStage.ASIDE)
        world.journal.save_aside(aside)
        # Said first: the line is written down with what ends it.
        _ended(world, aside, TierEnd.SET_ASIDE)
        world.say(record.key, f"The copy of {record.name} is set aside in {aside.place}")
        world.journal.forget_copy(record.key)
    return aside


def _look_once_more(world: TierWorld, disk: TierDisk, copy: LeftCopy) -> None:
    record = copy.record
    if world.client(record.client).client.get(record.torrent) is not None:
        raise _refused(record, "its client lists it again")
    if world.journal.copy(record.key) != record:
        raise _refused(record, "somebody has worked on it meanwhile")
    before = {name.path: _seen(name) for name in copy.names}
    now = {name.path: _seen(name) for name in disk.find(copy.proof.paths) if name is not None}
    if before != now:
        raise _refused(record, "its files have changed meanwhile")


def _seen(name: NameFound) -> tuple[int, int, Identity]:
    return name.size, name.mtime_ns, name.identity


def _is_file(disk: TierDisk, path: RelativePath) -> bool:
    found = disk.files.stat(path)
    return found is not None and found.kind is FileKind.FILE


def _free_folder(disk: TierDisk, torrent: InfoHash) -> RelativePath:
    number = 1
    while disk.files.stat(quarantine_for(torrent, number)) is not None:
        number += 1
    return quarantine_for(torrent, number)


def put_back(world: TierWorld, torrent: InfoHash) -> AsideRecord:
    """Bring the copy back that was set aside last. Raises TierRefused, CopyVanished, RootAway; nothing was changed then."""
    records = [each for each in world.journal.set_aside() if each.key[1] == torrent]
    if not records:
        raise TierRefused(
            f"No copy of {torrent} is set aside.",
            kept="Nothing was changed.",
            remedy="torrent-mover tier --left lists those that are.",
        )
    aside = max(records, key=lambda each: each.at)
    with world.leases.hold([aside.key]):
        disk = world.disk(aside.root)
        require(world, disk)
        _place_is_free(world, disk, aside)
        if emptied(world, aside):
            raise CopyVanished(
                f"Nothing of {aside.copy.name} is left in {aside.place}: somebody has emptied it.",
                kept="Nothing was changed.",
                key=aside.key,
            )
        if not _bring_back(world, aside):
            raise TierRefused(
                f"The copy of {aside.copy.name} is back in part: other files took its place meanwhile.",
                kept=f"Nothing was overwritten. The rest is in {aside.place}.",
                remedy=f"Move these files away, then: torrent-mover tier --put-back {torrent}",
            )
    _ended(world, aside, TierEnd.PUT_BACK)
    world.say(aside.key, f"The copy of {aside.copy.name} is back in {aside.copy.lies and aside.copy.lies.save_path}")
    return aside


def _place_is_free(world: TierWorld, disk: TierDisk, aside: AsideRecord) -> None:
    newer = world.journal.copy(aside.key)
    if newer is not None and newer != aside.copy and newer.lies is not None:
        raise _refused(aside.copy, f"there is a newer copy of it in {newer.lies.save_path}")
    for own, place, _ in aside.names:
        if disk.files.stat(own) is not None and disk.files.stat(place) is not None:
            raise _refused(aside.copy, f"something else lies at {disk.root / own}")


def _bring_back(world: TierWorld, aside: AsideRecord) -> bool:
    """Rename what lies in quarantine to where it was. False where something has taken a place: that stays set aside.

    Under its lease. Raises what the disk raises; the journal says then that it is on its way.
    """
    disk = world.disk(aside.root)
    require(world, disk)
    world.journal.save_aside(replace(aside, stage=AsideStage.RETURNING))
    back, taken = [], 0
    for own, place, _ in aside.names:
        if disk.files.stat(place) is None:
            continue
        if disk.files.stat(own) is not None:
            taken += 1
            continue
        disk.files.make_folders(own.parent)
        disk.files.rename(place, own)
        back.append(own)
    disk.files.sync(back)
    _fold_quarantine(disk, aside)
    if taken:
        world.journal.save_aside(replace(aside, stage=AsideStage.ASIDE))
        return False
    if world.journal.copy(aside.key) is None:
        world.journal.save_copy(replace(aside.copy, changed_at=world.clock.now()))
    world.journal.forget_aside(aside.place)
    return True


def _fold_quarantine(disk: TierDisk, aside: AsideRecord) -> None:
    """Remove the folders of one that is back: those that are empty."""
    folders = {aside.folder}
    for _, place, _ in aside.names:
        above = place.parent
        while len(above.parts) > len(aside.folder.parts):
            folders.add(above)
            above = above.parent
    for folder in sorted(folders, key=lambda each: -len(each.parts)):
        disk.files.remove_folder(folder)


def settle(world: TierWorld) -> None:
    """After a kill: what was on its way is brought back, and what had arrived has no copy any more. Looks at the disk first."""
    for aside in world.journal.set_aside():
        with suppress(MoverError), world.leases.hold([aside.key]):  # somebody works on it, or its disk is away: later
            if aside.stage is not AsideStage.ASIDE:
                whole = _bring_back(world, aside)
                left = "" if whole else f"; what has lost its place to another file is in {aside.place}"
                world.say(
                    aside.key, f"The copy of {aside.copy.name} was on its way to or from quarantine: it is back{left}"
                )
            elif world.journal.copy(aside.key) == aside.copy and not _at_its_place(world, aside):
                world.journal.forget_copy(aside.key)


def _at_its_place(world: TierWorld, aside: AsideRecord) -> bool:
    disk = world.disk(aside.root)
    require(world, disk)
    return any(disk.files.stat(own) is not None for own, _, _ in aside.names)


def forget_emptied(world: TierWorld) -> None:
    """Forget what persons have deleted in quarantine. What somebody brings back right now is not there either: that is left."""
    for aside in world.journal.set_aside():
        with suppress(MoverError), world.leases.hold([aside.key]):
            if aside in world.journal.set_aside():
                emptied(world, aside)


def emptied(world: TierWorld, aside: AsideRecord) -> bool:
    """Whether a person has deleted what was set aside; it is forgotten then. Under its lease."""
    disk = next((each for each in world.targets if each.root == aside.root), None)
    if aside.stage is not AsideStage.ASIDE or disk is None:
        return False
    if look_at(world, disk).state is not RootState.KNOWN:
        return False
    if any(disk.files.stat(place) is not None for _, place, _ in aside.names):
        return False
    world.journal.forget_aside(aside.place)
    return True


def _ended(world: TierWorld, aside: AsideRecord, end: TierEnd) -> None:
    entry = TierHistoryEntry(world.clock.now(), *aside.key, aside.copy.name, end, aside.size, 0.0, str(aside.place))
    world.journal.add_history(entry)


def _refused(record: CopyRecord, why: str) -> TierRefused:
    return TierRefused(
        f"The copy of {record.name} stays where it is: {clause(why)}.",
        kept="Nothing was changed.",
        remedy="torrent-mover tier --left lists what was left behind.",
    )


def over_text(count: int) -> str:
    """What is said of those that go another time."""
    return f"{counted(count, 'more copy', 'more copies')} another time: max_evictions_per_run"
