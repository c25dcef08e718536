"""What a person orders of a tier by a command is done and told as the worker does it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.duties.tiering.left_house import Left
from tests.duties.tiering.tier_house import House
from torrent_mover.commands.tiering.left import set_aside_left, show_left
from torrent_mover.commands.tiering.work import _evict
from torrent_mover.domain.errors import ExitCode, Unreachable
from torrent_mover.duties.tiering.errors import TierRefused
from torrent_mover.duties.tiering.stages import EvictionStage
from torrent_mover.duties.tiering.worker import TierWorker

ALL = 10_000_000
SETUP = SimpleNamespace(name="default")


def tier_of(house):
    return SimpleNamespace(world=house.world, worker=lambda world: TierWorker(world, house._alone), alone=house._alone)


def test_what_is_to_be_evicted_is_settled_first_where_its_eviction_was_cut_short(tmp_path, monkeypatch):
    house = House(tmp_path, total=ALL)
    torrent = house.torrent("Show", 40_000)
    house.round()
    house.need(ALL)

    def silent(_torrent):
        raise Unreachable("The client does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(house.client, "persist", silent)
        house.round()
    (record,) = house.journal.evictions()
    house.journal.save_eviction(replace(record, stage=EvictionStage.LEAVING))

    (_, lines, _), code = _evict(tier_of(house), SETUP, SimpleNamespace(evict=torrent.hex))

    assert (lines, code) == (["1 evicted"], ExitCode.DONE)
    assert house.journal.evictions() == ()
    assert house.client.seeds_good(torrent)


@pytest.mark.parametrize("yes", [False, True])
def test_of_a_copy_on_a_disk_that_is_away_nobody_says_that_there_is_none(tmp_path, yes):
    house = Left(tmp_path)
    (house.hdd / ".torrent-mover/root-id").rename(house.hdd / "mark")
    tier = tier_of(house)

    with pytest.raises(TierRefused, match=r"Nothing is known to be left behind by .* is away"):
        set_aside_left(tier, SETUP, SimpleNamespace(set_aside=house.left.hex, yes=yes))
    (_, lines, _), _ = set_aside_left(tier, SETUP, SimpleNamespace(set_aside="all", yes=yes))
    (_, left, _), _ = show_left(tier, SETUP, SimpleNamespace())

    away = f"Nothing is said of 1 copy: {house.hdd} is away."
    assert (lines, left) == ([away], [away])
