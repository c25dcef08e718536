"""The API of debrid accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.quantities import parse_duration
from torrent_mover.domain.report.debrid import (
    DebridAccountView,
    DebridFindingView,
    DebridRepairView,
    DebridRetryView,
    SetAsideView,
)
from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.domain.text import clause, counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.debrid_control import DebridControl
from torrent_mover.web.endpoints import Ask, Done, Endpoint, order

_ACCOUNT: Mapping[str, tuple[Any, Any]] = {"account": (str, "")}


@dataclass(frozen=True, slots=True)
class DebridStatus:
    """One account, as `DebridAccountView` has it. `plan`: the infohashes that acting would work on now."""

    name: str
    service: str
    mode: str
    phase: str
    looked_at: float | None
    next_look_at: float | None
    good_at: float
    premium: float
    slots_used: int
    slots: int | None
    pace: float | None
    closed_until: float
    parked_until: float
    seen: int
    total: int
    suspect: int
    proven: int
    repairing: int
    done: int
    plan: tuple[str, ...]
    held: tuple[str, ...]
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class DebridNumber:
    """One number that was written down at `at` (Unix seconds)."""

    account: str
    at: float
    type: str
    name: str
    value: float
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DebridTold:
    """Why something is done about a torrent, or is not, in lines."""

    account: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountedPlan:
    """Acting on the plan of an account: `count` is how many torrents somebody has read that it has."""

    count: int
    account: str = ""


class _Numbers(Protocol):
    def __call__(self, account: str, since: float) -> Sequence[DebridNumber]:
        """The numbers of an account since then (Unix seconds), the oldest first."""


class _TorrentAt(Protocol):
    def __call__(self, account: str, path: str) -> InfoHash:
        """The torrent that a link of the library leads to. Raises UsageError."""


def endpoints(control: DebridControl, numbers: _Numbers, torrent_at: _TorrentAt) -> Sequence[Endpoint]:
    """Over that control."""

    def rows(name: str, summary: str, kind: type[Any]) -> Endpoint:
        def found(ask: Ask) -> Sequence[Any]:
            part = "aside" if name == "quarantine" else name
            return [row for account in _accounts(control, ask) for row in getattr(account, part)]

        return Endpoint("GET", f"/debrid/{name}", summary, found, tuple[kind, ...], query=_ACCOUNT)  # type: ignore[valid-type]

    def metrics(ask: Ask) -> Sequence[DebridNumber]:
        since = control.snapshot().at - _seconds(ask.query["since"])
        return [number for account in _accounts(control, ask) for number in numbers(account.name, since)]

    def explain(ask: Ask) -> DebridTold:
        account = _account(control, ask.query["account"]).name
        return DebridTold(account, tuple(control.explain(account, ask.torrent)))

    def act(ask: Ask) -> None:
        account = _account(control, ask.body.account)
        if ask.body.count != len(account.plan) or not account.plan:
            raise UsageError(
                f"The plan has {counted(len(account.plan), 'torrent')} now, not {ask.body.count}.",
                kept="Nothing was begun.",
                remedy="Read the plan again: GET /api/v1/debrid/status",
            )
        control.act(account.name, account.plan)

    def repair(ask: Ask) -> None:
        account = _account(control, ask.query["account"]).name
        if not ask.query["path"]:
            raise UsageError("Which link? Add ?path=/media/tv/Show/e1.mkv", kept="Nothing was begun.")
        control.repair(account, torrent_at(account, ask.query["path"]))

    def on_one(act: Callable[[str, Ask], None]) -> Callable[[Ask], Done]:
        return order(lambda ask: act(_account(control, ask.query["account"]).name, ask))

    return (
        Endpoint(
            "GET", "/debrid/status", "How the accounts stand.",
            lambda ask: tuple(map(_status, _accounts(control, ask))), tuple[DebridStatus, ...], query=_ACCOUNT,
        ),
        rows("findings", "What failed or died, what is proven first.", DebridFindingView),
        rows("repairs", "Repairs with their stage: those that go on, then the newest.", DebridRepairView),
        rows("retries", "What is tried again, and when.", DebridRetryView),
        rows("quarantine", "Links that are set aside.", SetAsideView),
        Endpoint(
            "GET", "/debrid/metrics", "The numbers of the last while, the oldest first.", metrics,
            tuple[DebridNumber, ...], query={**_ACCOUNT, "since": (str, "1d")},
        ),
        Endpoint(
            "GET", "/debrid/torrents/{hash}", "Why something is done about it, or is not.", explain, DebridTold,
            query=_ACCOUNT,
        ),
        Endpoint(
            "POST", "/debrid/scan", "Begin a round now.",
            on_one(lambda account, _ask: control.request_scan(account)), Done, query=_ACCOUNT,
        ),
        Endpoint(
            "POST", "/debrid/act", "Act on the plan once, in mode = report too; guards and caps hold.", order(act), Done,
            CountedPlan,
        ),
        Endpoint(
            "POST", "/debrid/repair", "Look now at what a link leads to, and repair it: for players.", order(repair), Done,
            query={**_ACCOUNT, "path": (str, "")},
        ),
        Endpoint(
            "POST", "/debrid/torrents/{hash}/retry", "It is due now: the next round tries it again.",
            on_one(lambda account, ask: control.retry(account, ask.torrent)), Done, query=_ACCOUNT,
        ),
        Endpoint(
            "POST", "/debrid/quarantine/{id}/restore", "Put a link back; overwrites nothing.",
            on_one(lambda account, ask: control.restore(account, ask.path["id"])), Done, query=_ACCOUNT,
        ),
    )  # fmt: skip


def _accounts(control: DebridControl, ask: Ask) -> Sequence[DebridAccountView]:
    """The one that was named, or all. Raises UsageError."""
    wanted: str = ask.query["account"]
    return [_account(control, wanted)] if wanted else control.snapshot().accounts


def _account(control: DebridControl, wanted: str) -> DebridAccountView:
    """The one that was named, or the only one. Raises UsageError."""
    every = control.snapshot().accounts
    found = [account for account in every if wanted in ("", account.name)]
    if len(found) != 1:
        names = ", ".join(account.name for account in every)
        what = "There is no such account" if wanted else "There are several accounts"
        raise UsageError(f"{what}: {names}.", kept="Nothing was changed.", remedy="Name one of them as account.")
    return found[0]


def _status(account: DebridAccountView) -> DebridStatus:
    return DebridStatus(
        account.name, account.service, "act" if account.acts else "report", account.phase.value, account.looked_at,
        account.next_look_at, account.good_at, account.premium, account.slots_used, account.slots, account.pace,
        account.closed_until, account.parked_until, account.seen, account.total, account.suspect, account.proven,
        account.repairing, account.done, tuple(torrent.hex for torrent in account.plan), account.held, account.trouble,
    )  # fmt: skip


def _seconds(text: str) -> float:
    """Raises UsageError."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{clause(error)}.", remedy="Write for example ?since=7d.") from error
