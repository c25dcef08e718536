"""The loops of a process at one client share what costs it time: the login and its list."""

from __future__ import annotations

import threading
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.web_ui import Answer, FakeWebUi, say
from tests.servers import eventually
from torrent_mover.bootstrap.health.listings import SharedListings
from torrent_mover.bootstrap.health.setups import health_setups
from torrent_mover.cli import main
from torrent_mover.commands.health.watch import HealthLoops
from torrent_mover.domain.errors import ExitCode, LoginRefused

CONFIG = """[CLIENT box]
host = {url}
port = {port}
username = jane
password = hunter2-hunter2

[General]
state_dir = {folder}/state
log_dir = {folder}/log

[HEALTH tv]
client = box
categories = tv

[HEALTH films]
client = box
categories = films
"""


def configured(folder, web):
    state = {"connection_status": "connected", "dht_nodes": 9, "use_alt_speed_limits": False, "queueing": True}
    web.replies["sync/maindata"] = say({"rid": 1, "full_update": True, "server_state": state, "torrents": {}})
    config = folder / "config.ini"
    config.write_text(CONFIG.format(url="http://127.0.0.1", port=web.port, folder=folder))
    config.chmod(0o600)
    return config


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_all_loops_at_a_client_log_in_once_and_its_list_is_asked_for_once(tmp_path, capsys, more):
    with FakeWebUi() as web:
        config = configured(tmp_path, web)
        assert main(["--config", str(config), "health", *more]) == ExitCode.DONE
    assert "films" in capsys.readouterr().out
    assert web.count("auth/login") == web.count("auth/logout") == 1
    assert web.count("sync/maindata") == 1
    assert {asked.headers["Accept-Encoding"] for asked in web.asked} == {"identity"}, (
        "packing for this machine is waste"
    )


class Loop:
    """One that borrows from what all share, as often as it begins anew."""

    def __init__(self, listings, setup):
        self.listings, self.setup = listings, setup
        self.stack = ExitStack()
        self.begin()

    def begin(self):
        self.stack.close()
        _, self.listing = self.listings.borrow(self.setup, self.stack, FakeClock())

    def is_refused(self):
        try:
            self.listing.look(self)
        except LoginRefused:
            return True
        return False


@pytest.fixture
def shared(tmp_path):
    with FakeWebUi() as web, ExitStack() as stack:
        setups, _ = health_setups(str(configured(tmp_path, web)))
        listings = SharedListings(threading.Event())
        loops = [Loop(listings, setup) for setup in setups]
        for loop in loops:
            stack.callback(lambda loop=loop: loop.stack.close())
        yield web, listings, loops


def test_loops_that_begin_anew_while_others_stay_log_in_again_where_that_was_refused_once_each_time(shared):
    web, listings, loops = shared
    works = web.replies["auth/login"]
    for tries in (1, 2):
        web.replies["auth/login"] = Answer("Fails.")
        for loop in loops:
            loop.begin()
            assert loop.is_refused()
        assert web.count("auth/login") == tries
        assert listings.forget_refused() == [loops[0].setup.client]
    web.replies["auth/login"] = works
    for loop in loops:
        assert loop.is_refused()
        loop.begin()
        assert not loop.is_refused()
    assert web.count("auth/login") == 3
    assert listings.forget_refused() == []
    for loop in loops:
        loop.stack.close()
    assert web.count("auth/logout") == 1


def test_a_config_that_is_read_again_has_all_loops_log_in_again_where_that_was_refused(tmp_path):
    with FakeWebUi() as web, ExitStack() as stack:
        config = str(configured(tmp_path, web))
        works, web.replies["auth/login"] = web.replies["auth/login"], Answer("Fails.")
        setups, _ = health_setups(config)
        arguments = Namespace(config=config, loop=None, quiet=True, debug=False)
        loops = HealthLoops(setups, arguments, stack, silent=True)
        stack.callback(loops.end)
        loops.start()

        def troubles():
            return [loop.trouble for loop in loops.control.snapshot().loops]

        eventually(lambda: all(troubles()))
        assert web.count("auth/login") == 1
        web.replies["auth/login"] = works
        loops.notice_changes(asked=True)
        eventually(lambda: not any(troubles()))
        assert web.count("auth/login") == 2


def test_loops_that_begin_anew_by_other_general_settings_share_a_client_that_goes_by_them(shared):
    web, _, loops = shared
    before = [loop.listing for loop in loops]
    for loop in loops:
        general = replace(loop.setup.general, connect_timeout=loop.setup.general.connect_timeout + 1)
        loop.setup = replace(loop.setup, general=general)
        loop.begin()
    assert loops[0].listing is loops[1].listing
    assert loops[0].listing not in before
    assert not any(loop.is_refused() for loop in loops)
    assert web.count("auth/login") == 1
