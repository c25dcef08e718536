"""Several routes in one process: each moves, one that fails holds none of the others, and all of them are told as one run."""

from __future__ import annotations

import contextlib
import gc
import threading
from weakref import WeakSet

import pytest

from tests.engine.fuse import Fuse
from tests.engine.story import Story, path
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode, LoginRefused, NotWritable, PreflightRefused, Unreachable
from torrent_mover.domain.report.events import Noticed, RouteEnded, RunEnded, RunStarted
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.engine.hub.publisher import Publisher
from torrent_mover.engine.run.group import RunGroup
from torrent_mover.engine.run.shown import RunFacts
from torrent_mover.engine.run.slots import Slots
from torrent_mover.engine.run.work import Beside, ClientPause

NAMES = ("films", "shows")


class TwoRoutes:
    """Two stories, each a route of one process."""

    def __init__(self, folder, *, jobs: int = 2, again_after: float | None = None) -> None:
        first = Story(folder / NAMES[0])
        self.stories = dict(zip(NAMES, (first, Story(folder / NAMES[1], clock=first.clock)), strict=True))
        self.jobs, self.again_after = jobs, again_after
        self.clock = first.clock
        self.tried = []
        self.runs = WeakSet()
        self.events = []
        self.another = lambda route: pytest.fail(f"another run of {route}")
        self.group: RunGroup

    @contextlib.contextmanager
    def built(self):
        with contextlib.ExitStack() as stack:
            journals = [stack.enter_context(contextlib.closing(each.journal())) for each in self.stories.values()]
            publisher = Publisher(journals[0])
            publisher.subscribe(self.events.append)
            slots, pause = Slots(self.jobs), ClientPause()
            members = [
                self.member(name, journal, publisher, slots, pause)
                for name, journal in zip(self.stories, journals, strict=True)
            ]
            by_name = dict(zip(self.stories, journals, strict=True))

            def again(route):
                self.tried.append((route, self.clock.monotonic()))
                return self.another(route) or self.member(route, by_name[route], publisher, slots, pause)

            self.group = RunGroup(facts(""), members, publisher, journals[0], self.clock, again)
            del members  # nobody but the group is to keep a run
            for story in self.stories.values():
                stack.enter_context(story._time_passes())
            yield self.group

    def member(self, name: str, journal, publisher, slots, pause):
        of = facts(name, self.again_after)
        run = self.stories[name].build(journal, Fuse(), of, publisher, slots, self.beside(name, pause))
        self.runs.add(run)
        return run

    def beside(self, name: str, pause: ClientPause) -> Beside:
        return Beside(lambda: self.group.elsewhere(name), lambda: self.group.alone(name), pause)

    def told(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def facts(route: str, again_after: float | None = None) -> RunFacts:
    ends = ("sftp", f"{route} box", "nas", "config.ini", False)
    return RunFacts("test", "0", *ends, route, "move-me", member=True, again_after=again_after)


@pytest.fixture
def two(tmp_path):
    return TwoRoutes(tmp_path)


def test_both_routes_move_and_are_told_as_one_run(two):
    films, shows = (two.stories[name] for name in NAMES)
    film, show = films.seed("Film", 70_000), shows.seed("Show", 90_000)

    with two.built() as group:
        assert group.execute() is ExitCode.DONE
        picture = group.snapshot()

    films.assert_moved(film)
    shows.assert_moved(show)
    assert (picture.phase, picture.exit_code) == (Phase.ENDED, 0)
    assert {move.id: move.route for move in picture.moves} == {film: "films", show: "shows"}
    assert picture.total_bytes == 160_000
    assert [route.name for route in picture.routes] == list(NAMES)
    (started,), (ended,) = two.told(RunStarted), two.told(RunEnded)
    assert started.ends == "films: films box -> nas; shows: shows box -> nas"
    assert (ended.moved, ended.exit_code, ended.route) == (2, 0, "")
    assert {event.route: event.moved for event in two.told(RouteEnded)} == {"films": 1, "shows": 1}


def test_a_route_whose_server_is_away_does_not_hold_the_other_one(two):
    films, shows = (two.stories[name] for name in NAMES)
    show = shows.seed("Show", 90_000)

    def refuse(_method: str, _of: object) -> None:
        raise Unreachable("films box does not answer.", kept="Nothing was moved.", remedy="Start it.")

    films.source.before = refuse

    with two.built() as group:
        assert group.execute() is ExitCode.UNREACHABLE
        picture = group.snapshot()

    shows.assert_moved(show)
    assert {route.name: route.exit_code for route in picture.routes} == {"films": 3, "shows": 0}
    assert "films box does not answer" in two.told(RunEnded)[0].reason


@contextlib.contextmanager
def waits_pass(two):
    """A minute of the clock in each moment in which no route moves: evidence is not to grow old meanwhile."""
    over = threading.Event()

    def pass_on() -> None:
        while not over.wait(0.01):
            if len(two.told(RouteEnded)) == len(NAMES) + len(two.tried):
                two.clock.advance(60)

    thread = threading.Thread(target=pass_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [(Unreachable, 60), (PreflightRefused, 900), (NotWritable, 900), (LoginRefused, None)],
)
def test_a_route_that_was_refused_is_tried_again_beside_the_others(tmp_path, refusal, seconds):
    two = TwoRoutes(tmp_path, again_after=60)
    films, shows = (two.stories[name] for name in NAMES)
    film, show = films.seed("Film", 70_000), shows.seed("Show", 90_000)

    def refuse(_method: str, _of: object) -> None:
        raise refusal("The disk of films box is not mounted.", kept="Nothing was moved.", remedy="Mount it.")

    healthy = films.source.before

    def mend(_route: str) -> None:
        films.source.before = healthy

    films.source.before, two.another = refuse, mend

    with two.built() as group, waits_pass(two):
        code = group.execute()

    shows.assert_moved(show)
    again = [event.text for event in two.told(Noticed) if "is tried again in" in event.text]
    if seconds is None:
        assert (again, two.tried, code) == ([], [], refusal.exit_code)
        films.source.before = healthy
        assert films.source.get(film) is not None
    else:
        assert again == [f"route films is tried again in {seconds} s; the others go on"]
        assert [route for route, _ in two.tried] == ["films"]
        assert code is ExitCode.DONE
        films.assert_moved(film)


def test_runs_that_another_one_follows_are_counted_and_forgotten(tmp_path):
    two = TwoRoutes(tmp_path, again_after=60)
    films, shows = (two.stories[name] for name in NAMES)
    film, show = films.seed("Film", 70_000), shows.seed("Show", 90_000)
    healthy = films.source.before

    def refuse(_method: str, _of: object) -> None:
        raise Unreachable("films box does not answer.", kept="Nothing was moved.", remedy="Start it.")

    def mend(_route: str) -> None:
        films.source.before = healthy if len(two.tried) == 5 else refuse

    films.source.before, two.another = refuse, mend

    with two.built() as group, waits_pass(two):
        assert group.execute() is ExitCode.DONE
        gc.collect()
        assert set(two.runs) == set(group.members)
    with contextlib.closing(films.journal()) as journal:
        (record,) = journal.runs()

    films.assert_moved(film)
    shows.assert_moved(show)
    assert (len(two.tried), record.moved, record.sent) == (5, 2, 160_000)


def test_a_failed_torrent_counts_for_more_than_a_server_that_is_away(two):
    films, shows = (two.stories[name] for name in NAMES)
    show = shows.seed("Show", 90_000)
    shows.here.unlink(path("Show"))

    def refuse(_method: str, _of: object) -> None:
        raise Unreachable("films box does not answer.", kept="Nothing was moved.", remedy="Start it.")

    films.source.before = refuse

    with two.built() as group:
        assert group.execute() is ExitCode.SOME_FAILED
    assert shows.source.get(show) is not None


def test_a_torrent_that_both_routes_could_move_is_moved_by_one_of_them(two):
    films, shows = (two.stories[name] for name in NAMES)
    film = films.seed("Film", 70_000)
    assert shows.seed("Film", 70_000) == film
    planned = threading.Barrier(2, timeout=60)  # both have it in their plans before one of them begins

    def meeting():
        listed = []

        def meet(method: str, _of: object) -> None:
            if method == "torrents" and len(listed) < 2:
                listed.append(method)
                if len(listed) == 2:
                    planned.wait()

        return meet

    films.source.before, shows.source.before = meeting(), meeting()

    with two.built() as group:
        assert group.execute() is ExitCode.DONE
        taken = [member.route for member in group.members if member.row(film) is not None]

    assert len(taken) == 1
    two.stories[taken[0]].assert_moved(film)
    (other,) = (story for name, story in two.stories.items() if name != taken[0])
    assert other.source.get(film) is not None
    told = [event.text for event in two.told(Noticed)]
    assert "1 torrent left to other routes, which have the same in their queues" in told


def test_a_stop_ends_all_routes(two):
    films, shows = (two.stories[name] for name in NAMES)
    films.seed("Film", 70_000)
    shows.seed("Show", 90_000)
    going = threading.Event()
    shows.source.before = lambda method, _of: going.wait(60) if method == "metainfo" else None

    with two.built() as group:
        running = threading.Thread(target=group.execute)
        running.start()
        eventually(lambda: group.snapshot().count(MoveStatus.ACTIVE, MoveStatus.DONE))
        group.stop()
        going.set()
        running.join(60)
        assert group.snapshot().exit_code == ExitCode.INTERRUPTED


def test_routes_that_look_at_the_same_moment_all_look(two):
    with two.built() as group:
        one, other = group.members
        with other._others.carrying.looking():
            assert one._look_again(at_once=True)

    assert [event.text for event in two.told(Noticed) if "not looked again" in event.text] == []


def test_nobody_looks_while_a_client_is_stopped_and_nobody_stops_one_meanwhile():
    pause, stopped = ClientPause(), threading.Event()

    def stop() -> None:
        with pause.paused():
            stopped.set()

    with pause.paused(), pause.looking() as may_look:
        assert not may_look
    with pause.looking() as may_look:
        thread = threading.Thread(target=stop)
        thread.start()
        assert may_look and not stopped.is_set()
    thread.join()
    assert stopped.is_set()


def test_a_queue_that_holds_fewer_slots_is_served_first():
    slots = Slots(2)

    class Queue:
        def __init__(self, held: int, *, hungry: bool) -> None:
            self.held, self.hungry = held, hungry
            slots.join(self)

    greedy, patient = Queue(1, hungry=True), Queue(0, hungry=True)
    with slots.changed:
        assert not slots.free_for(greedy)
        assert slots.free_for(patient)
        patient.hungry = False
        assert slots.free_for(greedy)
        greedy.held = 2
        assert not slots.free_for(patient)
    slots.leave(greedy)
    assert slots.held == 0
