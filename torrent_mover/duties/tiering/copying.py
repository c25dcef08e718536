"""The story of one copy: queued -> seen -> reserved -> copying -> read_back -> placed -> proven -> told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from torrent_mover.domain.errors import MoverError, NotWritable
from torrent_mover.domain.paths import LocalPath, RelativePath
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield
from torrent_mover.duties.tiering.candidate import CopyCandidate, candidate, stamps_of
from torrent_mover.duties.tiering.errors import BadCopy, NotACandidate, SsdChanged
from torrent_mover.duties.tiering.following import link_new_names, take_away_old_names
from torrent_mover.duties.tiering.layout import folder_for, places_for, targets_for, tops
from torrent_mover.duties.tiering.looking import on_ssd, originals_of
from torrent_mover.duties.tiering.needs import CopyOrder, TierDisk, TierWorld
from torrent_mover.duties.tiering.picture import CopyProof, TorrentKey, same_files
from torrent_mover.duties.tiering.placing import place, place_taken, take_back
from torrent_mover.duties.tiering.proving import bad_files, complete_files, complete_ones, good_pieces
from torrent_mover.duties.tiering.records import CopyRecord, TierEnd, TierHistoryEntry
from torrent_mover.duties.tiering.room import PromisedRoom, no_room
from torrent_mover.duties.tiering.root_marks import away, look_at, require_two
from torrent_mover.duties.tiering.roots import RootFinding, RootState
from torrent_mover.duties.tiering.stages import CopyStage
from torrent_mover.duties.tiering.staging import StagedCopy
from torrent_mover.duties.tiering.under_way import FilesUnderWay
from torrent_mover.ports.filesystem import FileStat


class CopyStory:
    """Copies one torrent. Each stage is in the journal before it is taken, and first looks at what is there already.

    Killed anywhere, the next story of the same torrent begins at `seen`: what lies in staging is used again, and what lies
    at its place is proven and adopted.
    """

    def __init__(
        self,
        world: TierWorld,
        room: PromisedRoom,
        under_way: FilesUnderWay,
        key: TorrentKey,
        doing: Callable[[str], None] = lambda _what: None,
    ) -> None:
        """`doing` hears of each percent, for the heartbeat."""
        self._world = world
        self._room = room
        self._under_way = under_way
        self._key = key
        self._doing = doing
        self._percent = -1
        self._proofs: tuple[CopyProof, ...] | None = None

    def run(self) -> CopyRecord:
        """Make the copy, and tell of it. Returns the record as it is then; a copy that counts already is left as it is.

        Raises NotACandidate, NoRoomOnTarget, RootAway, BadCopy, TransferError and what disks and clients raise.
        """
        with self._world.leases.hold([self._key]):
            record = self._world.journal.copy(self._key)
            if record is not None and record.bad:
                raise marked(record)
            if record is None or not record.counts or self._gone(record) or self._is_back(record):
                record = self._copied(record)
            record = take_away_old_names(self._world, record)
            self._world.journal.drop(self._key)
        return tell(self._world, record)

    def _is_back(self, record: CopyRecord) -> bool:
        """Whether a torrent that was evicted is on the SSD again: a person has moved it back, or added it anew."""
        if not record.evicted_at:
            return False
        end = self._world.client(record.client)
        torrent = end.client.get(record.torrent)
        if torrent is None or not on_ssd(self._world, end, torrent.save_path):
            return False
        if self._world.settings.union is None:
            return True
        try:
            return any(originals_of(self._world, end, torrent, end.client.files(record.torrent)).found)
        except NotACandidate:
            return False

    def _gone(self, record: CopyRecord) -> bool:
        """Whether files of a proven copy are no longer on their disk, which is there."""
        proof = record.proof
        if proof is None or look_at(self._world, self._world.disk(proof.root)).state is not RootState.KNOWN:
            return False
        return bool(missing_files(self._world.disk(proof.root), proof))

    def _copied(self, before: CopyRecord | None) -> CopyRecord:
        began = self._world.clock.monotonic()
        seen = candidate(self._world, self._key)
        record = self._save(
            replace(before, name=seen.torrent.name)
            if before is not None
            else CopyRecord(*self._key, seen.torrent.name, CopyStage.SEEN, 0.0)
        )
        with self._under_way.hold({name.identity for name in seen.originals.found if name is not None and name.size}):
            try:
                proven = self._brought(seen, record)
            finally:
                self._room.release(self._key)
        took = self._world.clock.monotonic() - began
        entry = TierHistoryEntry(
            self._world.clock.now(), *self._key, seen.torrent.name, TierEnd.COPIED, seen.manifest.total_size, took
        )
        self._world.journal.add_history(entry)
        # People count copies by this line, as they did with the programs before.
        self._world.say(self._key, f"Finished copying {seen.torrent.name} in {took:.2f} seconds")
        return proven

    def _brought(self, seen: CopyCandidate, record: CopyRecord) -> CopyRecord:
        target = self._reserved(seen, record)
        require_two(self._world, seen.originals.disk, target)
        folder = self._folder(seen, target)
        staged = StagedCopy(target, self._key[1], seen.paths)
        if record.former is not None:
            link_new_names(target, record.former, seen, self._places(seen, folder))
        adopted = self._adopted(seen, target, folder)
        if adopted is not None:
            staged.clear()
            record = self._save(replace(record, stage=CopyStage.PLACED, root=target.root, folder=adopted))
            return self._proven(seen, record, target, adopted, read_back=True)
        if record.stage is CopyStage.PLACED and record.root == target.root and record.folder is not None:
            take_back(target, staged, record.folder, seen.paths)
        record = self._save(replace(record, stage=CopyStage.RESERVED, root=target.root, folder=folder))
        record = self._save(replace(record, stage=CopyStage.COPYING))
        on_the_way = self._filled(seen, target, staged)
        record = self._save(replace(record, stage=CopyStage.READ_BACK))
        there = self._read_back(seen, target, staged, on_the_way)
        record, placed = self._placed(seen, record, target, staged, there)
        return self._proven(seen, record, target, placed, read_back=self._world.settings.verify)

    def _reserved(self, seen: CopyCandidate, record: CopyRecord) -> TierDisk:
        """The target that takes it: the one that holds what an earlier try left, else the one with the most room."""
        world = self._world
        found = {disk.root: look_at(world, disk) for disk in world.targets}
        known = [disk for disk in world.targets if found[disk.root].state is RootState.KNOWN]
        free = {disk.root: self._room.free_on(disk, self._key) for disk in known}
        ordered = [world.disk(target.path) for target in targets_for(world.settings, seen.torrent.category, free)]
        ordered.sort(key=lambda disk: disk.root != record.root)
        for disk in ordered:
            staged = StagedCopy(disk, self._key[1], seen.paths)
            linked = self._linkable(seen, disk)
            needed = sum(
                max(file.size - there, 0)
                for file, there in zip(seen.manifest.files, staged.sizes(), strict=True)
                if file.index not in linked
            )
            if self._room.promise(self._key, disk, needed):
                return disk
        if not ordered:
            raise self._none_is_there(seen, found)
        raise no_room(seen.torrent.name, seen.manifest.total_size, tuple(ordered))

    def _none_is_there(self, seen: CopyCandidate, found: Mapping[LocalPath, RootFinding]) -> MoverError:
        """What is said where no target takes its label, or none of those that do is there."""
        label = seen.torrent.category
        targets = targets_for(self._world.settings, label, dict.fromkeys(found, 0))
        if targets:
            return away(found[targets[0].path], "The SSD keeps the torrent, which keeps its place in the queue.")
        return NotACandidate(
            f"No target takes {seen.torrent.name}: its label is {label or 'none'}.",
            kept="The SSD keeps the torrent.",
            remedy=f"Add {label or '*'}:/path to targets of [TIER {self._world.name}], or leave its label out by labels or"
            " ignore_labels.",
        )

    def _folder(self, seen: CopyCandidate, target: TierDisk) -> RelativePath:
        label = seen.torrent.category
        entry = next(each for each in targets_for(self._world.settings, label, {target.root: 0}))
        return folder_for(self._world.settings, entry, label, seen.below_ssd)

    def _places(self, seen: CopyCandidate, folder: RelativePath) -> tuple[RelativePath, ...]:
        """In a union only the mirrored place will do: the client's path stays what it is."""
        places = places_for(folder, self._key[1], seen.paths)
        return places[:1] if self._world.settings.union is not None else places

    def _adopted(self, seen: CopyCandidate, target: TierDisk, folder: RelativePath) -> RelativePath | None:
        """The save path on the target where all of the torrent lies already, every piece of it good; None: nowhere."""
        for place_there in self._places(seen, folder):
            if None in target.files.stats([place_there / top for top in tops(seen.paths)]):
                continue
            paths = tuple(place_there / path for path in seen.paths)
            if len(complete_files(seen.manifest, target, paths)) < len(paths):
                continue
            ours = {name.identity for name in seen.originals.found if name is not None}
            if any(name is None or name.identity in ours for name in target.find(paths)):
                continue  # the SSD's own files under another name are no copy
            if good_pieces(seen.manifest, target, paths, self._read).is_full():
                return place_there
        return None

    def _linkable(self, seen: CopyCandidate, target: TierDisk) -> dict[int, RelativePath]:
        """Files that a proven copy on the same target has already, unchanged: index -> where, below the target.

        The two torrents have one file on the SSD (by inode), and it has not changed since the other copy was proven.
        """
        wanted = {(stamp.size, stamp.mtime_ns, stamp.inode): at for at, stamp in enumerate(seen.stamps) if stamp.size}
        linkable: dict[int, RelativePath] = {}
        for proof in self._others():
            if proof.root != target.root:
                continue
            for original, copy, path in zip(proof.originals, proof.copies, proof.paths, strict=True):
                index = wanted.get((original.size, original.mtime_ns, original.inode))
                if index is not None and not same_files([copy], {copy.path: target.find([path])[0]}):
                    linkable.setdefault(index, path)
        return linkable

    def _others(self) -> tuple[CopyProof, ...]:
        """The proofs of all other copies that count, and of its own from before it was renamed, read once.

        What they say is compared with the disk each time.
        """
        if self._proofs is None:
            records = self._world.journal.copies()
            former = [record.former for record in records if record.key == self._key and record.former]
            others = [record.proof for record in records if record.key != self._key and record.counts and record.proof]
            self._proofs = (*others, *former)
        return self._proofs

    def _filled(self, seen: CopyCandidate, target: TierDisk, staged: StagedCopy) -> Bitfield:
        """Link what can be linked, bring the rest; the pieces that were good on the way."""
        target.files.make_folders(staged.folder)
        present = set()
        for index, existing in self._linkable(seen, target).items():
            path = staged.paths[index]
            staged.remove([index])
            target.files.make_folders(path.parent)
            if target.files.link(existing, path):
                present.add(index)
        originals = seen.originals
        order = CopyOrder(
            self._key[1],
            seen.manifest,
            originals.disk,
            originals.paths,
            target,
            staged.paths,
            frozenset(present),
            self._counter(seen),
        )
        require_two(self._world, originals.disk, target)
        return self._world.bytes.bring(order)

    def _counter(self, seen: CopyCandidate) -> Callable[[int], None]:
        """Counts the bytes that come, tells each percent, and ends the copy when the run is stopped."""
        done = 0

        def count(more: int) -> None:
            nonlocal done
            self._world.clock.wait(0.0)
            self._room.written(self._key, more)
            done += more
            self._world.progress(self._key, CopyStage.COPYING.value, done, seen.manifest.total_size)
            percent = min(done * 100 // max(seen.manifest.total_size, 1), 100)
            if percent != self._percent:
                self._percent = percent
                self._doing(f"copying {self._key[1].short.upper()} {seen.torrent.name} {percent} %")

        return count

    def _read_back(
        self, seen: CopyCandidate, target: TierDisk, staged: StagedCopy, on_the_way: Bitfield
    ) -> Sequence[FileStat | None]:
        """Every piece from the target's disk; without `verify` those alone that nobody has hashed on the way.

        Returns how the staged files, all of them good, were found.
        """
        manifest = seen.manifest
        asked = None
        if not self._world.settings.verify:
            asked = Bitfield.full(manifest.piece_count).difference(on_the_way)
        good = good_pieces(manifest, target, staged.paths, self._reader(manifest), asked)
        if asked is not None:
            good = good.union(on_the_way)
        there = target.files.stats(staged.paths)
        complete = complete_ones(manifest, there)
        bad = sorted({*bad_files(manifest, good), *(set(range(len(manifest.files))) - complete)})
        if bad or not good.is_full():
            staged.remove(bad)
            raise BadCopy(
                f"{manifest.piece_count - good.count()} of {manifest.piece_count} pieces of {seen.torrent.name} are bad on"
                f" {target.root}.",
                kept="The SSD keeps the torrent; good files of the copy are kept in staging.",
                remedy="It is copied again by itself. If that repeats, check the memory and the disk.",
            )
        return there

    def _placed(
        self,
        seen: CopyCandidate,
        record: CopyRecord,
        target: TierDisk,
        staged: StagedCopy,
        there: Sequence[FileStat | None],
    ) -> tuple[CopyRecord, RelativePath]:
        self._resemble(seen, target, staged, there)
        folder = self._folder(seen, target)
        for place_there in self._places(seen, folder):
            if any(target.files.stat(place_there / top) is not None for top in tops(seen.paths)):
                continue
            record = self._save(replace(record, stage=CopyStage.PLACED, folder=place_there))
            if place(target, staged, place_there, seen.paths):
                staged.fold()
                return record, place_there
        raise place_taken(seen.torrent.name, target.root / folder)

    def _resemble(
        self, seen: CopyCandidate, target: TierDisk, staged: StagedCopy, found: Sequence[FileStat | None]
    ) -> None:
        """Times and owners as on the SSD: a client that sees another time reads everything again. `found`: the staged files."""
        times: list[tuple[RelativePath, int]] = []
        for path, name, there in zip(staged.paths, seen.originals.found, found, strict=True):
            if name is None or there is None or (there.links or 1) > 1:
                continue  # a file that another copy has too is as that copy was proven
            if name.owner is not None and name.owner != (there.uid, there.gid):
                try:
                    target.files.chown(path, *map(str, name.owner))
                except NotWritable:
                    self._world.say(
                        self._key, f"The owner of {path.name} stays ours: the target does not let us change it"
                    )
            times.append((path, name.mtime_ns))
        target.set_times(times)
        target.files.sync(staged.paths)

    def _proven(
        self, seen: CopyCandidate, record: CopyRecord, target: TierDisk, folder: RelativePath, *, read_back: bool
    ) -> CopyRecord:
        paths = tuple(folder / path for path in seen.paths)
        now = seen.originals.disk.find(seen.originals.paths)
        changed = same_files(seen.stamps, dict(zip(map(str, seen.paths), now, strict=True)))
        if changed:
            raise SsdChanged(
                f"{changed[0]} on the SSD was changed while {seen.torrent.name} was copied.",
                kept="The SSD keeps the torrent. The copy lies on the target, and does not count.",
                remedy="It is copied again by itself.",
            )
        proof = CopyProof(
            self._world.clock.now(),
            target.root,
            look_at(self._world, target).id,
            folder,
            copies=stamps_of(seen.paths, target.find(paths)),
            originals=seen.stamps,
            pieces=seen.manifest.piece_count,
            read_back=read_back,
        )
        return self._save(replace(record, stage=CopyStage.PROVEN, proof=proof, bad="", evicted_at=0.0))

    def _save(self, record: CopyRecord) -> CopyRecord:
        dated = replace(record, changed_at=self._world.clock.now())
        self._world.journal.save_copy(dated)
        return dated

    def _reader(self, manifest: Manifest) -> Callable[[int], None]:
        """Counts the bytes that are read back."""
        done = 0

        def count(more: int) -> None:
            nonlocal done
            self._read(more)
            done += more
            self._world.progress(self._key, CopyStage.READ_BACK.value, done, manifest.total_size)

        return count

    def _read(self, _count: int) -> None:
        """Ends a long reading when the run is stopped."""
        self._world.clock.wait(0.0)


def tell(world: TierWorld, record: CopyRecord) -> CopyRecord:
    """Tell the Arrs of a proven copy, once. One that does not answer is told later: the copy counts all the same."""
    proof = record.proof
    if record.stage is not CopyStage.PROVEN or proof is None or not record.counts:
        return record
    try:
        world.arrs.tell(record.torrent, _label(world, record), path_for_arrs(proof), record.name)
    except MoverError as error:
        world.say(record.key, f"{record.name} is copied; an Arr was not told yet: {error.what}")
        return record
    told = replace(record, stage=CopyStage.TOLD, changed_at=world.clock.now())
    world.journal.save_copy(told)
    return told


def marked(record: CopyRecord) -> NotACandidate:
    """What is said of a torrent whose copy is marked: a person decides about a fresh one."""
    return NotACandidate(
        f"The copy of {record.name} does not count: {record.bad}.",
        kept="The SSD keeps the torrent, and the old copy is kept too.",
        remedy=f"torrent-mover tier --recopy {record.torrent}",
    )


def missing_files(disk: TierDisk, proof: CopyProof) -> tuple[str, ...]:
    """Files of a proven copy that are not on its disk."""
    found = disk.find(proof.paths)
    return tuple(stamp.path for stamp, name in zip(proof.copies, found, strict=True) if name is None)


def path_for_arrs(proof: CopyProof) -> LocalPath:
    """The file itself for a torrent of a single file, else the folder that holds all of it."""
    there = tops([RelativePath.parse(top) for top in {stamp.path.partition("/")[0] for stamp in proof.copies}])
    return proof.save_path / there[0] if len(there) == 1 else proof.save_path


def _label(world: TierWorld, record: CopyRecord) -> str:
    torrent = world.client(record.client).client.get(record.torrent)
    return torrent.category if torrent else ""
