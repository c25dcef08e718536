"""A screen to leave open: it stays where it was, says things once, and says no more than what it did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes.control import FakeControl
from tests.fakes.snapshots import GIB, a_hash, a_move
from tests.tui.pilot import MIDDLE, drive, dump, settle
from tests.tui.scenes import SCENES, steps
from tests.tui.test_bindings import FIRST, RETRYING, SECOND, cursor_row, session
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.tui.moving.queue import Queue
from torrent_mover.tui.moving.selected import now_line, steps_line
from torrent_mover.tui.shell.app import MoverApp
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.rows import Rows

pytestmark = pytest.mark.thorough

QUEUED = a_hash(100)


def after(scene: str, change: Callable[[FakeControl], None], *keys: str) -> str:
    """The screen after these keys, and then this change of the picture."""
    control = SCENES[scene]()
    seen: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        change(control)
        app.tick()
        await settle(pilot)
        seen.append(dump(app))

    drive(control, act)
    return seen[0]


def test_the_cursor_does_not_go_after_a_torrent_that_is_done():
    text = after("many", lambda control: control.change_move(FIRST, standing=MoveStatus.DONE))

    assert "Sintel" in cursor_row(text)


def test_the_cursor_goes_with_a_torrent_that_must_be_tried_again():
    text = after("many", lambda control: control.change_move(FIRST, standing=MoveStatus.RETRYING))

    assert "Big.Buck" in cursor_row(text)


def test_the_cursor_stays_on_a_torrent_that_was_done_before_it_was_chosen():
    text = after("finished", lambda control: control.show(at=control.current.at + 1), "down")

    assert cursor_row(text) == cursor_row(session("finished", "down").text)


@pytest.mark.parametrize(
    ("key", "standing", "said"),
    [
        ("r", MoveStatus.ACTIVE, "Nothing to try again"),
        ("r", MoveStatus.QUEUED, "waits for a free slot"),
        ("space", MoveStatus.DONE, "Nothing to pause"),
        ("s", MoveStatus.FAILED, "Nothing to leave"),
        ("x", MoveStatus.DONE, "Nothing to cancel"),
        ("P", MoveStatus.ACTIVE, "Nothing to put in another"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_asked(key: str, standing: MoveStatus, said: str):
    def only_that(control: FakeControl) -> None:
        control.show(moves=control.current.moves[:1])
        control.change_move(FIRST, standing=standing)

    seen = session("running", key, prepare=only_that)

    assert said in seen.text
    assert seen.control.calls == []


def test_after_the_end_nothing_is_promised():
    seen = session("running", "r", prepare=lambda control: control.show(phase=Phase.ENDED))

    assert "The run is over" in seen.text
    assert seen.control.calls == []


def test_an_act_on_many_is_one_note():
    seen = session("many", "2", "a", "s")

    assert len(seen.control.calls) > 100
    assert f"{len(seen.control.calls)} torrents" in seen.text
    assert len(seen.app._notifications) == 1


def test_what_moves_again_alarms_nobody():
    seen = session("running", "e", prepare=lambda control: control.change_move(RETRYING, standing=MoveStatus.ACTIVE))

    assert "⚠" not in seen.before
    assert "It moves again since, attempt 2 of 5: nothing needs to be done." in seen.text


def test_a_problem_that_is_over_says_so_while_it_is_read():
    text = after("failed", lambda control: control.change_move(FIRST, trouble=None), "e")

    assert "nothing is wrong any more" in text


def test_what_is_held_can_be_tried_without_waiting():
    held = session(
        "running", "down", "down", "down", "down", "r", prepare=lambda control: control.change_move(QUEUED, held=True)
    )

    assert held.control.calls == [("retry", QUEUED)]


def test_the_question_about_leaving_lists_what_moves_now():
    text = after("running", lambda control: control.change_move(FIRST, standing=MoveStatus.DONE, fraction=1.0), "q")

    listed = [row for row in text.splitlines() if "/5 " in row and "│" in row]
    assert len(listed) == 2
    assert "2/5 push" in text
    assert not any("Big.Buck" in row for row in listed)


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (MoveStatus.PAUSED, "waits paused"),
        (MoveStatus.FAILED, "over  failed"),
        (MoveStatus.SKIPPED, "over  left for a later"),
    ],
)
def test_what_does_not_move_does_nothing_now(standing: MoveStatus, said: str):
    move = replace(a_move(), standing=standing, doing="now transferring")

    panel = "".join(span.text for span in now_line(move))

    assert said in panel
    assert "transferring" not in panel


def test_the_panel_says_the_figures_of_the_row():
    move = a_move(steps=steps(18 * GIB, 0, 58 * GIB), fraction=0.14, eta=865.0)

    shown = "".join(span.text for span in steps_line(move, 100, Look()))

    assert "whole 14% ETA 14:25" in shown


def test_what_failed_says_what_becomes_of_it():
    assert "It is tried again by itself in 0:38" in session("running", "e").text
    assert "It waits for you" in session("failed", "e").text


def test_a_note_is_shown_though_notes_are_swept_while_it_comes():
    async def act(app, pilot):
        app.notify("Here it is", markup=False)
        for _ in range(300):  # each turn of the loop: one of them is between the note's holder and the note
            app.sweep_notes()
            await asyncio.sleep(0)
        await settle(pilot)
        assert "Here it is" in dump(app)

    drive(SCENES["running"](), act, MIDDLE)


def test_notes_that_are_over_leave_nothing_behind():
    holders: list[int] = []

    async def act(app: MoverApp, pilot) -> None:
        for number in range(8):
            app.clear_notifications()
            app.notify(f"note {number}", markup=False)
            await settle(pilot)
        app.tick()
        await settle(pilot)
        holders.append(len(app.screen.query("ToastHolder")))

    drive(SCENES["running"](), act)

    assert holders == [1]


def queued(number: int) -> object:
    return a_hash(100 + number)


@pytest.mark.parametrize(
    ("marks", "key", "asked"),
    [
        (("down", "space", "space"), "P", [queued(0), queued(1)]),
        (("down", "space", "space"), "N", [queued(1), queued(0)]),
        (("space", "space"), "P", []),
        (("end", "space", "home", "space"), "P", [queued(5)]),
    ],
)
def test_marked_torrents_keep_their_order_when_they_are_moved(marks: tuple[str, ...], key: str, asked: list[object]):
    seen = session("running", "2", *marks, key)

    assert [call[1] for call in seen.control.calls] == asked


def test_marked_torrents_that_do_not_stand_alike_are_paused():
    def one_is_paused(control: FakeControl) -> None:
        control.show(moves=control.current.moves[:1])
        control.change_move(FIRST, standing=MoveStatus.PAUSED)

    assert session("running", "space", prepare=one_is_paused).control.calls == [("resume", FIRST)]
    assert session("running", "down", "space").control.calls == [("pause", SECOND)]


def test_escape_ends_the_filter_then_the_marks_then_the_screen():
    control = SCENES["running"]()
    seen: list[tuple[str, int, str | None]] = []

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("2", "slash", *"linux", "enter", "a")
        for _ in range(3):
            await settle(pilot)
            marked = app.screen.query_one("#waiting", Rows).marks if isinstance(app.screen, Queue) else ()
            seen.append((dump(app), len(marked), app.current_mode))
            await pilot.press("escape")
        await settle(pilot)
        seen.append(("", 0, app.current_mode))

    drive(control, act)

    assert "/linux: 2 of 7 waiting" in seen[0][0]
    assert "/linux" not in seen[1][0]
    assert [(marked, mode) for _, marked, mode in seen] == [(2, "queue"), (2, "queue"), (0, "queue"), (0, "dashboard")]


def test_a_filter_does_not_change_places_in_the_queue():
    text = session("running", "2", "slash", *"fedora", "enter").text

    assert cursor_row(text).split()[1] == "7"
    assert "next free slot" not in text


def test_sorting_shows_another_order_and_asks_for_none():
    seen = session("running", "2", "S", "home")

    assert "Spring" in cursor_row(seen.text)
    assert seen.control.calls == []
    assert RETRYING.short not in seen.text


def test_a_mark_moves_no_column():
    plain, marked = (session("running", "2", *keys, "up").text for keys in ((), ("space",)))
    rows = [next(row for row in text.splitlines() if "Spring" in row) for text in (plain, marked)]

    assert rows[1].replace("●", " ") == rows[0]
