"""A way through a server to ports and sockets that it sees: what opens streams to them, and the errors where it does not."""

from __future__ import annotations

import shlex
import socket
from typing import Protocol

from torrent_mover.domain.errors import MoverError, TunnelRefused, Unreachable
from torrent_mover.domain.text import clause
from torrent_mover.ports.ssh import SshTarget


class SshWay(Protocol):
    """One SSH connection that leads further. Nothing of it listens on this machine where another user could connect."""

    def dial(self, host: str, port: int) -> socket.socket:
        """A stream to a port as the server sees it. The caller closes it.

        Raises Unreachable where nothing answers there, TunnelRefused where the server leads nobody there, and ConnectionLost
        where the connection has broken.
        """

    def dial_socket(self, path: str) -> socket.socket:
        """The same to a Unix socket. Raises as `dial`, or the stream ends at once, and `why_refused` tells why."""

    def why_refused(self, path: str) -> MoverError | None:
        """Why the stream that `dial_socket` opened last ended before it began; None where the server says nothing."""

    def is_open(self) -> bool:
        """Whether the connection still looks alive. Does not block."""

    def close(self) -> None:
        """Let go of it and of its streams. Never raises."""


def not_led(target: SshTarget, host: str, port: int, reason: str) -> MoverError:
    """Why a stream was not opened, in the server's words (RFC 4254, 5.1)."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if "prohibited" in reason:
        return TunnelRefused(
            f"{target.label} accepts the login, but does not forward to {place}: {clause(reason)}.",
            kept="Nothing was changed.",
            remedy="Allow it there: AllowTcpForwarding local (or yes) in sshd_config, no PermitOpen without that port, no"
            " no-port-forwarding or restrict before the key in authorized_keys. If you cannot change that, set tunnel = no"
            " and give an address of the Web UI that is open to us.",
            server=target.host,
        )
    return Unreachable(
        f"{target.label} accepts the login, but does not reach {place}: {clause(reason or 'no reason is given')}.",
        kept="Nothing was changed.",
        remedy="With tunnel = yes, host and port are those that the server itself sees, such as host = http://127.0.0.1 and"
        " port = 8080. Is the client running there, with its Web UI on that port?",
        server=target.host,
    )


def not_led_to_socket(target: SshTarget, path: str, reason: str) -> MoverError:
    """The same for a Unix socket (OpenSSH's PROTOCOL, 2.4). sshd says "connect failed" also where it forwards to no socket."""
    return Unreachable(
        f"{target.label} accepts the login, but does not reach the socket {path}: {clause(reason or 'no reason is given')}.",
        kept="Nothing was changed.",
        remedy=f"Is the client running there, and may this login use its socket? Look there: ls -l {shlex.quote(path)}"
        " If it may, allow the way to it: AllowStreamLocalForwarding local (or yes) in sshd_config.",
        server=target.host,
    )
