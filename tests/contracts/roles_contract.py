"""What a client must do in each role that it claims: one suite a role. Subclass those of a client's roles, and supply `bench`."""

from __future__ import annotations

import shutil

import pytest

from tests.contracts.client_contract import (
    DAMAGES,
    STRANGER,
    add,
    checked,
    checked_all,
    flip,
    info_of,
    make,
    path,
    role,
    state_of,
    until,
)
from tests.servers import snapshot
from torrent_mover.domain.errors import Collision, TorrentGone
from torrent_mover.domain.torrent.attributes import with_sources
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.partfile import part_file_name
from torrent_mover.domain.torrent.sharing import AS_CLIENT, NoOwnLimit, ShareLimits
from torrent_mover.domain.torrent.torrent import FilePriority, TorrentState, Tracker
from torrent_mover.domain.torrent.warrant import WarrantEvidence, WarrantRefused, WarrantStale, issue_warrant
from torrent_mover.ports import roles
from torrent_mover.ports.client import AddSpec, RecheckVerdict


class ExportsContract:
    def test_the_metainfo_keeps_the_info_dictionary_byte_for_byte(self, bench):
        exports = role(bench, roles.Exports)
        for version in bench.versions:
            wanted = make(bench, f"Show {version}", version)
            assert info_of(exports.metainfo(bench.have(wanted, bench.data))) == info_of(wanted.metainfo)

    def test_the_metainfo_of_an_unknown_torrent_is_none(self, bench):
        with pytest.raises(TorrentGone):
            role(bench, roles.Exports).metainfo(STRANGER)


class NamesTorrentsContract:
    def test_it_knows_a_torrent_by_the_infohash_that_it_says(self, bench):
        naming = role(bench, roles.NamesTorrents)
        for version in bench.versions:
            wanted = make(bench, f"Show {version}", version)
            assert naming.id_of(Manifest.parse(wanted.metainfo).hashes) == bench.have(wanted, bench.data)


class ListsFilesContract:
    def test_many_are_told_as_one_by_one_and_an_unknown_one_is_left_out(self, bench):
        trees = ({"a.bin": 40_000}, None, {"one/two/three.bin": 17, "z.bin": 0})
        torrents = [bench.have(make(bench, f"Show {n}", tree=tree), bench.data) for n, tree in enumerate(trees)]
        told = role(bench, roles.ListsFiles).files_of([*torrents[1:], STRANGER, torrents[0]])
        assert told == {torrent: bench.client.files(torrent) for torrent in torrents}
        assert role(bench, roles.ListsFiles).files_of([STRANGER]) == {}

    def test_an_empty_client_tells_of_none(self, bench):
        assert role(bench, roles.ListsFiles).files_of([STRANGER]) == {}
        assert role(bench, roles.ListsFiles).files_of([]) == {}


class HasPiecesContract:
    def test_a_complete_torrent_has_every_piece(self, bench):
        for version in bench.versions:
            wanted = make(bench, f"Show {version}", version)
            pieces = role(bench, roles.HasPieces).pieces(bench.have(wanted, bench.data))
            assert len(pieces.have) == Manifest.parse(wanted.metainfo).piece_count
            assert pieces.missing == ()

    def test_a_torrent_that_was_only_added_has_none(self, bench):
        torrent = add(bench, make(bench))
        assert role(bench, roles.HasPieces).pieces(torrent).missing == tuple(range(11))

    def test_after_a_recheck_exactly_the_bad_ones_are_missing(self, bench):
        has = role(bench, roles.HasPieces)
        samples = {damage: make(bench, damage, bench.versions[-1], seed=seed) for seed, damage in enumerate(DAMAGES)}
        torrents = [add(bench, one) for one in samples.values()]
        assert checked_all(bench, torrents) == [RecheckVerdict.GOOD] * len(torrents)
        assert [has.pieces(torrent).missing for torrent in torrents] == [()] * len(torrents)
        for damage, (do, _) in DAMAGES.items():
            do(samples[damage].content / "a.bin")
        assert checked_all(bench, torrents) == [RecheckVerdict.BAD] * len(torrents)
        assert [has.pieces(torrent).missing for torrent in torrents] == [bad for _, bad in DAMAGES.values()]

    def test_pieces_of_an_unknown_torrent_are_none(self, bench):
        with pytest.raises(TorrentGone):
            role(bench, roles.HasPieces).pieces(STRANGER)


