"""A client without any role moves as source, as destination and as both, on real files; what cannot be carried is told."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import replace

import pytest

from tests.cli.schemas import fits
from tests.engine.fuse import Fuse
from tests.engine.story import CATEGORY, FILES, PIECE, SAVE, TARGET, Story
from tests.fakes.client import FakeClient, FolderDisk
from tests.fakes.clock import FakeClock
from tests.fakes.core_client import CoreClient
from tests.faults.ledger import DOUBLES, trying
from tests.faults.points import dealt
from torrent_mover.adapters.local.filesystem import LocalFileSystem
from torrent_mover.bootstrap.plans import Preview
from torrent_mover.commands.dry_run import RoutePreview, as_table, joined
from torrent_mover.demo.content import write_content
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.errors import ClientLacks, ExitCode
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.report.events import MoveFailed, Noticed
from torrent_mover.domain.torrent.attributes import with_sources
from torrent_mover.domain.torrent.manifest import Manifest
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import FilePriority, TorrentState
from torrent_mover.duties.moving.categorize import ClientCategorizer
from torrent_mover.duties.moving.checks import Checks, Reach
from torrent_mover.duties.moving.foresight import foresee
from torrent_mover.duties.moving.planner import Planner
from torrent_mover.duties.moving.selection import SelectionPolicy
from torrent_mover.engine.delivery.places import Destination, Source
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.preflight.examination import Doubt
from torrent_mover.engine.preflight.source import SourceTree
from torrent_mover.engine.run.work import Plan
from torrent_mover.transfer.through import ReadingThrough
from torrent_mover.transfer.traced import is_probe

TORRENTS = ClientPath("/seed/torrents")
RICH = {
    "tags": ("a", "b c"),
    "upload_limit": 1000,
    "limits": ShareLimits(ratio=2.0),
    "super_seeding": True,
    "force_start": True,
    "auto_managed": True,
    "sequential": True,
}


class LocalStory(Story):
    """The story over real folders of this machine; `world` is `/` of both clients."""

    def __init__(self, folder, source, destination):
        super().__init__(folder)
        self.world = folder / "world"
        for each in (ClientPath(f"{SAVE}/of others"), TARGET, TORRENTS):
            self.at(each).mkdir(parents=True)
        self.here = ReadingThrough(LocalFileSystem(LocalPath(str(self.at(SAVE)))))
        self.there = LocalFileSystem(LocalPath(str(self.at(TARGET))))
        disk = FolderDisk(self.world)
        self.source = source(self.clock, disk, name="seedbox:1")
        self.destination = destination(self.clock, disk, name="nas:1")
        self.category = CATEGORY if isinstance(self.source, FakeClient) else ""
        self.look = None
        self.torrent_folder = None if isinstance(self.source, FakeClient) else TORRENTS

    def at(self, place):
        return self.world / str(place).lstrip("/")

    def opened(self, at, here):
        return here if at == SAVE else ReadingThrough(LocalFileSystem(LocalPath(str(self.at(at)))))

    def _real(self, place):
        return str(place)

    def seed(self, name="Show", sizes=FILES, *, renames=None, **fields):
        made = write_content(self.at(SAVE) / name, sizes, len(self.contents))
        metainfo = make_torrent(made, version="v1", piece_length=PIECE)
        for old, new in (renames or {}).items():
            (self.at(SAVE) / old).rename(self.at(SAVE) / new)
        if isinstance(self.source, FakeClient):
            torrent = self.source.seed(metainfo, SAVE, category=CATEGORY, renames=renames, **fields)
        else:
            torrent = self.source.seed(metainfo, SAVE)
            (self.at(TORRENTS) / f"{torrent.hex.upper()}.torrent").write_bytes(metainfo)
        self.contents[torrent] = self.found(SAVE)
        self.metainfo[torrent] = metainfo
        return torrent

    def found(self, place):
        """What lies there, but for probes of killed runs: those are swept up before a real run, by what is written down."""
        top = self.at(place)
        files = [each for each in sorted(top.rglob("*")) if each.is_file() and not is_probe(each.name)]
        return {str(each.relative_to(top)): each.read_bytes() for each in files}

    def preview(self):
        return Preview(self.plan(), self.clock.now(), foresight=self.foreseen())

    def plan(self):
        return Planner(self.source, None, SelectionPolicy(self.category), lambda: self.rules).plan()

    def foreseen(self):
        source = Source("seedbox", self.source, lambda at: self.opened(at, self.here), str, self.torrent_folder)
        destination = Destination("nas", self.destination, self.there, TARGET, local=True)
        return foresee(source, destination, self.plan(), self.clock.monotonic)

    def assert_moved(self, torrent):
        assert self.found(TARGET) == self.contents[torrent]
        assert self.found(SAVE) == {}
        assert self.source.get(torrent) is None
        assert self.destination.get(torrent).state is TorrentState.SEEDING
        with contextlib.closing(self.journal()) as journal:
            assert journal.move(torrent) is None
            assert json.loads(journal.certificate_text(torrent))["torrent"] == torrent.hex
        assert [certificate.torrent for certificate in self.source.removed] == [torrent]

    def said(self):
        return [event.text for event in self.events if isinstance(event, Noticed)]

    def failed(self):
        return [event for event in self.events if isinstance(event, MoveFailed)][-1]


class LocalStoryOf(LocalStory):
    """A story with one small torrent in it."""

    def __init__(self, folder, pair):
        super().__init__(folder, *pair)
        self.torrent = self.seed(sizes={"a": PIECE + 1, "b/c": 10})


PAIRS = {
    "as source": (CoreClient, FakeClient),
    "as destination": (FakeClient, CoreClient),
    "as both": (CoreClient, CoreClient),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_it_moves(tmp_path, pair):
    story = LocalStory(tmp_path, *pair)
    torrent = story.seed()

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)


@pytest.mark.fault("moves", "clients that have a core alone: killed at a stage", DOUBLES)
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize(
    "label", ["before here.reader", "after destination.add_stopped", "before source.remove", "after source.remove"]
)
def test_it_moves_where_a_run_was_killed(tmp_path, pair, label):
    story = LocalStory(tmp_path, *pair)
    torrent = story.seed()
    story.run_until(label)

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)


@pytest.mark.thorough
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_killed_before_and_after_every_change_it_moves_in_the_end(tmp_path, pair):
    """The pairs share the points."""
    changes = ("journal.save", "journal.add_history", "journal.confirm", "journal.forget", "there.rename", "there.sync")
    orders = ("destination.add", "destination.recheck", "destination.start", "source.remove")

    def wanted(label):
        return label.partition(" ")[2].startswith((*changes, *orders))

    whole = Fuse(wanted)
    LocalStoryOf(tmp_path / "whole", pair).run(whole)
    assert whole.count >= 40
    with trying("moves", "clients that have a core alone: killed before and after each change") as tried:
        for at in dealt(list(PAIRS.values()).index(pair), len(PAIRS)):
            if at > whole.count:
                break
            story = LocalStoryOf(tmp_path / str(at), pair)
            fuse = Fuse(wanted)
            fuse.arm(at, fuse.kill)
            tried.injected()
            assert story.run(fuse) is None, fuse.fired
            assert story.found(TARGET) == story.contents[story.torrent] or story.source.get(story.torrent), fuse.fired
            assert story.run() is ExitCode.DONE, fuse.fired
            story.assert_moved(story.torrent)


def rot(story):
    with (story.at(TARGET) / "Show" / "folder" / "second.bin").open("r+b") as file:
        file.seek(PIECE)
        file.write(b"rotten")


@pytest.mark.fault("moves", "a bit flips at rest before the client's check", DOUBLES)
@pytest.mark.parametrize("local", [True, False], ids=["local", "remote"])
def test_bytes_that_rot_before_its_check_are_found_and_brought_again(tmp_path, local):
    story = LocalStory(tmp_path, FakeClient, CoreClient)
    story.local = local
    torrent = story.seed()
    fuse = Fuse(lambda label: label == "before destination.recheck")
    fuse.arm(1, lambda _label: rot(story))
    assert story.run(fuse) is ExitCode.DONE

    story.assert_moved(torrent)
    assert story.destination.rechecks == 2


def test_data_that_stays_bad_is_set_aside_stopped_and_the_source_stays(tmp_path):
    story = LocalStory(tmp_path, FakeClient, CoreClient)
    torrent = story.seed()

    class Always(Fuse):
        def touch(self, label):
            if label == "before destination.recheck":
                rot(story)
            super().touch(label)

    fuse = Always()
    assert story.run(fuse) is ExitCode.SOME_FAILED

    assert story.failed().code == "TM-E305"
    assert "category" not in story.failed().kept
    assert story.source.get(torrent) is not None
    assert story.found(SAVE) == story.contents[torrent]
    assert story.destination.get(torrent).state is TorrentState.STOPPED_INCOMPLETE


def test_what_it_cannot_be_given_is_told_before_while_and_after(tmp_path):
    story = LocalStory(tmp_path, FakeClient, CoreClient)
    torrent = story.seed(**RICH)
    story.source.change(torrent, name="Another name")
    story.source.managed_paths[CATEGORY] = SAVE
    story.source._held[torrent].priorities = {0: FilePriority.HIGH}
    lost = (
        f"its category ({CATEGORY})",
        "its tags (a, b c)",
        "its name",
        "the limits of its rates",
        "sequential download",
        "the priorities of its files",
        "its share limits",
        "super seeding",
        "its forced start",
        "automatic management",
    )
    assert story.foreseen().not_taken == {torrent: lost}
    assert f"not carried: {', '.join(lost)}\n" in as_table(story.preview())
    (row,) = fits("dry-run", joined([RoutePreview("films", story.preview())]))["moves"]
    assert (row["route"], row["not_taken"]) == ("films", list(lost))

    assert story.run() is ExitCode.DONE

    story.assert_moved(torrent)
    told = f"nas:1 cannot be given all that it has; not carried: {', '.join(lost)}"
    assert story.said().count(told) == 1
    assert story.history()[0].not_carried.endswith("; " + "; ".join(lost))


def test_what_has_nothing_to_lose_says_nothing(tmp_path):
    story = LocalStory(tmp_path, CoreClient, CoreClient)
    torrent = story.seed()
    assert story.foreseen().not_taken == {}
    assert story.run() is ExitCode.DONE
    assert story.said() == []
    assert story.history()[0].id == torrent
    assert ";" not in story.history()[0].not_carried


def test_to_a_client_that_has_every_role_nothing_is_lost(tmp_path):
    story = LocalStory(tmp_path, FakeClient, FakeClient)
    torrent = story.seed(**RICH)
    story.source.change(torrent, name="Another name")
    assert story.foreseen().not_taken == {}
    assert "not carried:" not in as_table(story.preview())
    assert story.run() is ExitCode.DONE
    there = story.destination.get(torrent)
    assert (there.tags, there.name, there.limits) == (RICH["tags"], "Another name", RICH["limits"])


def refused(story, torrent, code):
    """It is refused before the run and by the run, in the same words, and nothing was done."""
    before = story.found(SAVE)
    (foreseen,) = story.foreseen().refused
    assert (foreseen.id, foreseen.code) == (torrent, code)
    assert story.run() is ExitCode.SOME_FAILED
    failed = story.failed()
    assert (failed.code, failed.what) == (code, foreseen.what)
    assert failed.remedy
    assert (story.found(SAVE), story.found(TARGET)) == (before, {})
    assert story.destination.get(torrent) is None
    return failed


def test_renamed_files_are_refused_where_it_cannot_rename(tmp_path):
    story = LocalStory(tmp_path, FakeClient, CoreClient)
    torrent = story.seed(renames={"Show/tiny": "Show/tiny too much"})
    assert "'Show/tiny too much'" in refused(story, torrent, "TM-E308").what


def test_a_torrent_with_unselected_files_is_refused(tmp_path):
    story = LocalStory(tmp_path, FakeClient, CoreClient)
    torrent = story.seed(sizes={"a": 2 * PIECE, "b": 2 * PIECE})
    story.source._held[torrent].priorities = {1: FilePriority.SKIP}
    story.source._show()
    assert "are not selected" in refused(story, torrent, "TM-E308").what


def test_without_a_folder_of_torrents_a_source_that_exports_nothing_is_refused_with_the_key_to_set(tmp_path):
    story = LocalStory(tmp_path, CoreClient, FakeClient)
    torrent = story.seed()
    story.torrent_folder = None
    assert "torrent_folder =" in refused(story, torrent, "TM-E307").remedy


def test_a_torrent_that_is_not_in_the_folder_is_refused_and_one_under_a_false_name_too(tmp_path):
    story = LocalStory(tmp_path, CoreClient, FakeClient)
    torrent = story.seed()
    file = story.at(TORRENTS) / f"{torrent.hex.upper()}.torrent"
    other = make_torrent(write_content(tmp_path / "Other", {"x": 100_000}, 9), version="v1", piece_length=PIECE)
    file.write_bytes(other)
    shutil.rmtree(tmp_path / "Other")
    assert Manifest.parse(other).hashes.client_id.short in refused(story, torrent, "TM-E303").what
    story.events.clear()
    file.unlink()
    assert torrent.hex in refused(story, torrent, "TM-E307").what
    file.with_name(f"{torrent.hex}.torrent").write_bytes(story.metainfo[torrent])
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)


def test_certified_hand_over_falls_back_to_its_recheck_and_no_move_says_so(tmp_path):
    story = LocalStory(tmp_path, FakeClient, CoreClient)
    story.policy = replace(story.policy, certified=True)
    torrent = story.seed()
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert story.destination.rechecks == 1
    assert not any("check" in text for text in story.said())


class Box:
    """An SSH server that nobody asks here."""

    place = "seedbox:22"


def checks(story, **policy):
    """The checks before a run, by name."""
    source = Source("seedbox", story.source, lambda _: story.here)
    destination = Destination("nas", story.destination, story.there, TARGET, local=True)
    reach = Reach(str, (Box(),), (), SourceTree(lambda _: story.here, lambda: None, str), story.there, str)
    space = ReservedSpace(story.there, None, dict)
    made = Checks(source, destination, replace(story.policy, **policy), reach, space, None, story.clock, CATEGORY, 1)
    return {check.name: check for check in (*made.first(), *made.room(Plan((), ())))}


def test_the_checks_before_a_run_say_once_what_such_a_client_cannot_tell(tmp_path):
    story = LocalStory(tmp_path, CoreClient, CoreClient)
    asked = checks(story, certified=True)
    with pytest.raises(Doubt, match="checks each torrent itself, whatever handover says"):
        asked["who checks the data"].ask()
    assert not asked["who checks the data"].fatal
    with pytest.raises(Doubt, match="cannot be asked whether it sees"):
        asked["path as destination client sees it"].ask()
    assert asked["what arrives there"].ask() == "no other automation acts on it"
    assert asked["what leaves there"].ask() == "its data is deleted"
    assert story.found(TARGET) == {}


def test_with_the_role_or_without_the_setting_nothing_is_said_of_who_checks(tmp_path):
    assert "who checks the data" not in checks(LocalStory(tmp_path / "1", CoreClient, CoreClient))
    asked = checks(LocalStory(tmp_path / "2", CoreClient, FakeClient), certified=True)
    assert "own read-back" in asked["who checks the data"].ask()


def test_sorting_the_torrents_of_a_client_without_categories_is_refused():
    with pytest.raises(ClientLacks, match="has no categories") as refusal:
        ClientCategorizer(CoreClient(FakeClock()), None, "films")
    assert (refusal.value.code, refusal.value.exit_code) == ("TM-E128", ExitCode.PREFLIGHT_REFUSED)


def test_web_seeds_stay_where_the_source_does_not_tell_and_are_told_where_the_destination_has_none(tmp_path):
    story = LocalStory(tmp_path, FakeClient, CoreClient)
    torrent = story.seed()
    held = story.source._held[torrent]
    held.metainfo = with_sources(held.metainfo, (), ("http://one.invalid/f/",))
    assert with_sources(held.metainfo, (), None) == held.metainfo
    assert story.run() is ExitCode.DONE
    story.assert_moved(torrent)
    assert any("its web seeds" in text for text in story.said())
