"""serve with all four duties on real servers, killed in the middle of a move, an eviction, a replacement and a repair."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.doubles.arr.server import KEY
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.e2e.health_acts_house import health_house
from tests.e2e.test_debrid import FILES, HASH
from tests.e2e.test_serve import MIB, SLOW, ServeHouse, served
from tests.faults.ledger import SERVERS, Tried, trying
from tests.servers import eventually

__all__ = ["served"]

pytestmark = [pytest.mark.servers, pytest.mark.logins, pytest.mark.timeout(600)]


def test_all_four_end_well_though_each_is_killed_in_its_middle(served: ServeHouse, tmp_path):
    with trying("serve", "kill -9 in the middle of a move, an eviction, a replacement, a repair", SERVERS) as tried:
        killed_in_each(served, tmp_path, tried)


def killed_in_each(served: ServeHouse, tmp_path: Path, tried: Tried) -> None:
    """Four kills, one after the other, each of a process that works on something of its own."""
    house = served.house
    made = house.seed("Show", {"Season 1/one.mkv": 4 * MIB, "two": 70_000})
    files = made.files()
    keys = {"stalled_after": "0", "unavailable_action": "off", "slow_action": "off", "every": "2s"}
    with RealDebridDouble(DebridWorld()) as double, health_house(house.source, tmp_path / "health", **keys) as sick:
        more = {
            "CLIENT qbit": {
                "host": house.source.host, "port": str(house.source.port), "username": house.source.username,
                "password": house.source.password,
            },
            "ARR tv": {"url": sick.arr.double.url, "api_key": KEY, "path_map": f"/downloads = {sick.data}", "hold": "off"},
            "HEALTH tv": {"client": "qbit", "arr": "tv", **{key: str(value) for key, value in sick.keys.items()}},
            "DEBRID rd": {"type": "realdebrid", "token": double.token, "url": double.url, "mode": "act"},
        }  # fmt: skip

        served.configure(**SLOW, **more)
        with served.start() as command:
            served.until(
                "/moves", lambda seen: any(0 < each["fraction"] < 0.9 and each["rate"] for each in seen["moves"]), 120
            )
            assert {each["duty"] for each in served.ask("/overview")["cards"]} == {"moves", "tiers", "health", "debrid"}
            command.send(signal.SIGKILL)
            tried.injected()
            assert command.end().code == -signal.SIGKILL
        house.assert_at_source(made, files)

        served.configure(**more)
        # What the killed one left is in nobody's way: its socket, its locks, its token.
        killed(served, "tests.e2e.fused_tiers", FUSE_STEP="after save_eviction leaving", FUSE_KILLS="self")
        tried.injected()
        there = house.destination.torrent(made.info_hash)
        assert there is not None
        assert there["amount_left"] == 0

        stalled, torrent = sick.half()
        sick.grab(stalled, torrent)
        killed(served, "tests.e2e.fused_serve", FUSE_ACTING="take out of the client")
        tried.injected()
        assert sick.row(torrent) is None
        assert sick.binned() == []

        double.world.have(HASH, *FILES, name="Show.S01")
        old = double.world.hold(HASH, selected={1, 2}, word="dead")
        killed(served, "tests.e2e.fused_serve", FUSE_REPAIR="proving")
        tried.injected()
        assert len(double.world.entries) == 2

        with served.start() as command:
            eventually(lambda: served.left(made, files), 120)
            eventually(lambda: len(sick.binned()) == 3, 60)
            eventually(lambda: old not in double.world.entries, 60)
            served.until("/overview", lambda seen: seen["well"], 60)
            command.send(signal.SIGTERM)
            command.end(timeout=40).ended(143)

        assert len(sick.library.blocklist) == 1
        assert sick.row(torrent) is None
        (new,) = double.world.entries
        assert (new.torrent.hash, new.selected, new.word) == (HASH, {1, 2}, "")
        assert double.violations == []
    assert not list(served.state.glob("control-*"))


def killed(served: ServeHouse, module: str, **environment: str) -> None:
    """It has come so far, and was killed there."""
    with served.start(module=module, **environment) as command:
        assert command.end(timeout=150).code == -signal.SIGKILL
