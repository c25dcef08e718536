"""The hosts between us and a server (proxy_jump), as targets of their own."""

from __future__ import annotations

from dataclasses import replace

from torrent_mover.ports.ssh import SshTarget


def last_jump(target: SshTarget) -> SshTarget | None:
    """The host from which the target is reached, itself perhaps behind others; None for a direct way.

    A hop is `user@host:port` (ssh_config(5), ProxyJump). It is let in by key or agent; the target's password is never shown to it.
    """
    before, _, last = target.proxy_jump.rpartition(",")
    if not last.strip():
        return None
    user, _, place = last.strip().rpartition("@")
    host, colon, port = place.rpartition(":")
    if not colon or not port.isdigit() or host.endswith(":"):
        host, port = place, "22"
    return replace(
        target,
        host=host.strip("[]"),
        port=int(port),
        username=user,
        password=None,
        proxy_jump=before,
        shared_connection=None,
    )


def all_hosts(target: SshTarget) -> list[SshTarget]:
    """The jump hosts in the order of the way, then the target."""
    hop = last_jump(target)
    return [*(all_hosts(hop) if hop else []), target]
