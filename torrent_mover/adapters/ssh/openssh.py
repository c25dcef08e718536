"""SSH by the `ssh` program: its keys, agent, config, jump hosts and known_hosts come with it. Argument lists only."""

from __future__ import annotations

import functools
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from torrent_mover.adapters.process.inherited import for_children
from torrent_mover.adapters.process.scratch import Scratch
from torrent_mover.adapters.process.tether import Tethered, run
from torrent_mover.adapters.process.this_user import has_account, no_account
from torrent_mover.adapters.ssh import ssh_messages
from torrent_mover.adapters.ssh.askpass import Askpass
from torrent_mover.adapters.ssh.hostkeys import known_hosts_files
from torrent_mover.adapters.ssh.jumps import last_jump
from torrent_mover.adapters.ssh.openssh_channel import OpensshChannel, end_group
from torrent_mover.adapters.ssh.openssh_way import OpensshWay
from torrent_mover.adapters.ssh.ssh_config import chooses_ciphers, said_of, with_jump
from torrent_mover.adapters.ssh.transport import Finished
from torrent_mover.domain.errors import Stalled
from torrent_mover.domain.settings.servers import HostKeyPolicy
from torrent_mover.ports.ssh import STANDARD_PORT, SshTarget

_SSH_FAILED: Final = 255
"""ssh's own exit status when the connection failed (ssh(1), EXIT STATUS)."""

_SESSIONS_SINCE: Final = (8, 7)
"""StdinNull, ForkAfterAuthentication and SessionType as options (OpenSSH release notes)."""

_ALWAYS: Final = {
    "UpdateHostKeys": "no",
    # Whether a key is the right one is settled by known_hosts alone: neither by DNS, nor by where the connection leads (a tunnel).
    "VerifyHostKeyDNS": "no",
    "NoHostAuthenticationForLocalhost": "no",
    "VisualHostKey": "no",
    "ConnectionAttempts": "1",
    "Compression": "no",
    # Lanes that share a connection are slower, and end together: only one that somebody opened for us is used (below).
    "ControlMaster": "no",
    "ControlPath": "none",
    "ClearAllForwardings": "yes",
    "Tunnel": "no",
    "ForwardX11": "no",
    "ForwardAgent": "no",
    "AddKeysToAgent": "no",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
    "EscapeChar": "none",
}
"""Whoever logs in."""

_CIPHER_PREFIX_SINCE: Final = (8, 1)
"""The `^` prefix of Ciphers (OpenSSH release notes)."""


class OpensshTransport:
    """Starts one ssh child a connection."""

    def __init__(self, target: SshTarget) -> None:
        self._target = target

    @property
    def target(self) -> SshTarget:
        """The server."""
        return self._target

    def open_sftp(self) -> OpensshChannel:
        """See transport.Transport."""
        askpass = _askpass(self._target)
        argv = [*command_line(self._target, session=False), "-s", "--", self._target.host, "sftp"]
        return OpensshChannel(self._target, argv, child_environment(askpass), askpass)

    def open_way(self) -> OpensshWay:
        """See transport.Transport."""
        askpass = _askpass(self._target)
        return OpensshWay(self._target, command_line(self._target, session=False), child_environment(askpass), askpass)

    def execute(self, command: str, stdin: bytes, timeout: float) -> Finished:
        """See transport.Transport."""
        askpass = _askpass(self._target)
        try:
            with Scratch() as scratch:
                log = scratch.path / "ssh.log"
                argv = [*command_line(self._target), "-E", os.fspath(log), "--", self._target.host, command]
                done = _run(argv, child_environment(askpass), stdin, timeout, askpass, self._target)
                if done.code in (_SSH_FAILED, -signal.SIGTERM):
                    said = log.read_text("utf-8", "replace") if log.exists() else ""
                    self._raise_login_error(said, askpass.questions() if askpass is not None else ())
                return done
        finally:
            if askpass is not None:
                askpass.close()

    def _raise_login_error(self, text: str, questions: Sequence[str]) -> None:
        error = ssh_messages.login_error(self._target, text, questions)
        if error is not None:
            raise error
        if not any(marker in text for marker in ssh_messages.LOGGED_IN):
            raise ssh_messages.unreachable(self._target, ssh_messages.plain(text))


