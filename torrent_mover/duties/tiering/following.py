"""Follows a rename in the client: a copy gets the new names as hard links, and only then loses the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.text import counted
from torrent_mover.duties.tiering.candidate import CopyCandidate
from torrent_mover.duties.tiering.needs import TierDisk, TierWorld
from torrent_mover.duties.tiering.picture import CopyProof, found_below, same_files
from torrent_mover.duties.tiering.records import CopyRecord
from torrent_mover.duties.tiering.root_marks import look_at
from torrent_mover.duties.tiering.roots import RootState
from torrent_mover.ports.filesystem import FileKind


def link_new_names(
    target: TierDisk, former: CopyProof, seen: CopyCandidate, places: Sequence[RelativePath]
) -> RelativePath | None:
    """Give the copy that `former` proves the names that its torrent has now; the save path below the target where they are.

    None, with nothing changed: it is not the same data under other names, a name is taken, or links cannot be made there.
    The SSD's files must be those that were copied then, and the copy's files as they were proven.
    """
    if former.root != target.root or not _same_data(former, seen) or not _unchanged(target, former):
        return None
    place = former.folder if former.folder in places else places[0]
    new = tuple(place / path for path in seen.paths)
    old = target.find(former.paths)
    made: list[RelativePath] = []
    for name, path, there in zip(old, new, target.find(new), strict=True):
        if name is None or (there is not None and there.identity != name.identity):
            break
        if there is None:
            if target.files.stat(path) is not None:
                break
            target.files.make_folders(path.parent)
            if not target.files.link(name.path.relative_to(target.root), path):
                break
            made.append(path)
    else:
        target.files.sync(new)
        return place
    for path in made:
        target.files.unlink(path)
    return None


def _same_data(former: CopyProof, seen: CopyCandidate) -> bool:
    """Whether the SSD has the files that were copied, in the same order; names do not count."""
    now = [(stamp.size, stamp.mtime_ns, stamp.inode) for stamp in seen.stamps]
    return now == [(stamp.size, stamp.mtime_ns, stamp.inode) for stamp in former.originals]


def _unchanged(target: TierDisk, proof: CopyProof) -> bool:
    names = [stamp.path for stamp in proof.copies]
    return not same_files(proof.copies, dict(zip(names, target.find(proof.paths), strict=True)))


def take_away_old_names(world: TierWorld, record: CopyRecord) -> CopyRecord:
    """Remove the names that a copy had before its torrent was renamed. Returns the record as it is then.

    A name goes only where the file is the one that was proven there, the copy has it under its new name too, and no torrent
    uses it. What is left is told. Raises where a client is silent; the record keeps the old names then, for a later round.
    """
    former, proof = record.former, record.proof
    if former is None or proof is None or not record.counts:
        return record
    disk = world.disk(former.root)
    if look_at(world, disk).state is not RootState.KNOWN:
        return record
    kept = _in_use(world, record, former)
    if proof.root == former.root:
        kept |= set(proof.paths)
    ours = {stamp.inode for stamp in proof.copies} if proof.root == former.root else set()
    left = 0
    for stamp, path in zip(former.copies, former.paths, strict=True):
        (there,) = disk.find([path])
        if path in kept or there is None:
            continue
        plain = disk.files.stat(path)
        is_file = plain is not None and plain.kind is FileKind.FILE
        if is_file and there.stamp(stamp.path) == stamp and stamp.inode in ours and there.links > 1:
            disk.files.unlink(path)
        else:
            left += 1
    fold(disk, former)
    if left:
        world.say(
            record.key,
            f"{record.name}: of its copy, {counted(left, 'file')} stayed under old names in {former.save_path}",
        )
    done = replace(record, former=None, changed_at=world.clock.now())
    world.journal.save_copy(done)
    return done


def _in_use(world: TierWorld, record: CopyRecord, former: CopyProof) -> set[RelativePath]:
    """Paths below the target that another copy has, or any torrent of any client."""
    used: set[RelativePath] = set()
    for other in world.journal.copies():
        if other.key != record.key and other.proof is not None and other.proof.root == former.root:
            used |= set(other.proof.paths)
    for end in world.clients.values():
        for torrent in end.client.torrents():
            folder = end.paths.to_host(torrent.save_path)
            if folder.is_within(former.root):
                below = folder.relative_to(former.root)
                used |= {below / RelativePath.parse(file.path) for file in end.client.files(torrent.id)}
    return used


def fold(disk: TierDisk, proof: CopyProof) -> None:
    """Remove the folders of a copy that are empty: those strictly below its save path."""
    folders: set[RelativePath] = set()
    for path in proof.paths:
        above = path.parent
        while len(above.parts) > len(proof.folder.parts):
            folders.add(above)
            above = above.parent
    for folder in sorted(folders, key=lambda each: -len(each.parts)):
        disk.files.remove_folder(folder)


def follow_client(world: TierWorld, record: CopyRecord) -> bool:
    """Whether an evicted torrent's client has renamed or moved the very files of the copy on the same target.

    The proof names them as they are called now, then. Raises where the client is silent.
    """
    proof = record.proof
    end = world.client(record.client)
    torrent = end.client.get(record.torrent)
    if proof is None or torrent is None:
        return False
    below = found_below(end.paths.to_host(torrent.save_path), [disk.root for disk in world.targets])
    if world.settings.union is not None or below is None or below[0] != proof.root:
        return False
    root, folder = below
    try:
        paths = [RelativePath.parse(file.path) for file in end.client.files(record.torrent)]
    except MoverError:
        return False
    found = world.disk(root).find([folder / path for path in paths])
    stamps = tuple(name.stamp(str(path)) for path, name in zip(paths, found, strict=True) if name is not None)
    if [(s.size, s.mtime_ns, s.inode) for s in stamps] != [(s.size, s.mtime_ns, s.inode) for s in proof.copies]:
        return False
    moved = replace(proof, folder=folder, copies=stamps)
    name = torrent.name
    world.say(record.key, f"{name} was renamed by its client; its copy is known under the new names")
    world.journal.save_copy(replace(record, name=name, folder=folder, proof=moved, changed_at=world.clock.now()))
    return True
