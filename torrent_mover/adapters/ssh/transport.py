"""The seam under SFTP: a plain duplex byte channel, and who can open one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torrent_mover.adapters.ssh.way import SshWay
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


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left: exit status, output, complaints. 127: no such program there."""

    code: int
    stdout: bytes
    stderr: bytes


class Transport(Protocol):
    """One way to speak SSH with one server."""

    @property
    def target(self) -> SshTarget:
        """The server."""

    def open_sftp(self) -> Channel:
        """Start a connection with the sftp subsystem. Login errors may only show at the first `pump`."""

    def open_way(self) -> SshWay:
        """Log in for streams to ports that the server sees. Raises what logging in raises."""

    def execute(self, command: str, stdin: bytes, timeout: float) -> Finished:
        """Run one shell command line to its end. Raises as `open_sftp`, and Stalled after `timeout` seconds."""
