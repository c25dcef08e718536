"""What the command line may say about the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DASHBOARD_FAILED = -1
"""What `run_dashboard` returns when the screen died and the engine lives: go on with plain lines."""

NEXT_DUTY = -2
"""What a dashboard returns when somebody wants to see the next duty."""

OVERVIEW = -3
"""What a dashboard returns when somebody wants to see the overview of all duties."""


@dataclass(frozen=True, slots=True)
class DashboardOptions:
    """`refresh` in pictures a second (1 to 4); `graph` auto, braille, block or ascii; `units` iec, si or bits.

    `theme` is one of `themes.NAMES`, or `auto`: mono where NO_COLOR is set, else the dark one. `keymap` is a TOML file of
    binding id = "key"; `log_file` is what `o` opens; `config` is shown by the pre-flight screen. `attached`: another process
    works, and goes on when this screen is left; `beside`: there is an overview of all duties, and a way to the screens of each.
    """

    refresh: float = 2.0
    graph: str = "auto"
    mouse: bool = True
    theme: str = "auto"
    keymap: Path | None = None
    units: str = "iec"
    log_file: Path | None = None
    config: str = ""
    attached: bool = False
    beside: bool = False
