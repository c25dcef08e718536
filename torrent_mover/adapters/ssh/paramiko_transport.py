"""SSH by the paramiko library, for machines without an ssh program. The only file that imports paramiko."""

from __future__ import annotations

import itertools
import os
import shlex
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import paramiko

from torrent_mover.adapters.process.this_user import has_account, home_folder, login_name
from torrent_mover.adapters.ssh import ssh_messages
from torrent_mover.adapters.ssh.jumps import all_hosts
from torrent_mover.adapters.ssh.paramiko_hostkeys import check_host_key, known_key_types
from torrent_mover.adapters.ssh.paramiko_way import as_socket
from torrent_mover.adapters.ssh.questions import is_for_a_person, is_for_the_password, unanswered
from torrent_mover.adapters.ssh.transport import Finished
from torrent_mover.adapters.ssh.way import not_led, not_led_to_socket
from torrent_mover.domain.errors import ConfigError, ConnectionLost, LoginRefused, MoverError, ServerTooOld, Stalled
from torrent_mover.domain.settings.servers import SshTransport
from torrent_mover.domain.text import clause
from torrent_mover.ports.ssh import Login, SshTarget

_WINDOW: Final = 64 << 20
"""Our receive window: more than any reader asks for at a time, so that the server never blocks on us while we send."""

_PACKET: Final = 256 << 10
_CIPHERS: Final = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
_BY_PROGRAM: Final = (
    "install the ssh program, which has more of them, and set ssh_transport = auto: apt-get install openssh-client"
)
_LAST_WORDS: Final = 2.0
"""Seconds that a server has to say how its program ended."""

_USER_TIMEOUT: Final = getattr(socket, "TCP_USER_TIMEOUT", None)


class ParamikoTransport:
    """One paramiko Transport (TCP connection) for each channel: channels that share one share its window and its thread."""

    def __init__(self, target: SshTarget) -> None:
        self._target = target

    @property
    def target(self) -> SshTarget:
        """The server."""
        return self._target

    def open_sftp(self) -> ParamikoChannel:
        """See transport.Transport. Logs in at once."""
        connection = _Connection(self._target)
        try:
            channel = connection.session()
            try:
                channel.invoke_subsystem("sftp")
            except paramiko.SSHException as error:
                raise ServerTooOld(
                    f"{self._target.label} has no sftp subsystem.",
                    remedy="Add this line to its /etc/ssh/sshd_config and reload sshd: Subsystem sftp internal-sftp",
                    server=self._target.host,
                ) from error
        except BaseException:
            connection.close()
            raise
        return ParamikoChannel(self._target, connection, channel)

    def open_way(self) -> ParamikoWay:
        """See transport.Transport."""
        return ParamikoWay(self._target)

    def execute(self, command: str, stdin: bytes, timeout: float) -> Finished:
        """See transport.Transport."""
        connection = _Connection(self._target)
        try:
            channel = connection.session()
            channel.settimeout(timeout)
            channel.exec_command(command)
            return _communicate(channel, stdin, timeout)
        except TimeoutError as error:
            raise Stalled(
                f"A command on {self._target.label} did not end within {timeout:.0f} s.",
                kept="Nothing was changed by us.",
                remedy=f"Look what hangs there: {ssh_messages.by_hand(self._target)} uptime",
                server=self._target.host,
            ) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise ConnectionLost(
                f"The connection to {self._target.label} broke: {clause(error)}.",
                server=self._target.host,
            ) from error
        finally:
            connection.close()


