"""The sections that init writes: into a new config, or after the lines of one that is there, which stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from torrent_mover.adapters.config.ini_syntax import read_ini
from torrent_mover.adapters.config.reading import plain_environment, surroundings, text_of
from torrent_mover.adapters.config.writing import mode_of, unwritable, write_text
from torrent_mover.bootstrap.configs import CONFIGS, load_all
from torrent_mover.bootstrap.sections import SCHEMA
from torrent_mover.domain.errors import ConfigError, UsageError
from torrent_mover.domain.settings.clients import ClientSettings, ClientType
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.document import ConfigDocument
from torrent_mover.domain.settings.kinds import CLIENT_HOST, YES_NO
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.domain.settings.reading import read_configuration

Sections = Mapping[str, Mapping[str, str]]
"""Heading -> key -> text, as the config will say it."""

_HEAD: Final = (
    "# Settings of torrent_mover. docs/config.md explains every key; torrent-mover --check-config checks this file.\n"
)


class ConfigDraft:
    """A config that gets sections; `overwrite` replaces what is there.

    Raises ConfigError where the file that is there has errors, UsageError for a TOML file.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        if path.suffix.lower() == ".toml":
            raise UsageError(
                f"{path}: init writes a config.ini.", remedy="Choose a name that ends in .ini: --config PATH"
            )
        self.path: Final = path
        self._replaces: Final = overwrite
        self._there: Final = None if overwrite else text_of(path)
        self._old = self._there or ""
        if self._there is not None:
            _, problems = CONFIGS.examine_all(path, plain_environment())
            if any(each.severity is Severity.ERROR and each.line is not None for each in problems):
                load_all(path, plain_environment())  # raises what is wrong with its lines

    @property
    def adds(self) -> bool:
        """Whether there are lines already, which stay."""
        return bool(self._old)

    def headings(self) -> set[str]:
        """Those of the file that is there, in lower case."""
        return {heading.casefold() for heading, _ in read_ini(self._old, "")[0]}

    def free(self, word: str, wanted: str) -> str:
        """A name for a new section of this word: `wanted`, or with a number where that is taken."""
        taken, name, number = self.headings(), wanted, 2
        while f"{word} {name}".casefold() in taken:
            name, number = f"{wanted}{number}", number + 1
        return name

    def client_at(self, url: str, *, has_files_here: bool) -> str:
        """The client that the file has already at this address, as it is reached from here; blank: none.

        `has_files_here`: its files must lie on this machine. Raises ConfigError for what is no address.
        """
        around = surroundings(self.path, plain_environment())
        try:
            wanted = CLIENT_HOST.read(url, around)
        except ValueError as error:
            raise ConfigError(f"{url}: {error}", kept="Nothing was written.") from error
        for name, keys in self.sections_of("CLIENT").items():
            try:
                host = CLIENT_HOST.read(keys.get("url", keys.get("host", "")), around)
                kind = ClientType((keys.get("type") or ClientType.QBITTORRENT.value).lower())
                tunnel = YES_NO.read(keys.get("tunnel") or "no", around)
            except ValueError:
                continue  # told when the whole is read
            there = ClientSettings(host=host, port=_port(keys.get("port", "")), type=kind, tunnel=tunnel)
            # Through SSH the same address is another program. One with a machine has its files there; and an address of
            # loopback is then meant as that machine sees it, or leads to whatever has the port here.
            if there.is_tunnelled or (keys.get("machine") and (has_files_here or _is_loopback(host.name))):
                continue
            if there.url == ClientSettings(host=wanted, type=kind).url:
                return name
        return ""

    def sections_of(self, word: str) -> Mapping[str, Mapping[str, str]]:
        """The sections of a word that the file has, by name, as they are written, whether they are of use or not."""
        headings, entries, _ = read_ini(self._old, "")
        named = [heading for heading, _ in headings if heading.partition(" ")[0].casefold() == word.casefold()]
        return {
            heading.partition(" ")[2]: {
                entry.key.lower(): str(entry.value) for entry in entries if entry.section == heading
            }
            for heading in named
        }

    def configuration(self, sections: Sections) -> Configuration[Any]:
        """What the file would say with these sections. Raises ConfigError with the first thing that is wrong."""
        text = self._text(sections)
        headings, entries, faults = read_ini(text, str(self.path))
        around = surroundings(self.path, plain_environment())
        document = ConfigDocument(str(self.path), tuple(headings), tuple(entries))
        found, problems = read_configuration(document, around, SCHEMA)
        errors = [each for each in (*faults, *problems) if each.severity is Severity.ERROR]
        if found is None or errors:
            wrong = errors[0]
            raise ConfigError(
                f"{wrong.key or wrong.section}: {wrong.what}", kept="Nothing was written.", remedy=wrong.remedy
            )
        return found

    def write(self, sections: Sections, secret_flag: str) -> str:
        """Write it, once it reads back as it was meant; returns what to say. Raises ConfigError; see `writing.write_text`.

        `secret_flag` takes a file with a secret that cannot stand in a config.
        """
        text = self._text(sections)
        read = {(entry.section, entry.key): entry.value for entry in read_ini(text, "")[1]}
        meant = {(heading, key): value for heading, keys in sections.items() for key, value in keys.items()}
        if any(read.get(place) != value for place, value in meant.items()):
            raise unwritable(secret_flag)
        check = partial(load_all, environ=plain_environment())
        kept = write_text(self.path, text, check, self._there, replaces=self._replaces)
        added = ", ".join(f"[{heading}]" for heading in sections)
        what = f"Added to {self.path}: {added}" if self._old else f"Written: {self.path}"
        was = f"; what was there is {kept}" if kept else ""
        return f"{what} ({mode_of(self.path)}){was}"

    def _text(self, sections: Sections) -> str:
        old = self._old if not self._old or self._old.endswith("\n") else f"{self._old}\n"
        return (old or _HEAD) + rendered(sections)


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name.casefold() == "localhost"


def _port(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def rendered(sections: Sections) -> str:
    """The lines of these sections, a blank one before each."""
    return "".join(
        f"\n[{heading}]\n" + "".join(f"{key} ={_value(text)}\n" for key, text in keys.items())
        for heading, keys in sections.items()
        if keys
    )


def _value(text: str) -> str:
    """On the line itself, or a line each below it."""
    parts = text.split("\n")
    return f" {text}".rstrip() if len(parts) == 1 else "".join(f"\n    {part}" for part in parts)
