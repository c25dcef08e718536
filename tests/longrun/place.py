"""Where a long run takes place: three torrent clients, an SSD with a disk behind it, an SSH server, an Arr, a debrid account."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.arr.library import Library
from tests.doubles.arr.polled import PolledTorrent
from tests.doubles.arr.products import SONARR
from tests.doubles.arr.server import KEY, ArrDouble
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.fakes.client import FakeClient, FolderDisk
from tests.fakes.clock import FakeClock
from tests.longrun.clockwork import KEPT, Disks, Linked, Process
from torrent_mover.adapters.links import library as link_library
from torrent_mover.bootstrap import servers
from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.settings.clients import ClientType
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState

SSD_SIZE, LARGE = 2_000_000, 4_000_000_000
"""Bytes: the SSD has room for some dozen of torrents, so that it must be made free again and again."""

KEEP = ".somebody's own"
PORTS = {"seedbox": 1, "home": 2, "nas": 3}

CONFIG = """
[CLIENT seedbox]
url = http://127.0.0.1:1
username =
machine = box

[CLIENT home]
url = http://127.0.0.1:2
username =

[CLIENT home-by-ssh]
url = http://127.0.0.1:2
username =
machine = here

[CLIENT nas]
url = http://127.0.0.1:3
username =

[MACHINE box]
host = box.invalid
username = jane
known_hosts = {root}/known_hosts

[MACHINE here]
host = here.invalid
username = jane
known_hosts = {root}/known_hosts

[SETTINGS]
category_to_move = films

[ROUTE in]
from = seedbox
to = home
category = films
destination_path = {root}/home/ssd

[ROUTE out]
from = home-by-ssh
to = nas
category = archive
destination_path = {root}/nas/data

[TIER ssd]
client = home
ssd = {root}/home/ssd
targets = *:{root}/home/hdd
free_low = {free_low}
free_high = {free_high}
keep_free = 0
min_age = {min_age}
sweep_every = 4h
eviction_check = client

[ARR sonarr]
url = http://127.0.0.1:{arr_port}{arr_base}
api_key = {arr_key}
category = tv

[HEALTH tv]
client = home
arr = sonarr
mode = act
every = 5h
stalled_after = {stalled_after}
unregistered_action = replace
removals_share = 50
bin_keep = 3d
probe = off

[HEALTH rest]
client = nas
mode = act
every = 12h
unregistered_action = retire
removals_share = 50

[DEBRID rd]
token = {token}
url = {debrid_url}
mode = act
media_roots = {root}/media
mounts = {root}/mount = zurg
scan_interval = 9h
requests_per_minute = 200
link_checks_per_hour = 300

[General]
state_dir = {root}/state
breaker_cooldown = 15m
"""

SSH = """#!/bin/sh
# Stands for ssh: the same bytes come from the real SFTP server, without a network between.
for word; do case "$word" in -V|-G) exec {ssh} "$@";; esac; done
log=/dev/stderr sftp=no last= previous=
for word; do
    [ "$previous" = -E ] && log=$word
    [ "$word" = -s ] && sftp=yes
    previous=$word last=$word
done
host=$previous; for word; do case "$word" in *.invalid) host=$word;; esac; done
if [ -e {root}/away/"$host" ]; then
    echo "ssh: connect to host $host port 22: Connection refused" >>"$log"; exit 255
