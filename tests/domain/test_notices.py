"""Which events somebody is told about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from torrent_mover.domain.report.event_data import event_data, kind_of
from torrent_mover.domain.report.events import (
    Held,
    LeftOut,
    Level,
    MoveFailed,
    MoveRetried,
    Noticed,
    QueuePlanned,
    RoundEnded,
    RunEnded,
)
from torrent_mover.domain.report.notices import NoticeDesk
from torrent_mover.domain.settings.general import NotifyOn
from torrent_mover.domain.torrent.torrent import InfoHash

ONE = InfoHash("a" * 40)
DAY = 24 * 3600.0
FAILED = MoveFailed(0.0, ONE, "Sintel", "It broke.", "", "", "TM-E213")
FULL = MoveRetried(0.0, ONE, "Sintel", "No room.", "", "TM-E122", 1, 5, 30.0)
ENDED = RunEnded(0.0, "cafe0001", 1, 0, 5, 60.0, 0)


def on(event, desk=None):
    notice = (desk or NoticeDesk(tuple(NotifyOn))).notice(event)
    return notice and notice.on


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (FAILED, NotifyOn.FAILURE),
        (FULL, NotifyOn.SPACE),
        (replace(FULL, code="TM-E213"), None),
        (Held(0.0, "nas is left alone", full=False), NotifyOn.BREAKER),
        (Held(0.0, "no space was freed", full=True), NotifyOn.SPACE),
        (ENDED, NotifyOn.END),
        (replace(ENDED, moved=0), None),
        (replace(ENDED, moved=0, failed=1, exit_code=1), NotifyOn.END),
        (replace(ENDED, moved=0, exit_code=3, reason="nothing answers"), NotifyOn.FAILURE),
        (replace(ENDED, moved=0, exit_code=143), None),
        (LeftOut(0.0, 2, "Big needs 2 GiB on nas, 1 GiB are left", "Free some space."), NotifyOn.SPACE),
        (RoundEnded(0.0, 1, 0, 5, 60.0), NotifyOn.END),
        (RoundEnded(0.0, 0, 0, 0, 60.0), None),
        (Noticed(0.0, None, Level.ERROR, "the login is refused"), NotifyOn.FAILURE),
        (Noticed(0.0, None, Level.WARN, "something"), None),
        (Noticed(0.0, ONE, Level.WARN, "Sintel is given up after 5 tries", needs_somebody=True), NotifyOn.FAILURE),
        (QueuePlanned(0.0, 1, 1, 0), None),
    ],
)
def test_what_is_told(event, expected):
    assert on(event) is expected


def test_the_same_trouble_is_told_once_a_day():
    desk = NoticeDesk(tuple(NotifyOn))

    assert on(FAILED, desk) is NotifyOn.FAILURE
    assert on(replace(FAILED, at=DAY - 1), desk) is None
    assert on(replace(FAILED, torrent=InfoHash("b" * 40)), desk) is NotifyOn.FAILURE
    assert on(replace(FAILED, at=DAY + 1), desk) is NotifyOn.FAILURE


def test_a_run_that_told_its_rounds_does_not_tell_their_sum():
    desk = NoticeDesk(tuple(NotifyOn))

    assert on(RoundEnded(0.0, 1, 0, 5, 60.0), desk) is NotifyOn.END
    assert on(ENDED, desk) is None
    assert on(replace(ENDED, exit_code=3), desk) is NotifyOn.FAILURE


def test_an_event_as_data_begins_with_its_kind_and_keeps_its_own_fields():
    data = event_data(FULL)

    assert list(data)[:4] == ["schema", "event", "level", "text"]
    assert (data["event"], data["level"], data["torrent"], data["delay"]) == ("move_retried", "WARN", ONE.hex, 30.0)
    assert kind_of(ENDED) == "run_ended"
    assert event_data(Noticed(1.0, None, Level.INFO, "so"))["text"] == "so"


def test_the_time_of_the_next_try_makes_no_news_of_the_same_failure():
    desk = NoticeDesk((NotifyOn.FAILURE,))
    assert on(replace(FAILED, again_in=60.0), desk) is NotifyOn.FAILURE
    assert on(replace(FAILED, at=60.0, again_in=120.0), desk) is None
