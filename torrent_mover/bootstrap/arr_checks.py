"""What doctor asks about each Arr: that it answers, what in its settings is dangerous, and that it sees the destination."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Final

from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.arrs import managers_of
from torrent_mover.bootstrap.state import journal_path
from torrent_mover.domain.arrs.advice import not_polled
from torrent_mover.domain.arrs.path_pairs import DeliveredData, pair_of
from torrent_mover.domain.paths import ROOT, ClientPath, LocalPath, RelativePath
from torrent_mover.domain.settings.arr import ArrSettings, HandOverMode
from torrent_mover.domain.settings.clients import ClientType
from torrent_mover.domain.text import clause, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving.settings import Settings
from torrent_mover.engine.arrs.desk import ArrWishes
from torrent_mover.engine.arrs.examination import examine
from torrent_mover.engine.arrs.path_finding import PathFinder
from torrent_mover.engine.delivery.places import Destination
from torrent_mover.engine.preflight.destination import DestinationFolder
from torrent_mover.engine.preflight.examination import Check, Doubt
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.media_manager import MediaManager

_NOBODY: Final = InfoHash("0" * 40)


def arr_checks(
    settings: Settings, destination: Destination, folder: DestinationFolder, clock: Clock, stack: ExitStack
) -> tuple[Check, ...]:
    """None of them stops a run: an Arr never does. Connects to nothing before it is asked; `stack` ends the connections."""
    if not settings.arrs:
        return ()
    journal = SqliteJournal.open_readonly(journal_path(settings))
    stack.callback(journal.close)
    checks = []
    for name, manager in managers_of(settings.arrs, clock, stack).items():
        section = settings.arrs[name]
        checks.append(Check(f"Arr {name}", partial(_introduce, settings, section, manager), fatal=False))
        if section.hand_over is not HandOverMode.OFF:
            finder = PathFinder(manager, journal, section.pairs, partial(_seen, destination))
            ask = partial(_sees, settings, destination, folder, finder)
            checks.append(Check(f"Arr {name}: its path", ask, fatal=False, quick=False))
    return tuple(checks)


def version_checks(sections: Mapping[str, ArrSettings], clock: Clock, stack: ExitStack) -> tuple[Check, ...]:
    """That each of these answers, which version it is, and what it says is wrong with itself. `stack` ends the connections."""
    managers = managers_of(sections, clock, stack)
    return tuple(Check(f"Arr {name}", partial(version_of, each), fatal=False) for name, each in managers.items())


def version_of(manager: MediaManager, more: str = "") -> str:
    """Product and version, and `more`. Raises Doubt with what it says is wrong with itself, and ServerError's children."""
    info = manager.info()
    alarms = [alarm.message for alarm in manager.alarms() if alarm.is_error]
    said = f"{info.product} {info.version}{more}"
    if alarms:
        lines = (f"{manager.name} says: {alarm}" for alarm in alarms)
        remedy = f"See System > Status in {manager.name}."
        raise Doubt("\n".join((f"{clause(said)}:", *lines)), kept="The work goes on.", remedy=remedy)
    return said


def _introduce(settings: Settings, section: ArrSettings, manager: MediaManager) -> str:
    wishes = ArrWishes(section.category, section.client)
    picture = examine(manager, wishes)
    advice = [*picture.advice, *(f"{manager.name} says: {alarm}" for alarm in picture.alarms)]
    client = settings.destination_client
    if section.hand_over is HandOverMode.AUTO and client.type is ClientType.QBITTORRENT:
        advice += not_polled(manager.name, manager.clients(), client.port)
    said = (
        f"{picture.info.product} {picture.info.version}, category {', '.join(sorted(picture.categories)) or '(none)'}"
    )
    if advice:
        raise Doubt("\n".join((f"{clause(said)}:", *advice)), kept="Moves go on.", remedy="See docs/arr.md.")
    return said


def _seen(destination: Destination, torrent: InfoHash) -> ClientPath | None:
    found = destination.client.get(torrent)
    return found.content_path if found else None


def _sees(settings: Settings, destination: Destination, folder: DestinationFolder, finder: PathFinder) -> str:
    """Put a small file there and let the Arr find it. Raises Doubt with the line to write."""
    root, name = LocalPath(str(settings.paths.destination_path)), finder.manager.name

    def look(place: RelativePath, size: int) -> str:
        data = DeliveredData(root / place, ROOT, size, destination.save_path / place)
        found = finder.look(_NOBODY, data, settings.moving.category_to_move)
        if found is None:
            raise Doubt(
                f"{name} does not see a file in {safe(root.text)} under any path that was tried.",
                kept="Moves go on; what is moved there is not imported.",
                remedy=f"Mount that folder in {name}, or write in [ARR {name}]: path_map = /as/the/arr/sees = {root}",
            )
        pair = pair_of(found.path, data.path)
        if pair.theirs.text == pair.ours.text:
            return f"it sees {safe(root.text)} under the same path"
        return f"path_map = {safe(pair.theirs.text)} = {safe(pair.ours.text)} (found by {found.by.value})"

    return folder.shown(look)
