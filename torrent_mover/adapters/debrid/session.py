"""Requests of one account: through its token's gate, with the token in the Bearer header alone, each answer understood."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from torrent_mover.adapters.debrid.gate import DebridLane, Gate
from torrent_mover.adapters.debrid.reading import MalformedAnswer
from torrent_mover.adapters.debrid.trouble import DebridTrouble, ServiceAnswer
from torrent_mover.adapters.http import HttpAnswer, HttpBody, HttpPlace, HttpService, HttpTrouble
from torrent_mover.domain.debrid.account import Rank, RemoteId, RemoteLink
from torrent_mover.domain.debrid.answers import AnswerClass, HeardAnswer
from torrent_mover.domain.errors import ConfigError, MoverError
from torrent_mover.domain.secret import Secret
from torrent_mover.ports.clock import Clock

_ID: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class DebridPlace:
    """How an account is reached. `base` is the full base of the API; `section` the section of the config, for messages.

    `read_only`: nothing that changes anything there is ever sent.
    """

    account: str
    base: str
    token: Secret
    timeout: float = 30.0
    ca_file: str = ""
    section: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `name` is what it is called in metrics: no ids. A mapping as `body` is sent as JSON.

    `reads_by_post`: a POST that changes nothing.
    """

    method: str
    path: str
    name: str
    query: dict[str, str] = field(default_factory=dict)
    body: HttpBody | Mapping[str, object] | None = None
    lane: DebridLane | None = None
    reads_by_post: bool = False

    @property
    def changes(self) -> bool:
        """Whether it may do something there."""
        return self.method != "GET" and not self.reads_by_post


Reader = Callable[[Call, HttpAnswer], ServiceAnswer]
"""A service's own table: what an answer to a call means. May raise MalformedAnswer."""


class DebridSession:
    """Sends the requests of one account. Safe from any thread. Nothing is repeated, and no redirect is followed."""

    def __init__(
        self,
        service: str,
        place: DebridPlace,
        gate: Gate,
        clock: Clock,
        reader: Reader,
        probe: Call,
        told: Callable[[HeardAnswer], None] = lambda _: None,
    ) -> None:
        _refuse_plain_text(place)
        bearer = {"Authorization": Secret(lambda: f"Bearer {place.token.reveal()}")}
        http = HttpPlace(
            place.base.rstrip("/"), bearer, place.timeout, ca_file=place.ca_file, section=place.section, strict=True
        )
        self.account: Final = place.account
        self.server: Final = http.name
        self.gate: Final = gate
        self.trouble: Final = DebridTrouble(service, http.name, place.section, place.token)
        self._http = HttpService(http, nullcontext())
        self._clock = clock
        self._reader = reader
        self._probe = probe
        self._told = told
        self._read_only = place.read_only

    def ask(self, call: Call, rank: Rank) -> ServiceAnswer:
        """The answer as it was understood, whatever it is, but for one that asks for a pause. Raises where none came."""
        if self._read_only and call.changes:
            raise self.trouble.asked_wrongly(f"{call.name} would change something, and only reading is allowed now.")
        self.gate.enter(rank, call.lane, self._send_probe if call.changes else None)
        return self._send(call)

    def own_id(self, id: RemoteId) -> str:  # noqa: A002
        """The service's own id of an entry of this account. An id of another account is never sent."""
        if id.account != self.account or not _ID.fullmatch(id.text):
            raise self.trouble.asked_wrongly(f"{id} is no entry of {self.account}.")
        return id.text

    def own_link(self, link: RemoteLink) -> str:
        """The link itself, where it is one of this account."""
        if link.account != self.account or not link.text:
            raise self.trouble.asked_wrongly(f"A link of {link.account} is none of {self.account}.")
        return link.text

    def close(self) -> None:
        """End the connections. Never raises."""
        self._http.close()

    def _send_probe(self) -> None:
        self.gate.enter(Rank.BY_HAND, None, None)
        self._send(self._probe)

    def _send(self, call: Call) -> ServiceAnswer:
        """Send what the gate has let out, and tell the gate how it ended, whatever happens."""
        began, answer, retry_after = self._clock.monotonic(), AnswerClass.AGAIN, 0.0
        try:
            said = self._understood(call)
            answer, retry_after = said.answer, said.retry_after
        finally:
            self.gate.heard(answer, retry_after, began)
            with suppress(MoverError):
                self._told(HeardAnswer(self.account, call.name, answer, self._clock.monotonic() - began))
        if said.answer is AnswerClass.PAUSE:
            raise self.gate.paused(sent=True)
        return said

    def _understood(self, call: Call) -> ServiceAnswer:
        try:
            answer = self._http.ask(call.method, f"/{call.path}", call.query, call.body)
        except HttpTrouble as trouble:
            raise self.trouble.no_answer(trouble) from trouble
        try:
            return self._reader(call, answer)
        except MalformedAnswer as error:
            return ServiceAnswer(AnswerClass.AGAIN, answer.status, garbled=str(error))


def retry_after(answer: HttpAnswer) -> float:
    """Seconds that the service asks to wait; 0 where it does not say. A date counts as not said."""
    value = answer.headers.get("retry-after", "").strip()
    return float(value) if value.isdecimal() else 0.0


def _refuse_plain_text(place: DebridPlace) -> None:
    parts = urlsplit(place.base)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return
    raise ConfigError(
        f"The address of {place.account} is not https, and the token would travel in the open.",
        kept="Nothing was asked.",
        remedy=f"Make url in [{place.section}] begin with https://",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
