"""Turns the entries of a config file into Settings, or into every problem that it has, all at once."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from torrent_mover.domain.paths import HostPath, LocalPath
from torrent_mover.domain.settings.checks import SectionValues, agreement, completeness
from torrent_mover.domain.settings.kinds import HostAddress, Key, Surroundings
from torrent_mover.domain.settings.problems import ConfigPlace, Problem, Severity, order_of, printable, quoted
from torrent_mover.domain.settings.schema import (
    DESTINATION_CLIENT,
    DESTINATION_PATHS,
    DESTINATION_SERVER,
    GENERAL,
    SECTIONS,
    SETTINGS,
    SOURCE_CLIENT,
    SOURCE_SERVER,
    ConfigDocument,
    ConfigEntry,
    Section,
)
from torrent_mover.domain.settings.settings import Settings, TransferMode

RULES_FILE_NAME = "tracker_rules.json"
_OWN_PLACES = ("rules_file", "state_dir")
_STANDARD = frozenset(section.name.casefold() for section in SECTIONS)
_PLACEHOLDER_NAME = re.compile(r"your[-_]|/path/to/", re.IGNORECASE)
_PLACEHOLDER_HOST = re.compile(r"(?:.+\.)?example\.(?:com|net|org)", re.IGNORECASE)


def read_settings(document: ConfigDocument, around: Surroundings) -> tuple[Settings | None, tuple[Problem, ...]]:
    """The settings (None where there is an error) and all problems, by line. Touches no file and no network."""
    reader = _Reader(document, around)
    settings = reader.settings()
    problems = tuple(sorted(reader.problems, key=order_of))
    return settings if all(problem.severity is not Severity.ERROR for problem in problems) else None, problems


@dataclasses.dataclass(frozen=True, slots=True)
class OwnPlaces:
    """Where a config keeps what is its own, for commands that only look at that; `clients`: both URLs, where they are readable."""

    rules_file: LocalPath
    state_dir: LocalPath
    clients: tuple[str, str] | None


def read_own_places(document: ConfigDocument, around: Surroundings) -> tuple[OwnPlaces | None, tuple[Problem, ...]]:
    """The places, None where one of their keys is wrong, and the problems of those. What servers need may be missing or wrong."""
    return _Reader(document, around).own_places()


class _Reader:
    """Goes through one document, section by section, and collects problems on the way."""

    def __init__(self, document: ConfigDocument, around: Surroundings) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._around = around
        self._unknown: list[tuple[SectionValues, ConfigEntry]] = []
        self._headings: dict[str, tuple[str, ConfigPlace]] = {}
        for name, place in document.headings:
            self._headings.setdefault(name.casefold(), (name, place))
        self._misspelt = self._probably_meant()

    def settings(self) -> Settings | None:
        moving = self._read(SETTINGS, SETTINGS.name)
        sections = {SETTINGS.field: moving}
        for section in (SOURCE_CLIENT, DESTINATION_CLIENT, SOURCE_SERVER):
            sections[section.field] = self._read(section, self._named(section, moving))
        sections[DESTINATION_PATHS.field] = self._read(DESTINATION_PATHS, DESTINATION_PATHS.name)
        sections[GENERAL.field] = self._read(GENERAL, GENERAL.name, also=self._general_in_settings())
        mode = moving.get("transfer_mode")
        tunnel = bool(sections[DESTINATION_CLIENT.field].get("tunnel"))
        destination = self._destination_server(mode, tunnel=tunnel, mode_is_known="transfer_mode" not in moving.wrong)
        if destination:
            sections[DESTINATION_SERVER.field] = destination
        names = {values.section.name: values.name for values in sections.values()}
        self._unused_headings({name.casefold() for name in names.values()})
        wrong = set(self._misspelt.values())
        right = {usual: usual if name.casefold() in wrong else name for usual, name in names.items()}
        for values, entry in self._unknown:
            self._unknown_key(values, entry, right)
        self.problems += completeness(sections)
        self.problems += agreement(sections)
        if any(problem.severity is Severity.ERROR for problem in self.problems):
            return None
        return _assemble(
            {field: values.section.shape(**values.values) for field, values in sections.items()}, mode, self._around
        )

    def own_places(self) -> tuple[OwnPlaces | None, tuple[Problem, ...]]:
        moving = self._read(SETTINGS, SETTINGS.name)
        general = self._read(GENERAL, GENERAL.name, also=self._general_in_settings())
        wrong = tuple(
            problem
            for problem in self.problems
            if problem.severity is Severity.ERROR and problem.key.lower() in _OWN_PLACES
        )
        if wrong:
            return None, wrong
        urls = []
        for section in (SOURCE_CLIENT, DESTINATION_CLIENT):
            values = self._read(section, str(moving.get(section.named_by)))
            with suppress(TypeError):  # a key that is required and not there
                urls.append(section.shape(**values.values).url)
        rules = moving.get("rules_file") or self._around.resolve(RULES_FILE_NAME)
        state = general.get("state_dir") or self._around.resolve(self._around.state_home) / "torrent-mover"
        return OwnPlaces(rules, state, (urls[0], urls[1]) if len(urls) > 1 else None), ()

    # Sections

    def _probably_meant(self) -> dict[str, str]:
        """Misspelt headings, folded, by the folded name of the missing section that each of them probably is."""
        references = {section.named_by for section in SECTIONS if section.named_by}
        named = {str(e.value).strip().casefold() for e in self._document.entries if e.key.lower() in references}
        missing = [section.name for section in SECTIONS if section.name.casefold() not in self._headings]
        strangers = [folded for folded in self._headings if folded not in _STANDARD | named]
        return {near.casefold(): folded for folded in strangers if (near := _nearest(folded, missing))}

    def _find(self, name: str) -> tuple[str, ConfigPlace] | None:
        """The heading of that name, or the misspelt one that is probably meant."""
        folded = name.casefold()
        return self._headings.get(self._misspelt.get(folded, folded))

    def _named(self, section: Section, moving: SectionValues) -> str:
        """The section's name in this file, which [SETTINGS] may choose."""
        name = str(moving.get(section.named_by))
        if self._find(name) or section.named_by not in moving.values:
            return name
        usual = section.name if self._find(section.name) else ""
        near = _nearest(name, [heading for heading, _ in self._headings.values()]) or usual
        self._say(
            moving.at(section.named_by),
            moving.name,
            section.named_by,
            f"it names the section {printable(f'[{name}]')}, but there is none; there are {self._there(moving)}.",
            f"Did you mean {near}?" if near else f"Add a section [{name}], or name one that is there.",
        )
        return near or name

    def _there(self, moving: SectionValues) -> str:
        """The sections of this file that may be meant by a name in [SETTINGS]."""
        return ", ".join(printable(heading) for heading, _ in self._headings.values() if heading != moving.name)

    def _destination_server(self, mode: TransferMode, *, tunnel: bool, mode_is_known: bool) -> SectionValues | None:
        if mode.uploads or tunnel:
            return self._read(DESTINATION_SERVER, DESTINATION_SERVER.name)
        heading = self._find(DESTINATION_SERVER.name)
        if heading and mode_is_known:
            self._say(
                heading[1],
                heading[0],
                "",
                f"it is not used: transfer_mode = {mode.value} brings the data to this machine.",
                "It may stay.",
                Severity.NOTICE,
            )
        return None

    def _unused_headings(self, used: set[str]) -> None:
        """Tell of headings that are misspelt, that nothing refers to, or that mean nothing."""
        meant = {folded: name for name, folded in self._misspelt.items()}
        for folded, (name, place) in self._headings.items():
            what, remedy = "there is no such section.", f"The sections are {', '.join(s.name for s in SECTIONS)}."
            if folded in meant:
                near = next(section.name for section in SECTIONS if section.name.casefold() == meant[folded])
                self._say(place, name, "", what, f"Did you mean [{near}]?")
            elif folded in used or folded == DESTINATION_SERVER.name.casefold():
                continue
            elif folded in _STANDARD or self._looks_like_a_spare(folded):
                remedy = "It may stay; source_client_section and its like in [SETTINGS] choose which are used."
                self._say(place, name, "", "it is not used.", remedy, Severity.NOTICE)
            else:
                self._say(place, name, "", what, remedy)

    def _looks_like_a_spare(self, folded: str) -> bool:
        """Whether a section describes a client or server that another config, or another day, uses."""
        keys = {entry.key.lower() for entry in self._document.entries if entry.section.casefold() == folded}
        return {"host", "username"} <= keys

    # Entries

    def _general_in_settings(self) -> list[ConfigEntry]:
        """Keys of [General] that stand in [SETTINGS], where older files have them."""
        names = [(self._find(section.name) or (section.name, None))[0] for section in (SETTINGS, GENERAL)]
        moved = [entry for entry in self._entries(names[0]) if _is_general(entry)]
        doubled = {entry.key.lower() for entry in self._entries(names[1])}
        for entry in moved:
            what = "it belongs to [General], but works here too."
            if entry.key.lower() in doubled:
                what = "it is in [General] too; the one here counts."
            remedy = "Move the line to [General] when you next edit the file."
            self._say(entry.place, entry.section, entry.key, what, remedy, Severity.NOTICE)
        return moved

    def _entries(self, name: str) -> list[ConfigEntry]:
        return [entry for entry in self._document.entries if entry.section.casefold() == name.casefold()]

    def _read(self, section: Section, name: str, also: Iterable[ConfigEntry] = ()) -> SectionValues:
        heading = self._find(name)
        exists = heading is not None
        found, place = heading or (name, ConfigPlace(self._document.file))
        values = SectionValues(section, found, place, exists, values={}, places={}, wrong=set())
        entries = sorted((*self._entries(found), *also), key=lambda entry: entry.overrides)
        last = {entry.key.lower(): entry for entry in entries}
        for key, entry in last.items():
            if key in section.keys:
                self._read_entry(values, key, entry)
            elif not (section is SETTINGS and _is_general(entry)):
                self._unknown.append((values, entry))
        return values

    def _read_entry(self, values: SectionValues, key: str, entry: ConfigEntry) -> None:
        kind = values.section.keys[key].kind
        values.places[key] = entry.place
        text = entry.value
        if not isinstance(text, str):
            if kind.from_list is None:
                self._refuse(values, key, f"it is a list, not {kind.expected}")
                return
            text = kind.from_list(text)
        if not text.strip():
            return
        if "\n" in text.rstrip() and not kind.many_lines:
            remedy = "An indented line belongs to the line before it: remove the spaces at its beginning."
            self._refuse(values, key, "it has more than one line", remedy)
            return
        try:
            values.values[key] = kind.read(text.strip(" \t") if kind.many_lines else text.strip(), self._around)
        except ValueError as error:
            shown = "the value" if kind.secret else quoted(text.strip())
            reason = f"cannot be used: {error}" if str(error) else f"is not {kind.expected}"
            inline_comment = bool(re.search(r"\s[#;]", text)) and not kind.secret
            remedy = "A comment needs a line of its own." if inline_comment else ""
            self._refuse(values, key, f"{shown} {reason}", remedy)
            return
        self._doubt(values, key, text, entry)

    def _refuse(self, values: SectionValues, key: str, what: str, remedy: str = "") -> None:
        values.wrong.add(key)
        self._say(values.at(key), values.name, key, f"{what}.", remedy or _way_out(values.section, key))

    def _doubt(self, values: SectionValues, key: str, text: str, entry: ConfigEntry) -> None:
        """Values that are legal, yet cannot or can hardly be meant."""
        spec, value = values.section.keys[key], values.values[key]
        if _is_placeholder(spec, value, text.strip()):
            what = (
                "it still has the value of the template." if spec.kind.secret else f"{quoted(text)} is a placeholder."
            )
            self._say(entry.place, entry.section, key, what, f"Put your own value there: {_lower_first(spec.doc)}")
        if spec.warn_above is not None and value > spec.warn_above:
            what = f"{quoted(text)} is unusually high."
            remedy = f"Above {spec.warn_above:g} it seldom helps."
            self._say(entry.place, entry.section, key, what, remedy, Severity.WARNING)

    def _unknown_key(self, values: SectionValues, entry: ConfigEntry, names: Mapping[str, str]) -> None:
        """Tell where a key belongs, or what was probably meant. `names`: what this file calls the sections."""
        key, here = entry.key.lower(), values.section.keys
        homes = [names.get(other.name, other.name) for other in SECTIONS if key in other.keys]
        near = _nearest(key, list(here))
        elsewhere = _nearest(key, [name for other in SECTIONS for name in other.keys])
        what = "there is no such key."
        if homes:
            what = "it is in the wrong section."
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
        self, place: ConfigPlace, section: str, key: str, what: str, remedy: str, severity: Severity = Severity.ERROR
    ) -> None:
        self.problems.append(Problem(place.file, place.line, section, key, what, remedy, severity))


def _is_general(entry: ConfigEntry) -> bool:
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


def _way_out(section: Section, key: str) -> str:
    """A line that would be right, or what a blank one means."""
    spec = section.keys[key]
    sample = spec.example or section.default_text(key)
    if sample:
        return f"Write for example: {key} = {sample}"
    return f"Leave it blank for: {spec.blank}." if spec.blank else ""


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
    sections.setdefault(DESTINATION_SERVER.field, None)
    moving, general = sections[SETTINGS.field], sections[GENERAL.field]
    state_dir = general.state_dir or around.resolve(around.state_home) / "torrent-mover"
    return Settings(
        **sections,
        rules_file=moving.rules_file or around.resolve(RULES_FILE_NAME),
        state_dir=state_dir,
        log_dir=general.log_dir or state_dir / "logs",
    )
