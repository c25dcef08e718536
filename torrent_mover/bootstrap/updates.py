"""Builds what looks for newer releases, where the config wants it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from torrent_mover import __version__
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.releases import UpdateChannel
from torrent_mover.domain.settings.general import GeneralSettings
from torrent_mover.domain.settings.kinds import HostAddress
from torrent_mover.engine.hub.updates import DUTY, UpdateLoop
from torrent_mover.ports.clock import Clock


def build_updates(
    general: GeneralSettings, journal: SqliteJournal, clock: Clock, say: Callable[[str], object], stack: ExitStack
) -> UpdateLoop | None:
    """None where nobody wants it, or no list is named. Asks nobody; `stack` ends the connection."""
    channel, url = general.update_check, general.update_url
    if channel is UpdateChannel.OFF or url is None:
        return None
    # A run that asks nobody need not load what speaks HTTP.
    from torrent_mover.adapters.outlets.releases import ReleaseList

    releases = ReleaseList(str(HostAddress(url.name, url.scheme or "https", url.port, url.path)))
    stack.callback(releases.close)
    return UpdateLoop(channel, __version__, releases.read, journal.documents(DUTY, ""), clock, say)
