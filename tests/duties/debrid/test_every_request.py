"""Every request of a repair is lost, cut, answered with nonsense or the last one of its process: nothing healthy goes."""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.alldebrid import AllDebridDouble
from tests.doubles.debrid_house import debrid_house
from tests.doubles.premiumize import PremiumizeDouble
from tests.doubles.realdebrid import RealDebridDouble
from tests.doubles.torbox import TorBoxDouble
from tests.duties.debrid.debrid_house import HASH, DebridHouse
from tests.engine.fuse import Fuse, Killed, Tapped
from tests.faults.ledger import Tried, trying
from tests.faults.points import dealt, memory_folder
from torrent_mover.adapters.debrid.alldebrid import AllDebridAccount
from torrent_mover.adapters.debrid.premiumize import PremiumizeAccount
from torrent_mover.adapters.debrid.realdebrid import RealDebridAccount
from torrent_mover.adapters.debrid.torbox import TorBoxAccount
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.errors import DiskFull, MoverError

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(1200)]

FILES = (("Show.S01/e1.mkv", 1001), ("Show.S01/e2.mkv", 1002), ("Show.S01/info.nfo", 10))
HEALTHY = "77" * 20
PART = 16
"""In `make test` each test meets one of so many of its points; in the long form each of them."""
ROUNDS = 4
HOURS_BETWEEN = 3 * 3600 + 60


class AtService(DebridHouse):
    """See DebridHouse. One show is not well, one film is; the journal is a file that outlives kills."""

    double: type
    adapter: Any
    selects = False

    def __init__(self, stack: ExitStack, journal: Path) -> None:
        super().__init__()
        self.service = stack.enter_context(debrid_house(self.double, self.adapter, selects=self.selects))
        self.account, self.clock = self.service.account, self.service.clock
        self.world_of = self.service.world
        self.file = SqliteJournal(journal, self.clock)
        stack.enter_context(closing(self.file))
        self.documents = self.file.documents("debrid", "rd")
        self.http = self.account._session._http
        self.world_of.have(HASH.hex, *FILES, name="Show.S01")
        self.world_of.have(HEALTHY, ("Film.mkv", 7))
        self.healthy = self.world_of.hold(HEALTHY)
        self.chosen = {1, 2} if self.selects else {1, 2, 3}
        self.old = self.world_of.hold(HASH.hex, selected={1, 2} if self.selects else None, word="dead")

    def dying(self, wanted: Any) -> Fuse:
        """A process whose requests are counted; what it has of the account is mended by `mended`."""
        fuse = Fuse(wanted)
        self.account._session._http = Tapped("request", self.http, fuse)
        return fuse

    def mended(self) -> None:
        self.account._session._http = self.http
        self.service.double.faults.clear()

    def rounds(self) -> None:
        for _ in range(ROUNDS):
            with suppress(MoverError):
                self.run()
            self.pass_time(HOURS_BETWEEN)

    def assert_well(self) -> None:
        """One whole entry of the show, with the files it had; the film was never touched."""
        shows = [entry for entry in self.world_of.entries if entry.torrent.hash == HASH.hex]
        assert self.healthy in self.world_of.entries
        assert [(self.world_of.status(each), set(each.selected or ())) for each in shows] == [
            ("downloaded", self.chosen)
        ]
        assert self.service.double.violations == []


class AtRealDebrid(AtService):
    double, adapter, selects = RealDebridDouble, RealDebridAccount, True


class AtTorBox(AtService):
    double, adapter = TorBoxDouble, TorBoxAccount


class AtPremiumize(AtService):
    double, adapter = PremiumizeDouble, PremiumizeAccount


class AtAllDebrid(AtService):
    """It knows a hash once: an add of what is there is answered with what is there, so that a dead entry stays what it was."""

    double, adapter = AllDebridDouble, AllDebridAccount

    def assert_well(self) -> None:
        shows = [entry for entry in self.world_of.entries if entry.torrent.hash == HASH.hex]
        assert self.healthy in self.world_of.entries
        assert shows == [self.old]
        assert self.service.double.violations == []


SERVICES = (AtRealDebrid, AtTorBox, AtPremiumize, AtAllDebrid)