class WebSeedsContract:
    def test_trackers_tiers_and_web_seeds_arrive_with_the_metainfo(self, bench):
        wanted = make(bench, trackers=("http://old.invalid/announce",))
        trackers = (Tracker("http://a.invalid/x", 0, working=False), Tracker("http://b.invalid/y", 1, working=False))
        seeds = ("http://one.invalid/f/", "http://two.invalid/f/")
        metainfo = with_sources(wanted.metainfo, trackers, seeds)
        assert Manifest.parse(metainfo).hashes == Manifest.parse(wanted.metainfo).hashes

        torrent = add(bench, wanted.__class__(metainfo, wanted.content, "", "v1"))

        until(bench, lambda: len(bench.client.trackers(torrent)) == len(trackers))
        assert [(one.url, one.tier) for one in bench.client.trackers(torrent)] == [
            (one.url, one.tier) for one in trackers
        ]
        assert sorted(role(bench, roles.WebSeeds).web_seeds(torrent)) == sorted(seeds)
        assert state_of(bench, torrent) is TorrentState.STOPPED_INCOMPLETE


class PulsesContract:
    def test_what_does_nothing_has_rates_of_nothing(self, bench):
        torrents = {bench.have(make(bench, name), bench.data) for name in ("One", "Two")}
        told = role(bench, roles.Pulses).pulses()
        assert set(told) == torrents
        for pulse in told.values():
            assert (pulse.download_rate, pulse.upload_rate, pulse.seeds, pulse.peers) == (0, 0, 0, 0)
            assert pulse.eta is None
            assert pulse.last_activity is None or pulse.last_activity > 1_600_000_000
            assert pulse.was_complete is True
            assert pulse.private in (False, None)
            assert pulse.queue_place is None

    def test_a_torrent_that_was_only_added_was_never_complete_and_is_stopped(self, bench):
        torrent = add(bench, make(bench))
        pulse = role(bench, roles.Pulses).pulses()[torrent]
        assert (pulse.was_complete, pulse.phase) == (False, roles.TorrentPhase.STOPPED)

    def test_an_empty_client_has_none(self, bench):
        assert role(bench, roles.Pulses).pulses() == {}


class SnapshotsContract:
    def test_it_says_what_the_lists_say_and_what_stays_the_same_is_the_same_object(self, bench):
        following, pulses = role(bench, roles.Snapshots), role(bench, roles.Pulses)
        one = bench.have(make(bench, "One", seed=1), bench.data, "old")

        def told():
            seen = following.snapshot()
            rows = {row.id: row for row in bench.client.torrents()}
            return seen if (dict(seen.torrents), dict(seen.pulses)) == (rows, pulses.pulses()) else None

        until(bench, told)
        other = bench.have(make(bench, "Other", seed=2), bench.data)
        until(bench, lambda: len(following.snapshot().torrents) == 2 and told())
        until(bench, lambda: following.snapshot() is following.snapshot())
        both = following.snapshot()
        role(bench, roles.Categories).set_category(one, "new")
        changed = until(bench, lambda: following.snapshot().torrents[one].category == "new" and told())
        # A client may have news of it too by now.
        stayed = changed.torrents[other] == both.torrents[other]
        assert (changed.torrents[other] is both.torrents[other]) == stayed
        role(bench, roles.Categories).set_category(one, "")

    def test_what_is_removed_is_in_it_no_more(self, bench):
        torrent = bench.have(make(bench), bench.data)
        following = role(bench, roles.Snapshots)
        until(bench, lambda: torrent in following.snapshot().torrents)
        bench.lose(torrent)
        until(bench, lambda: torrent not in following.snapshot().torrents)
        assert torrent not in following.snapshot().pulses


class ListsTrackersContract:
    def test_many_torrents_have_the_trackers_that_each_has(self, bench):
        urls = ("http://127.0.0.1:9/announce", "http://127.0.0.1:10/announce")
        made = [add(bench, make(bench, f"Show {number}", seed=number, trackers=(urls[number],))) for number in (0, 1)]
        told = role(bench, roles.ListsTrackers).trackers_of([*made, STRANGER])
        assert {each: [tracker.url for tracker in trackers] for each, trackers in told.items()} == {
            made[0]: [urls[0]],
            made[1]: [urls[1]],
        }
        assert role(bench, roles.ListsTrackers).trackers_of(()) == {}


