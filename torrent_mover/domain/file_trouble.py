"""What an error number of a file operation means to a person: one table for this machine, rsync's words and SFTP's."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from enum import Enum
from typing import Final

FAT_LARGEST: Final = 2**32 - 1
"""Bytes of the largest file that a FAT disk takes: the size field of its entries has 32 bits."""


class Nature(Enum):
    """What kind of trouble it is: adapters make their error of it."""

    FULL = "no space or quota is left"
    FORBIDDEN = "not allowed"
    IN_THE_WAY = "something lies there"
    TOO_LARGE = "the file is too large for that file system"
    TOO_MANY_OPEN = "no more files can be opened"
    AWAY = "what the files lie on does not answer now"
    OTHER = "anything else: a person must look"


@dataclass(frozen=True, slots=True)
class FileTrouble:
    """One error number.

    `what` follows a colon in a message. In `remedy` stand `{path}` and `{folder}`, quoted for a shell where they are put in.
    `words`: how C libraries spell it (glibc first, then musl, BSD, macOS); numbers differ between systems, words travel.
    """

    number: int
    nature: Nature
    what: str
    remedy: str
    words: tuple[str, ...]

    def helps(self, path: str, folder: str) -> str:
        """The remedy for this path in this folder, both quoted."""
        return self.remedy.replace("{path}", path).replace("{folder}", folder)


_AGAIN: Final = "It is tried again by itself. If it comes back: "
_SHARE: Final = _AGAIN + "check that server and the network, then mount it again (findmnt -T {folder})"
_UNPLUGGED: Final = _AGAIN + "plug the disk in and mount it (findmnt -T {folder} shows what is there now)"
_OTHER_DISK: Final = "or choose a destination on ext4, XFS, btrfs or ZFS."

_TABLE: Final = (
    FileTrouble(
        errno.ENOSPC,
        Nature.FULL,
        "no space is left",
        "Make room, then run again: df -h {folder}; df -i {folder}",
        ("No space left on device",),
    ),
    FileTrouble(
        errno.EDQUOT,
        Nature.FULL,
        "the quota is used up",
        "Make room or ask for more, then run again: quota -s",
        ("Disk quota exceeded", "Quota exceeded", "Disc quota exceeded"),
    ),
    FileTrouble(
        errno.EFBIG,
        Nature.TOO_LARGE,
        "the file is too large for its file system, or for the limit of the program that writes it",
        "FAT disks take files below 4 GiB: choose a destination on ext4, XFS, btrfs, ZFS or exFAT (findmnt -T {folder}"
        " names the file system). On any other, lift the limit: ulimit -f unlimited",
        ("File too large",),
    ),
    FileTrouble(
        errno.EMFILE,
        Nature.TOO_MANY_OPEN,
        "this process may open no more files",
        "Allow more, then start again: ulimit -n 4096 (systemd: LimitNOFILE=4096; Docker: --ulimit nofile=4096)",
        ("Too many open files", "No file descriptors available"),
    ),
    FileTrouble(
        errno.ENFILE,
        Nature.TOO_MANY_OPEN,
        "the whole machine can open no more files",
        "Close other programs, or allow more there: sudo sysctl -w fs.file-max=1000000",
        ("Too many open files in system",),
    ),
    FileTrouble(
        errno.ENAMETOOLONG,
        Nature.OTHER,
        "its name is longer than that file system takes",
        f"Rename the file in the source client (at most 255 bytes; 143 in an encrypted folder), {_OTHER_DISK}",
        ("File name too long", "Filename too long"),
    ),
    FileTrouble(
        errno.EINVAL,
        Nature.OTHER,
        "its file system refuses that (Invalid argument), as FAT and NTFS do with some characters of names",
        f'Rename the file in the source client (FAT and NTFS take no \\ : * ? " < > |), {_OTHER_DISK}',
        ("Invalid argument",),
    ),
    FileTrouble(
        errno.EILSEQ,
        Nature.OTHER,
        "its file system does not take the characters of that name",
        f"Rename the file in the source client, mount the disk with iocharset=utf8, {_OTHER_DISK}",
        ("Invalid or incomplete multibyte or wide character", "Illegal byte sequence"),
    ),
    FileTrouble(
        errno.EIO,
        Nature.OTHER,
        "the disk reports an error (Input/output error)",
        "Look at the log and the health of that disk: dmesg | tail; smartctl -a DEVICE (findmnt -T {folder} names it)",
        ("Input/output error", "I/O error"),
    ),
    FileTrouble(
        errno.EROFS,
        Nature.OTHER,
        "the file system is mounted read-only",
        "See why: findmnt -T {folder}. After a disk error, have the disk checked before anything is written to it.",
        ("Read-only file system",),
    ),
    FileTrouble(
        getattr(errno, "EUCLEAN", -1),
        Nature.OTHER,
        "the file system is damaged",
        "Unmount it and repair it (fsck, xfs_repair, btrfs check), then run again: findmnt -T {folder} names it",
        ("Structure needs cleaning",),
    ),
    FileTrouble(
        errno.EBADMSG,
        Nature.OTHER,
        "the file system found a wrong checksum",
        "Check the disk (zpool status -v, btrfs scrub start) and force a recheck in the client that has the file: {path}",
        ("Bad message",),
    ),
    FileTrouble(
        getattr(errno, "ENOKEY", -1),
        Nature.OTHER,
        "that folder is encrypted and locked",
        "Unlock it (fscrypt unlock {folder}), then run again.",
        ("Required key not available",),
    ),
    FileTrouble(
        errno.ENOMEM,
        Nature.AWAY,
        "the machine has no memory left for it",
        _AGAIN + "close what uses the memory: free -h",
        ("Cannot allocate memory", "Out of memory"),
    ),
    FileTrouble(
        errno.EACCES,
        Nature.FORBIDDEN,
        "permission denied",
        "See who owns it, and let our login in: namei -l {path}",
        ("Permission denied",),
    ),
    FileTrouble(
        errno.EPERM,
        Nature.FORBIDDEN,
        "the file system does not allow it",
        "Look for marks that forbid changes (lsattr -d {folder}: i, a), and for who owns it: ls -ld {folder}",
        ("Operation not permitted",),
    ),
    FileTrouble(
        errno.ENOENT,
        Nature.OTHER,
        "it or the folder above does not exist",
        "Check that the disk is mounted (findmnt -T {folder}), then: mkdir -p {folder}",
        ("No such file or directory",),
    ),
    FileTrouble(
        errno.EEXIST, Nature.IN_THE_WAY, "something has that name", "Move it away: ls -ld {path}", ("File exists",)
    ),
    FileTrouble(
        errno.EISDIR,
        Nature.IN_THE_WAY,
        "a folder lies where a file must be",
        "Move it away: ls -ld {path}",
        ("Is a directory",),
    ),
    FileTrouble(
        errno.ENOTDIR,
        Nature.IN_THE_WAY,
        "a file lies where a folder must be",
        "Move it away: namei -l {path}",
        ("Not a directory",),
    ),
    FileTrouble(
        errno.ENOTEMPTY,
        Nature.IN_THE_WAY,
        "the folder there is not empty",
        "Look at it and move it away: ls -la {path}",
        ("Directory not empty",),
    ),
    FileTrouble(
        errno.ELOOP,
        Nature.IN_THE_WAY,
        "a symbolic link lies there, and links are not followed",
        "Look at it and move it away: namei -l {path}",
        ("Too many levels of symbolic links", "Symbolic link loop"),
    ),
    FileTrouble(
        errno.EBUSY,
        Nature.OTHER,
        "the system or another program holds it",
        "See what holds it (fuser -v {path}; findmnt {path}), end that, then run again.",
        ("Device or resource busy", "Resource busy"),
    ),
    FileTrouble(
        errno.ETXTBSY,
        Nature.OTHER,
        "a program is running from that file",
        "See which (fuser -v {path}), end it, then run again.",
        ("Text file busy",),
    ),
    FileTrouble(
        errno.EXDEV,
        Nature.OTHER,
        "its two places lie on different file systems",
        "Keep the destination folder on one file system, dataset or branch: findmnt -T {folder}",
        ("Invalid cross-device link", "Cross-device link"),
    ),
    FileTrouble(
        errno.EMLINK,
        Nature.OTHER,
        "that file system takes no further name for it",
        "Set link_existing = off in the config.",
        ("Too many links",),
    ),
    FileTrouble(
        errno.EOPNOTSUPP,
        Nature.OTHER,
        "its file system cannot do that",
        f"See which it is (findmnt -T {{folder}}), {_OTHER_DISK}",
        ("Operation not supported", "Not supported"),
    ),
    FileTrouble(
        errno.ENOSYS,
        Nature.OTHER,
        "its file system cannot do that",
        f"See which it is (findmnt -T {{folder}}), {_OTHER_DISK}",
        ("Function not implemented",),
    ),
    FileTrouble(
        errno.ENODEV,
        Nature.AWAY,
        "the disk is not there",
        _UNPLUGGED,
        ("No such device", "Operation not supported by device"),
    ),
    FileTrouble(
        errno.ENXIO,
        Nature.AWAY,
        "the disk is not there",
        _UNPLUGGED,
        ("No such device or address", "Device not configured"),
    ),
    FileTrouble(
        getattr(errno, "ENOMEDIUM", -1), Nature.AWAY, "no disk is in that drive", _UNPLUGGED, ("No medium found",)
    ),
    FileTrouble(
        errno.ESTALE,
        Nature.AWAY,
        "the network share was exported again, or the file was removed on its server (stale file handle)",
        _AGAIN + 'umount -l "$(findmnt -no TARGET -T {folder})"; then mount it again',
        ("Stale file handle", "Stale NFS file handle"),
    ),
    FileTrouble(
        errno.ENOTCONN,
        Nature.AWAY,
        "the program behind that mount has ended (mergerfs, rclone, sshfs, another FUSE)",
        _AGAIN + 'fusermount -uz "$(findmnt -no TARGET -T {folder})"; then mount it again',
        ("Transport endpoint is not connected", "Socket not connected", "Socket is not connected"),
    ),
    FileTrouble(
        getattr(errno, "ESHUTDOWN", -1),
        Nature.AWAY,
        "the file system was shut down after an error",
        _AGAIN + "see why (dmesg | tail), check the disk, and mount it again (findmnt -T {folder})",
        ("Cannot send after transport endpoint shutdown", "Cannot send after socket shutdown"),
    ),
    FileTrouble(
        errno.ETIMEDOUT,
        Nature.AWAY,
        "the server of that network share does not answer in time",
        _SHARE,
        ("Connection timed out", "Operation timed out"),
    ),
    FileTrouble(errno.EHOSTDOWN, Nature.AWAY, "the server of that network share is down", _SHARE, ("Host is down",)),
    FileTrouble(
        errno.EHOSTUNREACH,
        Nature.AWAY,
        "no way leads to the server of that network share",
        _SHARE,
        ("No route to host", "Host is unreachable"),
    ),
    FileTrouble(
        errno.ENETUNREACH,
        Nature.AWAY,
        "no way leads to the server of that network share",
        _SHARE,
        ("Network is unreachable", "Network unreachable"),
    ),
    FileTrouble(
        errno.ECONNREFUSED,
        Nature.AWAY,
        "the server of that network share refuses the connection",
        _SHARE,
        ("Connection refused",),
    ),
    FileTrouble(
        errno.ECONNRESET,
        Nature.AWAY,
        "the server of that network share cut the connection",
        _SHARE,
        ("Connection reset by peer",),
    ),
    FileTrouble(
        errno.ECONNABORTED,
        Nature.AWAY,
        "the connection to that network share or FUSE program broke",
        _SHARE,
        ("Software caused connection abort", "Connection aborted"),
    ),
    FileTrouble(
        getattr(errno, "EREMOTEIO", -1),
        Nature.AWAY,
        "the server of that network share reports an error of its own disk",
        _AGAIN + "look at that server's log",
        ("Remote I/O error",),
    ),
)

_BY_NUMBER: Final = {each.number: each for each in _TABLE}
# The longest first: "Too many open files in system" also holds "Too many open files".
_BY_WORDS: Final = tuple(
    sorted(((word, each) for each in _TABLE for word in each.words), key=lambda pair: len(pair[0]), reverse=True)
)


def trouble_of(number: int) -> FileTrouble:
    """The row of an error number; of one that has none, a row in the system's own words."""
    known = _BY_NUMBER.get(number)
    if known is not None:
        return known
    said = os.strerror(number) if number else "the system does not say why"
    remedy = "Look at the disk and its file system: findmnt -T {folder}; df -h {folder}"
    return FileTrouble(number, Nature.OTHER, said, remedy, (said,))


def trouble_in(text: str) -> FileTrouble | None:
    """The row whose words stand in a program's or a server's message; None where there are none that we know."""
    lowered = text.lower()
    return next((each for word, each in _BY_WORDS if word.lower() in lowered), None)