fi
echo "debug1: Server host key: ssh-ed25519 SHA256:abc" >>"$log"
echo "Authenticated to $host ([127.0.0.1]:22) using \\"publickey\\"." >>"$log"
[ $sftp = yes ] && exec /usr/lib/openssh/sftp-server
exec sh -c "$last"
"""


class LivingClient(FakeClient):
    """A client whose torrents arrive and complete as the story says; it can be away, and be started again."""

    def __init__(self, clock: FakeClock, name: str) -> None:
        super().__init__(clock, FolderDisk(), name=name, check_time=2.0, refresh=1.0, resume_time=0.1)
        self.defaults = replace(self.defaults)

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """While in this context calls are those of a person, which no fault hits."""
        before, faults = self.before, self._faults
        self.before, self._faults = lambda _method, _torrent: None, {}
        try:
            yield
        finally:
            self.before, self._faults = before, faults
            self.calls.clear()

    def fill(self, torrent: InfoHash, files: dict[str, bytes]) -> None:
        """All of a download has come: its files lie at its save path, and it seeds."""
        with self._lock:
            held = self._held[torrent]
            for name, data in files.items():
                place = Path(str(held.row.save_path)) / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
            now = int(self._clock.now())
            held.have = [True] * held.manifest.piece_count
            held.running = True
            held.row = replace(held.row, completed_on=now, seeding_time=0, uploaded=0)
            self.completed.add(torrent)
            self._show()

    def persist(self, torrent: InfoHash) -> ClientPath | None:
        """See ports.roles.Relocates: it saves at once, and tells what it has saved."""
        super().persist(torrent)
        return self._held[torrent].row.save_path

    def age(self) -> None:
        """What seeds has seeded for longer now."""
        with self._lock:
            now = self._clock.now()
            for torrent, held in self._held.items():
                if torrent in self.completed:
                    seeding = max(int(now - held.row.completed_on), 0)
                    held.row = replace(held.row, seeding_time=seeding)
            self._show()

    def listed(self) -> dict[InfoHash, Any]:
        """What it really has, whoever may ask it."""
        return dict(self._held)


class PolledLiving:
    """What the Arr sees in its client: paths are the same for both."""

    def __init__(self, client: LivingClient) -> None:
        self._client = client
        self.removed: list[str] = []

    def torrents(self) -> list[PolledTorrent]:
        with self._client._lock:
            self._client._tick()
            rows = [shown[0] for shown in self._client._shown.values()]
        return [
            PolledTorrent(
                row.id.hex, row.name, row.category, str(row.content_path), complete=not row.amount_left,
                at_its_limit=row.state is TorrentState.STOPPED_COMPLETE and not row.limits.never,
            )
            for row in rows
        ]  # fmt: skip

    def remove(self, torrent: str) -> None:
        self.removed.append(torrent)


class Place:
    """All that is outside of the program. `config` writes its config file, with some settings changed."""

    def __init__(self, root: Path, clock: FakeClock, stack: ExitStack) -> None:
        self.root = root
        self.clock = clock
        self.disks = Disks()
        for folder in ("seedbox/data", "home/ssd", "home/hdd", "nas/data", "library", "media", "mount/__all__", "away"):
            (root / folder).mkdir(parents=True)
            if folder.startswith(("seedbox", "home", "nas")):
                (root / folder / KEEP).touch()  # the fake client removes folders that it leaves empty, its own top too
        (root / "mount/version.txt").write_text("v1")
        (root / "known_hosts").write_text("")
        self.disks.sizes = {
            root / "home/ssd": SSD_SIZE, root / "home/hdd": LARGE, root / "nas/data": LARGE, root / "seedbox/data": LARGE,
        }  # fmt: skip
        self.clients = {name: LivingClient(clock, f"127.0.0.1:{port}") for name, port in PORTS.items()}
        for client, categories in (("seedbox", ["films"]), ("home", ["films", "tv", "archive"]), ("nas", ["archive"])):
            for category in categories:
                self.clients[client].have_category(category)
        self.polled = PolledLiving(self.clients["home"])
        folders = {str(root): root, "/media": root / "library"}
        product = replace(SONARR, extensions=(*SONARR.extensions, ".mkv"))
        self.library = Library(product, self.polled, folders, "/media", runs_at_once=True, searches_after_failure=False)
        self.arr = stack.enter_context(ArrDouble(self.library))
        self.account = DebridWorld(clock, selects=True)
        self.debrid = stack.enter_context(RealDebridDouble(self.account))
        self.mounted = True
        self.settings = {
            "free_low": f"{(KEPT + 800_000) // 1024}K",
            "free_high": f"{(KEPT + 1_200_000) // 1024}K",
            "min_age": "1d",
            "stalled_after": "2d",
        }
        self.config_file = root / "config.ini"
        self.write_config()

    def write_config(self, **changes: str) -> None:
        """Write the config, as a person does."""
        self.settings |= changes
        text = CONFIG.format(
            root=self.root, arr_port=self.arr.port, arr_base=self.arr.url_base, arr_key=KEY,
            token=self.debrid.token, debrid_url=self.debrid.url, **self.settings,
        )  # fmt: skip
        self.write(text)

    def write(self, text: str) -> None:
        """Have the config say that, all at once, as editors do."""
        new = self.config_file.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o600)
        new.replace(self.config_file)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While in this context the program finds this world where it looks for servers."""
        tools = self.root / "bin"
        tools.mkdir(exist_ok=True)
        script = tools / "ssh"
        script.write_text(SSH.format(ssh=shutil.which("ssh"), root=self.root))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
            patch.setenv("HOME", str(self.root))
            patch.setenv("XDG_STATE_HOME", str(self.root / "own"))
            patch.setitem(servers._CLIENTS, ClientType.QBITTORRENT, self._client)
            patch.setattr(
                link_library,
                "is_mounted",
                lambda path, *_: self.mounted or not path.startswith(str(self.root / "mount")),
            )
            yield

    def _client(self, wanted: Any) -> Any:
        name = next(each for each, port in PORTS.items() if wanted.settings.url == f"http://127.0.0.1:{port}")
        return Linked(self.clients[name], Process.now)
