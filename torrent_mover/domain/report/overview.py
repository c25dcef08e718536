"""What an overview of all duties says, on the page and in the terminal alike: is all well, what happens, what needs somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from torrent_mover.domain.report.serving import UNWELL, LoopReport, ServeReport
from torrent_mover.domain.text import counted

MOST: Final = 20
"""Needs of one duty that are told one by one; of the others only how many there are."""

PROCESS: Final = "serve"
"""Where a need of the process itself comes from, and of no duty."""


class CardStanding(Enum):
    """How a duty is. BAD: something needs somebody; WARN: it works, but not as one would expect."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that waits for a person. `duty`: whose panel tells more; `helps` blank: nothing is known to help.

    `loop`: of the supervisor, which may be begun again; blank: that would not help.
    """

    duty: str
    what: str
    helps: str = ""
    loop: str = ""


@dataclass(frozen=True, slots=True)
class DutyCard:
    """One duty in a few lines. `state` in a word or two; `now`: what happens; `more`: needs beside those that are told here."""

    duty: str
    title: str
    standing: CardStanding
    state: str
    now: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """All duties at `at` (Unix seconds). `needs`: those of all, the process' own first; `count`: how many there are in truth.

    `process`: what one that serves says of itself; None: none does, the duties run in processes of their own.
    """

    at: float
    well: bool
    verdict: str
    cards: tuple[DutyCard, ...]
    needs: tuple[Need, ...] = ()
    count: int = 0
    process: ServeReport | None = None

    def card(self, duty: str) -> DutyCard | None:
        """The card of that duty."""
        return next((card for card in self.cards if card.duty == duty), None)


def a_card(
    duty: str, title: str, state: str, now: Sequence[str], needs: Sequence[Need], *, odd: bool = False
) -> DutyCard:
    """The card of a duty. `odd`: it does not do what one would expect, though nothing needs anybody."""
    standing = CardStanding.BAD if needs else CardStanding.WARN if odd else CardStanding.GOOD
    told = tuple(needs[:MOST])
    return DutyCard(duty, title, standing, state, tuple(now), told, len(needs) - len(told))


def overview_of(at: float, cards: Sequence[DutyCard], process: ServeReport | None = None) -> Overview:
    """The overview of these duties, and of the process that serves them."""
    known = {need.loop for card in cards for need in card.needs if need.loop}
    told = " ".join(need.what for card in cards for need in card.needs)
    own = () if process is None else _of_process(process, known, told)
    needs = (*own, *(need for card in cards for need in card.needs))
    count = len(needs) + sum(card.more for card in cards)
    return Overview(at, not count, _verdict(count, cards, own=bool(own)), tuple(cards), needs, count, process)


def _of_process(process: ServeReport, known: set[str], told: str) -> tuple[Need, ...]:
    """A loop or a server that its duty tells of already (`known`, `told`) is told once."""
    unwell = [loop for loop in process.loops if loop.state in UNWELL and loop.name not in known]
    needs = [
        Need(PROCESS, f"{loop.name} is {loop.state}{_why(loop)}", _HELPS[loop.state], loop.name) for loop in unwell
    ]
    needs += [
        Need(PROCESS, f"{server.name} is left alone: {server.breaker}", _ASKED_AGAIN)
        for server in process.servers
        if not server.answers and server.name not in told
    ]
    if process.trouble:
        needs.append(Need(PROCESS, process.trouble, "Mend the config; it is read again by itself."))
    return tuple(needs)


_HELPS: Final = {
    "parked": "Mend that, then begin it again; a changed config does so too.",
    "stuck": "Begin it again, or restart the process.",
}
_ASKED_AGAIN: Final = "It is asked again by itself; torrent-mover doctor says why it does not answer."


def _why(loop: LoopReport) -> str:
    return f": {loop.error}" if loop.error else ""


def _verdict(count: int, cards: Sequence[DutyCard], *, own: bool) -> str:
    if not cards and not count:
        return "No duty runs."
    if not count:
        odd = [card for card in cards if card.standing is CardStanding.WARN]
        return (
            f"Nothing has failed; {', '.join(f'{card.title.lower()}: {card.state}' for card in odd)}."
            if odd
            else "All is well."
        )
    where = [*(["the process"] if own else []), *(card.title.lower() for card in cards if card.needs)]
    return f"{counted(count, 'thing')} {'needs' if count == 1 else 'need'} you: {', '.join(where)}."


def without_process(overview: Overview) -> Overview:
    """The same, for whoever has the process' report already."""
    return replace(overview, process=None)
