"""The story of one torrent, from planned to released."""

from __future__ import annotations

import contextlib

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import FILES
from torrent_mover.domain.errors import ExitCode, TransferError
from torrent_mover.domain.move import Stage
from torrent_mover.domain.report.events import StageEntered


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_a_torrent_moves_and_every_byte_is_sent_once(story, version):
    torrent = story.seed(version=version)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.brought == story.size(torrent)


def test_the_stages_are_entered_in_the_order_that_the_journal_knows(story):
    story.seed()
    story.run()

    entered = [event.stage for event in story.events if isinstance(event, StageEntered)]

    wanted = [stage for stage in Stage if stage is not Stage.REPAIRING]
    assert entered == wanted


def test_files_that_the_user_renamed_keep_their_new_names(story):
    torrent = story.seed(renames={"Show/a first.bin": "Show/Season 1/one.bin"})
    story.run()
    story.assert_moved(torrent)
    assert "Show/Season 1/one.bin" in story.contents[torrent]


def test_the_certificate_is_journaled_before_the_source_is_asked_to_delete(story):
    story.seed()
    fuse = Fuse()
    story.run(fuse)

    order = [label for label in fuse.labels if "save_certificate" in label or "source.remove" in label]

    assert order == [
        "before journal.save_certificate",
        "after journal.save_certificate",
        "before source.remove",
        "after source.remove",
    ]


def test_several_torrents_move_in_one_run(story):
    story.jobs = 3
    moved = [story.seed("One", FILES), story.seed("Two", 100_000), story.seed("Three", {"x": 5, "y": 40_000})]
    assert story.run() is ExitCode.DONE
    for torrent in moved:
        story.assert_moved(torrent)


def test_a_torrent_that_another_run_is_bringing_is_left_alone_until_that_has_ended(story):
    torrent = story.seed()
    held = [True, True]

    @contextlib.contextmanager
    def claim(_torrent):
        if held and held.pop():
            assert not story.there.calls
            raise TransferError("Another run is moving it.")
        yield

    build = story.build

    def built(*arguments):
        run = build(*arguments)
        story.engine.world.claim = claim
        return run

    story.build = built
    assert story.run() is ExitCode.DONE
    assert not held
    story.assert_moved(torrent)
