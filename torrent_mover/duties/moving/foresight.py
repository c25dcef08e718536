"""What a run would refuse of its plan, found by reading every .torrent as the run does, and touching nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from torrent_mover.domain.errors import MoverError, ServerError, TorrentError
from torrent_mover.domain.report.snapshot import WouldFail
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.delivery import lacking, loading
from torrent_mover.engine.delivery.metainfo import metainfo_of
from torrent_mover.engine.delivery.places import Destination, Source
from torrent_mover.engine.run.work import Plan

PATIENCE: Final = 30.0
"""Seconds for all of them: thousands of torrents, or a slow client, must not make the look longer than a person waits."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """`refused`, in the plan's order; `unread` torrents were not read for want of time, or as the client did not answer.

    `not_taken`: what torrents have that the destination's client cannot be given, in words; those that lose nothing are not in it.
    """

    refused: tuple[WouldFail, ...] = ()
    unread: int = 0
    not_taken: Mapping[InfoHash, tuple[str, ...]] = field(default_factory=dict)


def foresee(
    source: Source, destination: Destination, plan: Plan, monotonic: Callable[[], float], patience: float = PATIENCE
) -> Foresight:
    """Read one after the other until all are read or the time is up. Raises nothing."""
    refused: list[WouldFail] = []
    not_taken: dict[InfoHash, tuple[str, ...]] = {}
    deadline = monotonic() + patience
    for number, move in enumerate(plan.moves):
        if monotonic() > deadline:
            return Foresight(tuple(refused), len(plan.moves) - number, not_taken)
        torrent = move.torrent
        try:
            whole = replace(move, files=tuple(source.client.files(torrent.id)))
            manifest, _ = loading.read(source, destination, whole, metainfo_of(source, torrent.id))
            if words := lacking.not_taken(destination.client, whole, manifest.name):
                not_taken[torrent.id] = words
        except TorrentError as error:
            refused.append(WouldFail(torrent.id, torrent.name, torrent.size, error.code, error.what, error.remedy))
        except ServerError:
            return Foresight(tuple(refused), len(plan.moves) - number, not_taken)
        except MoverError:
            continue  # what is no verdict about this torrent is for the run to say
    return Foresight(tuple(refused), 0, not_taken)
