"""After the moves the destination client is stopped once, gets what the source has counted, and always runs again."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.fuse import Fuse, Tapped
from tests.servers import eventually
from torrent_mover.adapters.clients.qbittorrent.resume_folder import ResumeFolder
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.domain.errors import ExitCode, NotWritable, ProvisioningError, Unreachable
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.torrent.bencode import decode, encode
from torrent_mover.domain.torrent.sharing import AS_CLIENT, ShareLimits, WhenMet

WRITTEN = sorted((Path(__file__).parents[1] / "fixtures" / "resume").glob("*-v1-*.fastresume"))[0]
COUNTED = {
    "uploaded": 5_000,
    "downloaded": 700,
    "seeding_time": 400_000,
    "added_on": 1_600_000_000,
    "completed_on": 1_600_000_900,
}
SIZE = 40_000
DAMAGED = b"nothing"


class Profile:
    """The destination client's own: what it counts lies in files, which it writes when it stops and reads when it starts."""

    def __init__(self, story) -> None:
        self.story = story
        self.client = story.destination
        self.clock = story.clock
        self.folder = story.folder / "BT_backup"
        self.folder.mkdir()
        shutil.copy(WRITTEN, self.folder / f"{'0' * 40}.fastresume")  # of a torrent that nobody moves
        self.running = True
        self.stops = self.starts = True
        self.orders: list[str] = []
        self.client.before = self._answer
        story.store = self.store

    def _answer(self, *_) -> None:
        if not self.running:
            raise Unreachable("nas:8080 does not answer")

    def store(self, fuse: Fuse) -> ResumeFolder:
        files = Tapped("resume", LocalFileSystem(LocalPath(str(self.folder))), fuse, frozenset({"close"}))
        above = LocalFileSystem(LocalPath(str(self.story.folder)))
        store = ResumeFolder(files, above, self.stop, self.start, self.clock, lambda: False)
        return Tapped("store", store, fuse)

    def file(self, torrent) -> Path:
        return self.folder / f"{torrent.hex}.fastresume"

    def save(self) -> None:
        """Write what is counted, as the client does on its way out."""
        empty = decode(WRITTEN.read_bytes())
        for torrent, held in self.client._held.items():
            row = held.row
            self.file(torrent).write_bytes(
                encode(
                    empty
                    | {
                        b"info-hash": bytes.fromhex(torrent.hex),
                        b"total_uploaded": row.uploaded,
                        b"total_downloaded": row.downloaded,
                        b"active_time": row.seeding_time,
                        b"finished_time": row.seeding_time,
                        b"seeding_time": row.seeding_time,
                        b"added_time": row.added_on,
                        b"completed_time": row.completed_on,
                    }
                )
            )

    def stop(self, _patience: float) -> None:
        self.orders.append("stop")
        if self.stops and self.running:
            self.save()
            self.running = False

    def start(self, _patience: float) -> None:
        self.orders.append("start")
        if not self.starts:
            raise ProvisioningError("the start_command ended with exit code 1")
        if self.running:
            return
        self.running = True
        for torrent in list(self.client._held):
            written = self.file(torrent).read_bytes()
            if written == DAMAGED:
                continue
            root = decode(written)
            self.client.change(
                torrent,
                uploaded=root[b"total_uploaded"],
                downloaded=root[b"total_downloaded"],
                seeding_time=root[b"finished_time"],
                added_on=root[b"added_time"],
                completed_on=root[b"completed_time"],
            )


def following(story) -> Profile:
    """A profile that has a file for a torrent as soon as that is started."""
    made, start = Profile(story), story.destination.start

    def started(torrent):
        start(torrent)
        made.save()

    story.destination.start = started
    return made


@pytest.fixture
def local():
    return True


@pytest.fixture
def profile(story):
    story.policy = replace(story.policy, statistics=True)
    return following(story)


def counted(story, torrent) -> dict[str, object]:
    row = story.destination._held[torrent].row
    return {name: getattr(row, name) for name in COUNTED}


def entry(story, torrent):
    with contextlib.closing(story.journal()) as journal:
        return next(each for each in journal.history() if each.id == torrent)


def owed(story) -> list[object]:
    with contextlib.closing(story.journal()) as journal:
        return [each.torrent for each in journal.owed_statistics()]


def halted(story) -> bool:
    with contextlib.closing(story.journal()) as journal:
        return journal.halted()


def said(story, level: Level, text: str) -> bool:
    return any(isinstance(each, Noticed) and each.level is level and text in each.text for each in story.events)


