"""An SSH server that asks questions at the login (RFC 4256), as those with codes do. It lets nobody further than that."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL
from paramiko.server import InteractiveQuery

from torrent_mover.demo.ports import LOOPBACK

PASSWORD = "the right one"


class AskingServer:
    """On a free port of loopback, from `with` to its end.

    `rounds`: what is asked by keyboard-interactive, each round a list of questions; the first answer to one with `assword` in it
    must be PASSWORD. `first`: the method that must have succeeded before (`password`), or empty.

    Attributes: port, answers (all that it was told), known_hosts_line.
    """

    def __init__(self, rounds: list[list[str]], *, first: str = "") -> None:
        self.rounds = rounds
        self.first = first
        self.answers: list[str] = []
        self._key = paramiko.ECDSAKey.generate()
        self._listening = socket.create_server((LOOPBACK, 0))
        self.host, self.port = LOOPBACK, self._listening.getsockname()[1]
        self.known_hosts_line = f"[{LOOPBACK}]:{self.port} {self._key.get_name()} {self._key.get_base64()}\n"
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for transport in self._transports:
            transport.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                transport = paramiko.Transport(connection)
                transport.add_server_key(self._key)
                self._transports.append(transport)
                with suppress(paramiko.SSHException, EOFError):
                    transport.start_server(server=_Login(self))


class _Login(paramiko.ServerInterface):
    def __init__(self, server: AskingServer) -> None:
        self._server = server
        self._left = list(server.rounds)
        self._half = not server.first

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "keyboard-interactive" if self._half else self._server.first

    def check_auth_password(self, username: str, password: str) -> int:
        del username
        self._server.answers.append(password)
        if self._half or password != PASSWORD:
            return AUTH_FAILED
        self._half = True
        return AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:
        del username, submethods
        return self._ask() if self._half else AUTH_FAILED

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        self._server.answers.extend(responses)
        if PASSWORD not in self._server.answers:
            return AUTH_FAILED
        return self._ask() if self._left else AUTH_FAILED

    def _ask(self) -> InteractiveQuery:
        return InteractiveQuery("", "", *[(question, False) for question in self._left.pop(0)])
