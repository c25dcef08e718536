"""Who runs this program: also one who is only a number, without an entry in passwd (a container started with --user)."""

from __future__ import annotations

import getpass
import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from torrent_mover.domain.errors import NoAccount


def has_account() -> bool:
    """Whether passwd names this user. The ssh program works for nobody else ("No user exists for uid 54321")."""
    with suppress(KeyError):
        pwd.getpwuid(os.getuid())
        return True
    return False


def login_name() -> str:
    """The name by which a server would be asked, as ssh takes it; empty where there is none."""
    # What is raised for a user without a name is KeyError before Python 3.13, OSError from there on.
    with suppress(KeyError, OSError):
        return getpass.getuser()
    return ""


def home_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """$HOME, else what passwd says, else the root folder."""
    home = environ.get("HOME", "")
    if home.startswith("/"):
        return Path(home)
    with suppress(KeyError):
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    return Path("/")


def expanded(text: str) -> Path:
    """A path as somebody types it: `~/` is our home. What cannot be told is left as it is (`~stranger/`)."""
    if text == "~" or text.startswith("~/"):
        return home_folder() / text[2:]
    with suppress(RuntimeError):
        return Path(text).expanduser()
    return Path(text)


def no_account() -> NoAccount:
    """Why the ssh program cannot be used by this user."""
    uid, gid = os.getuid(), os.getgid()
    return NoAccount(
        f"This user is uid {uid} and has no entry in passwd: the ssh program, and rsync over it, work for no such user.",
        kept="Nothing was sent.",
        remedy="Set transfer_mode = sftp (or sftp_upload) and ssh_transport = auto: the built-in library can do without. Or add"
        f" this line to /etc/passwd, in a container to its own: mover:x:{uid}:{gid}::{home_folder()}:/usr/sbin/nologin",
    )


def account_home() -> Path | None:
    """The home that passwd names, which is where ssh looks for files; None for a user without an entry."""
    with suppress(KeyError):
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    return None
