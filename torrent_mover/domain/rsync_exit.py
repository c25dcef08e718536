"""What rsync's exit code and complaints mean: one of our errors, retried or not by its nature. Codes: rsync(1), EXIT VALUES."""

from __future__ import annotations

import errno
import re
import shlex
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torrent_mover.domain.errors import (
    BadAnswer,
    ConfigError,
    ConnectionLost,
    DiskFull,
    FileTooLarge,
    HostKeyUnknown,
    LoginRefused,
    MissingProgram,
    MoverError,
    NotWritable,
    ServerError,
    ServerTooOld,
    SourceAway,
    SourceUnreadable,
    Stalled,
    StorageAway,
    TooManyOpenFiles,
    TransferError,
    Unreachable,
)
from torrent_mover.domain.file_trouble import FileTrouble, Nature, trouble_in, trouble_of
from torrent_mover.domain.text import safe

KEPT: Final = "What arrived is kept, and is not sent again."


@dataclass(frozen=True, slots=True)
class RsyncRoute:
    """Who takes part, as messages call them: folders `source` and `target`, the `server`, and the mode that needs no rsync.

    `host`: what errors about the server carry as its name.
    """

    source: str
    target: str
    server: str
    other_mode: str = "sftp"

    @property
    def host(self) -> str:
        """The server without its port."""
        return self.server.rpartition(":")[0].strip("[]") or self.server


def explain(code: int, complaints: str, route: RsyncRoute) -> MoverError:
    """The error for an exit code that is not 0 (-N: ended by signal N)."""
    said = _Said(code, complaints, route)
    make = next((make for matches, make in _BY_WORDS if matches(said)), _BY_CODE.get(code, _other))
    error = make(said)
    if isinstance(error, ServerError | ConnectionLost | Stalled):
        error.server = route.host
    return error


