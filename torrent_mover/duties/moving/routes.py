"""Makes the routes of a config: from the sections without a name, and from each [ROUTE name]."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath
from torrent_mover.domain.settings.arr import ARR, ARR_SECTION, ArrSettings
from torrent_mover.domain.settings.checks import completeness, is_tunnelled, tunnel_line
from torrent_mover.domain.settings.problems import Problem, Severity
from torrent_mover.domain.settings.reading import RULES_FILE_NAME, state_folder
from torrent_mover.domain.settings.schema import (
    CLIENT,
    DESTINATION_CLIENT,
    DESTINATION_SERVER,
    GENERAL,
    MACHINE,
    SOURCE_CLIENT,
    SOURCE_SERVER,
    Section,
    SectionValues,
)
from torrent_mover.domain.settings.sections import Sections
from torrent_mover.domain.text import clause
from torrent_mover.duties.moving.settings import (
    CHOICES,
    DESTINATION_PATHS,
    MAIN,
    ROUTE,
    SETTINGS,
    Settings,
    TransferMode,
)
from torrent_mover.duties.moving.settings_checks import RouteEnds, conflicts, contradictions, identity

_CATEGORY: Final = "category_to_move"
_NO_DUTY: Final = frozenset((CLIENT.name, MACHINE.name, ROUTE.name))
"""Words of named sections that stand for no other duty."""


@dataclass(frozen=True, slots=True)
class _RouteSections:
    """The sections of one route, by field of Settings, with the names of what it uses."""

    name: str
    by_field: dict[str, SectionValues]
    source_client: str
    destination_client: str
    source_machine: str
    destination_machine: str

    @property
    def mode(self) -> TransferMode:
        mode = self.by_field[SETTINGS.field].get("transfer_mode")
        return mode if isinstance(mode, TransferMode) else TransferMode.SFTP


def read_routes(sections: Sections) -> Callable[[], tuple[Settings, ...]]:
    """Read what routes need, and tell what is wrong with it. What is returned makes their settings."""
    found = [route for route in (_main(sections), *_named(sections)) if route is not None]
    for route in found:
        sections.problems += contradictions(route.by_field)
    if len(found) > 1:
        sections.problems += conflicts(
            [_ends(each, sections) for each in found if each.by_field[SETTINGS.field].get(_CATEGORY)]
        )
    return lambda: tuple(_assembled(route, sections) for route in found)


# The route of the sections without a name


def _main(sections: Sections) -> _RouteSections | None:
    if not _is_wanted(sections):
        return None
    moving = sections.plain(SETTINGS)
    read = (SETTINGS, SOURCE_CLIENT, DESTINATION_CLIENT, SOURCE_SERVER, DESTINATION_PATHS, GENERAL)
    by_field = {section.field: sections.plain(section) for section in read}
    destination = _destination_server_of_main(sections, by_field)
    if destination is not None:
        by_field[DESTINATION_SERVER.field] = destination
    for values in by_field.values():
        leads_nowhere = not values.exists and values.section.named_by in moving.values
        if not leads_nowhere:  # else that line of [SETTINGS] is the problem, and it has been told
            sections.problems += completeness(values)
    sections.problems += _two_clients(by_field)
    return _RouteSections(
        MAIN,
        by_field,
        SOURCE_CLIENT.name,
        DESTINATION_CLIENT.name,
        SOURCE_SERVER.name,
        DESTINATION_SERVER.name if destination else "",
    )


def _is_wanted(sections: Sections) -> bool:
    """Whether the sections without a name are a route, and do not only serve routes with a name, or other duties.

    In a file without named sections they always are. Beside routes they are where they name a category and a client: a
    category alone is what routes leave out. Beside other duties they are where they name a category or a destination.
    """
    category = sections.says(SETTINGS, _CATEGORY)
    if sections.has_any(ROUTE):
        return category and (sections.has_any(SOURCE_CLIENT) or sections.has_any(DESTINATION_CLIENT))
    return category or not sections.words - _NO_DUTY or sections.has_any(DESTINATION_PATHS)


def _destination_server_of_main(sections: Sections, by_field: dict[str, SectionValues]) -> SectionValues | None:
    moving = by_field[SETTINGS.field]
    mode, client = moving.get("transfer_mode"), by_field[DESTINATION_CLIENT.field]
    if mode.uploads or is_tunnelled(client):
        return sections.plain(DESTINATION_SERVER)
    heading = sections.heading(DESTINATION_SERVER)
    if heading and "transfer_mode" not in moving.wrong and not sections.has_any(ROUTE):
        name, place = heading
        what = f"it is not used: transfer_mode = {mode.value} brings the data to this machine."
        sections.say(place, name, "", what, "It may stay.", Severity.NOTICE)
    return None


def _two_clients(by_field: dict[str, SectionValues]) -> Iterator[Problem]:
    source, destination = by_field[SOURCE_CLIENT.field], by_field[DESTINATION_CLIENT.field]
    if source.name.casefold() == destination.name.casefold():
        what = f"source and destination are the same section, [{source.name}]."
        key = DESTINATION_CLIENT.named_by
        yield by_field[SETTINGS.field].problem(key, what, "Name the section of the other client.")


# Routes with a name


def _named(sections: Sections) -> Iterator[_RouteSections]:
    for name, values in sections.named(ROUTE).items():
        if name.casefold() == MAIN:
            what = f"{MAIN} is the route of the sections without a name."
            sections.say(values.place, values.name, "", what, "Choose another name.")
        elif values.get("enabled"):
            route = _route(name, values, sections)
            if route is not None:
                yield route


def _route(name: str, own: SectionValues, sections: Sections) -> _RouteSections | None:
    """The sections that a route with a name is made of; None where its clients or machines cannot be told."""
    source, destination = _client(own, "source", sections), _client(own, "destination", sections)
    if source is None or destination is None:
        return None
    by_field = {GENERAL.field: sections.plain(GENERAL)}
    for section in (SETTINGS, DESTINATION_PATHS):
        made = _empty(section, own)
        made.spelt |= {key: (own.name, ROUTE.spelling(key)) for key in section.keys}
        made.take(sections.plain(section), section.keys)
        made.take(own, section.keys)
        by_field[section.field] = made
        sections.problems += completeness(made)
    for section, (_, client) in ((SOURCE_CLIENT, source), (DESTINATION_CLIENT, destination)):
        by_field[section.field] = _copy(section, client)
        by_field[section.field].take(own, CHOICES[section])
    mode = by_field[SETTINGS.field].get("transfer_mode")
    from_machine = _machine(source[1], f"the route {name} brings data from there by SSH", sections)
    to_machine, why = None, ""
    if mode.uploads:
        why = f"the route {name} brings data there (transfer_mode = {mode.value})"
    elif is_tunnelled(destination[1]):
        why = f"the route {name} reaches the client through it ({tunnel_line(destination[1])})"
    if why:
        to_machine = _machine(destination[1], why, sections)
    if from_machine is None or (why and to_machine is None):
        return None
    by_field[SOURCE_SERVER.field] = _copy(SOURCE_SERVER, from_machine[1])
    if to_machine is not None:
        by_field[DESTINATION_SERVER.field] = _copy(DESTINATION_SERVER, to_machine[1])
    for section in (SOURCE_CLIENT, DESTINATION_CLIENT, SOURCE_SERVER):  # for remedies: where the user finds the keys
        by_field[SETTINGS.field].values[section.named_by] = by_field[section.field].name
    sections.problems += _two_ends(name, own, by_field, source[0], destination[0])
    return _RouteSections(
        name, by_field, source[0], destination[0], from_machine[0], to_machine[0] if to_machine else ""
    )


def _empty(section: Section, home: SectionValues) -> SectionValues:
    """A section of a route, to be filled; `home` is the one of the file where a key is to be added."""
    return SectionValues(section, home.name, home.place, exists=True)


def _copy(section: Section, values: SectionValues) -> SectionValues:
    """The section of a client or a machine as that of the route's source or destination."""
    made = _empty(section, values)
    made.take(values, section.keys)
    return made


