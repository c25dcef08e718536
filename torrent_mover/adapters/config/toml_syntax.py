"""Reads the text of a TOML file into the same sections and keys as an INI file.."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from torrent_mover.domain.settings.document import ConfigEntry
from torrent_mover.domain.settings.problems import ConfigPlace, Problem
from torrent_mover.domain.text import clause

_KEY: Final = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*=""")
_ERROR_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")

_Path = tuple[str, ...]


def read_toml(
    text: str, file: str, named: Mapping[str, Collection[str]] | None = None
) -> tuple[list[tuple[str, ConfigPlace]], list[ConfigEntry], list[Problem]]:
    """Headings, entries and faults of `text`; `file` is the name that places and faults carry. Never raises.

    `named`: the words of named sections, folded, with their keys. A table in the table of such a word is a section:
    [ROUTE.films] is the same as ["ROUTE films"].
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = _ERROR_LINE.search(str(error))
        remedy = "Strings stand in quotes, yes and no are true and false, sections are [TABLES]."
        deep = isinstance(error, RecursionError)
        what = "brackets are nested more than this program reads." if deep else f"this is not TOML: {clause(error)}."
        return [], [], [Problem(file, int(line[1]) if line else None, "", "", what, remedy)]
    lines = _lines_of(text, tomllib.loads)
    headings, entries, faults = [], [], []
    for path, table in _sections(tables, named or {}):
        section, place = " ".join(path), ConfigPlace(file, lines.get(path))
        if not isinstance(table, dict):
            remedy = "Put a heading such as [SETTINGS] above it."
            faults.append(Problem(file, place.line, "", section, "it stands before the first [SECTION].", remedy))
            continue
        headings.append((section, place))
        for key, value in table.items():
            at = ConfigPlace(file, lines.get((*path, key)))
            try:
                entries.append(ConfigEntry(section, key, _as_text(value), at))
            except TypeError:
                what = "it is a table or a list of lists."
                faults.append(Problem(file, at.line, section, key, what, "Write a string, a number or a plain list."))
    return headings, entries, faults


def _sections(tables: Mapping[str, Any], named: Mapping[str, Collection[str]]) -> Iterator[tuple[_Path, Any]]:
    """Each section with its path in the file. What stands directly in the table of a word is the section of that word alone."""
    for name, table in tables.items():
        keys = named.get(name.casefold())
        if keys is None or not isinstance(table, dict):
            yield (name,), table
            continue
        inner = {key: value for key, value in table.items() if isinstance(value, dict) and key.lower() not in keys}
        rest = {key: value for key, value in table.items() if key not in inner}
        if rest or not inner:
            yield (name,), rest
        for each, value in inner.items():
            yield (name, each), value


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


def _lines_of(text: str, parse: Callable[[str], dict[str, Any]]) -> dict[_Path, int]:
    """Line of each heading and key by their path, as far as a line-wise look can tell."""
    lines: dict[_Path, int] = {}
    section: _Path = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith("[") and (path := _heading(line, parse)):
            section = path
            lines.setdefault(section, number)
        elif key := _KEY.match(line):
            lines.setdefault((*section, key[1]), number)
    return lines


def _heading(line: str, parse: Callable[[str], dict[str, Any]]) -> _Path:
    """The path of a heading: SETTINGS; ROUTE, films. Empty where the line is something else, such as a part of a list."""
    try:
        table: Any = parse(line)
    except (ValueError, RecursionError):
        return ()
    path: list[str] = []
    while isinstance(table, dict) and len(table) == 1:
        name, table = next(iter(table.items()))
        path.append(name)
    return tuple(path)
