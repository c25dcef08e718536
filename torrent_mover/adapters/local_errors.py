"""Turns errno of this machine's file systems into our errors, with the one command that helps."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import shlex
import stat
from pathlib import Path
from typing import Final

from torrent_mover.domain.errors import Collision, DiskFull, MoverError, NotWritable, SourceUnreadable

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM)
_IN_THE_WAY: Final = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENOTEMPTY)
_BAD_NAME: Final = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)


def write_error(error: OSError, path: Path, doing: str) -> MoverError:
    """Why a change at `path` failed."""
    number = error.errno or 0
    if number in _FULL:
        return _full(path, quota=number == errno.EDQUOT)
    if number in _FORBIDDEN:
        return _forbidden(path, doing)
    if number in _IN_THE_WAY:
        return in_the_way(path, error.strerror or "in the way")
    what, remedy = f"{error.strerror}", "dmesg | tail"
    if number == errno.EROFS:
        what = "the file system is mounted read-only"
        remedy = f"See why: findmnt -T {_quoted(path.parent)}; dmesg | tail. After a disk error, have the disk checked first."
    elif number == errno.ENOENT:
        what = "it or the folder above does not exist"
        remedy = (
            f"Check that the disk is mounted (findmnt -T {_quoted(path.parent)}), then: mkdir -p {_quoted(path.parent)}"
        )
    elif number in _BAD_NAME:
        what = f"its file system does not take that name ({error.strerror})"
        remedy = "Rename the file in the source client, or choose a destination on ext4, XFS, btrfs or ZFS."
    return NotWritable(f"Cannot {doing} {path}: {what}.", kept="What was written before is kept.", remedy=remedy)


def read_error(error: OSError, path: Path) -> SourceUnreadable:
    """Why a file could not be read."""
    remedy = f"Look at the disk: dmesg | tail; ls -la {_quoted(path.parent)}"
    if error.errno in _FORBIDDEN:
        remedy = f"Give access: setfacl -m u:{os.geteuid()}:rX {_quoted(path)} (and x on the folders: namei -l {_quoted(path)})"
    elif error.errno == errno.ENOENT:
        remedy = "Force a recheck of this torrent in the client; if paths differ there, check path_map."
    elif error.errno == errno.ELOOP:
        remedy = f"A symbolic link is not followed here: ls -la {_quoted(path.parent)}"
    return SourceUnreadable(
        f"Cannot read {path}: {error.strerror}.", kept="Nothing was changed at the source.", remedy=remedy
    )


def too_short(path: Path, expected: int, found: int) -> SourceUnreadable:
    """A file ends before the bytes that the torrent says."""
    return SourceUnreadable(
        f"The file {path} is too short: at least {expected} bytes expected, {found} found.",
        kept="Nothing was changed at the source.",
        remedy="Force a recheck of this torrent in the client: it is not complete.",
    )


def in_the_way(path: Path, what: str) -> Collision:
    """Something else lies at `path`."""
    return Collision(
        f"{path}: {what}.",
        kept="It was not touched.",
        remedy=f"Look at it and move it away: ls -ld {_quoted(path)}",
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
    free = os.statvfs(folder)
    return DiskFull(
        f"{'Your quota is used up' if quota else 'No space left'} for {path}: "
        f"{free.f_frsize * free.f_bavail} bytes and {free.f_favail} inodes are free.",
        kept="What was written before is kept.",
        remedy=f"Make room, then run again: {'quota -s' if quota else 'df -h'} {'' if quota else _quoted(folder)}".rstrip(),
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
        kept="What was written before is kept.",
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
