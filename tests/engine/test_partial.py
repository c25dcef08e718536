"""Torrents of which files are not selected, and hand-overs without overlap, killed at every call: nothing is lost or owed."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import PIECE, path
from tests.faults.ledger import trying
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.rules import Overlap
from torrent_mover.domain.torrent.partfile import PartFile, part_file_name
from torrent_mover.domain.torrent.torrent import FilePriority, InfoHash, TorrentState

SIZES = {"a.bin": 2 * PIECE + 500, "b.bin": 4 * PIECE, "c.bin": PIECE + 7, "d.bin": 100, "e": 0}
UNSELECTED = "b.bin"


def seed_partly(story) -> InfoHash:
    """A torrent whose second file was never wanted: its bytes in shared pieces lie in the part file."""
    torrent = story.seed("Partly", SIZES)
    manifest = story.manifest(torrent)
    (index,) = [file.index for file in manifest.files if file.path.name == UNSELECTED]
    name = f"Partly/{UNSELECTED}"
    content = story.contents[torrent].pop(name)
    shared = [piece for piece in manifest.pieces_of(index) if len(manifest.files_of(piece)) > 1]
    part = PartFile.of(shared, manifest.piece_count, manifest.piece_length)
    raw = bytearray(part.size)
    raw[: len(part.encode())] = part.encode()
    for piece in shared:
        for span in manifest.spans(piece, piece):
            if span.file == index:
                at = part.offset(*manifest.place(index, span.offset))
                raw[at : at + span.length] = content[span.offset : span.offset + span.length]
    story.here.unlink(path(name))
    story.here.plant_file(path(part_file_name(torrent)), bytes(raw))
    held = story.source._held[torrent]
    held.priorities = {index: FilePriority.SKIP}
    only = set(manifest.pieces_of(index)) - set(shared)
    held.have = [piece not in only for piece in range(manifest.piece_count)]
    story.source._show()
    return torrent


def assert_moved(story, torrent: InfoHash) -> None:
    assert story.source.get(torrent) is None
    assert story.at_destination(torrent) == story.contents[torrent]
    assert path(f"Partly/{UNSELECTED}") not in story.there.nodes
    there = story.destination._held[torrent]
    assert (there.running, list(there.priorities.values())) == (True, [FilePriority.SKIP])
    assert there.have == [story.manifest(torrent).files_of(piece) != (1,) for piece in range(len(there.have))]
    assert story.destination.get(torrent).state is TorrentState.SEEDING
    assert not [name for name in story.there.nodes if name.parts[:1] == (".torrent-mover",)]


def test_only_what_is_needed_of_a_partial_torrent_is_brought(story):
    torrent = seed_partly(story)
    needed = sum(map(len, story.contents[torrent].values()))

    assert story.run() is ExitCode.DONE

    assert_moved(story, torrent)
    assert needed < story.brought < needed + 3 * PIECE


def killed_at_every_call(stories, seed, check, label: str, step: int) -> int:
    """Kill the process at every `step`th call whose label contains `label`, run again until it is moved; how many there are.

    A local and a remote destination share the calls.
    """
    with trying("moves", f"files left out, or no overlap of both clients: killed at each call to {label}*") as tried:
        for at in stories.points(step):
            story = stories()
            torrent = seed(story)
            fuse = Fuse(lambda name: label in name)
            fuse.arm(at, fuse.kill)
            story.run(fuse)
            if not fuse.fired:
                return fuse.count // step
            tried.injected()
            story.run()
            if story.source.get(torrent) is not None:
                story.run()
            check(story, torrent)
    raise AssertionError("a run has no end")


@pytest.mark.thorough
def test_a_partial_torrent_survives_being_killed_anywhere(stories):
    assert killed_at_every_call(stories, seed_partly, assert_moved, "there.", 3) > 5
    assert killed_at_every_call(stories, seed_partly, assert_moved, "destination.", 3) > 5


def test_a_damaged_part_file_at_the_destination_is_mended(story):
    torrent = seed_partly(story)
    story.run_until("before destination.recheck")
    story.there.rot(path(part_file_name(torrent)), 1024 + PIECE - 1)

    for _ in range(3):
        if story.source.get(torrent) is not None:
            story.there.heal()
            story.run()

    assert_moved(story, torrent)


def alone(story) -> InfoHash:
    story.policy = replace(story.policy, overlap=Overlap.NONE)
    torrent = story.seed("Alone", 3 * PIECE)
    story.both = False

    def look(*_: object) -> None:
        clients = (story.source, story.destination)
        story.both |= all(torrent in client._held and client._held[torrent].running for client in clients)

    story.source.before = story.destination.before = look
    return torrent


def assert_moved_alone(story, torrent: InfoHash) -> None:
    story.assert_moved(torrent)
    assert not story.both
    with contextlib.closing(story.journal()) as journal:
        assert list(journal.stopped()) == []


@pytest.mark.thorough
def test_without_overlap_nothing_is_owed_wherever_the_process_is_killed(stories):
    assert killed_at_every_call(stories, alone, assert_moved_alone, "journal.", 1) > 10
    assert killed_at_every_call(stories, alone, assert_moved_alone, "source.", 1) > 10


def test_a_source_that_its_user_had_stopped_is_not_started(story):
    torrent = alone(story)
    story.source.stop(torrent)
    story.run_until("after destination.start")

    with contextlib.closing(story.journal()) as journal:
        assert list(journal.stopped()) == []
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
