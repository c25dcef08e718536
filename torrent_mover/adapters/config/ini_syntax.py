"""Reads the text of an INI file as the standard library's configparser does, but keeps line numbers and finds all faults.

Keys in any case, `=` or `:` between key and value, `#` and `;` begin a comment line, an indented line continues the value
before it, no interpolation. A section or key that stands twice, and a line that is none of these, are faults.
"""

from __future__ import annotations

from torrent_mover.domain.settings.document import ConfigEntry
from torrent_mover.domain.settings.problems import ConfigPlace, Problem

_NEITHER = "this line is no [SECTION], no key = value and no comment."


def read_ini(text: str, file: str) -> tuple[list[tuple[str, ConfigPlace]], list[ConfigEntry], list[Problem]]:
    """Headings, entries and faults of `text`; `file` is the name that places and faults carry. Never raises."""
    reader = _IniReader(file)
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        reader.take(number, line)
    return reader.headings, reader.finished(), reader.faults


class _IniReader:
    def __init__(self, file: str) -> None:
        self.headings: list[tuple[str, ConfigPlace]] = []
        self.faults: list[Problem] = []
        self._file = file
        self._entries: list[tuple[str, str, int, list[str]]] = []
        self._key_lines: dict[tuple[str, str], int] = {}
        self._heading_lines: dict[str, int] = {}
        self._section = ""
        self._indent = 0
        self._value: list[str] | None = None  # of the key that an indented line would continue

    def finished(self) -> list[ConfigEntry]:
        return [
            ConfigEntry(section, key, "\n".join(lines).rstrip(), ConfigPlace(self._file, number))
            for section, key, number, lines in self._entries
        ]

    def take(self, number: int, line: str) -> None:
        stripped = line.strip()
        if stripped.startswith(("#", ";")):
            return
        if not stripped:
            if self._value is not None:
                self._value.append("")
            return
        indent = len(line) - len(line.lstrip())
        if self._value is not None and indent > self._indent:
            self._value.append(stripped)
            return
        self._indent = indent
        self._value = None
        if stripped.startswith("["):
            self._take_heading(number, stripped)
        else:
            self._take_pair(number, stripped)

    def _take_heading(self, number: int, line: str) -> None:
        name = line[1 : line.rfind("]")] if "]" in line else ""
        if "]" not in line and "=" not in line and line[1:].strip():
            # Taken for what was meant: the lines below are not told as well, each as one in the wrong section.
            name = line[1:].strip()
            self._fault(number, "", "the bracket of this section is not closed.", f"Write: [{name}]")
        if not name.strip():
            remedy = "Write the name of the section between brackets: [SETTINGS]"
            self._fault(number, "", "this line begins like a section, and is none.", remedy)
            return
        self._section = name
        first = self._heading_lines.setdefault(name.casefold(), number)
        if first == number:
            self.headings.append((name, ConfigPlace(self._file, number)))
        else:
            self._fault(number, "", f"the section is there twice, first in line {first}.", "Join the two.")

    def _take_pair(self, number: int, line: str) -> None:
        ends = [line.find(delimiter) for delimiter in "=:" if delimiter in line]
        key = line[: min(ends)].strip() if ends else ""
        if not key:
            self._fault(number, "", _NEITHER, "Fix it, or put # before it.")
            return
        if not self._section:
            remedy = "Put a heading such as [SETTINGS] above it."
            self._fault(number, key, "this line stands before the first [SECTION].", remedy)
            return
        self._value = [line[min(ends) + 1 :].strip()]
        first = self._key_lines.setdefault((self._section.casefold(), key.lower()), number)
        if first == number:
            self._entries.append((self._section, key, number, self._value))
        else:
            self._fault(number, key, f"it is there twice, first in line {first}.", "Remove one of the two.")

    def _fault(self, number: int, key: str, what: str, remedy: str) -> None:
        self.faults.append(Problem(self._file, number, self._section, key, what, remedy))