class _Said:
    """One failed run, with the questions that are asked of it."""

    def __init__(self, code: int, complaints: str, route: RsyncRoute) -> None:
        self.code = code
        self.text = complaints
        self.route = route

    def has(self, *markers: str) -> bool:
        return any(marker in self.text for marker in markers)

    def rsync_says(self, *markers: str) -> bool:
        """The same, of lines by rsync itself: shells and ssh use such words too."""
        lines = [line for line in self.text.splitlines() if line.startswith("rsync: ")]
        return any(marker in line for line in lines for marker in markers)

    def where(self, place: str) -> tuple[str, str]:
        """For a command about a place: the words that say on which machine, and the folder, quoted for a shell."""
        there = f" on {self.route.server}"
        first = f"On {self.route.server}: " if place.endswith(there) else ""
        return first, shlex.quote(place.removesuffix(there))

    def shell_found_no_rsync(self) -> bool:
        """Whether the login shell there could not start it."""
        return any(_NO_PROGRAM.match(line) for line in self.text.splitlines())

    def trouble(self) -> tuple[FileTrouble, str] | None:
        """What a file system refused, and the line that tells it.

        Such lines quote a path, and the reason follows it: a name may hold any words. In others only what cannot be taken
        for the network's trouble, or a shell's, is believed.
        """
        for line in self.text.splitlines():
            _, quote, reason = line.rpartition('"')
            found = trouble_in(reason)
            if found and (found.nature in _UNMISTAKABLE or (quote and line.startswith("rsync: "))):
                return found, line.strip()
        return None

    def line(self, *markers: str) -> str:
        """The first complaint with one of the markers, else the first that is no mere summary."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        telling = [line for line in lines if any(marker in line for marker in markers)]
        others = [line for line in lines if not _SUMMARY.match(line)]
        first = next(iter((*telling, *others, *lines)), "no message")
        return safe(first)[:_LINE]

    def on_target(self, marker: str) -> bool:
        """Whether it was the receiving side that said so."""
        line = next((line for line in self.text.splitlines() if marker in line), "")
        if _ROLE_SENDER.search(line):
            return False
        return bool(_ROLE_RECEIVER.search(line) or _RECEIVER_WORDS.search(line))


_LINE: Final = 300
_UNMISTAKABLE: Final = (Nature.FULL, Nature.TOO_MANY_OPEN)
_SUMMARY: Final = re.compile(r"rsync error: |rsync: connection unexpectedly closed|IO error encountered")
_NO_PROGRAM: Final = re.compile(
    r"(?!rsync: |rsync error: ).*(rsync.*|command )(not found|No such file|Permission denied)"
)
_ROLE_SENDER: Final = re.compile(r"\[sender\b", re.IGNORECASE)
_ROLE_RECEIVER: Final = re.compile(r"\[(receiver|generator)\b", re.IGNORECASE)
# Before 3.2 complaints do not name the role.
_RECEIVER_WORDS: Final = re.compile(
    r"write failed on|mkstemp|recv_generator|mkdir |failed to set|open_tmpfile|rename |ftruncate"
)


def _full(said: _Said) -> bool:
    trouble = said.trouble()
    return trouble is not None and trouble[0].nature is Nature.FULL


def _file_trouble(said: _Said) -> MoverError:
    """What a file system refused, in the words of the one table."""
    found = said.trouble()
    assert found is not None  # noqa: S101  asked by the row that leads here
    trouble, line = found
    at_target = trouble.nature is Nature.FULL or said.on_target(line)
    where = said.route.target if at_target else said.route.source
    first, folder = said.where(where)
    doing = "Cannot write in" if at_target else "Cannot read in"
    make = _TROUBLES.get((trouble.nature, at_target), NotWritable if at_target else SourceUnreadable)
    return make(
        f"{doing} {where}: {trouble.what}: {safe(line)[:_LINE]}",
        kept=KEPT,
        remedy=f"{first}{trouble.helps(folder, folder)}",
    )


_TROUBLES: Final[dict[tuple[Nature, bool], type[MoverError]]] = {
    (Nature.FULL, True): DiskFull,
    (Nature.TOO_LARGE, True): FileTooLarge,
    (Nature.TOO_MANY_OPEN, True): TooManyOpenFiles,
    (Nature.TOO_MANY_OPEN, False): TooManyOpenFiles,
    (Nature.AWAY, True): StorageAway,
    (Nature.AWAY, False): SourceAway,
}
"""By nature, and whether it is the target's side; anything else is NotWritable or SourceUnreadable."""


def _limit_of_size(said: _Said) -> MoverError:
    return FileTooLarge(
        f"rsync was ended because a file in {said.route.target} grew above the size that this process may write (SIGXFSZ).",
        kept=KEPT,
        remedy=trouble_of(errno.EFBIG).helps(said.route.target, said.route.target),
    )


def _read_only(said: _Said) -> MoverError:
    return NotWritable(
        f"The file system of {said.route.target} is read-only: {said.line('Read-only file system')}",
        kept=KEPT,
        remedy="A disk that had errors is often mounted so; see dmesg there, and have the disk checked before it is written to.",
    )


def _denied(said: _Said) -> MoverError:
    line = said.line("Permission denied", "Operation not permitted")
    if said.on_target("Permission denied") or said.on_target("Operation not permitted"):
        first, folder = said.where(said.route.target)
        return NotWritable(
            f"{said.route.target} may not be written to: {line}",
            kept=KEPT,
            remedy=f"{first}ls -ld {folder}; then give our login access: setfacl -m u:LOGIN:rwx {folder}",
        )
    return SourceUnreadable(
        f"A file of {said.route.source} may not be read: {line}",
        kept=KEPT,
        remedy="Give the login read permission for that file there (chmod o+r, or its group), then run again.",
    )


