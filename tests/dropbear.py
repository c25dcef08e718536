"""A real dropbear on loopback: the SSH server of routers and small NAS boxes, which starts OpenSSH's sftp-server for SFTP."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

from torrent_mover.demo.ports import LOOPBACK, free_port
from torrent_mover.demo.process import ServerProcess
from torrent_mover.demo.programs import find_program
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.ssh import SshTarget

USER = "carol"


class Dropbear:
    """Lets one throw-away account in by key, which is root by another name. Needs root: dropbear reads /etc/passwd and a home.

    `options` go to dropbear as they are. With `sftp` False it finds no sftp-server where it looks for one.
    """

    def __init__(self, root: Path, *options: str, sftp: bool = True) -> None:
        self.root = root
        self.host, self.port = LOOPBACK, free_port()
        home = root / "home"
        (home / ".ssh").mkdir(mode=0o700, parents=True)
        root.chmod(0o755)
        self.key_file = root / "client_key"
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key_file)
        shutil.copy(self.key_file.with_suffix(".pub"), home / ".ssh" / "authorized_keys")
        self._host_key = root / "host_key"
        _run("dropbearkey", "-t", "ed25519", "-f", self._host_key)
        self.known_hosts = root / "known_hosts"
        self.known_hosts.write_text(self.host_key_line)
        line = f"{USER}:x:0:0::{home}:/bin/sh\n"
        (root / "passwd").write_text(Path("/etc/passwd").read_text() + line)
        self._bind = 'mount --bind "$0/passwd" /etc/passwd && '
        if not sftp:
            self._bind += f"mount -t tmpfs none {Path('/usr/lib/sftp-server').resolve().parent} && "
        self._options = options
        self._process = ServerProcess("dropbear", root / "log")

    @property
    def host_key_line(self) -> str:
        """The line of known_hosts for the key that it shows."""
        kind, key = next(
            line.split()[:2]
            for line in _run("dropbearkey", "-y", "-f", self._host_key).splitlines()
            if "ssh-" in line[:4]
        )
        return f"[{self.host}]:{self.port} {kind} {key}\n"

    def target(self, kind: SshTransport = SshTransport.AUTO) -> SshTarget:
        """How to log in."""
        return SshTarget(
            host=self.host,
            port=self.port,
            username=USER,
            key_file=LocalPath(str(self.key_file)),
            known_hosts=LocalPath(str(self.known_hosts)),
            transport=kind,
        )

    def section(self) -> dict[str, str]:
        """The same for a config."""
        return {
            "host": self.host,
            "port": str(self.port),
            "username": USER,
            "key_file": str(self.key_file),
            "known_hosts": str(self.known_hosts),
        }

    def __enter__(self) -> Self:
        serve = [find_program("dropbear"), "-F", "-E", "-p", f"{self.host}:{self.port}", "-r", self._host_key]
        inside = [self.root, *serve, "-P", self.root / "pid", *self._options]
        command = [
            find_program("unshare"),
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            f'{self._bind} exec "$@"',
        ]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"), "LC_ALL": "C.UTF-8"}
        self._process.start([*command, *inside], environment, self._answers, 15)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False


def _run(program: str, *words: object) -> str:
    done = subprocess.run(
        [find_program(program), *map(str, words)], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return done.stdout
