"""One torrent in trouble: it stays whole at the source, says why, and the others go on."""

from __future__ import annotations

import os
import re
from contextlib import closing, suppress

import pytest

from tests.servers import eventually, snapshot
from torrent_mover.demo.content import sample

pytestmark = [pytest.mark.servers, pytest.mark.logins]

SIZES = {"one.mkv": 300_001, "two": 70_000, "three": 5}


def flip(path, offset=100_000):
    """Change one byte of a file, keeping its times."""
    times = path.stat()
    with path.open("r+b") as file:
        file.seek(offset)
        old = file.read(1)
        file.seek(offset)
        file.write(bytes([old[0] ^ 1]))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


# -- damaged bytes -----------------------------------------------------------------------------------------------------


def test_a_byte_damaged_at_the_source_is_found_and_nothing_is_deleted(house):
    bad = house.seed("Bad", SIZES)
    flip(bad.content / "one.mkv")
    damaged = bad.files()

    result = house.move().ended(1)

    result.says("TM-E216", "one.mkv", "Force a recheck")
    house.assert_at_source(bad, damaged)
    house.assert_nothing_landed(bad)

    again = house.move().ended(0)
    assert again.lines("0 moved, 0 failed")
    house.run("--dry-run").ended(0).says("damaged at the source", f"--clear-corruption {bad.info_hash}")
    house.assert_at_source(bad, damaged)

    flip(bad.content / "one.mkv")
    files = bad.files()
    house.run("--clear-corruption", bad.info_hash[:8]).ended(0).says(bad.info_hash[:8])
    house.move().ended(0)
    house.assert_moved(bad, files)
    house.assert_no_staging()


def test_a_source_file_that_is_missing_or_short_is_named_and_the_others_go_on(house):
    missing = house.seed("Missing", SIZES)
    short = house.seed("Short", SIZES, seed=3)
    fine = house.seed("Fine", SIZES, seed=4)
    files = fine.files()
    for file in ("one.mkv", "two"):
        (missing.content / file).unlink()
    os.truncate(short.content / "one.mkv", 100_000)

    result = house.move().ended(1)

    for one in (missing, short):
        (said,) = result.lines(f"{one.info_hash[:8]} failed: ")
        assert "TM-E215" in said, said
        assert "Force a recheck" in said, said
        assert house.source.torrent(one.info_hash) is not None
        house.assert_nothing_landed(one)
    house.assert_moved(fine, files)


# -- somebody else is at work ------------------------------------------------------------------------------------------


def test_what_somebody_does_to_a_torrent_meanwhile_is_respected_and_the_others_go_on(house):
    removed = house.seed("Removed", 1_500_000)
    renamed = house.seed("Renamed", {"a.bin": 1_500_000, "b.bin": 10}, seed=2)
    regrouped = house.seed("Regrouped", 1_500_000, seed=3)
    other = house.seed("Other", 1_500_000, seed=4)
    whole, files = removed.content.read_bytes(), other.files()
    house.config = {"General": {"sftp_download_limit_mbps": "12"}}
    client = house.source.api

    with house.start("--simple") as command:
        for one in (removed, renamed, regrouped, other):
            command.wait_for(f"{one.info_hash[:8]} start: ")
        house.source.remove(removed.info_hash, delete_files=True)
        client.post("torrents/renameFile", hash=renamed.info_hash, oldPath="Renamed/b.bin", newPath="Renamed/c.bin")
        client.post("torrents/createCategory", category="mine")
        client.post("torrents/setCategory", hashes=regrouped.info_hash, category="mine")
        result = command.end().ended(1)

    (said,) = result.lines(f"{removed.info_hash[:8]} failed: ")
    assert "TM-E301" in said, said
    assert house.destination.torrent(removed.info_hash) is None
    brought = house.destination.data / "Removed"
    assert not brought.exists() or brought.read_bytes() == whole, "half of it under its final name"
    (said,) = result.lines(f"{renamed.info_hash[:8]} failed: ")
    assert "TM-E302" in said, said
    house.assert_at_source(renamed, renamed.files())
    assert (renamed.content / "c.bin").exists()
    (said,) = result.lines(f"{regrouped.info_hash[:8]} failed: ")
    assert "'mine'" in said, said
    house.assert_at_source(regrouped, regrouped.files())
    house.assert_moved(other, files)


