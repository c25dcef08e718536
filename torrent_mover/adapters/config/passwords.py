"""Fetches passwords that do not stand in the config: from a file, or from a command that prints them."""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from torrent_mover.adapters.process.tether import run
from torrent_mover.domain.errors import NoLogin
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.text import clause

_COMMAND_PATIENCE: Final = 60  # seconds; a password manager may ask its owner first
_LONGEST: Final = 64 * 1024  # bytes; whatever is longer is no password


def password_of(file: LocalPath | None, command: tuple[str, ...]) -> Secret | None:
    """The secret that a password_file or a password_command stands for; None where there is neither.

    Nothing is read or run here; `reveal` does it, once, and raises NoLogin where it fails.
    """
    if file is not None:
        return Secret(_once(lambda: _from_file(file)))
    if command:
        return Secret(_once(lambda: _from_command(command)))
    return None


def _once(fetch: Callable[[], str]) -> Callable[[], str]:
    """`fetch`, called at most once however many threads ask; a failure is not remembered."""
    lock = threading.Lock()
    fetched: list[str] = []

    def answer() -> str:
        with lock:
            if not fetched:
                fetched.append(fetch())
            return fetched[0]

    return answer


def _from_file(path: LocalPath) -> str:
    try:
        with Path(str(path)).open("rb") as file:
            raw = file.read(_LONGEST)
    except OSError as error:
        raise NoLogin(
            f"The file {path} with a password or key cannot be read: {error.strerror}.",
            remedy=f"Look at it with: ls -l {shlex.quote(str(path))}",
        ) from error
    return _first_line(raw, f"The file {path}")


def _from_command(command: tuple[str, ...]) -> str:
    shown = shlex.join(command)
    try:
        # On our terminal still: a password manager may ask its owner there.
        done = run(command, _COMMAND_PATIENCE, session=False)
    except subprocess.TimeoutExpired as error:
        raise NoLogin(
            f"The command {shown} for a password or key did not end within {_COMMAND_PATIENCE} s.",
            remedy="Run it by hand; it must not ask anything on the terminal.",
        ) from error
    except (OSError, ValueError) as error:
        raise NoLogin(
            f"The command {shown} for a password or key cannot be run: {clause(error)}.",
            remedy="Give the full path of the program.",
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise NoLogin(
            f"The command {shown} for a password or key failed with exit code {done.returncode}{': ' + said[-1] if said else ''}.",
            remedy="Run it by hand as the same user.",
        )
    return _first_line(done.stdout, f"The output of {shown}")


def _first_line(raw: bytes, what: str) -> str:
    line = raw.split(b"\n", 1)[0].rstrip(b"\r")
    try:
        password = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoLogin(f"{what} is not UTF-8 text.", remedy="Write the password in UTF-8.") from error
    if not password:
        raise NoLogin(f"{what} has no password in its first line.", remedy="Put the password there, alone.")
    return password
