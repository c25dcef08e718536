"""What accounts at all services have in common: their session, the rank of their requests, traffic that is used up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

from torrent_mover.adapters.debrid.gate import Gate
from torrent_mover.adapters.debrid.reading import MalformedAnswer
from torrent_mover.adapters.debrid.session import Call, DebridPlace, DebridSession
from torrent_mover.adapters.debrid.trouble import ServiceAnswer
from torrent_mover.adapters.http import HttpAnswer
from torrent_mover.domain.debrid.account import Capabilities, Capability, Rank, Standing
from torrent_mover.domain.debrid.answers import AnswerClass, HeardAnswer
from torrent_mover.ports.clock import Clock

T = TypeVar("T")


class WebAccount:
    """The base of the adapters. Asks nothing before it is asked."""

    SERVICE: ClassVar[str]
    """The service's name in messages."""

    CAN: ClassVar[Capabilities]

    PROBE: ClassVar[Call]
    """A request that changes nothing, to see how the service is."""

    def __init__(
        self, place: DebridPlace, gate: Gate, clock: Clock, told: Callable[[HeardAnswer], None] = lambda _: None
    ) -> None:
        cls = type(self)
        self._session = DebridSession(cls.SERVICE, place, gate, clock, cls._understand, cls.PROBE, told)
        self._clock = clock
        self._rank = Rank.SCAN

    @property
    def name(self) -> str:
        """See the port."""
        return self._session.account

    @property
    def server(self) -> str:
        """See the port."""
        return self._session.server

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return self.CAN

    def ranked(self, rank: Rank) -> Self:
        """See the port."""
        same = object.__new__(type(self))
        same.__dict__.update(self.__dict__, _rank=rank)
        return same

    def close(self) -> None:
        """See the port."""
        self._session.close()

    @staticmethod
    def _understand(call: Call, answer: HttpAnswer) -> ServiceAnswer:
        """The service's own table: see session.Reader."""
        raise NotImplementedError

    def _ask(self, call: Call) -> ServiceAnswer:
        """The answer, whatever it is."""
        return self._session.ask(call, self._rank)

    def _good(self, said: ServiceAnswer) -> Any:  # noqa: ANN401  JSON
        """The data of a good answer; else the error that it means."""
        if said.answer is AnswerClass.GOOD:
            return said.data
        if said.answer is AnswerClass.PARK:
            now = self._clock.now()
            until = self._parked_until(said, now)
            self._session.gate.park(until)
            raise self._session.trouble.parked(until, now)
        raise self._session.trouble.of(said)

    def _parked_until(self, said: ServiceAnswer, now: float) -> float:
        """Until when the traffic is used up, after an answer that says that it is (Unix seconds)."""
        raise NotImplementedError

    def _refuse_while_parked(self) -> None:
        until = self._session.gate.parked_until
        if until is not None:
            raise self._session.trouble.parked(until, self._clock.now())

    def _read(self, make: Callable[[], T]) -> T:
        """What an answer says; DebridGarbled where it does not say it."""
        try:
            return make()
        except MalformedAnswer as error:
            raise self._session.trouble.garbled(str(error)) from error

    def _not_good(self, said: ServiceAnswer) -> Standing:
        """The standing of an account that the service does not let us use."""
        return Standing("", 0.0, good=False, trouble=self._session.trouble.of(said).what)

    def _lacks(self, capability: Capability) -> Exception:
        return self._session.trouble.asked_wrongly(f"{self.SERVICE} cannot {capability.value}.")
