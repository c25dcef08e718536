"""A tier on a real client: a small SSD, a disk behind it, the commands to run, and what the client says of its torrents."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.e2e.command import Command, Result
from tests.servers import eventually
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.demo.content import Sample, sample
from torrent_mover.demo.process import Server
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES, QBittorrentServer
from torrent_mover.demo.rtorrent_server import RTorrentServer
from torrent_mover.duties.tiering.locking import DUTY

MIB = 1 << 20
_RELAXED = {"min_age": "0", "keep_active": "off", "keep_free": "0"}


class TierEnd(Protocol):
    """The client of a tier, in the words that these tests need."""

    server: Server

    def section(self) -> dict[str, str]:
        """Its section of the config."""

    def seed(self, metainfo: bytes, folder: Path, label: str) -> None:
        """Add a torrent whose data is in that folder, and see it seed."""

    def where(self, torrent: str) -> Path:
        """The folder in which the client looks for a torrent."""

    def seeds(self, torrent: str) -> bool:
        """Whether it seeds all of it, and checks nothing."""

    def kept(self, torrent: str) -> tuple[Any, ...]:
        """What must not change: bytes uploaded, label, limits, times."""

    def limit(self, torrent: str) -> None:
        """Give it a limit of its own."""

    def stop(self, torrent: str) -> None:
        """Stop it, as its user does."""

    def port(self) -> int:
        """Where peers reach it."""


class RTorrentEnd:
    """See TierEnd."""

    def __init__(self, server: RTorrentServer) -> None:
        self.server = server

    def section(self) -> dict[str, str]:
        return {"type": "rtorrent", "url": self.server.url, "session_folder": str(self.server.session)}

    def seed(self, metainfo: bytes, folder: Path, label: str) -> None:
        torrent = self.server.seed(metainfo, folder, label=label)
        self.server.save(torrent)

    def where(self, torrent: str) -> Path:
        folder, several, name = self.server.ask(torrent, "d.directory", "d.is_multi_file", "d.name")
        path = Path(folder)
        return path.parent if several and path.name == name else path

    def seeds(self, torrent: str) -> bool:
        return self.server.ask(torrent, "d.is_active", "d.complete", "d.hashing") == (1, 1, 0)

    def kept(self, torrent: str) -> tuple[Any, ...]:
        words = ("d.up.total", "d.custom1", "d.throttle_name", "d.timestamp.finished", "d.priority")
        return self.server.ask(torrent, *words)

    def limit(self, torrent: str) -> None:
        self.server.call("throttle.up", "", "slow", "90000")
        self.server.call("d.stop", torrent.upper())
        self.server.call("d.close", torrent.upper())
        self.server.call("d.throttle_name.set", torrent.upper(), "slow")
        self.server.call("d.start", torrent.upper())
        eventually(lambda: self.seeds(torrent), 30)

    def stop(self, torrent: str) -> None:
        self.server.call("d.stop", torrent.upper())
        eventually(lambda: not self.seeds(torrent), 30)

    def port(self) -> int:
        return int(str(self.server.call("network.port_range")).partition("-")[0])


class QBittorrentEnd:
    """See TierEnd."""

    def __init__(self, server: QBittorrentServer) -> None:
        self.server = server

    def section(self) -> dict[str, str]:
        return {
            "type": "qbittorrent",
            "url": self.server.url,
            "username": self.server.username,
            "password": self.server.password,
        }

    def seed(self, metainfo: bytes, folder: Path, label: str, **fields: str) -> None:
        torrent = self.server.add(metainfo, folder, category=label, **fields)
        self.server.wait_for(torrent)

    def where(self, torrent: str) -> Path:
        found = self.server.torrent(torrent)
        assert found is not None
        return Path(found["save_path"])

    def seeds(self, torrent: str) -> bool:
        found = self.server.torrent(torrent)
        return found is not None and found["state"] in SEEDING_STATES and found["progress"] == 1

    def kept(self, torrent: str) -> tuple[Any, ...]:
        found = self.server.torrent(torrent)
        assert found is not None
        return tuple(
            found[word]
            for word in ("uploaded", "category", "tags", "up_limit", "completion_on", "added_on", "priority")
        )

    def limit(self, torrent: str) -> None:
        self.server.api.post("torrents/setUploadLimit", hashes=torrent, limit=str(20_000_000))

    def stop(self, torrent: str) -> None:
        self.server.stop_torrents(torrent)
        eventually(lambda: not self.seeds(torrent), 30)

    def port(self) -> int:
        return int(self.server.api.json("app/preferences")["listen_port"])


class TierHouse:
    """A client whose torrents lie on a small SSD (a tmpfs of 64 MiB), a disk behind it, and the commands to run.

    `number`: which of the clients it is, where a test runs on all of them.

    As it begins, the environment of the former programs describes the tier; `configure` writes a config instead.
    """

    def __init__(self, end: TierEnd, ssd: Path, hdd: Path, home: Path, number: int = 0) -> None:
        self.end = end
        self.number = number
        self.server: Any = end.server
        self.ssd = ssd
        self.hdd = hdd
        self.home = home
        self.state = home / "state"
        self.environment = {
            "DOWNLOAD_PATH_SSD": str(ssd),
            "FINAL_DEST_BASE_HDD": str(hdd),
            "SCGI_URL": getattr(self.server, "url", ""),
            "LOCK_DIR": str(self.state),
            "NOTIFY_ARR_ENABLED": "false",
        }

    def start(
        self, *arguments: object, module: str = "torrent_mover", under: tuple[str, ...] = (), **environment: str
    ) -> Command:
        """A `tier` command that goes on."""
        surroundings = self.environment | environment
        return Command("tier", *arguments, home=self.home, environment=surroundings, module=module, under=under)

    def run(self, *arguments: object) -> Result:
        """A `tier` command, to its end."""
        with self.start(*arguments) as command:
            return command.end()

    def seed(self, name: str, size: dict[str, int] | int, label: str = "films", **options: Any) -> Sample:
        """Content on the SSD, and its torrent, seeding."""
        made = sample(self.ssd, name, size, category=label, **options)
        self.end.seed(made.metainfo, self.ssd, label)
        return made

    def configure(self, free_low: str = "60M", **keys: str) -> Path:
        """A config whose tier evicts as soon as less than `free_low` is free; `keys` are further ones of its section."""
        values = {"client": "default", "ssd": str(self.ssd), "targets": f"*:{self.hdd}", "free_low": free_low}
        values |= _RELAXED | {"free_high": free_low} | keys
        config = self.home / "tier.ini"
        text = _section("CLIENT default", self.end.section()) + _section("TIER default", values)
        config.write_text(text + _section("General", {"state_dir": str(self.state)}))
        config.chmod(0o600)
        self.environment = {"TORRENT_MOVER_CONFIG": str(config)}
        return config

    def evicts_at_once(self, free_low: str) -> Path:
        """A config whose tier has no minimum age: evictions follow as soon as room is short."""
        return self.configure(free_low)

    def where(self, made: Sample) -> Path:
        return self.end.where(made.info_hash)

    def seeds(self, made: Sample) -> bool:
        return self.end.seeds(made.info_hash)

    def journal_rows(self, table: str) -> list[dict[str, Any]]:
        """What the journal keeps for the tier, of one kind."""
        with ExitStack() as stack:
            journal = SqliteJournal.open_readonly(self.state / "journal.sqlite3")
            stack.callback(journal.close)
            return list(journal.documents(DUTY, "default").all(table))

    def ends(self, made: Sample) -> list[str]:
        """What ended for a torrent, by the history: `copied`, `evicted` and so on."""
        return [row["end"] for row in self.journal_rows("history") if row["torrent"] == made.info_hash]

    def files(self, root: Path) -> dict[str, bytes]:
        """All files below a root, but for our own identity file of it."""
        found = [path for path in root.rglob("*") if path.is_file()]
        return {str(path.relative_to(root)): path.read_bytes() for path in found if path.name != "root-id"}


def _section(heading: str, values: dict[str, str]) -> str:
    return "\n".join([f"[{heading}]", *(f"{key} = {value}" for key, value in values.items()), "", ""])


@contextmanager
def mounted(folder: Path, *how: str) -> Iterator[Path]:
    """A file system at a folder, which is made; `how` are the words of mount(8) before it. Unmounted at the end."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", *how, str(folder)], check=True)
    try:
        yield folder
    finally:
        unmount(folder)


def unmount(folder: Path) -> None:
    """Take the file system away, also while a client has files of it open. Fine where there is none."""
    if folder.is_mount():
        subprocess.run(["umount", "-l", str(folder)], check=True)


def tmpfs(folder: Path, size: str):
    """A tmpfs; only what is written takes memory."""
    return mounted(folder, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")
