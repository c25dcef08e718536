"""Turns what the ssh program says on standard error (LC_ALL=C, with -v) into our errors. Wording: OpenSSH 7.x to 10.x."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from torrent_mover.adapters.ssh import hostkeys
from torrent_mover.adapters.ssh.jumps import all_hosts
from torrent_mover.domain.errors import LoginRefused, MissingProgram, MoverError, ServerTooOld, Unreachable
from torrent_mover.ports.ssh import SshTarget

_SERVER_KEY: Final = re.compile(r"Server host key: (\S+) (SHA256:\S+)")
_CHANGED_KEY: Final = re.compile(r"The fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:[^\s.]+)")
_UNKNOWN_HOST: Final = re.compile(r"host key is known for (\S+) and")
_TRIED: Final = re.compile(r"Authentications that can continue: (\S+)")
_NOISE: Final = re.compile(
    r"^(debug\d: |OpenSSH_|Authenticated to |Authenticated using |Transferred: |Bytes per second|Warning: Permanently added"
    r"|Pseudo-terminal|\*\* |@@@)"
)
_UNREACHABLE: Final = (
    "Connection refused",
    "Connection timed out",
    "Operation timed out",
    "No route to host",
    "Network is unreachable",
    "Could not resolve hostname",
    "Connection reset by",
    "Connection closed by",
    "kex_exchange_identification",
    "banner exchange",
    "timed out during",
)


def plain(text: str) -> str:
    """The lines that a person would have seen without -v, joined; at most 300 characters of the end."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _NOISE.match(line)]
    return " / ".join(lines)[-300:]


def explain_login(target: SshTarget, text: str) -> MoverError | None:
    """Why ssh could not log in, or None where its words say nothing that we know."""
    for marker, make in _EXPLANATIONS:
        if marker in text:
            return make(target, text)
    if any(marker in text for marker in _UNREACHABLE):
        return unreachable(target, plain(text))
    return None


def unreachable(target: SshTarget, detail: str) -> Unreachable:
    """Nothing answers, or what answers hangs up."""
    return Unreachable(
        f"Cannot reach the SSH server {target.label}: {detail or 'no answer'}.",
        kept="Nothing was changed.",
        remedy=f"Check host, port and network: ssh -v -p {target.port} {target.host}",
    )


def _unknown(target: SshTarget, text: str) -> MoverError:
    named = _UNKNOWN_HOST.findall(text)
    hop = next((hop for hop in all_hosts(target) if named and hop.known_hosts_name == named[-1]), target)
    return hostkeys.unknown_key(hop, _shown(_SERVER_KEY, text) if hop is target else "")


def _changed(target: SshTarget, text: str) -> MoverError:
    return hostkeys.changed_key(target, _shown(_CHANGED_KEY, text) or _shown(_SERVER_KEY, text))


def _shown(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return " ".join(found[-1]) if found else ""


def _refused(target: SshTarget, text: str) -> MoverError:
    methods = _TRIED.findall(text)
    offered = f" It accepts: {methods[-1]}." if methods else ""
    return login_refused(target, f"{plain(text).rstrip('.')}.{offered}")


def login_refused(target: SshTarget, detail: str) -> LoginRefused:
    """The server does not want us; says how we tried."""
    how = f"key {target.key_file}" if target.key_file else "password" if target.password else "agent or default keys"
    user = f"{target.username}@" if target.username else ""
    return LoginRefused(
        f"{target.label} refused the login of {user}{target.host} (tried: {how}): {detail}",
        kept="It was tried once only; nothing was changed.",
        remedy=f"Make this work first: ssh -p {target.port} {user}{target.host} true; then set username, key_file or password.",
    )


def _too_many(target: SshTarget, text: str) -> MoverError:
    refused = login_refused(target, plain(text))
    refused.remedy = "The agent offers more keys than the server hears: set key_file to the right one."
    return refused


def _no_subsystem(target: SshTarget, text: str) -> MoverError:
    return ServerTooOld(
        f"{target.label} has no sftp subsystem: {plain(text)}.",
        remedy="Add this line to its /etc/ssh/sshd_config and reload sshd: Subsystem sftp internal-sftp",
    )


def _no_common(target: SshTarget, text: str) -> MoverError:
    return ServerTooOld(
        f"{target.label} and our ssh have no method in common: {plain(text)}.",
        remedy="Update the server's OpenSSH, or allow the method it names for this host in ~/.ssh/config.",
    )


def _bad_config(target: SshTarget, text: str) -> MoverError:
    return MissingProgram(
        f"Our ssh program refuses its own settings for {target.label}: {plain(text)}.",
        remedy="Mend the line of ~/.ssh/config that it names, or set ssh_transport = paramiko.",
    )


# The first that matches wins: a refused host key also says "Host key verification failed".
_EXPLANATIONS: Final[tuple[tuple[str, Callable[[SshTarget, str], MoverError]], ...]] = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", _changed),
    ("host key for", _unknown),
    ("host key is known", _unknown),
    ("Host key verification failed", _unknown),
    ("Too many authentication failures", _too_many),
    ("Permission denied (", _refused),
    ("subsystem request failed", _no_subsystem),
    ("Unable to negotiate", _no_common),
    ("Bad configuration option", _bad_config),
    ("Bad owner or permissions on", _bad_config),
)
