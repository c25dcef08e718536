"""Checks a server's key against known_hosts for paramiko as ssh(1) does: unknown is refused or added, changed is refused."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from torrent_mover.adapters.ssh import hostkeys
from torrent_mover.adapters.ssh.ssh_config import said_of
from torrent_mover.domain.settings.servers import HostKeyPolicy
from torrent_mover.ports.ssh import SshTarget

if TYPE_CHECKING:
    import paramiko

_SYSTEM_FILE: Final = Path("/etc/ssh/ssh_known_hosts")
_RSA: Final = ("rsa-sha2-512", "rsa-sha2-256")


@dataclass(frozen=True, slots=True)
class _Known:
    """One line of a `file` as known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): `marker` is `@revoked`, or empty."""

    file: Path
    marker: str
    kind: str
    blob: bytes


def known_key_types(target: SshTarget, offered: Sequence[str]) -> tuple[str, ...]:
    """The signature types to ask the server for: those of keys we know first, so that it shows a key we can compare."""
    kinds = {line.kind for line in _known_keys(target) if not line.marker}
    wanted = {signature for kind in kinds for signature in (_RSA if kind == "ssh-rsa" else (kind,))}
    return (*(name for name in offered if name in wanted), *(name for name in offered if name not in wanted))


def check_host_key(target: SshTarget, key: paramiko.PKey) -> None:
    """Raise HostKeyUnknown or HostKeyChanged, or return; with `accept-new` an unknown key is written down."""
    kind, blob = key.get_name(), key.asbytes()
    shown = f"{kind} {hostkeys.fingerprint(blob)}"
    lines = _known_keys(target)
    revoked = next((line for line in lines if line.marker and line.blob == blob), None)
    if revoked is not None:
        raise hostkeys.changed_key(target, f"{shown}, which known_hosts says is revoked", revoked.file)
    known = [line for line in lines if not line.marker]
    if any(line.blob == blob for line in known):
        return
    # Another type than those known counts as changed, as with ssh: else an impostor need only show another type.
    if known:
        raise hostkeys.changed_key(target, shown, known[0].file)
    if target.host_key_policy is HostKeyPolicy.STRICT:
        raise hostkeys.unknown_key(target, shown)
    _remember(target, f"{target.known_hosts_name} {kind} {key.get_base64()}\n")


def _known_keys(target: SshTarget) -> list[_Known]:
    files = [
        *hostkeys.known_hosts_files(target, said_of(target)),
        *([] if target.known_hosts else [_SYSTEM_FILE]),
    ]
    return [line for file in files for line in _lines_for(target, file)]


def _lines_for(target: SshTarget, file: Path) -> Iterator[_Known]:
    text = ""
    with suppress(OSError):
        text = file.read_text("utf-8", "replace")
    for line in text.splitlines():
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        # Certificate authorities are left out: paramiko does not check host certificates.
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@revoked"):  # noqa: PLR2004  names, type, key
            continue
        with suppress(binascii.Error):
            if _names(words[0], target.known_hosts_name):
                yield _Known(file, marker, words[1], base64.b64decode(words[2], validate=True))


def _names(patterns: str, host: str) -> bool:
    """Whether the first field of a line means this host: hashed, or patterns with `*`, `?` and `!`."""
    if patterns.startswith("|1|"):
        _, _, salt, digest = patterns.split("|", 3)
        made = hmac.new(base64.b64decode(salt), host.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(made, base64.b64decode(digest))
    found = False
    for pattern in patterns.lower().split(","):
        # In fnmatch brackets are a class; in known_hosts they are part of `[host]:port`.
        literal = pattern.lstrip("!").replace("[", "[[]")
        if fnmatch.fnmatchcase(host.lower(), literal):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _remember(target: SshTarget, line: str) -> None:
    file = hostkeys.known_hosts_file(target)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = file.exists() and file.read_bytes()[-1:] not in (b"", b"\n")
        with file.open("a", encoding="utf-8") as out:
            out.write("\n" * unfinished + line)
    except OSError as error:
        raise hostkeys.not_remembered(target, error.strerror or "") from error
