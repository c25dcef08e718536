"""The dashboard of a run, from which the overview and other processes' duties are a key away, and the run goes on meanwhile."""

from __future__ import annotations

import pytest

from tests.fakes.tier_control import FakeTierControl
from tests.tui import tier_scenes
from tests.tui.terminal import Terminal, restored
from torrent_mover.adapters.control.server import ControlSocket
from torrent_mover.commands.tiering.dashboard import tiers_panel

RUN = """
import argparse, sys, threading
from pathlib import Path
from tests.tui import scenes
from tests.fakes.control import FakeControl
from torrent_mover.adapters.process import surroundings
from torrent_mover.commands import front
from torrent_mover.domain.errors import ExitCode

surroundings.prepare()
stopped = threading.Event()

class Run(FakeControl):
    interrupted_by = ExitCode.INTERRUPTED

    def execute(self):
        stopped.wait()
        return self.interrupted_by

    def stop(self, *, now=False):
        super().stop(now=now)
        stopped.set()

arguments = argparse.Namespace(simple=False, quiet=False, debug=False, refresh=4.0, graph="auto", no_mouse=False,
                               theme="auto", config=None, duties=("tiering",))
run = Run(scenes.running().current)
code = front.follow(run, arguments, Path(sys.argv[1]) / "log", Path(sys.argv[1]))
print("left with", int(code), [call[0] for call in run.calls], flush=True)
"""


@pytest.fixture
def run(tmp_path):
    """A run on a terminal, and a tier in another process with the same state folder (this one)."""
    tiers: FakeTierControl = tier_scenes.working()
    with ControlSocket(tmp_path, [tiers_panel(tiers, lambda: None)]):
        terminal = Terminal("-c", RUN, str(tmp_path), size=(120, 40), HOME=str(tmp_path))
        terminal.read_until(b"Big.Buck")
        yield terminal, tiers
        terminal.close()


def test_overview_and_other_duties_are_a_key_away_and_leaving_them_leads_back(run):
    terminal, tiers = run
    terminal.forget()
    terminal.type(b"O")
    terminal.read_until(b"what runs")
    terminal.read_until(b"1 copied, 1 evicted")
    terminal.forget()
    terminal.type(b"\x1b[B\r")
    terminal.read_until(b"last rounds")
    terminal.type(b"R")
    terminal.read_while(lambda: not tiers.calls)
    terminal.forget()
    terminal.type(b"q")
    terminal.read_until(b"Big.Buck")
    terminal.type(b"\x03")

    assert terminal.end() == 0
    assert restored(terminal.output)
    assert b"left with 130 ['stop']" in terminal.output
    assert not [call for call in tiers.calls if call[0] == "stop"]


def test_a_signal_on_another_screen_stops_the_run_that_is_behind_it(run):
    terminal, tiers = run
    terminal.forget()
    terminal.type(b"D")
    terminal.read_until(b"last rounds")
    terminal.type(b"\x03")

    assert terminal.end() == 0
    assert b"left with 130 ['stop']" in terminal.output
    assert tiers.calls == []
