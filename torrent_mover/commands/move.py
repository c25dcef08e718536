"""move: these torrents now, each on the route whose source client has it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from torrent_mover.bootstrap.servers import one_client
from torrent_mover.commands.configured import routes_of
from torrent_mover.commands.run import move
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.duties.moving.settings import Settings

_FEWEST: Final = 6
_HASH_DIGITS: Final = 40


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Find them, then move them and nothing else. Raises UsageError for one that cannot be told; then nothing is moved."""
    wanted = [_checked(text) for text in arguments.hashes]
    routes, path = routes_of(arguments, quiet=arguments.quiet)
    only = chosen(wanted, [(settings, _torrents(settings)) for settings in routes])
    return move([settings for settings in routes if settings.route in only], path, arguments, only)


def _checked(text: str) -> str:
    digits = text.casefold()
    if not (_FEWEST <= len(digits) <= _HASH_DIGITS and set(digits) <= set("0123456789abcdef")):
        raise UsageError(
            f"{quoted(text)} is no infohash: that has 40 characters, 0 to 9 and a to f.",
            kept="Nothing was moved.",
            remedy="Copy it from the client, or from torrent-mover --dry-run; the first 6 characters are enough.",
        )
    return digits


def _torrents(settings: Settings) -> Sequence[Torrent]:
    with one_client(settings.moving.source_client_section, settings.source_client, settings) as client:
        return client.torrents()


def chosen(
    wanted: Iterable[str], found: Sequence[tuple[Settings, Sequence[Torrent]]]
) -> Mapping[str, frozenset[InfoHash]]:
    """Which torrents each route moves. Raises UsageError where that is not certain.

    Where the clients of several routes have a torrent, it takes the one whose category it is in.
    """
    only: dict[str, set[InfoHash]] = {}
    for digits in wanted:
        having = [
            (settings, torrent) for settings, all_of in found for torrent in all_of if torrent.id.hex.startswith(digits)
        ]
        _refuse_doubt(digits, having)
        fitting = [each for each in having if each[1].category == each[0].moving.category_to_move]
        taken = fitting or having
        if len({settings.route for settings, _ in taken}) > 1:
            names = [settings.route for settings, _ in taken]
            raise UsageError(
                f"{digits} could take {counted(len(names), 'route')}: {', '.join(names)}.",
                kept="Nothing was moved.",
                remedy=f"Say which one: torrent-mover --route {names[0]} move {digits}",
            )
        settings, torrent = taken[0]
        only.setdefault(settings.route, set()).add(torrent.id)
    return {route: frozenset(torrents) for route, torrents in only.items()}


def _refuse_doubt(digits: str, having: Sequence[tuple[Settings, Torrent]]) -> None:
    hashes = {torrent.id.hex for _, torrent in having}
    if not hashes:
        raise UsageError(
            f"No source client has a torrent whose infohash begins with {digits}.",
            kept="Nothing was moved.",
            remedy="torrent-mover --dry-run lists what there is.",
        )
    if len(hashes) > 1:
        raise UsageError(
            f"{counted(len(hashes), 'torrent')} begin with {digits}: {', '.join(sorted(hashes)[:4])}.",
            kept="Nothing was moved.",
            remedy="Give more characters of the infohash.",
        )
