"""After a repair: do the links lead somewhere again? Where the folder has a new name, it is turned to that, by rule."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from torrent_mover.domain.debrid.errors import MountDown
from torrent_mover.domain.debrid.links import LibraryLink, TargetState
from torrent_mover.domain.paths import LocalPath
from torrent_mover.duties.debrid.layouts import folders_of, nfc
from torrent_mover.duties.debrid.link_walk import LinkWalk
from torrent_mover.duties.debrid.mapping import Catalogue, owner_of
from torrent_mover.duties.debrid.needs import DebridWorld
from torrent_mover.duties.debrid.records import QuarantinedLink, RepairRecord

_PARTS: int = 3


class LinkSettling:
    """Looks at the links of one repair."""

    def __init__(self, world: DebridWorld) -> None:
        self._world = world

    def settle(self, record: RepairRecord) -> tuple[str, ...]:
        """The links that do not lead anywhere yet."""
        return tuple(path for path in record.links if not self._leads(LocalPath(path), record))

    def mounts_trouble(self, links: Sequence[str]) -> str:
        """What speaks against believing the mounts of these links, in words; blank: nothing. Takes their measure."""
        walk, paths = LinkWalk(self._world), map(LocalPath, links)
        found = [(path, self._world.library.read(path)) for path in paths]
        mounts = {walk.mount_of(LibraryLink(path, target)) for path, target in found if target is not None}
        try:
            for mount in mounts:
                if mount is not None:
                    walk.sound(mount)
        except MountDown as error:
            return error.what
        return ""

    def _leads(self, link: LocalPath, record: RepairRecord) -> bool:
        library = self._world.library
        target = library.read(link)
        state = library.target(link).state
        if target is None or state is TargetState.THERE:
            return True  # a link that is gone is nobody's concern any more
        if state is not TargetState.MISSING:
            return False
        new = self._new_place(LibraryLink(link, target), record)
        if new is None or not self._world.acts:
            return False
        kept = QuarantinedLink(
            f"{record.hash.short}-{crc32(bytes(link)):08x}", str(link), target, "", record.hash.hex,
            "turned to the new folder", self._world.now,
        )  # fmt: skip
        self._world.journal.save_quarantined(kept)
        return library.turn(link, target, new)

    def _new_place(self, link: LibraryLink, record: RepairRecord) -> str | None:
        """The one path for the same file that is the new entry's alone; None where there is none, or more than one."""
        target = link.leads_to
        entry = self._world.journal.entry(record.new_id)
        mount = next((each for each in self._world.settings.mounts if target and target.is_within(each.path)), None)
        if target is None or entry is None or mount is None:
            return None
        parts = target.relative_to(mount.path).parts
        if len(parts) < _PARTS or nfc(parts[-1]) not in entry.named.files:
            return None
        folders = folders_of(entry.named, mount.layout)
        catalogue = Catalogue([each.named for each in self._world.journal.entries().values()])
        paths = [(parts[0], folder, *parts[2:]) for folder in folders]
        own = [path for path in paths if owner_of(path, mount.layout, catalogue).torrent == record.hash]
        places = {str(mount.path / "/".join(path)) for path in own}
        there = [place for place in sorted(places) if self._is_there(place)]
        return there[0] if len(there) == 1 and there[0] != str(target) else None

    def _is_there(self, place: str) -> bool:
        return self._world.library.target(LocalPath(place)).state is TargetState.THERE
