"""Chooses who speaks SSH with a server: the ssh program, or the built-in library."""

from __future__ import annotations

import shutil

from torrent_mover.adapters.process.this_user import has_account
from torrent_mover.adapters.ssh.openssh import OpensshTransport
from torrent_mover.adapters.ssh.transport import Transport
from torrent_mover.domain.errors import MissingProgram
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.ssh import SshTarget


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
    return OpensshTransport(target)