class ParamikoChannel:
    """See transport.Channel. Owns its connection."""

    def __init__(self, target: SshTarget, connection: _Connection, channel: paramiko.Channel) -> None:
        self._target = target
        self._connection = connection
        self._channel = channel
        self._aborted = False
        self._established = False

    def pump(
        self, outgoing: Sequence[memoryview], incoming: memoryview, *, block: bool = True, timeout: float | None = None
    ) -> tuple[int, int]:
        """See transport.Channel. Sending may wait for the server's window: it can always empty its replies into ours."""
        patience = self._target.reply_timeout if timeout is None else timeout
        try:
            self._channel.settimeout(patience)
            sent = self._channel.send(outgoing[0]) if outgoing else 0  # type: ignore[arg-type]  # any buffer will do
            if outgoing and not sent:
                raise self._broken("")
            if self._channel.recv_ready() or (block and not sent):
                return sent, self._receive(incoming)
        except TimeoutError as error:
            raise self._silent(patience) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._broken(str(error)) from error
        return sent, 0

    def established(self) -> None:
        """See transport.Channel."""
        self._established = True

    @property
    def login(self) -> Login:
        """See transport.Channel."""
        return self._connection.login()

    def is_open(self) -> bool:
        """See transport.Channel."""
        return not (self._aborted or self._channel.closed or self._channel.eof_received) and self._connection.alive()

    def abort(self) -> None:
        """See transport.Channel."""
        self._aborted = True
        self._connection.break_off()

    def close(self) -> None:
        """See transport.Channel."""
        self._connection.close()

    def _receive(self, incoming: memoryview) -> int:
        data = self._channel.recv(len(incoming))
        if not data:
            raise self._broken("")
        incoming[: len(data)] = data
        return len(data)

    def _silent(self, patience: float) -> MoverError:
        if self._aborted or not self._connection.alive():
            return self._broken("")
        return Stalled(
            f"{self._target.label} has not answered for {patience:.0f} s.",
            kept="What arrived and was verified is kept.",
            remedy=f"Look whether it is alive: {ssh_messages.by_hand(self._target)} uptime",
            server=self._target.host,
        )

    def _broken(self, detail: str) -> MoverError:
        if self._aborted:
            return ConnectionLost(
                f"The connection to {self._target.label} was cut by us, as asked.",
                server=self._target.host,
            )
        if not self._established:
            return self._ended_at_once(detail)
        return ConnectionLost(
            f"The connection to {self._target.label} broke{f': {detail}' if detail else ''}.",
            kept="What arrived and was verified is kept.",
            remedy="It is tried again by itself; if it goes on, look at the server's sshd log.",
            server=self._target.host,
        )

    def _ended_at_once(self, detail: str) -> MoverError:
        told = self._channel.status_event.wait(_LAST_WORDS)
        said = self._channel.recv_stderr(_PACKET) if self._channel.recv_stderr_ready() else b""
        words = said.decode("utf-8", "replace").strip() or detail
        return ssh_messages.ended_at_once(self._target, self._channel.recv_exit_status() if told else None, words)


class ParamikoWay:
    """See way.Way: channels of the kind direct-tcpip (RFC 4254, 7.2) of one connection."""

    def __init__(self, target: SshTarget) -> None:
        self._target = target
        self._connection = _Connection(target)

    def dial(self, host: str, port: int) -> socket.socket:
        """See way.Way."""
        try:
            return as_socket(self._connection.stream(host, port))
        except paramiko.ChannelException as error:
            raise not_led(self._target, host, port, str(error.text).lower()) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            if not self.is_open():
                raise ConnectionLost(
                    f"The connection to {self._target.label} broke: {clause(error)}.",
                    server=self._target.host,
                ) from error
            raise not_led(self._target, host, port, "it does not answer in time") from error

    def dial_socket(self, path: str) -> socket.socket:
        """See way.Way."""
        try:
            return as_socket(self._connection.socket_stream(path))
        except paramiko.ChannelException as error:
            raise not_led_to_socket(self._target, path, str(error.text).lower()) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            if not self.is_open():
                raise ConnectionLost(
                    f"The connection to {self._target.label} broke: {clause(error)}.", server=self._target.host
                ) from error
            raise not_led_to_socket(self._target, path, "it does not answer in time") from error

    def why_refused(self, path: str) -> MoverError | None:
        """See way.Way: `dial_socket` has raised it."""
        del path
        return None

    def is_open(self) -> bool:
        """See way.Way."""
        return self._connection.alive()

    def close(self) -> None:
        """See way.Way."""
        self._connection.close()


class _Transport(paramiko.Transport):
    """paramiko's, which opens channels to Unix sockets as well (OpenSSH's PROTOCOL, 2.4: direct-streamlocal@openssh.com)."""

    def __init__(self, sock: socket.socket | paramiko.Channel) -> None:
        super().__init__(sock)
        self._asked = threading.local()

    def open_socket_channel(self, path: str, timeout: float) -> paramiko.Channel:
        """Raises as open_channel."""
        self._asked.path = path
        try:
            return self.open_channel("direct-streamlocal@openssh.com", timeout=timeout)
        finally:
            self._asked.path = None

    def _send_user_message(self, data: paramiko.Message) -> None:
        """As paramiko has it; what open_channel does not know to say of this kind of channel is added to its request."""
        path = getattr(self._asked, "path", None)
        if path is not None:
            self._asked.path = None
            data.add_string(os.fsencode(path))
            data.add_string("")
            data.add_int(0)
        super()._send_user_message(data)  # type: ignore[misc]  # it is there, and its stubs do not say so