class TellsPrivateContract:
    def test_a_private_torrent_says_so_and_another_one_does_not(self, bench):
        telling = role(bench, roles.TellsPrivate)
        for private in (True, False):
            torrent = bench.have(make(bench, f"Private {private}", private=private), bench.data)
            assert telling.is_private(torrent) is private

    def test_nobody_knows_whether_an_unknown_torrent_is_private(self, bench):
        with pytest.raises(TorrentGone):
            role(bench, roles.TellsPrivate).is_private(STRANGER)


class ConditionsContract:
    def test_it_says_how_it_is(self, bench):
        told = role(bench, roles.Conditions).condition()
        assert (told.connected, told.dht_nodes, told.alternative_limits) == (True, 0, False)
        assert told.queueing is not None
        free = role(bench, roles.Conditions).free_space()
        assert free is None or free >= 0


class CategoriesContract:
    def test_torrents_are_listed_by_exactly_their_category(self, bench):
        mine = bench.have(make(bench, "Mine", seed=1), bench.data, "move")
        bench.have(make(bench, "Longer", seed=2), bench.data, "move it")
        none = bench.have(make(bench, "None", seed=3), bench.data)
        assert [torrent.id for torrent in bench.client.torrents("move")] == [mine]
        assert [torrent.id for torrent in bench.client.torrents("")] == [none]
        assert list(bench.client.torrents("mov")) == []
        assert len(bench.client.torrents()) == 3

    def test_a_category_is_created_and_moves_nothing(self, bench):
        sorting, wanted = role(bench, roles.Categories), make(bench)
        bench.have(make(bench, "Another", seed=9), bench.data, "old")
        torrent = bench.have(wanted, bench.data, "old")
        before = wanted.files()
        sorting.set_category(torrent, "brand new")
        there = bench.client.get(torrent)
        assert (there.category, there.save_path) == ("brand new", path(bench.data))
        assert wanted.files() == before
        assert {"old", "brand new"} <= set(sorting.categories())
        sorting.set_category(torrent, "")
        assert bench.client.get(torrent).category == ""

    def test_a_torrent_is_added_into_its_category_and_adding_again_changes_nothing(self, bench):
        wanted = make(bench)
        torrent = add(bench, wanted, category="first one")
        assert bench.client.get(torrent).category == "first one"
        add(bench, wanted, category="second")
        assert bench.client.get(torrent).category == "first one"

    def test_an_unknown_torrent_goes_into_no_category(self, bench):
        with pytest.raises(TorrentGone):
            role(bench, roles.Categories).set_category(STRANGER, "some")


class TagsContract:
    def test_tags_are_set_when_adding_returns(self, bench):
        torrent = add(bench, make(bench), tags=("x", "y z"))
        assert sorted(bench.client.get(torrent).tags) == ["x", "y z"]

    def test_tags_are_set_and_others_are_taken_away(self, bench):
        tagging, torrent = role(bench, roles.Tags), bench.have(make(bench), bench.data)
        for tags in (["a", "b c"], ["b c", "d"], []):
            tagging.set_tags(torrent, tags)
            assert sorted(bench.client.get(torrent).tags) == tags

    def test_an_unknown_torrent_gets_no_tags(self, bench):
        with pytest.raises(TorrentGone):
            role(bench, roles.Tags).set_tags(STRANGER, ["x"])


class DisplayNamesContract:
    def test_the_name_is_set_when_adding_returns(self, bench):
        assert bench.client.get(add(bench, make(bench), name="Another name")).name == "Another name"

    def test_another_name_renames_no_file(self, bench):
        wanted = make(bench, "Show")
        torrent = bench.have(wanted, bench.data)
        before = wanted.files()
        role(bench, roles.DisplayNames).set_name(torrent, "Ünï [x]")
        assert bench.client.get(torrent).name == "Ünï [x]"
        assert wanted.files() == before
        assert bench.client.files(torrent)[0].path == "Show/a.bin"


