"""Starts the rsync program with one server: its command line, how its ssh logs in, and what must be there for both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from torrent_mover.adapters.process.scratch import Scratch
from torrent_mover.adapters.process.tether import Tethered, run
from torrent_mover.adapters.rsync.child import RsyncChild
from torrent_mover.adapters.ssh import ssh_messages
from torrent_mover.adapters.ssh.askpass import Askpass
from torrent_mover.adapters.ssh.openssh import OpensshTransport, child_environment, command_line
from torrent_mover.domain.errors import ConfigError, MissingProgram, ServerTooOld
from torrent_mover.domain.paths import HostPath
from torrent_mover.domain.rsync_exit import RsyncRoute, explain
from torrent_mover.ports.rsync import Direction, RsyncCall, RsyncResult, RsyncVersions, RsyncWatcher
from torrent_mover.ports.ssh import SshTarget

_SSH_LOG: Final = "ssh.log"
_PROBE_TIMEOUT: Final = 30.0
_OLDEST: Final = (3, 1, 0)
"""The first with --info and with modes in figures for --chmod (rsync NEWS)."""
_VERSION: Final = re.compile(rb"rsync\s+version\s+v?(\d+(?:\.\d+)+)")
_GLOB: Final = re.compile(r"[*?\[]")
_GLOB_OR_ESCAPE: Final = re.compile(r"([*?\[\]\\])")

OnAbort = Callable[[Callable[[], None]], Callable[[], None]]


class RsyncProcess:
    """rsync over the ssh program, with one server. See ports.rsync.RsyncProgram. `program` is found on the PATH."""

    def __init__(self, target: SshTarget, program: str = "rsync") -> None:
        if target.host.startswith("-"):
            raise ConfigError(f"{target.host!r} is no name of a server.", remedy="Fix `host` in the server's section.")
        self._target = target
        self._program = program

    @property
    def server(self) -> str:
        """See ports.rsync.RsyncProgram."""
        return self._target.label

    def run(self, call: RsyncCall, watcher: RsyncWatcher, on_abort: OnAbort) -> RsyncResult:
        """See ports.rsync.RsyncProgram."""
        with self._login() as (askpass, environment, folder):
            listed = folder / "names"
            listed.write_bytes(b"".join(bytes(name) + b"\0" for name in call.names))
            child = RsyncChild(self._started(self._argv(call, listed), environment), askpass)
            take_back = on_abort(child.kill)
            try:
                child.follow(watcher)
            finally:
                take_back()
                child.end()
            result = child.result()
            if result.code:
                self._raise_login_error(folder / _SSH_LOG, askpass.questions() if askpass is not None else ())
            return result

    def probe(self) -> RsyncVersions:
        """See ports.rsync.RsyncProgram."""
        here = self._version_here()
        done = OpensshTransport(self._target).execute("rsync --version", b"", _PROBE_TIMEOUT)
        found = _VERSION.search(done.stdout)
        if found is None:
            said = (done.stdout + b"\n" + done.stderr).decode("utf-8", "replace")
            raise explain(done.code or 2, said, RsyncRoute(self.server, self.server, self.server))
        if done.stdout[: found.start()].strip():
            printed = done.stdout[: found.start()].decode("utf-8", "replace").strip().splitlines()[0]
            said = f"is your shell clean? It prints: {printed}"
            raise explain(2, said, RsyncRoute(self.server, self.server, self.server))
        return RsyncVersions(here, self._recent(found, self.server, self._target.host))

    def _version_here(self) -> tuple[int, ...]:
        self._require_program()
        argv = [self._program, "--version"]
        said = run(argv, _PROBE_TIMEOUT).stdout
        found = _VERSION.search(said)
        if found is None:
            raise MissingProgram(
                f"The program {self._program!r} here is not rsync.", remedy="Run: apt-get install rsync"
            )
        return self._recent(found, "this machine")

    def _recent(self, found: re.Match[bytes], where: str, server: str = "") -> tuple[int, ...]:
        version = tuple(int(part) for part in found[1].split(b"."))
        if version < _OLDEST:
            raise ServerTooOld(
                f"The rsync of {where} is version {found[1].decode()}; it takes 3.1 or later.",
                kept="Nothing was changed.",
                remedy="Update rsync there, or set transfer_mode = sftp.",
                server=server,
            )
        return version

    @contextmanager
    def _login(self) -> Iterator[tuple[Askpass | None, dict[str, str], Path]]:
        """What ssh needs to log in, and a folder, where it writes its own messages apart from what the server says."""
        if shutil.which("ssh") is None:
            raise MissingProgram(
                "The ssh program, which rsync uses, is not installed here.",
                remedy="Run: apt-get install openssh-client (or set transfer_mode = sftp, which can do without).",
            )
        secret = self._target.secret()
        askpass = Askpass(secret) if secret is not None else None
        try:
            with Scratch() as scratch:
                log = scratch.path / _SSH_LOG
                environment = {
                    name: value for name, value in child_environment(askpass).items() if not name.startswith("RSYNC_")
                }
                words = [*command_line(self._target), "-E", os.fspath(log)]
                environment["RSYNC_RSH"] = " ".join(map(_rsh_word, words))
                yield askpass, environment, scratch.path
        finally:
            if askpass is not None:
                askpass.close()

    def _argv(self, call: RsyncCall, listed: Path) -> list[str]:
        remote = f"{_host_word(self._target.host)}:{_remote_word(call.remote)}/"
        local = f"{call.local}/"
        ends = [remote, local] if call.direction is Direction.PULL else [local, remote]
        return [self._program, *call.options, f"--files-from={listed}", "--from0", "--", *ends]

    def _started(self, argv: Sequence[str], environment: dict[str, str]) -> Tethered:
        self._require_program()
        return Tethered(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            bufsize=0,
        )

    def _require_program(self) -> None:
        if shutil.which(self._program) is None:
            raise MissingProgram(
                f"The program {self._program!r} is not installed here.",
                kept="Nothing was changed.",
                remedy="Run: apt-get install rsync (or set transfer_mode = sftp).",
            )

    def _raise_login_error(self, file: Path, questions: Sequence[str]) -> None:
        log = file.read_text("utf-8", "replace") if file.exists() else ""
        if any(marker in log for marker in ssh_messages.LOGGED_IN):
            return
        error = ssh_messages.login_error(self._target, log, questions)
        if error is not None:
            raise error


def _rsh_word(word: str) -> str:
    """One word of RSYNC_RSH: quoted, with quotes doubled inside (rsync(1), --rsh); a backslash means nothing there."""
    return "'" + word.replace("'", "''") + "'"


def _host_word(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _remote_word(path: HostPath) -> str:
    """The folder for the rsync there, which expands wildcards even in protected arguments, and only then takes escapes away."""
    text = path.text
    return _GLOB_OR_ESCAPE.sub(r"\\\1", text) if _GLOB.search(text) else text