ANSWERS: dict[str, dict[str, Any]] = {
    "is lost before it has any effect": {"drop": True},
    "is obeyed, and its answer lost": {"drop": True, "after": True},
    "is answered by half of an answer": {"cut": True, "after": True},
    "is answered by a page of HTML": {
        "status": 200, "text": "<!DOCTYPE html><html></html>", "headers": {"Content-Type": "text/html"},
    },
    "is answered by a 502 of a proxy": {"status": 502, "text": "Bad Gateway"},
    "is answered by 429": {"status": 429, "text": "Too Many Requests"},
    "is answered by nothing at all": {"status": 200, "text": ""},
}  # fmt: skip


def each_point(kind: type[AtService], what: str, of: int, meets: Any) -> None:
    """A house for each point; `meets(house, at)` has it met there, and says whether it was; then all must be well again."""
    with trying("debrid", what) as tried:
        for at in dealt(of % PART, PART):
            if not _survived(kind, at, meets, tried):
                return
    raise AssertionError("a repair has no end")


def _survived(kind: type[AtService], at: int, meets: Any, tried: Tried) -> bool:
    with memory_folder() as folder, ExitStack() as stack:
        house = kind(stack, folder / "journal.sqlite3")
        met = meets(house, at)
        if not met:
            return False
        tried.injected()
        house.mended()
        house.pass_time(HOURS_BETWEEN)
        house.rounds()
        try:
            house.assert_well()
        except AssertionError as error:
            raise AssertionError(f"after {met} (point {at}): {error}") from error
        return True


@pytest.mark.parametrize("kind", SERVICES[:3], ids=lambda kind: kind.__name__)
def test_what_was_repaired_stays_well_though_lists_of_its_service_say_nothing_of_links(tmp_path, kind):
    with ExitStack() as stack:
        house = kind(stack, tmp_path / "journal.sqlite3")
        house.rounds()
        findings = house.journal.findings()
        (new,) = (entry.id for entry in house.world_of.entries if entry.torrent.hash == HASH.hex)
        house.rounds()
        house.assert_well()

    assert findings == ()
    assert new in [entry.id for entry in house.world_of.entries]


@pytest.mark.parametrize("kind", SERVICES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_request_that_goes_wrong_loses_nothing_and_the_next_rounds_repair_it(kind, answer):
    def meets(house: AtService, at: int) -> str:
        house.service.double.fault("", nth=at, **ANSWERS[answer])
        with suppress(MoverError):
            house.run()
        asked = house.service.double.asked
        return asked[at - 1].call if len(asked) >= at else ""

    each_point(kind, f"each request {answer}", list(ANSWERS).index(answer), meets)


@pytest.mark.parametrize("kind", SERVICES, ids=lambda kind: kind.__name__)
def test_killed_before_and_after_each_request_the_next_rounds_repair_it(kind):
    def meets(house: AtService, at: int) -> str:
        fuse = house.dying(lambda label: label.endswith("request.ask"))
        fuse.arm(at, fuse.kill)
        with suppress(Killed, MoverError):
            house.run()
        return fuse.fired

    each_point(kind, "killed before and after each request", 3, meets)


def journal_of(house: AtService, at: int, act: Any) -> str:
    fuse = Fuse(lambda label: label.partition("journal.")[2].startswith(("put", "replace", "delete", "append", "keep")))
    fuse.arm(at, lambda label: act(fuse, label))
    right, house.documents = house.documents, Tapped("journal", house.documents, fuse)
    with suppress(Killed, MoverError):
        house.run()
    house.documents = right
    return fuse.fired


@pytest.mark.parametrize("kind", SERVICES, ids=lambda kind: kind.__name__)
def test_killed_before_and_after_each_write_to_the_journal_the_next_rounds_repair_it(kind):
    each_point(
        kind,
        "killed before and after each write to the journal",
        4,
        lambda house, at: journal_of(house, at, lambda fuse, label: fuse.kill(label)),
    )


@pytest.mark.parametrize("kind", SERVICES, ids=lambda kind: kind.__name__)
def test_each_write_to_the_journal_finds_a_full_disk_and_the_next_rounds_repair_it(kind):
    def full(_fuse: Fuse, _label: str) -> None:
        raise DiskFull("There is no space left for the journal.")

    each_point(kind, "each write to the journal finds a full disk", 5, lambda house, at: journal_of(house, at, full))
