"""Every call that an action of health makes is the last of its process, fails once, or is obeyed unheard: it ends once and well."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from tests.duties.health.acting_house import ActingHouse, acting_house
from tests.engine.fuse import Fuse, Killed, Tapped
from tests.faults.ledger import trying
from tests.faults.points import dealt, memory_folder
from torrent_mover.bootstrap.health.acting import build_acts
from torrent_mover.demo.torrents import make_torrent
from torrent_mover.domain.arrs.errors import ArrUnreachable
from torrent_mover.domain.errors import ConnectionLost, DiskFull, MoverError, NotWritable, Unreachable
from torrent_mover.domain.torrent.torrent import FilePriority, TorrentState, Tracker
from torrent_mover.duties.health.attributes import AttributeChange
from torrent_mover.duties.health.health_journal import KeptHealthJournal
from torrent_mover.duties.health.model import ActionState, FindingCode, HealthAction, Picture

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(1200)]

PART = 24
"""In `make test` each story meets one of so many of its points; in the long form each of them."""
LOOKS = 4
CHANGES = {
    "client": (
        "stop", "start", "retire", "recheck", "relocate", "reannounce", "add_stopped", "add_tracker", "remove_tracker",
        "rename_file", "move_in_queue", "set_",
    ),
    "arr": ("refuse", "fail_grab", "refresh"),
    "files": ("make_folders", "create", "rename", "unlink", "remove_folder", "link", "copy", "sync"),
    "journal": ("put", "replace", "delete", "append", "keep_last"),
    "searches": ("wish",),
}  # fmt: skip
CHANGING = tuple(f"{who}.{call}" for who, calls in CHANGES.items() for call in calls)


def is_change(label: str) -> bool:
    return label.partition(" ")[2].startswith(CHANGING)


def fatal(label: str) -> bool:
    """Where a process is killed: before each question, before and behind each change."""
    return label.startswith("before ") or is_change(label)


FAILING: dict[str, tuple[str, Any]] = {
    "client": ("every call to its client fails once", lambda: Unreachable("away")),
    "arr": ("every call to its Arr fails once", lambda: ArrUnreachable("away")),
    "files": ("every call to the disk fails once", lambda: NotWritable("Input/output error")),
    "connection": ("every call to the disk of another machine is cut", lambda: ConnectionLost("gone")),
    "journal": ("every write to its journal fails once", lambda: DiskFull("no space")),
}
UNHEARD = {
    "client": ("every order to its client is obeyed but its answer is lost", lambda: Unreachable("away")),
    "arr": ("every order to its Arr is obeyed but its answer is lost", lambda: ArrUnreachable("away")),
}


class Reached:
    """Files of the client, each call of which is counted."""

    def __init__(self, files: Any, fuse: Fuse) -> None:
        self._files, self._fuse = files, fuse

    def below(self, folder: Any) -> Any:
        there = self._files.below(folder)
        return Tapped("files", there, self._fuse, frozenset({"close"})) if there is not None else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


class ActingStory:
    """One action in a house of its own. `act` takes it, `reached` says whether it is done, `check` what must be so then."""

    settings: ClassVar[dict[str, Any]] = {}
    keeps_bytes = True

    def __init__(self, house: ActingHouse) -> None:
        self.house = house
        self.others = house.data / "of somebody.txt"
        self.others.write_text("precious")
        self.made, self.torrent = house.grabbed()
        self.files = self.made.files()
        self.prepare()

    def prepare(self) -> None: ...

    def act(self, acts: Any) -> None:
        raise NotImplementedError

    def reached(self) -> bool:
        raise NotImplementedError

    def check(self) -> None:
        raise NotImplementedError

    def tapped(self, fuse: Fuse) -> Any:
        """What acts in a process whose calls are counted."""
        house = self.house
        documents = Tapped("journal", house.documents, fuse)
        world = replace(
            house.world(),
            client=Tapped("client", house.client, fuse, frozenset({"name"})),
            journal=KeptHealthJournal(documents),
            manager=house.manager and Tapped("arr", house.manager, fuse),
            searches=Tapped("searches", house.searches, fuse),
        )
        return build_acts(world, Reached(house.files, fuse), documents)

    def go_on(self) -> None:
        """What the next looks do: end what was cut short, and what is not so yet begin anew."""
        for _ in range(LOOKS):
            self.house.acts().resume()
            if self.reached():
                return
            with suppress(MoverError):
                self.act(self.house.acts())

    def assert_no_byte_lost(self) -> None:
        assert self.others.read_text() == "precious"
        if self.keeps_bytes:
            there = {path.read_bytes() for path in self.house.data.rglob("*") if path.is_file()}
            assert set(self.files.values()) <= there

    def lies(self, below: Any = None) -> bool:
        """Whether all its files lie there, byte for byte."""
        root = below or self.house.data
        return all((root / name).is_file() and (root / name).read_bytes() == data for name, data in self.files.items())

    @property
    def row(self) -> Any:
        return self.house.client.get(self.torrent)

    def once(self, *, blocked: int, binned: int, wished: int) -> None:
        house = self.house
        assert len(house.arr.library.blocklist) == blocked
        assert (len(house.binned()), len(house.acts().bin())) == (binned, 1 if binned else 0)
        assert list(house.searches.wished) == ([(self.torrent, (1,))] if wished else [])
        assert house.arr.library.searches == []


def order(story: ActingStory, action: HealthAction, code: FindingCode = FindingCode.STALLED, *detail: str) -> Any:
    return story.house.order(story.torrent, action, code, detail)


class Doing(ActingStory):
    """An action that is one order."""

    action: HealthAction
    code = FindingCode.STALLED
    detail: tuple[str, ...] = ()

    def act(self, acts: Any) -> None:
        if self.row is not None:
            acts.carry_out(order(self, self.action, self.code, *self.detail), self.house.look)


class Replaces(Doing):
    action = HealthAction.REPLACE

    def reached(self) -> bool:
        return any(each.state is ActionState.DONE for each in self.house.journal.actions())

    def check(self) -> None:
        assert self.row is None
        self.once(blocked=1, binned=3, wished=1)
        assert not self.made.content.exists()
        assert [each.state for each in self.house.journal.actions()].count(ActionState.DONE) == 1


class ReplacesSeeding(Replaces):
    """With share limits, which are lifted before the block."""

    def prepare(self) -> None:
        self.house.arr.library.removes_failed = True


class ReplacesShared(Replaces):
    """Another torrent uses its data, which stays."""

    def prepare(self) -> None:
        twin = make_torrent(self.made.content, piece_length=32 * 1024)
        self.other = self.house.client.seed(twin, self.house.data, category="x")

    def check(self) -> None:
        assert self.row is None
        assert self.lies()
        assert self.house.client.get(self.other) is not None
        self.once(blocked=1, binned=0, wished=1)


class Keeps(Doing):
    action = HealthAction.KEEP
    settings: ClassVar[dict[str, Any]] = {"kept_category": "kept"}

    def reached(self) -> bool:
        return any(each.state is ActionState.DONE for each in self.house.journal.actions())

    def check(self) -> None:
        assert (self.row.category, self.row.state) == ("kept", TorrentState.SEEDING)
        assert self.lies()
        self.once(blocked=1, binned=0, wished=1)


class Retires(Doing):
    action, code = HealthAction.RETIRE, FindingCode.SEED_GOAL

    def reached(self) -> bool:
        return self.row is None and not self.house.acts().resume()

    def check(self) -> None:
        assert self.lies()
        self.once(blocked=0, binned=0, wished=0)


class Undoes(ActingStory):
    """A replacement is taken back."""

    def prepare(self) -> None:
        self.house.client.set_tags(self.torrent, ["x"])
        self.house.do(self.torrent)

    def act(self, acts: Any) -> None:
        acts.undo(1)

    def reached(self) -> bool:
        return self.house.journal.action(1).state is ActionState.UNDONE

    def check(self) -> None:
        assert (self.row.state, self.row.category, self.row.tags) == (TorrentState.SEEDING, "tv", ("x",))
        assert self.lies()
        assert (self.house.binned(), self.house.acts().bin()) == ([], [])


class UndoesRetired(Undoes):
    def prepare(self) -> None:
        self.house.client.set_tags(self.torrent, ["x"])
        self.house.do(self.torrent, HealthAction.RETIRE, FindingCode.SEED_GOAL)


class Locates(Doing):
    """Its data lies elsewhere."""

    action, code = HealthAction.LOCATE, FindingCode.LOST_DATA

    def prepare(self) -> None:
        liar, self.found = self.house.data / "a liar", self.house.data / "found"
        shutil.copytree(self.made.content, liar / self.made.name)
        (liar / self.made.name / "a.mkv").write_bytes(b"\0" * 100_000)
        self.found.mkdir()
        self.made.content.rename(self.found / self.made.name)

    def reached(self) -> bool:
        return str(self.row.save_path) == str(self.found) and self.row.state is TorrentState.SEEDING

    def check(self) -> None:
        assert self.lies(self.found)
        assert (self.house.data / "a liar" / self.made.name / "a.mkv").exists()


class LocatesInTheBin(Doing):
    """It was taken out, and somebody added it again."""

    action, code = HealthAction.LOCATE, FindingCode.LOST_DATA

    def prepare(self) -> None:
        self.house.do(self.torrent)
        self.torrent = self.house.client.seed(self.made.metainfo, self.house.data, category="tv")
        self.house.client.stop(self.torrent)

    def reached(self) -> bool:
        return self.lies() and self.row.state is TorrentState.SEEDING

    def check(self) -> None:
        assert self.house.binned() == []
        self.house.acts().empty_bin(everything=True)
        assert self.lies()


class Rechecks(Doing):
    action, code, detail = HealthAction.RECHECK, FindingCode.MANUAL_RECHECK, ("tv",)

    def prepare(self) -> None:
        self.house.client.set_category(self.torrent, "recheck")

    def reached(self) -> bool:
        return (self.row.category, self.row.state) == ("tv", TorrentState.SEEDING)

    def check(self) -> None:
        assert self.lies()


class Tags(Doing):
    action = HealthAction.TAG

    def prepare(self) -> None:
        self.house.client.set_tags(self.torrent, ["x"])

    def reached(self) -> bool:
        return self.row.tags == ("x", "tm:stalled")

    def check(self) -> None:
        assert self.row.state is TorrentState.SEEDING


class UndoesTags(Tags):
    def prepare(self) -> None:
        super().prepare()
        self.house.do(self.torrent, HealthAction.TAG)

    def act(self, acts: Any) -> None:
        acts.undo(1)

    def reached(self) -> bool:
        return self.house.journal.action(1).state is ActionState.UNDONE

    def check(self) -> None:
        assert self.row.tags == ("x",)


class Pauses(Doing):
    action, code = HealthAction.PAUSE, FindingCode.NO_SPACE

    def reached(self) -> bool:
        return self.row.state is TorrentState.STOPPED_COMPLETE

    def check(self) -> None:
        assert list(self.house.journal.stopped_by_us()) == [self.torrent]


class Resumes(Doing):
    action, code = HealthAction.RESUME, FindingCode.NO_SPACE

    def prepare(self) -> None:
        self.house.do(self.torrent, HealthAction.PAUSE, FindingCode.NO_SPACE)

    def reached(self) -> bool:
        return not self.house.journal.stopped_by_us()

    def check(self) -> None:
        assert self.row.state is TorrentState.SEEDING


class Nudges(Doing):
    action = HealthAction.REANNOUNCE

    def reached(self) -> bool:
        return any(name == "reannounce" for name, _ in self.house.client.calls)

    def check(self) -> None:
        assert self.row.state is TorrentState.SEEDING


class LeavesFilesOut(Doing):
    action, code, detail = HealthAction.SKIP_FILES, FindingCode.UNWANTED_FILES, ("0", "2")

    def reached(self) -> bool:
        return [file.wanted for file in self.house.client.files(self.torrent)] == [False, True, False]

    def check(self) -> None:
        assert self.lies()
        first = next(each for each in self.house.journal.actions() if self.house.acts().before.get(each.number))
        self.house.acts().undo(first.number)
        assert {file.priority for file in self.house.client.files(self.torrent)} == {FilePriority.NORMAL}


class RemovesTrackers(Doing):
    action, code, detail = HealthAction.REMOVE_TRACKER, FindingCode.DEAD_TRACKER, ("http://dead.invalid/a",)

    def prepare(self) -> None:
        dead = Tracker("http://dead.invalid/a", 0, False, "host not found")
        self.house.client.set_trackers(self.torrent, (dead, Tracker("http://good.invalid/a", 1, True)))

    def reached(self) -> bool:
        return len(self.house.client.trackers(self.torrent)) == 1

    def check(self) -> None:
        assert [each.url for each in self.house.client.trackers(self.torrent)] == ["http://good.invalid/a"]


class Adjusts(ActingStory):
    """What tracker rules want of it."""

    def act(self, acts: Any) -> None:
        change = AttributeChange(self.torrent, upload_limit=3000, add_tags=("one",), super_seeding=True)
        acts.adjust(Picture(self.row), change)

    def reached(self) -> bool:
        return (self.row.upload_limit, self.row.tags, self.row.super_seeding) == (3000, ("one",), True)

    def check(self) -> None:
        assert self.row.state is TorrentState.SEEDING


class EmptiesTheBin(ActingStory):
    """Of all that was put there, and of nothing else."""

    keeps_bytes = False

    def prepare(self) -> None:
        self.house.do(self.torrent)
        self.stranger = next((self.house.data / ".torrent-mover" / "bin").iterdir()) / self.made.name / "of somebody"
        self.stranger.write_text("x")

    def act(self, acts: Any) -> None:
        acts.empty_bin(everything=True)

    def reached(self) -> bool:
        return not self.house.acts().bin()

    def check(self) -> None:
        assert self.house.binned() == [f"{self.made.name}/of somebody"]
        assert self.house.acts().world.records.get(1).metainfo == ""


STORIES = (
    Replaces, ReplacesSeeding, ReplacesShared, Keeps, Retires, Undoes, UndoesRetired, Locates, LocatesInTheBin, Rechecks, Tags,
    UndoesTags, Pauses, Resumes, Nudges, LeavesFilesOut, RemovesTrackers, Adjusts, EmptiesTheBin,
)  # fmt: skip


def each_point(kind: type[ActingStory], what: str, wanted: Any, act: Any) -> None:
    """A house for each point that `wanted` selects; `act(fuse, label)` happens there; then all must come to its end."""
    with trying("health", what) as tried:
        for at in dealt(STORIES.index(kind) % PART, PART):
            with memory_folder() as folder, acting_house(folder, **kind.settings) as house:
                story, fuse = kind(house), Fuse(wanted)
                fuse.arm(at, lambda label, fuse=fuse: act(fuse, label))
                with suppress(Killed, MoverError):
                    story.act(story.tapped(fuse))
                if not fuse.fired:
                    return
                tried.injected()
                try:
                    story.assert_no_byte_lost()
                    story.go_on()
                    assert story.reached(), [str(each) for each in house.journal.actions()]
                    assert house.acts().resume() == []
                    story.assert_no_byte_lost()
                    story.check()
                except (AssertionError, MoverError) as error:
                    raise AssertionError(f"after a fault {fuse.fired} (point {at}): {error}") from error
    raise AssertionError("an action has no end")


def raising(make: Any) -> Any:
    def act(_fuse: Fuse, _label: str) -> None:
        raise make()

    return act


@pytest.mark.parametrize("kind", STORIES, ids=lambda kind: kind.__name__)
def test_killed_at_every_call_an_action_is_ended_once_by_the_next_looks(kind):
    each_point(
        kind, "killed before each question, before and after each change", fatal, lambda fuse, label: fuse.kill(label)
    )


@pytest.mark.parametrize("kind", STORIES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("whose", FAILING)
def test_every_call_fails_once_and_the_next_looks_end_it(kind, whose):
    what, make = FAILING[whose]
    who = "files" if whose == "connection" else whose
    each_point(
        kind,
        what,
        lambda label: label.startswith(f"before {who}.") and (who != "journal" or is_change(label)),
        raising(make),
    )


@pytest.mark.parametrize("kind", STORIES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("whose", UNHEARD)
def test_every_order_is_obeyed_unheard_and_nothing_is_done_twice(kind, whose):
    what, make = UNHEARD[whose]
    each_point(kind, what, lambda label: label.startswith(f"after {whose}.") and is_change(label), raising(make))
