"""Writes down how far a move is, before each stage, and tells everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.move import Mark, MoveRecord, Stage
from torrent_mover.domain.report.events import Level, MoveStarted, Noticed, StageEntered
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import Torrent
from torrent_mover.engine.delivery.world import World
from torrent_mover.engine.progress.board import Track


class MoveLog:
    """Of one attempt at one move. See engine.delivery.shipment.DeliveryLog."""

    def __init__(self, world: World, torrent: Torrent, track: Track, record: MoveRecord) -> None:
        self._world = world
        self._torrent = torrent
        self._track = track
        self._record = record

    @property
    def stage(self) -> Stage:
        """The last one that was written down."""
        return self._record.stage

    @property
    def started_at(self) -> float:
        """When the first attempt began, Unix seconds."""
        return self._record.started_at

    def enter(self, stage: Stage) -> None:
        """Write the stage down before it is taken."""
        self._track.check()
        now = self._world.clock.now()
        self._save(self._record.entering(stage, now))
        self._track.enter(stage, now)
        self._world.publish(StageEntered(now, self._torrent.id, self._torrent.name, stage))

    def mark(self, mark: Mark) -> None:
        """Write a mark of its check down."""
        self._save(self._record.entering(Stage.CHECKING, self._world.clock.now()), mark=mark)

    def began(self, manifest: Manifest, present: int) -> None:
        """Tell that its bytes begin to come; so many lie there already."""
        now, wanted, files = self._world.clock.now(), manifest.size_of(manifest.wanted), len(manifest.files)
        self._world.publish(MoveStarted(now, self._torrent.id, self._torrent.name, wanted, files, present))

    def notice(self, level: Level, text: str) -> None:
        """Tell people a line about the move."""
        self._world.publish(Noticed(self._world.clock.now(), self._torrent.id, level, text))

    def tell(self, text: str) -> None:
        """Tell them something that is as it should be."""
        self.notice(Level.INFO, text)

    def warn(self, text: str) -> None:
        """Tell them something that is not."""
        self.notice(Level.WARN, text)

    @contextmanager
    def only_warned(self) -> Iterator[None]:
        """What fails in here is said, and changes nothing."""
        try:
            yield
        except MoverError as error:
            with suppress(MoverError):
                self.warn(f"the torrent was moved, but: {error}")

    def _save(self, record: MoveRecord, mark: Mark | None = None) -> None:
        self._record = replace(record, mark=mark or record.mark)
        self._world.journal.save_move(self._record)
