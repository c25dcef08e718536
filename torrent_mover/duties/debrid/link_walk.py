"""Looks at the links of a library: which of them lead nowhere, and whose they are. A doubt about a mount voids all of it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.debrid.errors import AmbiguousLink, MountDown, TooManyBroken
from torrent_mover.domain.debrid.links import LibraryLink, TargetState
from torrent_mover.domain.errors import Cancelled, MoverError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import clause, clauses, counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.kinds import AccountMount
from torrent_mover.duties.debrid.layouts import BASE_GROUPS
from torrent_mover.duties.debrid.mapping import Catalogue, MappingKind, owner_of
from torrent_mover.duties.debrid.mount_guard import (
    SENTINEL,
    SoundMeasure,
    mount_doubts,
    sample_of,
    too_many_broken,
)
from torrent_mover.duties.debrid.needs import DebridWorld, said
from torrent_mover.duties.debrid.records import BrokenLink, KnownEntry, LinkState, MountMeasure, ScanMode, Wave
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault, seen_again

_AMBIGUOUS: Final = "ambiguous links"
"""What has been told, see DebridWorld.tell_once."""

BROKEN: str = "broken"
"""What a wave of broken links is called."""


@dataclass(frozen=True, slots=True)
class LinksSeen:
    """What a look at all links has found. `suspects`: torrents that look well in the account, and have a broken link."""

    in_scope: int
    broken: int
    unmapped: int
    suspects: frozenset[InfoHash] = frozenset()


class LinkWalk:
    """The symlinks scan of one account."""

    def __init__(self, world: DebridWorld) -> None:
        self._world = world
        self._journal = world.journal

    def scan(self, only: LocalPath | None = None) -> LinksSeen:
        """Walk all media folders, or `only` that one. Raises MountDown, TooManyBroken, AccountExpired: then no link is judged."""
        world = self._world
        began, took = world.now, world.clock.monotonic()
        world.good_standing()
        measures = [self.sound(mount) for mount in world.settings.mounts]
        in_scope, missing = self._walk(only)
        first = any(measure is None for measure in measures)
        for mount in world.settings.mounts:
            self.sound(mount)
        world.good_standing()
        links = self._mapped(missing)
        self._journal.save_broken(links if only is None else self._merged(links, only))
        broken = [link for link in links if link.state is LinkState.BROKEN]
        self._refuse_a_wave(len(missing), in_scope)
        suspects = frozenset() if first else self._noted(broken)
        if only is None:
            record = self._journal.scan(ScanMode.SYMLINKS)
            seconds = world.clock.monotonic() - took
            self._journal.save_scan(replace(record, began_at=began, done_at=world.now, total=in_scope, took=seconds))
            world.metric("scan", "duration", seconds, mode=ScanMode.SYMLINKS.value, torrents=str(in_scope))
        self._tell_of_ambiguous([link for link in self._journal.broken_links() if link.state is LinkState.AMBIGUOUS])
        if first:
            world.say(None, "This was the first look at the links: it only reports.")
        unmapped = len(links) - len(broken)
        return LinksSeen(in_scope, len(missing), unmapped, suspects)

    def sound(self, mount: AccountMount) -> MountMeasure | None:
        """Check a mount, and take its measure; returns the measure before. Raises MountDown for one doubt."""
        before = self._journal.measure(str(mount.path))
        look = self._world.library.mount(
            mount.path,
            BASE_GROUPS,
            SENTINEL if mount.layout.has_sentinel else "",
            before.sample if before else (),
        )
        doubts = mount_doubts(look, SoundMeasure(before.entries if before else 0))
        if doubts:
            raise MountDown(
                f"The mount {mount.path} is not believed: {clause(clauses(*doubts))}.",
                kept="No link was judged or touched.",
                remedy=f"Look at it: ls {mount.path}. After a change on purpose: torrent-mover debrid rescan",
            )
        now = MountMeasure(str(mount.path), look.entries or 0, sample_of(look.names), self._world.now)
        self._journal.save_measure(now)
        return before

    def mount_of(self, link: LibraryLink) -> AccountMount | None:
        """The mount that a link leads into; None: it is none of ours."""
        target = link.leads_to
        if target is None:
            return None
        return next((mount for mount in self._world.settings.mounts if target.is_within(mount.path)), None)

    def _walk(self, only: LocalPath | None) -> tuple[int, list[tuple[LibraryLink, AccountMount]]]:
        in_scope, missing = 0, []
        for root in (only,) if only is not None else self._world.settings.media_roots:
            for link in self._world.library.walk(root, self._world.stopped):
                mount = self.mount_of(link)
                if self._world.stopped():
                    break
                if mount is None:
                    continue
                in_scope += 1
                look = self._world.library.target(link.path)
                if look.state is TargetState.TROUBLE:
                    raise MountDown(
                        f"The mount {mount.path} is not believed: {look.trouble} ({link.path}).",
                        kept="No link was judged or touched.",
                        remedy=f"Look at it: ls {mount.path}",
                    )
                if look.state is TargetState.MISSING:
                    missing.append((link, mount))
        if self._world.stopped():
            raise Cancelled("The look at the links was stopped.", kept="No link was judged.")
        return in_scope, missing

    def _mapped(self, missing: Sequence[tuple[LibraryLink, AccountMount]]) -> list[BrokenLink]:
        catalogue = Catalogue([entry.named for entry in self._journal.entries().values()])
        by_arrs = self._by_arrs([link.path for link, _ in missing])
        return [self._owned(link, mount, catalogue, by_arrs.get(link.path, frozenset())) for link, mount in missing]

    def _owned(
        self, link: LibraryLink, mount: AccountMount, catalogue: Catalogue, by_arrs: frozenset[InfoHash]
    ) -> BrokenLink:
        target = link.leads_to
        parts = target.relative_to(mount.path).parts if target is not None else ()
        owner = owner_of(parts, mount.layout, catalogue, by_arrs)
        state, torrent = LinkState.ORPHAN, ""
        if owner.torrent is not None:
            state, torrent = LinkState.BROKEN, owner.torrent.hex
        elif owner.kind is MappingKind.AMBIGUOUS:
            state = LinkState.AMBIGUOUS
        return BrokenLink(str(link.path), link.target, str(mount.path), state, torrent, self._world.now)

    def _by_arrs(self, links: Sequence[LocalPath]) -> Mapping[LocalPath, frozenset[InfoHash]]:
        """The torrents from which Arrs imported the files at these links, by their history."""
        found: dict[LocalPath, frozenset[InfoHash]] = {}
        for arr in self._world.arrs.values():
            try:
                files = arr.files_at(links)
            except MoverError as error:
                self._world.say(None, f"{arr.manager.name} was not asked about links: {said(error)}", Level.WARN)
                continue
            for link, file in files.items():
                found[link] = found.get(link, frozenset()) | file.torrents
        return found

    def links_of(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, tuple[str, ...]]:
        """All links, broken or not, that lead to these torrents by the layout's rule. Raises MountDown, NotWritable."""
        for mount in self._world.settings.mounts:
            self.sound(mount)
        catalogue = Catalogue([entry.named for entry in self._journal.entries().values()])
        found: dict[InfoHash, tuple[str, ...]] = {}
        for root in self._world.settings.media_roots:
            for link in self._world.library.walk(root, self._world.stopped):
                inside = self.mount_of(link)
                if inside is None:
                    continue
                owner = self._owned(link, inside, catalogue, frozenset())
                if owner.hash and InfoHash(owner.hash) in torrents:
                    torrent = InfoHash(owner.hash)
                    found[torrent] = (*found.get(torrent, ()), owner.path)
        return found

    def _merged(self, links: Sequence[BrokenLink], only: LocalPath) -> list[BrokenLink]:
        others = [each for each in self._journal.broken_links() if not LocalPath(each.path).is_within(only)]
        return [*others, *links]

    def _tell_of_ambiguous(self, links: Sequence[BrokenLink]) -> None:
        """Once, until there is none any more: nobody else does anything about them."""
        if not links:
            self._world.forget_told(_AMBIGUOUS)
            return
        error = AmbiguousLink(
            f"{counted(len(links), 'broken link')} may lead to more than one torrent of {self._world.account.name}:"
            f" the first is {links[0].path}.",
            kept="Nothing is done about links like that.",
            remedy=f"torrent-mover debrid explain {shlex.quote(links[0].path)} names them.",
        )
        self._world.tell_once(_AMBIGUOUS, f"{error} [{error.code}]")

    def _refuse_a_wave(self, broken: int, in_scope: int) -> None:
        wave = self._journal.wave(BROKEN)
        if not too_many_broken(broken, in_scope, self._world.settings.max_broken_share):
            if wave is not None:
                self._journal.drop_wave(BROKEN)
            return
        if wave is not None and wave.accepted and wave.number == broken:
            self._journal.save_wave(replace(wave, accepted=False))
            return
        told = wave is not None and wave.number == broken
        self._journal.save_wave(Wave(BROKEN, broken, (), self._world.now, told=True))
        error = TooManyBroken(
            f"{broken} of {in_scope} links are broken: more than max_broken_share allows.",
            kept="Nothing was changed.",
            remedy=f"Look at the mount. If that is right: torrent-mover debrid accept broken {broken}",
        )
        if not told:
            self._world.notice(str(error))
        raise error

    def _noted(self, broken: Sequence[BrokenLink]) -> frozenset[InfoHash]:
        """Hang the links on what is wrong with their torrents; those that look well are suspects."""
        by_hash: dict[str, list[str]] = {}
        for link in broken:
            by_hash.setdefault(link.hash, []).append(link.path)
        suspects = set()
        for text, paths in by_hash.items():
            torrent = InfoHash(text)
            known = self._journal.finding(torrent)
            entries = self._journal.of_hash(torrent)
            if known is not None and known.fault is not Fault.VANISHED:
                self._journal.save_finding(replace(known, links=tuple(sorted(paths))))
            elif any(entry.there for entry in entries):
                suspects.add(torrent)
                if known is not None:
                    self._journal.forget_findings((torrent,))
            else:
                self._vanished(torrent, entries, tuple(sorted(paths)), known)
        for finding in self._journal.findings():
            if finding.hash.hex not in by_hash:
                if finding.fault is Fault.VANISHED:
                    self._journal.forget_findings((finding.hash,))
                elif finding.links:
                    self._journal.save_finding(replace(finding, links=()))
        return frozenset(suspects)

    def _vanished(
        self, torrent: InfoHash, entries: Sequence[KnownEntry], paths: tuple[str, ...], known: DebridFinding | None
    ) -> None:
        last = max(entries, key=lambda entry: entry.seen_at, default=None)
        now = self._world.now
        finding = DebridFinding(
            torrent, "", last.name if last else torrent.short, Fault.VANISHED, now, now, size=last.size if last else 0,
            added=last.added if last else 0.0, links=paths, said="the account lists it no longer",
        )  # fmt: skip
        self._journal.save_finding(seen_again(known, finding))


def mark_stale(world: DebridWorld, alive: Collection[InfoHash]) -> int:
    """Of the broken links, those whose torrent lives are the mount's fault; how many there are."""
    links = world.journal.broken_links()
    stale = [link for link in links if link.hash and InfoHash(link.hash) in alive]
    if stale:
        paths = {link.path for link in stale}
        world.journal.save_broken(
            [replace(link, state=LinkState.STALE) if link.path in paths else link for link in links]
        )
    return len(stale)
