"""States of debrid accounts as FakeDebridControls, and what runs their screen without a terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.fakes.debrid_control import FakeDebridControl
from tests.fakes.snapshots import AT, a_hash
from tests.tui.duty_case import DutyCase
from tests.tui.scenes import HOSTILE
from torrent_mover.domain.report.debrid import (
    DebridAccountView,
    DebridFindingView,
    DebridPhase,
    DebridRepairView,
    DebridRetryView,
    DebridSnapshot,
    SetAsideView,
)
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.snapshot import LogLine, Trouble
from torrent_mover.tui.debrid.app import DebridApp

HOUR, DAY = 3600.0, 86400.0
DEAD, HALF, BANNED, BEGUN, MENDED, WAITS = (a_hash(number) for number in range(1, 7))
EXPLANATION = (
    "K7 Show.S01: dead, 0 links, 8 files",
    "dead (dead): proven: the account says so, first 2026-11-20 03:00",
    "not now: mode = report",
)


def a_finding(torrent, name: str, fault: str, **changes: Any) -> DebridFindingView:
    plain = DebridFindingView("rd", torrent, name, fault, AT - 2 * HOUR, proof="the account says so", would="repair")
    return replace(plain, **changes)


FINDINGS = (
    a_finding(DEAD, "Show.S01", "dead", said="dead", links=("/media/tv/Show/e1.mkv", "/media/tv/Show/e2.mkv")),
    a_finding(BANNED, "Film.2021", "refused by the service", said="infringing_file (35)", final=True, would=""),
    a_finding(HALF, "Docu.2019", "fewer links than files", proof="", against="only suspected: it is looked at again"),
)
REPAIRS = (
    DebridRepairView("rd", BEGUN, "Begun.S02", "waiting", True, False, 8, AT - HOUR, AT - 60, 0.43, "K1", "K2"),
    DebridRepairView("rd", MENDED, "Mended.S03", "repaired", False, True, 8, AT - DAY, AT - DAY + 90, 1.0, "K3", "K4"),
)
RETRIES = (DebridRetryView("rd", WAITS, "Uncached.2020", "not cached, without progress", 2, 3, AT + 2 * HOUR),)
ASIDE = (
    SetAsideView("rd", "3f2a-00c0ffee", BANNED, "/media/films/Film.2021.mkv", "refused by the service", AT - HOUR),
)


def an_account(name: str = "rd", **changes: Any) -> DebridAccountView:
    plain = DebridAccountView(
        name, "realdebrid", True, DebridPhase.WAITING, AT - 40, AT + 560, AT - 40, 63 * DAY, 2, 10, 2.1, seen=4000,
        total=12004, findings=FINDINGS, repairs=REPAIRS, retries=RETRIES, aside=ASIDE,
    )  # fmt: skip
    return replace(plain, **changes)


def a_control(*accounts: DebridAccountView) -> FakeDebridControl:
    control = FakeDebridControl(DebridSnapshot(AT, "4.0.0", accounts))
    control.lines = [
        LogLine(1, AT - 60, Level.INFO, MENDED, "Mended.S03: 8/8 files proven"),
        LogLine(2, AT - 50, Level.WARN, BANNED, "Film.2021 is refused: infringing_file"),
    ]
    control.explanation = EXPLANATION
    return control


def acting() -> FakeDebridControl:
    return a_control(an_account())


def reporting() -> FakeDebridControl:
    return a_control(an_account(acts=False, repairs=(), retries=(), aside=()))


def well() -> FakeDebridControl:
    return a_control(an_account(findings=(), repairs=(), retries=(), aside=()))


def stopped() -> FakeDebridControl:
    gone = Trouble("TM-E222", "The account box cannot be used: its premium has ended.", "", "Renew it.")
    return a_control(
        an_account(held=("7 are refused at once. torrent-mover debrid accept refused 7",), closed_until=AT + 90),
        an_account("box", phase=DebridPhase.WORKING, findings=(), repairs=(), retries=(), aside=(), slots=None,
                   parked_until=AT + 5 * HOUR, premium=2 * DAY, trouble=gone),
    )  # fmt: skip


def hostile() -> FakeDebridControl:
    findings = tuple(a_finding(a_hash(50 + each), name, "dead", said=name) for each, name in enumerate(HOSTILE))
    return a_control(an_account(findings=findings, repairs=(), retries=(), aside=()))


def begun() -> FakeDebridControl:
    return a_control(DebridAccountView("rd", "realdebrid", False, DebridPhase.ABSENT))


SCENES: dict[str, Callable[[], FakeDebridControl]] = {
    "acting": acting, "reporting": reporting, "well": well, "stopped": stopped, "hostile": hostile, "begun": begun,
}  # fmt: skip

CASE = DutyCase(DebridApp)
drive, pictures, picture, session = CASE.drive, CASE.pictures, CASE.picture, CASE.session
