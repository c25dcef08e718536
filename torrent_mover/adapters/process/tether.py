"""Starts programs that end when we do, however we end, a kill -9 at any instant included; and runs short ones to their end."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Final

_File = int | IO[bytes]

_SCRIPT: Final = """
pipe=$1; whom=$2; shift 2
[ "$whom" = group ] && victim=-$$ || victim=$$
( trap '' HUP INT TERM; exec 3< "$pipe" || exit; read -r _ <&3 || kill -9 "$victim" ) < /dev/null > /dev/null 2>&1 &
exec "$@"
"""
"""What is started first: a guard, which waits for the end of a pipe that only we hold, and then, under the same pid, the program.

The guard is there before the program is, so that no instant is left between them. It is a member of the group that it ends: so
the number of the group is nobody else's for as long as it waits. A line in the pipe tells it to go and leave the rest alone.
(PR_SET_PDEATHSIG would be tied to the *thread* that started the program, and would not reach what the program starts.)
"""


_orphans: Final[list[int]] = []
"""Groups whose guards may have become ours to wait for: so it is where we are the first process (a container without an init)."""


class Tethered(subprocess.Popen[bytes]):
    """As subprocess.Popen, in a session of its own, all of which ends when we are gone.

    Once the program was waited for, what it has started ends as well, unless `leaves`. `session`: False for a program that may
    ask its owner on our terminal; then only the program itself is ended.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        session: bool = True,
        leaves: bool = False,
        stdin: _File = subprocess.DEVNULL,
        stdout: _File = subprocess.PIPE,
        stderr: _File = subprocess.PIPE,
        env: Mapping[str, str] | None = None,
        bufsize: int = -1,
        umask: int = -1,
    ) -> None:
        self._leaves = leaves or not session
        self._tether = -1
        if shutil.which(words[0], path=(os.environ if env is None else env).get("PATH")) is None:
            number = errno.EACCES if os.path.lexists(words[0]) else errno.ENOENT
            raise OSError(number, os.strerror(number), words[0])
        _reap()
        reading, self._tether = os.pipe()
        script = ["/bin/sh", "-c", _SCRIPT, "sh", f"/dev/fd/{reading}", "group" if session else "alone"]
        try:
            super().__init__(
                [*script, *words],
                bufsize,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=env,
                umask=umask,
                pass_fds=(reading,),
                start_new_session=session,
            )
        except BaseException:
            self._let_go()
            raise
        finally:
            os.close(reading)

    def poll(self) -> int | None:
        """As Popen's."""
        code = super().poll()
        if code is not None:
            self._let_go()
        return code

    def wait(self, timeout: float | None = None) -> int:
        """As Popen's."""
        code = super().wait(timeout)
        self._let_go()
        return code

    def _let_go(self) -> None:
        """The guard goes; without a word from us it takes along whatever is left."""
        tether, self._tether = self._tether, -1
        if tether < 0:
            return
        with suppress(OSError):
            if self._leaves:
                os.write(tether, b"\n")
            os.close(tether)
        if os.getpid() == 1:
            _orphans.append(self.pid)


def _reap() -> None:
    for group in _orphans.copy():
        try:
            while os.waitpid(-group, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:  # all of them are waited for
            with suppress(ValueError):  # another thread was faster
                _orphans.remove(group)


def run(
    words: Sequence[str], timeout: float, *, session: bool = True, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """As subprocess.run, without standard input and with both outputs kept. Raises OSError, subprocess.TimeoutExpired."""
    with Tethered(words, session=session, env=env) as process:
        try:
            said, complained = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(list(words), process.returncode, said, complained)