# -- names -------------------------------------------------------------------------------------------------------------


def test_a_path_that_leaves_the_folder_is_refused(house):
    tricky = house.seed("Tricky", SIZES)
    fine = house.seed("Fine", SIZES, seed=9)
    files = fine.files()
    rename = {"hash": tricky.info_hash, "oldPath": "Tricky/two", "newPath": "../../escaped"}
    house.source.api.post("torrents/renameFile", **rename)

    def paths():
        return [one["name"] for one in house.source.api.json("torrents/files", hash=tricky.info_hash)]

    eventually(lambda: any(path.startswith("..") for path in paths()))

    result = house.move().ended(1)

    result.says("TM-E303", "../../escaped")
    assert house.source.torrent(tricky.info_hash) is not None
    house.assert_nothing_landed(tricky)
    house.assert_moved(fine, files)
    found = list(house.world.root.rglob("escaped"))
    for path in found:
        path.unlink()
    assert found == [house.world.root / "escaped"], "only where the source client itself has put it"


def test_names_with_control_characters_and_markup_act_on_no_terminal(house):
    made = house.seed("Show", SIZES, trackers=("http://tracker.example/x",))
    name = "[/red]\x1b]0;owned\x07\x1b[2J[bold] \u202egnp.exe\x9b31m {0} %s"
    house.source.api.post("torrents/rename", hash=made.info_hash, name=name)
    assert "\x1b" in house.source.torrent(made.info_hash)["name"]
    files = made.files()

    results = [house.run("--dry-run").ended(0), house.move().ended(0)]

    for result in results:
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", result.text), result.text
        result.says(r"[/red]\x1b]0;owned\x07\x1b[2J", "{0} %s")
    house.assert_moved(made, files)


def test_a_line_break_in_a_name_cannot_forge_a_line(house):
    made = house.seed("Show", 70_000)
    house.source.api.post("torrents/rename", hash=made.info_hash, name="x\n2026-01-01 00:00:00 INFO  forged")

    table = house.run("--dry-run").ended(0)

    assert not table.lines("^2026-01-01")


# -- something is in the way -------------------------------------------------------------------------------------------


def test_another_file_of_that_name_is_a_collision_and_stays_untouched(house):
    blocked = house.seed("Blocked", SIZES)
    single = house.seed("Single.mkv", 200_000, seed=3)
    fine = house.seed("Fine", SIZES, seed=4)
    files = fine.files()
    theirs = house.destination.data / "Blocked"
    theirs.mkdir()
    (theirs / "one.mkv").write_bytes(b"somebody else's" * 1000)
    (theirs / "notes.txt").write_text("keep me")
    (house.destination.data / "Single.mkv").write_bytes(b"also theirs")
    before = {**snapshot(theirs), "single": (house.destination.data / "Single.mkv").read_bytes()}

    result = house.move().ended(1)

    result.says("TM-E304", "one.mkv", "Single.mkv")
    after = {**snapshot(theirs), "single": (house.destination.data / "Single.mkv").read_bytes()}
    assert after == before
    for one in (blocked, single):
        house.assert_at_source(one, one.files())
        assert house.destination.torrent(one.info_hash) is None
    house.assert_moved(fine, files)