def _vanished(said: _Said) -> MoverError:
    line = said.line("No such file or directory", "file has vanished", "symlink has no referent")
    if said.on_target("No such file or directory"):
        return NotWritable(
            f"The folder {said.route.target} is not there: {line}",
            kept=KEPT,
            remedy="If it lies on a mounted disk, mount it; else make the folder, then run again.",
        )
    return SourceUnreadable(
        f"A file of the torrent is not in {said.route.source} (any more): {line}",
        kept=KEPT,
        remedy="Force a recheck in the source client; if the files are there, compare path_map with where they really lie.",
    )


def _io_error(said: _Said) -> MoverError:
    where = said.route.target if said.on_target("Input/output error") else said.route.source
    return TransferError(
        f"A disk failed under {where}: {said.line('Input/output error')}",
        kept=KEPT,
        remedy="Look at its log and health before the next run: dmesg | tail; smartctl -a <device>",
    )


def _no_rsync_there(said: _Said) -> MoverError:
    return MissingProgram(
        f"{said.route.server} has no rsync that our login can start: {said.line('not found', 'No such file')}",
        kept="Nothing was changed.",
        remedy=f"Run there: apt-get install rsync (or name it with --rsync-path in rsync_options, or set "
        f"transfer_mode = {said.route.other_mode}).",
    )


def _no_shell(said: _Said) -> MoverError:
    return MissingProgram(
        f"{said.route.server} lets our login do SFTP only, and rsync needs to be started there: {said.line('sftp', 'account')}",
        kept="Nothing was changed.",
        remedy=f"Set transfer_mode = {said.route.other_mode}, or ask for a login with a shell.",
    )


def _restricted(said: _Said) -> MoverError:
    return MissingProgram(
        f"The restricted rsync (rrsync) of {said.route.server} refuses our options: {said.line('rrsync', 'option')}",
        kept="Nothing was changed.",
        remedy=f"Set transfer_mode = {said.route.other_mode}, or use a key without that forced command.",
    )


def _by_hand(server: str) -> str:
    """The ssh command for a server called `host:port`."""
    host, _, port = server.rpartition(":")
    if not host or not port.isdigit():
        return f"ssh {server}"
    # The standard port is not named: the host may be an alias of ~/.ssh/config with another one.
    return f"ssh {host.strip('[]')}" if port == "22" else f"ssh -p {port} {host.strip('[]')}"


def _noise(said: _Said) -> MoverError:
    return ConfigError(
        f"The login shell of {said.route.server} writes text where rsync speaks: {said.line('is your shell clean')}",
        kept="Nothing was changed.",
        remedy="Find what prints in ~/.bashrc or ~/.profile there: this must print nothing: "
        f"{_by_hand(said.route.server)} true. "
        f"Or set transfer_mode = {said.route.other_mode}, which does not mind.",
    )


def _silent_start(said: _Said) -> MoverError:
    return BadAnswer(
        f"{said.route.server} logged us in and hung up before rsync answered: {said.line('connection unexpectedly closed')}",
        kept="Nothing was changed.",
        remedy="Try by hand whether this login may start programs there: rsync --version, by ssh; "
        f"if it may not, set transfer_mode = {said.route.other_mode}.",
    )


def _usage(said: _Said) -> MoverError:
    return ConfigError(
        f"rsync refuses an option: {said.line('unknown option', 'option')}",
        kept="Nothing was changed.",
        remedy="Take the option it names out of rsync_options; if it is none of yours, the rsync there is older than 3.1.",
    )


def _too_old(said: _Said) -> MoverError:
    return ServerTooOld(
        f"The rsync at {said.route.server} and ours do not understand each other: {said.line('protocol', 'support')}",
        kept="Nothing was changed.",
        remedy=f"Bring the rsync there to 3.1 or later, or set transfer_mode = {said.route.other_mode}.",
    )


def _password(said: _Said) -> MoverError:
    return LoginRefused(
        f"{said.route.server} refused the login: {said.line('denied')}",
        kept="Tried only once, to avoid a ban; nothing was changed.",
        remedy="Check username and password (or key_file) in the server's section of the config.",
    )


