"""Checks a server's key against known_hosts for paramiko as ssh(1) does: unknown is refused or added, changed is refused."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from torrent_mover.adapters.ssh import hostkeys
from torrent_mover.domain.errors import NotWritable
from torrent_mover.ports.ssh import HostKeyPolicy, SshTarget

if TYPE_CHECKING:
    import paramiko

_SYSTEM_FILE: Final = Path("/etc/ssh/ssh_known_hosts")
_RSA: Final = ("rsa-sha2-512", "rsa-sha2-256")


def known_key_types(target: SshTarget, offered: Sequence[str]) -> tuple[str, ...]:
    """The signature types to ask the server for: those of keys we know first, so that it shows a key we can compare."""
    known = {signature for name in _known_keys(target) for signature in (_RSA if name == "ssh-rsa" else (name,))}
    return (*(name for name in offered if name in known), *(name for name in offered if name not in known))


def check_host_key(target: SshTarget, key: paramiko.PKey) -> None:
    """Raise HostKeyUnknown or HostKeyChanged, or return; with `accept-new` an unknown key is written down."""
    name, blob = key.get_name(), key.asbytes()
    shown = f"{name} {hostkeys.fingerprint(blob)}"
    known = _known_keys(target)
    if _is_revoked(target, key.get_base64()):
        raise hostkeys.changed_key(target, f"{shown}, which known_hosts says is revoked")
    if known.get(name) == blob:
        return
    # Another type than those known counts as changed, as with ssh: else an impostor need only show another type.
    if known:
        raise hostkeys.changed_key(target, shown)
    if target.host_key_policy is HostKeyPolicy.STRICT:
        raise hostkeys.unknown_key(target, shown)
    _remember(target, f"{target.known_hosts_name} {name} {key.get_base64()}\n")


def _known_keys(target: SshTarget) -> dict[str, bytes]:
    import paramiko

    found: dict[str, bytes] = {}
    files = [hostkeys.known_hosts_file(target)] + ([] if target.known_hosts else [_SYSTEM_FILE])
    for file in files:
        if not file.is_file():
            continue
        keys = paramiko.HostKeys()
        keys.load(str(file))
        for name, key in (keys.lookup(target.known_hosts_name) or {}).items():
            found.setdefault(name, key.asbytes())
    return found


def _is_revoked(target: SshTarget, encoded: str) -> bool:
    lines: list[str] = []
    with suppress(OSError):
        lines = hostkeys.known_hosts_file(target).read_text("utf-8", "replace").splitlines()
    return any(line.startswith("@revoked") and encoded in line.split() for line in lines)


def _remember(target: SshTarget, line: str) -> None:
    file = hostkeys.known_hosts_file(target)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(line)
    except OSError as error:
        raise NotWritable(
            f"The new host key of {target.label} cannot be written to {file}: {error.strerror}.",
            remedy=f"Make it writable, or add the key by hand: ssh-keyscan -p {target.port} {target.host} >> {file}",
        ) from error
