"""Puts masks in place of the secrets of a config text, and the secrets back; refuses where a line is not certain."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.adapters.config.ini_syntax import read_ini
from torrent_mover.adapters.config.toml_syntax import read_toml
from torrent_mover.domain.errors import ConfigError
from torrent_mover.domain.settings.document import ConfigEntry
from torrent_mover.domain.settings.problems import Problem

MASK: Final = "********"
_PAIR: Final = re.compile(r"([A-Za-z0-9_-]+) = ")  # of an inline table, as read_toml gives it

_Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Masking:
    """How the secrets of one file are masked. `secret` says of a section and a key whether its value is one.

    `named`: see read_toml. A mask takes the place of all that stands behind the = of its line, so it keeps a comment there as well.
    """

    file: str
    is_toml: bool
    secret: Callable[[str, str], bool]
    named: Mapping[str, Collection[str]]

    def masked(self, text: str) -> str:
        """Raises ConfigError where a secret could be left in sight."""
        entries, faults = self._read(text)
        for fault in faults:
            raise self._not_shown(fault.line, fault.what, fault.remedy)
        lines = text.split("\n")
        wanted: list[tuple[_Name, str | Sequence[str]]] = []
        for entry in entries:
            if self._is_secret(entry):
                tail = self._tail(lines, entry)
                if tail is None:
                    raise self._unclear(entry)
                at = (entry.place.line or 0) - 1
                lines[at] = f"{lines[at].removesuffix(tail)} {self._mask}"
                wanted.append((_name(entry), MASK))
            else:
                wanted.append((_name(entry), entry.value))
        shown = "\n".join(lines)
        again, faults = self._read(shown)
        for entry, (name, value) in zip(again, wanted, strict=False):
            if (_name(entry), entry.value) != (name, value):
                raise self._unclear(entry)
        if faults or len(again) != len(wanted):
            raise self._not_shown(None, "its secrets cannot be masked for certain.", "Change the file itself.")
        return shown

    def unmasked(self, text: str, old: str) -> str:
        """The text with the secrets of `old` in place of masks. Raises ConfigError for a mask that is left."""
        before = old.split("\n")
        tails = {_name(entry): self._tail(before, entry) for entry in self._read(old)[0] if self._is_secret(entry)}
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        for entry in self._read(text)[0]:
            tail, given = tails.get(_name(entry)), self._tail(lines, entry)
            if tail is not None and given is not None and entry.value == MASK and given.strip() == self._mask:
                at = (entry.place.line or 0) - 1
                lines[at] = lines[at].removesuffix(given) + tail
        new = "\n".join(lines)
        for entry in self._read(new)[0]:
            if any(MASK in each for each in _texts(entry)):
                raise ConfigError(
                    f"[{entry.section}] {entry.key}: {MASK} stands for a secret, and it is not known which.",
                    kept="The file was not changed.",
                    remedy="Write the value itself.",
                )
        return new

    @property
    def _mask(self) -> str:
        return f'"{MASK}"' if self.is_toml else MASK

    def _read(self, text: str) -> tuple[Sequence[ConfigEntry], Sequence[Problem]]:
        return (read_toml(text, self.file, self.named) if self.is_toml else read_ini(text, self.file))[1:]

    def _is_secret(self, entry: ConfigEntry) -> bool:
        if not any(each.strip() for each in _texts(entry)):
            return False
        if self.secret(entry.section, entry.key):
            return True
        inner = () if isinstance(entry.value, str) else map(_PAIR.match, entry.value)
        return any(self.secret(entry.section, pair[1]) for pair in inner if pair)

    def _tail(self, lines: Sequence[str], entry: ConfigEntry) -> str | None:
        """All behind the delimiter of its line, if that line alone is the entry; None where it is not."""
        if entry.place.line is None:
            return None
        line = lines[entry.place.line - 1]
        if self.is_toml:
            alone = read_toml(f"[X]\n{line}", self.file)[1]
            tail = line.partition("=")[2]
        else:
            alone = read_ini(f"[X]\n{line.strip()}", self.file)[1]
            tail = line[min((line.find(each) for each in "=:" if each in line), default=len(line)) + 1 :]
        return tail if [(each.key, each.value) for each in alone] == [(entry.key, entry.value)] else None

    def _unclear(self, entry: ConfigEntry) -> ConfigError:
        what = f"[{entry.section}] {entry.key} cannot be masked for certain."
        return self._not_shown(entry.place.line, what, "Write each secret as key = value, in one line of its section.")

    def _not_shown(self, line: int | None, what: str, remedy: str) -> ConfigError:
        where = "" if line is None else f"line {line}: "
        return ConfigError(
            f"{self.file} is not shown, because its secrets could be seen: {where}{what}",
            kept="The file was not changed.",
            remedy=remedy,
        )


def _name(entry: ConfigEntry) -> _Name:
    return entry.section.casefold(), entry.key.casefold()


def _texts(entry: ConfigEntry) -> Sequence[str]:
    return (entry.value,) if isinstance(entry.value, str) else entry.value
