"""Looks at one Arr as a whole: what it is, whose torrents it wants, and what in its own settings is dangerous."""

from __future__ import annotations

from dataclasses import dataclass

from torrent_mover.domain.arrs.advice import advice_of
from torrent_mover.domain.arrs.belonging import categories_of
from torrent_mover.domain.arrs.media import ArrInfo, RemoteMapping
from torrent_mover.engine.arrs.desk import ArrWishes
from torrent_mover.ports.media_manager import MediaManager


@dataclass(frozen=True, slots=True)
class ArrPicture:
    """What was seen. `advice`: a sentence for each thing that somebody should change; `alarms`: errors of its own health page."""

    name: str
    server: str
    info: ArrInfo
    categories: frozenset[str]
    advice: tuple[str, ...]
    alarms: tuple[str, ...]
    mappings: tuple[RemoteMapping, ...] = ()


def examine(manager: MediaManager, wishes: ArrWishes) -> ArrPicture:
    """Ask it, and change nothing. Raises ServerError where it gives no true answer."""
    info = manager.info()
    clients = manager.clients()
    mappings = tuple(manager.mappings())
    advice = tuple(advice_of(manager.name, clients, mappings, manager.policy(), wishes.category))
    categories = frozenset({wishes.category}) if wishes.category else categories_of(clients, wishes.client)
    alarms = tuple(alarm.message for alarm in manager.alarms() if alarm.is_error)
    return ArrPicture(manager.name, manager.server, info, categories, advice, alarms, mappings)
