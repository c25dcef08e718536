"""Ticks, life and death: what changes is repainted, the engine outlives the screen, the terminal is given back."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from textual.screen import Screen

from tests.fakes.control import FakeControl
from tests.fakes.snapshots import AT, a_hash
from tests.tui import scenes
from tests.tui.pilot import MIDDLE, NARROW, drive, dump, settle, until_shown
from tests.tui.terminal import ALTERNATE_OFF, ALTERNATE_ON, Terminal, restored
from torrent_mover import tui
from torrent_mover.domain.move import Outcome
from torrent_mover.domain.report.events import Level, MoveDone, MoveFailed, RunEnded
from torrent_mover.domain.report.snapshot import LogLine, MoveStatus, Phase, Snapshot
from torrent_mover.tui.shell.app import MoverApp
from torrent_mover.tui.shell.closing import ClosesItself
from torrent_mover.tui.shell.ink import BLANK
from torrent_mover.tui.shell.log_pane import LogPane
from torrent_mover.tui.shell.options import DASHBOARD_FAILED, DashboardOptions
from torrent_mover.tui.shell.panel import ReadPanel
from torrent_mover.tui.shell.rows import Rows


def painted_rows(app: MoverApp) -> list[int]:
    """Counts rows that are painted from now on, by widget row."""
    rows: list[int] = []
    for widget in app.screen.query("*"):
        if hasattr(widget, "paint"):
            original = widget.paint

            def paint(ink, width, *, here=False, _original=original):
                rows.append(width)
                return _original(ink, width, here=here)

            widget.paint = paint
    return rows


def test_an_equal_picture_repaints_nothing():
    control = scenes.running()

    async def act(app: MoverApp, pilot) -> None:
        rows = painted_rows(app)
        app.tick()
        await settle(pilot)
        assert rows == []

    drive(control, act)


def test_one_changed_row_repaints_one_row():
    control = scenes.running()

    async def act(app: MoverApp, pilot) -> None:
        rows = painted_rows(app)
        control.change_move(a_hash(0x5E0D9913), fraction=0.75)
        app.tick()
        await settle(pilot)
        assert len(rows) == 1
        assert "75%" in dump(app)

    drive(control, act)


def test_the_cursor_stays_on_its_torrent_when_the_order_changes():
    control = scenes.running()

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("down")
        first, second, third, *rest = control.current.moves
        control.show(moves=(third, first, second, *rest))
        app.tick()
        await settle(pilot)
        assert app.screen.query_one("#moves", Rows).cursor_key == a_hash(0x5E0D9913)
        assert any(row.startswith("▸▲ [Fansub] Sintel") for row in dump(app).splitlines())

    drive(control, act)


def test_the_cursor_stays_in_place_when_its_torrent_goes():
    control = scenes.running()

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("down")
        control.show(moves=tuple(move for move in control.current.moves if move.id != a_hash(0x5E0D9913)))
        app.tick()
        await settle(pilot)
        assert app.screen.query_one("#moves", Rows).cursor_key == a_hash(0x0F00BEEF)

    drive(control, act)


def test_an_open_detail_closes_when_its_torrent_leaves_the_run():
    control = scenes.running()

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("enter")
        control.show(moves=())
        app.tick()
        await settle(pilot)
        assert "looking for" in dump(app) or "nothing to move" in dump(app)

    drive(control, act)


@pytest.mark.parametrize(("scene", "key"), [("running", "enter"), ("failed", "e")])
def test_what_closes_by_itself_is_closed_once_however_often_it_is_drawn(scene, key):
    control = scenes.SCENES[scene]()

    async def act(app: MoverApp, pilot) -> None:
        below = app.screen
        await pilot.press(key)
        await settle(pilot)
        closing = app.screen
        control.show(moves=())
        app.tick()
        closing.draw()
        closing.draw()
        await settle(pilot)
        assert app.screen is below

    drive(control, act)


@pytest.mark.parametrize(("scene", "key"), [("running", "enter"), ("failed", "e")])
def test_what_closes_by_itself_lets_what_lies_over_it_be_read_and_closes_then(scene, key):
    control = scenes.SCENES[scene]()

    async def act(app: MoverApp, pilot) -> None:
        below = app.screen
        await pilot.press(key)
        await settle(pilot)
        closing = app.screen
        app.push_screen(ReadPanel(app.session.look, "Read", [BLANK]))
        await settle(pilot)
        reading = app.screen
        assert below is not closing is not reading
        control.show(moves=())
        app.tick()
        await settle(pilot)
        assert app.screen is reading
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen is below

    drive(control, act)


def test_every_screen_closes_only_itself():
    for module in pkgutil.walk_packages(tui.__path__, "torrent_mover.tui."):
        importlib.import_module(module.name)
    screens, found = [Screen], set()
    while screens:
        for each in screens.pop().__subclasses__():
            screens.append(each)
            found.add(each)
    ours = {each for each in found if each.__module__.startswith("torrent_mover.")}
    assert len(ours) > 10
    assert [each for each in ours if not issubclass(each, ClosesItself)] == []


def test_scrolling_stops_following_and_counts_what_is_new():
    control = scenes.running()
    control.lines = [LogLine(number, AT, Level.INFO, None, f"line {number}") for number in range(1, 60)]

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("5")
        await settle(pilot)
        assert "line 59" in dump(app)
        await pilot.press("pageup")
        control.lines += [LogLine(number, AT, Level.INFO, None, f"line {number}") for number in range(60, 97)]
        app.tick()
        await settle(pilot)
        assert "F to follow, 37 new" in dump(app)
        assert "line 96" not in dump(app)
        await pilot.press("F")
        await settle(pilot)
        assert "line 96" in dump(app)
        assert "F follow:on" in dump(app)

    drive(control, act)


def test_the_log_keeps_the_ring_and_not_more():
    control = scenes.running()

    async def act(app: MoverApp, pilot) -> None:
        control.lines = [LogLine(number, AT, Level.INFO, None, f"line {number}") for number in range(100, 7100)]
        app.tick()
        await settle(pilot)
        pane = app.screen.query_one(LogPane)
        assert len(pane._lines) == 5000
        assert "line 7099" in dump(app)

    drive(control, act)


def test_a_search_in_the_log_excludes_too():
    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("5", "slash", *"!recheck", "enter")
        await settle(pilot)
        shown = dump(app)
        assert "resumed at" in shown
        assert "recheck 45 %" not in shown
        assert "/!recheck" in shown

    drive(scenes.running(), act)


def test_a_line_that_comes_again_and_again_is_one_line_with_a_count():
    control = scenes.running()
    last = control.lines[-1]

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("5")
        for number in range(1, 6):
            text = "the disk of nas is slow" if number != 4 else "it is well again"
            control.lines.append(replace(last, number=last.number + number, level=Level.WARN, text=text))
            app.tick()
        await settle(pilot)
        assert [row[20:] for row in dump(app).splitlines() if "disk of nas" in row] == [
            "(3x) the disk of nas is slow", "the disk of nas is slow",
        ]  # fmt: skip
        await pilot.press("w", "f")
        await settle(pilot)
        assert dump(app).count("the disk of nas is slow") == 2
        assert "(3x) the disk of nas is slow" in dump(app)

    drive(control, act)


def test_preflight_goes_by_itself_when_the_run_goes_on():
    control = scenes.planning()

    async def act(app: MoverApp, pilot) -> None:
        assert "1 check to go" in dump(app)
        control.show(phase=Phase.RUNNING, checks=scenes.checks(failing=False))
        app.tick()
        await settle(pilot)
        assert "Stage" in dump(app)

    drive(control, act)


def test_preflight_stays_while_a_check_that_matters_fails():
    control = scenes.planning()

    async def act(app: MoverApp, pilot) -> None:
        control.show(phase=Phase.ENDED, exit_code=4, checks=scenes.checks(failing=True))
        app.tick()
        await settle(pilot)
        assert "1 problem, 1 warning" in dump(app)

    drive(control, act)


def test_events_from_another_thread_are_told_and_reload_the_history():
    control = scenes.running()

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("3")
        control.past = replace(control.past, entries=control.past.entries[:1])
        loop = asyncio.get_running_loop()
        done = MoveDone(AT, a_hash(1), "Bunny", Outcome.MOVED, 1, 1, 1.0, 1, 0)
        await loop.run_in_executor(None, control.emit, done)
        await loop.run_in_executor(None, control.emit, RunEnded(AT, "r", 1, 0, 1, 1.0, 0))
        await settle(pilot)
        assert "1 ended" in dump(app)
        assert "The run is over" in dump(app)

    drive(control, act, MIDDLE)


def test_many_failures_at_once_are_one_note():
    control = scenes.running()
    told: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        for number in range(9):
            control.emit(MoveFailed(0.0, a_hash(number), f"Film {number}", "Broken.", "", "", "TM-E305"))
        told.append(await until_shown(app, pilot, "Failed TM-E305"))

    drive(control, act)

    assert told[-1].count("Failed TM-E305") == 1
    assert "Film 8" in told[-1]
    assert "and 8 other torrents before it" in told[-1]


def test_leaving_ends_the_subscription():
    control = scenes.running()

    async def act(*_: object) -> None:
        assert len(control.listeners) == 1

    drive(control, act)

    assert control.listeners == []


def test_the_question_about_leaving_answers_itself_when_the_run_ends():
    control = scenes.running()

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("q")
        await settle(pilot)
        assert "Bytes are moving" in dump(app)
        control.show(phase=Phase.ENDED, exit_code=0)
        app.tick()
        await settle(pilot)

    app = drive(control, act)

    assert (app.return_value, app.return_code, control.calls) == (None, 0, [])


def test_q_asks_nothing_once_the_run_is_over_even_if_the_picture_is_old():
    control = scenes.running()

    async def act(app: MoverApp, pilot) -> None:
        control.show(phase=Phase.ENDED, exit_code=0)
        await pilot.press("q")
        await settle(pilot)
        assert app._exit

    assert drive(control, act).return_value is None


def test_a_second_interrupt_does_not_wait():
    control = scenes.running()

    async def act(app: MoverApp, _: object) -> None:
        app.action_interrupt()
        app.action_interrupt()

    drive(control, act)

    assert control.calls == [("stop", False), ("stop", True)]


def cost_of_a_tick(torrents: int) -> float:
    """Seconds of processor time, the middle of eleven."""
    control = scenes.many(torrents)
    taken: list[float] = []

    async def act(app: MoverApp, pilot) -> None:
        for number in range(11):
            control.show(at=AT + number)
            control.change_move(a_hash(1), fraction=0.2 + number / 100)
            began = time.process_time()
            app.tick()
            await settle(pilot)
            taken.append(time.process_time() - began)

    drive(control, act, MIDDLE)
    return sorted(taken)[5]


def test_five_thousand_torrents_cost_little_more_a_tick_than_fifty():
    assert cost_of_a_tick(5000) < 10 * cost_of_a_tick(50)


class Broken(FakeControl):
    """Its picture cannot be had any more after the start."""

    def __init__(self) -> None:
        super().__init__(scenes.running().current)
        self.asked = 0

    def snapshot(self) -> Snapshot:
        self.asked += 1
        if self.asked > 1:
            raise RuntimeError("[/red] broken \x1b[2J")
        return super().snapshot()


PLAY_BROKEN = """
import sys
from tests.tui.test_life import Broken
from torrent_mover.tui.shell.app import run_dashboard
from torrent_mover.tui.shell.options import DashboardOptions
control = Broken()
result = run_dashboard(control, options=DashboardOptions())
sys.stdout.write(f"left with {result}, calls {control.calls}\\n")
"""


@pytest.fixture
def terminals():
    opened: list[Terminal] = []

    def start(*argv: str, **how) -> Terminal:
        opened.append(Terminal(*argv, **how))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_stops_the_engine_and_gives_the_terminal_back(terminals, number: signal.Signals, code: int):
    terminal = terminals("-m", "tests.tui.play")
    terminal.read_until(b"RUNNING")

    terminal.process.send_signal(number)
    terminal.read_until(b"calls")

    assert f"left with {code}, calls [('stop', False)]".encode() in terminal.output
    assert restored(terminal.output)


def test_q_and_ctrl_c_on_a_terminal(terminals):
    terminal = terminals("-m", "tests.tui.play")
    terminal.read_until(b"RUNNING")
    terminal.type(b"q")
    terminal.read_until(b"Bytes are moving")
    terminal.type(b"\x03")
    terminal.read_until(b"left with 130")

    assert restored(terminal.output)


def test_a_crash_gives_the_terminal_back_says_why_and_leaves_the_engine_alone(terminals):
    terminal = terminals("-c", PLAY_BROKEN)
    terminal.read_until(b"calls")

    after = terminal.output[terminal.output.rindex(ALTERNATE_OFF) :]
    assert b"The dashboard failed: RuntimeError: [/red] broken \\x1b[2J" in after.replace(b"\r\n", b"")
    assert f"left with {DASHBOARD_FAILED}, calls []".encode() in after
    assert restored(terminal.output)


def test_no_color_sends_no_colours(terminals):
    terminal = terminals("-m", "tests.tui.play", NO_COLOR="1")
    terminal.read_until(b"commands" if NARROW[0] > 100 else b"filter")

    assert b"38;2;" not in terminal.output
    assert b"48;2;" not in terminal.output
    assert b"38;5;" not in terminal.output


def test_no_mouse_asks_for_no_mouse(terminals):
    script = (
        "from tests.tui.scenes import empty\nfrom torrent_mover.tui.shell.app import run_dashboard\n"
        "from torrent_mover.tui.shell.options import DashboardOptions\n"
        "run_dashboard(empty(), options=DashboardOptions(mouse=False))"
    )
    terminal = terminals("-c", script)
    terminal.read_until(b"WATCHING")
    terminal.type(b"q")
    terminal.read_until(ALTERNATE_OFF)

    assert b"\x1b[?1003h" not in terminal.output


def test_the_log_opens_in_the_pager_and_the_dashboard_comes_back(terminals, tmp_path: Path):
    log = tmp_path / "run.log"
    log.write_text("written by the engine\n", encoding="utf-8")
    script = (
        "import sys\nfrom pathlib import Path\nfrom tests.tui.scenes import empty\n"
        "from torrent_mover.tui.shell.app import run_dashboard\n"
        "from torrent_mover.tui.shell.options import DashboardOptions\n"
        "run_dashboard(empty(), options=DashboardOptions(log_file=Path(sys.argv[1])))"
    )
    terminal = terminals("-c", script, str(log), PAGER="cat")
    terminal.read_until(b"WATCHING")
    terminal.type(b"o")
    terminal.read_until(b"written by the engine")
    terminal.output = terminal.output[terminal.output.index(b"written by the engine") :]
    terminal.read_until(ALTERNATE_ON)
    terminal.type(b"q")
    terminal.read_until(ALTERNATE_OFF)

    assert terminal.process.wait(60) == 0


def test_a_shell_is_lent_the_terminal_and_the_dashboard_comes_back(terminals):
    terminal = terminals("-m", "tests.tui.play", SHELL="/bin/true")
    terminal.read_until(b"Stage")
    terminal.forget()
    terminal.type(b"\x1a")
    terminal.read_until(b"goes on behind this shell")
    terminal.read_until(ALTERNATE_ON)
    terminal.read_until(b"Stage")
    terminal.type(b"\x03")

    assert terminal.end() == 0
    assert restored(terminal.output)


def test_a_stopped_process_gives_the_terminal_back_and_draws_everything_when_it_is_continued(terminals):
    terminal = terminals("-m", "tests.tui.play")
    terminal.read_until(b"Stage")
    terminal.process.send_signal(signal.SIGTSTP)
    state = Path(f"/proc/{terminal.process.pid}/stat")
    terminal.read_while(lambda: state.read_text().rpartition(")")[2].split()[0] != "T")
    terminal.read_until(ALTERNATE_OFF)
    terminal.forget()
    terminal.process.send_signal(signal.SIGCONT)
    terminal.read_until(ALTERNATE_ON)
    for shown in (b"seedbox", b"Stage", b"peak", b"quit"):
        terminal.read_until(shown)
    terminal.type(b"\x03")

    assert terminal.end() == 0
    assert restored(terminal.output)


def test_a_wrong_keymap_is_refused_before_the_screen_opens(tmp_path: Path):
    from torrent_mover.domain.errors import ConfigError
    from torrent_mover.tui.shell.app import run_dashboard

    with pytest.raises(ConfigError):
        run_dashboard(scenes.empty(), options=DashboardOptions(keymap=tmp_path / "nowhere.toml"))


@pytest.mark.parametrize("size", [(59, 24), (80, 14), (20, 5)])
def test_a_terminal_that_is_too_small_is_told_so(size: tuple[int, int]):
    async def act(app: MoverApp, pilot) -> None:
        shown = " ".join(dump(app).split())
        assert f"{size[0]}x{size[1]} is too small" in shown
        assert "43.7 %" in shown
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "too small" not in dump(app)
        assert "Big.Buck" in dump(app)

    drive(scenes.running(), act, size)


def test_sixty_by_fifteen_is_enough():
    async def act(app: MoverApp, _: object) -> None:
        assert "Big.Buck" in dump(app)
        assert "14%" in dump(app)

    drive(scenes.running(), act, (60, 15))


def test_a_refused_run_opens_with_its_checks():
    control = scenes.refused()
    control.show(phase=Phase.ENDED, exit_code=4)

    async def act(app: MoverApp, _: object) -> None:
        assert "1 problem, 1 warning" in dump(app)

    drive(control, act)


def test_the_log_shows_that_it_has_the_keys():
    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("tab")
        await settle(pilot)
        assert "─ ▸ log: all" in dump(app)
        await pilot.press("slash", *"resumed", "enter")
        await settle(pilot)
        assert "recheck 45 %" not in dump(app)
        assert "Sintel" in dump(app)

    drive(scenes.running(), act)


def test_a_page_scrolls_with_the_first_key():
    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("question_mark", "down")
        await settle(pilot)
        assert "Everywhere" not in dump(app)
        await pilot.press("end")
        await settle(pilot)
        assert "Lines of the chosen torrent only" in dump(app)
        await pilot.press("home")
        await settle(pilot)
        assert "Everywhere" in dump(app)

    drive(scenes.running(), act)


PLAY_CLOSED = """
import sys
from pathlib import Path
from tests.tui import scenes
from torrent_mover.tui.shell.app import run_dashboard
from torrent_mover.tui.shell.options import DashboardOptions
from textual._context import active_app
control = scenes.running()
stop = control.stop
def much_to_draw(**how):
    for _ in range(100):
        active_app.get()._driver.write("x")
    stop(**how)
control.stop = much_to_draw
result = run_dashboard(control, options=DashboardOptions())
Path(sys.argv[1]).write_text(f"left with {result}, calls {control.calls}")
"""


def test_a_closed_terminal_stops_the_engine_however_much_is_to_be_drawn(terminals, tmp_path: Path):
    note = tmp_path / "note"
    terminal = terminals("-c", PLAY_CLOSED, str(note), controlling=True)
    terminal.read_until(b"RUNNING")

    terminal.hang_up()
    terminal.process.wait(60)

    assert note.read_text(encoding="utf-8") == "left with 143, calls [('stop', False)]"


def test_a_paused_torrent_is_named_paused():
    control = scenes.running()
    control.change_move(a_hash(1), standing=MoveStatus.PAUSED)

    async def act(app: MoverApp, _: object) -> None:
        assert "‖ Big.Buck" in dump(app)
        assert "paused" in dump(app)

    drive(control, act)
