"""Which files SSH host keys are checked against, and words and remedies for keys that are unknown or have changed."""

from __future__ import annotations

import base64
import hashlib
import os
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from torrent_mover.adapters.process.this_user import account_home, home_folder
from torrent_mover.adapters.ssh.ssh_config import known_hosts_named, said_of, where_ssh_goes
from torrent_mover.domain.errors import HostKeyChanged, HostKeyUnknown, NotWritable
from torrent_mover.ports.ssh import SshTarget


def known_hosts_file(target: SshTarget) -> Path:
    """The file to which host keys of this target are added."""
    return known_hosts_files(target, said_of(target))[0]


def known_hosts_files(target: SshTarget, said: Mapping[str, str]) -> tuple[Path, ...]:
    """The files in which host keys of this target are looked up, in order; new ones are added to the first.

    `said`: what the user's ssh_config says of it. Its files count, and so do the keys that we remember ourselves: we do so
    wherever the user's first file would forget a key (/dev/null, a folder that is read-only or cannot be made).
    """
    if target.known_hosts is not None:
        given = [Path(str(target.known_hosts))]
    else:
        at_home = home_folder() / ".ssh" / "known_hosts"
        named = known_hosts_named(said) or (at_home,) * (not said)
        # ssh looks in the account's home only, whatever $HOME says (sudo, containers).
        elsewhere = account_home() not in (None, home_folder())
        given = [*([at_home] if elsewhere else []), *named]
    kept = list(dict.fromkeys(file for file in given if not _is_no_file(file)))
    ours = [] if target.own_known_hosts is None else [Path(str(target.own_known_hosts))]
    if kept and (not ours or _remembers(kept[0])):
        return (*kept, *([] if target.known_hosts else ours))
    return (*ours, *kept) or tuple(given) or (home_folder() / ".ssh" / "known_hosts",)


def _is_no_file(file: Path) -> bool:
    """Whether something lies there that keeps nothing: a device, a pipe."""
    try:
        return not stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return False


def _remembers(file: Path) -> bool:
    """Whether a line can be added to this file, which may have to be made first."""
    for place in (file, *file.parents):
        try:
            place.stat()
        except FileNotFoundError:
            continue
        except OSError:
            return False
        return os.access(place, os.W_OK if place == file else os.W_OK | os.X_OK)
    return False


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
        kept="Nothing was sent to it, not even a password.",
        remedy=f"Compare the fingerprint with the server's owner; if it is right, run: {scan} >> {file} "
        "(or set host_key_policy = accept-new).",
        server=target.host,
        address=target.label,
        shown=shown,
    )


def not_remembered(target: SshTarget, detail: str = "") -> NotWritable:
    """A new key that was to be taken now and from then on, and could not be written down."""
    file = shlex.quote(os.fspath(known_hosts_file(target)))
    return NotWritable(
        f"The new host key of {target.label} cannot be written to {file}{f': {detail}' if detail else ''}.",
        kept="Nothing is moved from or to a server whose key would be forgotten.",
        remedy=f"Make it writable, or add the key by hand: ssh-keyscan -p {target.port} {target.host} >> {file}",
    )


def changed_key(target: SshTarget, shown: str, known_in: Path | None) -> HostKeyChanged:
    """The refusal of a key that is not the one we know. `shown`: its type and fingerprint, or empty.

    `known_in`: the file in which the other one stands, None where that is not told.
    """
    file = shlex.quote(os.fspath(known_in or known_hosts_file(target)))
    key = f" It now shows {shown}." if shown else ""
    name = shlex.quote(where_ssh_goes(target).known_hosts_name)
    return HostKeyChanged(
        f"The SSH host key of {target.label} has CHANGED: the server was reinstalled, or somebody intercepts the connection.{key}",
        kept="Nothing was sent to it, not even a password.",
        remedy=f"Only when the owner confirms the new fingerprint, forget the old key: ssh-keygen -f {file} -R {name}",
        server=target.host,
    )
