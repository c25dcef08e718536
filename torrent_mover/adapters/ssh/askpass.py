"""Hands a password to ssh when it asks, through SSH_ASKPASS and a FIFO: never in an argument list, nor in any environment."""

from __future__ import annotations

import os
import shlex
import tempfile
from contextlib import suppress
from typing import Final

from torrent_mover.adapters.process.scratch import Scratch, places
from torrent_mover.adapters.ssh.questions import CODES, MORE_CODES, PASSWORDS
from torrent_mover.domain.errors import MissingProgram

_SCRIPT = """#!/bin/sh
# Answers one password prompt of one ssh process, and nothing else. Ends with whoever asks, with us, and after a minute.
case "$1" in
    *yes/no*|*assphrase*|*PIN*) exit 1 ;;
esac
dir={folder}
owner={owner}
(
    tries=0
    while [ "$tries" -lt 600 ] && kill -0 "$owner" && kill -0 "$PPID"; do
        tries=$((tries + 1))
        sleep 0.1
    done
    kill -9 $$
) < /dev/null > /dev/null 2>&1 &
bound=$!
trap 'kill -9 "$bound" 2> /dev/null' EXIT
tries=0
while [ ! -e "$dir/parent" ]; do
    tries=$((tries + 1))
    [ "$tries" -gt 200 ] && exit 1
    sleep 0.1
done
read -r parent < "$dir/parent"
[ "$parent" = any ] || [ "$parent" = "$PPID" ] || exit 1
printf '%s\\000' "$1" >> "$dir/asked"
asked=${{1#\\(*\\) }}
asked=$(printf '%s' "${{asked##*"'s "}}" | tr '[:upper:]' '[:lower:]')
case "$asked" in
    {codes}) answer=no ;;
    {passwords}) answer=yes ;;
    {more_codes}) answer=no ;;
    *) answer=yes ;;
esac
if [ "$answer" = no ]; then
    # A code that only a person has: the password would be a wrong one.
    kill "$PPID"
    exit 1
fi
if ! rmdir "$dir/unused" 2> /dev/null; then
    # A second prompt means that the answer was wrong: asking again would only burn login attempts.
    kill "$PPID"
    exit 1
fi
IFS= read -r secret < "$dir/secret"
printf '%s\\n' "$secret"
"""

_WORDS: Final = {"codes": CODES, "passwords": PASSWORDS, "more_codes": MORE_CODES}


class Askpass:
    """A folder (0700) with the asking program and the FIFO (0600). `close` it once the login is over, whatever came of it.

    Only the ssh process named by `serve` is answered, so that a jump host between never gets the target's password.
    """

    def __init__(self, secret: str) -> None:
        if "\n" in secret or "\0" in secret:
            raise MissingProgram(
                "A password with a line break cannot be given to ssh.",
                remedy="Use a key (key_file), or set ssh_transport = paramiko.",
            )
        self._secret = secret
        self._scratch = Scratch(_executable_folder())
        self._folder = self._scratch.path
        self._fifo = -1
        self._questions: tuple[str, ...] = ()
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        (self._folder / "unused").mkdir(mode=0o700)
        os.mkfifo(self._folder / "secret", 0o600)
        script = self._folder / "askpass"
        words = {name: "|".join(f"*{shlex.quote(word)}*" for word in words) for name, words in _WORDS.items()}
        script.write_text(
            _SCRIPT.format(folder=shlex.quote(os.fspath(self._folder)), owner=os.getpid(), **words), "utf-8"
        )
        script.chmod(0o700)

    def environment(self) -> dict[str, str]:
        """What the ssh process needs to find the asking program (ssh(1), SSH_ASKPASS). Holds no secret."""
        # Before OpenSSH 8.4 there is no SSH_ASKPASS_REQUIRE: without a terminal it asks by program if DISPLAY is set.
        return {
            "SSH_ASKPASS": os.fspath(self._folder / "askpass"),
            "SSH_ASKPASS_REQUIRE": "force",
            "DISPLAY": os.environ.get("DISPLAY", "none"),
        }

    def serve(self, parent: int | None) -> None:
        """Put the answer ready for the ssh process `parent`, or for any that was given the environment (None)."""
        # Opened for both directions, so that neither this open nor the write waits for the reader.
        self._fifo = os.open(self._folder / "secret", os.O_RDWR | os.O_CLOEXEC)
        os.write(self._fifo, self._secret.encode("utf-8", "surrogateescape") + b"\n")
        ready = self._folder / "parent.new"
        ready.write_text(f"{parent if parent is not None else 'any'}\n")
        ready.rename(self._folder / "parent")

    def questions(self) -> tuple[str, ...]:
        """What was asked so far, also after `close`."""
        with suppress(OSError):
            asked = (self._folder / "asked").read_bytes().decode("utf-8", "replace")
            self._questions = tuple(asked.split("\0")[:-1])
        return self._questions

    def close(self) -> None:
        """Take the secret back. Never raises."""
        self.questions()
        if self._fifo >= 0:
            os.close(self._fifo)
            self._fifo = -1
        self._scratch.close()


def _executable_folder() -> str:
    for folder in places():
        if _runs_programs(folder):
            return folder
    raise MissingProgram(
        f"ssh cannot ask for the password: {tempfile.gettempdir()} is mounted noexec or not writable.",
        remedy="Set TMPDIR to a folder that may hold programs, use a key (key_file), or set ssh_transport = paramiko.",
    )


def _runs_programs(folder: str) -> bool:
    try:
        return bool(folder) and os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & os.ST_NOEXEC
    except OSError:
        return False
