"""A move that a run of an earlier version has begun and was killed in: it goes on, and nothing is sent twice."""

from __future__ import annotations

import contextlib

import pytest

from tests.fakes import old_journal
from tests.faults.scene import MIB, Scene
from torrent_mover.adapters.store.migrations import VERSION
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.demo.content import sample
from torrent_mover.demo.world import CATEGORY
from torrent_mover.domain.move import MAIN_ROUTE

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

PIECE = 64 * 1024


def test_a_move_that_an_earlier_version_has_begun_goes_on_and_nothing_is_sent_twice(scene):
    here: Scene = scene("sftp_upload", rate=8 * MIB)
    made = sample(here.world.source.data, "Half way", old_journal.SIZES, category=CATEGORY, seed=71)
    assert made.info_hash == old_journal.HALF_WAY.hex
    here.add([made])
    source = f"127.0.0.1:{here.watchman.port}"
    journal = here.world.root / "state" / "journal.sqlite3"
    old_journal.put(journal, source, f"127.0.0.1:{here.world.destination.port}")
    for name, data in made.files().items():
        staged = here.destination / ".torrent-mover" / made.info_hash / name
        staged.parent.mkdir(parents=True, exist_ok=True)
        arrived = data[: old_journal.PROVEN * PIECE] if name.endswith("one.bin") else b""
        staged.write_bytes(arrived + bytes(len(data) - len(arrived)))

    before = here.chaos.received
    result = here.run()

    assert result.code == 0, result.text
    came, missing = here.chaos.received - before, here.size - old_journal.PROVEN * PIECE
    assert came <= missing + here.overhead, f"{came} bytes came, {missing} were missing"
    assert made.files() == {}
    there = here.world.destination.torrent(made.info_hash)
    assert there is not None
    assert there["amount_left"] == 0
    with contextlib.closing(SqliteJournal.open_readonly(journal)) as after:
        assert after.moves() == []
        ended = {entry.id: entry for entry in after.history()}
        assert set(ended) == {old_journal.HALF_WAY, old_journal.MOVED}
        assert {(entry.source, entry.route) for entry in ended.values()} == {(source, MAIN_ROUTE)}
        assert ended[old_journal.HALF_WAY].sent <= missing
    kept = journal.with_name(f"{journal.name}.before-v{VERSION}")
    assert kept.exists()
    here.note("27", "the journal is of an earlier version, in the middle of a move")