class _Connection:
    """A logged-in paramiko Transport, and those of the jump hosts below it."""

    def __init__(self, target: SshTarget) -> None:
        self._target = target
        self._below: list[paramiko.Transport] = []
        try:
            self._transport = self._connect()
        except BaseException:
            self.close()
            raise

    def session(self) -> paramiko.Channel:
        """A new session channel with a wide window."""
        try:
            return self._transport.open_session(_WINDOW, _PACKET, self._target.connect_timeout)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise ssh_messages.unreachable(self._target, f"it opens no session: {error}") from error

    def stream(self, host: str, port: int) -> paramiko.Channel:
        """A new stream to a port as the server sees it."""
        return self._transport.open_channel(
            "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=self._target.connect_timeout
        )

    def socket_stream(self, path: str) -> paramiko.Channel:
        """A new stream to a Unix socket as the server sees it."""
        return self._transport.open_socket_channel(path, self._target.connect_timeout)

    def login(self) -> Login:
        """How we came in."""
        key = self._transport.get_remote_server_key()
        method = getattr(self._transport.auth_handler, "auth_method", "")
        speaker = "paramiko"
        if self._target.transport is SshTransport.AUTO and not has_account():
            speaker = f"paramiko, because uid {os.getuid()} has no entry in passwd"
        return Login(speaker, method, f"{key.get_name()} {key.fingerprint}")

    def alive(self) -> bool:
        """Whether the transport's thread still runs."""
        return self._transport.is_active()

    def break_off(self) -> None:
        """Close the socket under it: whatever blocks wakes up. Does not wait for paramiko's thread."""
        with suppress(OSError):
            self._transport.sock.shutdown(socket.SHUT_RDWR)
        threading.Thread(target=self.close, name="paramiko-close", daemon=True).start()

    def close(self) -> None:
        """Hang up. Never raises."""
        for transport in reversed(self._below):
            with suppress(Exception):  # paramiko's close may raise whatever its socket does
                transport.close()
                transport.sock.close()  # which paramiko leaves open where the handshake never began

    def _connect(self) -> _Transport:
        first, *others = all_hosts(self._target)
        transport = self._log_in(first, _dial(first))
        for here, following in itertools.pairwise([first, *others]):
            try:
                sock = transport.open_channel(
                    "direct-tcpip", (following.host, following.port), ("127.0.0.1", 0), timeout=here.connect_timeout
                )
            except paramiko.SSHException as error:
                raise ssh_messages.unreachable(following, f"the jump host {here.label} says: {error}") from error
            transport = self._log_in(following, sock)
        return transport

    def _log_in(self, target: SshTarget, sock: socket.socket | paramiko.Channel) -> _Transport:
        try:
            transport = _Transport(sock)
            self._below.append(transport)
            transport.banner_timeout = target.connect_timeout
            transport.auth_timeout = 3 * target.connect_timeout
            options = transport.get_security_options()
            options.ciphers = (*_CIPHERS, *(cipher for cipher in options.ciphers if cipher not in _CIPHERS))
            options.key_types = known_key_types(target, options.key_types)
            transport.start_client(timeout=target.connect_timeout)
            check_host_key(target, transport.get_remote_server_key())
            _authenticate(target, transport)
            transport.set_keepalive(target.keepalive_interval)
        except MoverError:
            raise
        except paramiko.ssh_exception.IncompatiblePeer as error:
            raise ssh_messages.no_method(target, str(error), _BY_PROGRAM) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise ssh_messages.unreachable(target, str(error) or type(error).__name__) from error
        return transport


def _dial(target: SshTarget) -> socket.socket:
    try:
        sock = socket.create_connection((target.host, target.port), target.connect_timeout)
    except (OSError, UnicodeError) as error:  # UnicodeError: not a possible host name
        raise ssh_messages.unreachable(target, getattr(error, "strerror", None) or str(error)) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if _USER_TIMEOUT is not None:
        # paramiko's keepalives want no reply: this makes the kernel end a connection whose bytes nobody acknowledges.
        silence = target.keepalive_interval * target.keepalive_count
        sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, silence * 1000)
    return sock


def _authenticate(target: SshTarget, transport: paramiko.Transport) -> None:
    username = target.username or login_name()
    if not username:
        raise ConfigError(
            f"No username is set for {target.label}, and this user (uid {os.getuid()}) has no name that could be taken.",
            kept="Nothing was sent to it but our version.",
            remedy="Set username in the section of that server.",
        )
    tried: list[str] = []
    took, wanted = "", list[str]()
    said = "there is neither a key, nor an agent, nor a password to try"
    for way, attempt in _ways(target, transport, username):
        tried.append(way)
        try:
            wanted = attempt()
            if not wanted:
                return
            took = way.partition(" ")[0]
        except paramiko.BadAuthenticationType as error:
            said = f"it accepts: {', '.join(error.allowed_types)}"
        except paramiko.AuthenticationException as error:
            said = str(error)
        if not transport.is_active():
            break
    if took:
        raise ssh_messages.more_wanted(target, took, wanted)
    raise ssh_messages.login_refused(target, f"{said.rstrip('.')}.", tried)


