"""Turns the entries of a config file into Settings, or into every problem that it has, all at once."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torrent_mover.domain.paths import HostPath, LocalPath
from torrent_mover.domain.setting_kinds import HostAddress, Key, Surroundings
from torrent_mover.domain.settings import Settings, TransferMode
from torrent_mover.domain.settings_checks import SectionValues, agreement, completeness
from torrent_mover.domain.settings_problems import Place, Problem, Severity, order_of, quoted
from torrent_mover.domain.settings_schema import (
    DESTINATION_CLIENT,
    DESTINATION_PATHS,
    DESTINATION_SERVER,
    GENERAL,
    SECTIONS,
    SETTINGS,
    SOURCE_CLIENT,
    SOURCE_SERVER,
    Document,
    Entry,
    Section,
)

RULES_FILE_NAME = "tracker_rules.json"
_PLACEHOLDER_NAME = re.compile(r"your[-_]|/path/to/", re.IGNORECASE)
_PLACEHOLDER_HOST = re.compile(r"(?:.+\.)?example\.(?:com|net|org)", re.IGNORECASE)


def read_settings(document: Document, around: Surroundings) -> tuple[Settings | None, tuple[Problem, ...]]:
    """The settings (None where there is an error) and all problems, by line. Touches no file and no network."""
    reader = _Reader(document, around)
    settings = reader.settings()
    problems = tuple(sorted(reader.problems, key=order_of))
    return settings if all(problem.severity is not Severity.ERROR for problem in problems) else None, problems


class _Reader:
    """Goes through one document, section by section, and collects problems on the way."""

    def __init__(self, document: Document, around: Surroundings) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._around = around
        self._unknown: list[tuple[SectionValues, Entry]] = []
        self._headings: dict[str, tuple[str, Place]] = {}
        for name, place in document.headings:
            self._headings.setdefault(name.casefold(), (name, place))

    def settings(self) -> Settings | None:
        moving = self._read(SETTINGS, SETTINGS.name)
        sections = {SETTINGS.field: moving}
        for section in (SOURCE_CLIENT, DESTINATION_CLIENT, SOURCE_SERVER):
            sections[section.field] = self._read(section, self._named(section, moving))
        sections[DESTINATION_PATHS.field] = self._read(DESTINATION_PATHS, DESTINATION_PATHS.name)
        sections[GENERAL.field] = self._read(GENERAL, GENERAL.name, also=self._general_in_settings())
        mode = moving.get("transfer_mode")
        destination = self._destination_server(mode, mode_is_known="transfer_mode" not in moving.wrong)
        if destination:
            sections[DESTINATION_SERVER.field] = destination
        names = {section.name: sections[section.field].name for section in SECTIONS if section.field in sections}
        for values, entry in self._unknown:
            self._unknown_key(values, entry, names)
        misspelt = self._unused_headings({name.casefold() for name in names.values()})
        self.problems += completeness(sections, misspelt)
        self.problems += agreement(sections)
        if any(problem.severity is Severity.ERROR for problem in self.problems):
            return None
        return _assemble(
            {field: values.section.shape(**values.values) for field, values in sections.items()}, mode, self._around
        )

    # Sections

    def _named(self, section: Section, moving: SectionValues) -> str:
        """The section's name in this file, which [SETTINGS] may choose."""
        name = str(moving.get(section.named_by))
        if name.casefold() not in self._headings and section.named_by in moving.values:
            near = _nearest(name, [heading for heading, _ in self._headings.values()])
            self._say(
                moving.at(section.named_by),
                moving.name,
                section.named_by,
                f"it names the section [{name}], and there is none.",
                f"Did you mean {near}?" if near else f"Add a section [{name}], or name one that is there.",
            )
        return name

    def _destination_server(self, mode: TransferMode, *, mode_is_known: bool) -> SectionValues | None:
        if mode.uploads:
            return self._read(DESTINATION_SERVER, DESTINATION_SERVER.name)
        heading = self._headings.get(DESTINATION_SERVER.name.casefold())
        if heading and mode_is_known:
            self._say(
                heading[1],
                heading[0],
                "",
                f"not used: transfer_mode = {mode.value} brings the data to this machine.",
                "It may stay.",
                Severity.NOTICE,
            )
        return None

    def _unused_headings(self, used: set[str]) -> set[str]:
        """Tell of sections that nothing refers to; returns the names that were probably meant by misspelt ones."""
        misspelt = set()
        standard = {section.name.casefold() for section in SECTIONS}
        for folded, (name, place) in self._headings.items():
            if folded in used or folded == DESTINATION_SERVER.name.casefold():
                continue
            near = _nearest(name, [section.name for section in SECTIONS])
            if folded in standard or (not near and self._looks_like_a_spare(folded)):
                remedy = "It may stay; source_client_section and its like in [SETTINGS] choose which are used."
                self._say(place, name, "", "not used.", remedy, Severity.NOTICE)
            else:
                names = ", ".join(section.name for section in SECTIONS)
                remedy = f"Did you mean [{near}]?" if near else f"The sections are {names}."
                self._say(place, name, "", "there is no such section.", remedy)
                misspelt.add(near)
        return misspelt

    def _looks_like_a_spare(self, folded: str) -> bool:
        """Whether a section describes a client or server that another config, or another day, uses."""
        keys = {entry.key.lower() for entry in self._document.entries if entry.section.casefold() == folded}
        return {"host", "username"} <= keys

    # Entries

    def _general_in_settings(self) -> list[Entry]:
        """Keys of [General] that stand in [SETTINGS], where older files have them."""
        moved = [entry for entry in self._entries(SETTINGS.name) if _is_general(entry)]
        doubled = {entry.key.lower() for entry in self._entries(GENERAL.name)}
        for entry in moved:
            what = "it belongs to [General], and counts here too."
            if entry.key.lower() in doubled:
                what = "it stands in [General] too; the one here counts."
            remedy = "Move the line to [General] when you next edit the file."
            self._say(entry.place, entry.section, entry.key, what, remedy, Severity.NOTICE)
        return moved

    def _entries(self, name: str) -> list[Entry]:
        return [entry for entry in self._document.entries if entry.section.casefold() == name.casefold()]

    def _read(self, section: Section, name: str, also: Iterable[Entry] = ()) -> SectionValues:
        found, place = self._headings.get(name.casefold(), (name, Place(self._document.file)))
        exists = name.casefold() in self._headings
        values = SectionValues(section, found, place, exists, values={}, places={}, wrong=set())
        last = {entry.key.lower(): entry for entry in (*self._entries(name), *also)}
        for key, entry in last.items():
            if key in section.keys:
                self._read_entry(values, key, entry)
            elif not (section is SETTINGS and _is_general(entry)):
                self._unknown.append((values, entry))
        return values

    def _read_entry(self, values: SectionValues, key: str, entry: Entry) -> None:
        kind = values.section.keys[key].kind
        values.places[key] = entry.place
        text = entry.value
        if not isinstance(text, str):
            if kind.from_list is None:
                values.wrong.add(key)
                self._say(entry.place, entry.section, key, f"a list, and it takes {kind.expected}.", "")
                return
            text = kind.from_list(text)
        if not text.strip():
            return
        try:
            values.values[key] = kind.read(text.strip(" \t") if kind.many_lines else text.strip(), self._around)
        except ValueError as error:
            values.wrong.add(key)
            shown = "the value" if kind.secret else quoted(text.strip())
            reason = f" ({error})" if str(error) else ""
            remedy = f"It takes {kind.expected}."
            if re.search(r"\s[#;]", text) and not kind.secret:
                remedy += " A comment needs a line of its own."
            self._say(entry.place, entry.section, key, f"{shown} is not understood{reason}.", remedy)
            return
        self._doubt(values, key, text, entry)

    def _doubt(self, values: SectionValues, key: str, text: str, entry: Entry) -> None:
        """Values that are legal, yet cannot or can hardly be meant."""
        spec, value = values.section.keys[key], values.values[key]
        if _is_placeholder(spec, value, text.strip()):
            what = (
                "it still has the value of the template." if spec.kind.secret else f"{quoted(text)} is a placeholder."
            )
            self._say(entry.place, entry.section, key, what, f"Put your own value there: {_lower_first(spec.doc)}")
        if spec.warn_above is not None and value > spec.warn_above:
            what = f"{quoted(text)} is much."
            remedy = f"Above {spec.warn_above:g} it seldom helps."
            self._say(entry.place, entry.section, key, what, remedy, Severity.WARNING)

    def _unknown_key(self, values: SectionValues, entry: Entry, names: Mapping[str, str]) -> None:
        """Tell where a key belongs, or what was probably meant. `names`: what this file calls the sections."""
        key, here = entry.key.lower(), values.section.keys
        homes = [names.get(other.name, other.name) for other in SECTIONS if key in other.keys]
        near = _nearest(key, list(here))
        elsewhere = _nearest(key, [name for other in SECTIONS for name in other.keys])
        what = "there is no such key."
        if homes:
            what = "it stands in the wrong section."
            remedy = f"Move it to {' or '.join(f'[{home}]' for home in homes)}."
        elif near:
            remedy = f"Did you mean {near}?"
            values.wrong.add(near)
        elif elsewhere:
            home = next(names.get(other.name, other.name) for other in SECTIONS if elsewhere in other.keys)
            remedy = f"Did you mean {elsewhere}, in [{home}]?"
        else:
            remedy = f"Remove it. The keys here are {', '.join(here)}."
        self._say(entry.place, entry.section, entry.key, what, remedy)

    def _say(
        self, place: Place, section: str, key: str, what: str, remedy: str, severity: Severity = Severity.ERROR
    ) -> None:
        self.problems.append(Problem(place.file, place.line, section, key, what, remedy, severity))