def _host_key(said: _Said) -> MoverError:
    return HostKeyUnknown(
        f"The SSH host key of {said.route.server} is not known here: {said.line('key')}",
        kept="Nothing was sent to it.",
        remedy="Compare its fingerprint with the owner's, then log in once by ssh to accept it.",
    )


def _timeout(said: _Said) -> MoverError:
    return Stalled(
        f"Nothing came from {said.route.server} for too long: {said.line('timeout')}",
        kept=KEPT,
        remedy="It is tried again; if it comes back, look at the load and the disks there, or raise rsync_timeout.",
    )


def _unreachable(said: _Said) -> MoverError:
    return Unreachable(
        f"Cannot reach {said.route.server}: {said.line('timed out', 'timeout')}",
        kept=KEPT,
        remedy="Check host, port and network of the server's section.",
    )


def _cut(said: _Said) -> MoverError:
    return ConnectionLost(
        f"The connection to {said.route.server} broke (rsync exit {said.code}): {said.line()}",
        kept=KEPT,
        remedy="It is tried again by itself.",
    )


def _killed(said: _Said) -> MoverError:
    who = f"signal {-said.code}" if said.code < 0 else f"exit {said.code}"
    return ConnectionLost(
        f"rsync was ended from outside ({who}).",
        kept=KEPT,
        remedy="It is tried again by itself; if it comes back, see whether memory ran out: dmesg | grep -i oom",
    )


def _memory(said: _Said) -> MoverError:
    return TransferError(
        f"rsync ran out of memory: {said.line('memory')}",
        kept=KEPT,
        remedy="Lower max_concurrent_downloads, or close what else uses memory on the two machines.",
    )


def _other(said: _Said) -> MoverError:
    return TransferError(
        f"rsync ended with exit {said.code}: {said.line()}",
        kept=KEPT,
        remedy=f"It is tried again; if it comes back, set transfer_mode = {said.route.other_mode} for this torrent.",
    )


_NOT_STARTED: Final = "connection unexpectedly closed (0 bytes received so far)"

# The words say more than the code: 11, 12 and 23 are given for many reasons.
_BY_WORDS: Final[tuple[tuple[Callable[[_Said], bool], Callable[[_Said], MoverError]], ...]] = (
    (_full, _file_trouble),
    (lambda said: said.has("Read-only file system"), _read_only),
    (lambda said: said.has("rrsync"), _restricted),
    (lambda said: said.has("allows sftp connections only", "account is currently not available"), _no_shell),
    (lambda said: said.code == 127 or said.shell_found_no_rsync(), _no_rsync_there),  # noqa: PLR2004
    (lambda said: said.has("is your shell clean"), _noise),
    (lambda said: said.has("unknown option", "is not supported on this server"), _usage),
    (lambda said: said.has("Input/output error"), _io_error),
    (lambda said: said.rsync_says("Permission denied", "Operation not permitted"), _denied),
    (lambda said: said.rsync_says("No such file or directory"), _vanished),
    (lambda said: said.has("file has vanished", "has no referent"), _vanished),
    (lambda said: said.trouble() is not None, _file_trouble),
    (lambda said: said.code in (12, 255) and said.has(_NOT_STARTED), _silent_start),
)

_BY_CODE: Final[dict[int, Callable[[_Said], MoverError]]] = {
    1: _usage,
    2: _too_old,
    3: _vanished,
    4: _too_old,
    5: _password,
    6: _host_key,
    10: _cut,
    11: _io_error,
    12: _cut,
    13: _cut,
    14: _cut,
    19: _killed,
    20: _killed,
    22: _memory,
    24: _vanished,
    30: _timeout,
    35: _unreachable,
    124: _cut,
    125: _killed,
    126: _no_rsync_there,
    255: _cut,
    -signal.SIGXFSZ: _limit_of_size,
    -15: _killed,
    -9: _killed,
    -2: _killed,
    -1: _killed,
}
