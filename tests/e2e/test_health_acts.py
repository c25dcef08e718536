"""What a loop of health does to a real client, named after the promises that each test holds."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.command import Command
from tests.e2e.handover import layout_of, pieces_of
from tests.e2e.health_acts_house import health_house
from tests.e2e.tier_house import tmpfs
from tests.faults.ledger import SERVERS, long_form
from tests.servers import eventually, snapshot
from torrent_mover.adapters.process.ffprobe import has_stream
from torrent_mover.demo.content import sample
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.partfile import part_file_name
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.model import FindingCode, HealthAction

pytestmark = pytest.mark.servers

WRITES = range(1, 16) if long_form() else random.Random(5).sample(range(3, 15), 3)  # noqa: S311

STALLED = {"stalled_after": "0", "unavailable_action": "off", "slow_action": "off"}
STOPPED = ("pausedUP", "stoppedUP", "pausedDL", "stoppedDL")


@pytest.fixture
def house(qbittorrent, tmp_path):
    with health_house(qbittorrent, tmp_path, **STALLED) as house:
        yield house


@pytest.fixture
def house_51(qbittorrent_51, tmp_path):
    """Where the client's version says nothing."""
    with health_house(qbittorrent_51, tmp_path, **STALLED) as house:
        yield house


def contents(folder: Path) -> dict[str, str]:
    """What lies in the files below, whatever times and folders say."""
    return {name: value[4] for name, value in snapshot(folder).items() if value[4]}


def test_a5_and_a36_stalled_torrents_are_replaced_once_and_a_cross_seed_keeps_the_data(house):
    made, torrent = house.half("Show.S01E01")
    house.grab(made, torrent)
    shared, other = house.half("Show.S01E02", seed=2)
    house.grab(shared, other, 2)
    twin = make_torrent(shared.content, piece_length=32 * 1024)
    sibling = house.server.add(twin, house.data, category="x", stopped=True)
    kept = contents(shared.content)

    assert house.done() == [("replace", "done", "")] * 2

    assert (house.row(torrent), house.row(other)) == (None, None)
    assert house.server.torrent(sibling) is not None
    assert contents(shared.content) == kept
    assert house.binned() == [f"Show.S01E01/{name}" for name in ("a.mkv", "c.nfo", "sub/b.srt")]
    assert len(house.library.blocklist) == 2
    assert house.done(looks=2) == []


@pytest.mark.fault("health", "kill -9 at a write of a replacement to the journal", SERVERS)
@pytest.mark.parametrize("write", WRITES)
def test_a5_killed_in_a_replacement_another_process_ends_it(house, write):
    made, torrent = house.half()
    house.grab(made, torrent)
    words = (house.write_config(), torrent.hex, write)
    with Command(*words, home=house.folder, module="tests.e2e.health_actor") as actor:
        actor.end().ended(-signal.SIGKILL)
    if house.resume() in ([], ["dropped"]):
        assert house.act(torrent) == ("done", "")
    assert house.row(torrent) is None
    assert len(house.library.blocklist) == 1
    assert len(house.binned()) == 3
    assert house.resume() == []


@pytest.mark.parametrize("tree", [{"Season 1/a.mkv": 300_000, "Season 1/b.mkv": 70_000}, {"a.mkv": 300_000}])
def test_unfinished_data_goes_into_the_bin_from_the_folder_that_the_client_has_for_it(house, tree):
    unfinished = house.data / "unfinished"
    wishes = {"temp_path_enabled": True, "temp_path": str(unfinished), "incomplete_files_ext": True}
    house.server.api.post("app/setPreferences", json=json.dumps(wishes))
    try:
        made = sample(unfinished, "Show.S01", tree, piece_length=16 * 1024)
        file = next(path for path in made.content.rglob("a.mkv")) if made.content.is_dir() else made.content
        file.write_bytes(b"\0" * file.stat().st_size)
        torrent = InfoHash(house.server.add(made.metainfo, house.data, category="tv"))
        house.server.wait_for(torrent.hex, ("stalledDL", "downloading"))
        house.grab(made, torrent)
        before = contents(made.content) if made.content.is_dir() else {}
        assert house.act(torrent) == ("done", "")
        assert not [path for path in unfinished.rglob("*.mkv*") if ".torrent-mover" not in path.parts]
        assert len(house.binned(unfinished)) == len(tree)
        house.undo(house.last_action())
        assert house.row(torrent) is not None
        assert not before or set(contents(made.content).values()) == set(before.values())
    finally:
        wishes |= {"temp_path_enabled": False, "incomplete_files_ext": False}
        house.server.api.post("app/setPreferences", json=json.dumps(wishes))


