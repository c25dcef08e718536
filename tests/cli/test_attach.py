"""attach, and orders from scripts: the whole dashboard of another process, which goes on when it is left."""

from __future__ import annotations

import argparse
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.control import FakeControl
from tests.fakes.snapshots import a_hash
from tests.fakes.tier_control import FakeTierControl
from tests.servers import eventually
from tests.tui import tier_scenes
from tests.tui.scenes import SCENES
from tests.tui.terminal import Terminal, restored
from torrent_mover.adapters.control.server import ControlSocket
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.cli import main
from torrent_mover.commands.moves_front import moves_panel
from torrent_mover.commands.screens import AllDuties
from torrent_mover.commands.showing import fronts
from torrent_mover.commands.tiering.dashboard import tiers_panel

ROOT = Path(__file__).parents[2]
FIRST = a_hash(1)


@pytest.fixture
def moves() -> FakeControl:
    return SCENES["running"]()


@pytest.fixture
def tiers() -> FakeTierControl:
    return tier_scenes.working()


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / "config.ini"
    path.write_text(
        f"""[General]
state_dir = {tmp_path}/state
[SOURCE_CLIENT]
host = http://127.0.0.1
port = 1
username =
[DESTINATION_CLIENT]
host = http://127.0.0.1
port = 2
username =
[SOURCE_SERVER]
host = 127.0.0.1
username = jane
[DESTINATION_PATHS]
destination_path = {tmp_path}
[SETTINGS]
category_to_move = films
"""
    )
    path.chmod(0o600)
    return path


@pytest.fixture
def runs(config, moves, tiers):
    """A process (this one) that moves and tiers, with the config's state folder."""
    panels = [moves_panel(moves), tiers_panel(tiers, lambda: None)]
    with ControlSocket(config.parent / "state", panels) as serving:
        yield serving