def test_all_moves_of_a_run_get_theirs_by_one_stop(story, profile):
    torrents = [story.seed(f"Show {number}", SIZE, **COUNTED) for number in range(3)]

    assert story.run() is ExitCode.DONE

    assert profile.orders == ["stop", "start"]
    for torrent in torrents:
        story.assert_moved(torrent)
        assert counted(story, torrent) == COUNTED
        assert (entry(story, torrent).detail[:19], entry(story, torrent).not_carried) == ("statistics carried:", "")
    assert owed(story) == []
    assert [path.suffix for path in profile.folder.iterdir()] == [".fastresume"] * 4

    assert story.run() is ExitCode.DONE
    assert profile.orders == ["stop", "start"]


def test_what_the_destination_has_counted_itself_is_not_lost(story, profile):
    torrent = story.seed(sizes=SIZE, **COUNTED)
    stop = profile.stop

    def count_and_stop(patience):
        story.destination.change(torrent, uploaded=11, seeding_time=12)
        stop(patience)

    profile.stop = count_and_stop
    story.run()

    assert counted(story, torrent) == COUNTED | {"uploaded": 5_011, "seeding_time": 400_012}


def test_nothing_is_owed_where_it_is_not_wanted_or_the_source_keeps_its_copy(story, profile):
    story.policy = replace(story.policy, statistics=False)
    first = story.seed("Show 1", SIZE, **COUNTED)
    story.run()
    story.policy = replace(story.policy, statistics=True, delete_at_source=False)
    second = story.seed("Show 2", SIZE, **COUNTED)
    story.run()

    assert (profile.orders, owed(story)) == ([], [])
    assert "uploaded=5000" in entry(story, first).not_carried
    assert "uploaded=5000" in entry(story, second).not_carried


def test_a_run_that_is_stopped_leaves_it_to_the_next_one(story, profile):
    torrent = story.seed(sizes=SIZE, **COUNTED)
    with contextlib.closing(story.journal()) as journal:
        run = story.build(journal, Fuse())
        story.source.before = lambda method, _: run.stop() if method == "remove" else None
        run.execute()
    assert profile.orders == []

    story.source.before = lambda *_: None
    story.run()

    assert counted(story, torrent) == COUNTED


def test_a_test_run_stops_no_client(story, profile):
    profile.stops = False
    torrent = story.seed(sizes=SIZE, **COUNTED)
    story.run()
    profile.orders.clear()
    story.policy = replace(story.policy, test_run=True)

    story.run()

    assert (profile.orders, owed(story)) == ([], [torrent])


def test_a_run_that_is_stopped_while_the_client_is_has_started_it_when_it_ends(story, profile):
    torrent = story.seed(sizes=SIZE, **COUNTED)
    stop = profile.stop

    def stop_and_be_stopped(patience):
        stop(patience)
        story.clock.stop()

    profile.stop = stop_and_be_stopped
    story.run()
    assert (profile.orders, profile.running) == (["stop", "start"], True)
    assert not said(story, Level.ERROR, "")

    profile.stop = stop
    story.clock._stopped = False
    story.run()
    assert (halted(story), counted(story, torrent)) == (False, COUNTED)


def test_a_client_that_does_not_stop_is_left_alone_and_started_in_any_case(story, profile):
    profile.stops = False
    torrent = story.seed(sizes=SIZE, **COUNTED)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    assert profile.orders == ["stop", "start"]
    assert said(story, Level.WARN, "still answers")
    assert (halted(story), owed(story)) == (False, [torrent])
    assert b"5000" not in profile.file(torrent).read_bytes()


def test_what_fails_is_tried_by_the_next_runs_and_given_up_after_three_stops(story, profile):
    profile.stops = False
    torrent = story.seed(sizes=SIZE, **COUNTED)

    for _ in range(5):
        assert story.run() is ExitCode.DONE

    assert profile.orders == ["stop", "start"] * 3
    assert owed(story) == []
    assert "without success" in entry(story, torrent).detail
    assert "uploaded=5000" in entry(story, torrent).not_carried


def test_a_client_is_not_stopped_for_what_can_be_seen_to_fail(story, profile):
    torrent = story.seed(sizes=SIZE, **COUNTED)
    (story.folder / "torrents.db").touch()

    assert story.run() is ExitCode.DONE

    assert profile.orders == []
    assert said(story, Level.WARN, "torrents.db")
    (story.folder / "torrents.db").unlink()
    story.run()
    assert (profile.orders, counted(story, torrent)) == (["stop", "start"], COUNTED)


def test_one_file_that_is_not_understood_does_not_keep_the_others(story, profile):
    first, second = (story.seed(f"Show {number}", SIZE, **COUNTED) for number in range(2))
    save = profile.save

    def damaged():
        save()
        if profile.file(first).exists():
            profile.file(first).write_bytes(DAMAGED)

    profile.save = damaged

    assert story.run() is ExitCode.DONE

    assert profile.file(first).read_bytes() == DAMAGED
    assert said(story, Level.WARN, "no bencoded dictionary")
    assert (profile.orders, owed(story), counted(story, second)) == (["stop", "start"], [first], COUNTED)


