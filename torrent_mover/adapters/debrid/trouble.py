"""What an answer of a debrid service means when it is not the one that was asked for: one error of ours for each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from torrent_mover.adapters.http import HttpTrouble
from torrent_mover.domain.debrid.answers import AnswerClass
from torrent_mover.domain.debrid.errors import (
    AccountExpired,
    AlreadyThere,
    AskedWrongly,
    DebridGarbled,
    DebridParked,
    DebridRefused,
    DebridUnreachable,
    EntryGone,
    SlotsFull,
    TokenRefused,
)
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.redact import HIDDEN
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.settings.problems import printable
from torrent_mover.domain.text import clause
from torrent_mover.domain.text import clock as duration

KEPT: Final = "Nothing was decided by it; what waits is kept."

_LONGEST_QUOTE: Final = 160  # characters


_UNCHANGED: Final = "Nothing was changed there."
_Meaning = tuple[type[MoverError], str, str, str]
_TOKEN: Final[_Meaning] = (TokenRefused, "does not accept the token", KEPT, "Write a valid token into [{section}].")
_OUT_OF_ORDER: Final[_Meaning] = (DebridUnreachable, "is out of order", KEPT, "It is asked again by itself.")
_MEANINGS: Final[Mapping[AnswerClass, _Meaning]] = {
    AnswerClass.STOP: (
        AccountExpired,
        "does not let this account be used",
        KEPT,
        "Log in to its web page, and look at the account there.",
    ),
    AnswerClass.FULL: (
        SlotsFull,
        "takes no further torrent now",
        "The torrent waits; nothing was added.",
        "It is tried again by itself, once a download there is done.",
    ),
    AnswerClass.GONE: (EntryGone, "has no such entry any more", _UNCHANGED, "Its list is read again."),
    AnswerClass.REFUSED: (
        DebridRefused,
        "refuses this torrent",
        _UNCHANGED,
        "Another release may work, or another service.",
    ),
    AnswerClass.DONE: (AlreadyThere, "has this torrent already", _UNCHANGED, "Its list is read again."),
    AnswerClass.OURS: (AskedWrongly, "does not understand the request", _UNCHANGED, "Please report this."),
}
"""Class -> the error, what has happened, what was kept, what helps."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """An answer as it was understood. `code` is the service's own (`503/19`), `words` its sentence, `data` its JSON.

    `total`: the length of the whole list, where the service says it. `status` is that of HTTP; `token`: it is the token that was
    refused; `garbled`: in which way it makes no sense.
    """

    answer: AnswerClass
    status: int = 0
    code: str = ""
    words: str = ""
    data: Any = None
    retry_after: float = 0.0
    token: bool = False
    total: int | None = None
    garbled: str = ""


class DebridTrouble:
    """Makes the errors of one account. `service` is what messages call it, `section` its section of the config."""

    def __init__(self, service: str, server: str, section: str, token: Secret) -> None:
        self.service = service
        self.server = server
        self._section = section
        self._token = token

    def of(self, said: ServiceAnswer) -> MoverError:
        """The error of an answer that is not the one that was asked for. PAUSE and PARK are the gate's and `parked`."""
        if said.garbled:
            return self.garbled(said.garbled)
        kind, what, kept, remedy = _MEANINGS.get(said.answer, _OUT_OF_ORDER)
        if said.answer is AnswerClass.STOP and said.token:
            kind, what, kept, remedy = _TOKEN
        return kind(
            f"{self.service} {what}{clause(self._quoted(said))}.",
            kept=kept,
            remedy=remedy.format(section=self._section),
            server=self.server,
        )

    def no_answer(self, trouble: HttpTrouble) -> MoverError:
        """No whole answer came."""
        if trouble.cut:
            return self.garbled(trouble.what.removeprefix("gave "))
        remedy = trouble.remedy or "Is this machine's connection up?"
        return DebridUnreachable(f"{self.service} {trouble.what}.", kept=KEPT, remedy=remedy, server=self.server)

    def garbled(self, what: str) -> DebridGarbled:
        """An answer that its API does not promise."""
        return DebridGarbled(
            f"{self.service} gave {what}.",
            kept="It was not read as an empty answer, and nothing was decided by it.",
            remedy=f"If it goes on, open {self.server.partition('/')[0]} in a browser; is there a proxy in between?",
            server=self.server,
        )

    def parked(self, until: float, now: float) -> DebridParked:
        """The traffic is used up (Unix seconds)."""
        return DebridParked(
            f"The traffic of the account at {self.service} is used up for the next {duration(until - now)}.",
            kept="No verdict counts that was made meanwhile; what waits is kept.",
            remedy="It goes on by itself.",
            server=self.server,
            until=until,
        )

    def asked_wrongly(self, what: str) -> AskedWrongly:
        """We asked for what cannot be answered."""
        return AskedWrongly(what, kept="Nothing was changed there; other work goes on.", remedy="Please report this.")

    def _quoted(self, said: ServiceAnswer) -> str:
        """The service's own words, on one line, printable, not too many, without the token."""
        words = " ".join(part for part in (said.code, said.words) if part)
        if not words:
            return ""
        hidden = words.replace(self._token.reveal(), HIDDEN)
        return f": {printable(' '.join(hidden.split()))[:_LONGEST_QUOTE].rstrip('.')}"
