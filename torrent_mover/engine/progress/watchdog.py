"""Ends a transfer that gives no sign of life for too long: that one alone, its connections and children with it."""

from __future__ import annotations

from dataclasses import dataclass

from torrent_mover.domain.errors import Stalled
from torrent_mover.domain.text import duration
from torrent_mover.engine.progress.board import Track


@dataclass(frozen=True, slots=True)
class Watchdog:
    """`timeout` seconds without a byte, a piece hashed, rsync working or a recheck growing."""

    timeout: float

    def look(self, track: Track, now: float) -> None:
        """Break the move off if it has been silent for too long (`now` monotonic)."""
        silent = now - track.last_sign
        if silent < self.timeout or track.verdict is not None:
            return
        track.break_off(
            Stalled(
                f"No sign of life for {duration(silent)}; the last one was: {track.doing or 'none'}.",
                kept="What arrived and was verified is kept.",
                remedy="If this repeats, look at the load of both machines, or raise watchdog_timeout.",
            )
        )

    def remaining(self, track: Track, now: float) -> float:
        """Seconds until it would act."""
        return max(self.timeout - (now - track.last_sign), 0.0)
