"""Bytes that go bad at the destination between transfer, recheck and hand-over: repaired, or the source stays.

The run is the real one, assembled in this process, so that the damage can be done at an exact point: each call of the
destination client is a place where `Saboteur` may act first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from torrent_mover.bootstrap.configs import load
from torrent_mover.bootstrap.run import Assembly, RunOptions
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.move import Mark
from torrent_mover.domain.report.events import MoveFailed
from torrent_mover.ports.client import TorrentClient

pytestmark = pytest.mark.servers

SIZES = {"one.mkv": 500_001, "two": 70_000, "empty": 0}


class Saboteur:
    """The real client; before a call of the name given, `act` is called, as often as it happens."""

    def __init__(self, client: TorrentClient, call: str, act: Callable[[], None]) -> None:
        self._client = client
        self._call = call
        self._act = act

    def role(self, kind):
        """What the client can do beyond the core is called through it, too."""
        found = self._client.role(kind)
        return None if found is None else Saboteur(found, self._call, self._act)

    def __getattr__(self, name):
        if name == self._call:
            self._act()
        return getattr(self._client, name)


def run_with(house, call: str, act: Callable[[], None], mode: str = "sftp") -> tuple[ExitCode, list[MoveFailed]]:
    """A run in this process, with a saboteur between it and the destination client."""
    return assembled(
        house.world.write_config(General={"recheck_stopped_timeout": "5"}, SETTINGS={"transfer_mode": mode}), call, act
    )


def assembled(path: Path, call: str, act: Callable[[], None]) -> tuple[ExitCode, list[MoveFailed]]:
    """The same, of a config that is there."""
    settings, _ = load(path)
    failures: list[MoveFailed] = []
    with Assembly([settings], RunOptions(path)) as assembly:
        world = assembly.run._engine.world
        world.destination = replace(world.destination, client=Saboteur(world.destination.client, call, act))
        assembly.run.subscribe(lambda event: failures.append(event) if isinstance(event, MoveFailed) else None)
        return assembly.run.execute(), failures


class Damage:
    """Changes one byte of a file at the destination, keeping its times; at most `times` times."""

    def __init__(self, path, times: int = 1) -> None:
        self._path = path
        self._left = times
        self.done = 0

    def __call__(self) -> None:
        if not self._left:
            return
        self._left -= 1
        self.done += 1
        before = self._path.stat()
        with self._path.open("r+b") as file:
            file.seek(200_000)
            byte = file.read(1)[0]
            file.seek(200_000)
            file.write(bytes([byte ^ 0x55]))
        os.utime(self._path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("mode", ["sftp", "rsync_upload"])
def test_a_byte_that_goes_bad_before_the_recheck_is_repaired(house, mode):
    """By the range of its piece, or by a delta where rsync brings it."""
    made = house.seed("Show", SIZES)
    files = made.files()
    damage = Damage(house.destination.data / "Show" / "one.mkv")

    code, failures = run_with(house, "add_stopped", damage, mode)

    assert (code, failures, damage.done) == (ExitCode.DONE, [], 1)
    house.assert_moved(made, files)
    house.assert_no_staging()
    with closing(house.journal()) as journal:
        (entry,) = journal.history()
    assert entry.repaired == 1
    assert entry.size < entry.sent <= entry.size + 64 * 1024, "the bad piece alone comes again"


def test_a_client_that_renames_what_is_not_whole_is_repaired_too(house):
    """Where a recheck finds a bad byte, such a client takes the file for a download, and gives it a suffix."""
    wishes = {
        "temp_path_enabled": True,
        "temp_path": f"{house.destination.root}/incomplete",
        "incomplete_files_ext": True,
    }
    house.destination.api.post("app/setPreferences", json=json.dumps(wishes))
    made = house.seed("Show", SIZES)
    files = made.files()
    final = house.destination.data / "Show" / "one.mkv"
    suffixed = final.with_name("one.mkv.!qB")
    damage = Damage(final)
    try:
        code, failures = run_with(house, "recheck", damage)
    finally:
        wishes |= {"temp_path_enabled": False, "incomplete_files_ext": False}
        house.destination.api.post("app/setPreferences", json=json.dumps(wishes))

    assert (code, failures, damage.done) == (ExitCode.DONE, [], 1)
    house.assert_moved(made, files)
    house.assert_no_staging()
    assert not suffixed.exists()


def test_a_file_that_is_bad_again_is_brought_anew_and_no_other_one(house):
    made = house.seed("Show", SIZES)
    files = made.files()
    damage = Damage(house.destination.data / "Show" / "one.mkv", times=2)

    code, failures = run_with(house, "recheck", damage)

    assert (code, failures, damage.done) == (ExitCode.DONE, [], 2)
    house.assert_moved(made, files)
    house.assert_no_staging()
    with closing(house.journal()) as journal:
        (entry,) = journal.history()
    brought = SIZES["one.mkv"] + 2 * 64 * 1024
    assert entry.size + SIZES["one.mkv"] - 64 * 1024 < entry.sent <= entry.size + brought


def test_bytes_that_go_bad_before_every_recheck_end_in_review_and_the_source_stays(house):
    made = house.seed("Show", SIZES)
    files = made.files()
    damage = Damage(house.destination.data / "Show" / "one.mkv", times=99)

    code, (failure,) = run_with(house, "recheck", damage)

    assert code is ExitCode.SOME_FAILED
    assert damage.done == 3, "a recheck, two repairs with a recheck each"
    assert f"--clear-recheck-failure {made.info_hash}" in failure.remedy
    house.assert_at_source(made, files)
    there = house.destination.torrent(made.info_hash)
    assert there["category"] == "review-failed"
    assert there["state"] in ("stoppedDL", "stoppedUP", "pausedDL", "pausedUP")
    with closing(house.journal()) as journal:
        (record,) = journal.moves()
        assert record.mark is Mark.RECHECK_FAILED
        assert not journal.history()

    house.run("--dry-run").ended(0).says("its recheck failed", f"--clear-recheck-failure {made.info_hash}")
    house.move().ended(0)
    house.assert_at_source(made, files)

    house.run("--clear-recheck-failure", made.info_hash[:10]).ended(0)
    house.move("--test-run").ended(0)
    house.assert_arrived(made, files)
    assert house.destination.torrent(made.info_hash)["category"] == made.category


@pytest.mark.parametrize("harm", ["cut short", "removed", "replaced by a link"])
def test_a_file_that_is_harmed_while_it_is_watched_seeding_keeps_the_source(house, harm):
    made = house.seed("Show", SIZES)
    files = made.files()
    path = house.destination.data / "Show" / "two"

    def act() -> None:
        if harm == "cut short":
            os.truncate(path, 10)
        else:
            path.unlink(missing_ok=True)
        if harm == "replaced by a link":
            path.symlink_to(made.content / "two")

    code, (failure,) = run_with(house, "start", act)

    assert code is ExitCode.SOME_FAILED
    assert "Show/two" in failure.what or "does not seed" in failure.what
    house.assert_at_source(made, files)


def test_a_torrent_that_somebody_removes_at_the_destination_keeps_the_source(house):
    made = house.seed("Show", SIZES)
    files = made.files()

    def act() -> None:
        house.destination.remove(made.info_hash)

    code, (failure,) = run_with(house, "pieces", act)

    assert code is ExitCode.SOME_FAILED
    assert failure.remedy
    house.assert_at_source(made, files)

    house.move().ended(0)
    house.assert_moved(made, files)
    with closing(house.journal()) as journal:
        assert journal.history()[0].sent == 0