def command_line(target: SshTarget, *, session: bool = True) -> list[str]:
    """`ssh` and its options for this target, up to but without the host: for rsync's -e as well. Holds no secret.

    What we rely on is said here, whatever the user's own file says: of two values ssh takes the first. `session`: it is to run
    a command, and not a subsystem (-s) or a way to somewhere else (-W), which say so themselves.
    """
    if not has_account():
        raise no_account()
    said = said_of(target)
    files = known_hosts_files(target, said)
    options = _ALWAYS | {
        "StrictHostKeyChecking": "yes" if target.host_key_policy is HostKeyPolicy.STRICT else "accept-new",
        "UserKnownHostsFile": " ".join(_config_word(os.fspath(file)) for file in files),
        "ConnectTimeout": str(max(1, round(target.connect_timeout))),
        "ServerAliveInterval": str(target.keepalive_interval),
        "ServerAliveCountMax": str(target.keepalive_count),
    }
    if target.host_key_policy is not HostKeyPolicy.STRICT:
        with suppress(OSError):  # ssh makes no folder but ~/.ssh, and goes on where it cannot remember a key
            files[0].parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if target.shared_connection is not None and Path(str(target.shared_connection)).is_socket():
        options["ControlPath"] = _config_word(str(target.shared_connection))
    if _version() >= _SESSIONS_SINCE:
        options |= {"StdinNull": "no", "ForkAfterAuthentication": "no"} | (
            {"SessionType": "default"} if session else {}
        )
    options |= _authentication(target)
    if _cpu_has_aes() and _version() >= _CIPHER_PREFIX_SINCE and not chooses_ciphers(said):
        options["Ciphers"] = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
    hop = _hop(target, said)
    if hop is not None:
        options |= {"ProxyCommand": _through(hop), "ProxyUseFdpass": "no"}
    argv = ["ssh", "-v"]
    if (
        target.port != STANDARD_PORT
    ):  # else it is ssh's to choose: the host may be an alias of ~/.ssh/config, with a port there
        argv += ["-p", str(target.port)]
    if target.username:
        argv += ["-l", target.username]
    if target.key_file is not None:
        argv += ["-i", str(target.key_file)]
    for name, value in options.items():
        argv += ["-o", f"{name}={value}"]
    return argv


def _hop(target: SshTarget, said: Mapping[str, str]) -> SshTarget | None:
    """The jump host before the target. One that the file names is let in as the file says, and by our host key rules."""
    hop = last_jump(with_jump(target, said))
    return hop if hop is None or target.proxy_jump else replace(hop, key_file=None, known_hosts=None)


def child_environment(askpass: Askpass | None) -> dict[str, str]:
    """The environment of an ssh child: ours without settings, in the C locale, as its messages are read; and where to ask."""
    environment = {name: value for name, value in for_children().items() if not name.startswith(("TM_", "SSH_ASKPASS"))}
    environment["LC_ALL"] = "C"
    if askpass is not None:
        environment |= askpass.environment()
    return environment


def _through(hop: SshTarget) -> str:
    """The ProxyCommand that leads through a jump host. Unlike ssh's -J it takes our host key rules along, and never a password."""
    # ssh expands %h and %p in this one; every other % must arrive as it is.
    argv = [word.replace("%", "%%") for word in command_line(hop, session=False) if word != "-v"]
    argv += ["-o", "LogLevel=INFO"]  # without -v the file could silence it, and with it what went wrong
    return shlex.join([*argv, "-W", "[%h]:%p", "--", hop.host.replace("%", "%%")])


def _authentication(target: SshTarget) -> dict[str, str]:
    options = {"PubkeyAuthentication": "yes"}
    if target.key_file is not None:
        options["IdentitiesOnly"] = "yes"
    if target.password is None:
        options["BatchMode"] = "yes"
        options["PreferredAuthentications"] = "gssapi-with-mic,hostbased,publickey"
        return options
    options |= {"BatchMode": "no", "NumberOfPasswordPrompts": "1"}
    options |= {"PasswordAuthentication": "yes", "KbdInteractiveAuthentication": "yes"}
    # With a password and no key named, keys from an agent would only use up the attempts that the server allows.
    options["PreferredAuthentications"] = (
        "publickey,password,keyboard-interactive" if target.key_file else "password,keyboard-interactive"
    )
    return options


def _askpass(target: SshTarget) -> Askpass | None:
    secret = target.secret()
    return Askpass(secret) if secret is not None else None


def _run(
    argv: list[str],
    environment: dict[str, str],
    stdin: bytes,
    timeout: float,
    askpass: Askpass | None,
    target: SshTarget,
) -> Finished:
    with Tethered(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        try:
            if askpass is not None:
                askpass.serve(process.pid)
            stdout, stderr = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired as error:
            raise Stalled(
                f"A command on {target.label} did not end within {timeout:.0f} s.",
                kept="Nothing was changed by us.",
                remedy=f"Look what hangs there: {ssh_messages.by_hand(target)} uptime",
                server=target.host,
            ) from error
        finally:
            end_group(process)
    return Finished(process.returncode, stdout, stderr)


def _config_word(text: str) -> str:
    """A file name as one word of an ssh_config value: ssh splits values at spaces and expands % and ~."""
    escaped = text.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@functools.cache
def _version() -> tuple[int, int]:
    said = run(["ssh", "-V"], 10).stderr.decode("utf-8", "replace")
    found = re.match(r"OpenSSH_(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@functools.cache
def _cpu_has_aes() -> bool:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return False
    return re.search(r"^(flags|Features)\s*:.*\baes\b", text, re.MULTILINE) is not None
