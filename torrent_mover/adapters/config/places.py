"""Where a config may be. Light: hooks wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from os import environ as process_environ
from pathlib import Path
from typing import Final

from torrent_mover.adapters.process.this_user import expanded, home_folder

VARIABLE: Final = "TORRENT_MOVER_CONFIG"
"""Names a config in the environment."""


def discover(explicit: str | None, environ: Mapping[str, str] = process_environ) -> list[tuple[Path, str]]:
    """Where the config may be, in order, each with the reason. A place that was named is the only one."""
    if explicit is not None:
        return [(expanded(explicit), "--config")]
    if environ.get(VARIABLE):
        return [(expanded(environ[VARIABLE]), f"${VARIABLE}")]
    config_home = environ.get("XDG_CONFIG_HOME", "")
    at_home = Path(config_home) if config_home.startswith("/") else home_folder(environ) / ".config"
    return [
        (Path("config.ini"), "the current folder"),
        (at_home / "torrent-mover" / "config.ini", "the user's folder"),
        (Path("/etc/torrent-mover/config.ini"), "the system's folder"),
    ]
