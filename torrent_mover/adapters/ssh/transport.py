"""The seam under SFTP: a plain duplex byte channel, and who can open one. The only place that chooses ssh or paramiko."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Protocol

from torrent_mover.adapters.process.this_user import has_account
from torrent_mover.adapters.ssh.way import SshWay
from torrent_mover.domain.errors import MissingProgram
from torrent_mover.domain.settings.settings import SshTransport
from torrent_mover.ports.ssh import Login, SshTarget


class Channel(Protocol):
    """Bytes to and from one subsystem. One thread uses it; only `abort` may come from another."""

    def pump(
        self, outgoing: Sequence[memoryview], incoming: memoryview, *, block: bool = True, timeout: float | None = None
    ) -> tuple[int, int]:
        """Send what goes, receive what is there, and return both counts; with `block`, at least one of them is not 0.

        Never waits for room to send while replies could come in. `timeout` in seconds replaces the target's reply timeout.
        Raises ConnectionLost (the end of the stream, an abort), Stalled (nothing moved in time), and, as long as
        `established` was not called, what keeps us from logging in: HostKeyUnknown, HostKeyChanged, LoginRefused, Unreachable.
        """

    def established(self) -> None:
        """The other side speaks our protocol: from now on a broken stream is a lost connection, not a failed login.

        Raises NotWritable where its new host key could not be remembered: the next time any other one would be taken.
        """

    @property
    def login(self) -> Login:
        """How we came in. Full only once `established`."""

    def is_open(self) -> bool:
        """Whether the connection still looks alive. Does not block."""

    def abort(self) -> None:
        """From any thread: break a blocked `pump`. Never blocks, never raises."""

    def close(self) -> None:
        """Let go of it. Never raises."""


class ShellResult(Protocol):
    """What a remote command left."""

    @property
    def code(self) -> int:
        """Its exit status."""

    @property
    def stdout(self) -> bytes:
        """What it wrote."""

    @property
    def stderr(self) -> bytes:
        """What it complained about."""


class Transport(Protocol):
    """One way to speak SSH with one server."""

    @property
    def target(self) -> SshTarget:
        """The server."""

    def open_sftp(self) -> Channel:
        """Start a connection with the sftp subsystem. Login errors may only show at the first `pump`."""

    def open_way(self) -> SshWay:
        """Log in for streams to ports that the server sees. Raises what logging in raises."""

    def execute(self, command: str, stdin: bytes, timeout: float) -> ShellResult:
        """Run one shell command line to its end. Raises as `open_sftp`, and Stalled after `timeout` seconds."""


def connect(target: SshTarget) -> Transport:
    """The transport that the target asks for. Opens nothing yet. Raises MissingProgram where it is not installed."""
    has_ssh = shutil.which("ssh") is not None
    if target.transport is SshTransport.OPENSSH and not has_ssh:
        raise MissingProgram(
            "The ssh program is not installed here.",
            remedy="Run: apt-get install openssh-client (or set ssh_transport = paramiko).",
        )
    # ssh does not work for a user without an entry in passwd. Where it was asked for by name, logging in says so.
    by_library = target.transport is SshTransport.AUTO and not has_account()
    if target.transport is SshTransport.PARAMIKO or not has_ssh or by_library:
        from torrent_mover.adapters.ssh.paramiko_transport import ParamikoTransport

        return ParamikoTransport(target)
    from torrent_mover.adapters.ssh.openssh import OpensshTransport

    return OpensshTransport(target)
