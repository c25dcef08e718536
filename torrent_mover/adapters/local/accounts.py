"""Accounts of this machine."""

from __future__ import annotations

import grp
import os
import pwd
from contextlib import suppress

from torrent_mover.ports.accounts import Account


class LocalAccounts:
    """See ports.accounts.Accounts."""

    @property
    def place(self) -> str:
        """See ports.accounts.Accounts."""
        return "this machine"

    def ours(self) -> Account:
        """See ports.accounts.Accounts. The effective user, whose rights count."""
        uid, gid = os.geteuid(), os.getegid()
        groups = dict.fromkeys((gid, *os.getgroups()))
        return Account(_user(uid), uid, tuple(_group(each) for each in groups))

    def names(self, uid: int, gid: int) -> tuple[str, str]:
        """See ports.accounts.Accounts."""
        return _user(uid), _group(gid)


def _user(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _group(gid: int) -> str:
    with suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)