def _two_ends(
    name: str, own: SectionValues, by_field: Mapping[str, SectionValues], source: str, destination: str
) -> Iterator[Problem]:
    """A route leads somewhere else."""
    here = identity(by_field[SOURCE_CLIENT.field], by_field[SOURCE_SERVER.field])
    there = identity(by_field[DESTINATION_CLIENT.field], by_field.get(DESTINATION_SERVER.field))
    if source == destination:
        what = f"it is {source}, and so is from ({own.at('source')}): the route {name} leads nowhere."
        yield own.problem("destination", what, "Name the other client.")
    elif here == there:
        what = f"{destination} is the same client as {source}, the one in from ({own.at('source')})."
        yield own.problem("destination", what, "Name the other client, or fix the address of one of them.")


def _client(own: SectionValues, key: str, sections: Sections) -> tuple[str, SectionValues] | None:
    name = own.values.get(key)
    return sections.named_like(CLIENT.name, name) if isinstance(name, str) and key not in own.wrong else None


def _machine(client: SectionValues, why: str, sections: Sections) -> tuple[str, SectionValues] | None:
    """The machine of a client; where it has none, that is told."""
    found = sections.machine_of(client)
    if found is not None or "machine" in client.wrong:
        return found
    if client.section is CLIENT:
        remedy = f"Add under [{client.name}]: machine = the name of a [MACHINE] section."
        sections.problems.append(client.problem("machine", f"it is missing, but {clause(why)}.", remedy))
    else:
        server = SOURCE_SERVER if client.section is SOURCE_CLIENT else DESTINATION_SERVER
        sections.problems += completeness(sections.plain(server))
    return None


