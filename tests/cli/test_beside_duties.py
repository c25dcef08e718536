"""The dashboards of tier --watch, health --watch and debrid run --stay: the overview of all that runs is a key away."""

from __future__ import annotations

import pytest

from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.fakes.tier_control import FakeTierControl
from tests.tui import tier_scenes
from tests.tui.terminal import Terminal, restored
from torrent_mover.adapters.control.server import ControlSocket
from torrent_mover.commands.tiering.dashboard import tiers_panel
from torrent_mover.domain.errors import ExitCode

GENERAL = "[General]\nstate_dir = {folder}/state\nlog_dir = {folder}/log\n\n"
CONFIGS = {
    "tier": (
        "[CLIENT box]\ntype = rtorrent\nurl = {folder}/nobody.sock\n\n"
        "[TIER ssd]\nclient = box\nssd = {folder}/ssd\ntargets = *:{folder}/hdd\nfree_low = 0\n",
        ("tier", "--watch"),
        b"last rounds",
        b"Tiers",
    ),
    "health": (
        "[CLIENT box]\nurl = http://127.0.0.1:9\nusername =\n\n[HEALTH tv]\nclient = box\ncategories = tv\n",
        ("health", "--watch"),
        b"1 Found",
        b"Health",
    ),
    "debrid": (
        "[DEBRID mine]\ntoken = {token}\nurl = {url}\n",
        ("debrid", "run", "--stay"),
        b"mine",
        b"Debrid",
    ),
}


@pytest.fixture
def started(tmp_path):
    """Starts one of them on a terminal, with a config of its own."""
    for name in ("ssd", "hdd", "state"):
        (tmp_path / name).mkdir()
    terminals = []
    with RealDebridDouble(DebridWorld()) as double:

        def start(duty: str) -> Terminal:
            config = tmp_path / "config.ini"
            text, command, _, _ = CONFIGS[duty]
            config.write_text((GENERAL + text).format(folder=tmp_path, token=double.token, url=double.url))
            config.chmod(0o600)
            program = ("-m", "torrent_mover", "--config", str(config), *command)
            terminals.append(Terminal(*program, size=(120, 40), HOME=str(tmp_path)))
            return terminals[-1]

        yield start
        for terminal in terminals:
            terminal.close()


@pytest.mark.parametrize("duty", CONFIGS)
def test_the_overview_is_a_key_away_and_leaving_it_leads_back(started, duty):
    _, _, own, card = CONFIGS[duty]
    terminal = started(duty)
    terminal.read_until(own)
    terminal.forget()
    terminal.type(b"O")
    terminal.read_until(b"what runs")
    terminal.read_until(card)
    terminal.forget()
    terminal.type(b"q")
    terminal.read_until(own)
    terminal.type(b"\x03")

    assert terminal.end() == ExitCode.INTERRUPTED
    assert restored(terminal.output)


def test_what_another_process_does_is_the_next_duty_and_a_signal_there_ends_this_one(started, tmp_path):
    tiers: FakeTierControl = tier_scenes.working()
    with ControlSocket(tmp_path / "state", [tiers_panel(tiers, lambda: None)]):
        terminal = started("health")
        terminal.read_until(b"1 Found")
        terminal.forget()
        terminal.type(b"O")
        terminal.read_until(b"1 copied, 1 evicted")
        terminal.type(b"\x03")

        assert terminal.end() == ExitCode.INTERRUPTED
        assert tiers.calls == []
