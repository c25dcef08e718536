"""The tier's records in the journal's file: what is written is read again, by another process too; a queue has no duplicates."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from tests.fakes.clock import FakeClock
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.domain.paths import ClientPath, LocalPath, RelativePath
from torrent_mover.domain.plain_data import from_plain, to_plain
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.picture import CopyProof, FileStamp, NameFound
from torrent_mover.duties.tiering.queue_entry import Asker, QueueEntry
from torrent_mover.duties.tiering.records import (
    CopyRecord,
    EvictionMember,
    EvictionRecord,
    Heartbeat,
    TierEnd,
    TierHistoryEntry,
)
from torrent_mover.duties.tiering.roots import RootMark
from torrent_mover.duties.tiering.stages import CopyStage, EvictionStage
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal

ONE, OTHER = InfoHash("a" * 40), InfoHash("b" * 40)
ODD = "caf\udce9 \x1b[31m"


@pytest.fixture
def opened(tmp_path):
    """Opens the journal of a tier, as another process would."""
    with contextlib.ExitStack() as stack:

        def open_journal(tier: str = "default") -> KeptTierJournal:
            journal = SqliteJournal(tmp_path / "journal.sqlite3", FakeClock())
            stack.callback(journal.close)
            return KeptTierJournal(journal.documents("tier", tier))

        yield open_journal


def entry(torrent: InfoHash = ONE, at: float = 5.0) -> QueueEntry:
    return QueueEntry("rtorrent", torrent, at, Asker.HOOK)


def copy_record() -> CopyRecord:
    stamp = FileStamp(f"Show/{ODD}", 7, 1_700_000_000_123_456_789, 42)
    folder = RelativePath((ODD,))
    proof = CopyProof(9.5, LocalPath("/hdd"), "f" * 32, folder, (stamp,), (replace(stamp, inode=3),), 12, True)
    return CopyRecord("rtorrent", ONE, ODD, CopyStage.PROVEN, 11.0, LocalPath("/hdd"), folder, proof, "", 12.0, True)


def eviction() -> EvictionRecord:
    member = EvictionMember("rtorrent", ONE, "Show", ClientPath("/ssd"), ClientPath("/hdd/tv"), True)
    name = NameFound(LocalPath("/ssd/Show/a"), LocalPath("/ssd/Show/a"), 7, 8, (66, 42), 2)
    return EvictionRecord(
        "rtorrent", ONE, (member,), EvictionStage.LEAVING, 3.0, "room", (name,), (), "the disk is slow", 9.0
    )


def test_a_copy_that_is_saved_again_with_the_same_proof_or_another_has_just_that_one(opened):
    kept, record = opened(), copy_record()
    other = replace(record, torrent=OTHER, proof=replace(record.proof, pieces=13), stage=CopyStage.TOLD)
    told, without = replace(record, stage=CopyStage.TOLD), replace(record, proof=None)
    for saved in (record, other, told):
        kept.save_copy(saved)
    assert set(opened().copies()) == {other, told}
    kept.save_copy(without)
    kept.save_copy(replace(other, proof=record.proof))
    assert set(opened().copies()) == {without, replace(other, proof=record.proof)}


def test_what_is_written_is_read_again_by_another_process(opened):
    first = opened()
    first.enqueue(entry())
    first.save_copy(copy_record())
    first.save_eviction(eviction())
    first.save_root(RootMark(LocalPath("/hdd"), "f" * 32, 66, True))
    first.pin(OTHER, on=True)
    first.request(77.0)
    beat = Heartbeat(812, 1.0, 2.0, "copying", spaces=("SSD 5 of 10 GiB free",))
    first.save_heartbeat(beat)
    ended = TierHistoryEntry(1.0, "rtorrent", ONE, ODD, TierEnd.EVICTED, 7, 2.5, "from the SSD")
    first.add_history(ended)

    second = opened()

    assert list(second.queue()) == [entry()]
    assert list(second.copies()) == [copy_record()]
    assert second.copy(("rtorrent", ONE)) == copy_record()
    assert list(second.evictions()) == [eviction()]
    assert list(second.roots()) == [RootMark(LocalPath("/hdd"), "f" * 32, 66, True)]
    assert second.pins() == {OTHER}
    assert second.requested_at() == 77.0
    assert second.heartbeat() == beat
    assert list(second.history()) == [ended]


def test_asking_again_keeps_the_place_in_the_queue(opened):
    worker, hook = opened(), opened()

    assert hook.enqueue(entry())
    assert not opened().enqueue(entry(at=99.0))
    assert hook.enqueue(entry(OTHER, 6.0))

    assert [each.torrent for each in worker.queue()] == [ONE, OTHER]
    assert worker.queue()[0].queued_at == 5.0


def test_an_entry_that_somebody_has_dropped_does_not_come_back_with_its_tries(opened):
    journal = opened()
    journal.enqueue(entry())
    journal.drop(("rtorrent", ONE))

    journal.save_entry(replace(entry(), tries=1))

    assert list(journal.queue()) == []


def test_copies_that_another_process_writes_or_drops_are_seen_at_the_next_look(opened):
    worker, person = opened(), opened()
    person.save_copy(copy_record())
    kept = worker.copies()

    assert worker.copies()[0] is kept[0]
    person.save_copy(replace(copy_record(), bad="retagged"))
    assert [each.bad for each in worker.copies()] == ["retagged"]
    person.forget_copy(("rtorrent", ONE))
    assert list(worker.copies()) == []


def test_two_tiers_do_not_meet(opened):
    opened("films").enqueue(entry())

    assert list(opened("shows").queue()) == []


def test_a_record_of_an_older_version_has_the_defaults_of_what_it_lacks():
    plain = to_plain(entry())
    del plain["tries"]

    assert from_plain(QueueEntry, plain) == entry()


@pytest.mark.parametrize("damage", [{"asker": "nobody"}, {"torrent": "xyz"}, {"queued_at": "soon"}, {"client": 5}])
def test_damaged_records_are_refused(damage):
    with pytest.raises(ValueError, match=r"QueueEntry|xyz|soon|nobody"):
        from_plain(QueueEntry, {**to_plain(entry()), **damage})
