"""`handover = certified`: our own read-back proves the data; where anything is odd, the client checks it as usual."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import PIECE, Story, path
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import Noticed


@pytest.fixture(params=[True, False], ids=["local", "remote"])
def certified(request, tmp_path):
    """A story with certified hand-over, at a local and at a remote destination."""
    told = Story(tmp_path, local=request.param)
    told.policy = replace(told.policy, certified=True)
    return told


def rechecks(story) -> int:
    return [method for method, _ in story.destination.calls].count("recheck")


def notices(story) -> list[str]:
    return [event.text for event in story.events if isinstance(event, Noticed)]


def proven_by(story, torrent) -> str:
    with contextlib.closing(story.journal()) as journal:
        return json.loads(journal.certificate_text(torrent))["gate"]["read_back"]["by"]


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_our_own_read_back_takes_the_place_of_the_recheck(certified, version):
    torrent = certified.seed(version=version)

    assert certified.run() is ExitCode.DONE

    certified.assert_moved(torrent)
    assert rechecks(certified) == 0
    assert proven_by(certified, torrent) == "our own read-back"
    assert sum(certified.there.reads.values()) >= certified.size(torrent)


def test_without_the_setting_the_client_checks(story):
    torrent = story.seed()
    assert story.run() is ExitCode.DONE
    assert rechecks(story) == 1
    assert proven_by(story, torrent) == "the client's recheck"


def test_a_byte_that_rots_on_its_way_to_the_disk_is_found_and_brought_again(certified):
    torrent = certified.seed()
    fuse = Fuse(lambda label: label == "before there.sync")
    place = path("Show/folder/second.bin")

    def rot(_label) -> None:
        staged = path(f".torrent-mover/{torrent.hex}") / place
        certified.there.nodes[staged].data[PIECE] ^= 0xFF

    fuse.arm(1, rot)
    assert certified.run(fuse) is ExitCode.DONE

    certified.assert_moved(torrent)
    assert rechecks(certified) == 0


def test_renamed_files_are_rechecked_because_the_client_would_check_them_after_the_start(certified):
    torrent = certified.seed(renames={"Show/a first.bin": "Show/Season 1/one.bin"})

    assert certified.run() is ExitCode.DONE

    certified.assert_moved(torrent)
    assert rechecks(certified) == 1
    assert any("other names than in the .torrent" in text for text in notices(certified))


def test_a_torrent_that_an_earlier_attempt_added_is_rechecked(certified):
    torrent = certified.seed()
    certified.run_until("after destination.add_stopped")

    assert certified.run() is ExitCode.DONE

    certified.assert_moved(torrent)
    assert rechecks(certified) == 1
    assert any("an earlier attempt has added it" in text for text in notices(certified))


def test_files_that_change_after_they_were_read_are_rechecked_and_mended(certified):
    torrent = certified.seed()
    fuse = Fuse(lambda label: label == "before destination.add_stopped")

    def overwrite(_label) -> None:
        writer = certified.there.writer()
        writer.write(path("Show/folder/second.bin"), PIECE, memoryview(b"something else"))
        writer.flush()
        writer.close()
        certified.there.nodes[path("Show/folder/second.bin")].mtime += 1

    fuse.arm(1, overwrite)
    assert certified.run(fuse) is ExitCode.DONE

    certified.assert_moved(torrent)
    assert rechecks(certified) >= 1


def test_a_read_back_that_has_grown_old_is_not_believed(certified):
    torrent = certified.seed()
    fuse = Fuse(lambda label: label == "before destination.add_stopped")
    fuse.arm(1, lambda _label: certified.clock.advance(45))

    assert certified.run(fuse) is ExitCode.DONE

    certified.assert_moved(torrent)
    assert rechecks(certified) == 1


def test_a_client_that_is_not_complete_after_adding_checks_itself(certified):
    torrent = certified.seed()
    fuse = Fuse(lambda label: label == "after destination.add_stopped")

    def miss(_label) -> None:
        held = certified.destination._held[torrent]
        held.have = [False] * held.manifest.piece_count
        certified.destination._show()

    fuse.arm(1, miss)
    assert certified.run(fuse) is ExitCode.DONE

    certified.assert_moved(torrent)
    assert rechecks(certified) == 1
