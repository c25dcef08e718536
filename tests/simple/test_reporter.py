import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.fakes.control import FakeControl
from tests.fakes.snapshots import a_hash, a_snapshot
from torrent_mover.domain.move import Stage
from torrent_mover.domain.report.events import (
    Level,
    MoveFailed,
    MoveStarted,
    Noticed,
    RunEnded,
    RunStarted,
    StageEntered,
)
from torrent_mover.domain.report.snapshot import Phase
from torrent_mover.simple.lines import feeds_journald
from torrent_mover.simple.reporter import SimpleReporter

ROOT = Path(__file__).parents[2]
STARTED = RunStarted(0.0, "r1", "seedbox -> nas", "sftp", "config.ini")
MOVING = MoveStarted(0.0, a_hash(1), "Sintel", 1000, 1, 0)
FAILED = MoveFailed(0.0, a_hash(1), "Sintel", "Disk full.", "Source kept.", "Free some space.", "TM-E122")
ENDED = RunEnded(0.0, "r1", 1, 0, 1000, 1.0, 0)
ENDED_BADLY = RunEnded(0.0, "r1", 0, 1, 1000, 1.0, 1)


def report(*events, control=None, out=None, err=None, **options):
    """Let a reporter print these events to its end; returns what stands on out and err."""
    control = control or FakeControl()
    out, err = out or io.StringIO(), err or io.StringIO()
    reporter = SimpleReporter(control, out, err, **{"tty": False, **options})
    for event in events:
        control.emit(event)
    reporter.run_until_ended()
    assert control.listeners == []
    return tuple(stream.getvalue() if isinstance(stream, io.StringIO) else None for stream in (out, err))


def endings(text):
    """The lines without date and time."""
    return [line[20:] for line in text.splitlines()]


class EndingControl(FakeControl):
    """Its run ends by itself once the statistics were asked for so many times."""

    def __init__(self, looks, last=ENDED, **changes):
        super().__init__(a_snapshot(**changes))
        self.looks = looks
        self.last = last

    def snapshot(self):
        self.looks -= 1
        if self.looks == 0 and self.last:
            self.emit(self.last)
        return super().snapshot()


def test_a_run_is_told_line_by_line():
    out, err = report(STARTED, MOVING, ENDED)
    assert endings(out) == [
        "INFO  run r1: seedbox -> nas, sftp, config config.ini",
        "INFO  00000001 start: Sintel (1000 B, 1 file)",
        "INFO  run r1 end: 1 moved, 0 failed, 1000 B in 1.0 s, 1000 B/s, exit 0",
    ]
    assert err == ""


def test_failures_stand_on_stderr_as_well():
    out, err = report(STARTED, FAILED, ENDED_BADLY)
    assert "ERROR 00000001 failed: Disk full. Source kept. Free some space. (Sintel) [TM-E122]\n" in out
    assert endings(err) == ["ERROR 00000001 failed: Disk full. Source kept. Free some space. (Sintel) [TM-E122]"]


def test_a_long_run_says_less_often_where_it_stands():
    out, _ = report(control=EndingControl(10 * 60), stats_every=0.0001)

    assert out.count("stats:") == 15 + 21 + 32  # of ten hours, at one look a minute


def test_one_terminal_does_not_show_a_failure_twice(tmp_path):
    with (tmp_path / "both").open("w+") as out, (tmp_path / "both").open("a") as err:
        report(FAILED, ENDED_BADLY, out=out, err=err)
        out.seek(0)
        assert out.read().count("Disk full") == 1


def test_quiet_says_nothing_when_all_goes_well():
    assert report(STARTED, MOVING, ENDED, quiet=True) == ("", "")


def test_quiet_tells_failures_and_the_bad_end_on_stderr():
    out, err = report(STARTED, MOVING, FAILED, ENDED_BADLY, quiet=True)
    assert out == ""
    assert [line[:14] for line in endings(err)] == ["ERROR 00000001", "WARN  run r1 e"]


def test_stages_are_told_only_with_debug():
    stage = StageEntered(0.0, a_hash(1), "Sintel", Stage.CHECKING)
    assert "stage" not in report(stage, ENDED)[0]
    assert "DEBUG 00000001 stage: checking" in report(stage, ENDED, debug=True)[0]


def test_statistics_come_by_themselves():
    out, _ = report(control=EndingControl(3), stats_every=0.001)
    assert out.count("INFO  stats: 93.8/214.6 GiB, 43 %, in 48.1 MiB/s, ETA 41m20s (1 transferring, 1 queued)\n") == 3


def test_no_statistics_while_nothing_moves():
    out, _ = report(control=EndingControl(3, phase=Phase.PREFLIGHT), stats_every=0.001)
    assert "stats" not in out


def test_ends_with_the_run_even_if_its_last_event_never_comes():
    report(control=EndingControl(1, last=None, phase=Phase.ENDED), stats_every=0.001)