def _is_general(entry: Entry) -> bool:
    return entry.key.lower() in GENERAL.keys and entry.key.lower() not in SETTINGS.keys


def _nearest(name: str, names: Sequence[str]) -> str:
    by_folded = {known.casefold(): known for known in names}
    found = difflib.get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.7)
    return by_folded[found[0]] if found else ""


def _is_placeholder(key: Key, value: object, text: str) -> bool:
    if key.kind.secret:
        return bool(key.example) and text == key.example
    if isinstance(value, HostAddress):
        return bool(_PLACEHOLDER_HOST.fullmatch(value.name))
    if not key.example:
        return False
    return bool(_PLACEHOLDER_NAME.match(text) or _PLACEHOLDER_HOST.fullmatch(text))


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _assemble(sections: dict[str, Any], mode: TransferMode, around: Surroundings) -> Settings:
    if mode.uploads:
        paths, client = sections[DESTINATION_PATHS.field], sections[DESTINATION_CLIENT.field]
        sections[DESTINATION_PATHS.field] = dataclasses.replace(
            paths, destination_path=HostPath(str(paths.destination_path))
        )
        pairs = tuple((theirs, HostPath(str(ours))) for theirs, ours in client.path_map)
        sections[DESTINATION_CLIENT.field] = dataclasses.replace(client, path_map=pairs)
    else:
        sections[DESTINATION_SERVER.field] = None
    moving, general = sections[SETTINGS.field], sections[GENERAL.field]
    state_dir = general.state_dir or LocalPath(around.state_home) / "torrent-mover"
    return Settings(
        **sections,
        rules_file=moving.rules_file or LocalPath(around.config_dir) / RULES_FILE_NAME,
        state_dir=state_dir,
        log_dir=general.log_dir or state_dir / "logs",
    )
