"""A way through a server by the ssh program: one connection that others of its children share, over a socket of ours alone."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from torrent_mover.adapters.process.scratch import Scratch
from torrent_mover.adapters.process.tether import Tethered, run
from torrent_mover.adapters.ssh import ssh_messages
from torrent_mover.adapters.ssh.askpass import Askpass
from torrent_mover.adapters.ssh.openssh_channel import OpensshChannel, end_group
from torrent_mover.adapters.ssh.sftp_session import SftpSession
from torrent_mover.adapters.ssh.way import not_led, not_led_to_socket
from torrent_mover.domain.errors import ConnectionLost, MoverError, NotWritable
from torrent_mover.ports.ssh import SshTarget

_LED: Final = b"master session id"
"""What ssh -v says once the server has opened the stream."""

_OPEN_FAILED: Final = re.compile(r"channel \d+: open failed: ([^\r\n]+)")
_LONGEST: Final = 60
"""Bytes of a folder's path: what ssh makes below it is 45 longer, and a socket's path ends at 107 (unix(7))."""

_LAST_WORDS: Final = 1.0
"""Seconds that the connection has to say why a stream was not opened."""

_PAUSE: Final = 0.02  # seconds between two looks at what it says


class OpensshWay:
    """See way.Way. Owns a folder (0700) with the control socket (ssh_config(5), ControlPath), and all children.

    The shared connection is an SFTP session: logging in is told apart from everything else as always, and it ends by itself
    when this process ends, however that comes.
    """

    def __init__(
        self, target: SshTarget, command: Sequence[str], environment: Mapping[str, str], askpass: Askpass | None
    ) -> None:
        self._target = target
        self._environment = {name: value for name, value in environment.items() if not name.startswith("SSH_ASKPASS")}
        self._children: list[subprocess.Popen[bytes]] = []
        self._forwarded: dict[str, str] = {}
        self._told = 0
        self._scratch = Scratch(_folder_for_a_socket())
        ssh, *options = command
        # Of each option ssh believes the first; -M and -S go before all.
        shared = ["-S", str(self._scratch.path / "way").replace("%", "%%"), "-o", "ControlPersist=no"]
        self._client = [ssh, "-v", *shared, "-o", "BatchMode=yes", "-o", "ProxyCommand=false", *options]
        try:
            argv = [ssh, "-M", *shared, *options, "-s", "--", target.host, "sftp"]
            self._channel = OpensshChannel(target, argv, dict(environment), askpass)
            self._session = SftpSession(self._channel, target.host)
        except BaseException:
            self._scratch.close()
            raise

    def dial(self, host: str, port: int) -> socket.socket:
        """See way.Way."""
        self._forget_ended()
        told = len(_OPEN_FAILED.findall(self._channel.said))
        ours, theirs = socket.socketpair()
        try:
            argv = [*self._client, "-W", f"[{host}]:{port}", "--", self._target.host]
            child = Tethered(argv, stdin=theirs.fileno(), stdout=theirs.fileno(), env=self._environment)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._children.append(child)
        if self._leads(child):
            return ours
        ours.close()
        end_group(child)
        if not self.is_open():
            raise ConnectionLost(
                f"The connection to {self._target.label} broke.",
                kept="Nothing was changed.",
                server=self._target.host,
            )
        raise not_led(self._target, host, port, self._reason(told))

    def dial_socket(self, path: str) -> socket.socket:
        """See way.Way. The shared connection listens for it in our folder, where nobody else can connect."""
        self._told = len(_OPEN_FAILED.findall(self._channel.said))
        local = self._forwarded.get(path) or self._forward(path)
        stream = socket.socket(socket.AF_UNIX)
        try:
            stream.settimeout(self._target.connect_timeout)
            stream.connect(local)
        except OSError as error:
            stream.close()
            raise ConnectionLost(
                f"The connection to {self._target.label} broke.", kept="Nothing was changed.", server=self._target.host
            ) from error
        stream.settimeout(None)
        return stream

    def why_refused(self, path: str) -> MoverError | None:
        """See way.Way."""
        deadline = time.monotonic() + _LAST_WORDS
        while time.monotonic() < deadline:
            reasons = _OPEN_FAILED.findall(self._channel.said)
            if len(reasons) > self._told:
                return not_led_to_socket(self._target, path, _plainly(reasons[-1]))
            time.sleep(_PAUSE)
        return None

    def is_open(self) -> bool:
        """See way.Way."""
        return self._session.is_open()

    def close(self) -> None:
        """See way.Way."""
        for child in self._children:
            end_group(child)
        self._forget_ended()
        self._session.close()
        self._scratch.close()

    def _forward(self, path: str) -> str:
        """Have the shared connection lead a socket in our folder there (ssh(1), -O forward); nothing is opened there yet."""
        local = os.fspath(self._scratch.path / f"to-{len(self._forwarded)}")
        where = path.replace("\\", "\\\\").replace(":", "\\:")
        ssh, *options = self._client
        argv = [ssh, "-o", "ClearAllForwardings=no", *options, "-O", "forward", "-L", f"{local}:{where}"]
        try:
            done = run([*argv, "--", self._target.host], self._target.connect_timeout, env=self._environment)
        except subprocess.TimeoutExpired as error:
            raise not_led_to_socket(self._target, path, "it does not answer in time") from error
        if done.returncode:
            if not self.is_open():
                raise ConnectionLost(
                    f"The connection to {self._target.label} broke.",
                    kept="Nothing was changed.",
                    server=self._target.host,
                )
            raise not_led_to_socket(self._target, path, ssh_messages.plain(done.stderr.decode("utf-8", "replace")))
        self._forwarded[path] = local
        return local

    def _leads(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait until it says that the stream is open; False where it ends, or takes longer than connecting may."""
        assert child.stderr is not None  # noqa: S101  it was asked for
        deadline = time.monotonic() + self._target.connect_timeout
        said = b""
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([child.stderr], [], [], left)[0]:
                return False
            chunk = os.read(child.stderr.fileno(), 4096)
            said += chunk
            if _LED in said:
                return True
            if not chunk:
                return False
        return False

    def _reason(self, told: int) -> str:
        """What the server said of the stream: the shared connection hears it."""
        deadline = time.monotonic() + _LAST_WORDS
        while time.monotonic() < deadline:
            reasons = _OPEN_FAILED.findall(self._channel.said)
            if len(reasons) > told:
                return _plainly(reasons[-1])
            with suppress(subprocess.TimeoutExpired):
                self._children[-1].wait(0.02)
        return "it does not answer in time"

    def _forget_ended(self) -> None:
        for child in [child for child in self._children if child.poll() is not None]:
            self._children.remove(child)
            if child.stderr is not None:
                child.stderr.close()


def _plainly(reason: str) -> str:
    return ssh_messages.plain(reason).removesuffix(": open failed").removesuffix(".")


def _folder_for_a_socket() -> str:
    """A folder for temporary files with a path that is short enough. Raises NotWritable where there is none."""
    usual = tempfile.gettempdir()
    for folder in (usual, os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp", "/dev/shm"):  # noqa: S108  made there by mkdtemp
        if folder and len(os.fsencode(folder)) <= _LONGEST and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise NotWritable(
        f"The tunnel's socket has no place: the path {usual} is too long for one.",
        kept="Nothing was sent.",
        remedy="Set TMPDIR to a folder with a short path, or set ssh_transport = paramiko.",
    )