def test_a_client_that_does_not_start_is_an_error_and_the_next_run_starts_it_first(story, profile):
    profile.starts = False
    torrent = story.seed(sizes=SIZE, **COUNTED)

    assert story.run() is ExitCode.SOME_FAILED

    assert said(story, Level.ERROR, "exit code 1")
    assert halted(story)
    profile.starts = True
    assert story.run() is ExitCode.DONE
    assert not halted(story)
    assert said(story, Level.WARN, "it runs again")
    assert counted(story, torrent) == COUNTED


def test_without_a_start_command_a_client_that_was_left_stopped_is_told(story, profile):
    profile.running = False
    with contextlib.closing(story.journal()) as journal:
        journal.save_halted(())
    story.store = None

    story.run()

    assert said(story, Level.ERROR, "start it by hand")
    profile.running = True
    story.run()
    assert not halted(story)


def test_a_torrent_that_the_client_would_remove_for_them_keeps_what_it_has(story, profile):
    story.destination.defaults = ShareLimits(ratio=2.0, when_met=WhenMet.REMOVE_WITH_DATA)
    torrent = story.seed(sizes=SIZE, **(COUNTED | {"uploaded": 3 * SIZE, "downloaded": SIZE, "limits": AS_CLIENT}))

    story.run()

    assert profile.orders == []
    assert owed(story) == []
    assert said(story, Level.WARN, "would remove it")
    story.assert_moved(torrent)


def test_a_torrent_that_its_owner_has_removed_is_let_go(story, profile):
    profile.stops = False
    torrent = story.seed(sizes=SIZE, **COUNTED)
    story.run()
    story.destination.forget(torrent)
    profile.orders.clear()

    story.run()

    assert (profile.orders, owed(story)) == ([], [])
    assert "no longer in" in entry(story, torrent).detail


CHANGES = (
    "before resume.create",
    "before resume.chmod",
    "before resume.writer.write",
    "before resume.sync",
    "before resume.replace",
    "before resume.unlink",
    "before store.",
    "before journal.owe_",
    "before journal.owed_",
    "before journal.save_halted",
    "before journal.forget_halted",
    "before journal.settle_",
)
"""What changes something, or comes after what did: a kill before any other call is one before the next of these."""


def one_to_carry(story):
    """A torrent to move, and the client's own files."""
    story.policy = replace(story.policy, statistics=True)
    return story.seed(sizes=SIZE, **COUNTED), following(story)


@pytest.mark.thorough
def test_killed_at_any_step_of_it_the_client_runs_again_and_everything_is_counted_once(stories):
    number, code = 0, None
    while code is None:
        number += 1
        story = stories()
        torrent, profile = one_to_carry(story)
        fuse = Fuse(lambda label: label.startswith(CHANGES))
        fuse.arm(number, fuse.kill)
        code = story.run(fuse)

        assert story.run() is ExitCode.DONE, fuse.fired

        assert (profile.running, halted(story), owed(story)) == (True, False, []), fuse.fired
        story.assert_moved(torrent)
        assert counted(story, torrent) == COUNTED, fuse.fired
        assert all("torrent-mover" not in path.name for path in profile.folder.iterdir()), fuse.fired
    assert number > 30


def test_failed_at_any_step_of_it_the_move_stands_and_the_next_runs_carry_it(stories):
    number = 0
    while True:
        number += 1
        story = stories()
        torrent, profile = one_to_carry(story)
        fuse = Fuse(lambda label: label.startswith(("before resume.replace", "before store.")))

        def fail(label):
            raise NotWritable(f"{label}: the disk is gone")

        fuse.arm(number, fail)
        story.run(fuse)
        story.assert_moved(torrent)
        if not fuse.fired:
            break
        assert story.run() is ExitCode.DONE, fuse.fired
        assert (profile.running, halted(story), owed(story)) == (True, False, []), fuse.fired
        assert counted(story, torrent) == COUNTED, fuse.fired
    assert number > 5


def test_a_run_that_stays_carries_after_each_round_and_does_not_look_meanwhile(story, profile, monkeypatch):
    from tests.engine.test_rounds import Staying
    from torrent_mover.engine.run import rounds

    monkeypatch.setattr(rounds, "_TICK", 0.02)
    first = story.seed("Show 1", SIZE, **COUNTED)
    with Staying(story) as staying:
        eventually(lambda: counted(story, first) == COUNTED if first in story.destination._held else False)
        staying.watching()
        second = story.seed("Show 2", SIZE, **COUNTED)
        staying.watch.rescan()
        eventually(lambda: profile.orders == ["stop", "start"] * 2)
        eventually(lambda: counted(story, second) == COUNTED)
        staying.watching()
