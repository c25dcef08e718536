import time

import pytest

from tests.fakes.snapshots import GIB, a_hash, a_move, a_snapshot, a_wire
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.narrate import Line
from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.simple.format import journald_line, plain_line, stats_text

MIB = 1024**2


@pytest.fixture(params=["UTC", "Asia/Kolkata"])
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_a_plain_line_has_local_time_and_a_level_of_five_letters(zone):
    line = Line(Level.INFO, a_hash(0xA1B2C3D4), "start: x")
    local = {"UTC": "2026-11-20 03:01:03", "Asia/Kolkata": "2026-11-20 08:31:03"}[zone]
    assert plain_line(line, 1_795_143_663.9) == f"{local} INFO  a1b2c3d4 start: x"


@pytest.mark.parametrize(("level", "priority"), [(Level.DEBUG, 7), (Level.INFO, 6), (Level.WARN, 4), (Level.ERROR, 3)])
def test_a_line_for_the_journal_has_a_priority_and_no_time(level, priority):
    assert journald_line(Line(level, None, "told")) == f"<{priority}>told"


def test_statistics_of_a_relay_run():
    snapshot = a_snapshot(
        done_bytes=int(2.8 * GIB),
        total_bytes=int(214.6 * GIB),
        fraction=0.0131,
        eta=4330.0,
        incoming=a_wire(now=48.1 * MIB),
        outgoing=a_wire(now=31.4 * MIB),
        moves=tuple(a_move(id=a_hash(number)) for number in range(3))
        + tuple(a_move(id=a_hash(number), standing=MoveStatus.QUEUED) for number in range(3, 12)),
    )
    assert stats_text(snapshot) == (
        "stats: 2.8/214.6 GiB, 1 %, in 48.1 MiB/s, out 31.4 MiB/s, ETA 1h12m (3 transferring, 9 queued)"
    )


def test_statistics_leave_out_what_the_mode_has_not_and_name_troubles():
    moves = (a_move(standing=MoveStatus.RETRYING), a_move(standing=MoveStatus.FAILED), a_move(standing=MoveStatus.DONE))
    text = stats_text(a_snapshot(moves=moves, eta=None))
    assert "out " not in text
    assert text.endswith("ETA unknown (0 transferring, 1 retrying, 0 queued, 1 done, 1 failed)")
