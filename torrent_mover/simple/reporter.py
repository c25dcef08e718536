"""The run as plain lines."""

from __future__ import annotations

from typing import TextIO, Unpack

from torrent_mover.domain.report.events import Event, RunEnded
from torrent_mover.domain.report.snapshot import Phase
from torrent_mover.ports.control import Control
from torrent_mover.simple.format import stats_text
from torrent_mover.simple.lines import LineReporter, PlainStats, ReporterOptions

_MOVING = (Phase.RUNNING, Phase.PAUSED, Phase.STOPPING)


class SimpleReporter(LineReporter):
    """Prints a run. The options are those of LineReporter."""

    def __init__(self, control: Control, out: TextIO, err: TextIO, **options: Unpack[ReporterOptions]) -> None:
        super().__init__(control.subscribe, out, err, **options)
        self._control = control

    def stats(self) -> PlainStats:
        """Where the run stands."""
        snapshot = self._control.snapshot()
        phase = snapshot.phase
        return PlainStats(
            snapshot.at,
            stats_text(snapshot),
            moving=phase in _MOVING,
            rests=phase is Phase.WATCHING,
            over=phase is Phase.ENDED,
        )

    def is_last(self, event: Event) -> bool:
        """A run ends once."""
        return isinstance(event, RunEnded)
