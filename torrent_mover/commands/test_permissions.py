"""--test-permissions: writes, renames and deletes a file where the configured mode will write, as the user that it will be."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

from torrent_mover.adapters.local.accounts import LocalAccounts
from torrent_mover.bootstrap.checkup import Checkup
from torrent_mover.commands.configured import routes_of
from torrent_mover.domain.errors import ExitCode, PreflightRefused, ProvisioningError
from torrent_mover.domain.paths import ROOT
from torrent_mover.domain.text import safe
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.delivery.access import Access


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder that the mode writes in: what it is for, whose it is, how to try it, whether moves may open it themselves."""

    what: str
    access: Access
    probe: Callable[[], None]
    opened_by_moves: bool


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Try it. Leaves nothing behind and changes no mode. Raises PreflightRefused with the one command that helps."""
    routes, path = routes_of(arguments)
    refusals: list[ProvisioningError] = []
    for settings in routes:
        route = f"route {settings.route}, " if len(routes) > 1 else ""
        mode = settings.moving.transfer_mode.value
        sys.stdout.write(safe(f"{route}transfer_mode {mode}, config {path}") + "\n")
        refusals += _refusals(settings)
    if refusals:
        first = refusals[0]
        raise PreflightRefused(
            first.what, kept="Nothing was left behind, and no mode was changed.", remedy=first.remedy
        )
    return ExitCode.DONE


def _refusals(settings: Settings) -> list[ProvisioningError]:
    """Try the folders of one route; what they refused."""
    with Checkup(settings, lambda: "") as checkup:
        folder = checkup.checks.folder
        folder.require()
        places = [_Place("destination", folder.access, folder.probe, folder.can_be_opened())]
        if checkup.cache is not None:
            cache = Access(checkup.cache, LocalAccounts())
            places.append(_Place("cache", cache, lambda: cache.probe(ROOT), opened_by_moves=False))
        return [refusal for place in places if (refusal := _try(place)) is not None]


def _try(place: _Place) -> ProvisioningError | None:
    say, access = sys.stdout.write, place.access
    say(f"\n{place.what}\n")
    say(f"  folder   {safe(access.shown())}  {access.owner()}\n")
    say(f"  as user  {access.ours}\n")
    try:
        place.probe()
    except ProvisioningError as error:
        if place.opened_by_moves:
            say("  closed to us; moves open it and close it again (preflight_unlock in [SETTINGS])\n")
            return None
        say("  a file could not be written, renamed and deleted\n")
        return error
    say("  a file was written, renamed and deleted\n")
    return None