class RenamesContract:
    def test_a_file_is_renamed_there_and_on_disk(self, bench):
        wanted = make(bench, "Show")
        torrent = bench.have(wanted, bench.data)
        role(bench, roles.Renames).rename_file(torrent, "Show/a.bin", "Show/new.bin")
        assert bench.client.files(torrent)[0].path == "Show/new.bin"
        until(bench, (bench.data / "Show" / "new.bin").is_file)
        assert not (bench.data / "Show" / "a.bin").exists()

    def test_a_name_that_another_file_of_it_has_is_a_collision(self, bench):
        torrent = bench.have(make(bench, "Show"), bench.data)
        with pytest.raises(Collision):
            role(bench, roles.Renames).rename_file(torrent, "Show/a.bin", "Show/b/c.bin")
        assert [file.path for file in bench.client.files(torrent)][:2] == ["Show/a.bin", "Show/b/c.bin"]

    def test_files_get_the_names_that_they_had_at_the_source(self, bench):
        wanted = make(bench, "Show")
        a, c = bench.data / "Show" / "a.bin", bench.data / "Show" / "b" / "c.bin"
        a.rename(bench.data / "Show" / "new.bin")
        (bench.data / "Moved").mkdir()
        c.rename(bench.data / "Moved" / "c.bin")
        renames = ((0, "Show/new.bin"), (1, "Moved/c.bin"))
        torrent = add(bench, wanted, renames=renames)
        paths = [file.path for file in bench.client.files(torrent)]
        assert paths == ["Show/new.bin", "Moved/c.bin", "Show/e.nfo", "Show/z z/ü'[1].srt"]
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        assert add(bench, wanted, renames=renames) == torrent
        assert [file.path for file in bench.client.files(torrent)] == paths

    def test_renaming_touches_no_file_that_is_there_already(self, bench):
        wanted = make(bench, "Show")
        ours, strangers = bench.data / "Show" / "new.bin", bench.data / "Show" / "a.bin"
        strangers.rename(ours)
        strangers.write_text("of a stranger, under the name that the metainfo has")
        torrent = add(bench, wanted, renames=((0, "Show/new.bin"),))
        assert bench.client.get(torrent).save_path == path(bench.data)
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        assert strangers.read_text().startswith("of a stranger")

    def test_a_torrent_that_is_there_with_other_names_is_a_collision(self, bench):
        wanted = make(bench, "Show")
        torrent = add(bench, wanted)
        with pytest.raises(Collision):
            add(bench, wanted, renames=((0, "Show/new.bin"),))
        assert bench.client.files(torrent)[0].path == "Show/a.bin"
        assert (bench.data / "Show" / "a.bin").is_file()

    def test_files_may_swap_their_names(self, bench):
        wanted = make(bench, "Show")
        torrent = bench.client.add_stopped(
            wanted.metainfo,
            AddSpec(
                save_path=path(bench.data / "empty"),
                renames=((0, "Show/b/c.bin"), (1, "Show/a.bin")),
            ),
        )
        assert [file.path for file in bench.client.files(torrent)][:2] == ["Show/b/c.bin", "Show/a.bin"]


class PrioritiesContract:
    def test_priorities_are_set_when_adding_returns(self, bench):
        wanted = make(bench)
        torrent = add(bench, wanted, priorities=((0, FilePriority.MAXIMUM), (1, FilePriority.SKIP)))
        assert [file.priority for file in bench.client.files(torrent)] == [
            FilePriority.MAXIMUM,
            FilePriority.SKIP,
            FilePriority.NORMAL,
            FilePriority.NORMAL,
        ]
        assert [file.wanted for file in bench.client.files(torrent)] == [True, False, True, True]

    def test_priorities_are_set_and_read_back(self, bench):
        torrent = bench.have(make(bench), bench.data)
        wanted = {0: FilePriority.HIGH, 3: FilePriority.SKIP}
        role(bench, roles.Priorities).set_priorities(torrent, wanted)
        assert {file.index: file.priority for file in bench.client.files(torrent)} == {
            0: FilePriority.HIGH,
            1: FilePriority.NORMAL,
            2: FilePriority.NORMAL,
            3: FilePriority.SKIP,
        }

    def test_a_recheck_is_good_when_all_that_is_wanted_is_there(self, bench):
        wanted = make(bench, "Aligned", tree={"a.bin": 64 * 1024, "b.bin": 64 * 1024, "c.bin": 64 * 1024})
        (wanted.content / "b.bin").unlink()
        torrent = add(bench, wanted, priorities=((1, FilePriority.SKIP),))

        assert checked(bench, torrent) is RecheckVerdict.GOOD

        assert bench.client.get(torrent).complete
        telling = bench.client.role(roles.HasPieces)
        assert telling is None or telling.pieces(torrent).missing == tuple(range(4, 8))

    def test_a_recheck_is_bad_when_a_wanted_file_is(self, bench):
        wanted = make(bench, "Damaged", tree={"a.bin": 64 * 1024, "b.bin": 64 * 1024})
        (wanted.content / "b.bin").unlink()
        flip(wanted.content / "a.bin")
        assert checked(bench, add(bench, wanted, priorities=((1, FilePriority.SKIP),))) is RecheckVerdict.BAD


