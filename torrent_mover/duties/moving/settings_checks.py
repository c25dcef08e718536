"""What the sections of one route must not say against each other, and what several routes must not do to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.settings.checks import agreement, is_tunnelled, tunnel_line
from torrent_mover.domain.settings.clients import HTTPS_PORT
from torrent_mover.domain.settings.kinds import HostAddress
from torrent_mover.domain.settings.problems import Problem, quoted
from torrent_mover.domain.settings.schema import (
    DESTINATION_CLIENT,
    DESTINATION_SERVER,
    SOURCE_CLIENT,
    SOURCE_SERVER,
    SectionValues,
)
from torrent_mover.duties.moving.settings import DESTINATION_PATHS, SETTINGS

_FOR_STATISTICS: Final = ("stop_command", "start_command", "resume_folder")
_CATEGORY: Final = "category_to_move"
_REMEDY: Final = "Choose another category for one of them, or set enabled = no there."


# One route


def contradictions(sections: Mapping[str, SectionValues]) -> Iterator[Problem]:
    """A problem for each pair of values of one route that cannot both be meant. `sections` by field of Settings."""
    for values in sections.values():
        yield from agreement(values)
    yield from _one_way_there(sections)
    yield from _two_categories(sections[SETTINGS.field])
    yield from _one_view(sections)
    yield from _all_for_statistics(sections[DESTINATION_CLIENT.field])


def _one_way_there(sections: Mapping[str, SectionValues]) -> Iterator[Problem]:
    """A tunnel is the whole way to a client, and an SSH connection beside those that bring data."""
    for client, server in ((SOURCE_CLIENT, SOURCE_SERVER), (DESTINATION_CLIENT, DESTINATION_SERVER)):
        values, through = sections[client.field], sections.get(server.field)
        if not is_tunnelled(values):
            continue
        if values.has("proxy"):
            what = f"{tunnel_line(values)} is set too, but only one of the two can be used."
            yield values.problem("proxy", what, "Remove one of the two.")
        if through is not None and through.get("max_concurrent_ssh_sessions") == 1:
            what = f"1, but {tunnel_line(values)} in [{values.name}] needs another one beside the transfer."
            yield through.problem(
                "max_concurrent_ssh_sessions", what, "Write 2 or more, or reach the client without SSH."
            )


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


# Several routes


@dataclass(frozen=True, slots=True)
class RouteEnds:
    """What must be known of a route to hold it against the others.

    `source` and `destination` are equal where they are one client, under whatever names; their names are for people.
    `arrives` are the categories that torrents of this route may have at the destination.
    """

    name: str
    moving: SectionValues
    source: object
    source_name: str
    destination: object
    destination_name: str
    category: str
    arrives: frozenset[str]

    @property
    def told(self) -> str:
        """For people: which route, and where its category stands."""
        place = self.moving.at(_CATEGORY)
        return f"the route {self.name} ({place})"

    def feeds(self, other: RouteEnds) -> bool:
        """Whether the other route takes up what this one has brought."""
        return self.destination == other.source and other.category in self.arrives


def identity(client: SectionValues, machine: SectionValues | None) -> object:
    """Two sections with the same identity lead to one client: the same address, seen from the same machine."""
    host = client.get("host")
    if not isinstance(host, HostAddress):
        return client.name.casefold()
    behind = None
    if is_tunnelled(client) and machine is not None:
        behind = str(machine.get("host")).casefold(), machine.get("port"), machine.get("username")
    return host.name.casefold(), client.get("port") or host.port or HTTPS_PORT, host.path, behind


def conflicts(routes: Sequence[RouteEnds]) -> Iterator[Problem]:
    """A problem for each pair of routes that would move the same torrents. Both places are named."""
    for number, route in enumerate(routes):
        for earlier in routes[:number]:
            yield from _same_torrents(earlier, route)
            yield from _one_behind_the_other(earlier, route)


def _same_torrents(earlier: RouteEnds, route: RouteEnds) -> Iterator[Problem]:
    if earlier.source != route.source or earlier.category != route.category:
        return
    what = f"{quoted(route.category)} of the client {route.source_name} is what {earlier.told} moves too."
    if earlier.source_name != route.source_name:
        what = (
            f"{quoted(route.category)} of {route.source_name} is what {earlier.told} moves too:"
            f" {earlier.source_name} and {route.source_name} are the same client."
        )
    if earlier.destination == route.destination:
        what += f" Both would bring the same torrents to {route.destination_name}."
    remedy = _REMEDY
    if earlier.moving.at(_CATEGORY) == route.moving.at(_CATEGORY):  # both have it from [SETTINGS]
        remedy = f"Add a category of its own under [{route.moving.name}], or set enabled = no there."
    yield route.moving.problem(_CATEGORY, what, remedy)


def _one_behind_the_other(earlier: RouteEnds, route: RouteEnds) -> Iterator[Problem]:
    if earlier.feeds(route) and route.feeds(earlier):
        what = (
            f"{quoted(route.category)} goes from {route.source_name} to {route.destination_name}, and {earlier.told}"
            " brings it back: torrents would move in a circle."
        )
        yield route.moving.problem(_CATEGORY, what, _REMEDY)
        return
    for first, second in ((earlier, route), (route, earlier)):
        if first.feeds(second):
            what = (
                f"{quoted(second.category)} is what {first.told} brings to {second.source_name}: torrents would move on"
                " from there at once."
            )
            yield second.moving.problem(_CATEGORY, what, _REMEDY)
