"""What every Arr must do for us, whatever its product and version."""

from __future__ import annotations

import pytest

from tests.doubles.arr.files import keep
from tests.doubles.arr.house import EPISODES, HASH, PACK
from tests.doubles.arr.library import stamp
from tests.doubles.arr.polled import PolledTorrent
from torrent_mover.domain.arrs.errors import QueueLineGone
from torrent_mover.domain.arrs.import_proof import prove_import
from torrent_mover.domain.arrs.media import CommandStatus, EventKind, MediaFacts, QueueState
from torrent_mover.domain.paths import ArrPath
from torrent_mover.domain.torrent.torrent import InfoHash

STRANGER = InfoHash("cd" * 20)


class MediaManagerContract:
    """Subclass it, and supply the fixture `house` (tests/doubles/arr/house.py)."""

    def test_it_says_what_it_is_and_that_it_lives(self, house):
        info = house.manager.info()
        product = house.library.product
        assert (info.product, info.version, info.url_base) == (product.app, house.double.version, "")
        assert info.has_all_imported is bool(product.all_in)
        assert house.manager.alive()

    def test_the_key_travels_in_a_header_and_our_name_with_it(self, house):
        house.manager.queue()
        headers = {name.lower(): value for name, value in house.double.headers.items()}
        assert headers["x-api-key"] == house.double.key
        assert headers["user-agent"].startswith("torrent-mover/")

    def test_an_empty_arr_has_an_empty_queue_and_history(self, house):
        assert list(house.manager.queue()) == []
        assert list(house.manager.events(HASH)) == []
        assert list(house.manager.events_since(0)) == []
        assert list(house.manager.commands()) == []

    def test_the_queue_has_a_line_for_each_media_of_a_pack(self, house):
        house.pack(3)
        lines = house.manager.queue()
        assert [line.media for line in lines] == [1, 2, 3]
        assert {line.torrent for line in lines} == {HASH}
        assert {line.state for line in lines} == {QueueState.PENDING}
        assert {line.output_path for line in lines} == {house.arr_path}
        assert {line.client for line in lines} == {"qbit"}

    def test_a_blocked_import_says_why(self, house):
        house.pack(1)
        house.library.messages[HASH.hex] = ["Not a Custom Format upgrade"]
        (line,) = house.manager.queue()
        assert line.word == house.library.product.blocked
        assert line.state is (QueueState.PENDING if line.word == "importPending" else QueueState.BLOCKED)
        assert line.messages == ("Not a Custom Format upgrade",)

    def test_a_download_that_goes_on_is_downloading(self, house):
        house.client.have(PolledTorrent(HASH.hex, PACK, "tv", f"/downloads/{PACK}", complete=False))
        (line,) = house.manager.queue()
        assert (line.state, line.media, line.torrent) == (QueueState.DOWNLOADING, None, HASH)

    def test_the_history_of_a_torrent_is_asked_by_its_hash_in_capitals(self, house):
        house.pack(2)
        house.library.grab(STRANGER.hex, 9)
        events = house.manager.events(HASH)
        assert [(event.kind, event.media) for event in events] == [(EventKind.GRABBED, 2), (EventKind.GRABBED, 1)]
        assert house.double.asked("GET", "/history")[0][0]["downloadId"] == HASH.hex.upper()

    def test_history_of_many_pages_is_read_whole(self, house):
        for number in range(1, 1203):
            house.library.grab(HASH.hex, number)
        assert len(house.manager.events(HASH)) == 1202

    def test_history_since_a_moment_has_what_came_after_it(self, house):
        house.pack(1)
        later = house.library.now
        house.library.pass_time(100)
        house.library.grab(STRANGER.hex, 1)
        (event,) = house.manager.events_since(later + 50)
        assert event.torrent == STRANGER
        assert house.double.asked("GET", "/history/since")[0][0] == {"date": stamp(later + 50)}

    def test_a_scan_imports_by_hard_link_and_the_history_proves_it(self, house):
        folder = house.pack(10)
        command = house.manager.scan(house.arr_path, HASH)
        assert command.path == house.arr_path
        assert command.torrent == HASH
        ended = house.manager.command(command.number)
        assert (ended.status, ended.brought_something) == (CommandStatus.COMPLETED, True)
        told = house.manager.info().has_all_imported
        proof = prove_import(HASH, house.manager.events(HASH), house.manager.queue(), None, all_imported_is_told=told)
        assert (proof.proven, proof.grabbed, proof.imported) == (True, 10, 10)
        assert sorted(each.name for each in house.data.joinpath(PACK).iterdir()) == sorted(EPISODES)
        assert all(house.data.joinpath(PACK, name).stat().st_nlink == 2 for name in EPISODES)
        assert folder.text == str(house.data / PACK)

    def test_a_scan_of_a_torrent_that_the_arr_does_not_know_moves_nothing_out_of_what_seeds(self, house):
        house.pack(2, grabbed=False, tracked=False)
        number = house.manager.scan(house.arr_path, HASH).number
        assert house.manager.command(number).brought_something
        assert sorted(each.name for each in house.data.joinpath(PACK).iterdir()) == list(EPISODES[:2])
        events = [event for event in house.manager.events_since(0) if event.kind is EventKind.FILE_IMPORTED]
        assert {event.torrent for event in events} == {None}
        assert {event.dropped_path for event in events} == {house.arr_path / name for name in EPISODES[:2]}

    def test_a_completed_scan_of_nothing_brought_nothing(self, house):
        number = house.manager.scan(ArrPath("/nowhere/at all"), HASH).number
        ended = house.manager.command(number)
        assert (ended.status, ended.brought_something) == (CommandStatus.COMPLETED, False)

    def test_the_same_scan_twice_is_one_command_while_it_waits(self, house):
        house.pack(1)
        house.library.command_polls = 5
        first = house.manager.scan(house.arr_path, HASH)
        assert house.manager.scan(house.arr_path, HASH).number == first.number
        assert [command.number for command in house.manager.commands()] == [first.number]
        assert house.manager.command(first.number).status is CommandStatus.WAITING

    def test_a_command_that_a_restart_has_lost_and_one_that_is_forgotten_are_lost(self, house):
        house.library.command_polls = 5
        number = house.manager.refresh().number
        house.library.restart()
        assert house.manager.command(number).status is CommandStatus.LOST
        assert house.manager.command(12345).status is CommandStatus.LOST

    def test_it_sees_names_sizes_and_folders(self, house):
        house.pack(2)
        assert house.manager.sees(house.arr_path) == {EPISODES[0]: 1001, EPISODES[1]: 1002}
        assert house.manager.sees(ArrPath("/downloads")) == {PACK: None}

    def test_a_folder_that_is_not_there_shows_nothing(self, house):
        assert house.manager.sees(ArrPath("/somewhere/else")) == {}

    def test_root_folders_and_disks_are_paths(self, house):
        house.library.disks = ["/", "/downloads"]
        assert house.manager.root_folders() == [ArrPath("/media")]
        assert house.manager.disks() == [ArrPath("/"), ArrPath("/downloads")]

    def test_clients_are_those_for_torrents_with_their_category(self, house):
        house.library.removes_failed = True
        (client,) = house.manager.clients()
        assert (client.name, client.host, client.port, client.category) == ("qbit", "qbit", 8080, "tv")
        assert (client.enabled, client.removes_completed, client.removes_failed) == (True, False, True)

    def test_mappings_have_no_slash_at_their_end(self, house):
        house.library.mappings = [{"id": 1, "host": "qbit", "remotePath": "/data/", "localPath": "/downloads/"}]
        (mapping,) = house.manager.mappings()
        assert (mapping.host, mapping.remote, mapping.local) == ("qbit", "/data", ArrPath("/downloads"))

    def test_what_it_does_by_itself_is_known(self, house):
        house.library.searches_after_failure = False
        policy = house.manager.policy()
        assert (policy.handles_completed, policy.searches_after_failure) == (True, False)

    def test_why_a_file_is_not_imported_is_told_in_its_words(self, house):
        house.pack(2)
        house.library.refuses[EPISODES[1]] = "Sample"
        (file,) = house.manager.why_not(house.arr_path)
        assert (file.name, file.reasons) == (EPISODES[1], ("Sample",))

    def test_a_block_takes_all_lines_of_a_pack_and_is_seen_in_the_history(self, house):
        house.pack(3)
        skipped = house.manager.refuse(house.manager.queue()[0].number)
        failed = [event for event in house.manager.events(HASH) if event.kind is EventKind.FAILED]
        assert sorted(event.media for event in failed) == [1, 2, 3]
        assert list(house.manager.queue()) == []
        assert skipped is house.library.product.has_skip
        assert bool(house.library.searches) is not skipped
        assert house.client.removed == []

    def test_a_block_of_what_was_never_grabbed_answers_and_does_nothing(self, house):
        house.pack(1, grabbed=False)
        house.manager.refuse(house.manager.queue()[0].number)
        assert list(house.manager.events(HASH)) == []

    def test_a_line_that_is_gone_is_told(self, house):
        with pytest.raises(QueueLineGone):
            house.manager.refuse(4711)

    def test_a_grab_marked_as_failed_is_in_the_history(self, house):
        house.pack(2)
        house.manager.fail_grab(house.manager.events(HASH)[0].number)
        assert EventKind.FAILED in {event.kind for event in house.manager.events(HASH)}

    def test_a_search_names_its_media(self, house):
        number = house.manager.search([3, 4]).number
        house.manager.command(number)
        assert house.library.searches == [[3, 4]]

    def test_what_is_missing_comes_with_its_last_search(self, house):
        house.library.add_media(1, "Episode 1", "x.mkv")
        house.library.add_media(2, "Episode 2", "y.mkv")
        house.library.media[2].searched_at = 1_794_000_000.0
        first, second = house.manager.missing()
        assert (first.media, first.monitored, first.searched_at) == (1, True, None)
        assert (second.title.rpartition(" - ")[2], second.searched_at) == ("Episode 2", 1_794_000_000.0)
        assert house.manager.below_cutoff() == []
        house.library.media[1].below_cutoff = True
        house.library.media[2].monitored = False
        assert [each.media for each in house.manager.below_cutoff()] == [1]
        assert [each.media for each in house.manager.missing(monitored=False)] == [2]

    def test_what_is_missing_names_its_owner_and_the_ids_of_other_sites(self, house):
        product = house.library.product
        number = 1 if product.owner == product.media else 7
        house.library.add_media(1, "Episode 1", "x.mkv")
        house.library.media[1].airs_at = 1_794_000_000.0
        house.library.own(number, profile=1, seasons={1: 10}, tmdbId=550, tvdbId=81189, year=1999)
        (wanted,) = house.manager.missing()
        assert wanted.owner == number
        if product.owner == "seriesId":
            assert (wanted.season, wanted.tvdb, wanted.tmdb, wanted.year) == (1, 81189, 550, 1999)
            assert (wanted.airs_at, wanted.title) == (1_794_000_000.0, "Owner 7 - Episode 1")
        elif product.owner == "movieId":
            assert (wanted.season, wanted.tvdb, wanted.tmdb, wanted.year) == (None, None, 550, 1999)

    def test_a_season_is_searched_where_there_are_seasons(self, house):
        house.library.own(7, seasons={0: 2, 1: 10})
        if not house.manager.info().has_seasons:
            assert house.manager.season_sizes(7) == {}
            return
        assert house.manager.season_sizes(7) == {0: 2, 1: 10}
        house.manager.command(house.manager.search_season(7, 1).number)
        assert house.library.season_searches == [(7, 1)]

    def test_feeds_are_synced(self, house):
        house.manager.command(house.manager.sync_feeds().number)
        assert house.library.feeds_synced == 1

    def test_a_quality_profile_is_read_and_changed_alone(self, house):
        house.library.own(7, profile=1)
        assert house.manager.profiles() == {"HD": 1, "SD": 2}
        house.manager.set_profile(7, 2)
        assert house.manager.profile_of(7) == 2
        assert house.library.owners[7]["title"] == "Owner 7"

    def test_alarms_are_known_by_their_source(self, house):
        house.library.alarms = [
            {"id": 1, "source": "IndexerStatusCheck", "type": "error", "message": "All indexers are unavailable"},
            {"id": 2, "source": "UpdateCheck", "type": "notice", "message": "New update"},
        ]
        alarms = house.manager.alarms()
        assert [(alarm.source, alarm.is_error) for alarm in alarms] == [
            ("IndexerStatusCheck", True),
            ("UpdateCheck", False),
        ]

    def test_a_file_of_the_library_is_known_by_its_path_with_what_it_holds_and_its_torrent(self, house):
        path = _kept(house)
        if path is None:
            assert house.manager.files_at([ArrPath("/media/Show/e1.mkv")]) == {}
            return
        (file,) = house.manager.files_at([path, ArrPath("/elsewhere/e1.mkv")]).values()

        assert (file.number, file.path, file.media, file.monitored) == (31, path, (1,), (1,))
        assert file.torrents == {HASH}
        assert house.manager.files_at([]) == house.manager.files_at([ArrPath("/media/Show/e2.mkv")]) == {}

    def test_a_file_that_is_dropped_is_gone_and_what_it_held_is_watched_again(self, house):
        path = _kept(house)
        if path is None:
            assert not house.manager.drop_file(31)
            return
        house.library.unmonitors = True

        assert house.manager.drop_file(31)
        assert not house.manager.drop_file(31)
        assert house.manager.files_at([path]) == {}
        assert not house.library.media[1].monitored
        house.manager.watch([1])
        assert house.library.media[1].monitored

    def test_what_it_knows_of_an_episode_or_movie_comes_with_its_file_and_what_is_gone_is_told(self, house):
        path = _kept(house)
        if path is None:
            assert house.manager.facts_of([1]) is None
            return
        house.library.add_media(3, "Third", "e3.mkv")
        house.library.media[3].airs_at = 1_794_000_000.0
        house.library.media[3].monitored = False
        house.library.kept[31].score = 50

        first, third, gone = house.manager.facts_of([1, 3, 9])

        assert first == MediaFacts(1, True, "Show", None, True, 31, 50, "WEBDL-1080p", revision=(0, 1))
        assert third == MediaFacts(3, True, "Third", 1_794_000_000.0, False)
        assert gone == MediaFacts(9, exists=False)
        grabbed = next(event for event in house.manager.events(HASH) if event.kind is EventKind.GRABBED)
        assert (grabbed.score, grabbed.quality) == (0, "WEBDL-1080p")
        assert {event.file for event in house.manager.events(HASH)} == {31, None}

    def test_the_qualities_of_a_profile_have_an_order_and_equal_ones_one_place(self, house):
        ranks = house.manager.quality_ranks(1)
        assert (
            ranks["SDTV"] < ranks["HDTV-720p"] < ranks["WEBDL-1080p"] == ranks["WEBRip-1080p"] < ranks["Bluray-1080p"]
        )


def _kept(house):
    """A file of its library; None for an Arr that keeps neither episodes nor movies."""
    if house.library.product.owner not in ("seriesId", "movieId"):
        return None
    house.library.add_media(1, "Show", "e1.mkv")
    house.library.add_media(2, "Other", "e2.mkv")
    keep(house.library, 31, "/media/Show/e1.mkv", 1, torrent=HASH.hex)
    keep(house.library, 32, "/media/Show/e3.mkv", 2, torrent=STRANGER.hex)
    return ArrPath("/media/Show/e1.mkv")
