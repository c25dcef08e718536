"""What the screen of debrid accounts sees and orders, over an account in memory: plan, acting once, retries, links put back."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from tests.duties.debrid.debrid_house import HASH, MEDIA, SHOW, DebridHouse
from tests.duties.debrid.fake_account import Known
from tests.servers import eventually
from torrent_mover.adapters.outlets.debrid_metrics import debrid_exposition, merged
from torrent_mover.domain.debrid.account import RemoteStatus
from torrent_mover.domain.debrid.errors import AccountExpired
from torrent_mover.domain.debrid.limiter import PACE_KEY, PACE_TABLE
from torrent_mover.domain.errors import Cancelled, UsageError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.plain_data import from_plain, to_plain
from torrent_mover.domain.report.debrid import DebridPhase, DebridSnapshot
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.report.snapshot import Trouble
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.control import RunningDebrid
from torrent_mover.duties.debrid.loop import DebridLoop
from torrent_mover.duties.debrid.quarantining import LinkQuarantine
from torrent_mover.duties.debrid.records import EscalationRecord, EscalationStage, RepairEnd, RepairStage, Wave
from torrent_mover.duties.debrid.rounds import REFUSED, DebridRound
from torrent_mover.duties.debrid.settings import DebridMode, OnRefused
from torrent_mover.duties.debrid.stand import DebridOrders, DebridStand
from torrent_mover.duties.debrid.telling import families
from torrent_mover.duties.debrid.turns import RetryEntry
from torrent_mover.engine.hub.loops import LoopState, LoopView, Supervisor
from torrent_mover.engine.hub.publisher import Listeners

OTHER = Known("Film", (("Film/Film.mkv", 7),), hash=InfoHash("77aa" * 10))
VIRUS = Known("Bad", (("Bad/Bad.mkv", 9),), hash=InfoHash("b1" * 20))


class Running:
    """An account that only reports, with a dead show, a dead film and a virus; its stand and control."""

    def __init__(self, **settings) -> None:
        self.house = DebridHouse(SHOW, OTHER, VIRUS, **settings)
        self.house.set(mode=DebridMode.REPORT)
        self.house.account.have(HASH, RemoteStatus.DEAD, selected=(1, 2))
        self.house.account.have(OTHER.hash, RemoteStatus.DEAD)
        self.house.account.have(VIRUS.hash, RemoteStatus.VIRUS)
        self.house.full()
        self.told = Listeners()
        self.stop = threading.Event()
        house = self.house
        self.stand = DebridStand("rd", house.settings, house.journal, self.world, house.clock.now)
        self.supervisor = Supervisor(time.monotonic)
        self.control = RunningDebrid({"rd": self.stand}, self.supervisor, [self.told], self.stop, house.clock)

    def world(self, **changes):
        return self.house.world(say=self.say, **changes)

    def say(self, torrent, text, level=Level.INFO) -> None:
        self.told.tell(Noticed(self.house.clock.now(), torrent, level, text, route="rd"))

    @property
    def view(self):
        self.house.pass_time(2)  # a picture serves for a second
        return self.control.snapshot().accounts[0]

    def lines(self) -> str:
        return "\n".join(line.text for line in self.control.log())

    def act(self, agreed) -> None:
        """What a round does with what was agreed to."""
        work = DebridRound(self.world(acts=True))
        work.act([each for each in work.candidates() if each.hash in agreed], within=agreed)


@pytest.fixture
def running():
    return Running()


def test_the_picture_says_what_is_wrong_what_would_be_done_and_how_the_account_stands(running):
    house = running.house
    house.world().good_standing()
    house.documents.put(PACE_TABLE, PACE_KEY, {"rate": 2.1, "refusals": 0, "closed_until": 0.0, "parked_until": 0.0})

    view = running.view

    found = {each.name: (each.fault, each.would, each.ready) for each in view.findings}
    assert found["Show.S01"] == ("dead", "repair", True)
    assert found["Bad"] == ("virus", "", False)
    assert set(view.plan) == {HASH, OTHER.hash}
    assert (view.proven, view.suspect, view.repairing, view.total) == (3, 0, 0, 3)
    assert (view.acts, view.slots, view.pace, view.phase) == (False, 10, 2.1, DebridPhase.ABSENT)
    snapshot = running.control.snapshot()
    assert from_plain(DebridSnapshot, to_plain(snapshot)) == snapshot, "another process sees the same"
    assert "dead" in "\n".join(running.control.explain("rd", HASH))


def test_what_is_agreed_to_is_acted_on_once_and_nothing_else(running):
    running.control.act("rd", [HASH])
    agreed = running.stand.begin().agreed
    assert agreed == {HASH}

    running.act(agreed)
    running.stand.rested(None)

    repaired = [repair for repair in running.view.repairs if repair.went_well]
    assert [repair.id for repair in repaired] == [HASH]
    assert running.view.plan == (OTHER.hash,)
    assert running.stand.begin() == DebridOrders(), "a second round needs a second word"


def test_a_round_acts_for_refused_torrents_only_on_those_that_were_agreed_to():
    running = Running(on_virus=OnRefused.QUARANTINE)
    house = running.house
    house.mount_shows("Bad", files=("Bad.mkv",))
    link = house.link("Bad.mkv", "Bad")
    house.round().walk()

    running.act({HASH})
    assert link in house.library.links
    running.act({VIRUS.hash})

    assert link not in house.library.links
    assert [each.path for each in running.view.aside] == [link]


def test_what_was_begun_before_goes_on_only_where_it_was_agreed_to(running):
    house = running.house
    work = DebridRound(running.world(acts=True))
    work._story.begin(work._story.plan(house.journal.finding(HASH)))
    house.arrs = {"tv": object()}  # whatever is asked of it fails
    now = house.clock.now()
    noted = EscalationRecord(VIRUS.hash, "Bad", "tv", f"{MEDIA}/Bad.mkv", 1, (1,), (), EscalationStage.NOTED, now, now)
    house.journal.save_escalation(noted)

    running.act({OTHER.hash})

    assert house.journal.repair(HASH).stage is RepairStage.PLANNED
    assert house.journal.repair(OTHER.hash).end is RepairEnd.REPAIRED
    assert house.journal.escalations() == (noted,)
    running.control.act("rd", [VIRUS.hash])
    running.stand.begin()
    running.stand.rested(None)
    assert running.stand.begin().agreed == {VIRUS.hash}, "what was begun stays agreed to"


def test_what_was_begun_by_order_stays_agreed_to_until_it_has_ended(running):
    running.house.account.known[HASH] = replace(SHOW, fate="stuck")
    running.control.act("rd", [HASH])
    work = DebridRound(running.world(acts=True))
    record = work._story.begin(work._story.plan(running.house.journal.finding(HASH)))
    running.stand.begin()
    running.stand.rested(None)

    assert record.open
    assert running.stand.begin().agreed == {HASH}
    assert running.view.plan[0] == HASH
    assert "being repaired" in next(each.against for each in running.view.findings if each.id == HASH)


@pytest.mark.parametrize(
    ("hold", "why"),
    [
        (lambda journal: journal.save_retry(RetryEntry(HASH, "Show.S01", "slots full", 1, 9e9)), "tried again"),
        (lambda journal: journal.save_retry(RetryEntry(HASH, "Show.S01", "dead", 3, 0.0, given_up=True)), "given up"),
        (lambda journal: journal.save_wave(Wave(REFUSED, 7, (), 0.0)), "too many at once"),
    ],
)
def test_what_is_held_back_says_why_and_is_not_in_the_plan(running, hold, why):
    hold(running.house.journal)
    view = running.view
    assert why in next(each.against for each in view.findings if each.id == HASH)
    assert HASH not in view.plan


def test_a_wave_and_trouble_call_for_somebody(running):
    running.house.journal.save_wave(Wave(REFUSED, 7, (), 0.0))
    running.stand.rested(Trouble("TM-E222", "The premium has ended.", "", "Renew it."))

    assert "debrid accept refused 7" in running.view.held[0]
    assert running.control.snapshot().needs_somebody == 1
    assert running.view.trouble.code == "TM-E222"


def test_a_retry_is_due_now_and_what_was_given_up_begins_anew(running):
    running.house.journal.save_retry(RetryEntry(HASH, "Show.S01", "dead", 3, 0.0, given_up=True))

    running.control.retry("rd", HASH)
    running.control.retry("rd", OTHER.hash)

    retry = running.view.retries[0]
    assert (retry.tries, retry.given_up) == (0, False)
    assert HASH in running.view.plan
    assert "Show.S01 is due now" in running.lines()
    assert "waits for no retry" in running.lines()


def test_a_link_is_put_back_and_one_whose_name_is_taken_says_so(running):
    link = running.house.link()
    LinkQuarantine(running.world()).set_aside(LocalPath(link), HASH, "virus")
    key = running.view.aside[0].key
    running.house.library.links[link] = "something else"
    running.control.restore("rd", key)
    eventually(lambda: "has that name already" in running.lines())
    del running.house.library.links[link]

    running.control.restore("rd", key)

    eventually(lambda: f"{link}: put back" in running.lines())
    assert link.startswith(MEDIA)
    assert running.house.library.links[link].endswith("Show.S01/e1.mkv")
    assert running.view.aside == ()


def test_an_unknown_account_is_refused(running):
    with pytest.raises(UsageError, match="no account box"):
        running.control.explain("box", HASH)


@pytest.mark.parametrize("state", LoopState)
def test_the_picture_has_the_state_of_the_loop_and_when_it_goes_on(running, state):
    view = running.stand.view(LoopView("debrid rd", "debrid", state, 0.0, 30.0, 0))

    assert view.phase.value == {"looking": "working"}.get(state.value, state.value)
    assert view.next_look_at == running.house.clock.now() + 30.0


def test_figures_of_two_accounts_are_one_group_each_and_have_no_hashes(running):
    house = running.house
    now = house.clock.now()
    house.documents.put(
        PACE_TABLE, PACE_KEY, {"rate": 2.1, "refusals": 0, "closed_until": now + 60, "parked_until": 0.0}
    )

    text = debrid_exposition(merged(each for name in ("rd", "box") for each in families(house.journal, name, now)))

    for wanted in (
        'torrent_mover_debrid_pace{account="rd"} 2.1',
        'torrent_mover_debrid_closed_seconds{account="box"} 60',
        'torrent_mover_debrid_torrents{account="rd",status="dead"} 2',
        'torrent_mover_debrid_torrents{account="box",status="virus"} 1',
    ):
        assert wanted in text
    names = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert HASH.hex not in text


# -- the loop --------------------------------------------------------------------------------------------------------------


class Looping:
    """The loop of that account under a supervisor; `work` is what a round does, `rounds` the orders of each."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.rounds: list[DebridOrders] = []
        self.work = lambda: "1 repaired, 0 parked, 0 failed"
        self.loop = DebridLoop(running.stand, self.round, 3600.0, lambda within: within > 100)

    def round(self, orders: DebridOrders) -> str:
        self.rounds.append(orders)
        return self.work()

    def looked(self, count: int) -> None:
        """So many rounds were begun, and the last one has ended."""
        eventually(lambda: len(self.rounds) == count and self.running.view.phase is not DebridPhase.WORKING)


