"""Changes one key of a config.ini: that line and nothing else, with a backup beside it, and only if it reads back as meant."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

from torrent_mover.adapters.config.ini_syntax import read_ini
from torrent_mover.adapters.local.whole_file import OWNER_ONLY, place_of, write_whole
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.text import clause

_Lines = list[str]


def can_be_edited(path: Path) -> bool:
    """Whether `set_value` knows how its file is written."""
    return path.suffix.lower() != ".toml"


def set_value(path: Path, section: str, key: str, value: str, *, add: bool = False) -> Path:
    """Set the key, or with `add` put another line to the lines it has. Returns the backup. Raises ConfigError.

    Mode and owner of the file stay. Where it is reached through a link, the link stays.
    """
    try:
        real, mode = place_of(path, OWNER_ONLY)
        old = real.read_bytes().decode("utf-8")
        new = _changed(old, section, key, value, add=add)
        new = new.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in old else new
        _require_only_that(real, old, new, section, key)
        backup = real.with_name(f"{real.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        write_whole(backup, old, mode)
        write_whole(real, new, mode)
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, section, f"{key} = {value}", getattr(error, "strerror", None) or "not UTF-8") from error
    return backup


def _changed(text: str, section: str, key: str, value: str, *, add: bool) -> str:
    headings, entries, _ = read_ini(text, "")
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    old = next((each for each in entries if _same(each.section, section) and _same(each.key, key)), None)
    if old is not None and old.place.line is not None:
        written = str(old.value).strip()
        values = (written.splitlines() if "\n" in written else written.split(",")) if add else []
        first = old.place.line - 1
        lines[first : _end(lines, first)] = _written(key, [*(one.strip() for one in values if one.strip()), value])
        return "".join(lines)
    at = next((place.line for name, place in headings if _same(name, section)), None)
    if at is None:
        return "".join([*lines, f"\n[{section}]\n", *_written(key, [value])])
    return "".join([*lines[:at], *_written(key, [value]), *lines[at:]])


def _end(lines: _Lines, first: int) -> int:
    """Behind the last line that continues the value which begins at `first`: indented ones, and blank ones between them."""
    end = first + 1
    for number in range(first + 1, len(lines)):
        if lines[number].strip() and not lines[number][:1].isspace():
            break
        end = number + 1 if lines[number].strip() else end
    return end


def _written(key: str, values: _Lines) -> _Lines:
    if len(values) == 1 and "=" not in values[0]:
        return [f"{key} = {values[0]}\n"]
    return [f"{key} =\n", *(f"    {value}\n" for value in values)]


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _require_only_that(path: Path, old: str, new: str, section: str, key: str) -> None:
    before, after = _values(old), _values(new)
    name = (section.casefold(), key.casefold())
    before.pop(name, None)
    changed = after.pop(name, None)
    if changed is None or before != after:
        raise _refused(path, section, key, "other lines would read differently then")


def _values(text: str) -> dict[tuple[str, str], object]:
    _, entries, _ = read_ini(text, "")
    return {(each.section.casefold(), each.key.casefold()): each.value for each in entries}


def _refused(path: Path, section: str, line: str, reason: str) -> ConfigError:
    return ConfigError(
        f"{path} cannot be changed: {clause(reason)}.",
        kept="The file was not changed.",
        remedy=f"Write it yourself, in [{section}]: {line}; look at the file with: ls -l {shlex.quote(str(path))}",
    )
