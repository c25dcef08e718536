"""Writes a config.ini: at once or not at all, as its owner has it, and only if it reads back as what was meant."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torrent_mover.adapters.config.ini_syntax import read_ini
from torrent_mover.adapters.config.reading import ConfigReader, plain_environment, text_of
from torrent_mover.adapters.local.whole_file import OWNER_ONLY, place_of, write_whole
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.settings.schema import GENERAL, Section
from torrent_mover.domain.settings.text import config_text

KEPT_SUFFIX = ".before"


def write_config(
    path: Path, settings: object, reader: ConfigReader[Any], old: str | None = None, *, replaces: bool = False
) -> Path | None:
    """Write one route, after the lines of `old`, which has none and may have a [General] of its own; see `write_text`."""
    has_general = any(heading.casefold() == GENERAL.name.casefold() for heading, _ in read_ini(old or "", "")[0])
    plain = [section for section in reader.schema.plain if not (has_general and section.name == GENERAL.name)]
    text = config_text(settings, plain)
    whole = f"{old.rstrip()}\n\n{text}" if old else text
    return write_text(path, whole, lambda draft: _require_same(draft, text, reader, plain), old, replaces=replaces)


def write_text(
    path: Path, text: str, check: Callable[[Path], object], old: str | None, *, replaces: bool = False
) -> Path | None:
    """Write a config, once `check` has read its draft. What was there before is kept beside it; returns where.

    `old`: what `text` was made from, None where there was no file. If another text is there by now, it is left, unless
    `replaces`. A new file gets mode 0600. Of one that is there a link stays a link, and owner, group and mode stay, but
    others may not read it any more. Raises ConfigError, and what `check` raises: then all is as it was.
    """
    kept: Path | None = None
    try:
        real, mode = place_of(path, OWNER_ONLY)

        def ready(draft: Path) -> None:
            nonlocal kept
            _as_beside(path, draft, check)
            if not replaces and text_of(path) != old:
                raise _changed_meanwhile(path)
            kept = _keep(real)

        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(real, _with_line_ends_of(old, text), _closed(real, mode), ready=ready)
    except OSError as error:
        raise _refused(path, error) from error
    return kept


def _closed(real: Path, mode: int) -> int:
    """Without what others may: a config holds secrets, and what is added may be the first one.

    Where all may read, it was made by a umask, and nobody chose its group, unless that is not the one of each of our files.
    """
    if mode & stat.S_IRWXO and real.stat().st_gid == os.getegid():
        return mode & ~(stat.S_IRWXO | stat.S_IRWXG)
    return mode & ~stat.S_IRWXO


def mode_of(path: Path) -> str:
    """How `write_text` left the file, in words."""
    return f"mode {stat.S_IMODE(path.stat().st_mode):04o}"


def _with_line_ends_of(old: str | None, text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in (old or "") else text


def _as_beside(path: Path, draft: Path, check: Callable[[Path], object]) -> None:
    """Have it checked where `path` is, from where the relative paths in it start; a link may lead to another folder."""
    if path.absolute().parent.resolve() == draft.parent:
        check(draft)
        return
    beside = path.with_name(f"{draft.name}.check")
    beside.symlink_to(draft)
    try:
        check(beside)
    finally:
        beside.unlink()


def _changed_meanwhile(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} was changed after the questions had begun: by an editor, the page of serve, or another init.",
        kept="That file is left as it is, and nothing was written. No answer is kept.",
        remedy=f"Run the same init again, with --config {shlex.quote(str(path))}: it begins with the file as it is now.",
    )


def _require_same(draft: Path, text: str, reader: ConfigReader[Any], plain: Sequence[Section]) -> None:
    if config_text(reader.load(draft, plain_environment())[0], plain) != text:
        raise unwritable("--source-password-file")


def unwritable(flag: str) -> ConfigError:
    """What is said where a config would not say what was answered; `flag` takes a file with the password."""
    return ConfigError(
        "One of the answers cannot stand in a config.ini: a value begins or ends with a blank, or holds a line break.",
        kept="Nothing was written.",
        remedy=f"Is it a password? Put it into a file, and give that: {flag} PATH",
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
        kept="The former file is unchanged.",
        remedy=f"Look at its folder: ls -ld {shlex.quote(str(path.parent))}; or choose another place with --config PATH",
    )
