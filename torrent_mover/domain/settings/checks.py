"""What the sections of a config must have, and what they must not say against each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torrent_mover.domain.settings.kinds import HostAddress
from torrent_mover.domain.settings.problems import ConfigPlace, Problem
from torrent_mover.domain.settings.schema import (
    DESTINATION_CLIENT,
    DESTINATION_PATHS,
    DESTINATION_SERVER,
    SETTINGS,
    SOURCE_CLIENT,
    SOURCE_SERVER,
    Section,
)
from torrent_mover.domain.settings.settings import ClientSettings

_HTTPS = "https"
_FOR_STATISTICS = ("stop_command", "start_command", "resume_folder")
_PASSWORDS = ("password", "password_file", "password_command")


@dataclass(slots=True)
class SectionValues:
    """What was read for one section.

    `name` is the one it has in this file, `place` its heading (the file, where `exists` is false); `wrong` has the
    keys whose value was not understood: they have a problem of their own already.
    """

    section: Section
    name: str
    place: ConfigPlace
    exists: bool
    values: dict[str, Any]
    places: dict[str, ConfigPlace]
    wrong: set[str]

    def has(self, key: str) -> bool:
        """Whether a value is given, be it right or wrong."""
        return key in self.values or key in self.wrong

    def get(self, key: str) -> Any:  # noqa: ANN401 - each key has its own type
        """The value, or its default; None for a required key that is not there."""
        default = self.section.default(key)
        return self.values.get(key, None if default is dataclasses.MISSING else default)

    def at(self, key: str) -> ConfigPlace:
        """Where the key stands, or the heading of its section."""
        return self.places.get(key, self.place)

    def problem(self, key: str, what: str, remedy: str) -> Problem:
        """An error about one of its keys (empty: about the section)."""
        place = self.at(key)
        return Problem(place.file, place.line, self.name, key, what, remedy)


def completeness(sections: Mapping[str, SectionValues]) -> Iterator[Problem]:
    """A problem for each required key, or whole section, that is not there. `sections` by field of Settings."""
    moving = sections[SETTINGS.field]
    for values in sections.values():
        leads_nowhere = not values.exists and values.section.named_by in moving.values
        if not leads_nowhere:  # else that line of [SETTINGS] is the problem, and it has been told
            yield from _missing(values)


def _missing(values: SectionValues) -> Iterator[Problem]:
    section = values.section
    missing = [key for key in section.keys if section.is_required(key) and not values.has(key)]
    if issubclass(section.shape, ClientSettings):
        missing += _missing_login(values)
    lines = [f"{key} = {section.keys[key].example}" for key in section.keys if key in missing]
    if not values.exists and missing:
        what = "the section is missing."
        if section is DESTINATION_SERVER:
            what = "the section is missing, but transfer_mode or tunnel = yes needs it."
        yield values.problem("", what, f"Add [{values.name}] with these lines: {'; '.join(lines)}")
        return
    for key, line in zip((key for key in section.keys if key in missing), lines, strict=True):
        what = "it is blank, but it is required." if key in values.places else "it is missing."
        yield values.problem(key, what, f"Add under [{values.name}]: {line}")


def _missing_login(values: SectionValues) -> list[str]:
    missing = []
    address = values.get("host")
    has_port = isinstance(address, HostAddress) and (address.port or address.scheme == _HTTPS)
    if not (has_port or values.has("port") or "host" in values.wrong):
        missing.append("port")
    password = any(values.has(key) for key in _PASSWORDS)
    if not values.has("api_key") and (password or not _without_login(values)):
        missing += [] if values.has("username") else ["username"]
        missing += [] if password else ["password"]
    return missing


def _without_login(values: SectionValues) -> bool:
    """Whether a line without a user name says that none is needed; a line that is not there may have been forgotten."""
    return "username" in values.places and not values.has("username")


def agreement(sections: Mapping[str, SectionValues]) -> Iterator[Problem]:
    """A problem for each pair of values that cannot both be meant."""
    for values in sections.values():
        yield from _one_password(values)
        yield from _one_port(values)
        yield from _one_authorization(values)
    yield from _one_way_there(sections)
    yield from _two_clients(sections)
    yield from _two_categories(sections[SETTINGS.field])
    yield from _one_view(sections)
    yield from _all_for_statistics(sections[DESTINATION_CLIENT.field])


def _one_password(values: SectionValues) -> Iterator[Problem]:
    given = [key for key in _PASSWORDS if key in values.values]
    for key in given[1:]:
        yield values.problem(key, f"{given[0]} is set too, but only one can be used.", "Remove one of the two.")


def _one_port(values: SectionValues) -> Iterator[Problem]:
    address, port = values.values.get("host"), values.values.get("port")
    if isinstance(address, HostAddress) and port and address.port and address.port != port:
        what = f"{port}, but the address in host says {address.port}."
        yield values.problem("port", what, "Take the port out of host, or remove this line.")


def _one_authorization(values: SectionValues) -> Iterator[Problem]:
    """Both would stand in one header of each request."""
    login = values.values.get("basic_auth")
    if login is None:
        return
    if "api_key" in values.values:
        what = "api_key is set too, but a request can carry only one of the two."
        yield values.problem("basic_auth", what, "Use username and password in place of api_key.")
    user, colon, password = login.reveal().partition(":")
    if not (user and colon and password):
        what = "the value cannot be used: it is not user:password."
        yield values.problem("basic_auth", what, "Write for example: basic_auth = jane:her password")


def _one_way_there(sections: Mapping[str, SectionValues]) -> Iterator[Problem]:
    """A tunnel is the whole way to a client, and an SSH connection beside those that bring data."""
    for client, server in ((SOURCE_CLIENT, SOURCE_SERVER), (DESTINATION_CLIENT, DESTINATION_SERVER)):
        values, through = sections[client.field], sections.get(server.field)
        if not values.get("tunnel"):
            continue
        if values.has("proxy"):
            what = "tunnel = yes is set too, but only one of the two can be used."
            yield values.problem("proxy", what, "Remove one of the two.")
        if through is not None and through.get("max_concurrent_ssh_sessions") == 1:
            what = f"1, but tunnel = yes in [{values.name}] needs another one beside the transfer."
            yield through.problem("max_concurrent_ssh_sessions", what, "Write 2 or more, or set tunnel = no.")


def _two_clients(sections: Mapping[str, SectionValues]) -> Iterator[Problem]:
    source, destination = sections[SOURCE_CLIENT.field], sections[DESTINATION_CLIENT.field]
    if source.name.casefold() == destination.name.casefold():
        what = f"source and destination are the same section, [{source.name}]."
        key = DESTINATION_CLIENT.named_by
        yield sections[SETTINGS.field].problem(key, what, "Name the section of the other client.")


def _two_categories(moving: SectionValues) -> Iterator[Problem]:
    review, category = moving.get("manual_review_category"), moving.get("category_to_move")
    if category and review and category.casefold() == review.casefold():
        what = "it is the same as category_to_move, so bad torrents would be mixed with good ones."
        key = "manual_review_category" if "manual_review_category" in moving.places else "category_to_move"
        yield moving.problem(key, what, "Choose another name.")


def _one_view(sections: Mapping[str, SectionValues]) -> Iterator[Problem]:
    """remote_destination_path and path_map must not say two things about one folder."""
    paths, client = sections[DESTINATION_PATHS.field], sections[DESTINATION_CLIENT.field]
    ours, theirs = paths.get("destination_path"), paths.get("remote_destination_path")
    for left, right in client.get("path_map"):
        if theirs == left and ours is not None and str(right) != str(ours):
            what = f"path_map of [{client.name}] says that {left} is {right}, but here it is {ours}."
            yield paths.problem("remote_destination_path", what, "Leave it blank, or fix the pair.")


def _all_for_statistics(client: SectionValues) -> Iterator[Problem]:
    """A client that is to be stopped must be one that can be started again."""
    if not client.get("carry_statistics"):
        return
    for key in _FOR_STATISTICS:
        if not client.has(key):
            what = f"it is needed for carry_statistics = yes, and is {'blank' if key in client.places else 'missing'}."
            remedy = f"Add {key} under [{client.name}], or set carry_statistics = no: docs/handover.md has examples."
            yield client.problem(key, what, remedy)
