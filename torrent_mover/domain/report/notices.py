"""Which events somebody is told about, and in which words: the decision behind notify_on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from torrent_mover.domain.errors import DiskFull, ExitCode
from torrent_mover.domain.report.events import (
    Event,
    Held,
    LeftOut,
    Level,
    MoveFailed,
    MoveRetried,
    Noticed,
    RoundEnded,
    RunEnded,
)
from torrent_mover.domain.report.narrate import ended_well, narrate
from torrent_mover.domain.settings.general import NotifyOn
from torrent_mover.domain.text import safe

_NOT_MADE: Final = (ExitCode.USAGE, ExitCode.UNREACHABLE, ExitCode.PREFLIGHT_REFUSED)
AGAIN_AFTER: Final = 24 * 3600.0
"""Seconds in which the same trouble is told once: whoever stays and tries again must not fill a mailbox."""

ERRORS: Final = frozenset({Level.ERROR})
WARNINGS: Final = ERRORS | {Level.WARN}
FINDINGS: Final = WARNINGS | {Level.INFO}


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody is told: why (`on`), one line as the subject, more below it."""

    on: NotifyOn
    title: str
    text: str


class ToldBefore(Protocol):
    """What people were told by processes before this one. Safe from any thread; raises nothing. Times in Unix seconds."""

    def told_at(self, text: str) -> float | None:
        """When they were told it last; None: never, or so long ago that it is news again."""

    def tell(self, text: str, at: float) -> None:
        """They have been told it."""


@dataclass(slots=True)
class NoticeDesk:
    """Decides, event by event. Runs that moved nothing and failed nothing are not worth a message.

    `told_before`: what other processes have told already, and learn of this one.
    `duty`: the events are of this one, which has no runs: what it says at these `levels` is told. INFO: as a finding, of torrents.
    """

    wanted: Collection[NotifyOn]
    duty: str = ""
    levels: Collection[Level] = FINDINGS
    told_before: ToldBefore | None = None
    _told: dict[str, float] = field(default_factory=dict)
    _in_rounds: bool = False

    def notice(self, event: Event) -> Notice | None:
        """What to tell of it; None: nothing."""
        found = self._of_a_duty(event) if self.duty and isinstance(event, Noticed) else _notice(event)
        if isinstance(event, RoundEnded):
            self._in_rounds = True
        if found is None or found.on not in self.wanted:
            return None
        if isinstance(event, RunEnded) and found.on is NotifyOn.END and self._in_rounds:
            return None  # each round was told already
        if found.on is not NotifyOn.END:
            before = self._told_at(found.text)
            if before is not None and 0 <= event.at - before < AGAIN_AFTER:
                return None
            self._told = {text: at for text, at in self._told.items() if event.at - at < AGAIN_AFTER}
            self._told[found.text] = event.at
        return found

    def sent(self, notice: Notice, at: float) -> None:
        """Somebody was told it: no process need tell it again soon."""
        if self.told_before is not None and notice.on is not NotifyOn.END:
            self.told_before.tell(notice.text, at)

    def _told_at(self, text: str) -> float | None:
        """By whichever process: another process may have told it since this one did."""
        told = [self._told.get(text), None if self.told_before is None else self.told_before.told_at(text)]
        return max((at for at in told if at is not None), default=None)

    def _of_a_duty(self, event: Noticed) -> Notice | None:
        where = f"{self.duty} {safe(event.route)}".strip()
        if event.level not in self.levels:
            return None
        if event.level in WARNINGS:
            return Notice(NotifyOn.FAILURE, f"{where} needs you", safe(event.text))
        if event.level is Level.INFO and event.torrent is not None:
            return Notice(NotifyOn.FINDING, where, safe(event.text))
        return None


def _notice(event: Event) -> Notice | None:
    if isinstance(event, MoveFailed):  # a time that is another one at each try would make it news again
        event = replace(event, again_in=None)
    text = narrate(event).full
    if _lacks_room(event):
        return Notice(NotifyOn.SPACE, "no space left", text)
    if isinstance(event, Held):
        return Notice(NotifyOn.BREAKER, "a server is left alone", text)
    if isinstance(event, MoveFailed):
        return Notice(NotifyOn.FAILURE, f"{safe(event.name)} failed", text)
    if isinstance(event, Noticed) and (event.needs_somebody or (event.level is Level.ERROR and event.torrent is None)):
        return Notice(NotifyOn.FAILURE, f"{'a torrent' if event.torrent else 'the run'} needs you", text)
    if isinstance(event, RunEnded | RoundEnded):
        return _of_the_end(event, text)
    return None


def _lacks_room(event: Event) -> bool:
    if isinstance(event, MoveFailed | MoveRetried):
        return event.code == DiskFull.code
    return isinstance(event, LeftOut) or (isinstance(event, Held) and event.full)


def _of_the_end(event: RunEnded | RoundEnded, text: str) -> Notice | None:
    if isinstance(event, RunEnded) and event.exit_code in _NOT_MADE:
        text = f"{text}\nWhat is wrong and what helps: torrent-mover doctor"
        return Notice(NotifyOn.FAILURE, f"a run ended with exit code {event.exit_code}", text)
    if not (event.moved or event.copied or event.failed):
        return None
    return Notice(NotifyOn.END, f"{ended_well(event.moved, event.copied)}, {event.failed:,} failed", text)
