"""The sections of a config file and their keys, derived from the settings dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.kinds import Key
from torrent_mover.domain.settings.problems import ConfigPlace
from torrent_mover.domain.settings.settings import (
    DestinationClientSettings,
    DestinationPaths,
    DestinationServerSettings,
    MovingSettings,
    SourceClientSettings,
    SourceServerSettings,
)


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its usual name, the dataclass that describes it, and the field of Settings that holds it.

    `keys` are in the order of the template; `named_by` is the key of [SETTINGS] that may give it another name.
    """

    name: str
    field: str
    shape: type[Any]
    keys: Mapping[str, Key]
    named_by: str = ""

    @property
    def doc(self) -> str:
        """What it is about, in one sentence."""
        return (self.shape.__doc__ or "").strip()

    def default(self, key: str) -> object:
        """The value of a key that is not given; dataclasses.MISSING where it must be."""
        return next(field.default for field in dataclasses.fields(self.shape) if field.name == key)

    def default_text(self, key: str) -> str:
        """The default as a config file would say it; empty where a key must be given, or is blank."""
        default = self.default(key)
        return "" if default is None or default is dataclasses.MISSING else self.keys[key].kind.write(default)

    def is_required(self, key: str) -> bool:
        """Whether a config without it is an error."""
        return self.default(key) is dataclasses.MISSING


def _keys_of(shape: type[Any]) -> Mapping[str, Key]:
    """The documented fields of one of the settings dataclasses, those of the base class first."""
    hints = get_type_hints(shape, include_extras=True)
    return {
        field.name: next(extra for extra in get_args(hints[field.name]) if isinstance(extra, Key))
        for field in dataclasses.fields(shape)
    }


def _section(name: str, field: str, shape: type[Any], named_by: str = "") -> Section:
    return Section(name, field, shape, _keys_of(shape), named_by)


SOURCE_CLIENT = _section("SOURCE_CLIENT", "source_client", SourceClientSettings, "source_client_section")
DESTINATION_CLIENT = _section(
    "DESTINATION_CLIENT", "destination_client", DestinationClientSettings, "destination_client_section"
)
SOURCE_SERVER = _section("SOURCE_SERVER", "source_server", SourceServerSettings, "source_server_section")
DESTINATION_SERVER = _section("DESTINATION_SERVER", "destination_server", DestinationServerSettings)
DESTINATION_PATHS = _section("DESTINATION_PATHS", "paths", DestinationPaths)
SETTINGS = _section("SETTINGS", "moving", MovingSettings)
GENERAL = _section("General", "general", GeneralSettings)
SECTIONS = (
    SOURCE_CLIENT,
    DESTINATION_CLIENT,
    SOURCE_SERVER,
    DESTINATION_SERVER,
    DESTINATION_PATHS,
    SETTINGS,
    GENERAL,
)


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
