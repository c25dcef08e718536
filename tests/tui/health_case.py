"""States of the health of downloads as FakeHealthControls, and what runs their screen without a terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.fakes.health_control import FakeHealthControl
from tests.fakes.snapshots import AT, GIB, a_hash
from tests.tui.duty_case import DutyCase
from tests.tui.scenes import HOSTILE
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.health import (
    ActView,
    HealthFindingView,
    HealthLoopView,
    HealthPhase,
    HealthSnapshot,
    PatientView,
)
from torrent_mover.domain.report.snapshot import LogLine, Trouble
from torrent_mover.tui.health.app import HealthApp

HOUR, DAY = 3600.0, 86400.0
STALLED, MAGNET, LOST, HELD, PRIVATE, DONE = (a_hash(number) for number in range(1, 7))
EXPLANATION = (
    "Show.S02E05  00000001  tv  stalledDL 12 %  not private",
    "picture  true: 9 of 14 trackers answer",
    "stalled    no byte, at 12%; 27 h of 24 h, strikes 3 of 3",
    "chosen   replace (stalled: no byte, at 12%)",
)


def a_finding(code: str, held: float, needs: float, evidence: str = "no byte, at 12%") -> HealthFindingView:
    strikes = 3 if held >= needs else int(held * 3 // needs)
    return HealthFindingView(code, AT - held, held, needs, strikes, held >= needs, evidence)


def a_patient(torrent, name: str, *findings: HealthFindingView, **changes: Any) -> PatientView:
    plain = PatientView("tv", torrent, name, "stalledDL", 0.12, 4 * GIB, "tv", findings)
    return replace(plain, **changes)


PATIENTS = (
    a_patient(STALLED, "Show.S02E05", a_finding("stalled", 27 * HOUR, DAY), would="replace", changes=True),
    a_patient(
        PRIVATE,
        "Film.2021",
        a_finding("unregistered", 30 * HOUR, DAY, "t.org says: unregistered torrent"),
        would="retire",
        changes=True,
        vetoes=("hit-and-run: 2d 4h of 3d seeded",),
    ),
    a_patient(MAGNET, "Magnet.2026", a_finding("no_metadata", 1.4 * HOUR, 2 * HOUR, "no metadata"), progress=0.0),
    a_patient(LOST, "Movie.2021", a_finding("lost_data", 0.0, 0.0, "missing files"), would="locate", changes=True),
    a_patient(HELD, "Kept.2020", held_until=float("inf"), held=True),
)
REPLACED = ActView(
    12, AT - HOUR, "tv", DONE, "Old.S01E01", "replace", "stalled", "stalled: no byte, at 0%", "no byte, at 0%", "done",
    undoable=True, steps=(("blocked", AT - HOUR, "in tv"), ("retired", AT - HOUR + 2, ""), ("binned", AT - HOUR + 3, "")),
)  # fmt: skip
RECHECKED = ActView(
    11, AT - DAY, "tv", LOST, "Movie.2021", "recheck", "errored", "errored", "error", "failed",
    failed=True, trouble="The disk is read-only.",
)  # fmt: skip


def a_loop(name: str = "tv", **changes: Any) -> HealthLoopView:
    plain = HealthLoopView(
        name, "box", True, HealthPhase.WAITING, AT - 40, AT + 260, 214, a_look=3, a_day=20, today=1, patients=PATIENTS
    )
    return replace(plain, **changes)


def a_control(*loops: HealthLoopView, acts: tuple[ActView, ...] = (REPLACED, RECHECKED)) -> FakeHealthControl:
    control = FakeHealthControl(HealthSnapshot(AT, "4.0.0", loops, acts))
    control.lines = [
        LogLine(1, AT - 60, Level.INFO, STALLED, "stalled: Show.S02E05: no byte, at 12%"),
        LogLine(2, AT - 50, Level.WARN, LOST, "recheck Movie.2021: The disk is read-only."),
    ]
    control.explanation = EXPLANATION
    return control


def acting() -> FakeHealthControl:
    return a_control(a_loop())


def reporting() -> FakeHealthControl:
    return a_control(a_loop(acts=False), acts=())


def well() -> FakeHealthControl:
    return a_control(a_loop(patients=()), acts=())


def blind() -> FakeHealthControl:
    dead = Trouble("", "KeyError: 'x'", "Nothing was done.", "R begins it again.")
    return a_control(
        a_loop(blind="none of 9 started torrents has a working tracker, a peer or a byte, and there is no DHT"),
        a_loop("films", acts=False, phase=HealthPhase.PARKED, trouble=dead, patients=()),
    )


def hostile() -> FakeHealthControl:
    patients = tuple(
        a_patient(a_hash(50 + number), name, a_finding("stalled", 30 * HOUR, DAY, name), would="replace", changes=True)
        for number, name in enumerate(HOSTILE)
    )
    return a_control(a_loop(patients=patients), acts=())


def none() -> FakeHealthControl:
    return a_control(acts=())


SCENES: dict[str, Callable[[], FakeHealthControl]] = {
    "acting": acting, "reporting": reporting, "well": well, "blind": blind, "hostile": hostile, "none": none,
}  # fmt: skip

CASE = DutyCase(HealthApp)
drive, pictures, picture, session = CASE.drive, CASE.pictures, CASE.picture, CASE.session
