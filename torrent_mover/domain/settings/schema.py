"""The sections of a config file and their keys, derived from dataclasses; and what was read for one section."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar, get_args, get_type_hints

from torrent_mover.domain.settings.clients import DestinationClientSettings, NamedClient, SourceClientSettings
from torrent_mover.domain.settings.document import SeedKey
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.kinds import Key
from torrent_mover.domain.settings.problems import ConfigPlace, Problem, Severity
from torrent_mover.domain.settings.servers import DestinationServerSettings, ServerSettings, SourceServerSettings

Held = TypeVar("Held")
Shape = TypeVar("Shape")

NO_NAME: Final = "default"
"""The name of a section that has only its word: [TIER] is [TIER default]."""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One section, or all sections of one word: their usual name, the dataclass that describes them, and their keys.

    `keys` are in the order of the template. A section of many is written [WORD name], a `nameless` one [WORD]. `borrowed`
    keys belong to another section and are not fields of `shape`. `field`: where the mover's Settings hold a section of one;
    `named_by`: the key of [SETTINGS] that may give it another name; `takes_general`: the keys of [General] count here too.
    `checks` gets all sections of the word by name, and yields a problem for each value that cannot be meant. `seeds`: the keys that
    variables of the programs that a duty replaces give, from the environment.
    """

    name: str
    shape: type[Any]
    keys: Mapping[str, Key]
    field: str = ""
    named_by: str = ""
    takes_general: bool = False
    many: bool = False
    nameless: bool = False
    borrowed: Mapping[str, Section] = dataclasses.field(default_factory=dict)
    checks: Callable[[Mapping[str, SectionValues]], Iterable[Problem]] = lambda _: ()
    seeds: Callable[[Mapping[str, str]], Iterable[SeedKey]] = lambda _: ()

    @property
    def doc(self) -> str:
        """What it is about, in one sentence."""
        return (self.shape.__doc__ or "").strip().partition("\n\n")[0]

    @property
    def heading(self) -> str:
        """How it is written in a file, without the brackets."""
        return f"{self.name} name" if self.many and not self.nameless else self.name

    @property
    def spellings(self) -> Mapping[str, str]:
        """Every name that a file may give a key -> the key."""
        return {name: key for key, spec in self.keys.items() for name in (spec.names or (key,))}

    def spelling(self, key: str) -> str:
        """The usual name of a key in a file."""
        names = self.keys[key].names if key in self.keys else ()
        return names[0] if names else key

    def default(self, key: str) -> object:
        """The value of a key that is not given; dataclasses.MISSING where it must be."""
        if key in self.borrowed:
            return self.borrowed[key].default(key)
        return next(
            each.default if each.default_factory is dataclasses.MISSING else each.default_factory()
            for each in dataclasses.fields(self.shape)
            if each.name == key
        )

    def default_text(self, key: str) -> str:
        """The default as a config file would say it; empty where a key must be given, or is blank."""
        default = self.default(key)
        return "" if default is None or default is dataclasses.MISSING else self.keys[key].kind.write(default)

    def is_required(self, key: str) -> bool:
        """Whether a config without it is an error."""
        return self.default(key) is dataclasses.MISSING


def keys_of(shape: type[Any]) -> Mapping[str, Key]:
    """The documented fields of a dataclass, those of the base class first. Fields without a Key are no settings."""
    hints = get_type_hints(shape, include_extras=True)
    found = {
        each.name: next((extra for extra in get_args(hints[each.name]) if isinstance(extra, Key)), None)
        for each in dataclasses.fields(shape)
    }
    return {name: key for name, key in found.items() if key is not None}


def one(name: str, field: str, shape: type[Any], named_by: str = "", *, takes_general: bool = False) -> Section:
    """A section that a file has once: [SETTINGS]."""
    return Section(name, shape, keys_of(shape), field, named_by, takes_general)


def many(
    word: str,
    shape: type[Any],
    checks: Callable[[Mapping[str, SectionValues]], Iterable[Problem]] = lambda _: (),
    borrowed: Mapping[str, tuple[Section, Key]] | None = None,
    *,
    nameless: bool = False,
    seeds: Callable[[Mapping[str, str]], Iterable[SeedKey]] = lambda _: (),
) -> Section:
    """The sections of one word, each with a name of its own: [TIER ssd]. What the dataclass itself declares comes first.

    `nameless`: a file has one at most, without a name: [WEB].
    """
    own = keys_of(shape)
    declared = list(shape.__annotations__)
    order = sorted(own, key=lambda key: declared.index(key) if key in declared else len(declared))
    taken = borrowed or {}
    return Section(
        word,
        shape,
        {key: own[key] for key in order} | {key: spec for key, (_, spec) in taken.items()},
        many=True,
        nameless=nameless,
        borrowed={key: home for key, (home, _) in taken.items()},
        checks=checks,
        seeds=seeds,
    )


