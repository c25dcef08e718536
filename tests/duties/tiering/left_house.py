"""A house with two copies behind its SSD, one of which was left behind by its torrent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.duties.tiering.tier_house import House
from torrent_mover.duties.tiering.left_behind import left_behind
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.setting_aside import set_aside, weigh

FILES = {"one.mkv": 50_000, "sub/two.mkv": 30_000}
COPY = {"tv/Show/one.mkv", "tv/Show/sub/two.mkv"}
KEPT = {"tv/Kept/a.mkv"}


class Left(House):
    """The torrent of one copy, `left`, has left its client, which that of the other, `kept`, has not."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.left = self.torrent("Show", FILES, label="tv")
        self.kept = self.torrent("Kept", {"a.mkv": 10_000}, label="tv")
        self.round()
        self.held = self.client.held.pop(self.left)
        self.between = lambda: None

    def world(self, counter=None):
        def say(_key, text):
            self.said.append(text)
            if text.startswith("Looking at the clients again"):
                self.between()

        return replace(super().world(counter), say=say)

    def look(self):
        world = self.world()
        return left_behind(world, PictureReader(world))

    def set_aside(self, only=None, counter=None, **changes):
        return set_aside(replace(self.world(counter), **changes), self._alone, only)

    def reasons(self, **changes):
        world = replace(self.world(), **changes)
        return [each.reasons for each in weigh(world, PictureReader(world), None)[1]]

    @property
    def quarantine(self) -> Path:
        return self.hdd / ".torrent-mover/quarantine"

    @property
    def aside(self) -> set[str]:
        place = f".torrent-mover/quarantine/{self.left.hex.upper()}-1/"
        return {place + name.removeprefix("tv/") for name in COPY}

    def add_again(self):
        self.client.held[self.left] = self.held
