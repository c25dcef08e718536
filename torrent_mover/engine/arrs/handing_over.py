"""The story of one hand-over to one Arr: asked -> found -> posting -> scanning -> imported, or refused after several tries.

Each step is written down before it is taken. Killed anywhere, the history is asked first, and then the Arr's own list of
commands: so it is never told twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.arrs.errors import ArrItemRefused, ArrPathUnknown, ImportIncomplete, ImportRefused
from torrent_mover.domain.arrs.handover import ArrHandover, HandoverStep, reasons_of
from torrent_mover.domain.arrs.import_proof import ImportProof, newest_grab, prove_import
from torrent_mover.domain.arrs.media import ArrCommand, CommandStatus, MediaEvent, QueueItem, QueueState, RejectedFile
from torrent_mover.domain.errors import ServerError
from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.text import clause, is_utf8, safe
from torrent_mover.engine.arrs.path_finding import PathFinder
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.handovers import HandoverJournal
from torrent_mover.ports.media_manager import MediaManager

_SINCE: Final = 2 * 86400.0
"""Seconds before a hand-over in which an import without a downloadId may have happened: history older than that is not read."""


@dataclass(frozen=True, slots=True)
class ArrHandoverStory:
    """Takes hand-overs to one Arr a step further. `scan_timeout` in seconds; `may_refresh`: see HandOverMode.AUTO in the settings.

    `all_imported_is_told`: see ArrInfo.has_all_imported.
    """

    manager: MediaManager
    journal: HandoverJournal
    finder: PathFinder
    clock: Clock
    scan_timeout: float
    may_refresh: bool
    all_imported_is_told: bool = False

    def advance(self, record: ArrHandover) -> ArrHandover:
        """One step; returns what was written. Raises ServerError, with the record as it was, where the Arr gives no true answer.

        What the Arr does not want of this one torrent is written as its trouble, and is no error of the Arr.
        """
        if record.step.ended:
            return record
        try:
            if record.step is HandoverStep.WAITING:
                return self._begin(record)
            if record.step is HandoverStep.POSTING:
                return self._go_on(record)
            return self._look_at_scan(record)
        except ArrItemRefused as error:
            return self._save(record.came_to_nothing(f"{error.code} {error}", self.clock.now()))

    # Steps

    def _begin(self, record: ArrHandover) -> ArrHandover:
        """Ask the history, find the path, send the scan."""
        queue = self.manager.queue()
        proof, _ = self._proof(record, queue)
        if proof.proven:
            return self._save(record.imported(str(proof)))
        found = self.finder.find(record.torrent, record.data, record.category)
        if found is None:
            error = self._not_seen(record)
            return self._save(record.came_to_nothing(f"{error.code} {error}", self.clock.now()))
        record = record.found_at(found.path)
        if not proof.grabbed:
            proof, _ = self._proof(record, queue)
            if proof.proven:
                return self._save(record.imported(str(proof)))
        knows = any(item.torrent == record.torrent and item.output_path == record.path for item in queue)
        after = max((command.number for command in self.manager.commands()), default=0)
        # It imports by itself only what it grabbed; and what it has not by then, it is told with the path.
        refreshes = self.may_refresh and knows and proof.grabbed > 0 and record.tries == 0
        return self._post(self._save(record.posting(self.clock.now(), after, refreshes=refreshes)), found.path)

    def _go_on(self, record: ArrHandover) -> ArrHandover:
        """We were killed, or not answered, around the moment of sending: nobody knows whether the Arr has it."""
        proof, _ = self._proof(record, self.manager.queue())
        if proof.proven:
            return self._save(record.imported(str(proof)))
        sent = [command for command in self.manager.commands() if _is_of(command, record)]
        if sent and not record.refreshes:
            return self._save(record.scanning(sent[-1].number, self.clock.now()))
        if record.path is None:
            return self._save(replace(record, step=HandoverStep.WAITING))
        return self._post(record, record.path)

    def _post(self, record: ArrHandover, path: ArrPath) -> ArrHandover:
        command = self.manager.refresh() if record.refreshes else self.manager.scan(path, record.torrent)
        return self._save(record.scanning(command.number, self.clock.now()))

    def _look_at_scan(self, record: ArrHandover) -> ArrHandover:
        now = self.clock.now()
        command = self.manager.command(record.command)
        late = not record.sent_at <= now < record.sent_at + self.scan_timeout
        if command.status is CommandStatus.WAITING and not late:
            return self._save(record.polled(now))
        queue = self.manager.queue()
        proof, events = self._proof(record, queue)
        if proof.proven:
            return self._save(record.imported(str(proof)))
        goes_on = record.refreshes or _in_state(record, queue, QueueState.IMPORTING)
        if (
            command.status is CommandStatus.COMPLETED
            and goes_on
            and not late
            and not _in_state(record, queue, QueueState.BLOCKED)
        ):
            return self._save(record.polled(now))  # what it began by that may still be under way
        return self._save(record.came_to_nothing(self._why(record, command, proof, events, queue), now))

    # Proof and reasons

    def _proof(self, record: ArrHandover, queue: Sequence[QueueItem]) -> tuple[ImportProof, Sequence[MediaEvent]]:
        events = self.manager.events(record.torrent)
        if not newest_grab(events) and record.path is not None:
            # A torrent that it never grabbed: its imports may carry no downloadId.
            events = [*events, *self.manager.events_since(record.told_at - _SINCE)]
        told = self.all_imported_is_told
        return prove_import(record.torrent, events, queue, record.path, all_imported_is_told=told), events

    def _why(
        self,
        record: ArrHandover,
        command: ArrCommand,
        proof: ImportProof,
        events: Sequence[MediaEvent],
        queue: Sequence[QueueItem],
    ) -> str:
        """Why it came to nothing, with the code of its error, in the Arr's words where it has any."""
        rejected = self._rejected(record)
        if proof.partly:  # what is in is rejected as no upgrade of itself
            there = {
                event.dropped_path.parts[-1] for event in events if event.dropped_path and event.dropped_path.parts
            }
            rejected = [file for file in rejected if file.name.rpartition("/")[2] not in there]
        said = (reasons_of(record.torrent, list(queue), rejected) or _of_command(command)).rstrip(".")
        name = self.manager.name
        kept, remedy = "The data stays where it is.", f"Open Wanted > Manual Import of {name}, and choose that folder."
        error: ImportRefused
        if proof.partly:
            what = f"{name} has imported {proof.imported} of {proof.grabbed}: {clause(said)}."
            error = ImportIncomplete(what, kept=kept, remedy=remedy)
        else:
            error = ImportRefused(f"{name} has not imported it: {clause(said)}.", kept=kept, remedy=remedy)
        return safe(f"{error.code} {error}")

    def _rejected(self, record: ArrHandover) -> list[RejectedFile]:
        """It reads every file for that, which may take longer than it is waited for: then there are no reasons of single files."""
        if record.path is None:
            return []
        try:
            return list(self.manager.why_not(record.path))
        except ServerError:
            return []

    def _not_seen(self, record: ArrHandover) -> ArrPathUnknown:
        name, folder = self.manager.name, safe(record.data.path.parent.text)
        if not is_utf8(str(record.data.path / record.data.largest)):
            return ArrPathUnknown(
                f"{name} cannot be told of {safe(record.data.path.text)}: a name in it is not UTF-8.",
                kept="It was not told to scan; the data stays where it is.",
                remedy="Rename those files in their client.",
            )
        return ArrPathUnknown(
            f"{name} does not see {safe(record.data.path.text)} under any path that was tried.",
            kept="It was not told to scan; the data stays where it is.",
            remedy=f"Write in [ARR {name}]: path_map = /as/the/arr/sees = {folder}",
        )

    def _save(self, record: ArrHandover) -> ArrHandover:
        self.journal.save_handover(record)
        return record


def _is_of(command: ArrCommand, record: ArrHandover) -> bool:
    """Whether a command is the scan of this record, and no earlier one; one that ended without an outcome counts for nothing."""
    return (
        command.number > record.after
        and command.torrent == record.torrent
        and command.path == record.path
        and command.status is not CommandStatus.LOST
    )


def _in_state(record: ArrHandover, queue: Sequence[QueueItem], state: QueueState) -> bool:
    return any(item.torrent == record.torrent and item.state is state for item in queue)


def _of_command(command: ArrCommand) -> str:
    """What the end of a command says, where the Arr gives no reason."""
    if command.status is CommandStatus.FAILED and "NullReference" in command.trouble:
        return "it does not understand the title"
    if command.status is CommandStatus.FAILED:
        return f"its scan failed ({command.trouble or 'it does not say why'})"
    if command.status is CommandStatus.LOST:
        return f"its scan was lost ({command.word})"
    if command.status is CommandStatus.WAITING:
        return "its scan did not end in time"
    return "it found nothing new there"
