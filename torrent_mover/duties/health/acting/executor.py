"""The one executor of health: under the torrent's lease, after another look, each step written down before it is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from torrent_mover.domain.arrs.errors import BlockNotProven, DeletionByArr
from torrent_mover.domain.errors import Cancelled, GateRefused, MoverError, PreflightRefused, Retry, ServerError
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import clauses
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.acting.adjusting import Adjustment, arrange
from torrent_mover.duties.health.acting.log import ActingStep, ActionLog
from torrent_mover.duties.health.acting.lost import LostData
from torrent_mover.duties.health.acting.repairs import BeforeRecords, TorrentRepair
from torrent_mover.duties.health.acting.replacing import Replacement, note
from torrent_mover.duties.health.acting.taken_out import TakenOut
from torrent_mover.duties.health.acting.undoing import Return, hold, undo_change
from torrent_mover.duties.health.acting.world import ActingWorld
from torrent_mover.duties.health.attributes import AttributeChange
from torrent_mover.duties.health.errors import CannotUndo, NoSuchRecord, TakenOutChanged
from torrent_mover.duties.health.model import (
    ActionOutcome,
    ActionRecord,
    ActionState,
    BinEntry,
    FindingCode,
    HealthAction,
    Intent,
    Picture,
)
from torrent_mover.duties.health.needs import HealthOrder, SecondLook

_GIB: Final = 1 << 30
_TELLS_AGAIN: Final = (BlockNotProven, DeletionByArr)
_REPEATED: Final = (
    HealthAction.RECHECK,
    HealthAction.LOCATE,
    HealthAction.RESUME,
    HealthAction.REANNOUNCE,
    HealthAction.PAUSE,
)
"""Cut short they may leave a torrent stopped; done again they are done once."""
_STORIES: Final = (HealthAction.REPLACE, HealthAction.KEEP, HealthAction.RETIRE)


@dataclass(slots=True)
class HealthExecutor:
    """See needs.Acts. For one thread at a time."""

    world: ActingWorld
    before: BeforeRecords

    def carry_out(self, order: HealthOrder, reader: SecondLook) -> ActionOutcome:
        """See needs.Acts."""
        unwritten = self._record(order)
        try:
            with self.world.health.others.hold(order.intent.torrent):
                begun = self._under_way(order.intent)
                if begun is not None:
                    return self._go_on(begun)
                now = reader.again(order)
                if now is None or now.intent.vetoes:
                    why = clauses(*now.intent.vetoes) if now is not None else "it is no longer as it was"
                    return ActionOutcome(replace(unwritten, state=ActionState.DROPPED, trouble=why), why)
                record = self.world.health.journal.open_action(self._record(now))
                return self._do(record, now)
        except Cancelled:
            raise
        except MoverError as error:
            # Somebody else has the lease, or the second look got no answer: nothing was begun.
            return ActionOutcome(
                replace(unwritten, state=ActionState.DROPPED, trouble=_sentence(error)), _sentence(error)
            )

    def adjust(self, picture: Picture, change: AttributeChange) -> ActionOutcome:
        """See needs.Acts."""
        words = ", ".join(change.words)
        intent = Intent(picture.id, HealthAction.ADJUST, FindingCode.ATTRIBUTES, f"its tracker rules want: {words}")
        record = self._record(HealthOrder(intent, picture, words))
        try:
            with self.world.health.others.hold(picture.id):
                journal = self.world.health.journal
                log = ActionLog(journal, self.world.health.clock, journal.open_action(record))
                try:
                    Adjustment(self.world, log, change).run()
                except Cancelled:
                    raise
                except MoverError as error:
                    return log.end(ActionState.FAILED, _sentence(error))
                return log.end(ActionState.DONE)
        except Cancelled:
            raise
        except MoverError as error:
            return ActionOutcome(replace(record, state=ActionState.DROPPED), _sentence(error))

    def arrange(self, first: Sequence[InfoHash]) -> str:
        """See needs.Acts."""
        return arrange(self.world, first)

    def resume(self) -> Sequence[ActionOutcome]:
        """See needs.Acts."""
        if self.world.hand_over is not None:
            self.world.hand_over.go_on()
        done = [(record, self._resumed(record)) for record in self._open()]
        return [
            outcome
            for before, outcome in done
            if (outcome.record.state, outcome.trouble) != (before.state, before.trouble)
        ]

    def undo(self, number: int) -> ActionOutcome:
        """See needs.Acts."""
        record = self.world.health.journal.action(number)
        if record is None:
            raise NoSuchRecord(
                f"There is no action {number}.",
                kept="Nothing was changed.",
                remedy="See: torrent-mover health --actions",
            )
        if record.state is ActionState.UNDONE:
            raise CannotUndo(f"Action {number} was undone already.", kept="Nothing was changed.", remedy="")
        with self.world.health.others.hold(record.torrent):
            taken = self.world.records.get(number)
            hold(self.world, record)
            log = ActionLog(self.world.health.journal, self.world.health.clock, record)
            if record.action.takes_out and taken is not None:
                return self._bring_back(log, taken)
            return self._change_back(log, taken)

    def bin(self) -> Sequence[BinEntry]:
        """See needs.Acts."""
        return [entry for entry in self.world.health.journal.bin_entries() if entry.emptied_at is None]

    def empty_bin(self, *, everything: bool) -> Sequence[BinEntry]:
        """See needs.Acts. What cannot be reached stays, and is told."""
        emptied = []
        for entry in self._to_empty(everything=everything):
            taken = self.world.records.get(entry.number)
            if taken is None or not taken.bin:
                continue
            try:
                if self._is_half_back(taken):
                    way = f"See: torrent-mover health {self.world.health.name} --undo {entry.number}"
                    self._say(entry.torrent, f"The bin keeps {entry.name}: its return was cut short. {way}")
                    continue
                self.world.bin.delete(taken)
            except Cancelled:
                raise
            except MoverError as error:
                self._say(entry.torrent, f"The bin keeps {entry.name}: {_sentence(error)}")
                continue
            # The .torrent may hold a passkey, and brings nothing back any more. First, for an emptied bin is not looked at again.
            self.world.records.save(replace(taken, metainfo=""))
            gone = replace(entry, emptied_at=self.world.health.clock.now())
            self.world.health.journal.save_bin_entry(gone)
            emptied.append(gone)
        return emptied

    # -- doing ---------------------------------------------------------------------------------------------------------

    def _record(self, order: HealthOrder) -> ActionRecord:
        intent, torrent, health = order.intent, order.picture.torrent, self.world.health
        hosts = {_host(tracker.url) for tracker in order.picture.trackers or ()}
        return ActionRecord(
            number=0,
            at=health.clock.now(),
            loop=health.name,
            client=health.client_name,
            torrent=torrent.id,
            name=torrent.name,
            action=intent.action,
            code=intent.code,
            reason=intent.reason,
            evidence=order.evidence,
            state=ActionState.UNDER_WAY,
            trackers=tuple(sorted(hosts - {""})),
        )

    def _do(self, record: ActionRecord, order: HealthOrder) -> ActionOutcome:
        log = ActionLog(self.world.health.journal, self.world.health.clock, record)
        if record.action in _STORIES:
            try:
                taken = note(
                    self.world, log, order.picture.torrent, told_not_to_search=self._told_not_to_search(record)
                )
            except Cancelled:
                raise
            except MoverError as error:
                cut_short = self.world.records.get(record.number) is not None
                return log.end(ActionState.UNDER_WAY if cut_short else ActionState.REFUSED, _sentence(error))
            return self._replace(log, taken)
        return self._repair(log, order.intent.detail)

    def _replace(self, log: ActionLog, taken: TakenOut) -> ActionOutcome:
        story = Replacement(self.world, log, taken)
        try:
            story.run()
        except Cancelled:
            raise
        except TakenOutChanged as error:
            return self._dropped(story, error)
        except _TELLS_AGAIN as error:
            self._give_back(story)
            return log.end(ActionState.FAILED, _sentence(error))
        except MoverError as error:
            if story.only_forward or isinstance(error, ServerError) or error.retry is not Retry.NEVER:
                return log.end(ActionState.UNDER_WAY, _sentence(error))  # the same step again at the next look
            self._give_back(story)
            return log.end(ActionState.FAILED, _sentence(error))
        return log.end(ActionState.DONE)

    def _dropped(self, story: Replacement, error: MoverError) -> ActionOutcome:
        self._give_back(story)
        return story.log.end(ActionState.DROPPED, _sentence(error))

    def _give_back(self, story: Replacement) -> None:
        """It stays: so it is as it was."""
        try:
            self._put_back(story)
        except Cancelled:
            raise
        except MoverError as error:
            self._say(
                story.record.torrent, f"{story.record.name} stays, perhaps without its share limits: {_sentence(error)}"
            )

    def _put_back(self, story: Replacement) -> None:
        self.world.bin.leave(story.record)
        if story.record.complete:
            story.give_back()
        story.start_again()

    def _repair(self, log: ActionLog, detail: tuple[str, ...]) -> ActionOutcome:
        repair: Callable[[], object]
        if log.record.action is HealthAction.LOCATE:
            repair = LostData(self.world, log).run
        else:
            repair = TorrentRepair(self.world, log, self.before, detail).run
        try:
            repair()
        except Cancelled:
            raise
        except (PreflightRefused, GateRefused) as error:
            return log.end(ActionState.REFUSED, _sentence(error))
        except MoverError as error:
            waits = isinstance(error, ServerError) and log.record.steps and log.record.action in _REPEATED
            return log.end(ActionState.UNDER_WAY if waits else ActionState.FAILED, _sentence(error))
        return log.end(ActionState.DONE)

    # -- going on ------------------------------------------------------------------------------------------------------

    def _open(self) -> Sequence[ActionRecord]:
        return [each for each in self.world.health.journal.actions() if each.state is ActionState.UNDER_WAY]

    def _under_way(self, intent: Intent) -> ActionRecord | None:
        of_it = (each for each in self._open() if each.torrent == intent.torrent)
        return next((each for each in of_it if each.action in (*_STORIES, intent.action)), None)

    def _resumed(self, record: ActionRecord) -> ActionOutcome:
        try:
            with self.world.health.others.hold(record.torrent):
                return self._go_on(record)
        except Cancelled:
            raise
        except MoverError as error:
            return ActionOutcome(record, _sentence(error))

    def _go_on(self, record: ActionRecord) -> ActionOutcome:
        log = ActionLog(self.world.health.journal, self.world.health.clock, record)
        if record.action not in _STORIES:
            if record.steps and record.action in _REPEATED:
                return self._repair(log, ())
            return log.end(ActionState.DROPPED, "it was cut short; the next look judges it anew")
        taken = self.world.records.get(record.number)
        if taken is None:
            return log.end(ActionState.DROPPED, "it was cut short before anything was done")
        story = Replacement(self.world, log, taken)
        if story.has_way_back():
            self._put_back(story)  # where its client is away, it waits as it is
            return log.end(ActionState.DROPPED, "it was cut short; the next look judges it anew")
        return self._replace(log, taken)

    def _told_not_to_search(self, record: ActionRecord) -> bool:
        """What the Arr was told by an action that was cut short or failed, and perhaps has blocked the release already."""
        stories = (
            each
            for each in reversed(self.world.health.journal.actions())
            if each.torrent == record.torrent and each.action in _STORIES and each.number != record.number
        )
        last = next(stories, None)
        if last is None or last.state not in (ActionState.DROPPED, ActionState.FAILED):
            return False
        taken = self.world.records.get(last.number)
        return taken is not None and taken.told_not_to_search

    # -- taking back ---------------------------------------------------------------------------------------------------

    def _bring_back(self, log: ActionLog, taken: TakenOut) -> ActionOutcome:
        Return(self.world, log, taken).run()
        journal = self.world.health.journal
        for entry in journal.bin_entries():
            if entry.number == taken.number and entry.emptied_at is None:
                journal.save_bin_entry(replace(entry, emptied_at=self.world.health.clock.now()))
        return log.end(ActionState.UNDONE)

    def _change_back(self, log: ActionLog, taken: TakenOut | None) -> ActionOutcome:
        said = dict(self.before.get(log.record.number))
        if taken is not None:
            said["category"] = taken.category
        log.take("take back", undo_change(self.world, log.record, said))
        return log.end(ActionState.UNDONE)

    # -- the bin -------------------------------------------------------------------------------------------------------

    def _to_empty(self, *, everything: bool) -> Sequence[BinEntry]:
        """What is older than `bin_keep`, and of the others the oldest while all together are above `bin_max_gb`."""
        settings, now = self.world.health.settings, self.world.health.clock.now()
        entries = sorted(self.bin(), key=lambda entry: entry.at)
        if everything:
            return entries
        old = [entry for entry in entries if now - entry.at >= settings.bin_keep]
        kept = [entry for entry in entries if entry not in old]
        if settings.bin_max_gb is not None:
            over = sum(entry.size for entry in kept) - settings.bin_max_gb * _GIB
            while kept and over > 0:
                over -= kept[0].size
                old.append(kept.pop(0))
        return old

    def _is_half_back(self, taken: TakenOut) -> bool:
        """Whether it was on its way back when that was cut short: what is left here is all that can make it whole again."""
        journal, back = self.world.health.journal, ActingStep.FILES_BACK.value
        undone = journal.action(taken.number)
        if undone is not None and any(
            each.step == ActingStep.ADD.value or (each.step == back and each.result) for each in undone.steps
        ):
            return True
        begun = any(
            each.step == back and not each.result
            for record in journal.actions()
            if record.number == taken.number or (record.action is HealthAction.LOCATE and record.number > taken.number)
            for each in record.steps
        )
        return begun and not self.world.bin.is_whole(taken)

    def _say(self, torrent: InfoHash, text: str) -> None:
        self.world.health.say(torrent, text, Level.WARN)


def _sentence(error: MoverError) -> str:
    return f"{error.what} [{error.code}]"


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "") if "//" in url else ""
