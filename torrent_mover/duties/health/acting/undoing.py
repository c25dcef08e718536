"""Takes an action back: files out of the bin, the torrent into its client again as it was; or what else was changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from torrent_mover.domain.errors import TorrentGone
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.torrent import USUAL_PRIORITY, FilePriority
from torrent_mover.duties.health.acting.checking import checked
from torrent_mover.duties.health.acting.log import ActingStep, ActionLog
from torrent_mover.duties.health.acting.taken_out import TakenOut
from torrent_mover.duties.health.acting.world import ActingWorld
from torrent_mover.duties.health.errors import CannotUndo
from torrent_mover.duties.health.model import ActionRecord, HealthAction, HealthHold
from torrent_mover.ports.client import AddSpec, RecheckVerdict
from torrent_mover.ports.roles import (
    AutoManages,
    Categories,
    DisplayNames,
    EditsTrackers,
    ForceStarts,
    LimitsSharing,
    OrdersPieces,
    Priorities,
    Renames,
    SuperSeeds,
    Tags,
    TransferLimits,
)

HELD_FOR: Final = 7 * 86400.0
"""Seconds for which a person's word stands: the loop leaves the torrent alone."""


def hold(world: ActingWorld, record: ActionRecord) -> None:
    """Hold the torrent, so that no look does at once again what a person has taken back."""
    now = world.health.clock.now()
    world.health.journal.save_hold(
        HealthHold(record.torrent, now, now + HELD_FOR, f"action {record.number} was undone")
    )


@dataclass(slots=True)
class Return:
    """A torrent that was taken out comes back. Begun again after a kill, it goes on."""

    world: ActingWorld
    log: ActionLog
    record: TakenOut

    def run(self) -> None:
        """Take all steps that are left. Raises MoverError."""
        if not self.record.metainfo:
            why = "its bin was emptied" if self.record.bin else "it was a magnet link without metadata"
            raise CannotUndo(
                f"{self.record.name} cannot come back: {clause(why)}, and there is no .torrent of it.",
                kept="Nothing was changed.",
                remedy=f"Add it anew: magnet:?xt=urn:btih:{self.record.torrent.hex}",
            )
        if self.record.bin and not self.log.begun(ActingStep.ADD):
            self.log.take(ActingStep.FILES_BACK, self._files_back)
        self.log.take(ActingStep.ADD, self._add)
        self.log.take("check", self._check)
        self.log.take("settle", self._settle)
        if self.record.running:
            self.log.take(ActingStep.START, self._start)

    @property
    def _place(self) -> ClientPath:
        """Where its data lies: of what is not complete, the folder in which its client keeps unfinished data."""
        return self.record.save_path if self.record.complete else self.record.folder

    def _files_back(self) -> str | None:
        self.world.bin.put_back(self.record)
        return None

    def _add(self) -> str | None:
        record, client = self.record, self.world.health.client
        there = client.get(record.torrent)
        if there is not None and there.save_path not in (record.save_path, self._place):
            raise CannotUndo(
                f"{record.name} is in the client again, at {there.save_path}.",
                kept="Nothing was changed but the files, which are back where they were.",
                remedy="Remove it there first, without its data.",
            )
        if there is not None:
            return "it is there already"
        client.add_stopped(record.torrent_file, self._spec())
        return None

    def _spec(self) -> AddSpec:
        """As it was, in what this client can be told."""
        record, client = self.record, self.world.health.client
        manifest = Manifest.parse(record.torrent_file)
        files = record.files or ()
        names = {file.index: str(file.path) for file in manifest.files}
        given: Mapping[type, dict[str, object]] = {
            Categories: {"category": record.category},
            Tags: {"tags": record.tags},
            DisplayNames: {"name": record.name if record.name != manifest.name else ""},
            TransferLimits: {"upload_limit": record.upload_limit, "download_limit": record.download_limit},
            OrdersPieces: {
                "sequential": record.sequential,
                "first_last_piece_first": record.first_last_piece_first,
            },
            Renames: {
                "renames": tuple((file.index, file.path) for file in files if names.get(file.index) != file.path)
            },
            Priorities: {
                "priorities": tuple(
                    (file.index, file.priority) for file in files if file.priority is not USUAL_PRIORITY
                )
            },
        }
        known: dict[str, object] = {}
        for role, fields in given.items():
            if client.role(role) is not None:
                known |= fields
        return replace(AddSpec(self._place), **known)  # type: ignore[arg-type]

    def _check(self) -> str:
        verdict = checked(self.world, self.record.torrent)
        if self.record.complete and verdict is not RecheckVerdict.GOOD:
            raise CannotUndo(
                f"{self.record.name} is back, but its client finds only a part of its data.",
                kept="It is stopped there, and held for 7 days.",
                remedy="Look at its files; then check and start it in the client.",
            )
        return verdict.value

    def _settle(self) -> str | None:
        """What could stop or move it, given last."""
        record, client = self.record, self.world.health.client
        if limiting := client.role(LimitsSharing):
            limiting.set_share_limits(record.torrent, record.share_limits)
        if record.super_seeding and (seeding := client.role(SuperSeeds)):
            seeding.set_super_seeding(record.torrent, on=True)
        if record.auto_managed and (managing := client.role(AutoManages)):
            path = managing.managed_path(record.category)
            if path != record.save_path:
                return f"automatic management stays off: it would move the data to {path}"
            managing.set_auto_managed(record.torrent, on=True)
        return None

    def _start(self) -> str | None:
        client = self.world.health.client
        client.start(self.record.torrent)
        if self.record.force_start and (forcing := client.role(ForceStarts)):
            forcing.set_force_start(self.record.torrent, on=True)
        return None


def undo_change(world: ActingWorld, record: ActionRecord, before: Mapping[str, Any]) -> Callable[[], str | None]:
    """What takes a change of a torrent back that stayed in its client. Raises CannotUndo."""
    client, torrent = world.health.client, record.torrent
    there = client.get(torrent)
    if there is None:
        raise TorrentGone(
            f"{client.name} does not list {record.name} any more.",
            kept="Nothing was changed.",
            remedy="Nothing of this action can be taken back.",
        )

    def back() -> str | None:
        if record.action is HealthAction.PAUSE:
            client.start(torrent)
            world.health.journal.mark_stopped(torrent, None)
        if (category := before.get("category")) is not None and (sorting := client.role(Categories)):
            sorting.set_category(torrent, str(category))
        if (tags := before.get("tags")) is not None and (tagging := client.role(Tags)):
            tagging.set_tags(torrent, list(tags))
        if (skipped := before.get("files")) and (choosing := client.role(Priorities)):
            choosing.set_priorities(torrent, {int(index): FilePriority(word) for index, word in skipped.items()})
        if (urls := before.get("trackers")) and (editing := client.role(EditsTrackers)):
            for url in urls:
                editing.add_tracker(torrent, url)
        return None

    if record.action is HealthAction.PAUSE or (before and record.action is not HealthAction.RECHECK):
        return back
    raise CannotUndo(
        f"There is nothing of {record.action.value} that could be taken back.",
        kept="Nothing was changed.",
        remedy="See: torrent-mover health --actions",
    )
