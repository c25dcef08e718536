"""Runs a command of the config to its end, here or where an SSH login leads: without a shell here, each word quoted there."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Final

from torrent_mover.adapters.process.inherited import for_children
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.shell import RemoteShell
from torrent_mover.domain.errors import MissingProgram, ProvisioningError
from torrent_mover.domain.text import clause

Order = Callable[[float], None]
"""Runs the command for at most so many seconds. Raises ProvisioningError where it fails, with the last line that it wrote."""

_TAIL: Final = 4096  # bytes of output of which the last line is shown


_left_running: list[subprocess.Popen[bytes]] = []
"""Commands that did not end and may be the very server that they were to start."""


def here(words: Sequence[str], key: str, *, leave: bool = False) -> Order:
    """A command on this machine; `key` is its name in the config. What it leaves running goes on, whatever becomes of us.

    One that does not end in its time is killed, unless `leave`: then that is raised, and it goes on. Its output goes to a file,
    so that a server which it starts and which inherits it holds nobody up.
    """

    def run(patience: float) -> None:
        try:
            output_file = tempfile.TemporaryFile()  # noqa: SIM115  closed below, whatever happens
        except OSError as error:
            raise ProvisioningError(
                f"The output of the {key} cannot be kept: {error.strerror}.",
                remedy=f"Make room in {tempfile.gettempdir()} (df -h, df -i), or set TMPDIR to another folder.",
            ) from error
        with output_file as output:
            try:
                process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=for_children(),
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                raise MissingProgram(
                    f"The {key} {shlex.join(words)} cannot be run: {clause(error)}.",
                    remedy=f"Give the full path of the program in {key}.",
                ) from error
            try:
                code = process.wait(patience)
            except subprocess.TimeoutExpired as error:
                if leave:
                    _left_running.append(process)
                else:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                raise _too_slow(words, key, patience, "goes on" if leave else "was killed") from error
            _judge(words, key, code, _last_of(output))

    return run


def there(pool: SessionPool, words: Sequence[str], key: str) -> Order:
    """A command on a server; `key` is its name in the config."""

    def run(patience: float) -> None:
        done = RemoteShell(pool.transport).run(words, timeout=patience)
        _judge(words, key, done.code, done.stderr or done.stdout, f" on {pool.name}")

    return run


def _last_of(output: IO[bytes]) -> bytes:
    output.seek(max(0, output.seek(0, os.SEEK_END) - _TAIL))
    return output.read()


def _judge(words: Sequence[str], key: str, code: int, output: bytes, where: str = "") -> None:
    if code:
        last = output.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise ProvisioningError(
            f"The {key} {shlex.join(words)} ended{where} with exit code {code}{': ' if last else ''}{''.join(last)}.",
            remedy="Run it by hand as the same user; it must not ask anything.",
        )


def _too_slow(words: Sequence[str], key: str, patience: float, then: str) -> ProvisioningError:
    return ProvisioningError(
        f"The {key} {shlex.join(words)} did not end within {patience:.0f} s, and {then}.",
        remedy="It must end by itself, as systemctl and docker do: a client that it starts has to run in the background.",
    )
