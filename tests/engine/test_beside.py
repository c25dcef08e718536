"""Moves side by side: what one removes does not fail another one, and what only waits is no transfer."""

from __future__ import annotations

import threading

import pytest

from tests.engine.test_control import ONE_FILE, live
from tests.servers import eventually
from torrent_mover.adapters.outlets.metrics import exposition
from torrent_mover.adapters.outlets.run_state import as_data
from torrent_mover.adapters.outlets.systemd import status_text
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.simple.format import stats_text

__all__ = ["live"]


@pytest.mark.parametrize("when", ["the plan is made", "the evidence is gathered"])
def test_a_torrent_that_goes_between_being_listed_and_being_asked_for_its_files_fails_nobody(story, when):
    torrent = story.seed("Show", 50_000)
    goes = story.seed("Goes", 50_000, category="keep-me")
    gone_from = "removed" if when == "the evidence is gathered" else "listed"
    asked: list[InfoHash] = []

    def vanish(method: str, of: InfoHash | None) -> None:
        late = gone_from == "listed" or ("start", torrent) in story.destination.calls
        if method == "files" and of == goes and late and not asked:
            asked.append(goes)
            story.source.forget(goes)

    story.source.before = vanish

    assert story.run() is ExitCode.DONE
    assert asked == [goes]
    del story.contents[goes]  # its user has removed it
    story.assert_moved(torrent)


def test_a_torrent_that_is_only_checked_holds_no_slot_and_counts_as_no_transfer(story, live):
    story.jobs = 1
    checked, brought = story.seed("One", 50_000, added_on=1), story.seed("Two", ONE_FILE, added_on=2)
    check_it = threading.Event()

    def hold(method: str, of: InfoHash | None) -> None:
        if (method, of) == ("recheck", checked):
            assert check_it.wait(60)

    story.destination.before = hold
    one = live(free=8)
    assert one.gate.reached.wait(60)  # the second brings its bytes, with the only slot
    eventually(lambda: one.control.snapshot().checking)

    snapshot = one.control.snapshot()
    doing = {move.id: (move.transfers, move.checks) for move in snapshot.moves}
    assert doing == {checked: (False, True), brought: (True, False)}
    assert (snapshot.transferring, snapshot.checking) == (1, 1)
    for told in (stats_text(snapshot), status_text(snapshot)):
        assert "1 transferring, 1 checking" in told
    assert 'active_torrents{doing="transferring"} 1' in exposition(snapshot)
    assert 'active_torrents{doing="checking"} 1' in exposition(snapshot)
    published = as_data(snapshot)
    assert (published["transferring"], published["checking"]) == (1, 1)
    assert [(move["infohash"], move["waits"]) for move in published["moves"]] == [
        (brought.hex, False),
        (checked.hex, True),
    ]

    one.gate.open()
    eventually(lambda: not one.control.snapshot().transferring)
    snapshot = one.control.snapshot()
    assert snapshot.checking
    assert (snapshot.incoming.now, snapshot.outgoing.now) == (0.0, 0.0)  # nothing flows any more
    check_it.set()
    assert one.end() is ExitCode.DONE
    story.assert_moved(checked)
    story.assert_moved(brought)
