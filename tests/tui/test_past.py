"""The history in words: what was not carried over, and the rates of past runs as columns."""

from __future__ import annotations

from tests.fakes.snapshots import AT
from tests.tui.scenes import SCENES, history
from torrent_mover.domain.report.snapshot import HistoryView
from torrent_mover.tui.moving.history import carried_not, rates_lines, summary
from torrent_mover.tui.shell.look import look_for

LOOK = look_for("braille", "iec", encoding="utf-8", term="xterm-256color")


def columns(count: int, width: int) -> int:
    """How many columns the graph of that many runs has, told by the cells of its lowest row."""
    past = HistoryView((), tuple((float(number), 5e6) for number in range(count)))
    lowest = rates_lines(past, width, 4, LOOK)[-1][-1].text
    return len(lowest.split())


def test_what_was_not_carried_over_is_told_in_amounts_and_dates_without_what_is_nothing():
    told = carried_not("uploaded=65713211801 downloaded=0 ratio=1.84 seeding_time=345600 added_on=1795000000", LOOK)

    assert told == "uploaded 61.2 GiB, ratio 1.84, seeding time 4 d, added 2026-11-18"


def test_what_is_stored_in_another_way_is_told_as_it_is():
    assert carried_not("whatever it=was 7", LOOK) == "whatever, it was, 7"
    assert carried_not("", LOOK) == ""


def test_few_runs_are_columns_apart_and_many_are_one_area():
    assert columns(1, 80) == 1
    assert columns(5, 80) == 5
    assert columns(140, 80) == 1


def test_the_scene_of_the_history_has_what_a_journal_has():
    (entry, *_) = SCENES["running"]().past.entries

    assert "61.2 GiB" in carried_not(entry.not_carried, LOOK)


def test_what_was_copied_is_not_counted_as_moved():
    told = summary(history(), AT, LOOK)

    assert told.startswith("last 7 days: 3 moved, 1 copied, ")
    assert told.endswith(", 1 failed")