@pytest.mark.fault("health", "data is taken elsewhere, and other bytes lie under its names", SERVERS)
def test_a8_lost_data_is_found_again_proven_and_seeds_and_other_bytes_are_not_believed(house):
    made, torrent = house.seed(tree={"a.mkv": 300_000, "b/c.srt": 70_000})
    elsewhere, liar = house.data / "library", house.data / "liar"
    shutil.copytree(made.content, liar / made.name)
    with (liar / made.name / "a.mkv").open("r+b") as stream:
        stream.seek(200_000)
        stream.write(b"other bytes of the same size")
    elsewhere.mkdir()
    made.content.rename(elsewhere / made.name)
    house.server.recheck(torrent.hex)
    eventually(lambda: house.row(torrent)["amount_left"] > 0 or house.row(torrent)["state"] == "missingFiles", 30)
    house.keys |= {"stalled_action": "off"}
    assert house.done() == [("locate", "done", "")]
    house.server.wait_for(torrent.hex)
    there = house.row(torrent)
    assert (there["save_path"].rstrip("/"), there["amount_left"]) == (str(elsewhere), 0)
    before = contents(elsewhere)
    shutil.rmtree(elsewhere)
    house.server.kill()
    house.server.start()
    eventually(lambda: house.row(torrent)["state"] == "missingFiles", 30)
    state, trouble = house.act(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA)
    assert state == "failed"
    assert "are files of its names and sizes, but piece" in trouble
    assert house.row(torrent) is not None
    assert before


def test_a9_what_a_person_marks_as_failed_or_to_be_checked_is_done_by_their_word(house):
    house.keys |= {"stalled_action": "off"}
    made, torrent = house.seed()
    house.grab(made, torrent)
    other, checked = house.seed("Show.S01E02", seed=2)
    house.grab(other, checked, 2)
    assert house.done(looks=1) == []
    house.server.api.post("torrents/createCategory", category="failed")
    house.server.api.post("torrents/createCategory", category="recheck")
    house.server.api.post("torrents/setCategory", hashes=torrent.hex, category="failed")
    house.server.api.post("torrents/setCategory", hashes=checked.hex, category="recheck")
    done = house.done()
    assert ("recheck", "done", "") in done
    if len(done) == 1:
        done += house.done()
    assert ("replace", "done", "") in done
    assert house.row(torrent) is None
    assert len(house.binned()) == 3
    assert len(house.double_asked("/history/failed")) == 1
    house.server.wait_for(checked.hex)
    assert house.row(checked)["category"] == "tv"


@pytest.mark.fault("health", "the disk is read-only", SERVERS)
def test_a10_on_a_disk_that_cannot_be_written_nothing_is_begun_or_removed(house, tmp_path):
    with tmpfs(tmp_path / "disk", "16m") as disk:
        made, torrent = house.half(below=disk)
        house.grab(made, torrent)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        state, trouble = house.act(torrent)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert state == "refused"
        assert "cannot take the data" in trouble
        assert (house.library.blocklist, house.row(torrent) is None) == ([], False)
        assert house.act(torrent, HealthAction.RECHECK, FindingCode.ERRORED) == ("done", "")
        assert house.act(torrent) == ("done", "")
        assert len(house.binned(disk)) == 3
        house.server.clear()


def test_a15_and_a17_it_is_retired_only_after_the_import_and_a_line_that_is_gone_was_blocked(house):
    house.keys |= {"stalled_action": "off", "seed_until": "ratio", "seed_ratio": "0", "seed_goal_action": "retire"}
    made, torrent = house.seed()
    house.grab(made, torrent)
    assert house.done(looks=3) == []
    assert house.row(torrent) is not None
    assert house.library.scan(f"/downloads/{made.name}", torrent.hex.upper(), "Copy")
    assert house.done() == [("retire", "done", "")]
    assert house.row(torrent) is None
    assert len(made.files()) == 3
    assert house.library.blocklist == []

    gone, other = house.half("Show.S01E02", seed=2)
    house.grab(gone, other, 2)
    with house.health() as health, closing(health.world.manager):
        manager = health.world.manager
        refuse = manager.refuse

        def slow(line: int) -> bool:
            house.library.fail(other.hex)  # somebody is faster: the line is gone when we ask
            return refuse(line + 1_000_000)

        manager.refuse = slow
        outcome = health.acts().carry_out(house.order(health, other), house.as_it_is)
    assert (outcome.record.state.value, outcome.trouble) == ("done", "")
    assert len(house.library.blocklist) == 1


