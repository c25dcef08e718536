"""A real rtorrent on loopback with folders of its own, and a few words of its interface for whoever plays its user."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote
from xmlrpc.client import Binary, Fault, dumps, loads

from torrent_mover.demo.ports import LOOPBACK, free_port
from torrent_mover.demo.process import Server, ServerProcess, wait_until
from torrent_mover.demo.programs import find_program, rtorrent_version
from torrent_mover.demo.torrents import v1_hash
from torrent_mover.domain.errors import Unreachable

_START_TIMEOUT = 30.0  # seconds; 0.2 s is usual
_ANSWER_TIMEOUT = 30.0
_CHECKED_NOW = "d.is_hash_checking="
_DHT_IN_CONFIG = "0.9"


class RTorrentServer(Server):
    """One client. All that it writes lies below `root`: `session/`, the default folder `data/`, `rtorrent.log`.

    `program` is the binary to run (programs.find_rtorrent knows one of each series; default: the system's own). `lines` are
    further ones of rtorrent.rc. It answers on `socket`, or with `tcp` on `port` of loopback instead. PeX, UDP trackers and
    outgoing DHT are off; 0.9.8 has a DHT node on loopback, for without one it takes no torrent that has no tracker.
    """

    def __init__(
        self, root: Path, *, program: Path | None = None, lines: Sequence[str] = (), tcp: bool = False
    ) -> None:
        self.root = root.absolute()
        self.program = program or find_program("rtorrent")
        self.version = rtorrent_version(self.program)
        self.session = self.root / "session"
        self.data = self.root / "data"
        self.socket = self.root / "rpc.socket"
        self.host = LOOPBACK
        self.port = free_port() if tcp else 0
        self.url = f"scgi://{self.host}:{self.port}" if tcp else str(self.socket)
        self.config_file = self.root / "rtorrent.rc"
        self.session.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(parents=True, exist_ok=True)
        self._process = ServerProcess(f"rTorrent {self.version}", self.root / "rtorrent.log")
        self._write_config(lines)

    def start(self) -> Self:
        """Start it, wait until it answers. Raises Unreachable."""
        if self.running:
            return self
        for left in (self.socket, self.session / "rtorrent.lock"):
            left.unlink(missing_ok=True)
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.root), "LC_ALL": "C.UTF-8"}
        command: list[str | Path] = [self.program, "-n", "-o", f"import={self.config_file}"]
        self._process.start(command, environment, self._answers, _START_TIMEOUT)
        return self

    def call(self, method: str, *parameters: Any) -> Any:  # noqa: ANN401  whatever the method takes and returns
        """One call; bytes go as base64. Raises xmlrpc.client.Fault, OSError."""
        words = tuple(Binary(word) if isinstance(word, bytes) else word for word in parameters)
        document = dumps(words, method, encoding="utf-8").encode()
        head = b"CONTENT_LENGTH\0%d\0SCGI\x001\0" % len(document)
        with socket.socket(socket.AF_INET if self.port else socket.AF_UNIX) as stream:
            stream.settimeout(_ANSWER_TIMEOUT)
            stream.connect((self.host, self.port) if self.port else str(self.socket))
            stream.sendall(b"%d:%s,%s" % (len(head), head, document))
            answer = b"".join(iter(lambda: stream.recv(1 << 16), b""))
        values, _ = loads(answer.partition(b"\r\n\r\n")[2], use_builtin_types=True)
        return values[0]

    def ask(self, torrent: str, *commands: str) -> tuple[Any, ...]:
        """What commands such as `d.state` say of one torrent. Raises xmlrpc.client.Fault."""
        return tuple(self.call(command, torrent.upper()) for command in commands)

    def torrents(self) -> list[str]:
        """The hashes of all that it lists, in lower case."""
        return [str(found).lower() for found in self.call("download_list", "")]

    def add(self, metainfo: bytes, save_path: Path | None = None, *, label: str = "", check: bool = False) -> str:
        """Load a torrent, stopped, with its data below `save_path`; `check` reads that data. Its hash."""
        torrent = v1_hash(metainfo)
        before = self._saved(torrent)
        self.call("load.raw", "", metainfo)
        self._wait(lambda: torrent in self.torrents(), f"list {torrent}")
        # 0.16 saves beside its answers: this one, late, would undo what is saved after it.
        self._wait(lambda: self._saved(torrent) not in (None, before), f"save {torrent}")
        self.call("d.directory.set", torrent.upper(), str(save_path or self.data))
        if label:
            self.call("d.custom1.set", torrent.upper(), quote(label, safe=""))
        if check:
            self.check(torrent)
        return torrent

    def seed(self, metainfo: bytes, save_path: Path | None = None, *, label: str = "") -> str:
        """Load a torrent whose data is there, have it checked and started; its hash."""
        torrent = self.add(metainfo, save_path, label=label, check=True)
        self.call("d.start", torrent.upper())
        self._wait(lambda: self.ask(torrent, "d.is_active", "d.complete") == (1, 1), f"seed {torrent}")
        return torrent

    def check(self, torrent: str) -> None:
        """Have the data read, wait until that is over."""
        self.call("d.check_hash", torrent.upper())
        self._wait(lambda: self.ask(torrent, "d.hashing", "d.is_hash_checked") == (0, 1), f"check {torrent}")

    def save(self, torrent: str) -> None:
        """Have it written into the session folder, as after some minutes: else a kill makes rTorrent forget what was set."""
        before = self._saved(torrent)
        self.call("d.save_full_session", torrent.upper())
        self._wait(lambda: self._saved(torrent) not in (None, before), f"save {torrent}")

    def remove(self, torrent: str) -> None:
        """Remove one torrent; its files stay."""
        self.call("d.erase", torrent.upper())
        self._wait(lambda: torrent not in self.torrents(), f"remove {torrent}")

    def clear(self) -> None:
        """Remove all torrents, and empty `data/`; files elsewhere stay. 0.9.8 freezes when one is erased while it is checked."""
        self._wait(
            lambda: not any(1 in row for row in self.call("d.multicall2", "", "main", _CHECKED_NOW)), "end its checks"
        )
        for torrent in self.torrents():
            with suppress(Fault):
                self.call("d.erase", torrent.upper())
        self._wait(lambda: not self.torrents(), "let go of its torrents")
        shutil.rmtree(self.data)
        self.data.mkdir()

    def _wait(self, done: Any, what: str) -> None:  # noqa: ANN401  a callable of no arguments
        if not wait_until(done, _START_TIMEOUT):
            raise Unreachable(f"rTorrent {self.version} does not {what}.", remedy=f"The log is {self._process.log}")

    def _saved(self, torrent: str) -> tuple[int, int] | None:
        """Which of its session files it is: a save makes a new one. None where there is none."""
        try:
            status = (self.session / f"{torrent.upper()}.torrent.rtorrent").stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_ctime_ns

    def _answers(self) -> bool:
        try:
            return bool(self.call("system.pid"))
        except (OSError, Fault):
            return False

    def _write_config(self, lines: Sequence[str]) -> None:
        port = free_port()
        listen = (
            f"network.scgi.open_port = {self.host}:{self.port}"
            if self.port
            else f"network.scgi.open_local = {self.socket}"
        )
        config = [
            f"session.path.set = {self.session}",
            f"directory.default.set = {self.data}",
            f"network.port_range.set = {port}-{port}",
            "network.port_random.set = no",
            f"network.bind_address.set = {self.host}",
            "protocol.pex.set = no",
            "trackers.use_udp.set = no",
            "system.daemon.set = true",
            listen,
            *lines,
        ]
        if self.version.startswith(_DHT_IN_CONFIG):
            config += ["dht.mode.set = auto", f"dht.port.set = {free_port()}"]
        else:
            config += ["dht.mode.set = disable"]
        self.config_file.write_text("\n".join([*config, ""]), encoding="utf-8")
