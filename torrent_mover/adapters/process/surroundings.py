"""What the process needs around it: streams that can print every name, UTF-8 for names on disk, enough open files, little waste."""

from __future__ import annotations

import codecs
import errno
import gc
import locale
import os
import re
import resource
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from torrent_mover.domain.errors import UsageError

_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
_UTF8_MODE: Final = ("-X", "utf8=1")
_SPELT: Final = "torrent_mover.spelt"
_MANY_FILES: Final = 65_536
"""Some programs close every number up to the limit when they start: millions of them take seconds."""

_MANY_OBJECTS: Final = 50_000
"""New objects after which Python looks for cycles of them that nobody uses; by itself it does after 700."""

_QUOTED: Final = re.compile(r"(?:(?<=[\s(=;])|^)'[^']*'")
"""A word quoted for a shell, and no apostrophe in a sentence."""

_left: Final[list[bool]] = []
"""Whether threads were left behind that do not end by themselves."""


def prepare(environ: Mapping[str, str] = os.environ) -> None:
    """Make this process fit for its work; called once, before anything is opened. It may restart it, and then does not return.

    Raises UsageError where names on disk would be written in another encoding than UTF-8.
    """
    _open_closed_streams()
    _insist_on_utf8()
    _speak_as_the_terminal(environ)


def settle() -> OSError | None:
    """Flush what was said; returns what went wrong with that, if something did.

    A stream that cannot take it is pointed at /dev/null: the interpreter flushes it once more at the end, and would fail with
    code 120.
    """
    trouble: OSError | None = None
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            trouble = trouble or error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    return trouble


def leave_threads() -> None:
    """Have `end` wait for no thread: one that asks a server which does not answer would keep the process from ending."""
    _left.append(True)


def end(code: int) -> None:
    """The end of a process that is ours, after `settle`: at once where threads are left, else it returns."""
    if _left:
        os._exit(code)


def terminal_encoding(environ: Mapping[str, str] = os.environ) -> str:
    """How bytes on the terminal are to be read: as the locale says, also where this machine does not have that locale."""
    named = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    return "utf-8" if named.lower().endswith(("utf-8", "utf8")) else locale.getencoding()


def _open_closed_streams() -> None:
    """Put /dev/null where a standard stream was closed (`2>&-`): the next file or socket would get its number, and our words."""
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003  it gets the lowest number that is free
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  as long as the process
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def _insist_on_utf8() -> None:
    """Names on disk are bytes, and UTF-8 wherever they can be: restart in Python's UTF-8 mode where the locale says otherwise.

    https://docs.python.org/3/library/os.html#utf8-mode. The arguments stay the bytes that they are.
    """
    encoding = sys.getfilesystemencoding()
    if encoding == "utf-8":
        return
    interpreter = sys.executable
    refusal = "a restart changed nothing"
    if tuple(sys.orig_argv[1:3]) != _UTF8_MODE:
        try:
            words = _command_line()
            os.execv(interpreter, [os.fsencode(interpreter), *map(os.fsencode, _UTF8_MODE), *words[1:]])  # noqa: S606
        except OSError as error:
            refusal = f"{interpreter or 'Python'} cannot be restarted: {error.strerror}"
    raise UsageError(
        f"Names on disk would be written in {encoding}, not in UTF-8 ({refusal}).",
        kept="Nothing was started.",
        remedy="Start it with PYTHONUTF8=1, or in a UTF-8 locale: LC_ALL=C.UTF-8",
    )


def _command_line() -> list[bytes]:
    """The words that this process was started with, the interpreter's own included."""
    try:
        return Path("/proc/self/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return [os.fsencode(word) for word in sys.orig_argv]


def _speak_as_the_terminal(environ: Mapping[str, str]) -> None:
    r"""Say what the terminal can show, and escape the rest (`\u672c`). PYTHONIOENCODING, if set, is somebody's own wish."""
    encoding = sys.stdout.encoding if environ.get("PYTHONIOENCODING") else terminal_encoding(environ)
    sys.stdin.reconfigure(encoding=encoding, errors="surrogateescape")  # type: ignore[union-attr]
    errors = "backslashreplace"
    if codecs.lookup(encoding).name != "utf-8":
        codecs.register_error(_SPELT, partial(_spelt, encoding))
        encoding, errors = "ascii", _SPELT
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding=encoding, errors=errors)  # type: ignore[union-attr]


def _spelt(encoding: str, error: UnicodeError) -> tuple[bytes, int]:
    r"""Characters beyond ASCII for a terminal in that encoding. In a word that is quoted for a shell, they are spelt as ls does.

    There `'B'$'\303\274''cher'` is what names the folder on the disk, and not what the terminal would make of a `ü`.
    """
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101  only streams that are written use it
    text, start, end = error.object, error.start, error.end
    word = text[start:end]
    begin, over = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    line = text[begin : over if over >= 0 else len(text)]
    if any(quoted.start() < start - begin < quoted.end() for quoted in _QUOTED.finditer(line)):
        spelt = "".join(f"\\{byte:03o}" for byte in word.encode("utf-8", "surrogateescape"))
        return f"'$'{spelt}''".encode("ascii"), end
    return word.encode(encoding, "backslashreplace"), end


def raise_open_files() -> None:
    """Raise this process's soft limit of open files to what it is allowed, up to a number that harms no program it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def collect_rarely() -> None:
    """Have Python look for unused cycles less often.

    A torrent of many files makes tens of thousands of values at once, and none of them is in a cycle: looking through
    all of them again and again took a tenth of the time that it takes to copy such a torrent.
    """
    gc.set_threshold(_MANY_OBJECTS, *gc.get_threshold()[1:])


def open_files() -> int:
    """How many files this process may have open at a time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
