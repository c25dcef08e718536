"""One `ssh -s HOST sftp` child as a byte channel: a socket pair for the bytes, a thread that keeps its complaints."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from torrent_mover.adapters.process.tether import Tethered
from torrent_mover.adapters.ssh import hostkeys, ssh_messages
from torrent_mover.adapters.ssh.askpass import Askpass
from torrent_mover.domain.errors import ConnectionLost, MoverError, Stalled
from torrent_mover.ports.ssh import Login, SshTarget

_SOCKET_BUFFER: Final = 4 << 20
_MOST_BUFFERS: Final = 512
"""Pieces of one sendmsg; Linux allows 1024 (IOV_MAX)."""

_KEPT_COMPLAINTS: Final = 16 << 10
_LAST_WORDS: Final = 2.0
"""Seconds that a dying child has to say why."""


_TOLD_WITHIN: Final = 2.0
"""Seconds that ssh's own lines may come after the first bytes of the session: they have a pipe and a thread of their own."""

_NOT_REMEMBERED: Final = "Failed to add the host to the list of known hosts"
"""After this ssh goes on, and would take any other key the next time."""

# A line of its own each, and told by ssh itself: the server's banner comes without `debug1: ` and `Authenticated to`.
_METHOD: Final = re.compile(r'^Authenticated to .* using "([\w@.-]+)"\.\r?$', re.MULTILINE)
_HOST_KEY: Final = re.compile(r"^debug1: Server host key: (\S+ \S+)\r?$", re.MULTILINE)


class OpensshChannel:
    """See transport.Channel. Owns the child and the askpass folder."""

    def __init__(
        self, target: SshTarget, argv: list[str], environment: dict[str, str], askpass: Askpass | None
    ) -> None:
        self._target = target
        self._askpass = askpass
        self._aborted = False
        self._established = False
        ours, theirs = socket.socketpair()
        try:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER)
            self._socket = ours
            self._process = Tethered(
                argv,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                env=environment,
            )
            if askpass is not None:
                askpass.serve(self._process.pid)
        except BaseException:
            ours.close()
            self._forget_secret()
            raise
        finally:
            theirs.close()
        self._poll = select.poll()
        self._poll.register(ours, select.POLLIN)
        self._complaints = _Complaints(self._process)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def pump(
        self, outgoing: Sequence[memoryview], incoming: memoryview, *, block: bool = True, timeout: float | None = None
    ) -> tuple[int, int]:
        """See transport.Channel."""
        while True:
            sent = self._send(outgoing) if outgoing else 0
            received = self._receive(incoming) if incoming else 0
            if sent or received or not block:
                return sent, received
            self._wait(want_write=bool(outgoing), timeout=self._target.reply_timeout if timeout is None else timeout)

    def established(self) -> None:
        """See transport.Channel. Waits for the line of the login: what ssh has to say of the host's key stands above it."""
        self._complaints.wait_for(ssh_messages.LOGGED_IN, _TOLD_WITHIN)
        if _NOT_REMEMBERED in self._complaints.text():
            raise hostkeys.not_remembered(self._target)
        self._established = True
        self._forget_secret()

    @property
    def login(self) -> Login:
        """See transport.Channel. Read from what `ssh -v` tells."""
        said = self._complaints.text()
        method, key = _METHOD.findall(said), _HOST_KEY.findall(said)
        if ssh_messages.SHARED in said:
            return Login("ssh", "a shared connection")
        return Login("ssh", method[-1] if method else "", key[-1] if key else "")

    @property
    def said(self) -> str:
        """What ssh has told on its standard error so far, the middle left out where it is long."""
        return self._complaints.text()

    def is_open(self) -> bool:
        """See transport.Channel."""
        if self._aborted or self._process.poll() is not None:
            return False
        try:
            return self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def abort(self) -> None:
        """See transport.Channel."""
        self._aborted = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        signal_group(self._process, signal.SIGTERM)

    def close(self) -> None:
        """See transport.Channel."""
        self._socket.close()
        self._end_child()
        self._forget_secret()

    def _send(self, outgoing: Sequence[memoryview]) -> int:
        try:
            return self._socket.sendmsg(outgoing[:_MOST_BUFFERS], (), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._broken() from error

    def _receive(self, incoming: memoryview) -> int:
        try:
            count = self._socket.recv_into(incoming, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._broken() from error
        if count == 0:
            raise self._broken()
        return count

    def _wait(self, *, want_write: bool, timeout: float) -> None:
        self._poll.modify(self._socket, select.POLLIN | (select.POLLOUT if want_write else 0))
        if self._poll.poll(timeout * 1000):
            return
        raise Stalled(
            f"{self._target.label} has not answered for {timeout:.0f} s, though the connection still stands.",
            kept="What arrived and was verified is kept.",
            remedy=f"Look whether its disk hangs: {ssh_messages.by_hand(self._target)} uptime",
            server=self._target.host,
        )

    def _broken(self) -> MoverError:
        if self._aborted:
            return ConnectionLost(
                f"The connection to {self._target.label} was cut by us, as asked.",
                server=self._target.host,
            )
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_WORDS)
        self._end_child()
        self._forget_secret()
        said = self._complaints.text()
        if not self._established:
            return self._login_error(said)
        detail = ssh_messages.plain(said)
        return ConnectionLost(
            f"The connection to {self._target.label} broke{f': {detail}' if detail else ''}.",
            kept="What arrived and was verified is kept.",
            remedy="It is tried again by itself; if it goes on, look at the server's sshd log.",
            server=self._target.host,
        )

    def _login_error(self, said: str) -> MoverError:
        asked = self._askpass.questions() if self._askpass is not None else ()
        known = ssh_messages.login_error(self._target, said, asked)
        if known is not None:
            return known
        detail = ssh_messages.plain(said)
        if "Sending subsystem" in said:
            return ssh_messages.ended_at_once(self._target, self._process.returncode, detail)
        return ssh_messages.unreachable(self._target, detail)

    def _end_child(self) -> None:
        end_group(self._process)
        self._complaints.join()

    def _forget_secret(self) -> None:
        if self._askpass is not None:
            self._askpass.close()


def end_group(process: subprocess.Popen[bytes], grace: float = 1.0) -> None:
    """End a child and all it started (it leads a session of its own). Never raises."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        signal_group(process, number)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            continue
        return


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a child and all it started, unless it was seen to have ended: its number may be another's by now."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


class _Complaints:
    """Reads the child's standard error to its end, so that it never blocks; keeps the beginning and the end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._pipe = process.stderr
        self._head = bytearray()
        self._tail = bytearray()
        self._ended = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="ssh-stderr", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What was kept so far."""
        with self._news:
            return (bytes(self._head) + bytes(self._tail)).decode("utf-8", "replace")

    def wait_for(self, words: Sequence[str], timeout: float) -> None:
        """Until one of these stands in it, the child has said its last, or `timeout` seconds are over."""
        with self._news:
            self._news.wait_for(lambda: self._ended or any(one in self.text() for one in words), timeout)

    def join(self) -> None:
        """Wait a moment for the last words."""
        self._thread.join(_LAST_WORDS)

    def _read(self) -> None:
        if self._pipe is None:
            return
        with self._pipe as pipe:
            while chunk := os.read(pipe.fileno(), 4096):
                with self._news:
                    room = _KEPT_COMPLAINTS - len(self._head)
                    self._head += chunk[:room]
                    self._tail += chunk[room:]
                    del self._tail[: max(0, len(self._tail) - _KEPT_COMPLAINTS)]
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()
