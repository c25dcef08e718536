"""The loop of one Arr: takes each hand-over further when it is due, and leaves an Arr alone that does not answer."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.arrs.belonging import belongs, categories_of
from torrent_mover.domain.arrs.errors import ArrItemRefused, ArrStarting
from torrent_mover.domain.arrs.handover import ArrHandover, HandoverStep
from torrent_mover.domain.arrs.media import ArrInfo
from torrent_mover.domain.errors import LoginRefused, ServerError, TransferError
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.retry import Backoff
from torrent_mover.domain.text import clause, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.arrs.handing_over import ArrHandoverStory
from torrent_mover.engine.arrs.path_finding import PathFinder
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.handovers import HandoverJournal
from torrent_mover.ports.leases import Leases
from torrent_mover.ports.media_manager import MediaManager

IDLE: Final = 60.0
"""Seconds until the next look where nothing waits: another process may have written something down."""

_STARTS_SOON: Final = 15.0
_OTHER_IS_DONE: Final = 2.0
_AFTER_REFUSAL: Final = 3600.0
_AWAY: Final = Backoff(base=15.0, cap=600.0)
"""Pauses of an Arr that does not answer: 15 s, doubled each time, 10 minutes at most."""

Say = Callable[[ArrHandover, str], None]
"""Takes a line for people, about one hand-over."""


def event_of(record: ArrHandover, text: str, at: float, route: str = "") -> Noticed:
    """What a duty publishes of such a line at `at` (Unix seconds): a warning where the hand-over is left to a person."""
    level = Level.WARN if record.needs_somebody else Level.INFO
    return Noticed(at, record.torrent, level, text, route=route, needs_somebody=record.needs_somebody)


@dataclass(frozen=True, slots=True)
class ArrWishes:
    """What one Arr is to be told. `category` blank: the one of its own settings, of all its clients or of that named `client`."""

    category: str = ""
    client: str = ""
    scan_timeout: float = 600.0
    may_refresh: bool = True


@dataclass(frozen=True, slots=True)
class ArrDeskStatus:
    """How one Arr is, for people. Counts are of hand-overs; `trouble` is why it is not asked now, blank where it answers."""

    name: str
    server: str
    product: str
    version: str
    waiting: int
    imported: int
    refused: int
    trouble: str


class ArrDesk:
    """See engine.hub.loops.Loop. One for each Arr, each in a thread of its own: one that hangs keeps nobody else."""

    duty: Final = "arr"

    def __init__(
        self,
        manager: MediaManager,
        wishes: ArrWishes,
        journal: HandoverJournal,
        finder: PathFinder,
        clock: Clock,
        say: Say,
        leases: Leases,
    ) -> None:
        self.manager = manager
        self._leases = leases
        self._wishes = wishes
        self._journal = journal
        self._finder = finder
        self._clock = clock
        self._say = say
        self._info: ArrInfo | None = None
        self._categories = frozenset({wishes.category}) if wishes.category else None
        self._failures = 0
        self._closed_until = 0.0
        self._refused: LoginRefused | None = None
        self._trouble = ""
        self._asked_last: InfoHash | None = None

    @property
    def name(self) -> str:
        """See engine.hub.loops.Loop."""
        return f"arr {self.manager.name}"

    def may_want(self, category: str) -> bool:
        """Whether a torrent of that category is its own, as far as is known: its own settings may have to be asked."""
        return belongs(category, self._categories) if self._categories is not None else bool(category)

    def look(self, stop: threading.Event) -> float:
        """Take all that is due a step further; returns the seconds until the next look. Raises what is no trouble of the Arr."""
        now = self._clock.monotonic()
        waiting = [each for each in self._journal.handovers(self.manager.name) if not each.step.ended]
        if self._refused is not None or not waiting:
            return _AFTER_REFUSAL if self._refused is not None else IDLE
        if now < self._closed_until:
            return self._closed_until - now
        try:
            pause = self._take_further(waiting, stop)
        except (ServerError, ArrItemRefused) as error:
            return self._away(error)
        self._failures, self._trouble = 0, ""
        return pause

    def has_work_within(self, seconds: float) -> bool:
        """Whether something is to be done so soon, and the Arr answers as far as is known. Asks nobody."""
        if self._refused is not None or self._closed_until > self._clock.monotonic() + seconds:
            return False
        until = self._clock.now() + seconds
        return any(
            not record.step.ended and record.next_at <= until for record in self._journal.handovers(self.manager.name)
        )

    def status(self) -> ArrDeskStatus:
        """How it is now; asks nobody."""
        records = self._journal.handovers(self.manager.name)
        ends = [record.step for record in records]
        imported, refused = ends.count(HandoverStep.IMPORTED), ends.count(HandoverStep.REFUSED)
        info = self._info or ArrInfo("", "")
        return ArrDeskStatus(
            self.manager.name,
            self.manager.server,
            info.product,
            info.version,
            len(records) - imported - refused,
            imported,
            refused,
            self._trouble,
        )

    def _take_further(self, waiting: list[ArrHandover], stop: threading.Event) -> float:
        if self._info is None:
            self._info = self.manager.info()
        if self._categories is None:
            self._categories = categories_of(self.manager.clients(), self._wishes.client)
        story = ArrHandoverStory(
            self.manager,
            self._journal,
            self._finder,
            self._clock,
            self._wishes.scan_timeout,
            self._wishes.may_refresh,
            self._info.has_all_imported,
        )
        following = []
        # Behind the one about which it gave no true answer: that may be the fault of this item, and others would wait for ever.
        last = next((place for place, each in enumerate(waiting, 1) if each.torrent == self._asked_last), 0)
        for record in (*waiting[last:], *waiting[:last]):
            if stop.is_set():
                return 0.0
            if not belongs(record.category, self._categories):
                self._journal.forget_handover(record.torrent, record.arr)
                continue
            self._asked_last = record.torrent
            after = self._one(story, record)
            if after is not None and not after.step.ended:
                following.append(after.next_at)
        self._asked_last = None
        now = self._clock.now()
        return min([IDLE, *(max(at - now, 0.0) for at in following)])

    def _one(self, story: ArrHandoverStory, record: ArrHandover) -> ArrHandover | None:
        """Take one a step further, if it is due; None where it is no longer there. Only one desk of all processes does."""
        if record.next_at > self._clock.now():
            return record
        with ExitStack() as stack:
            try:
                stack.enter_context(self._leases.hold([(f"arr {self.manager.server}", record.torrent)], self.name))
            except TransferError:  # another process is at it
                return replace(record, next_at=self._clock.now() + _OTHER_IS_DONE)
            now = self._journal.handover(record.torrent, record.arr)  # as the one before may have left it
            if now is None or now.step.ended or now.next_at > self._clock.now():
                return now
            after = story.advance(now)
            self._tell(now, after)
            return after

    def _tell(self, before: ArrHandover, after: ArrHandover) -> None:
        """Say what is news to people: the import, the first trouble, and that it is left to them."""
        if after.step is before.step and after.tries == before.tries:
            return
        name = safe(after.name or after.torrent.short)
        if after.step is HandoverStep.IMPORTED:
            self._say(after, f"{after.arr} has {after.proof.partition(',')[0]}: {name}")
        elif after.step is HandoverStep.REFUSED:
            again = f"Once that is mended: torrent-mover arr --scan {after.torrent.hex}"
            self._say(after, f"{name} is given up after {after.tries} tries: {clause(after.trouble)}. {again}")
        elif after.tries == 1 and before.tries == 0:
            self._say(after, f"{name} is told again later: {after.trouble}")

    def _away(self, error: ServerError | ArrItemRefused) -> float:
        """It gives no true answer. What waits is kept; seconds until it is asked again."""
        self._info = None  # it may come back in another version
        self._trouble = safe(f"{error.code} {error.what}")
        if isinstance(error, LoginRefused):
            self._refused = error
            return _AFTER_REFUSAL
        if isinstance(error, ArrStarting):
            pause = _STARTS_SOON
        else:
            self._failures += 1
            pause = _AWAY.delay(self._failures, random.random())  # noqa: S311  spreads pauses, guards nothing
        self._closed_until = self._clock.monotonic() + pause
        return pause
