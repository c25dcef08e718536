"""How the process that serves is, asked by its socket."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from torrent_mover.adapters.control.client import RemoteControl, nothing_runs, running
from torrent_mover.domain.errors import NothingRuns
from torrent_mover.domain.report.serving import ProbeReport, ServeReport, health_of
from torrent_mover.ports.serve_control import ServeControl

NAME: Final = "serve"
"""The panel of the process itself."""


def probed(folder: Path) -> ProbeReport:
    """The health of the process that serves from this state folder. Raises NothingRuns, or what asking it raises."""
    process = next((each for each in running(folder) if NAME in each.panels), None)
    if process is None:
        raise nothing_runs()
    remote = RemoteControl(process.path, NAME, ServeControl)
    try:
        report: ServeReport | None = remote.filling(ServeControl).snapshot()
    finally:
        remote.close()
    if report is None:
        raise NothingRuns("it does not answer", remedy="Look into its log, and start it again.")
    return health_of(report)
