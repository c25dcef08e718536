"""The control socket: one truth on both sides, and nobody who looks on ever holds what works."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.control import FakeControl
from tests.fakes.snapshots import a_hash
from tests.fakes.tier_control import FakeTierControl
from tests.servers import eventually
from tests.tui.scenes import SCENES
from tests.tui.tier_scenes import SCENES as TIER_SCENES
from torrent_mover.adapters.control import server as serving
from torrent_mover.adapters.control.client import RemoteControl, running
from torrent_mover.adapters.control.server import ControlSocket
from torrent_mover.adapters.control.wire import calls_of, connect, event_data, event_of, line_of
from torrent_mover.domain.errors import MoverError, OtherVersion
from torrent_mover.domain.plain_data import read_plain, to_plain
from torrent_mover.domain.report import events
from torrent_mover.domain.report.events import Event, Level, Noticed
from torrent_mover.domain.report.snapshot import HistoryView, LogLine, MoveDetail, Snapshot
from torrent_mover.domain.report.tiers import TierSnapshot
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.control import Control
from torrent_mover.ports.panels import Panel
from torrent_mover.ports.tier_control import TierControl

ROOT = Path(__file__).parents[2]
KINDS = sorted(
    (each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)),
    key=lambda kind: kind.__name__,
)

st.register_type_strategy(InfoHash, st.binary(min_size=20, max_size=20).map(lambda raw: InfoHash(raw.hex())))
ANSWERS = [Snapshot, TierSnapshot, MoveDetail | None, HistoryView, Sequence[LogLine], Sequence[str], type(None)]


def over_the_wire(data: object) -> object:
    return json.loads(line_of({"ok": data}))["ok"]


@pytest.mark.parametrize("shape", ANSWERS, ids=str)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_picture_arrives_as_it_was(shape, data):
    value = data.draw(st.lists(st.from_type(LogLine), max_size=4).map(tuple) if shape == Sequence[LogLine] else
                      st.lists(st.text(), max_size=4).map(tuple) if shape == Sequence[str] else st.from_type(shape))  # fmt: skip

    assert repr(read_plain(shape, over_the_wire(to_plain(value)))) == repr(value)  # not a number equals nothing


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(event=st.sampled_from(KINDS).flatmap(st.from_type))
def test_every_event_arrives_as_it_was(event):
    assert repr(event_of(over_the_wire(event_data(event)))) == repr(event)


def test_an_event_of_a_newer_version_is_passed_over():
    assert event_of({"kind": "NotKnownYet", "at": 1.0}) is None


@pytest.fixture
def moves() -> FakeControl:
    return SCENES["running"]()


@pytest.fixture
def tiers() -> FakeTierControl:
    return next(iter(TIER_SCENES.values()))()


@pytest.fixture
def folder(tmp_path, moves, tiers):
    """A state folder in which a process shows both."""
    with ControlSocket(tmp_path, [Panel("moves", Control, moves), Panel("tiers", TierControl, tiers)]):
        yield tmp_path


@pytest.fixture
def remote():
    """Looks at what one process shows in a folder."""
    lookers = []

    def look(folder: Path, panel: str = "moves", port: type = Control) -> RemoteControl:
        (process,) = running(folder)
        lookers.append(RemoteControl(process.path, panel, port))
        return lookers[-1]

    yield look
    for each in lookers:
        each.close()


def test_both_sides_see_one_truth(folder, moves, tiers, remote):
    looker, other = remote(folder), remote(folder, "tiers", TierControl)

    assert looker.snapshot() == moves.current
    assert other.snapshot() == replace(tiers.current, works_here=False)
    moves.lines.append(LogLine(900, 1.0, Level.WARN, a_hash(), "über\x1b"))
    assert looker.log(899) == (moves.lines[-1],)
    assert looker.detail(a_hash(99)) is None
    assert looker.history() == moves.past


def test_every_order_arrives_with_its_arguments(folder, moves, tiers, remote):
    looker, other = remote(folder), remote(folder, "tiers", TierControl)
    looker.pause()
    looker.pause(a_hash())
    looker.limit(float("inf"))
    looker.limit(None)
    looker.reorder(a_hash(2), -1)
    looker.stop(now=True)
    other.pin("ssd", a_hash(3))

    assert moves.calls == [
        ("pause", None), ("pause", a_hash()), ("limit", float("inf")), ("limit", None), ("reorder", a_hash(2), -1),
        ("stop", True),
    ]  # fmt: skip
    assert tiers.calls == [("pin", "ssd", a_hash(3))]


def test_every_call_of_the_ports_can_be_asked():
    for port in (Control, TierControl):
        assert {"snapshot", "log", "stop"} <= set(calls_of(port))
    assert "subscribe" not in calls_of(Control)


def test_what_is_refused_there_is_raised_here_with_its_code(folder, tiers, remote):
    tiers.refusal = MoverError("It cannot be told.", kept="All.", remedy="Wait.")

    with pytest.raises(MoverError) as told:
        remote(folder, "tiers", TierControl).explain("ssd", a_hash())
    assert (told.value.code, told.value.what, told.value.remedy) == ("TM-E000", "It cannot be told.", "Wait.")


def test_events_reach_all_who_listen(folder, moves, remote):
    heard: list[Event] = []
    lookers = [remote(folder) for _ in range(2)]
    for looker in lookers:
        looker.subscribe(heard.append)
    event = Noticed(5.0, a_hash(), Level.INFO, "something")

    def both() -> bool:
        moves.emit(event)
        return len(heard) >= 4

    eventually(both)
    assert set(map(repr, heard)) == {repr(event)}


def test_only_its_owner_may_look(folder):
    (path,) = folder.glob("control-*.sock")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_socket_goes_with_the_process(tmp_path, moves, remote):
    with ControlSocket(tmp_path, [Panel("moves", Control, moves)]):
        looker = remote(tmp_path)
        last = looker.snapshot()

    assert not list(tmp_path.glob("control-*"))
    assert looker.snapshot() == last
    assert looker.gone
    assert looker.log() == ()
    assert running(tmp_path) == []


def test_what_a_killed_process_left_is_cleared_away(tmp_path, moves, remote):
    program = (
        "import sys, threading\nfrom pathlib import Path\nfrom torrent_mover.adapters.control.server import ControlSocket\n"
        "with ControlSocket(Path(sys.argv[1]), []):\n  print('up', flush=True)\n  threading.Event().wait()\n"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "up\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    assert len(list(tmp_path.glob("control-*"))) == 1
    assert running(tmp_path) == []

    with ControlSocket(tmp_path, [Panel("moves", Control, moves)]):
        assert [path.name for path in tmp_path.glob("control-*")] == [f"control-{os.getpid()}.sock"]
        assert remote(tmp_path).snapshot() == moves.current


def test_a_path_longer_than_an_address_works(tmp_path, moves, remote):
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    with ControlSocket(deep, [Panel("moves", Control, moves)]):
        assert remote(deep).snapshot() == moves.current


def test_another_version_is_told_so_on_both_sides(folder, monkeypatch):
    monkeypatch.setattr("torrent_mover.adapters.control.client.PROTOCOL", 99)
    with pytest.raises(OtherVersion) as told:
        running(folder)
    assert "cannot talk to each other" in told.value.what

    (path,) = folder.glob("control-*.sock")
    with connect(path, 5.0) as line, line.makefile("rb") as stream:
        stream.readline()
        line.sendall(line_of({"protocol": 99, "version": "9.9"}))
        said = json.loads(stream.readline())
    assert said["error"]["code"] == "TM-E218"
    assert "9.9" in said["error"]["what"]


def greeted(folder: Path) -> socket.socket:
    (path,) = folder.glob("control-*.sock")
    line = connect(path, 5.0)
    line.sendall(line_of({"protocol": serving.PROTOCOL}))
    return line


def test_a_looker_that_never_reads_is_let_go_and_holds_nobody(folder, moves, monkeypatch, remote):
    monkeypatch.setattr(serving, "_STALLED", 3.0)
    moves.show(extended="x" * 8_000_000)  # more than a socket buffers
    stalled = greeted(folder)
    stalled.sendall(line_of({"panel": "moves", "call": "snapshot"}))

    looker = remote(folder)
    assert looker.snapshot() == moves.current
    looker.close()
    eventually(lambda: not [one for one in threading.enumerate() if one.name == "looker"], 60)
    stalled.close()


@pytest.mark.parametrize("said", [b"no json\n", b"[1]\n", b"x" * (serving.ORDER_BYTES + 10) + b"\n", b""])
def test_nonsense_ends_only_its_own_line(folder, moves, said, remote):
    with greeted(folder) as line:
        line.sendall(said)
        with suppress(OSError):  # hung up
            line.shutdown(socket.SHUT_WR)
            while line.recv(65536):
                pass
    assert remote(folder).snapshot() == moves.current


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"panel": "moves", "call": "format_disk"}, "moves has no format_disk."),
        ({"panel": "health", "call": "snapshot"}, "Nothing here is called health."),
        ({"panel": "moves", "call": "retry"}, "retry: it takes torrent."),
        ({"panel": "moves", "call": "retry", "args": {"torrent": "xyz"}}, "retry: "),
        ({"panel": "moves", "call": "pause", "args": {"everything": 1}}, "pause: it takes torrent."),
    ],
)
def test_what_it_does_not_understand_is_answered(folder, moves, asked, what):
    with greeted(folder) as line, line.makefile("rb") as stream:
        stream.readline()
        stream.readline()
        line.sendall(line_of(asked))
        said = json.loads(stream.readline())["error"]
    assert said["what"].startswith(what)
    assert moves.calls == []


def test_only_so_many_may_look_at_once(folder, monkeypatch):
    monkeypatch.setattr(serving, "MOST_LOOKERS", 2)
    lines = [greeted(folder) for _ in range(2)]
    for line in lines:
        assert line.recv(10)
    assert running(folder) == []
    for line in lines:
        line.close()
    eventually(lambda: running(folder))


def test_one_picture_serves_many_lookers(folder, moves, monkeypatch, remote):
    monkeypatch.setattr(serving, "_FRESH", 3600.0)
    asked = []
    monkeypatch.setattr(moves, "snapshot", lambda: asked.append(1) or moves.current)
    for _ in range(20):
        remote(folder).snapshot()

    assert len(asked) <= 1
