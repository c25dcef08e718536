"""One loop at work, as a screen sees it: its last look, what it did, and how its thread is."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Final

from torrent_mover.domain.report.health import (
    ActView,
    HealthBinView,
    HealthFindingView,
    HealthLoopView,
    HealthPhase,
    PatientView,
)
from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.belonging import not_ours
from torrent_mover.duties.health.caps import counted_today
from torrent_mover.duties.health.explaining import explain_lines, in_words
from torrent_mover.duties.health.judging import Assessment, Verdict
from torrent_mover.duties.health.model import ActionRecord, ActionState, HealthAction, HealthHold
from torrent_mover.duties.health.needs import HealthJournal
from torrent_mover.duties.health.settings import HealthMode, HealthSettings
from torrent_mover.duties.health.worker import HealthReport
from torrent_mover.engine.hub.loops import LoopState, LoopView

_SHOWN: Final = 200
"""Actions that a screen shows, the newest."""
_UNDOABLE: Final = (HealthAction.REPLACE, HealthAction.RETIRE)

PHASES: Final = {
    LoopState.LOOKING: HealthPhase.LOOKING,
    LoopState.WAITING: HealthPhase.WAITING,
    LoopState.RESTARTING: HealthPhase.RESTARTING,
    LoopState.PARKED: HealthPhase.PARKED,
    LoopState.PAUSED: HealthPhase.PAUSED,
    LoopState.STUCK: HealthPhase.STUCK,
    LoopState.ENDED: HealthPhase.ENDED,
}


class HealthStand:
    """What a screen knows of one loop. Safe from any thread."""

    def __init__(self, name: str, settings: HealthSettings, journal: HealthJournal) -> None:
        self.name = name
        self.settings = settings
        self.journal = journal
        self._lock = threading.Lock()
        self._seen: Assessment | None = None
        self._trouble: Trouble | None = None
        self._looked_at: float | None = None
        self._records: Sequence[ActionRecord] | None = None
        self._holds: Sequence[HealthHold] | None = None

    def looked(self, report: HealthReport, at: float) -> None:
        """A look has ended at `at` (Unix seconds)."""
        error = report.error
        with self._lock:
            self._looked_at = at
            self._trouble = None if error is None else Trouble(error.code, error.what, error.kept, error.remedy)
            if report.assessment is not None:
                self._seen = report.assessment
            self._records = self._holds = None

    def stale(self) -> None:
        """Something was written down: read it again."""
        with self._lock:
            self._records = self._holds = None

    def view(self, at: float, thread: LoopView | None) -> HealthLoopView:
        """The picture now. `thread`: how the loop's own is; None: there is none."""
        settings = self.settings
        with self._lock:
            seen, trouble, looked_at = self._seen, self._trouble, self._looked_at
            records, holds = self._kept()
        phase = HealthPhase.ABSENT if thread is None else PHASES[thread.state]
        waits = None if thread is None or thread.next_look_in is None else at + thread.next_look_in
        if thread is not None and thread.error and trouble is None:
            remedy = "R begins it again." if phase is HealthPhase.PARKED else ""
            trouble = Trouble("", thread.error, "Nothing was done.", remedy)
        return HealthLoopView(
            self.name,
            settings.client,
            settings.mode is HealthMode.ACT,
            phase,
            looked_at,
            waits,
            0 if seen is None else len(seen.verdicts),
            "" if seen is None else seen.truth.blind,
            "" if seen is None else seen.truth.waiting,
            () if seen is None else tuple(seen.look.notes),
            trouble,
            settings.removals_per_look,
            settings.removals_per_day,
            len(counted_today(records, at)),
            () if seen is None else tuple(_patients(self.name, seen, holds, at)),
        )

    def acts(self) -> Sequence[ActView]:
        """What was done, newest first."""
        with self._lock:
            records, _ = self._kept()
        return [_act(each) for each in sorted(records, key=lambda each: -each.number)[:_SHOWN]]

    def bin(self) -> Sequence[HealthBinView]:
        """What lies in its bins, newest first."""
        entries = [each for each in self.journal.bin_entries() if each.emptied_at is None]
        return [
            HealthBinView(each.number, self.name, each.torrent, each.name, each.at, each.size)
            for each in reversed(entries)
        ]

    def disks(self) -> Mapping[str, int]:
        """The disks of its downloads -> free bytes, by the last look. A disk is called by the shortest save path on it."""
        with self._lock:
            seen = self._seen
        pictures = () if seen is None else seen.look.pictures.values()
        found: dict[str, tuple[str, int]] = {}
        for each in pictures:
            if each.disk is not None:
                path = str(each.torrent.save_path)
                known = found.get(each.disk.name)
                if known is None or len(path) < len(known[0]):
                    found[each.disk.name] = (path, each.disk.free)
        return dict(found.values())

    def explain(self, torrent: InfoHash) -> Sequence[str]:
        """All about one torrent, by the last look; empty: no look has seen it."""
        with self._lock:
            seen = self._seen
        if seen is None or torrent not in seen.look.pictures:
            return ()
        verdict = seen.verdicts.get(torrent) or Verdict(seen.look.pictures[torrent], not_ours(seen.look))
        return explain_lines(self.name, verdict, seen, self.settings)

    def name_of(self, torrent: InfoHash) -> str:
        """What the client calls it."""
        with self._lock:
            picture = self._seen.look.pictures.get(torrent) if self._seen is not None else None
        return picture.torrent.name if picture is not None else torrent.short

    def _kept(self) -> tuple[Sequence[ActionRecord], Sequence[HealthHold]]:
        if self._records is None or self._holds is None:
            self._records, self._holds = self.journal.actions(), self.journal.holds()
        return self._records, self._holds