@pytest.fixture
def attach(config):
    """Starts `torrent-mover ...` on a terminal."""
    opened = []

    def start(*arguments: str) -> Terminal:
        argv = ("-m", "torrent_mover", "--config", str(config), *arguments)
        opened.append(Terminal(*argv, size=(120, 40), HOME=str(config.parent)))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def order(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "torrent_mover", "--config", str(config), *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.usefixtures("runs")
def test_the_dashboards_of_another_process_take_every_key_and_leave_it_running(attach, moves, tiers):
    terminal = attach("attach")
    terminal.read_until(b"what runs")
    terminal.read_until(b"39.2 MiB/s; 43 %")
    terminal.type(b"\r")
    terminal.read_until(b"Big.Buck")
    terminal.type(b"p")
    terminal.read_while(lambda: ("pause", None) not in moves.calls)
    terminal.type(b"3")
    terminal.read_until(b"[3 History]")
    terminal.forget()
    terminal.type(b"D")
    terminal.read_until(b"last rounds")
    terminal.type(b"R")
    terminal.read_while(lambda: not tiers.calls)
    terminal.forget()
    terminal.type(b"O")
    terminal.read_until(b"what runs")
    terminal.forget()
    terminal.type(b"D")
    terminal.read_until(b"Big.Buck")
    terminal.type(b"q")

    assert terminal.end() == 0
    assert restored(terminal.output)
    assert not [call for call in (*moves.calls, *tiers.calls) if call[0] == "stop"]


@pytest.mark.usefixtures("runs")
def test_a_signal_ends_the_looker_alone(attach, moves):
    terminal = attach("attach", "moves")
    terminal.read_until(b"Big.Buck")
    terminal.type(b"\x03")

    assert terminal.end() == 130
    assert moves.calls == []


def test_the_screen_closes_when_what_runs_has_ended(runs, attach):
    overview, moves = attach("attach"), attach("attach", "moves")
    overview.read_until(b"what runs")
    moves.read_until(b"Big.Buck")
    runs.__exit__(None, None, None)

    for each in (overview, moves):
        assert each.end() == 0
        assert each.output.count(b"has ended") == 1


def test_a_duty_that_is_restarted_is_away_from_the_overview_until_it_is_shown_again(runs, config, tiers):
    duties = AllDuties(config.parent / "state", fronts(argparse.Namespace(duties=("tiering",))))

    def shown() -> list[str]:
        return [card.duty for card in duties.snapshot().cards]

    with closing(duties):
        assert shown() == ["moves", "tiers"]
        runs.hide("tiers")
        assert (shown(), duties.names(), duties.ended) == (["moves"], ["moves"], [])
        runs.show(tiers_panel(tiers, lambda: None))
        eventually(lambda: shown() == ["moves", "tiers"])
        runs.hide("tiers")
        eventually(lambda: duties.names() == ["moves"])  # nobody has asked for its picture


def test_screens_outlive_a_duty_that_is_restarted_or_removed(runs, attach, tiers):
    terminal = attach("attach")
    terminal.read_until(b"what runs")
    runs.hide("tiers")
    terminal.forget()
    terminal.type(b"D")
    terminal.read_until(b"Big.Buck")
    runs.show(tiers_panel(tiers, lambda: None))
    terminal.forget()
    terminal.type(b"O")
    terminal.read_until(b"Tiers")
    terminal.forget()
    terminal.type(b"D")
    terminal.read_until(b"Big.Buck")
    terminal.forget()
    terminal.type(b"D")
    terminal.read_until(b"last rounds")
    runs.hide("tiers")
    terminal.read_until(b"Nothing here is called")
    runs.show(tiers_panel(tiers, lambda: None))
    terminal.type(b"R")
    terminal.read_while(lambda: not tiers.calls)
    terminal.type(b"q")

    assert terminal.end() == 0
    assert restored(terminal.output)


@pytest.mark.usefixtures("runs")
def test_a_bare_command_offers_to_look_at_the_run_that_goes_on(attach, config, moves):
    with RunLock(config.parent / "state" / "run.lock"):
        terminal = attach()
        terminal.read_until(b"Look at it? [Y/n]")
        terminal.type(b"\n")
        terminal.read_until(b"what runs")
        terminal.type(b"q")
        assert terminal.end() == 0

        terminal = attach()
        terminal.read_until(b"Look at it? [Y/n]")
        terminal.type(b"n\n")
        assert terminal.end() == 5
    assert moves.calls == []


@pytest.mark.parametrize(
    ("words", "call", "said"),
    [
        (("pause",), ("pause", None), "All torrents are paused."),
        (("pause", FIRST.hex), ("pause", FIRST), "is paused."),
        (("resume",), ("resume", None), "All torrents go on."),
        (("retry", FIRST.hex[:8]), ("retry", FIRST), "is tried again."),
        (("skip", FIRST.hex), ("skip", FIRST), "is left for a later run."),
        (("limit", "5M"), ("limit", 5.0 * 1024**2), "limited to 5.0 MiB/s."),
        (("limit", "off"), ("limit", float("inf")), "no bandwidth limit"),
        (("limit", "pause"), ("limit", 0.0), "Nothing moves"),
        (("limit", "config"), ("limit", None), "as configured"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_scripts_give_orders(config, moves, capsys, words, call, said):
    assert main(["--config", str(config), *words]) == 0

    assert moves.calls == [call]
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("words", [("pause",), ("limit", "5M"), ("skip", FIRST.hex)])
def test_without_anything_that_runs_the_exit_code_is_3(config, words):
    done = order(config, *words)

    assert (done.returncode, done.stdout) == (3, "")
    assert "Nothing runs with this config. [TM-E217]" in done.stderr


@pytest.mark.usefixtures("runs")
def test_attach_in_a_pipe_is_refused(config):
    done = order(config, "attach")

    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("retry", "xyz123"), "is no infohash"),
        (("retry", "ffffffff"), "No torrent of this run begins with"),
        (("skip", "000000"), "begin with 000000"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_a_torrent_that_cannot_be_told_is_refused(config, moves, capsys, words, what):
    assert main(["--config", str(config), *words]) == 2

    assert moves.calls == []
    assert what in capsys.readouterr().err


def test_a_tier_alone_takes_no_orders_for_moves(config, tiers, capsys):
    with ControlSocket(config.parent / "state", [tiers_panel(tiers, lambda: None)]):
        assert main(["--config", str(config), "pause"]) == 3
    assert "Nothing runs" in capsys.readouterr().err
