"""Which of the missing bytes one rsync leg has dealt with: each counted once, and in the end as sent or as found there."""

from __future__ import annotations

from collections.abc import Sequence

from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.pieces import Bitfield

Ranges = list[tuple[int, int]]
"""(offset, length) in one file, ascending, apart from each other."""


def missing_ranges(manifest: Manifest, pieces: Bitfield) -> dict[int, Ranges]:
    """Files that hold bytes of these pieces, by index, with where those bytes lie."""
    found: dict[int, Ranges] = {}
    for run in pieces.runs(value=True):
        for span in manifest.spans(run.start, run.stop - 1):
            found.setdefault(span.file, []).append((span.offset, span.length))
    return found


class LegLedger:
    """Follows rsync through the files it was told to bring. Offsets go up within a file; repeated ones count nothing.

    rsync reports once a second. Between two reports, what the wire carried stands for what will be reported. In a `delta`
    leg rsync passes over bytes that it finds at the target as quickly as over those it sends, so that there what is passed
    is `sent` no faster than the wire carried bytes; what is left over at the end was found at the target.
    """

    def __init__(self, ranges: dict[int, Ranges], sizes: Sequence[int], *, delta: bool) -> None:
        self._ranges = ranges
        self._sizes = sizes
        self._delta = delta
        self._passed: dict[int, int] = {}
        self._total = sum(length for spans in ranges.values() for _, length in spans)
        self._covered = 0
        self._sent = 0
        self._wire: int | None = 0
        self._wire_then: int | None = None  # at the last report; None before the first one
        self._reported = False

    def at(self, file: int, offset: int) -> int:
        """All of the file before `offset` is dealt with: how many bytes more may be called sent now."""
        offset = min(offset, self._sizes[file])
        before = self._passed.get(file, 0)
        if offset > before:
            self._passed[file] = offset
            self._covered += self._within(file, offset) - self._within(file, before)
        self._wire_then, self._reported = self._wire or 0, True
        return self._send()

    def carried(self, wire: int | None) -> int:
        """The wire has carried so many bytes in all (None: nobody knows): how many bytes more may be called sent now."""
        self._wire = wire
        if self._reported:  # what was carried just before the report is in the report
            self._wire_then, self._reported = wire, False
        return self._send()

    def finish(self, literal: int | None) -> tuple[int, int]:
        """The leg is complete, and rsync counted `literal` bytes sent (None: it did not say): the rest as (sent, found there)."""
        self._covered = self._total
        more = 0
        if not self._delta or literal is None:
            more = self._covered - self._sent
        elif literal > self._sent:
            more = min(literal, self._covered) - self._sent
        self._sent += more
        return more, self._covered - self._sent

    def _send(self) -> int:
        if self._wire is None:
            ceiling = self._covered
        elif self._delta:
            ceiling = min(self._covered, self._wire)
        elif self._wire_then is None:
            ceiling = 0  # only the login and the list of files went over the wire up to now
        else:
            ceiling = min(self._covered + self._wire - self._wire_then, self._total)
        more = max(ceiling - self._sent, 0)
        self._sent += more
        return more

    def _within(self, file: int, offset: int) -> int:
        return sum(min(max(offset - start, 0), length) for start, length in self._ranges.get(file, ()))
