"""Sets attributes of torrents as their tracker rules want them, and the order of the client's queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torrent_mover.domain.errors import TorrentError
from torrent_mover.domain.torrent.torrent import InfoHash, Torrent
from torrent_mover.duties.health.acting.log import ActionLog
from torrent_mover.duties.health.acting.world import ActingWorld
from torrent_mover.duties.health.attributes import AttributeChange
from torrent_mover.ports.roles import EditsTrackers, QueueOrder, SuperSeeds, Tags, TransferLimits


@dataclass(slots=True)
class Adjustment:
    """One change of one torrent. What the client cannot do is left out, and said."""

    world: ActingWorld
    log: ActionLog
    change: AttributeChange

    def run(self) -> None:
        """Set what differs. Raises MoverError."""
        client, change = self.world.health.client, self.change
        there = client.get(change.torrent)
        if there is None:
            return
        if change.upload_limit is not None or change.download_limit is not None:
            self._set("limits", client.role(TransferLimits), lambda role: self._limits(role, there))
        if change.super_seeding is not None:
            on = change.super_seeding
            self._set("super seeding", client.role(SuperSeeds), lambda role: role.set_super_seeding(there.id, on=on))
        if change.add_tags:
            tags = tuple(dict.fromkeys((*there.tags, *change.add_tags)))
            self._set("tags", client.role(Tags), lambda role: role.set_tags(there.id, tags))
        if change.add_trackers or change.remove_trackers:
            self._set("trackers", client.role(EditsTrackers), lambda role: self._trackers(role, there))

    def _set(self, step: str, role: object | None, act: Callable[..., None]) -> None:
        def said() -> str | None:
            if role is None:
                return "this client cannot"
            act(role)
            return None

        self.log.take(step, said)

    def _limits(self, role: TransferLimits, there: Torrent) -> None:
        change = self.change
        upload = there.upload_limit if change.upload_limit is None else change.upload_limit
        download = there.download_limit if change.download_limit is None else change.download_limit
        role.set_transfer_limits(there.id, upload=upload, download=download)

    def _trackers(self, role: EditsTrackers, there: Torrent) -> None:
        for url in self.change.add_trackers:
            role.add_tracker(there.id, url)
        for url in self.change.remove_trackers:
            role.remove_tracker(there.id, url)


def arrange(world: ActingWorld, first: Sequence[InfoHash]) -> str:
    """Put these at the head of the queue, one after the other; blank, or why it was not done."""
    ordering = world.health.client.role(QueueOrder)
    if ordering is None:
        return "this client has no queue"
    try:
        for torrent in first:
            ordering.move_in_queue(torrent, first=True)
    except TorrentError as error:
        return error.what  # the queue is off, or one of them is gone: the next look sees
    return ""
