"""Looks at what lies at a path, links told apart from what they lead to: some servers' LSTAT follows them as STAT does."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from typing import Final

from torrent_mover.adapters.ssh import sftp_protocol as wire
from torrent_mover.adapters.ssh.sftp_protocol import Packet
from torrent_mover.adapters.ssh.sftp_session import Reply, SftpSession

_ONE_OF_A_LINK: Final = "lsetstat@openssh.com"
"""Changes a link itself (OpenSSH's PROTOCOL, section 4.8; since 8.0): a server that has it knows links from their targets.

Where it is missing we ask READLINK too. ProFTPD's mod_sftp (1.3.8) has none: its LSTAT, RENAME, RMDIR and SETSTAT work on what
a link leads to, and only READLINK and REMOVE on the link.
"""

A_LINK: Final[Reply] = (Packet.ATTRS, wire.mode_attributes(stat.S_IFLNK | 0o777))


def tells_links(session: SftpSession) -> bool:
    """Whether LSTAT alone can be believed."""
    return _ONE_OF_A_LINK in session.extensions


def questions(session: SftpSession, names: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """What to ask about each of these names, as they travel."""
    asked = [(int(Packet.LSTAT), name) for name in names]
    return asked if tells_links(session) else asked + [(int(Packet.READLINK), name) for name in names]


def answers(replies: Sequence[Reply], count: int) -> list[Reply]:
    """From the replies to the `questions` about `count` names: ATTRS, as LSTAT should tell them, or why not."""
    looks, links = list(replies[:count]), replies[count:]
    for index, link in enumerate(links):
        if link[0] == Packet.NAME:
            looks[index] = A_LINK
    return looks