def test_files_that_are_there_already_are_used_and_not_sent_again(house):
    made = house.seed("Half There", {"one.mkv": 6 * 65_536, "two": 70_000, "three": 5})
    files = made.files()
    theirs = house.destination.data / "Half There"
    theirs.mkdir()
    (theirs / "one.mkv").write_bytes(files["Half There/one.mkv"])
    (theirs / "notes.txt").write_text("keep me")

    house.move().ended(0)

    house.assert_moved(made, files)
    assert (theirs / "notes.txt").read_text() == "keep me"
    with closing(house.journal()) as journal:
        (entry,) = journal.history()
    assert entry.reused >= 5 * 65_536
    assert entry.sent + entry.reused == entry.size


def test_a_symbolic_link_in_the_way_is_not_followed(house, tmp_path):
    made = house.seed("Linked", SIZES)
    outside = tmp_path / "outside"
    outside.mkdir()
    (house.destination.data / "Linked").symlink_to(outside)

    house.move().ended(1)

    assert list(outside.iterdir()) == []
    assert (house.destination.data / "Linked").is_symlink()
    house.assert_at_source(made, made.files())


def test_a_torrent_that_the_destination_has_elsewhere_is_left_alone_on_both_sides(house):
    made = house.seed("Elsewhere", 200_000)
    files = made.files()
    there = house.destination.root / "other place"
    copy = sample(there, "Elsewhere", 200_000)
    house.destination.add(made.metainfo, there, category="theirs")
    house.destination.wait_for(made.info_hash)
    before = house.destination.torrent(made.info_hash)

    result = house.move().ended(1)

    result.says("TM-E304", str(there))
    house.assert_at_source(made, files)
    after = house.destination.torrent(made.info_hash)
    assert (after["state"], after["save_path"], after["category"]) == (
        before["state"],
        before["save_path"],
        before["category"],
    )
    assert copy.content.read_bytes() == files["Elsewhere"]
    assert not (house.destination.data / "Elsewhere").exists()


def test_a_destination_client_that_dies_meanwhile_costs_nothing(house):
    made = house.seed("Patient", 2_000_000)
    files = made.files()
    house.config = {"General": {"sftp_download_limit_mbps": "8"}}

    with house.start("--simple") as command:
        command.wait_for(" start: ")
        house.destination.kill()
        try:
            command.wait_for("retry 1/|failed: ")
        finally:
            house.destination.start()
        result = command.end()

    if result.code:
        house.assert_at_source(made, files)
        house.move().ended(0)
    house.assert_moved(made, files)


def test_a_dropped_ssh_connection_is_taken_up_again(house):
    made = house.seed("Interrupted", 6_000_000)
    files = made.files()
    house.config = {"General": {"sftp_download_limit_mbps": "12"}}

    with house.start("--simple") as command:
        command.wait_for(" start: ")
        staged = house.destination.data / ".torrent-mover" / made.info_hash / "Interrupted"
        eventually(lambda: staged.exists() and staged.stat().st_blocks * 512 > 1_000_000)
        for pid in reversed(house.world.ssh.children()):
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        command.end().ended(0)

    house.assert_moved(made, files)
    with closing(house.journal()) as journal:
        (entry,) = journal.history()
    assert entry.sent < entry.size * 1.5
    assert house.world.source.torrent(made.info_hash) is None


# -- one folder for both -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["sftp", "sftp_upload"])
def test_clients_that_share_a_folder_both_keep_their_only_copy(house, mode):
    """As with two clients on one machine, or the seedbox's disk mounted at home."""
    made = house.seed("Shared", SIZES)
    files = made.files()
    shared = house.world.root / f"another name in {mode}"
    shared.symlink_to(house.source.data)
    house.config = {"DESTINATION_PATHS": {"destination_path": str(shared)}, "SETTINGS": {"transfer_mode": mode}}

    result = house.move().ended(1)

    result.says("TM-E304", f"another name in {mode}/Shared is the same folder", "destination_path")
    house.assert_at_source(made, files)
    assert house.destination.torrent(made.info_hash) is None
    assert sorted(path.name for path in made.content.iterdir()) == sorted(SIZES)
