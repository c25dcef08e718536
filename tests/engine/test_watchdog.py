"""The watchdog ends a transfer that gives no sign of life: that one alone, saying what was last seen, and never the program."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import torrent_mover
from tests.engine.fuse import Fuse
from tests.engine.story import Story
from tests.fakes.clock import FakeClock
from torrent_mover.domain.errors import Retry, Stalled
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.progress.board import Flow, Legs, Track
from torrent_mover.engine.progress.watchdog import Watchdog

LEGS = Legs((frozenset({Flow.IN}),))
TIMEOUT = 300.0


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def track(clock):
    return Track(InfoHash("a" * 40), 1000, LEGS, clock.monotonic)


@pytest.fixture
def dog():
    return Watchdog(TIMEOUT)


def test_a_silent_transfer_is_broken_off_with_its_connections(clock, track, dog):
    broken: list[str] = []
    track.on_abort(lambda: broken.append("lane 1"))
    track.on_abort(lambda: broken.append("rsync"))
    track.sign("transferring")
    clock.advance(TIMEOUT)

    dog.look(track, clock.monotonic())

    assert broken == ["lane 1", "rsync"]
    with pytest.raises(Stalled, match=r"No sign of life for 5m00s; the last one was: transferring"):
        track.check()
    assert Stalled.retry is Retry.LATER


def test_another_transfer_goes_on(clock, track, dog):
    other = Track(InfoHash("b" * 40), 1000, LEGS, clock.monotonic)
    clock.advance(TIMEOUT - 1)
    other.byte()
    clock.advance(1)
    for each in (track, other):
        dog.look(each, clock.monotonic())
    assert track.verdict is not None
    assert other.verdict is None


@pytest.mark.parametrize("life", ["byte", "sign"])
def test_bytes_and_other_signs_of_life_keep_it_away(clock, track, dog, life):
    for _ in range(20):
        clock.advance(TIMEOUT - 1)
        getattr(track, life)()
        dog.look(track, clock.monotonic())
    assert track.verdict is None


def test_it_breaks_off_once(clock, track, dog):
    broken: list[int] = []
    track.on_abort(lambda: broken.append(1))
    clock.advance(2 * TIMEOUT)
    dog.look(track, clock.monotonic())
    dog.look(track, clock.monotonic())
    assert broken == [1]


def test_what_registers_too_late_is_broken_at_once(clock, track, dog):
    clock.advance(TIMEOUT)
    dog.look(track, clock.monotonic())
    broken: list[int] = []
    track.on_abort(lambda: broken.append(1))
    assert broken == [1]


def test_a_new_attempt_begins_with_new_patience(clock, track, dog):
    clock.advance(TIMEOUT)
    dog.look(track, clock.monotonic())
    track.renew()
    track.check()
    assert dog.remaining(track, clock.monotonic()) == TIMEOUT


@pytest.mark.parametrize("part", ["hashing what lies there", "reading back", "being rechecked"])
def test_long_work_without_bytes_gives_signs_of_life(tmp_path, part):
    story = Story(tmp_path)
    torrent = story.seed()
    if part == "hashing what lies there":
        story.plant(torrent, staged=True)
    story.destination.check_time = 5 * TIMEOUT
    label = {"being rechecked": "before destination.recheck.poll"}.get(part, "before there.reader.chunk")
    seen: list[float] = []

    def look(_label: str) -> None:
        (row,) = story.engine.roster.rows()
        seen.append(story.clock.monotonic() - row.track.last_sign)
        story.clock.advance(TIMEOUT - 1)  # each chunk takes almost as long as the watchdog allows

    fuse = Fuse(lambda each: each.startswith(label))
    fuse.touch = _each(fuse, look)
    story.run(fuse)
    story.assert_moved(torrent)
    assert len(seen) > 2
    assert max(seen[1:]) <= TIMEOUT


def _each(fuse: Fuse, act):
    def touch(label: str) -> None:
        if fuse._wanted(label):
            act(label)

    return touch


def test_nothing_below_the_front_ends_ever_ends_the_program():
    package = Path(torrent_mover.__file__).parent
    found = []
    for folder in ("domain", "ports", "transfer", "engine"):
        for file in (package / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
                if name in ("_exit", "abort_program", "SystemExit", "killpg") or name == "exit":
                    found.append(f"{file.name}: {name}")
    assert not found