class PartFilesContract:
    def test_it_lies_beside_the_data_under_the_infohash(self, bench):
        torrent = bench.have(make(bench), bench.data)
        assert role(bench, roles.PartFiles).part_file(torrent) == path(bench.data) / part_file_name(torrent)


class OrdersPiecesContract:
    def test_the_order_is_set_when_adding_returns(self, bench):
        there = bench.client.get(add(bench, make(bench), sequential=True, first_last_piece_first=True))
        assert (there.sequential, there.first_last_piece_first) == (True, True)

    def test_the_order_is_set_and_read_back(self, bench):
        ordering, torrent = role(bench, roles.OrdersPieces), add(bench, make(bench))
        for wanted in ((True, False), (True, True), (False, False)):
            ordering.set_piece_order(torrent, sequential=wanted[0], first_last_first=wanted[1])
            there = bench.client.get(torrent)
            assert (there.sequential, there.first_last_piece_first) == wanted


class ReannouncesContract:
    def test_it_asks_trackers_and_changes_nothing_else(self, bench):
        torrent = bench.have(make(bench), bench.data)
        before = state_of(bench, torrent)
        role(bench, roles.Reannounces).reannounce(torrent)
        assert state_of(bench, torrent) is before

    def test_an_unknown_torrent_is_not_announced(self, bench):
        with pytest.raises(TorrentGone):
            role(bench, roles.Reannounces).reannounce(STRANGER)


class EditsTrackersContract:
    def test_a_tracker_is_added_and_taken_away_and_others_stay(self, bench):
        editing = role(bench, roles.EditsTrackers)
        torrent = add(bench, make(bench, trackers=("http://stays.invalid/announce",)))
        added = "http://added.invalid/announce?a=b&c=%7C"
        for _ in range(2):
            editing.add_tracker(torrent, added)
        assert [one.url for one in bench.client.trackers(torrent)] == ["http://stays.invalid/announce", added]
        for _ in range(2):
            editing.remove_tracker(torrent, added)
        assert [one.url for one in bench.client.trackers(torrent)] == ["http://stays.invalid/announce"]

    def test_an_unknown_torrent_has_no_trackers_to_edit(self, bench):
        for edit in (role(bench, roles.EditsTrackers).add_tracker, role(bench, roles.EditsTrackers).remove_tracker):
            with pytest.raises(TorrentGone):
                edit(STRANGER, "http://a.invalid/announce")


class RetiresContract:
    def warrant_for(self, bench, torrent):
        bench.client.stop(torrent)
        until(bench, lambda: state_of(bench, torrent) is TorrentState.STOPPED_COMPLETE)
        there = bench.client.get(torrent)
        now = bench.clock.monotonic()
        return issue_warrant(
            WarrantEvidence("qbit", there, now, now, "stalled", same_verdict=True, leased=True, written=True)
        )

    def test_a_warrant_takes_the_torrent_and_leaves_every_file(self, bench):
        wanted = make(bench, "Show")
        torrent, other = bench.have(wanted, bench.data), bench.have(make(bench, "Other", seed=1), bench.data)
        before = snapshot(bench.data)
        warrant = self.warrant_for(bench, torrent)
        for _ in range(2):
            role(bench, roles.Retires).retire(warrant)
        assert [one.id for one in bench.client.torrents()] == [other]
        assert snapshot(bench.data) == before

    def test_no_warrant_is_issued_for_a_torrent_that_runs(self, bench):
        there = bench.client.get(bench.have(make(bench), bench.data))
        now = bench.clock.monotonic()
        with pytest.raises(WarrantRefused, match="it is not stopped"):
            issue_warrant(
                WarrantEvidence("qbit", there, now, now, "stalled", same_verdict=True, leased=True, written=True)
            )

    def test_a_stale_warrant_takes_nothing(self, bench, old_certificate):
        torrent = bench.have(make(bench), bench.data)
        warrant = old_certificate(self.warrant_for(bench, torrent))
        with pytest.raises(WarrantStale):
            role(bench, roles.Retires).retire(warrant)
        assert bench.client.get(torrent) is not None


