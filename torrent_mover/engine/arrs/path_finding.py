"""Finds where an Arr sees our data. A path counts only when the Arr lists our largest file there, with its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torrent_mover.domain.arrs.errors import ArrItemRefused
from torrent_mover.domain.arrs.path_pairs import (
    ArrPair,
    DeliveredData,
    FoundBy,
    PathGuess,
    below,
    below_disks,
    by_mappings,
    by_other_torrents,
    mapped,
    pair_of,
    same_path,
)
from torrent_mover.domain.paths import ArrPath, ClientPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.handovers import HandoverJournal
from torrent_mover.ports.media_manager import MediaManager

ClientView = Callable[[InfoHash], ClientPath | None]
"""Where our torrent client has a torrent: the folder or file that holds all of it; None where it does not say."""


def shows(manager: MediaManager, path: ArrPath, data: DeliveredData) -> bool:
    """Whether the Arr sees our largest file at `path`, with its size. Raises ServerError where it does not say."""
    file = below(path, data.largest)
    try:
        found = manager.sees(file.parent)
    except ArrItemRefused:  # a path that it cannot even look at
        return False
    return found.get(file.parts[-1] if file.parts else "") == data.size


@dataclass(frozen=True, slots=True)
class PathFinder:
    """Finds paths for one Arr. `config`: the pairs of its path_map; `view` says where our client has other torrents."""

    manager: MediaManager
    journal: HandoverJournal
    config: Sequence[ArrPair] = ()
    view: ClientView = lambda _: None

    def find(self, torrent: InfoHash, data: DeliveredData, category: str) -> PathGuess | None:
        """The first path that the Arr shows our data at, remembered for the next torrent; None: it shows it nowhere.

        A path_map that says where it is has the last word. What was remembered and is no longer true is found anew.
        """
        guess = self.look(torrent, data, category)
        if guess is not None and guess.by not in (FoundBy.JOURNAL, FoundBy.CONFIG):
            self.journal.save_arr_pair(self.manager.name, pair_of(guess.path, data.path))
        return guess

    def look(self, torrent: InfoHash, data: DeliveredData, category: str) -> PathGuess | None:
        """The same, and nothing is remembered."""
        configured = mapped(self.config, data.path)
        if configured is not None:
            return PathGuess(configured, FoundBy.CONFIG) if shows(self.manager, configured, data) else None
        asked: set[ArrPath] = set()
        for guess in self._guesses(torrent, data, category):
            if guess.path not in asked and shows(self.manager, guess.path, data):
                return guess
            asked.add(guess.path)
        return None

    def _guesses(self, torrent: InfoHash, data: DeliveredData, category: str) -> Iterator[PathGuess]:
        """What to try, the likeliest first. Each source is asked only when those before it have failed."""
        known = self.journal.arr_pairs(self.manager.name)
        remembered = mapped(known, data.path)
        if remembered is not None:
            yield PathGuess(remembered, FoundBy.JOURNAL)
        yield from by_mappings(data, self.manager.mappings(), self.manager.clients(), category)
        yield from by_other_torrents(data, self._seen(torrent))
        yield from same_path(data)
        yield from below_disks(data, [*self.manager.disks(), *self.manager.root_folders()])

    def _seen(self, torrent: InfoHash) -> Iterator[tuple[ArrPath, ClientPath]]:
        """Paths of other torrents: as the Arr believes them, and as our client has them."""
        for item in self.manager.queue():
            if item.torrent is not None and item.torrent != torrent and item.output_path is not None:
                ours = self.view(item.torrent)
                if ours is not None:
                    yield item.output_path, ours
