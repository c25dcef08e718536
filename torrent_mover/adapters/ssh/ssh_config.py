"""What the user's own ssh_config says of a host, as the ssh program itself reads it."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from torrent_mover.adapters.process.tether import run
from torrent_mover.adapters.ssh.ssh_config_lines import line_of_command
from torrent_mover.domain.errors import MissingProgram
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.ports.ssh import STANDARD_PORT, SshTarget

_TIMEOUT: Final = 10.0  # seconds; a `Match exec` of the file may run a program of its own


def said_of(target: SshTarget) -> Mapping[str, str]:
    """Keyword -> value, in small letters, all that ssh would use for this server if we added nothing (ssh(1), -G).

    Nothing where ssh does not speak for us, or does not tell.
    """
    if target.transport is SshTransport.PARAMIKO:
        return {}
    return _configured(target.host, target.port, target.username)


def where_ssh_goes(target: SshTarget) -> SshTarget:
    """The same server by the address, port and name of its key that ssh would use: `host` may be an alias of ~/.ssh/config.

    For programs that do not read that file (ssh-keyscan, ssh-keygen). The target as it is where ssh does not tell, or does not
    speak for us.
    """
    said = said_of(target)
    port = said.get("port", "")
    if not said.get("hostname") or not port.isdigit():
        return target
    alias = said.get("hostkeyalias", "none")
    return replace(target, host=said["hostname"], port=int(port), key_alias="" if alias == "none" else alias)


def with_jump(target: SshTarget, said: Mapping[str, str]) -> SshTarget:
    """The same server, behind the jump hosts that the file names where the target itself names none."""
    jump = said.get("proxyjump", "none")
    return target if target.proxy_jump or jump == "none" else replace(target, proxy_jump=jump)


def chooses_ciphers(said: Mapping[str, str]) -> bool:
    """Whether somebody has set ciphers for this host, which an option of ours would override."""
    return said.get("ciphers") != _usual_ciphers()


def known_hosts_named(said: Mapping[str, str]) -> tuple[Path, ...]:
    """The files of host keys that the user's ssh looks into, in order."""
    files: list[str] = []
    for word in said.get("userknownhostsfile", "").split(" "):
        # Names are told without quotes: what does not begin like one belongs to the name before it.
        if word.startswith("/") or not files:
            files.append(word)
        else:
            files[-1] += f" {word}"
    return tuple(Path(file) for file in files if file.startswith("/"))


@functools.cache
def _usual_ciphers() -> str | None:
    return _configured("localhost", STANDARD_PORT, "", "-F", "none").get("ciphers")


def _configured(host: str, port: int, user: str, *more: str) -> Mapping[str, str]:
    """Keyword -> value (ssh(1), -G); nothing where there is no such program, or it does not like the file.

    Raises MissingProgram where ssh does not come to an end with the file: then no login would.
    """
    argv = ["ssh", "-v", "-G", *more]
    if port != STANDARD_PORT:
        argv += ["-p", str(port)]
    if user:
        argv += ["-l", user]
    try:
        done = run([*argv, "--", host], _TIMEOUT)
    except OSError:
        return {}
    except subprocess.TimeoutExpired as error:
        line = line_of_command((error.stderr or b"").decode("utf-8", "replace"))
        where = f": {line}" if line else ""
        raise MissingProgram(
            f"Our ssh program cannot process its own settings for {host} within {_TIMEOUT:.0f} s{where}.",
            kept="Nothing was sent.",
            remedy="Fix that line of the ssh config, or set ssh_transport = paramiko, which does not read it.",
        ) from error
    lines = done.stdout.decode("utf-8", "surrogateescape").splitlines() if done.returncode == 0 else []
    return {keyword: value for keyword, _, value in (line.partition(" ") for line in lines)}
