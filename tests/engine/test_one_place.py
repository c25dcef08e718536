"""Where source and destination turn out to be one folder on one disk, nothing is moved: removing the source would remove both."""

from __future__ import annotations

from tests.engine.story import path
from tests.fakes.filesystem import MemoryFileSystem
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import MoveFailed


def one_disk(story) -> None:
    """As a path_map, a bind mount or a network mount makes it: two names, one folder."""
    story.there.nodes = story.here.nodes
    story.there.lock = story.here.lock


def failure(story) -> str:
    return next(event.what for event in story.events if isinstance(event, MoveFailed))


def left_behind(files: MemoryFileSystem) -> list[str]:
    return [str(each) for each in files.nodes if any(part.startswith(".torrent-mover") for part in each.parts)]


def test_one_folder_under_two_names_is_left_alone(story):
    torrent = story.seed()
    one_disk(story)
    assert story.run() is ExitCode.SOME_FAILED
    story.assert_kept(torrent)
    assert "the same folder" in failure(story)
    assert left_behind(story.here) == []
    assert story.destination.get(torrent) is None


def test_a_damaged_source_that_is_the_destination_too_is_not_taken_away_from_under_the_source(story):
    torrent = story.seed()
    whole = story.here.nodes[path("Show/last.bin")]
    whole.data[:5] = b"wrong"
    one_disk(story)
    before = {place: bytes(node.data) for place, node in story.here.nodes.items()}
    assert story.run() is ExitCode.SOME_FAILED
    assert {place: bytes(node.data) for place, node in story.here.nodes.items()} == before
    assert story.source.get(torrent) is not None


class Linked(dict):
    """Nodes of which those below one folder are another file system's, as through a symbolic link to it."""

    def __init__(self, nodes, folder, other) -> None:
        super().__init__(nodes)
        self._folder, self._other = folder, other

    def get(self, place, default=None):
        below = place.parts[: len(self._folder.parts)] == self._folder.parts
        return self._other.get(place, default) if below else super().get(place, default)


def test_a_folder_of_the_torrent_that_is_linked_to_the_destination_counts_as_well(story):
    torrent = story.seed()
    story.plant(torrent)
    story.here.nodes = Linked(story.here.nodes, path("Show/folder"), story.there.nodes)
    assert story.run() is ExitCode.SOME_FAILED
    story.assert_kept(torrent)
    assert "Show/folder is the same folder" in failure(story)


def test_a_copy_with_the_same_times_is_no_second_name(story):
    torrent = story.seed()
    story.plant(torrent)
    for name in story.contents[torrent]:
        story.there.nodes[path(name)].mtime = story.here.nodes[path(name)].mtime
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert left_behind(story.there) == []


def test_a_destination_client_that_is_the_source_client_keeps_seeding(story):
    torrent = story.seed()
    one_disk(story)
    story.destination = story.source
    assert story.run() is ExitCode.SOME_FAILED
    story.assert_kept(torrent)
    assert story.source._held[torrent].running


def test_a_change_of_the_disks_under_a_move_is_seen_by_the_gate(story):
    """The folder becomes one with the source's while the move is under way: its own copies are the source's files then."""
    torrent = story.seed()

    def mount(method, _torrent) -> None:
        if method == "start" and story.there.nodes is not story.here.nodes:
            one_disk(story)

    story.destination.before = mount
    assert story.run() is not ExitCode.DONE
    story.assert_kept(torrent)
