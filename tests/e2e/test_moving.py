"""A run moves torrents of every shape, whole; a dry run changes nothing; a test run keeps the source."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from tests.cli.schemas import fits
from tests.conftest import program_of
from tests.e2e.house import House, told
from tests.servers import eventually
from torrent_mover.demo.world import CATEGORY, OTHER_CATEGORY, DemoWorld
from torrent_mover.domain.move import Outcome

pytestmark = pytest.mark.servers

FEW = {"Season 1/one.mkv": 300_001, "cover [1080p].jpg": 5_000, "empty": 0}


def test_torrents_of_every_shape_move_in_one_run(house):
    samples = house.world.seed_samples()
    files = {one.info_hash: one.files() for one in samples}
    wanted = [one for one in samples if one.category == CATEGORY]
    (others,) = [one for one in samples if one.category == OTHER_CATEGORY]
    before = told(house.source)["torrents"][others.info_hash]

    result = house.move("--parallel-jobs", "8").ended(0)

    for one in wanted:
        house.assert_moved(one, files[one.info_hash])
        house.assert_at_source(others, files[others.info_hash])
    assert told(house.source)["torrents"] == {others.info_hash: before}
    house.assert_no_staging()
    assert len(result.lines(" start: ")) == len(result.lines(" done: .*source deleted")) == len(wanted)
    (end,) = result.lines(r"run \w+ end: ")
    assert "5 moved, 0 failed" in end
    assert end.endswith("exit 0")
    assert all(": notice: " in line for line in result.err.splitlines())
    with closing(house.journal()) as journal:
        assert not journal.moves()
        history = {entry.id.hex: entry for entry in journal.history()}
        assert set(history) == {one.info_hash for one in wanted}
        for entry in history.values():
            assert (entry.outcome, entry.confirmed, entry.sent + entry.reused) == (Outcome.MOVED, True, entry.size)
            assert json.loads(journal.certificate_text(entry.id))


def test_what_the_source_client_knew_is_known_at_the_destination(house):
    made = house.seed("Show", FEW, trackers=("http://tracker.example/passkey/announce",))
    house.source.api.post("torrents/addTags", hashes=made.info_hash, tags="hd,late night")
    house.source.api.post("torrents/rename", hash=made.info_hash, name="My own name for it")
    house.source.api.post("torrents/setUploadLimit", hashes=made.info_hash, limit="102400")
    renamed = {"Show/Season 1/one.mkv": "Show/Season One/episode 1.mkv"}
    for old, new in renamed.items():
        house.source.api.post("torrents/renameFile", hash=made.info_hash, oldPath=old, newPath=new)
    eventually(
        lambda: "Show/Season One/episode 1.mkv" in made.files(), 20
    )  # the client renames on disk behind its answer
    files = made.files()

    result = house.move().ended(0)

    house.assert_moved(made, files)
    there = house.destination.torrent(made.info_hash)
    assert (there["name"], there["category"], there["up_limit"]) == ("My own name for it", CATEGORY, 102400)
    assert {tag.strip() for tag in there["tags"].split(",")} == {"hd", "late night"}
    assert not there["auto_tmm"]
    assert "passkey" not in result.text
    assert "passkey" not in "".join(log.read_text() for log in (house.world.root / "log").iterdir())


def test_a_run_with_nothing_to_move_is_done(house):
    house.seed("Somebody Else's", 70_000, category=OTHER_CATEGORY)
    before = house.picture()

    result = house.move().ended(0)

    assert result.lines("0 moved, 0 failed")
    after = house.picture()
    for part in ("source", "destination", "source files", "destination files"):
        assert after[part] == before[part], part


def test_a_dry_run_changes_nothing_at_all(house):
    made = house.seed("Show", FEW)
    left = house.have_half("Half There")
    house.seed("Somebody Else's", 70_000, category=OTHER_CATEGORY)
    house.world.write_config()
    house.home.mkdir()
    before = house.picture()

    table = house.run("--dry-run").ended(0)
    data = house.run("--dry-run", "--json").ended(0)

    assert house.picture() == before
    table.says("1 torrent would be moved", made.info_hash[:8], "Show", "1 torrent would stay", "50.0 % complete")
    plan = fits("dry-run", json.loads(data.out))
    assert (plan["schema"], plan["size"]) == (1, 305_001)
    (move,) = plan["moves"]
    assert (move["infohash"], move["name"], move["size"]) == (made.info_hash, "Show", 305_001)
    assert (move["category"], move["target_category"]) == (CATEGORY, CATEGORY)
    assert set(move["not_carried"]) == {"uploaded", "downloaded", "ratio", "seeding_time", "added_on", "completed_on"}
    table.says("Not carried over (no client allows it): 0 B uploaded")
    (stays,) = plan["not_moved"]
    assert (stays["infohash"], stays["reason"]) == (left.info_hash, "50.0 % complete")


def test_a_test_run_keeps_the_source_and_what_follows_sends_nothing_again(house):
    made = house.seed("Show", FEW)
    files = made.files()

    first = house.move("--test-run").ended(0)

    house.assert_at_source(made, files)
    house.assert_arrived(made, files)
    assert first.lines(" done: .*source kept")

    house.move().ended(0)

    house.assert_moved(made, files)
    house.assert_no_staging()
    with closing(house.journal()) as journal:
        newest = journal.history()
    assert [(entry.outcome, entry.sent, entry.reused) for entry in newest] == [
        (Outcome.MOVED, 0, 305_001),
        (Outcome.COPIED, 305_001, 0),
    ]


def test_delete_after_transfer_off_keeps_the_source(house):
    made = house.seed("Single.mkv", 200_000)
    files = made.files()
    house.config = {"SOURCE_CLIENT": {"delete_after_transfer": "false"}}

    house.move().ended(0)

    house.assert_at_source(made, files)
    house.assert_arrived(made, files)


def test_data_that_another_torrent_of_the_source_uses_is_not_deleted(house):
    made = house.seed("Shared", FEW)
    files = made.files()
    sibling = house.seed_again(made, category=OTHER_CATEGORY, trackers=("http://other.example/announce",))

    result = house.move().ended(0)

    house.assert_arrived(made, files)
    assert house.source.torrent(made.info_hash) is None
    assert made.files() == files
    assert house.source.state(sibling) == "stalledUP"
    result.says("shared with", sibling[:8])


def test_a_newer_client_hands_over_to_an_older_one(open_folder, tmp_path):
    programs = {"source_program": program_of("5.1"), "destination_program": program_of("4.5")}
    with DemoWorld(open_folder / "5.1 to 4.5", **programs) as world:
        house = House(world, tmp_path / "home")
        made = [house.seed("Season [1] – «Ünïcode»", FEW), house.seed("Hybrid", FEW, version="hybrid")]
        files = {one.info_hash: one.files() for one in made}

        house.move().ended(0)

        for one in made:
            house.assert_moved(one, files[one.info_hash])
        house.assert_no_staging()
