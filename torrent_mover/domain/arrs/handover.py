"""One torrent handed over to one Arr: how far it is, when it is looked at again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from torrent_mover.domain.arrs.media import QueueItem, RejectedFile
from torrent_mover.domain.arrs.path_pairs import DeliveredData
from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.text import clauses
from torrent_mover.domain.torrent.torrent import InfoHash

RETRIES: Final = (300.0, 1800.0, 10800.0, 86400.0)
"""Seconds before an Arr that has not imported a torrent is told again. After the last of them it is left to a person."""

LONGEST_POLL: Final = 15.0
"""Seconds between two looks at a command that takes long."""

_REASONS_SHOWN: Final = 3


class HandoverStep(Enum):
    """How far it is. POSTING is written before a scan is sent, so a kill in between is seen; the last two are ends."""

    WAITING = "waiting"
    POSTING = "posting"
    SCANNING = "scanning"
    IMPORTED = "imported"
    REFUSED = "refused"

    @property
    def ended(self) -> bool:
        """Nothing more is done by itself."""
        return self in (HandoverStep.IMPORTED, HandoverStep.REFUSED)


@dataclass(frozen=True, slots=True)
class ArrHandover:
    """What is known of one. Times in Unix seconds, 0 for never.

    `path`: where the Arr sees the data, once that is found. `command`: the Arr's number of the scan that goes on, 0 for none;
    `refreshes`: it is no scan, but a look at all that the Arr monitors. `sent_at`: when that was sent, `polls`: how often it was
    looked at, `after`: the highest number of a command before it. `tries`: scans that came to nothing. `proof` and `trouble` are
    words for people.
    """

    torrent: InfoHash
    arr: str
    name: str
    category: str
    data: DeliveredData
    told_at: float
    step: HandoverStep = HandoverStep.WAITING
    path: ArrPath | None = None
    command: int = 0
    refreshes: bool = False
    sent_at: float = 0.0
    after: int = 0
    polls: int = 0
    tries: int = 0
    next_at: float = 0.0
    proof: str = ""
    trouble: str = ""

    @property
    def needs_somebody(self) -> bool:
        """Whether it was given up, and is left to a person."""
        return self.step is HandoverStep.REFUSED

    def found_at(self, path: ArrPath) -> ArrHandover:
        """The Arr sees the data there."""
        return replace(self, path=path)

    def posting(self, now: float, after: int, *, refreshes: bool) -> ArrHandover:
        """A scan is about to be sent; the commands that the Arr has by now go up to the number `after`."""
        return replace(
            self,
            step=HandoverStep.POSTING,
            command=0,
            refreshes=refreshes,
            sent_at=now,
            after=after,
            polls=0,
            next_at=now,
        )

    def scanning(self, command: int, now: float) -> ArrHandover:
        """The Arr has it, under that number."""
        return replace(self, step=HandoverStep.SCANNING, command=command, next_at=now + poll_pause(0))

    def polled(self, now: float) -> ArrHandover:
        """It still goes on."""
        return replace(self, polls=self.polls + 1, next_at=now + poll_pause(self.polls + 1))

    def imported(self, proof: str) -> ArrHandover:
        """The history proves the import."""
        return replace(self, step=HandoverStep.IMPORTED, command=0, next_at=0.0, proof=proof, trouble="")

    def came_to_nothing(self, trouble: str, now: float) -> ArrHandover:
        """Not imported: told again after a pause, or left to a person. The path is found anew: it may have been wrong."""
        tries = self.tries + 1
        if tries > len(RETRIES):
            return replace(
                self, step=HandoverStep.REFUSED, command=0, tries=tries, next_at=0.0, path=None, trouble=trouble
            )
        return replace(
            self,
            step=HandoverStep.WAITING,
            command=0,
            tries=tries,
            next_at=now + RETRIES[tries - 1],
            path=None,
            trouble=trouble,
        )

    def again(self, now: float) -> ArrHandover:
        """A person asks for it: all tries anew."""
        return replace(self, step=HandoverStep.WAITING, command=0, tries=0, next_at=now, path=None)


def poll_pause(polls: int) -> float:
    """Seconds until a command is looked at again: 1, 2, 4, 8, 15, 15 ..."""
    return min(2.0 ** min(polls, 10), LONGEST_POLL)


def is_news(old: ArrHandover | None, torrent: InfoHash, data: DeliveredData) -> bool:
    """Whether data is to be told: an Arr is told once of a torrent at one place, however often it is asked for."""
    return old is None or old.torrent != torrent or old.data.path != data.path


def reasons_of(torrent: InfoHash, queue: list[QueueItem], rejected: list[RejectedFile]) -> str:
    """Why it was not imported, in the Arr's own words; blank where it says nothing."""
    said = [message for item in queue if item.torrent == torrent for message in item.messages]
    said += [f"{file.name}: {reason}" for file in rejected for reason in file.reasons]
    shown = list(dict.fromkeys(said))
    more = f"and {len(shown) - _REASONS_SHOWN} more" if len(shown) > _REASONS_SHOWN else ""
    return clauses(*shown[:_REASONS_SHOWN], more)