SOURCE_CLIENT: Final = one("SOURCE_CLIENT", "source_client", SourceClientSettings, "source_client_section")
DESTINATION_CLIENT: Final = one(
    "DESTINATION_CLIENT", "destination_client", DestinationClientSettings, "destination_client_section"
)
SOURCE_SERVER: Final = one("SOURCE_SERVER", "source_server", SourceServerSettings, "source_server_section")
DESTINATION_SERVER: Final = one("DESTINATION_SERVER", "destination_server", DestinationServerSettings)
GENERAL: Final = one("General", "general", GeneralSettings)
CLIENT: Final = many("CLIENT", NamedClient)
MACHINE: Final = many("MACHINE", ServerSettings)


@dataclass(slots=True)
class SectionValues:
    """What was read for one section, or put together of several.

    `name` is the one it has in this file, `place` its heading (the file, where `exists` is false); `spelt` says for each key
    that stands somewhere in which section and under which name; `wrong` has the keys whose value was not understood: they
    have a problem of their own already.
    """

    section: Section
    name: str
    place: ConfigPlace
    exists: bool
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, ConfigPlace] = field(default_factory=dict)
    spelt: dict[str, tuple[str, str]] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)

    def has(self, key: str) -> bool:
        """Whether a value is given, be it right or wrong."""
        return key in self.values or key in self.wrong

    def get(self, key: str) -> Any:  # noqa: ANN401 - each key has its own type
        """The value, or its default; None for a required key that is not there, and for one that this section has not."""
        if key not in self.section.keys:
            return None
        default = self.section.default(key)
        return self.values.get(key, None if default is dataclasses.MISSING else default)

    def at(self, key: str) -> ConfigPlace:
        """Where the key stands, or the heading of its section."""
        return self.places.get(key, self.place)

    def problem(self, key: str, what: str, remedy: str, severity: Severity = Severity.ERROR) -> Problem:
        """A problem of one of its keys (empty: of the section)."""
        place = self.at(key)
        section, _ = self.spelt.get(key, (self.name, ""))
        return Problem(place.file, place.line, section, self.written(key), what, remedy, severity)

    def written(self, key: str) -> str:
        """What the file calls the key, or would call it."""
        return self.spelt.get(key, ("", self.section.spelling(key)))[1]

    def take(self, other: SectionValues, keys: Iterable[str]) -> None:
        """Take those of `keys` that stand in another section, in place of what is here. A blank one means the default."""
        for key in keys:
            if key not in other.places and not other.has(key):
                continue
            _take_one(key, self.values, other.values)
            _take_one(key, self.places, other.places)
            _take_one(key, self.spelt, other.spelt)
            self.wrong.discard(key)
            self.wrong.update({key} & other.wrong)


class Finding(Protocol):
    """What a duty says about one key of a section whose values are right one by one. `warning`: it works all the same."""

    @property
    def key(self) -> str:
        """The key, as the dataclass names it."""

    @property
    def what(self) -> str:
        """What is wrong, in a sentence."""

    @property
    def remedy(self) -> str:
        """What helps."""

    @property
    def warning(self) -> bool:
        """Whether it is no error."""


def of_each(
    findings: Callable[[Shape], Iterable[Finding]],
) -> Callable[[Mapping[str, SectionValues]], Iterator[Problem]]:
    """The `checks` of a section that look at one dataclass at a time. Sections that cannot be made are left out: that is told."""

    def checks(sections: Mapping[str, SectionValues]) -> Iterator[Problem]:
        for values in sections.values():
            needed = (key for key in values.section.keys if values.section.is_required(key))
            if values.wrong or not all(key in values.values for key in needed):
                continue
            for found in findings(values.section.shape(**values.values)):
                severity = Severity.WARNING if found.warning else Severity.ERROR
                yield values.problem(found.key, found.what, found.remedy, severity)

    return checks


def _take_one(key: str, mine: dict[str, Held], theirs: Mapping[str, Held]) -> None:
    mine.pop(key, None)
    if key in theirs:
        mine[key] = theirs[key]