def _patients(loop: str, seen: Assessment, holds: Sequence[HealthHold], at: float) -> list[PatientView]:
    """Torrents with a finding or an intent, and those that a person holds: due first, then the oldest."""
    held = {
        each.torrent: each.until if each.until is not None else float("inf")
        for each in holds
        if each.until is None or each.until > at
    }
    capped = {each.intent: each.why for each in seen.capped}
    found = [
        _patient(loop, verdict, capped.get(verdict.intent, "") if verdict.intent else "", held.get(torrent))
        for torrent, verdict in seen.verdicts.items()
        if verdict.findings or verdict.intent or torrent in held
    ]
    return sorted(found, key=_weight)


def _weight(patient: PatientView) -> tuple[bool, bool, float, str]:
    first = patient.first
    return (first is None, first is not None and not first.due, first.since if first else 0.0, patient.name)


def _patient(loop: str, verdict: Verdict, capped: str, held: float | None) -> PatientView:
    torrent, intent = verdict.picture.torrent, verdict.intent
    changes = intent is not None and intent.action not in (HealthAction.REPORT, HealthAction.OFF)
    return PatientView(
        loop,
        torrent.id,
        torrent.name,
        torrent.client_state,
        torrent.progress,
        torrent.size,
        torrent.category,
        tuple(
            HealthFindingView(each.code.value, each.since, each.held, each.needs, each.strikes, each.due, each.evidence)
            for each in verdict.findings
        ),
        in_words(intent.action) if intent is not None and changes else "",
        changes,
        intent.vetoes if intent is not None else (),
        capped,
        verdict.skipped,
        held,
        held is not None,
    )


def _act(record: ActionRecord) -> ActView:
    return ActView(
        record.number,
        record.at,
        record.loop,
        record.torrent,
        record.name,
        in_words(record.action),
        record.code.value,
        record.reason,
        record.evidence,
        record.state.value,
        record.state in (ActionState.FAILED, ActionState.REFUSED),
        record.action in _UNDOABLE and record.state is ActionState.DONE,
        record.trouble,
        tuple((each.step, each.at, each.result) for each in record.steps),
    )
