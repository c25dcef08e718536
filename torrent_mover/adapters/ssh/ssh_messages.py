"""Turns what the ssh program says on standard error (LC_ALL=C, with -v) into our errors. Wording: OpenSSH 7.x to 10.x."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from torrent_mover.adapters.ssh import hostkeys
from torrent_mover.adapters.ssh.jumps import all_hosts, last_jump
from torrent_mover.adapters.ssh.questions import bare, unanswered
from torrent_mover.adapters.ssh.ssh_config import said_of, with_jump
from torrent_mover.adapters.ssh.ssh_config_lines import PROOF, WAY, lines_that_count
from torrent_mover.domain.errors import (
    BadAnswer,
    LoginRefused,
    MissingProgram,
    MoverError,
    NoLogin,
    PersonNeeded,
    ServerTooOld,
    Unreachable,
)
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.domain.text import clause
from torrent_mover.ports.ssh import STANDARD_PORT, SshTarget

_SERVER_KEY: Final = re.compile(r"Server host key: (\S+) (SHA256:\S+)")
_CHANGED_KEY: Final = re.compile(r"The fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:[^\s.]+)")
_OFFENDING: Final = re.compile(r"^Offending (?:\S+ )?key (?:for IP )?in (/.*):\d+\r?$", re.MULTILINE)
_UNKNOWN_HOST: Final = re.compile(r"host key is known for (\S+) and")
_CONTINUE: Final = re.compile(r"Authentications that can continue: (\S+)")
_TRIED: Final = re.compile(r"Next authentication method: (\S+)")
_OFFERED_KEY: Final = re.compile(r"Offering public key: (.+) \S+ SHA256:")
_PARTIAL: Final = re.compile(r'Authenticated (?:using "([\w@.-]+)" )?with partial success')
SHARED: Final = "mux_client_request_session: master session id"
"""What ssh says where it goes through a connection that is open already."""

LOGGED_IN: Final = ("Authenticated to ", "Authentication succeeded", "Sending command", SHARED)
"""Any of these: from here on it is not the login that fails."""

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

_HUNG_UP: Final = ("kex_exchange_identification", "banner exchange", "Maximum connections", "Too many")
"""What is said where a server answers and wants no further connection (sshd's MaxStartups and penalties, a banned address)."""

_MISMATCH: Final = re.compile(r"no matching ([\w ]+) found\. Their offer: (\S+)")
_OPTIONS: Final = {
    "key exchange method": "KexAlgorithms",
    "host key type": "HostKeyAlgorithms",
    "cipher": "Ciphers",
    "MAC": "MACs",
}
"""How ssh_config(5) calls what ssh says there is no match for."""

_NO_METHOD: Final = re.compile(r"kex-strict-|ext-info-")
"""Names in such a list that only announce a feature (RFC 8308)."""

_BEHIND_A_JUMP: Final = "UNKNOWN port 65535"
"""How ssh calls the other end of a connection that goes through another program."""

_NO_GREETING: Final = "kex_exchange_identification"
"""Begins what ssh says where the other end hangs up before it has said a word."""

_NOT_FOUND: Final = 127
"""Exit status of a shell that did not find a program (POSIX)."""


def plain(text: str) -> str:
    """The lines that a person would have seen without -v, joined; at most 300 characters of the end."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _NOISE.match(line)]
    return " / ".join(lines)[-300:]


def login_error(target: SshTarget, said: str, questions: Sequence[str]) -> MoverError | None:
    """As `explain_login`, where the server may have asked for the password: `questions` are its words, in order."""
    right = _PARTIAL.search(said) is not None
    question = unanswered(questions) or (bare(questions[-1]) if right and len(questions) > 1 else "")
    if question:
        return person_needed(target, f"asks what only a person can answer: {question}")
    if len(questions) > 1:
        return login_refused(target, "the password is wrong.", ("password",))
    return explain_login(target, said)


def explain_login(target: SshTarget, text: str) -> MoverError | None:
    """Why ssh could not log in, or None where its words say nothing that we know."""
    target = with_jump(target, said_of(target))
    on_the_way = _on_the_way(target, text)
    if on_the_way is not None:
        return on_the_way
    for marker, make in _EXPLANATIONS:
        if marker in text:
            return make(target, text)
    if any(marker in text for marker in _UNREACHABLE):
        error = unreachable(target, plain(text))
        error.remedy += lines_that_count(text, WAY)
        return error
    return None


def unreachable(target: SshTarget, detail: str) -> Unreachable:
    """Nothing answers, or what answers hangs up."""
    return Unreachable(
        f"Cannot reach the SSH server {target.label}: {detail or 'no answer'}.",
        kept="Nothing was changed.",
        remedy=_CROWDED
        if any(marker in detail for marker in _HUNG_UP)
        else f"Check host, port and network: {by_hand(target, '-v')}",
        server=target.host,
    )


_CROWDED: Final = (
    "It answers and closes the connection. Wait some minutes. If that does not help, lower max_concurrent_ssh_sessions"
    " (limits there: MaxStartups, MaxClients), and check there whether our address is banned (fail2ban-client status sshd)."
)


def by_hand(target: SshTarget, *options: str) -> str:
    """The command by which a person would log in. The standard port is not named: the host may be an alias with another one."""
    port = ["-p", str(target.port)] if target.port != STANDARD_PORT else []
    jump = ["-J", target.proxy_jump] if target.proxy_jump else []
    user = f"{target.username}@" if target.username else ""
    return shlex.join(["ssh", *options, *port, *jump, user + target.host])


def ended_at_once(target: SshTarget, status: int | None, detail: str) -> MoverError:
    """The login works, and no sftp server speaks. `status`: its exit status, None where it is not told."""
    said = f": {detail}" if detail else ""
    if status == _NOT_FOUND or "not found" in detail or "No such file" in detail:
        return ServerTooOld(
            f"{target.label} accepts the login, but finds no sftp server{clause(said or f' (exit status {status})')}.",
            kept="Nothing was changed.",
            remedy="Install it there: apt-get install openssh-sftp-server (OpenWrt, Entware: opkg install openssh-sftp-server);"
            " with OpenSSH's sshd, this line in sshd_config is enough: Subsystem sftp internal-sftp",
            server=target.host,
        )
    code = f" with exit status {status}" if status is not None and status >= 0 else ""
    return BadAnswer(
        f"{target.label} accepts the login, but its sftp server ends at once{code}{clause(said)}.",
        kept="Nothing was changed.",
        remedy="The server's log says why (journalctl -u ssh, or /var/log/auth.log): a chroot that others than root may write in,"
        " a login shell or forced command that refuses, too many logins at a time (lower max_concurrent_ssh_sessions).",
        server=target.host,
    )


def _on_the_way(target: SshTarget, text: str) -> MoverError | None:
    """What went wrong before the target itself was spoken to, behind one jump host; behind several it may be any of them."""
    hop = last_jump(target)
    if hop is None or hop.proxy_jump or _BEHIND_A_JUMP not in text or _NO_GREETING not in text:
        return None
    said = "\n".join(line for line in text.splitlines() if _BEHIND_A_JUMP not in line and _NO_GREETING not in line)
    if "stdio forwarding failed" not in text:
        return explain_login(hop, said) or unreachable(hop, plain(said))
    error = unreachable(target, f"the jump host {hop.label} says: {plain(said)}")
    error.remedy = (
        f"On the jump host, look whether it reaches {target.label}, and whether it lets us pass (AllowTcpForwarding in"
        " sshd_config; dropbear without -j)."
    )
    return error


def _unknown(target: SshTarget, text: str) -> MoverError:
    named = _UNKNOWN_HOST.findall(text)
    hop = next((hop for hop in all_hosts(target) if named and hop.known_hosts_name == named[-1]), target)
    return hostkeys.unknown_key(hop, _shown(_SERVER_KEY, text) if hop is target else "")


def _changed(target: SshTarget, text: str) -> MoverError:
    offending = _OFFENDING.findall(text)
    shown = _shown(_CHANGED_KEY, text) or _shown(_SERVER_KEY, text)
    return hostkeys.changed_key(target, shown, Path(offending[-1]) if offending else None)


def _shown(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return " ".join(found[-1]) if found else ""


def _refused(target: SshTarget, text: str) -> MoverError:
    methods = _CONTINUE.findall(text)
    took = _PARTIAL.findall(text)
    if took and methods:
        return more_wanted(target, took[-1] or "first proof", methods[-1].split(","))
    offered = f" It accepts: {methods[-1]}." if methods else ""
    refused = login_refused(target, f"{plain(text).rstrip('.')}.{offered}", _tried(text))
    if "no mutual signature" in text:
        refused.remedy = (
            "That server knows only the old signatures of RSA keys. Give it a key of another kind (ssh-keygen -t ed25519), or allow"
            f" them for it alone: {_allow(target, 'PubkeyAcceptedAlgorithms', 'ssh-rsa')}"
        )
    refused.remedy += lines_that_count(text, PROOF)
    return refused


def person_needed(target: SshTarget, detail: str) -> PersonNeeded:
    """A login that a program alone does not get through. `detail` follows the server's name."""
    opened = ""
    if target.shared_connection is not None and target.transport is not SshTransport.PARAMIKO:
        command = by_hand(target, "-fNM", "-S", str(target.shared_connection))
        opened = f"; or log in yourself once and leave that connection open, which we then use: {command}"
    return PersonNeeded(
        f"{target.label} {detail.rstrip('.')}.",
        kept="Tried only once, to avoid a ban; nothing was changed.",
        remedy="A run cannot answer that at each connection. Use a key that is enough alone (key_file), or an account that is not"
        f" asked{opened}",
        server=target.host,
    )


def more_wanted(target: SshTarget, took: str, methods: Sequence[str]) -> LoginRefused:
    """One proof was taken, and it wants another by one of `methods` (RFC 4252, partial success)."""
    wanted = f"accepts our {took}, but requires a second factor too: {', '.join(methods)}"
    error = person_needed(target, wanted)
    if target.password is None and {"password", "keyboard-interactive"} & set(methods):
        error.remedy = f"If that is the account's password, set it beside the key (password). Otherwise: {error.remedy}"
    return error


def _tried(text: str) -> tuple[str, ...]:
    """What ssh really went through, in its own words (-v)."""
    keys = tuple(f"key {key}" for key in dict.fromkeys(_OFFERED_KEY.findall(text)))
    methods = dict.fromkeys(_TRIED.findall(text))
    others = tuple(method for method in methods if method != "publickey")
    return (*(keys or ("no key, for there is none",) * ("publickey" in methods)), *others)


def raise_if_key_is_missing(target: SshTarget) -> None:
    """Raise NoLogin where the named key cannot be read: the server would only say that it accepts no other one."""
    if target.key_file is None:
        return
    try:
        with Path(str(target.key_file)).open("rb"):
            return
    except OSError as error:
        why = error.strerror or str(error)
    raise NoLogin(
        f"The key {target.key_file} for {target.label} cannot be read: {clause(why)}.",
        kept="Nothing was sent. What does not use this machine goes on.",
        remedy="Put the key there, or write its path as key_file in the section of this machine.",
        server=target.host,
    )


def login_refused(target: SshTarget, detail: str, tried: Sequence[str]) -> LoginRefused:
    """The server does not want us. `tried`: what we went through, as `key /home/me/.ssh/id_ed25519`, `password`."""
    user = f"{target.username}@" if target.username else ""
    return LoginRefused(
        f"{target.label} refused the login of {user}{target.host} (tried: {', '.join(tried) or 'nothing'}): {detail}",
        kept="Tried only once, to avoid a ban; nothing was changed.",
        remedy=f"Make this work first: {by_hand(target)} true; then set username, key_file or password.",
        server=target.host,
    )


def _too_many(target: SshTarget, text: str) -> MoverError:
    refused = login_refused(target, plain(text), _tried(text))
    refused.remedy = "The agent offers more keys than the server accepts: set key_file to the right one."
    return refused


def _no_subsystem(target: SshTarget, text: str) -> MoverError:
    return ServerTooOld(
        f"{target.label} has no sftp subsystem: {plain(text)}.",
        remedy="Add this line to its /etc/ssh/sshd_config and reload sshd: Subsystem sftp internal-sftp",
        server=target.host,
    )


def _no_common(target: SshTarget, text: str) -> MoverError:
    found = _MISMATCH.search(text)
    allow = "allow the method it names for this host in ~/.ssh/config."
    if found and found[1] in _OPTIONS:
        offered = next((name for name in found[2].split(",") if not _NO_METHOD.match(name)), "")
        allow = f"allow what it has for it alone: {_allow(target, _OPTIONS[found[1]], offered)}"
    return no_method(target, plain(text), allow)


def no_method(target: SshTarget, detail: str, instead: str) -> ServerTooOld:
    """Both speak SSH, and share no way to do it."""
    return ServerTooOld(
        f"{target.label} and our ssh have no method in common: {detail}.",
        kept="Nothing was sent to it but our name.",
        remedy=f"Update the server's SSH, or {instead}",
        server=target.host,
    )


def _allow(target: SshTarget, option: str, name: str) -> str:
    """The command that allows our ssh one method more, for one host."""
    return f"printf 'Host %s\\n    {option} +{name}\\n' {shlex.quote(target.host)} >> ~/.ssh/config"


def _bad_config(target: SshTarget, text: str) -> MoverError:
    return MissingProgram(
        f"Our ssh program refuses its own settings for {target.label}: {plain(text)}.",
        remedy="Fix the line of ~/.ssh/config that it names, or set ssh_transport = paramiko.",
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
