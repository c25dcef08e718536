"""A double of a debrid service with its world, and the adapter that asks it: what tests of debrid accounts begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.doubles.debrid_http import DebridDouble
from tests.doubles.debrid_world import DebridWorld
from tests.fakes.clock import FakeClock
from tests.fakes.debrid import SAID, FakeDebridAccount
from torrent_mover.adapters.debrid.gate import Gate
from torrent_mover.adapters.debrid.session import DebridPlace
from torrent_mover.adapters.store.unwritten import UnwrittenDocuments
from torrent_mover.domain.debrid import removal as removal_module
from torrent_mover.domain.debrid.account import RemoteId, RemoteLink
from torrent_mover.domain.debrid.answers import AnswerClass, HeardAnswer
from torrent_mover.domain.debrid.limiter import ceiling_of
from torrent_mover.domain.debrid.removal import Removal, RemovalReason
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.torrent.torrent import InfoHash

HASH = "3f2a" * 10
OTHER = "b1" * 20
FILES = (("Show.S01/Show.S01E01.mkv", 1001), ("Show.S01/Show.S01E02.mkv", 1002), ("Show.S01/info.nfo", 10))
NAME = "debrid"


@dataclass
class DebridHouse:
    """`account` asks `double`, which shows `world`; time is the world's. `heard`: what was told of each request."""

    double: Any
    account: Any
    world: DebridWorld
    clock: FakeClock
    gate: Gate
    records: UnwrittenDocuments
    heard: list[HeardAnswer]

    def say(self, answer: AnswerClass, *, adding: bool = False) -> None:
        """From now on the service says that, to everything or only to adds."""
        for call in self.double.ADDS if adding else ("*",):
            self.double.fault(call, **self.double.SAYS[answer])

    def can_say(self, answer: AnswerClass) -> bool:
        """Whether the service has words for that."""
        return answer in self.double.SAYS

    def quiet(self) -> None:
        """All is well again."""
        self.double.faults.clear()

    def refuse_token(self) -> None:
        """The token of the account is another one now."""
        self.double.token = "ANOTHERTOKEN"

    def kill_link(self, link: RemoteLink) -> None:
        """The file behind it is not there any more."""
        self.double.kill_link(link)

    def count(self) -> int:
        """How many requests were made."""
        return len(self.double.asked)

    def hold(self, digits: str = HASH, *files: tuple[str, int], **more: Any) -> RemoteId:
        """A torrent that is in the account since long."""
        self.world.have(digits, *(files or FILES))
        return RemoteId(NAME, self.world.hold(digits, **more).id)

    def calls(self) -> list[str]:
        """What was asked, in order."""
        return [asked.call for asked in self.double.asked]


@dataclass
class FakeHouse:
    """The same over the account in memory."""

    account: FakeDebridAccount
    world: DebridWorld
    clock: FakeClock

    hold = DebridHouse.hold

    def say(self, answer: AnswerClass, *, adding: bool = False) -> None:
        self.account.say(answer, *(("add",) if adding else ()))

    def can_say(self, answer: AnswerClass) -> bool:
        return answer in SAID

    def quiet(self) -> None:
        self.account.say(AnswerClass.GOOD)

    def refuse_token(self) -> None:
        self.world.locked = True

    def kill_link(self, link: RemoteLink) -> None:
        self.world.links[link.text].state = "503/24"

    def count(self) -> int:
        return len(self.account.asked)


def removal_of(id: RemoteId, digits: str = HASH) -> Removal:  # noqa: A002
    """A removal, made past its gate: the gate has tests of its own."""
    return Removal(removal_module._SEAL, id, InfoHash(digits), RemovalReason.OURS_UNUSED, 0.0)


def place_of(double: DebridDouble, **changes: Any) -> DebridPlace:
    """How to reach a double."""
    values = {"account": NAME, "base": double.url, "token": Secret(double.token), "timeout": 20.0}
    return DebridPlace(**values | {"section": f"DEBRID {NAME}"} | changes)


@contextmanager
def debrid_house(
    double: type[DebridDouble], account: Any, *, selects: bool = False, **place: Any
) -> Iterator[DebridHouse]:
    """From `with` to its end; a violation of the service's rules fails the test there."""
    clock = FakeClock()
    world = DebridWorld(clock, selects=selects)
    with double(world) as server:
        records, heard = UnwrittenDocuments(None), []
        gate = Gate("The service", ceiling_of(200, 0.3), account.CAN.rates, clock, records)
        made = account(place_of(server, **place), gate, clock, heard.append)
        try:
            yield DebridHouse(server, made, world, clock, gate, records, heard)
        finally:
            made.close()
    assert server.violations == []
