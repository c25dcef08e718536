"""What waits or rests in the queue of a tier, and is queued once more, is tried at once: no round is waited for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.duties.tiering.tier_house import House
from torrent_mover.duties.tiering.orders import enqueue
from torrent_mover.duties.tiering.queueing import due, waits


@pytest.mark.parametrize("rests", [0.0, 5000.0])
def test_it_is_due_and_waits_for_no_round(tmp_path, rests):
    house = House(tmp_path)
    torrent = house.torrent("Show", 40_000)
    enqueue(house.world(), [torrent])
    (entry,) = house.journal.queue()
    later = house.clock.now() + rests if rests else 0.0
    house.journal.save_entry(replace(entry, reason="it failed", not_before=later))

    enqueue(house.world(), [torrent])

    (entry,) = due(house.journal.queue(), house.clock.now())
    assert not waits(entry)


def test_where_no_target_is_there_it_waits_again(tmp_path):
    house = House(tmp_path)
    house.round()
    torrent = house.torrent("Show", 40_000)
    (house.hdd / ".torrent-mover/root-id").unlink()
    for _ in range(2):
        enqueue(house.world(), [torrent])
        house.worker().process_queue()

        (entry,) = house.journal.queue()
        assert waits(entry)
