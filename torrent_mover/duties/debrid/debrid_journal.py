"""What is known of one account, kept in the journal's documents."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from torrent_mover.domain.debrid.limiter import PACE_KEY, PACE_TABLE
from torrent_mover.domain.plain_data import from_plain, to_plain
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.records import (
    AccountNote,
    BrokenLink,
    ControlLink,
    DebridAttempt,
    EscalationRecord,
    KnownEntry,
    Metric,
    MountMeasure,
    QuarantinedLink,
    RepairRecord,
    ScanMode,
    ScanRecord,
    Wave,
)
from torrent_mover.duties.debrid.turns import RetryEntry
from torrent_mover.duties.debrid.verdicts import DebridFinding, LinkTrial
from torrent_mover.ports.documents import Documents

_TORRENTS, _FINDINGS, _REPAIRS, _RETRIES = "torrents", "findings", "repairs", "retries"
_SCANS, _ATTEMPTS, _QUARANTINE, _METRICS = "scans", "attempts", "quarantine", "metrics"
_MOUNTS, _WAVES, _NOTE, _TRIALS, _CONTROL = "mounts", "waves", "account", "link_trials", "control"
_ESCALATIONS, _LINKS, _REMOVALS = "escalations", "links", "removals"
_ONLY: Final = "only"
_ATTEMPTS_KEPT: Final = 100_000
_METRICS_KEPT: Final = 200_000

Record = TypeVar("Record")


class DebridJournal:
    """Safe from any thread. The catalogue is read once and written through: one process at a time works on an account."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._lock = threading.Lock()
        self._catalogue: dict[str, KnownEntry] | None = None

    def _all(self, table: str, shape: type[Record]) -> Sequence[Record]:
        return tuple(from_plain(shape, each) for each in self._documents.all(table))

    def _one(self, table: str, key: str, shape: type[Record]) -> Record | None:
        found = self._documents.get(table, key)
        return None if found is None else from_plain(shape, found)

    # The catalogue

    def entries(self) -> Mapping[str, KnownEntry]:
        """All entries that were ever seen, by id; those that are gone have a `gone_at`."""
        with self._lock:
            return dict(self._known())

    def entry(self, id: str) -> KnownEntry | None:  # noqa: A002
        """One entry."""
        with self._lock:
            return self._known().get(id)

    def _known(self) -> dict[str, KnownEntry]:
        if self._catalogue is None:
            self._catalogue = {entry.id: entry for entry in self._all(_TORRENTS, KnownEntry)}
        return self._catalogue

    def of_hash(self, torrent: InfoHash) -> Sequence[KnownEntry]:
        """The entries of one hash, those that are gone included."""
        return tuple(entry for entry in self.entries().values() if entry.hash == torrent)

    def save_entries(self, entries: Iterable[KnownEntry]) -> None:
        """Write what is new or has changed."""
        with self._lock:
            known = self._known()
            changed = {entry.id: entry for entry in entries if known.get(entry.id) != entry}
            self._documents.put_many(_TORRENTS, {key: to_plain(entry) for key, entry in changed.items()})
            known.update(changed)

    def note_removal(self, id: str) -> None:  # noqa: A002
        """We are about to remove this entry: the list of the account may be shorter by it."""
        self._documents.put(_REMOVALS, id, {"id": id})

    def removals(self) -> frozenset[str]:
        """Entries that we have removed, or were about to, since the last sound list."""
        return frozenset(str(each["id"]) for each in self._documents.all(_REMOVALS))

    def forget_removals(self) -> None:
        """A sound list was taken: from now on it is the measure."""
        self._documents.delete_many(_REMOVALS, self.removals())

    def long_gone(self, before: float) -> Sequence[str]:
        """Entries that the account lists no longer since `before` (Unix seconds), and that nothing leads to or works on."""
        needed = {finding.hash for finding in self.findings()}
        needed |= {InfoHash(link.hash) for link in self.broken_links() if link.hash}
        needed |= {record.hash for record in self.repairs() if record.open}
        needed |= {entry.hash for entry in self.retries()}
        return [each.id for each in self.entries().values() if 0 < each.gone_at < before and each.hash not in needed]

    def forget_entries(self, ids: Iterable[str]) -> None:
        """Drop entries that are long gone."""
        with self._lock:
            gone = tuple(ids)
            self._documents.delete_many(_TORRENTS, gone)
            for each in gone:
                self._known().pop(each, None)

    # Findings, retries, repairs

    def findings(self) -> Sequence[DebridFinding]:
        """All of them, the oldest first."""
        return self._all(_FINDINGS, DebridFinding)

    def finding(self, torrent: InfoHash) -> DebridFinding | None:
        """What is wrong with one torrent."""
        return self._one(_FINDINGS, torrent.hex, DebridFinding)

    def save_finding(self, finding: DebridFinding) -> None:
        """Write it in place of what is known of this torrent."""
        self._documents.put(_FINDINGS, finding.hash.hex, to_plain(finding))

    def forget_findings(self, torrents: Iterable[InfoHash]) -> None:
        """Nothing is wrong with these any more."""
        self._documents.delete_many(_FINDINGS, tuple(torrent.hex for torrent in torrents))

    def retries(self) -> Sequence[RetryEntry]:
        """All retries."""
        return self._all(_RETRIES, RetryEntry)

    def retry(self, torrent: InfoHash) -> RetryEntry | None:
        """The retry of one torrent."""
        return self._one(_RETRIES, torrent.hex, RetryEntry)

    def save_retry(self, entry: RetryEntry) -> None:
        """Write it."""
        self._documents.put(_RETRIES, entry.hash.hex, to_plain(entry))

    def drop_retry(self, torrent: InfoHash) -> None:
        """It is over."""
        self._documents.delete(_RETRIES, torrent.hex)

    def repairs(self) -> Sequence[RepairRecord]:
        """All repairs, ended ones included until they are purged."""
        return self._all(_REPAIRS, RepairRecord)

    def repair(self, torrent: InfoHash) -> RepairRecord | None:
        """The last repair of one torrent."""
        return self._one(_REPAIRS, torrent.hex, RepairRecord)

    def save_repair(self, record: RepairRecord) -> None:
        """Write it, before what it says is done."""
        self._documents.put(_REPAIRS, record.hash.hex, to_plain(record))

    def escalations(self) -> Sequence[EscalationRecord]:
        """All of them."""
        return self._all(_ESCALATIONS, EscalationRecord)

    def save_escalation(self, record: EscalationRecord) -> None:
        """Write it, before what it says is done."""
        self._documents.put(_ESCALATIONS, f"{record.hash.hex} {record.link}", to_plain(record))

    # Scans, mounts, links

    def scan(self, mode: ScanMode) -> ScanRecord:
        """The last scan of a mode."""
        return self._one(_SCANS, mode.value, ScanRecord) or ScanRecord(mode)

    def save_scan(self, record: ScanRecord) -> None:
        """Write it."""
        self._documents.put(_SCANS, record.mode.value, to_plain(record))

    def measure(self, path: str) -> MountMeasure | None:
        """The last sound look at a mount."""
        return self._one(_MOUNTS, path, MountMeasure)

    def save_measure(self, measure: MountMeasure) -> None:
        """Write it."""
        self._documents.put(_MOUNTS, measure.path, to_plain(measure))

    def forget_measures(self) -> None:
        """A new measure is taken of every mount, and of the account."""
        self._documents.delete_many(_MOUNTS, tuple(each.path for each in self._all(_MOUNTS, MountMeasure)))

    def wave(self, what: str) -> Wave | None:
        """What hit many at once, and waits for a person."""
        return self._one(_WAVES, what, Wave)

    def save_wave(self, wave: Wave) -> None:
        """Write it."""
        self._documents.put(_WAVES, wave.what, to_plain(wave))

    def drop_wave(self, what: str) -> None:
        """It is over."""
        self._documents.delete(_WAVES, what)

    def broken_links(self) -> Sequence[BrokenLink]:
        """The links that the last scan found broken."""
        return self._all(_LINKS, BrokenLink)

    def save_broken(self, links: Sequence[BrokenLink]) -> None:
        """What is broken now, in place of what was."""
        now = {link.path: to_plain(link) for link in links}
        self._documents.delete_many(_LINKS, [each.path for each in self.broken_links() if each.path not in now])
        self._documents.put_many(_LINKS, now)

    def quarantine(self) -> Sequence[QuarantinedLink]:
        """All links that were set aside, those put back included until they are purged."""
        return self._all(_QUARANTINE, QuarantinedLink)

    def save_quarantined(self, link: QuarantinedLink) -> None:
        """Write it."""
        self._documents.put(_QUARANTINE, link.id, to_plain(link))

    def forget_quarantined(self, ids: Iterable[str]) -> None:
        """Drop rows."""
        self._documents.delete_many(_QUARANTINE, tuple(ids))

    def trial(self, key: str) -> LinkTrial | None:
        """A link that was called dead once. `key` names the entry and its file, never the link itself."""
        return self._one(_TRIALS, key, LinkTrial)

    def save_trial(self, key: str, trial: LinkTrial) -> None:
        """Write it."""
        self._documents.put(_TRIALS, key, to_plain(trial))

    def drop_trial(self, key: str) -> None:
        """It lives, or was judged."""
        self._documents.delete(_TRIALS, key)

    def control(self) -> ControlLink | None:
        """The control link."""
        return self._one(_CONTROL, _ONLY, ControlLink)

    def save_control(self, control: ControlLink) -> None:
        """Write it."""
        self._documents.put(_CONTROL, _ONLY, to_plain(control))

    # What was done, and the account

    def attempts(self) -> Sequence[DebridAttempt]:
        """What was asked and done, the oldest first."""
        return self._all(_ATTEMPTS, DebridAttempt)

    def add_attempt(self, attempt: DebridAttempt) -> None:
        """Write it."""
        self._documents.append(_ATTEMPTS, to_plain(attempt), _ATTEMPTS_KEPT)

    def metrics(self) -> Sequence[Metric]:
        """All metrics, the oldest first."""
        return self._all(_METRICS, Metric)

    def add_metric(self, metric: Metric) -> None:
        """Write it."""
        self._documents.append(_METRICS, to_plain(metric), _METRICS_KEPT)

    def keep_since(self, attempts: float, metrics: float) -> tuple[int, int]:
        """Let go of attempts and metrics that are older; how many of each went."""
        return (
            self._documents.keep_last(_ATTEMPTS, sum(each.at >= attempts for each in self.attempts())),
            self._documents.keep_last(_METRICS, sum(each.at >= metrics for each in self.metrics())),
        )

    def pace(self) -> Mapping[str, float | None]:
        """What the account's limiter has written down; empty where another account's serves both."""
        return self._documents.get(PACE_TABLE, PACE_KEY) or {}

    def note(self) -> AccountNote:
        """What is remembered of the account."""
        return self._one(_NOTE, _ONLY, AccountNote) or AccountNote()

    def save_note(self, note: AccountNote) -> None:
        """Write it."""
        self._documents.put(_NOTE, _ONLY, to_plain(note))