_Way = tuple[str, Callable[[], list[str]]]
"""What is tried, as messages call it; and the attempt, which returns the methods that are wanted as well."""


def _ways(target: SshTarget, transport: paramiko.Transport, username: str) -> list[_Way]:
    """What to try, in order: as with ssh, a named key alone; else a password alone; else the agent and the usual key files."""
    ways: list[_Way] = []

    def by_key(name: str, key: paramiko.PKey) -> _Way:
        return f"key {name}", lambda: transport.auth_publickey(username, key)

    secret = target.secret()
    if target.key_file is not None:
        path = os.fspath(str(target.key_file))
        ways.append(by_key(path, _load_key(target, path)))
    elif secret is None:
        ways += [by_key(f"{key.comment or key.get_name()} of the agent", key) for key in paramiko.Agent().get_keys()]
        ways += [by_key(path, key) for path, key in _default_keys()]
    if secret is not None:
        ways.append(("password", lambda: _by_password(target, transport, username, secret)))
    return ways


def _by_password(target: SshTarget, transport: paramiko.Transport, username: str, secret: str) -> list[str]:
    """By the method of that name, else as the answer to what is asked (RFC 4256), and to nothing else."""
    answered: list[str] = []
    # What it accepts is asked first, as ssh does (RFC 4252, "none"): an attempt by another method would count as a failed one.
    try:
        wanted = transport.auth_none(username)
    except paramiko.BadAuthenticationType as error:
        wanted = error.allowed_types
        if not {"password", "keyboard-interactive"} & set(wanted):
            raise
    if "password" in wanted:
        wanted = transport.auth_password(username, secret, fallback=False)
        answered.append("password")
    by_method = len(answered)
    if "keyboard-interactive" not in wanted:
        return wanted

    def answer(_title: str, _instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        for prompt, _shown in prompts:
            answered.append(prompt)
            once = len(answered) == 1 + by_method and is_for_the_password(prompt)
            if not once and (len(answered) > 1 or is_for_a_person(prompt)):
                raise _CannotAnswer("asked for something else than the password")
        return [secret] * len(prompts)

    try:
        return transport.auth_interactive(username, answer)
    except paramiko.SSHException:
        question = unanswered(answered)
        if question:
            raise ssh_messages.person_needed(target, f"asks what only a person can answer: {question}") from None
        raise


class _CannotAnswer(paramiko.AuthenticationException):
    """A question that is none for the password."""


def _load_key(target: SshTarget, path: str) -> paramiko.PKey:
    try:
        return paramiko.PKey.from_path(path)
    except (OSError, ValueError, TypeError, paramiko.SSHException) as error:
        raise LoginRefused(
            f"The key {path} for {target.label} cannot be used: {clause(error)}.",
            kept="Nothing was sent.",
            remedy="A key with a passphrase must be in the agent: ssh-add "
            + shlex.quote(path)
            + " (and leave key_file blank).",
            server=target.host,
        ) from error


def _default_keys() -> list[tuple[str, paramiko.PKey]]:
    keys: list[tuple[str, paramiko.PKey]] = []
    for name in ("id_ed25519", "id_ecdsa", "id_rsa"):
        path = os.fspath(home_folder() / ".ssh" / name)
        with suppress(OSError, ValueError, TypeError, paramiko.SSHException):
            keys.append((path, paramiko.PKey.from_path(path)))
    return keys


def _communicate(channel: paramiko.Channel, stdin: bytes, timeout: float) -> Finished:
    """Feed and drain a command without either side waiting for the other. Raises TimeoutError."""
    deadline = time.monotonic() + timeout
    streams: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}

    def drain(name: str, receive: Callable[[int], bytes]) -> None:
        with suppress(OSError):
            while chunk := receive(_PACKET):
                streams[name] += chunk

    threads = [
        threading.Thread(target=drain, args=("out", channel.recv), daemon=True),
        threading.Thread(target=drain, args=("err", channel.recv_stderr), daemon=True),
    ]
    for thread in threads:
        thread.start()
    with suppress(OSError):  # a command may end without reading all of its input
        channel.sendall(stdin)
        channel.shutdown_write()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads) or not channel.status_event.wait(
        max(0.0, deadline - time.monotonic())
    ):
        raise TimeoutError
    return Finished(channel.recv_exit_status(), bytes(streams["out"]), bytes(streams["err"]))