@pytest.fixture
def looping(running):
    looping = Looping(running)
    yield looping
    running.supervisor.stop(20)


def test_orders_begin_a_round_of_their_loop_and_each_is_in_one_round(looping):
    running = looping.running
    running.supervisor.start(looping.loop)
    looping.looked(1)
    running.control.act("rd", [HASH])
    looping.looked(2)
    running.control.repair("rd", OTHER.hash)
    looping.looked(3)
    running.control.request_scan("rd")
    looping.looked(4)

    assert [(orders.agreed, orders.by_hand) for orders in looping.rounds] == [
        (frozenset(), ()),
        (frozenset({HASH}), ()),
        (frozenset(), (OTHER.hash,)),
        (frozenset(), ()),
    ]
    assert running.view.phase is DebridPhase.WAITING
    assert "1 repaired" in running.lines()
    running.supervisor.stop(20)
    assert running.control.snapshot().over


def test_what_keeps_a_round_from_its_work_is_trouble_and_told_to_a_person_once(looping):
    running = looping.running
    error = AccountExpired("The account cannot be used.", kept="Nothing was judged.", remedy="Renew it.", server="rd")

    def fail() -> str:
        raise error

    looping.work = fail
    stop = threading.Event()
    for _ in range(2):
        assert looping.loop.look(stop) == 3600.0

    assert running.view.trouble.what == "The account cannot be used."
    assert running.house.notices == ["The account cannot be used. [TM-E222] Renew it."]
    looping.work = lambda: "nothing to do"
    looping.loop.look(stop)
    assert running.view.trouble is None
    looping.work = fail
    looping.loop.look(stop)
    assert len(running.house.notices) == 2, "it has ended again"


def test_what_nobody_expected_is_the_loops_failure_and_a_stop_is_none(looping):
    running = looping.running

    def fail() -> str:
        raise KeyError("files")

    def stopped() -> str:
        raise Cancelled("The run was stopped.")

    looping.work = fail
    with pytest.raises(KeyError):
        looping.loop.look(threading.Event())
    assert "KeyError" in running.view.trouble.what
    looping.work = stopped
    assert looping.loop.look(threading.Event()) == 3600.0
    assert running.view.trouble is None
    ended = threading.Event()
    ended.set()
    looping.loop.look(ended)
    assert len(looping.rounds) == 2, "none is begun once it is to end"
    assert (looping.loop.seen_alive(900), looping.loop.seen_alive(9)) == (True, False)
