"""Turns errno of this machine's file systems into our errors, with the one command that helps."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import shlex
import stat
from dataclasses import replace
from pathlib import Path
from typing import Final

from torrent_mover.domain.errors import (
    Collision,
    DiskFull,
    FileTooLarge,
    MoverError,
    NotWritable,
    OtherFileSystem,
    SourceAway,
    SourceUnreadable,
    StorageAway,
    TooManyOpenFiles,
)
from torrent_mover.domain.file_trouble import FileTrouble, Nature, trouble_of

_KEPT: Final = "What was written before is kept."
_SOURCE_KEPT: Final = "Nothing was changed at the source."


def write_error(error: OSError, path: Path, doing: str) -> MoverError:
    """Why a change at `path` failed."""
    trouble = trouble_of(error.errno or 0)
    if trouble.nature is Nature.FULL:
        return _full(path, quota=trouble.number == errno.EDQUOT)
    if trouble.nature is Nature.FORBIDDEN:
        return _forbidden(path, doing)
    if trouble.nature is Nature.IN_THE_WAY:
        return in_the_way(path, error.strerror or trouble.what)
    if trouble.number == errno.EXDEV:
        return OtherFileSystem(
            f"Cannot {doing} {path}: the two places lie on different file systems, datasets or branches.",
            kept=_KEPT,
            remedy=f"See what is mounted there: findmnt -T {_quoted(path.parent)}",
        )
    make = _WRITING.get(trouble.nature, NotWritable)
    return make(f"Cannot {doing} {path}: {trouble.what}.", kept=_KEPT, remedy=_remedy(trouble, path))


def read_error(error: OSError, path: Path) -> MoverError:
    """Why a file could not be read: SourceUnreadable, or TooManyOpenFiles, which says nothing of the file."""
    trouble = trouble_of(error.errno or 0)
    what = error.strerror if trouble.nature is Nature.IN_THE_WAY and error.strerror else trouble.what
    template = replace(trouble, remedy=_READING.get(trouble.nature, _READING.get(trouble.number, trouble.remedy)))
    make = {Nature.AWAY: SourceAway, Nature.TOO_MANY_OPEN: TooManyOpenFiles}.get(trouble.nature, SourceUnreadable)
    return make(f"Cannot read {path}: {what}.", kept=_SOURCE_KEPT, remedy=_remedy(template, path))


_WRITING: Final[dict[Nature, type[MoverError]]] = {
    Nature.TOO_LARGE: FileTooLarge,
    Nature.TOO_MANY_OPEN: TooManyOpenFiles,
    Nature.AWAY: StorageAway,
}

_READING: Final[dict[Nature | int, str]] = {
    Nature.FORBIDDEN: f"Give access: setfacl -m u:{os.geteuid()}:rX {{path}} (and x on the folders: namei -l {{path}})",
    Nature.IN_THE_WAY: "Look what lies there: namei -l {path}",
    errno.ENOENT: "Force a recheck of this torrent in the client; if paths differ there, check path_map.",
}
"""Where reading wants another remedy than writing."""


def _remedy(trouble: FileTrouble, path: Path) -> str:
    return trouble.helps(_quoted(path), _quoted(path.parent))


def too_short(path: Path, expected: int, found: int) -> SourceUnreadable:
    """A file ends before the bytes that the torrent says."""
    return SourceUnreadable(
        f"The file {path} is too short: at least {expected} bytes expected, {found} found.",
        kept=_SOURCE_KEPT,
        remedy="Force a recheck of this torrent in the client: it is not complete.",
    )


def in_the_way(path: Path, what: str) -> Collision:
    """Something else lies at `path`."""
    return Collision(
        f"{path}: {what}.",
        kept="It was not touched.",
        remedy=f"Look at it: ls -ld {_quoted(path)}. Where no torrent or program needs it, move it away.",
    )


def no_root(root: Path) -> NotWritable:
    """The root itself is missing: a doubt, never a proof that files below it do not exist."""
    return NotWritable(
        f"The folder {root} does not exist: perhaps its disk is not mounted.",
        kept="Nothing was changed.",
        remedy=f"findmnt -T {_quoted(root)}; then: mkdir -p {_quoted(root)}",
    )


def disk_gone(root: Path) -> NotWritable:
    """What lies there now is the folder on which a disk was mounted: it says nothing of the files on that disk."""
    return NotWritable(
        f"The disk of {root} is not mounted any more: it was when this run began.",
        kept="Nothing was changed; what was brought lies on that disk.",
        remedy=f"Mount it again (findmnt -T {_quoted(root)} shows what is there now), then run again.",
    )


def _full(path: Path, *, quota: bool) -> DiskFull:
    folder = _existing(path.parent)
    try:
        free = os.statvfs(folder)
        left = f": {free.f_frsize * free.f_bavail} bytes and {free.f_favail} inodes are free"
    except OSError:
        left = ""
    return DiskFull(
        f"{'Your quota is used up' if quota else 'No space left'} for {path}{left}.",
        kept=_KEPT,
        remedy=_remedy(trouble_of(errno.EDQUOT if quota else errno.ENOSPC), folder / path.name),
    )


def _forbidden(path: Path, doing: str) -> NotWritable:
    folder = _existing(path if os.path.isdir(path) else path.parent)  # noqa: PTH112  Path.is_dir raises where it may not look
    try:
        look = folder.stat()
        owner = f"{folder} belongs to {_user(look.st_uid)}:{_group(look.st_gid)}, mode {stat.S_IMODE(look.st_mode):04o}"
    except OSError:
        owner = f"{folder} cannot even be looked at"
    us = os.geteuid()
    return NotWritable(
        f"Cannot {doing} {path}: permission denied for uid {us} ({_user(us)}); {owner}.",
        kept=_KEPT,
        remedy=f"Run: sudo setfacl -m u:{us}:rwx {_quoted(folder)}   (others who use the folder keep their rights)",
    )


def _existing(path: Path) -> Path:
    while path != path.parent:
        try:
            path.lstat()
        except OSError:
            path = path.parent
        else:
            break
    return path


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
