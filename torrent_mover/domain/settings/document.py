"""What a config file says, before anybody asks what it means: its headings and its `key = value` entries, each with its place."""

from __future__ import annotations

from dataclasses import dataclass

from torrent_mover.domain.settings.problems import ConfigPlace


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """One `key = value`, as it stands somewhere. A tuple is an array of a TOML file.

    `overrides`: it comes from the environment and takes the place of what the file says.
    """

    section: str
    key: str
    value: str | tuple[str, ...]
    place: ConfigPlace
    overrides: bool = False


@dataclass(frozen=True, slots=True)
class ConfigDocument:
    """What a config file holds: its name, its section headings in order, and its entries.

    Where a key stands twice in a section, the last one counts.
    """

    file: str
    headings: tuple[tuple[str, ConfigPlace], ...]
    entries: tuple[ConfigEntry, ...]


@dataclass(frozen=True, slots=True)
class SeedKey:
    """One value that a variable of the former programs gives: [section] key = text.

    `is_alone`: it counts only where a file has no other section of that word.
    `is_default`: the variable is not set, and this is what those programs then took; a config file that has the section knows
    better.
    """

    section: str
    key: str
    text: str
    variable: str
    is_default: bool = False
    is_alone: bool = False
