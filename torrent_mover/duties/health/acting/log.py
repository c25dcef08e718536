"""One action as it goes on: each step is in the journal before it is taken, and what came of it after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Final

from torrent_mover.duties.health.model import ActionOutcome, ActionRecord, ActionState, ActionStep
from torrent_mover.duties.health.needs import HealthJournal
from torrent_mover.ports.clock import Clock

_WAS_DONE: Final = "done"


class ActingStep(Enum):
    """The steps of stories that have several. The words stand in the journal."""

    LIFT = "lift share limits"
    BLOCK = "block"
    STOP = "stop"
    SAVE_PART = "keep the part file"
    TAKE_OUT = "take out of the client"
    BIN = "put into the bin"
    FILE = "file as kept"
    GIVE_BACK = "give share limits back"
    SEARCH = "search"
    LOCATE = "locate"
    PROVE = "prove pieces"
    RELOCATE = "relocate"
    RECHECK = "recheck"
    START = "start"
    FILES_BACK = "files back"
    ADD = "add"


class ActionLog:
    """Writes down the steps of one action."""

    def __init__(self, journal: HealthJournal, clock: Clock, record: ActionRecord) -> None:
        self._journal = journal
        self._clock = clock
        self.record = record

    def done(self, step: ActingStep | str) -> bool:
        """Whether it was taken, and came to an end."""
        word = step.value if isinstance(step, ActingStep) else step
        return any(each.step == word and each.result for each in self.record.steps)

    def begun(self, step: ActingStep | str) -> bool:
        """Whether it was written down."""
        word = step.value if isinstance(step, ActingStep) else step
        return any(each.step == word for each in self.record.steps)

    def take(self, step: ActingStep | str, act: Callable[[], str | None]) -> None:
        """Write it down, do it, write down what came of it (`act` says; None: done). One that is done is not taken again."""
        if self.done(step):
            return
        word = step.value if isinstance(step, ActingStep) else step
        if not self.begun(step):
            self._save(steps=(*self.record.steps, ActionStep(word, self._clock.now())))
        said = act() or _WAS_DONE
        self._save(
            steps=tuple(
                replace(each, result=said) if each.step == word and not each.result else each
                for each in self.record.steps
            )
        )

    def end(self, state: ActionState, trouble: str = "") -> ActionOutcome:
        """Write down how it stands now."""
        self._save(state=state, trouble=trouble)
        return ActionOutcome(self.record, trouble)

    def _save(self, **changes: object) -> None:
        self.record = replace(self.record, **changes)  # type: ignore[arg-type]
        self._journal.save_action(self.record)
