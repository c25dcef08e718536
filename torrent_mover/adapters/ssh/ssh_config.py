"""What the user's own ssh_config says of a host, as the ssh program itself reads it."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from torrent_mover.domain.settings import SshTransport
from torrent_mover.ports.ssh import STANDARD_PORT, SshTarget

_TIMEOUT: Final = 10.0


def where_ssh_goes(target: SshTarget) -> SshTarget:
    """The same server by the address, port and name of its key that ssh would use: `host` may be an alias of ~/.ssh/config.

    For programs that do not read that file (ssh-keyscan, ssh-keygen). The target as it is where ssh does not tell, or does not
    speak for us.
    """
    if target.transport is SshTransport.PARAMIKO:
        return target
    said = _configured(target.host, target.port, target.username)
    port = said.get("port", "")
    if not said.get("hostname") or not port.isdigit():
        return target
    alias = said.get("hostkeyalias", "none")
    return replace(target, host=said["hostname"], port=int(port), key_alias="" if alias == "none" else alias)


def chooses_ciphers(target: SshTarget) -> bool:
    """Whether somebody has set ciphers for this host, which an option of ours would override."""
    return _configured(target.host, target.port, target.username).get("ciphers") != _usual_ciphers()


@functools.cache
def _usual_ciphers() -> str | None:
    return _configured("localhost", STANDARD_PORT, "", "-F", "none").get("ciphers")


def _configured(host: str, port: int, user: str, *more: str) -> Mapping[str, str]:
    """Keyword -> value (ssh(1), -G); nothing where there is no such program, or it does not like the file."""
    argv = ["ssh", "-G", *more]
    if port != STANDARD_PORT:
        argv += ["-p", str(port)]
    if user:
        argv += ["-l", user]
    try:
        done = subprocess.run(
            [*argv, "--", host], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    lines = done.stdout.decode("utf-8", "replace").splitlines() if done.returncode == 0 else []
    return {keyword: value for keyword, _, value in (line.partition(" ") for line in lines)}