class EndsSharingContract:
    def test_what_was_added_is_ended_by_nothing(self, bench):
        torrent = add(bench, make(bench))
        assert not role(bench, roles.EndsSharing).limited(bench.client.get(torrent))


class LimitsSharingContract:
    def test_share_limits_are_set_and_read_back(self, bench):
        limiting, torrent = role(bench, roles.LimitsSharing), bench.have(make(bench), bench.data)
        for limits in (ShareLimits(2.5, 3600), ShareLimits(NoOwnLimit.AS_CLIENT, NoOwnLimit.AS_CLIENT), ShareLimits()):
            limiting.set_share_limits(torrent, limits)
            there = bench.client.get(torrent)
            assert there.limits == limits
            assert limiting.limited(there) is (limits != ShareLimits())

    def test_a_torrent_without_its_own_counts_as_limited(self, bench):
        limiting, torrent = role(bench, roles.LimitsSharing), bench.have(make(bench), bench.data)
        limiting.set_share_limits(torrent, AS_CLIENT)
        assert limiting.limited(bench.client.get(torrent))

    def test_the_limits_of_all_torrents_are_told(self, bench):
        torrent = bench.client.get(bench.have(make(bench), bench.data))
        assert role(bench, roles.LimitsSharing).share_defaults().met_by(torrent.ratio, torrent.seeding_time) == ""

    def test_a_torrent_is_added_without_limits(self, bench):
        assert bench.client.get(add(bench, make(bench))).limits == ShareLimits()

    def test_the_limits_of_a_torrent_that_is_there_already_are_lifted(self, bench):
        torrent = make(bench)
        found = add(bench, torrent)
        role(bench, roles.LimitsSharing).set_share_limits(found, ShareLimits(ratio=2.0, seeding_time=3600))
        add(bench, torrent)
        assert bench.client.get(found).limits == ShareLimits()


class TransferLimitsContract:
    def test_limits_are_set_when_adding_returns(self, bench):
        there = bench.client.get(add(bench, make(bench), upload_limit=4096))
        assert (there.upload_limit, there.download_limit) == (4096, 0)

    def test_limits_are_set_and_read_back(self, bench):
        limiting, torrent = role(bench, roles.TransferLimits), bench.have(make(bench), bench.data)
        for upload, download in ((102_400, 0), (4096, 204_800), (0, 0)):
            limiting.set_transfer_limits(torrent, upload=upload, download=download)
            there = bench.client.get(torrent)
            assert (there.upload_limit, there.download_limit) == (upload, download)


class SuperSeedsContract:
    def test_super_seeding_is_switched(self, bench):
        torrent = bench.have(make(bench), bench.data)
        for on in (True, False):
            role(bench, roles.SuperSeeds).set_super_seeding(torrent, on=on)
            assert bench.client.get(torrent).super_seeding is on


class ForceStartsContract:
    def test_a_forced_start_is_switched(self, bench):
        torrent = bench.have(make(bench), bench.data)
        role(bench, roles.ForceStarts).set_force_start(torrent, on=True)
        there = bench.client.get(torrent)
        assert (there.force_start, there.state) == (True, TorrentState.SEEDING)
        role(bench, roles.ForceStarts).set_force_start(torrent, on=False)
        assert not bench.client.get(torrent).force_start


