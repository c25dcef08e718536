from collections.abc import Callable

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.sink import RecordingSink
from torrent_mover.domain.errors import ConnectionLost, Stalled
from torrent_mover.domain.paths import HostPath, LocalPath, RelativePath
from torrent_mover.ports.rsync import Activity, Direction, RsyncCall, RsyncResult
from torrent_mover.transfer.rsync_ledger import LegLedger
from torrent_mover.transfer.rsync_leg import LegPlan, LegRun, LifeSigns, RsyncTuning

KEEP_ALIVE = 300
"""Bytes that ssh reads and writes for one keep-alive, generously."""


class Script:
    """An rsync that does what each test writes down: one list of steps for each run."""

    server = "seedbox:22"

    def __init__(self, clock: FakeClock, *runs: Callable) -> None:
        self.calls: list[RsyncCall] = []
        self.clock = clock
        self._runs = list(runs)

    def run(self, call, watcher, on_abort):
        self.calls.append(call)
        take_back = on_abort(lambda: None)
        try:
            return RsyncResult(self._runs.pop(0)(watcher) or 0, "")
        finally:
            take_back()


def leg(clock: FakeClock, sink: RecordingSink, *runs: Callable, limit=lambda: None, delta=False, timeout=600.0):
    names = {0: RelativePath(("a",)), 1: RelativePath(("b",))}
    ledger = LegLedger({0: [(0, 1_000_000)], 1: [(0, 10)]}, [1_000_000, 10], delta=delta)
    plan = LegPlan(Direction.PULL, HostPath("/there"), LocalPath("/here"), names, delta, limit, 0)
    program = Script(clock, *runs)
    return program, LegRun(program, plan, RsyncTuning(timeout=timeout), ledger, sink, clock.monotonic)


def at(offset: int, *, done: bool = False) -> bytes:
    return f"\r {offset}  50%  1.00MB/s  0:00:01{' (xfr#1, to-chk=1/2)' if done else ''}\n".encode()


def test_what_rsync_reports_is_counted():
    clock, sink = FakeClock(), RecordingSink()

    def run(watcher):
        watcher.output(b"> a\n" + at(400_000))
        watcher.output(at(1_000_000, done=True) + b"> b\n" + at(10, done=True))

    leg(clock, sink, run)[1].run()

    assert sink.steps == [400_000, 600_000, 10]
    assert sink.files == {0: 1_000_000, 1: 10}


def test_between_two_reports_the_wire_tells():
    clock, sink = FakeClock(), RecordingSink()

    def run(watcher):
        watcher.tick(Activity(0, 9_000, 5_000))  # login
        watcher.output(b"> a\n" + at(100_000))
        for wire in (105_000, 155_000, 205_000):
            clock.advance(0.25)
            watcher.tick(Activity(0, 2 * wire, wire))

    leg(clock, sink, run)[1].run()

    assert sink.steps[:3] == [100_000, 50_000, 50_000]
    assert sink.sent == {0: 1_000_010}


def test_a_login_is_no_progress():
    clock, sink = FakeClock(), RecordingSink()

    def run(watcher):
        watcher.tick(Activity(0, 0, 0))
        watcher.tick(Activity(0, 90_000, 90_000))
        assert sink.steps == []

    leg(clock, sink, run)[1].run()


def test_long_silent_comparing_is_life():
    clock, sink = FakeClock(), RecordingSink()

    def run(watcher):
        for second in range(3000):
            clock.advance(1)
            watcher.tick(Activity(second * 0.2, second * KEEP_ALIVE, second))

    leg(clock, sink, run, delta=True)[1].run()

    assert set(sink.doing) == {"comparing"}


def test_a_little_trickle_over_the_wire_is_life_when_the_other_side_compares():
    clock, sink = FakeClock(), RecordingSink()

    def run(watcher):
        for second in range(3000):
            clock.advance(1)
            watcher.tick(Activity(0, second * 3000, second * 1500))

    leg(clock, sink, run, delta=True)[1].run()

    assert "comparing" in sink.doing


def test_keep_alives_are_no_life():
    clock, sink = FakeClock(), RecordingSink()

    def run(watcher):
        watcher.output(b"> a\n" + at(100_000))
        for second in range(3000):
            clock.advance(1)
            moved = second // 15 * KEEP_ALIVE
            watcher.tick(Activity(second * 0.001, moved, moved))
            assert clock.monotonic() < 1000 + 602

    with pytest.raises(Stalled, match="did nothing for 600 s"):
        leg(clock, sink, run)[1].run()

    assert sink.steps == [100_000]
    assert sink.doing == []


