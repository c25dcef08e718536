"""Opens the closed folders and files that stand in a move's way, as narrowly as can be, and closes them again afterwards."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from torrent_mover.domain.errors import Collision, MoverError, NotWritable
from torrent_mover.domain.paths import ROOT, RelativePath
from torrent_mover.domain.quantities import UnlockMode
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.settings.choices import Unlock
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery.access import Access
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.ports.filesystem import FileKind, FileStat, FileSystem
from torrent_mover.ports.journal import ChangedMode, JobJournal

Say = Callable[[InfoHash | None, Level, str], None]
"""Tells people something about a move, or about the run (None)."""


class Unlocker:
    """The modes of one destination. Safe from any thread; one for all moves of a run, because they share folders.

    Only folders in which a move must create or rename, and files of its own that it must write to, only below the root (and
    the root itself), never through a link, and only what refused us. The old mode is in the journal before it is changed.
    """

    def __init__(
        self, files: FileSystem, access: Access, journal: JobJournal, say: Say, when: Unlock, mode: UnlockMode
    ) -> None:
        self._files = files
        self._access = access
        self._journal = journal
        self._say = say
        self._when: Final = when
        self._mode: Final = mode
        self._lock = threading.RLock()
        self._holders: dict[RelativePath, set[InfoHash]] = {}

    # -- opening -----------------------------------------------------------------------------------------------------

    def open(self, torrent: InfoHash, staging: RelativePath, layout: Sequence[tuple[RelativePath, int]]) -> None:
        """See that the move can create and rename wherever it must, for its files of these sizes.

        Raises NotWritable with the one command that helps.
        """
        with self._lock:
            wanted = self._lacking(layout)
            if not wanted:
                return  # all of it lies there already: nothing will be written
            for folder, found in self._needed(staging, wanted):
                if folder in self._holders:
                    self._holders[folder].add(torrent)
                elif self._when is Unlock.ALWAYS:
                    self._open_in_any_case(torrent, folder, found)
                else:
                    self._open_if_closed(torrent, folder, found)

    def open_files(self, torrent: InfoHash, files: Iterable[tuple[RelativePath, RelativePath]]) -> None:
        """Make files of the move writable before bytes go into them: pairs of (final path, where it lies now).

        Where that fails, nothing is said: the writing itself will say it better.
        """
        with self._lock:
            for final, lies_at in files:
                found = self._files.stat(lies_at)
                if found is None or found.kind is not FileKind.FILE or self._access.allows(found):
                    continue
                if self._when is not Unlock.OFF and self._access.owns(found):
                    self._change(torrent, final, lies_at, found)

    def _lacking(self, layout: Sequence[tuple[RelativePath, int]]) -> set[RelativePath]:
        """The folders under whose final names a file is not there in full."""
        folders: dict[RelativePath, bool] = {}
        for path, size in layout:
            folder = path.parent
            if folder not in folders:
                folders[folder] = not self._is_folder(folder)
            if not folders[folder]:
                found = self._look(path)
                folders[folder] = found is None or found.kind is not FileKind.FILE or found.size != size
        return {folder for folder, lacking in folders.items() if lacking}

    def _is_folder(self, path: RelativePath) -> bool:
        found = self._look(path)
        return found is not None and found.kind is FileKind.FOLDER

    def _look(self, path: RelativePath) -> FileStat | None:
        """None also for what is closed to us: then something will have to be opened."""
        try:
            return self._files.stat(path)
        except NotWritable:
            return None

    def _needed(self, staging: RelativePath, parents: set[RelativePath]) -> Iterator[tuple[RelativePath, FileStat]]:
        """The folders that exist in which entries will be made, each after those above it, as they are right then."""
        finals = {RelativePath(path.parts[:depth]) for path in parents for depth in range(1, len(path.parts) + 1)}
        missing: set[RelativePath] = set()
        ways = (RelativePath((STAGING,)), staging, *(staging / folder for folder in sorted(finals)), *sorted(finals))
        for folder in (ROOT, *ways):
            found = None if folder.parent in missing else self._files.stat(folder)
            if found is None:
                missing.add(folder)
            elif found.kind is FileKind.FOLDER:
                yield folder, found
            else:
                missing.add(folder)  # a link or a file is in the way: the landing says so

    def _open_if_closed(self, torrent: InfoHash, folder: RelativePath, found: FileStat) -> None:
        if folder != ROOT and self._access.allows(found):
            return
        try:
            self._access.probe(folder)
        except NotWritable as refused:
            if self._when is Unlock.OFF:
                raise NotWritable(
                    refused.what, kept="preflight_unlock is off, so no mode was changed.", remedy=refused.remedy
                ) from refused
            if not self._change(torrent, folder, folder, found):
                raise
            self._prove(torrent, folder)

    def _open_in_any_case(self, torrent: InfoHash, folder: RelativePath, found: FileStat) -> None:
        if self._access.owns(found) and self._change(torrent, folder, folder, found):
            self._prove(torrent, folder)
        else:
            self._access.probe(folder)

    def _change(self, torrent: InfoHash, path: RelativePath, lies_at: RelativePath, found: FileStat) -> bool:
        """Set the mode, the old one written down before. False where that changes nothing, or is not ours to do."""
        opened = self._mode.apply(found.mode)
        if opened == found.mode:
            return False
        changed = ChangedMode(torrent, self._files.name, str(path), found.mode)
        self._journal.save_mode(changed)
        try:
            self._files.chmod(lies_at, opened)
        except (NotWritable, Collision):
            self._journal.forget_mode(changed)
            return False
        self._holders.setdefault(path, set()).add(torrent)
        self._say(
            torrent,
            Level.INFO,
            f"opened {self._access.shown(lies_at)}: mode {found.mode:04o} changed to {opened:04o} for now",
        )
        return True

    def _prove(self, torrent: InfoHash, folder: RelativePath) -> None:
        """Look whether opening it helped; where it did not, close it at once."""
        try:
            self._access.probe(folder)
        except MoverError:
            self._release(torrent, [folder])
            raise

    # -- closing -----------------------------------------------------------------------------------------------------

    def close(self, torrent: InfoHash) -> None:
        """The move has ended: put back what no other move needs. Never raises; what fails stays in the journal and is told."""
        with self._lock:
            try:
                self._release(torrent, [path for path, holders in self._holders.items() if torrent in holders])
            except MoverError as error:
                self._say(torrent, Level.WARN, f"what was opened for it stays open until the next run: {error.what}")

    def put_back_left_overs(self) -> int:
        """Put back what a killed run left open; returns how many. Never raises."""
        with self._lock:
            ours, others = [], set()
            for changed in self._journal.modes():
                if changed.place == self._files.name:
                    ours.append(changed)
                else:
                    others.add(changed.place)
            for place in sorted(others):
                self._say(
                    None, Level.WARN, f"an earlier run left folders open at {place}, which this config does not know"
                )
            return self._put_back(ours)

    def _release(self, torrent: InfoHash, paths: Sequence[RelativePath]) -> None:
        free: set[str] = set()
        for path in paths:
            self._holders[path].discard(torrent)
            if not self._holders[path]:
                del self._holders[path]
                free.add(str(path))
        if free:
            here = (changed for changed in self._journal.modes() if changed.place == self._files.name)
            self._put_back([changed for changed in here if changed.path in free])

    def _put_back(self, modes: Sequence[ChangedMode]) -> int:
        """Deepest first: behind a closed folder nothing can be reached."""
        done = 0
        for changed in sorted(modes, key=lambda each: -each.path.count("/") - bool(each.path)):
            try:
                done += self._put_one_back(changed)
                self._journal.forget_mode(changed)
            except MoverError as error:
                path = RelativePath.parse(changed.path) if changed.path else ROOT
                command = f"chmod {changed.mode:04o} {shlex.quote(self._access.shown(path))}"
                self._say(changed.torrent, Level.WARN, f"{error.what} It had mode {changed.mode:04o}; run: {command}")
        return done

    def _put_one_back(self, changed: ChangedMode) -> bool:
        final = RelativePath.parse(changed.path) if changed.path else ROOT
        for path in (final, RelativePath((STAGING, changed.torrent.hex)) / final):
            found = self._files.stat(path)
            if found is None or found.kind not in (FileKind.FOLDER, FileKind.FILE):
                continue
            if found.mode == changed.mode:
                return True
            if found.mode != self._mode.apply(changed.mode):
                self._say(
                    changed.torrent,
                    Level.WARN,
                    f"{self._access.shown(path)} had mode {changed.mode:04o} before it was opened; somebody has set it to"
                    f" {found.mode:04o} meanwhile, so it stays as it is",
                )
                return False
            if path == ROOT:
                with suppress(MoverError):  # the empty staging folder goes now, or it could not go any more
                    self._files.remove_folder(RelativePath((STAGING,)))
            self._files.chmod(path, changed.mode)
            self._say(changed.torrent, Level.INFO, f"closed {self._access.shown(path)} again: mode {changed.mode:04o}")
            return True
        return False
