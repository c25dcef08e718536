"""Every key does what its tooltip says. The table below is checked to name every binding there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.control import FakeControl
from tests.fakes.snapshots import MIB, a_hash
from tests.tui.pilot import MIDDLE, NARROW, drive, dump, settle, until_shown
from tests.tui.scenes import SCENES
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.app import MoverApp
from torrent_mover.tui.shell.base import ScreenView

pytestmark = pytest.mark.thorough

FIRST, SECOND, RETRYING = a_hash(1), a_hash(0x5E0D9913), a_hash(0x77AA01FE)
WAITING = a_hash(100)


@dataclass
class Seen:
    """What a session left behind."""

    app: MoverApp
    control: FakeControl
    text: str
    before: str

    def asked(self, *call: object) -> bool:
        return call in self.control.calls


def session(
    scene: str, *keys: str, size: tuple[int, int] = NARROW, prepare: Callable[[FakeControl], None] | None = None
) -> Seen:
    """Press keys on that scene; the last key is the one that is tested."""
    control = SCENES[scene]()
    if prepare:
        prepare(control)
    texts: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        for number, key in enumerate(keys, 1):
            if number == len(keys):
                await settle(pilot)
                texts.append(dump(app))
            await pilot.press(key)
            if len(key) > 1 or number == len(keys):
                await settle(pilot)
            if app._exit:
                texts.append("")
                return
        texts.append(dump(app))

    app = drive(control, act, size)
    return Seen(app, control, texts[-1], texts[-2])


def only_one_that_is_paused(control: FakeControl) -> None:
    control.show(moves=control.current.moves[:1])
    control.change_move(FIRST, standing=MoveStatus.PAUSED)


def row_of(text: str, name: str) -> str:
    return next(row for row in text.splitlines() if name in row)


def cursor_row(text: str) -> str:
    return next(row for row in text.splitlines() if row.startswith("▸"))


def has(*words: str) -> Callable[[Seen], bool]:
    return lambda seen: all(word in seen.text for word in words)


def asked(*call: object) -> Callable[[Seen], bool]:
    return lambda seen: seen.asked(*call)


def moved_to(name: str) -> Callable[[Seen], bool]:
    return lambda seen: name in cursor_row(seen.text)


Case = tuple[str, tuple[str, ...], Callable[[Seen], bool]]

CASES: dict[str, Case] = {
    "app.quit": ("running", ("q",), has("Bytes are moving", "stop now", "stay")),
    "app.stop": ("running", ("ctrl+c",), lambda seen: seen.asked("stop", False) and seen.app.return_value == 130),
    "app.help": ("running", ("question_mark",), has("Keys", "Pause or resume every torrent")),
    "app.palette": ("running", ("ctrl+p",), has("Search for commands")),
    "app.back": ("running", ("2", "escape"), lambda seen: seen.app.current_mode == "dashboard"),
    "app.theme": ("running", ("t",), lambda seen: seen.app.theme == "light"),
    "view.dashboard": ("running", ("2", "1"), lambda seen: seen.app.current_mode == "dashboard"),
    "view.queue": ("running", ("2",), has("[2 Queue]", "Why not yet", "tracker on ignore list")),
    "view.history": ("running", ("3",), has("[3 History]", "last 7 days: 3 moved, 1 copied")),
    "view.health": ("running", ("4",), has("[4 Servers]", "watchdog", "this machine")),
    "view.log": ("running", ("5",), has("[5 Log]", "resumed at 2.1 GiB")),
    "view.preflight": ("running", ("0",), has("Pre-flight", "all checks passed")),
    "view.next": ("running", ("right",), has("[2 Queue]")),
    "view.previous": ("running", ("h",), has("[5 Log]")),
    "run.pause": ("running", ("p",), asked("pause", None)),
    "run.bandwidth": ("running", ("b",), has("Bandwidth of all torrents together", "45M")),
    "run.rescan": ("running", ("R",), asked("rescan")),
    "log.open": ("running", ("o",), has("There is no log file yet")),
    "app.shell": ("running", ("ctrl+z",), has("This terminal cannot run a shell")),
    "app.duty": ("running", ("D",), has("There is no overview here")),
    "app.overview": ("running", ("O",), has("There is no overview here")),
    "torrent.pause": ("running", ("space",), asked("pause", FIRST)),
    "torrent.retry": ("running", ("down", "down", "down", "r"), asked("retry", RETRYING)),
    "torrent.skip": ("running", ("s",), asked("skip", FIRST)),
    "torrent.cancel": ("running", ("x",), has("Cancel?", "staging folder is removed", "goes on seeding")),
    "torrent.earlier": ("running", ("2", "down", "P"), asked("reorder", WAITING, -1)),
    "torrent.later": ("running", ("2", "down", "N"), asked("reorder", WAITING, 1)),
    "torrent.copy": ("running", ("y",), has("Copy", "hash", "path on the host")),
    "torrent.problem": ("failed", ("e",), has("A problem", "sudo chown", "TM-E121")),
    "list.down": ("running", ("j",), moved_to("Sintel")),
    "list.up": ("running", ("down", "k"), moved_to("Big.Buck")),
    "list.page_down": ("many", ("pagedown",), moved_to("拥抱艳阳天")),
    "list.page_up": ("many", ("pagedown", "pageup"), moved_to("Big.Buck")),
    "list.first": ("many", ("end", "home"), moved_to("Big.Buck")),
    "list.last": ("many", ("end",), moved_to("Some.Show.S14E19")),
    "list.open": ("running", ("enter",), has("[Files]", "00003.m2ts", "Extras/trailer")),
    "list.filter": (
        "running", ("slash", *"sintel", "enter"), lambda seen: "Sintel" in cursor_row(seen.text) and "debian" not in seen.text
    ),
    "queue.mark": (
        "running", ("2", "space"), lambda seen: "●   1" in row_of(seen.text, "Spring") and "1 torrent marked, 61.0 GiB" in seen.text
    ),
    "queue.mark_all": ("running", ("2", "a"), has("7 torrents marked, 181.8 GiB")),
    "queue.sort": ("running", ("2", "S"), has("▼Size", "Shown the largest first")),
    "queue.clear": ("running", ("2", "tab", "c"), asked("retry", a_hash(0x801))),
    "graph.out": ("running", ("right_square_bracket",), has("-300 s")),
    "graph.in": ("running", ("right_square_bracket", "left_square_bracket"), has("-60 s")),
    "graph.sync": ("running", ("equals_sign",), has("Each graph to its own scale")),
    "log.level": ("running", ("f",), lambda seen: "≥WARN" in seen.text and "resumed at" not in seen.text),
    "log.follow": ("running", ("5", "home", "F"), has("F follow:on")),
    "log.wrap": ("running", ("w",), has("kept [TM-E305] [/red]")),
    "log.only": ("running", ("L",), lambda seen: "log: 00000001" in seen.text and "recheck 45 %" not in seen.text),
    "detail.next": ("running", ("enter", "right"), has("[Pieces]", "899 verified", "1 bad")),
    "detail.previous": ("running", ("enter", "comma"), has("[Info]", "/mnt/data/downloads/Bunny")),
    "history.again": ("running", ("3", "down", "down", "down", "c"), asked("retry", a_hash(0x903))),
    "history.handled": ("running", ("3", "down", "down", "down", "m"), asked("dismiss", a_hash(0x903))),
    "history.export": ("running", ("3", "e"), has("Export to", "torrent-mover-history.csv")),
    "history.copy": ("running", ("3", "y"), has("Copy", a_hash(0x900).hex)),
    "history.graph": (
        "running", ("3", "g"), lambda seen: "rate of each run" in seen.before and "rate of each run" not in seen.text
    ),
    "preflight.check": ("refused", ("c",), asked("check_again")),
    "preflight.fix": ("refused", ("w",), asked("accept", "ssh nas:22")),
    "preflight.copy": ("refused", ("y",), lambda seen: seen.app.clipboard.startswith("Compare it on nas: ssh-keygen")),
    "preflight.go": ("refused", ("d",), lambda seen: "Pre-flight  " in seen.before and "Stage" in seen.text),
    "error.again": ("failed", ("e", "c"), asked("retry", FIRST)),
    "error.copy": ("failed", ("e", "y"), lambda seen: seen.app.clipboard.startswith("sudo chown media:media")),
    "error.skip": ("failed", ("e", "s"), asked("skip", FIRST)),
    "error.log": ("failed", ("e", "l"), has("[Log]", "pull started")),
    "error.details": ("failed", ("e", "d"), has("[Files]")),
    "error.later": ("failed", ("e", "escape"), lambda seen: "A problem" in seen.before and "A problem" not in seen.text),
}  # fmt: skip

ALL = [binding for _, group in bindings.GROUPS for binding in group]


def test_the_table_names_every_binding():
    assert set(CASES) == {binding.id for binding in ALL}


@pytest.mark.parametrize("name", CASES)
def test_key_does_what_it_says(name: str):
    scene, keys, right = CASES[name]

    seen = session(scene, *keys)

    assert right(seen), f"{seen.control.calls}\n{seen.text}"


def test_every_binding_has_a_name_of_its_own_and_a_tooltip():
    names = [binding.id for binding in ALL]

    assert len(names) == len(set(names))
    assert all(binding.id and binding.tooltip and binding.description for binding in ALL)


def test_no_key_is_taken_twice_in_one_place():
    for heading, group in bindings.GROUPS:
        keys = [key for binding in group for key in binding.key.split(",")]
        assert len(keys) == len(set(keys)), heading


def test_no_list_takes_a_key_from_its_screen():
    lists = {key for binding in bindings.LIST for key in binding.key.split(",")}

    for heading, group in bindings.GROUPS:
        if group is not bindings.LIST and heading != "Lists":
            assert not lists & {key for binding in group for key in binding.key.split(",")}, heading


def test_space_on_a_paused_torrent_resumes_it():
    seen = session("running", "space", prepare=only_one_that_is_paused)

    assert seen.asked("resume", FIRST)


def test_p_on_a_paused_run_goes_on():
    seen = session("running", "p", prepare=lambda control: control.show(phase=Phase.PAUSED))

    assert seen.asked("resume", None)


@pytest.mark.parametrize(("key", "now"), [("s", False), ("n", True)])
def test_leaving_stops_the_engine_as_chosen(key: str, now: bool):
    seen = session("running", "q", key)

    assert seen.control.calls == [("stop", now)]
    assert seen.app.return_value is None
    assert seen.app.return_code == 0


def test_staying_stops_nothing():
    seen = session("running", "q", "escape")

    assert seen.control.calls == []
    assert "Bytes are moving" not in seen.text


def test_q_does_not_ask_when_nothing_moves():
    assert session("empty", "q").control.calls == [("stop", False)]


def test_q_after_the_end_asks_nothing_of_the_engine():
    assert session("finished", "q").control.calls == []


def test_cancel_needs_a_second_key():
    assert session("running", "x", "escape").control.calls == []
    assert session("running", "x", "x").control.calls == [("cancel", FIRST)]


@pytest.mark.parametrize(("typed", "limit"), [("5M", 5 * MIB), ("off", float("inf")), ("pause", 0), ("", None)])
def test_bandwidth_limits_what_is_typed(typed: str, limit: float | None):
    seen = session("running", "b", "ctrl+u", *typed, "enter")

    assert seen.control.calls == [("limit", limit)]


def test_bandwidth_says_what_is_wrong_and_asks_nothing():
    seen = session("running", "b", "ctrl+u", "5", "enter")

    assert "Write 5K or 5M" in seen.text
    assert seen.control.calls == []


def test_a_limit_of_zero_is_no_word_for_either():
    seen = session("running", "b", "ctrl+u", "0", "enter")

    assert "write off for no limit, or pause" in seen.text
    assert seen.control.calls == []


def test_copy_puts_the_chosen_text_on_the_clipboard():
    assert session("running", "y", "1").app.clipboard == FIRST.hex
    assert session("running", "y", "3").app.clipboard == "/mnt/data/downloads/Bunny"


def test_keys_act_on_all_that_are_marked():
    seen = session("running", "2", "space", "space", "s")

    assert seen.control.calls == [("skip", RETRYING), ("skip", WAITING)]


def test_enter_in_the_queue_opens_the_details():
    assert "debian-13" in session("running", "2", "down", "down", "enter").text.splitlines()[0]


def test_export_writes_a_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    target = Path("h.csv")

    first = session("running", "3", "e", "ctrl+u", *str(target), "enter", size=MIDDLE)
    again = session("running", "3", "e", "ctrl+u", *str(target), "enter", size=MIDDLE)

    assert target.read_text(encoding="utf-8").startswith("infohash,name,size,")
    assert "Cosmos.Laundromat.2015" in target.read_text(encoding="utf-8")
    assert "Wrote 5 entries" in first.text
    assert "exists already" in again.text


def test_a_click_on_a_row_chooses_it_and_a_second_one_opens_it():
    control = SCENES["running"]()
    seen: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        await pilot.click("#moves", offset=(10, 2))
        await settle(pilot)
        seen.append(dump(app))
        await pilot.click("#moves", offset=(10, 2), times=2)
        await settle(pilot)
        seen.append(dump(app))

    drive(control, act)

    assert "Tears of Steel" in cursor_row(seen[0])
    assert "[Files]" in seen[1]


def test_drawing_the_mouse_over_rows_of_the_queue_marks_them():
    control = SCENES["running"]()
    seen: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("2")
        await settle(pilot)
        await pilot.mouse_down("#waiting", offset=(10, 0))
        for y in (1, 3, 2):
            await pilot.hover("#waiting", offset=(10, y))
            await settle(pilot)
            seen.append(dump(app))
        await pilot.mouse_up("#waiting", offset=(10, 2))
        await pilot.hover("#waiting", offset=(10, 0))
        await settle(pilot)
        seen.append(dump(app))

    drive(control, act)

    marked = [re.findall(r"(\d) torrents marked", text) for text in seen]
    assert marked == [["2"], ["4"], ["3"], ["3"]]


def test_a_click_on_a_key_in_the_footer_presses_it():
    control = SCENES["running"]()
    seen: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        await pilot.click(".keys", offset=(10, 0))
        await settle(pilot)
        seen.append(dump(app))

    drive(control, act)

    assert "Keys and words   (esc back)" in seen[0]


def test_the_wheel_moves_the_cursor():
    control = SCENES["many"]()
    seen: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        app.screen.query_one("#moves").action_page_down()
        await settle(pilot)
        assert isinstance(app.screen, ScreenView)
        seen.append(dump(app))

    drive(control, act)

    assert "拥抱艳阳天" in cursor_row(seen[0])


def test_the_palette_opens_a_torrent_with_a_hostile_name():
    control = SCENES["hostile"]()
    seen: list[str] = []

    async def act(app: MoverApp, pilot) -> None:
        await pilot.press("ctrl+p", *"1080p")
        await app.workers.wait_for_complete()
        await until_shown(app, pilot, "Show [1080p][/red]")
        await pilot.press("down", "enter")
        await settle(pilot)
        seen.append(dump(app))

    drive(control, act)

    assert "Show [1080p][/red] [bold]x[/]" in seen[0].splitlines()[0]