def test_a18_undone_it_seeds_again_the_same_pieces_and_the_unselected_file_too(house, swarm):
    sizes = {"a.bin": 100_000, "b.bin": 250_000, "c/c.bin": 90_000, "d.bin": 70_000}
    made = swarm.offer("Partly", sizes, piece_length=32 * 1024)
    swarm.download(house.server, made, without=("b.bin",))
    torrent = InfoHash(made.info_hash)
    house.server.api.post("torrents/createCategory", category="tv")
    house.server.api.post("torrents/setCategory", hashes=torrent.hex, category="tv")
    house.grab(made, torrent)
    part = house.data / part_file_name(torrent)
    before, layout, pieces = contents(house.data), layout_of(house.server, made), pieces_of(house.server, made)
    assert part.exists()
    assert house.act(torrent, code=FindingCode.BAD_MEDIA) == ("done", "")
    assert contents(house.data) != before
    assert not part.exists()

    assert house.undo(1).record.state.value == "undone"

    house.server.wait_for(torrent.hex)
    assert contents(house.data) == before
    assert (layout_of(house.server, made), pieces_of(house.server, made)) == (layout, pieces)
    assert house.row(torrent)["category"] == "tv"
    house.keys |= {"mode": "report"}
    assert house.done(looks=2) == []


def test_a18_over_ssh_the_bin_is_on_the_machine_of_the_client_and_everything_comes_back(house_51, ssh_server):
    house = house_51
    house.client_keys = {"machine": "box"}
    house.more = {
        "MACHINE box": {
            "host": ssh_server.host,
            "port": str(ssh_server.port),
            "username": ssh_server.user,
            "key_file": str(ssh_server.key_file),
            "known_hosts": str(ssh_server.known_hosts),
        }
    }
    made, torrent = house.seed()
    house.grab(made, torrent)
    before, place = contents(made.content), house.row(torrent)["save_path"]
    ssh_server.stop()
    state, trouble = house.act(torrent, code=FindingCode.BAD_MEDIA)
    assert state in ("dropped", "refused"), trouble
    assert (house.library.blocklist, house.row(torrent) is None, contents(made.content)) == ([], False, before)

    ssh_server.start()
    assert house.act(torrent, code=FindingCode.BAD_MEDIA) == ("done", "")
    assert (house.row(torrent), made.content.exists()) == (None, False)
    assert house.binned() == [f"Show.S01E01/{name}" for name in ("a.mkv", "c.nfo", "sub/b.srt")]

    number = house.last_action()
    assert house.undo(number).record.state.value == "undone"
    house.server.wait_for(torrent.hex)
    assert (contents(made.content), house.row(torrent)["save_path"], house.binned()) == (before, place, [])

    elsewhere = house.data / "library"
    elsewhere.mkdir()
    made.content.rename(elsewhere / made.name)
    assert house.act(torrent, HealthAction.LOCATE, FindingCode.LOST_DATA) == ("done", "")
    assert house.row(torrent)["save_path"].rstrip("/") == str(elsewhere)

    assert house.act(torrent, code=FindingCode.BAD_MEDIA) == ("done", "")
    with house.health() as health:
        (gone,) = health.acts().empty_bin(everything=True)
    assert (gone.name, contents(house.data)) == (made.name, {})


def test_a19_five_ways_to_say_when_it_was_seeded_for_long_enough(house):
    house.keys |= {"arr": "", "categories": "tv", "stalled_action": "off", "seed_goal_action": "retire"}
    _, torrent = house.seed()
    for until, ratio, time in (("never", "0", "0"), ("ratio", "9", "0"), ("time", "0", "99d"), ("both", "0", "99d")):
        house.keys |= {"seed_until": until, "seed_ratio": ratio, "seed_time": time}
        assert house.done(looks=2) == [], until
    house.keys |= {"seed_until": "either", "seed_ratio": "0", "seed_time": "99d"}
    assert house.done() == [("retire", "done", "")]
    assert house.row(torrent) is None


