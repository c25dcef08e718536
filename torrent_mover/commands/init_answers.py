"""What init has been told so far, and the settings that follow from it. What is not yet told has a stand-in."""

from __future__ import annotations

from pathlib import Path

from torrent_mover.adapters.config.reading import plain_environment, surroundings
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.settings.document import ConfigDocument, ConfigEntry
from torrent_mover.domain.settings.problems import ConfigPlace, Severity
from torrent_mover.domain.settings.reading import read_configuration
from torrent_mover.duties.moving.settings import Settings

_CLIENT = {"port": "1", "username": "stand-in", "password": "stand-in"}
_STAND_INS = {
    "SOURCE_CLIENT": {"host": "http://source.invalid", **_CLIENT},
    "DESTINATION_CLIENT": {"host": "http://destination.invalid", **_CLIENT},
    "SOURCE_SERVER": {"host": "source.invalid", "username": "stand-in"},
    "DESTINATION_SERVER": {"host": "destination.invalid", "username": "stand-in"},
    "DESTINATION_PATHS": {"destination_path": "/stand-in"},
    "SETTINGS": {"category_to_move": "stand-in", "transfer_mode": "sftp"},
}


class Answers:
    """Section -> key -> text, as a config file would say it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told: dict[str, dict[str, str]] = {}

    def tell(self, section: str, **values: str) -> None:
        """Set keys; a blank value takes the key away."""
        keys = self._told.setdefault(section, {})
        for key, value in values.items():
            keys.pop(key, None)
            if value:
                keys[key] = value

    def told(self, section: str, key: str, default: str = "") -> str:
        """What was told, or the default."""
        return self._told.get(section, {}).get(key, default)

    def settings(self) -> Settings:
        """The settings. Raises ConfigError with what is wrong in a section that was told."""
        around = surroundings(self._path, plain_environment())
        configuration, problems = read_configuration(self._document(), around, SCHEMA)
        errors = [each for each in problems if each.severity is Severity.ERROR]
        mine = [each for each in errors if each.section in self._told] or errors
        if configuration is None or mine:
            first = mine[0]
            raise ConfigError(
                f"{first.key or first.section}: {first.what}", kept="Nothing was written.", remedy=first.remedy
            )
        return configuration.routes[0]

    def _document(self) -> ConfigDocument:
        sections = dict(_STAND_INS)
        if self.told("SETTINGS", "transfer_mode", "sftp") in ("sftp", "rsync"):
            del sections["DESTINATION_SERVER"]
        entries = []
        for section, stand_ins in sections.items():
            told = self._told.get(section, {})
            wanted = told if "host" in told else stand_ins | told
            entries += [ConfigEntry(section, key, value, ConfigPlace("answer")) for key, value in wanted.items()]
        return ConfigDocument(
            "answers", tuple((section, ConfigPlace("answer")) for section in sections), tuple(entries)
        )
