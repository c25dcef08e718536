"""What a run would refuse of its plan, found by reading every .torrent as the run does, and touching nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.errors import MoverError, ServerError, TorrentError
from torrent_mover.domain.report.snapshot import WouldFail
from torrent_mover.engine.delivery import cargo
from torrent_mover.engine.delivery.places import Source
from torrent_mover.engine.run.work import Plan

PATIENCE: Final = 30.0
"""Seconds for all of them: thousands of torrents, or a slow client, must not make the look longer than a person waits."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """`refused`, in the plan's order; `unread` torrents were not read for want of time, or as the client did not answer."""

    refused: tuple[WouldFail, ...] = ()
    unread: int = 0


def foresee(source: Source, plan: Plan, monotonic: Callable[[], float], patience: float = PATIENCE) -> Foresight:
    """Read one after the other until all are read or the time is up. Raises nothing."""
    refused: list[WouldFail] = []
    deadline = monotonic() + patience
    for number, move in enumerate(plan.moves):
        if monotonic() > deadline:
            return Foresight(tuple(refused), len(plan.moves) - number)
        torrent = move.torrent
        try:
            files = tuple(source.client.files(torrent.id))
            cargo.read(source.name, replace(move, files=files), source.client.metainfo(torrent.id))
        except TorrentError as error:
            refused.append(WouldFail(torrent.id, torrent.name, torrent.size, error.code, error.what, error.remedy))
        except ServerError:
            return Foresight(tuple(refused), len(plan.moves) - number)
        except MoverError:
            continue  # what is no verdict about this torrent is for the run to say
    return Foresight(tuple(refused))