def test_a20_ffprobe_tells_good_from_cut_and_believes_no_playlist(tmp_path):
    good, cut, playlist = tmp_path / "-good;$(id).mp4", tmp_path / "cut.mp4", tmp_path / "list.mkv"
    source = ("-f", "lavfi", "-i", "testsrc=duration=1:size=64x64")
    subprocess.run(["ffmpeg", "-v", "quiet", *source, f"file:{good}"], check=True, stdin=subprocess.DEVNULL)
    cut.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{good}\n#EXT-X-ENDLIST\n")
    assert [has_stream(("ffprobe",), LocalPath(str(file)), 30) for file in (good, cut, playlist)] == [
        True,
        False,
        False,
    ]
    assert has_stream(("no-such-ffprobe",), LocalPath(str(good)), 30) is None
    assert has_stream(("sh", "-c", "exec sleep 60"), LocalPath(str(good)), 0.2) is None


def test_a23_what_does_not_fit_is_stopped_and_starts_again_and_a_persons_stop_stays(house, tmp_path):
    house.keys |= {"stalled_action": "off", "arr": "", "categories": "tv", "min_free": "1M"}
    with tmpfs(tmp_path / "disk", "16m") as disk:
        _, first = house.half(tree={"a.mkv": 5 << 20}, below=disk)
        _, persons = house.half("Persons", tree={"a.mkv": 1 << 20}, below=disk, seed=2)
        house.server.stop_torrents(persons.hex)
        ballast = disk / "ballast"
        ballast.write_bytes(b"\1" * (8 << 20))
        assert house.done() == [("pause", "done", "")]
        eventually(lambda: house.row(first)["state"] in STOPPED)
        assert house.done(looks=2) == []
        ballast.unlink()
        assert house.done() == [("resume", "done", "")]
        eventually(lambda: house.row(first)["state"] == "stalledDL")
        assert house.row(persons)["state"] in STOPPED
        house.server.clear()


def test_a24_the_queue_is_sorted_by_priority_and_left_alone_where_it_is_off(house):
    house.keys |= {"stalled_action": "off", "arr": "", "categories": "tv", "attributes": "act", "queue_order": "act"}
    rules = {
        "low.invalid": {"category": "tv", "health": {"priority": 1}},
        "high.invalid": {"category": "tv", "health": {"priority": 9, "tags": ["gold"], "upload_limit": "100K"}},
        "gone.invalid": {"category": "tv", "health": {"remove": True}},
    }
    (house.folder / "tracker_rules.json").write_text(json.dumps(rules))
    _, low = house.half("Low", trackers=("http://low.invalid/announce",))
    trackers = ("http://high.invalid/announce?passkey=secret", "http://gone.invalid/announce")
    _, high = house.half("High", trackers=trackers, seed=2)
    before = house.server.api.json("app/preferences")["queueing_enabled"]
    try:
        house.server.api.post("app/setPreferences", json=json.dumps({"queueing_enabled": False}))
        assert ("adjust", "done", "") in house.done()
        there = house.row(high)
        assert (there["tags"], there["up_limit"]) == ("gold", 100 * 1024)
        urls = [one["url"] for one in house.server.api.json("torrents/trackers", hash=high.hex)]
        assert trackers[0] in urls
        assert trackers[1] not in urls
        house.server.api.post("app/setPreferences", json=json.dumps({"queueing_enabled": True}))
        eventually(lambda: house.row(high)["priority"] > house.row(low)["priority"] > 0)
        assert house.done(looks=1) == []
        eventually(lambda: house.row(low)["priority"] > house.row(high)["priority"] > 0)
    finally:
        house.server.api.post("app/setPreferences", json=json.dumps({"queueing_enabled": before}))
    assert "secret" not in "".join(path.read_text(errors="replace") for path in (house.folder / "log").rglob("*.log"))


def test_a25_unwanted_files_are_left_out_and_rars_stay(house):
    house.keys |= {"stalled_action": "off", "exclude_files": r"^sample\.", "exclude_folders": "^proof$"}
    tree = {"a.mkv": 300_000, "b.rar": 70_000, "sample.mkv": 70_000, "proof/c.jpg": 70_000}
    made, torrent = house.half(tree=tree)
    house.grab(made, torrent)
    assert house.done() == [("skip_files", "done", "")]
    files = {
        one["name"].partition("/")[2]: one["priority"]
        for one in house.server.api.json("torrents/files", hash=torrent.hex)
    }
    assert files == {"a.mkv": 1, "b.rar": 1, "sample.mkv": 0, "proof/c.jpg": 0}
    house.undo(1)
    assert {one["priority"] for one in house.server.api.json("torrents/files", hash=torrent.hex)} == {1}
    assert house.row(torrent)["state"] not in SEEDING_STATES