def test_finish_ends_it_after_what_is_queued():
    control = FakeControl()
    out = io.StringIO()
    reporter = SimpleReporter(control, out, io.StringIO(), tty=False)
    control.emit(MOVING)
    reporter.finish()
    reporter.run_until_ended()
    assert "start: Sintel" in out.getvalue()


def test_on_a_terminal_statistics_are_one_line_that_is_drawn_again(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out, _ = report(STARTED, control=EndingControl(2), tty=True, stats_every=0.001)
    first, *redrawn, last = out.split("\r\x1b[K")[1:]
    assert first.endswith("config config.ini\n")
    assert len(redrawn) == 3
    assert redrawn[0] == redrawn[1] == "stats: 93.8/214.6 GiB, 43 %, in 48.1 MiB/s, ETA 41m20s (1 …"
    assert len(redrawn[0]) < 60
    assert redrawn[2].endswith("exit 0\n")
    assert last == ""


def test_nothing_but_a_terminal_gets_control_characters():
    out, _ = report(STARTED, FAILED, control=EndingControl(2), stats_every=0.001)
    assert "\x1b" not in out
    assert "\r" not in out


def test_systemd_gets_priorities_and_no_times():
    out, _ = report(MOVING, FAILED, ENDED, journald=True)
    assert [line[:12] for line in out.splitlines()] == ["<6>00000001 ", "<3>00000001 ", "<6>run r1 en"]


def test_journald_is_known_by_the_very_stream(tmp_path):
    with (tmp_path / "stream").open("w") as stream:
        found = os.fstat(stream.fileno())
        assert feeds_journald(stream, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
        assert not feeds_journald(stream, {"JOURNAL_STREAM": "9:99"})
        assert not feeds_journald(stream, {})
    assert not feeds_journald(io.StringIO(), {"JOURNAL_STREAM": ":"})


def test_a_line_that_repeats_is_counted_instead():
    slow = Noticed(0.0, a_hash(1), Level.WARN, "waiting for the recheck")
    out, _ = report(*[slow] * 100, MOVING, slow, ENDED)
    assert endings(out)[:4] == [
        "WARN  00000001 waiting for the recheck",
        "WARN  00000001 (the same 99 more times)",
        "INFO  00000001 start: Sintel (1000 B, 1 file)",
        "WARN  00000001 waiting for the recheck",
    ]


def test_a_repeating_line_is_shown_again_after_a_minute():
    slow = Noticed(0.0, None, Level.WARN, "waiting")
    ticks = iter(range(0, 10_000, 25))
    out, _ = report(*[slow] * 8, ENDED, monotonic=lambda: float(next(ticks)))
    assert endings(out).count("WARN  waiting") > 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_names_that_the_locale_cannot_say_are_escaped(encoding):
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    report(MoveStarted(0.0, a_hash(1), "拥抱艳阳天 \udcff", 1, 1, 0), ENDED, out=out)
    assert rb"start: \u62e5\u62b1\u8273\u9633\u5929 \xff (1 B" in raw.getvalue()


def test_a_closed_pipe_ends_the_output_but_not_the_run():
    reading, writing = os.pipe()
    os.close(reading)
    err = io.StringIO()
    with os.fdopen(writing, "w") as out:
        report(STARTED, FAILED, ENDED_BADLY, out=out, err=err)
    assert "Disk full" in err.getvalue()


def test_a_stream_closed_on_our_side_is_no_trouble():
    out, err = io.StringIO(), io.StringIO()
    out.close()
    control = FakeControl()
    reporter = SimpleReporter(control, out, err, tty=False)
    control.emit(FAILED)
    control.emit(ENDED_BADLY)
    reporter.run_until_ended()
    assert "Disk full" in err.getvalue()


def test_the_exit_code_stays_right_when_the_reader_goes_away():
    program = (
        "import sys; from tests.simple.test_reporter import *; "
        "control = FakeControl(); reporter = SimpleReporter(control, sys.stdout, sys.stderr, tty=False); "
        "[control.emit(MOVING) for _ in range(10)]; control.emit(ENDED); reporter.run_until_ended(); sys.exit(3)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", program],
            stdout=writing,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=environment,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (3, b"")


def test_a_reader_that_does_not_read_never_holds_up_the_engine():
    control = FakeControl()
    blocked, go_on = threading.Event(), threading.Event()

    class Stuck(io.StringIO):
        def write(self, text):
            blocked.set()
            assert go_on.wait(60)
            return super().write(text)

    out = Stuck()
    reporter = SimpleReporter(control, out, io.StringIO(), tty=False)
    printing = threading.Thread(target=reporter.run_until_ended)
    printing.start()
    control.emit(STARTED)
    assert blocked.wait(60)
    for number in range(1000):
        control.emit(MoveStarted(0.0, a_hash(number), "x", 1, 1, 0))
    control.emit(ENDED)
    go_on.set()
    printing.join(60)
    assert not printing.is_alive()
    assert len(out.getvalue().splitlines()) == 1002
