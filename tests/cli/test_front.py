"""The front ends of a run: they notice a run that is gone, and signals end the process whatever hangs."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tui.terminal import ALTERNATE_OFF, Terminal, restored

ROOT = Path(__file__).parents[2]

FOLLOW = '''
import argparse, os, sys, threading
from pathlib import Path
from tests.fakes.control import FakeControl
from tests.fakes.snapshots import a_snapshot
from tests.tui import scenes
from torrent_mover.adapters.outlets.logs import start_log
from torrent_mover.adapters.process import surroundings
from torrent_mover.commands import front
from torrent_mover.domain.errors import ExitCode, MoverError
from torrent_mover.domain.report.snapshot import Phase

surroundings.prepare()
how, log = sys.argv[1], Path(sys.argv[2])
front._PATIENCE = 0.3
end_log = start_log(log, lambda text: text)

def say(what):
    """On a line of its own, whatever another thread has just written the first half of."""
    os.write(1, f"\\n{what}\\n".encode())

class Run(FakeControl):
    interrupted_by = ExitCode.INTERRUPTED
    asked = 0

    def execute(self):
        say("executes")
        if how == "gone":
            raise KeyError("the heart")
        if how == "dead picture":
            return ExitCode.DONE
        threading.Event().wait()

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "interrupted_by":
            say("heard")

    def stop(self, *, now=False):
        say("stops now" if now else "stops")

    def snapshot(self):
        self.asked += 1
        if how == "dead picture":
            raise RuntimeError("no picture")
        if how == "blind" and self.asked > 3:
            say("stands still")
            threading.Event().wait()
        return super().snapshot()

arguments = argparse.Namespace(simple="simple" in sys.argv, quiet=False, debug=False, refresh=4.0, graph="auto",
                               no_mouse=False, theme="auto", config=None)
try:
    code = front.follow(Run(scenes.running().current), arguments, log, log.parent)
    print("left with", int(code), flush=True)
except MoverError as error:
    print("told", error.code, error, flush=True)
'''


@pytest.fixture
def follow(tmp_path):
    """Starts a front end over a fake run, in lines."""
    started = []

    def start(how: str) -> subprocess.Popen:
        argv = [sys.executable, "-c", FOLLOW, how, str(tmp_path / "log"), "simple"]
        process = subprocess.Popen(
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def screen(tmp_path):
    """Starts a front end over a fake run, on a terminal."""
    started = []

    def start(how: str, **environment: str) -> Terminal:
        terminal = Terminal("-c", FOLLOW, how, str(tmp_path / "log"), size=(120, 40), HOME=str(tmp_path), **environment)
        started.append(terminal)
        return terminal

    yield start
    for terminal in started:
        terminal.close()


def test_lines_notice_a_run_that_is_gone(follow, tmp_path):
    out, _ = follow("gone").communicate(timeout=120)

    assert "told TM-E401 Something unexpected happened: KeyError: 'the heart'." in out
    assert "KeyError: 'the heart'" in (tmp_path / "log" / "torrent_mover.log").read_text()


def test_the_screen_notices_a_run_that_is_gone(screen):
    terminal = screen("gone")
    terminal.read_until(b"told TM-E401")

    assert restored(terminal.output)
    assert terminal.end() == 0


def test_a_run_ends_well_though_nobody_can_see_it(follow):
    out, _ = follow("dead picture").communicate(timeout=120)

    assert "left with 0" in out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_a_run_that_hangs(follow, number, code):
    process = follow("hangs")
    asked(process, "executes")
    process.send_signal(number)
    asked(process, "stops")
    process.send_signal(number)

    assert process.wait(90) == code


def test_a_second_signal_ends_a_screen_that_stands_still(screen):
    terminal = screen("blind")
    terminal.read_until(b"stands still")
    terminal.process.send_signal(signal.SIGTERM)
    terminal.read_until(b"heard")
    terminal.process.send_signal(signal.SIGINT)

    assert terminal.end() == 130


def test_a_window_that_hangs_up_twice_counts_once(follow):
    process = follow("hangs")
    asked(process, "executes")
    for _ in range(3):
        process.send_signal(signal.SIGHUP)
        asked(process, "stops")
    process.send_signal(signal.SIGTERM)
    asked(process, "stops now")

    assert process.wait(90) == 143


def asked(process: subprocess.Popen, what: str) -> None:
    """Read until the process says so, on a line of its own."""
    while (line := process.stdout.readline()) != f"{what}\n":
        assert line, f"it never said {what!r}"


WIZARD = """
import sys, threading
from tests.tui.wizard_case import FakeCategorizer
from torrent_mover.tui.wizard.app import run_wizard

class Hangs(FakeCategorizer):
    def look(self, told):
        told(0, 20)
        threading.Event().wait()

run_wizard(Hangs(None))
"""


def test_a_second_signal_ends_the_wizard_though_its_client_does_not_answer():
    terminal = Terminal("-c", WIZARD, size=(120, 40))
    try:
        terminal.read_until(b"about 20 torrents")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.read_until(ALTERNATE_OFF)
        terminal.process.send_signal(signal.SIGTERM)

        assert terminal.end() == 143
    finally:
        terminal.close()
