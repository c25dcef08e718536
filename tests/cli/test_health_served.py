"""What health brings to `serve` before its first look: what the journal has, on every route that needs no server."""

from __future__ import annotations

import argparse
import threading
import time
from contextlib import ExitStack

import pytest

from torrent_mover.bootstrap.configs import load_all
from torrent_mover.bootstrap.health.setups import health_setups
from torrent_mover.bootstrap.health.state import open_journal, records_of
from torrent_mover.commands.health import serving
from torrent_mover.commands.served import Around
from torrent_mover.domain.errors import AlreadyRunning
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.health_journal import DUTY
from torrent_mover.duties.health.model import ActionRecord, ActionState, BinEntry, FindingCode, HealthAction
from torrent_mover.duties.health.searching.records import (
    SearchReason,
    SearchRecord,
    SearchState,
    SearchTask,
    SearchWish,
)
from torrent_mover.duties.health.searching.search_journal import SearchJournal
from torrent_mover.duties.health.stand import HealthStand
from torrent_mover.engine.hub.loops import LoopState, LoopView, Supervisor
from torrent_mover.web.endpoints import Ask

CONFIG = """[CLIENT box]
host = http://127.0.0.1
port = 9
username = jane
password = hunter2-hunter2

[General]
state_dir = {0}/state
log_dir = {0}/log

[HEALTH tv]
client = box
categories = tv
mode = act

[HEALTH films]
client = box
categories = films
"""
GONE, LATER = InfoHash("ab" * 20), InfoHash("cd" * 20)
NOW = time.time()


@pytest.fixture
def config(tmp_path) -> str:
    path = tmp_path / "config.ini"
    path.write_text(CONFIG.format(tmp_path))
    path.chmod(0o600)
    return str(path)


def fill(config: str) -> None:
    """An action with its data in the bin, a search that was asked for, and one that waits."""
    setup = health_setups(config)[0][0]
    with ExitStack() as stack:
        journal = open_journal(setup, stack, writes=True)
        records = records_of(setup, journal)
        records.open_action(
            ActionRecord(
                0, NOW, "tv", "box", GONE, "Show", HealthAction.REPLACE, FindingCode.STALLED, "r", "e", ActionState.DONE
            )
        )
        for number, emptied in ((1, None), (2, NOW)):
            records.save_bin_entry(BinEntry(number, GONE, "Show", NOW, 7, (), ClientPath("/data"), emptied))
        searches = SearchJournal(journal.documents(DUTY, "tv"))
        searches.wish(SearchWish(LATER, (5,), "stalled", NOW - 1))
        task = SearchTask(SearchReason.REPLACEMENT, (4,), "Show", torrent=GONE)
        searches.open(SearchRecord(0, task, NOW, SearchState.DONE))


def test_actions_bins_searches_modes_and_counts_of_all_loops(config):
    fill(config)
    arguments, around_stop = argparse.Namespace(config=config), threading.Event()
    plan = serving.planned(arguments, load_all(config)[0])
    assert plan == serving.planned(arguments, load_all(config)[0])
    with ExitStack() as stack:
        around = Around(arguments, None, around_stop, lambda *_: None, Supervisor(time.monotonic))
        duty = serving.begin(plan, around, stack)
        with ExitStack() as second, pytest.raises(AlreadyRunning):
            serving.begin(plan, around, second)

        def ask(path: str, **query: object):
            (endpoint,) = [each for each in duty.endpoints if (each.method, each.path) == ("GET", path)]
            return endpoint.act(Ask({}, {**{name: default for name, (_, default) in endpoint.query.items()}, **query}))

        assert [loop.name for loop in duty.loops] == ["tv", "films"]
        assert duty.modes() == {"tv": "act", "films": "report"}
        assert duty.counts() == {"tv": (0, 1), "films": (0, 0)}
        assert [(row.id, row.loop, row.undoable) for row in ask("/actions")] == [(1, "tv", True)]
        assert ask("/actions", after=NOW + 1) == ()
        assert [(row.id, row.loop, row.size) for row in ask("/bin")] == [(1, "tv", 7)]
        assert [(row.hash, row.state) for row in ask("/searches")] == [(GONE.hex, "done"), (LATER.hex, "waiting")]
        assert ask("/torrents").total == 0
        assert list(duty.disks()) == []
        assert 'health_taken_out{loop="tv"} 1' in duty.metrics()
    with ExitStack() as stack:
        serving.begin(plan, around, stack)


def test_a_config_without_health_brings_nothing(config):
    assert serving.planned(argparse.Namespace(config=config), None) is None


@pytest.mark.parametrize("state", LoopState)
def test_the_picture_has_every_state_of_a_loop(config, state):
    setup = health_setups(config)[0][0]
    stand = HealthStand("tv", setup.settings, records_of(setup, None))

    assert stand.view(0.0, LoopView("tv", "health", state, 0.0, 30.0, 0)).phase.value == state.value