def test_output_is_life():
    clock, sink = FakeClock(), RecordingSink()

    def run(watcher):
        for second in range(3000):
            clock.advance(1)
            watcher.output(b"> a\n" + at(second))
            watcher.tick(Activity(0, None, None))

    leg(clock, sink, run)[1].run()

    assert sink.sent == {0: 1_000_010}


def test_where_nothing_can_be_measured_reports_count_in_a_delta_leg_too():
    clock, sink = FakeClock(), RecordingSink()

    def run(watcher):
        watcher.tick(Activity(0, None, None))
        clock.advance(1)
        watcher.tick(Activity(1, None, None))
        watcher.output(b"> a\n" + at(500_000))
        assert sink.sent == {0: 500_000}

    leg(clock, sink, run, delta=True)[1].run()


def test_an_exit_code_is_an_error_and_nothing_more_is_counted():
    clock, sink = FakeClock(), RecordingSink()

    def run(watcher):
        watcher.output(b"> a\n" + at(400_000))
        return 12

    with pytest.raises(ConnectionLost, match="seedbox:22"):
        leg(clock, sink, run)[1].run()

    assert sink.sent == {0: 400_000}


@pytest.mark.parametrize(("before", "after"), [(1 << 20, 8 << 20), (1 << 20, None), (None, 1 << 20)])
def test_a_limit_that_was_outgrown_starts_rsync_anew_with_what_is_left(before, after):
    clock, sink = FakeClock(), RecordingSink()
    limits = [before]

    def first(watcher):
        watcher.output(b"> b\n" + at(10, done=True) + b"> a\n" + at(400_000))
        clock.advance(31)
        watcher.tick(Activity(0, 0, 0))
        limits[0] = after
        watcher.tick(Activity(0, 0, 0))
        raise AssertionError("it should have been ended")

    def second(watcher):
        watcher.output(b"> a\n" + at(100_000) + at(1_000_000, done=True))

    program, run = leg(clock, sink, first, second, limit=lambda: limits[0])
    run.run()

    assert [name.name for name in program.calls[1].names] == ["a"]
    assert [word for word in program.calls[1].options if word.startswith("--bwlimit")] == (
        [f"--bwlimit={after // 1024}"] if after else []
    )
    assert "--no-whole-file" in program.calls[1].options
    assert sink.sent == {0: 1_000_010}


def test_starting_anew_becomes_rarer_so_that_comparing_cannot_eat_all_the_time():
    clock, sink = FakeClock(), RecordingSink()
    limits = [1000]
    lasted: list[float] = []

    def run(watcher):
        limits[0] *= 2
        begun = clock.monotonic()
        while clock.monotonic() < begun + 600:
            clock.advance(1)
            watcher.output(b"> a\n" + at(100))
            lasted.append(clock.monotonic() - begun)
            watcher.tick(Activity(0, 0, 0))

    leg(clock, sink, run, run, run, lambda _watcher: None, limit=lambda: limits[0])[1].run()

    assert [length for length, after in zip(lasted, [*lasted[1:], 0], strict=True) if after < length] == [31, 61, 121]


@pytest.mark.parametrize("after", [100, 1400])
def test_a_limit_that_the_sink_can_hold_or_a_young_run_is_left_alone(after):
    clock, sink = FakeClock(), RecordingSink()
    limits = [1000]

    def run(watcher):
        limits[0] = 5000
        watcher.tick(Activity(0, 0, 0))
        clock.advance(61)
        limits[0] = after
        watcher.tick(Activity(0, 0, 0))

    program, started = leg(clock, sink, run, limit=lambda: limits[0])
    started.run()

    assert len(program.calls) == 1


def test_life_signs_forget_nothing_across_windows():
    clock = FakeClock()
    life = LifeSigns(clock.monotonic)

    assert not life.works(Activity(0, 0, 0))
    clock.advance(9)
    assert not life.works(Activity(0.05, 100, 0))
    clock.advance(0.5)
    assert life.works(Activity(0.11, 100, 0))
    assert life.idle() == 0
    clock.advance(5)
    assert life.idle() == 5
    assert life.silence() == 14.5
