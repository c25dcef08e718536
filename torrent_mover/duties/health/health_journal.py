"""What is known of one loop, kept in the journal's documents: a `needs.HealthJournal`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from torrent_mover.domain.plain_data import from_plain, to_plain
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.model import (
    ActionRecord,
    ActionState,
    BinEntry,
    FindingCode,
    HealthAction,
    HealthHold,
    HealthMemory,
    Strand,
)
from torrent_mover.ports.documents import Document, Documents

DUTY: Final = "health"
"""Under this name the journal keeps the records of all loops."""

_MEMORY, _ACTIONS, _HOLDS, _BIN, _STOPPED, _RESETS = "memory", "actions", "holds", "bin", "stopped", "resets"
_STATE, _JUDGED = "state", "judged"
_ACTIONS_KEPT: Final = 10_000
_LOOKS_WRITTEN: Final = 3600.0
"""Seconds after which, at the latest, a look in which nothing is wrong is written down, though nothing has changed."""
_CODES: Final = {code.value: code for code in FindingCode}

Record = TypeVar("Record")


class KeptHealthJournal:
    """Safe from any thread; several processes may use it at once: a person holds a torrent while the loop looks.

    `grace`: seconds of the loop's setting. A look in which nothing changes is written down twice in that time, for a process that
    looks once goes by the last true look that was written down: one that is too old would stand for a client that was away.
    """

    def __init__(self, documents: Documents, *, grace: float = 0.0) -> None:
        self._documents = documents
        self._written_every = min(_LOOKS_WRITTEN, grace / 2) if grace else _LOOKS_WRITTEN
        self._judged: frozenset[InfoHash] | None = None
        self._hashes: Sequence[str] = ()
        self._kept: HealthMemory | None = None

    def _all(self, table: str, shape: type[Record]) -> Sequence[Record]:
        return tuple(from_plain(shape, each) for each in self._documents.all(table))

    def memory(self) -> HealthMemory:
        """See needs.HealthJournal."""
        state = self._documents.get(_MEMORY, _STATE)
        hashes = (self._documents.get(_MEMORY, _JUDGED) or {}).get("hashes", ())
        if self._judged is None or hashes != self._hashes:
            self._judged, self._hashes = frozenset(InfoHash(each) for each in hashes), hashes
        self._kept = HealthMemory() if state is None else _memory(state, self._judged)
        return self._kept

    def save_memory(self, memory: HealthMemory) -> None:
        """See needs.HealthJournal."""
        if memory.judged is not self._judged and memory.judged != self._judged:
            self._hashes = sorted(each.hex for each in memory.judged)
            self._documents.put(_MEMORY, _JUDGED, {"hashes": self._hashes})
            self._judged = memory.judged
        if self._kept is None or not _says_the_same(self._kept, memory, self._written_every):
            self._documents.put(_MEMORY, _STATE, _memory_data(memory))
            self._kept = memory

    def forget(self, torrent: InfoHash) -> None:
        """See needs.HealthJournal."""
        self._documents.put(_RESETS, torrent.hex, {"hash": torrent.hex})

    def resets(self) -> Sequence[InfoHash]:
        """See needs.HealthJournal."""
        return [InfoHash(each["hash"]) for each in self._documents.all(_RESETS)]

    def reset_done(self, torrents: Collection[InfoHash]) -> None:
        """See needs.HealthJournal."""
        for each in torrents:
            self._documents.delete(_RESETS, each.hex)

    def holds(self) -> Sequence[HealthHold]:
        """See needs.HealthJournal."""
        return self._all(_HOLDS, HealthHold)

    def save_hold(self, hold: HealthHold) -> None:
        """See needs.HealthJournal."""
        self._documents.put(_HOLDS, hold.torrent.hex, to_plain(hold))

    def release(self, torrent: InfoHash) -> bool:
        """See needs.HealthJournal."""
        held = self._documents.get(_HOLDS, torrent.hex) is not None
        self._documents.delete(_HOLDS, torrent.hex)
        return held

    def actions(self) -> Sequence[ActionRecord]:
        """See needs.HealthJournal."""
        return tuple(sorted(self._all(_ACTIONS, ActionRecord), key=lambda each: each.number))

    def action(self, number: int) -> ActionRecord | None:
        """See needs.HealthJournal."""
        found = self._documents.get(_ACTIONS, str(number))
        return None if found is None else from_plain(ActionRecord, found)

    def open_action(self, record: ActionRecord) -> ActionRecord:
        """See needs.HealthJournal."""
        number = max((each.number for each in self.actions()), default=0) + 1
        while not self._documents.put_new(_ACTIONS, str(number), to_plain(replace(record, number=number))):
            number += 1  # another process was faster
        self._documents.delete(_ACTIONS, str(number - _ACTIONS_KEPT))
        return replace(record, number=number)

    def save_action(self, record: ActionRecord) -> None:
        """See needs.HealthJournal."""
        self._documents.put(_ACTIONS, str(record.number), to_plain(record))

    def blocks(self) -> Mapping[InfoHash, float]:
        """See needs.HealthJournal."""
        return {each.torrent: each.at for each in self.actions() if _has_blocked(each)}

    def stopped_by_us(self) -> Mapping[InfoHash, float]:
        """See needs.HealthJournal."""
        return {InfoHash(each["hash"]): float(each["at"]) for each in self._documents.all(_STOPPED)}

    def mark_stopped(self, torrent: InfoHash, at: float | None) -> None:
        """See needs.HealthJournal."""
        if at is None:
            self._documents.delete(_STOPPED, torrent.hex)
        else:
            self._documents.put(_STOPPED, torrent.hex, {"hash": torrent.hex, "at": at})

    def bin_entries(self) -> Sequence[BinEntry]:
        """See needs.HealthJournal."""
        return self._all(_BIN, BinEntry)

    def save_bin_entry(self, entry: BinEntry) -> None:
        """See needs.HealthJournal."""
        self._documents.put(_BIN, str(entry.number), to_plain(entry))


def _says_the_same(kept: HealthMemory, memory: HealthMemory, every: float) -> bool:
    """Whether nothing was found, and only the time of the look is another: that is written once in `every` seconds.

    What counts time are strands, and each look that has some is written down.
    """
    if memory.strands or kept.looked_at is None or memory.looked_at is None or kept.looked_at != kept.trusted_at:
        return False
    same = replace(memory, looked_at=kept.looked_at, trusted_at=kept.trusted_at) == kept
    return same and memory.trusted_at == memory.looked_at and 0 <= memory.looked_at - kept.looked_at < every


def _has_blocked(record: ActionRecord) -> bool:
    wanted = record.action in (HealthAction.REPLACE, HealthAction.KEEP)
    return wanted and record.state in (ActionState.DONE, ActionState.UNDER_WAY, ActionState.UNDONE)


def _memory_data(memory: HealthMemory) -> Document:
    strands: dict[str, dict[str, Any]] = {}
    for (torrent, code), strand in memory.strands.items():
        strands.setdefault(torrent.hex, {})[code.value] = to_plain(strand)
    return {
        "looked_at": memory.looked_at,
        "trusted_at": memory.trusted_at,
        "listed": memory.listed,
        "shrunk": memory.shrunk,
        "present_since": memory.present_since,
        "waves": {code.value: list(wave) for code, wave in memory.waves.items()},
        "strands": strands,
        "bytes_seen": {torrent.hex: count for torrent, count in memory.bytes_seen.items()},
        "bin_kept_until": memory.bin_kept_until,
        "started_by_person": {torrent.hex: at for torrent, at in memory.started_by_person.items()},
    }


def _memory(data: Document, judged: frozenset[InfoHash]) -> HealthMemory:
    return HealthMemory(
        data["looked_at"],
        data["trusted_at"],
        data["listed"],
        data["shrunk"],
        data["present_since"],
        {_CODES[code]: (float(wave[0]), int(wave[1])) for code, wave in data["waves"].items() if code in _CODES},
        {
            (InfoHash(torrent), _CODES[code]): from_plain(Strand, strand)
            for torrent, strands in data["strands"].items()
            for code, strand in strands.items()
            if code in _CODES
        },
        {InfoHash(torrent): int(count) for torrent, count in data["bytes_seen"].items()},
        {InfoHash(torrent): float(at) for torrent, at in data["started_by_person"].items()},
        judged,
        data.get("bin_kept_until"),
    )
