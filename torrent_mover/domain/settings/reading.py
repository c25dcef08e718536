"""Turns a config file into a Configuration, or into every problem that it has, all at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Final, Generic, TypeVar

from torrent_mover.domain.paths import HostPath, LocalPath
from torrent_mover.domain.settings.checks import agreement, completeness
from torrent_mover.domain.settings.clients import NamedClient
from torrent_mover.domain.settings.configuration import Configuration
from torrent_mover.domain.settings.document import ConfigDocument
from torrent_mover.domain.settings.kinds import Surroundings
from torrent_mover.domain.settings.problems import Problem, Severity, order_of
from torrent_mover.domain.settings.schema import (
    CLIENT,
    DESTINATION_CLIENT,
    GENERAL,
    MACHINE,
    SOURCE_CLIENT,
    Section,
    SectionValues,
)
from torrent_mover.domain.settings.sections import Sections

Route = TypeVar("Route")

RULES_FILE_NAME: Final = "tracker_rules.json"
_RULES_FILE: Final = "rules_file"
_STATE_DIR: Final = "state_dir"


@dataclass(frozen=True, slots=True)
class Schema(Generic[Route]):
    """Every section that a config may have, and how the routes of the mover are made of them.

    `plain`: the sections that a file has once, in the order of the template; `named`: those of which it may have many.
    `routes` reads what routes need and tells what is wrong with it; what it returns makes them, and is called only where
    nothing is wrong. A duty adds one `many(...)` to `named`: see bootstrap/sections.py.
    """

    plain: tuple[Section, ...]
    named: tuple[Section, ...]
    routes: Callable[[Sections], Callable[[], tuple[Route, ...]]]

    @property
    def every(self) -> tuple[Section, ...]:
        """All of them, in the order of the template."""
        return (*self.plain, *self.named)

    @property
    def named_keys(self) -> Mapping[str, Collection[str]]:
        """The words of named sections, folded, with all spellings of their keys."""
        return {section.name.casefold(): frozenset(section.spellings) for section in self.named}

    def adding(self, *sections: Section) -> Schema[Route]:
        """The same, with the named sections of another duty."""
        return replace(self, named=(*self.named, *sections))

    def sections_of(self, document: ConfigDocument, around: Surroundings) -> Sections:
        """What one document says."""
        return Sections(document, around, self.plain, self.named)


def read_configuration(
    document: ConfigDocument, around: Surroundings, schema: Schema[Route]
) -> tuple[Configuration[Route] | None, tuple[Problem, ...]]:
    """What the document says (None where there is an error) and all problems, by line. Touches no network."""
    sections = schema.sections_of(document, around)
    general, rules_file = sections.plain(GENERAL), _rules_file(sections, schema)
    make_routes = schema.routes(sections)
    for section in schema.named:
        for _, values in sections.used(section):
            sections.problems += completeness(values)
            sections.problems += agreement(values)
        sections.problems += section.checks(sections.named(section))
    sections.tell_of_the_rest()
    problems = tuple(sorted(dict.fromkeys(sections.problems), key=order_of))
    if any(problem.severity is Severity.ERROR for problem in problems):
        return None, problems
    state_dir = general.get(_STATE_DIR) or state_folder(around)
    configuration = Configuration(
        general=sections.build(general),
        rules_file=rules_file,
        state_dir=state_dir,
        log_dir=general.get("log_dir") or state_dir / "logs",
        routes=make_routes(),
        clients={name: _client(sections, values) for name, values in sections.used(CLIENT)},
        machines={name: sections.build(values) for name, values in sections.used(MACHINE)},
        sections={
            section.shape: {name: sections.build(values) for name, values in sections.named(section).items()}
            for section in schema.named
            if section not in (CLIENT, MACHINE)
        },
    )
    return configuration, problems


def _client(sections: Sections, values: SectionValues) -> NamedClient:
    """A client under its name, also where it stands in a section without one."""
    client = sections.build(values)
    known = {field.name for field in fields(NamedClient)}
    given = {field.name: getattr(client, field.name) for field in fields(client) if field.name in known}
    machine = sections.machine_name(values)
    seen_by = HostPath if machine else LocalPath
    given["path_map"] = tuple((theirs, seen_by(str(ours))) for theirs, ours in client.path_map)
    return NamedClient(**{**given, "machine": machine})


def _rules_file(sections: Sections, schema: Schema[Route]) -> LocalPath:
    home = next((section for section in schema.plain if _RULES_FILE in section.keys), None)
    set_there = sections.plain(home).get(_RULES_FILE) if home and sections.has_any(home) else None
    return set_there or sections.around.resolve(RULES_FILE_NAME)


def state_folder(around: Surroundings) -> LocalPath:
    """Where the journal lies, unless the config says something else."""
    return around.resolve(around.state_home) / "torrent-mover"


@dataclass(frozen=True, slots=True)
class OwnPlaces:
    """Where a config keeps what is its own, for commands that only look at that; `clients`: both URLs, where they are readable."""

    rules_file: LocalPath
    state_dir: LocalPath
    clients: tuple[str, str] | None


def read_own_places(
    document: ConfigDocument, around: Surroundings, schema: Schema[Route]
) -> tuple[OwnPlaces | None, tuple[Problem, ...]]:
    """The places, None where one of their keys is wrong, and the problems of those. What servers need may be missing or wrong."""
    sections = schema.sections_of(document, around)
    general, rules_file = sections.plain(GENERAL), _rules_file(sections, schema)
    wrong = tuple(
        problem
        for problem in sections.problems
        if problem.severity is Severity.ERROR and problem.key.lower() in (_RULES_FILE, _STATE_DIR)
    )
    if wrong:
        return None, wrong
    urls = []
    for section in (SOURCE_CLIENT, DESTINATION_CLIENT):
        values = sections.plain(section)
        with suppress(TypeError):  # a key that is required and not there
            urls.append(section.shape(**values.values).url)
    state_dir = general.get(_STATE_DIR) or state_folder(around)
    return OwnPlaces(rules_file, state_dir, (urls[0], urls[1]) if len(urls) > 1 else None), ()
