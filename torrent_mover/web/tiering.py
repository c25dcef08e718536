"""The API of the tiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torrent_mover.domain.errors import UsageError
from torrent_mover.domain.report.tiers import TierSnapshot
from torrent_mover.domain.text import counted
from torrent_mover.ports.tier_control import TierControl
from torrent_mover.web.endpoints import Ask, Done, Endpoint, order, torrent_of


@dataclass(frozen=True, slots=True)
class HashesToQueue:
    """Torrents to be copied. `tier` may be left out where there is one."""

    hashes: tuple[str, ...]
    tier: str = ""


@dataclass(frozen=True, slots=True)
class QueuedCopies:
    """What was queued."""

    queued: int
    tier: str


@dataclass(frozen=True, slots=True)
class ExplanationLines:
    """Why a torrent is where it is, in lines."""

    lines: tuple[str, ...]


def endpoints(control: TierControl) -> Sequence[Endpoint]:
    """Over that control."""

    def on_one(name: str, summary: str) -> Endpoint:
        def act(ask: Ask) -> None:
            getattr(control, name)(_tier(control, ask.path["tier"]), ask.torrent)

        return Endpoint("POST", f"/tiers/{{tier}}/torrents/{{hash}}/{name}", summary, order(act), Done)

    def queue(ask: Ask) -> QueuedCopies:
        tier = _tier(control, ask.body.tier)
        torrents = [torrent_of(text) for text in ask.body.hashes]
        for torrent in torrents:
            control.queue(tier, torrent)
        return QueuedCopies(len(torrents), tier)

    def explain(ask: Ask) -> ExplanationLines:
        return ExplanationLines(tuple(control.explain(_tier(control, ask.path["tier"]), ask.torrent)))

    return (
        Endpoint("GET", "/tiers", "The picture of all tiers.", lambda _ask: control.snapshot(), TierSnapshot),
        Endpoint("POST", "/tier/queue", "Queue torrents to be copied: for hooks.", queue, QueuedCopies, HashesToQueue),
        Endpoint(
            "POST",
            "/tiers/{tier}/round",
            "Look for finished torrents and free space now.",
            order(lambda ask: control.request_round(_tier(control, ask.path["tier"]))),
            Done,
        ),
        Endpoint(
            "GET", "/tiers/{tier}/torrents/{hash}/explain", "Why it is where it is. Asks the client.", explain, ExplanationLines
        ),
        on_one("pin", "Keep it on the SSD."),
        on_one("unpin", "Let it leave the SSD again."),
        on_one("evict", "Let it leave the SSD now; every check holds."),
        on_one("recopy", "Make a fresh copy; the old one is kept aside."),
        on_one("queue", "Copy it in its turn; one that rests is tried at once."),
    )  # fmt: skip


def _tier(control: TierControl, name: str) -> str:
    """The tier of that name, or the only one. Raises UsageError."""
    names = [tier.name for tier in control.snapshot().tiers]
    if not name and len(names) == 1:
        return names[0]
    if name not in names:
        known = ", ".join(names)
        raise UsageError(
            f"There {'are' if len(names) > 1 else 'is'} {counted(len(names), 'tier')}: {known}.",
            kept="Nothing was queued.",
        )
    return name
