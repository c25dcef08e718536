"""How the rounds of one account stand: the picture by what is written down, and what a person has agreed to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.report.debrid import (
    DebridAccountView,
    DebridFindingView,
    DebridPhase,
    DebridRepairView,
    DebridRetryView,
    SetAsideView,
)
from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.debrid_journal import DebridJournal
from torrent_mover.duties.debrid.needs import DebridWorld
from torrent_mover.duties.debrid.records import RepairEnd, RepairRecord, ScanMode
from torrent_mover.duties.debrid.rounds import REFUSED
from torrent_mover.duties.debrid.settings import DebridSettings
from torrent_mover.duties.debrid.telling import BROKEN, at, reasons_of, would_do
from torrent_mover.duties.debrid.turns import RetryEntry
from torrent_mover.duties.debrid.verdicts import DebridFinding
from torrent_mover.engine.hub.loops import LoopState, LoopView

_FRESH: Final = 1.0
"""Seconds for which a picture serves everybody who looks."""

_PHASES: Final = {
    LoopState.LOOKING: DebridPhase.WORKING,
    LoopState.WAITING: DebridPhase.WAITING,
    LoopState.RESTARTING: DebridPhase.RESTARTING,
    LoopState.PARKED: DebridPhase.PARKED,
    LoopState.PAUSED: DebridPhase.PAUSED,
    LoopState.STUCK: DebridPhase.STUCK,
    LoopState.ENDED: DebridPhase.ENDED,
}


@dataclass(frozen=True, slots=True)
class DebridOrders:
    """What people want of a round: `agreed` is acted on also where the account only reports; `by_hand` is looked at first."""

    agreed: frozenset[InfoHash] = frozenset()
    by_hand: tuple[InfoHash, ...] = ()


class DebridStand:
    """Safe from any thread. `world` makes what an order works with; `now` is Unix seconds."""

    def __init__(
        self,
        name: str,
        settings: DebridSettings,
        journal: DebridJournal,
        world: Callable[[], DebridWorld],
        now: Callable[[], float],
    ) -> None:
        self.name = name
        self.journal = journal
        self.world = world
        self._settings = settings
        self._now = now
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._trouble: Trouble | None = None
        self._asked: set[InfoHash] = set()
        self._agreed: set[InfoHash] = set()
        self._by_hand: list[InfoHash] = []
        self._picture: tuple[float, DebridAccountView] | None = None

    # -- the rounds ----------------------------------------------------------------------------------------------------

    def begin(self) -> DebridOrders:
        """A round begins; what people want of it."""
        with self._lock:
            self._agreed |= self._asked
            self._asked.clear()
            by_hand, self._by_hand = tuple(dict.fromkeys(self._by_hand)), []
            self._picture = None
            return DebridOrders(frozenset(self._agreed), by_hand)

    def rested(self, trouble: Trouble | None) -> None:
        """The round has ended, with that trouble. What was begun by order goes on in the next one."""
        begun = {record.hash for record in self.journal.repairs() if record.open}
        begun |= {record.hash for record in self.journal.escalations() if record.under_way}
        with self._lock:
            self._agreed &= begun
            self._trouble, self._looked_at, self._picture = trouble, self._now(), None

    def agree(self, torrents: Iterable[InfoHash]) -> None:
        """The next round acts on these."""
        with self._lock:
            self._asked |= set(torrents)

    def ask_for(self, torrent: InfoHash) -> None:
        """The next round looks at this one first, and does not wait for a second look."""
        with self._lock:
            self._by_hand.append(torrent)

    def stale(self) -> None:
        """Something was changed: the next picture is a new one."""
        with self._lock:
            self._picture = None

    # -- looking -------------------------------------------------------------------------------------------------------

    def explain(self, torrent: InfoHash) -> Sequence[str]:
        """Why something is done about a torrent, or is not."""
        return reasons_of(self.journal, self._settings, torrent)

    def view(self, thread: LoopView | None = None) -> DebridAccountView:
        """The account as it stands now. `thread`: how its loop is; None: there is none."""
        now = self._now()
        with self._lock:
            if self._picture is None or not 0 <= now - self._picture[0] < _FRESH:
                self._picture = now, self._draw(now)
            picture = self._picture[1]
        if thread is None:
            return picture
        again = None if thread.next_look_in is None else now + thread.next_look_in
        return replace(picture, phase=_PHASES[thread.state], next_look_at=again)

    def _draw(self, now: float) -> DebridAccountView:
        journal, settings = self.journal, self._settings
        note, pace, full = journal.note(), journal.pace(), journal.scan(ScanMode.FULL)
        entries = sum(entry.there for entry in journal.entries().values())
        repairs = sorted(journal.repairs(), key=lambda each: (not each.open, -each.changed_at))
        retries = journal.retries()
        waves = [wave for wave in map(journal.wave, (REFUSED, BROKEN)) if wave is not None and not wave.accepted]
        held = tuple(
            f"{wave.number} are {wave.what} at once. torrent-mover debrid accept {wave.what} {wave.number}"
            for wave in waves
        )
        closed, parked = pace.get("closed_until") or 0.0, pace.get("parked_until") or 0.0
        return DebridAccountView(
            self.name,
            settings.type.value,
            settings.acts,
            DebridPhase.ABSENT,
            self._looked_at,
            None,
            note.good_at,
            note.premium_seconds,
            note.slots_used,
            note.slots,
            pace.get("rate"),
            closed if closed > now else 0.0,
            parked if parked > now else 0.0,
            full.offset if full.under_way else entries,
            full.total or entries,
            held,
            self._trouble,
            self._findings(repairs, retries, now, wave=bool(waves)),
            tuple(self._repair(record) for record in repairs),
            tuple(
                DebridRetryView(
                    self.name, each.hash, each.name, each.reason, each.tries, settings.max_attempts, each.due,
                    each.given_up,
                )
                for each in sorted(retries, key=lambda each: (each.given_up, each.due))
            ),
            tuple(
                SetAsideView(self.name, row.id, InfoHash(row.hash), row.path, row.reason, row.at)
                for row in sorted(journal.quarantine(), key=lambda each: -each.at)
                if row.place and not row.restored_at
            ),
        )  # fmt: skip

    def _findings(
        self, repairs: Iterable[RepairRecord], retries: Iterable[RetryEntry], now: float, *, wave: bool
    ) -> tuple[DebridFindingView, ...]:
        begun = {record.hash for record in repairs if record.open}
        known = {entry.hash: entry for entry in retries}
        found = sorted(self.journal.findings(), key=lambda each: (not each.proven, each.first_at))
        views = []
        for each in found:
            against = _against(each, known.get(each.hash), now, begun=each.hash in begun, wave=wave)
            views.append(
                DebridFindingView(
                    self.name, each.hash, each.name, each.fault.value, each.first_at, each.looks, each.proven_by,
                    each.said, each.links, each.fault.final, would_do(each, self._settings), against,
                )
            )  # fmt: skip
        return tuple(views)

    def _repair(self, record: RepairRecord) -> DebridRepairView:
        return DebridRepairView(
            self.name,
            record.hash,
            record.name,
            record.stage.value if record.open else record.end.value,
            record.open,
            record.end is RepairEnd.REPAIRED,
            len(record.wanted),
            record.began_at,
            record.changed_at,
            min(max(record.progress, 0.0), 1.0),
            record.old_id,
            record.new_id,
            record.trouble,
        )


def _against(finding: DebridFinding, retry: RetryEntry | None, now: float, *, begun: bool, wave: bool) -> str:
    """Why nothing is begun with it now."""
    reasons = (
        (begun, "it is being repaired"),
        (not finding.proven, "only suspected: it is looked at again"),
        (wave, "too many at once: nothing is done until a person accepts the number"),
        (retry is not None and retry.given_up, "given up after the last try"),
        (retry is not None and retry.due > now, f"tried again {at(retry.due) if retry else ''}"),
    )
    return next((words for true, words in reasons if true), "")