# What becomes of them


def _ends(route: _RouteSections, sections: Sections) -> RouteEnds:
    """What is held against the other routes."""
    of = route.by_field
    moving = of[SETTINGS.field]
    category = str(moving.get(_CATEGORY))
    rules = sections.around.rule_categories(_rules_file(moving, sections))
    return RouteEnds(
        name=route.name,
        moving=moving,
        source=identity(of[SOURCE_CLIENT.field], of[SOURCE_SERVER.field]),
        source_name=route.source_client,
        destination=identity(of[DESTINATION_CLIENT.field], of.get(DESTINATION_SERVER.field)),
        destination_name=route.destination_client,
        category=category,
        arrives=frozenset({category, str(moving.get("manual_review_category"))}) | rules,
    )


def _rules_file(moving: SectionValues, sections: Sections) -> LocalPath:
    path = moving.get("rules_file")
    return path if isinstance(path, LocalPath) else sections.around.resolve(RULES_FILE_NAME)


def _assembled(route: _RouteSections, sections: Sections) -> Settings:
    """The settings of a route without errors."""
    built: dict[str, Any] = {field: sections.build(values) for field, values in route.by_field.items()}
    there = HostPath if route.mode.uploads else LocalPath
    paths, source, destination = (
        built[section.field] for section in (DESTINATION_PATHS, SOURCE_CLIENT, DESTINATION_CLIENT)
    )
    built[DESTINATION_PATHS.field] = replace(paths, destination_path=there(str(paths.destination_path)))
    built[SOURCE_CLIENT.field] = replace(source, path_map=_seen_by(HostPath, source.path_map))
    built[DESTINATION_CLIENT.field] = replace(destination, path_map=_seen_by(there, destination.path_map))
    built.setdefault(DESTINATION_SERVER.field, None)
    general = built[GENERAL.field]
    state_dir = general.state_dir or state_folder(sections.around)
    return Settings(
        **built,
        rules_file=_rules_file(route.by_field[SETTINGS.field], sections),
        state_dir=state_dir,
        log_dir=general.log_dir or state_dir / "logs",
        route=route.name,
        source_client_name=route.source_client,
        destination_client_name=route.destination_client,
        source_machine_name=route.source_machine,
        destination_machine_name=route.destination_machine,
        arrs=_arrs(sections),
    )


def _arrs(sections: Sections) -> Mapping[str, ArrSettings]:
    found = sections.named(ARR_SECTION) if ARR in sections.words else {}
    return {name: sections.build(values) for name, values in found.items()}


def _seen_by(view: type[HostPath] | type[LocalPath], pairs: tuple[tuple[ClientPath, object], ...]) -> object:
    return tuple((theirs, view(str(ours))) for theirs, ours in pairs)
