"""Writes a config.ini: at once or not at all, for its owner only, and only if it reads back as what was meant."""

from __future__ import annotations

import shlex
from pathlib import Path

from torrent_mover.adapters.config.reading import load, plain_environment
from torrent_mover.adapters.local.whole_file import write_whole
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.settings.settings import Settings
from torrent_mover.domain.settings.text import config_text

KEPT_SUFFIX = ".before"


def write_config(path: Path, settings: Settings) -> Path | None:
    """Write it with mode 0600. What was there before is kept beside it; returns where. Raises ConfigError."""
    text = config_text(settings)
    kept: Path | None = None

    def ready(draft: Path) -> None:
        nonlocal kept
        _require_same(draft, text)
        kept = _keep(path)

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, text, 0o600, ready=ready)
    except OSError as error:
        raise _refused(path, error) from error
    return kept


def _require_same(draft: Path, text: str) -> None:
    if config_text(load(draft, plain_environment())[0]) != text:
        raise ConfigError(
            "One of the answers cannot stand in a config.ini: a value begins or ends with a blank, or holds a line break.",
            kept="Nothing was written.",
            remedy="Is it a password? Put it into a file, and give that: --source-password-file PATH",
        )


def _keep(path: Path) -> Path | None:
    if not path.exists():
        return None
    kept = path.with_name(path.name + KEPT_SUFFIX)
    kept.unlink(missing_ok=True)
    kept.hardlink_to(path)  # the config itself stays in its place until the new one takes it
    return kept


def _refused(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"The config {path} cannot be written: {error.strerror}.",
        kept="What was there is there still.",
        remedy=f"Look at its folder: ls -ld {shlex.quote(str(path.parent))}; or choose another place with --config PATH",
    )
