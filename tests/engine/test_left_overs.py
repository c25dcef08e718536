"""What a run makes outside its own folder is gone after the next one, wherever the first was killed, and nothing else is."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest

from tests.engine.fuse import Fuse, Killed, Tapped
from tests.engine.story import Story
from tests.fakes.client import FakeClient
from tests.fakes.clock import FakeClock
from tests.fakes.filesystem import MemoryFileSystem
from tests.faults.ledger import trying
from torrent_mover.adapters.local.traces import TraceFiles
from torrent_mover.domain.errors import NotWritable, PathNotSeen, Unreachable
from torrent_mover.domain.paths import ClientPath, RelativePath
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.engine.delivery.access import Access
from torrent_mover.engine.delivery.left_overs import remove_left_overs
from torrent_mover.engine.delivery.one_place import common_folder
from torrent_mover.engine.delivery.places import Destination
from torrent_mover.engine.preflight.destination import DestinationFolder
from torrent_mover.ports.filesystem import FileKind
from torrent_mover.ports.traces import Trace
from torrent_mover.transfer.traced import Traced

SHOW = RelativePath(("Show",))


class Blind(FakeClient):
    """Finds no canary, so that every way to look for it is gone."""

    def locate(self, canary, folders, *, by_reading=False):
        del canary, folders, by_reading


def probe(files, _policy):
    for folder in (RelativePath(()), SHOW):
        Access(files, None).probe(folder)


def look_through_the_client(files, policy):
    client = Blind(FakeClock(), None, name="nas:8080")
    destination = Destination("nas", client, files, ClientPath("/data"), local=False)
    with suppress(PathNotSeen):
        DestinationFolder(destination, policy, FakeClock()).seen_by_client()


def mark(files, _policy):
    common_folder(MemoryFileSystem(), files, {"Show/a.mkv": (7, 0.0)})


def a_library() -> MemoryFileSystem:
    files = MemoryFileSystem("nas:/data")
    files.plant_file(RelativePath.parse("Show/a.mkv"), b"content")
    files.nodes[RelativePath.parse("Show/a.mkv")].mtime = 0.0
    return files


def gone(traces: TraceFiles) -> None:
    """What the kernel does when a process ends: its lock is free, and nothing else happens."""
    if traces._own is not None:
        os.close(traces._own[1])


@pytest.mark.parametrize("act", [probe, look_through_the_client, mark])
def test_killed_at_any_instant_the_next_run_removes_it(tmp_path, act):
    policy = Story(tmp_path).policy
    with trying("moves", "what tries a disk or a client before a move is killed at each call") as tried:
        killed_everywhere(tmp_path, act, policy, tried)


def killed_everywhere(tmp_path, act, policy, tried):
    at, died = 0, True
    while died:
        at += 1
        files, fuse, state = a_library(), Fuse(), tmp_path / str(at)
        before = set(files.nodes)
        fuse.arm(at, fuse.kill)
        killed = TraceFiles(state)
        died = False
        try:
            act(Traced(Tapped("files", files, fuse), killed), policy)
        except Killed:
            died = True
            tried.injected()
        gone(killed)

        following = TraceFiles(state)
        remove_left_overs(following, [files], FakeClient(FakeClock(), None), pytest.fail)
        following.close()

        assert set(files.nodes) == before, f"killed at call {at}: {fuse.fired}"
        assert list(state.rglob("*.jsonl")) == []
    assert at > 4


def left_by_a_killed_run(state, *traces: Trace) -> None:
    killed = TraceFiles(state)
    for trace in traces:
        killed.note(trace)
    gone(killed)


def test_a_left_over_at_a_server_that_is_away_is_removed_once_it_is_back(tmp_path):
    files, name = a_library(), RelativePath((Canary.hatch(b"by chance").name,))
    files.plant_file(name, Canary(name.name).content)
    left_by_a_killed_run(tmp_path, Trace("nas:/data", name.name))
    client, said = FakeClient(FakeClock(), None), []

    for error in (Unreachable("nobody answers"), None):
        if error:
            files.fail("stat", error)
        run = TraceFiles(tmp_path)
        remove_left_overs(run, [files], client, said.append)
        assert (name in files.nodes) is bool(error)
        run.close()

    assert len(said) == 1
    assert "could not be removed yet: nobody answers" in said[0]
    assert client.forgotten == [name.name]
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_a_place_that_the_config_no_longer_knows_is_kept_in_mind(tmp_path):
    left_by_a_killed_run(tmp_path, Trace("old-nas:/data", Canary.hatch(b"1").name))
    said = []

    for _ in range(2):
        run = TraceFiles(tmp_path)
        remove_left_overs(run, [a_library()], FakeClient(FakeClock(), None), said.append)
        run.close()

    assert len(said) == 2
    assert "does not know" in said[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Show/a.mkv", b"content"),
        (".torrent-mover-probe-0123456789ab", b"somebody wrote into it"),
        ("torrent-mover-canary-0123456789abcdef", b"x" * 33),
    ],
)
def test_what_is_not_surely_ours_stays_whatever_is_written_down(tmp_path, name, content):
    files = a_library()
    files.plant_file(RelativePath.parse(name), content)
    left_by_a_killed_run(tmp_path, Trace("nas:/data", name))

    remove_left_overs(TraceFiles(tmp_path), [files], FakeClient(FakeClock(), None), lambda _text: None)

    assert files.stat(RelativePath.parse(name)).kind is FileKind.FILE


def test_what_a_living_process_has_made_is_left_to_it(tmp_path):
    files, alive = a_library(), TraceFiles(tmp_path)
    Traced(files, alive).create(RelativePath((".torrent-mover-probe-0123456789ab",)), 1)

    remove_left_overs(TraceFiles(tmp_path), [files], FakeClient(FakeClock(), None), lambda _text: None)

    assert RelativePath((".torrent-mover-probe-0123456789ab",)) in files.nodes
    alive.close()


def test_nothing_stays_in_the_state_folder_where_nothing_is_left(tmp_path):
    traces = TraceFiles(tmp_path / "state")
    files = Traced(a_library(), traces)
    Access(files, None).probe(SHOW)
    traces.close()

    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("entered", [True, False])
def test_what_a_refusing_folder_never_took_is_not_looked_for_again(tmp_path, entered):
    files, traces = a_library(), TraceFiles(tmp_path)
    refused = NotWritable("permission denied")
    files.fail("create", refused)
    if not entered:
        files.fail("stat", refused)

    with pytest.raises(NotWritable):
        Access(Traced(files, traces), None).probe(SHOW)
    gone(traces)

    said = []
    following = TraceFiles(tmp_path)
    remove_left_overs(following, [], FakeClient(FakeClock(), None), said.append)
    following.close()
    assert said == []
