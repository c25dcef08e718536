"""The API of the health of downloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torrent_mover.domain.errors import MoverError, UsageError
from torrent_mover.domain.quantities import parse_duration
from torrent_mover.domain.report.health import ActView, HealthBinView, HealthFindingView, HealthSearchView, PatientView
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.health_control import HealthControl
from torrent_mover.web.endpoints import Ask, Done, Endpoint, order

ROWS_A_PAGE = 100
_LOOP = {"loop": (str, "")}


@dataclass(frozen=True, slots=True)
class HealthRow:
    """A torrent with something to tell. `intent`: what is or would be done, blank: nothing; `vetoes` say why not now.

    `skipped`: why it is not judged. `held_until` in Unix seconds where a person holds it, null with `held`: until released.
    """

    hash: str
    name: str
    loop: str
    state: str
    progress: float
    findings: tuple[HealthFindingView, ...]
    intent: str
    vetoes: tuple[str, ...]
    skipped: str
    held: bool
    held_until: float | None


@dataclass(frozen=True, slots=True)
class HealthRows:
    """One page of rows; `total` of all pages."""

    rows: tuple[HealthRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class HealthStep:
    """A step of an action. Unix seconds."""

    step: str
    at: float
    result: str


@dataclass(frozen=True, slots=True)
class HealthActionRow:
    """What was done, or begun. `id` is of its loop; `undoable`: it can be taken back."""

    id: int
    loop: str
    at: float
    hash: str
    name: str
    action: str
    reason: str
    evidence: str
    steps: tuple[HealthStep, ...]
    state: str
    trouble: str
    undoable: bool


@dataclass(frozen=True, slots=True)
class HealthTold:
    """All about one torrent, by the last look of its loop. `row` null: nothing is wrong with it. `lines`: for people."""

    hash: str
    loop: str
    row: HealthRow | None
    lines: tuple[str, ...]
    actions: tuple[HealthActionRow, ...]


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """For how long a torrent is left alone, as 7d; blank: until it is released."""

    time: str = ""


def endpoints(
    control: HealthControl,
    bins: Callable[[], Sequence[HealthBinView]],
    searches: Callable[[], Sequence[HealthSearchView]],
) -> Sequence[Endpoint]:
    """Over that control. `bins`, `searches`: what the journal has of all loops, newest first."""

    def on_one(name: str, summary: str) -> Endpoint:
        def act(ask: Ask) -> None:
            getattr(control, name)(_loop_of(control, ask), ask.torrent)

        return Endpoint("POST", f"/torrents/{{hash}}/{name}", summary, order(act), Done, query=_LOOP)

    def hold(ask: Ask) -> None:
        control.hold(_loop_of(control, ask), ask.torrent, _seconds(ask.body.time))

    def undo(ask: Ask) -> None:
        act = _action(control, ask)
        control.undo(act.loop, act.number)

    return (
        Endpoint(
            "GET", "/torrents", "Torrents with findings, those that are due first.", lambda ask: _torrents(control, ask),
            HealthRows, query={**_LOOP, "code": (str, ""), "due": (int, 0), "q": (str, ""), "page": (int, 1)},
        ),
        Endpoint(
            "GET", "/torrents/{hash}", "All about one, by the last look.", lambda ask: _told(control, ask), HealthTold,
            query=_LOOP,
        ),
        Endpoint("POST", "/torrents/{hash}/hold", "Leave it alone.", order(hold), Done, HoldOrder, _LOOP),
        on_one("release", "Judge it again."),
        on_one("reset", "Forget what was found of it: its clocks begin anew."),
        on_one("act", "Do now what would be done, after another look; obligations and caps hold."),
        Endpoint(
            "GET", "/actions", "What was done since `after` (Unix seconds), newest first.",
            lambda ask: tuple(_action_row(each) for each in control.snapshot().acts if each.at > ask.query["after"]),
            tuple[HealthActionRow, ...], query={"after": (float, 0.0)},
        ),
        Endpoint("POST", "/actions/{id}/undo", "Take an action back: files and torrent.", order(undo), Done, query=_LOOP),
        Endpoint("GET", "/bin", "What lies in the bins.", lambda _ask: tuple(bins()), tuple[HealthBinView, ...]),
        Endpoint(
            "GET", "/searches", "What was searched for, and what waits.", lambda _ask: tuple(searches()),
            tuple[HealthSearchView, ...],
        ),
    )  # fmt: skip


def _torrents(control: HealthControl, ask: Ask) -> HealthRows:
    code, text, loop = ask.query["code"], ask.query["q"].casefold(), ask.query["loop"]
    found = [
        patient
        for each in control.snapshot().loops
        for patient in each.patients
        if loop in ("", each.name)
        and text in f"{patient.name} {patient.id.hex}".casefold()
        and (not code or any(finding.code == code for finding in patient.findings))
        and (not ask.query["due"] or any(finding.due for finding in patient.findings))
    ]
    first = (max(ask.query["page"], 1) - 1) * ROWS_A_PAGE
    return HealthRows(tuple(_row(each) for each in found[first : first + ROWS_A_PAGE]), len(found))


def _told(control: HealthControl, ask: Ask) -> HealthTold:
    torrent, loop = ask.torrent, _loop_of(control, ask)
    lines = tuple(control.explain(loop, torrent))
    seen = control.snapshot()
    row = next(
        (_row(patient) for each in seen.loops for patient in each.patients if patient.key == (loop, torrent)),
        None,
    )
    done = tuple(_action_row(each) for each in seen.acts if (each.loop, each.id) == (loop, torrent))
    return HealthTold(torrent.hex, loop, row, lines, done)


def _loop_of(control: HealthControl, ask: Ask) -> str:
    """The loop that was named, or the only one that knows the torrent. Raises UsageError."""
    names = [loop.name for loop in control.snapshot().loops]
    wanted: str = ask.query["loop"]
    if wanted and wanted not in names:
        raise UsageError(f"There is no such loop; there are: {', '.join(names)}.", kept="Nothing was changed.")
    torrent = ask.torrent
    knowing = [name for name in ([wanted] if wanted else names) if _knows(control, name, torrent)]
    if not knowing:
        raise UsageError(
            "No look has seen that torrent yet.",
            kept="Nothing was changed.",
            remedy="Copy the infohash from the client.",
        )
    if len(knowing) > 1:
        raise UsageError(
            f"Several loops look after it: {', '.join(knowing)}.",
            kept="Nothing was changed.",
            remedy="Name one with ?loop=",
        )
    return knowing[0]


def _knows(control: HealthControl, loop: str, torrent: InfoHash) -> bool:
    try:
        return bool(control.explain(loop, torrent))
    except MoverError:
        return False


def _action(control: HealthControl, ask: Ask) -> ActView:
    """Raises UsageError."""
    found = [
        each
        for each in control.snapshot().acts
        if str(each.number) == ask.path["id"] and ask.query["loop"] in ("", each.loop)
    ]
    if len(found) != 1:
        raise UsageError(
            "Several loops have an action of that number." if found else "There is no such action.",
            kept="Nothing was changed.",
            remedy="Name the loop with ?loop=" if found else "GET /api/v1/actions lists what was done.",
        )
    return found[0]


def _seconds(text: str) -> float | None:
    """None: until it is released. Raises UsageError."""
    if not text.strip():
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{clause(error)}.", kept="Nothing was held.", remedy="Write for example 7d.") from error


def _row(patient: PatientView) -> HealthRow:
    until = patient.held_until
    vetoes = (*patient.vetoes, *((patient.capped,) if patient.capped else ()))
    return HealthRow(
        patient.id.hex, patient.name, patient.loop, patient.state, patient.progress, patient.findings, patient.would,
        vetoes, patient.skipped, patient.held, None if until == float("inf") else until,
    )  # fmt: skip


def _action_row(act: ActView) -> HealthActionRow:
    steps = tuple(HealthStep(*each) for each in act.steps)
    return HealthActionRow(
        act.number, act.loop, act.at, act.id.hex, act.name, act.action, act.reason, act.evidence, steps, act.state,
        act.trouble, act.undoable,
    )  # fmt: skip
