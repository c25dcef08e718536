"""A real qbittorrent-nox on loopback with a profile of its own."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import secrets
import shutil
from collections.abc import Collection, Mapping
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any, Self

from torrent_mover.demo.ports import LOOPBACK, free_port
from torrent_mover.demo.process import Server, ServerProcess, wait_until
from torrent_mover.demo.programs import find_program, qbittorrent_version
from torrent_mover.demo.torrents import info_hash
from torrent_mover.demo.web_api import WebApi, WebApiError
from torrent_mover.domain.errors import Unreachable

SEEDING_STATES = frozenset({"uploading", "stalledUP", "queuedUP", "forcedUP"})
_START_TIMEOUT = 30.0  # seconds; 1 s is usual
_ITERATIONS = 100_000  # of PBKDF2, fixed by qBittorrent
_NO_SUCH_CALL = 404
_PASSWORDS = cycle([secrets.token_urlsafe(12), secrets.token_urlsafe(12)])
"""Of this process's servers, in turn: two that belong together have different ones, and each is hashed once."""


class QBittorrentServer(Server):
    r"""One client. Everything it writes lies below `root`: `profile/`, the default save path `data/`, `qbittorrent.log`.

    `program` is the binary to run (programs.find_qbittorrent knows one of each series; default: the system's own), or
    `tree` a folder made by scripts/trixie-tree.sh: it sees the same paths as we do. `settings` are further lines of
    qBittorrent.conf or others instead of ours, as `{"BitTorrent/Session\\QueueingSystemEnabled": "true"}`. Queueing,
    DHT, PeX, LSD and port forwarding are off. Logins are real, from loopback too; five failed ones ban.
    """

    def __init__(
        self,
        root: Path,
        *,
        program: Path | None = None,
        tree: Path | None = None,
        settings: Mapping[str, str] | None = None,
        username: str = "admin",
        password: str | None = None,
    ) -> None:
        self.root = root.absolute()
        self.program = program or (tree / "qbittorrent-nox" if tree else find_program("qbittorrent-nox"))
        self.version = qbittorrent_version(self.program)
        self.host = LOOPBACK
        self.port = free_port()
        self.url = f"http://{self.host}:{self.port}"
        self.username = username
        self.password = password or next(_PASSWORDS)
        self.profile = self.root / "profile"
        self.data = self.root / "data"
        self.config_file = self.profile / "qBittorrent" / "config" / "qBittorrent.conf"
        self.state_folder = self.profile / "qBittorrent" / "data" / "BT_backup"
        self.api = WebApi(self.host, self.port, self.username, self.password)
        self.data.mkdir(parents=True, exist_ok=True)
        self._process = ServerProcess(f"qBittorrent {self.version}", self.root / "qbittorrent.log")
        self._write_config(settings or {})

    def start(self) -> Self:
        """Start it, wait until it takes our login. Raises Unreachable."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.root), "LC_ALL": "C.UTF-8"}
        command: list[str | Path] = [self.program, f"--profile={self.profile}"]
        self._process.start(command, environment, self._answers, _START_TIMEOUT)
        return self

    def torrents(self) -> list[dict[str, Any]]:
        """All torrents, as `torrents/info` lists them."""
        listed: list[dict[str, Any]] = self.api.json("torrents/info")
        return listed

    def torrent(self, torrent: str) -> dict[str, Any] | None:
        """One torrent by the hash that qBittorrent knows it by, or None."""
        return next((one for one in self.torrents() if one["hash"] == torrent), None)

    def state(self, torrent: str) -> str:
        """The client's own word for a torrent's state; empty for a torrent it does not have."""
        found = self.torrent(torrent)
        return found["state"] if found else ""

    def add(
        self,
        metainfo: bytes,
        save_path: Path | None = None,
        *,
        category: str = "",
        stopped: bool = False,
        skip_checking: bool = False,
        **fields: str,
    ) -> str:
        """Add a torrent, wait until it is listed; its hash. `fields` are further ones of `torrents/add`."""
        word = "true" if stopped else "false"
        form = {
            "savepath": str(save_path or self.data),
            "category": category,
            "autoTMM": "false",
            "paused": word,
            "stopped": word,
            "skip_checking": "true" if skip_checking else "false",
            "contentLayout": "Original",
        }
        torrent = info_hash(metainfo)
        answer = self.api.upload("torrents/add", metainfo, form | fields)
        if not wait_until(lambda: self.torrent(torrent), _START_TIMEOUT):
            raise Unreachable(
                f"qBittorrent {self.version} took the torrent {torrent} and does not list it: {answer!r}."
            )
        return torrent

    def start_torrents(self, *torrents: str) -> None:
        """`start` on 5.x, `resume` on 4.x."""
        self._switch("start", "resume", torrents)

    def stop_torrents(self, *torrents: str) -> None:
        """`stop` on 5.x, `pause` on 4.x."""
        self._switch("stop", "pause", torrents)

    def recheck(self, torrent: str) -> None:
        """Ask for a recheck; returns at once. For a torrent that is complete, `wait_for` right after it may see the past."""
        self.api.post("torrents/recheck", hashes=torrent)

    def remove(self, torrent: str, *, delete_files: bool = False) -> None:
        """Remove one torrent."""
        self.api.post("torrents/delete", hashes=torrent, deleteFiles="true" if delete_files else "false")

    def clear(self) -> None:
        """Remove all torrents and categories, wait until they are gone, and empty `data/`; files elsewhere stay."""
        self.api.post("torrents/delete", hashes="all", deleteFiles="false")
        categories = self.api.json("torrents/categories")
        if categories:
            self.api.post("torrents/removeCategories", categories="\n".join(categories))
        if not wait_until(lambda: not self.torrents(), _START_TIMEOUT):
            raise Unreachable(f"qBittorrent {self.version} does not let go of {self.torrents()!r}.")
        shutil.rmtree(self.data)
        self.data.mkdir()

    def wait_for(self, torrent: str, states: Collection[str] = SEEDING_STATES, timeout: float = 60.0) -> dict[str, Any]:
        """Wait until the torrent is in one of the states and return it. Raises Unreachable after `timeout` seconds."""
        if not wait_until(lambda: self.state(torrent) in states, timeout):
            raise Unreachable(
                f"The torrent {torrent} is {self.state(torrent)!r} after {timeout:.0f} s, not {'/'.join(sorted(states))}.",
                remedy=f"The log is {self._process.log}",
            )
        found = self.torrent(torrent)
        assert found is not None  # noqa: S101 - it has a state
        return found

    def _switch(self, word: str, old_word: str, torrents: Collection[str]) -> None:
        hashes = "|".join(torrents)
        try:
            self.api.post(f"torrents/{word}", hashes=hashes)
        except WebApiError as error:
            if error.status != _NO_SUCH_CALL:
                raise
            self.api.post(f"torrents/{old_word}", hashes=hashes)

    def _answers(self) -> bool:
        try:
            return self.api.login()
        except (OSError, http.client.HTTPException):
            return False

    def _write_config(self, settings: Mapping[str, str]) -> None:
        values = {
            "LegalNotice/Accepted": "true",
            "Network/PortForwardingEnabled": "false",
            "BitTorrent/Session\\Port": str(free_port()),
            "BitTorrent/Session\\InterfaceAddress": LOOPBACK,
            "BitTorrent/Session\\DefaultSavePath": str(self.data),
            "BitTorrent/Session\\DHTEnabled": "false",
            "BitTorrent/Session\\PeXEnabled": "false",
            "BitTorrent/Session\\LSDEnabled": "false",
            "BitTorrent/Session\\QueueingSystemEnabled": "false",
            "Preferences/WebUI\\Address": LOOPBACK,
            "Preferences/WebUI\\Port": str(self.port),
            "Preferences/WebUI\\LocalHostAuth": "true",
            "Preferences/WebUI\\UseUPnP": "false",
            "Preferences/WebUI\\Username": self.username,
            "Preferences/WebUI\\Password_PBKDF2": f'"@ByteArray({_password_hash(self.password)})"',
            "Preferences/WebUI\\MaxAuthenticationFailCount": "5",
        } | dict(settings)
        sections: dict[str, list[str]] = {}
        for key, value in values.items():
            section, _, name = key.partition("/")
            sections.setdefault(section, []).append(f"{name}={value}")
        self.config_file.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join("\n".join([f"[{section}]", *lines, ""]) for section, lines in sections.items())
        self.config_file.write_text(text, encoding="utf-8")


@cache
def _password_hash(password: str) -> str:
    salt = secrets.token_bytes(16)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, 64)
    return f"{base64.b64encode(salt).decode()}:{base64.b64encode(key).decode()}"
