"""A throw-away world on loopback: a source and a destination qBittorrent, an sshd that reaches the files of both."""

from __future__ import annotations

import configparser
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from torrent_mover.demo.content import Sample, sample_torrents
from torrent_mover.demo.qbittorrent_server import SEEDING_STATES, QBittorrentServer
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer

CATEGORY = "move-me"
OTHER_CATEGORY = "keep-me"


class DemoWorld:
    """Two clients and an SSH server in a folder of their own: started on entering, stopped and removed on leaving.

    source, destination: QBittorrentServer; their files are in `source.data` and `destination.data`.
    ssh: SshServer; the config names it as the source and the destination server, and all of them see the same paths.
    root: the folder; `root/state` and `root/log` are where the config sends torrent_mover's own files.

    `source_program` and `destination_program` choose the qbittorrent-nox (programs.find_qbittorrent), `settings` goes into
    both qBittorrent.conf. With `keep` the folder stays. A server program that is not installed raises MissingProgram, which
    names the command that installs it, before anything is started.
    """

    def __init__(
        self,
        root: Path | None = None,
        *,
        source_program: Path | None = None,
        destination_program: Path | None = None,
        settings: Mapping[str, str] | None = None,
        password_login: PasswordLogin | None = None,
        ssh_lines: tuple[str, ...] = (),
        keep: bool = False,
    ) -> None:
        self.root = root or Path(tempfile.mkdtemp(prefix="torrent-mover-"))
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)  # a throw-away account with a uid of its own must get in
        self._keep = keep
        self._stack = ExitStack()
        try:
            self.source = QBittorrentServer(self.root / "source", program=source_program, settings=settings)
            self.destination = QBittorrentServer(
                self.root / "destination", program=destination_program, settings=settings
            )
            self.ssh = SshServer(self.root / "ssh", password_login=password_login, lines=ssh_lines)
        except BaseException:
            self._remove()
            raise

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._remove)
            for server in (self.source, self.destination, self.ssh):
                stack.callback(server.stop)
                server.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def seed(self, metainfo: bytes, content: Path, category: str = CATEGORY) -> str:
        """Add a torrent over `content` to the source client, wait until that has checked it and seeds it; its hash.

        `content` is the folder or file itself, with the name that the torrent gives it. Takes some 1.5 s.
        """
        torrent = self.source.add(metainfo, content.parent, category=category)
        self.source.wait_for(torrent)
        return torrent

    def seed_samples(self, scale: float = 1) -> list[Sample]:
        """Seed torrents of all shapes at the source (content.sample_torrents), some 9 MB times `scale`."""
        samples = sample_torrents(self.source.data, category=CATEGORY, other_category=OTHER_CATEGORY, scale=scale)
        for one in samples:
            self.source.add(one.metainfo, one.content.parent, category=one.category)
        for one in samples:
            self.source.wait_for(one.info_hash)
        return samples

    def clear(self) -> None:
        """Take all torrents from both clients, all files from both data folders, and torrent_mover's own state.

        The source has the category then, as a person's has that sorts by it.
        """
        self.source.clear()
        self.destination.clear()
        if CATEGORY not in self.source.api.json("torrents/categories"):
            self.source.api.post("torrents/createCategory", category=CATEGORY, savePath="")
        for folder in ("state", "log"):
            shutil.rmtree(self.root / folder, ignore_errors=True)

    def seeding(self) -> dict[str, str]:
        """Hash -> name of what seeds at the destination, complete."""
        return {
            one["hash"]: one["name"]
            for one in self.destination.torrents()
            if one["state"] in SEEDING_STATES and one["amount_left"] == 0
        }

    def states(self) -> dict[str, tuple[str, str]]:
        """Hash -> (state at the source, state at the destination) in qBittorrent's words, empty where it is not listed."""
        source = _states(self.source.torrents())
        destination = _states(self.destination.torrents())
        return {
            torrent: (source.get(torrent, ""), destination.get(torrent, "")) for torrent in {**source, **destination}
        }

    def config(self, **overrides: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """Section -> key -> value, for mode sftp. `overrides` go on top: `SETTINGS={"transfer_mode": "rsync"}`."""
        server = {
            "host": self.ssh.host,
            "port": str(self.ssh.port),
            "username": self.ssh.user,
            "password": self.ssh.password,
            "key_file": str(self.ssh.key_file),
            "known_hosts": str(self.ssh.known_hosts),
        }
        values = {
            "SOURCE_CLIENT": _client(self.source),
            "DESTINATION_CLIENT": _client(self.destination),
            "SOURCE_SERVER": dict(server),
            "DESTINATION_SERVER": dict(server),
            "DESTINATION_PATHS": {"destination_path": str(self.destination.data)},
            "SETTINGS": {
                "source_client_section": "SOURCE_CLIENT",
                "destination_client_section": "DESTINATION_CLIENT",
                "source_server_section": "SOURCE_SERVER",
                "category_to_move": CATEGORY,
                "transfer_mode": "sftp",
                "rules_file": str(self.root / "tracker_rules.json"),
            },
            "General": {"state_dir": str(self.root / "state"), "log_dir": str(self.root / "log")},
        }
        for section, keys in overrides.items():
            values.setdefault(section, {}).update(keys)
        return values

    def write_config(self, path: Path | None = None, **overrides: Mapping[str, str]) -> Path:
        """Write `config(**overrides)` as a config.ini with mode 0600; default: `root/config.ini`. Returns its path."""
        target = path or self.root / "config.ini"
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_dict(self.config(**overrides))
        target.touch(mode=0o600)
        target.chmod(0o600)
        with target.open("w", encoding="utf-8") as stream:
            parser.write(stream)
        return target

    def _remove(self) -> None:
        if not self._keep:
            remove_world(self.root)


def remove_world(root: Path) -> None:
    """Remove the folder of a throw-away world, once nothing of it runs any more."""
    shutil.rmtree(root, ignore_errors=True)


def _client(server: QBittorrentServer) -> dict[str, str]:
    return {"host": server.host, "port": str(server.port), "username": server.username, "password": server.password}


def _states(torrents: list[dict[str, Any]]) -> dict[str, str]:
    return {one["hash"]: one["state"] for one in torrents}