class QueueOrderContract:
    """Its bench has a fixture `queueing`, which switches the queue on."""

    def test_a_torrent_is_moved_to_the_front_and_to_the_end(self, bench, queueing):
        del queueing
        ordering = role(bench, roles.QueueOrder)
        torrents = [add(bench, make(bench, f"T{number}", seed=number)) for number in range(3)]
        until(bench, lambda: [ordering.queue_place(torrent) for torrent in torrents] == [1, 2, 3])
        ordering.move_in_queue(torrents[2], first=True)
        until(bench, lambda: [ordering.queue_place(torrent) for torrent in torrents] == [2, 3, 1])
        ordering.move_in_queue(torrents[0], first=False)
        until(bench, lambda: [ordering.queue_place(torrent) for torrent in torrents] == [3, 2, 1])

    def test_what_is_complete_has_no_place(self, bench, queueing):
        del queueing
        torrent = bench.have(make(bench), bench.data)
        assert role(bench, roles.QueueOrder).queue_place(torrent) is None

    def test_an_unknown_torrent_has_no_place(self, bench):
        with pytest.raises(TorrentGone):
            role(bench, roles.QueueOrder).move_in_queue(STRANGER, first=True)


class AutoManagesContract:
    def test_automatic_management_where_the_data_lies_moves_nothing(self, bench):
        managing = role(bench, roles.AutoManages)
        folder = managing.managed_path("films")
        assert str(folder).endswith("/films")
        wanted = make(bench)
        torrent = bench.have(wanted, bench.data)
        if managing.managed_path("") == path(bench.data):
            managing.set_auto_managed(torrent, on=True)
            assert bench.client.get(torrent).auto_managed
        assert bench.client.get(torrent).save_path == path(bench.data)
        assert len(wanted.files()) > 0


class SkipsCheckContract:
    def test_added_without_a_check_it_seeds_once_started(self, bench):
        torrent = add(bench, make(bench), skip_checking=True)
        bench.client.start(torrent)
        until(bench, lambda: state_of(bench, torrent) is TorrentState.SEEDING)

    def test_it_is_complete_before_anything_was_read(self, bench):
        assert role(bench, roles.SkipsCheck).skips_check(renamed=False)
        torrent = add(bench, make(bench), skip_checking=True)
        assert state_of(bench, torrent) is TorrentState.STOPPED_COMPLETE

    def test_renamed_and_without_a_check_it_seeds_once_started(self, bench):
        wanted = make(bench, "Show")
        renames = ((0, "Show/new.bin"),) if bench.client.role(roles.Renames) else ()
        if renames:
            (bench.data / "Show" / "a.bin").rename(bench.data / "Show" / "new.bin")
        torrent = add(bench, wanted, renames=renames, skip_checking=True)
        bench.client.start(torrent)
        until(bench, lambda: state_of(bench, torrent) is TorrentState.SEEDING)


class RelocatesContract:
    def relocated(self, bench, *, running=True):
        """A torrent that was let use a complete copy of its data: (sample, infohash, the new folder)."""
        wanted = make(bench, "Show")
        torrent = bench.have(wanted, bench.data)
        if not running:
            bench.client.stop(torrent)
        there = bench.data / "other disk"
        shutil.copytree(wanted.content, there / "Show")
        role(bench, roles.Relocates).relocate(torrent, path(there))
        return wanted, torrent, there

    @pytest.mark.parametrize("running", [True, False])
    def test_it_uses_the_copy_stopped_and_both_sides_are_left_as_they_were(self, bench, running):
        wanted, torrent, there = self.relocated(bench, running=running)
        assert bench.client.get(torrent).save_path == path(there)
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        assert state_of(bench, torrent) is TorrentState.STOPPED_COMPLETE
        assert len(wanted.files()) == 4
        assert sum(each.is_file() for each in there.rglob("*")) == 4
        assert list(role(bench, roles.Relocates).opened(torrent)) == [
            path(there) / file.path for file in bench.client.files(torrent)
        ]

    def test_it_seeds_from_there_and_a_bad_copy_is_found_by_its_recheck(self, bench):
        _, torrent, there = self.relocated(bench)
        flip(there / "Show" / "a.bin")
        assert checked(bench, torrent) is RecheckVerdict.BAD
        flip(there / "Show" / "a.bin")
        assert checked(bench, torrent) is RecheckVerdict.GOOD
        bench.client.start(torrent)
        until(bench, lambda: state_of(bench, torrent) is TorrentState.SEEDING)

    def test_what_was_persisted_a_kill_does_not_undo(self, bench):
        _, torrent, there = self.relocated(bench)
        role(bench, roles.Relocates).persist(torrent)
        bench.restart()
        assert bench.client.get(torrent).save_path == path(there)
        assert checked(bench, torrent) is RecheckVerdict.GOOD

    def test_category_and_tags_stay(self, bench):
        wanted = make(bench, "Show")
        torrent = bench.have(wanted, bench.data, "films" if bench.client.role(roles.Categories) else "")
        if tagging := bench.client.role(roles.Tags):
            tagging.set_tags(torrent, ["x"])
        before = bench.client.get(torrent)
        there = bench.data / "other disk"
        shutil.copytree(wanted.content, there / "Show")
        role(bench, roles.Relocates).relocate(torrent, path(there))
        now = bench.client.get(torrent)
        assert (now.category, now.tags, now.limits) == (before.category, before.tags, before.limits)

    def test_an_unknown_torrent_is_not_relocated(self, bench):
        relocates = role(bench, roles.Relocates)
        for call in (lambda: relocates.relocate(STRANGER, path(bench.data)), lambda: relocates.persist(STRANGER)):
            with pytest.raises(TorrentGone):
                call()
        with pytest.raises(TorrentGone):
            relocates.opened(STRANGER)


