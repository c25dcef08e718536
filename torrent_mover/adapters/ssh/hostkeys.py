"""Words and remedies for SSH host keys that are unknown or have changed."""

from __future__ import annotations

import base64
import hashlib
import os
import shlex
from pathlib import Path

from torrent_mover.adapters.ssh.ssh_config import where_ssh_goes
from torrent_mover.domain.errors import HostKeyChanged, HostKeyUnknown
from torrent_mover.ports.ssh import SshTarget


def known_hosts_file(target: SshTarget) -> Path:
    """The file that host keys of this target are looked up in, and added to."""
    return Path(str(target.known_hosts)) if target.known_hosts else Path.home() / ".ssh" / "known_hosts"


def fingerprint(key_blob: bytes) -> str:
    """`SHA256:...` of a public key in wire format, as ssh-keygen -l prints it."""
    digest = hashlib.sha256(key_blob).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def unknown_key(target: SshTarget, shown: str) -> HostKeyUnknown:
    """The refusal of a key never seen before. `shown`: its type and fingerprint, or empty."""
    file = shlex.quote(os.fspath(known_hosts_file(target)))
    key = f" It shows {shown}." if shown else ""
    there = where_ssh_goes(target)
    scan = f"ssh-keyscan -p {there.port} {shlex.quote(there.host)}"
    return HostKeyUnknown(
        f"The SSH host key of {target.label} is not known here.{key}",
        kept="Nothing was sent to it, no password either.",
        remedy=f"Compare the fingerprint with the server's owner; if it is right, run: {scan} >> {file} "
        "(or set host_key_policy = accept-new).",
        server=target.label,
        shown=shown,
    )


def changed_key(target: SshTarget, shown: str) -> HostKeyChanged:
    """The refusal of a key that is not the one we know. `shown`: its type and fingerprint, or empty."""
    file = shlex.quote(os.fspath(known_hosts_file(target)))
    key = f" It now shows {shown}." if shown else ""
    name = shlex.quote(where_ssh_goes(target).known_hosts_name)
    return HostKeyChanged(
        f"The SSH host key of {target.label} has CHANGED: the server was reinstalled, or somebody stands in between.{key}",
        kept="Nothing was sent to it, no password either.",
        remedy=f"Only when the owner confirms the new fingerprint, forget the old key: ssh-keygen -f {file} -R {name}",
    )
