"""What programs that we start get of our environment: all but what is ours to know, which may be secret."""

from __future__ import annotations

import os
from typing import Final

_OURS: Final = ("TORRENT_MOVER__", "QBITRR_", "SONARR_", "RADARR_")
"""How variables begin that say what a config file could say."""

_TOLD: Final = frozenset(("RD_API_TOKEN", "DISCORD_WEBHOOK_URL"))


def for_children() -> dict[str, str]:
    """Our environment without the variables that settings, tokens and keys are read from."""
    return {name: value for name, value in os.environ.items() if name not in _TOLD and not name.startswith(_OURS)}
