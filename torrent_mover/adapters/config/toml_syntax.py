"""Reads the text of a TOML file into the same sections and keys as an INI file. The only file that imports tomli."""

from __future__ import annotations

import re

from torrent_mover.domain.settings.problems import ConfigPlace, Problem
from torrent_mover.domain.settings.schema import ConfigEntry

_HEADING = re.compile(r"""\s*\[\s*["']?([^\]"']+?)["']?\s*\]""")
_KEY = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*=""")
_ERROR_LINE = re.compile(r"\(at line (\d+), column \d+\)")


def read_toml(text: str, file: str) -> tuple[list[tuple[str, ConfigPlace]], list[ConfigEntry], list[Problem]]:
    """Headings, entries and faults of `text`; `file` is the name that places and faults carry. Never raises."""
    import tomli

    try:
        tables = tomli.loads(text)
    except (ValueError, RecursionError) as error:
        line = _ERROR_LINE.search(str(error))
        remedy = "Strings stand in quotes, yes and no are true and false, sections are [TABLES]."
        what = f"this is not TOML: {error}."
        return [], [], [Problem(file, int(line[1]) if line else None, "", "", what, remedy)]
    lines = _lines_of(text)
    headings, entries, faults = [], [], []
    for section, table in tables.items():
        place = ConfigPlace(file, lines.get((section, "")) or lines.get(("", section)))
        if not isinstance(table, dict):
            remedy = "Put a heading such as [SETTINGS] above it."
            faults.append(Problem(file, place.line, "", section, "it stands before the first [SECTION].", remedy))
            continue
        headings.append((section, place))
        for key, value in table.items():
            at = ConfigPlace(file, lines.get((section, key)))
            try:
                entries.append(ConfigEntry(section, key, _as_text(value), at))
            except TypeError:
                what = "it is a table or a list of lists."
                faults.append(Problem(file, at.line, section, key, what, "Write a string, a number or a plain list."))
    return headings, entries, faults


def _as_text(value: object) -> str | tuple[str, ...]:
    """What an INI file would hold. Raises TypeError for what it could not."""
    if isinstance(value, list):
        return tuple(_scalar(item) for item in value)
    if isinstance(value, dict):  # path_map as an inline table
        return tuple(f"{left} = {_scalar(right)}" for left, right in value.items())
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        raise TypeError
    return str(value)


def _lines_of(text: str) -> dict[tuple[str, str], int]:
    """Line of each heading (key empty) and key, as far as a line-wise look can tell."""
    lines: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if heading := _HEADING.match(line):
            section = heading[1]
            lines.setdefault((section, ""), number)
        elif key := _KEY.match(line):
            lines.setdefault((section, key[1]), number)
    return lines
