"""What one round did, as data, and the exit code that follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from torrent_mover.domain.errors import ExitCode, LookAgain, MoverError, ServerError
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.choosing import EvictionPlan
from torrent_mover.duties.tiering.errors import NoRoomOnTarget
from torrent_mover.duties.tiering.picture import DiskSpace, TorrentKey


@dataclass(frozen=True, slots=True)
class TierTrouble:
    """Something that went wrong, and which torrent it is about; None: the tier as a whole."""

    key: TorrentKey | None
    error: MoverError


@dataclass(slots=True)
class RoundReport:
    """One round. `waiting`: copies that wait for room. `plans`: one for each SSD that was short, as it was chosen."""

    copied: list[TorrentKey] = field(default_factory=list)
    waiting: list[TierTrouble] = field(default_factory=list)
    failed: list[TierTrouble] = field(default_factory=list)
    evicted: list[TorrentKey] = field(default_factory=list)
    healed: list[TorrentKey] = field(default_factory=list)
    queued: list[TorrentKey] = field(default_factory=list)
    freed: int = 0
    plans: list[tuple[DiskSpace, EvictionPlan]] = field(default_factory=list)

    def note(self, key: TorrentKey | None, error: MoverError) -> None:
        """Something went wrong. No room is no failure: it waits, and is told."""
        wait = isinstance(error, NoRoomOnTarget | LookAgain)
        (self.waiting if wait else self.failed).append(TierTrouble(key, error))

    def extend(self, other: RoundReport) -> None:
        """Add what another part of the round did."""
        for name in ("copied", "waiting", "failed", "evicted", "healed", "queued", "plans"):
            getattr(self, name).extend(getattr(other, name))
        self.freed += other.freed

    @property
    def exit_code(self) -> ExitCode:
        """What a command that did this round returns."""
        return exit_code(trouble.error for trouble in self.failed)

    def about(self, torrent: InfoHash) -> MoverError | None:
        """What went wrong with one torrent; None: nothing."""
        for trouble in (*self.failed, *self.waiting):
            if trouble.key is not None and trouble.key[1] == torrent:
                return trouble.error
        return None


def exit_code(errors: Iterable[MoverError]) -> ExitCode:
    """Of all that went wrong: a server first, then a single error's own code, else `some failed`."""
    found = list(errors)
    if any(isinstance(error, ServerError) for error in found):
        return ExitCode.UNREACHABLE
    if not found:
        return ExitCode.DONE
    return found[0].exit_code if len(found) == 1 else ExitCode.SOME_FAILED
