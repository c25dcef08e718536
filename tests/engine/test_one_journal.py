"""One journal serves several configs: a run from one source leaves the moves of another one to their own runs."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from tests.engine.story import SAVE, FsDisk
from tests.fakes.client import FakeClient
from tests.fakes.filesystem import MemoryFileSystem
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import Noticed
from torrent_mover.domain.rules import Overlap


@contextlib.contextmanager
def another_source(story):
    """For the time of this, runs come from a seedbox that has nothing to move."""
    here, source = story.here, story.source
    story.here = MemoryFileSystem("other:/seed/data")
    story.source = FakeClient(story.clock, FsDisk(story.here, SAVE), name="other:8080")
    yield
    story.here, story.source = here, source


def begun(story) -> list[object]:
    with contextlib.closing(story.journal()) as journal:
        return [record.id for record in journal.moves()]


@pytest.mark.parametrize("label", ["after journal.save_move settled", "before source.remove"])
def test_a_move_that_another_source_has_begun_is_not_called_removed_or_moved(story, label):
    torrent = story.seed()
    story.run_until(label)
    with another_source(story):
        assert story.run() is ExitCode.DONE
    assert begun(story) == [torrent]
    assert not [event for event in story.events if isinstance(event, Noticed) and "removed" in event.text]
    with contextlib.closing(story.journal()) as journal:
        assert not [entry for entry in journal.history() if entry.confirmed]
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert story.brought == story.size(torrent)


def test_what_was_stopped_at_another_source_stays_owed_to_it(story):
    torrent = story.seed()
    story.policy = replace(story.policy, overlap=Overlap.NONE)
    story.run_until("after source.stop")
    with another_source(story):
        story.run()
    with contextlib.closing(story.journal()) as journal:
        assert journal.stopped() == [torrent]
