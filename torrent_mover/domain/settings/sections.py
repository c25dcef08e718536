"""Reads the sections of one document: which heading is which section, what its keys say, and all that is wrong with them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.checks import FETCHED_SECRETS
from torrent_mover.domain.settings.document import ConfigDocument, ConfigEntry
from torrent_mover.domain.settings.kinds import LOGIN_FILE, HostAddress, Key, Surroundings
from torrent_mover.domain.settings.problems import ConfigPlace, Problem, Severity, printable, quoted
from torrent_mover.domain.settings.schema import (
    CLIENT,
    DESTINATION_CLIENT,
    DESTINATION_SERVER,
    GENERAL,
    MACHINE,
    NO_NAME,
    SOURCE_CLIENT,
    SOURCE_SERVER,
    Section,
    SectionValues,
)

_PLACEHOLDER_NAME: Final = re.compile(r"your[-_]|/path/to/", re.IGNORECASE)
_PLACEHOLDER_HOST: Final = re.compile(r"(?:.+\.)?example\.(?:com|net|org)", re.IGNORECASE)
_LIKE_NAMED: Final = {
    CLIENT.name: (SOURCE_CLIENT, DESTINATION_CLIENT),
    MACHINE.name: (SOURCE_SERVER, DESTINATION_SERVER),
}
"""Sections without a name that may be used by their heading where the name of such a section is asked for."""
_BEHIND: Final = {SOURCE_CLIENT.name: SOURCE_SERVER, DESTINATION_CLIENT.name: DESTINATION_SERVER}
"""The machine of a client whose section has no name."""


@dataclass(frozen=True, slots=True)
class _Heading:
    """`name`: that of the section, without its word; `written`: what stands between the brackets."""

    name: str
    place: ConfigPlace
    written: str


class Sections:
    """The sections of one document. Each is read once; `problems` grows on the way, in no order."""

    def __init__(
        self, document: ConfigDocument, around: Surroundings, plain: Sequence[Section], named: Sequence[Section]
    ) -> None:
        self.problems: list[Problem] = []
        self.around = around
        self._document = document
        self._plain = tuple(plain)
        self._words = {section.name.casefold(): section for section in named}
        self._unknown: list[tuple[SectionValues, ConfigEntry]] = []
        self._read_already: dict[tuple[str, str], SectionValues] = {}
        self._used: set[str] = set()
        self._headings: dict[str, _Heading] = {}
        self._named: dict[str, dict[str, _Heading]] = {section.name: {} for section in named}
        self._names: dict[str, Mapping[str, SectionValues]] = {}
        self._secrets: dict[tuple[object, ...], Secret | None] = {}
        references = {section.named_by for section in plain if section.named_by}
        self._references = {
            str(entry.value).strip().casefold() for entry in document.entries if entry.key.lower() in references
        }
        for name, place in document.headings:
            self._sort_in(_Heading(name, place, name))
        self._misspelt = self._probably_meant()

    def _sort_in(self, heading: _Heading) -> None:
        """To the sections that a file has once, or to those of its word."""
        folded = heading.name.casefold()
        word, *rest = heading.name.split() or [""]
        section = self._words.get(word.casefold())
        if section is None or folded in self._references | {plain.name.casefold() for plain in self._plain}:
            self._headings.setdefault(folded, heading)
            return
        name = " ".join(rest).strip('"') or NO_NAME
        if section.nameless and rest:
            what, remedy = "this section has no name.", f"Write [{section.name}]."
            self.say(heading.place, heading.name, "", what, remedy)
        named = _Heading(name, heading.place, heading.name)
        first = self._named[section.name].setdefault(name.casefold(), named)
        if first is not named:
            what = f"there is another {printable(f'[{section.name} {first.name}]')} already, at {first.place}."
            self.say(heading.place, heading.name, "", what, "Give one of them another name, or join the two.")
        taken = next(
            (each for each in _LIKE_NAMED.get(section.name, ()) if each.name.casefold() == name.casefold()), None
        )
        if taken is not None:
            what = f"the name is that of the section [{taken.name}]."
            self.say(heading.place, heading.name, "", what, "Choose another name.")

    # What the sections say

    def plain(self, section: Section) -> SectionValues:
        """A section that a file has once, under the name that [SETTINGS] may choose for it."""
        also = self._general_elsewhere() if section is GENERAL else ()
        values = self._read(section, self._chosen_name(section), also)
        self._use(values)
        return values

    def named(self, section: Section) -> Mapping[str, SectionValues]:
        """The sections of one word by name, in the order of the file."""
        if section.name not in self._names:
            headings = self._named[section.name].values()
            found = {heading.name: self._read(section, heading.written, named=heading) for heading in headings}
            self._names[section.name] = found
            for values in found.values():
                self._check_references(values)
        return self._names[section.name]

    def has_any(self, section: Section) -> bool:
        """Whether a file has a section of that word, or that section under the name that it has here."""
        return bool(self._named[section.name] if section.many else self._find(self._chosen(section)))

    def heading(self, section: Section) -> tuple[str, ConfigPlace] | None:
        """The heading of a section that a file has once, under its usual name."""
        found = self._find(section.name)
        return (found.name, found.place) if found else None

    @property
    def words(self) -> frozenset[str]:
        """The words of the named sections that this file has."""
        return frozenset(word for word, headings in self._named.items() if headings)

    def says(self, section: Section, key: str) -> bool:
        """Whether a key stands in a section, whatever it says."""
        names = section.spellings
        heading = self._find(section.name)
        entries = self._entries(heading.name) if heading else []
        return any(names.get(entry.key.lower()) == key and bool(entry.value) for entry in entries)

    def named_like(self, word: str, name: str) -> tuple[str, SectionValues] | None:
        """The section of that word and name, or one without a name that is used like it; with its exact name."""
        section = self._words[word.casefold()]
        for exact, values in self.named(section).items():
            if exact.casefold() == name.casefold():
                self._use(values)
                return exact, values
        for plain in _LIKE_NAMED.get(section.name, ()):
            if name.casefold() in (plain.name.casefold(), self._chosen(plain).casefold()):
                heading = self._find(self._chosen(plain))
                if heading is not None:
                    return plain.name, self.plain(plain)
        return None

    def machine_of(self, client: SectionValues) -> tuple[str, SectionValues] | None:
        """The machine of a client, with its name; None: this machine, or one that is not there (which has been told)."""
        behind = _BEHIND.get(client.section.name)
        name = behind.name if behind else client.get("machine")
        return self.named_like(MACHINE.name, name) if name else None

    def machine_name(self, client: SectionValues) -> str:
        """The name of that machine as far as it is used; empty: this machine."""
        behind = _BEHIND.get(client.section.name)
        if behind is None:
            found = self.machine_of(client)
            return found[0] if found else ""
        return next((name for name, values in self.used(MACHINE) if values.section is behind), "")

    def build(self, values: SectionValues) -> Any:  # noqa: ANN401 - each section has its own dataclass
        """The dataclass of a section without errors; its secrets fetch what their _file or _command keys say."""
        given = {key: value for key, value in values.values.items() if key not in values.section.borrowed}
        for secret in FETCHED_SECRETS:
            fetched = given.get(f"{secret}_file"), given.get(f"{secret}_command", ())
            if any(fetched):
                if fetched not in self._secrets:  # one secret for all who use it: it is fetched once
                    self._secrets[fetched] = self.around.password_of(*fetched)
                given |= {secret: self._secrets[fetched]} if self._secrets[fetched] is not None else {}
        return values.section.shape(**given)

    def used(self, section: Section) -> Iterator[tuple[str, SectionValues]]:
        """The sections of a word that can be used, by name: all that have one, and those without that something uses."""
        for plain in _LIKE_NAMED.get(section.name, ()):
            values = self._read_already.get((plain.name, self._chosen(plain).casefold()))
            if values is not None and values.exists and values.name.casefold() in self._used:
                yield plain.name, values
        yield from self.named(section).items()

    # Names and headings

    def _probably_meant(self) -> dict[str, str]:
        """Misspelt headings, folded, by the folded name of the missing section that each of them probably is."""
        standard = {section.name.casefold() for section in self._plain}
        missing = [section.name for section in self._plain if section.name.casefold() not in self._headings]
        strangers = [folded for folded in self._headings if folded not in standard | self._references]
        return {near.casefold(): folded for folded in strangers if (near := nearest(folded, missing))}

    def _find(self, name: str) -> _Heading | None:
        """The heading of that name, or the misspelt one that is probably meant."""
        folded = name.casefold()
        return self._headings.get(self._misspelt.get(folded, folded))

    def _chooser(self, section: Section) -> SectionValues | None:
        home = next((plain for plain in self._plain if section.named_by and section.named_by in plain.keys), None)
        return self._read(home, home.name) if home else None

    def _chosen(self, section: Section) -> str:
        """The section's name in this file, whether or not it is there."""
        chooser = self._chooser(section)
        return str(chooser.get(section.named_by)) if chooser else section.name

    def _chosen_name(self, section: Section) -> str:
        """The section's name in this file; where that leads nowhere, it is told, and the nearest one is taken."""
        chooser, name = self._chooser(section), self._chosen(section)
        if chooser is None or self._find(name) or section.named_by not in chooser.values:
            return name
        usual = section.name if self._find(section.name) else ""
        near = nearest(name, [heading.name for heading in self._headings.values()]) or usual
        there = ", ".join(
            printable(heading.name) for heading in self._headings.values() if heading.name != chooser.name
        )
        self.say(
            chooser.at(section.named_by),
            chooser.name,
            section.named_by,
            f"it names the section {printable(f'[{name}]')}, but there is none; there are {there}.",
            f"Did you mean {near}?" if near else f"Add a section [{name}], or name one that is there.",
        )
        return near or name

    def _check_references(self, values: SectionValues) -> None:
        """Give names of sections their exact form, and tell of those that no section has."""
        for key, spec in values.section.keys.items():
            word, said = spec.kind.names, values.values.get(key)
            if not word or not said or key in values.wrong:
                continue
            exact = [self._exact(values, key, word, name) for name in ((said,) if isinstance(said, str) else said)]
            values.values[key] = exact[0] if isinstance(said, str) else tuple(exact)

    def _exact(self, values: SectionValues, key: str, word: str, name: str) -> str:
        found = self.named_like(word, name)
        if found is not None:
            return found[0]
        there = list(self.named(self._words[word.casefold()]))
        there += [each.name for each in _LIKE_NAMED.get(word, ()) if self._find(each.name)]
        near = nearest(name, there)
        what = f"there is no [{word} {name}]" + (f"; there are {', '.join(there)}." if there else ".")
        remedy = f"Did you mean {near}?" if near else f"Add a section [{word} {name}], or name one that is there."
        values.wrong.add(key)
        self.problems.append(values.problem(key, printable(what), printable(remedy)))
        return name

    def _use(self, values: SectionValues) -> None:
        self._used.add(values.name.casefold())

    def tell_of_the_rest(self) -> None:
        """Headings that are misspelt, that nothing refers to or that mean nothing; keys that are not known. Once, at the end."""
        meant = {folded: name for name, folded in self._misspelt.items()}
        used = {values.name.casefold() for values in self._read_already.values()}
        standard = {section.name.casefold() for section in self._plain}
        for folded, heading in self._headings.items():
            what, remedy = "there is no such section.", f"The sections are {', '.join(self._known())}."
            if folded in meant:
                near = next(section.name for section in self._plain if section.name.casefold() == meant[folded])
                self.say(heading.place, heading.name, "", what, f"Did you mean [{near}]?")
            elif folded in used or folded == DESTINATION_SERVER.name.casefold():
                continue
            elif folded in standard or self._looks_like_a_spare(folded):
                remedy = "It may stay; source_client_section and its like in [SETTINGS] choose which are used."
                self.say(heading.place, heading.name, "", "it is not used.", remedy, Severity.NOTICE)
            else:
                word, _, rest = heading.name.partition(" ")
                near = nearest(word, [section.name for section in self._words.values()])
                remedy = f"Did you mean [{near}{printable(f' {rest}') if rest else ''}]?" if near else remedy
                self.say(heading.place, heading.name, "", what, remedy)
        for section in (CLIENT, MACHINE):
            for values in self.named(section).values() if section.name in self._named else ():
                if values.name.casefold() not in self._used:
                    self.say(values.place, values.name, "", "nothing uses it.", "It may stay.", Severity.NOTICE)
        wrong = set(self._misspelt.values())
        names = {values.section.name: values.name for values in self._read_already.values() if not values.section.many}
        right = {usual: usual if name.casefold() in wrong else name for usual, name in names.items()}
        for values, entry in self._unknown:
            self._unknown_key(values, entry, right)

    def _known(self) -> list[str]:
        return [section.heading for section in (*self._plain, *self._words.values())]

    def _looks_like_a_spare(self, folded: str) -> bool:
        """Whether a section describes a client or server that another config, or another day, uses."""
        keys = {entry.key.lower() for entry in self._document.entries if entry.section.casefold() == folded}
        return {"host", "username"} <= keys

    # Entries

    def _general_elsewhere(self) -> list[ConfigEntry]:
        """Keys of [General] that stand in [SETTINGS], where older files have them."""
        moved = []
        general = self._find(GENERAL.name)
        doubled = {entry.key.lower() for entry in self._entries(general.name if general else GENERAL.name)}
        for section in self._plain:
            heading = self._find(section.name)
            if not (section.takes_general and heading):
                continue
            moved += [entry for entry in self._entries(heading.name) if _is_general(entry, section)]
        if (GENERAL.name, GENERAL.name.casefold()) in self._read_already:
            return moved  # told already
        for entry in moved:
            what = "it belongs to [General], but works here too."
            if entry.key.lower() in doubled:
                what = "it is in [General] too; the one here counts."
            remedy = "Move the line to [General] when you next edit the file."
            self.say(entry.place, entry.section, entry.key, what, remedy, Severity.NOTICE)
        return moved

    def _entries(self, name: str) -> list[ConfigEntry]:
        return [entry for entry in self._document.entries if entry.section.casefold() == name.casefold()]

    def _read(
        self, section: Section, name: str, also: Iterable[ConfigEntry] = (), named: _Heading | None = None
    ) -> SectionValues:
        known = self._read_already.get((section.name, name.casefold()))
        if known is not None:
            return known
        heading = named or self._find(name)
        found = name if named or heading is None else heading.name
        place = heading.place if heading else ConfigPlace(self._document.file)
        values = SectionValues(section, found, place, heading is not None)
        self._read_already[section.name, name.casefold()] = values
        entries = sorted((*self._entries(found), *also), key=lambda entry: entry.overrides)
        spellings = section.spellings
        last: dict[str, ConfigEntry] = {}
        for entry in entries:
            key = spellings.get(entry.key.lower(), entry.key.lower())
            before = last.get(key)
            if before is not None and before.key.lower() != entry.key.lower() and not entry.overrides:
                what = f"{before.key} is set too (at {before.place}), and it is another name of the same setting."
                self.say(entry.place, entry.section, entry.key, what, "Remove one of the two.")
            last[key] = entry
        for key, entry in last.items():
            if key in section.keys:
                self._read_entry(values, key, entry)
            elif not (section.takes_general and _is_general(entry, section)):
                self._unknown.append((values, entry))
                _, near = self._homes(section, key)
                if near:
                    values.wrong.add(spellings[near])
        return values

    def _read_entry(self, values: SectionValues, key: str, entry: ConfigEntry) -> None:
        kind = values.section.keys[key].kind
        values.places[key] = entry.place
        values.spelt[key] = (values.name, entry.key.lower())
        text = entry.value
        if not isinstance(text, str):
            if kind.from_list is None:
                self._refuse(values, key, f"it is a list, not {kind.expected}")
                return
            text = kind.from_list(text)
        if not text.strip() and not kind.reads_blank:
            return
        if "\n" in text.rstrip() and not kind.many_lines:
            remedy = "An indented line belongs to the line before it: remove the spaces at its beginning."
            self._refuse(values, key, "it has more than one line", remedy)
            return
        try:
            values.values[key] = kind.read(text.strip(" \t") if kind.many_lines else text.strip(), self.around)
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
        self.problems.append(values.problem(key, f"{what}.", remedy or _way_out(values.section, key)))

    def _doubt(self, values: SectionValues, key: str, text: str, entry: ConfigEntry) -> None:
        """Values that are legal, yet cannot or can hardly be meant."""
        spec, value, written = values.section.keys[key], values.values[key], entry.key.lower()
        if _is_placeholder(spec, value, text.strip()):
            what = (
                "it still has the value of the template." if spec.kind.secret else f"{quoted(text)} is a placeholder."
            )
            self.say(entry.place, entry.section, written, what, f"Put your own value there: {_lower_first(spec.doc)}")
            values.wrong.add(key)
        refusal = self.around.refusal_of(value) if spec.kind is LOGIN_FILE else None
        if refusal:
            what = f"{quoted(text.strip())} cannot be used: {refusal}."
            remedy = "Until it can, nothing works that logs in with it; everything else does."
            self.say(entry.place, entry.section, written, what, remedy, Severity.WARNING)
        if spec.warn_above is not None and value > spec.warn_above:
            what = f"{quoted(text)} is unusually high."
            remedy = f"Above {spec.warn_above:g} it seldom helps."
            self.say(entry.place, entry.section, written, what, remedy, Severity.WARNING)

    def _unknown_key(self, values: SectionValues, entry: ConfigEntry, names: Mapping[str, str]) -> None:
        """Tell where a key belongs, or what was probably meant. `names`: what this file calls the sections."""
        key, section = entry.key.lower(), values.section
        homes, near = self._homes(section, key)
        what = "there is no such key."
        if homes:
            what = "it is in the wrong section."
            remedy = f"Move it to {' or '.join(f'[{names.get(home.name, home.heading)}]' for home in homes)}."
        elif near:
            remedy = f"Did you mean {near}?"
        else:
            own = [section.spelling(each) for each in section.keys if each not in section.borrowed]
            remedy = f"Remove it. The keys here are {', '.join(own)}."
            for others in self._others(section):
                elsewhere = nearest(key, [name for other in others for name in other.spellings])
                if elsewhere:
                    home = next(each for each in others if elsewhere in each.spellings)
                    remedy = f"Did you mean {elsewhere}, in [{names.get(home.name, home.heading)}]?"
                    break
        self.say(entry.place, entry.section, entry.key, what, remedy)

    def _others(self, section: Section) -> tuple[Sequence[Section], Sequence[Section]]:
        """All sections, first those that are written like this one."""
        plain, named = self._plain, tuple(self._words.values())
        return (named, plain) if section.many else (plain, named)

    def _homes(self, section: Section, key: str) -> tuple[list[Section], str]:
        """The sections that have an unknown key; else the key of this section that was probably meant."""
        like, unlike = self._others(section)
        homes = [each for each in like if key in each.spellings]
        near = "" if homes else nearest(key, list(section.spellings))
        return homes if homes or near else [each for each in unlike if key in each.spellings], near

    def say(
        self, place: ConfigPlace, section: str, key: str, what: str, remedy: str, severity: Severity = Severity.ERROR
    ) -> None:
        """Another problem."""
        self.problems.append(Problem(place.file, place.line, section, key, what, remedy, severity))


def nearest(name: str, names: Sequence[str]) -> str:
    """The name that was probably meant; empty where none is near."""
    by_folded = {known.casefold(): known for known in names}
    found = difflib.get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.7)
    return by_folded[found[0]] if found else ""


def _is_general(entry: ConfigEntry, section: Section) -> bool:
    return entry.key.lower() in GENERAL.keys and entry.key.lower() not in section.keys


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
        return f"Write for example: {section.spelling(key)} = {sample}"
    return f"Leave it blank for: {spec.blank}." if spec.blank else ""


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
