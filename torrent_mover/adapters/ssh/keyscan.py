"""Asks an SSH server which host keys it has, and adds those that somebody accepts to known_hosts."""

from __future__ import annotations

import base64
import binascii
import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from torrent_mover.adapters.process.tether import run
from torrent_mover.adapters.ssh import ssh_messages
from torrent_mover.adapters.ssh.hostkeys import fingerprint, known_hosts_file
from torrent_mover.adapters.ssh.ssh_config import where_ssh_goes
from torrent_mover.domain.errors import MissingProgram, NotWritable
from torrent_mover.ports.ssh import SshTarget

_WORDS: Final = 3  # of a line: name, type, key (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)


@dataclass(frozen=True, slots=True)
class HostKey:
    """A key that a server shows: `kind` as `ssh-ed25519`, `print` as `SHA256:...`, and its line of known_hosts."""

    kind: str
    print: str
    line: str


def host_keys(target: SshTarget) -> tuple[HostKey, ...]:
    """The keys that the server shows right now. Nothing proves that it is the server that was meant: a person must compare.

    Raises MissingProgram, Unreachable.
    """
    there = where_ssh_goes(target)
    command = ["ssh-keyscan", "-T", str(max(1, round(target.connect_timeout))), "-p", str(there.port), there.host]
    try:
        done = run(command, 6 * target.connect_timeout)
    except FileNotFoundError as error:
        raise MissingProgram(
            "The program ssh-keyscan is not installed here.", remedy="Run: apt-get install openssh-client"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ssh_messages.unreachable(target, "it shows no host key") from error
    keys = tuple(key for line in done.stdout.decode("utf-8", "replace").splitlines() if (key := _key(there, line)))
    if not keys:
        raise ssh_messages.unreachable(target, "it shows no host key")
    return tuple(sorted(keys, key=lambda key: key.kind != "ssh-ed25519"))


def _key(target: SshTarget, line: str) -> HostKey | None:
    words = line.split()
    if line.startswith("#") or len(words) != _WORDS:
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    return HostKey(words[1], fingerprint(blob), f"{target.known_hosts_name} {words[1]} {words[2]}")


def trust(target: SshTarget, keys: Sequence[HostKey]) -> str:
    """Add these keys to the target's known_hosts, and return its path. Raises NotWritable."""
    file = known_hosts_file(target)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        broken = file.exists() and not file.read_bytes().endswith(b"\n") and file.stat().st_size > 0
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(("\n" if broken else "") + "".join(f"{key.line}\n" for key in keys))
    except OSError as error:
        raise NotWritable(
            f"{file} cannot be written: {error.strerror}.",
            kept="The host key was not remembered.",
            remedy=f"Look at it with: ls -ld {shlex.join([str(file.parent), str(file)])}",
        ) from error
    return str(file)
