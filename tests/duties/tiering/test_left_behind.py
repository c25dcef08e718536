"""Copies whose torrents have left their client: counted, listed, set aside in quarantine, and brought back."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace

import pytest

from tests.duties.tiering.left_house import COPY, FILES, KEPT, Left
from tests.duties.tiering.tier_client import ReadingClient
from torrent_mover.domain.errors import TransferError, Unreachable
from torrent_mover.domain.paths import ClientPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.amounts import TierTarget
from torrent_mover.duties.tiering.errors import CopyVanished, ReportOnly, RootAway, TierRefused
from torrent_mover.duties.tiering.missing import GONE_AFTER, GONE_ALONE, Absence, MissingTorrent, followed
from torrent_mover.duties.tiering.setting_aside import forget_emptied, put_back, set_aside
from torrent_mover.duties.tiering.settings import TierMode
from torrent_mover.duties.tiering.status import status


@pytest.fixture
def house(tmp_path):
    return Left(tmp_path)


def counted(house):
    beat = house.journal.heartbeat()
    return beat.left, beat.left_bytes


# -- what is told ------------------------------------------------------------------------------------------------------


def test_what_a_torrent_leaves_behind_is_counted_once_it_was_missing_for_a_minute(house):
    house.round()
    assert counted(house) == (0, 0)
    house.clock.advance(GONE_AFTER)
    house.round()

    assert counted(house) == (1, 80_000)
    told = status(house.world(), running=False)
    assert "1 copy, 78.1 KiB, of torrents that have left their client: torrent-mover tier --left" in told.lines
    assert told.as_data()["left"] == {"copies": 1, "bytes": 80_000, "looked_at": house.clock.now()}
    assert house.names(house.hdd) == COPY | KEPT


def test_one_that_is_listed_again_is_counted_no_longer(house):
    house.rounds(2)
    assert counted(house) == (1, 80_000)
    house.add_again()

    house.round()

    assert counted(house) == (0, 0)


def test_a_client_that_does_not_answer_changes_no_figure_and_begins_the_minute_of_others_anew(house):
    house.rounds(2)
    del house.client.held[house.kept]
    other = house.torrent("Other", {"b.mkv": 10_000}, label="tv")
    house.round()
    house.client.silent = True
    house.clock.advance(GONE_AFTER)
    house.round()
    assert counted(house) == (1, 80_000)
    house.client.silent = False

    house.round()
    assert counted(house) == (1, 80_000)
    house.clock.advance(GONE_AFTER)
    house.round()

    assert other in house.client.held
    assert counted(house) == (2, 90_000)


def test_a_client_that_lists_none_of_its_torrents_is_believed_after_an_hour_alone(house):
    del house.client.held[house.kept]
    house.round()
    house.clock.advance(GONE_ALONE - 1)
    house.round()
    assert counted(house) == (0, 0)
    assert house.look().copies == ()
    assert house.look().unknown[0].startswith("Nothing is said of 2 copies: rtorrent lists none of the torrents")
    assert house.set_aside().moved == []

    house.clock.advance(1)
    house.round()

    assert counted(house) == (2, 90_000)
    assert len(house.set_aside().moved) == 2


def test_what_a_person_has_deleted_is_neither_counted_nor_listed(house):
    for name in COPY:
        (house.hdd / name).unlink()
    house.rounds(2)

    assert counted(house) == (0, 0)
    assert house.look().copies == ()


def test_a_target_that_is_away_is_said_and_keeps_the_figure(house):
    house.rounds(2)
    mark = house.hdd / ".torrent-mover/root-id"
    mark.rename(house.hdd / "mark")

    house.rounds(2)

    assert counted(house) == (1, 80_000)
    assert house.look().copies == ()
    assert house.look().unknown == (f"Nothing is said of 1 copy: {house.hdd} is away.",)


def test_what_lies_on_a_former_target_is_said_and_stops_no_count(house, tmp_path):
    house.set_aside()
    put_back(house.world(), house.left)
    house.set_aside()
    other = house.torrent("Other", {"b.mkv": 10_000}, label="tv")
    house.round()
    del house.client.held[other]
    house.hdd = tmp_path / "new"
    house.hdd.mkdir()
    house.change(targets=(TierTarget("*", LocalPath(str(house.hdd))),))

    house.rounds(2)

    assert counted(house) == (0, 0)
    assert house.journal.heartbeat().left_of == 1
    assert house.look().unknown == (
        f"Nothing is said of 1 copy: {tmp_path / 'hdd'} is no target of the tier any more.",
    )
    assert len(house.journal.set_aside()) == 1


def test_the_list_has_every_path_and_says_what_would_get_free(house):
    library = house.hdd / "library.mkv"
    os.link(house.hdd / "tv/Show/one.mkv", library)

    (copy,) = house.look().copies

    assert str(copy.path) == str(house.hdd / "tv/Show")
    assert {str(name.path) for name in copy.names} == {str(house.hdd / name) for name in COPY}
    assert (copy.size, copy.frees) == (80_000, 30_000)


def test_of_a_copy_that_counts_no_longer_the_files_are_listed_too(house):
    record = house.journal.copy(("rtorrent", house.left))
    house.journal.save_copy(replace(record, bad="1 of 5 pieces are bad"))

    assert [copy.size for copy in house.look().copies] == [80_000]


def test_copies_that_wait_for_room_point_to_what_was_left_behind(house):
    house.rounds(2)
    house.torrent("New", {"c.mkv": 10_000}, label="tv")
    house.target_space.total = 1

    house.round()

    (warned,) = [each for each in house.warned if "wait for room" in each]
    assert warned.endswith("torrent-mover tier --left lists copies there whose torrents have left their client.")


def test_what_is_missing_is_followed_by_looks_alone():
    row = MissingTorrent("rtorrent", InfoHash("0" * 40), 100.0, 100.0)
    gone = Absence(gone=frozenset([row.key]))

    assert followed([row], gone, 159.0) == (row,)
    assert followed([row], gone, 160.0) == (replace(row, sure=True),)
    assert followed([row], gone, 50.0) == (replace(row, unbroken_since=50.0),), "a clock that was set back"
    assert followed([row], Absence(silent={"rtorrent": "away"}), 160.0) == ()
    assert followed([row], Absence(), 160.0) == ()


# -- into quarantine, and back -----------------------------------------------------------------------------------------


def test_a_copy_is_set_aside_and_comes_back_as_it_was(house):
    extra = house.hdd / "tv/Show/cover.jpg"
    extra.write_bytes(b"not of the torrent")
    before = house.journal.copy(("rtorrent", house.left))

    (aside,) = house.set_aside().moved

    assert house.names(house.hdd) == KEPT | house.aside | {"tv/Show/cover.jpg"}
    assert house.journal.copy(("rtorrent", house.left)) is None
    assert str(aside.place) == str(house.quarantine / f"{house.left.hex.upper()}-1")
    assert [entry.end.value for entry in house.journal.history][-1] == "set aside"
    assert (
        "1 copy, 78.1 KiB, set aside in quarantine: torrent-mover tier --left"
        in status(house.world(), running=False).lines
    )

    put_back(house.world(), house.left)

    assert house.names(house.hdd) == COPY | KEPT | {"tv/Show/cover.jpg"}
    assert not any(house.quarantine.iterdir())
    assert house.journal.set_aside() == ()
    assert house.journal.copy(("rtorrent", house.left)) == replace(before, changed_at=house.clock.now())
    house.add_again()
    brought = len(house.copier.brought)
    house.round()
    assert len(house.copier.brought) == brought, "its copy counts again, and is not made anew"


def test_folders_of_the_copy_that_are_empty_go_and_that_of_its_label_stays(house):
    house.set_aside(house.left)

    assert not (house.hdd / "tv/Show").exists()
    assert (house.hdd / "tv").is_dir()


def test_a_torrent_whose_copy_is_aside_and_that_is_added_again_is_copied_anew(house):
    house.set_aside()
    house.add_again()

    house.round()

    assert COPY | house.aside <= house.names(house.hdd)
    with pytest.raises(TierRefused, match="newer copy"):
        put_back(house.world(), house.left)
    assert COPY | house.aside <= house.names(house.hdd)


def test_each_time_has_a_folder_of_its_own_and_the_last_comes_back_first(house):
    house.set_aside()
    house.add_again()
    house.round()
    del house.client.held[house.left]
    house.clock.advance(1)

    (aside,) = house.set_aside().moved

    assert aside.place.parts[-1] == f"{house.left.hex.upper()}-2"
    assert put_back(house.world(), house.left).place == aside.place


def test_showing_what_can_be_set_aside_changes_nothing(house):
    before = house.names(house.hdd)

    assert house.reasons() == [()]
    assert house.names(house.hdd) == before
    assert house.journal.missing() == ()


def test_no_more_go_at_once_than_leave_in_a_round(house):
    third = house.torrent("Third", {"c.mkv": 10_000}, label="tv")
    house.round()
    del house.client.held[third]
    house.change(max_evictions_per_run=1)

    report = house.set_aside()

    assert (len(report.moved), report.over) == (1, 1)


def test_a_tier_that_only_reports_sets_nothing_aside(house):
    house.change(mode=TierMode.REPORT)

    with pytest.raises(ReportOnly):
        house.set_aside()
    assert house.names(house.hdd) == COPY | KEPT


# -- what keeps a copy where it is -------------------------------------------------------------------------------------


def stays(house, why, **changes):
    """Whether nothing moves, for that reason."""
    before = house.names(house.hdd)
    report = house.set_aside(**changes)
    assert report.moved == []
    told = [reason for each in report.stays for reason in each.reasons]
    told += [str(error) for _, error in report.failed]
    assert why in " ".join(told), told
    assert house.names(house.hdd) == before
    assert house.journal.set_aside() == ()
    return True


def another_client(house):
    other = ReadingClient("qbittorrent", house.clock)
    house.clients["qbittorrent"] = other
    return other


def test_a_torrent_that_is_listed_a_minute_later_has_not_left(house):
    house.between = house.add_again

    assert house.set_aside().moved == []
    assert house.names(house.hdd) == COPY | KEPT


def test_a_torrent_that_only_the_second_look_has_seen_has_not_left(house):
    house.between = house.add_again

    @contextlib.contextmanager
    def taken_out_again():
        del house.client.held[house.left]
        yield

    report = set_aside(house.world(), taken_out_again)

    assert [each.reasons for each in report.stays] == [("its client listed it a minute ago",)]
    assert house.names(house.hdd) == COPY | KEPT


def test_a_torrent_that_is_listed_in_the_last_moment_has_not_left(house):
    get = house.client.get

    def added_meanwhile(torrent):
        house.client.held.setdefault(house.left, house.held)
        return get(torrent)

    house.client.get = added_meanwhile
    assert stays(house, "its client lists it again")


def test_a_client_that_answers_once_and_then_is_silent_sets_nothing_aside(house):
    house.between = lambda: setattr(house.client, "silent", True)

    with pytest.raises(Unreachable):
        house.set_aside()
    assert house.names(house.hdd) == COPY | KEPT


def test_another_client_that_is_silent_may_use_it(house):
    another_client(house).silent = True

    with pytest.raises(Unreachable):
        house.set_aside()
    assert house.names(house.hdd) == COPY | KEPT


@pytest.mark.parametrize("way", ["by name", "by hard link", "by symbolic link", "by a linked folder"])
def test_a_torrent_of_another_client_that_uses_the_files_keeps_them(house, tmp_path, way):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    show = house.hdd / "tv/Show"
    if way == "by name":
        folder = house.hdd / "tv"
    elif way == "by hard link":
        (folder / "Show/sub").mkdir(parents=True)
        for name in FILES:
            os.link(show / name, folder / "Show" / name)
    elif way == "by symbolic link":
        (folder / "Show").mkdir()
        (folder / "Show/one.mkv").symlink_to(show / "one.mkv")
    else:
        (folder / "Show").symlink_to(show)
    other = another_client(house)
    other.add(house.held.metainfo, folder)

    assert stays(house, "Show uses its files")


def test_the_client_of_a_union_uses_them_under_the_names_of_the_pool(house):
    house.change(union=ClientPath("/pool"))
    house.client.held[house.kept].save_path = ClientPath("/pool/tv")
    other = another_client(house)
    other.add(house.held.metainfo, "/pool/tv")

    assert stays(house, "Show uses its files")


def test_the_copy_of_a_torrent_that_has_not_left_shares_the_files(house):
    """A cross-seed has another infohash, and the same files."""
    record = house.journal.copy(("rtorrent", house.left))
    house.journal.save_copy(replace(record, torrent=house.kept, name="Its cross-seed"))

    assert stays(house, "Its cross-seed uses its files")


def test_the_copy_of_a_torrent_that_has_not_left_has_hard_links_of_the_files(house):
    record = house.journal.copy(("rtorrent", house.left))
    under_other_names = replace(record.proof, folder=RelativePath(("films",)))
    house.journal.save_copy(replace(record, torrent=house.kept, name="Its cross-seed", proof=under_other_names))

    assert stays(house, "Its cross-seed uses its files")


def test_the_copy_of_another_tier_is_the_same_files(house):
    other = another_client(house)
    (house.ssd / "other").mkdir()
    torrent = other.add(house.held.metainfo, house.ssd / "other")
    record = replace(house.journal.copy(("rtorrent", house.left)), client="qbittorrent", torrent=torrent, name="Theirs")

    assert stays(house, "Theirs uses its files", other_copies=lambda: [record])
    del other.held[torrent]
    other.add(house.client.held[house.kept].metainfo, house.ssd)
    assert len(house.set_aside(other_copies=lambda: [record]).moved) == 1


def test_a_file_that_somebody_has_changed_keeps_all_of_the_copy(house):
    with (house.hdd / "tv/Show/one.mkv").open("ab") as file:
        file.write(b"retagged")

    assert stays(house, "one.mkv is not as it was proven")


def test_a_lease_keeps_it(house):
    with house.leases.hold([("rtorrent", house.left)]):
        assert stays(house, "somebody works on it now")


def test_a_target_that_is_away_moves_nothing(house):
    (house.hdd / ".torrent-mover/root-id").rename(house.hdd / "mark")

    assert house.set_aside().moved == []
    with pytest.raises(TierRefused):
        put_back(house.world(), house.left)


def test_what_cannot_be_seen_of_other_torrents_keeps_it(house, tmp_path, monkeypatch):
    other = another_client(house)
    other.add(house.held.metainfo, tmp_path)
    stat = os.stat

    def closed(path, *arguments, **options):
        if str(path).startswith(str(tmp_path / "Show")):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, *arguments, **options)

    monkeypatch.setattr("torrent_mover.bootstrap.tiering.disks.os.stat", closed)
    with pytest.raises(TransferError, match="cannot be looked at"):
        house.set_aside()
    assert house.names(house.hdd) == COPY | KEPT


def test_nothing_at_the_old_place_is_overwritten_on_the_way_back(house):
    house.set_aside()
    taken = house.hdd / "tv/Show/one.mkv"
    taken.parent.mkdir()
    taken.write_bytes(b"somebody's")

    with pytest.raises(TierRefused, match="something else lies at"):
        put_back(house.world(), house.left)

    assert taken.read_bytes() == b"somebody's"
    assert house.aside <= house.names(house.hdd)


def test_one_whose_disk_is_away_does_not_come_back(house):
    house.set_aside()
    (house.hdd / ".torrent-mover/root-id").unlink()

    with pytest.raises(RootAway):
        put_back(house.world(), house.left)
    assert len(house.journal.set_aside()) == 1


def test_what_a_person_deletes_in_quarantine_is_forgotten(house):
    house.set_aside()
    for name in house.aside:
        (house.hdd / name).unlink()

    with pytest.raises(CopyVanished):
        put_back(house.world(), house.left)
    assert house.journal.set_aside() == ()


def test_the_worker_forgets_what_a_person_has_deleted_in_quarantine(house):
    house.set_aside()
    house.round()
    assert len(house.journal.set_aside()) == 1
    for name in house.aside:
        (house.hdd / name).unlink()

    house.round()

    assert house.journal.set_aside() == ()


def test_a_disk_that_refuses_a_rename_gets_back_what_was_renamed(house):
    world = house.world()
    renames = []

    class Failing:
        def __init__(self, inner) -> None:
            self._inner = inner

        def __getattr__(self, name):
            return getattr(self._inner, name)

        def rename(self, old, new):
            renames.append(old)
            if len(renames) == 2:
                raise TransferError("The disk has failed.")
            self._inner.rename(old, new)

    (hdd,) = world.targets
    hdd.files = Failing(hdd.files)
    report = set_aside(world, house._alone)

    assert [str(error.what) for _, error in report.failed] == ["The disk has failed."]
    assert house.names(house.hdd) == COPY | KEPT
    assert house.journal.set_aside() == ()


@pytest.mark.parametrize("silent", [False, True])
def test_where_renaming_takes_long_the_users_of_all_that_follow_are_looked_for_anew(house, silent):
    others = [house.torrent(name, {"c.mkv": 10_000}, label="tv") for name in ("Second", "Third")]
    house.round()
    held = [house.client.held.pop(torrent) for torrent in others]
    other = another_client(house)
    world = house.world()

    class Slow:
        def __init__(self, inner) -> None:
            self._inner = inner

        def __getattr__(self, name):
            return getattr(self._inner, name)

        def rename(self, old, new):
            self._inner.rename(old, new)
            if not other.held:
                house.clock.advance(100)
                for each in held:
                    other.add(each.metainfo, house.hdd / "tv")
                other.silent = silent

    (hdd,) = world.targets
    hdd.files = Slow(hdd.files)
    report = set_aside(world, house._alone)

    assert [aside.key[1] for aside in report.moved] == [house.left]
    assert {copy.record.torrent for copy, _ in report.failed} == set(others)
    assert all(("uses its files now" in error.what) is not silent for _, error in report.failed)


def test_what_somebody_brings_back_right_now_is_not_taken_for_deleted(house):
    house.set_aside()
    for name in house.aside:
        (house.hdd / name).unlink()

    with house.leases.hold([("rtorrent", house.left)]):
        forget_emptied(house.world())
        assert len(house.journal.set_aside()) == 1
    forget_emptied(house.world())
    assert house.journal.set_aside() == ()


def test_paths_below_the_quarantine_are_ours(house):
    (aside,) = house.set_aside().moved
    assert all(place.parts[:2] == (".torrent-mover", "quarantine") for _, place, _ in aside.names)
    assert aside.root == LocalPath(str(house.hdd))
