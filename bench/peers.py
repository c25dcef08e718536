"""The programs that people use otherwise, as command lines: all over the same sshd, key and cipher."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from typing import Final

from bench.arena import Arena, Payload
from bench.link import Link

CIPHER: Final = "aes128-gcm@openssh.com"

INSTALL: Final = {
    "sftp": "apt-get install openssh-client",
    "sftp, then sha1sum": "apt-get install openssh-client",
    "ssh cat": "apt-get install openssh-client",
    "tar": "apt-get install tar",
    "rsync": "apt-get install rsync",
    "rclone": "apt-get install rclone",
    "ssh cat | ssh cat": "apt-get install openssh-client",
}
"""How to get each of them."""

_PROGRAM: Final = {"ssh cat": "ssh", "ssh cat | ssh cat": "ssh", "sftp, then sha1sum": "sftp"}


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to bring a payload to the arena's target; `link` None: loopback."""

    name: str
    arena: Arena
    link: Link | None = None

    @property
    def missing(self) -> str:
        """The command that installs it, where it is not there."""
        return "" if shutil.which(_PROGRAM.get(self.name, self.name)) else INSTALL[self.name]

    def argv(self, payload: Payload) -> list[str]:
        """The command line."""
        makers = {
            "sftp": self._sftp,
            "sftp, then sha1sum": self._sftp_hashed,
            "ssh cat": self._cat,
            "tar": self._tar,
            "rsync": self._rsync,
            "rclone": self._rclone,
            "ssh cat | ssh cat": self._relay,
        }
        return makers[self.name](payload)

    @property
    def _host(self) -> str:
        return self.link.server_address if self.link else self.arena.sshd.host

    def _ssh(self) -> list[str]:
        self.arena.login(self.link)
        return [*self.arena.sshd.ssh_options(), "-o", f"Ciphers={CIPHER}"]

    def _sftp(self, payload: Payload) -> list[str]:
        get = f'get -r "{payload.path}" "{self.arena.target}/"'
        return ["sh", "-c", f"echo {shlex.quote(get)} | sftp -q -b - {shlex.join(self._ssh())} {self._host}"]

    def _sftp_hashed(self, payload: Payload) -> list[str]:
        """What has done as much as ours at its end: brought, and every byte hashed."""
        *shell, get = self._sftp(payload)
        return [*shell, f"{get} && sha1sum {shlex.quote(str(self.arena.target / payload.name))} >/dev/null"]

    def _cat(self, payload: Payload) -> list[str]:
        cat = shlex.join(["ssh", *self._ssh(), self._host, f"cat {shlex.quote(str(payload.path))}"])
        return ["sh", "-c", f"{cat} > {shlex.quote(str(self.arena.target / payload.name))}"]

    def _tar(self, payload: Payload) -> list[str]:
        pack = f"tar -C {shlex.quote(str(payload.folder))} -cf - {payload.name}"
        send = shlex.join(["ssh", *self._ssh(), self._host, pack])
        return ["sh", "-c", f"{send} | tar -C {shlex.quote(str(self.arena.target))} -xf -"]

    def _rsync(self, payload: Payload) -> list[str]:
        shell = shlex.join(["ssh", *self._ssh()])
        return ["rsync", "-a", "-e", shell, f"{self._host}:{payload.path}", f"{self.arena.target}/"]

    def _rclone(self, payload: Payload) -> list[str]:
        self._ssh()
        sshd = self.arena.sshd
        options = [
            f"--sftp-host={self._host}",
            f"--sftp-port={sshd.port}",
            f"--sftp-user={sshd.user}",
            f"--sftp-key-file={sshd.key_file}",
            f"--sftp-known-hosts-file={sshd.known_hosts}",
            "--sftp-disable-hashcheck",
            "--multi-thread-streams=4",
            "--multi-thread-cutoff=32M",
            "--transfers=4",
            "--config=/dev/null",
        ]
        target = self.arena.target / payload.name if payload.path.is_dir() else self.arena.target
        return ["rclone", "copy", f":sftp:{payload.path}", str(target), *options]

    def _relay(self, payload: Payload) -> list[str]:
        read = shlex.join(["ssh", *self._ssh(), self._host, f"cat {shlex.quote(str(payload.path))}"])
        to = self.arena.target / payload.name
        write = shlex.join(["ssh", *self._ssh(), self._host, f"cat > {shlex.quote(str(to))}"])
        return ["sh", "-c", f"{read} | {write}"]
