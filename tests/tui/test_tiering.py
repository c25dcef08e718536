"""The screens of tiers: every key, what makes no sense, what stays calm, and how they are left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes.snapshots import AT, GIB, a_hash
from tests.fakes.tier_control import FakeTierControl
from tests.tui import tier_scenes as scenes
from tests.tui.duty_case import Seen, asked, has, noted, press_keys
from tests.tui.pilot import MIDDLE, NARROW, SIZES, dump, resized, settle
from tests.tui.terminal import Terminal, restored
from tests.tui.test_life import painted_rows
from tests.tui.tier_case import drive, picture, session
from torrent_mover.domain.errors import ExitCode, Unreachable
from torrent_mover.domain.report.events import TierRoundEnded
from torrent_mover.domain.report.tiers import PinView, TierPhase, TierSnapshot, TierTask
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.ink import Tone, plain
from torrent_mover.tui.shell.look import ASCII_GLYPHS, Glyphs, Look
from torrent_mover.tui.shell.options import DashboardOptions
from torrent_mover.tui.tiering import keys
from torrent_mover.tui.tiering.app import TierApp
from torrent_mover.tui.tiering.disks import disk_bar, disk_lines
from torrent_mover.tui.tiering.panels import alarm_lines, past_lines
from torrent_mover.tui.tiering.rows import TierList, torrent_row, torrent_rows

COPYING, EVICTING, QUEUED = a_hash(0xABCD1234), a_hash(0x5E0D9913), a_hash(0x9F3C0A11)
LEAVES, PINNED, HOT, UNCOPIED = a_hash(2), a_hash(4), a_hash(5), a_hash(7)


def on(name: str) -> Callable[[Seen], bool]:
    return lambda seen: any(name in row for row in seen.text.splitlines() if row.startswith("▸"))


def long_log() -> FakeTierControl:
    control = scenes.idle()
    control.lines = [replace(control.lines[0], text=f"{'a long line ' * 12}the end of it")]
    return control


TO_LEAVING = ("3", "down")
CASES: dict[str, tuple[Callable[[], FakeTierControl], tuple[str, ...], Callable[[Seen], bool]]] = {
    "app.quit": (scenes.working, ("q",), has("Work is under way", "stop now", "stay")),
    "app.stop": (scenes.working, ("ctrl+c",), lambda seen: seen.app.return_value == 130),
    "app.help": (scenes.working, ("question_mark",), has("Keys", "Evict it now, whether or not room is short")),
    "app.back": (scenes.working, ("2", "escape"), has("[1 All]")),
    "view.next": (scenes.working, ("right",), has("[2 Queue 3]")),
    "view.previous": (scenes.working, ("left",), has("[5 Log]")),
    "log.open": (scenes.working, ("o",), noted("There is no log file yet")),
    "app.shell": (scenes.working, ("ctrl+z",), noted("This terminal cannot run a shell")),
    "app.duty": (scenes.working, ("D",), noted("There is no overview here")),
    "app.overview": (scenes.working, ("O",), noted("There is no overview here")),
    "app.theme": (scenes.working, ("t",), lambda seen: seen.app.theme == "light"),
    "tier.all": (scenes.working, ("4", "1"), has("[1 All]", "ubuntu-26.04", "Cosmos")),
    "tier.waiting": (scenes.working, ("2",), lambda seen: "ubuntu-26.04" in seen.text and "Cosmos" not in seen.text),
    "tier.candidates": (scenes.working, ("3",), lambda seen: "Cosmos" in seen.text and "ubuntu" not in seen.text),
    "tier.pins": (scenes.working, ("4",), has("[4 Pins 1]", "by command")),
    "tier.log": (scenes.working, ("5",), has("[5 Log]", "Finished copying Tears of Steel 2012 2160p HDR in 412.07 seconds")),
    "tier.next": (scenes.alarmed, ("T",), has("tier scratch 2/2", "/mnt/archive is full.")),
    "tier.round": (scenes.working, ("R",), asked("round", "ssd")),
    "tier.alarms": (scenes.alarmed, ("A",), has("Alarms", "Nothing is copied, relocated or deleted there")),
    "tier.pin": (scenes.working, (*TO_LEAVING, "p"), asked("pin", "ssd", LEAVES)),
    "tier.evict": (scenes.working, (*TO_LEAVING, "x", "x"), asked("evict", "ssd", LEAVES)),
    "tier.recopy": (scenes.working, (*TO_LEAVING, "c", "c"), asked("recopy", "ssd", LEAVES)),
    "tier.explain": (scenes.working, (*TO_LEAVING, "e"), has("Why", "shares files with Tears.of.Steel.Cross.Seed")),
    "tier.queue": (scenes.working, ("2", "down", "u"), asked("queue", "ssd", QUEUED)),
    "tier.copy": (scenes.working, (*TO_LEAVING, "y", "1"), lambda seen: seen.app.clipboard == LEAVES.hex),
    "list.filter": (scenes.working, ("slash", *"!state:stays", "enter"), lambda seen: "Cosmos" not in seen.text),
    "list.open": (scenes.working, ("enter",), asked("explain", "ssd", COPYING)),
    "list.down": (scenes.working, ("down",), on("Sintel")),
    "list.last": (scenes.working, ("end",), on("Glass Half")),
    "log.level": (scenes.working, ("5", "f"), lambda seen: "≥WARN" in seen.text),
    "log.wrap": (long_log, ("w",), has("the end of it")),
    "log.only": (scenes.working, ("end", "L"), has("log: 00000008")),
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
def test_a_key_does_what_its_tooltip_says(name: str):
    scene, pressed, holds = CASES[name]

    seen = session(scene(), *pressed)

    assert holds(seen), seen.text


def test_every_key_of_the_tiers_is_in_that_table():
    own = {binding.id for group in (keys.APP, keys.TORRENT) for binding in group}
    shared = {binding.id for binding in bindings.APP}

    assert own - set(CASES) == set()
    assert {name for _, group in keys.GROUPS for name in (binding.id for binding in group)} == own - shared


@pytest.mark.parametrize(
    ("scene", "pressed", "said"),
    [
        (scenes.working, ("x",), "is being copied"),
        (scenes.working, ("down", "x"), "is being evicted already"),
        (scenes.working, ("2", "down", "x"), "has no proven copy yet"),
        (scenes.working, ("4", "x"), "is pinned; p lets it leave again"),
        (scenes.report, ("x",), "the tier only reports"),
        (scenes.working, ("u",), "is worked on"),
        (scenes.working, ("3", "down", "u"), "has a proven copy"),
        (scenes.working, ("c",), "is worked on"),
        (scenes.empty, ("x",), "No torrent is chosen"),
        (scenes.no_tier, ("R",), "No tier is configured"),
        (scenes.working, ("T",), "There is no other tier"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_asked(
    scene: Callable[[], FakeTierControl], pressed: tuple[str, ...], said: str
):
    seen = session(scene(), *pressed)

    assert said in seen.notes
    assert seen.control.calls == []


def test_escape_at_the_question_evicts_nothing():
    seen = session(scenes.working(), *TO_LEAVING, "x", "escape")

    assert seen.control.calls == []


def test_a_pin_by_command_is_taken_back_and_one_by_label_is_not():
    taken = session(scenes.working(), "4", "p")
    by_label = scenes.working()
    by_label.show(pins=(PinView("box", PINNED, "Kept", GIB, "its label keep", by_command=False),))
    refused = session(by_label, "4", "p")

    assert taken.control.calls == [("unpin", "ssd", PINNED)]
    assert refused.control.calls == []
    assert "is pinned by its label keep" in refused.notes


def test_an_explanation_that_fails_says_what_happened_and_what_helps():
    control = scenes.working()
    control.refusal = Unreachable(
        "box does not answer.", kept="Nothing was changed.", remedy="Look whether rTorrent runs."
    )

    seen = session(control, "e")

    assert all(
        word in seen.text for word in ("box does not answer.", "Nothing was changed.", "Look whether rTorrent runs.")
    )


def test_an_explanation_is_waited_for_beside_the_screen():
    control = scenes.working()
    may_answer, answered = threading.Event(), []

    class Slow(FakeTierControl):
        def explain(self, *_about):
            assert may_answer.wait(60)
            return ("the answer",)

    slow = Slow(control.current)

    async def act(app: TierApp, pilot) -> None:
        await pilot.press("e")
        await settle(pilot)
        answered.append(dump(app))
        may_answer.set()
        await app.workers.wait_for_complete()
        await settle(pilot)
        answered.append(dump(app))

    drive(slow, act)
    assert "Looking at the client and the disks" in answered[0]
    assert "the answer" in answered[1]


# -- calm ----------------------------------------------------------------------------------------------------------------


def test_an_equal_picture_repaints_nothing():
    async def act(app: TierApp, pilot) -> None:
        rows = painted_rows(app)
        app.tick()
        await settle(pilot)
        assert rows == []

    drive(scenes.working(), act)


def test_one_changed_row_of_many_repaints_a_few_rows():
    control = scenes.many()

    async def act(app: TierApp, pilot) -> None:
        rows = painted_rows(app)
        control.show(works=(scenes.a_copy(fraction=0.9),))
        app.tick()
        await settle(pilot)
        assert 0 < len(rows) <= 3

    drive(control, act)


def test_a_list_of_1500_draws_what_is_seen_only(monkeypatch: pytest.MonkeyPatch):
    drawn: list[object] = []

    def counting(row, *arguments):
        drawn.append(row.key)
        return torrent_row(row, *arguments)

    monkeypatch.setattr("torrent_mover.tui.tiering.screens.torrent_row", counting)

    async def act(app: TierApp, pilot) -> None:
        assert len(set(drawn)) <= MIDDLE[1]
        await press_keys(app, pilot, "pagedown", "end")
        assert "Torrent.Number.1500" in dump(app)
        assert len(set(drawn)) <= 3 * MIDDLE[1]

    drive(scenes.many(), act)


def test_no_bar_goes_back():
    control = scenes.working()

    async def act(app: TierApp, pilot) -> None:
        control.show(works=(scenes.a_copy(fraction=0.3),))
        app.tick()
        await settle(pilot)
        assert "81%" in dump(app)
        control.show(works=(scenes.a_copy(fraction=0.1, started_at=AT),))
        app.tick()
        await settle(pilot)
        assert "10%" in dump(app)

    drive(control, act)


def test_the_cursor_goes_with_its_torrent_from_the_queue_into_its_copy():
    control = scenes.working()

    async def act(app: TierApp, pilot) -> None:
        await press_keys(app, pilot, "down", "down")
        first = control.current.tiers[0].queue[0]
        control.show(
            works=(scenes.a_copy(id=first.id, name=first.name, fraction=0.0),), queue=control.current.tiers[0].queue[1:]
        )
        app.tick()
        await settle(pilot)
        row = next(row for row in dump(app).splitlines() if row.startswith("▸"))
        assert "copying" in row
        assert "ubuntu-26.04" in row

    drive(control, act)


def test_a_torrent_has_one_row_wherever_it_stands():
    tier = scenes.a_tier(candidates=(*scenes.candidates(), scenes.a_candidate(0x9F3C0A11, "ubuntu", 6)))
    found = [row.key for row in torrent_rows(tier, TierList.ALL)]

    assert len(found) == len(set(found))
    assert torrent_rows(tier, TierList.QUEUE)[0].item.id == COPYING
    assert torrent_rows(tier, TierList.CANDIDATES)[0].item.id == EVICTING


def test_a_silent_worker_is_told_apart_from_an_idle_one():
    assert "● IDLE" in picture(scenes.idle(), NARROW)
    assert "✗ SILENT 4 min" in picture(scenes.alarmed(), NARROW)


def test_an_idle_tier_says_until_when():
    assert "idle, next round in 4:12" in picture(scenes.idle(), NARROW)


def test_a_round_that_did_nothing_is_no_note():
    control = scenes.idle()

    async def act(app: TierApp, pilot) -> None:
        control.emit(TierRoundEnded(AT, "ssd", 0, 0, 0, 0, 0, 0, 0.4))
        await settle(pilot)
        assert not app._notifications
        control.emit(TierRoundEnded(AT, "ssd", 2, 0, 0, 0, 0, 0, 0.4))
        await settle(pilot)
        assert [note.message for note in app._notifications] == ["tier ssd: 2 copied in 0.4 s"]

    drive(control, act)


# -- disks and alarms ----------------------------------------------------------------------------------------------------


def test_the_marks_stand_in_the_bar_where_the_disk_reaches_them():
    disk = scenes.a_disk(free=500 * GIB, total=1000 * GIB, low=100 * GIB, high=200 * GIB, critical=50 * GIB)

    bar = plain(disk_bar(disk, 100, Glyphs()))

    assert (bar.index("H"), bar.index("L"), bar.index("C")) == (80, 90, 95)
    assert bar.count("█") == 50
    assert len(bar) == 100


@pytest.mark.parametrize(("free", "tone"), [(500, Tone.BAR), (99, Tone.WARN), (49, Tone.BAD)])
def test_the_bar_takes_the_colour_of_the_mark_that_is_passed(free: int, tone: Tone):
    disk = scenes.a_disk(free=free * GIB, total=1000 * GIB, low=100 * GIB, high=200 * GIB, critical=50 * GIB)

    assert disk_bar(disk, 100, ASCII_GLYPHS)[0].tone is tone


@pytest.mark.parametrize("width", [1, 2, 3, 10, 100])
@pytest.mark.parametrize(
    "disk", [scenes.a_disk(total=0, free=0), scenes.a_disk(low=0, high=0, critical=0), scenes.a_target(low=10**18)]
)
def test_odd_figures_break_no_bar(width: int, disk):
    assert len(plain(disk_bar(disk, width, Glyphs()))) == width


def test_a_disk_that_is_away_is_red_and_has_no_figures():
    tier = scenes.alarmed().current.tiers[0]

    lines = disk_lines(tier, 80, Look(), 4)

    away = next(one for one in lines if "/downloads/hdd" in plain(one))
    assert away[-1].tone is Tone.BAD
    assert "away: it is not mounted" in plain(away)


@pytest.mark.parametrize("room", [1, 2, 3, 4, 8])
def test_disks_never_take_more_lines_than_they_have(room: int):
    tier = scenes.a_tier(disks=tuple(scenes.a_disk(path=f"/ssd{number}") for number in range(6)))

    assert len(disk_lines(tier, 80, Look(), room)) <= room


@pytest.mark.parametrize("room", [1, 2, 3, 4, 6, 8])
def test_an_alarm_is_red_with_the_line_that_helps_and_the_rest_is_counted(room: int):
    snapshot = scenes.alarmed().current

    lines = alarm_lines(snapshot, snapshot.tiers[0], 100, Look(), room)

    assert len(lines) <= room
    assert lines[0][0].tone is Tone.BAD
    assert "/downloads/hdd is not used" in plain(lines[0])
    if room >= 2:
        assert "What helps: Mount its disk at /downloads/hdd." in plain(lines[1])
    if 3 <= room < 6:
        assert "more alarm" in plain(lines[-1])


def test_alarms_of_all_tiers_are_counted_at_the_top():
    assert "⚠ 3" in picture(scenes.alarmed(), NARROW)


@pytest.mark.parametrize("room", [1, 2, 3, 10])
def test_the_past_fits_its_room(room: int):
    assert len(past_lines(scenes.a_tier(), AT, 60, Look(), room)) == min(room, 6)


def test_copies_that_torrents_left_behind_take_one_quiet_line():
    tier = replace(scenes.a_tier(), arr_waits=(), left=3, left_bytes=5 * GIB)
    lines = [plain(each) for each in past_lines(tier, AT, 80, Look(), 10)]

    assert lines[0].rstrip() == "3 copies left by torrents, 5.0 GiB: torrent-mover tier --left"


# -- every size, every terminal ------------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("scene", scenes.SCENES)
def test_every_row_is_as_wide_as_the_terminal(scene: str):
    async def act(app: TierApp, pilot) -> None:
        for key in ("1", "2", "3", "4", "5"):
            await press_keys(app, pilot, key)
            for size in ((60, 15), *SIZES.values()):
                await resized(pilot, size)
                strips = app.screen._compositor.render_strips()
                assert {strip.cell_length for strip in strips} == {size[0]}, (key, size)
                assert len(strips) == size[1], (key, size)

    drive(scenes.SCENES[scene](), act, (60, 15))


@pytest.mark.thorough
@pytest.mark.parametrize("scene", ["working", "alarmed", "hostile", "stuck"])
def test_a_terminal_without_unicode_gets_ascii_only(scene: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "linux")
    shown: dict[str, str] = {}

    async def act(app: TierApp, pilot) -> None:
        shown[""] = dump(app)
        for pressed in ("A", "question_mark", "e", "3", "q"):
            await press_keys(app, pilot, pressed)
            shown[pressed] = dump(app)
            await press_keys(app, pilot, "escape")

    drive(scenes.SCENES[scene](), act, graph="auto")
    assert len(set(shown.values())) == 6
    for pressed, text in shown.items():
        assert {one for one in text if not one.isascii()} == set(), pressed


@pytest.mark.parametrize("theme", ["light", "contrast", "mono"])
def test_every_theme_says_the_same(theme: str):
    assert picture(scenes.alarmed(), MIDDLE, theme=theme) == picture(scenes.alarmed(), MIDDLE, theme="dark")


def test_a_window_that_is_made_smaller_and_larger_again_looks_as_before():
    async def act(app: TierApp, pilot) -> None:
        before = dump(app)
        for size in (NARROW, (40, 10), MIDDLE):
            await pilot.resize_terminal(*size)
            await settle(pilot)
        assert dump(app) == before

    drive(scenes.working(), act)


def test_a_terminal_that_is_too_small_is_told_so():
    shown = picture(scenes.working(), (40, 10))

    assert "40x10 is too small: 60x15 or more, or" in shown
    assert "● WORKING" in shown


def test_a_tier_that_goes_away_breaks_nothing():
    control = scenes.alarmed()

    async def act(app: TierApp, pilot) -> None:
        await press_keys(app, pilot, "T")
        control.current = TierSnapshot(AT, "4.0.0")
        app.tick()
        await settle(pilot)
        assert "no tier is configured" in dump(app)
        await press_keys(app, pilot, "x", "p", "c", "e", "u", "y", "enter", "R", "A")

    drive(control, act)
    assert control.calls == []


# -- leaving -------------------------------------------------------------------------------------------------------------


def test_leaving_asks_only_while_something_is_done():
    idle = session(scenes.idle(), "q")
    busy = session(scenes.working(), "q", "n")
    stays = session(scenes.working(), "q", "escape")

    assert idle.control.calls == [("stop", False)]
    assert busy.control.calls == [("stop", True)]
    assert stays.control.calls == []


def test_who_only_looks_on_stops_nothing():
    looked = session(scenes.report(), "q")
    stopped = session(scenes.report(), "ctrl+c")

    assert looked.control.calls == stopped.control.calls == []


def test_a_second_interrupt_does_not_wait():
    heard: list[ExitCode] = []
    control = scenes.working()
    app = TierApp(control, DashboardOptions(theme="dark"), heard.append)

    app._stop_by(ExitCode.INTERRUPTED)
    app._stop_by(ExitCode.INTERRUPTED)

    assert control.calls == [("stop", False), ("stop", True)]


def test_after_the_end_nothing_is_promised():
    control = scenes.working()
    control.show(phase=TierPhase.ENDED, works=())

    seen = session(control, *TO_LEAVING, "x", "p", "u", "R")

    assert control.calls == []
    assert seen.notes.count("The worker has ended") == 4
    assert session(control, "q").control.calls == []


def test_leaving_ends_the_subscription():
    control = scenes.idle()

    async def act(*_: object) -> None:
        assert len(control.listeners) == 1

    drive(control, act)
    assert control.listeners == []


def test_workers_that_are_gone_close_the_screen():
    control = scenes.working()

    async def act(app: TierApp, pilot) -> None:
        app._gone = lambda: True
        app.tick()
        await settle(pilot)
        assert app._exit

    drive(control, act)


def test_a_picture_of_another_tier_keeps_the_one_that_is_looked_at():
    control = scenes.alarmed()

    async def act(app: TierApp, pilot) -> None:
        await press_keys(app, pilot, "T")
        control.current = replace(control.current, at=AT + 1)
        app.tick()
        await settle(pilot)
        assert "tier scratch 2/2" in dump(app)

    drive(control, act)


def test_on_a_terminal_q_leaves_it_as_it_was():
    terminal = Terminal("-m", "tests.tui.tier_play", "--scene", "idle", "--theme", "dark")
    try:
        terminal.read_until(b"next round in")
        terminal.type(b"q")
        assert terminal.end() == 0
        assert b"left with None, calls [('stop', False)]" in terminal.output
        assert restored(terminal.output)
    finally:
        terminal.close()


def test_over_the_lower_mark_nothing_must_leave_unless_a_round_still_goes_on_to_the_upper_one():
    tier, busy = scenes.idle().current.tiers[0], scenes.working().current.tiers[0]
    begun = replace(tier, works=tuple(work for work in busy.works if work.task is TierTask.EVICT))
    said = [" ".join(plain(row) for row in disk_lines(each, 120, Look(), 6)) for each in (tier, begun)]

    assert begun.works
    assert ["nothing must leave" in each for each in said] == [True, False]
    assert "more leaves, up to the upper mark" in said[1]
