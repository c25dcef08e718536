"""A copy in the foreground beside a worker of another process: bytes that two torrents share are brought once."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from tests.duties.tiering.tier_house import House
from tests.servers import eventually
from torrent_mover.adapters.leases import KernelLeases
from torrent_mover.bootstrap.tiering.setups import tier_setups
from torrent_mover.bootstrap.tiering.tier import KernelTierLeases
from torrent_mover.domain.errors import TransferError
from torrent_mover.duties.tiering import orders
from torrent_mover.duties.tiering.queue_entry import Asker


def test_a_copy_by_hand_waits_for_the_worker_that_copies_the_same_files_and_links_them(tmp_path):
    house = House(tmp_path)
    first = house.torrent("Show", {"one.mkv": 60_000}, label="tv")
    second = house.torrent("Show", {"one.mkv": 60_000, "two.mkv": 20_000}, label="other")
    by_hand = threading.Thread(target=lambda: house.worker().copy_now(("rtorrent", second)))

    def during(order):
        if order.torrent == first:
            orders.enqueue(house.world(), [second], Asker.PERSON)
            by_hand.start()
            eventually(lambda: house.clock.waits.count(0.5) > 3)

    house.copier.during = during
    worker = house.worker()
    orders.enqueue(worker._world, [first])

    assert worker.process_queue().copied == [("rtorrent", first)]
    by_hand.join(30)

    assert house.journal.copy(("rtorrent", second)).counts
    assert house.copier.written == 80_000
    assert (house.hdd / "tv/Show/one.mkv").samefile(house.hdd / "other/Show/one.mkv")


def test_files_that_are_copied_are_held_against_other_processes(tmp_path):
    environ = {"DOWNLOAD_PATH_SSD": "/ssd", "FINAL_DEST_BASE_HDD": "/hdd", "LOCK_DIR": str(tmp_path)}
    ((setup,), _) = tier_setups(None, environ | {"HOME": str(tmp_path)})
    one, other = (KernelTierLeases(setup, {}, {}, partial(KernelLeases, tmp_path)) for _ in range(2))

    with one.hold_files([(1, 2), (1, 3)]):
        with pytest.raises(TransferError), other.hold_files([(1, 3), (1, 4)]):
            pass
        with other.hold_files([(1, 4), (2, 3)]):
            pass
    with other.hold_files([(1, 3), (1, 4)]):
        pass
