"""Saves of rTorrent that are written late: 0.16 writes each by a thread of its own, and the older one may be the last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import rtorrent_program
from tests.servers import eventually
from torrent_mover.adapters.clients.rtorrent import RTorrentClient, RTorrentSettings
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.demo.content import sample
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.demo.torrents import v1_hash
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.settings.clients import LabelStyle
from torrent_mover.ports.client import AddSpec

pytestmark = pytest.mark.servers

LOOKS = 5
"""So many waits for a held save, then it goes on. Who does not await it has gone on long before."""


@pytest.fixture
def server(tmp_path):
    with RTorrentServer(tmp_path, program=rtorrent_program("0.16")) as server:
        yield server


class HeldSave:
    """The next save of a torrent stands still at its first file, until `go_on`; those after it do not.

    The file is a pipe: who opens one to write waits for a reader.
    """

    def __init__(self, server: RTorrentServer, metainfo: bytes) -> None:
        torrent = server.session / f"{v1_hash(metainfo).upper()}.torrent"
        self._tasks = Path(f"/proc/{server.call('system.pid')}/task")
        self._metainfo = metainfo
        self._file = torrent.with_name(f"{torrent.name}.new")
        self._pipe = torrent.with_name(f"{torrent.name}.held")
        self._state = torrent.with_name(f"{torrent.name}.rtorrent")
        self.over = False
        os.mkfifo(self._file)

    def stands(self) -> bool:
        """Whether it has come to the pipe. Then the pipe is put aside, for the saves that follow."""
        if not self._pipe.exists() and any(_opens_a_pipe(task) for task in self._tasks.iterdir()):
            self._file.rename(self._pipe)
        return self._pipe.exists()

    def go_on(self) -> None:
        """Let it write what it was ordered to write, whatever was written since. Returns when that is there."""
        before = self._stamp()
        self._file.write_bytes(self._metainfo)  # it opens the name again, to sync it
        self._pipe.read_bytes()
        eventually(lambda: self._stamp() not in (None, before), 30)
        self.over = True

    def _stamp(self):
        if not self._state.exists():
            return None
        status = self._state.stat()
        return status.st_ino, status.st_ctime_ns


def _opens_a_pipe(task: Path) -> bool:
    try:
        return (task / "wchan").read_text() in ("wait_for_partner", "fifo_open")
    except FileNotFoundError:  # it has ended
        return False


class PatientClock(SystemClock):
    """Lets a held save go on after some waits, and stands still until then: nobody has waited too long for it."""

    def __init__(self) -> None:
        super().__init__()
        self._held: HeldSave | None = None
        self._waits = 0
        self._since = self._stood = 0.0

    def hold(self, held: HeldSave) -> None:
        self._held = held
        self._since = super().monotonic()

    def monotonic(self) -> float:
        held = self._held
        if held is not None and held.over:
            self._held, self._stood = None, super().monotonic() - self._since
        return super().monotonic() - self._stood if self._held is None else self._since

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        if self._held is not None and self._held.stands() and not self._held.over:
            self._waits += 1
            if self._waits == LOOKS:
                self._held.go_on()


@pytest.fixture
def clock():
    return PatientClock()


@pytest.fixture(params=["the session folder is seen", "the session folder is not seen"])
def client(request, server, clock):
    seen = str(server.session) if request.param == "the session folder is seen" else ""
    settings = RTorrentSettings(server.url, label_field="my_label", label_style=LabelStyle.RAW, session_folder=seen)
    client = RTorrentClient(settings, clock)
    yield client
    client.close()


def test_the_save_that_rtorrent_makes_of_what_it_loads_does_not_undo_its_label(server, clock, client, monkeypatch):
    wanted = sample(server.data, "Show", 40_000)
    held = HeldSave(server, wanted.metainfo)
    clock.hold(held)
    label = client.label

    def label_it(*words):
        eventually(lambda: held.over or held.stands(), 30)
        label(*words)

    monkeypatch.setattr(client, "label", label_it)
    torrent = client.add_stopped(wanted.metainfo, AddSpec(save_path=ClientPath(str(server.data)), category="films"))
    if not held.over:
        held.go_on()
    server.kill()
    server.start()
    assert client.get(torrent).category == "films"


def test_a_save_that_changes_nothing_is_awaited_so_that_it_does_not_undo_the_next_one(server, clock, client):
    wanted = sample(server.data, "Show", 40_000)
    torrent = client.add_stopped(wanted.metainfo, AddSpec(save_path=ClientPath(str(server.data)), category="films"))
    held = HeldSave(server, wanted.metainfo)
    clock.hold(held)
    client.set_category(torrent, "films")
    eventually(lambda: held.over or held.stands(), 30)
    client.set_category(torrent, "series")
    if not held.over:
        held.go_on()
    server.kill()
    server.start()
    assert client.get(torrent).category == "series"
