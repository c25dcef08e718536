"""What another duty has put elsewhere since it came: a tier on its disk. It is proven there, and the source is let go."""

from __future__ import annotations

import pytest

from tests.engine.story import TARGET, FsDisk, path
from tests.fakes.filesystem import MemoryFileSystem
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.report.events import Noticed

DISK = ClientPath("/nas/disk")


class TwoPlaces:
    """The fake client's disk over two file systems."""

    def __init__(self, *places: FsDisk) -> None:
        self._places = places

    def _of(self, text: str) -> FsDisk:
        return next(place for place in self._places if place._at(text) is not None)

    def read(self, text: str) -> bytes | None:
        return self._of(text).read(text)

    def blocked(self, text: str) -> bool:
        return self._of(text).blocked(text)

    def move(self, old: str, new: str) -> None:
        self._of(old).move(old, new)

    def delete(self, text: str) -> None:
        self._of(text).delete(text)


class Evicted:
    """A torrent that came to the destination, whose move was killed before the source was let go, and that a tier evicted."""

    def __init__(self, story, *, by_a_tier: bool = True) -> None:
        self.story = story
        self.disk = MemoryFileSystem("/nas/disk")
        story.destination.disk = TwoPlaces(FsDisk(story.there, TARGET), FsDisk(self.disk, DISK))
        self.torrent = story.seed()
        if by_a_tier:
            story.elsewhere = lambda torrent, at: self.disk if (torrent, at) == (self.torrent, DISK) else None
        story.run_until("before journal.save_certificate")
        story.assert_kept(self.torrent)
        for name, data in story.contents[self.torrent].items():
            self.disk.plant_file(path(name), data)
            story.there.unlink(path(name))
        story.destination.relocate(self.torrent, DISK)
        story.destination.recheck(self.torrent)
        story.clock.advance(60)
        story.destination.start(self.torrent)
        story.clock.advance(60)

    def on_the_disk(self) -> dict[str, bytes]:
        return {
            str(at): bytes(node.data)
            for at, node in self.disk.nodes.items()
            if str(at) in self.story.contents[self.torrent]
        }

    def said(self) -> str:
        return " ".join(event.text for event in self.story.events if isinstance(event, Noticed))


def test_it_is_proven_where_it_is_and_the_source_is_let_go(story):
    there = Evicted(story)
    sent = story.brought

    assert story.run() is ExitCode.DONE

    assert story.source.get(there.torrent) is None
    assert set(story.at_source(there.torrent).values()) == {None}
    assert there.on_the_disk() == story.contents[there.torrent]
    assert story.destination.get(there.torrent).save_path == DISK
    assert story.destination._held[there.torrent].running
    assert story.brought == sent
    assert [name for name in there.disk.nodes if name.parts[:1] == (".torrent-mover",)] == []
    entry = story.history()[0]
    assert (entry.id, entry.confirmed) == (there.torrent, True)


@pytest.mark.parametrize("label", ["before source.remove", "after source.remove", "before journal.confirm_history"])
def test_killed_there_the_next_run_ends_it(story, label):
    there = Evicted(story)
    story.run_until(label)
    assert there.on_the_disk() == story.contents[there.torrent]

    assert story.run() is ExitCode.DONE

    assert story.source.get(there.torrent) is None
    assert there.on_the_disk() == story.contents[there.torrent]
    assert len(story.source.removed) == 1


@pytest.mark.parametrize("what", ["a flipped bit", "a file less", "an empty file less", "a file that is longer"])
def test_what_is_not_whole_there_is_left_as_it_is_and_the_source_stays(story, what):
    there = Evicted(story)
    largest, empty = path("Show/folder/second.bin"), path("Show/empty")
    if what == "a flipped bit":
        there.disk.nodes[largest].data[20_000] ^= 1
    elif what == "a file that is longer":
        there.disk.nodes[largest].data += b"x"
    else:
        there.disk.unlink(largest if what == "a file less" else empty)
    before = there.on_the_disk()

    assert story.run() is ExitCode.SOME_FAILED

    story.assert_kept(there.torrent)
    assert there.on_the_disk() == before
    assert story.destination._held[there.torrent].running or what == "an empty file less"


def test_where_no_duty_has_put_it_neither_side_is_touched(story):
    there = Evicted(story, by_a_tier=False)

    assert story.run() is ExitCode.SOME_FAILED

    story.assert_kept(there.torrent)
    assert there.on_the_disk() == story.contents[there.torrent]
    assert story.destination.get(there.torrent).save_path == DISK
