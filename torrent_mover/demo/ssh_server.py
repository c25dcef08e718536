"""A real sshd on loopback with keys of its own, optionally with a password login that the machine knows nothing of."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from torrent_mover.demo.ports import LOOPBACK, free_port
from torrent_mover.demo.process import Server, ServerProcess, children_of
from torrent_mover.demo.programs import find_program
from torrent_mover.domain.errors import ProvisioningError

_START_TIMEOUT = 15.0  # seconds; 0.1 s is usual
_RUN_FOLDER = Path("/run/sshd")
_PENALTIES_SINCE = (9, 8)
_DAYS = 20_000  # since 1970, when the throw-away password was last changed


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """A throw-away account. With `uid` 0 it is root by another name, with another one it may do what that uid may do.

    That other uid must be able to enter the folders above the server's root: pytest's own temporary folders are closed to it.
    """

    user: str = "alice"
    password: str = "correct horse % battery"  # noqa: S105 - opens nothing but a server on loopback for a minute
    uid: int = 0
    gid: int = 0


class SshServer(Server):
    """One sshd that lets the current user in by key. Everything it writes lies below `root`.

    subsystem: what serves SFTP: `internal-sftp`, `external` (the sftp-server program), a path, or None for no SFTP at all.
    force_command: what every login runs instead of what it asks for.
    lines: further lines of sshd_config; they come first, and in sshd_config the first value counts.
    password_login: also let a throw-away account in by password. Needs root: sshd then runs in a mount namespace in which
    /etc/passwd and /etc/shadow name that account, and all other paths are the machine's.

    Attributes: host, port, user (the throw-away account where there is one), password ("" without one), key_file,
    known_hosts (a file with the right line), host_key_line, config_file, log.
    """

    def __init__(
        self,
        root: Path,
        *,
        subsystem: str | None = "internal-sftp",
        force_command: str | None = None,
        lines: Sequence[str] = (),
        password_login: PasswordLogin | None = None,
    ) -> None:
        self.root = root.absolute()
        self.root.mkdir(parents=True, exist_ok=True)
        self.host = LOOPBACK
        self.port = free_port()
        self.user = password_login.user if password_login else _our_name()
        self.password = password_login.password if password_login else ""
        self.log = self.root / "sshd.log"
        self.config_file = self.root / "sshd_config"
        self.known_hosts = self.root / "known_hosts"
        self.key_file = _make_key(self.root / "client_key")
        self._host_key = _make_key(self.root / "host_key")
        self._account = password_login
        self._process = ServerProcess("sshd", self.log)
        self._trust()
        self._write_config(subsystem, force_command, lines)
        if password_login:
            self._write_accounts(password_login)

    def start(self) -> Self:
        """Start it and wait until it answers. Raises Unreachable."""
        if os.getuid() == 0:
            _RUN_FOLDER.mkdir(mode=0o755, exist_ok=True)  # sshd as root does not start without it
        # sshd runs itself again for every connection, which takes an absolute path.
        command: list[str | Path] = [find_program("sshd"), "-D", "-e", "-f", self.config_file]
        if self._account:
            bind = 'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/shadow" /etc/shadow && exec "$@"'
            command = [
                find_program("unshare"),
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                bind,
                self.root,
                *command,
            ]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.root), "LC_ALL": "C.UTF-8"}
        self._process.start(command, environment, self._answers, _START_TIMEOUT)
        return self

    def children(self) -> list[int]:
        """The pids of all sessions' processes, parents before their children: to be killed or frozen by a test."""
        return children_of(self.pid)

    def ssh_options(self) -> list[str]:
        """Options for ssh, sftp or scp that name this server's key, port and host key, and nothing of the user's own."""
        options = [f"Port={self.port}", f"User={self.user}", f"IdentityFile={self.key_file}", "IdentitiesOnly=yes"]
        options += [f"UserKnownHostsFile={self.known_hosts}", "StrictHostKeyChecking=yes", "BatchMode=yes"]
        return ["-F", "none", *[word for option in options for word in ("-o", option)]]

    def change_host_key(self) -> None:
        """Restart with another host key, without telling `known_hosts`: what a man in the middle looks like."""
        self.stop()
        for file in (self._host_key, self._host_key.with_suffix(".pub")):
            file.unlink()
        _make_key(self._host_key)
        self.start()

    @property
    def host_key_line(self) -> str:
        """The line of known_hosts for the key that the server shows."""
        kind, key = self._host_key.with_suffix(".pub").read_text().split()[:2]
        return f"[{self.host}]:{self.port} {kind} {key}\n"

    def _trust(self) -> None:
        self.known_hosts.write_text(self.host_key_line)
        (self.root / "authorized_keys").write_text(self.key_file.with_suffix(".pub").read_text())

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def _write_config(self, subsystem: str | None, force_command: str | None, lines: Sequence[str]) -> None:
        values = [
            *lines,
            f"ListenAddress {self.host}:{self.port}",
            f'HostKey "{self._host_key}"',
            f'AuthorizedKeysFile "{self.root}/authorized_keys"',
            "PidFile none",
            "StrictModes no",  # below a temporary folder some parent is always too open
            f"UsePAM {'yes' if not self._account and _locked() else 'no'}",
            "PermitRootLogin yes",
            "KbdInteractiveAuthentication no",
            f"PasswordAuthentication {'yes' if self._account else 'no'}",
            "MaxStartups 200",
            "UseDNS no",
            "PrintMotd no",
            "LogLevel VERBOSE",
            # OpenSSH's own first choice, sntrup761x25519 up to 9.9, takes 0.1 s of the processor for each connection.
            "KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org",
            # A bash that sshd starts at its first level reads ~/.bashrc: what somebody runs there has no part in this world.
            "SetEnv SHLVL=1",
        ]
        if _openssh_version() >= _PENALTIES_SINCE:
            values.append("PerSourcePenalties no")  # a test's refused logins must not lock the next test out
        if subsystem:
            program = find_program("sftp-server") if subsystem == "external" else subsystem
            values.append(f"Subsystem sftp {program}")
        if force_command:
            values.append(f"ForceCommand {force_command}")
        self.config_file.write_text("\n".join([*values, ""]))

    def _write_accounts(self, account: PasswordLogin) -> None:
        if os.getuid() != 0:
            raise ProvisioningError(
                "Only root can start an sshd that takes passwords.",
                kept="Nothing was started.",
                remedy="Log in by key, or run as root.",
            )
        self.root.chmod(0o755)
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        os.chown(home, account.uid, account.gid)
        crypted = subprocess.run(
            [find_program("openssl"), "passwd", "-6", "-stdin"],
            input=account.password,
            capture_output=True,
            text=True,
            check=True,
        )
        line = f"{account.user}:x:{account.uid}:{account.gid}::{home}:/bin/sh\n"
        # Behind the machine's own, so that uid 0 is still called root.
        (self.root / "passwd").write_text(Path("/etc/passwd").read_text() + line)
        shadow = self.root / "shadow"
        shadow.touch(mode=0o600)
        shadow.write_text(
            Path("/etc/shadow").read_text() + f"{account.user}:{crypted.stdout.strip()}:{_DAYS}:0:99999:7:::\n"
        )


def _make_key(path: Path) -> Path:
    command: list[str | Path] = [
        find_program("ssh-keygen"),
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        f"demo-{secrets.token_hex(3)}",
        "-f",
        path,
    ]
    if not path.exists():
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return path


def _our_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError as error:
        raise ProvisioningError(
            f"uid {os.getuid()} has no entry in passwd, and nobody can log in as somebody without a name.",
            kept="Nothing was started.",
            remedy="Run it as a user with a name.",
        ) from error


def _locked() -> bool:
    """Whether the current account has no usable password: sshd then lets nobody in by key either, unless it asks PAM."""
    if os.getuid() != 0:
        return False  # sshd cannot read /etc/shadow, so it does not know
    name = pwd.getpwuid(os.getuid()).pw_name
    found = re.search(rf"^{re.escape(name)}:(.?)", Path("/etc/shadow").read_text(), re.MULTILINE)
    return found is not None and found[1] == "!"


def _openssh_version() -> tuple[int, ...]:
    said = subprocess.run([find_program("ssh"), "-V"], capture_output=True, text=True, check=False).stderr
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)