class LocatesContract:
    """Finds a canary where it is, nowhere else, and leaves nothing behind."""

    @pytest.fixture
    def canary(self):
        return Canary.hatch(b"by chance")

    def test_finds_a_canary_and_leaves_nothing_behind(self, bench, canary):
        folder = bench.data / "library [1] ü"
        folder.mkdir()
        (folder / canary.name).write_bytes(canary.content)
        before = snapshot(bench.data)

        assert role(bench, roles.Locates).locate(canary, [path(folder)]) == path(folder)

        assert bench.client.torrents() == []
        assert snapshot(bench.data) == before

    def test_tells_which_of_several_folders_has_it(self, bench, canary):
        folder = bench.data / "b"
        folder.mkdir()
        (folder / canary.name).write_bytes(canary.content)
        (bench.data / "a").mkdir()

        asked = [path(bench.data / name) for name in ("a", "missing", "b")]

        assert role(bench, roles.Locates).locate(canary, asked) == path(folder)
        assert role(bench, roles.Locates).locate(canary, asked, by_reading=True) == path(folder)
        assert bench.client.torrents() == []

    def test_does_not_find_what_is_not_there_and_makes_no_folder(self, bench, canary):
        assert role(bench, roles.Locates).locate(canary, [path(bench.data / "missing"), path(bench.data)]) is None

        assert bench.client.torrents() == []
        assert not (bench.data / "missing").exists()

    def test_leaves_every_other_torrent_as_it_is(self, bench, canary):
        held = bench.have(make(bench), bench.data)
        before = snapshot(bench.data)

        assert role(bench, roles.Locates).locate(canary, [path(bench.data)]) is None

        assert [torrent.id for torrent in bench.client.torrents()] == [held]
        assert snapshot(bench.data) == before

    def test_knows_the_folders_of_its_torrents(self, bench):
        folder = bench.data / "elsewhere"
        folder.mkdir()
        made = make(bench)
        shutil.move(made.content, folder)
        bench.have(made, folder)

        assert path(folder) in role(bench, roles.Locates).folders()


class RemarksContract:
    def test_what_happens_to_what_arrives_is_told_only_where_something_does(self, bench):
        assert tuple(role(bench, roles.Remarks).remarks()) == ()


class TrashesContract:
    def test_what_is_removed_is_deleted_unless_its_options_say_otherwise(self, bench):
        assert role(bench, roles.Trashes).trash() is None


class EveryRoleContract(
    ExportsContract,
    NamesTorrentsContract,
    HasPiecesContract,
    WebSeedsContract,
    PulsesContract,
    SnapshotsContract,
    ListsTrackersContract,
    TellsPrivateContract,
    ConditionsContract,
    CategoriesContract,
    TagsContract,
    DisplayNamesContract,
    RenamesContract,
    PrioritiesContract,
    PartFilesContract,
    OrdersPiecesContract,
    ReannouncesContract,
    EditsTrackersContract,
    RetiresContract,
    EndsSharingContract,
    LimitsSharingContract,
    TransferLimitsContract,
    SuperSeedsContract,
    ForceStartsContract,
    QueueOrderContract,
    AutoManagesContract,
    SkipsCheckContract,
    RelocatesContract,
    LocatesContract,
    RemarksContract,
    TrashesContract,
):
    """For clients that have all of them. Methods of one name would hide each other: a test sees that there are none."""
